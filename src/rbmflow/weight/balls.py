"""Ball arithmetic: python-flint (extra ``certify``), lent to one caller at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

_one_precision = threading.Lock()


@contextmanager
def lent_balls() -> Iterator[Any]:
    """Lend python-flint, whose precision is one for the whole process, to one caller at a time."""
    try:
        import flint
    except ImportError:
        raise ImportError("certificates need python-flint: pip install 'rbmflow[certify]'") from None
    with _one_precision:
        before = flint.ctx.prec
        try:
            yield flint
        finally:
            flint.ctx.prec = before


def ball(flint: Any, number: Fraction) -> Any:
    """Return the ball of a fraction, in the precision of the moment."""
    return flint.arb(flint.fmpq(number.numerator, number.denominator))
