"""Sums over all states of one layer, by the kernel, in chunks over threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import rbm_partition
from rbmflow.arguments import FloatArray
from rbmflow.hardware import simd_level
from rbmflow.spins import all_states
from rbmflow.workers import Progress, run_tasks

FEWEST_UNITS = rbm_partition.fewest_units()
LOW_UNITS = 8
LARGEST_EXPONENT = 689.0  # of the kernel, see rbm_partition.log_sums
LN2 = math.log(2)
CHUNK = 64  # states of the high units to a call, at least: 2^20 states of the layer
MAX_CHUNKS = 64
LISTED_AT_ONCE = 2**16  # states
STEP_NANOSECONDS = 1e8  # of work, about, between two looks at Ctrl-C
STATE_NANOSECONDS = 5e3  # of a state of the high units, for each traced unit


class Enumerated(NamedTuple):
    """A machine seen from the layer s that is enumerated: ``−E = tᵀ(W s + b) + c·s``."""

    weights: FloatArray  # (n_traced, n_enumerated)
    traced_bias: FloatArray
    bias: FloatArray


class Sums(NamedTuple):
    """Means over the law of the two layers s and t."""

    enumerated: FloatArray  # ⟨s_j⟩
    traced: FloatArray  # ⟨t_i⟩
    coupled: FloatArray  # ⟨t_i s_j⟩


def fits_tables(seen: Enumerated) -> bool:
    """Return whether the weights are small enough for the kernel."""
    largest = 2 * (np.abs(seen.weights).sum(axis=1) + np.abs(seen.traced_bias)).max()
    return bool(largest <= LARGEST_EXPONENT)


def log_sum(seen: Enumerated, n_threads: int, progress: Progress | None = None) -> float | None:
    """Return ``ln Σ_s e^(c·s) Π_i 2cosh(b_i + Σ_j W_ij s_j)``.

    None where the weights are too large for the kernel.
    """
    logs = high_log_sums(seen, n_threads, progress)
    if logs is None:
        return None
    return rbm_partition.log_of_sum(logs) - max(FEWEST_UNITS - len(seen.bias), 0) * LN2


def high_log_sums(seen: Enumerated, n_threads: int, progress: Progress | None = None) -> FloatArray | None:
    """Return the same sum for each state of the last units alone.

    Their digits are those of its index, the first one least significant.
    """
    padded, _ = _padded(seen)
    n_high = 2 ** rbm_partition.high_units(len(padded.bias))
    logs, level = np.empty(n_high), simd_level()

    def fill(_chunk: int, first: int, last: int) -> bool:
        return rbm_partition.log_sums(*padded, first, last, *_scratch(padded), logs[first:last], level)

    return logs if _in_chunks(fill, n_high, len(padded.weights), n_threads, progress) else None


def moment_sums(
    seen: Enumerated, log_partition: float, n_threads: int, progress: Progress | None = None
) -> Sums | None:
    """Return the means of both layers and of their products.

    None where the weights are too large for the kernel.
    """
    padded, added = _padded(seen)
    n_traced, n_units = padded.weights.shape
    n_high_units, level = rbm_partition.high_units(n_units), simd_level()
    n_middle = n_units - LOW_UNITS - n_high_units
    chunks: dict[int, tuple[FloatArray, ...]] = {}

    def fill(chunk: int, first: int, last: int) -> bool:
        if first == chunk:
            chunks[chunk] = tuple(
                np.zeros((n_traced + 1, n)) for n in (2**LOW_UNITS, 2**n_middle, 1 + n_high_units)
            )
        low, middle, high = chunks[chunk]
        shifted = log_partition + added * LN2
        return rbm_partition.moments(
            *padded, first, last, shifted, *_scratch(padded), low, middle, high, level
        )

    if not _in_chunks(fill, 2**n_high_units, n_traced, n_threads, progress):
        return None
    # in the order of the chunks, whichever thread was first
    low, middle, high = (sum(parts) for parts in zip(*(chunks[k] for k in sorted(chunks)), strict=True))
    coupled = np.concatenate([low @ _states(LOW_UNITS), middle @ _states(n_middle), high[:, 1:]], axis=1)
    total = high[-1, 0]  # 1, but for rounding
    coupled = coupled[:, : len(seen.bias)] / total
    return Sums(coupled[-1], high[:-1, 0] / total, coupled[:-1])


def list_weights(
    seen: Enumerated, weights: FloatArray, finish: Callable[[FloatArray, FloatArray], None]
) -> bool:
    """Write the weights of all states and finish them, some rows at a time, while they are in the cache.

    Return whether the kernel can, as for layers of at least ten units whose weights are not too large.

    Parameters
    ----------
    seen : Enumerated
        The machine.
    weights : numpy.ndarray of float64, shape (2**n,)
        Written, in the order of `spins.all_states`.
    finish : callable
        Called as ``finish(rows, scales)`` with rows of `weights`, which are still to be multiplied by
        ``exp(scales)``.
    """
    n_units = len(seen.bias)
    if n_units < FEWEST_UNITS:
        return False
    listed = weights.reshape(2 ** rbm_partition.high_units(n_units), -1)
    machine = Enumerated(*map(np.ascontiguousarray, seen))
    step, room, level = max(1, LISTED_AT_ONCE // listed.shape[1]), _scratch(machine), simd_level()
    for first in range(0, len(listed), step):
        rows = listed[first : first + step]
        scales, last = np.empty(len(rows)), first + len(rows)
        possible = rbm_partition.state_weights(*machine, first, last, *room, rows, scales, level)
        if not possible or not np.isfinite(scales).all():
            return False
        finish(rows, scales)
    return True


def _padded(seen: Enumerated) -> tuple[Enumerated, int]:
    """Return the machine with at least as many units as the kernel needs, and how many were added.

    Each of these is a factor 2.
    """
    weights, added = np.ascontiguousarray(seen.weights), FEWEST_UNITS - len(seen.bias)
    if added <= 0:
        return Enumerated(weights, seen.traced_bias, seen.bias), 0
    none = np.zeros((len(weights), added))
    bias = np.concatenate([seen.bias, none[0]])
    return Enumerated(np.concatenate([weights, none], axis=1), seen.traced_bias, bias), added


def _scratch(seen: Enumerated) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    n_doubles, n_integers = rbm_partition.scratch_sizes(*seen.weights.shape)
    return np.empty(n_doubles), np.empty(n_integers, dtype=np.int64)


def _in_chunks(
    fill: Callable[[int, int, int], bool],
    total: int,
    n_traced: int,
    n_threads: int,
    progress: Progress | None,
) -> bool:
    """Call ``fill(chunk, first, last)`` over the parts of the chunks 0 … total − 1.

    Return whether all of them were possible.

    A chunk is known by its beginning; its parts follow each other.
    """
    possible, chunk = [], max(CHUNK, total // MAX_CHUNKS)
    part = max(1, int(STEP_NANOSECONDS / (STATE_NANOSECONDS * n_traced)))

    def work(chunk_first: int) -> Iterator[int]:
        chunk_last = min(chunk_first + chunk, total)
        for first in range(chunk_first, chunk_last, part):
            last = min(first + part, chunk_last)
            possible.append(fill(chunk_first, first, last))
            yield last - first
            if not possible[-1]:
                return

    tasks, nanoseconds = (work(k) for k in range(0, total, chunk)), STATE_NANOSECONDS * n_traced * total
    run_tasks(tasks, n_threads, total=total, progress=progress, nanoseconds=nanoseconds)
    return all(possible)


@cache
def _states(n_units: int) -> FloatArray:
    states = all_states(n_units).astype(np.float64)
    states.setflags(write=False)
    return states
