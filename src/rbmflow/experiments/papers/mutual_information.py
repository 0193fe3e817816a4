"""Filters of a block that keep the most information about its environment.

Koch-Janusz and Ringel (Nature Physics 14, 578 (2018), arXiv:1704.06279) find the relevant degrees of freedom
by the largest real-space mutual information between a block's hidden unit and the environment, with machines
that learn it from samples: on the Ising model their filter is a block spin, and its flow has the right
exponent. Here the information is summed exactly, over all states of a 4 × 4 torus and of a ring, and its
maximum over all filters ``P(h|v) ∝ exp(h w·v)`` is searched; exponents come from the Monte Carlo
renormalization group with these filters.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar, check_rng
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, option
from rbmflow.experiments.papers.paper import Claim, PaperResult, Tables, paper_experiment, tables_of_parts
from rbmflow.experiments.style import BLUE, GREEN, ORANGE, axes_of, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.ising import Ring, Torus, state_law
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.rg import BlockFilter, Decimation, Majority, Transformation, renormalization_group
from rbmflow.rg.grading.information import binary_entropy, block_of, environment_of, up_and_down
from rbmflow.sampling import training_set
from rbmflow.spins import all_states

SOURCE = "arXiv:1704.06279"
SIDE, BLOCK = 4, 2
"""Of the torus whose states are summed over, with blocks of 2 × 2 spins and no buffer."""
BUFFER = 1
"""Sites between block and environment on the ring, with blocks of 2 spins."""
MOST = 6.0
"""Bound on each weight: at that size h follows the sign of its field but once in 10⁵."""
EVEN, ONE = 0.95, 0.6
"""Shares of the spins of a block over which a filter is spread: all of them, and about one of two."""
Y_H, CLOSE = 15 / 8, 0.05
"""The magnetic exponent, and how close to it the first step of a good map comes."""


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is searched.

    Attributes
    ----------
    couplings : tuple of float
        K of the 4 × 4 torus; the last one is where the claims are read.
    ring_couplings : tuple of float
        K of the ring; likewise.
    n_sites : int
        Spins of the ring, even, 8 to 14.
    n_starts : int
        Random filters from which a maximum is searched.
    side : int
        L of the torus at T_c from which exponents come, a multiple of 2, 8 at least.
    n_samples : int
        Its configurations.
    """

    couplings: tuple[float, ...] = field(default=(0.2, 0.3, 0.6, 0.4407), metadata=option(metavar="K"))
    ring_couplings: tuple[float, ...] = (0.5, 1.0)
    n_sites: int = 12
    n_starts: int = field(default=20, metadata=option("of each search", "--starts", metavar="N"))
    side: int = field(default=16, metadata=option("of the torus for exponents", metavar="L"))
    n_samples: int = field(default=10_000, metadata=option("its configurations", "--samples", metavar="N"))

    def __post_init__(self) -> None:
        for name in ("couplings", "ring_couplings"):
            if not getattr(self, name):
                raise ValueError(f"{name}=(): at least one is needed")
            for K in getattr(self, name):
                if not 0 < check_real_scalar(name, K) <= 3:
                    raise ValueError(f"{name}: K={K}: a coupling above 0, at most 3, is needed")
        for name, least, most in (("n_sites", 8, 14), ("side", 8, 512)):
            if check_integer(name, getattr(self, name), least, most) % 2:
                raise ValueError(f"{name}={getattr(self, name)}: an even number is needed")
        check_integer("n_starts", self.n_starts, 1, 10**5)
        check_integer("n_samples", self.n_samples, 100, 10**7)


@dataclass(frozen=True)
class MutualInformation(PaperResult):
    """Filters of the largest information, and the exponents of their maps.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    tables : dict of str to Table
        ``claims``; the best filters beside majority and decimation on torus and ring (``plane``, ``ring``);
        exponents of four maps (``exponents``).
    """

    parameters: Parameters
    what: ClassVar[str] = "filters of the largest information"


def run(
    parameters: Parameters | None = None,
    *,
    rng: object,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> MutualInformation:
    """Search the filters of the largest information and measure the exponents of their maps.

    Parameters
    ----------
    parameters : Parameters, optional
        What to search.
    rng : numpy.random.Generator or int
        Generator or seed; each part has a stream of its own.
    executor, progress, checkpoints : optional
        As for every experiment; there are three parts.

    Returns
    -------
    MutualInformation
        Claims with their verdicts, and tables.

    Examples
    --------
    >>> small = Parameters((0.4407,), (1.0,), n_starts=3, side=8, n_samples=1000)
    >>> found = run(small, rng=1).tables["ring"].columns
    >>> [round(found[name][0], 5) for name in ("decimation", "majority")]
    [0.27149, 0.26618]
    """
    p = parameters or Parameters()
    plane, ring, exponents = check_rng(rng).spawn(3)
    parts = {"plane": (_plane, p, plane), "ring": (_ring, p, ring), "exponents": (_exponents, p, exponents)}
    tables = tables_of_parts(parts, executor=executor, progress=progress, checkpoints=checkpoints)
    return MutualInformation.of(p, tables, _claims(tables))


def block_and_environment(lattice: Ring | Torus, K: float, buffer: int) -> tuple[FloatArray, FloatArray]:
    """Return the states of a block of a lattice and their joint law with those of its environment.

    Examples
    --------
    >>> blocks, joint = block_and_environment(Ring(8), 0.5, 1)
    >>> blocks.shape, joint.shape, bool(abs(joint.sum() - 1) < 1e-12)
    ((4, 2), (4, 16), True)
    """
    law, sides = state_law(lattice, K), lattice.shape
    block = block_of(Majority(BLOCK), sides)
    outside = environment_of(block, sides, buffer)
    up = law.states > 0
    inside, around = (up[:, sites] @ (1 << np.arange(len(sites))) for sites in (block, outside))
    n, m = 2 ** len(block), 2 ** len(outside)
    joint = np.bincount(inside * m + around, law.probabilities, n * m).reshape(n, m)
    return all_states(len(block)).astype(np.float64), np.asarray(joint, dtype=np.float64)


def information(mean: FloatArray, joint: FloatArray) -> float:
    """Return I(h : environment) in nats, of the means of h in the states of a block.

    Examples
    --------
    >>> blocks, joint = block_and_environment(Ring(12), 1.0, 1)
    >>> print(round(information(blocks[:, 0], joint), 5))
    0.27149
    """
    up, down = up_and_down(joint, mean)
    around = up + down
    total = float(binary_entropy(np.array([up.sum()]))[0])
    return total - float(around @ binary_entropy(up / np.where(around > 0, around, 1)))


def best_filter(blocks: FloatArray, joint: FloatArray, n_starts: int, rng: Any) -> tuple[FloatArray, float]:
    """Return the weights of the largest information that searches from random ones find, and that.

    Their sum is positive; which spin of a block has which weight is a matter of the start.

    Examples
    --------
    >>> blocks, joint = block_and_environment(Ring(8), 1.0, 1)
    >>> best_filter(blocks, joint, 3, np.random.default_rng(1))[1] > information(blocks[:, 0], joint)
    False
    """
    from scipy.optimize import minimize

    n = blocks.shape[1]
    found = [
        minimize(
            lambda w: -information(np.tanh(blocks @ w), joint), rng.normal(size=n), method="L-BFGS-B",
            bounds=[(-MOST, MOST)] * n,
        )
        for _ in range(n_starts)
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.fun))
    return np.asarray(best.x * (np.sign(best.x.sum()) or 1.0)), -float(best.fun)


def spread(weights: FloatArray) -> float:
    """Return ``(Σ w²)²/(n Σ w⁴)``: 1 for equal weights of n spins, 1/n for a single one.

    Examples
    --------
    >>> spread(np.array([2.0, 2.0])), spread(np.array([3.0, 0.0]))
    (1.0, 0.5)
    """
    squares = np.asarray(weights) ** 2
    return float(squares.sum() ** 2 / (len(squares) * (squares**2).sum()))


def _filters(
    lattice: Ring | Torus, couplings: tuple[float, ...], buffer: int, p: Parameters, rng: Any
) -> Table:
    """The best filter at each coupling, beside majority with fair coins and a kept spin."""
    rows: list[tuple[Any, ...]] = []
    for K in couplings:
        blocks, joint = block_and_environment(lattice, K, buffer)
        weights, best = best_filter(blocks, joint, p.n_starts, rng)
        drawn = [information(np.tanh(blocks @ w), joint) for w in rng.normal(size=(100, blocks.shape[1]))]
        simple = (np.sign(blocks.sum(axis=1)), blocks[:, 0])
        others = (*(information(mean, joint) for mean in simple), float(np.mean(drawn)))
        rows.append((K, best, *others, spread(weights), *weights.tolist()))
    names = ("K", "best", "majority", "decimation", "random", "spread")
    sites = tuple(f"w{site}" for site in range(blocks.shape[1]))
    return Table(f"Information about the environment on {lattice}, nats", columns_of((*names, *sites), rows))


def _plane(p: Parameters, rng: np.random.Generator) -> Tables:
    return {"plane": _filters(Torus(SIDE, SIDE), p.couplings, 0, p, rng)}


def _ring(p: Parameters, rng: np.random.Generator) -> Tables:
    return {"ring": _filters(Ring(p.n_sites), p.ring_couplings, BUFFER, p, rng)}


def _exponents(p: Parameters, rng: np.random.Generator) -> Tables:
    """The first step of four maps on a torus at its critical point."""
    blocks, joint = block_and_environment(Torus(SIDE, SIDE), 1 / CRITICAL_TEMPERATURE, 0)
    weights, _ = best_filter(blocks, joint, p.n_starts, rng)
    maps: dict[str, Transformation] = {
        "best filter": BlockFilter(weights.reshape(BLOCK, BLOCK)),
        "majority": Majority(BLOCK),
        "decimation": Decimation(BLOCK),
        "random filter": BlockFilter(np.abs(rng.normal(size=(BLOCK, BLOCK)))),  # others turn spins over
    }
    torus = Torus(p.side, p.side)
    spins = training_set(torus, [CRITICAL_TEMPERATURE], p.n_samples, rng=rng, n_threads=1).spins[0]
    rows: list[tuple[Any, ...]] = []
    for name, one in maps.items():
        found = renormalization_group(spins, torus, transformation=one, n_steps=1, n_even=3, rng=rng)
        numbers = (found.y_t, found.y_t_stderr, found.y_h, found.y_h_stderr)
        rows.append((name, *(float(number[0, -1]) for number in numbers)))
    names = ("map", "y_t", "y_t_stderr", "y_h", "y_h_stderr")
    return {"exponents": Table(f"First step on {torus} at T_c", columns_of(names, rows))}


def _claims(tables: Tables) -> list[Claim]:
    def last(name: str, column: str) -> float:
        return float(tables[name].columns[column][-1])  # type: ignore[arg-type]

    def gap(name: str) -> float:
        return last(name, "majority") - last(name, "decimation")

    columns = tables["exponents"].columns
    y_h = dict(zip(columns["map"], zip(columns["y_h"], columns["y_h_stderr"], strict=True), strict=True))
    (best, best_error), (kept, kept_error) = (map(float, y_h[name]) for name in ("best filter", "decimation"))  # type: ignore[arg-type]
    share, torus = "share of the spins of a block over which w² is spread", f"the {SIDE} × {SIDE} torus"
    over = "I of the best filter over that of majority, less 1"
    return [
        Claim(
            "a block spin keeps more than a single spin in two dimensions",
            "I(majority) − I(decimation), nats", "above", 0.0, gap("plane"), "on the ring", gap("ring"),
        ),
        Claim(
            "the filter of the largest information weighs the spins of a block alike", share, "above", EVEN,
            last("plane", "spread"), "on the ring", last("ring", "spread"),
        ),
        Claim(
            "equal weights are within 1 % of the largest information", over, "below", 0.01,
            last("plane", "best") / last("plane", "majority") - 1, "random filters",
            last("plane", "best") / last("plane", "random") - 1,
        ),
        Claim(
            "in one dimension it keeps one spin", share, "below", ONE, last("ring", "spread"), torus,
            last("plane", "spread"),
        ),
        Claim(
            "its map has the right magnetic exponent", "distance of y_h from 15/8", "below", CLOSE,
            abs(best - Y_H), "decimation", abs(kept - Y_H), best_error, kept_error,
        ),
    ]  # fmt: skip


def draw_mutual_information(result: MutualInformation, ax: Any = None) -> Any:
    """Draw information over K on torus and ring, and the exponents of the maps (pass three axes)."""
    with styled():
        axes = axes_of(ax, 3, (13.0, 4.0))
        for panel, name, title in zip(axes, ("plane", "ring"), ("4 × 4 torus", "Ring"), strict=False):
            columns = {key: np.array(column) for key, column in result.tables[name].columns.items()}
            order = np.argsort(columns["K"])
            for key, colour in (
                ("best", GREEN),
                ("majority", BLUE),
                ("decimation", ORANGE),
                ("random", "0.6"),
            ):
                panel.plot(columns["K"][order], columns[key][order], "o-", ms=4, color=colour, label=key)
            panel.set(xlabel="K", ylabel="I(h : environment), nats", title=title)
            panel.legend(fontsize=8)
        found = result.tables["exponents"].columns
        place = np.arange(len(found["map"]))
        for key, value, colour in (("y_h", Y_H, BLUE), ("y_t", 1.0, ORANGE)):
            axes[2].errorbar(place, found[key], found[f"{key}_stderr"], fmt="o", color=colour, label=key)
            axes[2].axhline(value, color=colour, lw=0.8, ls="--")
        axes[2].set_xticks(place, found["map"], rotation=20)
        axes[2].set(ylabel="exponent of the first step", title="Torus at its critical point")
        axes[2].legend()
        return axes


def _quick(parameters: Parameters) -> Parameters:
    return replace(parameters, couplings=(0.4407,), ring_couplings=(1.0,), n_starts=4, side=8, n_samples=500)


EXPERIMENTS = [
    paper_experiment(
        "mutual_information",
        "filters that keep the most information about what is around a block",
        __name__,
        MutualInformation,
        _quick,
        draw_mutual_information,
        SOURCE,
    )
]
