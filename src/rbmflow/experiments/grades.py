"""The figure of grades: maps below each other, their merits beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rbmflow.experiments.style import BLUE, GREY, ORANGE, axes_of, styled
from rbmflow.rg import Grade

HEIGHT = 0.34  # of a map, in inches
EXACT = {"y_t": 1.0, "y_h": 15 / 8}
"""Exponents of the Ising model in two dimensions."""


def draw_grades(grades: Mapping[str, Grade], ax: Any = None) -> Any:
    """Draw exponents, information and couplings of each step of each map (pass three axes)."""
    rows = [
        (name if len(one.kl) == 1 else f"{name}, step {step + 1}", one, step)
        for name, one in grades.items()
        for step in range(len(one.kl))
    ]
    with styled():
        panels = axes_of(ax, 3, (11.0, 1.6 + HEIGHT * len(rows)))
        names, *_ = zip(*rows, strict=True)
        for panel in panels:
            panel.set(yticks=range(len(rows)), yticklabels=names if panel is panels[0] else [""] * len(rows))
            panel.set_ylim(len(rows) - 0.5, -0.5)
        exponents, information, couplings = panels
        for quantity, colour in (("y_t", ORANGE), ("y_h", BLUE)):
            _points(exponents, rows, quantity, -1, colour, f"${quantity}$")
        if any(len(one.shapes[0]) > 1 for one in grades.values()):
            for value in EXACT.values():
                exponents.axvline(value, color=GREY, lw=1, ls="--", zorder=1)
        _points(information, rows, "information", None, BLUE, None)
        _points(couplings, rows, "couplings", 0, BLUE, None)
        for at, (_, one, step) in enumerate(rows):
            if not math.isnan(one.decimated[step]):
                couplings.plot(one.decimated[step], at, marker="|", ms=14, color=GREY, ls="none")
        exponents.set_xlabel("exponents")
        exponents.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        information.set_xlabel("$I(h : E)$, nats")
        couplings.set_xlabel("$K'$ of nearest neighbours")
        information.set_xlim(left=0)
        return panels


def _points(
    panel: Any,
    rows: list[tuple[str, Grade, int]],
    quantity: str,
    column: int | None,
    colour: str,
    label: str | None,
) -> None:
    """A value with its error for each step, where it is known."""
    at = slice(None) if column is None else (slice(None), column)
    value, error = (
        np.array([np.atleast_1d(getattr(one, name)[at])[step] for _, one, step in rows])
        for name in (quantity, f"{quantity}_stderr")
    )
    panel.errorbar(
        value, range(len(rows)), xerr=error, color=colour, marker="o", ms=4, ls="none", label=label
    )
