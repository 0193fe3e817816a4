"""What all figures share: their style, axes that are given or made, columns of numbers, files.

The one place that imports matplotlib, which is an extra: when something is drawn, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from string import ascii_lowercase
from typing import Any, Protocol

import numpy as np

from rbmflow.arguments import shown
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
    "pdf.fonttype": 42,  # text stays text, in fonts of its own
    "figure.constrained_layout.use": True,
}
BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "0.45"
COLOURS = (BLUE, ORANGE, GREEN, RED, "#cc79a7", "#56b4e9")
TEMPERATURE = "temperature, $J/k_B$"
METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": "rbmflow"},
    "svg": {"Date": None, "Creator": "rbmflow"},
    "pdf": {"CreationDate": None, "Creator": "rbmflow", "Producer": "rbmflow"},
}
"""Of files, by their kind."""
Drawing = Callable[..., Any]
"""A figure, called as ``draw(result, ax=None)``: it returns its axes, those that are given or new ones."""


class HasTables(Protocol):
    """A result with named tables."""

    @property
    def tables(self) -> dict[str, Table]:
        """The tables by name."""


def require_matplotlib() -> Any:
    """Return matplotlib, or raise ImportError that names the extra."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise ImportError("figures are drawn by matplotlib: pip install rbmflow[figures]") from None
    return mpl


def styled(changes: Mapping[str, Any] | None = None) -> AbstractContextManager[None]:
    """Return a context in which figures have their style, with changes of some of it."""
    mpl = require_matplotlib()

    context: AbstractContextManager[None] = mpl.rc_context(STYLE | dict(changes or {}))
    return context


def axes_of(ax: Any, n_panels: int = 1, size: tuple[float, float] = (6.4, 4.2), n_rows: int = 1) -> Any:
    """Return the given axes, or those of a new figure: one, or a flat array of `n_panels`, with letters."""
    if ax is not None:
        return check_axes(ax, n_panels)
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    if n_panels == 1:
        return figure.subplots()
    panels = figure.subplots(n_rows, n_panels // n_rows, squeeze=False).ravel()
    for panel, letter in zip(panels, ascii_lowercase, strict=False):
        panel.annotate(
            letter,
            (0, 1),
            (-28, 6),
            xycoords="axes fraction",
            textcoords="offset points",
            fontweight="bold",
            annotation_clip=False,
        )
    return panels


def check_axes(ax: Any, n_panels: int | None) -> Any:
    """Return axes that are given, several as a flat array, or raise unless there are as many as needed."""
    given = np.ravel(np.asarray(ax, dtype=object))
    if not len(given) or not all(hasattr(one, "get_figure") for one in given):
        raise TypeError(f"ax={shown(ax)}: axes of matplotlib are needed")
    if n_panels is not None and len(given) != n_panels:
        raise ValueError(f"ax: {n_panels} axes are needed, {len(given)} are given")
    return given[0] if n_panels == 1 else given


def plain_ticks(axis: Any) -> None:
    """Write ticks of a logarithmic axis as 0.2, 0.5, 1, 2 where it spans few decades, else as powers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    low, high = sorted(axis.get_view_interval())
    if high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def legend_line(**properties: Any) -> Any:
    """Return a line that stands in a legend only."""
    from matplotlib.lines import Line2D

    return Line2D([], [], **properties)


def shades(n: int) -> list[Any]:
    """Return colours from dark to light, for what has an order."""
    import matplotlib as mpl

    return [mpl.colormaps["viridis"](x) for x in np.linspace(0.15, 0.95, n)]


def figure_of(axes: Any) -> Any:
    """Return the figure that axes are of."""
    return np.atleast_1d(axes)[0].get_figure()


def save(figure: Any, stream: Any, kind: str, dpi: int) -> None:
    """Write a figure to a binary stream as ``png``, ``svg`` or ``pdf``; equal results give equal bytes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    metadata = METADATA[kind]
    with styled():
        if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):  # found once, for both kinds
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)


def columns(result: HasTables, name: str) -> dict[str, Any]:
    """Return the columns of a table as arrays; missing numbers become NaN."""
    return {
        key: np.array(column, dtype=float if None in column else None)
        for key, column in result.tables[name].columns.items()
    }
