"""Where a command has its work done: here, in processes of this machine, on Dask, under MPI."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from typing import Any

from rbmflow.cli.processes import processes
from rbmflow.provenance import version_of

MPI = "mpi4py.futures"
"""Loaded where a command runs as ``mpiexec -n 3 python -m mpi4py.futures -m rbmflow ...``."""
PATIENCE = 30.0
"""Seconds in which a scheduler has to answer."""


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
    if options.scheduler is not None and options.workers is not None:
        raise ValueError("--scheduler, --workers: one of them; the scheduler has workers of its own")
    if options.scheduler is not None:
        with _dask(options.scheduler) as executor:
            yield executor
    elif MPI in sys.modules:
        with sys.modules[MPI].MPIPoolExecutor(main=False) as executor:
            yield executor
    else:
        with processes(n_workers) as pool:
            yield pool


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        import distributed
    except ImportError:
        raise ImportError("--scheduler needs Dask: pip install 'rbmflow[parallel]'") from None
    client: Any
    with _quiet(), distributed.Client(address, timeout=PATIENCE, set_as_default=False) as client:
        _check_versions(client)
        try:
            yield client.get_executor(pure=False)
        except distributed.KilledWorker as error:
            raise BrokenExecutor("workers were lost again and again with the same batch") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave it to the command to say in one line that a scheduler is lost."""
    logger = logging.getLogger("distributed.client")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_versions(client: Any) -> None:
    """Raise ValueError where a worker has another version: its results might be others."""
    others = {version for version in client.run(version_of).values() if version != version_of()}
    if others:
        raise ValueError(
            f"--scheduler: its workers have rbmflow {', '.join(sorted(others))}, this is {version_of()}"
        )
