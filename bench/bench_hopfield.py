"""Recall of 1,000 corrupted patterns of a Hopfield network of 1,000 units against numpy, one thread.

Processor time, the best of several interleaved runs. All visit the units in the same orders and must end in
the same states.
"""

import os
import time

import numpy as np

from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.networks import Hopfield
from rbmflow.sampling import recall

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
TARGETS = {"plain": 4.5, "avx2": 9, "avx512": 9}
AIM = 25
N_UNITS, N_PATTERNS, N_PROBES = 1000, 50, 1000
REPEATS = 4


def numpy_over_probes(weights, probes, rng, real):
    """One unit after the other, all probes at once: float32 holds the whole numbers and their sums exactly.

    Probes that have settled are left out. Units in rows: a unit of all probes lies together.
    """
    n = len(weights)
    w = weights.astype(real)
    x = np.ascontiguousarray(probes.T, dtype=real)
    active = np.arange(x.shape[1])
    final = x.copy()
    while len(active):
        for order in rng.permuted(np.tile(np.arange(n, dtype=np.int32), (8, 1)), axis=1):
            before = x.copy()
            for i in order:
                x[i] = np.where(w[i] @ x >= 0, 1, -1)
            moved = (x != before).any(axis=0)
            final[:, active[~moved]] = x[:, ~moved]
            x, active = np.ascontiguousarray(x[:, moved]), active[moved]
            if not len(active):
                break
    return final.T.astype(np.int8)


def numpy_with_fields(weights, probes, rng, real):
    """Fields from one product of matrices, then one row of weights for each flip, over probes that flip."""
    n = len(weights)
    w = weights.astype(real)
    x = np.ascontiguousarray(probes.T, dtype=real)
    fields = w @ x
    moved = True
    while moved:
        for order in rng.permuted(np.tile(np.arange(n, dtype=np.int32), (8, 1)), axis=1):
            moved = False
            for i in order:
                wrong = np.flatnonzero((fields[i] >= 0) != (x[i] > 0))
                if len(wrong):
                    moved = True
                    x[i, wrong] = -x[i, wrong]
                    fields[:, wrong] += 2 * w[i][:, None] * x[i, wrong]
            if not moved:
                break
    return x.T.astype(np.int8)


def interleaved(*jobs, repeats=REPEATS):
    """Best processor time of each job, taken in turns."""
    best = [np.inf] * len(jobs)
    for _ in range(repeats):
        for index, job in enumerate(jobs):
            start = time.process_time()
            job()
            best[index] = min(best[index], time.process_time() - start)
    return best


def at_level(level, network, probes):
    os.environ["RBMFLOW_SIMD"] = level
    return recall(network, probes, rng=1, n_threads=1).states


def test_recall(benchmark, monkeypatch):
    monkeypatch.setenv("RBMFLOW_SIMD", "plain")  # put back at the end
    rng = np.random.default_rng(1)
    patterns = rng.choice([-1, 1], size=(N_PATTERNS, N_UNITS)).astype(np.int8)
    chosen = patterns[rng.integers(N_PATTERNS, size=N_PROBES)]
    probes = np.where(rng.random(chosen.shape) < 0.15, -chosen, chosen)
    network = Hopfield.hebb(patterns)
    weights = Hopfield.hebb(patterns, learning_rate=1).weights
    own = [lambda level=level: at_level(level, network, probes) for level in LEVELS]
    peers = {
        f"{name}, {real.__name__}": lambda f=function, real=real: f(
            weights, probes, np.random.default_rng(1), real
        )
        for name, function in (
            ("numpy over probes", numpy_over_probes),
            ("numpy with fields", numpy_with_fields),
        )
        for real in (np.float32, np.float64)
    }
    found = benchmark.pedantic(own[-1], rounds=3)
    for job in (*own, *peers.values()):
        np.testing.assert_array_equal(job(), found)
    assert (found == chosen).mean() > 0.999  # at P/n = 0.05
    times = interleaved(*own, *peers.values())
    for level, mine in zip(LEVELS, times, strict=False):
        print(f"\nrecall of {N_PROBES} probes, n = {N_UNITS}, P = {N_PATTERNS}, {level}: {1e3 * mine:.1f} ms")
        for name, theirs in zip(peers, times[len(LEVELS) :], strict=True):
            print(
                f"  {theirs / mine:.1f}x {name} ({1e3 * theirs:.0f} ms); target {TARGETS[level]}x, aim {AIM}x"
            )


def test_recall_with_real_weights(benchmark, monkeypatch):
    """Weights of the pseudo-inverse are multiples of nothing: float64, fields summed anew for each sweep."""
    rng = np.random.default_rng(2)
    patterns = rng.choice([-1, 1], size=(N_PATTERNS, N_UNITS)).astype(np.int8)
    probes = np.where(rng.random(patterns.shape) < 0.15, -patterns, patterns)
    network = Hopfield.pseudo_inverse(patterns)
    monkeypatch.setenv("RBMFLOW_SIMD", LEVELS[-1])
    found = benchmark.pedantic(lambda: at_level(LEVELS[-1], network, probes), rounds=3)
    np.testing.assert_array_equal(found, patterns)
    mine, theirs = interleaved(
        lambda: at_level(LEVELS[-1], network, probes),
        lambda: numpy_over_probes(network.weights, probes, np.random.default_rng(1), np.float64),
    )
    print(
        f"\n{N_PATTERNS} probes, float64, {LEVELS[-1]}: {1e3 * mine:.1f} ms,"
        f" {theirs / mine:.1f}x numpy over probes"
    )
