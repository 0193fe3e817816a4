"""The command that audits a machine trained with this or another program."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.experiment import write_result
from rbmflow.cli.options import add_options, parameters_of
from rbmflow.cli.output import show
from rbmflow.cli.parser import DONE
from rbmflow.cli.progress import progress_bar
from rbmflow.cli.row_options import add_row_options, given_row_options
from rbmflow.cli.rows import read_spins
from rbmflow.cli.training import MODEL
from rbmflow.experiments import audit
from rbmflow.experiments.audit import Parameters
from rbmflow.networks.read_machine import ROLES, UNITS, found_machine

LAYOUTS = {"hidden-by-visible": True, "visible-by-hidden": False}


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "audit", parents=[common], help="what a machine is worth, trained with this or another program"
    )
    command.add_argument(
        "file",
        type=Path,
        metavar="MACHINE",
        help="an archive of rbms (HDF5), arrays in npz (also of scikit-learn), HDF5 or safetensors, or a "
        "model.npz of this program",
    )
    command.add_argument("--data", type=Path, metavar="FILE", help="rows that it was trained on, or others")
    add_row_options(command)
    command.add_argument("--units", choices=UNITS, help="of the machine: 0 and 1, or -1 and +1")
    command.add_argument("--weights", choices=LAYOUTS, help="how they lie in the file, if it does not tell")
    command.add_argument(
        "--temperature", type=float, default=1.0, metavar="T", help="of p ~ exp(-E/T) (default 1)"
    )
    command.add_argument("--update", type=int, metavar="N", help="of an archive of rbms; default: the last")
    command.add_argument(
        "--names", nargs="+", metavar="ROLE=NAME", help=f"arrays in the file, of {', '.join(ROLES)}"
    )
    add_options(command, Parameters, with_defaults=True)
    command.set_defaults(run=_audit, folder=lambda options: Path(f"{options.file.stem}.audit"))


def _audit(options: argparse.Namespace) -> int:
    parameters = parameters_of(options, Parameters)
    if options.data is None and (idle := given_row_options(options)):
        raise ValueError(f"{', '.join(idle)}: --data FILE is needed")
    with progress_bar(options, f"reading {options.file.name}"):
        found = _found(options)
    model = found.model
    rows = None if options.data is None else read_spins(options.data, options).spins
    if rows is not None and rows.shape[1] != model.n_visible:
        raise ValueError(
            f"{options.data}: it has {rows.shape[1]} columns, the machine {model.n_visible} visible units"
        )
    beside = "" if options.data is None else f"; rows of {options.data.name}"
    (one,) = audit.EXPERIMENTS
    given = _digest(model.weights, model.visible_bias, model.hidden_bias, rows)
    arguments = {"seed": options.seed, "given": given, **parameters.to_json()}
    kept = Checkpoints(options.out / "audit.partial", arguments)
    with progress_bar(options, one.unit) as report:
        result = audit.run(
            parameters,
            model,
            rows,
            rng=options.seed,
            machine=f"{options.file.name}: {found.origin}{beside}",
            checkpoints=kept,
            progress=report,
            n_threads=options.workers,
        )
    model.save(options.out / MODEL)
    write_result(options, one, result)
    kept.remove()
    if options.format == "table":
        print(f"{result.machine}; {model.n_visible} visible, {model.n_hidden} hidden units")
        print("\n".join(result.lines()))
    else:
        columns = result.tables["findings"].columns
        show(options, list(columns), list(zip(*columns.values(), strict=True)))
    options.written.append(options.out / "report.html")
    return DONE


def _found(options: argparse.Namespace) -> Any:
    """The machine in the file, with what the file says of itself."""
    return found_machine(
        options.file,
        units=options.units,
        transposed=None if options.weights is None else LAYOUTS[options.weights],
        temperature=options.temperature,
        update=options.update,
        names=_names(options.names),
    )


def _names(words: list[str] | None) -> dict[str, str] | None:
    """Return names by role from words such as ``weights=W``."""
    if words is None:
        return None
    pairs = [word.partition("=") for word in words]
    if not all(equals and name for _, equals, name in pairs):
        raise ValueError(f"--names {' '.join(words)}: ROLE=NAME is needed, of {', '.join(ROLES)}")
    return {role: name for role, _, name in pairs}


def _digest(*arrays: FloatArray | SpinArray | None) -> str:
    total = hashlib.sha256()
    for one in arrays:
        total.update(b"none" if one is None else f"{one.shape}".encode() + one.tobytes())
    return total.hexdigest()
