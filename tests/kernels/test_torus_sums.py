"""Sums over the states of a torus whose first row is given, beside their twins, at every SIMD level."""

import math

import numpy as np
import pytest

from rbmflow._kernels import simd, torus_sums
from tests.kernels import twin_torus_sums as twin

LEVELS = range(simd.supported() + 1)
PRIME = 2**58 - 27  # the largest below 2^58


def counts(width, length, first, p, level):
    n = width * length
    table = np.full(2**width * (n - width + 1) * (n + 1 + torus_sums.ZEROS), 7, dtype=np.uint64)
    found = np.zeros((n + 1, n + 1), dtype=np.uint64)
    torus_sums.counts(width, length, first, p, table, found, level)
    return found


def weights(width, length, first, staggered, x, level):
    n = width * length
    table, found = np.full(2**width * (n - width + 1), 7.0), np.zeros(n + 1)
    torus_sums.weights(width, length, first, staggered, x, table, found, level)
    return found


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("width", "length", "first"),
    [(2, 2, 1), (2, 5, 2), (3, 3, 6), (3, 4, 0), (4, 4, 5), (4, 4, 3), (5, 3, 9)],
)
def test_counts(width, length, first, level):
    wanted = twin.counts(width, length, first)
    for p in (0, PRIME):
        np.testing.assert_array_equal(counts(width, length, first, p, level), wanted)
    p = 5
    np.testing.assert_array_equal(counts(width, length, first, p, level), wanted % np.uint64(p))


@pytest.mark.parametrize("level", LEVELS)
def test_counts_of_a_larger_torus_wrap(level):
    # all 2^72 states of the rows below are there, modulo 2^64 and modulo a prime
    wrapped, residues = counts(8, 10, 37, 0, level), counts(8, 10, 37, PRIME, level)
    assert sum(map(int, wrapped.ravel())) % 2**64 == 2**72 % 2**64
    assert sum(map(int, residues.ravel())) % PRIME == 2**72 % PRIME
    np.testing.assert_array_equal(wrapped, counts(8, 10, 37, 0, 0))
    np.testing.assert_array_equal(residues, counts(8, 10, 37, PRIME, 0))


@pytest.mark.parametrize("level", LEVELS)
def test_counts_are_added(level):
    n, found = 9, np.full((10, 10), 3, dtype=np.uint64)
    table = np.empty(2**3 * 7 * (n + 1 + torus_sums.ZEROS), dtype=np.uint64)
    torus_sums.counts(3, 3, 1, 0, table, found, level)
    np.testing.assert_array_equal(found, twin.counts(3, 3, 1) + np.uint64(3))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("staggered", [False, True])
@pytest.mark.parametrize(
    ("width", "length", "first"), [(2, 2, 1), (2, 6, 2), (3, 4, 6), (4, 4, 5), (4, 5, 3), (6, 4, 11)]
)
def test_weights(width, length, first, staggered, level):
    for x in (0.0, 0.17, 1.0):
        np.testing.assert_array_equal(
            weights(width, length, first, staggered, x, level),
            twin.weights(width, length, first, staggered, x),
        )


@pytest.mark.parametrize("level", LEVELS)
def test_weights_are_those_of_the_counts(level):
    width, length, first, x = 4, 4, 5, 0.3
    wanted = twin.counts(width, length, first).astype(float) @ x ** np.arange(17)
    np.testing.assert_allclose(weights(width, length, first, False, x, level), wanted, rtol=1e-14)
    # the first row is 1010…: four staggered spins that are up, the others are free at x = 1
    staggered = weights(width, length, first, True, 1.0, level)
    np.testing.assert_array_equal(staggered, [0] * 4 + [math.comb(12, up) for up in range(13)])
