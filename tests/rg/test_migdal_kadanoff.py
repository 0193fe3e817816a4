"""Bond moving against its formula at 120 digits, the fixed point against a bracketed root."""

import mpmath
import numpy as np
import pytest

from rbmflow import rg
from tests.exact import private, relative

CASES = [(2, 2), (2, 3), (3, 2), (3, 4), (2, 1), (5, 2)]


@pytest.mark.parametrize(("b", "d"), CASES)
def test_the_formula_over_the_whole_range(b, d):
    ctx = private(800)  # tanh(27 · 30) is 700 digits from 1
    for text in ("-3", "-0.2", "-1e-5", "0", "1e-5", "0.05", "0.2", "0.3", "0.5", "3", "12", "30"):
        for K, new in (
            (ctx.mpf(float(text)), rg.migdal_kadanoff(float(text), scale_factor=b, dimension=d)),
            (ctx.mpf(text), rg.migdal_kadanoff(text, scale_factor=b, dimension=d, dps=40)),
        ):
            wanted = ctx.atanh(ctx.tanh(b ** (d - 1) * K) ** b)
            digits = 1e-39 if isinstance(new, mpmath.mpf) else 4e-15
            assert new == wanted == 0 or relative(ctx, new, wanted) < digits, (text, digits)


def test_vectors_and_limits():
    K = np.array([[0.1, 0.3, 1e6], [-1e6, np.inf, -np.inf]])
    new = rg.migdal_kadanoff(K)
    assert new.shape == K.shape
    np.testing.assert_allclose(new[:, 0], [rg.migdal_kadanoff(0.1), 2e6 - np.log(2) / 2], rtol=1e-15)
    assert new[1, 1:].tolist() == [np.inf, np.inf]
    assert rg.migdal_kadanoff(-np.inf, scale_factor=3) == -np.inf
    assert rg.migdal_kadanoff("inf", dps=20) == mpmath.inf
    np.testing.assert_array_equal(rg.migdal_kadanoff(K, dimension=1), rg.decimate(K).K)
    assert rg.migdal_kadanoff(["0.1", "0.2"], dps=30).shape == (2,)


def bracketed_fixed_point(ctx, b, d):
    """The root of K'/K = 1 by bracketing, with artanh and tanh written out; and a difference quotient."""

    def ratio(K):
        up, down = ctx.cosh(b ** (d - 1) * K), ctx.sinh(b ** (d - 1) * K)
        return ctx.log((up**b + down**b) / (up**b - down**b)) / 2

    root = ctx.findroot(
        lambda K: ratio(K) / K - 1, (ctx.mpf("1e-12"), ctx.mpf(3)), solver="anderson", tol=ctx.mpf("1e-220")
    )
    return root, ctx.diff(ratio, root)


@pytest.mark.parametrize(("b", "d"), [(2, 2), (3, 2), (2, 3), (4, 3)])
def test_the_fixed_point_by_two_routes(b, d):
    ctx = private(120)
    K, multiplier = bracketed_fixed_point(ctx, b, d)
    point = rg.migdal_kadanoff_fixed_point(scale_factor=b, dimension=d, dps=40)
    assert relative(ctx, point.K, K) < 1e-39
    assert relative(ctx, point.multiplier, multiplier) < 1e-39
    assert relative(ctx, point.y_t, ctx.log(multiplier) / ctx.log(b)) < 1e-39
    machine = rg.migdal_kadanoff_fixed_point(scale_factor=b, dimension=d)
    assert (machine.K, machine.multiplier, machine.y_t) == tuple(
        float(x) for x in (point.K, point.multiplier, point.y_t)
    )
    # one step from the root stays there, but for the error of K, multiplied
    assert rg.migdal_kadanoff(machine.K, scale_factor=b, dimension=d) == pytest.approx(
        machine.K, rel=1e-15 * b**d, abs=0
    )


def test_the_fixed_point_of_the_square_lattice():
    # the literature has K* = 0.305 and ν = 1.338 for b = 2, d = 2
    point = rg.migdal_kadanoff_fixed_point()
    np.testing.assert_allclose([point.K, point.y_t], [0.3046889317180031, 0.747235718928908], rtol=1e-15)
    # tanh 2K = 2t/(1 + t²) with t = tanh K, so tanh² 2K = tanh K is 4t = (1 + t²)²
    t = np.tanh(point.K)
    assert (1 + t * t) ** 2 == pytest.approx(4 * t, rel=1e-15, abs=0)


@pytest.mark.parametrize(("b", "d"), [(2, 2), (1000, 2), (2, 30), (2, 499), (10**6, 4), (7, 7)])
def test_any_factor_and_dimension_have_a_fixed_point(b, d):
    point = rg.migdal_kadanoff_fixed_point(scale_factor=b, dimension=d, dps=30)
    new = rg.migdal_kadanoff(point.K, scale_factor=b, dimension=d, dps=30)
    ctx = private(60)
    assert relative(ctx, new, point.K) < 1e-29 * float(point.multiplier)
    assert 0 < point.y_t < d


def test_the_flow_leaves_the_fixed_point_both_ways():
    K = rg.migdal_kadanoff_fixed_point().K
    flow = rg.migdal_kadanoff_flow([K * (1 - 1e-6), K * (1 + 1e-6), 0.0, np.inf], 60)
    assert flow.shape == (61, 4)
    assert (np.diff(flow[:, 0]) <= 0).all()
    assert (np.diff(flow[:, 1]) >= 0).all()
    assert flow[-1, 0] < 1e-12
    assert flow[-1, 1] > 1e6
    np.testing.assert_array_equal(flow[:, 2:], np.tile([0, np.inf], (61, 1)))
    distance = flow[:8, 1] - K
    growth = rg.migdal_kadanoff_fixed_point().multiplier
    # the second order of the map adds of the order of the relative distance, 1e-6 growth^8 = 6e-5
    np.testing.assert_allclose(distance[1:] / distance[:-1], growth, rtol=2e-4)


def test_huge_couplings_overflow_to_infinity():
    assert rg.migdal_kadanoff(1.7e308) == np.inf


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rg.migdal_kadanoff("1"), TypeError, "K='1'"),
        (lambda: rg.migdal_kadanoff(np.nan), ValueError, "NaN"),
        (lambda: rg.migdal_kadanoff("x", dps=20), TypeError, "K='x'"),
        (lambda: rg.migdal_kadanoff(1.0, dps=0), ValueError, "dps=0"),
        (lambda: rg.migdal_kadanoff(1.0, scale_factor=1), ValueError, "scale_factor=1"),
        (lambda: rg.migdal_kadanoff(1.0, dimension=0), ValueError, "dimension=0"),
        (lambda: rg.migdal_kadanoff(1.0, dimension=2.5), TypeError, "dimension=2.5"),
        (lambda: rg.migdal_kadanoff(1.0, dimension=500), ValueError, "beyond 1e150"),
        (lambda: rg.migdal_kadanoff_fixed_point(dimension=1), ValueError, "dimension=1"),
        (lambda: rg.migdal_kadanoff_fixed_point(scale_factor=10**7), ValueError, "at most 1000000"),
        (lambda: rg.migdal_kadanoff_fixed_point(dps=0), ValueError, "dps=0"),
        (lambda: rg.migdal_kadanoff_fixed_point(scale_factor="2"), TypeError, "scale_factor='2'"),
        (lambda: rg.migdal_kadanoff_flow(1.0, -1), ValueError, "n_steps=-1"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
