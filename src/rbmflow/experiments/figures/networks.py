"""Figures of networks: how many patterns a Hopfield network holds."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl

from rbmflow.experiments.capacity import Capacity, mean_field_overlap
from rbmflow.experiments.style import COLOURS, GREY, STYLE, axes_of


def capacity(result: Capacity, ax: Any = None) -> Any:
    """Draw overlap and share of patterns kept over the load P/n, and the half loads (pass three axes)."""
    limit, alpha, overlap = mean_field_overlap()
    with mpl.rc_context(STYLE):
        left, right, last = axes = axes_of(ax, 3, (14.5, 4.2))
        shown = alpha > min(result.parameters.loads) * 0.9
        left.plot(alpha[shown], overlap[shown], color="black", lw=1.2, ls="--", label="mean field, n → ∞")
        left.plot([limit, limit], [0, overlap[-1]], color="black", lw=1.2, ls="--")
        for colour, n in zip(COLOURS, result.parameters.n_units, strict=False):
            here = result.of(n)
            for panel, mean, stderr in (
                (left, here["overlap"], here["overlap_stderr"]),
                (right, here["retained"], here["retained_stderr"]),
            ):
                panel.errorbar(
                    here["load"], mean, stderr, fmt="o-", ms=3, lw=1.2, color=colour, label=f"n = {n}"
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
        for panel in (left, right):
            panel.set_xlabel("load P/n")
        half = [result.half_load(n) for n in result.parameters.n_units]
        last.plot([n**-0.5 for n in result.parameters.n_units], half, "o", color=COLOURS[0])
        last.plot(0, limit, "*", ms=11, color="black", label=f"mean field, {limit:.4f}")
        last.set(xlabel="$n^{-1/2}$", ylabel="load P/n", title="Load at which half of the patterns are kept")
        last.set_xlim(left=-0.002)
        last.legend(loc="upper left")
        left.legend(loc="lower left")
        return axes
