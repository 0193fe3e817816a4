"""Lattice sums of products of spins on a torus: the operators in which a renormalized energy is expanded.

Every operator is a sum over all sites of products of spins at fixed offsets from the site, one product for
each orientation that the square lattice allows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import SpinArray, check_integer, shown
from rbmflow.ising.operators import EVEN_OPERATORS, ODD_OPERATORS, Products
from rbmflow.rg.block_spins import Shape, check_sides
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

REACH = 2
"""The largest offset."""
BATCH = 2**19
"""Spins whose products are in memory at one time."""


def even_operators(
    spins: ArrayLike, shape: Shape, *, n_operators: int | None = None
) -> npt.NDArray[np.int64]:
    """Return the lattice sums that do not change when all spins are flipped.

    In this order: nearest neighbours, ``Σ s(x) [s(x + e₁) + s(x + e₂)]``; diagonal neighbours; third
    neighbours, at distance 2; the plaquette, four spins of a unit square; the knight's move, at distance √5;
    the diamond, the four neighbours of a site; the wide plaquette, the corners of a square of side 2
    (R. H. Swendsen, Phys. Rev. B 20, 2080 (1979) lists such sums). `EVEN_OPERATORS` holds the names and
    offsets.

    Time O(sites).

    Parameters
    ----------
    spins : array_like
        Shape ``(..., n_sites)``, values ±1, rows of the torus one after the other.
    shape : tuple of int or lattice
        ``(n_rows, n_cols)``, periodic, or an object that has these attributes. On a side of 2 a bond and its
        periodic image both count.
    n_operators : int, optional
        How many of them, from the first; all without it.

    Returns
    -------
    numpy.ndarray of int64
        Shape ``(..., n_operators)``.

    Examples
    --------
    >>> even_operators([1] * 15 + [-1], (4, 4)).tolist()
    [24, 24, 24, 8, 48, 8, 8]
    """
    return _lattice_sums(EVEN_OPERATORS, spins, shape, n_operators)


def odd_operators(spins: ArrayLike, shape: Shape, *, n_operators: int | None = None) -> npt.NDArray[np.int64]:
    """Return the lattice sums that change sign when all spins are flipped.

    In this order: the magnetization, ``Σ s(x)``; the corner, ``Σ s(x) s(x ± e₁) s(x ± e₂)`` over its four
    orientations; three spins in a row, in both directions; three spins on a diagonal, in both directions.
    `ODD_OPERATORS` holds the names and offsets.

    Time O(sites).

    Parameters
    ----------
    spins : array_like
        Shape ``(..., n_sites)``, values ±1, rows of the torus one after the other.
    shape : tuple of int or lattice
        ``(n_rows, n_cols)``, periodic, or an object that has these attributes.
    n_operators : int, optional
        How many of them, from the first; all without it.

    Returns
    -------
    numpy.ndarray of int64
        Shape ``(..., n_operators)``.

    Examples
    --------
    >>> odd_operators([1] * 15 + [-1], (4, 4)).tolist()
    [14, 40, 20, 20]
    """
    return _lattice_sums(ODD_OPERATORS, spins, shape, n_operators)


def check_torus(shape: object) -> tuple[int, int]:
    """Return ``(n_rows, n_cols)``, or raise where the lattice has one direction only."""
    sides = check_sides(shape)
    if len(sides) != 2:
        raise ValueError(f"shape={shown(shape)}: the two sides of a torus are needed")
    return sides[0], sides[1]


def _lattice_sums(
    operators: dict[str, Products], spins: object, shape: object, n_operators: int | None
) -> npt.NDArray[np.int64]:
    sides = check_torus(shape)
    count = len(operators)
    if n_operators is not None:
        count = check_integer("n_operators", n_operators, 1, count)
    chosen = list(operators.values())[:count]
    array = check_spins("spins", spins, math.prod(sides))
    lattices = array.reshape(-1, *sides)
    sums = np.empty((len(lattices), count), dtype=np.int64)
    size = max(1, BATCH // math.prod(sides))
    for start in range(0, len(lattices), size):
        part = lattices[start : start + size]
        # a margin with the periodic images makes every shifted lattice a view
        margin = np.pad(part, ((0, 0), (REACH, REACH), (REACH, REACH)), mode="wrap")
        for column, products in enumerate(chosen):
            sums[start : start + size, column] = _sum_of_products(margin, sides, products)
    return sums.reshape(*array.shape[:-1], count)


def _sum_of_products(margin: SpinArray, sides: tuple[int, int], products: Products) -> npt.NDArray[np.int64]:
    total = np.zeros((len(margin), *sides), dtype=np.int8)
    for offsets in products:
        factors = [
            margin[:, REACH + i : REACH + i + sides[0], REACH + j : REACH + j + sides[1]] for i, j in offsets
        ]
        product = factors[0].copy()
        for factor in factors[1:]:
            product *= factor
        total += product
    sums: npt.NDArray[np.int64] = total.sum(axis=(1, 2), dtype=np.int64)
    return sums
