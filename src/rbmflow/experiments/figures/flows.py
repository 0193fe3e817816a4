"""Figures of what the flow is.

Three machines of one chain, stochastic against deterministic flow, RG beside RBM, thresholds of tori.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

from rbmflow.experiments.reproduction.three_flows import LOCAL_THRESHOLD
from rbmflow.experiments.style import (
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    ORANGE,
    RED,
    STYLE,
    HasTables,
    axes_of,
    columns,
)
from rbmflow.experiments.torus_threshold import EXPONENT, TorusThreshold
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE

KINDS = (
    ("uniform", BLUE, "uniform, trained"),
    ("local", ORANGE, "local pairs, exact"),
    ("decimating", GREEN, "decimating"),
)


def three_flows(result: HasTables, ax: Any = None) -> Any:
    """Draw m*, s₁ and the divergence left of three machines of one chain over K (pass three axes)."""
    data = columns(result, "three_flows")
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 3, (14.0, 4.2))
        for name, colour, label in KINDS:
            axes[0].plot(data["K"], data[f"{name}_m"], color=colour, label=label)
            axes[1].plot(data["K"], data[f"{name}_s_1"], color=colour)
            axes[2].plot(data["K"], np.maximum(data[f"{name}_kl_nats"], 1e-17), color=colour)
        axes[0].axvline(LOCAL_THRESHOLD, color=ORANGE, lw=1, ls=":")
        axes[1].axhline(1, color="black", lw=1, ls="--")
        axes[1].text(data["K"][-1], 1.0, "v = 0 unstable above ", ha="right", va="bottom", fontsize=9)
        axes[0].set(
            ylabel="m of the mean-field flow from v = 1, settled",
            title="Three machines of one chain, three flows",
        )
        axes[1].set(ylabel="largest singular value s₁ of W", title="Whether v = 0 is stable")
        axes[2].set(yscale="log", ylabel="KL(q‖p), nats", title="How well each represents the chain")
        axes[2].text(
            data["K"][-1], 1.5e-17, "0 to rounding ", color=ORANGE, ha="right", va="bottom", fontsize=9
        )
        for panel in axes:
            panel.set_xlabel("K = βJ")
        axes[0].legend(loc="lower right")
        return axes


def stationary_flow(result: HasTables, ax: Any = None) -> Any:
    """Draw energy and |m| along three flows of the exact local machine (pass two axes)."""
    data = columns(result, "stationary_flow")
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 2, (10.0, 4.0))
        for name, colour, label in (
            ("gibbs", BLUE, "Gibbs"),
            ("mean_field_sampled", ORANGE, "mean field, sampled"),
            ("mean_field", RED, "mean field"),
        ):
            here = data["map"] == name
            for panel, quantity in zip(axes, ("energy", "order_parameter"), strict=True):
                panel.errorbar(
                    data["step"][here], data[quantity][here], data[f"{quantity}_stderr"][here],
                    fmt="o-", ms=3, lw=1.2, color=colour, label=label,
                )  # fmt: skip
        axes[0].set(ylabel="energy per site, J", title="One exact machine, three maps")
        axes[1].set(ylabel="|m|", title="Only Gibbs sampling keeps the law")
        for panel in axes:
            panel.set_xlabel("step v → h → v")
        axes[0].legend(loc="lower left")
        return axes


def side_by_side(result: HasTables, ax: Any = None) -> Any:
    """Draw temperature against step for the RG and machines, on a ring and on a torus (pass four axes)."""
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 4, (12.0, 8.0), 2)
        panels = (
            (axes[0], "side_by_side_ring", ("decimation",), "Ring: decimation"),
            (
                axes[1],
                "side_by_side_ring",
                ("uniform, mean field", "local, mean field", "local, Gibbs"),
                "Ring: machines",
            ),
            (axes[2], "side_by_side_torus", ("block spins",), "Torus: block spins, b = 2"),
            (
                axes[3],
                "side_by_side_torus",
                ("trained, mean field", "trained, Gibbs"),
                "Torus: machine trained at T = 0 ... 6",
            ),
        )
        for panel, table, flows, title in panels:
            data = columns(result, table)
            for T, colour in zip(np.unique(data["T"]), COLOURS, strict=False):
                for name, style in zip(flows, ("-", "--", ":"), strict=False):
                    here = (data["T"] == T) & (data["flow"] == name)
                    step, reading, stderr = (
                        data[key][here].astype(float) for key in ("step", "reading", "stderr")
                    )
                    panel.errorbar(
                        step, reading, np.nan_to_num(stderr), fmt="o" + style, ms=3.5, lw=1.3, color=colour
                    )
                    if name == "decimation":
                        panel.plot(step, data["exact"][here].astype(float), color="black", lw=0.8, ls=":")
            handles = [
                mpl.lines.Line2D([], [], color=colour, label=f"from T = {T:.4g}")
                for T, colour in zip(np.unique(data["T"]), COLOURS, strict=False)
            ]
            if len(flows) > 1:
                handles += [
                    mpl.lines.Line2D([], [], color=GREY, ls=style, label=name)
                    for name, style in zip(flows, ("-", "--", ":"), strict=False)
                ]
            else:
                handles += [mpl.lines.Line2D([], [], color="black", lw=0.8, ls=":", label="exact")] * (
                    "ring" in table
                )
            panel.set(title=title, ylabel="temperature read from the energy, $J/k_B$", xlabel="step")
            if "ring" in table:
                panel.set(yscale="log", ylim=(0.3, 200))
            else:
                panel.set_ylim(1.2, 4.4)
                panel.axhline(CRITICAL_TEMPERATURE, color="black", lw=1, ls="--")
            panel.legend(
                handles=handles,
                fontsize=8,
                loc="upper right" if len(flows) > 1 else "upper left",
                ncols=2 if len(flows) > 1 else 1,
            )
            panel.set_xticks(range(int(np.max(data["step"][np.isin(data["flow"], flows)].astype(int))) + 1))
        return axes


def torus_threshold(result: TorusThreshold, ax: Any = None) -> Any:
    """Draw T_flow over L^(−4/7) with the line through the largest tori."""
    sides = np.array(result.parameters.sides, dtype=float)
    T = np.array([one.mean for one in result.temperature])
    error = np.array([one.stderr for one in result.temperature])
    with mpl.rc_context(STYLE):
        panel = axes_of(ax)
        x = sides**-EXPONENT
        panel.errorbar(
            x, T, error, fmt="o", color=BLUE, label=f"uniform RBM, N/M = {result.parameters.ratio:g}"
        )
        if len(sides) > 2:
            found = result.extrapolate()
            line = np.linspace(0, x.max(), 100)
            panel.plot(
                line, found.limit + found.a * line + found.b * line**2, color=BLUE, lw=1, ls="--",
                label=rf"$T_\infty$ = {found.limit:.3f} with a second term $L^{{-8/7}}$; "
                f"{found.lowest:.3f} to {found.highest:.3f} with others",
            )  # fmt: skip
        panel.plot(
            0, CRITICAL_TEMPERATURE, "*", ms=11, color="black", label=f"$T_c$ = {CRITICAL_TEMPERATURE:.4f}"
        )
        for side, place, value in zip(sides, x, T, strict=True):
            panel.annotate(
                f"L = {side:.0f}", (place, value), (6, -10), textcoords="offset points", fontsize=8
            )
        panel.set(
            xlabel="$L^{-4/7}$",
            ylabel="$T_{flow}$, below which the flow orders, $J/k_B$",
            title="The threshold of the flow on the L × L torus",
        )
        panel.set_xlim(-0.01, 1.12 * x.max())
        panel.set_ylim(top=panel.get_ylim()[1] + 0.25 * np.ptp(panel.get_ylim()))
        panel.legend(loc="upper left", fontsize=8.5)
        return panel
