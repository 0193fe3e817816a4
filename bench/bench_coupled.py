"""Annealing of 100 units that are all coupled, 500 temperatures × 128 chains, beside numpy: one thread."""

import numpy as np
import pytest
from inputs import coupled
from processor_time import least_seconds

from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.likelihood import log_partition
from rbmflow.likelihood.coupled import Coupled
from rbmflow.likelihood.ratio import log_mean

N_UNITS, N_TEMPERATURES, N_CHAINS = 100, 500, 128
TARGETS = {"plain": 4, "avx2": 7, "avx512": 8}


def numpy_chains(machine, seed):
    """Chains side by side, unit after unit; fields are kept up to date by the unit that turns."""
    rng = np.random.default_rng(seed)
    W, b = machine.couplings, machine.bias[:, None]
    betas = np.linspace(0, 1, N_TEMPERATURES)
    x = np.where(rng.random((N_UNITS, N_CHAINS)) < 1 / (1 + np.exp(-2 * b)), 1.0, -1.0)
    log_weight = np.zeros(N_CHAINS)
    for step in range(N_TEMPERATURES - 1):
        inner = W @ x
        log_weight += (betas[step + 1] - betas[step]) * (x * inner).sum(axis=0) / 2
        chances = rng.random((N_UNITS, N_CHAINS))
        for unit in range(N_UNITS):
            field = betas[step + 1] * (W[unit] @ x) + b[unit]
            x[unit] = np.where(chances[unit] < 1 / (1 + np.exp(-2 * field)), 1.0, -1.0)
    return log_mean(log_weight)


@pytest.mark.parametrize("level", SIMD_LEVELS[: simd.supported() + 1])
def test_annealing_of_coupled_units(benchmark, monkeypatch, level):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    machine = coupled(N_UNITS)
    how = {"n_temperatures": N_TEMPERATURES, "n_chains": N_CHAINS, "rng": 1, "n_threads": 1}
    found = benchmark(lambda: log_partition(machine, "ais", **how))
    peer = numpy_chains(machine, 2)
    difference = found.value - Coupled(machine).base - peer.value
    assert abs(difference) < 5 * np.hypot(found.stderr, peer.stderr)
    mine, theirs = least_seconds(
        lambda: log_partition(machine, "ais", **how), lambda: numpy_chains(machine, 2), rounds=3
    )
    print(
        f"\nannealing of {N_UNITS} coupled units, {level}: {1e3 * mine:.0f} ms, {theirs / mine:.1f}x numpy"
        f" (target {TARGETS[level]}x)"
    )
