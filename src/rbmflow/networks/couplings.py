"""Couplings as whole multiples of one unit where they are.

Sums are then exact, and a field of zero is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rbmflow.arguments import FloatArray

EXACT = 2.0**53  # sums of whole numbers up to here are exact in float64


@dataclass(frozen=True, eq=False)
class Couplings:
    """Weights and biases over `unit`; whole numbers, or with ``unit = 1`` any."""

    unit: float
    weights: FloatArray
    biases: FloatArray
    whole: bool

    @cached_property
    def largest_weight(self) -> float:
        """The largest coupling, without its sign."""
        return float(np.abs(self.weights).max())

    @cached_property
    def largest_field(self) -> float:
        """A bound on every field: the largest ``|b| + Σ |w|`` of a unit."""
        return float((np.abs(self.weights).sum(axis=1) + np.abs(self.biases)).max())


def in_units(weights: FloatArray, biases: FloatArray) -> Couplings:
    """Return the parameters over their smallest size where all are whole multiples of it.

    Where one is not exactly, they are returned as they are. Hebb's rule gives multiples of the learning rate
    η: twice η, or η itself, is the smallest size unless there are few.
    """
    sizes = np.abs(np.append(weights[np.triu_indices(len(weights), 1)], biases))
    unit = float(sizes[sizes > 0].min(initial=np.inf))
    if not np.isfinite(unit):
        return Couplings(1.0, weights, biases, whole=True)
    with np.errstate(over="ignore"):
        scaled = Couplings(unit, np.rint(weights / unit), np.rint(biases / unit), whole=True)
        if scaled.largest_field < EXACT and (
            np.array_equal(scaled.weights * unit, weights) and np.array_equal(scaled.biases * unit, biases)
        ):
            return scaled
    return Couplings(1.0, weights, biases, whole=False)
