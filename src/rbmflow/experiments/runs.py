"""What chains at several couplings measured, as tables and figures, beside exact values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from rbmflow.errors import ConvergenceWarning
from rbmflow.estimate import Estimate
from rbmflow.experiments.observables import name_of
from rbmflow.experiments.readable import heading_of
from rbmflow.experiments.style import BLUE, GREY, RED, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Cell, Table, columns_of, named_columns
from rbmflow.ising import Chain, Ring
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.solved import Solved
from rbmflow.sampling import Exchange, StoredRun
from rbmflow.sampling.quantities import STRUCTURE_FACTOR, in_field

QUANTITIES = ("energy", "absolute_magnetization", "heat_capacity", "susceptibility", "binder_cumulant")
IMPROVED = "improved_susceptibility"
"""Beside them where chains move clusters."""
SLOWEST = ("energy", "squared_magnetization")
"""Those of which the longest autocorrelation time and the largest R-hat stand in the table."""
EXACT = ("energy", "heat_capacity", "susceptibility")
CURVE_POINTS, FEW_POINTS = 201, 41
NARROW = 8
"""Cells across a lattice whose exact values are products of matrices."""
MOST_ENUMERATED = 20
"""Sites of a lattice whose exact values are sums over all states."""
STRONGEST = 200.0
"""|K h| up to which rings and chains in a field take seconds."""
MOST_COMPONENTS = 8
"""Of an observable that are in the table; those of a longer one are in the file."""
PANEL, ACROSS = (4.6, 3.6), 3


def run_table(stored: StoredRun) -> tuple[Table, list[str]]:
    """Return the estimates at each coupling, and what is to be said against them.

    The columns are K and T = 1/|K|, the quantities and observables with their errors, and of energy and m²
    the longer autocorrelation time in sweeps, the larger R-hat and the smaller number of effective samples.
    """
    names = [*((one, None) for one in QUANTITIES), *_components(stored)]
    header = ["K", "T"]
    for name, component in names:
        label = name if component is None else f"{name}_{component}"
        header += [label, f"{label}_stderr"]
    rows, doubts = [], []
    for K in np.unique(stored.end.K).tolist():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", ConvergenceWarning)
            found = [stored.estimate(name, component, K=K) for name, component in names]
            slow = [stored.estimate(name, K=K) for name in SLOWEST]
        doubts += list(dict.fromkeys(str(one.message) for one in told))
        row: list[Cell] = [K, float(np.divide(1, abs(K))) if K else float("inf")]
        for one in found:
            row += [one.mean, one.stderr]
        rows.append([*row, *_slowest(slow)])
    table = columns_of([*header, "tau", "r_hat", "n_effective"], rows)
    return Table(_caption(stored), table), doubts


def _components(stored: StoredRun) -> Iterable[tuple[str, int | None]]:
    if IMPROVED in stored.end.estimated_of_clusters:
        yield IMPROVED, None
    if STRUCTURE_FACTOR in stored.names:
        yield "correlation_length", None
    for name, series in stored.end.observables.items():
        if series.ndim == 2:
            yield name, None
        elif series.shape[2] <= MOST_COMPONENTS:
            yield from ((name, component) for component in range(series.shape[2]))


def _slowest(estimates: list[Estimate]) -> list[float]:
    return [
        float(np.fmax.reduce([one.tau for one in estimates])),
        float(np.fmax.reduce([one.r_hat for one in estimates])),
        float(np.fmin.reduce([one.n_effective for one in estimates])),
    ]


def _caption(stored: StoredRun) -> str:
    run = stored.end
    field = f", field {run.field:g}" if run.field else ""
    return f"{name_of(run.lattice)}{field}"


def exchange_table(exchange: Exchange) -> Table:
    """Return how neighbouring couplings exchanged their chains, and how often chains went through all."""
    low, high = exchange.K[:-1].tolist(), exchange.K[1:].tolist()
    caption = f"{int(exchange.round_trips.sum())} round trips of {exchange.round_trips.size} chains"
    return Table(caption, {"K": low, "next_K": high, "rate": exchange.rates.tolist()})


def exact_table(lattice: Lattice, couplings: Iterable[float], field: float = 0.0) -> Table | None:
    """Return exact values between the couplings, None where there are none without more work.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> list(exact_table(Torus(4, 4), [0.1, 0.5]).columns)
    ['K', 'energy', 'heat_capacity', 'susceptibility']
    """
    finite = [K for K in couplings if np.isfinite(K)]
    in_one = isinstance(lattice, (Ring, Chain))  # which is solved in a field
    on = lattice if in_one or not field else lattice.to_graph(field)
    n_points = _curve_points(on)
    if not finite or not n_points or (in_one and np.abs(finite).max() * abs(field) > STRONGEST):
        return None
    K = np.linspace(min(finite), max(finite), n_points if len(set(finite)) > 1 else 1)
    found: list[tuple[str, list[Cell]]] = [("K", K.tolist())]
    for name in EXACT:
        function: Callable[..., Any] | None = getattr(on, name, None)
        try:
            if function is not None:
                values = function(K, field=field) if in_one and field else function(K)
                found.append((name, np.asarray(values).tolist()))
        except ValueError:  # a lattice that is too large for this one
            continue
    return Table(f"{name_of(lattice)}, exact", named_columns(found)) if len(found) > 1 else None


def _curve_points(lattice: Lattice) -> int:
    """Return how many points an exact curve has, such that it takes seconds; none if it takes longer."""
    if isinstance(lattice, (Solved, Chain)) or lattice.n_sites <= MOST_ENUMERATED:
        return CURVE_POINTS
    narrow = isinstance(lattice, Crystal) and lattice.dimension == 2 and min(lattice.cells) <= NARROW
    return FEW_POINTS if narrow else 0


def draw_run(result: HasTables, ax: Any = None, *, lattice: Lattice, field: float = 0.0) -> Any:
    """Draw each quantity, and the autocorrelation time, over K with errors, exact curves and K_c.

    An axis is needed for each, where some are given. In a field there is no K_c.
    """
    data, K_c = columns(result, "run"), np.nan if field else lattice.critical_coupling
    exact = columns(result, "exact") if "exact" in result.tables else {}
    measured = [name for name in data if f"{name}_stderr" in data and name != IMPROVED]
    names = [name for name in measured if np.isfinite(data[name]).any()]  # not lengths of antiferromagnets
    n_panels, n_rows = len(names) + 1, -(-(len(names) + 1) // ACROSS)
    with styled():
        size = (PANEL[0] * ACROSS, PANEL[1] * n_rows)
        axes = axes_of(ax, n_rows * ACROSS if ax is None else n_panels, size, n_rows)
        for panel, name in zip(axes, names, strict=False):
            if name in exact:
                panel.plot(exact["K"], exact[name], color=GREY, lw=1.3, label="exact")
            errors = np.nan_to_num(data[f"{name}_stderr"])
            panel.errorbar(data["K"], data[name], errors, fmt="o", ms=3.5, color=BLUE, label="chains")
            connected = name == "susceptibility" and in_field(lattice, field)
            heading = "susceptibility n(⟨m²⟩ − ⟨m⟩²)" if connected else heading_of(name)
            panel.set(ylabel=heading.replace("k_B", "$k_B$"))
        axes[len(names)].plot(data["K"], data["tau"], "o", ms=3.5, color=BLUE)
        axes[len(names)].set(ylabel=heading_of("tau"))
        for panel in axes[:n_panels]:
            if data["K"].min() < K_c < data["K"].max():
                panel.axvline(K_c, color=RED, lw=1, ls="--", zorder=1, label="$K_c$")
            panel.set_xlabel("coupling K")
        for panel in axes[n_panels:]:
            panel.set_visible(False)
        axes[0].legend()
        axes[0].get_figure().suptitle(result.tables["run"].caption)
        return axes
