"""Couplings as whole multiples of few units, so that equal sums of them are equal numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

MAX_DENOMINATOR = 1000
MAX_RATIO = 10**4
"""Of two values of one unit, and of a value to its unit."""
ROUNDING = 4 * Fraction(1, 2**53)
"""By how much of itself a value may miss a multiple of the unit: it is then taken for that multiple."""


@dataclass(frozen=True)
class Unit:
    """A unit, and the values that are multiples of it.

    Attributes
    ----------
    size : Fraction
        The unit.
    multiples : dict of float to int
        Of each value in absolute size.
    """

    size: Fraction
    multiples: dict[float, int]


def units_of(values: Iterable[float]) -> list[Unit]:
    """Return units of which the values, in absolute size and without zeros, are whole multiples.

    Values whose ratio is a fraction of a denominator up to 1000, within a rounding or two, have one unit. So
    0.1, 0.2 and 0.3, which as floats are no multiples of each other, are 1, 2 and 3 times one tenth.

    Examples
    --------
    >>> [(float(unit.size), unit.multiples) for unit in units_of([-0.3, 0.1, 0.2, 2**0.5])]
    [(0.1, {0.1: 1, 0.2: 2, 0.3: 3}), (1.4142135623730951, {1.4142135623730951: 1})]
    """
    families: list[dict[float, Fraction]] = []
    for value in sorted({abs(value) for value in values} - {0.0}):
        for family in families:
            base = next(iter(family))
            ratio = Fraction(value) / Fraction(base)
            near = ratio.limit_denominator(MAX_DENOMINATOR)
            if abs(near - ratio) > ROUNDING * ratio:
                continue
            common = lcm(near.denominator, *(other.denominator for other in family.values()))
            if near * common <= MAX_RATIO:
                family[value] = near
                break
        else:
            families.append({value: Fraction(1)})
    units = []
    for family in families:
        common = lcm(*(ratio.denominator for ratio in family.values()))
        multiples = {value: int(ratio * common) for value, ratio in family.items()}
        units.append(Unit(Fraction(next(iter(family))) / common, multiples))
    return units
