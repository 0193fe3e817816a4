"""The triangular lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rbmflow.ising.lattice import IndexArray, read_only
from rbmflow.ising.planar import Planar, critical_coupling, frustrated_critical_coupling
from rbmflow.ising.symmetry import Turn


@dataclass(frozen=True)
class Triangular(Planar):
    """Ising spins on a triangular lattice: ``−βH = K Σ J v_i v_j``, six neighbours to a site.

    A site of row y and column x has bonds to the next of its row, to the same column of the next row, and to
    the column before in the next row: rows are shifted by half a bond against each other.

    Parameters
    ----------
    n_rows, n_cols : int
        Sides, 2 to 10⁶.
    periodic : bool or tuple of two bool
        Whether rows and columns close, along each axis: first from row to row.
    couplings : float or tuple of three float
        J of the three bonds, in the order above; a kind with 0 is not there, so that ``(1, 1, 0)`` is a
        square lattice.

    See Also
    --------
    Honeycomb : Its dual.
    Torus : Square, with exact laws of any size.

    Notes
    -----
    With J < 0 on all bonds it is frustrated and has no order above T = 0 (Wannier).

    References
    ----------
    * G. H. Wannier, Phys. Rev. 79, 357 (1950).
    * R. M. F. Houtappel, Physica 16, 425 (1950).

    Examples
    --------
    >>> Triangular(6, 6).coordination, [len(sites) for sites in Triangular(6, 6).sublattices()]
    (6, [12, 12, 12])
    >>> print(round(Triangular(6, 6).critical_coupling, 6))
    0.274653
    """

    name: ClassVar[str] = "triangular"
    steps: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 1), (1, 0), (1, -1))
    vectors: ClassVar[tuple[tuple[float, ...], ...]] = ((math.sqrt(0.75), 0.5), (0.0, 1.0))
    turns: ClassVar[tuple[Turn, ...]] = (
        (((0, -1), (1, 1)), (0, 0)),  # by 60 degrees
        (((-1, 0), (0, -1)), (0, 0)),
        (((0, 1), (1, 0)), (0, 0)),
    )

    @property
    def critical_coupling(self) -> float:
        """``S₁S₂ + S₂S₃ + S₃S₁ = 1`` with S = sinh 2KJ; ``K_c = ¼ ln 3``.

        Where the product of the couplings is negative, that of the weakest counts as negative and the others
        as positive: spins of every second row turned over make them so. Infinite there if two are weakest.
        """
        if math.prod(self.couplings) < 0:
            return frustrated_critical_coupling(self.couplings)
        if np.count_nonzero(self.couplings) < 2:
            return math.inf
        if self.couplings == (1.0, 1.0, 1.0):
            return math.log(3) / 4
        return critical_coupling(self.couplings, lambda S: S[0] * S[1] + S[1] * S[2] + S[2] * S[0] - 1)

    @property
    def critical_source(self) -> str:
        """Houtappel."""
        return "R. M. F. Houtappel, Physica 16, 425 (1950)"

    def _sublattices(self) -> tuple[IndexArray, ...]:
        if 0 in self.couplings:
            return super()._sublattices()
        for side, closed in zip(("n_rows", "n_cols"), self.periodic, strict=True):
            if closed and getattr(self, side) % 3:
                raise ValueError(
                    f"{side}={getattr(self, side)}: three sublattices need periodic sides that 3 divides"
                )
        row, column = np.indices(self.cells, dtype=np.int32).reshape(2, -1)
        colour = (row * 2 + column) % 3
        return tuple(read_only(np.flatnonzero(colour == k).astype(np.int32)) for k in range(3))
