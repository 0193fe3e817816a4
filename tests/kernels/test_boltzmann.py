"""The heat bath of Boltzmann machines against its twin, bit for bit."""

import numpy as np
import pytest

from rbmflow._kernels import boltzmann, simd
from tests.kernels import twin_boltzmann
from tests.kernels.twin_logistic import Generator, words_of

LEVELS = range(simd.supported() + 1)


def call(spins, words, couplings, bias, order, thin, samples, level):
    n_table, n_entries = boltzmann.scratch_sizes(len(bias))
    table = np.full(n_table, np.nan, dtype=np.float32)
    entries = np.full((len(spins), n_entries), 2**32 - 1, dtype=np.uint32)
    boltzmann.sweep(spins, words, couplings, bias, order, thin, table, entries, samples, level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_units", [1, 2, 7, 33])
@pytest.mark.parametrize("thin", [1, 2, 9])
def test_twin(n_units, thin, level):
    rng = np.random.default_rng(n_units)
    couplings = rng.normal(0, 0.5, (n_units, n_units)).astype(np.float32)
    couplings = np.triu(couplings, 1) + np.triu(couplings, 1).T
    bias = rng.normal(0, 0.3, n_units).astype(np.float32)
    spins = (2 * rng.integers(0, 2, (n_units, 64)) - 1).astype(np.float32)
    words = rng.integers(0, 2**64, 32, dtype=np.uint64)
    order = rng.integers(0, n_units, (4, n_units + 1)).astype(np.int32)
    twin, generator = spins.copy(), Generator(words)
    kept = twin_boltzmann.sweep(twin, generator, couplings, bias, order, thin)
    samples = np.empty((4 // thin, n_units, 64), dtype=np.int8)
    call(spins[None], words[None], couplings, bias, order, thin, samples[:, None], level)
    np.testing.assert_array_equal(spins, twin)
    np.testing.assert_array_equal(words, words_of(generator))
    np.testing.assert_array_equal(samples, np.array(kept).reshape(samples.shape))


@pytest.mark.parametrize("level", LEVELS)
def test_blocks_are_independent_and_zeros_have_no_sign(level):
    rng = np.random.default_rng(7)
    n = 10
    couplings = np.where(rng.random((n, n)) < 0.5, -0.0, rng.normal(size=(n, n))).astype(np.float32)
    couplings[:3] = 0.0  # units without couplings, whose activations are 0: up and down alike, by their draw
    bias = np.where(np.arange(n) < 3, -0.0, 0.25).astype(np.float32)
    spins = (2 * rng.integers(0, 2, (3, n, 64)) - 1).astype(np.float32)
    words = rng.integers(0, 2**64, (3, 32), dtype=np.uint64)
    order, none = rng.integers(0, n, (2, 17)).astype(np.int32), np.empty((0, 3, n, 64), dtype=np.int8)
    together, words_together = spins.copy(), words.copy()
    call(together, words_together, couplings, bias, order, 1, none, level)
    for block in range(3):
        alone, generator = spins[block].copy(), Generator(words[block])
        twin_boltzmann.sweep(alone, generator, couplings, bias + np.float32(0), order, 1)
        np.testing.assert_array_equal(together[block], alone)
        np.testing.assert_array_equal(words_together[block], words_of(generator))
