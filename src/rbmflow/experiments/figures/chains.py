"""Figures of Markov chains: against exact curves, and the orders of update that go wrong."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

from rbmflow.experiments.style import COLOURS, GREY, RED, STYLE, HasTables, axes_of, columns
from rbmflow.ising import Ring, onsager
from rbmflow.ising.lattice import LATTICES

ALIGNED, RANDOM = "o", "s"


def against_exact(result: HasTables, ax: Any = None) -> Any:
    """Draw energy and |m| of chains as points on the exact curves (pass two axes)."""
    data = columns(result, "chains_against_exact")
    T = np.linspace(0.3, 6.2, 400)
    with mpl.rc_context(STYLE):
        left, right = axes = axes_of(ax, 2, (10.5, 4.2))
        for colour, name in zip(COLOURS, dict.fromkeys(data["lattice"]), strict=False):
            here = data["lattice"] == name
            lattice = _lattice(name)
            left.plot(T, lattice.energy(1 / T), color=colour, lw=1.2)
            left.plot(data["T"][here], data["energy"][here], "o", ms=4, color=colour, label=name)
            right.errorbar(
                data["T"][here],
                data["abs_magnetization"][here],
                data["abs_magnetization_stderr"][here],
                fmt="o",
                ms=4,
                color=colour,
            )
        left.plot([], [], color="black", lw=1.2, label="exact")
        right.plot(
            T, onsager.magnetization(1 / T), color="black", lw=1.2, label="infinite square lattice (Yang)"
        )
        for panel in axes:
            panel.axvline(onsager.CRITICAL_TEMPERATURE, color=GREY, lw=1, ls=":")
            panel.set_xlabel("T, $J/k_B$")
        left.set(ylabel="energy per site, J", title="Energy: chains and exact curves")
        right.set(ylabel="|m|", title="Magnetization per site", ylim=(-0.03, 1.05))
        right.text(onsager.CRITICAL_TEMPERATURE + 0.06, 0.62, "$T_c$", color=GREY)
        left.legend(loc="lower right")
        right.legend(loc="upper right")
        return axes


def _lattice(label: str) -> Any:
    name, sides = label.split(" of ")
    return LATTICES[name](*map(int, sides.split(" x ")))


def update_orders(result: HasTables, ax: Any = None) -> Any:
    """Draw the energy of a ring along chains that are and are not irreducible (pass two axes)."""
    data = columns(result, "update_orders")
    samplers = list(dict.fromkeys(data["sampler"]))
    exact = float(Ring(64).energy(0.5))
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 2, (10.5, 4.2))
        wrong = "Metropolis, sequential", "Metropolis, checkerboard"
        for panel, title, names in (
            (axes[0], "Reducible: the answer depends on the start", wrong),
            (
                axes[1],
                "Irreducible: every start leads to the same answer",
                [n for n in samplers if n not in wrong],
            ),
        ):
            for colour, name in zip(COLOURS, names, strict=False):
                for start, marker, style in (("aligned", ALIGNED, "-"), ("random", RANDOM, "--")):
                    here = (data["sampler"] == name) & (data["start"] == start)
                    panel.semilogx(
                        data["sweep"][here],
                        data["energy"][here],
                        marker=marker,
                        ms=3,
                        ls=style,
                        lw=1.2,
                        color=colour,
                        label=f"{name}; {start} start",
                    )
            panel.axhline(exact, color=RED, lw=1.4, ls=":", label=f"exact, −{-exact:.5f}")
            panel.set(xlabel="sweeps", ylabel="energy per site, J", ylim=(-1.02, 0.05), title=title)
            panel.legend(
                loc="upper right", bbox_to_anchor=(1.0, 0.9 if panel is axes[0] else 0.4), fontsize=8.5
            )
        return axes
