"""Exceptions and warnings of rbmflow that carry more than a message."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import Any


class PrecisionError(ArithmeticError):
    """The asked digits could not be earned.

    Attributes
    ----------
    best : object
        The last value reached.
    digits : int
        The decimal digits on which the last two evaluations agreed.
    """

    def __init__(self, message: str, *, best: Any, digits: int) -> None:
        super().__init__(message)
        self.best = best
        self.digits = digits

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), best=self.best, digits=self.digits), self.args


class CostWarning(UserWarning):
    """A computation that was asked for will take long; the message says how long."""


class LikelihoodWarning(UserWarning):
    """An estimate of ln Z, or a likelihood that rests on one, that should not be relied on.

    The message says why.
    """


class ReducibleChainError(ValueError):
    """A Markov chain that does not connect all states was asked for; the message names a safe choice."""


class ReducibleChainWarning(UserWarning):
    """A Markov chain that leaves out isolated states was asked for."""


class ConvergenceWarning(UserWarning):
    """Markov chains that have not mixed, or are too short to tell; a descent that does not settle.

    The message names the quantity and what helps.
    """


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line outside the package from which it was called."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


INSIDE = {__name__.partition(".")[0], "functools"}  # cached properties are called by functools
