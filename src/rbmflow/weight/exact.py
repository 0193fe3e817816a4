"""The trained uniform weight in arbitrary precision: the same equation, with mpmath numbers of a private context.

With ``s = e^(−2W)`` every hyperbolic function of an integer multiple of W is rational in s. Both laws
are even in V, so only V = M, M − 2, …, 0 or 1 are summed, V ≠ 0 with weight 2.
"""

from __future__ import annotations

from math import comb
from typing import Any

from rbmflow.ising.walls import ring_weights


def _half(n_visible: int) -> list[tuple[int, int]]:
    """(V, multiplicity) for V = M, M − 2, …, 0 or 1."""
    return [(v, 2 if v else 1) for v in range(n_visible, -1, -2)]


def training_weights(ctx: Any, K: Any, n_visible: int) -> list[Any]:
    """Weights of V = M, M − 2, … under the ring law, multiplicity included, relative to one aligned state."""
    weights = ring_weights(n_visible, ctx.exp(-4 * K))
    return [
        multiplicity * weight for (_, multiplicity), weight in zip(_half(n_visible), weights, strict=False)
    ]


def model_weights(ctx: Any, W: Any, n_visible: int, n_hidden: int) -> list[Any]:
    """Weights of V = M, M − 2, … under the uniform RBM, relative to one aligned state.

    ``C(M, n) [cosh WV / cosh WM]^N = C(M, n) [s^((M−V)/2) (1 + s^V) / (1 + s^M)]^N``.
    """
    s = ctx.exp(-2 * W)
    top = 1 + s**n_visible
    return [
        multiplicity * comb(n_visible, k) * (s**k * (1 + s**v) / top) ** n_hidden
        for k, (v, multiplicity) in enumerate(_half(n_visible))
    ]


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


def log_deficit_ratio(ctx: Any, W: Any, data: list[Any], n_visible: int, n_hidden: int) -> Any:
    """``ln ⟨D⟩_p − ln ⟨D⟩_q`` with ``D = M tanh MW − V tanh VW ≥ 0``; positive below the trained weight.

    D vanishes for the aligned states, so that neither side is a small difference of large
    numbers, however strong the coupling: subtracting a constant from V tanh WV changes nothing, as both laws
    are normalised.
    """
    s = ctx.exp(-2 * W)
    top = 2 * n_visible * s**n_visible / (1 + s**n_visible)
    deficits = [(n_visible - v) + 2 * v * s**v / (1 + s**v) - top for v, _ in _half(n_visible)]
    model = model_weights(ctx, W, n_visible, n_hidden)
    return ctx.log(_mean(ctx, model, deficits)) - ctx.log(_mean(ctx, data, deficits))


def exact_weight(ctx: Any, K: Any, start: float, n_visible: int, n_hidden: int) -> Any:
    """Return the positive root W of f(W) = g(W, K), K > 0, to the precision of the context.

    `start` is the float64 root, 0 or infinite where K is beyond that range; there the small- and large-K laws
    ``W² = 2K/(N(M−1))`` and ``W = [2K − ½ ln((M² − [M odd])/8)]/N`` start the secant iteration.
    """
    digits = ctx.dps
    # Near K = 0 both laws tend to the binomial one: their difference is of relative order K W²
    ctx.dps = digits + max(0, int(-2.5 * ctx.log10(K))) + 10
    data = training_weights(ctx, K, n_visible)
    if start == 0.0:
        guess = ctx.sqrt(2 * K / (n_hidden * (n_visible - 1)))
    elif start == float("inf") or K > 10**6:
        guess = (2 * K - ctx.log(ctx.mpf(n_visible**2 - n_visible % 2) / 8) / 2) / n_hidden
    else:
        guess = ctx.mpf(start)
    log_root = ctx.findroot(
        lambda u: log_deficit_ratio(ctx, ctx.exp(u), data, n_visible, n_hidden),
        (ctx.log(guess), ctx.log(guess) + ctx.mpf(10) ** -12),
        solver="secant",
        tol=ctx.mpf(10) ** (-digits),
        maxsteps=60,
        verify=False,
    )
    root = ctx.exp(log_root)
    ctx.dps = digits
    return +root
