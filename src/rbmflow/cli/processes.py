"""Worker processes of a command, which stop at once with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def processes(n_workers: int) -> Iterator[Executor | None]:
    """Yield an executor of so many processes, None for one: then the command's own process does the work."""
    if n_workers == 1:
        yield None
        return
    # a fork would copy locks that threads of the BLAS hold
    pool = ProcessPoolExecutor(
        n_workers, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown()


def _leave_interrupts() -> None:
    """Ctrl-C reaches every process of a terminal: the command answers it; a worker only ends."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(1))
