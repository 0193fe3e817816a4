"""Sums over all states of a form beside their twins, at every SIMD level."""

import numpy as np
import pytest

from rbmflow._kernels import graph_sums, simd
from tests.kernels import twin_graph_sums as twin

LEVELS = range(simd.supported() + 1)
FEWEST = graph_sums.FEWEST_SITES


def integer_form(n_sites, seed):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.integers(-3, 4, (n_sites, n_sites)), 1)
    return rng.integers(-4, 5, n_sites).astype(np.int32), (upper + upper.T).astype(np.int32)


def limbs(values):
    """Real numbers as a multiple of 1 and one of 2^-44 below it."""
    coarse = np.rint(values)
    return np.stack([coarse, np.rint((values - coarse) * 2**44) / 2**44])


def real_form(n_sites, seed):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(0, 100, (n_sites, n_sites)), 1)
    return limbs(rng.normal(0, 100, n_sites)), limbs(upper + upper.T)


def limb_values(linear, pairs):
    """Values as multiples of 2^-44, integers of Python: exact."""
    whole = [[int(x * 2**44) for x in one.ravel()] for one in (*linear, *pairs)]
    sites = len(whole[0])
    a = [x + y for x, y in zip(whole[0], whole[1], strict=True)]
    b = [x + y for x, y in zip(whole[2], whole[3], strict=True)]
    return twin.values(a, [b[i * sites : (i + 1) * sites] for i in range(sites)])


def tally(linear, pairs, first=0, last=None, n_copies=1):
    values = twin.values(linear, pairs)
    counts = np.zeros(values.max() - values.min() + 1, dtype=np.uint64)
    copies = np.full((n_copies, len(counts)), 7, dtype=np.uint32)
    last = len(values) >> FEWEST if last is None else last
    graph_sums.tally(-values.min(), linear, pairs, first, last, copies, counts)
    wanted = np.bincount(values[first << FEWEST : last << FEWEST] - values.min(), minlength=len(counts))
    return counts, wanted


@pytest.mark.parametrize("n_copies", [1, 4])
@pytest.mark.parametrize("n_sites", [FEWEST, FEWEST + 1, FEWEST + 3])
def test_tally(n_sites, n_copies):
    counts, wanted = tally(*integer_form(n_sites, n_sites), n_copies=n_copies)
    np.testing.assert_array_equal(counts, wanted)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 1), (1, 4), (5, 8), (3, 7)])
def test_tally_of_some_blocks(first, last):
    counts, wanted = tally(*integer_form(FEWEST + 3, 1), first, last, 4)
    np.testing.assert_array_equal(counts, wanted)


def test_tally_adds():
    linear, pairs = integer_form(FEWEST, 2)
    values = twin.values(linear, pairs)
    counts = np.full(values.max() - values.min() + 1, 2**40, dtype=np.uint64)
    copies = np.empty((1, len(counts)), dtype=np.uint32)
    graph_sums.tally(-values.min(), linear, pairs, 0, 1, copies, counts)
    np.testing.assert_array_equal(counts - np.uint64(2**40), np.bincount(values - values.min()))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", [FEWEST, FEWEST + 2])
def test_extremes(n_sites, level):
    linear, pairs = real_form(n_sites, n_sites)
    values, found = limb_values(linear, pairs), np.zeros(4)
    graph_sums.extremes(linear, pairs, 0, 2 ** (n_sites - FEWEST), found, level)
    exact = [int(x * 2**44) for x in found]
    assert (exact[0] + exact[1], exact[2] + exact[3]) == (values.min(), values.max())


@pytest.mark.parametrize("level", LEVELS)
def test_extremes_by_a_fraction(level):
    # coarse limbs alone would take the other state; both are in one lane
    linear, pairs = np.zeros((2, FEWEST)), np.zeros((2, FEWEST, FEWEST))
    linear[:, 3:5] = [[-1.0, -2.0], [-0.875, 0.25]]
    pairs[:, 3, 4] = pairs[:, 4, 3] = [4.0, -1.5]
    found = np.zeros(4)
    graph_sums.extremes(linear, pairs, 0, 1, found, level)
    np.testing.assert_array_equal(found[:2], [-1.0, -0.875])
    np.testing.assert_array_equal(found[2:], [0.0, 0.0])  # not 1 - 2


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("n_sites", [FEWEST, FEWEST + 1])
def test_weigh(n_sites, negative, level):
    linear, pairs = real_form(n_sites, n_sites)
    bounds = np.zeros(4)
    graph_sums.extremes(linear, pairs, 0, 2 ** (n_sites - FEWEST), bounds, level)
    reference = bounds[2:].copy() if negative else bounds[:2].copy()
    away = limb_values(linear, pairs) - sum(int(x * 2**44) for x in reference)
    distances = np.abs(away.astype(np.float64)) / 2**44  # rounded once
    scales = np.array([0.0, 1e-3, 0.02, 1.0, 1e300])
    weights, moments = np.zeros((len(scales), n_sites + 1)), np.zeros((len(scales), 2))
    graph_sums.weigh(linear, pairs, 0, 2 ** (n_sites - FEWEST), reference, scales, weights, moments, level)
    with np.errstate(over="ignore"):
        for k, scale in enumerate(scales):
            wanted = twin.weigh(distances, scale)
            np.testing.assert_array_equal(weights[k], wanted[0], f"scale {scale}")
            np.testing.assert_array_equal(moments[k], wanted[1], f"scale {scale}")
    assert weights[0].sum() == 2**n_sites
    assert weights[-1].sum() == 1.0


@pytest.mark.parametrize("level", LEVELS)
def test_weights_of_parts_add_up(level):
    n_sites = FEWEST + 4
    linear, pairs = real_form(n_sites, 3)
    bounds, scales = np.zeros(4), np.array([0.01])
    graph_sums.extremes(linear, pairs, 0, 16, bounds, level)
    found = []
    for parts in ([(0, 16)], [(0, 3), (3, 11), (11, 16)]):
        weights, moments = np.zeros((1, n_sites + 1)), np.zeros((1, 2))
        for first, last in parts:
            graph_sums.weigh(linear, pairs, first, last, bounds[:2].copy(), scales, weights, moments, level)
        found.append((weights, moments))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
