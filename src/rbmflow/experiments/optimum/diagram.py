"""What is asked of the best machines, and what is found: a table over lattice, hidden units and coupling."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_choice, check_integer, check_real, check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, Result, option
from rbmflow.experiments.optimum.descent import NO_STARS, ZERO, Minimum, descend_to_limit, n_repeats
from rbmflow.experiments.optimum.search import (
    SAME,
    curvature,
    fewest_exact,
    invariance,
    search,
    search_repeated,
    swept,
)
from rbmflow.experiments.optimum.target import Target
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.ising import Ring, Torus
from rbmflow.reading import check_names
from rbmflow.weight import kl_uniform, trained_weight

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
SEARCHED = ("kl_symmetric", "starts", "hits", "value")
"""Of a cell, before its neighbours are looked at, as `_cell` returns them; weights follow."""
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
        leave p(v) alone; mean |⟨h_a h_b⟩| of two hidden units; the largest weight and the smallest second
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
        table = Table.from_csv(_caption(parameters), content.decode())
        columns = check_names("it", table.columns, set(COLUMNS))
        cells = list(zip(columns["side"], columns["n_hidden"], columns["K"], strict=True))
        if cells != parameters.cells:
            raise ValueError("its cells are not those of the parameters")
        return cls(parameters, table)


def _caption(parameters: Parameters) -> str:
    return f"Best machines of the {parameters.lattice}, {parameters.n_starts} starts in each cell"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Optimum:
    """Search the least divergence KL(q‖p) of all bias-free machines from a ring or torus, cell by cell.

    Time for each start and step of a descent O(2^M M N).

    Parameters
    ----------
    parameters : Parameters, optional
        What to search; by default rings up to M = 12, N = 1 … M, an hour of one core.
    rng : numpy.random.Generator or int
        Generator or seed; each cell has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(cells done, cells)``.
    checkpoints : Checkpoints, optional
        Where finished cells are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    Optimum
        The table; `draw_optimum` draws it.

    Examples
    --------
    >>> found = run(Parameters(sides=(6,), hidden=(2, 3), couplings=(0.5,), n_starts=4), rng=1)
    >>> found.of(6, 2)["kl"], found.of(6, 3)["stars"]
    (array([0.1161]), array([3.]))
    """
    parameters = parameters or Parameters()
    cells, ends, n_chains = parameters.cells, parameters.chains, len(parameters.chains)

    def told(finished: int) -> Callable[[int, int], object]:
        return lambda done, _: progress and progress(finished + done, len(cells) + n_chains)

    streams = check_rng(rng).spawn(len(cells))
    tasks = [(parameters, *cell, stream) for cell, stream in zip(cells, streams, strict=True)]
    width = len(SEARCHED) + parameters.most_weights
    searched = rows_of_tasks(
        _cell, tasks, width, executor=executor, progress=told(0), checkpoints=checkpoints
    )
    per_chain = searched.reshape(n_chains, len(parameters.couplings), width)
    found = rows_of_tasks(
        _chain,
        [(parameters, *end, rows) for end, rows in zip(ends, per_chain, strict=True)],
        len(parameters.couplings) * len(NUMBERS),
        executor=executor,
        progress=told(len(cells)),
    )
    numbers = found.reshape(len(cells), len(NUMBERS)).tolist()
    rows = [(*cell, *map(_plain, NUMBERS, row)) for cell, row in zip(cells, numbers, strict=True)]
    return Optimum(parameters, Table(_caption(parameters), columns_of(COLUMNS, rows)))


def _plain(name: str, value: float) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if name in COUNTS else value


def _cell(parameters: Parameters, side: int, n_hidden: int, K: float, rng: np.random.Generator) -> FloatArray:
    """The numbers of `SEARCHED` of a cell, and the weights of its best machine."""
    target = Target(parameters.on(side), K)
    best, values = search(target, n_hidden, parameters.n_starts, rng)
    symmetric = np.nan
    if parameters.lattice == "ring" and best.value > ZERO:
        if n_hidden == 1:
            symmetric = float(kl_uniform(trained_weight(K, side, 1), K, side, 1))
        elif n_repeats(side, n_hidden) > 1:
            symmetric = search_repeated(target, n_hidden, parameters.n_starts, rng)[0].value
    row = np.full(len(SEARCHED) + parameters.most_weights, np.nan)
    hits = (values < best.value + SAME).mean()
    row[: len(SEARCHED)] = symmetric, len(values), hits, best.value
    row[len(SEARCHED) :][: best.weights.size] = best.weights.ravel()
    return row


def _chain(parameters: Parameters, side: int, n_hidden: int, rows: FloatArray) -> FloatArray:
    """The numbers of the cells of one lattice and one N, one after the other."""
    lattice = parameters.on(side)
    order = np.argsort(parameters.couplings, kind="stable")
    targets = [Target(lattice, parameters.couplings[k]) for k in order]
    size = n_hidden * lattice.n_sites
    ends = [
        Minimum(value, row[:size].reshape(n_hidden, -1), NO_STARS)
        for value, row in zip(rows[order, len(SEARCHED) - 1], rows[order, len(SEARCHED) :], strict=True)
    ]
    found = np.empty((len(order), len(NUMBERS)))
    for k, target, best, before in zip(order, targets, swept(targets, ends), ends, strict=True):
        symmetric, starts, hits, _ = rows[k, : len(SEARCHED)]
        found[k] = (*_described(target, best, symmetric, starts, hits if best is before else 0.0),)
    return found.ravel()


def _described(target: Target, best: Minimum, symmetric: float, starts: float, hits: float) -> list[float]:
    """The numbers of a cell, in the order of `NUMBERS`."""
    best = descend_to_limit(target, best)
    between = np.abs(target.hidden_correlations(best.weights, best.stars))
    pairs = between[np.triu_indices(len(between), 1)]
    return [
        best.value,
        symmetric,
        starts,
        hits,
        len(best.stars),
        *invariance(target, best),
        float(pairs.mean()) if len(pairs) else np.nan,
        float(np.abs(best.weights).max()) if best.attained else np.nan,
        curvature(target, best),
    ]
