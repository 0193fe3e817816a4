"""A map of the trained weight over K and the ratio γ = N/M of the layers, with the line of order."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.experiment import BaseParameters, Experiment, Result, option
from rbmflow.experiments.style import axes_of, styled
from rbmflow.experiments.tables import Table
from rbmflow.experiments.tasks import rows_of_tasks
from rbmflow.reading import check_names, read_npz
from rbmflow.records.dataset import dataset
from rbmflow.weight import trained_weight

MAX_POINTS = 20_000  # along each axis


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What the map covers.

    Attributes
    ----------
    n_visible : int
        Spins M of the ring.
    n_couplings : int
        Couplings, evenly spaced in (0, K_max].
    K_max : float
        Largest coupling.
    n_ratios : int
        Numbers of hidden units N = step, 2 step, …; γ = N/M.
    hidden_step : int
        Distance of neighbouring N.
    """

    n_visible: int = field(default=100, metadata=option("spins of the ring", "--visible", metavar="M"))
    n_couplings: int = field(default=1000, metadata=option("P x P points", "--points", metavar="P"))
    K_max: float = 3.0
    n_ratios: int = field(default=1000, metadata=option(flag="--points"))
    hidden_step: int = 1

    def __post_init__(self) -> None:
        check_integer("n_visible", self.n_visible, 3)
        for name in ("n_couplings", "n_ratios", "hidden_step"):
            check_integer(name, getattr(self, name), 1, MAX_POINTS)
        if not 0 < check_real_scalar("K_max", self.K_max) < np.inf:
            raise ValueError(f"K_max={self.K_max}: a positive, finite number is needed")

    @property
    def couplings(self) -> FloatArray:
        """K of each column."""
        return np.linspace(0.0, self.K_max, self.n_couplings + 1)[1:]

    @property
    def hidden(self) -> list[int]:
        """N of each row."""
        return [self.hidden_step * (row + 1) for row in range(self.n_ratios)]


@dataclass(frozen=True, eq=False)
class WeightMap(Result):
    """W over (γ, K).

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    weights : numpy.ndarray, shape (n_ratios, n_couplings)
        W.
    seconds : float
        Time taken, without that of rows which an interrupted run had kept; NaN out of a file.
    """

    what: ClassVar[str] = "a map of weights"

    parameters: Parameters
    weights: FloatArray
    seconds: float = field(compare=False)

    @property
    def gain(self) -> FloatArray:
        """``M N W²``; the flow orders above 1."""
        hidden = np.array(self.parameters.hidden, dtype=float)[:, None]
        return np.asarray(self.parameters.n_visible * hidden * self.weights**2)

    @property
    def summary(self) -> Table:
        """One row: what the map covers, its extremes, the share of points where the flow orders, the time."""
        parameters, points = self.parameters, self.weights.size
        columns: dict[str, list[Any]] = {
            "n_visible": [parameters.n_visible],
            "n_hidden_from": [parameters.hidden[0]],
            "n_hidden_to": [parameters.hidden[-1]],
            "K_max": [parameters.K_max],
            "weights": [points],
            "smallest": [float(self.weights.min())],
            "largest": [float(self.weights.max())],
            "share_that_orders": [float((self.gain > 1).mean())],
            "seconds": [self.seconds],
        }
        return Table("Trained weights over K and N/M", columns)

    @property
    def tables(self) -> dict[str, Table]:
        """The summary."""
        return {"weight_map": self.summary}

    def to_xarray(self) -> Any:
        """Return the map as a dataset of xarray.

        Returns
        -------
        xarray.Dataset
            ``weight`` and ``gain`` over ``n_hidden`` and ``K``.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> dict(run(Parameters(n_couplings=3, n_ratios=2)).to_xarray().sizes)
        {'n_hidden': 2, 'K': 3}
        """
        p = self.parameters
        return dataset(
            {
                name: (("n_hidden", "K"), array)
                for name, array in (("weight", self.weights), ("gain", self.gain))
            },
            {"n_hidden": p.hidden, "K": p.couplings},
            {"n_visible": p.n_visible},
        )

    def lines(self) -> list[str]:
        """Return nothing: `remarks` say what a reader looks for."""
        return []

    def remarks(self, _n_workers: int, _seconds: float) -> list[str]:
        """Return the number of weights and the time taken."""
        points = self.weights.size
        return [f"{points} weights in {self.seconds:.1f} s, {1e6 * self.seconds / points:.2f} µs each"]

    def write(self, stream: IO[bytes]) -> None:
        """Write couplings, hidden units and weights as numpy's npz."""
        parameters = self.parameters
        np.savez_compressed(
            stream,
            n_visible=parameters.n_visible,
            K=parameters.couplings,
            n_hidden=parameters.hidden,
            weight=self.weights,
        )

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> WeightMap:
        """Return the map in the bytes of a file."""
        found = read_npz(content, inflated=8 * (MAX_POINTS + 2) ** 2)
        check_names("it", found, {"n_visible", "K", "n_hidden", "weight"})
        K, hidden, weights = (found[name] for name in ("K", "n_hidden", "weight"))
        parameters = Parameters(int(found["n_visible"]), len(K), float(K[-1]), len(hidden), int(hidden[0]))
        if not (np.array_equal(K, parameters.couplings) and np.array_equal(hidden, parameters.hidden)):
            raise ValueError("its couplings or hidden units are not evenly spaced")
        if weights.dtype != np.float64 or weights.shape != (len(hidden), len(K)):
            raise ValueError(
                f"weight is {weights.dtype} of shape {weights.shape}, float64 of K and n_hidden is needed"
            )
        return cls(parameters, weights, np.nan)


def run(
    parameters: Parameters | None = None,
    *,
    rng: object = None,  # noqa: ARG001 (nothing is drawn)
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    checkpoints: Checkpoints | None = None,
) -> WeightMap:
    """Compute the map, one row of couplings after the other.

    Parameters
    ----------
    parameters : Parameters, optional
        What to cover; 1000 × 1000 points at M = 100 by default.
    rng : optional
        Without effect: nothing is drawn.
    executor : concurrent.futures.Executor, optional
        Where to compute the rows; here by default. The result does not depend on it.
    progress : callable, optional
        Called as ``progress(rows done, rows)``.
    checkpoints : Checkpoints, optional
        Where finished rows are kept, of these parameters: none is computed again.

    Returns
    -------
    WeightMap
        The weights and the time taken.

    Examples
    --------
    >>> run(Parameters(n_couplings=3, n_ratios=2)).weights.shape
    (2, 3)
    """
    parameters = parameters or Parameters()
    start = time.perf_counter()
    K = parameters.couplings
    tasks = [(K, parameters.n_visible, N) for N in parameters.hidden]
    weights = rows_of_tasks(
        trained_weight, tasks, len(K), executor=executor, progress=progress, checkpoints=checkpoints
    )
    return WeightMap(parameters, weights, time.perf_counter() - start)


def draw_weight_map(result: WeightMap, ax: Any = None) -> Any:
    """Draw ln W over K and γ = N/M, with the line where the gain M N W² is 1."""
    parameters = result.parameters
    with styled({"axes.grid": False}):
        ax = axes_of(ax)
        ratios = np.array(parameters.hidden) / parameters.n_visible
        mesh = ax.pcolormesh(
            parameters.couplings,
            ratios,
            result.weights,
            norm="log",
            cmap="viridis",
            shading="nearest",
            rasterized=True,
        )
        ax.get_figure().colorbar(mesh, ax=ax, label="trained weight W")
        if result.gain.min() < 1 < result.gain.max():
            lines = ax.contour(
                parameters.couplings, ratios, result.gain, [1.0], colors="white", linewidths=1.5
            )
            vertices = max(lines.allsegs[0], key=len)
            place = vertices[len(vertices) // 2]
            beside = place[0] < 0.6 * parameters.K_max  # room to the right
            ax.annotate(
                "M N W² = 1: the flow\norders to the right",
                place,
                (8 if beside else -8, 0),
                textcoords="offset points",
                ha="left" if beside else "right",
                va="top",
                color="white",
                fontsize=9,
            )
        ax.set(
            xlabel="K = βJ",
            ylabel="γ = N/M",
            yscale="log",
            title=f"Trained weight, M = {parameters.n_visible}",
        )
        return ax


EXPERIMENTS = [
    Experiment(
        "weight_map",
        "the trained weight W over K and N/M",
        __name__,
        WeightMap,
        "weight_map.npz",
        "rows",
        {"weight_map": draw_weight_map},
        parallel=False,
    )
]
