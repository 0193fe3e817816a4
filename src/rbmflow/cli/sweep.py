"""The command ``sweep FILE``: a grid of calls of the package, on as many machines as there are."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.executors import add_scheduler, executor_of
from rbmflow.cli.output import MOST_SHOWN, draw_listed, say, show
from rbmflow.cli.parser import DONE
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments.experiment import PROVENANCE
from rbmflow.experiments.sweep import Plan, Sweep, arguments_of, can_be_drawn, draw_sweep, sweep
from rbmflow.files import save_atomically, write_atomically
from rbmflow.hardware import resolve_threads
from rbmflow.netcdf import require_xarray
from rbmflow.provenance import provenance

SECONDS = 1.0  # between parts that are kept


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "sweep", parents=[common], help="a grid of calls out of a TOML file; goes on after a kill"
    )
    command.add_argument(
        "plan",
        type=Path,
        metavar="FILE",
        help='in TOML: call = "trained_weight", [axes], [arguments], results = [...], seeds = N',
    )
    command.add_argument(
        "--netcdf", action="store_true", help="write sweep.nc, with the axes as dimensions, as well"
    )
    add_scheduler(command)
    command.set_defaults(run=_sweep, folder=lambda options: Path(options.plan.stem))


def _sweep(options: argparse.Namespace) -> int:
    plan = Plan.from_toml(options.plan)
    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: at least 0 is needed")
    if options.netcdf:
        require_xarray()  # before hours of work that could not be written
    n_workers = resolve_threads(options.workers)
    kept = Checkpoints(options.out / "sweep.partial", arguments_of(plan, options.seed), SECONDS)
    if kept.names and not options.quiet:
        print("going on after what an interrupted run has recorded", file=sys.stderr)
    with progress_bar(options, "points") as report, executor_of(options, n_workers) as executor:
        result = sweep(plan, rng=options.seed, executor=executor, progress=report, checkpoints=kept)
    _write(options, result)
    kept.remove()
    _show(options, result)
    return DONE


def _write(options: argparse.Namespace, result: Sweep) -> None:
    """Write the table, the figure if there is one, and what they rest on."""
    folder, as_json = options.out, options.format == "json"
    path = folder / ("sweep.json" if as_json else "sweep.csv")
    save_atomically(path, result.write_json if as_json else result.write_csv)
    options.written.append(path)
    if options.netcdf:
        result.save(folder / "sweep.nc")
        options.written.append(folder / "sweep.nc")
    if can_be_drawn(result):
        draw_listed(options, result, "sweep", draw_sweep)
    facts = provenance(result.plan.to_json(), result.seed)
    write_atomically(folder / PROVENANCE, json.dumps(facts, indent=1) + "\n")


def _show(options: argparse.Namespace, result: Sweep) -> None:
    if options.format == "table" and result.plan.n_points > MOST_SHOWN:
        n = len(result.plan.every_axis)
        axes, results = " and ".join(result.names[:n]), ", ".join(result.names[n:])
        say(options, f"{result.plan.n_points} points of {axes}: {results}")
        return
    table = result.tables["sweep"]
    show(options, list(table.columns), list(zip(*table.columns.values(), strict=True)))
