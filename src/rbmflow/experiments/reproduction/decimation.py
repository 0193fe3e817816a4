"""Fig. 2: decimation of the chain."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow import rg
from rbmflow.experiments.reproduction.stage import Findings, Parameters, Reproduced, digits, relative
from rbmflow.experiments.style import BLUE, Drawing, axes_of, styled
from rbmflow.experiments.tables import Table, named_columns
from rbmflow.ising import Ring
from rbmflow.rg import decimate


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Fig. 2: K' against K, orbits of the flow, and the identity Z(K, K0) = Z'(K', K0')."""
    K = np.linspace(0.0, 3.0, parameters.n_points)
    orbits = rg.decimation_flow([3.0, 2.0, 1.0, 0.5], 8)
    tables = {
        "fig2_decimation_map": Table(
            "Decimation, tanh K' = tanh² K (eq. 48), and its spin-independent term (eq. 49)",
            {
                "K": K.tolist(),
                "K_renormalized": np.asarray(rg.decimate(K).K).tolist(),
                "K0_renormalized": np.asarray(rg.decimate(K).K0).tolist(),
            },
        ),
        "fig2_decimation_flow": Table(
            "Couplings after repeated decimation",
            named_columns(
                [("step", list(range(9))), *((f"from_K_{orbit[0]:g}", orbit.tolist()) for orbit in orbits.T)]
            ),
        ),
    }
    n_sites, checks = 16, []
    for coupling, start in ((-0.7, 0.2), (0.5, 0.0), (1.0, -0.3)):
        old = Ring(n_sites).log_partition(coupling) + n_sites * start
        new = rg.decimate(coupling, start)
        renormalized = Ring(n_sites // 2).log_partition(new.K) + n_sites // 2 * new.K0
        name = f"ln Z'(K', K0') at K = {coupling}, K0 = {start}, M = {n_sites}"
        checks.append(relative(name, float(renormalized), float(old), 1e-14, "ln Z(K, K0) before decimation"))
    exact = rg.decimate("1", "0.25", dps=60)
    renormalized = Ring(8).log_partition(exact.K, dps=60) + 8 * exact.K0
    checks.append(
        digits(
            "ln Z'(K', K0') at K = 1, K0 = 1/4, M = 16",
            renormalized,
            Ring(16).log_partition("1", dps=60) + 4,
            50,
        )
    )
    return tables, checks


def draw_decimation(_result: Reproduced, ax: Any = None) -> Any:
    """Draw the decimation flow of the chain: the couplings, two fixed points, and the orbit of K = 2.

    Couplings are drawn at tanh K, which puts both fixed points on the page.
    """
    with styled():
        ax = axes_of(ax, size=(7.0, 2.4))
        ax.plot([0, 1], [0, 0], color="black", lw=1.2, zorder=1)
        K = 2.0
        for _ in range(4):
            new = float(decimate(K).K)
            ax.annotate(
                "",
                (np.tanh(new), 0.0),
                (np.tanh(K), 0.0),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": BLUE,
                    "connectionstyle": "arc3,rad=0.35",
                    "lw": 1.4,
                },
            )
            ax.plot(np.tanh(K), 0, "o", color=BLUE, ms=4)
            K = new
        for x in (0.12, 0.35, 0.6, 0.85):
            ax.annotate(
                "", (x - 0.05, 0), (x, 0), arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.2}
            )
        ax.plot(0, 0, "o", color="black", ms=9)
        ax.plot(1, 0, "o", mfc="white", mec="black", ms=9, mew=1.5)
        ax.text(0, -0.30, "K = 0\nstable: T = ∞", ha="center", va="top")
        ax.text(1, -0.30, "K = ∞\nunstable: T = 0, critical", ha="center", va="top")
        ticks = (0.25, 0.5, 1.0, 1.5, 2.0)
        for tick in ticks:
            ax.plot([np.tanh(tick)] * 2, [-0.05, 0.05], color="black", lw=1)
            ax.text(np.tanh(tick), -0.12, f"{tick:g}", ha="center", va="top", fontsize=9)
        ax.text(0.5, -0.42, "K = βJ, drawn at tanh K", ha="center", va="top")
        ax.text(0.62, 0.62, "decimation, tanh K′ = tanh² K, from K = 2", ha="center", color=BLUE)
        ax.set(xlim=(-0.15, 1.2), ylim=(-0.95, 0.8))
        ax.axis("off")
        ax.set_title("Fig. 2: RG flow of the 1D Ising model")
        return ax


FIGURES: dict[str, Drawing] = {"fig2_decimation": draw_decimation}
