"""The Walsh transform beside its twin and beside the definition, at every SIMD level."""

import numpy as np
import pytest

from rbmflow._kernels import simd, walsh
from rbmflow.spins import all_states

LEVELS = range(simd.supported() + 1)


def twin(x):
    """The kernel's additions, site by site."""
    for site in range(len(x).bit_length() - 1):
        down, up = np.moveaxis(x.reshape(-1, 2, 2**site), 1, 0)
        x = np.stack([down + up, up - down], axis=1).ravel()
    return x


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", [0, 1, 2, 3, 4, 5, 11, 15, 16, 17])
def test_twin(n_sites, level):
    x = np.random.default_rng(n_sites).normal(size=2**n_sites)
    found = x.copy()
    walsh.transform(found, n_sites, level)
    np.testing.assert_array_equal(found, twin(x))


@pytest.mark.parametrize("level", LEVELS)
def test_definition(level):
    n = 9
    x = np.random.default_rng(1).normal(size=2**n)
    spins = all_states(n)
    products = np.array([spins[:, [i for i in range(n) if s >> i & 1]].prod(axis=1) for s in range(2**n)])
    found = x.copy()
    walsh.transform(found, n, level)
    np.testing.assert_allclose(found, products @ x, rtol=0, atol=1e-12)
