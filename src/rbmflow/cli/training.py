"""The command that trains a machine on a file of spins."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from rbmflow.arguments import SpinArray
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.options import add_options, parameters_of
from rbmflow.cli.output import progress_bar, publish
from rbmflow.estimate import with_error
from rbmflow.experiments import own_data
from rbmflow.experiments.own_data import Parameters
from rbmflow.reading import read_array
from rbmflow.sampling.training_set import read_rows
from rbmflow.spins import check_spins

MODEL, PARTIAL = "model.npz", "training.partial"
NETCDF = (".nc", ".nc4", ".netcdf")
SECONDS = 2.0  # between states that are kept


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "train", parents=[common], help="train an RBM on a file of spins; its likelihood, weights and model"
    )
    command.add_argument(
        "file", type=Path, metavar="FILE", help="CSV, npy or netCDF with a row for each configuration"
    )
    command.add_argument("--binary", action="store_true", help="the file holds 0 and 1 for -1 and +1")
    add_options(command, Parameters, with_defaults=True)
    command.set_defaults(run=_train, folder=lambda options: Path(f"{options.file.stem}.trained"))


def _train(options: argparse.Namespace) -> int:
    parameters = parameters_of(options, Parameters)
    spins = _read(options.file, binary=options.binary)
    digest = hashlib.sha256(f"{spins.shape}".encode() + spins.tobytes()).hexdigest()
    arguments = {"seed": options.seed, "data": digest, **parameters.to_json()}
    kept = Checkpoints(options.out / PARTIAL, arguments, SECONDS)
    resume = own_data.left_by(kept)
    if resume is not None and not options.quiet:
        print(f"going on after {resume.epoch} epochs", file=sys.stderr)

    with progress_bar(options, "epochs") as report:
        result = own_data.run(
            parameters,
            spins,
            rng=options.seed,
            checkpoints=kept,
            progress=report,
            n_threads=options.workers,
        )
    result.model.save(options.out / MODEL)
    status = publish(options, result.tables, "training", own_data.draw_training)
    kept.remove()
    options.written.append(options.out / MODEL)
    for row in zip(*result.tables["likelihood"].columns.values(), strict=True):
        print(f"{row[0]}: {with_error(row[2], row[3])} nats per row ({row[1]} rows)", file=sys.stderr)
    found = result.log_partition
    if found.stderr:
        print(
            f"ln Z = {found.value:.8g}, between {found.lower:.8g} and {found.upper:.8g},"
            f" by {found.n_effective:.2g} effective chains",
            file=sys.stderr,
        )
    if found.doubt:
        print(f"warning: do not rely on these likelihoods: {found.doubt}", file=sys.stderr)
    return status


def _read(path: Path, *, binary: bool) -> SpinArray:
    """Return the rows of a file as spins."""
    rows = read_rows(path) if path.suffix.lower() in NETCDF else read_array(path)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"{path}: its array has shape {rows.shape}, rows of spins are needed")
    bits, spins = np.isin(rows, (0, 1)), np.isin(rows, (-1, 1))
    if binary:
        if not bits.all():
            raise ValueError(f"{path}: --binary is for files that hold only 0 and 1; {_first(rows, ~bits)}")
        return np.where(rows > 0, np.int8(1), np.int8(-1))
    if not spins.all():
        if bits.all():
            raise ValueError(f"{path}: it holds 0 and 1; say --binary to read them as -1 and +1")
        binary = bool(bits[:, (rows == 0).any(axis=0)].all(axis=0).any())
        good, kind = (bits, "0 and 1, for --binary") if binary else (spins, "-1 and +1")
        hint = f"; other columns hold {kind}: leave out labels and numbers of rows"
        raise ValueError(f"{path}: {_first(rows, ~good)}{hint if good.all(axis=0).any() else ''}")
    return check_spins(str(path), rows)


def _first(rows: Any, bad: Any) -> str:
    """Return where the first bad value stands, counted from 1."""
    row, column = np.argwhere(bad)[0]
    return f"row {row + 1}, column {column + 1} holds {rows[row, column]:g}"
