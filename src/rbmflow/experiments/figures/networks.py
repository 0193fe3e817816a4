"""Figures of networks: how many patterns a Hopfield network holds."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl

from rbmflow.experiments.capacity import Capacity, mean_field_overlap
from rbmflow.experiments.figures.style import COLOURS, GREY, STYLE, axes_of


def capacity(result: Capacity, ax: Any = None) -> Any:
    """Draw the overlap after recall and the share of patterns that stay, over the load P/n (pass two axes)."""
    limit, alpha, overlap = mean_field_overlap()
    with mpl.rc_context(STYLE):
        left, right = axes = axes_of(ax, 2, (10.5, 4.2))
        left.plot(alpha, overlap, color="black", lw=1.2, ls="--", label="mean field, n → ∞")
        left.plot([limit, limit], [0, overlap[-1]], color="black", lw=1.2, ls="--")
        for colour, n in zip(COLOURS, result.parameters.n_units, strict=False):
            here = result.of(n)
            for panel, mean, stderr in (
                (left, here["overlap"], here["overlap_stderr"]),
                (right, here["retained"], here["retained_stderr"]),
            ):
                panel.errorbar(
                    here["load"], mean, stderr, fmt="o-", ms=3.5, lw=1.2, color=colour, label=f"n = {n}"
                )
        right.axvline(limit, color="black", lw=1.2, ls="--")
        right.axhline(0.5, color=GREY, lw=1, ls=":")
        right.text(limit, 1.06, f"{limit:.3f} ", ha="right", va="center")
        left.set(
            ylabel="overlap m of the recalled state with the pattern",
            title="Recall from the stored pattern itself",
            ylim=(0, 1.1),
        )
        right.set(
            ylabel=f"share of patterns kept, m > {result.parameters.threshold:g}",
            title="A pattern is kept or lost altogether",
            ylim=(-0.03, 1.1),
        )
        for panel in axes:
            panel.set_xlabel("load P/n")
        left.legend(loc="lower left")
        return axes
