"""Block spins of a triangular lattice: the majority of the three spins of a triangle, b = √3."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, shown
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.triangular import Triangular
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.rg.transformation import Transformation
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

CORNERS = ((0, 0), (0, 1), (1, 0))
"""From the first site of a triangle to its sites, as rows and columns: neighbours of each other."""


@dataclass(frozen=True)
class Triangles(Transformation):
    """The majority rule on a triangular lattice, with blocks of three neighbours, every third triangle.

    Block ``(v, u)`` is the triangle of the sites ``(r, c)``, ``(r, c + 1)`` and ``(r + 1, c)`` with
    ``r = u + 2v`` and ``c = u − v``; blocks are the sites of a triangular lattice again, turned by 30
    degrees, with bonds √3 times as long in the three directions of `Triangular`. Of the L × L lattice, 3 | L,
    there are L/3 rows of L of them, and as ``(v + L/3, u)`` is ``(v, u + 2L/3)`` again the shape is
    ``(L/3, L, 2L/3)``: the third number is by how many columns the rows that follow the last one are shifted.
    A second time leaves L/3 × L/3.

    See Also
    --------
    Majority : Blocks of b × b sites.
    Sublattice : Decimation of the square lattice by √2.

    References
    ----------
    Th. Niemeijer and J. M. J. van Leeuwen, Phys. Rev. Lett. 31, 1411 (1973).

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> blocks = Triangles()
    >>> blocks.output_shape(Triangular(6, 6)), blocks.output_shape((2, 6, 4))
    ((2, 6, 4), (2, 2))
    >>> blocks.sites((3, 3)).tolist()
    [[0, 1, 3], [4, 5, 7], [8, 6, 2]]
    """

    @property
    def scale_factor(self) -> float:  # type: ignore[override]
        """√3."""
        return math.sqrt(3)

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        sides = _sides_of(shape)
        if len(sides) == 2 and sides[0] == sides[1] and sides[0] % 3 == 0:
            return sides[0] // 3, sides[0], 2 * sides[0] // 3
        if len(sides) == 3 and sides[1] == 3 * sides[0] and sides[2] == 2 * sides[0]:
            return sides[0], sides[0]
        raise ValueError(
            f"shape={sides}: a triangular lattice of two equal sides that 3 divides, or what triangles leave "
            "of one, is needed"
        )

    def mean(self, spins: ArrayLike, shape: Shape) -> FloatArray:  # noqa: D102
        return self(spins, shape).astype(np.float64)

    def __call__(
        self,
        spins: ArrayLike,
        shape: Shape,
        *,
        rng: RNGLike = None,  # noqa: ARG002 (others draw)
    ) -> SpinArray:
        """Return the block spins; three spins are never tied, and `rng` is not used."""
        blocks = self.sites(shape)
        fine = check_spins("spins", spins, math.prod(_sides_of(shape)[:2]))
        return np.asarray(np.sign(fine[..., blocks].sum(axis=-1, dtype=np.int8)))

    def sites(self, shape: Shape) -> npt.NDArray[np.intp]:
        """Return the sites of each block, in the order of the blocks on the coarse lattice.

        Parameters
        ----------
        shape : int, tuple of int or lattice
            Of the fine lattice.

        Returns
        -------
        numpy.ndarray of int
            Shape ``(n_coarse, 3)``.

        Examples
        --------
        >>> Triangles().sites((3, 3))[0].tolist()
        [0, 1, 3]
        """
        sides = _sides_of(shape)
        n_rows, n_cols = self.output_shape(sides)[:2]
        v, u = np.mgrid[:n_rows, :n_cols].reshape(2, -1, 1)
        down, right = np.array(CORNERS).T
        row, column = u + 2 * v + down, u - v + right
        shift = sides[2] if len(sides) == 3 else 0
        column = column + shift * (row // sides[0])
        return np.asarray(row % sides[0] * sides[1] + column % sides[1], dtype=np.intp)


def _sides_of(shape: Shape) -> Sides:
    """Return the sides of a triangular lattice, or of one that is given by them."""
    if isinstance(shape, Crystal) and not (isinstance(shape, Triangular) and shape.translation_invariant):
        raise ValueError(f"shape={shown(shape)}: a triangular lattice without ends is needed")
    return check_shape(shape)
