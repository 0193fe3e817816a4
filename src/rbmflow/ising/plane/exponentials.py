"""Sums of exponentials, as products of hyperbolic functions are, whose like terms cancel exactly."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np


class Exponentials:
    """The function ``Σ c e^(−r K)`` of K ≥ 0, by its exponents r, exact numbers.

    Examples
    --------
    >>> x = Exponentials({Fraction(1): 1})
    >>> ((1 + x) * (1 - x)).terms
    {Fraction(2, 1): Fraction(-1, 1), Fraction(0, 1): Fraction(1, 1)}
    """

    def __init__(self, terms: dict[Fraction, Any]) -> None:
        self.terms = {rate: Fraction(c) for rate, c in terms.items() if c}

    def __add__(self, other: Exponentials | int) -> Exponentials:
        total = dict(self.terms)
        for rate, c in _terms(other).items():
            total[rate] = total.get(rate, Fraction(0)) + c
        return Exponentials(total)

    __radd__ = __add__

    def __neg__(self) -> Exponentials:
        return self * -1

    def __sub__(self, other: Exponentials | int) -> Exponentials:
        return self + other * -1

    def __rsub__(self, other: int) -> Exponentials:
        return -self + other

    def __mul__(self, other: Exponentials | int | Fraction) -> Exponentials:
        total: dict[Fraction, Fraction] = {}
        for rate, c in self.terms.items():
            for further, d in _terms(other).items():
                total[rate + further] = total.get(rate + further, Fraction(0)) + c * d
        return Exponentials(total)

    __rmul__ = __mul__

    def jet(self, K: Any, order: int, ctx: Any = None) -> list[Any]:
        """Return value and derivatives by K, in float64 or in a context of mpmath; K may be infinite."""
        rows: list[Any] = [0] * (order + 1)
        for rate, c in self.terms.items():
            if ctx is None:
                r, weight = float(rate), float(c) * (np.exp(-float(rate) * K) if rate else 1.0)
            else:
                r = ctx.mpf(rate.numerator) / rate.denominator
                weight = ctx.mpf(c.numerator) / c.denominator * (ctx.exp(-r * K) if rate else 1)
            for k in range(order + 1):
                rows[k] += (-r) ** k * weight
        return rows


def product(factors: Iterable[Exponentials]) -> Exponentials:
    """Return the product of several sums.

    Examples
    --------
    >>> product([Exponentials({Fraction(1): 1})] * 3).terms
    {Fraction(3, 1): Fraction(1, 1)}
    """
    total = Exponentials({Fraction(0): 1})
    for one in factors:
        total = total * one
    return total


def _terms(value: Exponentials | int | Fraction) -> dict[Fraction, Fraction]:
    return value.terms if isinstance(value, Exponentials) else {Fraction(0): Fraction(value)}
