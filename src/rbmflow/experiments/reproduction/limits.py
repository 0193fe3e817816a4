"""The limits of f, g and W(K), each with its order of approach, and where the laws of W(K) hold."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from rbmflow.experiments.reproduction.stage import Findings, Parameters, Reproduced, absolute
from rbmflow.experiments.style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    Drawing,
    HasTables,
    axes_of,
    columns,
    styled,
)
from rbmflow.experiments.tables import Check, Digits, Table, columns_of, named_columns
from rbmflow.weight import LimitTable, asymptotics, f, limit_table, trained_weight
from rbmflow.weight.limits import LIMITS, LONGER

SHOWN_DIGITS = 20
SERIES_ORDERS = (1, 3, 8, 16)
SMALLEST_SHOWN = 1e-60
EPSILON = 2.2e-16


def limits_table(n_visible: int, n_hidden: int, *, dps: int = 30) -> Table:
    """Return value, limit, difference and predicted difference of every limit, as text with `dps` digits."""
    return table_of(limit_table(n_visible, n_hidden, dps=dps))


def table_of(found: LimitTable) -> Table:
    """Return the limits as text."""
    dps = found.dps
    rows = [
        (
            row.quantity,
            row.at,
            Digits(mpmath.nstr(row.value, dps)),
            Digits(mpmath.nstr(row.limit, dps)),
            Digits(mpmath.nstr(row.difference, 8)),
            Digits(mpmath.nstr(row.predicted, 8)),
            row.ratio,
        )
        for row in found.rows
    ]
    names = ("quantity", "at", "value", "limit", "difference", "predicted", "ratio")
    sizes = f"M = {found.n_visible}, N = {found.n_hidden}"
    caption = f"Limits and the leading terms at which they are approached, {sizes}"
    return Table(caption, columns_of(names, rows))


def laws_table(n_visible: int, n_hidden: int, n_points: int) -> Table:
    """Return the relative errors of the expansions at weak and strong coupling against W(K)."""
    K = np.logspace(-3, 1, n_points)
    W = np.asarray(trained_weight(K, n_visible, n_hidden))
    columns: list[tuple[str, list[Any]]] = [("K", K.tolist()), ("W", W.tolist())]
    for order in SERIES_ORDERS:
        weak = asymptotics.weak_coupling_weight(K, n_visible, n_hidden, order=order)
        columns.append((f"weak_order_{order}", np.abs(weak / W - 1).tolist()))
        series = asymptotics.strong_coupling_series(n_visible, n_hidden, order)
        inside = series.convergent_from < K
        errors = iter(np.abs(series.weight(K[inside]) / W[inside] - 1).tolist())
        columns.append((f"strong_order_{order}", [next(errors) if within else None for within in inside]))
    caption = f"Relative error of the expansions of W(K), M = {n_visible}, N = {n_hidden}"
    return Table(caption, named_columns(columns))


def stage(parameters: Parameters, _rng: np.random.Generator) -> Findings:
    """Every limit of the appendix and of W(K) at its predicted order; expansions against the solution."""
    M, N = parameters.n_visible, parameters.n_hidden
    table = limits_table(M, N)
    checks = []
    last: dict[Any, tuple[Any, Any]] = {}
    for quantity, at, ratio in zip(*(table.columns[key] for key in ("quantity", "at", "ratio")), strict=True):
        last[quantity] = (at, ratio)
    for quantity, (at, ratio) in last.items():
        # the next term is smaller by 1/M for long rings, by an exponential or a power of K elsewhere
        tolerance = 5e-3 if "proportion" in str(quantity) else 1e-9
        name = f"{quantity}: difference by its leading term at {at}"
        checks.append(absolute(name, float(ratio), 1.0, tolerance, "leading term of the difference"))
    W = np.logspace(-3, 0.5, 400)  # beyond, the two agree in float64
    crossings = int((np.asarray(f(W, M, N)) >= M * np.tanh(M * W)).sum())
    name = "weights from 0.001 to 3.16 at which f(W) is not below M tanh MW"
    checks.append(Check(name, str(crossings), "0", crossings, 0.0, "exact", "proof of divergence"))
    weight = float(trained_weight(0.0, M, N))
    checks.append(absolute("W(0)", weight, 0.0, 0.0, "both laws are binomial"))
    series = asymptotics.strong_coupling_series(M, N, 20)
    for K in (2.5, 5.0, 20.0):
        exact = float(trained_weight(K, M, N))
        bound = series.error(K) + 4e-15 * exact
        name = f"W({K:g}) by 20 terms of the strong-coupling series"
        checks.append(
            absolute(name, float(series.weight(K)), exact, float(bound), "W(K), within the series' own error")
        )
    tables = {"limits": table, "laws_of_the_weight": laws_table(M, N, parameters.n_points)}
    return tables, checks


def draw_limits(result: HasTables, ax: Any = None, *, n_visible: int) -> Any:
    """Draw how every limit is approached: differences as points, leading terms as lines (pass eight axes)."""
    data = columns(result, "limits")
    with styled({"font.size": 8.5, "lines.linewidth": 1.2}):
        axes = axes_of(ax, len(LIMITS), (11.5, 5.4), n_rows=2)
        for panel, (quantity, (_, variable, points)) in zip(axes, LIMITS.items(), strict=True):
            rows = data["quantity"] == quantity
            longer = variable == LONGER
            x = np.array(list(map(float, points))) * (n_visible if longer else 1)
            difference = np.abs([float(text) for text in data["difference"][rows]])
            predicted = np.abs([float(text) for text in data["predicted"][rows]])
            shown = difference > SMALLEST_SHOWN
            panel.loglog(x, predicted, color=ORANGE, label="leading term")
            panel.loglog(x, difference, "o", ms=4, color=BLUE, label="|value − limit|")
            panel.set_ylim(max(SMALLEST_SHOWN, difference.min() / 10), predicted[shown].max() * 10)
            panel.set_xlabel("M" if longer else variable)
            ticks = x[::2] if x.max() > 1 else x[[-1, -2, 0]]
            panel.set_xticks(ticks, [_number(value) for value in ticks])
            panel.minorticks_off()
            panel.set_title(
                quantity.replace(", ", ",\n", 1) if len(quantity) > 30 else quantity, fontsize=8.5
            )
        axes[0].legend(loc="lower left")
        axes[0].get_figure().suptitle("Limits, and the leading terms at which they are approached")
        return axes


def _draw_limits(result: Reproduced, ax: Any = None) -> Any:
    """Draw the limits of the thesis' machine."""
    return draw_limits(result, ax, n_visible=result.parameters.n_visible)


def _number(value: float) -> str:
    """Text of a tick: a power of ten where `value` is a small one."""
    exponent = round(np.log10(value))
    return f"{value:g}" if value > 1e-3 else f"$10^{{{exponent}}}$"


def draw_laws(result: HasTables, ax: Any = None) -> Any:
    """Draw the relative errors of the expansions at weak and at strong coupling."""
    data = columns(result, "laws_of_the_weight")
    with styled():
        ax = axes_of(ax, size=(6.4, 4.8))
        for colour, order in zip(COLOURS, SERIES_ORDERS, strict=False):
            weak = np.where(data["K"] < 0.7, data[f"weak_order_{order}"], np.nan)
            ax.loglog(data["K"], np.maximum(weak, EPSILON), color=colour, ls="--", lw=1.3)
            strong = np.maximum(data[f"strong_order_{order}"], EPSILON)
            ax.loglog(data["K"], strong, color=colour, label=f"{order} term" + "s" * (order != 1))
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


FIGURES: dict[str, Drawing] = {
    "limits": _draw_limits,
    "laws_of_the_weight": draw_laws,
}
