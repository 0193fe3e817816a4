"""Figures of the thesis, redrawn."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.lines import Line2D

from rbmflow import flow
from rbmflow.experiments.reproduction.reproduce import Reproduction
from rbmflow.experiments.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    STYLE,
    HasTables,
    axes_of,
    columns,
)
from rbmflow.rg import decimate
from rbmflow.weight import f, g, trained_weight


def fig2(_result: Reproduction, ax: Any = None) -> Any:
    """Draw the decimation flow of the chain: the couplings, two fixed points, and the orbit of K = 2.

    Couplings are drawn at tanh K, which puts both fixed points on the page.
    """
    with mpl.rc_context(STYLE):
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


def fig3(result: Reproduction, ax: Any = None) -> Any:
    """Draw f(W) and g(W, K = 1) and the weight where they meet."""
    with mpl.rc_context(STYLE):
        ax = axes_of(ax)
        _sides(ax, result, 1.0, upper=1.0)
        ax.legend(loc="center right")
        ax.set_title(f"Fig. 3: graphical solution at K = 1, M = {_sizes(result)[0]}, N = {_sizes(result)[1]}")
        return ax


def fig5(result: Reproduction, ax: Any = None) -> Any:
    """Draw the two sides at rising K, three panels (pass three axes): the intersection moves to infinity."""
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 3, (10.5, 3.8))
        for panel, K in zip(axes, (1.0, 2.0, 3.0), strict=True):
            _sides(panel, result, K, upper=1.6)
            panel.set_title(f"K = {K:g}")
        axes[0].legend(loc="center right", fontsize=9)
        axes[0].get_figure().suptitle("Fig. 5: the trained weight moves to infinity as K rises")
        return axes


def _sizes(result: Reproduction) -> tuple[int, int]:
    return result.parameters.n_visible, result.parameters.n_hidden


def _sides(ax: Any, result: Reproduction, K: float, upper: float) -> None:
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


def fig4(result: Reproduction, ax: Any = None) -> Any:
    """Draw W(K) with its two asymptotes, W(1), and the threshold above which the flow orders."""
    M, N = _sizes(result)
    data = columns(result, "fig4_trained_weight")
    K_c, W_c = flow.critical_coupling(M, N), flow.critical_weight(M, N)
    with mpl.rc_context(STYLE):
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


def ensembles(result: Reproduction, ax: Any = None) -> Any:
    """Draw the order parameter along the flow, one panel for each ensemble (pass as many axes)."""
    data = columns(result, "flow_of_ensembles")
    couplings = result.parameters.flow_couplings
    with mpl.rc_context(STYLE):
        axes = np.atleast_1d(axes_of(ax, len(couplings), (3.5 * len(couplings), 3.9)))
        labels = list(dict.fromkeys(data["trained_at"]))
        colours = ["black", *(mpl.colormaps["viridis"](x) for x in np.linspace(0.15, 0.95, len(labels) - 1))]
        for panel, K in zip(axes, couplings, strict=True):
            for label, colour in zip(labels, colours, strict=True):
                rows = (data["K_ensemble"] == K) & (data["trained_at"] == label)
                panel.errorbar(
                    data["step"][rows],
                    data["order_parameter"][rows],
                    5 * data["stderr"][rows],
                    color=colour,
                    marker="s" if label == labels[0] else "o",
                    mfc="white" if label == labels[0] else colour,
                    ms=6 if label == labels[0] else 3,
                    lw=1.4,
                )
            panel.set(xlabel="step of the flow", ylim=(0, 1.05), title=f"ensemble at K = {K:g}")
        axes[0].set_ylabel("order parameter ⟨|m|⟩")
        handles = [Line2D([], [], color=colour, marker="o", ms=3) for colour in colours]
        handles[0].set(marker="s", mfc="white", ms=6)
        figure = axes[0].get_figure()
        if ax is None:
            figure.legend(
                handles,
                [f"trained at {label}" for label in labels],
                loc="outside lower center",
                ncols=len(labels),
            )
        else:
            axes[-1].legend(handles, labels)
        figure.suptitle("Flow of exact ensembles at T ≠ 0 (bars: five standard errors)")
        return axes


def weight(result: HasTables, ax: Any = None) -> Any:
    """Draw W(K), the couplings that were asked for, and the weight above which the flow orders."""
    curve, asked = columns(result, "weight_curve"), columns(result, "weight")
    K, W = (np.asarray(asked[name], dtype=float) for name in ("K", "W"))
    with mpl.rc_context(STYLE):
        ax = axes_of(ax)
        ax.plot(curve["K"], curve["W"], color=BLUE, label="W(K)")
        shown = (np.abs(K) <= curve["K"][-1]) & np.isfinite(W)
        ax.plot(K[shown], W[shown], "o", color=RED, zorder=3, label="asked for")
        last = len(curve["W"]) - 1
        threshold = float(curve["W"][last] / np.sqrt(curve["gain"][last]))
        ax.axhline(threshold, color="black", lw=1, ls="--", label="1/√(MN): the flow orders above")
        ax.set(xlabel="K = βJ", ylabel="trained weight W", title=result.tables["weight"].caption)
        ax.legend()
        return ax


def weight_of_data(result: HasTables, ax: Any = None) -> Any:
    """Draw the two sides of the equation for data of one's own, and the weight at which they meet."""
    sides, found = columns(result, "f_and_g"), columns(result, "weight")
    W, stderr = float(found["W"][0]), float(found["stderr"][0])
    with mpl.rc_context(STYLE):
        ax = axes_of(ax)
        ax.plot(sides["W"], sides["machine"], color=BLUE, label="machine")
        ax.plot(sides["W"], sides["data"], color=ORANGE, label="data")
        if np.isfinite(W):
            ax.axvspan(W - stderr, W + stderr, color=RED, alpha=0.2, lw=0)
            ax.axvline(W, color=RED, lw=1, ls="--", label=f"W = {W:.5g}, ± {stderr:.2g}")
        ax.set(xlabel="W", ylabel="⟨V tanh WV⟩", title=result.tables["weight"].caption, ylim=(0, None))
        ax.legend(loc="lower right")
        return ax
