"""Flows in noise: the line by four routes, exact overlaps against sampled ones, the verdict."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow import Ring, Torus
from rbmflow.experiments.denoising import Parameters, run
from rbmflow.experiments.denoising.experiment import _enumerated, _sampled
from rbmflow.experiments.denoising.line import flip_on_torus, line
from rbmflow.experiments.denoising.machines import decimating_weights, flows, local_weights, orbit
from rbmflow.experiments.denoising.result import gains
from rbmflow.ising import state_law
from rbmflow.networks import RBM, kl_divergence
from rbmflow.roots import bracketed_root
from rbmflow.sampling import training_set
from rbmflow.sampling.denoising import posterior_table

ALONE = {"rates_of_line": (0.1,), "largest_trained": 0}
SMALL = Parameters(16, (4,), (0.4, 1.5), (0.6,), (0.05, 0.3), n_rings=300, n_steps=4, **ALONE)


@pytest.fixture(scope="module")
def found():
    return run(SMALL, rng=3)


def test_the_line_by_formula_by_its_root_and_by_exact_posteriors_at_ten_rates():
    columns = line(np.array(Parameters().rates_of_line)).columns
    assert len(columns["K_star"]) == 10
    for route in ("K_of_messages", "K_ring_of_64"):
        np.testing.assert_allclose(columns[route], columns["K_star"], rtol=0, atol=1e-9)
    # wider tori come down to their limit from above, far below the ring's line
    assert (np.diff([columns[f"K_torus_{side}"] for side in (4, 6, 8)], axis=0) < 0).all()
    assert np.array(columns["K_torus_4"]).max() < 0.5 * max(columns["K_star"])


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_the_line_of_a_torus_is_where_an_enumerated_posterior_flips(rate):
    K, lonely = flip_on_torus(rate, 4), 2**16 - 2  # all up but site 0
    below, above = (
        posterior_table(Torus(4, 4), K * factor, rate)[1][lonely, 0] for factor in (1 - 1e-6, 1 + 1e-6)
    )
    assert below < 0 < above


@pytest.mark.parametrize("side", [4, 6])
def test_at_weak_fields_the_line_of_a_torus_is_where_the_susceptibility_is_two(side):
    root = bracketed_root(lambda K: float(Torus(side, side).susceptibility(K)) - 2, 0.05, 0.4)
    # b is of order 1e-6 there, and enters squared
    assert flip_on_torus(0.499999, side) == pytest.approx(root, abs=1e-10)


@pytest.mark.parametrize("lattice", [Ring(8), Torus(4, 4), Torus(2, 4)], ids=str)
def test_sparse_machines_are_those_of_the_package(lattice):
    weights = decimating_weights(lattice, 0.4, 2.0)
    dense = RBM.decimating(lattice, 0.4, 2.0)
    np.testing.assert_allclose(weights.toarray(), dense.weights, rtol=1e-15)
    exact = RBM(local_weights(lattice, 0.4).toarray())  # of the Walsh transform rounding is left, squared
    assert kl_divergence(state_law(lattice, 0.4), exact) < 1e-25
    rows = np.where(np.random.default_rng(1).random((5, lattice.n_sites)) < 0.5, -1, 1).astype(np.int8)
    for a, b in zip(orbit(weights, rows, 3), orbit(dense, rows, 3), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)
    uniform = RBM.uniform(lattice.n_sites, lattice.n_sites, 0.3)
    for a, b in zip(orbit(0.3, rows, 3), orbit(uniform, rows, 3), strict=True):
        np.testing.assert_allclose(np.repeat(a, lattice.n_sites, axis=1), b, rtol=0, atol=1e-13)


def test_sampled_overlaps_are_those_of_the_sum_over_everything():
    torus, K, rate = Torus(4, 4), 0.4, 0.15
    clean = training_set(torus, [1 / K], 8000, rng=1).spins[0]
    asked = Parameters(n_steps=3, largest_trained=16, n_epochs=2)
    machines = flows(asked, torus, K, clean[:2000], np.random.default_rng(2))
    assert set(machines) == {"uniform", "local", "decimating", "trained"}
    given = (asked, torus, K, rate, machines, clean[2000:], np.random.default_rng(3))
    sampled, exact = _sampled(*given).reshape(-1, 4), _enumerated(*given).reshape(-1, 4)
    pulls = (sampled[:, 0] - exact[:, 0]) / sampled[:, 1]
    assert np.abs(pulls).max() < 4.5  # 15 numbers: a false alarm in 10^4
    gains_of = (sampled[1:, 2] - exact[1:, 2]) / sampled[1:, 3]
    assert np.abs(gains_of[2:]).max() < 4.5
    assert (exact[0, 0], exact[:, 0].max()) == (pytest.approx(0.7, rel=1e-12), exact[1, 0])


def test_no_machine_is_better_than_the_best(found):
    assert len(found.rows) == 6
    for row in found.rows:
        for name in ("uniform", "local", "decimating"):
            # on average no guess is better than the best: with 300 rings three errors of the difference
            allowed = 3 * (row[f"{name}_gain_stderr"] + row["best_gain_stderr"]) + 1e-12
            assert row[name] < row["best"] + allowed
            assert row[f"{name}_last"] <= row[name]
        assert row["trained"] is None
        # what it expects of itself: 300 rings whose overlaps spread by 0.25 at most; sums agree to rounding
        assert abs(row["best"] - row["expected"]) < (0.06 if "ring" in row["lattice"] else 1e-12)


def test_noise_is_taken_out_where_it_can_be_and_by_whom(found):
    rows = {(row["lattice"], row["K"], row["error_rate"]): row for row in found.rows}
    weak = rows["ring of 16", 0.4, 0.05]  # K* = 0.762: nothing to gain, and every flow harms
    assert not gains(weak, "best")
    assert weak["best"] == weak["noisy"] > weak["local"] > weak["uniform"]
    strong = rows["ring of 16", 1.5, 0.05]
    assert gains(strong, "local")
    assert strong["best"] - strong["local"] < 0.1 * (strong["best"] - strong["noisy"])
    assert not gains(strong, "uniform")
    ordered = rows["torus of 4 x 4", 0.6, 0.3]  # there one sign is nearly all
    assert gains(ordered, "uniform")
    assert "of the local machine in" in found.verdict()
    assert len(found.lines()) == 6
    assert "nothing to gain" in found.lines()[0]


def test_where_nothing_can_be_gained_it_says_so():
    nothing = run(Parameters(8, (), (0.2,), (), (0.05,), n_rings=10, n_steps=1, **ALONE), rng=1)
    assert nothing.verdict().startswith("noise can be taken out in no case")


def test_neither_the_executor_nor_its_order_matters():
    tiny = Parameters(8, (), (0.4, 1.0, 1.5), (), (0.1,), n_rings=10, n_steps=2, **ALONE)
    alone = run(tiny, rng=3)
    with ThreadPoolExecutor(2) as pool:
        assert run(tiny, rng=3, executor=pool).equals(alone)
    assert not run(tiny, rng=4).equals(alone)


def test_figures(found, tmp_path):
    pytest.importorskip("matplotlib", reason="figures are an extra")
    from matplotlib.figure import Figure

    from rbmflow.experiments.denoising import draw_denoising, draw_flows, draw_line

    panels = draw_denoising(found)
    assert [panel.get_title() for panel in panels[1:]] == ["Ring of 16, K = 1.5", "Torus of 4 × 4, K = 0.6"]
    assert len(panels[1].get_lines()) == 2 * (1 + 3)  # at two error rates the best and three machines
    panels[0].get_figure().savefig(tmp_path / "drawn.png", dpi=30)
    given = Figure().subplots(1, 2)
    assert list(draw_flows(found, given)) == list(given)
    assert draw_line(found).get_legend().get_texts()[0].get_text().startswith("ring")


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"n_sites": 7}, ValueError, "n_sites=7: an even number"),
        ({"sides": (5,)}, ValueError, r"sides=\(5,\): even numbers"),
        ({"ring_couplings": (0.0,)}, ValueError, "ring_couplings"),
        ({"torus_couplings": (np.inf,)}, ValueError, "torus_couplings"),
        ({"error_rates": (0.7,)}, ValueError, "error_rates"),
        ({"rates_of_line": (0.1, 0.5)}, ValueError, "rates_of_line.*below 0.5"),
        ({"error_rates": ()}, ValueError, "error_rates"),
        ({"n_rings": 1}, ValueError, "n_rings=1"),
        ({"n_steps": 0}, ValueError, "n_steps=0"),
        ({"copy_weight": np.inf}, ValueError, "copy_weight"),
        ({"n_chains": 1.5}, TypeError, "n_chains"),
    ],
)
def test_bad_parameters(keywords, error, message):
    with pytest.raises(error, match=message):
        Parameters(**keywords)
