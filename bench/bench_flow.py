"""The tanh flow of 25,000 configurations, 10 steps at 256 x 256, against numpy: one thread.

Numpy has preallocated outputs. Most of either time is the products of matrices. Their limit is the time
numpy's BLAS takes for the 20 products alone; what numpy's flow takes over it is the most that a fused kernel
on that BLAS could gain, and is printed too. The kernel has products of its own.
"""

import time

import numpy as np
import pytest

from rbmflow import RBM, flow
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
N, UNITS, STEPS, REPEATS = 25_000, 256, 10, 3
TARGET = 1.5


class Numpy:
    """The flow in place, on arrays that are allocated once."""

    def __init__(self, rbm, start):
        real = start.dtype
        self.weights, self.b, self.c = (
            x.astype(real) for x in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)
        )
        self.start, self.v = start, np.empty_like(start)
        self.h = np.empty((len(start), rbm.n_hidden), dtype=real)

    def flow(self):
        """Return the means after the steps."""
        np.copyto(self.v, self.start)
        for _ in range(STEPS):
            np.matmul(self.v, self.weights, out=self.h)
            np.add(self.h, self.c, out=self.h)
            np.tanh(self.h, out=self.h)
            np.matmul(self.h, self.weights.T, out=self.v)
            np.add(self.v, self.b, out=self.v)
            np.tanh(self.v, out=self.v)
        return self.v

    def products(self):
        """Multiply as often as the flow does."""
        for _ in range(STEPS):
            np.matmul(self.start, self.weights, out=self.h)
            np.matmul(self.start, self.weights.T, out=self.v)


def best_of(jobs):
    """Least CPU seconds of each job, in turns."""
    best = [np.inf] * len(jobs)
    for _ in range(REPEATS):
        for index, job in enumerate(jobs):
            begin = time.process_time()
            job()
            best[index] = min(best[index], time.process_time() - begin)
    return best


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_tanh_flow(benchmark, monkeypatch, precision, level):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    rng, real = np.random.default_rng(1), np.dtype(precision)
    rbm = RBM(
        rng.normal(size=(UNITS, UNITS)) / np.sqrt(UNITS),
        0.1 * rng.normal(size=UNITS),
        0.1 * rng.normal(size=UNITS),
    )
    start = rng.choice([-1, 1], (N, UNITS)).astype(real)
    peer = Numpy(rbm, start)

    def own():
        return flow.mean_field(rbm, start, n_steps=STEPS, n_threads=1)

    # each sum of 256 terms rounds by up to 16 eps or so, and differences grow by up to 4, the square of the
    # largest singular value, in a step until tanh bounds them: 1000 eps; 50 were seen
    found = benchmark.pedantic(own, rounds=1)
    assert found.dtype == real
    np.testing.assert_allclose(found, peer.flow(), rtol=0, atol=1e3 * np.finfo(real).eps)
    mine, numpy, products = best_of([own, peer.flow, peer.products])
    rate = 4 * N * STEPS * UNITS**2 / products / 1e9
    print(
        f"\ntanh flow {N} x {STEPS} steps, {UNITS} x {UNITS}, {precision}, {level}: {1e3 * mine:.0f} ms,"
        f" {numpy / mine:.2f}x numpy ({1e3 * numpy:.0f} ms; target {TARGET}x),"
        f" {products / mine:.0%} of the limit of products ({1e3 * products:.0f} ms, {rate:.0f} GF/s),"
        f" which is {numpy / products:.2f}x numpy"
    )
