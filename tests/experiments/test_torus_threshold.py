"""The threshold of the flow on tori: exact for small ones, measured for large ones, towards T_c."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow import Estimate, Torus, critical_weight, sampling
from rbmflow.experiments.torus_threshold import Parameters, TorusThreshold, run
from rbmflow.flow.torus_threshold import measured_temperature
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.weight import f, trained_weight_from_law


def test_eight_by_eight_is_exact():
    T = run(Parameters(sides=(8,)), rng=1).temperature[0]
    assert T.mean == pytest.approx(3.352, abs=5e-4)  # theory, section 5
    assert T.stderr == 0
    # the trained weight of the exact law there is critical
    W = float(trained_weight_from_law(Torus(8, 8).magnetization_law(1 / T.mean), 64))
    assert pytest.approx(critical_weight(64, 64), rel=1e-9, abs=0) == W


def test_the_measured_threshold_is_the_exact_one():
    exact = run(Parameters(sides=(6,)), rng=1).temperature[0].mean
    found = measured_temperature(
        Torus(6, 6), 36, n_chains=512, n_measurements=400, rng=np.random.default_rng(2)
    )
    assert abs(found.deviation(exact)) < 4  # false alarm 6e-5, seed fixed
    assert found.stderr < 0.01


def test_sixteen_by_sixteen_and_other_chains():
    found = run(Parameters(sides=(16,), n_measurements=500), rng=3).temperature[0]
    assert abs(found.mean - 2.914) < 4 * found.stderr + 0.001
    W, M = critical_weight(256, 256), 256
    chains = sampling.run(
        Torus(16, 16), 1 / found.mean, n_chains=16, n_sweeps=4000, burn_in=200, rule="swendsen_wang", rng=4,
        keep_spins=False,
    )  # fmt: skip
    V = chains.magnetization * M
    order = Estimate.from_series(V * np.tanh(W * V))
    # at that temperature clusters find the machine's mean as well; slope of it by T about -5 % per 0.01
    wanted = float(f(W, M, M))
    assert abs(order.mean - wanted) < 4 * order.stderr + 5 * wanted * found.stderr


@pytest.mark.slow
def test_large_tori_and_the_law_of_finite_size():
    sides = (8, 16, 32, 64, 128)
    with ThreadPoolExecutor(2) as pool:
        found = run(Parameters(sides, n_measurements=1000), rng=5, executor=pool)
    # theory, section 5: Wolff sampling, errors in the last digit
    for T, wanted in zip(found.temperature, (3.352, 2.914, 2.670, 2.527, 2.438), strict=True):
        assert abs(T.mean - wanted) < 4 * T.stderr + 0.004
    distances = np.array(found.table.columns["above_T_c"])
    ratios = distances[1:] / distances[:-1]
    assert (np.diff(ratios) > 0).all()
    assert ratios[-1] < 2 ** (-4 / 7) + 0.005  # approached from below: .596 ... .655 against .673
    limit = found.extrapolate()
    assert abs(limit.limit - CRITICAL_TEMPERATURE) < 4 * limit.stderr
    assert limit.stderr < 0.004


def test_neither_executor_nor_other_sizes_matter():
    small = Parameters(sides=(4, 10), n_chains=64, n_measurements=100)
    seen = []
    with ThreadPoolExecutor(2) as pool:
        again = run(small, rng=7, executor=pool, progress=lambda *now: seen.append(now))
    assert repr(again.temperature) == repr(run(small, rng=7).temperature)
    assert seen[-1] == (2, 2)
    assert again.table.columns["side"] == [4, 10]


def test_the_extrapolation_finds_the_law_it_was_made_from():
    sides = (8, 16, 32, 64)
    made = tuple(
        Estimate(2.3 + 2.5 * L ** (-4 / 7) + 3 * L ** (-8 / 7), 0.001, 0.5, 10.0, np.nan) for L in sides
    )
    found = TorusThreshold(Parameters(sides), made).extrapolate()
    assert (found.limit, found.a, found.b) == pytest.approx((2.3, 2.5, 3.0), rel=1e-9, abs=0)
    with pytest.raises(ValueError, match="at least three"):
        TorusThreshold(Parameters((8, 16)), made[:2]).extrapolate()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"sides": ()}, "sides"),
        ({"sides": (3,)}, "sides=3"),
        ({"ratio": 0.0}, "ratio=0.0"),
        ({"n_chains": 2}, "n_chains=2"),
        ({"n_measurements": 5}, "n_measurements=5"),
    ],
)
def test_parameters_that_are_not_possible(bad, words):
    with pytest.raises(ValueError, match=words):
        Parameters(**bad)


def test_the_figure(tmp_path):
    pytest.importorskip("matplotlib", reason="figures are an extra")
    from rbmflow.experiments.torus_threshold import draw_torus_threshold

    made = tuple(Estimate(T, 0.001, 0.5, 10.0, np.nan) for T in (3.35, 2.91, 2.67))
    panel = draw_torus_threshold(TorusThreshold(Parameters(sides=(8, 16, 32)), made))
    panel.get_figure().savefig(tmp_path / "one.png")
    assert panel.get_title()


def test_the_limit_is_known_as_far_as_the_second_term_is():
    # temperatures of a long run, docs/theory/torus.md; limits for second terms L^(-1), L^(-8/7), L^(-11/7)
    # and L^(-12/7) by weighted least squares elsewhere: 2.279, 2.272, 2.2605, 2.258
    measured = ((3.351550, 0.0), (2.9132, 9e-4), (2.6685, 7e-4), (2.5249, 5e-4), (2.4348, 2e-4))
    made = tuple(Estimate(T, error, 0.5, 100.0, 1.0) for T, error in measured)
    found = TorusThreshold(Parameters(sides=(8, 16, 32, 64, 128)), made).extrapolate()
    assert found.limit == pytest.approx(2.272, abs=1e-3)
    assert (found.lowest, found.highest) == pytest.approx((2.258, 2.279), abs=1e-3)
    assert "2.258 to 2.279" in str(found)
