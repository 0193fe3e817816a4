"""Numbers that depend on a parameter x, as lists of the value and its first and second derivative by x.

The entries are arrays of float64, or numbers of a context of mpmath, and as many as are wanted.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from rbmflow.arguments import FloatArray

BINOMIALS = ((1,), (1, 1), (1, 2, 1))
Jet: TypeAlias = Sequence[Any] | FloatArray


def added(a: Jet, b: Jet) -> list[Any]:
    """Return the jet of a + b.

    Examples
    --------
    >>> added([6.0, 3.0], [3.0, 0.5])
    [9.0, 3.5]
    """
    return [x + y for x, y in zip(a, b, strict=True)]


def multiplied(a: Jet, b: Jet, times: Callable[[Any, Any], Any] = operator.mul) -> list[Any]:
    """Return the jet of a product, elementwise or another one, by Leibniz' rule.

    Examples
    --------
    >>> multiplied([2.0, 1.0, 0.0], [3.0, 0.0, 5.0])  # (2 + x) (3 + 5x²/2)
    [6.0, 3.0, 10.0]
    """
    rows = []
    for order in range(len(a)):
        row = times(a[0], b[order])
        for k in range(1, order + 1):
            row = row + BINOMIALS[order][k] * times(a[k], b[order - k])
        rows.append(row)
    return rows


def divided(a: Jet, b: Jet) -> list[Any]:
    """Return the jet of a/b.

    Examples
    --------
    >>> divided([6.0, 3.0, 10.0], [3.0, 0.0, 5.0])
    [2.0, 1.0, 0.0]
    """
    rows: list[Any] = []
    for order in range(len(a)):
        rest = a[order]
        for k in range(1, order + 1):
            rest = rest - BINOMIALS[order][k] * b[k] * rows[order - k]
        rows.append(rest / b[0])
    return rows


def of_function(values: Jet, a: Jet) -> list[Any]:
    """Return the jet of f(a), of f and its derivatives at a.

    Examples
    --------
    >>> of_function([8.0, 12.0, 12.0], [2.0, 1.0, 0.0])  # (2 + x)³
    [8.0, 12.0, 12.0]
    """
    rows = [values[0]]
    if len(a) > 1:
        rows.append(values[1] * a[1])
    if len(a) > 2:
        rows.append(values[2] * a[1] * a[1] + values[1] * a[2])
    return rows


def logarithm(a: Jet, log: Callable[[Any], Any] = np.log) -> list[Any]:
    """Return the jet of ln a.

    Examples
    --------
    >>> logarithm([1.0, 2.0, 3.0])
    [np.float64(0.0), 2.0, -1.0]
    """
    rows = [log(a[0])]
    if len(a) > 1:
        rows.append(a[1] / a[0])
    if len(a) > 2:
        rows.append(a[2] / a[0] - rows[1] * rows[1])
    return rows


def square_root(a: Jet, sqrt: Callable[[Any], Any] = np.sqrt) -> list[Any]:
    """Return the jet of √a.

    Examples
    --------
    >>> square_root([4.0, 4.0, 2.0])  # (2 + x)²
    [np.float64(2.0), np.float64(1.0), np.float64(0.0)]
    """
    rows = [sqrt(a[0])]
    if len(a) > 1:
        rows.append(a[1] / (2 * rows[0]))
    if len(a) > 2:
        rows.append((a[2] / 2 - rows[1] * rows[1]) / rows[0])
    return rows
