"""A stack of machines trained on the Ising model near criticality, and whether its fields are local.

Mehta and Schwab (arXiv:1410.3831) map Kadanoff's variational renormalization group onto stacked RBMs and
train a stack of 1600-400-100-25 units on the 40 × 40 Ising model near its critical point by contrastive
divergence with an L1 penalty; the receptive fields look like blocks, of larger size in higher layers, as if
spins were blocked. Here the same is asked of numbers, against rows whose columns were shuffled, a stack
whose weights are drawn at random, and a machine without the penalty.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.experiments.papers.paper import Claim, PaperResult, Tables, paper_experiment, tables_of_parts
from rbmflow.experiments.style import axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.ising import Torus
from rbmflow.networks import RBM
from rbmflow.sampling import training_set
from rbmflow.training import CD, Momentum, fit

SOURCE = "arXiv:1410.3831"
KINDS = ("trained", "shuffled", "unpenalised", "random")
START = 0.01
"""Standard deviation of the weights before training."""
MOMENTUM, BATCH = 0.5, 100
BOX = 7
"""Side of the square in which a local field has most of its weight."""
LOCAL = 1.5
"""How many times the share of scattered sites a local field has in its best square."""
DRAWS = 1000
"""Of the units, for the error of a median over them."""
SHOWN = 6
"""Fields of each layer that are kept for the figure."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is trained.

    Attributes
    ----------
    side : int
        L of the torus, at least 8.
    layers : tuple of int
        Hidden units of each machine of the stack.
    K : float
        Coupling of the data.
    n_rows : int
        Configurations.
    n_epochs : int
        Passes through them for each layer, by contrastive divergence with one sweep.
    learning_rate : float
        Of each update.
    l1 : float
        Penalty on the absolute weights.
    """

    side: int = field(default=40, metadata=option("of the torus", metavar="L"))
    layers: tuple[int, ...] = field(default=(400, 100, 25), metadata=option("hidden units", metavar="N"))
    K: float = field(default=0.408, metadata=option("coupling of the data", "--coupling", metavar="K"))
    n_rows: int = field(default=4000, metadata=option("configurations", "--rows", metavar="N"))
    n_epochs: int = field(default=30, metadata=option("passes for each layer", "--epochs", metavar="N"))
    learning_rate: float = 0.05
    l1: float = field(default=0.01, metadata=option("penalty on absolute weights", "--l1", metavar="A"))

    def __post_init__(self) -> None:
        check_integer("side", self.side, 8, 128)
        if len(self.layers) < 2:
            raise ValueError(f"layers={self.layers}: at least two are needed")
        for one in self.layers:
            check_integer("layers", one, 2, 10_000)
        check_integer("n_rows", self.n_rows, 10, 10**6)
        check_integer("n_epochs", self.n_epochs, 1, 10**5)
        for name, most in (("K", 5.0), ("learning_rate", 1.0), ("l1", 1.0)):
            if not 0 < check_real_scalar(name, getattr(self, name)) <= most:
                raise ValueError(f"{name}={getattr(self, name)}: a number above 0, at most {most}, is needed")


@dataclass(frozen=True)
class Stack(PaperResult):
    """How local the fields of stacks are.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``claims``; then for each stack the locality of its layers (``trained``, ``shuffled``,
        ``unpenalised``, ``random``) and some of its fields (``trained_fields``, …).
    """

    parameters: Parameters
    what: ClassVar[str] = "fields of a stack of machines"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Stack:
    """Train stacks layer by layer and measure their fields.

    Parameters
    ----------
    parameters : Parameters, optional
        What to train.
    rng : numpy.random.Generator or int
        Generator or seed; each stack has a stream of its own.
    executor, progress, checkpoints : optional
        As for every experiment; there is a part for each stack.

    Returns
    -------
    Stack
        Claims with their verdicts, and tables.

    Examples
    --------
    >>> small = Parameters(8, (16, 4), n_rows=50, n_epochs=2)
    >>> run(small, rng=1).tables["trained"].columns["n_hidden"]
    [16, 4]
    """
    p = parameters or Parameters()
    streams = check_rng(rng).spawn(len(KINDS))
    parts = {kind: (_stack, p, kind, stream) for kind, stream in zip(KINDS, streams, strict=True)}
    tables = tables_of_parts(parts, executor=executor, progress=progress, checkpoints=checkpoints)
    return Stack.of(p, tables, _claims(tables))


def box_share(fields: FloatArray, side: int, box: int) -> FloatArray:
    """Return for each column of weights the largest share of its squares in a box × box square of the torus.

    Examples
    --------
    >>> block = np.zeros((4, 4))
    >>> block[1:3, 3] = 2.0
    >>> box_share(block.reshape(16, 1), 4, 2)
    array([1.])
    """
    squares = (fields**2).T.reshape(-1, side, side)
    around = np.zeros((side, side))
    around[:box, :box] = 1.0
    sums = np.fft.irfft2(np.fft.rfft2(squares) * np.fft.rfft2(around), s=(side, side))
    total = np.maximum(squares.sum(axis=(1, 2)), np.finfo(float).tiny)
    return np.asarray(sums.max(axis=(1, 2)) / total)


def sites_of(fields: FloatArray) -> FloatArray:
    """Return over how many sites each column of weights is spread, ``(Σ w²)²/Σ w⁴``; 0 if there is none.

    Examples
    --------
    >>> sites_of(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]]))
    array([2., 1.])
    """
    squares = fields**2
    fourth = (squares**2).sum(axis=0)
    return np.asarray(squares.sum(axis=0) ** 2 / np.where(fourth > 0, fourth, 1.0))


def _machines(p: Parameters, kind: str, rng: np.random.Generator) -> list[RBM]:
    """The machines of a stack, from the bottom."""
    sizes = (p.side**2, *p.layers)
    starts = [RBM(rng.normal(0.0, START, pair)) for pair in pairwise(sizes)]
    if kind == "random":
        return starts
    lattice = Torus(p.side, p.side)
    rows: SpinArray = training_set(lattice, [1 / p.K], p.n_rows, rng=rng, n_threads=1).spins[0]
    if kind == "shuffled":
        rows = rng.permuted(rows, axis=0)
    machines = []
    for start in starts:
        machine = fit(
            start, rows, negative=CD(1), optimizer=Momentum(p.learning_rate, MOMENTUM), n_epochs=p.n_epochs,
            batch_size=min(BATCH, p.n_rows), l1=0.0 if kind == "unpenalised" else p.l1, biases=False, rng=rng,
            n_threads=1,
        ).model  # fmt: skip
        machines.append(machine)
        rows = machine.sample_hidden(rows, rng=rng)
    return machines


LAYER = (
    "layer", "n_hidden", "share", "share_stderr", "scattered", "ratio", "ratio_stderr", "sites",
    "sites_stderr",
)  # fmt: skip


def _stack(p: Parameters, kind: str, rng: np.random.Generator) -> Tables:
    """The locality of the fields of a stack, and some of them."""
    rows: list[tuple[Any, ...]] = []
    kept: dict[str, list[Any]] = {}
    down = np.eye(p.side**2)
    for layer, machine in enumerate(_machines(p, kind, rng), 1):
        down = down @ machine.weights
        share = box_share(down, p.side, BOX)
        scattered = box_share(rng.permuted(down, axis=0), p.side, BOX)
        ratio, sites = share / scattered, sites_of(down)
        means = [(float(one.mean()), float(one.std(ddof=1) / len(one) ** 0.5)) for one in (share, ratio)]
        typical = (float(np.median(sites)), _spread_of_median(sites, rng))
        rows.append((layer, machine.n_hidden, *means[0], float(scattered.mean()), *means[1], *typical))
        order = np.argsort(-(down**2).sum(axis=0))[: min(SHOWN, machine.n_hidden)]
        scale = np.abs(down[:, order]).max(axis=0)
        scaled = np.round(down[:, order] / np.where(scale > 0, scale, 1.0), 3)
        kept |= {f"layer{layer}_{place}": column.tolist() for place, column in enumerate(scaled.T)}
    caption = "fields on the lattice, through the layers below"
    return {
        kind: Table(f"{kind}: {caption}", columns_of(LAYER, rows)),
        f"{kind}_fields": Table(f"{kind}: some {caption}, largest weight 1", kept),
    }


def _spread_of_median(values: FloatArray, rng: np.random.Generator) -> float:
    """The standard error of a median, by drawing the values again."""
    return float(np.median(rng.choice(values, (DRAWS, len(values))), axis=1).std(ddof=1))


def _claims(tables: Tables) -> list[Claim]:
    def of(kind: str, name: str, layer: int) -> tuple[float, float]:
        columns = tables[kind].columns
        return float(columns[name][layer]), float(columns[f"{name}_stderr"][layer])  # type: ignore[arg-type]

    def claim(text: str, quantity: str, bound: float, found: Any, null_is: str, null: Any) -> Claim:
        return Claim(text, quantity, "above", bound, found[0], null_is, null[0], found[1], null[1])

    def growth(kind: str) -> tuple[float, float]:
        (below, error_below), (above, error_above) = of(kind, "sites", 0), of(kind, "sites", -1)
        ratio = above / below
        return ratio, ratio * float(np.hypot(error_below / below, error_above / above))

    share = f"share of w² in the best {BOX} × {BOX} square, by that of the same weights on scattered sites"
    shuffled, drawn = "columns of the data shuffled", "weights drawn at random"
    top = len(tables["trained"].columns["layer"])
    return [
        claim(
            "fields of the first layer are local", share, LOCAL, of("trained", "ratio", 0), shuffled,
            of("shuffled", "ratio", 0),
        ),
        claim(
            "they are so without the penalty on weights", share, LOCAL, of("unpenalised", "ratio", 0),
            drawn, of("random", "ratio", 0),
        ),
        claim(
            f"fields of layer {top} are local", share, LOCAL, of("trained", "ratio", -1), shuffled,
            of("shuffled", "ratio", -1),
        ),
        claim(
            "fields grow from layer to layer", f"sites of a typical field in layer {top}, by layer 1", 2.0,
            growth("trained"), drawn, growth("random"),
        ),
    ]  # fmt: skip


def draw_stack(result: Stack, ax: Any = None) -> Any:
    """Draw the strongest fields of each layer, of the trained stack and of that on shuffled columns."""
    side, n_layers = result.parameters.side, len(result.parameters.layers)
    shown = min(SHOWN, *result.parameters.layers)
    kinds = ("trained", "shuffled")
    with styled({"axes.grid": False}):
        axes = axes_of(ax, 2 * n_layers, (3.4 * n_layers, 4.6), 2)
        for panel, (kind, layer) in zip(
            axes, ((kind, layer) for kind in kinds for layer in range(1, n_layers + 1)), strict=True
        ):
            columns = result.tables[f"{kind}_fields"].columns
            tiles: list[Any] = [
                np.reshape(np.array(columns[f"layer{layer}_{place}"]), (side, side)) for place in range(shown)
            ]
            gap = np.full((side, 1), np.nan)
            half = (shown + 1) // 2
            tiles += [np.full((side, side), np.nan)] * (2 * half - shown)
            parts = [
                np.hstack([part for tile in some for part in (tile, gap)])
                for some in (tiles[:half], tiles[half:])
            ]
            panel.imshow(
                np.vstack([parts[0], np.full((1, parts[0].shape[1]), np.nan), parts[1]]),
                cmap="RdBu", vmin=-1, vmax=1, interpolation="nearest",
            )  # fmt: skip
            panel.set(title=f"{kind}, layer {layer}", xticks=[], yticks=[])
        return axes


def _quick(parameters: Parameters) -> Parameters:
    return replace(parameters, side=20, layers=(100, 25), n_rows=1500, n_epochs=15)


EXPERIMENTS = [
    paper_experiment(
        "stack",
        "fields of a stack of machines that was trained on the Ising model near criticality",
        __name__,
        Stack,
        _quick,
        draw_stack,
        SOURCE,
    )
]
