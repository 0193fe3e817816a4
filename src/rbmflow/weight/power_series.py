"""Truncated power series with exact rational coefficients.

They are lists, the constant term first, all of one length.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any

Series = list[Fraction]


def constant(value: Fraction | int, length: int) -> Series:
    """Return the series of a constant."""
    return [Fraction(value), *[Fraction(0)] * (length - 1)]


def shift(series: Sequence[Fraction], degree: int) -> Series:
    """Return the series times the variable to the power `degree`, cut to its length."""
    length = len(series)
    return ([Fraction(0)] * min(degree, length) + list(series))[:length]


def add(first: Sequence[Fraction], second: Sequence[Fraction]) -> Series:
    """Return the sum."""
    return [a + b for a, b in zip(first, second, strict=True)]


def scale(series: Sequence[Fraction], factor: Fraction | int) -> Series:
    """Return the series times a number."""
    return [factor * a for a in series]


def multiply(first: Sequence[Fraction], second: Sequence[Fraction]) -> Series:
    """Return the product, cut to the common length."""
    a, a_denominator = _over_one_denominator(first)
    b, b_denominator = _over_one_denominator(second)
    common = a_denominator * b_denominator
    if len(a) != len(b):
        raise ValueError(f"series of {len(a)} and {len(b)} terms: one length is needed")
    return [Fraction(sum(map(mul, a[: n + 1], b[n::-1])), common) for n in range(len(a))]


def divide(numerator: Sequence[Fraction], denominator: Sequence[Fraction]) -> Series:
    """Return the quotient; the denominator has a constant term."""
    whole, common = _over_one_denominator(denominator)
    result = _Growing()
    for n, (a, _) in enumerate(zip(numerator, whole, strict=True)):
        result.append((a * common - result.dot(whole[1 : n + 1])) / whole[0])
    return result.series


def power(series: Sequence[Fraction], exponent: Fraction | int) -> Series:
    """Return ``series**exponent`` for a series that begins with 1 (J. C. P. Miller).

    The exponent is any rational number.
    """
    whole, common = _over_one_denominator(series)
    rise, root = Fraction(exponent).as_integer_ratio()
    weighted = [k * a for k, a in enumerate(whole)]
    result = _Growing()
    result.append(Fraction(1))
    for n in range(1, len(series)):
        # Σ_k [(rise/root + 1) k − n] a_k r_(n−k)
        risen = (rise + root) * result.dot(weighted[1 : n + 1])
        result.append((risen - root * n * result.dot(whole[1 : n + 1])) / (n * root * common))
    return result.series


def _over_one_denominator(series: Sequence[Fraction]) -> tuple[list[int], int]:
    """Return numerators over a common denominator: sums of products of integers are fast."""
    common = lcm(*(a.denominator for a in series))
    return [a.numerator * (common // a.denominator) for a in series], common


class _Growing:
    """A series to which terms are appended, also as numerators over a common denominator."""

    def __init__(self) -> None:
        self.series: Series = []
        self.numerators: list[int] = []
        self.denominator = 1

    def append(self, term: Fraction) -> None:
        self.series.append(term)
        larger = lcm(self.denominator, term.denominator)
        if larger != self.denominator:
            self.numerators = [a * (larger // self.denominator) for a in self.numerators]
            self.denominator = larger
        self.numerators.append(term.numerator * (larger // term.denominator))

    def dot(self, factors: Sequence[int]) -> Fraction:
        """Return the sum of the factors times the terms, the last one first."""
        return Fraction(sum(map(mul, factors, reversed(self.numerators))), self.denominator)


def compose(outer: Sequence[Fraction], inner: Sequence[Fraction]) -> Series:
    """Return ``outer(inner)`` for an inner series without constant term, by Horner's rule."""
    outer = outer[: len(inner)]
    result = constant(outer[-1], len(inner))
    for coefficient in reversed(outer[:-1]):
        result = multiply(result, inner)
        result[0] += coefficient
    return result


def evaluate_exactly(ctx: Any, series: Sequence[Fraction], x: Any) -> Any:
    """Return the value of the series at a number of an mpmath context, by Horner's rule."""
    value = ctx.zero
    for coefficient in reversed(series):
        value = value * x + ctx.mpf(coefficient.numerator) / coefficient.denominator
    return value


def reversion_of_root(series: Sequence[Fraction], root: int) -> Series:
    """Return the coefficients c_j, j = 1, 2, …, of ``s = Σ c_j X^j``.

    Here ``X = s · series(s)^(1/root)``, with a series that begins with 1.

    Lagrange's inversion: c_j is the coefficient of s^(j−1) in ``series^(−j/root)``, divided by j.
    """
    return [power(series[:j], Fraction(-j, root))[-1] / j for j in range(1, len(series) + 1)]
