"""Permutations of the sites of a crystal that leave its bonds as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray
from rbmflow.ising.lattice import IndexArray

Turn: TypeAlias = tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]
"""A matrix and a shift: x, along the vectors of a cell and in its parts, goes to ``matrix @ x + shift``."""
Points: TypeAlias = npt.NDArray[np.int64]


def permutations(
    at: Points,
    sides: Points,
    periodic: tuple[bool, ...],
    steps: Iterable[Points],
    turns: Iterable[Turn],
    bonds: IndexArray,
    couplings: FloatArray,
) -> IndexArray:
    """Return where sites at integer points go by those steps and turns that leave the bonds as they are.

    Along axes with ends turns are about the middle.
    """
    closed, unit = np.array(periodic), np.eye(len(sides), dtype=np.int64)
    moves = [(unit, step) for step, ends in zip(steps, ~closed, strict=True) if not ends]
    moves += [(np.array(matrix), np.array(shift)) for matrix, shift in turns]
    images = [_images(at, sides, closed, matrix, shift) for matrix, shift in moves]
    kept = [site for site in images if site is not None and _keeps(site, bonds, couplings)]
    return np.array(kept, dtype=np.int32).reshape(-1, len(at))


def _images(at: Points, sides: Points, closed: Any, matrix: Points, shift: Points) -> Points | None:
    """Which site each site goes to, None if they do not all go to different sites."""
    middle = np.where(closed, 0, at.max(axis=0) + at.min(axis=0))  # twice of it
    there = (2 * at - middle) @ matrix.T + np.where(closed, 2 * shift, 0) + middle
    if (there % 2).any():
        return None
    there = np.where(closed, there // 2 % sides, there // 2)
    if ((there < 0) | (there >= sides)).any():
        return None
    number = np.full(tuple(sides), -1, dtype=np.int64)
    number[tuple(at.T)] = np.arange(len(at))
    site = number[tuple(there.T)]
    return site if np.array_equal(np.sort(site), np.arange(len(at))) else None


def _keeps(site: Points, bonds: IndexArray, couplings: FloatArray) -> bool:
    """Whether the bonds between the images are those that there are, couplings included."""

    def listed(pairs: Any) -> Any:
        low, high = np.sort(pairs, axis=1).T
        order = np.lexsort((couplings, high, low))
        return low[order], high[order], couplings[order]

    return all(np.array_equal(a, b) for a, b in zip(listed(bonds), listed(site[bonds]), strict=True))
