"""Truncated power series with exact rational coefficients.

They are lists, the constant term first, all of one length.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
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
    return [_dot(first[: n + 1], second[n::-1]) for n in range(len(first))]


def _dot(first: Sequence[Fraction], second: Sequence[Fraction]) -> Fraction:
    """Return ``Σ first[i] second[i]``, reduced once: Fraction does it after each operation."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
    denominators = [a.denominator * b.denominator for a, b in pairs]
    common = lcm(*denominators)
    numerators = (
        a.numerator * b.numerator * (common // d) for (a, b), d in zip(pairs, denominators, strict=True)
    )
    return Fraction(sum(numerators), common)


def divide(numerator: Sequence[Fraction], denominator: Sequence[Fraction]) -> Series:
    """Return the quotient; the denominator has a constant term."""
    result: Series = []
    for i, a in enumerate(numerator):
        result.append((a - _dot(denominator[1 : i + 1], result[::-1])) / denominator[0])
    return result


def power(series: Sequence[Fraction], exponent: Fraction | int) -> Series:
    """Return ``series**exponent`` for a series that begins with 1 (J. C. P. Miller).

    The exponent is any rational number.
    """
    result = [Fraction(1)]
    for n in range(1, len(series)):
        factors = [(exponent * k - (n - k)) * series[k] for k in range(1, n + 1)]
        result.append(_dot(factors, result[::-1]) / n)
    return result


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
