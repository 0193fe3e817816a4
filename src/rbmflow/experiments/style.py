"""What all figures share: their style, axes that are given or made, columns of numbers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from rbmflow.experiments.tables import Table

STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "0.9",
    "lines.linewidth": 1.8,
    "legend.frameon": True,  # a curve behind a legend does not cross its text
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "svg.hashsalt": "rbmflow",
    "svg.fonttype": "path",
    "figure.constrained_layout.use": True,
}
BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "0.45"
COLOURS = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9")
TEMPERATURE = "temperature, $J/k_B$"


class HasTables(Protocol):
    """A result with named tables."""

    @property
    def tables(self) -> dict[str, Table]:
        """The tables by name."""


def axes_of(ax: Any, n_panels: int = 1, size: tuple[float, float] = (6.4, 4.2), n_rows: int = 1) -> Any:
    """Return the given axes, or those of a new figure: one, or a flat array of `n_panels`."""
    if ax is not None:
        return ax
    figure = Figure(figsize=size)
    return (
        figure.subplots(n_rows, n_panels // n_rows, squeeze=False).ravel()
        if n_panels > 1
        else figure.subplots()
    )


def plain_ticks(axis: Any) -> None:
    """Write ticks of a logarithmic axis as 0.2, 0.5, 1, 2 where it spans few decades, else as powers."""
    low, high = sorted(axis.get_view_interval())
    if high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def columns(result: HasTables, name: str) -> dict[str, Any]:
    """Return the columns of a table as arrays; missing numbers become NaN."""
    return {
        key: np.array(column, dtype=float if None in column else None)
        for key, column in result.tables[name].columns.items()
    }
