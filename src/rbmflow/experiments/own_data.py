"""A machine trained on data of one's own: likelihoods of rows it saw and rows held out, history, weights."""

from __future__ import annotations

import warnings
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import SpinArray, check_integer, check_real_scalar, check_rng, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.errors import LikelihoodWarning
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.style import BLUE, GREY, ORANGE, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Cell, Table, columns_of
from rbmflow.hardware import resolve_threads
from rbmflow.likelihood import LogPartition, log_partition
from rbmflow.networks import RBM
from rbmflow.networks.storage import read, write
from rbmflow.reading import check_names, seal, unseal
from rbmflow.spins import check_spins
from rbmflow.training import LBFGS, SGD, Adam, EarlyStopping, Fit, Momentum, NegativePhase, State, fit
from rbmflow.training.loop import Callback
from rbmflow.training.negative import NEGATIVES
from rbmflow.workers import Progress

START = 0.01
"""Standard deviation of the weights before training."""
OPTIMIZERS: dict[str, Any] = {"sgd": SGD, "momentum": Momentum, "adam": Adam, "lbfgs": lambda _rate: LBFGS()}
PATIENCE = "end when N epochs bring no gain on the rows held out, with the best machine; 0 makes all epochs"
MODEL = ("weights", "visible_bias", "hidden_bias")
STATE = "state"
"""The part that an interrupted run leaves."""
CURVES = {
    "log_likelihood": ("log-likelihood, training", BLUE, "-"),
    "held_out_log_likelihood": ("log-likelihood, held out", BLUE, "--"),
    "pseudo_likelihood": ("pseudo-likelihood, training", ORANGE, "-"),
    "held_out_pseudo_likelihood": ("pseudo-likelihood, held out", ORANGE, "--"),
}


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """How a machine is trained.

    Attributes
    ----------
    n_hidden : int
        Hidden units.
    negative : str
        ``"pcd"``, ``"cd"``, ``"tempered"`` (ten rungs) or ``"exact"``.
    k : int
        Sweeps for an update.
    n_chains : int
        Persistent chains (on each rung).
    optimizer : str
        ``"sgd"``, ``"momentum"``, ``"adam"`` or ``"lbfgs"`` (exact gradients only).
    learning_rate : float
        Of the optimiser; without effect on lbfgs.
    batch_size : int
        Rows to an update.
    n_epochs : int
        Epochs.
    holdout : float
        Share of the rows that are held out, from 0 to below 1.
    patience : int
        Epochs without a gain in the pseudo-likelihood of the rows held out after which training ends, with
        the machine of the best epoch; 0 makes all epochs and takes the last machine.
    """

    n_hidden: int = field(metadata=option("hidden units", "--hidden", metavar="N"))
    negative: str = field(default="pcd", metadata=option("averages over the model", choices=tuple(NEGATIVES)))
    k: int = field(default=10, metadata=option("sweeps for an update", "-k", metavar="K"))
    n_chains: int = field(default=100, metadata=option("persistent chains", "--chains", metavar="N"))
    optimizer: str = field(default="sgd", metadata=option(choices=tuple(OPTIMIZERS)))
    learning_rate: float = field(default=0.01, metadata=option(metavar="RATE"))
    batch_size: int = field(default=100, metadata=option("rows to an update", metavar="N"))
    n_epochs: int = field(default=100, metadata=option(flag="--epochs", metavar="N"))
    holdout: float = field(default=0.1, metadata=option("of the rows, held out", metavar="SHARE"))
    patience: int = field(default=0, metadata=option(PATIENCE, metavar="N"))

    def __post_init__(self) -> None:
        check_integer("n_hidden", self.n_hidden, 1)
        check_integer("n_epochs", self.n_epochs, 0)
        if self.negative not in NEGATIVES:
            raise ValueError(f"negative={shown(self.negative)}: one of {', '.join(NEGATIVES)} is needed")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer={shown(self.optimizer)}: one of {', '.join(OPTIMIZERS)} is needed")
        if not 0 <= check_real_scalar("holdout", self.holdout) < 1:
            raise ValueError(f"holdout={shown(self.holdout)}: a share from 0 to below 1 is needed")
        if check_integer("patience", self.patience, 0) and not self.holdout:
            raise ValueError(f"patience={self.patience}: it needs rows that are held out, holdout is 0")
        self.phase()

    def phase(self) -> NegativePhase:
        """Return the negative phase."""
        return NEGATIVES[self.negative](self.k, self.n_chains)


@dataclass(frozen=True)
class TrainedMachine(Result):
    """The machine and its tables: ``likelihood``, ``history`` and ``weights``.

    Attributes
    ----------
    model : RBM
        The machine.
    log_partition : LogPartition
        Its ln Z.
    tables : dict of str to Table
        For the command line and the figure.
    parameters : Parameters
        What was asked.
    """

    model: RBM
    log_partition: LogPartition
    tables: dict[str, Table] = field(repr=False)
    parameters: Parameters
    what: ClassVar[str] = "a machine trained on data"

    def write(self, stream: IO[bytes]) -> None:
        """Write all of it as JSON to a binary stream; floats read back to the same bits."""
        plain = {
            "parameters": self.parameters.to_json(),
            "model": {name: getattr(self.model, name).tolist() for name in MODEL},
            "log_partition": asdict(self.log_partition),
            "tables": {name: asdict(table) for name, table in self.tables.items()},
        }
        stream.write(seal(plain).encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> TrainedMachine:
        """Return the machine in the bytes of a file."""
        found = check_names("it", unseal(content), {"parameters", "model", "log_partition", "tables"})
        model = check_names("model", found["model"], set(MODEL))
        ln_z = check_names(
            "log_partition", found["log_partition"], {one.name for one in fields(LogPartition)}
        )
        if not all(isinstance(value, (int, float)) for value in ln_z.values()):
            raise ValueError("log_partition: numbers are needed")
        return cls(
            RBM(*(np.array(model[name], dtype=np.float64) for name in MODEL)),
            LogPartition(**ln_z),
            {name: Table.from_json(f"table {name}", table) for name, table in found["tables"].items()},
            Parameters.from_json(found["parameters"]),
        )


def split(spins: SpinArray, holdout: float, rng: np.random.Generator) -> tuple[SpinArray, SpinArray]:
    """Return rows to train on and rows held out, picked at random; at least one row is left to train on."""
    n_held = min(round(holdout * len(spins)), len(spins) - 1)
    order = rng.permutation(len(spins))
    return spins[np.sort(order[n_held:])], spins[np.sort(order[:n_held])]


def left_by(checkpoints: Checkpoints) -> State | None:
    """Return the state at which a run was interrupted, if there is one."""
    return checkpoints.load(STATE, partial(read, State))


def run(
    parameters: Parameters,
    spins: SpinArray,
    *,
    rng: Any,
    executor: Executor | None = None,  # noqa: ARG001 (a machine is one task)
    checkpoints: Checkpoints | None = None,
    resume: State | None = None,
    callback: Callback | None = None,
    progress: Progress | None = None,
    n_threads: int | None = None,
) -> TrainedMachine:
    """Train a machine on rows of spins and measure it.

    Parameters
    ----------
    parameters : Parameters
        How to train.
    spins : numpy.ndarray of int8, shape (n_rows, n_visible)
        The data.
    rng : numpy.random.Generator or int
        Generator or seed; the split, the training and the annealing have children of their own.
    executor : concurrent.futures.Executor, optional
        Without effect: a machine is one task.
    checkpoints : Checkpoints, optional
        Where the state is kept, of these parameters, rows and seed: an interrupted run goes on.
    resume : State, optional
        Of an interrupted run with the same arguments, which is continued bit for bit.
    callback, progress : callable, optional
        As for `rbmflow.training.fit`.
    n_threads : int, optional
        Of ln Z; the result does not depend on it.

    Returns
    -------
    TrainedMachine
        The machine with its likelihoods, history and weights.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> trained = run(Parameters(4, n_epochs=5), Ring(6).sample(0.5, 200, rng=1), rng=1)
    >>> trained.tables["likelihood"].columns["rows"]
    [180, 20]
    """
    spins = check_spins("spins", spins)
    if spins.ndim != 2 or not spins.size:
        raise ValueError(f"spins has shape {spins.shape}: (n_rows, n_visible) is needed, both at least 1")
    threads, sources = resolve_threads(n_threads), check_rng(rng).spawn(3)
    seen, held = split(spins, parameters.holdout, sources[0])
    phase = parameters.phase()
    phase.check(spins.shape[1], parameters.n_hidden)
    start = RBM(sources[1].normal(0.0, START, (spins.shape[1], parameters.n_hidden)))
    if parameters.patience and not len(held):
        raise ValueError(
            f"holdout={parameters.holdout}: no row of {len(seen)} is held out, patience needs one"
        )
    stop = EarlyStopping("held_out_pseudo_likelihood", parameters.patience) if parameters.patience else None
    if checkpoints is not None and resume is None:
        resume = left_by(checkpoints)

    def keep(now: Fit) -> Any:
        if checkpoints is not None and checkpoints.due():
            checkpoints.store(STATE, partial(write, now.state))
        return None if callback is None else callback(now)

    left = (
        parameters.n_epochs if resume is None else (parameters.n_epochs - resume.epoch) * (not resume.stopped)
    )
    trained = fit(
        start,
        seen,
        negative=phase,
        optimizer=OPTIMIZERS[parameters.optimizer](parameters.learning_rate),
        n_epochs=max(left, 0),
        batch_size=parameters.batch_size,
        state=resume,
        rng=sources[1],
        callback=keep,
        progress=progress,
        stop=stop,
        held_out=held if len(held) else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LikelihoodWarning)  # the table tells, and the command
        ln_z = log_partition(trained.best, "auto", data=spins, rng=sources[2], n_threads=threads)
    return TrainedMachine(trained.best, ln_z, _tables(trained, ln_z, seen, held), parameters)


def _tables(trained: Fit, ln_z: LogPartition, seen: SpinArray, held: SpinArray) -> dict[str, Table]:
    rows: list[tuple[Cell, ...]] = []
    below, above = ln_z.value - ln_z.upper, ln_z.value - ln_z.lower
    epoch = trained.state.best_epoch or trained.state.epoch
    for name, part in (("training", seen), ("held out", held)):
        if not len(part):
            continue
        values = np.asarray(trained.best.log_likelihood(part, log_partition=ln_z.value))
        spread = float(values.std(ddof=1) / np.sqrt(len(part))) if len(part) > 1 else float("nan")
        mean, error = float(values.mean()), float(np.hypot(spread, ln_z.stderr))
        known = (mean + below, mean + above, ln_z.n_effective, ln_z.doubt)
        rows.append((name, len(part), mean, error, ln_z.stderr, epoch, *known))
    names = (
        *("rows_of", "rows", "log_likelihood", "stderr", "log_partition_stderr", "epoch"),
        *("lower", "upper", "n_effective", "doubt"),
    )
    weights = trained.best.weights
    return {
        "likelihood": Table("Mean log-likelihood of a row, nats", columns_of(names, rows)),
        "history": Table(
            "Along the training, after each epoch",
            {name: list(values) for name, values in trained.history.values.items()},
        ),
        "weights": Table(
            "Weights, a column for each hidden unit",
            {f"h{unit}": column.tolist() for unit, column in enumerate(weights.T)},
        ),
    }


def draw_training(result: HasTables, ax: Any = None) -> Any:
    """Draw likelihoods along the epochs and the weights as a picture (pass two axes)."""
    history = columns(result, "history")
    weights = np.array(list(columns(result, "weights").values())).T
    likelihood = columns(result, "likelihood")
    with styled():
        left, right = axes = axes_of(ax, 2, (10.5, 4.2))
        for name, (label, colour, line) in CURVES.items():
            if name in history and len(history[name]):
                left.plot(history["epoch"], history[name], color=colour, ls=line, label=label)
        parts = (likelihood[name] for name in ("rows_of", "epoch", "log_likelihood", "stderr"))
        aside = 0.015 * float(
            np.max(history["epoch"], initial=0.0)
        )  # the two bars are not drawn over each other
        for index, (marker, name, at, value, error) in enumerate(zip("os", *parts, strict=False)):
            left.errorbar(
                [at + index * aside],
                [value],
                [error],
                fmt=marker,
                color="black",
                ms=5,
                capsize=3,
                label=f"{name}, of the machine kept",
            )
        left.axhline(-len(weights) * np.log(2), color=GREY, lw=1, ls=":", label="fair coins, −n ln 2")
        left.set(xlabel="epoch", ylabel="nats per row", title="Likelihood along the training")
        left.legend(loc="best", fontsize=8.5)
        largest = max(float(np.abs(weights).max()), 1e-12)
        image = right.imshow(
            weights, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
        )
        right.grid(visible=False)
        right.set(xlabel="hidden unit", ylabel="visible unit", title="Weights")
        for axis in (right.xaxis, right.yaxis):
            axis.get_major_locator().set_params(integer=True)
        right.get_figure().colorbar(image, ax=right, label="weight")
        return axes


EXPERIMENTS = [
    Experiment(
        "own_data",
        "a machine trained on a file of spins",
        __name__,
        TrainedMachine,
        "trained.json",
        "epochs",
        {"training": draw_training},
        parallel=False,
        is_command=False,
    )
]
