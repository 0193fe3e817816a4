"""W(K) for an array of couplings against the sum over 2^M configurations with scipy's brentq, value by value."""

import time

import numpy as np
import pytest
from scipy.optimize import brentq

from rbmflow import trained_weight
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.spins import all_states

M, N = 8, 4
COUPLINGS = np.logspace(-2, np.log10(20), 10_000)
TARGETS = {"plain": 100, "avx2": 150, "avx512": 150}


def plain_weights(couplings):
    """Solve eq. 69 literally, every sum over the 2^M configurations."""
    spins = all_states(M).astype(float)
    alpha, V = (spins * np.roll(spins, 1, axis=1)).sum(axis=1), spins.sum(axis=1)
    weights = []
    for K in couplings:
        boltzmann = np.exp(K * (alpha - M))
        boltzmann /= boltzmann.sum()

        def difference(W, boltzmann=boltzmann):
            log_p = N * np.log(np.cosh(W * V))
            p = np.exp(log_p - log_p.max())
            return ((p / p.sum() - boltzmann) * V * np.tanh(W * V)).sum()

        weights.append(brentq(difference, 1e-3, 20.0, xtol=1e-12, rtol=1e-12))
    return np.array(weights)


@pytest.mark.parametrize("level", SIMD_LEVELS[: simd.supported() + 1])
def test_trained_weight(benchmark, monkeypatch, level):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    weights = benchmark(lambda: trained_weight(COUPLINGS, M, N))
    # the literal difference cancels beyond K = 3: compare below, and time the peer there too
    chosen = COUPLINGS[COUPLINGS < 3][::40]
    start = time.perf_counter()
    peer = plain_weights(chosen)
    per_value = (time.perf_counter() - start) / len(chosen)
    np.testing.assert_allclose(weights[COUPLINGS < 3][::40], peer, rtol=1e-8)
    ratio = per_value / (benchmark.stats.stats.min / len(COUPLINGS))
    print(
        f"\ntrained_weight, M = {M}, {level}: {ratio:.0f}x sum over states + brentq (target {TARGETS[level]}x)"
    )
