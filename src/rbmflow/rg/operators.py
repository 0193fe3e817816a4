"""Lattice sums of products of spins: the operators in which a renormalized energy is expanded.

Every operator is a sum over all sites of products of spins at fixed offsets from the site, one product for
each orientation that the square lattice, or the ring, allows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import SpinArray, check_integer
from rbmflow.ising.operators import EVEN_OPERATORS, ODD_OPERATORS, RING_OPERATORS, Products
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

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
    offsets. On a ring: nearest, second and third neighbours, four spins in a row.

    Time O(sites).

    Parameters
    ----------
    spins : array_like
        Shape ``(..., n_sites)``, values ±1, rows of the torus one after the other.
    shape : int, tuple of int or lattice
        ``(n_rows, n_cols)``, periodic, ``(n_rows, n_cols, shift)`` where site ``(n_rows, j)`` is
        ``(0, j + shift)`` again, ``n_sites`` of a ring, or an object that has these attributes. On a side of
        2 a bond and its periodic image both count.
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
    return _lattice_sums("even", spins, shape, n_operators)


def odd_operators(spins: ArrayLike, shape: Shape, *, n_operators: int | None = None) -> npt.NDArray[np.int64]:
    """Return the lattice sums that change sign when all spins are flipped.

    In this order: the magnetization, ``Σ s(x)``; the corner, ``Σ s(x) s(x ± e₁) s(x ± e₂)`` over its four
    orientations; three spins in a row, in both directions; three spins on a diagonal, in both directions.
    `ODD_OPERATORS` holds the names and offsets. On a ring: the magnetization, three spins in a row.

    Time O(sites).

    Parameters
    ----------
    spins : array_like
        Shape ``(..., n_sites)``, values ±1, rows of the torus one after the other.
    shape : int, tuple of int or lattice
        As for `even_operators`.
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
    return _lattice_sums("odd", spins, shape, n_operators)


def operators_of(sides: Sides, parity: str) -> dict[str, Products]:
    """Return the even or the odd operators of a ring or a torus by name.

    Examples
    --------
    >>> list(operators_of((8,), "odd"))
    ['magnetization', 'row of three']
    """
    if len(sides) > 1:
        return EVEN_OPERATORS if parity == "even" else ODD_OPERATORS
    return {name: terms for name, terms in RING_OPERATORS.items() if len(terms[0]) % 2 == (parity == "odd")}


def unrolled(spins: SpinArray, sides: Sides) -> tuple[SpinArray, Sides, int]:
    """Return configurations of a torus without a shift, its sides, and how often each spin is there.

    A torus with a shift is a part of one without: all sums over sites are as many times larger.

    Examples
    --------
    >>> unrolled(np.array([1, -1, 1, 1], np.int8), (1, 4, 2))
    (array([ 1, -1,  1,  1,  1,  1,  1, -1], dtype=int8), (2, 4), 2)
    """
    if len(sides) < 3:
        return spins, sides, 1
    n_rows, n_cols, shift = sides
    lattices = spins.reshape(*spins.shape[:-1], n_rows, n_cols)
    times = n_cols // math.gcd(n_cols, shift)
    rows = np.concatenate([np.roll(lattices, -k * shift, axis=-1) for k in range(times)], axis=-2)
    return rows.reshape(*spins.shape[:-1], -1), (times * n_rows, n_cols), times


def _lattice_sums(
    parity: str, spins: object, shape: object, n_operators: int | None
) -> npt.NDArray[np.int64]:
    sides = check_shape(shape)
    operators = operators_of(sides, parity)
    count = len(operators)
    if n_operators is not None:
        count = check_integer("n_operators", n_operators, 1, count)
    array = check_spins("spins", spins, math.prod(sides[:2]))
    return lattice_sums(array, sides, list(operators.values())[:count])


def lattice_sums(spins: SpinArray, shape: Sides, operators: list[Products]) -> npt.NDArray[np.int64]:
    """Return the sums of operators over all sites, shape ``(..., n_operators)``.

    Examples
    --------
    >>> lattice_sums(np.array([1, 1, -1, 1], np.int8), (4,), [(((0,), (1,)),), (((0,),),)])
    array([0, 2])
    """
    array, sides, times = unrolled(spins, shape)
    lattices = array.reshape(-1, *sides)
    reach = max(abs(step) for terms in operators for term in terms for offset in term for step in offset)
    sums = np.empty((len(lattices), len(operators)), dtype=np.int64)
    size = max(1, BATCH // math.prod(sides))
    for start in range(0, len(lattices), size):
        part = lattices[start : start + size]
        # a margin with the periodic images makes every shifted lattice a view
        margin = np.pad(part, ((0, 0), *[(reach, reach)] * len(sides)), mode="wrap")
        for column, products in enumerate(operators):
            sums[start : start + size, column] = _sum_of_products(margin, sides, reach, products)
    return sums.reshape(*array.shape[:-1], len(operators)) // times


def _sum_of_products(
    margin: SpinArray, sides: Sides, reach: int, products: Products
) -> npt.NDArray[np.int64]:
    total = np.zeros((len(margin), *sides), dtype=np.int8 if len(products) < 2**7 else np.int64)
    for offsets in products:
        factors = [
            margin[
                (slice(None), *(slice(reach + o, reach + o + n) for o, n in zip(along, sides, strict=True)))
            ]
            for along in offsets
        ]
        product = factors[0].copy()
        for factor in factors[1:]:
            product *= factor
        total += product
    sums: npt.NDArray[np.int64] = total.sum(axis=tuple(range(1, total.ndim)), dtype=np.int64)
    return sums
