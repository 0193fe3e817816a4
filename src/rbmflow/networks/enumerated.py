"""The sum over all states of one layer, by the kernel, in chunks over threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rbmflow._kernels import rbm_partition
from rbmflow.arguments import FloatArray
from rbmflow.hardware import simd_level
from rbmflow.workers import Progress, run_tasks

FEWEST_UNITS = rbm_partition.fewest_units()
CHUNK = 64  # states of the high units to a call: 2^20 states of the layer


class Enumerated(NamedTuple):
    """A machine seen from the layer s that is enumerated: ``−E = tᵀ(W s + b) + c·s``."""

    weights: FloatArray  # (n_traced, n_enumerated)
    traced_bias: FloatArray
    bias: FloatArray


def log_sum(seen: Enumerated, n_threads: int, progress: Progress | None = None) -> float | None:
    """Return ``ln Σ_s e^(c·s) Π_i 2cosh(b_i + Σ_j W_ij s_j)``, or None where the weights are too large for the kernel."""
    weights, bias, added = np.ascontiguousarray(seen.weights), seen.bias, 0
    n_traced, n_units = weights.shape
    if n_units < FEWEST_UNITS:  # units without couplings, each a factor 2
        added, n_units = FEWEST_UNITS - n_units, FEWEST_UNITS
        weights = np.concatenate([weights, np.zeros((n_traced, added))], axis=1)
        bias = np.concatenate([bias, np.zeros(added)])
    n_high = 2 ** rbm_partition.high_units(n_units)
    logs, level = np.empty(n_high), simd_level()
    n_doubles, n_integers = rbm_partition.scratch_sizes(n_traced, n_units)

    fits = [True]

    def work(first: int) -> Iterator[int]:
        last = min(first + CHUNK, n_high)
        scratch = np.empty(n_doubles), np.empty(n_integers, dtype=np.int64)
        if not rbm_partition.log_sums(
            weights, seen.traced_bias, bias, first, last, *scratch, logs[first:last], level
        ):
            fits[0] = False
        yield last - first

    run_tasks((work(k) for k in range(0, n_high, CHUNK)), n_threads, total=n_high, progress=progress)
    if not fits[0]:
        return None
    top = logs.max()
    return float(top + np.log(np.exp(logs - top).sum()) - added * np.log(2))
