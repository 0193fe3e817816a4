"""The commands on the Ising model itself: degeneracies."""

from __future__ import annotations

import argparse
from typing import Any

from rbmflow import Ring
from rbmflow.cli.output import DONE, emit, progress_bar


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the commands of this room."""
    command = commands.add_parser(
        "degeneracies", parents=[common], help="configurations of a ring for each α and V"
    )
    command.add_argument("M", type=int, help="sites of the ring")
    command.add_argument(
        "--brute-force", action="store_true", help="visit all 2^M configurations (M up to 48)"
    )
    command.set_defaults(run=_degeneracies)


def _degeneracies(options: argparse.Namespace) -> int:
    ring = Ring(options.M)
    if options.brute_force:
        with progress_bar(options, f"2^{ring.n_sites} configurations") as report:
            table = ring.enumerate(n_threads=options.workers, progress=report)
    else:
        table = ring.degeneracies()
    emit(options, f"degeneracies_{ring.n_sites}", ("alpha", "magnetization", "count"), list(table.rows()))
    if options.format == "table" and options.out is None:
        print(f"{len(table)} classes, {table.total} configurations")
    return DONE
