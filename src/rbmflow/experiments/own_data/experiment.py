"""Training on data of one's own, and what is measured of the machine."""

from __future__ import annotations

import warnings
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeVar

import numpy as np

from rbmflow.arguments import check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.errors import LikelihoodWarning
from rbmflow.experiments.own_data.parameters import Parameters
from rbmflow.experiments.own_data.result import TrainedMachine
from rbmflow.experiments.own_data.ways import COURSE, STATE, Trained, fitted, learned
from rbmflow.experiments.tables import Cell, Table, columns_of
from rbmflow.hardware import resolve_threads
from rbmflow.likelihood import LogPartition, log_partition
from rbmflow.networks.storage import read
from rbmflow.spins import check_spins
from rbmflow.training import Grey, Incomplete, State
from rbmflow.training.attempt import Course
from rbmflow.training.data import check_data
from rbmflow.training.loop import Callback
from rbmflow.workers import Progress

Kept = TypeVar("Kept", State, Course)


def left_by(checkpoints: Checkpoints) -> State | Course | None:
    """Return where a run was interrupted, if there was one."""
    return checkpoints.load(STATE, partial(read, State)) or checkpoints.load(COURSE, partial(read, Course))


def run(
    parameters: Parameters,
    spins: object,
    *,
    rng: Any,
    executor: Executor | None = None,  # noqa: ARG001 (a machine is one task)
    checkpoints: Checkpoints | None = None,
    resume: State | Course | None = None,
    callback: Callback | None = None,
    progress: Progress | None = None,
    n_threads: int | None = None,
) -> TrainedMachine:
    """Train a machine on rows of spins and measure it.

    Parameters
    ----------
    parameters : Parameters
        How to train.
    spins : array_like, shape (n_rows, n_visible)
        The data: spins, `Grey` or `Incomplete`.
    rng : numpy.random.Generator or int
        Generator or seed; the split, the training and the annealing have children of their own.
    executor : concurrent.futures.Executor, optional
        Without effect: a machine is one task.
    checkpoints : Checkpoints, optional
        Where the run is kept, of these parameters, rows and seed: an interrupted one goes on.
    resume : State or Course, optional
        Of an interrupted run with the same arguments, which is continued bit for bit.
    callback : callable, optional
        With patience, as for `rbmflow.training.fit`.
    progress : callable, optional
        As for `rbmflow.training.fit`.
    n_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    TrainedMachine
        The machine with its likelihoods, history and weights.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> trained = run(Parameters(4, n_epochs=5), Ring(6).sample(0.5, 200, rng=1), rng=1)
    >>> trained.tables["likelihood"].columns["rows"]
    [180, 20]
    """
    if not isinstance(spins, (Grey, Incomplete)):
        spins = check_spins("spins", spins)
        if spins.ndim != 2 or not spins.size:
            raise ValueError(f"spins has shape {spins.shape}: (n_rows, n_visible) is needed, both at least 1")
    data = check_data(spins, None, "spins")
    threads, sources = resolve_threads(n_threads), check_rng(rng).spawn(3)
    if checkpoints is not None and resume is None:
        resume = left_by(checkpoints)
    if parameters.plain:
        state = _of(State, resume)
        found = fitted(parameters, data, sources, checkpoints, state, callback, progress, threads)
    else:
        found = learned(parameters, data, sources, checkpoints, _of(Course, resume), progress, threads)
    scored = np.concatenate([part.rows for part in found.parts.values()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LikelihoodWarning)  # the table tells, and the command
        ln_z = log_partition(
            found.model, "auto", data=scored if len(scored) else None, rng=sources[2], n_threads=threads
        )
    return TrainedMachine(found.model, ln_z, _tables(found, ln_z), parameters)


def _of(kind: type[Kept], resume: object) -> Kept | None:
    if resume is not None and not isinstance(resume, kind):
        raise TypeError(f"resume={shown(resume)}: a {kind.__name__} is needed")
    return resume


def _tables(found: Trained, ln_z: LogPartition) -> dict[str, Table]:
    rows: list[tuple[Cell, ...]] = []
    below, above = ln_z.value - ln_z.upper, ln_z.value - ln_z.lower
    alone = -float(np.logaddexp(found.bias, -found.bias).sum())
    for name, part in found.parts.items():
        if not part.n_rows:
            continue
        values = np.asarray(found.model.log_likelihood(part.rows, log_partition=ln_z.value))
        spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
        mean, error = float(values.mean()), float(np.hypot(spread, ln_z.stderr))
        known = (mean + below, mean + above, ln_z.n_effective, ln_z.doubt)
        independent = float((part.rows @ found.bias).mean()) + alone
        rows.append((name, part.n_rows, mean, error, ln_z.stderr, found.epoch, *known, independent))
    names = (
        *("rows_of", "rows", "log_likelihood", "stderr", "log_partition_stderr", "epoch"),
        *("lower", "upper", "n_effective", "doubt", "independent_log_likelihood"),
    )
    return {
        "likelihood": Table("Mean log-likelihood of a row, nats", columns_of(names, rows)),
        "history": Table("Along the training", {name: [*values] for name, values in found.history.items()}),
        "weights": Table(
            "Weights, a column for each hidden unit",
            {f"h{unit}": column.tolist() for unit, column in enumerate(found.model.weights.T)},
        ),
    }
