"""Figures of experiments, and figures as files."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from rbmflow.arguments import check_choice, check_integer, shown
from rbmflow.experiments import style
from rbmflow.experiments.experiment import Experiment, Result, experiments
from rbmflow.files import save_atomically

MAX_DPI = 2400


def experiment(result: Result, name: str | None = None, *, ax: Any = None) -> Any:
    """Draw a figure of the result of an experiment.

    Parameters
    ----------
    result : Result
        What ``run`` of an experiment returned, or what was loaded.
    name : str, optional
        Of the figure; the first of the experiment by default.
    ax : matplotlib.axes.Axes or sequence of them, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes or numpy.ndarray of them
        As many as the figure has panels.

    Raises
    ------
    ImportError
        Without the extra ``figures`` (matplotlib).
    ValueError
        If the experiment has no such figure.

    Examples
    --------
    >>> from rbmflow.experiments import weight_map
    >>> found = weight_map.run(weight_map.Parameters(n_couplings=4, n_ratios=5))
    >>> experiment(found).get_ylabel()
    'γ = N/M'
    """
    drawings = _of(result).figures
    return drawings[next(iter(drawings)) if name is None else check_choice("name", name, drawings)](
        result, ax
    )


def _of(result: object) -> Experiment:
    for one in experiments().values():
        if type(result) is one.result and one.figures:
            return one
    raise TypeError(f"result={shown(result)}: the result of an experiment with figures is needed")


def save(ax: Any, path: str | os.PathLike[str], *, dpi: int = 200) -> None:
    """Write a figure to a file, as PDF, PNG or SVG by its suffix, whole or not at all.

    Text stays text in PDF. Equal figures give equal bytes: no date is written.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, or an array of them, or matplotlib.figure.Figure
        What a function of this module returned.
    path : path-like
        The file, ``.pdf``, ``.png`` or ``.svg``.
    dpi : int
        Pixels per inch of PNG, and of pictures within the others.

    Raises
    ------
    ValueError
        If the suffix says another format.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from rbmflow import plot
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plot.save(plot.trained_weight(8, 4), f"{folder}/weight.pdf")
    ...     (Path(folder) / "weight.pdf").read_bytes()[:4]
    b'%PDF'
    """
    kind = Path(path).suffix.removeprefix(".").lower()
    if kind not in style.METADATA:
        raise ValueError(f"path={shown(str(path))}: a file .{', .'.join(style.METADATA)} is needed")
    check_integer("dpi", dpi, 1, MAX_DPI)
    figure = ax if hasattr(ax, "savefig") else style.figure_of(style.check_axes(ax, None))
    save_atomically(path, partial(style.save, figure, kind=kind, dpi=dpi))
