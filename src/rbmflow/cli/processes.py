"""Worker processes of a command, which end with it, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from typing import Any

from rbmflow.cli.signals import signals_held

ALSO_HERE = 0.2
"""Seconds after the loss of a worker in which a signal sent to all processes arrives here as well."""


@contextmanager
def processes(n_workers: int) -> Iterator[Executor | None]:
    """Yield an executor of so many processes, None for one: then the command's own process does the work.

    A worker that is lost makes its task raise `BrokenExecutor`.
    """
    if n_workers == 1:
        yield None
        return
    pool = _Processes(n_workers)
    try:
        yield pool
    except BaseException as error:
        pool.kill()
        if isinstance(error, BrokenExecutor):
            time.sleep(ALSO_HERE)
        raise
    finally:
        pool.shutdown()


class _Processes(ThreadPoolExecutor):
    """Each thread hands its task to a process and waits for the answer.

    A pipe for each process, and no lock or semaphore between them: one that is killed, at whatever moment,
    closes its pipe and holds up nobody. The pool of processes of the standard library may wait forever for a
    worker that was killed while it read or wrote.
    """

    def __init__(self, n_workers: int) -> None:
        super().__init__(n_workers)
        self.n_workers = n_workers
        self.workers: list[Any] = []
        self.idle: queue.SimpleQueue[connection.Connection] = queue.SimpleQueue()

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        if len(self.workers) < self.n_workers:
            self._start()
        return super().submit(self._hand_over, task, arguments, keywords)

    def kill(self) -> None:
        """End the workers, which hold nothing that needs a proper end, and give up what waits."""
        for worker in self.workers:
            worker.kill()
        self.shutdown(wait=False, cancel_futures=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            while not self.idle.empty():
                self.idle.get().close()
            for worker in self.workers:
                worker.join()

    def _start(self) -> None:
        """Start a worker, undisturbed by signals, with Ctrl-C blocked: all processes of a terminal get it."""
        # a fork would copy locks that threads of the BLAS hold
        spawn = multiprocessing.get_context("spawn")
        with signals_held():
            resource_tracker.ensure_running()  # its start would unblock Ctrl-C again
            here, there = spawn.Pipe()
            worker = spawn.Process(target=_work, args=(there,), daemon=True)
            try:
                with _interrupts_blocked():
                    worker.start()
            except BrokenPipeError:  # killed before it had begun
                raise BrokenExecutor("a worker process was lost") from None
            there.close()
            self.workers.append(worker)
            self.idle.put(here)

    def _hand_over(self, task: Callable[..., Any], arguments: Any, keywords: Any) -> Any:
        link = self.idle.get()
        try:
            link.send((task, arguments, keywords))
            done, answer = link.recv()
        except (EOFError, ConnectionError):
            raise BrokenExecutor("a worker process was lost") from None
        finally:
            self.idle.put(link)
        if done:
            return answer
        raise answer


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(link: connection.Connection) -> None:
    """Answer task after task, until there are no more or the command has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task, arguments, keywords = link.recv()
        except EOFError:
            return
        try:
            answer = (True, task(*arguments, **keywords))
        except Exception as error:  # noqa: BLE001 (the command raises it)
            answer = (False, error)
        link.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
