"""A figure of what a sweep found, over one axis or two."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.style import COLOURS, axes_of, shades, styled
from rbmflow.experiments.sweep.plan import SEED, label
from rbmflow.experiments.sweep.result import Sweep

FEW = 6
"""Values of an axis that get a line each, and no map."""


def can_be_drawn(result: Sweep) -> bool:
    """Return whether there is a number to draw over one axis of numbers, or two."""
    axes = _axes(result)
    numbers = [name for name, values in axes.items() if _are_numbers(values)]
    return bool(_numbers(result)) and 1 <= len(axes) <= 2 and bool(numbers)


def draw_sweep(result: Sweep, ax: Any = None) -> Any:
    """Draw the first number of the results: lines over one axis, or a map over two; seeds are averaged.

    Parameters
    ----------
    result : Sweep
        What was found.
    ax : matplotlib.axes.Axes, optional
        Where to draw; on a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    ValueError
        If there is no number, or there are not one or two axes, one of them of numbers.
    """
    if not can_be_drawn(result):
        raise ValueError("result: a number over one axis, or two, one of them of numbers, can be drawn")
    axes, name = _axes(result), _numbers(result)[0]
    values, spread = _averaged(result, name)
    if len(axes) == 2:
        (first, rows), (second, columns) = axes.items()
        # along the horizontal axis are numbers, and the longer axis if both are
        if _are_numbers(rows) and (not _are_numbers(columns) or len(rows) > len(columns)):
            first, second, rows, columns = second, first, columns, rows
            values, spread = values.T, spread.T
    else:
        (second, columns), *_ = axes.items()
        first, rows, values, spread = "", [None], values[None], spread[None]
    with styled({"axes.grid": len(rows) <= FEW}):
        ax = axes_of(ax)
        ax.set(xlabel=second, ylabel=name)
        if len(rows) > FEW and _are_numbers(rows):
            mesh = ax.pcolormesh(columns, rows, values, cmap="viridis", shading="nearest", rasterized=True)
            ax.get_figure().colorbar(mesh, ax=ax, label=name)
            ax.set_ylabel(first)
            return ax
        colours = COLOURS if len(rows) <= len(COLOURS) else shades(len(rows))
        for row, line, error, colour in zip(rows, values, spread, colours, strict=False):
            shown = None if row is None else f"{first} = {label(row)}"
            ax.errorbar(columns, line, error if error.any() else None, label=shown, color=colour, marker=".")
        if first:
            ax.legend()
        return ax


def _axes(result: Sweep) -> dict[str, list[Any]]:
    return {name: values for name, values in result.plan.axes.items() if len(values) > 1}


def _are_numbers(values: list[Any]) -> bool:
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)


def _numbers(result: Sweep) -> list[str]:
    return [name for name, column in result.columns.items() if column.dtype.kind in "fi"]


def _averaged(result: Sweep, name: str) -> tuple[Any, Any]:
    """Return means over the seeds and their standard errors, or the errors that the results tell."""
    found = result.columns[name].astype(float)
    told = name.removesuffix("mean") + "stderr"
    if SEED in result.plan.every_axis:
        mean, error = found.mean(axis=-1), found.std(axis=-1, ddof=1) / np.sqrt(found.shape[-1])
    else:
        mean = found
        error = result.columns[told].astype(float) if told in result.columns else np.zeros_like(found)
    shape = [len(values) for values in _axes(result).values()]
    return mean.reshape(shape), np.nan_to_num(error.reshape(shape))
