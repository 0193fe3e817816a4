from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow._kernels import enumeration, simd
from tests.kernels import twin_enumeration as twin

BEST = simd.supported()
LEVELS = range(BEST + 1)


def tally(n_sites, first, last, level):
    counts = np.zeros((n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)
    enumeration.tally_ring(n_sites, first, last, counts, level)
    return counts


def tally_all(n_sites, level):
    return tally(n_sites, 0, 2 ** (n_sites - 1), level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", range(3, 13))
def test_twin(n_sites, level):
    np.testing.assert_array_equal(tally_all(n_sites, level), twin.tally_ring(n_sites, 0, 2 ** (n_sites - 1)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", range(3, 17))
def test_closed_form(n_sites, level):
    np.testing.assert_array_equal(tally_all(n_sites, level), twin.degeneracies(n_sites))


@pytest.mark.parametrize("n_sites", range(17, 25))
def test_closed_form_of_longer_rings(n_sites):
    np.testing.assert_array_equal(tally_all(n_sites, BEST), twin.degeneracies(n_sites))


def extreme_blocks(n_sites):
    """Return numbers of blocks whose high spins are aligned, alternate, fall into two runs, or are mixed."""
    highest = 2 ** (n_sites - 1 - enumeration.block_bits(n_sites)) - 1
    alternating = highest // 3
    return sorted(
        {0, 1, highest, highest - 1, alternating, highest - alternating, highest // 7, highest // 16}
    )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", [12, 13, 20, 27, 34, 41, 47, 48])
def test_single_blocks(n_sites, level):
    size = 2 ** enumeration.block_bits(n_sites)
    for block in extreme_blocks(n_sites):
        first = block * size
        expected = twin.tally_ring(n_sites, first, first + size)
        np.testing.assert_array_equal(tally(n_sites, first, first + size, level), expected, f"block {block}")


@pytest.mark.parametrize("level", LEVELS)
def test_ranges_of_blocks(level):
    n_sites = 14
    size = 2 ** enumeration.block_bits(n_sites)
    for first, last in [(0, 3), (1, 2), (2, 5), (3, 8), (7, 8)]:
        expected = twin.tally_ring(n_sites, first * size, last * size)
        np.testing.assert_array_equal(tally(n_sites, first * size, last * size, level), expected)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_sites", [31, 48])
def test_levels_agree_on_a_long_range(n_sites, level):
    first = 2 ** (n_sites - 1) // 5 // 2**20 * 2**20
    counts = tally(n_sites, first, first + 2**21, level)
    np.testing.assert_array_equal(counts, tally(n_sites, first, first + 2**21, 0))
    assert counts.sum() == 2**22


@pytest.mark.parametrize("level", LEVELS)
def test_adds_to_counts(level):
    counts = np.full((7, 14), 5, dtype=np.uint64)
    enumeration.tally_ring(13, 0, 2**12, counts, level)
    np.testing.assert_array_equal(counts, twin.degeneracies(13) + np.uint64(5))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("first", [0, 2**15])
def test_empty_range(first, level):
    assert not tally(17, first, first, level).any()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n_threads", [2, 5])
def test_threads_tally_ranges_of_their_own(n_threads, level):
    n_sites, chunk = 20, 2**14
    with ThreadPoolExecutor(n_threads) as pool:
        parts = list(
            pool.map(
                lambda first: tally(n_sites, first, first + chunk, level), range(0, 2 ** (n_sites - 1), chunk)
            )
        )
    np.testing.assert_array_equal(sum(parts), twin.degeneracies(n_sites))


@pytest.mark.parametrize(("n_sites", "bits"), [(3, 2), (10, 9), (11, 10), (12, 10), (48, 10)])
def test_block_bits(n_sites, bits):
    assert enumeration.block_bits(n_sites) == bits
