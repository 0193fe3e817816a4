"""Networks hold patterns up to a load near 0.138 of their units."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow.experiments.capacity import Capacity, Parameters, mean_field_overlap, run

SMALL = Parameters(n_units=(200, 400), loads=(0.06, 0.1, 0.13, 0.16, 0.2, 0.3), n_networks=6, n_probes=30)


@pytest.fixture(scope="module")
def capacity():
    return run(SMALL, rng=7)


def test_the_mean_field_has_its_largest_load_at_0138():
    limit, alpha, overlap = mean_field_overlap()
    assert limit == pytest.approx(
        0.1379, abs=5e-5
    )  # Amit, Gutfreund and Sompolinsky give 0.138 and m = 0.967
    assert overlap[-1] == pytest.approx(0.967, abs=5e-4)
    assert alpha[-1] == limit
    assert (np.diff(alpha) > 0).all()


def test_patterns_are_kept_below_the_transition_and_lost_above(capacity):
    for n in SMALL.n_units:
        here = capacity.of(n)
        assert (here["retained"][here["load"] <= 0.1] > 0.9).all()
        assert (here["retained"][here["load"] > 0.2] < 0.1).all()
    # small networks hold more: the half loads fall towards 0.138
    assert 0.13 < capacity.half_load(400) < capacity.half_load(200) < 0.24
    limit, alpha, overlap = mean_field_overlap()
    here = capacity.of(400)
    below = here["load"] < 0.11
    wanted = np.interp(here["load"][below], alpha, overlap)
    # exact as n → ∞; at n = 400 rare losses of a pattern lower the mean
    np.testing.assert_allclose(here["overlap"][below], wanted, atol=0.01, rtol=0)
    assert limit < 0.14


def test_neither_the_executor_nor_the_order_of_networks_matters(capacity):
    seen = []
    with ThreadPoolExecutor(2) as pool:
        again = run(SMALL, rng=7, executor=pool, progress=lambda done, total: seen.append((done, total)))
    assert again.table == capacity.table
    assert seen[-1] == (72, 72)
    assert run(SMALL, rng=8).table != capacity.table


def test_noise_costs_patterns():
    loads = {"n_units": (200,), "loads": (0.1,), "n_networks": 6, "n_probes": 20}
    clean, noisy = (
        run(Parameters(**loads, noise=noise), rng=1).of(200)["retained"][0] for noise in (0.0, 0.4)
    )
    assert clean > noisy + 0.2


def test_a_load_that_is_not_bracketed(capacity):
    assert np.isnan(run(Parameters(n_units=(50,), loads=(0.05,), n_networks=2), rng=1).half_load(50))
    assert np.isnan(capacity.half_load(999))


def test_the_figure_and_the_file(capacity, tmp_path):
    with (tmp_path / "capacity.csv").open("wb") as stream:
        capacity.save(stream)
    assert (tmp_path / "capacity.csv").read_text(encoding="utf-8").startswith("n_units,n_patterns,load")
    pytest.importorskip("matplotlib", reason="figures are an extra")
    from matplotlib.figure import Figure

    from rbmflow.experiments.capacity import draw_capacity

    axes = draw_capacity(capacity)
    axes[0].get_figure().savefig(tmp_path / "capacity.png")
    given = Figure().subplots(1, 3)
    assert list(draw_capacity(capacity, given)) == list(given)
    assert isinstance(capacity, Capacity)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"n_units": ()}, ValueError, "n_units"),
        ({"n_units": (1,)}, ValueError, "n_units=1"),
        ({"n_units": 5}, ValueError, "n_units=5"),
        ({"loads": 0.1}, ValueError, "loads=0.1"),
        ({"loads": (0.0,)}, ValueError, "loads"),
        ({"loads": (np.nan,)}, ValueError, "loads"),
        ({"n_networks": 1}, ValueError, "n_networks"),
        ({"n_probes": 0}, ValueError, "n_probes"),
        ({"noise": 0.7}, ValueError, "noise"),
        ({"threshold": 1.0}, ValueError, "threshold"),
        ({"n_units": (10.5,)}, TypeError, "n_units"),
    ],
)
def test_bad_parameters(keywords, error, message):
    with pytest.raises(error, match=message):
        Parameters(**keywords)
