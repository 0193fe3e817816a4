"""The phases of the best machine over coupling and hidden units, and its divergence."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.optimum.descent import ZERO
from rbmflow.experiments.optimum.diagram import PHASES, Optimum
from rbmflow.experiments.style import BLUE, GREEN, GREY, ORANGE, RED, axes_of, legend_line, shades, styled

COLOURS = {"repeated": BLUE, "broken": ORANGE, "irregular": GREY, "copies": GREEN, "exact": RED}
MARKS = {"repeated": "s", "broken": "o", "irregular": "D", "copies": "^", "exact": "v"}


def draw_optimum(result: Optimum, ax: Any = None) -> Any:
    """Draw the phase of each cell of the last lattice over K and N, and KL* over K (pass two axes)."""
    parameters = result.parameters
    side = parameters.sides[-1]
    with styled():
        left, right = axes = axes_of(ax, 2, (11.5, 4.2))
        columns, phases = result.table.columns, np.array(result.phases)
        here = np.array(columns["side"]) == side
        K, hidden = np.array(columns["K"]), np.array(columns["n_hidden"])
        for name in PHASES:
            chosen = here & (phases == name)
            left.plot(K[chosen], hidden[chosen], MARKS[name], ms=5, color=COLOURS[name])
        lines = [
            legend_line(ls="", marker=MARKS[name], color=COLOURS[name], label=words)
            for name, words in PHASES.items()
            if (here & (phases == name)).any()
        ]
        left.legend(handles=lines, fontsize=8, loc="upper left", bbox_to_anchor=(0, -0.15), ncols=2)
        left.set(
            xlabel="K", ylabel="hidden units N", title=f"Best machines of the {parameters.lattice} of {side}"
        )
        _draw_divergence(result, side, right)
        return axes


def _draw_divergence(result: Optimum, side: int, panel: Any) -> None:
    numbers = [N for one, N in result.parameters.chains if one == side]
    curves = [(N, result.of(side, N)) for N in numbers]
    curves = [(N, here) for N, here in curves if here["kl"].max() > ZERO]
    for (N, here), colour in zip(curves, shades(max(len(curves), 1)), strict=False):
        order = np.argsort(here["K"])
        panel.plot(here["K"][order], here["kl"][order], color=colour, label=f"N = {N}")
        panel.plot(here["K"][order], here["kl_symmetric"][order], color=colour, lw=1, ls=":")
    panel.plot([], [], color=GREY, lw=1, ls=":", label="best of translates")
    panel.set(xlabel="K", ylabel="KL*, nats", title="Their divergence", ylim=(0, None))
    panel.legend(fontsize=8)
