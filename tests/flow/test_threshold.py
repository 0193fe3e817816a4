"""The threshold of the flow: its value, its laws, and the same for ranges of temperature and for any law."""

import mpmath
import numpy as np
import pytest

from rbmflow import (
    Law,
    Ring,
    critical_coupling,
    critical_weight,
    flow,
    trained_weight,
    trained_weight_mixture,
)
from rbmflow.flow import (
    critical_coupling_law,
    critical_coupling_limit,
    critical_hidden,
    critical_parameter,
    critical_temperature,
    flow_after_training,
    orders,
    training_sets,
)
from rbmflow.ising.law import magnetizations
from rbmflow.weight import TemperatureRange, TemperatureSet
from tests.exact import private


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (100, 64), (256, 3), (257, 3), (1000, 2000)])
def test_the_weight_at_the_threshold(M, N):
    assert trained_weight(critical_coupling(M, N), M, N) == pytest.approx(
        critical_weight(M, N), rel=1e-13, abs=0
    )


def test_the_value_for_the_thesis_sizes():
    # computed independently to 2e-15, and to 40 digits by the literal sum over 2^8 states
    assert critical_coupling(8, 4) == pytest.approx(0.4441996123158305, abs=1e-14)
    exact = critical_coupling(8, 4, dps=40)
    assert mpmath.nstr(exact, 40) == "0.4441996123158300903787671262913574830917"


@pytest.mark.slow
@pytest.mark.parametrize(("M", "N"), [(300, 150), (1000, 1), (2000, 4000)])
def test_float64_against_digits(M, N):
    exact = float(critical_coupling(M, N, dps=20))
    assert critical_coupling(M, N) == pytest.approx(exact, rel=1e-13, abs=0)


@pytest.mark.parametrize("ratio", [0.5, 1, 2])
def test_the_law_of_long_rings_and_its_correction(ratio):
    sizes = [2**k for k in range(6, 19)]
    K_c = np.array([critical_coupling(M, int(ratio * M)) for M in sizes])
    for order in (0, 1):
        law = np.array([critical_coupling_law(M, int(ratio * M), order=order) for M in sizes])
        slopes = np.diff(np.log2(np.abs(K_c - law)))
        # the error falls as M^(−1/2), with the correction as 1/M, both with relative corrections of
        # order M^(−1/2)
        predicted = -(order + 1) / 2
        assert abs(slopes[-1] - predicted) < 0.01
        np.testing.assert_allclose(slopes, predicted, atol=0.15)
    # the coefficient of the correction, seen by Richardson's extrapolation of √M (K_c − law)
    plain = np.array([critical_coupling_law(M, int(ratio * M), order=0) for M in sizes])
    corrected = np.array([critical_coupling_law(M, int(ratio * M), order=1) for M in sizes])
    seen = np.sqrt(sizes) * (K_c - plain)
    # steps of two: errors of order M^(−1/2) cancel
    extrapolated = (np.sqrt(4) * seen[2:] - seen[:-2]) / (np.sqrt(4) - 1)
    assert extrapolated[-1] == pytest.approx(
        np.sqrt(sizes[-1]) * (corrected[-1] - plain[-1]), rel=2e-3, abs=0
    )


def test_the_laws_of_the_threshold_in_sixty_digits():
    ctx = private(70)
    sizes = [2**k for k in range(5, 11)]
    K_c = [ctx.convert(critical_coupling(M, M, dps=60)) for M in sizes]
    for order in (0, 1):
        law = [ctx.convert(critical_coupling_law(M, M, order=order, dps=60)) for M in sizes]
        errors = [float(abs(a - b)) for a, b in zip(K_c, law, strict=True)]
        # the next term is of relative order M^(−1/2), with a coefficient near 1 here; so is the slope's error
        deviation = np.abs(np.diff(np.log2(errors)) + (order + 1) / 2)
        assert (deviation < 1 / np.sqrt(sizes[:-1])).all()
        assert (np.diff(deviation) < 0).all()


def test_a_million_spins():
    M = 10**6
    K_c = critical_coupling(M, M // 2)
    assert trained_weight(K_c, M, M // 2) == pytest.approx(critical_weight(M, M // 2), rel=1e-13, abs=0)
    assert K_c == pytest.approx(critical_coupling_law(M, M // 2), abs=2 / M)


def test_fixed_numbers_of_hidden_units():
    # printed digits computed independently
    for N, text in ((1, "0.3790"), (2, "0.4838"), (4, "0.602"), (16, "0.871")):
        limit = critical_coupling_limit(N)
        assert f"{limit:.{len(text) - 2}f}" == text
        gaps = [M * (critical_coupling(M, N) - limit) for M in (2**12, 2**14, 2**16)]
        np.testing.assert_allclose(gaps, gaps[-1], rtol=0.01)  # an error of order 1/M
    ctx = private(30)
    assert abs(ctx.convert(critical_coupling_limit(3, dps=25)) - ctx.mpf(critical_coupling_limit(3))) < 1e-15


def test_laws_with_digits():
    ctx = private(40)
    for order in (0, 1):
        exact = ctx.convert(critical_coupling_law(1000, 300, order=order, dps=30))
        assert abs(exact - critical_coupling_law(1000, 300, order=order)) < 1e-15
    # ¼ ln M + ½ ln[√12 Γ(3/4)/Γ(1/4) (1 + M/N)^(−1/2)]
    wanted = (
        ctx.log(1000) / 4
        + ctx.log(ctx.sqrt(12 / (1 + ctx.mpf(10) / 3)) * ctx.gamma(0.75) / ctx.gamma(0.25)) / 2
    )
    assert abs(ctx.convert(critical_coupling_law(1000, 300, order=0, dps=30)) - wanted) < 1e-29


@pytest.mark.parametrize(("M", "N"), [(3, 2), (8, 4), (100, 50), (1000, 500)])
@pytest.mark.parametrize("low", [0.0, 0.2])
def test_thresholds_of_ranges(M, N, low):
    high = critical_temperature(M, N, T_low=low)
    assert high > 1 / critical_coupling(M, N) > low
    assert trained_weight_mixture(low, high, M, N) == pytest.approx(critical_weight(M, N), rel=1e-12, abs=0)
    assert trained_weight_mixture(low, 0.99 * high, M, N) > critical_weight(M, N)
    assert trained_weight_mixture(low, 1.01 * high, M, N) < critical_weight(M, N)


@pytest.mark.parametrize(("M", "N", "low"), [(2000, 20, 0.0), (3000, 3000, 0.25), (20, 10**9, 0.01)])
def test_the_integral_over_temperatures_is_the_mean_law(M, N, low):
    high = critical_temperature(M, N, T_low=low)
    # the law of a mixture is averaged as a vector there, one number at each temperature here
    weight = trained_weight_mixture(low, high, M, N)
    assert weight == pytest.approx(critical_weight(M, N), rel=1e-12, abs=0)


@pytest.mark.slow
def test_thresholds_of_ranges_with_digits():
    exact = critical_temperature(8, 4, dps=25)
    assert float(exact) == pytest.approx(critical_temperature(8, 4), rel=1e-13, abs=0)
    weight = trained_weight_mixture("0", exact, 8, 4, dps=22)
    assert abs(weight - 1 / mpmath.sqrt(32)) < 1e-15
    ctx = private(40)
    assert abs(ctx.convert(weight) - 1 / ctx.sqrt(32)) < 1e-21


def test_including_the_critical_point_is_another_flow():
    # with T = 0 the highest temperature grows with M, like √M/ln M, without it falls
    sizes = (64, 256, 1024, 4096)
    with_zero = [critical_temperature(M, M // 2) for M in sizes]
    without = [critical_temperature(M, M // 2, T_low=0.25) for M in sizes]
    assert (np.diff(with_zero) > 0).all()
    assert (np.diff(without) < 0).all()
    with pytest.raises(ValueError, match=r"T_low=0\.6: below 1/K_c"):
        critical_temperature(4096, 2048, T_low=0.6)


def test_training_sets_are_what_their_names_say():
    for name, temperatures in training_sets().items():
        if isinstance(temperatures, TemperatureRange):
            assert name == f"T in [{temperatures.T_low:g}, {temperatures.T_high:g}]"
        else:
            levels = [f"{T:g}" for T in temperatures.temperatures]
            assert name == f"T = {levels[0]}, {levels[1]}, …, {levels[-1]}"


def test_flow_after_training():
    for M, N in ((8, 4), (100, 64)):
        for name, temperatures in training_sets().items():
            found = flow_after_training(temperatures, M, N)
            assert found.includes_zero == ("T = 0," in name or "[0," in name)
            assert found.orders == (found.trained.gain > 1) == (found.magnetization > 0)
            fixed = flow.uniform_map(found.magnetization, found.trained.weight, M, N)
            assert fixed == pytest.approx(found.magnetization, abs=1e-12)
    aligned = flow_after_training(TemperatureSet([0]), 8, 4)
    assert (aligned.magnetization, aligned.orders, aligned.trained.weight) == (1, True, np.inf)
    hot = flow_after_training(TemperatureRange(50, 60), 8, 4)
    assert (hot.magnetization, hot.orders) == (0, False)


def test_any_law():
    for K, N in ((0.4, 4), (0.5, 4), (0.7, 30), (0.1, 1)):
        law = Ring(8).magnetization_law(K)
        assert orders(law, N) == (trained_weight(K, 8, N) > critical_weight(8, N))
        largest = critical_hidden(law)
        if 0 < largest < 10**9:
            assert orders(law, largest)
            assert trained_weight(K, 8, largest) > critical_weight(8, largest)
            assert not orders(law, largest + 1)
    assert critical_hidden(Ring(8).magnetization_law(0.1)) == 0
    assert critical_hidden(Ring(8).magnetization_law(-1.0)) == 0
    assert critical_hidden(Ring(8).magnetization_law(np.inf)) == 10**9
    assert orders(Ring(8).magnetization_law([[0.1, 0.5], [1.0, -1.0]]), 4).tolist() == [
        [False, True],
        [True, False],
    ]


def test_families_of_laws():
    ring = Ring(12)
    found = critical_parameter(ring.magnetization_law, 5, 0.05, 3.0)
    assert found == pytest.approx(critical_coupling(12, 5), rel=1e-13, abs=0)
    assert critical_parameter(ring.magnetization_law, 5, 1e-300, 1e308) == pytest.approx(
        found, rel=1e-14, abs=0
    )
    steps = [
        lambda t, up=up: ring.magnetization_law(0.01 if (t < 0.3) == up else 1.0) for up in (True, False)
    ]
    for low, high in ((-1e308, 1e308), (1e308, -1e308), (-1.0, 1.0)):  # laws that jump, over all doubles
        for step in steps:
            assert critical_parameter(step, 5, low, high) == pytest.approx(0.3, rel=1e-14, abs=0)
    by_temperature = critical_parameter(lambda T: ring.magnetization_law(1 / T), 5, 0.4, 20.0)
    assert by_temperature == pytest.approx(1 / found, rel=1e-13, abs=0)


FLAT = Law(magnetizations(8), np.full(9, 1 / 9))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: critical_coupling_law(8, 4, order=2), ValueError, "order=2"),
        (lambda: critical_coupling_law(2, 4), ValueError, "n_visible=2"),
        (lambda: critical_coupling_limit(0), ValueError, "n_hidden=0"),
        (lambda: critical_coupling_limit(4, dps=0), ValueError, "dps=0"),
        (lambda: critical_temperature(8, 4, T_low=3.0), ValueError, "T_low=3.0"),
        (lambda: critical_temperature(8, 4, T_low=-1), ValueError, "T_low=-1"),
        (lambda: critical_temperature(8, 4, T_low=np.nan), ValueError, "NaN"),
        (lambda: critical_temperature(8, 4, dps=1.5), TypeError, "dps=1.5"),
        (lambda: critical_temperature(10**7, 4), ValueError, "n_visible=10000000"),
        (lambda: orders("law", 4), TypeError, "law='law'"),
        (lambda: orders(FLAT, 0), ValueError, "n_hidden=0"),
        (lambda: critical_hidden(Ring(8).magnetization_law([0.1, 0.2])), ValueError, "one is needed"),
        (lambda: critical_hidden(3), TypeError, "law=3"),
        (lambda: critical_parameter(3, 4, 0.1, 1), TypeError, "law_at=3"),
        (lambda: critical_parameter(lambda t: t, 4, 0.1, 1), TypeError, "law=0.1"),
        (lambda: critical_parameter(Ring(8).magnetization_law, 4, 0.5, 1), ValueError, "orders at both"),
        (lambda: critical_parameter(Ring(8).magnetization_law, 4, 0.1, np.inf), ValueError, "high=inf"),
        (
            lambda: critical_parameter(Ring(8).magnetization_law, 4, 0.1, 0.2),
            ValueError,
            "goes to m = 0 at both",
        ),
        (lambda: flow_after_training("T", 8, 4), TypeError, "temperatures='T'"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
