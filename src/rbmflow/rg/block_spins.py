"""Coarse configurations: block spins by the majority rule, and decimated spins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import MAX_SIZE, SpinArray, check_integer, check_rng, shown
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import Lattice
from rbmflow.spins import check_spins, random_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

Shape: TypeAlias = "int | tuple[int, ...] | list[int] | Lattice"
"""Sides of a ring or a torus, or the lattice itself."""
Sides: TypeAlias = "tuple[int, ...]"
"""``(n,)`` of a ring, ``(n_rows, n_cols)`` of a torus, or ``(n_rows, n_cols, shift)`` of one whose site
``(n_rows, j)`` is ``(0, j + shift)`` again."""


def block_spins(spins: ArrayLike, shape: Shape, *, scale_factor: int = 2, rng: RNGLike) -> SpinArray:
    """Return one spin per block, the sign of the block's sum; a fair coin decides a tie.

    The spin of a block of b sites (ring), b × b sites (torus, or a rhombus of a triangular lattice),
    b × b × b (cubic lattice) and so on is ``sign Σ s_i`` (majority rule, Th. Niemeijer and
    J. M. J. van Leeuwen, Phys. Rev. Lett. 31, 1411 (1973)).

    Time O(sites).

    Parameters
    ----------
    spins : array_like
        Shape ``(..., n_sites)``, values ±1; a torus is flattened row by row.
    shape : int, tuple of int or lattice
        ``n_sites`` or ``(n_sites,)`` of a ring, ``(n_rows, n_cols)`` of a torus, or an object
        that has these attributes.
    scale_factor : int
        The factor b, at least 2; it divides every side.
    rng : numpy.random.Generator or int
        Generator or seed of the coins: one for each tie, in the order of the blocks in
        memory, none for odd blocks.

    Returns
    -------
    numpy.ndarray of int8
        Shape ``(..., n_sites / b)`` on a ring, ``(..., n_sites / b²)`` on a torus, flattened row by row.

    See Also
    --------
    decimate_spins : Keep every b-th spin.
    renormalization_group : Exponents.

    Examples
    --------
    >>> block_spins([1, 1, -1, 1, -1, -1, -1, 1, 1], 9, scale_factor=3, rng=1)
    array([ 1, -1,  1], dtype=int8)
    """
    sides, b, array = lattice_spins(spins, shape, scale_factor)
    generator = check_rng(rng)
    sums = _sums_of_blocks(array.reshape(-1, *sides), b)
    majority = np.where(sums > 0, np.int8(1), np.int8(-1))
    ties = np.flatnonzero(sums == 0)
    majority.ravel()[ties] = random_spins(generator, len(ties))
    return majority.reshape(*array.shape[:-1], _n_blocks(sides, b))


def decimate_spins(spins: ArrayLike, shape: Shape, *, scale_factor: int = 2) -> SpinArray:
    """Return every b-th spin of each direction, the first one included.

    Time O(sites).

    Parameters
    ----------
    spins : array_like
        Shape ``(..., n_sites)``, values ±1; a torus is flattened row by row.
    shape : int, tuple of int or lattice
        ``n_sites`` or ``(n_sites,)`` of a ring, ``(n_rows, n_cols)`` of a torus, or an object
        that has these attributes.
    scale_factor : int
        The factor b, at least 2; it divides every side.

    Returns
    -------
    numpy.ndarray of int8
        Shape ``(..., n_sites / b)`` on a ring, ``(..., n_sites / b²)`` on a torus, flattened row by row.

    Examples
    --------
    >>> decimate_spins([1, 1, -1, 1, -1, -1], 6)
    array([ 1, -1, -1], dtype=int8)
    """
    sides, b, array = lattice_spins(spins, shape, scale_factor)
    lattice = array.reshape(*array.shape[:-1], *sides)
    every: Any = (..., *[slice(None, None, b)] * len(sides))
    kept = lattice[every]
    found: SpinArray = kept.reshape(*array.shape[:-1], _n_blocks(sides, b)).copy()
    return found


def check_sides(shape: object) -> tuple[int, ...]:
    """Return ``(n_sites,)`` of a ring or ``(n_rows, n_cols)`` of a torus, from a shape or a lattice."""
    if isinstance(shape, Lattice):
        along = blocked_sides(shape)
        if len(along) > 2:
            raise ValueError(
                f"shape={shown(shape)}: of more than two dimensions there are block_spins, decimate_spins "
                "and what Majority and Decimation make of spins, no more"
            )
        return along
    if hasattr(shape, "n_rows") and hasattr(shape, "n_cols"):
        shape = (shape.n_rows, shape.n_cols)
    elif hasattr(shape, "n_sites"):
        shape = (shape.n_sites,)
    sides = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if len(sides) not in (1, 2):
        raise ValueError(f"shape={shown(shape)}: one side of a ring or two of a torus are needed")
    return tuple(check_integer("shape", side, 1, MAX_SIZE) for side in sides)


def blocked_sides(lattice: Lattice) -> tuple[int, ...]:
    """Return the sides of a lattice that falls into blocks along its axes, or raise.

    Examples
    --------
    >>> from rbmflow import Hypercubic, Ring, Triangular
    >>> [blocked_sides(one) for one in (Ring(6), Triangular(4, 6), Hypercubic((2, 4, 4)))]
    [(6,), (4, 6), (2, 4, 4)]
    """
    if not isinstance(lattice, Crystal) or lattice.basis > 1:
        what = "cells of several sites" if isinstance(lattice, Crystal) else "no axes"
        raise ValueError(
            f"shape={shown(lattice)}: it has {what}, and no blocks are known of it; lattices of one site "
            "to a cell have some"
        )
    return lattice.cells


def check_shape(shape: object) -> Sides:
    """Return the sides as `check_sides` does, or with the shift of a torus that has one.

    Examples
    --------
    >>> check_shape(8), check_shape([4, 8, 4]), check_shape((4, 4, 0))
    ((8,), (4, 8, 4), (4, 4))
    """
    if not isinstance(shape, (tuple, list)) or len(shape) != 3:
        return check_sides(shape)
    sides = check_sides(tuple(shape[:2]))
    shift = check_integer("shift, the third number of shape,", shape[2], 0, sides[1] - 1)
    return (*sides, shift) if shift else sides


def _sums_of_blocks(lattices: SpinArray, b: int) -> npt.NDArray[np.signedinteger[Any]]:
    """Sums over b neighbours along each axis but the first, in the smallest integers that hold them."""
    largest = b ** (lattices.ndim - 1)
    sums = lattices.astype(np.int8 if largest < 2**7 else np.int16 if largest < 2**15 else np.int64)
    for axis in range(1, lattices.ndim):
        sums = np.moveaxis(sums, axis, 0)
        sums = np.moveaxis(sum((sums[k::b] for k in range(1, b)), start=sums[::b]), 0, axis)
    return np.ascontiguousarray(sums)


def _n_blocks(sides: tuple[int, ...], b: int) -> int:
    return math.prod(side // b for side in sides)


def lattice_spins(spins: object, shape: object, scale_factor: int) -> tuple[tuple[int, ...], int, SpinArray]:
    """The sides, the factor and the spins, all checked."""
    sides = blocked_sides(shape) if isinstance(shape, Lattice) else check_sides(shape)
    b = check_integer("scale_factor", scale_factor, 2, MAX_SIZE)
    if any(side % b for side in sides):
        raise ValueError(f"scale_factor={b} does not divide the sides of shape={sides}")
    return sides, b, check_spins("spins", spins, math.prod(sides))
