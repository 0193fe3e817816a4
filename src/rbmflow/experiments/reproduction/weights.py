"""Fig. 4: the trained weight W(K)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow import flow
from rbmflow.experiments.reproduction.stage import (
    DIGITS,
    Findings,
    Parameters,
    Reproduced,
    digits,
    references,
    relative,
)
from rbmflow.experiments.style import BLUE, GREEN, GREY, ORANGE, RED, Drawing, axes_of, columns, styled
from rbmflow.experiments.tables import Table, columns_of
from rbmflow.precision import borrowed_context
from rbmflow.weight import kl_uniform, trained_weight


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Fig. 4: W(K), and every reference value in float64 and to 40 digits."""
    M, N = parameters.n_visible, parameters.n_hidden
    K = np.linspace(0.0, 3.0, parameters.n_points)
    W = trained_weight(K, M, N)
    tables = {
        "fig4_trained_weight": Table(
            f"Trained weight, its gain M N W² and the divergence left, M = {M}, N = {N}",
            {
                "K": K.tolist(),
                "W": W.tolist(),
                "gain": (M * N * W**2).tolist(),
                "kl_nats": kl_uniform(W, K, M, N).tolist(),
            },
        )
    }
    known, checks, rows = references(), [], []
    for row in known["weights"]:
        m, n = row["n_visible"], row["n_hidden"]
        value = trained_weight(float(row["K"]), m, n)
        name = f"W({row['K']}), M = {m}, N = {n}"
        checks.append(relative(f"{name}, float64", value, float(row["W"]), 4e-15, known["weights_source"]))
        exact = trained_weight(row["K"], m, n, dps=DIGITS)
        checks.append(digits(f"{name}, {DIGITS} digits", exact, row["W"], DIGITS, known["weights_source"]))
        with borrowed_context(DIGITS) as ctx:
            rows.append((m, n, row["K"], float(value), ctx.nstr(exact, DIGITS)))
    kl = known["kl"]
    value = kl_uniform(trained_weight(1.0, 8, 4), 1.0, 8, 4)
    checks.append(relative("KL(q‖p) at W(1), nats", float(value), float(kl["value"]), 1e-14, kl["source"]))
    names = ("n_visible", "n_hidden", "K", "W", "W_40_digits")
    tables["trained_weights"] = Table("Trained weights to 40 digits", columns_of(names, rows))
    return tables, checks


def draw_trained_weight(result: Reproduced, ax: Any = None) -> Any:
    """Draw W(K) with its two asymptotes, W(1), and the threshold above which the flow orders."""
    M, N = result.parameters.n_visible, result.parameters.n_hidden
    data = columns(result, "fig4_trained_weight")
    K_c, W_c = flow.critical_coupling(M, N), flow.critical_weight(M, N)
    with styled():
        ax = axes_of(ax)
        K = data["K"]
        small = np.linspace(0, 1.8, 200)
        large = np.linspace(0.85, K[-1], 50)
        ax.plot(K, data["W"], color=BLUE, label="W(K)")
        ax.plot(small, np.sqrt(2 * small / (N * (M - 1))), color=GREEN, lw=1.2, ls="--", label="√(2K/N(M−1))")
        ax.plot(
            large,
            (2 * large - np.log((M * M - M % 2) / 8) / 2) / N,
            color=ORANGE,
            lw=1.2,
            ls="--",
            label="[2K − ½ ln(M²/8)]/N",
        )
        ax.plot(1, trained_weight(1.0, M, N), "o", color=RED, zorder=3)
        ax.annotate(
            f"W(1) = {trained_weight(1.0, M, N):.4f}",
            (1, trained_weight(1.0, M, N)),
            (1.15, 0.17),
            color=RED,
            arrowprops={"arrowstyle": "-", "color": RED, "lw": 0.8},
        )
        ax.plot([0, K_c, K_c], [W_c, W_c, 0], color=GREY, lw=1, ls=":")
        ax.text(K_c + 0.03, 0.02, f"$K_c$ = {K_c:.4f}: the flow orders above", color=GREY, fontsize=9)
        ax.set(xlabel="K = βJ", ylabel="trained weight W", xlim=(0, K[-1]), ylim=(0, 1.05 * data["W"].max()))
        ax.legend(loc="upper left")
        ax.set_title(f"Fig. 4: trained weight W(K), M = {M}, N = {N}")
        return ax


FIGURES: dict[str, Drawing] = {"fig4_trained_weight": draw_trained_weight}
