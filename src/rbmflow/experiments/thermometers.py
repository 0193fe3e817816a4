"""Figures of thermometers: what they read off samples of known temperature, and off spins that have none."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np

from rbmflow.experiments.style import COLOURS, GREY, RED, axes_of, styled
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.thermometer import Calibration, NullCalibration

HOTTEST_SHOWN = 7.0
MARKERS = ("o", "s", "^", "D", "v", "P")
READ_AS_CRITICAL = (0.65, 0.8)
"""Magnetizations that the magnetization and the peak of a perceptron read as T near T_c, 2.2 to 2.4."""


def calibration(calibrations: Mapping[str, Calibration], ax: Any = None) -> Any:
    """Draw readings and resolutions against the true temperature, by thermometer (pass two axes)."""
    if not calibrations:
        raise ValueError("calibrations is empty: at least one thermometer is needed")
    with styled():
        left, right = axes = axes_of(ax, 2, (11.0, 4.6))
        hottest = max(_finite(one.temperature).max() for one in calibrations.values())
        left.plot([0, hottest], [0, hottest], color=GREY, lw=1.2, ls="--", zorder=1)
        for (name, one), colour, marker in zip(
            calibrations.items(), cycle(COLOURS), cycle(MARKERS), strict=False
        ):
            style = {"color": colour, "marker": marker, "ms": 3.5, "lw": 1.2}
            reading, stderr = _gaps(one.reading), np.nan_to_num(one.stderr, posinf=0.0)
            left.errorbar(one.temperature, reading, stderr, elinewidth=1, label=name, **style)
            right.plot(one.temperature, _gaps(one.resolution), **style)
        for panel in axes:
            if _are_critical(calibrations):
                panel.axvline(CRITICAL_TEMPERATURE, color=RED, lw=1, ls="--", zorder=1)
            panel.set(xlabel="true temperature, $J/k_B$", xlim=(-0.03 * hottest, 1.03 * hottest))
        if _are_critical(calibrations):
            left.text(CRITICAL_TEMPERATURE, 1.02 * hottest, "$T_c$ ", color=RED, ha="right")
        left.set(ylabel="reading of all samples, $J/k_B$", title="Readings on samples of known temperature")
        left.set_ylim(bottom=-0.05 * hottest)
        right.set(
            ylabel="standard error, $J/k_B$", ylim=(0, None), title="Resolution of a single configuration"
        )
        left.legend(loc="lower right", fontsize=9)
        return axes


def null_calibration(results: Mapping[str, NullCalibration], ax: Any = None) -> Any:
    """Draw what thermometers read off uncorrelated spins against their magnetization, by thermometer."""
    if not results:
        raise ValueError("results is empty: at least one thermometer is needed")
    with styled():
        ax = axes_of(ax, size=(7.4, 4.8))
        for (name, one), colour, marker in zip(results.items(), cycle(COLOURS), cycle(MARKERS), strict=False):
            reading, stderr = _gaps(one.reading), np.nan_to_num(one.stderr, posinf=0.0)
            ax.errorbar(
                one.magnetization, reading, stderr, color=colour, marker=marker, ms=3.5, lw=1.2, label=name
            )
        if _are_critical(results):
            ax.axvspan(*READ_AS_CRITICAL, color="0.93", zorder=0)
            ax.text(np.mean(READ_AS_CRITICAL), 0.15, "m = 0.65 to 0.8", color=GREY, ha="center", fontsize=9)
            ax.axhline(CRITICAL_TEMPERATURE, color=RED, lw=1, ls="--", zorder=1)
            ax.text(0.0, CRITICAL_TEMPERATURE + 0.08, "$T_c$", color=RED)
        ax.set(
            xlabel="magnetization m of independent spins",
            ylabel="reading, $J/k_B$",
            ylim=(-0.2, HOTTEST_SHOWN),
            title="Readings on independent spins, which have no temperature",
        )
        ax.legend(loc="upper right", fontsize=9)
        return ax


def _are_critical(results: Mapping[str, Calibration] | Mapping[str, NullCalibration]) -> bool:
    """Whether all are of tori: rings have no critical temperature."""
    return all(isinstance(one.lattice, Torus) for one in results.values())


def _finite(values: Any) -> Any:
    return values[np.isfinite(values)]


def _gaps(values: Any) -> Any:
    """Infinities as gaps."""
    return np.where(np.isfinite(values), values, np.nan)
