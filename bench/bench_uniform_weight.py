"""W(K) for an array of couplings against sums over 2^M configurations with scipy's brentq, one by one."""

import numpy as np
import pytest
from processor_time import least_seconds
from scipy.optimize import brentq

from rbmflow._kernels import simd, uniform_weight
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.spins import all_states

M, N = 8, 4
COUPLINGS = np.logspace(-2, np.log10(20), 10_000)
TARGETS = {"plain": 100, "avx2": 150, "avx512": 150}
# the literal difference of the peer cancels beyond K = 3: there it is neither compared nor timed
SAMPLE = np.flatnonzero(COUPLINGS < 3)[::40]


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
def test_uniform_weight(benchmark, level):
    weights = np.empty_like(COUPLINGS)
    number = SIMD_LEVELS.index(level)

    def own():
        return uniform_weight.solve_ring(COUPLINGS, M, N, weights, number)

    assert benchmark(own) == 0
    chosen = COUPLINGS[SAMPLE]
    np.testing.assert_allclose(weights[SAMPLE], plain_weights(chosen), rtol=1e-8)
    mine, peer = least_seconds(own, lambda: plain_weights(chosen))
    per_value, per_peer = mine / len(COUPLINGS), peer / len(chosen)
    print(
        f"\nuniform_weight M={M} N={N} {level}: {per_peer / per_value:.0f}x sum over states + brentq, "
        f"{1e9 * per_value:.0f} ns a value (target {TARGETS[level]}x)"
    )
