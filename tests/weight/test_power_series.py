"""Truncated power series against sums of fractions as they are written."""

from fractions import Fraction

import numpy as np
import pytest

from rbmflow.weight.power_series import divide, multiply, power


def series(rng, length, first=None):
    """Random fractions, a third of them 0."""
    numbers = [
        Fraction(int(rng.integers(-9, 10)), int(rng.integers(1, 30))) * int(rng.integers(3) > 0)
        for _ in range(length)
    ]
    return numbers if first is None else [Fraction(first), *numbers[1:]]


def plain_product(a, b):
    return [sum((a[k] * b[n - k] for k in range(n + 1)), Fraction(0)) for n in range(len(a))]


@pytest.mark.parametrize("length", [1, 2, 7, 20])
def test_products_quotients_and_powers(length):
    rng = np.random.default_rng(length)
    for _ in range(20):
        a, b, unit = series(rng, length), series(rng, length, Fraction(-3, 7)), series(rng, length, 1)
        assert multiply(a, b) == plain_product(a, b)
        assert plain_product(divide(a, b), b) == a
        third = power(unit, Fraction(-1, 3))
        cube = plain_product(third, plain_product(third, third))
        assert plain_product(cube, unit) == [1] + [0] * (length - 1)
        assert power(unit, 2) == plain_product(unit, unit)
        assert power(unit, 0) == [1] + [0] * (length - 1)


@pytest.mark.parametrize("operation", [multiply, divide])
def test_series_have_one_length(operation):
    with pytest.raises(ValueError, match=r"length|shorter"):
        operation([Fraction(1)] * 3, [Fraction(1)] * 2)
