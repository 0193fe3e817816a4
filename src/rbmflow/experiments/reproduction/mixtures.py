"""Training sets with several temperatures, with and without T = 0: weight, gain M N W², fate of the flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rbmflow.experiments.reproduction.stage import Findings, Parameters, digits, references, relative
from rbmflow.experiments.style import BLUE, GREY, ORANGE, RED, Drawing, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Table, columns_of, named_columns
from rbmflow.flow import flow_after_training, training_sets
from rbmflow.weight import (
    ISO_SHIBA_YOKOO_TEMPERATURES,
    TemperatureRange,
    TemperatureSet,
    low_temperature_leading_weight,
    low_temperature_weight,
    mixture_weight,
    trained_weight_mixture,
)

LOWEST = (0.0, 0.25, 0.5, 1.0)
LARGE = (100, 64)
Progress = Callable[[int, int], object] | None


def ranges_table(n_visible: int, n_hidden: int, sets: Mapping[str, Any] | None = None) -> Table:
    """Return W, its error, the gain and the fate of the flow for each training set."""
    rows = []
    for name, temperatures in (sets or training_sets()).items():
        found = flow_after_training(temperatures, n_visible, n_hidden)
        trained = found.trained
        fate = "orders" if found.orders else "goes to m = 0"
        rows.append(
            (
                name,
                found.includes_zero,
                trained.weight,
                trained.error,
                trained.gain,
                fate,
                found.magnetization,
            )
        )
    names = ("temperatures", "T_0_included", "W", "error", "gain", "flow", "m_fixed")
    return Table(
        f"Training on several temperatures, M = {n_visible}, N = {n_hidden}", columns_of(names, rows)
    )


def gain_table(n_visible: int, n_hidden: int, n_points: int, progress: Progress = None) -> Table:
    """Return M N W² for temperatures uniform on [T_low, T_high] against T_high, for several T_low."""
    high = np.linspace(0.25, 10.0, n_points)
    columns: list[tuple[str, list[Any]]] = [("T_high", high.tolist())]
    for index, low in enumerate(LOWEST):
        gains = []
        for T_high in high:
            inside = T_high >= low and T_high > 0
            gain = mixture_weight(TemperatureRange(low, T_high), n_visible, n_hidden).gain if inside else None
            gains.append(gain)
        columns.append((f"gain_from_T_{low:g}", gains))
        if progress is not None:
            progress(index + 1, len(LOWEST))
    return Table(
        f"Gain M N W² after training on T in [T_low, T_high], M = {n_visible}, N = {n_hidden}",
        named_columns(columns),
    )


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Ranges of temperature (eq. 78-79) against references; the open question; the expansion at low T."""
    known = references()
    checks = []
    for row in known["mixtures"]:
        M, N, low, high = row["n_visible"], row["n_hidden"], row["T_low"], row["T_high"]
        name = f"W for T in [{low}, {high}], M = {M}, N = {N}"
        value = float(trained_weight_mixture(float(low), float(high), M, N))
        checks.append(relative(f"{name}, float64", value, float(row["W"]), 1e-13, known["mixtures_source"]))
        exact = trained_weight_mixture(low, high, M, N, dps=28)
        checks.append(digits(f"{name}, 28 digits", exact, row["W"], 28, known["mixtures_source"]))
    M, N = LARGE
    for row in known["grid_gains"]["value"]:
        grid = [T for T in ISO_SHIBA_YOKOO_TEMPERATURES if float(row["T_low"]) <= T]
        gain = mixture_weight(TemperatureSet(grid), M, N).gain
        name = f"M N W², T = {row['T_low']}, …, 6 in steps of 0.25, M = {M}, N = {N}"
        half_unit = 0.5 * 10.0 ** -len(row["gain"].split(".")[1]) / float(row["gain"])
        checks.append(relative(name, gain, float(row["gain"]), half_unit, known["grid_gains"]["source"]))
    for T_high in (0.5, 1.0):
        name = f"W for T in [0, {T_high:g}] by the expansion in E₂"
        by_quadrature = float(trained_weight_mixture(0, T_high, parameters.n_visible, parameters.n_hidden))
        value = low_temperature_weight(T_high, parameters.n_visible, parameters.n_hidden)
        checks.append(relative(name, value, by_quadrature, 1e-13, "quadrature over T"))
    coldest = 0.1
    value = float(low_temperature_leading_weight(coldest, parameters.n_visible, parameters.n_hidden))
    exact_weight = float(trained_weight_mixture(0, coldest, parameters.n_visible, parameters.n_hidden))
    name = f"leading law (1/2N) ln[8/M² E₂(4/T₀)] at T₀ = {coldest}"
    # the next term of s^N is 16 s²/M², s = e^(−2W)
    checks.append(relative(name, value, exact_weight, np.exp(-4 * exact_weight), "quadrature over T"))
    tables = {
        "temperature_ranges": ranges_table(*LARGE),
        "temperature_ranges_thesis": ranges_table(parameters.n_visible, parameters.n_hidden),
        "gain_of_ranges": gain_table(*LARGE, n_points=max(11, parameters.n_points // 10)),
    }
    return tables, checks


def draw_gains(result: HasTables, ax: Any = None, *, sizes: tuple[int, int] = LARGE) -> Any:
    """Draw the gain M N W² after training on T in [T_low, T_high] against T_high; above 1 the flow orders."""
    data = columns(result, "gain_of_ranges")
    with styled():
        ax = axes_of(ax)
        for colour, low in zip((RED, ORANGE, BLUE, GREY), LOWEST, strict=True):
            label = f"T from {low:g}" + ("" if low else ": includes the critical point")
            ax.semilogy(data["T_high"], data[f"gain_from_T_{low:g}"], color=colour, label=label)
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
            title=f"Training on T in [$T_{{low}}$, $T_{{high}}$], M = {sizes[0]}, N = {sizes[1]}",
        )
        ax.legend()
        return ax


FIGURES: dict[str, Drawing] = {
    "gain_of_ranges": draw_gains,
}
