"""W(K) against independent reference values, the literal equation, its limits and direct minimisation."""

import json
from math import comb
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from rbmflow import Ring, kl_uniform, trained_weight, weight
from rbmflow.weight import equation, solve
from rbmflow.weight.exact import _binomials
from tests.exact import literal_sides, private, relative, ring_states

# source: see the note in the file
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "weights.json").read_text())["weights"]
IDS = [f"M{row['n_visible']}-N{row['n_hidden']}-K{row['K']}" for row in REFERENCE]


@pytest.mark.parametrize("row", REFERENCE, ids=IDS)
def test_float64_against_the_reference(row):
    value = trained_weight(float(row["K"]), row["n_visible"], row["n_hidden"])
    assert value == pytest.approx(float(row["W"]), rel=4e-15, abs=0)


@pytest.mark.parametrize("row", REFERENCE, ids=IDS)
def test_forty_digits_against_the_reference(row):
    value = trained_weight(row["K"], row["n_visible"], row["n_hidden"], dps=40)
    assert mpmath.nstr(value, 40, strip_zeros=False) == row["W"].ljust(
        len(mpmath.nstr(value, 40, strip_zeros=False)), "0"
    )


GRID_SIZES = [(3, 1), (4, 7), (5, 2), (8, 4), (8, 1), (9, 30), (16, 8), (33, 5), (64, 1), (64, 128)]


@pytest.mark.parametrize(("M", "N"), GRID_SIZES)
def test_every_coupling_from_very_weak_to_very_strong(M, N):
    couplings = np.logspace(-12, 4, 60)
    exact = [float(W) for W in trained_weight(couplings, M, N, dps=40)]
    np.testing.assert_allclose(trained_weight(couplings, M, N), exact, rtol=1e-14)


@pytest.mark.parametrize(("M", "N"), [(3, 1), (5, 2), (8, 4), (7, 9), (10, 3)])
@pytest.mark.parametrize("K", ["0.01", "0.6", "2.5"])
def test_root_of_the_literal_equation(M, N, K):
    # eq. 69 over the 2^M states against eq. 73 over the 2^N hidden states, 60 digits
    ctx = private(60)
    W = ctx.convert(trained_weight(K, M, N, dps=50))
    for factor, sign in ((1 - ctx.mpf(10) ** -45, 1), (1 + ctx.mpf(10) ** -45, -1)):
        f, g = literal_sides(ctx, W * factor, ctx.mpf(K), M, N)
        assert ctx.sign(g - f) == sign


@pytest.mark.parametrize(("M", "N", "K"), [(8, 4, 1.0), (7, 4, 0.3), (16, 8, 1.5)])
def test_minimum_of_the_divergence(M, N, K):
    # a minimum is located to about the square root of the rounding of KL, 1e-15 M / W² curvature
    found = minimize_scalar(
        lambda W: kl_uniform(W, K, M, N), bounds=(1e-3, 2.0), method="bounded", options={"xatol": 1e-9}
    )
    assert found.x == pytest.approx(trained_weight(K, M, N), rel=1e-6, abs=0)


def test_zero_without_ferromagnetic_coupling_and_infinite_at_zero_temperature():
    for M in (3, 8, 500):
        np.testing.assert_array_equal(
            trained_weight([-np.inf, -1.0, -0.0, 0.0, np.inf], M, 4), [0, 0, 0, 0, np.inf]
        )
    assert trained_weight("-0.5", 8, 4, dps=30) == 0
    assert trained_weight("inf", 8, 4, dps=30) == mpmath.inf


@pytest.mark.parametrize(("M", "N"), [(8, 4), (7, 3), (64, 32), (300, 20)])
def test_monotone_in_the_coupling(M, N):
    weights = trained_weight(np.logspace(-3, 3, 60), M, N)
    assert (np.diff(weights) > 0).all()


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (9, 2), (33, 70)])
def test_small_coupling_law(M, N):
    for exponent in (3, 6, 9, 12, 100):
        ratio = trained_weight(10.0**-exponent, M, N) ** 2 * N * (M - 1) / 2 * 10.0**exponent
        assert ratio == pytest.approx(1, abs=3 * M * 10.0**-exponent + 1e-14)
    ctx = private(40)
    tiny = ctx.convert(trained_weight("1e-400", 8, 4, dps=30))
    assert relative(ctx, tiny**2, ctx.mpf("1e-400") / 14) < 1e-28


@pytest.mark.parametrize(("M", "N"), [(8, 4), (9, 4), (20, 3)])
def test_strong_coupling_law(M, N):
    shift = 0.5 * np.log((M**2 - M % 2) / 8)
    for K in (60.0, 1e4, 1e6):
        assert trained_weight(K, M, N) == pytest.approx((2 * K - shift) / N, rel=1e-13, abs=0)
    huge = trained_weight("1e30", 8, 4, dps=40)
    ctx = private(60)
    assert relative(ctx, huge, (2 * ctx.mpf(10) ** 30 - ctx.log(8) / 2) / 4) < 1e-39


@pytest.mark.parametrize("K", ["0.3", "2", "9"])
def test_three_spins_obey_their_own_law(K):
    # s^N [(1 + s)/(1 + s³)]^N = x exactly for M = 3
    ctx = private(60)
    for N in (1, 4):
        s = ctx.exp(-2 * ctx.convert(trained_weight(K, 3, N, dps=50)))
        assert relative(ctx, (s * (1 + s) / (1 + s**3)) ** N, ctx.exp(-4 * ctx.mpf(K))) < 1e-48


def test_large_rings_at_fixed_ratio():
    # M N W² → 1 − e^(−2K) with a correction of order 1/M
    K = np.array([0.1, 0.5, 1.0])
    for M in (1000, 10_000):
        gain = M * M // 2 * trained_weight(K, M, M // 2) ** 2
        np.testing.assert_allclose(gain, -np.expm1(-2 * K), atol=30 / M)


@pytest.mark.parametrize(("M", "N", "K"), [(257, 100, 0.5), (300, 1, 1.0), (400, 600, 2.5), (1001, 10, 4.0)])
def test_rings_beyond_the_kernel(M, N, K):
    exact = trained_weight(K, M, N, dps=20)
    assert trained_weight(K, M, N) == pytest.approx(float(exact), rel=1e-12, abs=0)


def test_rings_beyond_the_kernel_at_extreme_couplings():
    K = np.array([5e-324, 1e-300, 1e-41, 1e-39, 1e29, 1e31, 1e300])
    weights = trained_weight(K, 300, 7)
    assert (np.diff(weights) > 0).all()
    np.testing.assert_allclose(weights[1:4], np.sqrt(2 * K[1:4] / (7 * 299)), rtol=1e-14)
    np.testing.assert_allclose(weights[4:], 2 * K[4:] / 7, rtol=1e-14)


@pytest.mark.parametrize(("M", "N"), [(3, 1), (4, 2), (5, 50), (64, 3)])
def test_beyond_the_switch_the_limiting_laws_are_the_root(monkeypatch, M, N):
    at_a_limit, dps = solve._at_a_limit, 20
    switched = []
    for K in [str(N * k) for k in (26, 50, 60, 80)] + [f"1e-{k}" for k in (30, 50, 60, 80)]:
        monkeypatch.setattr(
            solve, "_at_a_limit", lambda *of: switched.append(at_a_limit(*of)) or switched[-1]
        )
        found = trained_weight(K, M, N, dps=dps)
        monkeypatch.setattr(solve, "_at_a_limit", lambda *_: False)
        assert found == trained_weight(K, M, N, dps=dps)
    assert True in switched
    assert False in switched


def test_couplings_of_a_million_places_take_no_time(monkeypatch):
    monkeypatch.setattr(solve, "exact_root", None)  # which would take minutes
    with mpmath.workdps(30):
        strong = trained_weight("1e1000000", 8, 4, dps=20)
        assert abs(strong / (mpmath.mpf("1e1000000") / 2) - 1) < 1e-20
        weak = trained_weight("1e-1000000", 8, 4, dps=20)
        assert abs(weak**2 * 14 / mpmath.mpf("1e-1000000") - 1) < 1e-19


def test_arrays_keep_their_shape():
    K = np.linspace(0, 2, 12).reshape(3, 4)
    weights = trained_weight(K[:, ::2], 8, 4)
    assert weights.shape == (3, 2)
    assert weights[1, 1] == trained_weight(K[1, 2], 8, 4)
    assert trained_weight([], 8, 4).shape == (0,)
    assert isinstance(trained_weight(1, 8, 4), float)


def test_parts_of_an_array_do_not_change_it(monkeypatch):
    couplings = np.linspace(-1, 5, 1000)
    wanted = trained_weight(couplings, 8, 4)
    monkeypatch.setattr(solve, "AT_ONCE", 8 * 37)
    np.testing.assert_array_equal(trained_weight(couplings, 8, 4), wanted)


def test_sides_of_the_equation():
    ctx = private(60)
    for M, N, W, K in ((8, 4, "0.3", "1"), (7, 3, "1.5", "-0.4"), (5, 5, "0.01", "0.2")):
        f, g = literal_sides(ctx, ctx.mpf(W), ctx.mpf(K), M, N)
        assert relative(ctx, weight.f(W, M, N, dps=50), f) < 1e-48
        assert relative(ctx, weight.g(W, K, M, dps=50), g) < 1e-48
        assert float(weight.f(float(W), M, N)) == pytest.approx(float(f), rel=1e-13, abs=0)
        assert float(weight.g(float(W), float(K), M)) == pytest.approx(float(g), rel=1e-13, abs=0)
        assert weight.f(-float(W), M, N) == -weight.f(float(W), M, N)
        assert weight.g(-float(W), float(K), M) == -weight.g(float(W), float(K), M)


@pytest.mark.parametrize("dps", [None, 30])
def test_limits_of_the_sides(dps):
    inf = float("inf")
    assert float(weight.f(inf, 8, 4, dps=dps)) == 8
    assert float(weight.f(0, 8, 4, dps=dps)) == 0
    assert float(weight.g(0.3, inf, 8, dps=dps)) == pytest.approx(8 * np.tanh(2.4), rel=1e-15, abs=0)
    assert float(weight.g(0.3, -inf, 8, dps=dps)) == 0
    assert float(weight.g(0.3, -inf, 7, dps=dps)) == pytest.approx(np.tanh(0.3), rel=1e-15, abs=0)
    if dps is None:
        mean_modulus = (
            Ring(8).magnetization_law(1.0).probabilities * abs(Ring(8).magnetization_law(1.0).values)
        ).sum()
        assert weight.g(inf, 1.0, 8) == pytest.approx(mean_modulus, rel=1e-15, abs=0)


def test_divergence_is_the_sum_over_all_states():
    _, alpha, V = ring_states(8)
    for W, K in ((0.3, 1.0), (0.0, 0.5), (1.0, -0.7), (0.2, 3.0)):
        q = np.exp(K * alpha)
        q /= q.sum()
        p = np.cosh(W * V) ** 4
        p /= p.sum()
        assert kl_uniform(W, K, 8, 4) == pytest.approx((q * np.log(q / p)).sum(), abs=1e-13)
    assert kl_uniform(0.3, 1, 8, 4) == kl_uniform(-0.3, 1, 8, 4)


@pytest.mark.parametrize("M", [8, 9])
@pytest.mark.parametrize("K", [1e-60, 1e-12, 1e-3, 1.0, 9.0, 80.0, -1e-4, -30.0])
def test_small_divergences_keep_their_digits(M, K):
    # the plain sum over states in digits enough: KL is of order K² and e^(−4K)
    ctx = private(400)
    _, alpha, V = ring_states(M)
    weight = float(trained_weight(K, M, 4)) or 1e-3
    for W in (weight, 1.5 * weight, 0.4):
        classes, counts = np.unique(np.stack([alpha, V]), axis=1, return_counts=True)
        q = [n * ctx.exp(ctx.mpf(K) * a) for n, a in zip(counts.tolist(), classes[0].tolist(), strict=True)]
        p = [
            n * ctx.cosh(ctx.mpf(W) * v) ** 4
            for n, v in zip(counts.tolist(), classes[1].tolist(), strict=True)
        ]
        q, p = [x / sum(q) for x in q], [x / sum(p) for x in p]
        wanted = sum(a * ctx.log(a / b) for a, b in zip(q, p, strict=True))
        # ln p/q of order 1 is left of terms of order K
        assert kl_uniform(W, K, M, 4) == pytest.approx(float(wanted), rel=2e-15 * max(M, abs(4 * K)), abs=0)
        assert relative(ctx, kl_uniform(W, K, M, 4, dps=25), wanted) < 1e-24


def test_divergence_of_long_rings_and_of_overflowing_weights():
    assert kl_uniform(0.3, 1.0, 256, 4) / 256 == pytest.approx(
        kl_uniform(0.3, 1.0, 257, 4) / 257, rel=1e-2, abs=0
    )
    by_entropy = equation._kl_by_entropy(np.array([0.3]), np.array([1.0]), 256, 4)[0]
    assert kl_uniform(0.3, 1.0, 256, 4) == pytest.approx(by_entropy, rel=1e-13, abs=0)
    assert kl_uniform(1e300, 1.0, 8, 10**9) == np.inf  # a number beyond the doubles
    assert kl_uniform([], [], 8, 4).shape == kl_uniform([], [], 300, 4).shape == (0,)


@pytest.mark.parametrize("M", [8, 300])
def test_aligned_laws_of_both_kinds_are_one(M):
    inf = np.inf
    assert kl_uniform(inf, inf, M, 4) == 0
    assert kl_uniform(inf, -inf, M, 4) == inf
    assert kl_uniform(0.3, -1e300, M, 4) == pytest.approx(kl_uniform(0.3, -inf, M, 4), rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("W", "K", "M", "N"), [(2.0, 0.01, 64, 64), (30.0, -1.0, 9, 300), (0.5, 0.0, 100, 1000)]
)
def test_divergences_whose_exponentials_leave_the_doubles(W, K, M, N):
    wanted = float(kl_uniform(W, K, M, N, dps=20))
    assert wanted > 7000
    assert kl_uniform(W, K, M, N) == pytest.approx(wanted, rel=1e-14, abs=0)


def test_divergence_at_the_ends():
    inf = np.inf
    assert kl_uniform(inf, 1.0, 8, 4) == inf
    assert kl_uniform(0.0, 0.0, 8, 4) == pytest.approx(0, abs=1e-14)
    assert kl_uniform(0.0, inf, 9, 4) == pytest.approx(8 * np.log(2), rel=1e-14, abs=0)
    assert kl_uniform(0.0, -inf, 9, 4) == pytest.approx(9 * np.log(2) - np.log(18), rel=1e-14, abs=0)
    # independently computed by enumeration
    assert kl_uniform(trained_weight(1, 8, 4), 1, 8, 4) == pytest.approx(0.577930474430534, rel=1e-14, abs=0)
    assert np.isfinite(kl_uniform(0.1, np.logspace(-6, 6, 30), 8, 4)).all()


def test_binomials_of_long_rings_are_those_of_short_ones_rounded():
    ctx = private(20)
    for n in (0, 1, 2, 7, 64, 500, 3001):
        for k, found in enumerate(_binomials(ctx, n)):
            assert abs(found / comb(n, k) - 1) < 4 * ctx.eps
        assert k == n // 2
