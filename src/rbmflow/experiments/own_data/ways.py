"""The two ways in which it is trained: by the recipe, or with patience at constant rates."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.checkpoints import Checkpoints
from rbmflow.errors import LikelihoodWarning
from rbmflow.experiments.own_data.parameters import YES, Parameters
from rbmflow.networks import RBM
from rbmflow.networks.storage import write
from rbmflow.training import EarlyStopping, Fit, State, fit, learn
from rbmflow.training.attempt import Course
from rbmflow.training.data import Data
from rbmflow.training.learning import start_from
from rbmflow.training.loop import Callback
from rbmflow.training.recipe import check_room
from rbmflow.workers import Progress

START = 0.01
"""Standard deviation of the weights before training with patience."""
STATE, COURSE = "state", "course"
"""The parts that an interrupted run leaves, with patience and without."""


@dataclass(frozen=True)
class Trained:
    """A machine, the epoch that it is of, rows by what they were for, and what was recorded."""

    model: RBM
    epoch: int
    parts: dict[str, Data]
    history: dict[str, list[float]]
    bias: FloatArray
    """Of independent units with the means of the data."""


def split(spins: SpinArray, holdout: float, rng: np.random.Generator) -> tuple[SpinArray, SpinArray]:
    """Return rows to train on and rows held out, picked at random; at least one row is left to train on."""
    n_held = min(round(holdout * len(spins)), len(spins) - 1)
    order = rng.permutation(len(spins))
    return spins[np.sort(order[n_held:])], spins[np.sort(order[:n_held])]


def learned(
    parameters: Parameters,
    data: Data,
    sources: list[np.random.Generator],
    checkpoints: Checkpoints | None,
    resume: Course | None,
    progress: Progress | None,
    n_threads: int,
) -> Trained:
    """Train by the recipe, with what is said of it."""

    def keep(take: Callable[[], Course]) -> None:
        if checkpoints is not None and checkpoints.due():
            checkpoints.store(COURSE, partial(write, take()))

    recipe = parameters.recipe()
    check_room(recipe, data.rows.shape[1], parameters.n_hidden)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LikelihoodWarning)  # the table tells, and the command
        found = learn(
            data,
            parameters.n_hidden,
            recipe,
            rng=sources[1],
            progress=progress,
            n_threads=n_threads,
            resume=resume,
            keep=keep,
        )
    data.draw_grey(sources[0])  # not before: the order of the training goes by what is given
    held = np.isin(np.arange(data.n_rows), found.held_out)
    parts = {"training": data.take(np.flatnonzero(~held)), "held out": data.take(np.flatnonzero(held))}
    history = {"epoch": found.history["epoch"], "judged_log_likelihood": found.history["log_likelihood"]}
    bias = start_from(data, 1, np.random.default_rng(0)).visible_bias
    return Trained(
        found.model,
        found.epoch,
        {name: part.whole(part.n_rows) for name, part in parts.items()},
        history,
        bias,
    )


def fitted(
    parameters: Parameters,
    data: Data,
    sources: list[np.random.Generator],
    checkpoints: Checkpoints | None,
    resume: State | None,
    callback: Callback | None,
    progress: Progress | None,
    n_threads: int,
) -> Trained:
    """Train at a constant rate, with patience or by a quasi-Newton method."""
    if data.varies:
        raise ValueError("spins: with patience or lbfgs whole rows are needed, without gaps or grey values")
    seen, held = split(data.rows, parameters.holdout, sources[0])
    phase = parameters.phase()
    phase.check(data.rows.shape[1], parameters.n_hidden)
    start = RBM(sources[1].normal(0.0, START, (data.rows.shape[1], parameters.n_hidden)))
    if parameters.patience and not len(held):
        raise ValueError(
            f"holdout={parameters.holdout}: no row of {len(seen)} is held out, patience needs one"
        )
    stop = EarlyStopping("held_out_pseudo_likelihood", parameters.patience) if parameters.patience else None

    def keep(now: Fit) -> Any:
        if checkpoints is not None and checkpoints.due():
            checkpoints.store(STATE, partial(write, now.state))
        return None if callback is None else callback(now)

    left = parameters.epochs if resume is None else (parameters.epochs - resume.epoch) * (not resume.stopped)
    trained = fit(
        start,
        seen,
        negative=phase,
        optimizer=parameters.rule(),
        n_epochs=max(left, 0),
        batch_size=parameters.batch_size,
        state=resume,
        rng=sources[1],
        callback=keep,
        progress=progress,
        stop=stop,
        held_out=held if len(held) else None,
        l2=parameters.l2 or 0.0,
        centred=YES[parameters.centred or "no"],
        n_threads=n_threads,
    )
    history = {name: list(values) for name, values in trained.history.values.items()}
    parts = {"training": Data(seen), "held out": Data(held)}
    bias = start_from(Data(seen), 1, np.random.default_rng(0)).visible_bias
    return Trained(trained.best, trained.state.best_epoch or trained.state.epoch, parts, history, bias)
