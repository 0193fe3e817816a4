"""The least largest singular value among machines of one law: penalised exact fits against the bound."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import check_integer, check_real_scalar, check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.exact_fit import Fitted, Law, fit_least
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.style import COLOURS, GREY, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import one_thread, rows_of_tasks
from rbmflow.flow import singular_value_bound, spectrum
from rbmflow.ising import Ring, Torus
from rbmflow.networks import RBM
from rbmflow.reading import check_names

MAX_SITES = 16
EXACT = 1e-18
"""KL in nats up to which a fit counts as exact; s₁ then lacks up to about 10⁻⁸."""
BELOW = 1e-7
"""A share of the bound by which a machine is below it."""
COLUMNS = (
    "lattice",
    "K",
    "n_hidden",
    "bound",
    "bound_of_any",
    "local",
    "least",
    "kl",
    "n_exact",
    "penalised",
    "penalised_kl",
)
Case = tuple[Ring | Torus, float, int]


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is fitted.

    Attributes
    ----------
    rings : tuple of int
        Sites of the rings, 3 to 16.
    tori : tuple of str
        Sides of the tori, as ``"3x4"``; up to 16 sites.
    couplings : tuple of float
        K, each above 0.
    ratios : tuple of float
        Hidden units for each bond; their number is rounded, at least 1.
    n_starts : int
        Random starts of each fit, at least 1.
    """

    rings: tuple[int, ...] = field(default=(4, 5, 6, 7, 8), metadata=option(metavar="M"))
    tori: tuple[str, ...] = field(default=("2x3", "3x3", "2x4"), metadata=option(metavar="RxC"))
    couplings: tuple[float, ...] = field(default=(0.1, 0.23, 0.4407), metadata=option(metavar="K"))
    ratios: tuple[float, ...] = field(
        default=(1.0, 1.5, 2.0), metadata=option("hidden units for each bond", metavar="G")
    )
    n_starts: int = field(default=4, metadata=option("of each fit", "--starts", metavar="N"))

    def __post_init__(self) -> None:
        for name in ("rings", "tori", "couplings", "ratios"):
            value = getattr(self, name)
            if not isinstance(value, (tuple, list)) or not (value or name in ("rings", "tori")):
                raise ValueError(f"{name}={shown(value)}: a tuple is needed, of at least one")
        for n in self.rings:
            check_integer("rings", n, 3, MAX_SITES)
        for sides in self.tori:
            _torus(sides)
        for name in ("couplings", "ratios"):
            for one in getattr(self, name):
                if not 0 < check_real_scalar(name, one) < 100:
                    raise ValueError(
                        f"{name}={shown(getattr(self, name))}: numbers above 0, to 100, are needed"
                    )
        check_integer("n_starts", self.n_starts, 1)

    @property
    def cases(self) -> list[Case]:
        """Each lattice with each coupling and number of hidden units; two ratios may be one number."""
        lattices: list[Ring | Torus] = [*map(Ring, self.rings), *map(_torus, self.tori)]
        return list(
            dict.fromkeys(
                (lattice, K, max(1, round(ratio * len(lattice.bonds()))))
                for lattice in lattices
                for K in self.couplings
                for ratio in self.ratios
            )
        )


def _torus(sides: object) -> Torus:
    parts = sides.split("x") if isinstance(sides, str) else []
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() and len(part) < 3 for part in parts):
        raise ValueError(f"tori={shown(sides)}: two sides are needed, as 3x4")
    torus = Torus(*map(int, parts))
    if torus.n_sites > MAX_SITES:
        raise ValueError(f"tori={shown(sides)}: at most {MAX_SITES} sites are possible")
    return torus


@dataclass(frozen=True, eq=False)
class LeastSingularValues(Result):
    """The least s₁ that was found, beside what is proven.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    table : Table
        For each lattice, K and N the bound with N hidden units and with any number, s₁ of the machine with
        equally many units on each bond where N allows one, the least s₁ among fits that are exact with its
        divergence and the number of starts that led to an exact one, and s₁ and divergence of the best
        penalised fit, which may lie below the bound as far as it is not exact.
    """

    parameters: Parameters
    table: Table
    what: ClassVar[str] = "a table of least singular values"
    holds_parameters: ClassVar[bool] = False

    @property
    def tables(self) -> dict[str, Table]:
        """What was found."""
        return {"least_singular_value": self.table}

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return whether a fit went below the bound, and how near they came."""
        bound, least = (self._numbers(name) for name in ("bound", "least"))
        found = np.isfinite(least)
        if not found.any():
            return ["no fit is exact"]
        above = least[found] / bound[found]
        below = int((above < 1 - BELOW).sum())
        verdict = f"{below} exact machines are below the bound" if below else "no exact machine is below it"
        return [f"{verdict}; least/bound is from {above.min():.7f} to {above.max():.7f}"]

    def _numbers(self, name: str) -> Any:
        return np.array(self.table.columns[name], dtype=float)  # None becomes NaN

    def write(self, stream: IO[bytes]) -> None:
        """Write the table as CSV, in UTF-8, to a binary stream."""
        stream.write(self.table.to_csv().encode())

    @classmethod
    def read(cls, content: bytes, parameters: Parameters) -> LeastSingularValues:
        """Return the table in the bytes of a file."""
        table = Table.from_csv(CAPTION, content.decode())
        columns = check_names("it", table.columns, set(COLUMNS))
        cases = [(lattice.label, K, N) for lattice, K, N in parameters.cases]
        if list(zip(*(columns[name] for name in COLUMNS[:3]), strict=True)) != cases:
            raise ValueError("its lattices, couplings and hidden units are not those of the parameters")
        if not all(isinstance(one, (float, int)) for name in PRESENT for one in columns[name]):
            raise ValueError(f"{', '.join(PRESENT)}: numbers are needed")
        return cls(parameters, table)


CAPTION = "The least largest singular value found among machines of one law, and the bound"
PRESENT = ("bound", "bound_of_any", "n_exact", "penalised", "penalised_kl")


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> LeastSingularValues:
    """Minimise s₁ among the machines without biases that have the law of a lattice.

    From each start ``½ Var_q ln(p/q) + share ‖WWᵀ‖_p`` is minimised by Gauss-Newton steps with a share that
    falls to 10⁻⁷, then the first term alone, which leads to an exact machine nearby.

    Parameters
    ----------
    parameters : Parameters, optional
        What to fit; by default rings to M = 8 and three tori, minutes.
    rng : numpy.random.Generator or int
        Generator or seed; each start has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(fits done, fits)``.
    checkpoints : Checkpoints, optional
        Where finished fits are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    LeastSingularValues
        The table; `draw_least_singular_value` draws it.

    Examples
    --------
    >>> small = Parameters(rings=(4,), tori=(), couplings=(0.23,), ratios=(1.0,), n_starts=1)
    >>> columns = run(small, rng=1).table.columns
    >>> print(round(columns["bound"][0], 4), round(columns["least"][0], 4))
    1.0341 1.0341
    """
    parameters = parameters or Parameters()
    cases, n_starts = parameters.cases, parameters.n_starts
    streams = check_rng(rng).spawn(len(cases) * n_starts)
    tasks = [(*cases[index // n_starts], stream) for index, stream in enumerate(streams)]
    with one_thread():  # one thread here too, for executors of threads
        fits = rows_of_tasks(
            _fit, tasks, len(Fitted._fields), executor=executor, progress=progress, checkpoints=checkpoints
        )
    found = fits.reshape(len(cases), n_starts, -1)
    rows = [(*_known(*case), *_best(those)) for case, those in zip(cases, found, strict=True)]
    return LeastSingularValues(parameters, Table(CAPTION, columns_of(COLUMNS, rows)))


def _fit(lattice: Ring | Torus, K: float, n_hidden: int, rng: np.random.Generator) -> tuple[float, ...]:
    return fit_least(Law.of(lattice, K), n_hidden, rng)


def _known(lattice: Ring | Torus, K: float, n_hidden: int) -> tuple[Any, ...]:
    copies, left = divmod(n_hidden, len(lattice.bonds()))
    local = None if left else float(spectrum(RBM.local(lattice, K, copies)).singular_values[0])
    bounds = singular_value_bound(lattice, K, n_hidden), singular_value_bound(lattice, K)
    return (lattice.label, K, n_hidden, *map(float, bounds), local)


def _best(fits: Any) -> tuple[Any, ...]:
    """The least exact one with its KL, how many are exact, the least penalised one of small KL."""
    penalised = fits[np.argmin(fits[:, 0] ** 2 + 1e7 * fits[:, 1])]
    exact = fits[fits[:, 3] < EXACT]
    if not len(exact):
        return (None, None, 0, *map(float, penalised[:2]))
    least = exact[np.argmin(exact[:, 2])]
    return (float(least[2]), float(least[3]), len(exact), *map(float, penalised[:2]))


def draw_least_singular_value(result: LeastSingularValues, ax: Any = None) -> Any:
    """Draw the least s₁ found over the bound, and how far above it that is (pass two axes)."""
    bound, least, any_number = (result._numbers(name) for name in ("bound", "least", "bound_of_any"))
    labels = np.array(result.table.columns["lattice"])
    with styled():
        left, right = axes = axes_of(ax, 2, (11.5, 4.4))
        top = 1.05 * np.nanmax([*bound, *least])
        left.plot([0, top], [0, top], color=GREY, lw=1)
        for place, label in enumerate(dict.fromkeys(labels)):
            here, colour = labels == label, COLOURS[place % len(COLOURS)]
            marker = "os^Dv"[place // len(COLOURS) % 5]
            left.plot(bound[here], least[here], marker, ms=5, color=colour, label=label)
            excess = np.maximum(least[here] / bound[here] - 1, 1e-9)
            right.semilogy(bound[here] / any_number[here] - 1, excess, marker, ms=5, color=colour)
        left.set(
            xlabel="bound with N hidden units",
            ylabel="least $s_1$ found",
            title="Least s₁ found, and the bound",
        )
        left.legend(fontsize=8)
        right.set(
            xlabel="bound with N units over that with any number, − 1",
            ylabel="least/bound − 1",
            title="How near machines come",
        )
        return axes


EXPERIMENTS = [
    Experiment(
        "least_singular_value",
        "the least largest singular value among machines of one law, against its bound",
        __name__,
        LeastSingularValues,
        "least_singular_value.csv",
        "fits",
        {"least_singular_value": draw_least_singular_value},
    )
]
