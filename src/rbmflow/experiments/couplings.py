"""Couplings of a torus from configurations: by pseudo-likelihood, and by machines trained on them."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_choice, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.repetitions import mean_and_error
from rbmflow.experiments.style import COLOURS, GREY, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.ising import Torus, infer
from rbmflow.ising.inference.infer import MAX_EXACT
from rbmflow.ising.operators import sites_of
from rbmflow.networks import effective_pairs
from rbmflow.reading import check_names
from rbmflow.sampling import training_set
from rbmflow.training import Recipe, learn

METHODS = ("pairs", "exact pairs", "classes", "machine", "default machine")
DATA = ("torus", "shuffled")
"""Configurations, and their spins with those of other rows: nothing is coupled in these."""
STATISTICS = ("neighbours", "neighbours_sd", "others", "others_rms", "error_rms", "pull_variance")
COLUMNS = ("data", "n_samples", "method", "neighbours", "neighbours_stderr", *STATISTICS[1:])


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is inferred, and from what.

    Attributes
    ----------
    side : int
        L of the L × L torus, 4 to 10.
    K : float
        Its coupling, above 0.
    n_samples : tuple of int
        Numbers of independent configurations, at least 100.
    ratio : float
        Hidden units of a machine for each spin.
    n_updates : int
        Updates of its parameters; the best of the checkpoints is taken.
    n_repeats : int
        Sets of configurations, at least 2.
    methods : tuple of str
        ``"pairs"``, pseudo-likelihood with a coupling for each pair of spins; ``"exact pairs"``, the
        likelihood itself, of at most 20 spins; ``"classes"``, pseudo-likelihood with one for each operator of
        the torus; ``"machine"``, trained long without decay of weights; ``"default machine"``, by `learn` as
        it is.
    """

    side: int = field(default=6, metadata=option("of the torus of L x L spins", metavar="L"))
    K: float = field(default=0.4, metadata=option("coupling of neighbours", "-K", metavar="K"))
    n_samples: tuple[int, ...] = field(
        default=(500, 2000, 20_000), metadata=option("configurations", "--samples", metavar="N")
    )
    ratio: float = field(default=2.0, metadata=option("hidden units for each spin", metavar="G"))
    n_updates: int = field(default=20_000, metadata=option("of a machine", "--updates", metavar="N"))
    n_repeats: int = field(default=3, metadata=option("sets of configurations", "--repeats", metavar="N"))
    methods: tuple[str, ...] = field(
        default=("pairs", "classes", "machine", "default machine"), metadata=option(choices=METHODS)
    )

    def __post_init__(self) -> None:
        check_integer("side", self.side, 4, 10)
        for name in ("K", "ratio"):
            if not 0 < check_real_scalar(name, getattr(self, name)) < np.inf:
                raise ValueError(f"{name}={getattr(self, name)}: a positive, finite number is needed")
        if not self.n_samples:
            raise ValueError("n_samples=(): at least one is needed")
        for number in self.n_samples:
            check_integer("n_samples", number, 100, 10**7)
        check_integer("n_updates", self.n_updates, 1, 10**9)
        check_integer("n_repeats", self.n_repeats, 2, 10**6)
        for method in self.methods:
            check_choice("methods", method, METHODS)
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ValueError(f"methods={self.methods}: at least one is needed, none twice")
        if "exact pairs" in self.methods and self.lattice.n_sites > MAX_EXACT:
            raise ValueError(f"methods={self.methods}: exact ones are for at most {MAX_EXACT} spins")

    @property
    def lattice(self) -> Torus:
        """The torus."""
        return Torus(self.side, self.side)

    @property
    def n_hidden(self) -> int:
        """Hidden units of a machine."""
        return max(1, round(self.ratio * self.lattice.n_sites))

    @property
    def cases(self) -> list[tuple[str, int]]:
        """Each kind of data with its numbers of samples: shuffled ones with the smallest."""
        return [(DATA[0], number) for number in self.n_samples] + [(DATA[1], min(self.n_samples))]


@dataclass(frozen=True, eq=False)
class CouplingErrors(Result):
    """How far inferred couplings are from those of the torus.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    table : Table
        For each kind of data, number of samples and method the mean coupling of neighbours, averaged over
        bonds and sets, and its standard error; the spread over bonds; the mean and the root mean square of
        all other pairs; the root mean square error of a pair; and the variance of ``(J − J_true)/σ``, which
        is 1 where the errors σ are right and empty where there are none.
    """

    parameters: Parameters
    table: Table
    what: ClassVar[str] = "a table of errors of inferred couplings"
    holds_parameters: ClassVar[bool] = False

    @property
    def tables(self) -> dict[str, Table]:
        """What was measured."""
        return {"couplings": self.table}

    def of(self, data: str, method: str) -> dict[str, FloatArray]:
        """Return the columns of numbers of one kind of data and one method, over its numbers of samples."""
        columns = self.table.columns
        here = [k for k, row in enumerate(zip(columns["data"], columns["method"])) if row == (data, method)]  # noqa: B905
        return {
            name: np.array([np.nan if columns[name][k] is None else columns[name][k] for k in here], float)
            for name in ("n_samples", *COLUMNS[3:])
        }

    def verdict(self, n_samples: int) -> str:
        """Return in words how far a pair's coupling is from that of the torus, by each method."""
        place = self.parameters.n_samples.index(n_samples)
        error = {name: self.of("torus", name)["error_rms"][place] for name in self.parameters.methods}
        ranked = sorted(error, key=lambda name: error[name])
        return "error of a pair " + ", ".join(f"{error[name]:.4f} by {name}" for name in ranked)

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return a verdict for each number of samples."""
        return [f"n = {n}: {self.verdict(n)}" for n in self.parameters.n_samples]

    def write(self, stream: IO[bytes]) -> None:
        """Write the table as CSV, in UTF-8, to a binary stream."""
        stream.write(self.table.to_csv().encode())

    @classmethod
    def read(cls, content: bytes, parameters: Parameters) -> CouplingErrors:
        """Return the table in the bytes of a file."""
        table = Table.from_csv(_caption(parameters), content.decode())
        columns = check_names("it", table.columns, set(COLUMNS))
        asked = [(*case, method) for case in parameters.cases for method in parameters.methods]
        if list(zip(*(columns[name] for name in COLUMNS[:3]), strict=True)) != asked:
            raise ValueError("its data, samples and methods are not those of the parameters")
        numbers = [one for name in COLUMNS[3:] for one in columns[name] if name != "pull_variance"]
        if not all(isinstance(one, float) for one in numbers):
            raise ValueError(f"{', '.join(COLUMNS[3:-1])}: numbers are needed")
        if not all(one is None or isinstance(one, float) for one in columns["pull_variance"]):
            raise ValueError("pull_variance: numbers are needed, or nothing")
        return cls(parameters, table)


def _caption(parameters: Parameters) -> str:
    side = parameters.side
    return (
        f"Couplings inferred from {side} x {side} spins at K = {parameters.K:g}, "
        f"{parameters.n_hidden} hidden units, {parameters.n_repeats} sets of each kind"
    )


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> CouplingErrors:
    """Draw configurations, infer the couplings of all pairs in each way, and compare them with the torus.

    The null are as many configurations as the fewest, with every spin replaced by that of another row: their
    couplings are 0.

    Parameters
    ----------
    parameters : Parameters, optional
        What to measure; by default 6 × 6 spins, three minutes of one core.
    rng : numpy.random.Generator or int
        Each set of configurations has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(sets done, sets)``.
    checkpoints : Checkpoints, optional
        Where finished sets are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    CouplingErrors
        The table; `draw_couplings` draws it.

    Examples
    --------
    >>> small = Parameters(4, 0.2, n_samples=(200,), n_repeats=2, methods=("pairs", "classes"))
    >>> run(small, rng=1).of("torus", "pairs")["error_rms"] < 0.15
    array([ True])
    """
    parameters = parameters or Parameters()
    cases, methods = parameters.cases, parameters.methods
    streams = check_rng(rng).spawn(len(cases) * parameters.n_repeats)
    tasks = [
        (parameters, *cases[index // parameters.n_repeats], stream) for index, stream in enumerate(streams)
    ]
    width = len(methods) * len(STATISTICS)
    found = rows_of_tasks(_set, tasks, width, executor=executor, progress=progress, checkpoints=checkpoints)
    numbers = found.reshape(len(cases), parameters.n_repeats, len(methods), len(STATISTICS))
    rows = [
        (*case, method, *_over_sets(numbers[k, :, m]))
        for k, case in enumerate(cases)
        for m, method in enumerate(methods)
    ]
    return CouplingErrors(parameters, Table(_caption(parameters), columns_of(COLUMNS, rows)))


def _over_sets(numbers: FloatArray) -> list[float | None]:
    """Return the mean over sets, of roots of mean squares that of the squares; None where there is none."""
    (neighbours, *_), (stderr, *_) = mean_and_error(numbers)
    columns = dict(zip(STATISTICS, numbers.T, strict=True))
    means = [
        one.mean() if name in ("others", "pull_variance") else math.sqrt((one**2).mean())
        for name, one in columns.items()
    ][1:]
    return [None if np.isnan(one) else float(one) for one in (neighbours, stderr, *means)]


def _set(parameters: Parameters, data: str, n_samples: int, rng: np.random.Generator) -> tuple[float, ...]:
    """The statistics of each method on one set of configurations."""
    spins = training_set(parameters.lattice, [1 / parameters.K], n_samples, rng=rng).spins[0]
    if data == "shuffled":
        spins = rng.permuted(spins, axis=0)
    true = parameters.K if data == "torus" else 0.0
    return tuple(
        number
        for method in parameters.methods
        for number in _statistics(parameters, *_inferred(parameters, method, spins, rng), true)
    )


def _inferred(
    parameters: Parameters, method: str, spins: SpinArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the couplings of all pairs and their standard errors, NaN where there are none."""
    lattice = parameters.lattice
    if method == "classes":
        return _of_classes(lattice, spins)
    if method in ("machine", "default machine"):
        recipe = _recipe(parameters, len(spins)) if method == "machine" else None
        J = effective_pairs(learn(spins, parameters.n_hidden, recipe, rng=rng, n_threads=1).model)
        return J, np.full_like(J, np.nan)
    found = infer(spins, method="exact" if method == "exact pairs" else "pseudo-likelihood")
    return found.pairs, found.pairs_stderr


def _recipe(parameters: Parameters, n_samples: int) -> Recipe:
    """Return that of a machine trained long on the rows that are not held out, without decay of weights."""
    in_epoch = -(-round((1 - Recipe.held_out) * n_samples) // Recipe.batch_size)
    return Recipe(n_epochs=-(-parameters.n_updates // in_epoch), l2=0.0)


def _of_classes(lattice: Torus, spins: SpinArray) -> tuple[FloatArray, FloatArray]:
    """Return those of the operators of a torus: neighbours, on the diagonal and third ones, the plaquette."""
    found = infer(spins, lattice)
    J, error = np.zeros((lattice.n_sites,) * 2), np.full((lattice.n_sites,) * 2, np.nan)
    for products, value, stderr in zip(found.products, found.couplings, found.stderr, strict=True):
        times = np.zeros_like(J)  # on a side of 4 both third neighbours of a spin are one
        for i, k in (sites.T for sites in sites_of(products, lattice.shape) if sites.shape[1] == 2):
            np.add.at(times, (i, k), 1)
            np.add.at(times, (k, i), 1)
        J += value * times
        error[times > 0] = (stderr * times)[times > 0]
    return J, error


def _statistics(parameters: Parameters, J: FloatArray, stderr: FloatArray, true: float) -> tuple[float, ...]:
    """Return the numbers `STATISTICS` of couplings of pairs."""
    n_sites = parameters.lattice.n_sites
    first, second = np.triu_indices(n_sites, 1)
    near = np.zeros((n_sites, n_sites), dtype=bool)
    near[tuple(parameters.lattice.bonds().T)] = True
    is_bond, found = near[first, second], J[first, second]
    error = found - true * is_bond
    others = found[~is_bond]
    pull = error / stderr[first, second]
    pull = pull[np.isfinite(pull)]
    return (
        float(found[is_bond].mean()),
        float(found[is_bond].std()),
        float(others.mean()) if len(others) else 0.0,
        float(np.sqrt((others**2).mean())) if len(others) else 0.0,
        float(np.sqrt((error**2).mean())),
        float((pull**2).mean()) if len(pull) else np.nan,
    )


def draw_couplings(result: CouplingErrors, ax: Any = None) -> Any:
    """Draw the error of a pair and the coupling of neighbours over the number of samples (pass two axes)."""
    with styled():
        left, right = axes = axes_of(ax, 2, (10.5, 4.2))
        for colour, method in zip(COLOURS, result.parameters.methods, strict=False):
            torus, null = (result.of(data, method) for data in DATA)
            left.loglog(torus["n_samples"], torus["error_rms"], "o-", color=colour, label=method)
            if null["error_rms"][0] > 0:  # a machine that learned nothing has no place on this axis
                left.loglog(null["n_samples"], null["error_rms"], "o", mfc="white", color=colour)
            right.errorbar(
                torus["n_samples"], torus["neighbours"], torus["neighbours_stderr"], fmt="o-", color=colour
            )
        right.axhline(result.parameters.K, color=GREY, lw=1, ls="--")
        left.set(ylabel="root mean square error of a pair", title="Open circles: shuffled spins")
        right.set(xscale="log", ylabel="mean coupling of neighbours", title=f"K = {result.parameters.K:g}")
        for panel in (left, right):
            panel.set_xlabel("configurations")
        left.legend(loc="lower left")
        return axes


EXPERIMENTS = [
    Experiment(
        "couplings",
        "couplings of a torus from configurations: pseudo-likelihood against trained machines",
        __name__,
        CouplingErrors,
        "couplings.csv",
        "sets",
        {"couplings": draw_couplings},
    )
]
