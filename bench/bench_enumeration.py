"""Brute force over the ring of 28 sites: the kernel beside numpy and numba, all 2^28 configurations each.

The peers evaluate every configuration; the kernel evaluates one of each pair related by the global spin
flip and counts both. The ratio is of the times to tally all of them, a factor of 2 of it being this symmetry.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow._kernels import enumeration, simd
from tests.kernels.twin_enumeration import degeneracies

M = 28
LEVELS = ("plain", "avx2", "avx512")[: simd.supported() + 1]
TARGETS = {"plain": (15, 4), "avx2": (38, 10), "avx512": (90, 25)}


def tally_numpy(block_bits):
    """Count bits of x and of x ^ (x rotated), and bincount the pair, a block at a time."""
    block = np.arange(2**block_bits, dtype=np.uint32)
    counts = np.zeros((M + 1) * 32, dtype=np.int64)
    for first in range(0, 2**M, 2**block_bits):
        x = block + np.uint32(first)
        walls = np.bitwise_count(x ^ ((x >> 1) | ((x & 1) << (M - 1))))
        counts += np.bincount(
            walls.astype(np.uint16) * np.uint16(32) + np.bitwise_count(x), minlength=counts.size
        )
    return counts.reshape(M + 1, 32)[::2, : M + 1]


@pytest.fixture(scope="module")
def tally_numba():
    numba = pytest.importorskip("numba")
    extending = pytest.importorskip("numba.extending")

    @extending.intrinsic
    def popcount(_context, x):
        def generate(_context, builder, _signature, arguments):
            return builder.ctpop(arguments[0])

        return numba.types.uint64(x), generate

    @numba.njit
    def walk(n_sites, counts):
        top, row = np.uint64(n_sites - 1), np.uint64(32)
        for x in range(np.uint64(1) << np.uint64(n_sites)):
            walls = popcount(x ^ ((x >> np.uint64(1)) | ((x & np.uint64(1)) << top)))
            counts[walls * row + popcount(x)] += 1

    def tally():
        counts = np.zeros((M + 1) * 32, dtype=np.int64)
        walk(M, counts)
        return counts.reshape(M + 1, 32)[::2, : M + 1]

    tally()
    return tally


def tally_kernel(n_sites, first, last, level):
    counts = np.zeros((n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)
    enumeration.tally_ring(n_sites, first, last, counts, level)
    return counts


def timed(tally, expected, clock=time.process_time):
    start = clock()
    counts = tally()
    seconds = clock() - start
    np.testing.assert_array_equal(counts, expected)
    return seconds


def report(capsys, text):
    with capsys.disabled():
        print("\n" + text)


@pytest.mark.parametrize("name", LEVELS)
def test_peers(name, tally_numba, benchmark, capsys):
    level = LEVELS.index(name)
    expected = degeneracies(M)

    def tally():
        return tally_kernel(M, 0, 2 ** (M - 1), level)

    numpy_seconds, numba_seconds, kernel_seconds = [], [], []
    for _ in range(3):
        numpy_seconds += [timed(lambda bits=bits: tally_numpy(bits), expected) for bits in (16, 18)]
        numba_seconds.append(timed(tally_numba, expected))
        kernel_seconds += [timed(tally, expected) for _ in range(5)]
    np.testing.assert_array_equal(benchmark.pedantic(tally, rounds=5), expected)

    kernel = min(kernel_seconds)
    over_numpy, over_numba = min(numpy_seconds) / kernel, min(numba_seconds) / kernel
    benchmark.extra_info.update(over_numpy=over_numpy, over_numba=over_numba)
    targets = "targets {}x, {}x".format(*TARGETS[name])
    report(
        capsys,
        f"enumeration M={M} {name}: {over_numpy:.1f}x numpy, {over_numba:.1f}x numba ({targets};"
        f" {kernel / 2**M * 1e9:.4f} ns per configuration)",
    )


def test_two_threads(benchmark, capsys):
    n_sites, chunk, level = 32, 2**26, simd.supported()
    expected = degeneracies(n_sites)
    starts = range(0, 2 ** (n_sites - 1), chunk)

    def tally(pool):
        return sum(pool.map(lambda first: tally_kernel(n_sites, first, first + chunk, level), starts))

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        wall = time.perf_counter  # two threads use twice the processor
        times = [
            (timed(lambda: tally(one), expected, wall), timed(lambda: tally(two), expected, wall))
            for _ in range(5)
        ]
        np.testing.assert_array_equal(benchmark.pedantic(tally, args=(two,), rounds=3), expected)
    speedup = min(alone for alone, _ in times) / min(both for _, both in times)
    benchmark.extra_info["speedup"] = speedup
    report(capsys, f"enumeration M={n_sites} {LEVELS[level]}: two threads {speedup:.2f}x one (target 1.8x)")
