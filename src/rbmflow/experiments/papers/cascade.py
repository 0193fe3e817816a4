"""Singular values of the weights that cross 1 one after the other while a machine is trained.

Bachtis, Biroli, Decelle and Seoane (NeurIPS 2024, arXiv:2405.14689) follow the singular values of the weights
of RBMs in training: a series of phase transitions, in which the principal modes of the data are learned one
by one. Without biases v = 0 is stable for the mean field of a machine if and only if no singular value is
above 1. While weights are small mode k grows as ``ds/dt = (λ_k − 1) s``, λ_k the variance of the data along
it: strong modes first. Nulls: rows whose columns were shuffled, and modes of equal strength.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.experiments.papers.paper import Claim, PaperResult, Tables, paper_experiment, tables_of_parts
from rbmflow.experiments.repetitions import mean_and_error
from rbmflow.experiments.style import COLOURS, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.networks import RBM
from rbmflow.sampling import training_set
from rbmflow.training import SGD, Exact, Fit, fit

SOURCE = "arXiv:2405.14689"
KINDS = ("planted", "shuffled", "equal", "critical")
"""Data: modes of these strengths, the same shuffled, modes of one strength, the torus at T_c."""
START = 0.01
"""Standard deviation of the weights before training."""
APART = 0.4
"""Logarithm of the ratio of two epochs from which on one is said to come after the other."""
MOST_HIDDEN = 12
"""Units whose states are all summed over at each update."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is trained.

    Attributes
    ----------
    side : int
        Of the torus, 4, 8 or 16; there are side² visible units.
    strengths : tuple of float
        Of the planted modes, falling: the field of unit i is ``Σ_k β_k s_k ξ_i^k`` with orthogonal patterns ξ
        and fair coins s.
    n_hidden : int
        Hidden units, at least as many as modes.
    n_rows : int
        Rows of the data.
    n_epochs : int
        Updates by the exact gradient.
    learning_rate : float
        Of each.
    n_machines : int
        Machines on each kind of data, at least 2; each has rows of its own.
    """

    side: int = field(default=8, metadata=option("of the torus", metavar="L"))
    strengths: tuple[float, ...] = field(
        default=(0.6, 0.4, 0.25), metadata=option("of the modes", metavar="B")
    )
    n_hidden: int = field(default=8, metadata=option("hidden units", "--hidden", metavar="N"))
    n_rows: int = field(default=2000, metadata=option("rows of data", "--rows", metavar="N"))
    n_epochs: int = field(default=500, metadata=option("updates", "--epochs", metavar="N"))
    learning_rate: float = 0.04
    n_machines: int = field(default=4, metadata=option("on each kind of data", "--machines", metavar="N"))

    def __post_init__(self) -> None:
        if self.side not in (4, 8, 16):
            raise ValueError(f"side={self.side}: 4, 8 or 16 is needed")
        check_integer("n_hidden", self.n_hidden, 2, MOST_HIDDEN)
        check_integer("n_rows", self.n_rows, 10, 10**6)
        check_integer("n_epochs", self.n_epochs, 2, 10**6)
        check_integer("n_machines", self.n_machines, 2, 1000)
        if not 0 < check_real_scalar("learning_rate", self.learning_rate) <= 1:
            raise ValueError(f"learning_rate={self.learning_rate}: a number above 0, at most 1, is needed")
        for one in self.strengths:
            if not 0 < check_real_scalar("strengths", one) <= 5:
                raise ValueError(f"strengths: {one}: a number above 0, at most 5, is needed")
        if not 2 <= len(self.strengths) <= min(self.n_hidden, 2 * self.side.bit_length() - 2):
            raise ValueError(f"strengths={self.strengths}: two are needed, at most as many as hidden units")
        if list(self.strengths) != sorted(set(self.strengths), reverse=True):
            raise ValueError(f"strengths={self.strengths}: they have to fall")


@dataclass(frozen=True)
class Cascade(PaperResult):
    """Singular values in training.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``claims``; then for each kind of data the epochs at which singular values crossed 1 and what they
        then lie along (``planted``, ``shuffled``, ``equal``, ``critical``), and the course of the first
        machine (``planted_course``, …).
    """

    parameters: Parameters
    what: ClassVar[str] = "singular values in training"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Cascade:
    """Train machines by exact gradients and follow the singular values of their weights.

    Parameters
    ----------
    parameters : Parameters, optional
        What to train.
    rng : numpy.random.Generator or int
        Generator or seed; each kind of data has a stream of its own.
    executor, progress, checkpoints : optional
        As for every experiment; there is a part for each kind of data.

    Returns
    -------
    Cascade
        Claims with their verdicts, and tables.

    Examples
    --------
    >>> small = Parameters(4, (0.9, 0.5), 2, n_rows=300, n_epochs=60, learning_rate=0.1, n_machines=2)
    >>> run(small, rng=1).tables["planted"].columns["mode"]
    [1, 2, 1, 2]
    """
    p = parameters or Parameters()
    streams = check_rng(rng).spawn(len(KINDS))
    parts = {kind: (_trained, p, kind, stream) for kind, stream in zip(KINDS, streams, strict=True)}
    tables = tables_of_parts(parts, executor=executor, progress=progress, checkpoints=checkpoints)
    return Cascade.of(p, tables, _claims(p, tables))


def planted_rows(strengths: tuple[float, ...], n_visible: int, n_rows: int, rng: Any) -> SpinArray:
    """Return rows of independent spins in the fields ``Σ_k β_k s_k ξ_i^k``, s_k a fair coin for each row.

    The patterns ξ are columns 1, 2, 4, … of Hadamard's matrix.

    Examples
    --------
    >>> planted_rows((9.0,), 4, 2, np.random.default_rng(1)).prod(axis=1)
    array([1, 1])
    """
    from scipy.linalg import hadamard

    patterns = hadamard(n_visible)[2 ** np.arange(len(strengths))]
    coins = 2 * rng.integers(2, size=(n_rows, len(strengths))) - 1
    fields = coins @ (np.array(strengths)[:, None] * patterns)
    return np.where(rng.random(fields.shape) < 1 / (1 + np.exp(-2 * fields)), 1, -1).astype(np.int8)


def _rows(p: Parameters, kind: str, rng: np.random.Generator) -> SpinArray:
    """Data of a kind."""
    if kind == "critical":
        lattice = Torus(p.side, p.side)
        found = training_set(lattice, [CRITICAL_TEMPERATURE], p.n_rows, rng=rng, n_threads=1).spins[0]
        return np.asarray(found)
    one = (p.strengths[1],) * len(p.strengths)
    rows = planted_rows(one if kind == "equal" else p.strengths, p.side**2, p.n_rows, rng)
    return rng.permuted(rows, axis=0) if kind == "shuffled" else rows


class _Course:
    """A callback that keeps the singular values, and their left vectors where they cross 1."""

    def __init__(self, start: RBM) -> None:
        left, values, _ = np.linalg.svd(start.weights, full_matrices=False)
        self.start, self.values = left, [values]
        self.crossed: dict[int, tuple[int, FloatArray]] = {}

    def __call__(self, now: Fit) -> None:
        left, values, _ = np.linalg.svd(now.model.weights, full_matrices=False)
        self.values.append(values)
        for mode in np.flatnonzero(values > 1).tolist():
            self.crossed.setdefault(mode, (len(self.values) - 1, left[:, mode]))


CROSSINGS = ("machine", "mode", "variance", "epoch", "along", "along_at_start", "uniform")


def _trained(p: Parameters, kind: str, rng: np.random.Generator) -> Tables:
    """The crossings of machines on one kind of data, and the course of the first."""
    crossings: list[tuple[Any, ...]] = []
    courses = []
    for machine, source in enumerate(rng.spawn(p.n_machines)):
        rows = _rows(p, kind, source)
        variances, modes = np.linalg.eigh(rows.T.astype(float) @ rows / p.n_rows)
        start = RBM(source.normal(0.0, START, (p.side**2, p.n_hidden)))
        course = _Course(start)
        fit(
            start, rows, negative=Exact(), optimizer=SGD(p.learning_rate), n_epochs=p.n_epochs, rng=source,
            biases=False, callback=course, n_threads=1,
        )  # fmt: skip
        courses.append(np.array(course.values))
        for mode in range(len(p.strengths)):
            epoch, vector = course.crossed.get(mode, (None, None))
            place = -1 - mode  # eigenvalues rise
            along = None if vector is None else float((vector @ modes[:, place]) ** 2)
            uniform = None if vector is None else float(vector.sum() ** 2 / len(vector))
            begin = float((course.start[:, mode] @ modes[:, place]) ** 2)
            crossings.append((machine, mode + 1, float(variances[place]), epoch, along, begin, uniform))
    names = [f"s{mode + 1}" for mode in range(p.n_hidden)]
    first = dict(zip(names, courses[0].T.tolist(), strict=True))
    return {
        kind: Table(f"Where singular values crossed 1: {kind} data", columns_of(CROSSINGS, crossings)),
        f"{kind}_course": Table(
            f"Singular values of a machine on {kind} data", {"epoch": list(range(p.n_epochs + 1)), **first}
        ),
    }


def _of_machines(p: Parameters, table: Table, column: str) -> FloatArray:
    """A column by machine and mode, NaN where there was no crossing."""
    values = [np.nan if cell is None else cell for cell in table.columns[column]]
    return np.array(values, dtype=float).reshape(p.n_machines, len(p.strengths))


def _mean(values: FloatArray) -> tuple[float, float]:
    """Mean over the machines that have the number, and its error, 0 where they all agree; NaN if none has."""
    there = values[np.isfinite(values)]
    if not len(there):
        return float("nan"), 0.0
    mean, error = mean_and_error(there)
    return float(mean), float(error)


def _claims(p: Parameters, tables: Tables) -> list[Claim]:
    epochs = {kind: _of_machines(p, tables[kind], "epoch") for kind in KINDS}
    counts = {kind: _mean(np.isfinite(epochs[kind]).sum(axis=1).astype(float)) for kind in KINDS}
    apart = {kind: _mean(_least_ratio(epochs[kind])) for kind in KINDS}
    along = _mean(np.nan_to_num(_of_machines(p, tables["planted"], "along")).mean(axis=1))
    before = _mean(_of_machines(p, tables["planted"], "along_at_start").mean(axis=1))
    uniform = _mean(np.nan_to_num(_of_machines(p, tables["critical"], "uniform")[:, 0]))
    elsewhere = _mean(np.nan_to_num(_of_machines(p, tables["planted"], "uniform")[:, 0]))
    after, equal = "least ln ratio of the epochs of neighbouring crossings", "modes of equal strength"
    one = "the first mode to cross is the magnetization of the torus at its critical point"

    def claim(text: str, quantity: str, bound: float, found: Any, null_is: str, null: Any) -> Claim:
        return Claim(text, quantity, "above", bound, found[0], null_is, null[0], found[1], null[1])

    return [
        claim(
            "every planted mode crosses 1", f"crossings, of {len(p.strengths)} modes",
            len(p.strengths) - 0.5, counts["planted"], "columns shuffled", counts["shuffled"],
        ),
        claim("one after the other", after, APART, apart["planted"], equal, apart["equal"]),
        claim(
            "each along the principal component of its rank", "mean squared overlap at the crossings",
            0.5, along, "the weights before training", before,
        ),
        claim(one, "squared overlap with the uniform vector", 0.5, uniform, "planted modes", elsewhere),
        claim(
            "the modes of the critical torus cross one after the other", after, APART, apart["critical"],
            equal, apart["equal"],
        ),
    ]  # fmt: skip


def _least_ratio(epochs: FloatArray) -> FloatArray:
    """The least ln ratio of neighbouring epochs of each machine; crossings that never came do not count."""
    ratios = np.log(epochs[:, 1:] / epochs[:, :-1])
    least = np.where(np.isnan(ratios), np.inf, ratios).min(axis=1)
    return np.where(np.isfinite(least), least, np.nan)


def draw_cascade(result: Cascade, ax: Any = None) -> Any:
    """Draw the singular values of a machine on each kind of data along its training (pass four axes)."""
    titles = ("Planted modes", "The same, shuffled", "Modes of equal strength", "Torus at its critical point")
    with styled():
        axes = axes_of(ax, 4, (14.0, 3.8))
        for panel, kind, title in zip(axes, KINDS, titles, strict=True):
            columns = result.tables[f"{kind}_course"].columns
            epochs = np.array(columns["epoch"][1:])
            for place, name in enumerate(list(columns)[1:]):
                colour = COLOURS[place] if place < len(result.parameters.strengths) else "0.75"
                panel.plot(epochs, columns[name][1:], color=colour, lw=1.5)
            panel.axhline(1.0, color="black", lw=0.8, ls="--")
            panel.set(xscale="log", xlabel="epoch", title=title)
        axes[0].set_ylabel("singular values of W")
        return axes


def _quick(parameters: Parameters) -> Parameters:
    return replace(
        parameters, side=4, strengths=(0.9, 0.5), n_hidden=4, n_rows=500, n_epochs=150, learning_rate=0.1,
        n_machines=2,
    )  # fmt: skip


EXPERIMENTS = [
    paper_experiment(
        "cascade",
        "singular values of the weights that cross 1 one after the other in training",
        __name__,
        Cascade,
        _quick,
        draw_cascade,
        SOURCE,
    )
]
