"""The command that trains a machine on a file of spins."""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import rbmflow
from rbmflow.arguments import SpinArray
from rbmflow.cli.output import folder_of, progress_bar, publish
from rbmflow.experiments import own_data
from rbmflow.experiments.own_data import NEGATIVES, OPTIMIZERS, Parameters
from rbmflow.files import write_atomically
from rbmflow.reading import read_array, seal, unseal
from rbmflow.sampling.storage import read_rows
from rbmflow.spins import check_spins
from rbmflow.training import Fit, State

MODEL, CHECKPOINT, ARGUMENTS = "model.npz", "training.partial.npz", "training.partial.json"
NETCDF = (".nc", ".nc4", ".netcdf")
SECONDS = 2.0  # between checkpoints


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this room."""
    command = commands.add_parser(
        "train", parents=[common], help="train an RBM on a file of spins; its likelihood, weights and model"
    )
    command.add_argument(
        "file", type=Path, metavar="FILE", help="CSV, npy or netCDF with a row for each configuration"
    )
    command.add_argument("--binary", action="store_true", help="the file holds 0 and 1 for -1 and +1")
    command.add_argument("--hidden", type=int, required=True, metavar="N", help="hidden units")
    command.add_argument(
        "--negative", choices=NEGATIVES, default="pcd", help="averages over the model (default %(default)s)"
    )
    command.add_argument(
        "-k", type=int, default=10, metavar="K", help="sweeps for an update (default %(default)s)"
    )
    command.add_argument(
        "--chains", type=int, default=100, metavar="N", help="persistent chains (default %(default)s)"
    )
    command.add_argument("--optimizer", choices=tuple(OPTIMIZERS), default="sgd", help="default %(default)s")
    command.add_argument(
        "--learning-rate", type=float, default=0.01, metavar="RATE", help="default %(default)s"
    )
    command.add_argument(
        "--batch-size", type=int, default=100, metavar="N", help="rows to an update (default %(default)s)"
    )
    command.add_argument("--epochs", type=int, default=100, metavar="N", help="default %(default)s")
    command.add_argument(
        "--holdout",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="of the rows, held out (default %(default)s)",
    )
    command.add_argument(
        "--patience",
        type=int,
        default=0,
        metavar="N",
        help="end when N epochs bring no gain on the rows held out, with the best machine (default: never)",
    )
    command.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    parameters = Parameters(
        n_hidden=options.hidden,
        negative=options.negative,
        k=options.k,
        n_chains=options.chains,
        optimizer=options.optimizer,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        n_epochs=options.epochs,
        holdout=options.holdout,
        patience=options.patience,
    )
    spins = _read(options.file, binary=options.binary)
    options.out = options.out or Path(f"{options.file.stem}.trained")
    keep = _Kept(options.out, parameters, spins, options.seed)
    resume = keep.state()
    if resume is not None and not options.quiet:
        print(f"going on after {resume.epoch} epochs", file=sys.stderr)
    with progress_bar(options, "epochs") as report:
        result = own_data.run(
            parameters,
            spins,
            rng=options.seed,
            resume=resume,
            callback=keep,
            progress=report,
            n_threads=options.workers,
        )
    folder_of(options.out)
    result.model.save(options.out / MODEL)
    status = publish(options, result.tables, "training")
    keep.remove()
    print(options.out / MODEL)
    for row in zip(*result.tables["likelihood"].columns.values(), strict=True):
        print(f"{row[0]}: {row[2]:.6g} ± {row[3]:.2g} nats per row ({row[1]} rows)", file=sys.stderr)
    return status


def _read(path: Path, *, binary: bool) -> SpinArray:
    """Return the rows of a file as spins."""
    rows = read_rows(path) if path.suffix.lower() in NETCDF else read_array(path)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"{path}: its array has shape {rows.shape}, rows of spins are needed")
    if binary:
        if not np.isin(rows, (0, 1)).all():
            raise ValueError(f"{path}: --binary is for files that hold only 0 and 1")
        return np.where(rows > 0, np.int8(1), np.int8(-1))
    if np.isin(rows, (0, 1)).all() and (rows == 0).any():
        raise ValueError(f"{path}: it holds 0 and 1; say --binary to read them as -1 and +1")
    return check_spins(str(path), rows)


class _Kept:
    """The checkpoint of a run and what it depends on; a callback of `fit` that saves every few seconds."""

    def __init__(self, folder: Path, parameters: Parameters, spins: SpinArray, seed: int) -> None:
        self.folder, self.last = folder, time.monotonic()
        self.arguments = {
            "version": rbmflow.__version__,
            "seed": seed,
            "data": hashlib.sha256(f"{spins.shape}".encode() + spins.tobytes()).hexdigest(),
            **asdict(parameters),
        }

    def state(self) -> State | None:
        """Return where an interrupted run with the same arguments stood."""
        if not (self.folder / CHECKPOINT).exists():
            return None
        try:
            before = unseal((self.folder / ARGUMENTS).read_bytes())
        except (OSError, ValueError):
            before = {}
        other = [name for name, value in self.arguments.items() if before.get(name) != value]
        if other:
            raise ValueError(
                f"{self.folder / CHECKPOINT}: an interrupted run with other arguments left it ({', '.join(other)}); "
                "finish that run, remove the file or write elsewhere"
            )
        return State.load(self.folder / CHECKPOINT)

    def __call__(self, now: Fit) -> None:
        if time.monotonic() - self.last >= SECONDS:
            folder_of(self.folder)
            write_atomically(self.folder / ARGUMENTS, seal(self.arguments))
            now.state.save(self.folder / CHECKPOINT)
            self.last = time.monotonic()

    def remove(self) -> None:
        """Remove the checkpoint, once everything is written."""
        for name in (CHECKPOINT, ARGUMENTS):
            (self.folder / name).unlink(missing_ok=True)
