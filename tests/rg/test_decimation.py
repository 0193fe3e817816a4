"""Decimation keeps the partition function, in float64 and to 50 digits, with and without a field."""

import mpmath
import numpy as np
import pytest

from rbmflow import Ring, rg
from tests.exact import private, relative, ring_states


@pytest.mark.parametrize("b", [2, 3, 4, 6])
@pytest.mark.parametrize("K", [-5.0, -0.7, -1e-3, 0.0, 1e-3, 0.4, 1.0, 4.0, 50.0])
def test_the_partition_function_stays(K, b):
    if K < 0 and b % 2:
        return  # an odd factor turns a ring of 12 into one of 4: K' < 0 as well, tested below on even rings
    new = rg.decimate(K, 0.3, scale_factor=b)
    before = Ring(24).log_partition(K) + 24 * 0.3
    after = Ring(24 // b).log_partition(new.K) + 24 // b * new.K0
    assert after == pytest.approx(before, rel=4e-15, abs=0)


@pytest.mark.parametrize(("K", "b"), [("-1.3", 2), ("0.7", 2), ("0.7", 3), ("-0.7", 3), ("-2", 4), ("25", 5)])
def test_the_partition_function_stays_to_fifty_digits(K, b):
    n = 60 if b != 5 else 30
    new = rg.decimate(K, "0.125", scale_factor=b, dps=60)
    ctx = private(80)
    before = ctx.convert(Ring(n).log_partition(K, dps=60)) + n * ctx.mpf("0.125")
    after = ctx.convert(Ring(n // b).log_partition(new.K, dps=60)) + n // b * ctx.convert(new.K0)
    assert relative(ctx, after, before) < 1e-50


def test_the_law_of_the_remaining_spins_is_that_of_the_decimated_ring():
    states, alpha, _ = ring_states(12)
    weights = np.exp(-0.8 * alpha)
    kept = states[:, ::3]
    index = ((kept + 1) // 2) @ (1 << np.arange(4))
    marginal = np.bincount(index, weights, minlength=16) / weights.sum()
    new = rg.decimate(-0.8, scale_factor=3).K
    small, small_alpha, _ = ring_states(4)
    law = np.exp(new * small_alpha)
    law /= law.sum()
    np.testing.assert_allclose(law, marginal[((small + 1) // 2) @ (1 << np.arange(4))], rtol=1e-12)


@pytest.mark.parametrize("b", [2, 3, 7])
def test_tanh_rule_over_the_whole_range(b):
    ctx = private(120)  # tanh 40 is 35 digits from 1
    for text in ("-3", "-0.2", "-1e-5", "1e-5", "0.2", "0.5", "0.9", "3", "12", "40"):
        K = ctx.mpf(float(text))
        wanted = ctx.atanh(ctx.tanh(K) ** b)
        assert relative(ctx, float(rg.decimate(float(text), scale_factor=b).K), wanted) < 4e-15, text
        assert (
            relative(
                ctx, rg.decimate(text, scale_factor=b, dps=40).K, ctx.atanh(ctx.tanh(ctx.mpf(text)) ** b)
            )
            < 1e-39
        )


def test_strong_coupling_loses_half_a_logarithm():
    new = rg.decimate([1e6, -1e6, np.inf, -np.inf], scale_factor=4)
    np.testing.assert_allclose(new.K[:2], 1e6 - np.log(4) / 2, rtol=1e-15)
    assert new.K[2:].tolist() == [np.inf, np.inf]
    assert np.isfinite(new.K0[:2]).all()
    assert (-np.inf, mpmath.inf) == (rg.decimate(-np.inf, scale_factor=3).K, rg.decimate("inf", dps=20).K)


def field_log_partition(K, h, K0, n):
    _, alpha, V = ring_states(n)
    exponent = K * alpha + h * V
    return np.log(np.exp(exponent - exponent.max()).sum()) + exponent.max() + n * K0


@pytest.mark.parametrize("b", [2, 3, 4])
@pytest.mark.parametrize(
    ("K", "h"), [(1.0, 0.1), (-0.6, 0.4), (0.0, -0.7), (0.3, 0.0), (2.0, -2.0), (1e-9, 0.5), (-3.0, 0.2)]
)
def test_the_partition_function_in_a_field_stays(K, h, b):
    new = rg.decimate_in_field(K, h, 0.2, scale_factor=b)
    if 12 // b < 3:
        return
    before, after = field_log_partition(K, h, 0.2, 12), field_log_partition(new.K, new.h, new.K0, 12 // b)
    assert after == pytest.approx(before, rel=4e-15, abs=0)


def test_the_partition_function_in_a_field_stays_to_fifty_digits():
    ctx = private(80)

    def log_partition(K, h, K0, n):
        root = ctx.sqrt(ctx.exp(2 * K) * ctx.sinh(h) ** 2 + ctx.exp(-2 * K))
        centre = ctx.exp(K) * ctx.cosh(h)
        return ctx.log((centre + root) ** n + (centre - root) ** n) + n * K0

    for K, h, b in (("1", "0.1", 2), ("-0.4", "0.3", 3), ("0.2", "-1", 4)):
        new = rg.decimate_in_field(K, h, "0.5", scale_factor=b, dps=60)
        before = log_partition(ctx.mpf(K), ctx.mpf(h), ctx.mpf("0.5"), 24)
        after = log_partition(*(ctx.convert(x) for x in (new.K, new.h, new.K0)), 24 // b)
        assert relative(ctx, after, before) < 1e-50


def test_without_field_both_forms_agree():
    K = np.array([-400.0, -2.0, -1e-6, 0.0, 1e-6, 0.3, 2.0, 400.0])
    for b in (2, 3):
        plain, general = rg.decimate(K, scale_factor=b), rg.decimate_in_field(K, 0.0, scale_factor=b)
        np.testing.assert_allclose(general.K, plain.K, rtol=1e-13, atol=1e-300)
        np.testing.assert_allclose(general.K0, plain.K0, rtol=1e-14)
        np.testing.assert_array_equal(general.h, 0)


def test_the_flow_ends_at_the_stable_fixed_point():
    flow = rg.decimation_flow([0.5, 3.0, 20.0], 80)
    assert flow.shape == (81, 3)
    assert (np.diff(flow, axis=0) <= 0).all()
    assert (flow[-1] < 1e-12).all()
    np.testing.assert_array_equal(rg.decimation_flow([0.0, np.inf], 3)[-1], [0.0, np.inf])


@pytest.mark.parametrize("b", [2, 3])
def test_fixed_points_and_their_multipliers(b):
    zero, infinite = rg.decimation_fixed_points(b)
    assert (zero.K, zero.stable, infinite.K, infinite.stable) == (0, True, np.inf, False)
    assert float(rg.decimate(1e-4, scale_factor=b).K) / 1e-4 == pytest.approx(zero.multiplier, abs=1e-3)
    K = 10.0
    growth = np.exp(-2 * (rg.decimate(K, scale_factor=b).K - K))
    assert growth == pytest.approx(infinite.multiplier, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rg.decimate("1"), TypeError, "K='1'"),
        (lambda: rg.decimate(np.nan), ValueError, "NaN"),
        (lambda: rg.decimate(1.0, np.inf), ValueError, "K0 holds an infinity"),
        (lambda: rg.decimate(1.0, scale_factor=1), ValueError, "scale_factor=1"),
        (lambda: rg.decimate(1.0, scale_factor=2.0), TypeError, "scale_factor=2.0"),
        (lambda: rg.decimate("x", dps=20), TypeError, "K='x'"),
        (lambda: rg.decimate(1, "inf", dps=20), ValueError, "K0 holds an infinity"),
        (lambda: rg.decimate(1, dps=0), ValueError, "dps=0"),
        (lambda: rg.decimate_in_field(np.inf, 0.0), ValueError, "K holds an infinity"),
        (lambda: rg.decimate_in_field(1.0, "h"), TypeError, "h='h'"),
        (lambda: rg.decimate_in_field("inf", 0, dps=20), ValueError, "K holds an infinity"),
        (lambda: rg.decimation_flow(1.0, -1), ValueError, "n_steps=-1"),
        (lambda: rg.decimation_fixed_points(0), ValueError, "scale_factor=0"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
