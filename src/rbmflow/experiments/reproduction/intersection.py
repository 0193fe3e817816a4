"""Figs. 3 and 5: the two sides of the equation of the weight, and where they meet."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from rbmflow.experiments.reproduction.stage import Findings, Parameters, Reproduced, relative
from rbmflow.experiments.style import BLUE, GREY, ORANGE, RED, Drawing, axes_of, styled
from rbmflow.experiments.tables import Table, named_columns
from rbmflow.spins import all_states
from rbmflow.weight import f, g, trained_weight


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Figs. 3 and 5: f(W) and g(W, K) and where they meet; the literal eq. 69 over all states."""
    M, N = parameters.n_visible, parameters.n_hidden
    W = np.linspace(0.0, 1.6, parameters.n_points)
    couplings = (1.0, 2.0, 3.0)
    sides = [(f"g_K_{K:g}", g(W, K, M).tolist()) for K in couplings]
    columns = named_columns([("W", W.tolist()), ("f", f(W, M, N).tolist()), *sides])
    tables = {"fig3_fig5_f_and_g": Table(f"The two sides of eq. 74, M = {M}, N = {N}", columns)}
    root = trained_weight(1.0, M, N)
    spins = all_states(M).astype(float)
    alpha, V = (spins * np.roll(spins, 1, axis=1)).sum(axis=1), spins.sum(axis=1)
    boltzmann = np.exp(1.0 * alpha)
    literal = float((boltzmann * V * np.tanh(root * V)).sum() / boltzmann.sum())
    hidden = {h: comb(N, (N + h) // 2) for h in range(-N, N + 1, 2)}
    weight = {h: d * np.cosh(h * root) ** M for h, d in hidden.items()}
    slope = sum(weight[h] * M * h * np.tanh(h * root) for h in hidden) / sum(weight.values()) / N
    source = "sum over the 2^8 configurations (eq. 69)"
    return tables, [
        relative("g(W, 1) at the trained weight", float(g(root, 1.0, M)), literal, 1e-14, source),
        relative(
            "f(W) at the trained weight",
            float(f(root, M, N)),
            float(slope),
            1e-14,
            "hidden sum (eq. 73, 100)",
        ),
        relative("f(W) = g(W, 1) at the trained weight", float(f(root, M, N)), literal, 1e-14, source),
    ]


def draw_intersection(result: Reproduced, ax: Any = None) -> Any:
    """Draw f(W) and g(W, K = 1) and the weight where they meet."""
    with styled():
        ax = axes_of(ax)
        _sides(ax, result, 1.0, upper=1.0)
        ax.legend(loc="center right")
        ax.set_title(f"Fig. 3: graphical solution at K = 1, M = {_sizes(result)[0]}, N = {_sizes(result)[1]}")
        return ax


def draw_divergence(result: Reproduced, ax: Any = None) -> Any:
    """Draw the two sides at rising K, three panels (pass three axes): the intersection moves to infinity."""
    with styled():
        axes = axes_of(ax, 3, (10.5, 3.8))
        for panel, K in zip(axes, (1.0, 2.0, 3.0), strict=True):
            _sides(panel, result, K, upper=1.6)
            panel.set_title(f"K = {K:g}")
        axes[0].legend(loc="center right", fontsize=9)
        axes[0].get_figure().suptitle("Fig. 5: the trained weight moves to infinity as K rises")
        return axes


def _sizes(result: Reproduced) -> tuple[int, int]:
    return result.parameters.n_visible, result.parameters.n_hidden


def _sides(ax: Any, result: Reproduced, K: float, upper: float) -> None:
    M, N = _sizes(result)
    W = np.linspace(0, upper, 400)
    root = trained_weight(K, M, N)
    ax.plot(W, f(W, M, N), color=BLUE, label="f(W), model")
    ax.plot(W, g(W, K, M), color=ORANGE, label="g(W, K), data")
    ax.axhline(M, color=GREY, lw=1, ls=":")
    ax.plot(root, f(root, M, N), "o", color=RED, zorder=3)
    ax.plot([root, root], [0, f(root, M, N)], color=RED, lw=1, ls="--")
    side = "left" if root < 0.6 * upper else "right"
    ax.text(root + (0.02 if side == "left" else -0.02) * upper, 0.35, f"W = {root:.4f}", color=RED, ha=side)
    ax.set(xlabel="W", ylabel="f, g: mean of V tanh WV", xlim=(0, upper), ylim=(0, 1.08 * M))


FIGURES: dict[str, Drawing] = {"fig3_intersection": draw_intersection, "fig5_divergence": draw_divergence}
