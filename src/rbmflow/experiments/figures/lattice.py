"""Figures of the Ising model itself."""

from __future__ import annotations

import math
from typing import Any

import matplotlib as mpl
import numpy as np

from rbmflow.experiments.style import BLUE, GREY, RED, STYLE, HasTables, axes_of, columns
from rbmflow.ising import onsager

PANELS = {"energy": "energy per site, J", "heat_capacity": "heat capacity per site, $k_B$"}


def observables(result: HasTables, ax: Any = None) -> Any:
    """Draw energy and heat capacity over T, or K where some are negative, and L = ∞ (pass two axes)."""
    table = result.tables["ising"]
    name, _, _ = table.caption.partition(":")
    infinite = result.tables.get("infinite_lattice")
    against = "K" if min(float(one or 0) for one in table.columns["K"]) < 0 else "T"
    K_c = onsager.critical_coupling()
    critical = (K_c, -K_c) if against == "K" else (1 / K_c,)
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 2, (10.0, 4.2))
        for panel, (quantity, label) in zip(axes, PANELS.items(), strict=True):
            x, y = (_numbers(table.columns[key]) for key in (against, quantity))
            order = np.argsort(x)
            if infinite is not None:
                curve = [_numbers(infinite.columns[key]) for key in (against, quantity)]
                panel.plot(*curve, color=GREY, lw=1.3, label="infinite lattice")
                inside = [place for place in critical if np.nanmin(x) < place < np.nanmax(x)]
                for index, place in enumerate(inside):
                    label_once = {"label": "" if index else f"${against}_c$"}
                    panel.axvline(place, color=RED, lw=1, ls="--", zorder=1, **label_once)
            style = "o" if name.startswith("Infinite") else "o-"
            panel.plot(x[order], y[order], style, ms=3, color=BLUE, label=name)
            panel.set(xlabel="K = βJ" if against == "K" else "T, $J/k_B$", ylabel=label)
        axes[0].legend()
        axes[0].get_figure().suptitle(name)
        return axes


def _numbers(column: list[Any]) -> Any:
    """Return a column as floats, infinities as gaps."""
    values = np.array([float(one) for one in column])
    return np.where(np.isfinite(values), values, np.nan)


def training_set(result: HasTables, ax: Any = None) -> Any:
    """Draw energies of samples beside exact ones, and deviations in standard errors (pass two axes)."""
    table = result.tables["certificate"]
    data = columns(result, "certificate")
    T, exact, deviation = (
        np.asarray(data[key], dtype=float) for key in ("temperature", "exact_energy", "deviation")
    )
    with mpl.rc_context(STYLE):
        left, right = axes = axes_of(ax, 2, (10.0, 4.2))
        left.plot(T, exact, "_", ms=12, color=GREY, label="exact")
        left.errorbar(T, data["energy"], data["stderr"], fmt="o", ms=3.5, color=BLUE, label="samples")
        right.axhspan(-2, 2, color="0.93", zorder=0, label="two standard errors")
        right.axhline(0, color=GREY, lw=1)
        right.plot(T, np.where(np.isfinite(deviation), deviation, np.nan), "o", ms=3.5, color=BLUE)
        left.set(ylabel="energy per site, J", title=table.caption)
        right.set(ylabel="deviation from exact, standard errors", title="Certificate")
        top = max(4.0, 1.1 * np.nanmax(np.abs(deviation[np.isfinite(deviation)]), initial=0.0))
        right.set_ylim(-top, top)
        for panel in axes:
            panel.set_xlabel("T, $J/k_B$")
            panel.legend()
        return axes


def degeneracies(result: HasTables, ax: Any = None) -> Any:
    """Draw log₁₀ of the number of configurations over V and α."""
    (table,) = result.tables.values()
    alpha, V = (np.array(table.columns[name]) for name in ("alpha", "magnetization"))
    n_sites = int(np.max(V))
    counts = np.full((n_sites // 2 + 1, n_sites + 1), np.nan)
    counts[(alpha + n_sites) // 4, (V + n_sites) // 2] = [
        math.log10(int(one or 1)) for one in table.columns["count"]
    ]
    with mpl.rc_context(STYLE | {"axes.grid": False}):
        ax = axes_of(ax)
        lowest = n_sites - 4 * (n_sites // 2)  # α = M − 4k with 2k walls
        image = ax.imshow(
            counts,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(-n_sites - 1, n_sites + 1, lowest - 2, lowest + 4 * len(counts) - 2),
        )
        ax.get_figure().colorbar(image, ax=ax, label="$\\log_{10}$ of the number of configurations")
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(integer=True)
        ax.set(xlabel="V = Σ v", ylabel="α = Σ v v′ over neighbours", title=table.caption)
        return ax
