"""Figures of the Ising model itself."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

from rbmflow.experiments.figures.style import BLUE, GREY, RED, STYLE, HasTables, axes_of
from rbmflow.ising import onsager

PANELS = {"energy": "energy per site, J", "heat_capacity": "heat capacity per site, $k_B$"}


def observables(result: HasTables, ax: Any = None) -> Any:
    """Draw energy and heat capacity against T, against K where some are negative, and the infinite lattice (two axes)."""
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
