"""The honeycomb lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from rbmflow.ising.crystal import BondType
from rbmflow.ising.planar import Planar, critical_coupling
from rbmflow.ising.symmetry import Turn


@dataclass(frozen=True)
class Honeycomb(Planar):
    """Ising spins on a honeycomb lattice: ``−βH = K Σ J v_i v_j``, three neighbours to a site.

    A cell has two sites. The first of the cell in row y and column x has bonds to the second ones of the same
    cell, of the column before, and of the row before.

    Parameters
    ----------
    n_rows, n_cols : int
        Numbers of cells, 2 to 10⁶ each; there are twice as many sites as cells.
    periodic : bool or tuple of two bool
        Whether rows and columns close, along each axis: first from row to row.
    couplings : float or tuple of three float
        J of the three bonds, in the order above; a kind with 0 is not there.

    See Also
    --------
    Triangular : Its dual.
    Torus : Square, with exact laws of any size.

    Notes
    -----
    Each bond joins a first site to a second one: these are the two sublattices, whatever the sides.

    References
    ----------
    * G. H. Wannier, Rev. Mod. Phys. 17, 50 (1945).
    * R. M. F. Houtappel, Physica 16, 425 (1950).

    Examples
    --------
    >>> Honeycomb(3, 4).n_sites, Honeycomb(3, 4).coordination, Honeycomb(3, 4).bipartite
    (24, 3, True)
    >>> print(round(Honeycomb(3, 4).critical_coupling, 6))
    0.658479
    """

    name: ClassVar[str] = "honeycomb"
    basis: ClassVar[int] = 2
    parts: ClassVar[int] = 3
    places: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 0), (1, 1))
    vectors: ClassVar[tuple[tuple[float, ...], ...]] = ((1.5, math.sqrt(0.75)), (0.0, math.sqrt(3)))
    turns: ClassVar[tuple[Turn, ...]] = (
        (((0, -1), (1, 1)), (1, 1)),  # by 60 degrees about the middle of a hexagon
        (((-1, 0), (0, -1)), (1, 1)),
        (((0, 1), (1, 0)), (0, 0)),
    )

    @property
    def bond_types(self) -> tuple[BondType, ...]:
        """From the first site of a cell to three second ones."""
        return (0, 1, (0, 0)), (0, 1, (0, -1)), (0, 1, (-1, 0))

    @property
    def critical_coupling(self) -> float:
        """``S₁S₂S₃ = S₁ + S₂ + S₃`` with S = sinh 2K|J|; ``K_c = ½ ln(2 + √3)``.

        Infinite where one kind of bonds is missing.
        """
        if 0 in self.couplings:
            return math.inf
        if self.equal_bonds:
            return math.log(2 + math.sqrt(3)) / 2
        return critical_coupling(
            self.couplings, lambda S: 1 - 1 / (S[0] * S[1]) - 1 / (S[1] * S[2]) - 1 / (S[2] * S[0])
        )

    @property
    def critical_source(self) -> str:
        """Houtappel."""
        return "R. M. F. Houtappel, Physica 16, 425 (1950)"
