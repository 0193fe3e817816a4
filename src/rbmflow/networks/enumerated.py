"""The sum over all states of one layer, by the kernel: tables of exponentials, split so that nothing leaves the doubles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import rbm_partition
from rbmflow.arguments import FloatArray
from rbmflow.hardware import simd_level
from rbmflow.spins import all_states
from rbmflow.workers import Progress, run_tasks

IntArray = npt.NDArray[np.int64]
LOW_UNITS, MIDDLE_UNITS, FEWEST_UNITS = 8, 6, 10
BLOCK, TOGETHER, LANES = 32, 4, 8  # of the kernel
HIGH_AT_ONCE = 64  # states of the high units to a call: 2^20 states
RANGE = 690.0  # e^±690 are normal doubles, and 2^14 times them


class Enumerated(NamedTuple):
    """A machine seen from the layer s that is enumerated: ``−E = tᵀ(W s + b) + c·s``."""

    weights: FloatArray  # (n_traced, n_enumerated)
    traced_bias: FloatArray
    bias: FloatArray


@dataclass(frozen=True, eq=False)
class _Tables:
    """The arguments of the kernel that all its calls share."""

    low: FloatArray
    low_value: FloatArray
    low_exponent: IntArray
    middle: FloatArray
    middle_value: FloatArray
    middle_exponent: IntArray
    stops: IntArray


def fits_kernel(seen: Enumerated) -> bool:
    """Whether each ``2cosh a_i`` is in the range of doubles, in the form that the kernel has it."""
    return bool(_reaches(seen.weights, seen.traced_bias).max() <= RANGE)


def log_sum(seen: Enumerated, n_threads: int, progress: Progress | None = None) -> float:
    """Return ``ln Σ_s e^(c·s) Π_i 2cosh(b_i + Σ_j W_ij s_j)``.

    With a = α + β, β from the 8 low units: ``2cosh a = e^(α−β) (e^(2β) + e^(−2α))``. The first factor is linear in s.
    """
    n_traced, n_units = seen.weights.shape
    added = max(FEWEST_UNITS - n_units, 0)  # units without couplings, each a factor 2
    weights = np.concatenate([seen.weights, np.zeros((n_traced, added))], axis=1)
    bias = np.concatenate([seen.bias, np.zeros(added)])
    low_sum, high_sum = bias - weights.sum(axis=0), bias + weights.sum(axis=0)
    tables = _tables(weights, low_sum, high_sum, seen.traced_bias)
    top = LOW_UNITS + MIDDLE_UNITS
    n_high = 2 ** max(n_units - top, 0)
    logs = np.empty((n_high, LANES))

    def work(first: int) -> Iterator[int]:
        last = min(first + HIGH_AT_ONCE, n_high)
        spins = _states(first, last, max(n_units - top, 0))
        high = np.exp(-2 * (seen.traced_bias + spins @ weights[:, top:].T))
        sums, exponents = np.empty((last - first, LANES)), np.empty((last - first, LANES), dtype=np.int64)
        rbm_partition.sum_states(
            tables.low,
            tables.low_value,
            tables.low_exponent,
            tables.middle,
            tables.middle_value,
            tables.middle_exponent,
            high,
            tables.stops,
            np.empty(len(tables.middle_value) * (n_traced + LANES)),
            np.empty(len(tables.middle_value) * LANES, dtype=np.int64),
            sums,
            exponents,
            level,
        )
        logs[first:last] = np.log(sums) + exponents * np.log(2) + (spins @ high_sum[top:])[:, None]
        yield last - first

    level = simd_level()
    run_tasks(
        (work(first) for first in range(0, n_high, HIGH_AT_ONCE)), n_threads, total=n_high, progress=progress
    )
    best = logs.max()
    return float(best + np.log(np.exp(logs - best).sum()) + seen.traced_bias.sum() - added * np.log(2))


def _tables(
    weights: FloatArray, low_sum: FloatArray, high_sum: FloatArray, traced_bias: FloatArray
) -> _Tables:
    """Return the tables over the low and the middle units, and the stops that the products need."""
    n_traced, n_units = weights.shape
    split, top = LOW_UNITS, min(LOW_UNITS + MIDDLE_UNITS, n_units)
    low_states, middle_states = _all_states(split), _all_states(top - split)
    low = np.exp(2 * weights[:, :split] @ low_states.T).reshape(n_traced, -1, BLOCK).transpose(1, 0, 2)
    middle = np.exp(-2 * weights[:, split:top] @ middle_states.T)
    middle = middle.reshape(n_traced, -1, TOGETHER).transpose(1, 0, 2)
    low_log, middle_log = low_states @ low_sum[:split], middle_states @ high_sum[split:top]
    reaches = _reaches(weights, traced_bias)
    whole = reaches.sum() + np.abs(low_log).max() + np.abs(middle_log).max()
    if whole <= RANGE:
        stops = np.empty(0, dtype=np.int64)
        low_value, middle_value = np.exp(low_log), np.exp(middle_log)
        low_exponent, middle_exponent = (np.zeros(len(one), dtype=np.int64) for one in (low_log, middle_log))
    else:
        stops = _stops(reaches)
        low_value, low_exponent = _mantissa(low_log)
        middle_value, middle_exponent = _mantissa(middle_log)
    return _Tables(
        np.ascontiguousarray(low),
        low_value,
        low_exponent,
        np.ascontiguousarray(middle),
        middle_value,
        middle_exponent,
        stops,
    )


def _reaches(weights: FloatArray, traced_bias: FloatArray) -> FloatArray:
    """Return for each traced unit a bound on |ln(e^(2β) + e^(−2α))|, and on |2α|, |2β|."""
    size = np.abs(weights)
    low, high = size[:, :LOW_UNITS].sum(axis=1), size[:, LOW_UNITS:].sum(axis=1) + np.abs(traced_bias)
    return np.asarray(np.log(2) + 2 * np.maximum(low, high))


def _stops(reaches: FloatArray) -> IntArray:
    """Return after which traced units a product, begun below 2, must be brought back into range."""
    stops, reached = [], 1.0
    for unit, reach in enumerate(reaches.tolist()):
        if reached + reach > RANGE + 1:
            stops.append(unit)
            reached = 1.0
        reached += reach
    return np.array([*stops, len(reaches)], dtype=np.int64)


def _mantissa(log: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return x in [1, 2) and k with e^log = x 2^k."""
    exponent = np.floor(log / np.log(2))
    # ln 2 in two parts, the first with zeros at its end: log − k ln 2 is not rounded before its last digits
    rest = (log - exponent * 6.93147180369123816490e-01) - exponent * 1.90821492927058770002e-10
    value, more = np.frexp(np.exp(rest))
    return value * 2, (exponent + more - 1).astype(np.int64)


@cache
def _all_states(n_units: int) -> FloatArray:
    states = all_states(n_units).astype(np.float64)
    states.setflags(write=False)
    return states


def _states(first: int, last: int, n_units: int) -> FloatArray:
    """Return states first … last − 1 of n units as floats, the digits of the number, least significant first."""
    bits = (np.arange(first, last)[:, None] >> np.arange(n_units)) & 1
    return 2.0 * bits - 1.0
