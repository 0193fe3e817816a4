"""Numbers that depend on a parameter x: value and derivatives by x along the first axis of an array."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rbmflow.arguments import FloatArray

BINOMIALS = ((1,), (1, 1), (1, 2, 1))


def multiplied(a: FloatArray, b: FloatArray, times: Callable[..., FloatArray] = np.multiply) -> FloatArray:
    """Return the jet of a product, elementwise or another one, by Leibniz' rule.

    Examples
    --------
    >>> multiplied(np.array([2.0, 1.0, 0.0]), np.array([3.0, 0.0, 5.0]))  # (2 + x) (3 + 5x²/2)
    array([ 6.,  3., 10.])
    """
    rows = []
    for order in range(len(a)):
        terms = [times(a[k], b[order - k]) for k in range(order + 1)]
        row = terms[0] * BINOMIALS[order][0]
        for k in range(1, order + 1):
            row += BINOMIALS[order][k] * terms[k]
        rows.append(row)
    return np.array(rows)


def divided(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the jet of a/b.

    Examples
    --------
    >>> divided(np.array([6.0, 3.0, 10.0]), np.array([3.0, 0.0, 5.0]))
    array([2., 1., 0.])
    """
    rows: list[FloatArray] = []
    for order in range(len(a)):
        rest = a[order]
        for k in range(1, order + 1):
            rest = rest - BINOMIALS[order][k] * b[k] * rows[order - k]
        rows.append(rest / b[0])
    return np.array(rows)


def logarithm(a: FloatArray) -> FloatArray:
    """Return the jet of ln a.

    Examples
    --------
    >>> logarithm(np.array([1.0, 2.0, 3.0]))
    array([ 0.,  2., -1.])
    """
    rows = [np.log(a[0])]
    if len(a) > 1:
        rows += [a[1] / a[0]]
    if len(a) > 2:
        rows += [a[2] / a[0] - rows[1] ** 2]
    return np.array(rows)
