"""The limits of f(W), g(W, K) and W(K), each with its order of approach, to any number of digits.

`rbmflow.weight.f` and `rbmflow.weight.g` take infinite arguments: ``f(∞) = M``, ``g(W, ∞) = M tanh MW``,
``g(∞, K) = ⟨|V|⟩_q`` and ``g(∞, ∞) = M`` in either order. That f and g share the limit M
does not say where they cross (thesis app. B): for every finite W > 0 they do not at K = ∞, as
``f(W) < M tanh MW``, hence W(K) → ∞.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rbmflow.arguments import check_digits, check_integer
from rbmflow.precision import settle, to_exact
from rbmflow.records import Record, Tabular
from rbmflow.weight.asymptotics import long_ring_gain, strong_coupling_series, weak_coupling_coefficients
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.exact import (
    deficits,
    exact_model_mean,
    exact_training_mean,
    training_weights,
    visible_values,
)
from rbmflow.weight.solve import exact_weight

MAX_LIMIT_SITES, MAX_LIMIT_HIDDEN = 200, 10**7


@dataclass(frozen=True)
class LimitRow(Record):
    """A quantity on its way to a limit.

    Attributes
    ----------
    quantity : str
        What is evaluated, and what tends where.
    at : str
        The value of the variable.
    value, limit : mpmath.mpf
        The quantity there, and its limit.
    difference : mpmath.mpf
        ``value − limit``, to all digits asked for: the precision is raised until they are earned.
    predicted : mpmath.mpf
        The leading term of the difference; the ratio of the two tends to 1.
    """

    quantity: str
    at: str
    value: Any
    limit: Any
    difference: Any
    predicted: Any

    @property
    def ratio(self) -> float:
        """``difference / predicted``."""
        return float(self.difference / self.predicted)


@dataclass(frozen=True)
class LimitTable(Tabular):
    """All limits at one architecture.

    Attributes
    ----------
    n_visible, n_hidden : int
        Units in each layer.
    dps : int
        Correct digits of every number.
    rows : tuple of LimitRow
        In the order of `LIMITS`.
    """

    n_visible: int
    n_hidden: int
    dps: int
    rows: tuple[LimitRow, ...]

    def _columns(self) -> dict[str, Any]:
        names = "quantity", "at", "value", "limit", "difference", "predicted", "ratio"
        return {name: [getattr(row, name) for row in self.rows] for name in names}


Solve = Callable[[Any, Any, int, int], Any]
"""W(K) of a ring and a machine to the precision of a context."""
Entry = Callable[[Any, Any, int, int, Solve], tuple[Any, Any, Any]]


def _tail(ctx: Any, W: Any, exponent: int) -> Any:
    """``s^exponent``, s = e^(−2W)."""
    return ctx.exp(-2 * W * exponent)


def _f_in_W(ctx: Any, W: Any, M: int, N: int, _solve: Solve) -> tuple[Any, Any, Any]:
    # M tanh MW falls short of M by 2M s^M, and one spin against the others, 2M states of 2, by 2M s^N
    return (
        exact_model_mean(ctx, W, M, N),
        ctx.mpf(M),
        -2 * M * (_tail(ctx, W, N) + _tail(ctx, W, M)),
    )


def _g_in_K(ctx: Any, K: Any, M: int, _N: int, _solve: Solve) -> tuple[Any, Any, Any]:
    W = 1 / ctx.sqrt(M)
    # M states with one pair of walls for each number of up spins
    states = [M * ctx.exp(-4 * K) / (1 if v else 2) for v in visible_values(M)[1:]]
    leading = -ctx.fdot(states, deficits(ctx, W, M)[1:])
    return exact_training_mean(ctx, W, K, M), M * ctx.tanh(M * W), leading


def _g_of_ground_states(ctx: Any, W: Any, M: int, _N: int, _solve: Solve) -> tuple[Any, Any, Any]:
    return exact_training_mean(ctx, W, ctx.inf, M), ctx.mpf(M), -2 * M * _tail(ctx, W, M)


def _g_of_infinite_weight(ctx: Any, K: Any, M: int, _N: int, _solve: Solve) -> tuple[Any, Any, Any]:
    leading = -ctx.exp(-4 * K) * M * (M * M - M % 2) / 4
    return exact_training_mean(ctx, ctx.inf, K, M), ctx.mpf(M), leading


def _g_in_W(ctx: Any, W: Any, M: int, _N: int, _solve: Solve) -> tuple[Any, Any, Any]:
    K = ctx.one
    data = training_weights(ctx, K, M)
    smallest = -1 if M % 2 else -2  # |V| = 1 or 2
    v = visible_values(M)[smallest]
    leading = -2 * v * _tail(ctx, W, v) * data[smallest] / ctx.fsum(data)
    return exact_training_mean(ctx, W, K, M), exact_training_mean(ctx, ctx.inf, K, M), leading


def _weak_coupling(ctx: Any, K: Any, M: int, N: int, solve: Solve) -> tuple[Any, Any, Any]:
    W = solve(ctx, K, M, N)
    coefficients = weak_coupling_coefficients(M, N, 3)
    order, first = next((k, c) for k, c in enumerate(coefficients, 1) if c)
    return W**2 * N * (M - 1) / (2 * K), ctx.one, K**order * first.numerator / first.denominator


def _strong_coupling(ctx: Any, K: Any, M: int, N: int, solve: Solve) -> tuple[Any, Any, Any]:
    W = solve(ctx, K, M, N)
    log_amplitude = ctx.log(ctx.mpf(M * M - M % 2) / 8)
    coefficients = strong_coupling_series(M, N, 8).coefficients
    power, first = next((j, c) for j, c in enumerate(coefficients[1:], 1) if c)
    X = ctx.exp((log_amplitude - 4 * K) / N)
    return N * W - 2 * K, -log_amplitude / 2, -N * X**power * first.numerator / first.denominator / 2


def _long_rings(ctx: Any, scale: Any, M: int, N: int, solve: Solve) -> tuple[Any, Any, Any]:
    K, factor = ctx.mpf(1) / 4, int(scale)
    sites, hidden = factor * M, factor * N
    W = solve(ctx, K, sites, hidden)
    limit = -ctx.expm1(-2 * K)
    first = ctx.convert(long_ring_gain(K, sites, hidden, order=1, dps=ctx.dps))
    return sites * hidden * W**2, limit, first - limit


LONGER = "times"
"""The variable of limits of long rings: M and N become so many times as large."""
LIMITS: dict[str, tuple[Entry, str, Sequence[str]]] = {
    "f(W) → M, W → ∞": (_f_in_W, "W", ("1", "2", "4", "8", "16", "32")),
    "g(W, ∞) = M tanh MW → M, W → ∞": (_g_of_ground_states, "W", ("1", "2", "4", "8", "16", "32")),
    "g(∞, K) = ⟨|V|⟩ → M, K → ∞": (_g_of_infinite_weight, "K", ("2", "4", "8", "16", "32", "64")),
    "g(1/√M, K) → M tanh √M, K → ∞": (_g_in_K, "K", ("2", "4", "8", "16", "32", "64")),
    "g(W, 1) → ⟨|V|⟩, W → ∞": (_g_in_W, "W", ("1", "2", "4", "8", "16", "32")),
    "W² N (M − 1)/2K → 1, K → 0": (_weak_coupling, "K", ("1e-1", "1e-2", "1e-4", "1e-8", "1e-16", "1e-32")),
    "N W − 2K → −½ ln[(M² − [M odd])/8], K → ∞": (_strong_coupling, "K", ("4", "8", "16", "32", "64", "128")),
    "M N W² → 1 − e^(−2K) at K = ¼, M and N in proportion": (
        _long_rings,
        LONGER,
        ("1", "2", "4", "8", "16", "32"),
    ),
}
"""Each limit with the values at which it is tabulated."""


def limit_table(n_visible: int, n_hidden: int, *, dps: int = 30) -> LimitTable:
    """Return every limit of the weight and of the two sides of its equation.

    Each comes with the order of approach.

    Parameters
    ----------
    n_visible : int
        Spins M of the ring, 3 to 200; the last limit goes up to rings 32 times as long.
    n_hidden : int
        Hidden units N, 1 to 10⁷.
    dps : int
        Correct decimal digits of each value and of each difference.

    Returns
    -------
    LimitTable
        Value, limit, difference and predicted difference, six points for each limit.

    See Also
    --------
    rbmflow.weight.asymptotics.weak_coupling_weight : The series at K → 0.
    rbmflow.weight.asymptotics.strong_coupling_series : The series at K → ∞.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), appendix B.

    Examples
    --------
    >>> row = limit_table(8, 4).rows[5]
    >>> print(row.quantity, row.at, f"{row.ratio:.6f}")
    f(W) → M, W → ∞ W = 32 1.000000
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    check_integer("n_visible", n_visible, 3, MAX_LIMIT_SITES)
    check_integer("n_hidden", n_hidden, 1, MAX_LIMIT_HIDDEN)
    digits = check_digits(dps)
    rows = []
    for quantity, (entry, variable, points) in LIMITS.items():
        for point in points:
            rows.append(_row(quantity, entry, variable, point, n_visible, n_hidden, digits))
    return LimitTable(n_visible, n_hidden, digits, tuple(rows))


def _row(quantity: str, entry: Entry, variable: str, point: str, M: int, N: int, dps: int) -> LimitRow:
    found: Any = None
    lost: int | None = None

    def solve(ctx: Any, K: Any, sites: int, hidden: int) -> Any:
        nonlocal found
        found = exact_weight(ctx, found and ctx.convert(found), K, sites, hidden, dps)
        return found

    def evaluate(ctx: Any) -> list[Any]:
        nonlocal lost
        if lost is None:  # as many digits as the leading term says that the difference takes away
            _, _, predicted = entry(ctx, to_exact(ctx, variable, point), M, N, solve)
            lost = max(0, -int(ctx.log10(abs(predicted) + ctx.mpf(10) ** -(10**6))))
        ctx.dps += lost
        value, limit, predicted = entry(ctx, to_exact(ctx, variable, point), M, N, solve)
        return [value, limit, value - limit, predicted]

    at = f"{variable} = {point}" if variable != LONGER else f"M = {M * int(point)}, N = {N * int(point)}"
    return LimitRow(quantity, at, *settle(evaluate, dps))
