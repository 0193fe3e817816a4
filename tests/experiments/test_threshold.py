"""The threshold of the flow on lattices: exact for small tori, measured elsewhere, towards T_c."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow import Estimate, Torus, critical_weight, sampling
from rbmflow.experiments import threshold, torus_threshold
from rbmflow.experiments.threshold import Parameters, Threshold, run
from rbmflow.experiments.threshold_fits import SECONDS
from rbmflow.flow.lattice_threshold import GAMMA, NU, exponent_of, measured_temperature
from rbmflow.ising import Honeycomb, Hypercubic, Triangular
from rbmflow.ising.bonds import energies
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.roots import bracketed_root
from rbmflow.spins import all_states
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
    assert "with L^(-1) to L^(-1.71)" in str(limit)
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
    found = Threshold(Parameters(sides), made).extrapolate()
    assert (found.limit, found.a, found.b) == pytest.approx((2.3, 2.5, 3.0), rel=1e-9, abs=0)
    with pytest.raises(ValueError, match="at least three"):
        Threshold(Parameters((8, 16)), made[:2]).extrapolate()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"lattice": "kagome"}, "lattice='kagome'"),
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
    from rbmflow.experiments.threshold import draw_threshold

    made = tuple(Estimate(T, 0.001, 0.5, 10.0, np.nan) for T in (3.35, 2.91, 2.67))
    panel = draw_threshold(Threshold(Parameters(sides=(8, 16, 32)), made))
    panel.get_figure().savefig(tmp_path / "one.png")
    assert panel.get_title()


def test_the_limit_is_known_as_far_as_the_second_term_is():
    # temperatures of a long run, docs/theory/torus.md; limits for second terms L^(-1), L^(-8/7), L^(-11/7)
    # and L^(-12/7) by weighted least squares elsewhere: 2.279, 2.272, 2.2605, 2.258
    measured = ((3.351550, 0.0), (2.9132, 9e-4), (2.6685, 7e-4), (2.5249, 5e-4), (2.4348, 2e-4))
    made = tuple(Estimate(T, error, 0.5, 100.0, 1.0) for T, error in measured)
    found = Threshold(Parameters(sides=(8, 16, 32, 64, 128)), made).extrapolate()
    assert found.limit == pytest.approx(2.272, abs=1e-3)
    assert (found.lowest, found.highest) == pytest.approx((2.258, 2.279), abs=1e-3)
    assert "2.258 to 2.279" in str(found)


@pytest.mark.parametrize("lattice", [Triangular(3, 4), Honeycomb(2, 3), Hypercubic((2, 2, 3))], ids=repr)
def test_measured_thresholds_are_those_of_all_states(lattice):
    # the law of V by sums over all configurations; a false alarm in 6e-5 each
    M = lattice.n_sites
    states = all_states(M)
    energy, V = energies(lattice, states) * M, states.sum(axis=1)
    W = critical_weight(M, M)
    wanted = float(f(W, M, M))

    def surplus(T):
        p = np.exp(-(energy - energy.min()) / T)
        return p @ (V * np.tanh(W * V)) / p.sum() - wanted

    exact = bracketed_root(surplus, 1.0, 20.0, absolute=1e-12)
    found = measured_temperature(lattice, M, n_chains=512, n_measurements=200, rng=np.random.default_rng(3))
    assert abs(found.deviation(exact)) < 4
    assert found.stderr < 0.005 * exact


def test_exponents_of_theory():
    # 4/7, exactly; 3/(2 · 1.237075) = 1.21254; ξ ~ L^(x ν) stays below L where d < 4 − 2η
    assert exponent_of(2) == 4 / 7
    assert exponent_of(3) == pytest.approx(1.2125, abs=5e-5)
    for dimension, eta in ((2, 0.25), (3, 0.0362978)):
        assert GAMMA[dimension] == pytest.approx(NU[dimension] * (2 - eta), rel=1e-4)
        assert exponent_of(dimension) * NU[dimension] < 1
        assert dimension < 4 - 2 * eta


def test_fits_find_the_laws_that_thresholds_were_made_from():
    asked = Parameters((6, 8, 12, 16, 24), lattice="cubic")
    x, second = asked.exponent, SECONDS[3][0]
    sides = np.array(asked.sides, dtype=float)
    T_c = asked.critical_temperature
    made = Threshold(
        asked, tuple(Estimate(T, 1e-3, 0.5, 10.0, np.nan) for T in T_c + 5 * sides**-x + 2 * sides**-second)
    )
    found = made.extrapolate()
    assert (found.limit, found.a, found.b) == pytest.approx((T_c, 5.0, 2.0), rel=1e-8)
    assert found.powers == (x, second)
    power = np.exp(-1.1 * np.log(sides) + 0.3 * sides ** (x - second))
    made = Threshold(asked, tuple(Estimate(T, 1e-3, 0.5, 10.0, np.nan) for T in T_c + 4 * power))
    fit = made.fit_exponent()
    assert (fit.value, fit.expected) == pytest.approx((1.1, x), rel=1e-8)
    assert fit.lowest <= fit.value <= fit.highest
    local = made.exponents.columns
    assert local["exponent"][0] == pytest.approx(np.log(power[0] / power[1]) / np.log(8 / 6))
    assert all("L^" in line for line in made.remarks(1, 0.0))
    below = Threshold(asked, tuple(Estimate(T_c - 0.1, 1e-3, 0.5, 10.0, np.nan) for _ in sides))
    with pytest.raises(ValueError, match="temperatures above T_c"):
        below.fit_exponent()


@pytest.mark.slow
@pytest.mark.parametrize(("lattice", "sides"), [("triangular", (8, 16, 32)), ("cubic", (6, 8, 12, 16))])
def test_thresholds_tend_to_the_critical_point(lattice, sides):
    found = run(Parameters(sides, n_measurements=1000, lattice=lattice), rng=5)
    above = np.array(found.table.columns["above_T_c"])
    assert (above > 0).all()
    assert (np.diff(above) < 0).all()
    limit = found.extrapolate()
    T_c = found.parameters.critical_temperature
    assert limit.lowest - 4 * limit.stderr < T_c < limit.highest + 4 * limit.stderr
    assert abs(found.fit_exponent().value - found.parameters.exponent) < 0.1


def test_the_sides_are_those_of_the_dimension():
    assert Parameters().sides == (8, 16, 32, 64, 128)
    assert Parameters(lattice="cubic").sides == (6, 8, 12, 16, 24)
    assert Parameters(lattice="honeycomb").hidden(4) == 32
    old = {"sides": [8, 16], "ratio": 1.0, "n_chains": 512, "n_measurements": 2000}
    assert Parameters.from_json(old) == Parameters((8, 16))  # of a version that knew tori alone


def test_former_names_still_work():
    with pytest.warns(DeprecationWarning, match="is now experiments.threshold.Threshold; version 2.0"):
        assert torus_threshold.TorusThreshold is Threshold
    with pytest.warns(DeprecationWarning, match="draw_threshold"):
        assert torus_threshold.draw_torus_threshold is threshold.draw_threshold
    with pytest.raises(AttributeError, match="nothing"):
        _ = torus_threshold.nothing
