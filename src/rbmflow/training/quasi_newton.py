"""The exact likelihood and its gradient as a function of the free parameters, and L-BFGS on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.training.moments import clamped, divergence, exact, gradient
from rbmflow.training.optimizers import LBFGS
from rbmflow.training.trainer import Trainer

POLISHING = 20
OUT_OF_ITERATIONS = 1  # as scipy says it


def cost(trainer: Trainer, free: FloatArray) -> tuple[float, FloatArray]:
    """Return the divergence of the model from the data's law plus the penalty, and its gradient."""
    objective, p = trainer.objective, trainer.parameters
    objective.ties.scatter(free, p.vector)
    states, weights = objective.data.as_law()
    rows = states.astype(np.float64)
    model, log_z = exact(p)
    slope = gradient(clamped(p, rows, weights), model)
    slope[: p.weights.size] += objective.penalty.pull(p.weights).ravel()
    value = divergence(p, rows, weights, log_z) + objective.penalty.cost(p.weights)
    return value, -objective.ties.reduce(slope)


def minimise(trainer: Trainer, n_epochs: int, after: Callable[[], bool]) -> None:
    """Run L-BFGS for at most `n_epochs` iterations; `after` is called after each, and ends the run with True.

    A run that arrives is polished; one that is cut short is left where the last iteration was told of.
    """
    from scipy.optimize import minimize

    optimizer, ties, p = trainer.method.optimizer, trainer.objective.ties, trainer.parameters
    assert isinstance(optimizer, LBFGS)

    ended = False

    def told(free: FloatArray) -> None:
        nonlocal ended
        ties.scatter(free, p.vector)
        trainer.epoch += 1
        trainer.n_updates += 1
        ended = after()
        if ended:
            raise StopIteration

    result = minimize(
        lambda free: cost(trainer, free),
        ties.gather(p.vector).copy(),
        jac=True,
        method="L-BFGS-B",
        callback=told,
        options={
            "maxiter": n_epochs,
            "maxfun": 100 * n_epochs,
            "maxcor": optimizer.memory,
            "gtol": optimizer.gradient,
            "ftol": 0.0,
        },
    )
    limited = ended or result.status == OUT_OF_ITERATIONS
    ties.scatter(result.x if limited else polish(trainer, result.x, result.hess_inv), p.vector)


def polish(trainer: Trainer, free: FloatArray, inverse: Any) -> FloatArray:
    """Follow the gradient where rounded values no longer tell better from worse, by shrinking steps."""
    slope, length = cost(trainer, free)[1], 1.0
    for _ in range(POLISHING):
        trial = free - length * (inverse @ slope)
        new = cost(trainer, trial)[1]
        if np.abs(new).max() < np.abs(slope).max():
            free, slope = trial, new
        else:
            length /= 2  # the matrix is of steps that were longer
    return free
