"""Exact samples of the ring: the Python face. The kernel's own tests are in tests/kernels."""

import numpy as np
import pytest
from scipy import stats

from rbmflow import Estimate, Ring
from tests.exact import ring_states


@pytest.mark.parametrize("n_sites", [3, 5, 8])
@pytest.mark.parametrize("K", [-1.5, -0.4, 0.0, 0.5, 2.0])
def test_distribution_over_all_states(n_sites, K):
    # chi-square over the 2^M states that are expected at least 5 times; false alarm 1e-6 each, seed fixed
    states, alpha, _ = ring_states(n_sites)
    weights = np.exp(K * alpha - (K * alpha).max())
    expected = 100_000 * weights / weights.sum()
    spins = Ring(n_sites).sample(K, 100_000, rng=12)
    powers = 1 << np.arange(n_sites)
    counts = np.bincount(((spins + 1) // 2) @ powers, minlength=2**n_sites)
    expected_by_index = np.empty(2**n_sites)
    expected_by_index[((states + 1) // 2) @ powers] = expected
    common = expected_by_index >= 5
    observed = np.append(counts[common], counts[~common].sum())
    wanted = np.append(expected_by_index[common], expected_by_index[~common].sum())
    if wanted[-1] < 1:
        observed, wanted = observed[:-1], wanted[:-1] * observed[:-1].sum() / wanted[:-1].sum()
    assert stats.chisquare(observed, wanted).pvalue > 1e-6


@pytest.mark.parametrize(("n_sites", "K"), [(64, 0.5), (65, -0.5), (257, 1.5), (1000, -1.0), (1000, 3.0)])
def test_energy_and_susceptibility_of_long_rings(n_sites, K):
    # each pull beyond 5 standard errors has probability 6e-7; seed fixed
    ring = Ring(n_sites)
    spins = ring.sample(K, 20_000, rng=3).astype(np.int32)
    energy = Estimate.from_independent(-(spins * np.roll(spins, 1, axis=1)).mean(axis=1))
    susceptibility = Estimate.from_independent(spins.sum(axis=1) ** 2 / n_sites)
    assert abs(energy.deviation(ring.energy(K))) < 5
    assert abs(susceptibility.deviation(ring.susceptibility(K))) < 5


def test_samples_are_a_function_of_the_generator():
    ring = Ring(100)
    first = ring.sample(0.5, 50, rng=7)
    np.testing.assert_array_equal(first, ring.sample(0.5, 50, rng=np.random.default_rng(7)))
    rng = np.random.default_rng(7)
    ring.sample(0.5, 50, rng=rng)
    assert (first != ring.sample(0.5, 50, rng=rng)).any()


def test_zero_temperature():
    aligned = Ring(9).sample(np.inf, 1000, rng=1)
    assert (np.abs(aligned.sum(axis=1)) == 9).all()
    alternating = Ring(8).sample(-np.inf, 1000, rng=1).astype(int)
    assert (alternating * np.roll(alternating, 1, axis=1) == -1).all()
    frustrated = Ring(9).sample(-np.inf, 90_000, rng=1).astype(int)
    satisfied = frustrated * np.roll(frustrated, 1, axis=1) == 1
    assert (satisfied.sum(axis=1) == 1).all()
    # the one satisfied bond is anywhere with equal probability; false alarm 1e-6
    assert stats.chisquare(satisfied.sum(axis=0)).pvalue > 1e-6
    # up and down are equally likely: 5 sigma of 1000 fair draws
    assert abs((aligned[:, 0] == 1).mean() - 0.5) < 5 * 0.5 / np.sqrt(1000)


@pytest.mark.parametrize("K", [-1e-17, -1e-300, 5e-324, 1e300, -1e300])
def test_extreme_couplings(K):
    for n_sites in (3, 8, 65, 131):
        assert (np.abs(Ring(n_sites).sample(K, 20, rng=1)) == 1).all()


def test_shapes_and_types():
    spins = Ring(3).sample(0.1, 0, rng=1)
    assert spins.shape == (0, 3)
    assert Ring(3).sample(1, 5, rng=1).dtype == np.int8


@pytest.mark.parametrize(
    ("K", "size", "rng", "error", "message"),
    [
        ("1", 5, 1, TypeError, "K='1'"),
        (np.nan, 5, 1, ValueError, "NaN"),
        ([1.0, 2.0], 5, 1, ValueError, "one number"),
        (1.0, -1, 1, ValueError, "size=-1"),
        (1.0, 2.5, 1, TypeError, "size=2.5"),
        (1.0, 5, -1, ValueError, "rng=-1"),
        (1.0, 5, "x", TypeError, "rng='x'"),
        (1.0, 5, np.random.RandomState(1), TypeError, "Generator"),
    ],
)
def test_bad_arguments(K, size, rng, error, message):
    with pytest.raises(error, match=message):
        Ring(5).sample(K, size, rng=rng)
