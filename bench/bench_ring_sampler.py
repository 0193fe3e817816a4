"""Exact samples of the ring against a numba transfer-matrix sampler and numpy's bonds with rejection."""

import time

import numpy as np
import pytest

from rbmflow import Estimate, Ring
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS

numba = pytest.importorskip("numba", reason="the peer of this benchmark is numba")

K = 0.5
TARGETS = {"plain": 12, "avx2": 17, "avx512": 22}


@numba.njit
def transfer_matrix_spins(out, wall_if_even, wall_if_odd):
    """Spin by spin, each given its left neighbour and the parity of the walls still to come."""
    for i in range(out.shape[0]):
        spin = 1 if np.random.random() < 0.5 else -1
        odd = False
        for j in range(out.shape[1]):
            out[i, j] = spin
            wall = np.random.random() < (wall_if_odd[j] if odd else wall_if_even[j])
            if wall:
                spin = -spin
                odd = not odd
    return out


@numba.njit
def branchless_transfer_matrix_spins(out, wall_by_parity):
    """The same without branches on a coin: the wall is a number, parity an index, the spin a product."""
    for i in range(out.shape[0]):
        spin = 2 * int(np.random.random() < 0.5) - 1
        odd = 0
        for j in range(out.shape[1]):
            out[i, j] = spin
            wall = int(np.random.random() < wall_by_parity[j, odd])
            spin *= 1 - 2 * wall
            odd ^= wall
    return out


def conditional_probabilities(n_sites):
    """P(wall at bond j | bonds j … hold an even / odd number of walls)."""
    t, p = np.tanh(K), 1 / (1 + np.exp(2 * K))
    rest = np.arange(n_sites - 1, -1, -1)
    return p * (1 - t**rest) / (1 + t ** (rest + 1)), p * (1 + t**rest) / (1 - t ** (rest + 1))


def numpy_bonds(size, n_sites, rng):
    """Bonds drawn freely, rings of odd parity dropped, spins by a cumulative product."""
    walls = rng.random((int(2.2 * size), n_sites)) < 1 / (1 + np.exp(2 * K))
    walls = walls[~np.logical_xor.reduce(walls, axis=1)][:size]
    spins = np.empty(walls.shape, dtype=np.int8)
    spins[:, 0] = 2 * rng.integers(0, 2, len(walls)) - 1
    steps = 1 - 2 * walls[:, :-1].astype(np.int8)
    spins[:, 1:] = spins[:, :1] * np.cumprod(steps, axis=1, dtype=np.int8)
    return spins


def best_of(function, repeats=7):
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def check(spins, n_sites):
    """Energy and susceptibility within five standard errors of the exact values."""
    spins = spins[:4000].astype(np.int32)
    energy = Estimate.from_independent(-(spins * np.roll(spins, 1, axis=1)).mean(axis=1))
    susceptibility = Estimate.from_independent(spins.sum(axis=1) ** 2 / n_sites)
    assert abs(energy.deviation(Ring(n_sites).energy(K))) < 5
    assert abs(susceptibility.deviation(Ring(n_sites).susceptibility(K))) < 5


@pytest.mark.parametrize("level", SIMD_LEVELS[: simd.supported() + 1])
@pytest.mark.parametrize("n_sites", [64, 1024])
def test_ring_samples(benchmark, monkeypatch, level, n_sites):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    size = 2**21 // n_sites
    ring, rng = Ring(n_sites), np.random.default_rng(1)
    check(benchmark(lambda: ring.sample(K, size, rng=rng)), n_sites)
    even, odd = conditional_probabilities(n_sites)
    out = np.empty((size, n_sites), dtype=np.int8)
    check(transfer_matrix_spins(out, even, odd), n_sites)
    both = np.stack([even, odd], axis=1)
    check(branchless_transfer_matrix_spins(out, both), n_sites)
    check(numpy_bonds(4000, n_sites, rng), n_sites)
    own = best_of(lambda: ring.sample(K, size, rng=rng), 20)
    numba_ratio = best_of(lambda: transfer_matrix_spins(out, even, odd), 20) / own
    branchless_ratio = best_of(lambda: branchless_transfer_matrix_spins(out, both), 20) / own
    numpy_ratio = best_of(lambda: numpy_bonds(size, n_sites, rng), 3) / own
    print(
        f"\nring samples, M = {n_sites}, {level}: {numba_ratio:.1f}x numba transfer matrix"
        f" (target {TARGETS[level]}x), {branchless_ratio:.1f}x the same without branches,"
        f" {numpy_ratio:.0f}x numpy; {own / size / n_sites * 1e9:.2f} ns per spin"
    )
