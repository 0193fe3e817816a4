"""Figures of the seven-step experiment: flows and their temperatures, fixed points, weights, training, thermometers."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

from rbmflow.experiments.figures.style import COLOURS, GREY, STYLE, axes_of
from rbmflow.experiments.iso_result import IsoShibaYokoo
from rbmflow.experiments.iso_shiba_yokoo import LITERATURE
from rbmflow.experiments.iso_tables import thermometer_names
from rbmflow.experiments.seven_steps import NULL_MAGNETIZATIONS
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE

LABELS = {
    "V": "V: all T",
    "H": "H: high T",
    "L": "L: T = 0",
    "ends": "T = 0 and ∞",
    "mean_field": "mean field, no lattice",
}
READINGS = {
    "energy": "energy, exact",
    "magnetization": "magnetization",
    "network_mean": "network, mean",
    "network_peak": "network, peak",
    "network_per_sample": "network, per sample",
}
MAP_LABELS = {
    "mean_field": "mean field",
    "mean_field_sampled": "mean field, sampled",
    "gibbs": "Gibbs",
    "sign": "sign",
}
NEAREST_SIZE = 64
HOTTEST_SHOWN = 1.5  # times the highest temperature of the data


def _chosen_size(result: IsoShibaYokoo) -> int:
    """The place of the hidden layer's size that is shown where only one is."""
    return int(np.argmin(np.abs(np.array(result.parameters.n_hidden) - NEAREST_SIZE)))


def _critical_line(ax: Any, result: IsoShibaYokoo, *, vertical: bool = False) -> None:
    if isinstance(result.parameters.lattice, Torus):
        (ax.axvline if vertical else ax.axhline)(CRITICAL_TEMPERATURE, color="black", lw=1, ls="--")


def _main_reading(result: IsoShibaYokoo) -> str:
    names = thermometer_names(result)
    return "network_mean" if "network_mean" in names else names[0]


def iso_shiba_yokoo(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw temperature, |m| and the excess of the energy over independent spins along the flows, a column for each training set."""
    p = result.parameters
    size, reading = _chosen_size(result), _main_reading(result)
    rows = (
        (f"temperature_{reading}", f"T read by\n{READINGS[reading]}"),
        ("order_parameter", "|m|"),
        ("excess", f"E + {p.coordination // 2 if p.coordination > 2 else ''}m²"),
    )
    n = len(p.training_sets)
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 3 * n, (2.9 * n + 0.6, 7.2), 3) if 3 * n > 1 else axes_of(ax)
        grid = np.reshape(axes, (3, n))
        steps = np.arange(p.n_steps + 1)
        for column, kind in enumerate(p.training_sets):
            for row, (name, label) in enumerate(rows):
                panel = grid[row, column]
                mean, stderr = result.mean(name)
                for k, style in zip(range(len(p.maps)), ("-", "--", ":", "-."), strict=False):
                    for b, colour in zip(range(len(p.starts)), COLOURS, strict=False):
                        y, error = mean[column, size, k, b], stderr[column, size, k, b]
                        panel.plot(steps, y, style, color=colour, lw=1.4)
                        if k == 0:
                            panel.fill_between(steps, y - error, y + error, color=colour, alpha=0.2, lw=0)
                if row == 0:
                    panel.set_title(LABELS[kind])
                    _critical_line(panel, result)
                if column == 0:
                    panel.set_ylabel(label)
                elif column:
                    panel.tick_params(labelleft=False)
                panel.set_xlim(0, p.n_steps)
                if row == 2:
                    panel.axhline(0, color=GREY, lw=1, ls=":")
                    panel.set_xlabel("step of the flow")
        for index, row in enumerate(grid):
            low = min(panel.get_ylim()[0] for panel in row)
            high = max(panel.get_ylim()[1] for panel in row)
            if index == 0:  # hotter readings, up to infinity, leave the picture
                low, high = max(low, -0.2), min(high, HOTTEST_SHOWN * p.temperatures[-1])
            for panel in row:
                panel.set_ylim(low, high)
        figure = grid[0, 0].get_figure()
        handles = [
            mpl.lines.Line2D([], [], color=colour, label=f"from T = {T:g}")
            for T, colour in zip(p.starts, COLOURS, strict=False)
        ] + [
            mpl.lines.Line2D([], [], color="black", ls=style, lw=1.4, label=MAP_LABELS[name])
            for name, style in zip(p.maps, ("-", "--", ":", "-."), strict=False)
        ]
        if ax is None:
            figure.legend(
                handles=handles, loc="outside upper center", ncols=min(len(handles), 2 * n), fontsize=9
            )
            figure.suptitle("")
        return grid.ravel()


def iso_fixed_points(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw the settled |m|, s₁ and the temperatures read at the end of the mean-field flow, over the size of the hidden layer."""
    p = result.parameters
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 3, (14.0, 4.3))
        settled, settled_error = result.mean("settled")
        modes, modes_error = result.mean("singular_values")
        for i, (kind, colour) in enumerate(zip(p.training_sets, COLOURS, strict=False)):
            axes[0].errorbar(
                p.n_hidden, settled[i, :, -1], settled_error[i, :, -1], fmt="o-", ms=4, color=colour, label=LABELS[kind]
            )  # fmt: skip
            axes[1].errorbar(
                p.n_hidden, modes[i, :, -1, 0], modes_error[i, :, -1, 0], fmt="o-", ms=4, color=colour, label=LABELS[kind]
            )  # fmt: skip
            axes[0].plot(p.n_hidden, result.mean("uniform_settled")[0][i], ":", lw=1.2, color=colour)
        notes = [mpl.lines.Line2D([], [], color=GREY, ls=":", lw=1.2, label="uniform machines, exact")]
        if isinstance(p.lattice, Torus) and p.lattice.n_sites == 100:
            axes[0].axhline(LITERATURE["V"], color=COLOURS[0], lw=1, ls="--")
            notes.append(
                mpl.lines.Line2D(
                    [], [], color=COLOURS[0], ls="--", lw=1, label="V, 0/1 units: arXiv:2006.10176"
                )
            )
        axes[0].legend(handles=notes, fontsize=8, loc="lower right")
        axes[1].axhline(1, color="black", lw=1, ls="--")
        axes[1].set_yscale("log")
        reading = _main_reading(result)
        shown = [name for name in ("energy", "magnetization", reading) if name in thermometer_names(result)]
        for name, marker in zip(dict.fromkeys(shown), ("s:", "^--", "o-"), strict=False):
            mean, stderr = result.mean(f"temperature_{name}")
            for i, colour in zip(range(len(p.training_sets)), COLOURS, strict=False):
                y, error = mean[i, :, 0, 0, -1], stderr[i, :, 0, 0, -1]
                seen = np.isfinite(y)
                axes[2].errorbar(
                    np.array(p.n_hidden)[seen], y[seen], np.nan_to_num(error[seen]), fmt=marker, ms=4, lw=1.2, color=colour
                )  # fmt: skip
        handles = [
            mpl.lines.Line2D(
                [], [], color="black", marker=marker[0], ls=marker[1:], lw=1.2, ms=4, label=READINGS[name]
            )
            for name, marker in zip(dict.fromkeys(shown), ("s:", "^--", "o-"), strict=False)
        ]
        axes[2].legend(handles=handles, fontsize=8)
        _critical_line(axes[2], result)
        axes[0].set(
            ylim=(0, 1.05),
            ylabel="|m| of the settled mean-field flow",
            title=f"Where the flow from T = {p.starts[0]:g} ends",
        )
        axes[1].set(ylabel="largest singular value s₁ of W", title="s₁ > 1: the flow orders")
        axes[2].set(ylabel="temperature read there", title=f"What thermometers read after {p.n_steps} steps")
        for panel in axes:
            panel.set_xlabel("hidden units")
        axes[1].set_ylim(top=axes[1].get_ylim()[1] * 2)
        axes[1].legend(fontsize=8, ncols=2, loc="upper right")
        axes[2].set_ylim(bottom=0)
        return axes


def iso_weights(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw singular values and participation ratios of the machines of one size, over the modes, means over the seeds."""
    p = result.parameters
    j = _chosen_size(result)
    rank = min(p.n_hidden[j], p.lattice.n_sites)
    mode = np.arange(1, rank + 1)
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 2, (11.0, 4.3))
        modes, _ = result.mean("singular_values")
        spread, _ = result.mean("participation")
        for i, (kind, colour) in enumerate(zip(p.training_sets, COLOURS, strict=False)):
            axes[0].plot(mode, modes[i, j, -1, :rank], ".-", ms=4, lw=1, color=colour, label=LABELS[kind])
            axes[1].plot(mode, spread[i, j, -1, :rank] / p.lattice.n_sites, ".-", ms=4, lw=1, color=colour)
        axes[0].axhline(1, color="black", lw=1, ls="--")
        axes[0].set(
            xlabel="mode", ylabel="singular value of W", yscale="log", title=f"{p.n_hidden[j]} hidden units"
        )
        axes[0].set_ylim(bottom=max(axes[0].get_ylim()[0], 1e-2))
        axes[0].legend(fontsize=8)
        axes[1].set(
            xlabel="mode",
            ylabel="share of the sites, 1/(n Σ u⁴)",
            title="How spread the modes are",
            ylim=(0, 1.05),
        )
        return axes


def iso_couplings(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw W Wᵀ of the machines of one size, of the first seed, one panel for each training set."""
    p = result.parameters
    size = p.n_hidden[_chosen_size(result)]
    n = len(p.training_sets)
    with mpl.rc_context(STYLE):
        axes = np.atleast_1d(axes_of(ax, n, (3.2 * n, 3.3)))
        for panel, kind in zip(axes, p.training_sets, strict=True):
            weights = result.model(0, kind, size).weights
            product = weights @ weights.T
            top = np.abs(product).max()
            image = panel.imshow(product, cmap="RdBu_r", vmin=-top, vmax=top)
            panel.set(title=LABELS[kind], xlabel="site")
            panel.grid(visible=False)
            panel.get_figure().colorbar(image, ax=panel, shrink=0.75)
        axes[0].set_ylabel(f"site: W Wᵀ, {size} hidden units")
        return axes


def iso_training(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw s₁, the settled |m| and the reconstruction error along the training, for one size of the hidden layer."""
    p = result.parameters
    j = _chosen_size(result)
    rows = {"V": len(p.temperatures), "H": sum(p.hot_from <= T for T in p.temperatures), "L": 1, "ends": 2}
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 3, (14.0, 4.0))
        for i, (kind, colour) in enumerate(zip(p.training_sets, COLOURS, strict=False)):
            batches = -(-rows.get(kind, len(p.temperatures)) * p.n_samples // p.batch_size)
            updates = result.values["epoch"][0, i, j] * batches
            for panel, name in zip(axes, ("singular_values", "settled", "reconstruction_error"), strict=True):
                mean, stderr = result.mean(name)
                y, error = (
                    part[i, j, :, 0] if name == "singular_values" else part[i, j] for part in (mean, stderr)
                )
                panel.errorbar(
                    updates, y, np.nan_to_num(error), fmt="o-", ms=3, lw=1.2, color=colour, label=LABELS[kind]
                )
        axes[0].axhline(1, color="black", lw=1, ls="--")
        axes[0].set(ylabel="largest singular value s₁", yscale="log", title=f"{p.n_hidden[j]} hidden units")
        axes[1].set(
            ylabel="|m| of the settled mean-field flow",
            ylim=(-0.02, 1.05),
            title="The fixed point moves with the training",
        )
        axes[2].set(ylabel="reconstruction error per unit", title="Reconstruction")
        for panel in axes:
            panel.set(xlabel="updates", xscale="log")
        axes[0].legend(fontsize=8)
        return axes


def iso_thermometers(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw what the thermometers read on fresh configurations, how far one reading scatters, and the null calibration."""
    p = result.parameters
    T = np.array(p.temperatures)
    with mpl.rc_context(STYLE):
        axes = axes_of(ax, 3, (14.0, 4.3))
        for name, colour in zip(thermometer_names(result), COLOURS, strict=False):
            for panel, x, quantity in (
                (axes[0], T, "reading"),
                (axes[1], T, "resolution"),
                (axes[2], NULL_MAGNETIZATIONS, "null"),
            ):
                y = result.values[f"{name}_{quantity}"].mean(axis=0)
                panel.plot(
                    x,
                    np.where(np.isfinite(y), y, np.nan),
                    "o-",
                    ms=3,
                    lw=1.2,
                    color=colour,
                    label=READINGS[name],
                )
        axes[0].plot(T, T, color=GREY, lw=1)
        axes[0].set(xlabel="temperature", ylabel="mean reading", title="Calibration on fresh configurations")
        axes[1].set(
            xlabel="temperature",
            ylabel="spread of one reading",
            title="Resolution of one configuration",
            ylim=(0, T[-1] / 2),
        )
        axes[2].set(
            xlabel="m of uncorrelated spins",
            ylabel="mean reading",
            title="Null calibration: no lattice, no correlations",
            ylim=(0, T[-1] + 0.2),
        )
        for panel in axes[:2]:
            _critical_line(panel, result, vertical=True)
        _critical_line(axes[2], result)
        axes[0].legend(fontsize=8)
        return axes
