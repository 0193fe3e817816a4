"""The figure of the experiment with noise: the line, and overlaps along the flows of all lattices."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.experiments.denoising.machines import MACHINES
from rbmflow.experiments.denoising.result import Denoising
from rbmflow.experiments.style import BLUE, COLOURS, GREEN, GREY, ORANGE, RED, axes_of, columns, styled
from rbmflow.ising import denoising_coupling

MACHINE_COLOURS = dict(zip(MACHINES, (RED, BLUE, GREEN, ORANGE), strict=True))
LIGHTEST = 0.45


def draw_denoising(result: Denoising, ax: Any = None) -> Any:
    """Draw the line K*(ε), and `draw_flows`."""
    lattices = _lattices(result)
    with styled():
        axes = np.atleast_1d(_grid(1 + len(lattices), ax))
        draw_line(result, axes[0])
        _draw_flows(result, lattices, axes[1:])
        return axes


def draw_flows(result: Denoising, ax: Any = None) -> Any:
    """Draw for each lattice the overlap against step at its strongest coupling (pass an axis for each)."""
    lattices = _lattices(result)
    with styled():
        axes = _grid(len(lattices), ax)
        _draw_flows(result, lattices, np.atleast_1d(axes))
        return axes


def _lattices(result: Denoising) -> list[str]:
    return list(dict.fromkeys(str(name) for name in result.tables["denoising"].columns["lattice"]))


def _grid(n_panels: int, ax: Any) -> Any:
    """As many axes, in two rows from four on; one that is left over is empty."""
    if ax is not None:
        return axes_of(ax, n_panels)
    n_rows = 1 if n_panels < 4 else 2
    n_axes = -(-n_panels // n_rows) * n_rows
    axes = axes_of(None, n_axes, (4.8 * n_axes / n_rows, 4.2 * n_rows), n_rows)
    for panel in np.atleast_1d(axes)[n_panels:]:
        panel.set_axis_off()
    return axes if n_axes == n_panels else axes[:n_panels]


def _draw_flows(result: Denoising, lattices: list[str], axes: Any) -> None:
    for panel, lattice in zip(axes, lattices, strict=True):
        _overlaps(result, lattice, panel)


def draw_line(result: Denoising, ax: Any = None) -> Any:
    """Draw K*(ε) of rings by formula and by exact posteriors, and of tori."""
    with styled():
        panel = axes_of(ax)
        found = columns(result, "line")
        rates = np.linspace(found["error_rate"].min(), found["error_rate"].max(), 200)
        panel.plot(rates, denoising_coupling(rates), color=BLUE, label=r"ring, $-\frac{1}{4}\ln\,ε(1-ε)$")
        panel.plot(
            found["error_rate"], found["K_ring_of_64"], "o", color=BLUE, label="ring of 64, exact posterior"
        )
        tori = [name for name in found if name.startswith("K_torus_")]
        for name, colour in zip(tori, COLOURS[1:], strict=False):
            side = name.rsplit("_", 1)[1]
            style = {"marker": "os^"[tori.index(name) % 3], "ms": 7 - 2 * tori.index(name), "color": colour}
            panel.plot(found["error_rate"], found[name], ls="", label=f"torus {side} × {side}", **style)
        panel.set(
            xlabel="share ε of spins turned over", ylabel="K", title="Below the line nothing mends", ylim=0
        )
        panel.legend(fontsize=8)
        return panel


def _overlaps(result: Denoising, lattice: str, panel: Any) -> None:
    """Overlap against step at the largest coupling, machines in colours, error rates in shades."""
    rows = [row for row in result.rows if row["lattice"] == lattice]
    strongest = max(row["K"] for row in rows)
    shown = [row for row in rows if row["K"] == strongest]
    found = columns(result, "overlaps")
    for k, row in enumerate(shown):
        opacity = 1 - (1 - LIGHTEST) * k / max(1, len(shown) - 1)
        here = (
            (found["lattice"] == lattice)
            & (found["K"] == strongest)
            & (found["error_rate"] == row["error_rate"])
        )
        panel.axhline(
            row["best"], color="black", lw=1, ls="--", alpha=opacity, label="best estimate" if not k else None
        )
        for name, colour in MACHINE_COLOURS.items():
            steps = here & (found["machine"] == name)
            if steps.any():
                x, y = _with_start(found["step"][steps], found["overlap"][steps], row["noisy"])
                panel.plot(x, y, "o-", ms=3, color=colour, alpha=opacity, label=name if not k else None)
        panel.annotate(
            f"ε = {row['error_rate']:g}",
            (0, row["noisy"]),
            (-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            color=GREY,
        )
    n_steps = found["step"].max()
    low, high = panel.get_ylim()
    panel.set(
        xlabel="step of the flow",
        ylabel="overlap with the clean configuration",
        title=f"{lattice[0].upper()}{lattice[1:]}, K = {strongest:.3g}".replace(" x ", " × "),
        xlim=(-0.22 * n_steps, 1.03 * n_steps),
        ylim=(low - 0.25 * (high - low), high),  # room for the legend
    )
    panel.legend(fontsize=8, loc="lower center", ncols=3)


def _with_start(steps: FloatArray, overlaps: FloatArray, noisy: float) -> tuple[FloatArray, FloatArray]:
    return np.append(0, steps), np.append(noisy, overlaps)
