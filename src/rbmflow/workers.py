"""Tasks over threads, in steps: stoppable between steps, with progress; and whole calls over threads.

The tasks' results do not depend on the threads. Tasks within a call stop when it is to stop.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from rbmflow.arguments import shown

POLL_SECONDS = 0.1
WORTH_A_THREAD = 2e6
"""Nanoseconds of work for which a thread is begun; that itself takes a tenth of it."""

_calling = threading.local()
"""Of a thread that makes a call for `results_of`: the event that stops it."""


class _Stopped(BaseException):
    """The call that tasks belong to is not needed any more."""


Progress = Callable[[int, int], object]
"""Called as ``progress(done, total)``."""


def check_progress(progress: object) -> Progress | None:
    """Return what reports progress, or raise.

    A function as it is, None for None and False, a bar of tqdm on stderr for True.

    Examples
    --------
    >>> check_progress(False) is None
    True
    """
    if progress is None or progress is False:
        return None
    if progress is True:
        return _bar()
    if not callable(progress):
        raise TypeError(f"progress={shown(progress)}: a function of (done, total), True or None is needed")
    return progress


def _bar() -> Progress:
    try:
        from tqdm import tqdm
    except ImportError:
        raise ImportError(
            "progress=True needs tqdm: pip install rbmflow[progress], or give a function"
        ) from None
    bars: list[Any] = []

    def report(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, unit_scale=True, file=sys.stderr, leave=False))
        bars[0].update(done - bars[0].n)
        if done >= total:
            bars.pop().close()

    return report


def run_tasks(
    tasks: Iterable[Iterator[int]],
    n_threads: int,
    *,
    total: int = 0,
    progress: Progress | None = None,
    nanoseconds: float = float("inf"),
) -> None:
    """Exhaust every task; each yields after a step how much it has done.

    An exception or Ctrl-C stops all between steps.

    Parameters
    ----------
    tasks : iterable of iterators of int
        Independent of each other; taken up one by one, in their order.
    n_threads : int
        At least 1; with one the tasks run in the calling thread.
    total : int
        What the steps add up to, for the progress.
    progress : callable, optional
        Called about ten times a second, always from the calling thread.
    nanoseconds : float
        What the work takes on one thread, about: little work takes fewer threads.

    Examples
    --------
    >>> seen = []
    >>> tasks = [iter([1, 1]), iter([2])]
    >>> run_tasks(tasks, 2, total=4, progress=lambda done, total: seen.append((done, total)))
    >>> seen[-1]
    (4, 4)
    """
    n_threads = max(1, int(min(n_threads, nanoseconds / WORTH_A_THREAD)))
    if n_threads == 1:
        _run_here(tasks, total, progress)
        return
    waiting, lock, stop = iter(tasks), threading.Lock(), threading.Event()
    done = [0] * n_threads

    def work(worker: int) -> None:
        while not stop.is_set():
            with lock:
                task = next(waiting, None)
            if task is None:
                return
            for amount in task:
                done[worker] += amount
                if stop.is_set():
                    return

    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(n_threads) as pool:
        try:
            pending = {pool.submit(work, worker) for worker in range(n_threads)}
            while pending:
                finished, pending = wait(pending, timeout=POLL_SECONDS, return_when="FIRST_EXCEPTION")
                for future in finished:
                    future.result()
                _check_stop()
                if progress is not None:
                    progress(sum(done), total)
        finally:
            stop.set()


def results_of(calls: Sequence[Callable[[], Any]], n_threads: int) -> Iterator[tuple[int, Any]]:
    """Yield the place and the result of every call, as they come, to the calling thread.

    An exception, Ctrl-C, or the end of the generator stops the others: where they run tasks, between steps.

    Parameters
    ----------
    calls : sequence of callable
        Independent of each other, without arguments.
    n_threads : int
        At least 1; with one the calls are made in the calling thread.

    Examples
    --------
    >>> sorted(results_of([lambda: "a", lambda: "b"], 2))
    [(0, 'a'), (1, 'b')]
    """
    if min(n_threads, len(calls)) <= 1:
        for place, call in enumerate(calls):
            yield place, call()
        return
    stop = threading.Event()

    def make(call: Callable[[], Any]) -> Any:
        _calling.stop = stop
        return call()

    from concurrent.futures import ThreadPoolExecutor, wait

    with ThreadPoolExecutor(min(n_threads, len(calls))) as pool:
        pending = {}
        try:
            for place, call in enumerate(calls):
                pending[pool.submit(make, call)] = place
            while pending:
                _check_stop()
                done, _ = wait(pending, timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
                for future in sorted(done, key=pending.__getitem__):
                    yield pending.pop(future), future.result()
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def call_together(call: Callable[[int], object], n_members: int, leave: Callable[[], object]) -> None:
    """Call ``call(member)`` for all members at the same time, the first one in the calling thread.

    The members wait for each other within the call; `leave` ends their waiting if one of them never comes.
    What the first one raises is raised, and the others are taken to have ended by it.

    Parameters
    ----------
    call : callable
        Of the number of a member, from 0.
    n_members : int
        At least 1.
    leave : callable
        Called when the first member has ended, or was never called.

    Examples
    --------
    >>> seen = []
    >>> call_together(seen.append, 3, lambda: None)
    >>> sorted(seen)
    [0, 1, 2]
    """

    def follow(member: int) -> None:
        with suppress(MemoryError):  # the first one raises it as well
            call(member)

    others = [threading.Thread(target=follow, args=(member,), daemon=True) for member in range(1, n_members)]
    try:
        for other in others:
            other.start()
        call(0)
    finally:
        leave()
        for other in others:
            if other.ident is not None:
                other.join()


def _check_stop() -> None:
    stop = getattr(_calling, "stop", None)
    if stop is not None and stop.is_set():
        raise _Stopped


def _run_here(tasks: Iterable[Iterator[int]], total: int, progress: Progress | None) -> None:
    """Exhaust the tasks one after the other in this thread, where Ctrl-C arrives between steps."""
    done, told = 0, time.monotonic()
    for task in tasks:
        for amount in task:
            done += amount
            _check_stop()
            if progress is not None and time.monotonic() - told > POLL_SECONDS:
                told = time.monotonic()
                progress(done, total)
    if progress is not None:
        progress(done, total)
