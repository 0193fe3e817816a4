"""The law of the magnetization of a torus in float64, without counts: a transfer matrix for each coupling.

Unfrustrated couplings only: K ≥ 0, or any K where both sides are even. With K < 0 one sublattice is turned,
and the law is that of the staggered magnetization at −K. All weights then are at most 1, that of the ground
state.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import torus_sums
from rbmflow.arguments import FloatArray
from rbmflow.hardware import check_memory, resolve_threads, simd_level
from rbmflow.ising.joint_density_of_states import first_rows
from rbmflow.workers import run_tasks

MAX_WIDTH = 12
MAX_WORK = 3 * 10**10
"""Sums for one coupling."""
MAX_STEP = 10**9
"""Those of one first row, in which nothing interrupts."""
NANOSECONDS = 0.3
"""Of a sum."""
AT_ONCE = 64
"""Couplings whose sums are in memory."""
LEAST = 1e-300
"""Weights below so much of the largest are lost among those that have underflowed."""


def weights_reach(n_rows: int, n_cols: int, couplings: FloatArray) -> npt.NDArray[np.bool_]:
    """Return for which couplings `law_by_weights` has the law.

    Examples
    --------
    >>> weights_reach(12, 12, np.array([0.4, -0.4])), weights_reach(9, 10, np.array([0.4, -0.4]))
    (array([ True,  True]), array([ True, False]))
    """
    width, length = sorted((n_rows, n_cols))
    unfrustrated = (couplings >= 0) | (width % 2 == length % 2 == 0)
    return unfrustrated & _is_within_reach(width, length)


def _is_within_reach(width: int, length: int) -> bool:
    if width > MAX_WIDTH or width * length > torus_sums.MOST_WEIGHED_SITES:
        return False
    step = _step(width, length)
    return step <= MAX_STEP and step * len(first_rows(width)) <= MAX_WORK


def _step(width: int, length: int) -> int:
    n_sites = width * length
    return int(n_sites * 2**width * (n_sites - width + 1) // 2)


def law_by_weights(n_rows: int, n_cols: int, couplings: FloatArray) -> FloatArray:
    """Return the probabilities of each magnetization, shape (n_K, n_sites + 1), at unfrustrated couplings.

    For each first row, up to the symmetries of a row and the global flip, the sums of weights by (state of
    the last w spins, magnetization) are carried along the torus and closed on the first row: sums of positive
    terms, whose relative error is a few roundings for each spin.

    Time O(4^w w l²) for each coupling.

    Examples
    --------
    >>> law_by_weights(2, 2, np.array([0.25]))
    array([[0.2732, 0.1479, 0.1579, 0.1479, 0.2732]])
    """
    width, length = sorted((n_rows, n_cols))
    n_sites, rows = width * length, first_rows(width)
    # a row that is turned, moved or reversed gives the same sums, or with all spins turned their mirror image
    sizes = np.array([number * (1 if symmetric else 2) for _, number, symmetric in rows], dtype=np.float64)
    table = np.empty((len(couplings), n_sites + 1))
    for first in range(0, len(couplings), AT_ONCE):
        some = couplings[first : first + AT_ONCE]
        parts = _of_rows(width, length, some)
        table[first : first + AT_ONCE] = (parts * sizes[:, np.newaxis]).sum(axis=1)
    table += table[:, ::-1]
    table[table < LEAST * table.max(axis=1, keepdims=True, initial=0.0)] = 0.0
    return np.asarray(table / table.sum(axis=1, keepdims=True))


def _of_rows(width: int, length: int, couplings: FloatArray) -> FloatArray:
    """Sums of weights for each coupling and each class of first rows, by the spins that are up."""
    n_sites, rows = width * length, first_rows(width)
    size = 2**width * (n_sites - width + 1)
    n_threads, level = resolve_threads(None), simd_level()
    check_memory(f"weights on {n_threads} threads", 8 * n_threads * size, "fewer threads need less")
    parts = np.zeros((len(couplings), len(rows), n_sites + 1))
    x = np.exp(-4.0 * np.abs(couplings)).tolist()  # of a pair of unsatisfied bonds
    waiting, lock = iter(np.ndindex(*parts.shape[:2])), threading.Lock()

    def work() -> Iterator[int]:
        table = np.empty(size)
        while True:
            with lock:
                place = next(waiting, None)
            if place is None:
                return
            k, row = place
            staggered = bool(couplings[k] < 0)
            torus_sums.weights(width, length, rows[row][0], staggered, x[k], table, parts[place], level)
            yield 1

    nanoseconds = parts.shape[0] * len(rows) * _step(width, length) * NANOSECONDS
    run_tasks([work() for _ in range(n_threads)], n_threads, nanoseconds=nanoseconds)
    return parts
