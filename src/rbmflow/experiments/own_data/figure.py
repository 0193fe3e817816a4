"""The figure of a training: likelihoods along the epochs, and the weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.style import BLUE, GREY, ORANGE, HasTables, axes_of, columns, styled

NAMES = "visible"
"""The column of the weights that says what visible units are called, where that is known."""
MOST_NAMED = 40
CURVES = {
    "log_likelihood": ("log-likelihood, training", BLUE, "-"),
    "judged_log_likelihood": ("log-likelihood the machine is chosen by", BLUE, "-"),
    "held_out_log_likelihood": ("log-likelihood, held out", BLUE, "--"),
    "pseudo_likelihood": ("pseudo-likelihood, training", ORANGE, "-"),
    "held_out_pseudo_likelihood": ("pseudo-likelihood, held out", ORANGE, "--"),
}


def draw_training(result: HasTables, ax: Any = None) -> Any:
    """Draw likelihoods along the epochs and the weights as a picture (pass two axes)."""
    history = columns(result, "history")
    units = dict(columns(result, "weights"))
    names = units.pop(NAMES, ())
    weights = np.array(list(units.values())).T
    likelihood = columns(result, "likelihood")
    with styled():
        left, right = axes = axes_of(ax, 2, (10.5, 4.2))
        for name, (label, colour, line) in CURVES.items():
            if name in history and len(history[name]):
                left.plot(history["epoch"], history[name], color=colour, ls=line, label=label)
        parts = (likelihood[name] for name in ("rows_of", "epoch", "log_likelihood", "stderr"))
        aside = 0.015 * float(
            np.max(history["epoch"], initial=0.0)
        )  # the two bars are not drawn over each other
        for index, (marker, name, at, value, error) in enumerate(zip("os", *parts, strict=False)):
            left.errorbar(
                [at + index * aside],
                [value],
                [error],
                fmt=marker,
                color="black",
                ms=5,
                capsize=3,
                label=f"{name}, of the machine kept",
            )
        if len(alone := likelihood["independent_log_likelihood"]):
            left.axhline(float(np.mean(alone)), color=GREY, lw=1, ls=":", label="independent units")
        left.set(xlabel="epoch", ylabel="nats per row", title="Likelihood along the training")
        left.legend(loc="best", fontsize=8.5)
        largest = max(float(np.abs(weights).max()), 1e-12)
        image = right.imshow(
            weights, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
        )
        right.grid(visible=False)
        right.set(xlabel="hidden unit", ylabel="visible unit", title="Weights")
        for axis in (right.xaxis, right.yaxis):
            axis.get_major_locator().set_params(integer=True)
        if 0 < len(names) <= MOST_NAMED:
            right.set_yticks(range(len(names)), names, fontsize=8.5)
        right.get_figure().colorbar(image, ax=right, label="weight")
        return axes
