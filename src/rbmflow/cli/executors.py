"""Where a command has its work done: here, in processes of this machine, on Dask, under MPI."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import Any

from rbmflow.cli.processes import processes
from rbmflow.provenance import version_of

MPI = "mpi4py.futures"
"""Loaded where a command runs as ``mpiexec -n 3 python -m mpi4py.futures -m rbmflow ...``."""
PATIENCE = 30.0
"""Seconds in which a scheduler has to answer."""
POLL_SECONDS = 0.5


def add_scheduler(command: argparse.ArgumentParser) -> None:
    """Declare the option that names a scheduler."""
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="of Dask, as tcp://host:8786, whose workers do the work (extra parallel)",
    )


@contextmanager
def executor_of(options: argparse.Namespace, n_workers: int) -> Iterator[Executor | None]:
    """Yield the executor that the options ask for, by default so many processes; None for work in this one.

    The loss of a worker or of a scheduler raises `BrokenExecutor`.
    """
    with elsewhere(options) as executor:
        if executor is not None:
            yield executor
            return
        with processes(n_workers) as pool:
            yield pool


@contextmanager
def elsewhere(options: argparse.Namespace) -> Iterator[Executor | None]:
    """Yield the executor of the scheduler that the options name, or of MPI; None for work on this machine."""
    if options.scheduler is not None and options.workers is not None:
        raise ValueError("--scheduler, --workers: one of them; the scheduler has workers of its own")
    if options.scheduler is not None:
        with _dask(options.scheduler) as executor:
            yield executor
    elif MPI in sys.modules:
        with sys.modules[MPI].MPIPoolExecutor(main=False) as executor:
            yield executor
    else:
        yield None


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError:
        raise ImportError("--scheduler needs Dask: pip install 'rbmflow[parallel]'") from None
    client: Any
    with _quiet(), distributed.Client(address, timeout=PATIENCE, set_as_default=False) as client:
        _check_versions(client)
        executor = _Watched(client)
        try:
            yield executor
        except distributed.KilledWorker as error:
            raise BrokenExecutor("workers were lost again and again with the same batch") from error
        finally:
            executor.ended.set()


class _Watched(Executor):
    """The executor of a client; none of its futures waits for a scheduler that is lost.

    Dask's own forgets the future whose result was on its way at that moment.
    """

    def __init__(self, client: Any) -> None:
        self.client, self.inner = client, client.get_executor(pure=False)
        self.pending: set[Future[Any]] = set()
        self.ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        future: Future[Any] = self.inner.submit(task, *arguments, **keywords)
        self.pending.add(future)
        future.add_done_callback(self.pending.discard)
        return future

    def _watch(self) -> None:
        while not self.ended.wait(POLL_SECONDS):
            if self.client.status in ("closing", "closed"):
                for future in self.pending.copy():
                    with suppress(InvalidStateError):  # it is done by now
                        future.set_exception(BrokenExecutor("the scheduler was lost"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave it to the command to say in one line that a scheduler is lost."""
    loggers = [logging.getLogger(name) for name in ("distributed.client", "tornado.application", "asyncio")]
    before = [one.level for one in loggers]
    try:
        for one in loggers:
            one.setLevel(logging.CRITICAL)
        yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)


def _check_versions(client: Any) -> None:
    """Raise ValueError where a worker has another version: its results might be others."""
    others = {version for version in client.run(version_of).values() if version != version_of()}
    if others:
        raise ValueError(
            f"--scheduler: its workers have rbmflow {', '.join(sorted(others))}, this is {version_of()}"
        )
