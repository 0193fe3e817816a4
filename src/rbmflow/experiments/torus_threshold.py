"""The temperature below which the flow of a uniform RBM trained on tori orders, and its limit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.estimate import Estimate
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.style import BLUE, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.flow.torus_threshold import ordering_temperature
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.reading import check_names
from rbmflow.records import Record
from rbmflow.sampling.certificate import ESTIMATE

EXPONENT = 4 / 7
"""Of T_flow − T_c: ⟨V²⟩ ~ M^(3/2) at a Curie-Weiss threshold, so χ = ⟨V²⟩/M ~ L; above T_c χ ~ t^(−7/4)."""
SECOND = 8 / 7
OTHER_SECONDS = (1.0, 11 / 7, 12 / 7)
"""Of the second term of an extrapolation, which no theory here gives.

A correction to scaling of its own, or a power of the first.
"""
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
        Sides L of the tori, 4 or more; up to 8 the law of the magnetization is exact.
    ratio : float
        N/M, hidden to visible units.
    n_chains : int
        Heat-bath chains on each torus, at least 4; 512 are advanced at once.
    n_measurements : int
        Measurements along each, L/4 sweeps apart, at least 20.
    """

    sides: tuple[int, ...] = field(default=(8, 16, 32, 64, 128), metadata=option(metavar="L"))
    ratio: float = field(default=1.0, metadata=option("hidden units N = G M", metavar="G"))
    n_chains: int = 512
    n_measurements: int = field(
        default=2000, metadata=option("along each chain", "--measurements", metavar="N")
    )

    def __post_init__(self) -> None:
        if not self.sides:
            raise ValueError("sides=(): at least one is needed")
        for side in self.sides:
            check_integer("sides", side, 4, 1024)
        if not 0 < check_real_scalar("ratio", self.ratio) < np.inf:
            raise ValueError(f"ratio={self.ratio}: a positive, finite number is needed")
        check_integer("n_chains", self.n_chains, 4)
        check_integer("n_measurements", self.n_measurements, 20)

    def hidden(self, side: int) -> int:
        """Return the hidden units on a torus."""
        return max(1, round(self.ratio * side * side))


@dataclass(frozen=True)
class Extrapolation(Record):
    """``T_∞ + a L^(−4/7) + b L^(−8/7)``.

    Attributes
    ----------
    limit, stderr : float
        T_∞ in units of J/k_B, and its standard error if the second term is the right one.
    a, b : float
        The coefficients.
    lowest, highest : float
        The range of T_∞ over second terms L^(−1), L^(−8/7), L^(−11/7) and L^(−12/7):
        what is known of the limit.
    """

    limit: float
    stderr: float
    a: float
    b: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return (
            f"T_flow -> {self.limit:.4f} ± {self.stderr:.2g} as L -> infinity "
            f"if the second term is L^(-8/7), {self.lowest:.3f} to {self.highest:.3f} "
            "with L^(-1) to L^(-12/7)"
        )


@dataclass(frozen=True, eq=False)
class TorusThreshold(Result):
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
    what: ClassVar[str] = "a table of thresholds of tori"
    holds_parameters: ClassVar[bool] = False

    @property
    def tables(self) -> dict[str, Table]:
        """T_flow over the sides."""
        return {"torus_threshold": self.table}

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return the extrapolation, where there is one."""
        if len(self.parameters.sides) < MIN_EXTRAPOLATED:
            return []
        return [f"{self.extrapolate()} (T_c = {CRITICAL_TEMPERATURE:.4f})"]

    def extrapolate(self) -> Extrapolation:
        """Fit ``T_∞ + a L^(−4/7) + b L^(−8/7)`` by weighted least squares.

        The fit is to all sides but the smallest of more than three.

        Raises
        ------
        ValueError
            If there are fewer than three sides.
        """
        sides = np.array(self.parameters.sides, dtype=float)
        if len(sides) < MIN_EXTRAPOLATED:
            raise ValueError(f"sides={self.parameters.sides}: at least three are needed for an extrapolation")
        used = np.argsort(sides)[1 if len(sides) > 3 else 0 :]
        T = np.array([self.temperature[k].mean for k in used])
        errors = np.array([max(self.temperature[k].stderr, EXACT_ERROR) for k in used])
        fits = {second: _fit(sides[used], T, errors, second) for second in (SECOND, *OTHER_SECONDS)}
        limits = [float(coefficients[0]) for coefficients, _ in fits.values()]
        (limit, a, b), stderr = fits[SECOND]
        return Extrapolation(float(limit), stderr, float(a), float(b), min(limits), max(limits))

    @property
    def table(self) -> Table:
        """T_flow, its distance from T_c and the ratio of that to the one before."""
        rows: list[tuple[Any, ...]] = []
        before = None
        for side, T in zip(self.parameters.sides, self.temperature, strict=True):
            distance = T.mean - CRITICAL_TEMPERATURE
            rows.append(
                (side, self.parameters.hidden(side), T.mean, T.stderr, distance, before and distance / before)
            )
            before = distance
        return Table(
            "Below T_flow the flow of a uniform RBM trained on the L x L torus orders; "
            f"N/M = {self.parameters.ratio:g}",
            columns_of(COLUMNS, rows),
        )

    def write(self, stream: IO[bytes]) -> None:
        """Write the table as CSV, in UTF-8, to a binary stream."""
        stream.write(self.table.to_csv().encode())

    def _content(self) -> dict[str, Any]:
        return {"parameters": self.parameters, "table": self.table}  # all that a file keeps

    @classmethod
    def read(cls, content: bytes, parameters: Parameters) -> TorusThreshold:
        """Return the thresholds in the bytes of a file."""
        columns = Table.from_csv("", content.decode()).columns
        pairs = zip(columns["T_flow"], columns["stderr"], strict=True)
        found = cls(parameters, tuple(Estimate(T, error, *[np.nan] * 4) for T, error in pairs))  # type: ignore[arg-type]
        if found.table.columns != check_names("it", columns, set(COLUMNS)):
            raise ValueError("its columns do not fit together, or not the parameters")
        return found


def _fit(sides: FloatArray, T: FloatArray, errors: FloatArray, second: float) -> tuple[FloatArray, float]:
    """The coefficients of 1, L^(−4/7) and L^(−second), and the standard error of the first."""
    terms = np.stack([np.ones_like(sides), sides**-EXPONENT, sides**-second], axis=1) / errors[:, None]
    coefficients, *_ = np.linalg.lstsq(terms, T / errors, rcond=None)
    return np.asarray(coefficients, dtype=np.float64), float(np.sqrt(np.linalg.inv(terms.T @ terms)[0, 0]))


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> TorusThreshold:
    """Solve ``⟨V tanh W_c V⟩_T = f(W_c)`` for T on each torus.

    Up to L = 8 by the exact law of V, on larger tori by heat-bath chains: `rbmflow.flow.torus_threshold`.

    Parameters
    ----------
    parameters : Parameters, optional
        What to measure; by default L = 8 … 128, minutes.
    rng : numpy.random.Generator or int
        Generator or seed; each torus has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(tori done, tori)``.
    checkpoints : Checkpoints, optional
        Where finished tori are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    TorusThreshold
        The temperatures; `draw_torus_threshold` draws them.

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
    return TorusThreshold(parameters, tuple(Estimate(*row) for row in found.tolist()))


def _threshold(parameters: Parameters, side: int, rng: np.random.Generator) -> tuple[float, ...]:
    """The numbers of an Estimate, in the order of its fields."""
    found = ordering_temperature(
        Torus(side, side),
        parameters.hidden(side),
        n_chains=parameters.n_chains,
        n_measurements=parameters.n_measurements,
        rng=rng,
    )
    return tuple(getattr(found, name) for name in ESTIMATE)


def draw_torus_threshold(result: TorusThreshold, ax: Any = None) -> Any:
    """Draw T_flow over L^(−4/7) with the line through the largest tori."""
    sides = np.array(result.parameters.sides, dtype=float)
    T = np.array([one.mean for one in result.temperature])
    error = np.array([one.stderr for one in result.temperature])
    with styled():
        panel = axes_of(ax)
        x = sides**-EXPONENT
        panel.errorbar(
            x, T, error, fmt="o", color=BLUE, label=f"uniform RBM, N/M = {result.parameters.ratio:g}"
        )
        if len(sides) >= MIN_EXTRAPOLATED:
            found = result.extrapolate()
            line = np.linspace(0, x.max(), 100)
            panel.plot(
                line, found.limit + found.a * line + found.b * line**2, color=BLUE, lw=1, ls="--",
                label=rf"$T_\infty$ = {found.limit:.3f} with a second term $L^{{-8/7}}$; "
                f"{found.lowest:.3f} to {found.highest:.3f} with others",
            )  # fmt: skip
        panel.plot(
            0, CRITICAL_TEMPERATURE, "*", ms=11, color="black", label=f"$T_c$ = {CRITICAL_TEMPERATURE:.4f}"
        )
        for side, place, value in zip(sides, x, T, strict=True):
            panel.annotate(
                f"L = {side:.0f}", (place, value), (6, -10), textcoords="offset points", fontsize=8
            )
        panel.set(
            xlabel="$L^{-4/7}$",
            ylabel="$T_{flow}$, below which the flow orders, $J/k_B$",
            title="The threshold of the flow on the L × L torus",
        )
        panel.set_xlim(-0.01, 1.12 * x.max())
        panel.set_ylim(top=panel.get_ylim()[1] + 0.25 * np.ptp(panel.get_ylim()))
        panel.legend(loc="upper left", fontsize=8.5)
        return panel


EXPERIMENTS = [
    Experiment(
        "torus_threshold",
        "the temperature below which a uniform RBM trained on the torus orders, against T_c",
        __name__,
        TorusThreshold,
        "torus_threshold.csv",
        "tori",
        {"torus_threshold": draw_torus_threshold},
    )
]
