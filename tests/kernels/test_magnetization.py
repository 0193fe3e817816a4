"""The law of the magnetization against exact integers and against its second moment."""

from math import comb

import numpy as np
import pytest

from rbmflow._kernels import magnetization
from tests.exact import private

COUPLINGS = (-160.0, -3.0, -0.5, -1e-9, 0.0, 1e-9, 0.1, 0.5, 1.0, 3.0, 20.0, 160.0)


def law(n_sites, K):
    probabilities = np.full(n_sites + 1, np.nan)
    magnetization.law(n_sites, K, probabilities)
    return probabilities


def exact_weights(ctx, n_sites, K):
    """Twin: Σ_k (M/k) C(n−1, k−1) C(M−n−1, k−1) x^k in multiprecision, from the integers."""
    x = ctx.exp(-4 * ctx.mpf(K))
    powers = [x**k for k in range(n_sites // 2 + 1)]
    weights = [ctx.one]
    for n in range(1, n_sites):
        count, total = n_sites, ctx.zero
        for k in range(1, min(n, n_sites - n) + 1):
            total += count * powers[k]
            count = count * (n - k) * (n_sites - n - k) // (k * (k + 1))
        weights.append(total)
    return [*weights, ctx.one]


@pytest.mark.parametrize("n_sites", [*range(3, 20), 40, 41, 151])
def test_exact_integers(n_sites):
    # each of the M/2 factors carries about 5 roundings of 1.1e-16, which add up like a random walk
    ctx = private(40)
    tolerance = 4e-15 + 1e-15 * n_sites**0.5
    for K in COUPLINGS:
        weights = exact_weights(ctx, n_sites, K)
        total = ctx.fsum(weights)
        values = law(n_sites, K)
        np.testing.assert_array_equal(values, values[::-1])
        for value, weight in zip(values, weights, strict=True):
            if weight / total > 1e-280:
                assert abs(float(value * total / weight) - 1) < tolerance


@pytest.mark.slow
@pytest.mark.parametrize("K", [-0.5, 0.1, 0.5, 2.0])
def test_exact_integers_on_a_long_ring(K):
    ctx = private(40)
    weights = exact_weights(ctx, 2000, K)
    total = ctx.fsum(weights)
    errors = [
        abs(float(value * total / weight) - 1)
        for value, weight in zip(law(2000, K), weights, strict=True)
        if weight / total > 1e-280
    ]
    assert max(errors) < 1e-13


@pytest.mark.parametrize("n_sites", [1000, 20_001, 10**6, 10**6 + 1])
@pytest.mark.parametrize("K", [-3.0, -0.5, 0.0, 0.5, 2.0, 5.0])
def test_second_moment_of_long_rings(n_sites, K):
    ctx = private(40)
    t = ctx.tanh(ctx.mpf(K))
    exact = n_sites * ctx.exp(2 * ctx.mpf(K)) * (1 - t**n_sites) / (1 + t**n_sites)
    values, V = law(n_sites, K), np.arange(-n_sites, n_sites + 1, 2.0)
    assert values.sum() == pytest.approx(1, abs=1e-14)
    assert (values * V**2).sum() == pytest.approx(float(exact), rel=1e-11, abs=0)


# strong antiferromagnetic tails are far from Gaussian: at K = −3 the law begins again at n = 1
@pytest.mark.parametrize(
    ("n_sites", "K"), [(30_000, 0.5), (30_001, -1.0), (200_000, 0.0), (30_000, 2.0), (6000, -3.0)]
)
def test_tails_of_long_rings_do_not_depend_on_where_the_recurrence_starts(n_sites, K):
    # started 44 standard deviations out against started at n = 1, through the logarithms
    values = law(n_sites, K)
    gain = np.empty(n_sites // 2 + 1)
    magnetization.log_gain(n_sites, K, 0, gain, np.empty_like(gain))
    n = np.arange(n_sites // 2)
    log_ratio = np.log((n + 1) / (n_sites - n)) + gain[:-1] - gain[1:]
    log_law = np.concatenate([np.cumsum(log_ratio[::-1])[::-1], [0.0]])
    half = values[: n_sites // 2 + 1]
    seen = log_law > -575
    assert seen.sum() > 100
    # logarithms reach −575; their rounding errors add up over the steps
    np.testing.assert_allclose(np.log(half[seen] / half[-1]), log_law[seen], rtol=0, atol=1e-10)


@pytest.mark.parametrize("n_sites", [3, 8, 33, 500])
def test_independent_spins(n_sites):
    np.testing.assert_allclose(
        law(n_sites, 0.0), [comb(n_sites, n) / 2**n_sites for n in range(n_sites + 1)], rtol=3e-14
    )


@pytest.mark.parametrize("K", [171.0, 1e6, np.inf])
def test_zero_temperature(K):
    assert law(8, K).tolist() == [0.5, *[0.0] * 7, 0.5]
    np.testing.assert_allclose(law(8, 169.0), law(8, K), rtol=0, atol=1e-290)
    assert law(8, -K).tolist() == [0.0] * 4 + [1.0] + [0.0] * 4
    assert law(7, -K).tolist() == [0.0] * 3 + [0.5, 0.5] + [0.0] * 3


@pytest.mark.parametrize("n_sites", [3, 4, 9, 64, 201])
@pytest.mark.parametrize("K", [1e-300, 1e-12, 0.01, 0.5, 2.0])
def test_logarithms_of_the_law(n_sites, K):
    ctx = private(60)
    weights = exact_weights(ctx, n_sites, K)
    centre = n_sites // 2
    gain, logarithm, slope = np.empty(centre + 1), np.empty(centre + 1), np.empty(centre + 1)
    magnetization.log_gain(n_sites, K, 0, gain, slope)
    magnetization.log_law(n_sites, K, logarithm, slope)
    for n in range(centre + 1):
        exact = ctx.log(weights[n])
        assert abs(float(exact - logarithm[n])) < 2e-15 * (1 + abs(float(exact)))
        if K >= 1e-12:
            deviation = ctx.log(weights[n] * comb(n_sites, centre) / weights[centre] / comb(n_sites, n))
            # relative precision however weak the coupling;
            # near n = 0 strong couplings cost a factor up to M/2
            assert (
                abs(float(deviation) - gain[n])
                <= (1e-15 + 1e-16 * n_sites * (K > 1)) * float(deviation) + 1e-40
            )


@pytest.mark.parametrize("n_sites", [3, 4, 9, 64, 201])
@pytest.mark.parametrize("K", ["1e-12", "0.01", "0.5", "2"])
def test_slopes_of_the_logarithms(n_sites, K):
    # central differences in 60 digits: error h²
    ctx = private(60)
    centre, h = n_sites // 2, ctx.mpf(10) ** -20
    low, high = (exact_weights(ctx, n_sites, ctx.mpf(K) + shift) for shift in (-h, h))
    exact = [(ctx.log(b) - ctx.log(a)) / (2 * h) for a, b in zip(low, high, strict=True)]
    values, slope = np.empty(centre + 1), np.empty(centre + 1)
    magnetization.log_law(n_sites, float(K), values, slope)
    np.testing.assert_allclose(slope, [float(e) for e in exact[: centre + 1]], rtol=1e-14)
    magnetization.log_gain(n_sites, float(K), 0, values, slope)
    from_centre = [float(e - exact[centre]) for e in exact[: centre + 1]]
    np.testing.assert_allclose(slope, from_centre, rtol=1e-13 * (1 + float(K)), atol=1e-300)


@pytest.mark.parametrize(("n_sites", "K"), [(10**4, 1.0), (10**5, 0.1), (10**5, 2.5), (10**5 + 1, -0.4)])
def test_gain_of_the_centre_does_not_depend_on_where_the_recurrence_starts(n_sites, K):
    centre = n_sites // 2
    sigma = np.sqrt(n_sites * np.exp(2 * K))
    whole, slope = np.empty(centre + 1), np.empty(centre + 1)
    magnetization.log_gain(n_sites, K, 0, whole, slope)
    first = centre - int(8 * sigma)
    part, part_slope = np.empty(centre - first + 1), np.empty(centre - first + 1)
    magnetization.log_gain(n_sites, K, first, part, part_slope)
    inner = int(1.5 * sigma)  # within 13 standard deviations
    np.testing.assert_allclose(part[inner:], whole[first + inner :], rtol=1e-12)
    np.testing.assert_allclose(part_slope[inner:], slope[first + inner :], rtol=1e-12)
