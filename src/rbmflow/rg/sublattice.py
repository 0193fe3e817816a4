"""Decimation of one sublattice of the square lattice, b = √2: a torus that is turned by 45 degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.rg.transformation import Transformation
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike


@dataclass(frozen=True)
class Sublattice(Transformation):
    """Decimation of a torus by √2: the spins of even row + column are kept.

    Site ``(u, v)`` of what is left is ``(u + v, u − v)`` of the L × L torus. It has L/2 rows of L sites, and
    as ``(u + L/2, v)`` is ``(u, v + L/2)`` again, its shape is ``(L/2, L, L/2)``: the third number is by how
    many columns the rows that follow the last one are shifted. A second time leaves L/2 × L/2, every second
    spin of both directions.

    See Also
    --------
    Decimation : By an integer.

    References
    ----------
    R. H. Swendsen, Phys. Rev. Lett. 42, 859 (1979), for what its eigenvalues should be.

    Examples
    --------
    >>> half = Sublattice()
    >>> half.output_shape((4, 4)), half.output_shape((2, 4, 2))
    ((2, 4, 2), (2, 2))
    """

    @property
    def scale_factor(self) -> float:  # type: ignore[override]
        """√2."""
        return math.sqrt(2)

    def output_shape(self, shape: Shape) -> Sides:  # noqa: D102
        sides = check_shape(shape)
        if len(sides) == 2 and sides[0] == sides[1] and sides[0] % 2 == 0:
            return sides[0] // 2, sides[0], sides[0] // 2
        if len(sides) == 3 and sides[1] == 2 * sides[0] and sides[2] == sides[0]:
            return sides[0], sides[0]
        raise ValueError(
            f"shape={sides}: a torus of two equal even sides, or what a sublattice of one leaves, is needed"
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
        """Return the spins that are kept; `rng` is not used."""
        kept = self.sites(shape)
        return check_spins("spins", spins, math.prod(check_shape(shape)[:2]))[..., kept]

    def sites(self, shape: Shape) -> npt.NDArray[np.intp]:
        """Return the sites of the fine lattice that are kept, in their order on the coarse one.

        Parameters
        ----------
        shape : int, tuple of int or lattice
            Of the fine lattice.

        Returns
        -------
        numpy.ndarray of int
            Shape ``(n_coarse,)``.

        Examples
        --------
        >>> Sublattice().sites((4, 4)).tolist()
        [0, 7, 10, 13, 5, 8, 15, 2]
        """
        sides = check_shape(shape)
        n_rows, n_cols = self.output_shape(sides)[:2]
        u, v = np.mgrid[:n_rows, :n_cols]
        row, column = u + v, u - v
        shift = sides[2] if len(sides) == 3 else 0
        column = column + shift * (row // sides[0])
        return np.ravel(row % sides[0] * sides[1] + column % sides[1])
