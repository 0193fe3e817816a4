"""Figures of what the thesis leaves open: limits, laws, thresholds, ranges of temperature."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

from rbmflow.experiments.style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    RED,
    STYLE,
    HasTables,
    axes_of,
    columns,
)
from rbmflow.experiments.weight_map import WeightMap

SMALLEST_SHOWN = 1e-60
EPSILON = 2.2e-16


def limits(result: HasTables, ax: Any = None) -> Any:
    """Draw how every limit is approached: differences as points, leading terms as lines (pass eight axes)."""
    data = columns(result, "limits")
    quantities = list(dict.fromkeys(data["quantity"]))
    with mpl.rc_context(STYLE | {"font.size": 8.5, "lines.linewidth": 1.2}):
        axes = axes_of(ax, len(quantities), (11.5, 5.4), n_rows=2)
        for panel, quantity in zip(axes, quantities, strict=True):
            rows = data["quantity"] == quantity
            names = data["at"][rows]
            x = np.array([float(name.split(",")[0].split("= ")[1]) for name in names])
            difference = np.abs([float(text) for text in data["difference"][rows]])
            predicted = np.abs([float(text) for text in data["predicted"][rows]])
            shown = difference > SMALLEST_SHOWN
            panel.loglog(x, predicted, color=ORANGE, label="leading term")
            panel.loglog(x, difference, "o", ms=4, color=BLUE, label="|value − limit|")
            panel.set_ylim(max(SMALLEST_SHOWN, difference.min() / 10), predicted[shown].max() * 10)
            panel.set_xlabel(names[0].split(" =")[0])
            ticks = x[::2] if x.max() > 1 else x[[-1, -2, 0]]
            panel.set_xticks(ticks, [_number(value) for value in ticks])
            panel.minorticks_off()
            panel.set_title(
                quantity.replace(", ", ",\n", 1) if len(quantity) > 30 else quantity, fontsize=8.5
            )
        axes[0].legend(loc="lower left")
        axes[0].get_figure().suptitle("Limits, and the leading terms at which they are approached")
        return axes


def _number(value: float) -> str:
    """Text of a tick: a power of ten where `value` is a small one."""
    exponent = round(np.log10(value))
    return f"{value:g}" if value > 1e-3 else f"$10^{{{exponent}}}$"


def laws(result: HasTables, ax: Any = None) -> Any:
    """Draw the relative errors of the expansions at weak and at strong coupling."""
    data = columns(result, "laws_of_the_weight")
    with mpl.rc_context(STYLE):
        ax = axes_of(ax, size=(6.4, 4.8))
        orders = [name.removeprefix("weak_order_") for name in data if name.startswith("weak")]
        for colour, order in zip(COLOURS, orders, strict=False):
            weak = np.where(data["K"] < 0.7, data[f"weak_order_{order}"], np.nan)
            ax.loglog(data["K"], np.maximum(weak, EPSILON), color=colour, ls="--", lw=1.3)
            strong = np.maximum(data[f"strong_order_{order}"], EPSILON)
            ax.loglog(data["K"], strong, color=colour, label=f"{order} term" + "s" * (order != "1"))
        ax.plot([], [], color="black", ls="--", lw=1.3, label="weak coupling")
        ax.plot([], [], color="black", label="strong coupling")
        ax.axhline(3e-15, color=GREY, lw=1, ls=":")
        ax.text(1.2e-3, 5e-15, "float64 solution", color=GREY, fontsize=9)
        ax.set(
            xlabel="K = βJ",
            ylabel="relative error of W",
            ylim=(1e-16, 3),
            title="The two expansions of the trained weight",
        )
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=8.5)
        return ax


def boundary(result: HasTables, ax: Any = None) -> Any:
    """Draw the phase diagram of the trained flow: K_c over M with its laws, T for ranges (pass two axes)."""
    data, ranges = columns(result, "phase_boundary"), columns(result, "thresholds_of_ranges")
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 2, (11.0, 4.4))
        left, right = axes
        M = data["n_visible"]
        keys = [key for key in data if key.startswith("K_c")]
        for colour, key in zip(COLOURS, keys, strict=False):
            label = key.removeprefix("K_c_")
            if label.startswith("ratio_"):
                ratio = label.removeprefix("ratio_")
                left.semilogx(
                    M, data[key], "o", ms=4, color=colour, label=f"N = {ratio} M".replace(" 1 M", " M")
                )
                left.semilogx(M, data[f"law_0_{label}"], color=colour, lw=1, ls="--")
                left.semilogx(M, data[f"law_1_{label}"], color=colour, lw=1.2)
            else:
                left.semilogx(M, data[key], "s-", ms=3, lw=1, color=colour, label=label.replace("N_", "N = "))
        left.plot([], [], color="black", lw=1, ls="--", label="¼ ln M + const.")
        left.plot([], [], color="black", lw=1.2, label="with M$^{-1/2}$")
        left.text(
            0.97, 0.03, "flow goes to m = 0 (T = ∞)", transform=left.transAxes, ha="right", style="italic"
        )
        left.text(0.45, 0.95, "flow orders", transform=left.transAxes, va="top", ha="right", style="italic")
        left.set(
            xlabel="visible units M",
            ylabel="threshold coupling $K_c$",
            title="Trained at one temperature",
            ylim=(0, None),
        )
        left.legend(loc="upper left", bbox_to_anchor=(0.0, 0.9), fontsize=8.5, ncols=1)
        right.loglog(
            ranges["n_visible"],
            ranges["T_flow"],
            "o-",
            ms=4,
            color=BLUE,
            label="one temperature, $T_{flow} = 1/K_c$",
        )
        keys = [key for key in ranges if key.startswith("T_high")]
        for colour, key in zip((RED, ORANGE), keys, strict=False):
            low = key.removeprefix("T_high_from_T_")
            right.loglog(
                ranges["n_visible"],
                ranges[key],
                "s-",
                ms=4,
                color=colour,
                label=f"T uniform on [{low}, $T_{{high}}$]",
            )
        right.set(
            xlabel="visible units M",
            ylabel="highest temperature whose flow orders, $J/k_B$",
            title="Trained on ranges, N = M/2",
        )
        right.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        right.minorticks_off()
        right.legend(loc="best", fontsize=9)
        return axes


def ranges(result: HasTables, ax: Any = None) -> Any:
    """Draw the gain M N W² after training on T in [T_low, T_high] against T_high; above 1 the flow orders."""
    table = result.tables["gain_of_ranges"]
    data = columns(result, "gain_of_ranges")
    with mpl.rc_context(STYLE):
        ax = axes_of(ax)
        for colour, key in zip(
            (RED, ORANGE, BLUE, GREY), [key for key in data if key.startswith("gain")], strict=True
        ):
            low = key.removeprefix("gain_from_T_")
            label = f"T from {low}" + (": includes the critical point" if low == "0" else "")
            ax.semilogy(data["T_high"], data[key], color=colour, label=label)
        ax.axhline(1, color="black", lw=1, ls="--")
        ax.text(9.9, 2.1, "above 1: the flow orders", ha="right", style="italic")
        ax.text(0.3, 0.3, "below 1: goes to m = 0 (T = ∞)", style="italic")
        ax.set_yticks([0.3, 0.5, 1, 2, 5], ["0.3", "0.5", "1", "2", "5"])
        ax.minorticks_off()
        ax.set(
            xlabel="$T_{high}$, $J/k_B$",
            ylabel="gain M N W²",
            xlim=(0, 10),
            ylim=(0.25, 8),
            title=table.caption.replace("Gain M N W² after training", "Training")
            .replace("T_low", "$T_{low}$")
            .replace("T_high", "$T_{high}$"),
        )
        ax.legend()
        return ax


def weight_map(result: WeightMap, ax: Any = None) -> Any:
    """Draw ln W over K and γ = N/M, with the line where the gain M N W² is 1."""
    parameters = result.parameters
    with mpl.rc_context(STYLE | {"axes.grid": False}):
        ax = axes_of(ax)
        ratios = np.array(parameters.hidden) / parameters.n_visible
        mesh = ax.pcolormesh(
            parameters.couplings,
            ratios,
            result.weights,
            norm="log",
            cmap="viridis",
            shading="nearest",
            rasterized=True,
        )
        ax.get_figure().colorbar(mesh, ax=ax, label="trained weight W")
        if result.gain.min() < 1 < result.gain.max():
            lines = ax.contour(
                parameters.couplings, ratios, result.gain, [1.0], colors="white", linewidths=1.5
            )
            vertices = max(lines.allsegs[0], key=len)
            place = vertices[len(vertices) // 2]
            beside = place[0] < 0.6 * parameters.K_max  # room to the right
            ax.annotate(
                "M N W² = 1: the flow\norders to the right",
                place,
                (8 if beside else -8, 0),
                textcoords="offset points",
                ha="left" if beside else "right",
                va="top",
                color="white",
                fontsize=9,
            )
        ax.set(
            xlabel="K = βJ",
            ylabel="γ = N/M",
            yscale="log",
            title=f"Trained weight, M = {parameters.n_visible}",
        )
        return ax
