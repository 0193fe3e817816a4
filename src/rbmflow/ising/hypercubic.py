"""Square, cubic and hypercubic lattices, each axis periodic or open, with a coupling of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from rbmflow.arguments import check_integer, shown
from rbmflow.ising.crystal import check_boundaries, check_couplings
from rbmflow.ising.planar import MAX_SIDE, critical_coupling
from rbmflow.ising.strips.transferred import Transferred
from rbmflow.ising.symmetry import Turn

MAX_DIMENSION = 16
CRITICAL = {
    3: (
        0.221654626,
        "A. M. Ferrenberg, J. Xu and D. P. Landau, Phys. Rev. E 97, 043301 (2018): 0.221654626(5)",
    ),
    4: (0.1496947, "P. H. Lundow and K. Markström, Phys. Rev. E 80, 031104 (2009): 0.1496947(5)"),
    5: (0.11391498, "P. H. Lundow and K. Markström, Nucl. Phys. B 895, 305 (2015): 0.11391498(2)"),
}
"""K_c of equal couplings, and its source with the error of the last digit."""


@dataclass(frozen=True)
class Hypercubic(Transferred):
    """Ising spins on a hypercubic lattice of any dimension: ``−βH = K Σ J v_i v_j``.

    Parameters
    ----------
    shape : tuple of int
        The sides, 2 to 10⁶ each; up to 16 of them. One side is a ring or a chain, two a square lattice.
    periodic : bool or tuple of bool
        Whether each axis closes. Along a periodic side of 2 every pair of neighbours has two bonds.
    couplings : float or tuple of float
        J of the bonds along each axis; without bonds where it is 0.

    See Also
    --------
    Ring, Chain, Torus : With exact laws of any size.

    Examples
    --------
    >>> cube = Hypercubic((8, 8, 8))
    >>> cube.label, cube.coordination, cube.critical_coupling
    ('cubic lattice of 8 x 8 x 8', 6, 0.221654626)
    >>> Hypercubic((3, 4), periodic=(True, False), couplings=(1.0, -0.5)).label
    'square lattice of 3 x 4, open along axis 1, J = 1, -0.5'
    """

    name: ClassVar[str] = "hypercubic"

    shape: tuple[int, ...] = field()
    periodic: tuple[bool, ...] = True  # type: ignore[assignment]
    couplings: tuple[float, ...] = 1.0  # type: ignore[assignment]

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(
            self,
            shape: tuple[int, ...],
            periodic: bool | tuple[bool, ...] = True,
            couplings: float | tuple[float, ...] = 1.0,
        ) -> None: ...

    def __post_init__(self) -> None:
        given: object = self.shape
        sides = given.tolist() if isinstance(given, np.ndarray) else given
        if not isinstance(sides, (list, tuple)) or not 1 <= len(sides) <= MAX_DIMENSION:
            raise ValueError(f"shape={shown(self.shape)}: 1 to {MAX_DIMENSION} sides are needed")
        for name, value in (
            ("shape", tuple(check_integer("shape", side, 2, MAX_SIDE) for side in sides)),
            ("periodic", check_boundaries(self.periodic, len(sides))),
            ("couplings", check_couplings(self.couplings, len(sides))),
        ):
            object.__setattr__(self, name, value)

    @property
    def cells(self) -> tuple[int, ...]:
        """The sides."""
        return self.shape

    @property
    def steps(self) -> tuple[tuple[int, ...], ...]:  # type: ignore[override]
        """One along each axis."""
        return tuple(tuple(row) for row in np.eye(len(self.shape), dtype=np.int64).tolist())

    @property
    def turns(self) -> tuple[Turn, ...]:  # type: ignore[override]
        """Mirrors of each axis, exchanges of neighbouring axes."""
        d = len(self.shape)
        unit = np.eye(d, dtype=np.int64)
        mirrors = [unit - 2 * np.outer(unit[axis], unit[axis]) for axis in range(d)]
        swaps = [unit[[*range(axis), axis + 1, axis, *range(axis + 2, d)]] for axis in range(d - 1)]
        return tuple((tuple(map(tuple, matrix.tolist())), (0,) * d) for matrix in mirrors + swaps)

    @property
    def critical_coupling(self) -> float:
        """In two dimensions ``sinh 2KJ₁ sinh 2KJ₂ = 1``; with equal couplings known from 1 to 5 dimensions.

        Infinite in one dimension, and where the couplings leave chains.
        """
        J = [one for one in self.couplings if one]
        if len(J) == 1:
            return math.inf
        if len(J) == 2:
            return critical_coupling((J[0], J[1]), lambda S: S[0] * S[1] - 1)
        equal = len({abs(one) for one in J}) == 1 and len(J) in CRITICAL
        return CRITICAL[len(J)][0] / abs(J[0]) if equal else math.nan

    @property
    def critical_source(self) -> str:
        """Ising, Onsager, or who found the number."""
        n = int(np.count_nonzero(self.couplings))
        if n <= 2:
            return ("E. Ising, Z. Phys. 31, 253 (1925)", "L. Onsager, Phys. Rev. 65, 117 (1944)")[n - 1]
        return "" if math.isnan(self.critical_coupling) else CRITICAL[n][1]

    @property
    def _noun(self) -> str:
        return {2: "square lattice", 3: "cubic lattice"}.get(len(self.shape), "hypercubic lattice")
