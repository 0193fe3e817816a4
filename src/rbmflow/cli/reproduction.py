"""The commands reproduce and info."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from rbmflow.arguments import shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.output import draw, emit, say, show
from rbmflow.cli.parser import DONE, OFF
from rbmflow.cli.processes import processes
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments.reproduction import reproduce
from rbmflow.experiments.reproduction.report import render
from rbmflow.files import write_atomically
from rbmflow.hardware import SIMD_LEVELS, resolve_threads, simd_level, simd_reason
from rbmflow.provenance import provenance, version_of

PARTIAL = "reproduction.partial"
EXTRAS = ("pandas", "scikit-learn", "python-flint", "distributed", "tqdm", "shtab")
"""What no file rests on, but some function or command needs."""


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the commands of this module."""
    command = commands.add_parser(
        "reproduce", parents=[common], help="the thesis' figures, tables and checks, with a report"
    )
    command.add_argument(
        "--dpi", type=int, default=150, metavar="N", help="resolution of the PNG files (default %(default)s)"
    )
    command.add_argument(
        "--quick", action="store_true", help="smaller ensembles, shorter rings: half a minute"
    )
    command.set_defaults(run=_reproduce, folder=lambda _options: Path("reproduction"))

    command = commands.add_parser("info", parents=[common], help="versions, SIMD path, threads")
    command.set_defaults(run=_info)


def _reproduce(options: argparse.Namespace) -> int:
    if not 30 <= options.dpi <= 1200:
        raise ValueError(f"--dpi {options.dpi}: 30 to 1200 is possible")
    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: at least 0 is needed")
    parameters = reproduce.Parameters.quick() if options.quick else reproduce.Parameters()
    n_workers = resolve_threads(options.workers)
    parameters = replace(parameters, n_threads=n_workers)
    folder = options.out
    arguments = {**vars(parameters), "seed": options.seed}
    del arguments["n_threads"]  # on which no result depends
    kept = Checkpoints(folder / PARTIAL, arguments)
    started = bool(kept.names)
    with progress_bar(options, "reproduce") as report, processes(n_workers) as executor:

        def after(_stage: str, result: reproduce.Reproduction) -> None:
            if report is not None:
                report(len(result.stages), len(reproduce.STAGES))

        result = reproduce.run(
            parameters, rng=options.seed, executor=executor, progress=after, checkpoints=kept
        )
    try:
        pictures = draw(options, result, reproduce.FIGURES, options.dpi)
        facts = provenance(vars(result.parameters), result.seed)
        for name, table in result.tables.items():
            write_atomically(folder / f"{name}.csv", table.to_csv())
        write_atomically(folder / "provenance.json", json.dumps(facts, indent=1) + "\n")
        write_atomically(folder / "report.html", render(result, pictures, facts))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        if not started:
            raise
        raise ValueError(
            f"{kept.folder}: what an interrupted run left cannot be shown ({shown(error)}); "
            f"remove {kept.folder} to begin anew"
        ) from error
    kept.remove()
    off = [check for check in result.checks if not check.passed]
    if options.format != "table":
        names = ("name", "computed", "reference", "difference", "tolerance", "measure", "passed", "source")
        show(options, names, [[getattr(check, name) for name in names] for check in result.checks])
    for check in off:
        say(options, f"OFF: {check.name}: {check.computed}, reference {check.reference}")
    seconds = sum(stage.seconds for stage in result.stages.values())
    n_agree = len(result.checks) - len(off)
    agreement = f"{n_agree} of {len(result.checks)} numbers agree with their references"
    say(options, f"{agreement} ({seconds:.0f} s in all stages)")
    options.written.append(folder / "report.html")
    return OFF if off else DONE


def _info(options: argparse.Namespace) -> int:
    facts = provenance({}, None)
    rows: list[tuple[str, str | int]] = [
        ("version of " + name, number) for name, number in facts["versions"].items()
    ]
    rows += [("version of " + name, version_of(name)) for name in EXTRAS]
    rows += [("SIMD path", SIMD_LEVELS[simd_level()]), ("why this path", simd_reason())]
    rows += [("threads", resolve_threads(options.workers)), ("system", facts["platform"]["system"])]
    emit(options, "info", ("item", "value"), rows)
    return DONE
