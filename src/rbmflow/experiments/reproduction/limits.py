"""The limits of f, g and W(K), each with its order of approach, and where the laws of W(K) hold."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np

from rbmflow.experiments.reproduction.stage import Findings, Parameters, absolute
from rbmflow.experiments.tables import Check, Digits, Table, columns_of, named_columns
from rbmflow.weight import asymptotics, f, limit_table, trained_weight

SHOWN_DIGITS = 20
SERIES_ORDERS = (1, 3, 8, 16)


def limits_table(n_visible: int, n_hidden: int, *, dps: int = 30) -> Table:
    """Return value, limit, difference and predicted difference of every limit, as text with `dps` digits."""
    found = limit_table(n_visible, n_hidden, dps=dps)
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
    caption = f"Limits and the leading terms at which they are approached, M = {n_visible}, N = {n_hidden}"
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
