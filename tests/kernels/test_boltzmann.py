"""The heat bath of Boltzmann machines against its twin, bit for bit."""

import numpy as np
import pytest

from rbmflow._kernels import boltzmann, simd
from tests.kernels import twin_boltzmann
from tests.kernels.twin_logistic import Generator, words_of

LEVELS = range(simd.supported() + 1)


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
    boltzmann.sweep(spins, words, couplings, bias, order, thin, samples, level)
    np.testing.assert_array_equal(spins, twin)
    np.testing.assert_array_equal(words, words_of(generator))
    np.testing.assert_array_equal(samples, np.array(kept).reshape(samples.shape))
