"""The figure of a critical point."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.experiments.critical_point.analysis import CROSSING, SLOPES
from rbmflow.experiments.critical_point.result import CriticalPoint
from rbmflow.experiments.style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    axes_of,
    columns,
    plain_ticks,
    shades,
    styled,
)
from rbmflow.sampling.finite_size import linear_size

LABELS = {
    "binder_cumulant": "Binder cumulant",
    "correlation_length_ratio": r"$\xi/L$",
    "susceptibility": r"$n\langle m^2\rangle$",
    "binder_cumulant_slope": r"$dU/dK$",
    "log_absolute_magnetization_slope": r"$d\ln\langle|m|\rangle/dK$",
    "log_squared_magnetization_slope": r"$d\ln\langle m^2\rangle/dK$",
}


def draw_critical_point(result: CriticalPoint, ax: Any = None) -> Any:
    """Draw cumulants, their crossings over the size, growth and collapse (pass four axes)."""
    with styled():
        panels = axes_of(ax, 4, (10.5, 7.6), n_rows=2)
        _cumulants(result, panels[0])
        _crossings(result, panels[1])
        _growth(result, panels[2])
        _collapse(result, panels[3])
        return panels


def _of_sides(result: CriticalPoint) -> list[tuple[int, Any, dict[str, Any]]]:
    """Side, colour and curves of each size."""
    data = columns(result, "curves")
    sides = result.parameters.sizes
    return [
        (side, colour, {name: column[data["side"] == side] for name, column in data.items()})
        for side, colour in zip(sides, shades(len(sides)), strict=True)
    ]


def _cumulants(result: CriticalPoint, panel: Any) -> None:
    for side, colour, curve in _of_sides(result):
        K, U, error = curve["K"], curve["binder_cumulant"], curve["binder_cumulant_stderr"]
        panel.fill_between(K, U - error, U + error, color=colour, alpha=0.4, lw=0)
        panel.plot(K, U, color=colour, lw=1.2, label=f"{side} cells a side")
    K_c = result.parameters.on(3).critical_coupling
    panel.axvline(K_c, color=GREY, lw=1, ls="--", zorder=1)
    crossings = columns(result, "crossings")
    here = crossings["quantity"] == CROSSING[0]
    panel.plot(crossings["K"][here], crossings["value"][here], "o", ms=4, color="black", zorder=5)
    panel.set(xlabel="K", ylabel="Binder cumulant", title=f"{result.parameters.lattice.capitalize()} lattice")
    panel.legend(loc="lower right")


def _crossings(result: CriticalPoint, panel: Any) -> None:
    known, data = result.parameters.universality, columns(result, "crossings")
    power = known.omega + known.inverse_nu
    x = data["effective_length"] ** -power
    for quantity, colour in zip(CROSSING, (BLUE, ORANGE), strict=True):
        here = data["quantity"] == quantity
        K, error = data["K"][here], data["K_stderr"][here]
        panel.errorbar(x[here], K, error, fmt="o", ms=4, color=colour, label=LABELS[quantity])
        limit = result.value("K_c", f"crossings of {quantity}")
        if limit is not None:
            panel.errorbar([0], [limit["value"]], [limit["stderr"]], fmt="s", ms=5, mfc="white", color=colour)
    K_c = result.parameters.on(3).critical_coupling
    panel.axhline(K_c, color=GREY, lw=1, ls="--", zorder=1, label="$K_c$")
    panel.set(
        xlabel=rf"$\ell^{{-\omega-1/\nu}}$, with $\omega + 1/\nu$ = {power:.3g}",
        ylabel="K where two sizes agree",
        title="Crossings, and their limit",
    )
    panel.legend()


def _growth(result: CriticalPoint, panel: Any) -> None:
    data = columns(result, "sizes")
    for quantity, colour in zip(("susceptibility", *SLOPES), COLOURS, strict=False):
        values = data[quantity] / data[quantity][0]
        errors = data[f"{quantity}_stderr"] / data[quantity][0]
        panel.errorbar(
            data["length"], values, errors, fmt="o-", ms=4, lw=1, color=colour, label=LABELS[quantity]
        )
    known, length = result.parameters.universality, data["length"]
    for exponent, label in ((known.gamma_over_nu, "known exponents"), (known.inverse_nu, None)):
        panel.plot(length, (length / length[0]) ** exponent, color=GREY, lw=1, ls="--", label=label, zorder=1)
    panel.set(xscale="log", yscale="log")
    panel.set_xticks(length, [f"{one:.3g}" for one in length])
    panel.set_xticks([], minor=True)
    plain_ticks(panel.yaxis)
    panel.set(
        xlabel=r"$L = n^{1/d}$",
        ylabel="over that of the smallest size",
        title="Growth at one value of the cumulant",
    )
    panel.legend(loc="upper left")


def _collapse(result: CriticalPoint, panel: Any) -> None:
    rows = (
        result.value("K_c", "crossings of binder_cumulant"),
        result.value("1/nu", "binder_cumulant_slope"),
        result.value("gamma/nu", "susceptibility"),
    )
    K_c, inverse_nu, gamma = (np.nan if row is None else row["value"] for row in rows)
    for side, colour, curve in _of_sides(result):
        length = linear_size(result.parameters.on(side))
        x = (curve["K"] - K_c) * length**inverse_nu
        panel.plot(x, curve["susceptibility"] / length**gamma, color=colour, lw=1.2)
    panel.set(
        xlabel=r"$(K - K_c)\,L^{1/\nu}$",
        ylabel=r"$n\langle m^2\rangle\,L^{-\gamma/\nu}$",
        title="Collapse with what was measured",
    )
