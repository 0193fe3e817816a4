"""Brute force: every configuration of a ring visited by the counting kernel, in chunks over threads."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import enumeration
from rbmflow.errors import CostWarning
from rbmflow.hardware import resolve_threads, simd_level
from rbmflow.ising.counts import DegeneracyTable, table_from_counts

MAX_ENUMERATED_SITES = 48
COSTLY_SITES = 36
CHUNK = 2**26
POLL_SECONDS = 0.1

Progress = Callable[[int, int], object]
"""Called as ``progress(done, total)`` with numbers of configurations."""


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
    chunks = iter(range(0, total, CHUNK))
    lock, stop = threading.Lock(), threading.Event()
    done = [0] * threads

    def work(worker: int) -> npt.NDArray[np.uint64]:
        counts = np.zeros((n_sites // 2 + 1, n_sites + 1), dtype=np.uint64)
        for first in _take(chunks, lock, stop):
            last = min(first + CHUNK, total)
            enumeration.tally_ring(n_sites, first, last, counts, level)
            done[worker] += 2 * (last - first)
        return counts

    with ThreadPoolExecutor(threads) as pool:
        try:
            futures = [pool.submit(work, worker) for worker in range(threads)]
            pending = set(futures)
            while pending:
                _, pending = wait(pending, timeout=POLL_SECONDS)
                if progress is not None:
                    progress(sum(done), 2 * total)
        finally:
            stop.set()
    counts = sum(future.result() for future in futures)
    return table_from_counts(
        n_sites,
        {(int(k), int(n)): int(counts[k, n]) for k, n in np.argwhere(counts)},  # type: ignore[index]
    )


def _take(chunks: Iterator[int], lock: threading.Lock, stop: threading.Event) -> Iterator[int]:
    """Yield chunks until there are none, or `stop` is set."""
    while not stop.is_set():
        with lock:
            first = next(chunks, None)
        if first is None:
            return
        yield first


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
