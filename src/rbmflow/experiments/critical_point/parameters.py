"""What is measured of a critical point."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rbmflow.arguments import check_choice, check_integer
from rbmflow.experiments.critical_point.universality import LATTICES, SIDES, UNIVERSALITY, Universality
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.ising.crystal import Crystal
from rbmflow.sampling.finite_size import linear_size

OFFSETS = (-0.6, 0.0, 0.6)
"""Of the couplings of a size, ``(K/K_c − 1) L^(1/ν)``."""
MIN_SIDES = 3
N_BLOCKS = 32


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is measured.

    Attributes
    ----------
    lattice : str
        ``"square"``, ``"triangular"``, ``"honeycomb"`` or ``"cubic"``.
    sides : tuple of int
        Cells along each axis, ascending, at least three; none for those of the dimension: 8, 16, 32 and 64 in
        two, 6, 8, 12, 16, 24 and 32 in three.
    n_chains : int
        Chains of the heat bath at each size and coupling, at least 32, the blocks of the jackknife; 512 are
        advanced at once.
    n_measurements : int
        Along each chain, at least 4.
    """

    lattice: str = field(default="square", metadata=option(choices=tuple(LATTICES)))
    sides: tuple[int, ...] = field(
        default=(), metadata=option("cells along each axis, by default those of the dimension", metavar="L")
    )
    n_chains: int = field(default=512, metadata=option("of each size and coupling", "--chains", metavar="N"))
    n_measurements: int = field(
        default=600, metadata=option("along each chain", "--measurements", metavar="N")
    )

    def __post_init__(self) -> None:
        check_choice("lattice", self.lattice, LATTICES)
        for side in self.sides:
            check_integer("sides", side, 3, 1024)
        if self.sides and (len(self.sides) < MIN_SIDES or sorted(set(self.sides)) != list(self.sides)):
            raise ValueError(f"sides={self.sides}: three or more are needed, ascending")
        check_integer("n_chains", self.n_chains, N_BLOCKS, 10**6)
        check_integer("n_measurements", self.n_measurements, 4, 10**6)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sides, those of the dimension where none are given."""
        return self.sides or SIDES[self.on(3).dimension]

    @property
    def universality(self) -> Universality:
        """What is known of the exponents."""
        return UNIVERSALITY[self.on(3).dimension]

    def on(self, side: int) -> Crystal:
        """Return the lattice of a side."""
        return LATTICES[self.lattice](side)

    def couplings(self, side: int) -> tuple[float, ...]:
        """Return the couplings at which a size is simulated."""
        K_c = self.on(side).critical_coupling
        return tuple(K_c * (1 + x * side**-self.universality.inverse_nu) for x in OFFSETS)

    def thin(self, side: int) -> int:
        """Return the sweeps between measurements: about an autocorrelation time, which grows as L²."""
        return max(1, round(linear_size(self.on(side)) ** 2 / 8))


def quick(parameters: Parameters) -> Parameters:
    """Return parameters for some seconds."""
    sides = (8, 12, 18) if parameters.on(3).dimension == 2 else (4, 6, 9)
    return replace(parameters, sides=sides, n_measurements=400)
