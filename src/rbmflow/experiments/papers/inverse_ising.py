"""Couplings of the Ising model read off machines that were trained on its configurations.

Cossu, Del Debbio, Giani, Khamseh and Wilson (Phys. Rev. B 100, 064304 (2019), arXiv:1810.11503) give the
couplings of every order that the law of an RBM has in closed form; Decelle, Furtlehner, Navas Gómez and
Seoane (arXiv:2309.02292) show that such a mapping learns the network of interactions, three-body ones
among them. Here machines ascend the exact likelihood of rows from a ring, from a torus and from a ring with
three-spin couplings; beside them stand the couplings of the largest pseudo-likelihood, which needs no
machine. Nulls: rows whose columns were shuffled, and rows of a ring without three-spin couplings.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.experiments.papers.paper import Claim, PaperResult, Tables, paper_experiment, tables_of_parts
from rbmflow.experiments.repetitions import mean_and_error
from rbmflow.experiments.style import BLUE, GREY, ORANGE, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.ising import Ring, Torus, infer, operator_law, state_law
from rbmflow.networks import RBM, effective_pairs, effective_triples
from rbmflow.state_law import StateLaw
from rbmflow.training import LBFGS, Exact, fit

SOURCE = "arXiv:1810.11503, arXiv:2309.02292"
KINDS = ("ring", "torus", "triples")
START = 0.1
"""Standard deviation of the weights before training."""
TORUS_SIDE = 4
RIGHT = 0.05
"""How close to the true coupling the mean one of a machine is to come."""
FOUND = 0.9
"""Share of the bonds that are among the largest couplings."""
AS_GOOD = 1.2
"""Ratio of errors up to which one way is as good as another."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is inferred.

    Attributes
    ----------
    n_sites : int
        Spins of the rings, 6 to 14; the torus is 4 × 4.
    K, torus_K : float
        Couplings of neighbours, βJ.
    triple : float
        Coupling of three spins in a row, beside K/2 of neighbours.
    ratio : int
        Hidden units for each spin.
    n_rows : int
        Configurations in each set.
    n_epochs : int
        Iterations of the training.
    n_sets : int
        Sets of each kind, at least 2.
    """

    n_sites: int = field(default=12, metadata=option("of the rings", "--sites", metavar="M"))
    K: float = field(default=0.5, metadata=option("coupling of the ring", "--coupling", metavar="K"))
    torus_K: float = 0.3
    triple: float = 0.3
    ratio: int = field(default=2, metadata=option("hidden units for each spin", metavar="R"))
    n_rows: int = field(default=10_000, metadata=option("configurations", "--rows", metavar="N"))
    n_epochs: int = field(default=150, metadata=option("iterations of training", "--epochs", metavar="N"))
    n_sets: int = field(default=4, metadata=option("sets of each kind", "--sets", metavar="N"))

    def __post_init__(self) -> None:
        check_integer("n_sites", self.n_sites, 6, 14)
        for name in ("K", "torus_K", "triple"):
            if not 0 < check_real_scalar(name, getattr(self, name)) <= 2:
                raise ValueError(f"{name}={getattr(self, name)}: a coupling above 0, at most 2, is needed")
        check_integer("ratio", self.ratio, 1, 16)
        check_integer("n_rows", self.n_rows, 100, 10**6)
        check_integer("n_epochs", self.n_epochs, 1, 10**5)
        check_integer("n_sets", self.n_sets, 2, 1000)


@dataclass(frozen=True)
class InverseIsing(PaperResult):
    """Couplings of machines beside true ones.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``claims``; what was found in each set of each kind (``ring``, ``torus``, ``triples``), and the pair
        couplings of its first set (``ring_pairs``, …).
    """

    parameters: Parameters
    what: ClassVar[str] = "couplings of trained machines"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> InverseIsing:
    """Train machines on configurations of known couplings, and read couplings off them.

    Parameters
    ----------
    parameters : Parameters, optional
        What to infer.
    rng : numpy.random.Generator or int
        Generator or seed; each kind of data has a stream of its own.
    executor, progress, checkpoints : optional
        As for every experiment; there is a part for each kind of data.

    Returns
    -------
    InverseIsing
        Claims with their verdicts, and tables.

    Examples
    --------
    >>> small = Parameters(6, n_rows=500, n_epochs=5, n_sets=2)
    >>> run(small, rng=1).tables["ring"].columns["data"]
    ['data', 'null', 'data', 'null']
    """
    p = parameters or Parameters()
    streams = check_rng(rng).spawn(len(KINDS))
    parts = {kind: (_inferred, p, kind, stream) for kind, stream in zip(KINDS, streams, strict=True)}
    tables = tables_of_parts(parts, executor=executor, progress=progress, checkpoints=checkpoints)
    return InverseIsing.of(p, tables, _claims(p, tables))


def _law(p: Parameters, kind: str) -> tuple[StateLaw, FloatArray]:
    """The law of a kind, and its true pair couplings."""
    if kind == "torus":
        torus = Torus(TORUS_SIDE, TORUS_SIDE)
        return state_law(torus, p.torus_K), p.torus_K * _bonds(torus)
    ring = Ring(p.n_sites)
    if kind == "ring":
        return state_law(ring, p.K), p.K * _bonds(ring)
    couplings = {"pair": p.K / 2, "triple": p.triple}
    operators = {"pair": [[(0,), (1,)]], "triple": [[(0,), (1,), (2,)]]}
    return operator_law(p.n_sites, couplings, operators=operators), p.K / 2 * _bonds(ring)


def _bonds(lattice: Ring | Torus) -> FloatArray:
    """1 between neighbours, 0 elsewhere."""
    n = lattice.n_sites
    spins = np.eye(n).reshape(n, *lattice.shape)
    near = sum(np.roll(spins, step, axis) for axis in range(1, spins.ndim) for step in (1, -1))
    return np.asarray(near, dtype=np.float64).reshape(n, n)


FOUND_IN_A_SET = (
    "set", "data", "machine_K", "machine_error", "machine_found", "pseudo_K", "pseudo_error", "pseudo_found",
    "machine_triple", "pseudo_triple",
)  # fmt: skip


def _inferred(p: Parameters, kind: str, rng: np.random.Generator) -> Tables:
    """The couplings that machines and pseudo-likelihood find in sets of one kind."""
    law, true = _law(p, kind)
    plain = _law(p, "ring")[0] if kind == "triples" else law
    rows: list[tuple[Any, ...]] = []
    first: dict[str, list[Any]] = {}
    for number, source in enumerate(rng.spawn(p.n_sets)):
        for name in ("data", "null"):
            spins = _draw(plain if name == "null" else law, p.n_rows, source)
            if name == "null" and kind != "triples":
                spins = source.permuted(spins, axis=0)
            machine, pseudo = _of_machine(p, spins, source), _of_pseudo_likelihood(spins)
            found = [_summary(pairs, true) for pairs, _ in (machine, pseudo)]
            rows.append((number, name, *found[0], *found[1], machine[1], pseudo[1]))
            if number == 0 and name == "data":
                upper = np.triu_indices(len(true), 1)
                columns = {"true": true, "machine": machine[0], "pseudo": pseudo[0]}
                first = {key: values[upper].tolist() for key, values in columns.items()}
    return {
        kind: Table(f"Couplings found in sets of kind {kind}", columns_of(FOUND_IN_A_SET, rows)),
        f"{kind}_pairs": Table(f"Pair couplings of the first set of kind {kind}", first),
    }


def _draw(law: StateLaw, n_rows: int, rng: np.random.Generator) -> SpinArray:
    return np.asarray(law.states[rng.choice(len(law.states), n_rows, p=law.probabilities)])


def _of_machine(p: Parameters, spins: SpinArray, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Pair couplings of a machine, and its mean one of three spins in a row."""
    n, n_hidden = spins.shape[1], p.ratio * spins.shape[1]
    weights, bias = rng.normal(0.0, START, (n, n_hidden)), rng.normal(0.0, START, (n_hidden,))
    start = RBM(weights, hidden_bias=bias)
    model = fit(
        start, spins, negative=Exact(), optimizer=LBFGS(), n_epochs=p.n_epochs, rng=rng, n_threads=1
    ).model
    triples = effective_triples(model, range(n))
    return effective_pairs(model), float(np.mean([triples[i, (i + 1) % n, (i + 2) % n] for i in range(n)]))


def _of_pseudo_likelihood(spins: SpinArray) -> tuple[FloatArray, float]:
    """Pair couplings of the largest pseudo-likelihood, and its mean one of three spins in a row."""
    n = spins.shape[1]
    pairs = {f"{i} {j}": [[i, j]] for i, j in combinations(range(n), 2)}
    triples = {f"triple {i}": [[i, (i + 1) % n, (i + 2) % n]] for i in range(n)}
    found = infer(spins, operators=pairs | triples)
    return found.pairs, float(found.couplings[len(pairs) :].mean())


def _summary(pairs: FloatArray, true: FloatArray) -> tuple[float, float, float]:
    """The mean coupling of bonds, the rms error of all pairs, and the share of bonds among the largest."""
    upper = np.triu_indices(len(true), 1)
    J, known = pairs[upper], true[upper]
    bonds = known != 0
    largest = np.argsort(-np.abs(J))[: bonds.sum()]
    return float(J[bonds].mean()), float(np.sqrt(((J - known) ** 2).mean())), float(bonds[largest].mean())


def _of(table: Table, column: str, data: str) -> FloatArray:
    rows = zip(table.columns["data"], table.columns[column], strict=True)
    return np.array([cell for which, cell in rows if which == data], dtype=float)


def _claims(p: Parameters, tables: Tables) -> list[Claim]:
    ring, torus, triples = (tables[kind] for kind in KINDS)
    shuffled, plain = "columns shuffled", "rows without three-spin couplings"

    def claim(
        text: str, quantity: str, side: Any, bound: float, values: FloatArray, null_is: str, null: FloatArray
    ) -> Claim:
        (a, da), (b, db) = (mean_and_error(one) for one in (values, null))
        return Claim(text, quantity, side, bound, float(a), null_is, float(b), float(da), float(db))

    def away(table: Table, column: str, data: str, value: float) -> FloatArray:
        return np.asarray(np.abs(_of(table, column, data) - value))

    def ratios(table: Table, data: str) -> FloatArray:
        return np.asarray(_of(table, "machine_error", data) / _of(table, "pseudo_error", data))

    mean, rms = "distance of the mean coupling of neighbours from K", "rms error by that of pseudo-likelihood"
    network = "share of the bonds among as many largest couplings"
    return [
        claim(
            "machines give the coupling of the ring", mean, "below", RIGHT,
            away(ring, "machine_K", "data", p.K), shuffled, away(ring, "machine_K", "null", p.K),
        ),
        claim(
            "machines give the coupling of the torus", mean, "below", RIGHT,
            away(torus, "machine_K", "data", p.torus_K), shuffled,
            away(torus, "machine_K", "null", p.torus_K),
        ),
        claim(
            "machines find the network of the torus", network, "above", FOUND,
            _of(torus, "machine_found", "data"), shuffled, _of(torus, "machine_found", "null"),
        ),
        claim(
            "machines find couplings of three spins", "distance of the mean one from the true one", "below",
            RIGHT, away(triples, "machine_triple", "data", p.triple), plain,
            away(triples, "machine_triple", "null", p.triple),
        ),
        claim(
            "a machine is as good as pseudo-likelihood", f"on the torus, {rms}", "below", AS_GOOD,
            ratios(torus, "data"), shuffled, ratios(torus, "null"),
        ),
    ]  # fmt: skip


def draw_inverse_ising(result: InverseIsing, ax: Any = None) -> Any:
    """Draw the pair couplings of machines against those of the pseudo-likelihood (pass three axes)."""
    with styled():
        axes = axes_of(ax, 3, (12.5, 4.2))
        for panel, kind in zip(axes, KINDS, strict=True):
            columns = {key: np.array(one) for key, one in result.tables[f"{kind}_pairs"].columns.items()}
            bonds = columns["true"] != 0
            for here, colour, label in ((bonds, BLUE, "neighbours"), (~bonds, ORANGE, "other pairs")):
                panel.plot(columns["pseudo"][here], columns["machine"][here], ".", color=colour, label=label)
            ends = [min(columns["pseudo"].min(), columns["machine"].min()), columns["pseudo"].max()]
            panel.plot(ends, ends, color=GREY, lw=0.8)
            for value in set(columns["true"].tolist()):
                panel.plot(value, value, "k+", ms=12)
            panel.set(xlabel="J by pseudo-likelihood", ylabel="J of the machine", title=kind.capitalize())
            panel.legend(fontsize=8)
        return axes


def _quick(parameters: Parameters) -> Parameters:
    return replace(parameters, n_sites=6, n_rows=2000, n_epochs=15, n_sets=2)


EXPERIMENTS = [
    paper_experiment(
        "inverse_ising",
        "couplings of the Ising model, read off machines trained on its configurations",
        __name__,
        InverseIsing,
        _quick,
        draw_inverse_ising,
        SOURCE,
    )
]
