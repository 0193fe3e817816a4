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
    """Draw the phase of each cell over K and N, a panel for each lattice (pass as many axes)."""
    sides, columns = result.parameters.sides, result.table.columns
    phases = np.array(result.phases)
    side, hidden, K = (np.array(columns[name]) for name in ("side", "n_hidden", "K"))
    with styled():
        axes = axes_of(ax, len(sides), (max(4.5, 2.6 * len(sides)), 4.4))
        for panel, one in zip(np.atleast_1d(axes), sides, strict=True):
            for name in PHASES:
                here = (side == one) & (phases == name)
                panel.plot(K[here], hidden[here], MARKS[name], ms=4, color=COLOURS[name])
            panel.set(xlabel="K", title=f"{result.parameters.lattice} of {one}")
            panel.yaxis.get_major_locator().set_params(integer=True)
        first = np.atleast_1d(axes)[0]
        first.set_ylabel("hidden units N")
        handles = [
            legend_line(ls="", marker=MARKS[name], color=COLOURS[name], label=words)
            for name, words in PHASES.items()
            if name in phases
        ]
        place = {"loc": "outside lower center", "ncols": min(3, len(sides))}
        first.get_figure().legend(handles=handles, fontsize=8, **place)
        return axes


def draw_divergence(result: Optimum, ax: Any = None) -> Any:
    """Draw KL* of the last lattice over K, a line for each N; dotted that of machines that repeat a unit."""
    side = result.parameters.sides[-1]
    curves = [(N, result.of(side, N)) for one, N in result.parameters.chains if one == side]
    curves = [(N, here) for N, here in curves if here["kl"].max() > ZERO]
    with styled():
        panel = axes_of(ax)
        for (N, here), colour in zip(curves, shades(max(len(curves), 1)), strict=False):
            order = np.argsort(here["K"])
            panel.plot(here["K"][order], here["kl"][order], "o-", ms=2.5, color=colour, label=f"N = {N}")
            panel.plot(here["K"][order], here["kl_symmetric"][order], color=colour, lw=1, ls=":")
        panel.plot([], [], color=GREY, lw=1, ls=":", label="translates of one unit")
        title = f"Best machines, {result.parameters.lattice} of {side}"
        panel.set(xlabel="K", ylabel="KL*, nats", title=title, ylim=(0, None))
        panel.legend(fontsize=8)
        return panel
