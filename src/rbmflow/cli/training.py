"""The command that trains a machine on a file of spins."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rbmflow.arguments import SpinArray
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.options import add_options, parameters_of
from rbmflow.cli.output import publish, say
from rbmflow.cli.progress import progress_bar
from rbmflow.cli.row_options import KINDS, add_row_options
from rbmflow.cli.rows import SpinRows, read_spins
from rbmflow.estimate import with_error
from rbmflow.experiments import own_data
from rbmflow.experiments.labels import labels_table
from rbmflow.experiments.own_data import Parameters
from rbmflow.experiments.own_data.figure import NAMES
from rbmflow.experiments.tables import Table
from rbmflow.training import Grey, Incomplete

MODEL, PARTIAL = "model.npz", "training.partial"
SECONDS = 2.0  # between states that are kept


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "train", parents=[common], help="train an RBM on a file of spins; its likelihood, weights and model"
    )
    command.add_argument("file", type=Path, metavar="FILE", help=KINDS)
    add_row_options(command, uncertain=True)
    add_options(command, Parameters, with_defaults=True)
    command.set_defaults(run=_train, folder=lambda options: Path(f"{options.file.stem}.trained"))


def _train(options: argparse.Namespace) -> int:
    parameters = parameters_of(options, Parameters)
    rows = read_spins(options.file, options)
    total = hashlib.sha256(f"{rows.spins.shape}".encode() + rows.spins.tobytes())
    for part in (rows.missing, rows.grey):
        total.update(b"" if part is None else part.tobytes())
    digest = total.hexdigest()
    arguments = {"seed": options.seed, "data": digest, **parameters.to_json()}
    kept = Checkpoints(options.out / PARTIAL, arguments, SECONDS)
    resume = own_data.left_by(kept)
    if resume is not None and not options.quiet:
        print(f"going on after {resume.epoch} epochs", file=sys.stderr)

    with progress_bar(options, "epochs") as report:
        result = own_data.run(
            parameters,
            _data(rows),
            rng=options.seed,
            checkpoints=kept,
            progress=report,
            n_threads=options.workers,
        )
    result.model.save(options.out / MODEL)
    tables = {**result.tables, "weights": _with_names(result.tables["weights"], rows.names)}
    if rows.labels is not None and rows.missing is None and rows.grey is None:
        ln_z = result.log_partition.value
        tables = {**tables, "labels": labels_table(result.model, rows.spins, rows.labels, ln_z)}
    elif rows.labels is not None:
        print("no table of labels: rows have gaps or are grey", file=sys.stderr)
    status = publish(options, tables, "training", own_data.draw_training)
    kept.remove()
    options.written.append(options.out / MODEL)
    for line in _lines(result):
        if line.startswith("warning"):
            print(line, file=sys.stderr)
        else:
            say(options, line)
    return status


def _lines(result: Any) -> Iterator[str]:
    """What a reader wants to know: how likely rows are, and what to beware of."""
    if not result.tables["likelihood"].columns["rows"]:
        yield "no row is whole: there are no likelihoods"
    for row in zip(*result.tables["likelihood"].columns.values(), strict=True):
        likelihood = with_error(row[2], row[3])
        yield f"{row[0]}: {likelihood} nats per row ({row[1]} rows), {row[-1]:.5g} with independent units"
        if row[2] + row[3] < row[-1]:
            yield "warning: the machine is worse than independent units"
    found = result.log_partition
    if found.stderr:
        yield (
            f"ln Z = {found.value:.8g}, between {found.lower:.8g} and {found.upper:.8g},"
            f" by {found.n_effective:.2g} effective chains"
        )
    if found.doubt:
        yield f"warning: do not rely on these likelihoods: {found.doubt}"


def _with_names(weights: Table, names: tuple[str, ...] | None) -> Table:
    """Return the table of weights, its rows called as the columns of the file are."""
    return weights if names is None else replace(weights, columns={NAMES: [*names], **weights.columns})


def _data(rows: SpinRows) -> SpinArray | Grey | Incomplete:
    """Return what a machine is trained on."""
    if rows.grey is not None:
        return Grey(rows.grey)
    if rows.missing is not None:
        return Incomplete(np.where(rows.missing, np.nan, rows.spins))
    return rows.spins
