"""The audit: each number by another way, findings that warn of what is wrong and of nothing else."""

import copy
import json
from importlib.util import find_spec

import numpy as np
import pytest
from scipy import stats

from rbmflow import RBM, Ring, flow
from rbmflow.experiments.audit import Audit, Parameters, chains, draw_audit, moments, report, run, static
from rbmflow.experiments.audit.findings import SUBJECTS, findings
from rbmflow.experiments.page import Html
from rbmflow.experiments.tables import Table
from rbmflow.likelihood import LogPartition
from rbmflow.networks import effective_coupling
from rbmflow.provenance import provenance
from rbmflow.reading import unseal
from rbmflow.spins import all_states, random_spins
from tests.networks.machines import joint_weights, random_machine
from tests.test_crafted_files import WRONG, changed

DRAWN = find_spec("matplotlib") is not None
QUICK = Parameters(n_chains=40, n_sweeps=200, n_temperatures=50, n_starts=16)
ROWS = Ring(8).sample(0.4, 500, rng=1)
TRUE = RBM.local_ring(8, 0.4)


def rows_of(table):
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*table.columns.values(), strict=True)]


def bewares(audit):
    return {one["subject"] for one in rows_of(audit.tables["findings"]) if one["beware"]}


@pytest.fixture(scope="module")
def of_true():
    return run(QUICK, TRUE, ROWS, rng=1)


def test_the_law_that_made_the_data_raises_no_warning(of_true):
    # ten differences are held against 4 errors or chances of 10⁻⁴: a false alarm in some 10³ seeds
    assert not bewares(of_true)
    likelihood = rows_of(of_true.tables["likelihood"])
    gain = likelihood[3]
    # per row Σ K ⟨v v'⟩ − ln Z + n ln 2, with the sample's own correlation; means of units differ from 0 by
    # chance, which gives the independent units some n/2R = 0.008 nats
    K, bonds = 0.4, (ROWS * np.roll(ROWS, 1, axis=1)).sum(axis=1)
    wanted = K * bonds.mean() - Ring(8).log_partition(K) + 8 * np.log(2)
    assert gain["mean"] == pytest.approx(wanted, abs=0.05)
    assert likelihood[0]["mean"] == pytest.approx((K * bonds - Ring(8).log_partition(K)).mean(), abs=1e-12)


def test_likelihoods_by_the_double_sum():
    model, rows = random_machine(5, 3, seed=1), random_spins(np.random.default_rng(2), 50, 5)
    law = joint_weights(model).sum(axis=1)
    law /= law.sum()
    place = (rows > 0) @ (1 << np.arange(5)[::-1])
    (machine, alone, coins, gain) = rows_of(
        static.likelihood(QUICK, model, rows, np.random.default_rng(1), 1)["likelihood"]
    )
    assert machine["mean"] == pytest.approx(np.log(law[place]).mean(), abs=1e-12)
    assert machine["stderr"] == pytest.approx(np.log(law[place]).std(ddof=1) / 50**0.5, rel=1e-12)
    up = (rows > 0).mean(axis=0)
    plain = [np.log(np.where(row > 0, up, 1 - up)).sum() for row in rows]
    assert alone["mean"] == pytest.approx(np.mean(plain), abs=1e-12)
    assert coins["mean"] == pytest.approx(-5 * np.log(2), abs=1e-14)
    assert gain["mean"] == pytest.approx(machine["mean"] - alone["mean"], abs=1e-12)
    assert gain["stderr"] == pytest.approx((np.log(law[place]) - plain).std(ddof=1) / 50**0.5, rel=1e-12)


def test_bounds_of_ln_z_are_those_of_likelihoods():
    ln_z = LogPartition(5.0, 0.3, 4.0, 7.0, 20.0)
    machine, alone, _, gain = rows_of(static._likelihood(TRUE, ROWS, ln_z))
    values = -TRUE.free_energy(ROWS) - 5.0
    assert machine["mean"] == pytest.approx(values.mean(), abs=1e-12)
    assert machine["stderr"] == pytest.approx(np.hypot(values.std(ddof=1) / 500**0.5, 0.3), rel=1e-12)
    for one in (machine, gain):
        assert (one["lower"] - one["mean"], one["upper"] - one["mean"]) == pytest.approx((-2, 1), abs=1e-12)
    assert alone["lower"] == alone["mean"] == alone["upper"]


def test_units_that_never_change_add_nothing_to_the_likelihood():
    rows = np.array([[1, -1, 1], [1, -1, -1], [1, -1, 1], [1, -1, 1]], dtype=np.int8)
    wanted = np.log([0.75, 0.25, 0.75, 0.75])
    np.testing.assert_allclose(static.independent_log_likelihood(rows), wanted, rtol=0, atol=1e-15)


def test_a_machine_worse_than_independent_units_is_told():
    biased = RBM(np.zeros((8, 2)), np.full(8, 1.0))  # of data without any
    audit = run(QUICK, biased, ROWS, rng=2)
    (said,) = [line for line in audit.lines() if "likelihood" in line]
    assert said.startswith("! likelihood: worse than independent units by ")
    assert {"likelihood", "drift"} <= bewares(audit)
    assert "mixing" not in bewares(audit)


def test_chains_that_stay_where_they_began_are_told():
    stuck = RBM.uniform(12, 8, 1.0)  # two states, all up and all down, with walls of dozens between them
    rows = np.repeat([[1], [-1]], [300, 200], axis=0) * np.ones((1, 12), dtype=np.int8)
    audit = run(QUICK, stuck, rows, rng=3)
    assert {"memory", "mixing"} <= bewares(audit)
    text = "\n".join(audit.lines())
    assert "! memory: chains begun in data remember where they began after 200 sweeps (memory 1" in text
    assert "chains have not come to agree in 200 sweeps" in text


def test_without_data_what_needs_them_is_left_out(of_true):
    audit = run(QUICK, TRUE, rng=1)
    assert {"likelihood", "drift", "moments"} == of_true.tables.keys() - audit.tables.keys()
    assert [line for line in audit.lines() if "needs data" in line] == [
        "  likelihood: needs data",
        "  drift: needs data",
    ]
    assert not bewares(audit)


def test_chains_of_pairs_forget_at_the_rate_of_a_pair():
    # v_i and h_i alone with each other: a sweep keeps λ = tanh² w of v_i, and m along chains has ρ(t) = λ^t
    units, w = 40, np.arctanh(0.8**0.5)
    asked = Parameters(n_chains=200, n_sweeps=1000)
    found = chains.chains(asked, RBM(w * np.eye(units)), None, np.random.default_rng(9), 1)
    along = rows_of(found["chains"])
    assert [one["sweeps"] for one in along[:4]] == [0, 1, 2, 3]
    for one in along:  # 4 errors of each of 24: a false alarm in 700 seeds
        assert abs(one["memory"] - 0.8 ** one["sweeps"]) <= 4 * one["memory_stderr"] + 1e-12
        assert one["memory_stderr"] < 2 / (200 * units) ** 0.5
    (m,) = [one for one in rows_of(found["mixing"]) if one["quantity"] == "magnetization"]
    seen = 0.8**5  # from one measurement to the next
    assert abs(m["tau"] - 5 * (0.5 + seen / (1 - seen))) < 4 * m["tau_stderr"]
    assert (m["sweeps"], m["agree"]) == (1000, True)


def test_starts_of_fixed_points_are_rows_and_random():
    starts = static._starts(TRUE, ROWS, 16, np.random.default_rng(1))
    known = {tuple(row) for row in ROWS.tolist()}
    assert [tuple(row) in known for row in starts[:8].tolist()] == [True] * 8
    assert np.isin(starts[8::2], (-1, 1)).all()
    assert (np.abs(starts[9::2]) < 1).all()


def test_findings_by_their_tables(of_true):
    def said(**changes):
        tables = copy.deepcopy(of_true.tables)
        del tables["findings"]
        for place, value in changes.items():
            name, column = place.split("__")
            tables[name].columns[column][-1] = value
        return rows_of(findings(tables))

    assert not any(one["beware"] for one in said())
    few = said(mixing__n_effective=20.0)[-1]
    assert (few["beware"], few["finding"].endswith("; only 20 effective samples")) == (True, True)
    never = said(mixing__tau=None)[-1]
    assert (never["beware"], never["finding"]) == (True, "leading mode never changes")
    far = [one for one in said(drift__deviation=-5.2) if one["beware"]]
    assert [one["finding"][-16:] for one in far] == [", 5 errors apart"]
    assert not any(one["beware"] for one in said(drift__deviation=3.9))
    apart = [one for one in said(moments__chance=1e-9, moments__difference=1.0) if one["beware"]]
    assert apart[0]["finding"].startswith("covariances of pairs differ by 1, ")
    assert not any(one["beware"] for one in said(moments__chance=1e-9, moments__difference=1e-4))


def test_when_memory_falls_is_the_first_time():
    columns = {"begun_in": ["data"] * 4, "sweeps": [0, 1, 7, 50], "memory": [1.0, 0.5, 0.3, 0.01]}
    columns["memory_stderr"] = [0.0, 0.01, 0.01, 0.01]
    ((beware, text),) = SUBJECTS["memory"]({"chains": Table("", columns)})
    assert not beware
    assert text.endswith(
        "have forgotten where they began after 50 sweeps (memory 0.010 ± 0.010, below 1/e after 7)"
    )


def test_memory_by_a_loop_over_pairs():
    rng = np.random.default_rng(4)
    now, start = random_spins(rng, 7, 5), random_spins(rng, 7, 5)

    def apart(states):
        return [
            states[k] @ start[k] - np.mean([states[k] @ start[j] for j in range(7) if j != k])
            for k in range(7)
        ]

    wanted = np.array(apart(now.astype(int))) / np.mean(apart(start.astype(int)))
    np.testing.assert_allclose(chains.memory(now, start), wanted, rtol=0, atol=1e-13)
    assert chains.memory(start, start).mean() == pytest.approx(1, abs=1e-14)
    assert np.isnan(chains.memory(now, np.ones_like(now))).all()  # one start for all


def test_couplings_are_those_of_the_integral():
    model = random_machine(6, 4, seed=5)
    found = rows_of(static.couplings(model, np.random.default_rng(1))["couplings"])
    assert [one["order"] for one in found] == [1] * 6 + [2] * 15 + [3] * 20
    for one in found:
        units = [int(unit) for unit in one["units"].split()]
        assert one["coupling"] == pytest.approx(effective_coupling(model, units), abs=1e-14)
    for order in (1, 2, 3):
        sizes = [abs(one["coupling"]) for one in found if one["order"] == order]
        assert sizes == sorted(sizes, reverse=True)


def test_orders_summed_and_sampled(monkeypatch):
    model = random_machine(9, 5, seed=6, scale=0.6)
    exact = rows_of(static.couplings(model, np.random.default_rng(1))["orders"])
    log_p = -model.free_energy(all_states(9))
    assert sum(one["sum_of_squares"] for one in exact) == pytest.approx(log_p.var(), rel=1e-12)
    monkeypatch.setattr(static, "MAX_EXACT", 0)
    sampled = rows_of(static.couplings(model, np.random.default_rng(2))["orders"])
    for one, other in zip(exact[:2], sampled[:2], strict=True):
        assert other["sum_of_squares"] == pytest.approx(one["sum_of_squares"], rel=1e-12)
    # within 4 errors: of a normal estimate a false alarm in 16,000 seeds
    above = sum(one["sum_of_squares"] for one in exact[2:])
    assert abs(sampled[2]["sum_of_squares"] - above) < 4 * sampled[2]["stderr"]
    assert abs(sampled[1]["share"] - exact[1]["share"]) < 4 * sampled[1]["share_stderr"]


def test_fixed_points_of_equal_weights():
    found = rows_of(
        static.mean_field(QUICK, RBM.uniform(8, 4, 0.3063), None, np.random.default_rng(1))["fixed_points"]
    )
    point = flow.uniform_fixed_points(0.3063, 8, 4).magnetization[-1]
    assert [one["stable"] for one in found] == [True, True, False]
    assert sorted(one["magnetization"] for one in found) == pytest.approx([-point, 0, point], abs=1e-9)
    assert found[0]["free_energy"] == pytest.approx(found[1]["free_energy"], abs=1e-12)
    assert found[2]["free_energy"] == pytest.approx(-12 * np.log(2), abs=1e-12)


def test_moments_by_plain_formulas():
    spins = random_spins(np.random.default_rng(7), 50, 5)
    groups = moments.grouped_moments(spins)
    means, pairs = moments.means_of_units(groups), moments.covariances_of_pairs(groups)
    assert (means.shape, pairs.shape) == ((16, 5), (16, 10))
    parts, centre = np.array_split(spins, 16), means.mean(axis=0)
    for part, mean, pair in zip(parts, means, pairs, strict=True):
        np.testing.assert_allclose(mean, part.mean(axis=0), rtol=0, atol=1e-15)
        products = [
            ((part - centre)[:, i] * (part - centre)[:, k]).mean() for i in range(5) for k in range(i + 1, 5)
        ]
        np.testing.assert_allclose(pair, products, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("together", "least"), [(True, 0.02), (False, 0.0)])
def test_the_chance_of_a_difference_is_one(together, least):
    # groups of one normal law, whose 30 moments move together or each alone: chances below 0.05 come in a
    # twentieth of 1000 cases, 4 standard errors of which are 0.03; in less where many move alone
    rng = np.random.default_rng(8)
    shape = (16, 1) if together else (16, 30)
    sets = [[rng.normal(size=shape) * np.ones(30) for _ in range(2)] for _ in range(1000)]
    chances = np.array([moments.compare(*pair)[2] for pair in sets])
    assert least < (chances < 0.05).mean() < 0.08
    one, other = sets[0]
    difference, noise, chance = moments.compare(one, other)
    error = (
        one.mean(axis=0) - other.mean(axis=0),
        one.var(axis=0, ddof=1) / 16 + other.var(axis=0, ddof=1) / 16,
    )
    assert difference == pytest.approx(np.sqrt(np.mean(error[0] ** 2)), rel=1e-12)
    assert noise == pytest.approx(np.sqrt(np.mean(error[1])), rel=1e-12)
    if together:  # Fisher's law of a squared difference and of 15 degrees of freedom
        assert chance == pytest.approx(stats.f.sf((difference / noise) ** 2, 1, 15), rel=1e-10)
    assert moments.compare(one, other + 5)[2] < 1e-6
    assert moments.compare(one * 0, one * 0) == (0.0, 0.0, 1.0)
    assert moments.compare(one * 0, one * 0 + 1) == (1.0, 0.0, 0.0)


def test_moments_of_a_known_law():
    ring = Ring(30)
    watched = chains.Watched([], None, None, None, {}, moments.grouped_moments(ring.sample(0.3, 6000, rng=2)))
    means, pairs = rows_of(chains._moments(ring.sample(0.3, 4000, rng=1), watched))
    assert min(means["chance"], pairs["chance"]) > 1e-4
    correlations = np.tanh(0.3) ** np.minimum(np.arange(1, 30), 30 - np.arange(1, 30))
    # 435 estimates of an error of 1/√4000, whose squares add to those of the correlations
    wanted = (correlations**2).mean() + 1 / 4000
    assert pairs["of_rows"] == pytest.approx(np.sqrt(wanted), rel=0.1)
    other = chains.Watched([], None, None, None, {}, moments.grouped_moments(ring.sample(0.4, 6000, rng=2)))
    assert rows_of(chains._moments(ring.sample(0.3, 4000, rng=1), other))[1]["chance"] < 1e-6


def test_sizes_beyond_what_is_computed_are_told(monkeypatch):
    monkeypatch.setattr(static, "MAX_WORK", 10)
    monkeypatch.setattr(static, "MAX_PAIR_WORK", 10)
    audit = run(QUICK, TRUE, rng=1)
    text = "\n".join(audit.lines())
    assert "fixed points: not searched, the machine is too large" in text
    assert "effective couplings: not computed" in text
    monkeypatch.undo()
    assert "not computed" in "\n".join(run(QUICK, RBM.uniform(2, 1, 1e7), rng=1).lines())
    none = run(QUICK, RBM(np.zeros((3, 2))), ROWS[:, :3], rng=1)
    assert "there are no interactions" in "\n".join(none.lines())


def test_doubt_of_ln_z_is_handed_on(of_true):
    tables = dict(of_true.tables)
    del tables["findings"]
    tables["log_partition"].columns["doubt"][0], tables["log_partition"].columns["stderr"][0] = (
        "it is off",
        0.5,
    )
    said = findings(tables).columns
    assert said["beware"][:2] == [True, True]
    assert "do not rely on it: it is off" in said["finding"][0]
    assert "do not rely on it, as ln Z is doubted" in said["finding"][1]
    tables["log_partition"].columns["doubt"][0], tables["log_partition"].columns["stderr"][0] = "", 0.0


def test_threads_change_nothing():
    found = [run(QUICK, TRUE, ROWS, rng=3, n_threads=n).tables for n in (1, 2)]
    assert json.dumps(found[0], default=vars) == json.dumps(found[1], default=vars)


@pytest.mark.skipif(not DRAWN, reason="figures are an extra")
def test_the_figure_is_whole(of_true):
    from matplotlib.figure import Figure

    from tests.experiments.cropped import cut_texts

    few = run(QUICK, RBM.uniform(2, 1, 1e7), rng=1)
    for audit in (of_true, run(QUICK, TRUE, rng=1), few):
        figure = draw_audit(audit)[0].get_figure()
        assert not cut_texts(figure)
        assert all(panel.get_title() for panel in figure.get_axes())
        given = Figure().subplots(2, 3).ravel()
        assert list(draw_audit(audit, given)) == list(given)


def test_the_page_says_what_was_found_and_runs_nothing(of_true):
    text = report.of(of_true, {}, provenance({}, 1))
    assert text.count('<tr class="fine">') == len(of_true.lines())
    crafted = Audit(QUICK, "<script>", of_true.tables)
    assert "<script" not in report.of(crafted, {"audit": b"<script>"}, provenance({}, 1))
    assert isinstance(report.markup("{}", "a"), Html)


def test_files_of_strangers(of_true, tmp_path):
    of_true.save(tmp_path / "a.json")
    whole = unseal((tmp_path / "a.json").read_bytes())
    for where in (
        ("parameters",),
        ("machine",),
        ("tables",),
        ("tables", "findings"),
        ("parameters", "n_chains"),
    ):
        for new in WRONG:
            other = changed(whole, where, new)
            if other is None or (where == ("machine",) and isinstance(new, str)):
                continue
            with pytest.raises(ValueError, match="its content: not an audit of a machine"):
                Audit.load(json.dumps(other).encode())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Parameters(n_chains=3), ValueError, "n_chains=3: at least 4"),
        (lambda: Parameters(n_sweeps=9), ValueError, "n_sweeps=9: at least 10"),
        (lambda: Parameters(n_temperatures=1.5), TypeError, "n_temperatures=1.5"),
        (lambda: Parameters(n_starts=0), ValueError, "n_starts=0"),
        (lambda: run(QUICK, "machine", rng=1), TypeError, "model='machine'"),
        (lambda: run(QUICK, TRUE, ROWS[:1], rng=1), ValueError, r"rows has shape \(1, 8\)"),
        (lambda: run(QUICK, TRUE, ROWS[0], rng=1), ValueError, r"rows has shape \(8,\)"),
        (lambda: run(QUICK, TRUE, (ROWS + 1) // 2, rng=1), ValueError, "rows holds 0"),
        (lambda: run(QUICK, TRUE, ROWS[:, :4], rng=1), ValueError, "must have 8 sites"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
