"""How many random patterns a Hopfield network holds under Hebb's rule: the transition near P/n = 0.138."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, check_real_scalar, check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.repetitions import mean_and_error
from rbmflow.experiments.style import COLOURS, GREY, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.networks import Hopfield
from rbmflow.networks.retrieval import mean_field_overlap
from rbmflow.reading import check_names
from rbmflow.sampling import recall

LOADS = (0.05, 0.08, 0.1, 0.11, 0.12, 0.125, 0.13, 0.135, 0.14, 0.145, 0.15, 0.16, 0.17, 0.18, 0.2)


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is measured.

    Attributes
    ----------
    n_units : tuple of int
        Sizes n of the networks.
    loads : tuple of float
        P/n, each above 0; P is rounded, at least 1.
    n_networks : int
        Networks of random patterns for each size and load, at least 2.
    n_probes : int
        Patterns of each network that are recalled, or all where there are fewer.
    noise : float
        Share of units that are turned over in a probe, 0 to ½.
    threshold : float
        A pattern counts as kept if the overlap after recall is larger.
    """

    n_units: tuple[int, ...] = field(
        default=(250, 500, 1000, 2000), metadata=option("sizes of the networks", "--units", metavar="N")
    )
    loads: tuple[float, ...] = LOADS
    n_networks: int = field(default=12, metadata=option("networks of each kind", "--networks", metavar="N"))
    n_probes: int = 64
    noise: float = 0.0
    threshold: float = 0.8

    def __post_init__(self) -> None:
        for name in ("n_units", "loads"):
            value = getattr(self, name)
            if not isinstance(value, (tuple, list)) or not value:
                raise ValueError(f"{name}={shown(value)}: a tuple of at least one number is needed")
        for n in self.n_units:
            check_integer("n_units", n, 2, 20_000)
        loads = check_real("loads", self.loads)
        if loads.ndim != 1 or not (np.isfinite(loads).all() and (loads > 0).all()):
            raise ValueError(f"loads={self.loads}: positive, finite numbers are needed")
        check_integer("n_networks", self.n_networks, 2)
        check_integer("n_probes", self.n_probes, 1)
        if not 0 <= check_real_scalar("noise", self.noise) <= 0.5:
            raise ValueError(f"noise={self.noise}: a share between 0 and 0.5 is needed")
        if not -1 <= check_real_scalar("threshold", self.threshold) < 1:
            raise ValueError(f"threshold={self.threshold}: an overlap from -1 to below 1 is needed")


@dataclass(frozen=True, eq=False)
class Capacity(Result):
    """Overlaps over size and load.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    table : Table
        For each size and load the number of patterns, the mean overlap after recall, the share of patterns
        kept, and half the width of their 68 % intervals over the networks.
    """

    parameters: Parameters
    table: Table
    what: ClassVar[str] = "a table of capacities"
    holds_parameters: ClassVar[bool] = False

    @property
    def tables(self) -> dict[str, Table]:
        """The half loads, and what was measured."""
        return {"half_loads": self.half_loads, "capacity": self.table}

    def lines(self) -> list[str]:
        """Return a verdict for each size."""
        return [f"n = {n}: {self.verdict(n)}" for n in self.parameters.n_units]

    def of(self, n_units: int) -> dict[str, FloatArray]:
        """Return the columns of one size."""
        columns = {name: np.array(column, dtype=float) for name, column in self.table.columns.items()}
        here = columns["n_units"] == n_units
        return {name: column[here] for name, column in columns.items()}

    def half_load(self, n_units: int) -> float:
        """Return the load at which half of the patterns are kept, between measured ones, or NaN."""
        here = self.of(n_units)
        order = np.argsort(here["load"])
        load, kept = here["load"][order], here["retained"][order]
        falls = np.flatnonzero((kept[:-1] >= 0.5) & (kept[1:] < 0.5))
        if len(falls) == 0:
            return float("nan")
        k = falls[0]
        share = (kept[k] - 0.5) / (kept[k] - kept[k + 1])
        return float(load[k] + share * (load[k + 1] - load[k]))

    @property
    def half_loads(self) -> Table:
        """The load at which half of the patterns are kept, for each size; none where it is not bracketed."""
        found = [self.half_load(n) for n in self.parameters.n_units]
        columns: dict[str, list[Any]] = {"n_units": list(self.parameters.n_units)}
        columns["half_load"] = [None if np.isnan(load) else load for load in found]
        return Table("Load P/n at which half of the patterns are kept", columns)

    def verdict(self, n_units: int) -> str:
        """Return in words at which load half of the patterns are kept."""
        load = self.half_load(n_units)
        if np.isfinite(load):
            return f"half of the patterns are kept at P/n = {load:.4f}"
        here = self.of(n_units)
        loads, few = here["load"], (here["retained"] < 0.5).all()
        return (
            f"less than half of the patterns are kept from P/n = {loads.min():.4f} on"
            if few
            else (
                "no measured load brackets the one at which half of the patterns are kept "
                f"(up to P/n = {loads.max():.4f})"
            )
        )

    def write(self, stream: IO[bytes]) -> None:
        """Write the table as CSV, in UTF-8, to a binary stream."""
        stream.write(self.table.to_csv().encode())

    @classmethod
    def read(cls, content: bytes, parameters: Parameters) -> Capacity:
        """Return the table in the bytes of a file."""
        table = Table.from_csv(_caption(parameters), content.decode())
        columns = check_names("it", table.columns, set(COLUMNS))
        if list(zip(columns["n_units"], columns["n_patterns"], strict=True)) != _cases(parameters):
            raise ValueError("its sizes and numbers of patterns are not those of the parameters")
        if not all(isinstance(one, float) for name in COLUMNS[2:] for one in columns[name]):
            raise ValueError(f"{', '.join(COLUMNS[2:])}: numbers are needed")
        return cls(parameters, table)


COLUMNS = ("n_units", "n_patterns", "load", "overlap", "overlap_stderr", "retained", "retained_stderr")


def _cases(parameters: Parameters) -> list[tuple[int, int]]:
    """Each size with each number of patterns; in small networks two loads may be one number."""
    pairs = ((n, max(1, round(load * n))) for n in parameters.n_units for load in parameters.loads)
    return list(dict.fromkeys(pairs))


def _caption(parameters: Parameters) -> str:
    return f"Recall in Hopfield networks, {parameters.n_networks} of each kind"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Capacity:
    """Store random patterns, start from (noisy) stored ones, and see how much of them the dynamics keep.

    Parameters
    ----------
    parameters : Parameters, optional
        What to measure; by default sizes up to 2000, minutes of one core.
    rng : numpy.random.Generator or int
        Each network has a stream of its own.
    executor : concurrent.futures.Executor, optional
        Where to compute; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(networks done, networks)``.
    checkpoints : Checkpoints, optional
        Where finished networks are kept, of these parameters and this seed: none is computed again.

    Returns
    -------
    Capacity
        The table; `draw_capacity` draws it.

    Examples
    --------
    >>> small = Parameters(n_units=(100,), loads=(0.05, 0.8), n_networks=4)
    >>> run(small, rng=1).of(100)["retained"].round(1)
    array([1., 0.])
    """
    parameters = parameters or Parameters()
    cases = _cases(parameters)
    n_tasks = len(cases) * parameters.n_networks
    streams = check_rng(rng).spawn(n_tasks)
    tasks = [
        (parameters, *cases[index // parameters.n_networks], stream) for index, stream in enumerate(streams)
    ]
    found = rows_of_tasks(_network, tasks, 2, executor=executor, progress=progress, checkpoints=checkpoints)
    means = found.reshape(len(cases), parameters.n_networks, 2)
    mean, stderr = mean_and_error(means.swapaxes(0, 1))
    rows = [
        (n, P, P / n, *(x for pair in zip(*both, strict=True) for x in pair))
        for (n, P), *both in zip(cases, mean.tolist(), stderr.tolist(), strict=True)
    ]
    return Capacity(parameters, Table(_caption(parameters), columns_of(COLUMNS, rows)))


def _network(
    parameters: Parameters, n: int, n_patterns: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Mean overlap and share of patterns kept, in one network."""
    patterns = (2 * rng.integers(2, size=(n_patterns, n), dtype=np.int8) - 1).astype(np.int8)
    stored = patterns[: parameters.n_probes]
    probes = np.where(rng.random(stored.shape) < parameters.noise, -stored, stored)
    network = Hopfield.hebb(patterns, learning_rate=1)
    states = recall(network, probes, rng=rng, n_threads=1, max_sweeps=1000).states
    m = (states.astype(np.int64) * stored).mean(axis=1)
    return float(m.mean()), float((m > parameters.threshold).mean())


def draw_capacity(result: Capacity, ax: Any = None) -> Any:
    """Draw overlap and share of patterns kept over the load P/n, and the half loads (pass three axes)."""
    limit, alpha, overlap = mean_field_overlap()
    with styled():
        left, right, last = axes = axes_of(ax, 3, (14.5, 4.2))
        shown = alpha > min(result.parameters.loads) * 0.9
        left.plot(alpha[shown], overlap[shown], color="black", lw=1.2, ls="--", label="mean field, n → ∞")
        left.plot([limit, limit], [0, overlap[-1]], color="black", lw=1.2, ls="--")
        for colour, n in zip(COLOURS, result.parameters.n_units, strict=False):
            here = result.of(n)
            for panel, mean, stderr in (
                (left, here["overlap"], here["overlap_stderr"]),
                (right, here["retained"], here["retained_stderr"]),
            ):
                panel.errorbar(
                    here["load"], mean, stderr, fmt="o-", ms=3, lw=1.2, color=colour, label=f"n = {n}"
                )
        right.axvline(limit, color="black", lw=1.2, ls="--")
        right.axhline(0.5, color=GREY, lw=1, ls=":")
        right.text(limit, 1.06, f"{limit:.3f} ", ha="right", va="center")
        left.set(
            ylabel="overlap m of the recalled state with the pattern",
            title="Recall from the stored pattern itself",
            ylim=(0, 1.1),
        )
        right.set(
            ylabel=f"share of patterns kept, m > {result.parameters.threshold:g}",
            title="A pattern is kept or lost altogether",
            ylim=(-0.03, 1.1),
        )
        for panel in (left, right):
            panel.set_xlabel("load P/n")
        half = [result.half_load(n) for n in result.parameters.n_units]
        last.plot([n**-0.5 for n in result.parameters.n_units], half, "o", color=COLOURS[0])
        last.plot(0, limit, "*", ms=11, color="black", label=f"mean field, {limit:.4f}")
        last.set(xlabel="$n^{-1/2}$", ylabel="load P/n", title="Load at which half of the patterns are kept")
        last.set_xlim(left=-0.002)
        last.legend(loc="upper left")
        left.legend(loc="lower left")
        return axes


EXPERIMENTS = [
    Experiment(
        "capacity",
        "how many patterns a Hopfield network holds",
        __name__,
        Capacity,
        "capacity.csv",
        "networks",
        {"capacity": draw_capacity},
    )
]
