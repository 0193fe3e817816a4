"""Sums over all states of a graph at many temperatures: weights by magnetization, and moments of the energy.

Energies are taken from the ground state, or for K < 0 from the highest state, so that no weight overflows
and differences keep their digits however large K is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from rbmflow._kernels import graph_sums
from rbmflow.arguments import FloatArray
from rbmflow.hardware import check_memory, resolve_threads, simd_level
from rbmflow.ising.level_table import (
    LevelTable,
    energies,
    extreme,
    has_table,
    kept_form,
    level_table,
    visited_sites,
)
from rbmflow.ising.spin_form import SpinForm
from rbmflow.workers import run_tasks

if TYPE_CHECKING:
    from rbmflow.ising import Graph

TOGETHER = 8
"""Temperatures of one call of the kernel, for which energies are computed once."""
AT_ONCE = 64
"""Temperatures of one passage over all states."""
CHUNK = 2**10
"""Blocks of one call: 2^22 states, a hundredth of a second for each temperature."""
CELLS = 2**20
"""Weights of a table in memory at a time."""
KEPT = 4
"""Rows of weights of each temperature, about: those kept for a while and what is made of them."""
LARGEST = 1e300
"""What stands for an infinite scale: any distance but 0 times it has no weight."""


@dataclass(frozen=True, eq=False)
class StateSums:
    """Sums over states at each of n_K couplings.

    Attributes
    ----------
    reference : numpy.ndarray of float64, shape (n_K,)
        Energy of the ground state, of the highest state where K < 0.
    weights : numpy.ndarray of float64, shape (n_K, n_sites + 1)
        ``Σ exp(−K (E − reference))`` by the number of spins up.
    rise : numpy.ndarray of float64, shape (n_K,)
        ``⟨E⟩ − reference``.
    deviation : numpy.ndarray of float64, shape (n_K,)
        Standard deviation of the energy.
    """

    reference: FloatArray
    weights: FloatArray
    rise: FloatArray
    deviation: FloatArray


def state_sums(graph: Graph, couplings: FloatArray, n_threads: int | None = None) -> StateSums:
    """Return the sums for a row of couplings, infinite ones included.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> sums = state_sums(Graph.from_bonds(2, [(0, 1)]), np.array([0.0, np.inf]))
    >>> sums.weights.tolist(), sums.rise.tolist()
    ([[1.0, 2.0, 1.0], [1.0, 0.0, 1.0]], [1.0, 0.0])
    """
    n_bytes = 8 * KEPT * couplings.size * (graph.n_sites + 1)
    check_memory(f"sums over states at {couplings.size} couplings", n_bytes, "fewer at once need less")
    return _kept_sums(graph, couplings.tobytes(), resolve_threads(n_threads))


@lru_cache(maxsize=8)
def _kept_sums(graph: Graph, raw: bytes, n_threads: int) -> StateSums:
    couplings, form = np.frombuffer(raw), kept_form(graph)
    n, m = len(couplings), graph.n_sites
    sums = StateSums(np.zeros(n), np.zeros((n, m + 1)), np.zeros(n), np.zeros(n))
    if has_table(graph):
        evaluate = partial(_from_table, level_table(graph, n_threads))
        at_once = max(1, CELLS // len(evaluate.args[0].ups))
    else:
        evaluate = partial(_visited, form, n_threads, _extremes(graph, n_threads))
        at_once = AT_ONCE
    for negative in (False, True):
        places = np.flatnonzero((couplings < 0) == negative)
        for first in range(0, len(places), at_once):
            some = places[first : first + at_once]
            with np.errstate(over="ignore", under="ignore"):
                scale = np.minimum(np.ldexp(np.abs(couplings[some]), form.exponent), LARGEST)
                reference, weights, mean, variance = evaluate(scale, negative)
            sign = -1.0 if negative else 1.0
            sums.reference[some] = reference
            sums.weights[some] = weights
            sums.rise[some] = np.ldexp(2 * sign * mean, form.exponent)
            sums.deviation[some] = np.ldexp(2 * np.sqrt(variance), form.exponent)
    return sums


_Parts = tuple[float, FloatArray, FloatArray, FloatArray]
"""Energy of the reference, weights, mean distance and its variance; distances are those of the form."""


def _from_table(table: LevelTable, scale: FloatArray, negative: bool) -> _Parts:
    ground = extreme(table.coarse, table.fine, highest=negative)
    distance = np.abs((table.coarse - table.coarse[ground]) + (table.fine - table.fine[ground]))
    weights = np.exp(-2.0 * np.minimum(scale[:, np.newaxis] * distance, LARGEST))
    weights *= table.count
    starts = np.flatnonzero(np.diff(table.ups, prepend=-1))
    by_ups = np.zeros((len(scale), table.form.n_sites + 1))
    by_ups[:, table.ups[starts]] = np.add.reduceat(weights, starts, axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    mean = (weights * distance).sum(axis=1)  # row by row: not by products, whose order depends on the rows
    variance = (weights * (distance - mean[:, np.newaxis]) ** 2).sum(axis=1)
    return float(table.energies[ground]), by_ups, mean, variance


@lru_cache(maxsize=16)
def _extremes(graph: Graph, n_threads: int) -> FloatArray:
    """The least and the greatest value of the form, two limbs each."""
    form, level = kept_form(graph), simd_level()
    linear, pairs = _first_sites(form)
    firsts = range(0, _n_blocks(form), CHUNK)
    bounds = np.zeros((len(firsts), 4))  # that of all spins down

    def visit(first: int, found: FloatArray) -> Iterator[int]:
        last = min(first + CHUNK, _n_blocks(form))
        graph_sums.extremes(linear, pairs, first, last, found, level)
        yield 1

    run_tasks([visit(*task) for task in zip(firsts, bounds, strict=True)], n_threads)
    best: FloatArray = bounds[0]
    for other in bounds:
        if (other[0] - best[0]) + (other[1] - best[1]) < 0:
            best[:2] = other[:2]
        if (other[2] - best[2]) + (other[3] - best[3]) > 0:
            best[2:] = other[2:]
    return best


def _n_blocks(form: SpinForm) -> int:
    return 1 << visited_sites(form) - graph_sums.FEWEST_SITES


def _first_sites(form: SpinForm) -> tuple[FloatArray, FloatArray]:
    n = visited_sites(form)
    return np.ascontiguousarray(form.linear[:, :n]), np.ascontiguousarray(form.pairs[:, :n, :n])


def _visited(
    form: SpinForm, n_threads: int, extremes: FloatArray, scale: FloatArray, negative: bool
) -> _Parts:
    """The sums of a passage over all states: parts of them for each chunk, added in their order."""
    n_visited, level = visited_sites(form), simd_level()
    linear, pairs = _first_sites(form)
    reference = np.ascontiguousarray(extremes[2:] if negative else extremes[:2])
    firsts = range(0, _n_blocks(form), CHUNK)
    weights = np.zeros((len(firsts), len(scale), n_visited + 1))
    moments = np.zeros((len(firsts), len(scale), 2))

    def visit(chunk: int) -> Iterator[int]:
        last = min(firsts[chunk] + CHUNK, _n_blocks(form))
        for k in range(0, len(scale), TOGETHER):
            some = slice(k, k + TOGETHER)
            graph_sums.weigh(
                linear, pairs, firsts[chunk], last, reference, scale[some],
                weights[chunk, some], moments[chunk, some], level,
            )  # fmt: skip
            yield 1

    run_tasks([visit(chunk) for chunk in range(len(firsts))], n_threads)
    by_ups = np.zeros((len(scale), form.n_sites + 1))
    by_ups[:, : n_visited + 1] = weights.sum(axis=0)
    total = by_ups.sum(axis=1)
    mean, square = moments.sum(axis=0).T / total
    if not form.has_fields:
        by_ups += by_ups[:, ::-1]
    energy = energies(form, reference[:1], reference[1:])
    return float(energy[0]), by_ups, mean, np.maximum(square - mean * mean, 0.0)
