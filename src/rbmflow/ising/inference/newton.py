"""The maximum of a concave function of couplings by Newton's method, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rbmflow.arguments import FloatArray

MAX_STEPS = 100
"""A field grows by about ½ in each where there is no maximum, and a spin of field 19 has no slope left."""
TOLERANCE = 1e-10
"""Length of the last step, in couplings of order 1."""
SINGULAR = 1e-10
"""Least pivot of a matrix of correlation coefficients that still counts as regular."""
SLACK = 1e-12
"""Relative rounding of a sum, by which a step may seem to lead down."""
MOST_HALVED = 60


@dataclass(frozen=True)
class Step:
    """A concave function, its derivative and minus the matrix of its second derivatives."""

    value: float
    gradient: FloatArray
    information: FloatArray


class Concave(Protocol):
    """A concave function of couplings."""

    n_parameters: int
    scale: float
    """Its number of observations: what a step promises to each says how far it can be trusted."""

    def at(self, couplings: FloatArray) -> Step:
        """Return it and its derivatives."""
        ...


def maximum(function: Concave, names: tuple[str, ...]) -> tuple[FloatArray, Step, int]:
    """Return where a function has its maximum, the function there, and the number of steps.

    Raises
    ------
    ValueError
        If it is flat in some direction, or grows along one for ever.
    """
    couplings = np.zeros(function.n_parameters)
    here = function.at(couplings)
    for n_steps in range(MAX_STEPS):
        flat = _flat(here.information)
        if flat is not None:
            raise _no_maximum(names, couplings) if n_steps else _not_told_apart(names, flat)
        move: FloatArray = np.asarray(np.linalg.solve(here.information, here.gradient), dtype=np.float64)
        # damped where it is long: beyond the maximum there may be too little curvature to come back by
        move /= 1 + np.sqrt(max(float(move @ here.gradient), 0.0) / function.scale)
        couplings, here = _uphill(function, couplings, here, move)
        if np.abs(move).max() <= TOLERANCE * (1 + np.abs(couplings).max()):
            return couplings, here, n_steps + 1
    raise _no_maximum(names, couplings)


def _uphill(function: Concave, start: FloatArray, here: Step, move: FloatArray) -> tuple[FloatArray, Step]:
    """Go along a move, or half of it, and so on, until the function has grown."""
    least = here.value - SLACK * abs(here.value)
    for _ in range(MOST_HALVED):
        there = function.at(start + move)
        if there.value >= least:
            break
        move = move / 2
    return start + move, there


def _flat(information: FloatArray) -> FloatArray | None:
    """Return a direction of no curvature, or None if there is none."""
    scale = np.sqrt(information.diagonal())
    if not (scale > 0).all():
        return np.asarray(scale == 0, dtype=np.float64)
    relative = information / np.outer(scale, scale)
    try:
        if (np.linalg.cholesky(relative).diagonal() ** 2).min() > SINGULAR:
            return None
    except np.linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.eigh(relative)[1][:, 0])


def _not_told_apart(names: tuple[str, ...], direction: FloatArray) -> ValueError:
    share = np.abs(direction) > 0.1 * np.abs(direction).max()
    among = ", ".join(repr(name) for name, there in zip(names, share, strict=True) if there)
    return ValueError(f"operators: {among} cannot be told apart on this lattice or from these rows")


def _no_maximum(names: tuple[str, ...], couplings: FloatArray) -> ValueError:
    worst = int(np.argmax(np.abs(couplings)))
    return ValueError(
        f"spins: the likelihood has no maximum at finite couplings: that of {names[worst]!r} goes to "
        f"{'+' if couplings[worst] > 0 else '-'}infinity, as no spin of any row is against it; "
        "more rows, or fewer operators, are needed"
    )
