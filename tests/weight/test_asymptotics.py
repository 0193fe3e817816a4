"""Every expansion against the solution at 60 or more digits: the error falls at the predicted order."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from rbmflow import trained_weight
from rbmflow.weight.asymptotics import (
    long_ring_gain,
    strong_coupling_series,
    weak_coupling_coefficients,
    weak_coupling_weight,
)
from tests.exact import private, relative

SIZES = [
    (3, 1),
    (3, 3),
    (4, 1),
    (4, 2),
    (4, 3),
    (5, 2),
    (6, 3),
    (7, 1),
    (8, 1),
    (8, 2),
    (8, 4),
    (9, 20),
    (20, 9),
]


def observed_orders(ctx, steps, errors):
    """Slopes of ln error against the logarithm of the small parameter, between neighbours."""
    return [
        float(ctx.log(a / b) / ctx.log(s / t))
        for a, b, s, t in zip(errors, errors[1:], steps, steps[1:], strict=False)
    ]


@pytest.mark.parametrize(("M", "N"), SIZES)
@pytest.mark.parametrize("order", [0, 1, 2, 3, 6])
def test_weak_coupling_error_falls_as_the_next_power(M, N, order):
    ctx = private(100)
    steps = [ctx.mpf(10) ** -k for k in range(3, 10)]
    exact = trained_weight(steps, M, N, dps=90)
    series = weak_coupling_weight(steps, M, N, order=order, dps=90)
    errors = [relative(ctx, a, b) for a, b in zip(series, exact, strict=True)]
    following = next(k for k in range(order + 1, 12) if weak_coupling_coefficients(M, N, 12)[k - 1])
    # the correction to the leading error is of order M K
    np.testing.assert_allclose(observed_orders(ctx, steps, errors), following, atol=0.05)


def closed_coefficients(M, N):
    """Found by interpolation in M and N, for rings long enough not to feel their closure."""
    first = Fraction(-(3 * M * N - 6 * M - 9 * N + 8), 3 * N * (M - 1))
    second = 15 * M**2 * N**2 - 60 * M**2 - 30 * M * N**2 - 150 * M * N + 420 * M + 45 * N**2 + 450 * N - 584
    third = (
        105 * M**3 * N**3 - 210 * M**3 * N**2 + 2520 * M**3 * N - 6720 * M**3 - 525 * M**2 * N**3
        + 5320 * M**2 * N**2 - 42840 * M**2 * N + 72800 * M**2 + 1995 * M * N**3 - 32690 * M * N**2
        + 185472 * M * N - 237664 * M - 4095 * N**3 + 37380 * N**2 - 238896 * N + 237952
    )  # fmt: skip
    return first, Fraction(2 * second, 45 * (N * (M - 1)) ** 2), Fraction(-third, 315 * (N * (M - 1)) ** 3)


@pytest.mark.parametrize(("M", "N"), [(5, 1), (8, 4), (13, 40), (100, 64), (1000, 3), (10**6, 10**6)])
def test_weak_coupling_coefficients_as_functions_of_the_sizes(M, N):
    assert weak_coupling_coefficients(M, N, 3) == closed_coefficients(M, N)


def test_the_closure_of_the_ring_enters_at_its_length_less_one():
    for M in (3, 4):
        pairs = zip(weak_coupling_coefficients(M, 2, 3), closed_coefficients(M, 2), strict=True)
        assert [a != b for a, b in pairs].index(True) == M - 2


def test_weak_coupling_in_float64():
    K = np.array([[1e-9, 1e-5], [1e-3, 0.01]])
    np.testing.assert_allclose(weak_coupling_weight(K, 8, 4, order=8), trained_weight(K, 8, 4), rtol=1e-14)
    assert weak_coupling_weight([-1.0, 0.0], 8, 4).tolist() == [0, 0]
    assert isinstance(weak_coupling_weight(1e-3, 8, 4), float)
    assert weak_coupling_weight(1e300, 8, 4) == 0  # c₃ < 0: far outside its range
    assert np.isfinite(weak_coupling_weight(1e308, 8, 4, order=2))
    for dps in (None, 20):
        with pytest.raises(ValueError, match="finite couplings"):
            weak_coupling_weight(np.inf, 8, 4, dps=dps)


@pytest.mark.parametrize(("M", "N"), SIZES)
@pytest.mark.parametrize("order", [1, 2, 5, 12])
def test_strong_coupling_error_falls_as_the_next_power(M, N, order):
    ctx = private(140)
    series, longer = strong_coupling_series(M, N, order), strong_coupling_series(M, N, order + 6)
    following = next(j for j in range(order, order + 6) if longer.coefficients[j])
    # X from radius/40 down: corrections of the leading error are below 1/10, and fall
    start = (series.log_amplitude - N * np.log(series.radius / 40)) / 4
    couplings = [ctx.mpf(start + N * k / 4) for k in range(7)]
    steps = [ctx.exp(-4 * K / N) for K in couplings]
    exact = map(ctx.convert, trained_weight(couplings, M, N, dps=130))
    found = map(ctx.convert, series.weight(couplings, dps=130))
    errors = [abs(a - b) for a, b in zip(found, exact, strict=True)]
    orders = observed_orders(ctx, steps, errors)
    assert abs(orders[-1] - following) < 0.02
    np.testing.assert_allclose(orders, following, atol=0.3)


@pytest.mark.parametrize(
    ("M", "N", "known"),
    [
        # leading corrections by hand: 16/(M² N) s², 8/((M² − 1) N) s, and the small cases
        (8, 4, {2: 0, 3: Fraction(1, 16)}),
        (20, 9, {2: 0, 3: Fraction(16, 400 * 9)}),
        (7, 4, {2: Fraction(8, 48 * 4)}),
        (9, 2, {2: Fraction(8, 80 * 2)}),
        (3, 5, {2: -1, 3: 2, 4: -4, 5: 9}),  # s (1 + s)/(1 + s³) = X, whatever N
        # 8 s^N (1 + s²)^N (1 + 2s²) = 16x (1 + s²) + …, hence s^N = 2x (1 − (N + 1) s² + …)
        (4, 5, {2: 0, 3: Fraction(-6, 5)}),
        (8, 1, {2: Fraction(-67, 32)}),  # 1 − 2.1 s
    ],
)
def test_strong_coupling_coefficients(M, N, known):
    coefficients = strong_coupling_series(M, N, 5).coefficients
    assert coefficients[0] == 1
    for power, value in known.items():
        assert coefficients[power - 1] == value


def test_three_spins_have_a_radius_of_one_third():
    # s (1 + s)/(1 + s³) = s/(1 − s + s²) = X has its branch points at X = 1 and −1/3
    assert strong_coupling_series(3, 7, 40).radius == pytest.approx(1 / 3, rel=0.01, abs=0)


@pytest.mark.parametrize(("M", "N"), [*SIZES, (40, 3), (101, 50), (64, 1)])
@pytest.mark.parametrize("order", [1, 4, 12, 40])
def test_the_error_estimate_of_the_series_holds(M, N, order):
    series = strong_coupling_series(M, N, order)
    ctx = private(80)
    for K in series.convergent_from + N * np.array([0.03, 0.1, 0.3, 1.0, 2.5]):
        error = abs(ctx.convert(series.weight(K, dps=70)) - ctx.convert(trained_weight(K, M, N, dps=70)))
        assert float(error) <= series.error(K) or float(error) < 1e-65


@pytest.mark.parametrize(("M", "N"), [(8, 4), (7, 1), (20, 9), (64, 32)])
def test_from_where_the_series_is_as_good_as_the_solution(M, N):
    series = strong_coupling_series(M, N, 30)
    start = series.accurate_from(3e-15)
    assert start > series.convergent_from
    K = start * np.array([1.001, 1.2, 3.0, 100.0])
    np.testing.assert_allclose(series.weight(K), trained_weight(K, M, N), rtol=6e-15)
    assert series.accurate_from(1e-6) < start


def test_the_series_of_long_rings_and_infinite_coupling():
    series = strong_coupling_series(1000, 3, 6)
    assert series.weight(30.0) == pytest.approx(trained_weight(30.0, 1000, 3), rel=1e-13, abs=0)
    assert series.weight([40.0, np.inf])[1] == np.inf
    assert series.weight("inf", dps=20) == mpmath.inf
    # a billion hidden units: the coefficients tend to those of large N
    assert strong_coupling_series(8, 10**9, 3).coefficients[2] == Fraction(16, 64 * 10**9)


def test_outside_the_range_of_convergence():
    series = strong_coupling_series(8, 4, 10)
    for K, dps in ((1.0, None), ("1", 30), ([5.0, 1.0], None)):
        with pytest.raises(ValueError, match="converges for K >"):
            series.weight(K, dps=dps)
    assert series.error(1.0) == np.inf


@pytest.mark.parametrize(
    "ratio", [1, *(pytest.param(ratio, marks=pytest.mark.slow) for ratio in (Fraction(1, 2), 3))]
)
def test_long_rings_approach_their_law_at_the_predicted_order(ratio):
    # the next term of the gain is of order 1/M², seen clean from M = 64 on at weak coupling
    ctx = private(70)
    sizes = [2**k for k in range(6, 13)]
    K = "0.1"
    exact = [
        M * int(ratio * M) * ctx.convert(trained_weight(K, M, int(ratio * M), dps=60)) ** 2 for M in sizes
    ]
    for order in (0, 1):
        law = [ctx.convert(long_ring_gain(K, M, int(ratio * M), order=order, dps=60)) for M in sizes]
        errors = [abs(a - b) for a, b in zip(exact, law, strict=True)]
        orders = observed_orders(ctx, [ctx.mpf(1) / M for M in sizes], errors)
        np.testing.assert_allclose(orders, order + 1, atol=0.1)


def test_long_rings_in_float64():
    K = np.array([0.05, 0.5, 1.0])
    gain = 10**5 * 10**5 * trained_weight(K, 10**5, 10**5) ** 2
    np.testing.assert_allclose(long_ring_gain(K, 10**5, 10**5), gain, atol=1e-7)
    assert long_ring_gain(-1.0, 100, 50) == 0
    assert long_ring_gain(0.5, 100, 50, order=0) == pytest.approx(-np.expm1(-1.0), rel=1e-15, abs=0)
