"""dW/dK and the curvature of KL against differences in many digits."""

import mpmath
import numpy as np
import pytest

from rbmflow import kl_uniform, trained_weight
from rbmflow.weight import kl_curvature, kl_curvature_at_zero, kl_trained, trained_weight_derivative
from tests.exact import private, relative, ring_states

SIZES = [(3, 1), (8, 4), (7, 30), (20, 2)]


@pytest.mark.parametrize(("M", "N"), SIZES)
@pytest.mark.parametrize("K", ["0.01", "0.7", "3"])
def test_derivative_of_the_weight(M, N, K):
    ctx = private(80)
    h = ctx.mpf(10) ** -20
    low, high = (ctx.convert(trained_weight(ctx.mpf(K) + shift, M, N, dps=70)) for shift in (-h, h))
    # a central difference errs by h² times the third derivative, relative to the first of order h²/K²
    assert relative(ctx, trained_weight_derivative(K, M, N, dps=50), (high - low) / (2 * h)) < 1e-33


@pytest.mark.parametrize(("M", "N"), SIZES)
@pytest.mark.parametrize("K", ["0.01", "0.7", "3"])
def test_curvature_of_the_divergence(M, N, K):
    ctx = private(120)
    h = ctx.mpf(10) ** -25

    def divergence(W):
        return ctx.convert(kl_uniform(W, K, M, N, dps=110))

    W = ctx.convert(trained_weight(K, M, N, dps=110))
    at_root = (divergence(W + h) + divergence(W - h) - 2 * divergence(W)) / h**2
    assert relative(ctx, kl_curvature(K, M, N, dps=50), at_root) < 1e-40
    at_zero = (2 * divergence(h) - 2 * divergence(ctx.zero)) / h**2
    assert relative(ctx, kl_curvature_at_zero(K, M, N, dps=50), at_zero) < 1e-40
    assert abs(divergence(W + h) - divergence(W - h)) < ctx.mpf(10) ** -70  # the root is stationary


@pytest.mark.parametrize(("M", "N"), [*SIZES, (64, 32), (100, 64)])
def test_float64_against_digits(M, N):
    # at the switch between the two forms, K = 1.3 at M = 64, what cancellation is left is 5e-14
    K = np.concatenate([np.logspace(-12, 1.5, 25), [1.29, 1.31]])
    for function in (trained_weight_derivative, kl_curvature, kl_curvature_at_zero):
        exact = [float(x) for x in function(K, M, N, dps=20)]
        np.testing.assert_allclose(function(K, M, N), exact, rtol=2e-13)


@pytest.mark.slow
def test_float64_against_digits_on_long_rings():
    K = np.array([1e-6, 0.1, 0.5, 1.0, 2.0, 3.0, 6.0])
    for function in (trained_weight_derivative, kl_curvature, kl_curvature_at_zero):
        exact = [float(x) for x in function(K, 1000, 300, dps=20)]
        np.testing.assert_allclose(function(K, 1000, 300), exact, rtol=5e-12)


def test_ends():
    inf = np.inf
    np.testing.assert_array_equal(trained_weight_derivative([-1.0, 0.0, inf], 8, 4), [0, inf, 0.5])
    assert trained_weight_derivative("inf", 8, 4, dps=20) == 0.5
    assert trained_weight_derivative("0", 8, 4, dps=20) == inf
    assert trained_weight_derivative(1e-300, 8, 4) == pytest.approx(
        1 / np.sqrt(2e-300 * 28), rel=1e-12, abs=0
    )
    assert kl_curvature(inf, 8, 4) == 0
    assert kl_curvature(0.0, 8, 4) == 0
    assert kl_curvature(-0.5, 8, 4) == kl_curvature_at_zero(-0.5, 8, 4) > 0
    assert float(kl_curvature("-0.5", 8, 4, dps=20)) == pytest.approx(
        kl_curvature(-0.5, 8, 4), rel=1e-14, abs=0
    )
    assert kl_curvature_at_zero(inf, 8, 4) == -4 * (64 - 8)
    assert float(kl_curvature_at_zero("-inf", 9, 4, dps=20)) == 4 * (9 - 1)
    assert kl_curvature_at_zero(["-1000", "1000"], 9, 4, dps=20).tolist() == [32, -288]
    exact = trained_weight_derivative("1e-300", 3, 1, dps=20)
    assert float(exact) == pytest.approx(trained_weight_derivative(1e-300, 3, 1), rel=1e-14, abs=0)
    # near K = 0 the divergence is a quartic: its minimum is twice as stiff as its maximum
    assert kl_curvature(1e-30, 8, 4) == pytest.approx(
        -2 * kl_curvature_at_zero(1e-30, 8, 4), rel=1e-12, abs=0
    )
    assert kl_curvature(1e-60, 8, 4) == pytest.approx(
        -2 * kl_curvature_at_zero(1e-60, 8, 4), rel=1e-12, abs=0
    )


def test_divergence_along_the_weight():
    _, alpha, V = ring_states(8)
    for K in (0.3, 1.0, 2.0):
        W = trained_weight(K, 8, 4)
        q, p = np.exp(K * alpha), np.cosh(W * V) ** 4
        q, p = q / q.sum(), p / p.sum()
        assert kl_trained(K, 8, 4) == pytest.approx((q * np.log(q / p)).sum(), rel=1e-12, abs=0)
        assert float(kl_trained(K, 8, 4, dps=30)) == pytest.approx(
            float(kl_trained(K, 8, 4)), rel=1e-13, abs=0
        )
    assert kl_trained(0.0, 8, 4) == pytest.approx(0, abs=1e-14)
    assert kl_trained("0", 8, 4, dps=20) == 0
    assert kl_trained("inf", 8, 4, dps=20) == 0
    assert float(kl_trained("-0.5", 8, 4, dps=20)) == pytest.approx(
        kl_uniform(0.0, -0.5, 8, 4), rel=1e-13, abs=0
    )
    # KL is of order K² for weak coupling and K e^(−4K) (1 + O(1/K)) for strong: digits are earned, not lost
    ratio = kl_trained("1e-300", 8, 4, dps=15) / kl_trained("1e-200", 8, 4, dps=15)
    assert abs(ratio * 10**200 - 1) < 1e-12
    ratio = kl_trained("400", 8, 4, dps=15) / kl_trained("300", 8, 4, dps=15)
    assert abs(ratio * mpmath.exp(400) - mpmath.mpf(4) / 3) < 0.01
    ratio = kl_trained("2e6", 8, 4, dps=15) / kl_trained("1e6", 8, 4, dps=15)
    assert abs(ratio * mpmath.exp(4 * 10**6) - 2) < 0.01
    with pytest.raises(ValueError, match="up to"):
        kl_trained("1e6", 300, 4, dps=15)
    with pytest.raises(ValueError, match="K is infinite"):
        kl_uniform(0.5, "inf", 8, 4, dps=20)
