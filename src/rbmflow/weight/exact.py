"""The trained uniform weight in arbitrary precision.

The equation is the same, with mpmath numbers of a private context. With ``s = e^(−2W)`` every hyperbolic
function of an integer multiple of W is rational in s. Both laws are even in V, so only V = M, M − 2, …, 0 or
1 are summed, V ≠ 0 with weight 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rbmflow.ising.ring_counts import wall_pair_count
from rbmflow.ising.transfer_matrix import ring_entropy
from rbmflow.ising.walls import ring_weights, wall_sums
from rbmflow.precision import exact_functions
from rbmflow.roots import refine_root


def _half(n_visible: int) -> list[tuple[int, int]]:
    """(V, multiplicity) for V = M, M − 2, …, 0 or 1."""
    return [(v, 2 if v else 1) for v in range(n_visible, -1, -2)]


def visible_values(n_visible: int) -> list[int]:
    """|V| = M, M − 2, …, 0 or 1."""
    return [v for v, _ in _half(n_visible)]


def training_weights(ctx: Any, K: Any, n_visible: int) -> list[Any]:
    """Weights of V = M, M − 2, … under the ring law, multiplicity included, relative to one aligned state."""
    weights = ring_weights(n_visible, ctx.exp(-4 * K))
    return [
        multiplicity * weight for (_, multiplicity), weight in zip(_half(n_visible), weights, strict=False)
    ]


def training_slopes(ctx: Any, K: Any, n_visible: int) -> list[Any]:
    """Derivatives by K of the weights of `training_weights`; ``−4x d/dx [M x F(n)] = −4Mx (F + x F')``."""
    x = ctx.exp(-4 * K)
    values, slopes = wall_sums(n_visible, x)
    interior = [-4 * n_visible * x * (value + x * slope) for value, slope in zip(values, slopes, strict=True)]
    return [
        multiplicity * slope
        for (_, multiplicity), slope in zip(_half(n_visible), [ctx.zero, *interior], strict=True)
    ]


def model_weights(ctx: Any, W: Any, n_visible: int, n_hidden: int) -> list[Any]:
    """Weights of V = M, M − 2, … under the uniform RBM, relative to one aligned state.

    ``C(M, n) [cosh WV / cosh WM]^N = C(M, n) [s^((M−V)/2) (1 + s^V) / (1 + s^M)]^N``.
    """
    return _weights_of(ctx, decay_powers(ctx, W, n_visible), n_hidden)


def _weights_of(ctx: Any, powers: list[Any], n_hidden: int) -> list[Any]:
    n_visible = len(powers) - 1
    top = 1 / (1 + powers[n_visible])
    return [
        multiplicity * states * (powers[k] * (1 + powers[v]) * top) ** n_hidden
        for k, ((v, multiplicity), states) in enumerate(
            zip(_half(n_visible), _binomials(ctx, n_visible), strict=True)
        )
    ]


def _binomials(ctx: Any, n: int) -> Iterator[Any]:
    """``C(n, k)`` for k = 0 … n // 2: integers, from where they are long on numbers of the context."""
    bits = ctx.prec + 2 * n.bit_length() + 10
    value, exponent = 1, 0
    for k in range(n // 2 + 1):
        yield ctx.mpf((value, exponent)) if exponent else value
        value = value * (n - k) // (k + 1)
        if value.bit_length() > 2 * bits:
            exponent += bits
            value >>= bits


def decay_powers(ctx: Any, W: Any, n_visible: int) -> list[Any]:
    """1, s, s², …, s^M with ``s = e^(−2W)``."""
    s, powers = ctx.exp(-2 * W), [ctx.one]
    for _ in range(n_visible):
        powers.append(powers[-1] * s)
    return powers


def order_values(ctx: Any, W: Any, n_visible: int) -> list[Any]:
    """``V tanh WV`` for V = M, M − 2, …."""
    return [v * ctx.tanh(W * v) if v else ctx.zero for v, _ in _half(n_visible)]


def _mean(ctx: Any, weights: list[Any], values: list[Any]) -> Any:
    return ctx.fdot(weights, values) / ctx.fsum(weights)


def exact_model_mean(ctx: Any, W: Any, n_visible: int, n_hidden: int) -> Any:
    """``f(W) = ⟨V tanh WV⟩_p``, odd in W, M at W = ∞."""
    if ctx.isinf(W):
        return ctx.sign(W) * n_visible
    weights = model_weights(ctx, abs(W), n_visible, n_hidden)
    return ctx.sign(W) * _mean(ctx, weights, order_values(ctx, abs(W), n_visible))


def exact_training_mean(ctx: Any, W: Any, K: Any, n_visible: int) -> Any:
    """``g(W, K) = ⟨V tanh WV⟩_q``; at K = ±∞ over the ground states."""
    if ctx.isinf(K):
        v = n_visible if K > 0 else n_visible % 2
        return v * ctx.tanh(W * v) if v else ctx.zero
    return _mean(ctx, training_weights(ctx, K, n_visible), order_values(ctx, W, n_visible))


def deficits(ctx: Any, W: Any, n_visible: int) -> list[Any]:
    """``D = M tanh MW − V tanh VW ≥ 0`` for V = M, M − 2, …; 0 for the aligned states."""
    return _deficits_of(decay_powers(ctx, W, n_visible))


def _deficits_of(powers: list[Any]) -> list[Any]:
    n_visible = len(powers) - 1
    tails = [2 * v * powers[v] / (1 + powers[v]) for v, _ in _half(n_visible)]
    return [(n_visible - v) + tail - tails[0] for (v, _), tail in zip(_half(n_visible), tails, strict=True)]


def log_deficit_ratio(ctx: Any, W: Any, data: list[Any], n_visible: int, n_hidden: int) -> Any:
    """``ln ⟨D⟩_p − ln ⟨D⟩_q``, positive below the trained weight; `data` holds q to any norm.

    D vanishes for the aligned states, so that neither side is a small difference of large
    numbers, however strong the coupling: subtracting a constant from V tanh WV changes nothing, as both laws
    are normalised.
    """
    powers = decay_powers(ctx, W, n_visible)
    gaps, model = _deficits_of(powers), _weights_of(ctx, powers, n_hidden)
    return ctx.log(_mean(ctx, model, gaps) / _mean(ctx, data, gaps))


@dataclass(frozen=True)
class Derivatives:
    """First derivatives of both sides at a point (W, K), with D for V tanh WV: ``f − g = ⟨D⟩_q − ⟨D⟩_p``."""

    by_weight: Any
    """``∂(f − g)/∂W``."""
    by_coupling: Any
    """``∂g/∂K``."""


def exact_derivatives(ctx: Any, W: Any, K: Any, n_visible: int, n_hidden: int) -> Derivatives:
    """Return the derivatives of f − g by W and of g by K.

    ``D_W = M² sech² MW − V² sech² VW`` and ``d ln p/dW = −N (D − ⟨D⟩_p)`` give
    ``∂⟨D⟩_p/∂W = ⟨D_W⟩_p − N (⟨D²⟩_p − ⟨D⟩_p²)``.
    """
    gaps = deficits(ctx, W, n_visible)
    sharp = [v * v * ctx.sech(W * v) ** 2 for v, _ in _half(n_visible)]
    change = [sharp[0] - value for value in sharp]
    model = model_weights(ctx, W, n_visible, n_hidden)
    data = training_weights(ctx, K, n_visible)
    slopes = training_slopes(ctx, K, n_visible)
    mean = _mean(ctx, model, gaps)
    variance = _mean(ctx, model, [gap * gap for gap in gaps]) - mean**2
    by_weight = _mean(ctx, data, change) - _mean(ctx, model, change) + n_hidden * variance
    norm = ctx.fsum(data)
    by_coupling = (_mean(ctx, data, gaps) * ctx.fsum(slopes) - ctx.fdot(slopes, gaps)) / norm
    return Derivatives(by_weight, by_coupling)


MAX_CLASSED_SITES = 256


@lru_cache(maxsize=16)
def ring_classes(n_visible: int) -> tuple[tuple[int, int, int], ...]:
    """Return (spins down k, pairs of walls j, states) of every class of ring states.

    A class holds the states of V and of −V; the first is aligned.
    """
    rows = [(0, 0, 2)]
    for k, (_, multiplicity) in enumerate(_half(n_visible)[1:], 1):
        rows += [(k, j, multiplicity * wall_pair_count(n_visible, k, j)) for j in range(1, k + 1)]
    return tuple(rows)


def exact_divergence(ctx: Any, W: Any, K: Any, n_visible: int, n_hidden: int) -> Any:
    """Return KL(q‖p), as in `rbmflow.weight.equation.kl_uniform`, for finite W ≥ 0 and K.

    For M ≤ 256 as ``ln ⟨e^(x − ⟨x⟩)⟩_q``, x = ln(p/q) up to a constant, whose terms are not negative; beyond,
    where there are too many classes of states, from the entropy: there KL is left of terms of order M.
    """
    drops = [n_hidden * drop for drop in _log_cosh_drops(ctx, W, n_visible)]
    if n_visible > MAX_CLASSED_SITES:
        data, model = (
            training_weights(ctx, K, n_visible),
            model_weights(ctx, W, n_visible, n_hidden),
        )
        entropy = ring_entropy(exact_functions(ctx), K, n_visible)
        return _mean(ctx, data, drops) + ctx.log(ctx.fsum(model)) - entropy
    classes = ring_classes(n_visible)
    powers = [ctx.exp(-4 * K * j) for j in range(n_visible // 2 + 1)]
    q = [count * powers[j] for _, j, count in classes]
    ratio = [4 * K * j - drops[k] for k, j, _ in classes]
    norm, mean = ctx.fsum(q), _mean(ctx, q, ratio)
    terms = [weight * _exponential_excess(ctx, x - mean) for weight, x in zip(q, ratio, strict=True)]
    return ctx.log1p(ctx.fsum(terms) / norm)


def _log_cosh_drops(ctx: Any, W: Any, n_visible: int) -> list[Any]:
    """Return ``ln [cosh WM / cosh WV]`` for V from M down in steps of 2.

    Of small W from ``ln cosh y = ln (1 + 2 sinh² y/2)``, of order W².
    """
    if W * n_visible < 1:
        logs = [ctx.log1p(2 * ctx.sinh(W * v / 2) ** 2) for v, _ in _half(n_visible)]
        return [logs[0] - log for log in logs]
    s = ctx.exp(-2 * W)
    tails = [ctx.log1p(s**v) for v, _ in _half(n_visible)]
    return [tails[0] - tail + 2 * k * W for k, tail in enumerate(tails)]


def _exponential_excess(ctx: Any, y: Any) -> Any:
    """``e^y − 1 − y ≥ 0``, with the bits that its terms have in common."""
    if not y or -ctx.mag(y) > ctx.prec:
        return y * y / 2
    precision = ctx.prec
    ctx.prec += max(0, -ctx.mag(y)) + 10
    value = ctx.expm1(y) - y
    ctx.prec = precision
    return +value


def limiting_weight(ctx: Any, K: Any, n_visible: int, n_hidden: int) -> Any:
    """Return a start at either end of the doubles.

    ``W² = 2K/[N(M−1)]`` up to K = 1 and ``W = [2K − ½ ln((M² − [M odd])/8)]/N`` above.
    """
    if K <= 1:
        return ctx.sqrt(2 * K / (n_hidden * (n_visible - 1)))
    return (2 * K - ctx.log(ctx.mpf(n_visible**2 - n_visible % 2) / 8) / 2) / n_hidden


def exact_root(
    ctx: Any, data: list[Any], start: Any, known: float, spare: int, n_visible: int, n_hidden: int
) -> Any:
    """Return the positive root W of f(W) = g(W) to the precision of the context.

    Parameters
    ----------
    ctx : mpmath.ctx_mp.MPContext
        Private context.
    data : list of mpf
        Weights of V = M, M − 2, … under the training law, multiplicity included, to `spare`
        digits beyond the context's.
    start : mpf
        The root to `known` relative decimal digits.
    known : float
        Digits of `start`.
    spare : int
        Digits that cancel: near independent spins the two laws differ little.
    n_visible, n_hidden : int
        Units in each layer.

    Returns
    -------
    mpf
        W.
    """

    def residual(u: Any) -> Any:
        precision = ctx.prec
        ctx.dps += spare
        value = log_deficit_ratio(ctx, ctx.exp(u), data, n_visible, n_hidden)
        ctx.prec = precision
        return value

    return ctx.exp(refine_root(ctx, residual, ctx.log(start), known))
