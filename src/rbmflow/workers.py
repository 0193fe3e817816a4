"""Tasks over threads, in steps: stoppable between steps, with progress; the tasks' results do not depend on the threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

POLL_SECONDS = 0.1

Progress = Callable[[int, int], object]
"""Called as ``progress(done, total)``."""


def run_tasks(
    tasks: Sequence[Iterator[int]], n_threads: int, *, total: int = 0, progress: Progress | None = None
) -> None:
    """Exhaust every task; each yields after a step how much it has done. An exception or Ctrl-C stops all between steps.

    Parameters
    ----------
    tasks : sequence of iterators of int
        Independent of each other.
    n_threads : int
        At least 1.
    total : int
        What the steps add up to, for the progress.
    progress : callable, optional
        Called about ten times a second from this thread.

    Examples
    --------
    >>> seen = []
    >>> run_tasks([iter([1, 1]), iter([2])], 2, total=4, progress=lambda done, total: seen.append((done, total)))
    >>> seen[-1]
    (4, 4)
    """
    if min(n_threads, len(tasks)) <= 1:
        _run_here(tasks, total, progress)
        return
    done = [0] * len(tasks)
    stop = threading.Event()

    def work(index: int) -> None:
        for amount in tasks[index]:
            done[index] += amount
            if stop.is_set():
                return

    with ThreadPoolExecutor(min(n_threads, len(tasks))) as pool:
        pending = {pool.submit(work, index) for index in range(len(tasks))}
        try:
            while pending:
                finished, pending = wait(pending, timeout=POLL_SECONDS, return_when="FIRST_EXCEPTION")
                for future in finished:
                    future.result()
                if progress is not None:
                    progress(sum(done), total)
        finally:
            stop.set()
            for future in pending:
                future.cancel()
    if progress is not None:
        progress(sum(done), total)


def _run_here(tasks: Sequence[Iterator[int]], total: int, progress: Progress | None) -> None:
    """Exhaust the tasks one after the other in this thread, where Ctrl-C arrives between steps."""
    done, told = 0, time.monotonic()
    for task in tasks:
        for amount in task:
            done += amount
            if progress is not None and time.monotonic() - told > POLL_SECONDS:
                told = time.monotonic()
                progress(done, total)
    if progress is not None:
        progress(done, total)
