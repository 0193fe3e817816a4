"""Brute force: every configuration of a ring visited by the counting kernel, in chunks over threads."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import enumeration
from rbmflow.errors import CostWarning
from rbmflow.hardware import resolve_threads, simd_level
from rbmflow.ising.ring_counts import DegeneracyTable, table_from_counts
from rbmflow.workers import Progress, run_tasks

MAX_ENUMERATED_SITES = 48
COSTLY_SITES = 36
CHUNK = 2**26


def enumerate_ring(
    n_sites: int, n_threads: int | None = None, progress: Progress | None = None
) -> DegeneracyTable:
    """Return the table of the ring by visiting all 2^n_sites configurations.

    The kernel walks the configurations with the last spin down and visits each together with its global
    spin flip, which has the same α and the opposite V. Threads take chunks of 2^26 from one queue
    and tally into histograms of their own, so that the sum does not depend on their number.
    """
    threads = resolve_threads(n_threads)
    level = simd_level()
    total = 2 ** (n_sites - 1)
    if n_sites > COSTLY_SITES:
        _warn_of_cost(n_sites, threads, level)
    chunks, lock = iter(range(0, total, CHUNK)), threading.Lock()
    tallies = np.zeros((threads, n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)

    def work(counts: npt.NDArray[np.uint64]) -> Iterator[int]:
        while True:
            with lock:
                first = next(chunks, None)
            if first is None:
                return
            last = min(first + CHUNK, total)
            enumeration.tally_ring(n_sites, first, last, counts, level)
            yield 2 * (last - first)

    run_tasks([work(counts) for counts in tallies], threads, total=2 * total, progress=progress)
    counts = tallies.sum(axis=0)
    return table_from_counts(n_sites, {(int(k), int(n)): int(counts[k, n]) for k, n in np.argwhere(counts)})


def _warn_of_cost(n_sites: int, threads: int, level: int) -> None:
    """Time one chunk and warn how long 2^n_sites configurations will take."""
    counts = np.zeros((n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)
    start = time.perf_counter()
    enumeration.tally_ring(n_sites, 0, CHUNK, counts, level)
    seconds = (time.perf_counter() - start) * 2 ** (n_sites - 1) / CHUNK / threads
    warnings.warn(
        f"{n_sites} sites: 2^{n_sites} configurations will take about {seconds:.0f} s"
        f" ({seconds / 3600:.1f} h) on {threads} thread(s); the closed form, degeneracies(), is immediate",
        CostWarning,
        stacklevel=4,
    )
