"""ln Z and moments of a Boltzmann machine of 28 units against the logarithms of all 2^28 weights."""

import numpy as np
from processor_time import least_seconds

from rbmflow.networks import BoltzmannMachine, boltzmann_log_partition, boltzmann_moments
from rbmflow.spins import all_states

N, TARGET = 28, 35


def machine_of(n):
    rng = np.random.default_rng(1)
    couplings = np.triu(rng.normal(0, 0.2, (n, n)), 1)
    return BoltzmannMachine(couplings + couplings.T, rng.normal(0, 0.1, n))


def listed(machine, *, moments):
    """Ln Z, or ⟨x_i⟩ and ⟨x_i x_j⟩ too: 2^22 logarithms of weights at a time, matrices over two halves."""
    half, W, b = machine.n_units // 2, machine.couplings, machine.bias
    parts = []
    for part in (slice(half), slice(half, None)):
        states = all_states(len(b[part])).astype(float)
        parts.append((states, ((states @ W[part, part] / 2 + b[part]) * states).sum(axis=1)))
    (upper, log_upper), (lower, log_lower) = parts
    between = W[:half, half:] @ lower.T
    step = max(1, 2**22 // len(lower))

    def blocks():
        for first in range(0, len(upper), step):
            rows = slice(first, first + step)
            yield rows, log_upper[rows, None] + log_lower + upper[rows] @ between

    tops = [(log.max(), np.exp(log - log.max()).sum()) for _, log in blocks()]
    top = max(largest for largest, _ in tops)
    log_partition = top + np.log(sum(np.exp(largest - top) * total for largest, total in tops))
    if not moments:
        return log_partition
    of_upper, of_lower, cross = np.zeros(len(upper)), np.zeros(len(lower)), 0.0
    for rows, log in blocks():
        p = np.exp(log - log_partition)
        of_upper[rows] = p.sum(axis=1)
        of_lower += p.sum(axis=0)
        cross += upper[rows].T @ (p @ lower)
    return log_partition, np.concatenate([of_upper @ upper, of_lower @ lower]), cross


def test_28_units(benchmark):
    machine, half = machine_of(N), N // 2
    log_partition = benchmark(lambda: boltzmann_log_partition(machine))
    moments = boltzmann_moments(machine)
    plain_log_partition, means, cross = listed(machine, moments=True)
    np.testing.assert_allclose(log_partition, plain_log_partition, rtol=1e-14)
    np.testing.assert_allclose(moments.means, means, atol=1e-13)
    np.testing.assert_allclose(moments.correlations[:half, half:], cross, atol=1e-13)
    one, plain, both, plain_both = least_seconds(
        lambda: boltzmann_log_partition(machine),
        lambda: listed(machine, moments=False),
        lambda: boltzmann_moments(machine),
        lambda: listed(machine, moments=True),
        rounds=2,
    )
    print(
        f"\nBoltzmann machine of {N} units against all weights listed: ln Z {1e3 * one:.0f} ms, "
        f"{plain / one:.0f}x; moments {1e3 * both:.0f} ms, {plain_both / both:.0f}x (target {TARGET}x)"
    )
