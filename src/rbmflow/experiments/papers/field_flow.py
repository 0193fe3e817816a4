"""The flow of trained machines in temperature and field, read by an exact thermometer and by a network.

Funai and Giataganas (arXiv:1810.08179) train RBMs on Ising configurations of many temperatures and fields and
follow their flow of reconstructions: it approaches configurations of the largest specific heat, and without
a field the critical point. A batch of configurations is read here in two ways: by the maximum of the
likelihood over (T, H), for which mean energy and magnetization are sufficient, from the exact counts of the
torus; and by a perceptron that was taught the pairs (T, H). The null is the end of the flow with the spins
of each configuration at random places: its magnetization is kept, and nothing else of the lattice.
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
from rbmflow.experiments.style import BLUE, GREY, ORANGE, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.flow import gibbs
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.networks import RBM
from rbmflow.sampling import run as run_chains
from rbmflow.sampling import training_set
from rbmflow.thermometer import FieldThermometer
from rbmflow.thermometer.perceptron import require_scikit_learn, train_perceptron
from rbmflow.training import CD, Momentum, fit

SOURCE = "arXiv:1810.08179"
KINDS = ("zero", "fields", "one_temperature")
"""Training sets: all temperatures without a field, all of them in all fields, and one temperature alone."""
START, MOMENTUM, BATCH = 0.01, 0.5, 100
BURN_IN = 300
"""Sweeps of the heat bath in a field, from aligned spins."""
NEAR = 0.25
"""Of a temperature that is said to be another."""
SCAN = np.linspace(0.5, 6.0, 551)
"""Temperatures among which the specific heat has its maximum."""
EPOCHS_OF_THE_NETWORK, LAYERS = 30, [64]


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is trained and followed.

    Attributes
    ----------
    side : int
        L of the torus, 3 to 8.
    n_hidden : int
        Hidden units.
    temperatures, fields : tuple of float
        Of the training sets; T > 0 rising, H ≥ 0, in units of J.
    n_samples : int
        Configurations at each T and H.
    n_epochs : int
        Passes through them.
    n_steps : int
        Of the flow.
    n_machines : int
        Machines on each training set, at least 2.
    """

    side: int = field(default=8, metadata=option("of the torus", metavar="L"))
    n_hidden: int = field(default=64, metadata=option("hidden units", "--hidden", metavar="N"))
    temperatures: tuple[float, ...] = tuple(np.arange(1, 13) / 2)
    fields: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    n_samples: int = field(default=200, metadata=option("at each T and H", "--samples", metavar="N"))
    n_epochs: int = field(default=100, metadata=option("of training", "--epochs", metavar="N"))
    n_steps: int = field(default=50, metadata=option("of the flow", "--steps", metavar="N"))
    n_machines: int = field(default=8, metadata=option("on each training set", "--machines", metavar="N"))

    def __post_init__(self) -> None:
        check_integer("side", self.side, 3, 8)
        for name, least in (
            ("n_hidden", 1),
            ("n_samples", 2),
            ("n_epochs", 1),
            ("n_steps", 1),
            ("n_machines", 2),
        ):
            check_integer(name, getattr(self, name), least, 10**5)
        temperatures = [check_real_scalar("temperatures", T) for T in self.temperatures]
        fields = [check_real_scalar("fields", H) for H in self.fields]
        if len(temperatures) < 2 or temperatures != sorted(set(temperatures)) or temperatures[0] <= 0:
            raise ValueError(f"temperatures={self.temperatures}: two above 0, which rise, are needed")
        if len(fields) < 2 or fields != sorted(set(fields)) or fields[0] != 0:
            raise ValueError(f"fields={self.fields}: 0 and others, which rise, are needed")


@dataclass(frozen=True)
class FieldFlow(PaperResult):
    """Flows in temperature and field.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``claims``, then for each training set the readings along the flow (``zero``, ``fields``,
        ``one_temperature``).
    """

    parameters: Parameters
    what: ClassVar[str] = "flows in temperature and field"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> FieldFlow:
    """Train machines on configurations of many temperatures and fields, and read their flow.

    Parameters
    ----------
    parameters : Parameters, optional
        What to train.
    rng : numpy.random.Generator or int
        Generator or seed; each training set has a stream of its own.
    executor, progress, checkpoints : optional
        As for every experiment; there is a part for each training set.

    Returns
    -------
    FieldFlow
        Claims with their verdicts, and tables.

    Raises
    ------
    ImportError
        Without the extra ``learn`` (scikit-learn).
    """
    require_scikit_learn()
    p = parameters or Parameters()
    streams = check_rng(rng).spawn(len(KINDS))
    parts = {kind: (_flows, p, kind, stream) for kind, stream in zip(KINDS, streams, strict=True)}
    tables = tables_of_parts(parts, executor=executor, progress=progress, checkpoints=checkpoints)
    return FieldFlow.of(p, tables, _claims(p, tables))


def hottest(meter: FieldThermometer, H: float) -> float:
    """Return the temperature at which the specific heat in a field H is largest.

    Examples
    --------
    >>> small = FieldThermometer(Torus(4, 4))
    >>> hottest(small, 0.0) < hottest(small, 1.0)
    True
    """
    return float(SCAN[int(np.argmax([meter.heat_capacity(T, H) for T in SCAN]))])


def _data(p: Parameters, kind: str, rng: np.random.Generator) -> tuple[SpinArray, FloatArray]:
    """Configurations, shape (pairs, samples, sites), and the pairs (T, H)."""
    lattice = Torus(p.side, p.side)
    temperatures = (
        p.temperatures if kind != "one_temperature" else p.temperatures[len(p.temperatures) // 2 :][:1]
    )
    found = [training_set(lattice, temperatures, p.n_samples, rng=rng, n_threads=1).spins]
    pairs = [(T, 0.0) for T in temperatures]
    for H in p.fields[1:] if kind == "fields" else ():
        for T in temperatures:
            chains = run_chains(
                lattice, 1 / T, n_chains=p.n_samples, n_sweeps=1, burn_in=BURN_IN, initial="up", field=H,
                rng=rng, n_threads=1,
            )  # fmt: skip
            found.append(np.asarray(chains.spins)[:, -1][None])
            pairs.append((T, H))
    return np.concatenate(found), np.array(pairs)


STEPS = (
    "machine", "start", "step", "magnetization", "T", "H", "T_scattered", "T_network",
    "T_network_scattered",
)  # fmt: skip


def _flows(p: Parameters, kind: str, rng: np.random.Generator) -> Tables:
    """The readings along the flows of machines on one training set."""
    rows: list[tuple[Any, ...]] = []
    taught, pairs = _data(p, "fields", rng)
    meter = FieldThermometer(Torus(p.side, p.side))
    network, _ = train_perceptron(taught, LAYERS, EPOCHS_OF_THE_NETWORK, 200, 1e-3, 1e-4, rng, None)
    steps = np.unique(np.concatenate([[0, 1, 2, 5], np.geomspace(1, p.n_steps, 6).astype(int), [p.n_steps]]))
    for machine in range(p.n_machines):
        spins = _data(p, kind, rng)[0].reshape(-1, p.side**2)
        start = RBM(rng.normal(0.0, START, (p.side**2, p.n_hidden)))
        model = fit(
            start, spins, negative=CD(1), optimizer=Momentum(0.01, MOMENTUM), n_epochs=p.n_epochs,
            batch_size=min(BATCH, len(spins)), biases=kind == "fields", rng=rng, n_threads=1,
        ).model  # fmt: skip
        for name in ("hot", "cold"):
            v = 2 * rng.integers(2, size=(500, p.side**2 if name == "hot" else 1), dtype=np.int8) - 1
            v = np.ascontiguousarray(np.broadcast_to(v, (500, p.side**2))).astype(np.int8)
            done = 0
            for step in steps[steps <= p.n_steps].tolist():
                v, done = gibbs(model, v, rng, n_steps=step - done, n_threads=1), step
                scattered = rng.permuted(v, axis=1)
                exact, of_scattered = meter.estimate(v), meter.estimate(scattered)
                readings = [
                    float((network.predict_proba(one.astype(float)) @ pairs)[:, 0].mean())
                    for one in (v, scattered)
                ]
                magnetization = float(np.abs(v.mean(axis=1)).mean())
                read = (exact.temperature, exact.field, of_scattered.temperature)
                rows.append((machine, name, step, magnetization, *map(_told, read), *readings))
    return {kind: Table(f"The flow of machines trained on {kind.replace('_', ' ')}", columns_of(STEPS, rows))}


def _told(value: float) -> float | None:
    """A reading, or nothing where none fits."""
    return value if np.isfinite(value) else None


def _ends(table: Table, column: str) -> FloatArray:
    """A column at the end of the flows that began hot, by machine."""
    columns = table.columns
    last = max(int(step) for step in columns["step"])  # type: ignore[arg-type]
    rows = zip(columns["start"], columns["step"], columns[column], strict=True)
    return np.array([cell for start, step, cell in rows if start == "hot" and step == last], dtype=float)


def _claims(p: Parameters, tables: Tables) -> list[Claim]:
    zero, fields, one = (tables[kind] for kind in KINDS)
    scattered = "the same spins at random places"

    def claim(text: str, of: str, value: FloatArray, null_is: str, null: FloatArray) -> Claim:
        (a, da), (b, db) = (mean_and_error(np.nan_to_num(x, nan=9.0)) for x in (value, null))
        quantity = f"distance of T from {of}, J"
        return Claim(text, quantity, "below", NEAR, float(a), null_is, float(b), float(da), float(db))

    def from_critical(table: Table, column: str) -> FloatArray:
        return np.asarray(np.abs(_ends(table, column) - CRITICAL_TEMPERATURE))

    meter = FieldThermometer(Torus(p.side, p.side))
    top = np.array([hottest(meter, float(H)) for H in np.nan_to_num(_ends(fields, "H"))])
    return [
        claim(
            "without a field the flow ends at the critical point, by the exact thermometer", "T_c",
            from_critical(zero, "T"), scattered, from_critical(zero, "T_scattered"),
        ),
        claim(
            "without a field the flow ends at the critical point, by a network", "T_c",
            from_critical(zero, "T_network"), scattered, from_critical(zero, "T_network_scattered"),
        ),
        claim(
            "in fields the flow ends where the specific heat is largest, by the exact thermometer",
            "that of the maximum at its H", np.abs(_ends(fields, "T") - top), scattered,
            np.abs(_ends(fields, "T_scattered") - top),
        ),
        claim(
            "the flow forgets the temperatures of the training set, by the exact thermometer", "T_c",
            from_critical(zero, "T"), f"trained at T = {p.temperatures[len(p.temperatures) // 2]:g} alone",
            from_critical(one, "T"),
        ),
    ]  # fmt: skip


LINES = {
    "T": ("T", "o-"),
    "T_network": ("T by network", "s--"),
    "T_network_scattered": ("the same, scattered", "x:"),
    "H": ("H", "^-"),
}
"""Of the figure: what columns are called, and how they are drawn."""


def draw_field_flow(result: FieldFlow, ax: Any = None) -> Any:
    """Draw T and H along the flows of the first machine of each training set (pass three axes)."""
    with styled():
        axes = axes_of(ax, 3, (13.0, 4.0))
        for panel, kind in zip(axes, KINDS, strict=True):
            columns = {name: np.array(column) for name, column in result.tables[kind].columns.items()}
            for start, colour in (("hot", ORANGE), ("cold", BLUE)):
                here = (columns["start"] == start) & (columns["machine"] == 0)
                for name, (label, style) in LINES.items():
                    values = columns[name][here].astype(float)
                    panel.plot(
                        columns["step"][here] + 1, values, style, ms=4, lw=1.2, color=colour,
                        label=f"{label}, from {start}", alpha=0.5 if name == "H" else 1.0,
                    )  # fmt: skip
            panel.axhline(CRITICAL_TEMPERATURE, color=GREY, lw=0.8)
            panel.set(
                xscale="log",
                xlabel="step + 1",
                ylim=(-0.2, 6.2),
                title=f"Trained on {kind.replace('_', ' ')}",
            )
        axes[0].set_ylabel("T and H, J")
        axes[0].legend(
            fontsize=6.5,
            ncols=2,
            loc="center right",
            bbox_to_anchor=(1.02, 0.2),
            handlelength=1.1,
            columnspacing=0.6,
        )
        return axes


def _quick(parameters: Parameters) -> Parameters:
    return replace(
        parameters, side=4, n_hidden=8, temperatures=(1.0, 2.0, 3.0, 5.0), fields=(0.0, 0.5), n_samples=100,
        n_epochs=20, n_steps=10, n_machines=2,
    )  # fmt: skip


EXPERIMENTS = [
    replace(
        paper_experiment(
            "field_flow",
            "the flow of trained machines in temperature and field",
            __name__,
            FieldFlow,
            _quick,
            draw_field_flow,
            SOURCE,
        ),
        needs=require_scikit_learn,
    )
]
