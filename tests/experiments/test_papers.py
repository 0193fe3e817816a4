"""The experiments of papers: their claims and verdicts, and what is exact in them."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rbmflow import Ring, Torus, cli, rg
from rbmflow.cli import output
from rbmflow.experiments.experiment import experiments
from rbmflow.experiments.papers import (
    cascade,
    field_flow,
    inverse_ising,
    mutual_information,
    relative_entropy,
    stack,
)
from rbmflow.experiments.papers.paper import Claim, PaperResult
from rbmflow.experiments.tables import Table
from rbmflow.ising import onsager, state_law
from rbmflow.rg.grading.information import law_information, ring_information
from rbmflow.thermometer import FieldThermometer

DOCS = Path(__file__).parents[2] / "docs"


def claim(side="above", measured=1.0, null=-1.0, stderr=0.0, null_stderr=0.0):
    return Claim("it holds", "x", side, 0.0, measured, "nothing", null, stderr, null_stderr)


def test_a_verdict_follows_from_numbers_and_errors():
    assert claim().verdict == "holds"
    assert claim(null=1.0).verdict == "holds of the null as well"
    assert claim(measured=0.0).verdict == "does not hold"
    assert claim("below").verdict == "does not hold"
    assert claim("below", -1.0, 1.0).verdict == "holds"
    assert claim(stderr=0.34).verdict == "undecided"
    assert claim(stderr=0.33).verdict == "holds"
    assert claim(null_stderr=0.5).verdict == "holds; of the null undecided"
    assert claim(measured=float("nan")).verdict == "undecided"


def test_the_command_lists_papers_and_needs_a_name(capsys):
    assert cli.main(["experiment", "paper", "--list"]) == 0
    said = capsys.readouterr().out
    papers = [one for one in experiments().values() if one.family == "paper"]
    assert all(one.name in said and one.source in said for one in papers)
    with pytest.raises(SystemExit):
        cli.main(["experiment", "paper"])
    assert "NAME is needed, one of cascade, " in capsys.readouterr().err


def test_the_command_prints_verdicts_and_leaves_a_file(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(output, "figures_module", lambda: None)
    words = ["experiment", "paper", "relative_entropy", "--quick", "--quiet", "--workers", "1"]
    assert cli.main([*words, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    found = relative_entropy.RelativeEntropy.load(tmp_path / "relative_entropy.json")
    assert all(f": {verdict}\n" in said for verdict in found.verdicts)
    assert found.parameters == relative_entropy._quick(relative_entropy.Parameters())


def test_a_file_without_claims_is_refused():
    result = relative_entropy.run(relative_entropy.Parameters((1.0,), (0.25,), 2, 16))
    assert isinstance(result, PaperResult)
    plain = {"parameters": result.parameters.to_json(), "tables": {}}
    with pytest.raises(ValueError, match="lacks claims"):
        relative_entropy.RelativeEntropy.read(json.dumps(plain).encode())


def test_parts_on_an_executor_are_those_of_a_plain_loop():
    p = relative_entropy.Parameters((1.0,), (0.25,), 2, 16)
    with ThreadPoolExecutor(2) as executor:
        assert relative_entropy.run(p, executor=executor).tables == relative_entropy.run(p).tables


@pytest.mark.parametrize("K", [0.5, 1.2])
def test_relative_entropies_of_rings_are_sums_over_states(K):
    n = 6
    states = np.array(list(itertools.product([-1, 1], repeat=n)))
    bonds = (states * np.roll(states, 1, axis=1)).sum(axis=1)

    def law(K):
        weights = np.exp(K * bonds)
        return weights / weights.sum()

    others = np.array([0.0, 0.3, 2.0])
    sums = [float(law(K) @ np.log(law(K) / law(other))) for other in others]
    assert relative_entropy.ring_divergence(K, others, n) == pytest.approx(sums, rel=1e-12)
    rises = relative_entropy.ring_divergence(K, others[1:], n, others[:-1])
    assert rises == pytest.approx(np.diff(sums), rel=1e-12)


def test_decimated_rings_are_compared_by_the_law_of_the_spins_that_are_left():
    # marginals of every second spin of rings of 8, summed over states; the table is of rings of 4
    n = 8
    states = np.array(list(itertools.product([-1, 1], repeat=n)))
    bonds = (states * np.roll(states, 1, axis=1)).sum(axis=1)
    kept = ((states[:, ::2] > 0) @ 2 ** np.arange(n // 2)).astype(int)

    def marginal(K):
        weights = np.exp(K * bonds)
        return np.bincount(kept, weights / weights.sum())

    p, q = marginal(1.0), marginal(0.5)
    table = relative_entropy.run(relative_entropy.Parameters((1.0,), (0.25,), 2, 16)).tables["pairs"]
    assert table.columns["sites"] == [16, 8, 4]
    left = [np.arctanh(np.tanh(K) ** 2) for K in (1.0, 0.5)]
    D = float(relative_entropy.ring_divergence(*left, 4))
    assert pytest.approx(float(p @ np.log(p / q)), rel=1e-12) == D
    assert (np.diff(table.columns["D_decimated"]) < 0).all()


def test_the_plane_by_its_entropy_and_its_heat_capacity():
    # D(K ‖ 0) = ln 2 − S, and D(K ‖ K + d) = C d²/2K² to leading order
    K, d = 0.3, 1e-4
    entropy = onsager.log_partition(K) + K * onsager.energy(K)
    found = relative_entropy.plane_divergence(K, np.array([0.0, K, K + d]))
    assert found[:2] == pytest.approx([np.log(2) - entropy, 0.0], abs=1e-14)
    assert found[2] == pytest.approx(onsager.heat_capacity(K) / K**2 * d**2 / 2, rel=1e-3)


def test_the_ends_of_the_flow_jump_where_the_phases_meet():
    here, on_the_ring = relative_entropy.jump()
    K = rg.migdal_kadanoff_fixed_point().K
    assert here == pytest.approx(np.log(2) - 2 * K, abs=1e-7)
    assert on_the_ring < 1e-8


def test_planted_rows_have_the_variances_of_their_modes():
    # the spins of a row are independent given its coins: along a pattern of strength b the variance is
    # 1 + (n − 1)·⟨tanh²⟩ where the other modes are absent; sd of the estimate 2 % at 20,000 rows
    rows = cascade.planted_rows((0.5,), 16, 20_000, np.random.default_rng(1)).astype(float)
    largest = np.linalg.eigvalsh(rows.T @ rows / len(rows))[-1]
    assert largest == pytest.approx(1 + 15 * np.tanh(0.5) ** 2, rel=0.06)


def test_small_weights_grow_as_the_variance_of_their_mode_says():
    # ds/dt = (variance − 1) s while s is small: the first crossing is where START sqrt(...) e^(rate t) is 1
    p = cascade.Parameters(4, (0.9, 0.5), 4, 2000, n_epochs=40, learning_rate=0.05, n_machines=2)
    tables = cascade.run(p, rng=1).tables
    variance = tables["planted"].columns["variance"][0]
    s = np.array(tables["planted_course"].columns["s1"])
    early = slice(8, 14)  # after the other directions are left behind, before s ~ 1
    assert s[early].max() < 0.5
    rates = np.diff(np.log(s[early]))
    assert rates.mean() == pytest.approx(np.log1p(p.learning_rate * (variance - 1)), rel=0.1)


@pytest.mark.parametrize("weights", [[0.7, -0.3], [6.0, 6.0]])
def test_information_of_a_ring_is_that_of_transfer_matrices(weights):
    blocks, joint = mutual_information.block_and_environment(Ring(10), 0.8, 1)
    by_matrices = ring_information(rg.BlockFilter(weights), 10, 0.8, 1)[0]
    found = mutual_information.information(np.tanh(blocks @ weights), joint)
    assert found == pytest.approx(by_matrices, rel=1e-12)


def test_information_of_the_torus_is_that_of_the_law():
    weights, torus = np.array([[0.7, -0.3], [0.2, 1.1]]), Torus(4, 4)
    blocks, joint = mutual_information.block_and_environment(torus, 0.3, 0)
    by_law = law_information(rg.BlockFilter(weights), state_law(torus, 0.3), (4, 4), 0)[0]
    assert mutual_information.information(np.tanh(blocks @ weights.ravel()), joint) == pytest.approx(by_law)


def test_the_majority_of_three_keeps_more_than_that_of_four():
    # four spins may tie, and a fair coin tells nothing of what is around; three never do
    blocks, joint = mutual_information.block_and_environment(Torus(4, 4), 0.4407, 0)
    four, three = (np.sign(blocks[:, :n].sum(axis=1)) for n in (4, 3))
    kept = [mutual_information.information(mean, joint) for mean in (four, three, blocks[:, 0])]
    assert kept == pytest.approx([0.535097, 0.537835, 0.454007], abs=1e-6)
    best = mutual_information.best_filter(blocks, joint, 6, np.random.default_rng(1))[1]
    assert kept[1] - 1e-4 < best < kept[1] + 1e-9


def test_the_laws_that_couplings_are_inferred_from_have_them():
    # the Walsh transform of ln p(v): all couplings, exactly those that were put in
    p = inverse_ising.Parameters(6, K=0.6, triple=0.25)
    law, true = inverse_ising._law(p, "triples")
    for sites, J in (((0, 1), 0.3), ((0, 2), 0.0), ((0, 1, 2), 0.25), ((5, 0, 1), 0.25), ((0, 1, 3), 0.0)):
        product = law.states[:, sites].prod(axis=1, dtype=np.int64)
        assert np.log(law.probabilities) @ product / 2**6 == pytest.approx(J, abs=1e-12)
        if len(sites) == 2:
            assert true[sites] == pytest.approx(J)
    assert inverse_ising._bonds(Torus(4, 4)).sum() == 2 * 32


def test_a_summary_of_couplings_counts_bonds_among_the_largest():
    true = 0.4 * inverse_ising._bonds(Ring(6))
    found = true.copy()
    found[0, 1] = found[1, 0] = 0.1  # a bond that is lost, and a pair that is none
    found[0, 3] = found[3, 0] = -0.2
    mean, rms, share = inverse_ising._summary(found, true)
    assert (mean, share) == pytest.approx((0.35, 5 / 6))
    assert rms == pytest.approx(np.sqrt((0.3**2 + 0.2**2) / 15))


def test_pseudo_likelihood_gives_three_spin_couplings():
    p = inverse_ising.Parameters(6, K=0.6, triple=0.25)
    spins = inverse_ising._draw(inverse_ising._law(p, "triples")[0], 20_000, np.random.default_rng(1))
    pairs, triple = inverse_ising._of_pseudo_likelihood(spins)
    assert triple == pytest.approx(0.25, abs=0.02)  # its sd is below 0.005
    assert pairs[0, 1] == pytest.approx(0.3, abs=0.05)  # below 0.015


def test_the_specific_heat_in_a_field_is_largest_where_a_fine_scan_says():
    meter = FieldThermometer(Torus(3, 3))
    fine = np.arange(2.0, 3.5, 1e-3)
    best = fine[int(np.argmax([meter.heat_capacity(T, 0.5) for T in fine]))]
    assert field_flow.hottest(meter, 0.5) == pytest.approx(best, abs=0.006)


def test_configurations_in_a_field_read_as_what_they_are():
    # the sd of both readings of 500 configurations is below 0.05
    p = field_flow.Parameters(4, temperatures=(1.0, 2.8), fields=(0.0, 0.3), n_samples=500)
    spins, pairs = field_flow._data(p, "fields", np.random.default_rng(1))
    assert pairs.tolist() == [[1.0, 0.0], [2.8, 0.0], [1.0, 0.3], [2.8, 0.3]]
    found = FieldThermometer(Torus(4, 4)).estimate(spins[3])
    assert (found.temperature, found.field) == pytest.approx((2.8, 0.3), abs=0.2)


def test_shares_of_fields_are_sums_over_the_torus():
    side, fields = 9, np.random.default_rng(1).normal(size=(81, 3))
    squares = (fields**2 / (fields**2).sum(axis=0)).T.reshape(3, side, side)
    turned = [np.roll(squares, (-a, -b), axis=(1, 2)) for a in range(side) for b in range(side)]
    boxes = np.max([one[:, :4, :4].sum(axis=(1, 2)) for one in turned], axis=0)
    assert stack.box_share(fields, side, 4) == pytest.approx(boxes, rel=1e-12)
    asleep = np.zeros((81, 2))  # units whose weights a penalty has put to 0
    assert (stack.box_share(asleep, side, 4) == 0).all()
    assert (stack.sites_of(asleep) == 0).all()


def test_blocks_are_local_and_drawn_weights_are_not():
    # each hidden unit on a 3 × 3 block of a 21 × 21 torus: all of its weight in a square, on nine sites
    side, corner = 21, np.zeros((21, 21))
    corner[:3, :3] = 1.0
    rng = np.random.default_rng(1)
    blocks = np.stack(
        [np.roll(corner, (3 * a, 3 * b), axis=(0, 1)).ravel() for a in range(7) for b in range(7)], axis=1
    )
    assert stack.box_share(blocks, side, stack.BOX) == pytest.approx(1.0)
    assert stack.sites_of(blocks) == pytest.approx(9.0)
    scattered = stack.box_share(rng.permuted(blocks, axis=0), side, stack.BOX).mean()
    assert 1 / scattered > stack.LOCAL
    drawn = rng.normal(size=(side**2, 100))
    ratio = stack.box_share(drawn, side, stack.BOX) / stack.box_share(rng.permuted(drawn, axis=0), side, 7)
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)  # sd of the mean of 100 is 0.015
    assert stack.sites_of(drawn).mean() == pytest.approx(side**2 / 3, rel=0.05)  # ⟨w⁴⟩ = 3⟨w²⟩²


@pytest.mark.parametrize("path", sorted((DOCS / "papers").glob("*.csv")), ids=lambda path: path.stem)
def test_the_page_says_what_the_commands_left(path):
    page = (DOCS / "papers.md").read_text(encoding="utf-8")
    columns = Table.from_csv("", path.read_text(encoding="utf-8")).columns
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    said = {(row[0], row[1]): row[2:] for row in rows}
    assert f"rbmflow experiment paper {path.stem}" in page
    assert (DOCS / "papers" / f"{path.stem}.png").exists()
    names = ("measured", "stderr", "null", "null_stderr")
    numbers = zip(*(columns[name] for name in names), strict=True)
    for place, (value, stderr, null, null_stderr) in enumerate(numbers):
        key = (columns["claim"][place], f"{columns['quantity'][place]}, {columns['claimed'][place]}")
        found, beside, verdict = said[key]
        assert found == number(value, stderr)
        assert beside == f"{number(null, null_stderr)} ({columns['null_is'][place]})"
        assert verdict == columns["verdict"][place]
        redone = Claim(*key, *columns["claimed"][place].split(), value, "", null, stderr, null_stderr)
        assert replace(redone, bound=float(redone.bound)).verdict == verdict


def number(value, stderr):
    return f"{value:.3g} ± {stderr:.1g}" if stderr else f"{value:.3g}"


def test_where_nothing_was_measured_nothing_is_said():
    assert Claim("they part", "ratio", "above", 0.4, float("nan"), "equal modes", 0.1).verdict == "undecided"
    assert np.isnan(cascade._least_ratio(np.array([[3.0, np.inf], [2.0, 8.0]]))).tolist() == [True, False]
