"""The sampler against its twin, bit for bit, and the exact law where the Python face does not reach."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from rbmflow import Estimate, Ring
from rbmflow._kernels import ring_sampler, simd
from tests.kernels import twin_ring_sampler as twin

BEST = simd.supported()
LEVELS = range(BEST + 1)


def key(seed):
    return np.random.default_rng(seed).integers(0, 2**64, size=32, dtype=np.uint64)


def draw(q, antiferromagnetic, odd, seed, size, n_sites, level=BEST):
    out = np.zeros((size, n_sites), dtype=np.int8)
    ring_sampler.sample(q, antiferromagnetic, odd, key(seed), out, level)
    return out


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", [3, 4, 5, 8, 63, 64, 65, 127, 128, 129, 191, 192, 200, 513])
def test_twin_bit_for_bit(n_sites, level):
    # the stream of 32768 defects is refilled several times for the longer rings
    size = 150 if n_sites > 100 else 40
    for antiferromagnetic, odd, q in (
        (False, False, 0.2689414213699951),
        (True, False, 0.1),
        (False, True, 0.45),
    ):
        wanted = twin.sample(q, antiferromagnetic, odd, key(n_sites), size, n_sites)
        np.testing.assert_array_equal(draw(q, antiferromagnetic, odd, n_sites, size, n_sites, level), wanted)


@pytest.mark.parametrize(
    ("n_sites", "K", "digest"), [(1000, 0.5, "7176194a89bed218"), (1001, -0.5, "eeb0e90857f50df8")]
)
def test_parts_of_a_long_call_continue_each_other(n_sites, K, digest):
    # 20 million spins, as one call drew them before the kernel looked at Ctrl-C after every 16 million
    samples = Ring(n_sites).sample(K, 20_000, rng=1)
    assert hashlib.sha256(samples.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("q", [0.0, 0.5, 0.25, 1e-300, 5e-324, 0.1, 1e-3])
def test_twin_for_every_kind_of_probability(q):
    for n_sites in (8, 130):
        wanted = twin.sample(q, False, False, key(1), 30, n_sites)
        np.testing.assert_array_equal(draw(q, False, False, 1, 30, n_sites), wanted)


@pytest.mark.parametrize("n_sites", [3, 8, 64, 100, 129, 1000])
@pytest.mark.parametrize("size", [0, 1, 7, 5000])
def test_every_level_draws_the_same(n_sites, size):
    wanted = draw(0.3, False, False, 9, size, n_sites, 0)
    assert (np.abs(wanted) == 1).all()
    for level in LEVELS:
        np.testing.assert_array_equal(draw(0.3, False, False, 9, size, n_sites, level), wanted)


def test_nothing_is_written_beyond_the_samples():
    for n_sites in (3, 65, 130):
        for level in LEVELS:
            buffer = np.full(20 * n_sites + 200, 7, dtype=np.int8)
            out = buffer[: 20 * n_sites].reshape(20, n_sites)
            ring_sampler.sample(0.3, False, False, key(2), out, level)
            assert (buffer[20 * n_sites :] == 7).all()


@pytest.mark.parametrize("n_sites", [5, 9])
def test_frustrated_twin(n_sites):
    ring = Ring(n_sites)
    for K in (-0.2, -1.0, -np.inf):
        probabilities = ring._defect_probabilities(K)
        out = np.zeros((200, n_sites), dtype=np.int8)
        ring_sampler.sample_frustrated(probabilities, key(5), out)
        np.testing.assert_array_equal(out, twin.sample_frustrated(probabilities, key(5), 200))


@pytest.mark.parametrize(
    ("n_sites", "K"), [(9, 0.4), (20, 1.0), (64, 0.2), (129, 0.2), (129, 1.5), (150, -0.7), (192, 3.0)]
)
def test_bonds_are_alike_across_the_join_of_the_two_parts(n_sites, K):
    # every bond has the same mean, also beside the last eight;
    # the largest of M pulls beyond 6 has probability M 2e-9
    spins = Ring(n_sites).sample(K, 40_000, rng=8).astype(np.int32)
    bonds = spins * np.roll(spins, -1, axis=1)
    mean = Ring(n_sites).correlation(K, 1)
    pulls = (bonds.mean(axis=0) - mean) / np.sqrt((1 - mean**2) / len(bonds))
    assert np.abs(pulls).max() < 6
    # and neighbouring bonds are correlated by the parity alone:
    # <b_i b_(i+1)> is the correlation at distance 2
    pairs = bonds * np.roll(bonds, -1, axis=1)
    second = Ring(n_sites).correlation(K, 2)
    pulls = (pairs.mean(axis=0) - second) / np.sqrt((1 - second**2) / len(bonds))
    assert np.abs(pulls).max() < 6


def test_the_number_of_walls_has_its_exact_law_on_a_long_ring():
    # binomial given an even number; chi-square, false alarm 1e-6, fixed seed
    n_sites, K, size = 150, 1.0, 100_000
    spins = Ring(n_sites).sample(K, size, rng=21).astype(np.int32)
    walls = (spins != np.roll(spins, 1, axis=1)).sum(axis=1)
    assert (walls % 2 == 0).all()
    law = stats.binom(n_sites, 1 / (1 + np.exp(2 * K))).pmf(np.arange(0, n_sites + 1, 2))
    expected = size * law / law.sum()
    observed = np.bincount(walls // 2, minlength=len(expected))
    common = expected > 5
    observed = np.append(observed[common], observed[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    assert stats.chisquare(observed, expected).pvalue > 1e-6


@pytest.mark.parametrize("n_sites", [8, 64, 300])
def test_successive_samples_are_independent(n_sites):
    magnetization = Ring(n_sites).sample(0.5, 40_000, rng=6).sum(axis=1).astype(float)
    for lag in (1, 2, 8):
        products = magnetization[:-lag] * magnetization[lag:]
        # independent pairs within each stride of 2 lag; 5 standard errors
        assert abs(Estimate.from_independent(products[:: 2 * lag]).deviation(0.0)) < 5
    assert abs(Estimate.from_independent(magnetization).deviation(0.0)) < 5
