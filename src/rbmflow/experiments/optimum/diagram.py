"""What is asked of the best machines, and what is found: a table over lattice, hidden units and coupling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_choice, check_integer, check_real, shown
from rbmflow.experiments.experiment import BaseParameters, Result, option
from rbmflow.experiments.optimum.descent import ZERO, n_repeats
from rbmflow.experiments.optimum.search import fewest_exact
from rbmflow.experiments.tables import Table
from rbmflow.ising import Ring, Torus
from rbmflow.reading import check_names

PHASES = {
    "repeated": "units are translates of each other",
    "broken": "units could be, and are not",
    "irregular": "N and M without common divisor",
    "copies": "exact in a limit: copies, decimation",
    "exact": "exact with finite weights",
}
"""What a best machine is, with a word on it."""
LATTICES = ("ring", "torus")
LARGEST = {"ring": 12, "torus": 4}
COUPLINGS = tuple(round(0.1 * k, 1) for k in range(1, 21))
NUMBERS = (
    "kl", "kl_symmetric", "starts", "hits", "stars", "translations", "symmetries", "hidden_correlation",
    "largest_weight", "curvature",
)  # fmt: skip
"""Of a cell, as `_described` returns them."""
COUNTS = ("starts", "stars", "translations", "symmetries")
COLUMNS = ("side", "n_hidden", "K", *NUMBERS)


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is searched.

    Attributes
    ----------
    lattice : str
        ``"ring"`` or ``"torus"``.
    sides : tuple of int
        Sites M of the rings, 3 to 12, or sides L of L × L tori, 3 or 4.
    hidden : tuple of int
        Numbers N of hidden units, up to the number of sites; none stands for all of them.
    couplings : tuple of float
        K, each above 0.
    n_starts : int
        Starts in each cell. A cell where one of them reaches 0 is done.
    """

    lattice: str = field(default="ring", metadata=option("ring or torus", choices=LATTICES))
    sides: tuple[int, ...] = field(
        default=(6, 8, 9, 10, 12), metadata=option("sites of rings, sides of tori", metavar="M")
    )
    hidden: tuple[int, ...] = field(default=(), metadata=option("hidden units; all by default", metavar="N"))
    couplings: tuple[float, ...] = field(default=COUPLINGS, metadata=option("K of each", metavar="K"))
    n_starts: int = field(default=100, metadata=option("descents in each cell", "--starts", metavar="N"))

    def __post_init__(self) -> None:
        check_choice("lattice", self.lattice, LATTICES)
        for name in ("sides", "couplings"):
            if not getattr(self, name):
                raise ValueError(f"{name}=(): at least one is needed")
        for side in self.sides:
            check_integer("sides", side, 3, LARGEST[self.lattice])
        for N in self.hidden:
            check_integer("hidden", N, 1, 16)
        if not self.chains:
            raise ValueError(f"hidden={shown(self.hidden)}: as many as sites are the most")
        K = check_real("couplings", self.couplings)
        if K.ndim != 1 or not (np.isfinite(K).all() and (K > 0).all()):
            raise ValueError(f"couplings={shown(self.couplings)}: positive, finite numbers are needed")
        check_integer("n_starts", self.n_starts, 1)

    def on(self, side: int) -> Ring | Torus:
        """Return the lattice of a side."""
        return Ring(side) if self.lattice == "ring" else Torus(side, side)

    @property
    def chains(self) -> list[tuple[int, int]]:
        """Side and hidden units of each row of cells along K."""
        sites = {side: self.on(side).n_sites for side in self.sides}
        return [
            (side, N)
            for side in self.sides
            for N in self.hidden or range(1, sites[side] + 1)
            if sites[side] >= N
        ]

    @property
    def cells(self) -> list[tuple[int, int, float]]:
        """Side, hidden units and coupling of each cell."""
        return [(*chain, float(K)) for chain in self.chains for K in self.couplings]

    @property
    def most_weights(self) -> int:
        """The largest number of weights of a machine."""
        return max(self.on(side).n_sites * N for side, N in self.chains)


@dataclass(frozen=True, eq=False)
class Optimum(Result):
    """The best machine found in each cell.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    table : Table
        For each cell: the least divergence found (nats); the least among machines whose units are translates
        of each other (N = 1: of equal weights); the descents made, and the share of them that reached the
        least, 0 where it was found from a neighbouring K; units that are copies with infinite weights, and
        then the divergence is an infimum; how many translations, and how many symmetries of the lattice,
        leave p(v) alone; mean ``|⟨h_a h_b⟩|`` of two hidden units; the largest weight and the smallest second
        derivative, where weights are finite.
    """

    parameters: Parameters
    table: Table
    what: ClassVar[str] = "a table of best machines"
    holds_parameters: ClassVar[bool] = False

    @property
    def tables(self) -> dict[str, Table]:
        """The table."""
        return {"optimum": self.table}

    def of(self, side: int, n_hidden: int) -> dict[str, FloatArray]:
        """Return the columns of one lattice and one number of hidden units, over K."""
        columns = {name: np.array(column, dtype=float) for name, column in self.table.columns.items()}
        here = (columns["side"] == side) & (columns["n_hidden"] == n_hidden)
        return {name: column[here] for name, column in columns.items()}

    @property
    def phases(self) -> list[str]:
        """One of `PHASES` for each cell."""
        columns = self.table.columns
        names = ("side", "n_hidden", "kl", "translations")
        return [self._phase(*cell) for cell in zip(*map(columns.__getitem__, names), strict=True)]

    def _phase(self, side: Any, n_hidden: Any, kl: Any, translations: Any) -> str:
        ring = self.parameters.lattice == "ring"
        if kl < ZERO:
            return "exact" if ring and n_hidden >= fewest_exact(side) else "copies"
        most = 1 if not ring else side if n_hidden == 1 else n_repeats(side, n_hidden)
        if most == 1:
            return "irregular"
        return "repeated" if translations == most else "broken"

    def write(self, stream: IO[bytes]) -> None:
        """Write the table as CSV, in UTF-8, to a binary stream."""
        stream.write(self.table.to_csv().encode())

    @classmethod
    def read(cls, content: bytes, parameters: Parameters) -> Optimum:
        """Return the table in the bytes of a file."""
        table = Table.from_csv(caption(parameters), content.decode())
        columns = check_names("it", table.columns, set(COLUMNS))
        cells = list(zip(columns["side"], columns["n_hidden"], columns["K"], strict=True))
        if cells != parameters.cells:
            raise ValueError("its cells are not those of the parameters")
        return cls(parameters, table)


def caption(parameters: Parameters) -> str:
    """Return what a reader sees above the table."""
    return f"Best machines of the {parameters.lattice}, {parameters.n_starts} starts in each cell"
