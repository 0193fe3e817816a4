"""The temperature below which the flow of a uniform RBM trained on a lattice orders, and its limit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import pairwise
from typing import IO, Any, ClassVar, Self

import numpy as np

from rbmflow.arguments import FloatArray, check_choice, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.estimate import Estimate
from rbmflow.experiments.critical_point import universality
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.style import BLUE, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.experiments.threshold_fits import (
    Extrapolation,
    FittedExponent,
    extrapolate,
    fit_exponent,
)
from rbmflow.flow.lattice_threshold import exponent_of, ordering_temperature
from rbmflow.ising import Torus
from rbmflow.ising.crystal import Crystal
from rbmflow.reading import check_names
from rbmflow.sampling.certificate import ESTIMATE

LATTICES: dict[str, Callable[[int], Crystal]] = universality.LATTICES | {
    "square": lambda side: Torus(side, side)  # whose law is exact up to a side of 8
}
"""By name, with so many cells along each axis."""
SIDES = {2: (8, 16, 32, 64, 128), 3: (6, 8, 12, 16, 24)}
"""By dimension."""
MIN_EXTRAPOLATED = 3
EXACT_ERROR = 1e-4
"""Of an exact temperature in an extrapolation, which is not exact."""


COLUMNS = ("side", "n_hidden", "T_flow", "stderr", "above_T_c", "ratio")


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is measured.

    Attributes
    ----------
    sides : tuple of int
        Sides L, 4 or more, in cells along each axis; on square lattices up to 8 the law of the magnetization
        is exact. By default 8 to 128 in two dimensions and 6 to 24 in three.
    ratio : float
        N/M, hidden to visible units.
    n_chains : int
        Heat-bath chains of each side, at least 4; hundreds are advanced at once.
    n_measurements : int
        Measurements along each, L/4 sweeps apart, at least 20.
    lattice : str
        ``"square"``, ``"triangular"``, ``"honeycomb"`` or ``"cubic"``, with equal sides and without ends.
    """

    sides: tuple[int, ...] = field(
        default=(), metadata=option("in cells; of the cubic lattice 6 8 12 16 24", metavar="L")
    )
    ratio: float = field(default=1.0, metadata=option("hidden units N = G M", metavar="G"))
    n_chains: int = 512
    n_measurements: int = field(
        default=2000, metadata=option("along each chain", "--measurements", metavar="N")
    )
    lattice: str = field(default="square", metadata=option(choices=tuple(LATTICES)))

    def __post_init__(self) -> None:
        check_choice("lattice", self.lattice, LATTICES)
        if not self.sides:
            object.__setattr__(self, "sides", SIDES[self.on(4).dimension])
        for side in self.sides:
            check_integer("sides", side, 4, 1024)
        if not 0 < check_real_scalar("ratio", self.ratio) < np.inf:
            raise ValueError(f"ratio={self.ratio}: a positive, finite number is needed")
        check_integer("n_chains", self.n_chains, 4)
        check_integer("n_measurements", self.n_measurements, 20)

    def on(self, side: int) -> Crystal:
        """Return the lattice of a side."""
        return LATTICES[self.lattice](side)

    def hidden(self, side: int) -> int:
        """Return the hidden units on the lattice of a side."""
        return max(1, round(self.ratio * self.on(side).n_sites))

    @property
    def critical_temperature(self) -> float:
        """``T_c`` of the infinite lattice."""
        return 1 / self.on(4).critical_coupling

    @property
    def exponent(self) -> float:
        """X of ``T_flow − T_c ~ L^(−x)``."""
        return exponent_of(self.on(4).dimension)

    @classmethod
    def from_json(cls, plain: object) -> Self:
        """Return the parameters that `to_json` wrote; raise ValueError or TypeError if it is not that."""
        if isinstance(plain, dict) and plain.keys() == {one.name for one in fields(cls)} - {"lattice"}:
            plain = {**plain, "lattice": "square"}  # of versions that had no other
        return super().from_json(plain)


@dataclass(frozen=True, eq=False)
class Threshold(Result):
    """Thresholds over sizes.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    temperature : tuple of Estimate
        T_flow for each side in units of J/k_B; an exact one has no error. Out of a file, which is a table,
        the correlation times are NaN.
    """

    parameters: Parameters
    temperature: tuple[Estimate, ...]
    what: ClassVar[str] = "a table of thresholds of lattices"
    holds_parameters: ClassVar[bool] = False

    @property
    def tables(self) -> dict[str, Table]:
        """T_flow over the sides, and the exponents between them."""
        return {"threshold": self.table, "exponents": self.exponents}

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return the extrapolation and the exponent, where there are enough sides."""
        if len(self.parameters.sides) < MIN_EXTRAPOLATED:
            return []
        T_c = self.parameters.critical_temperature
        return [f"{self.extrapolate()} (T_c = {T_c:.4f})", f"{self.fit_exponent()}"]

    def extrapolate(self) -> Extrapolation:
        """Fit ``T_∞ + a L^(−x) + b L^(−y)``, x = d/(2γ), by weighted least squares.

        The fit is to all sides but the smallest of more than three.

        Raises
        ------
        ValueError
            If there are fewer than three sides.
        """
        return extrapolate(*self._used(), self.parameters.on(4).dimension)

    def fit_exponent(self) -> FittedExponent:
        """Fit x of ``ln(T_flow − T_c) = ln a − x ln L + b L^(−w)``, by weighted least squares.

        The fit is to the sides of `extrapolate`, w the distance of its powers.

        Raises
        ------
        ValueError
            If there are fewer than three sides, or one is not above T_c.
        """
        p = self.parameters
        return fit_exponent(*self._used(), p.critical_temperature, p.on(4).dimension)

    def _used(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sides, temperatures and errors of a fit."""
        sides = np.array(self.parameters.sides, dtype=float)
        if len(sides) < MIN_EXTRAPOLATED:
            raise ValueError(f"sides={self.parameters.sides}: at least three are needed for an extrapolation")
        used = np.argsort(sides)[1 if len(sides) > MIN_EXTRAPOLATED else 0 :]
        T = np.array([self.temperature[k].mean for k in used])
        return sides[used], T, np.array([max(self.temperature[k].stderr, EXACT_ERROR) for k in used])

    @property
    def exponents(self) -> Table:
        """``−ln[(T_flow − T_c)′/(T_flow − T_c)]/ln(L′/L)`` from each side L to the next, and its error."""
        p = self.parameters
        rows: list[tuple[Any, ...]] = []
        pairs = list(zip(p.sides, self.temperature, strict=True))
        for (L, T), (larger, T_larger) in pairwise(pairs):
            above = np.array([T.mean, T_larger.mean]) - p.critical_temperature
            errors = np.array([T.stderr, T_larger.stderr]) / above
            found = [float(np.log(above[0] / above[1])), float(np.hypot(*errors))] / np.log(larger / L)
            rows.append((L, larger, *found.tolist()))
        return Table(
            f"Exponent x of T_flow - T_c ~ L^-x from side to side; d/(2 gamma) = {p.exponent:.4f}",
            columns_of(("side", "next_side", "exponent", "stderr"), rows),
        )

    @property
    def table(self) -> Table:
        """T_flow, its distance from T_c and the ratio of that to the one before."""
        rows: list[tuple[Any, ...]] = []
        before = None
        for side, T in zip(self.parameters.sides, self.temperature, strict=True):
            distance = T.mean - self.parameters.critical_temperature
            rows.append(
                (side, self.parameters.hidden(side), T.mean, T.stderr, distance, before and distance / before)
            )
            before = distance
        return Table(
            f"Below T_flow the flow of a uniform RBM trained on {of_sides(self.parameters)} orders; "
            f"N/M = {self.parameters.ratio:g}",
            columns_of(COLUMNS, rows),
        )

    def write(self, stream: IO[bytes]) -> None:
        """Write the table as CSV, in UTF-8, to a binary stream."""
        stream.write(self.table.to_csv().encode())

    def _content(self) -> dict[str, Any]:
        return {"parameters": self.parameters, "table": self.table}  # all that a file keeps

    @classmethod
    def read(cls, content: bytes, parameters: Parameters) -> Threshold:
        """Return the thresholds in the bytes of a file."""
        columns = Table.from_csv("", content.decode()).columns
        pairs = zip(columns["T_flow"], columns["stderr"], strict=True)
        temperature = tuple(Estimate(T, error, *[np.nan] * 4) for T, error in pairs)  # type: ignore[arg-type]
        found = cls(parameters, temperature)
        if found.table.columns != check_names("it", columns, set(COLUMNS)):
            raise ValueError("its columns do not fit together, or not the parameters")
        return found


def of_sides(parameters: Parameters) -> str:
    """Return what a reader calls the lattices.

    Examples
    --------
    >>> of_sides(Parameters()), of_sides(Parameters(lattice="cubic"))
    ('the L x L torus', 'the cubic lattice of L x L x L')
    """
    if parameters.lattice == "square":
        return "the L x L torus"
    return f"the {parameters.lattice} lattice of {' x '.join('L' * parameters.on(4).dimension)}"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Threshold:
    """Solve ``⟨V tanh W_c V⟩_T = f(W_c)`` for T on the lattice of each side.

    On square ones up to L = 8 by the exact law of V, on others by heat-bath chains, see
    `rbmflow.flow.lattice_threshold`.

    Parameters
    ----------
    parameters : Parameters, optional
        What to measure; by default square lattices of L = 8 … 128, minutes.
    rng : numpy.random.Generator or int
        Generator or seed; each side has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(lattices done, lattices)``.
    checkpoints : Checkpoints, optional
        Where finished lattices are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    Threshold
        The temperatures; `draw_threshold` draws them.

    Examples
    --------
    >>> print(f"{run(Parameters(sides=(4,)), rng=1).temperature[0].mean:.6f}")
    4.202284
    """
    parameters = parameters or Parameters()
    streams = check_rng(rng).spawn(len(parameters.sides))
    tasks = [(parameters, side, stream) for side, stream in zip(parameters.sides, streams, strict=True)]
    found = rows_of_tasks(
        _threshold, tasks, len(ESTIMATE), executor=executor, progress=progress, checkpoints=checkpoints
    )
    return Threshold(parameters, tuple(Estimate(*row) for row in found.tolist()))


def _threshold(parameters: Parameters, side: int, rng: np.random.Generator) -> tuple[float, ...]:
    """The numbers of an Estimate, in the order of its fields."""
    found = ordering_temperature(
        parameters.on(side),
        parameters.hidden(side),
        n_chains=parameters.n_chains,
        n_measurements=parameters.n_measurements,
        rng=rng,
    )
    return tuple(getattr(found, name) for name in ESTIMATE)


def draw_threshold(result: Threshold, ax: Any = None) -> Any:
    """Draw T_flow over L^(−d/(2γ)) with the line through the largest lattices."""
    p = result.parameters
    sides, x, T_c = np.array(p.sides, dtype=float), p.exponent, p.critical_temperature
    T = np.array([one.mean for one in result.temperature])
    error = np.array([one.stderr for one in result.temperature])
    power = "4/7" if p.on(4).dimension == 2 else f"{x:.3f}"
    with styled():
        panel = axes_of(ax)
        places = sides**-x
        panel.errorbar(places, T, error, fmt="o", color=BLUE, label=f"uniform RBM, N/M = {p.ratio:g}")
        if len(sides) >= MIN_EXTRAPOLATED:
            found = result.extrapolate()
            line = np.linspace(0, places.max(), 100)
            second = "8/7" if p.on(4).dimension == 2 else f"{found.powers[1]:.3g}"
            panel.plot(
                line, found.limit + found.a * line + found.b * line ** (found.powers[1] / x),
                color=BLUE, lw=1, ls="--",
                label=rf"$T_\infty$ = {found.limit:.3f} with a second term $L^{{-{second}}}$; "
                f"{found.lowest:.3f} to {found.highest:.3f} with others",
            )  # fmt: skip
        panel.plot(0, T_c, "*", ms=11, color="black", label=f"$T_c$ = {T_c:.4f}")
        for side, place, value in zip(sides, places, T, strict=True):
            panel.annotate(
                f"L = {side:.0f}", (place, value), (6, -10), textcoords="offset points", fontsize=8
            )
        panel.set(
            xlabel=f"$L^{{-{power}}}$",
            ylabel="$T_{flow}$, below which the flow orders, $J/k_B$",
            title=f"The threshold of the flow on {of_sides(p)}".replace(" x ", " × "),
        )
        panel.set_xlim(-0.01 * places.max(), 1.12 * places.max())
        panel.set_ylim(top=panel.get_ylim()[1] + 0.25 * np.ptp(panel.get_ylim()))
        panel.legend(loc="upper left", fontsize=8.5)
        return panel


_threshold_of = partial(Experiment, module=__name__, result=Threshold, unit="lattices")
EXPERIMENTS = [
    _threshold_of(
        "threshold",
        "the temperature below which a uniform RBM trained on a lattice orders, against T_c",
        file="threshold.csv",
        figures={"threshold": draw_threshold},
    ),
    _threshold_of(
        "torus_threshold",
        "the same by its former name",
        file="torus_threshold.csv",
        figures={"torus_threshold": draw_threshold},
        now="threshold",
    ),
]
