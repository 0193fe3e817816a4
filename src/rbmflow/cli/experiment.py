"""The command ``experiment NAME``: each experiment with its files, figures and report."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.executors import add_scheduler, executor_of
from rbmflow.cli.geometry import SIDED, place_of
from rbmflow.cli.options import add_options, parameters_of
from rbmflow.cli.output import draw, say, show
from rbmflow.cli.parser import DONE
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments.experiment import PROVENANCE, Experiment, Result, experiments
from rbmflow.files import save_atomically, write_atomically
from rbmflow.hardware import resolve_threads
from rbmflow.provenance import provenance

SECONDS = 5.0  # between parts that are kept


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "experiment", help="an experiment by name, with its files, figures and report"
    )
    names = command.add_subparsers(dest="name", metavar="NAME", parser_class=type(common))
    families: dict[str, Any] = {}
    for one in experiments().values():
        if one.is_command:
            if one.family and one.family not in families:
                families[one.family] = _add_family(names, common, one.family)
            _add(families.get(one.family, names), common, one)
    command.set_defaults(
        incomplete=partial(command.error, f"NAME is needed, one of {', '.join(names.choices)}")
    )


def _add(names: Any, common: argparse.ArgumentParser, one: Experiment) -> None:
    """Declare an experiment."""
    parser = names.add_parser(one.name, parents=[common], help=one.help)
    sizes: Any = parser.add_mutually_exclusive_group() if one.presets else parser
    for preset, (text, _) in one.presets.items():
        sizes.add_argument(f"--{preset}", action="store_true", help=text)
    add_scheduler(parser)
    if one.place is not None:
        parser.add_argument("--lattice", choices=SIDED, help="where the spins are (default torus)")
        parser.add_argument(
            "--size", nargs="+", type=int, metavar="L",
            help="its sides in cells, one for all (default: about 100 spins)",
        )  # fmt: skip
    add_options(parser, _start(one), one.options)
    parser.set_defaults(run=partial(_run, one), folder=lambda _: Path(one.name))


def _add_family(names: Any, common: argparse.ArgumentParser, family: str) -> Any:
    """Declare experiments that are listed together, and return where each is added."""
    parser = names.add_parser(family, help=f"an experiment of a {family} by name; --list lists them")
    parser.add_argument("--list", action="store_true", dest="list_all", help="list them")
    members = parser.add_subparsers(dest=family, metavar="NAME", parser_class=type(common))
    nothing = {"out": None, "workers": None, "digits": None, "format": "table"}
    parser.set_defaults(run=partial(_list, parser, family), **nothing)
    return members


def _list(parser: Any, family: str, options: argparse.Namespace) -> int:
    """List the experiments of a family."""
    members = [one for one in experiments().values() if one.family == family]
    if not options.list_all:
        parser.error(f"NAME is needed, one of {', '.join(one.name for one in members)}")
    show(options, (family, "source", "what"), [(one.name, one.source, one.help) for one in members])
    return DONE


def _start(one: Experiment) -> Any:
    """The parameters by default."""
    return one.parameters() if isinstance(one.parameters, type) else one.parameters


def _run(one: Experiment, options: argparse.Namespace) -> int:
    """Run an experiment, or what an interrupted run left to do of it, and write what it found."""
    if one.needs is not None:
        one.needs()  # before hours of work that could not be written
    start = _start(one)
    for preset, (_, change) in one.presets.items():
        start = change(start) if getattr(options, preset) else start
    if one.place is not None and (options.lattice or options.size):
        start = one.place(start, place_of(options.lattice or start.lattice.name, options.size or ()))
    if one.now:
        gone = f"experiment {one.name} is now experiment {one.now}; version 2.0 removes the former name"
        print(gone, file=sys.stderr)
    parameters = parameters_of(options, start, one.options)
    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: at least 0 is needed")
    n_workers, begin, folder = resolve_threads(options.workers), time.monotonic(), options.out
    arguments = {"seed": options.seed, **parameters.to_json()}
    kept = Checkpoints(folder / f"{Path(one.file).stem}.partial", arguments, SECONDS)
    with (
        progress_bar(options, one.unit) as report,
        executor_of(options, n_workers if one.parallel else 1) as executor,
    ):
        result = one.run(
            parameters,
            rng=options.seed,
            executor=executor,
            progress=_announced(one, parameters, n_workers, report),
            checkpoints=kept,
        )
    write_result(options, one, result)
    kept.remove()
    lines = result.lines() if options.format == "table" else None
    if lines is None:
        table = next(iter(result.tables.values()))
        show(options, list(table.columns), list(zip(*table.columns.values(), strict=True)))
    for line in lines or ():
        print(line)
    for line in result.remarks(n_workers, time.monotonic() - begin):
        say(options, line)
    options.written.append(folder / (one.file if one.report is None else "report.html"))
    return DONE


def _announced(
    one: Experiment, parameters: Any, n_workers: int, report: Callable[[int, int], object] | None
) -> Callable[..., object] | None:
    """Return the progress of a run, which at first says how long it will take, where that can be known."""
    if report is None:
        return None
    told: list[bool] = []

    def progress(done: int, total: int, *_: object) -> None:
        if one.estimate is not None and not told:
            told.append(True)
            seconds = one.estimate(parameters, n_workers) * (1 - done / total)
            if done:
                print(f"going on after {done} of {total} {one.unit}", file=sys.stderr)
            print(f"about {_duration(seconds)} with {n_workers} workers", file=sys.stderr)
        report(done, total)

    return progress


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def write_result(options: argparse.Namespace, one: Experiment, result: Result) -> None:
    """Write a result, its figures and what it rests on; beside a report its tables as well."""
    folder = options.out
    save_atomically(folder / one.file, result.save)
    tables: dict[str, Any] = {} if one.report is None else result.tables
    for name, table in tables.items():
        write_atomically(folder / f"{name}.csv", table.to_csv())
    pictures = draw(options, result, one.figures)
    facts = provenance(result.parameters.to_json(), options.seed)
    write_atomically(folder / PROVENANCE, json.dumps(facts, indent=1) + "\n")
    if one.report is not None:
        write_atomically(folder / "report.html", one.report(result, pictures, facts))
