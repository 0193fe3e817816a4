"""Tasks over threads, in steps: stoppable between steps, with progress; the tasks' results do not depend on the threads."""

from __future__ import annotations

import threading
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
    done = [0] * len(tasks)
    stop = threading.Event()

    def work(index: int) -> None:
        for amount in tasks[index]:
            done[index] += amount
            if stop.is_set():
                return

    with ThreadPoolExecutor(max(1, min(n_threads, len(tasks)))) as pool:
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
