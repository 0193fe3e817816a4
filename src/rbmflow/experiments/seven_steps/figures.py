"""Figures of the seven steps: flows and their temperatures, fixed points, weights, training, thermometers."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.seven_steps.parameters import LITERATURE
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.experiments.seven_steps.steps import NULL_MAGNETIZATIONS
from rbmflow.experiments.seven_steps.tables import excess_of, thermometer_names
from rbmflow.experiments.style import (
    COLOURS,
    GREY,
    TEMPERATURE,
    Drawing,
    axes_of,
    legend_line,
    plain_ticks,
    styled,
)
from rbmflow.ising.exact_energy import has_exact_curve

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
BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncols": 2}
"""Place of a legend that no curve can cross."""


def _chosen_size(result: IsoShibaYokoo) -> int:
    """The place of the hidden layer's size that is shown where only one is."""
    return int(np.argmin(np.abs(np.array(result.parameters.n_hidden) - NEAREST_SIZE)))


def _critical_temperature(result: IsoShibaYokoo) -> float:
    """``T_c``, 0 where there is no transition above it or none is known."""
    K_c = result.parameters.lattice.critical_coupling
    return 0.0 if np.isnan(K_c) else 1 / K_c


def _reading(name: str, result: IsoShibaYokoo) -> str:
    """What a reader calls a thermometer."""
    measured = name == "energy" and not has_exact_curve(result.parameters.lattice)
    return "energy, measured curve" if measured else READINGS[name]


def _critical_line(ax: Any, result: IsoShibaYokoo, *, vertical: bool = False) -> None:
    if T_c := _critical_temperature(result):
        (ax.axvline if vertical else ax.axhline)(T_c, color="black", lw=1, ls="--")


def _main_readings(result: IsoShibaYokoo) -> list[str]:
    """The thermometer of the energy and the mean of the network, as far as they are there; or the first."""
    names = thermometer_names(result)
    return [name for name in ("energy", "network_mean") if name in names] or names[:1]


def draw_flows(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw temperatures, |m| and the excess of the energy over independent spins along the flows.

    There is a column for each training set.

    With axes of one's own: a row for the thermometer of the energy and one for the network,
    as far as the result has them, and two more.
    """
    p = result.parameters
    size, readings = _chosen_size(result), _main_readings(result)
    said = {name: _reading(name, result).replace(", measured", ",\nmeasured") for name in readings}
    rows = [(f"temperature_{name}", f"T read by\n{said[name]}, $J/k_B$") for name in readings]
    rows += [
        ("order_parameter", "|m|"),
        ("excess", f"{excess_of(p.lattice)}, J"),
    ]
    n = len(p.training_sets)
    with styled():
        grid = np.reshape(
            axes_of(ax, len(rows) * n, (2.9 * n + 0.9, 2.3 * len(rows) + 0.5), len(rows)), (-1, n)
        )
        steps = np.arange(p.n_steps + 1)
        for panels, (name, label) in zip(grid, rows, strict=True):
            mean, stderr = result.mean(name)
            for i, panel in enumerate(panels):
                for k, style in zip(range(len(p.maps)), ("-", "--", ":", "-."), strict=False):
                    for b, colour in zip(range(len(p.starts)), COLOURS, strict=False):
                        y, error = _finite(mean[i, size, k, b]), stderr[i, size, k, b]
                        panel.plot(steps, y, style, color=colour, lw=1.4)
                        if k == 0:
                            panel.fill_between(steps, y - error, y + error, color=colour, alpha=0.2, lw=0)
                panel.set_xlim(0, p.n_steps)
                panel.xaxis.get_major_locator().set_params(integer=True)
                if i:
                    panel.tick_params(labelleft=False)
                if name.startswith("temperature"):
                    _critical_line(panel, result)
            panels[0].set_ylabel(label)
            _same_heights(
                panels, HOTTEST_SHOWN * p.temperatures[-1] if name.startswith("temperature") else None
            )
        for panel, kind in zip(grid[0], p.training_sets, strict=True):
            panel.set_title(LABELS[kind])
        for panel in grid[-1]:
            panel.axhline(0, color=GREY, lw=1, ls=":")
            panel.set_xlabel("step of the flow")
        handles = [
            legend_line(color=colour, label=f"from T = {T:g}")
            for T, colour in zip(p.starts, COLOURS, strict=False)
        ] + [
            legend_line(color="black", ls=style, lw=1.4, label=MAP_LABELS[name])
            for name, style in zip(p.maps, ("-", "--", ":", "-."), strict=False)
        ]
        if _critical_temperature(result):
            handles.append(legend_line(color="black", ls="--", lw=1, label="$T_c$"))
        if ax is None:
            grid[0, 0].get_figure().legend(
                handles=handles, loc="outside upper center", ncols=min(len(handles), 2 * n + 1), fontsize=9
            )
        return grid.ravel()


def _finite(values: Any) -> Any:
    """Infinite readings as gaps."""
    return np.where(np.isfinite(values), values, np.nan)


def _same_heights(panels: Any, hottest: float | None) -> None:
    """Give a row one range; readings that are hotter, up to infinity, leave the picture."""
    low, high = (
        limit(end)
        for limit, end in (
            (min, [one.get_ylim()[0] for one in panels]),
            (max, [one.get_ylim()[1] for one in panels]),
        )
    )
    if hottest is not None:
        low, high = max(low, -0.2), min(high, hottest)
    for panel in panels:
        panel.set_ylim(low, high)


def draw_fixed_points(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw the settled |m|, s₁ and readings over the size of the hidden layer, first map and start."""
    p = result.parameters
    with styled():
        axes = axes_of(ax, 3, (14.0, 4.8))
        settled, settled_error = result.mean("settled")
        modes, modes_error = result.mean("singular_values")
        for i, (kind, colour) in enumerate(zip(p.training_sets, COLOURS, strict=False)):
            style = {"fmt": "o-", "ms": 4, "color": colour, "label": LABELS[kind]}
            axes[0].errorbar(p.n_hidden, settled[i, :, -1], np.nan_to_num(settled_error[i, :, -1]), **style)
            axes[1].errorbar(p.n_hidden, modes[i, :, -1, 0], np.nan_to_num(modes_error[i, :, -1, 0]), **style)
            axes[0].plot(p.n_hidden, result.mean("uniform_settled")[0][i], ":", lw=1.2, color=colour)
        notes = [legend_line(color=GREY, ls=":", lw=1.2, label="uniform machines, exact")]
        if p.of_literature:
            colour = COLOURS[p.training_sets.index("V")]
            axes[0].axhline(LITERATURE["V"], color=colour, lw=1, ls="--")
            notes.append(legend_line(color=colour, ls="--", lw=1, label="V, 0/1 units: arXiv:2006.10176"))
        axes[1].axhline(1, color="black", lw=1, ls="--")
        axes[1].set_yscale("log")
        plain_ticks(axes[1].yaxis)
        handles = _readings_at_the_end(result, axes[2])
        axes[0].set(
            ylim=(-0.03, 1.05),
            ylabel="|m| of the settled mean-field flow",
            title=f"Where the mean-field flow from T = {p.starts[0]:g} ends",
        )
        axes[1].set(
            ylabel="largest singular value s₁ of W",
            title="Without biases v = 0 is unstable if s₁ > 1",
        )
        axes[2].set(
            ylabel="temperature read there, $J/k_B$",
            title=f"Read after {p.n_steps} steps: {MAP_LABELS[p.maps[0]]}, from T = {p.starts[0]:g}",
        )
        for panel in axes:
            panel.set_xlabel("hidden units")
        axes[0].legend(handles=notes, fontsize=8, **BELOW)
        axes[1].legend(fontsize=8, **BELOW | {"ncols": 3})
        axes[2].legend(handles=handles, fontsize=8, **BELOW | {"ncols": 3})
        return axes


def _readings_at_the_end(result: IsoShibaYokoo, panel: Any) -> list[Any]:
    """Draw readings at the end of the first map's flow from the first start; return a legend's handles."""
    p = result.parameters
    names = [
        name for name in ("energy", "magnetization", "network_mean") if name in thermometer_names(result)
    ]
    marks = dict(zip(names or thermometer_names(result)[:1], ("s:", "^--", "o-"), strict=False))
    hottest = HOTTEST_SHOWN * p.temperatures[-1]
    sizes = np.array(p.n_hidden)
    for name, mark in marks.items():
        mean, stderr = result.mean(f"temperature_{name}")
        for i, colour in zip(range(len(p.training_sets)), COLOURS, strict=False):
            y, error = mean[i, :, 0, 0, -1], np.nan_to_num(stderr[i, :, 0, 0, -1])
            seen = y <= hottest
            panel.errorbar(sizes[seen], y[seen], error[seen], fmt=mark, ms=4, lw=1.2, color=colour)
            hot = sizes[~seen & ~np.isnan(y)]  # an arrow says that a reading is hotter than the picture
            panel.plot(hot, np.full(len(hot), 0.98 * hottest), "^", ms=8, mfc="none", color=colour)
    top = max(p.temperatures[-1], panel.get_ylim()[1])
    panel.set_ylim(-0.03 * min(top, hottest), min(top, hottest))
    _critical_line(panel, result)
    return [
        legend_line(color="black", marker=mark[0], ls=mark[1:], lw=1.2, ms=4, label=_reading(name, result))
        for name, mark in marks.items()
    ] + [legend_line(color="black", marker="^", ls="", ms=8, mfc="none", label="hotter")]


def draw_weights(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw singular values and participation ratios of the machines of one size, means over the seeds."""
    p = result.parameters
    j = _chosen_size(result)
    rank = min(p.n_hidden[j], p.lattice.n_sites)
    mode = np.arange(1, rank + 1)
    with styled():
        axes = axes_of(ax, 2, (11.0, 4.3))
        modes, _ = result.mean("singular_values")
        spread, _ = result.mean("participation")
        for i, (kind, colour) in enumerate(zip(p.training_sets, COLOURS, strict=False)):
            axes[0].plot(mode, modes[i, j, -1, :rank], ".-", ms=4, lw=1, color=colour, label=LABELS[kind])
            axes[1].plot(mode, spread[i, j, -1, :rank] / p.lattice.n_sites, ".-", ms=4, lw=1, color=colour)
        axes[0].axhline(1, color="black", lw=1, ls="--")
        axes[0].set(
            xlabel="mode",
            ylabel="singular value of W",
            yscale="log",
            title=f"Modes of W, {p.n_hidden[j]} hidden units",
        )
        plain_ticks(axes[0].yaxis)
        axes[0].set_ylim(bottom=max(axes[0].get_ylim()[0], 1e-2))
        axes[0].legend(fontsize=8)
        axes[1].set(
            xlabel="mode",
            ylabel="share of the sites, 1/(n Σ u⁴)",
            title="How many sites a mode spreads over",
            ylim=(0, 1.05),
        )
        return axes


def draw_couplings(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw W Wᵀ of the machines of one size, of the first seed, one panel for each training set."""
    p = result.parameters
    size = p.n_hidden[_chosen_size(result)]
    n = len(p.training_sets)
    with styled():
        axes = np.atleast_1d(axes_of(ax, n, (3.2 * n, 3.2)))
        for panel, kind in zip(axes, p.training_sets, strict=True):
            weights = result.model(0, kind, size).weights
            product = weights @ weights.T
            top = np.abs(product).max()
            image = panel.imshow(product, cmap="RdBu_r", vmin=-top, vmax=top)
            panel.set(title=LABELS[kind], xlabel="site")
            panel.grid(visible=False)
            panel.get_figure().colorbar(image, ax=panel, shrink=0.75)
        axes[0].set_ylabel("site")
        if ax is None:
            axes[0].get_figure().suptitle(f"$W W^T$ of machines with {size} hidden units")
        return axes


def draw_training(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw s₁, the settled |m| and the reconstruction error along the training, for one hidden layer."""
    p = result.parameters
    j = _chosen_size(result)
    with styled():
        axes = axes_of(ax, 3, (14.0, 4.0))
        for i, (kind, colour) in enumerate(zip(p.training_sets, COLOURS, strict=False)):
            batches = -(-p.n_rows(kind) // p.batch_size)
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
        axes[0].set(
            ylabel="largest singular value s₁ of W",
            yscale="log",
            title=f"Weights, {p.n_hidden[j]} hidden units",
        )
        plain_ticks(axes[0].yaxis)
        axes[1].set(
            ylabel="|m| of the settled mean-field flow",
            ylim=(-0.02, 1.05),
            title=f"Flow from T = {p.starts[0]:g}: its end moves",
        )
        axes[2].set(ylabel="reconstruction error of a unit", title="Reconstruction", ylim=(0, None))
        for panel in axes:
            panel.set(xlabel="updates", xscale="log")
        axes[0].legend(fontsize=8)
        return axes


def draw_thermometers(result: IsoShibaYokoo, ax: Any = None) -> Any:
    """Draw readings of fresh configurations, the scatter of a single reading, and the null calibration."""
    p = result.parameters
    T = np.array(p.temperatures)
    with styled():
        axes = axes_of(ax, 3, (14.0, 4.7))
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
                    label=_reading(name, result),
                )
        if "network_peak" in thermometer_names(result):  # both name one temperature for each sample
            axes[1].get_lines()[thermometer_names(result).index("network_peak")].set(lw=3.5, alpha=0.5)
        axes[0].plot(T, T, color=GREY, lw=1)
        axes[0].set(
            xlabel=TEMPERATURE,
            ylabel="reading of all, $J/k_B$",
            title="Calibration on fresh configurations",
        )
        axes[1].set(
            xlabel=TEMPERATURE,
            ylabel="spread of one reading, $J/k_B$",
            title="Resolution of one configuration",
            ylim=(-0.03 * T[-1], T[-1] / 2),
        )
        axes[2].set(
            xlabel="m of uncorrelated spins",
            ylabel="reading of all, $J/k_B$",
            title="Null calibration: no lattice, no correlations",
            ylim=(-0.2, T[-1] + 0.4),
        )
        for panel in axes[:2]:
            _critical_line(panel, result, vertical=True)
        _critical_line(axes[2], result)
        axes[1].legend(fontsize=8, **BELOW | {"ncols": 3})
        return axes


FIGURES: dict[str, Drawing] = {
    "flows": draw_flows,
    "fixed_points": draw_fixed_points,
    "weights": draw_weights,
    "couplings": draw_couplings,
    "training": draw_training,
    "thermometers": draw_thermometers,
}
