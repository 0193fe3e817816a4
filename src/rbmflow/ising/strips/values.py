"""Exact values of lattices whose slices have few sites: which way to cut them, and where the limits are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_real, check_real_scalar, shown
from rbmflow.hardware import check_memory
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import MAX_STRENGTH
from rbmflow.ising.strips.slices import MAX_FRONTIER, MAX_WIDTH, Slices, slices_of
from rbmflow.ising.strips.sums import Transfer

MAX_EXPONENT = 1360.0
"""Of the ratio of the largest product of two weights to one that contributes: from 1e290 down to 1e-300."""
COSTS = 6
"""How often the bonds of a slice can be unsatisfied in it: at both ends of one factor, one of the other."""
BLOCK = 2**27  # bytes that couplings side by side may take


@dataclass(frozen=True)
class Jet:
    """ln Z at couplings K, its derivatives by K or by the field, and what they are of.

    K, and the inverse of derivatives by it, are in units of 1/`unit`, which keeps all of them within bounds.
    """

    K: FloatArray
    log_partition: FloatArray
    slope: FloatArray
    curvature: FloatArray
    unit: float = 1.0


def check_field(field: object) -> float:
    """Return a field, or raise."""
    value = check_real_scalar("field", field)
    if not abs(value) <= MAX_STRENGTH:
        raise ValueError(f"field={shown(field)}: a finite number of at most 1e100 is needed")
    return value


def best_slices(lattice: Crystal) -> Slices | None:
    """Return the slices that need the least time; None where they have too many sites.

    Examples
    --------
    >>> from rbmflow import Hypercubic
    >>> best_slices(Hypercubic((100, 3))).n_slices, best_slices(Hypercubic((13, 13)))
    (100, None)
    """
    found = [slices_of(lattice, axis) for axis in range(lattice.dimension) if is_narrow(lattice, axis)]
    fit = [one for one in found if one is not None and fits(one)]
    return min(fit, key=lambda one: (one.width + 2 * one.periodic, one.n_slices), default=None)


def fits(slices: Slices) -> bool:
    """Return whether the states of a slice can be kept apart."""
    return slices.width <= MAX_WIDTH and slices.largest_frontier <= MAX_FRONTIER


def is_narrow(lattice: Crystal, axis: int) -> bool:
    """Return whether a cross-section has few cells, so that its bonds are worth listing."""
    return lattice.n_sites // lattice.cells[axis] <= lattice.basis * MAX_WIDTH


def largest_coupling(slices: Slices, field: float) -> float:
    """Return the largest |K| at which no weight that contributes can underflow.

    Any state of a slice becomes any other at the cost of the bonds of the slice, e^(−2|K| Σ|J|).

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> round(largest_coupling(best_slices(Triangular(6, 6)), 0.0), 2)
    12.59
    """
    return MAX_EXPONENT / (COSTS * (slices.strength + slices.n_sites * abs(field)))


def too_cold(slices: Slices, K: FloatArray, field: float) -> npt.NDArray[np.bool_]:
    """Return where weights of states that contribute may underflow, as some bonds are never satisfied."""
    cold = np.abs(K) > largest_coupling(slices, field)
    for sign in (-1, 1):
        some = np.sign(K) == sign
        if (cold & some).any() and slices.satisfied(sign, field):
            cold &= ~some
    return cold


def log_partition_jet(slices: Slices, K: object, field: float, order: int, by_field: bool) -> Jet:
    """Return ln Z and its derivatives for an array of couplings.

    Examples
    --------
    >>> from rbmflow import Hypercubic
    >>> jet = log_partition_jet(best_slices(Hypercubic((4, 4))), [0.0, 0.5], 0.0, 1, False)
    >>> jet.log_partition, -jet.slope / 16
    (array([11.0904, 17.1054]), array([-0.    , -1.7554]))
    """
    couplings = check_real("K", K)
    check_cold(slices, couplings.ravel(), field)
    slices, flat, field, unit = in_units(slices, couplings.ravel(), field)
    rows = np.zeros((3, flat.size))
    portion = _couplings_at_once(Transfer(slices, flat[:1], field, order, by_field))
    for first in range(0, flat.size, portion):
        some = slice(first, first + portion)
        transfer = Transfer(slices, flat[some], field, order, by_field)
        rows[: order + 1, some] = transfer.log_partition()
    total = Transfer(slices, flat, field, order, by_field).offset()
    with np.errstate(invalid="ignore"):
        rows[0] += np.where(total * flat != 0, np.abs(flat) * total, 0.0)
    rows[1] = slope_with_offset(rows[1], flat, total, field, by_field)
    log_partition, slope, curvature = rows.reshape(3, *couplings.shape)
    return Jet(flat.reshape(couplings.shape), log_partition, slope, curvature, unit)


def in_units(slices: Slices, K: FloatArray, field: float) -> tuple[Slices, FloatArray, float, float]:
    """Return them in units of the largest coupling or field, rounded down to a power of two, and this.

    Examples
    --------
    >>> from rbmflow import Hypercubic
    >>> slices, K, field, unit = in_units(best_slices(Hypercubic((3, 3), couplings=5.0)), np.ones(1), -2.0)
    >>> slices.between[0], K, field, unit
    ((0, 0, 1.25), array([4.]), -0.5, 4.0)
    """
    largest = max([abs(J) for *_, J in slices.within + slices.between] + [abs(field)])
    unit = 2.0 ** math.floor(math.log2(largest))
    with np.errstate(over="ignore", under="ignore"):
        return slices.scaled(1 / unit), unit * K, field / unit, unit


def slope_with_offset(
    slope: FloatArray, K: FloatArray, strength: float, field: float, by_field: bool
) -> FloatArray:
    """Return a derivative of ln Z from that of a sum of weights of at most 1; by symmetry 0 without a field.

    Examples
    --------
    >>> slope_with_offset(np.array([-1.0]), np.array([0.5]), 3.0, 0.0, by_field=False)
    array([2.])
    """
    if by_field:
        return slope if field else np.zeros_like(slope)
    return slope + np.where(K < 0, -strength, strength)


def check_cold(slices: Slices, K: FloatArray, field: float) -> None:
    """Raise where weights may underflow."""
    cold = too_cold(slices, K, field)
    if cold.any():
        most = largest_coupling(slices, field)
        raise ValueError(
            f"K={shown(float(K[cold][0]))}: no configuration satisfies all bonds, so that |K| of at most "
            f"{most:.4g} is possible with slices of {slices.n_sites} sites"
        )


def _couplings_at_once(transfer: Transfer) -> int:
    one = transfer.n_bytes
    check_memory(
        f"transfer matrices of {2**transfer.slices.width} states", one, "narrower lattices need less"
    )
    return max(1, BLOCK // one)


def per_site(jet: Jet, quantity: str, n_sites: int) -> Any:
    """Return energy, heat capacity, magnetization or susceptibility for each site.

    Examples
    --------
    >>> jet = Jet(np.array(2.0), np.array(1.0), np.array(-6.0), np.array(3.0))
    >>> per_site(jet, "energy", 2), per_site(jet, "heat_capacity", 2)
    (np.float64(3.0), np.float64(6.0))
    """
    if quantity == "log_partition":
        return jet.log_partition[()]
    if quantity == "energy":
        return (0.0 - jet.unit * (jet.slope / n_sites))[()]
    if quantity == "heat_capacity":
        finite = np.where(np.isinf(jet.K), 0.0, jet.K)
        return (finite * finite * jet.curvature / n_sites)[()]
    return ((jet.slope if quantity == "magnetization" else jet.curvature) / n_sites)[()]


ORDER = {"log_partition": 0, "energy": 1, "heat_capacity": 2, "magnetization": 1, "susceptibility": 2}
BY_FIELD = ("magnetization", "susceptibility")
