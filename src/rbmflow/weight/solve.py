"""The trained uniform weight W(K): the positive root of f(W) = g(W, K)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow._kernels import uniform_weight
from rbmflow.arguments import FloatArray, check_real
from rbmflow.errors import PrecisionError
from rbmflow.hardware import simd_level
from rbmflow.precision import exact_map
from rbmflow.weight.equation import check_sizes, half_values, log_binomials, model_law, order_function, training_law
from rbmflow.weight.exact import exact_weight

MAX_KERNEL_SITES = 256


def trained_weight(K: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the weight W(K) that an RBM with equal weights acquires on the ring at coupling K.

    The positive root of ``⟨V tanh WV⟩_p = ⟨V tanh WV⟩_q`` (thesis eq. 69, 74), where KL(q‖p) has its minimum.
    With ``D = M tanh MW − |V| tanh |V|W`` the equation reads ``ln ⟨D⟩_p = ln ⟨D⟩_q``; at weak coupling both
    sides are written as positive deviations from the binomial law. Neither form cancels.

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf.
    n_visible : int
        Spins M of the ring, 3 to 10⁷.
    n_hidden : int
        Hidden units N, 1 to 10⁹, odd or even, above or below M.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`: 0 for K ≤ 0, infinite at K = ∞. In float64 to about 4e-15 relative for M ≤ 256;
        for longer rings a root of the float64 law of the magnetization, to about 1e-12 / K for K < 1.

    Raises
    ------
    TypeError, ValueError
        If `K` is not real or is NaN, a size is out of range, or `dps` is not an integer of at least 1.
    PrecisionError
        If the digits asked for cannot be earned.

    Examples
    --------
    >>> print(round(trained_weight(1.0, 8, 4), 10))
    0.3063083298
    >>> import mpmath
    >>> mpmath.nstr(trained_weight("1", 8, 4, dps=40), 40)
    '0.3063083298115230710851240341969155948881'
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is not None:
        return exact_map(lambda ctx, K: _exact(ctx, K, n_visible, n_hidden), dps, K=K)
    couplings = check_real("K", K)
    return _solve(couplings.ravel(), n_visible, n_hidden).reshape(couplings.shape)[()]


def _exact(ctx: Any, K: Any, n_visible: int, n_hidden: int) -> Any:
    if K <= 0:
        return ctx.zero
    if ctx.isinf(K):
        return ctx.inf
    start = float(_solve(np.array([float(K)]), n_visible, n_hidden)[0])
    return exact_weight(ctx, K, start, n_visible, n_hidden)


def _solve(couplings: FloatArray, n_visible: int, n_hidden: int) -> FloatArray:
    couplings = np.ascontiguousarray(couplings)
    if n_visible > MAX_KERNEL_SITES:
        return np.array([_solve_long_ring(K, n_visible, n_hidden) for K in couplings])
    weights = np.empty_like(couplings)
    unsettled = uniform_weight.solve_ring(couplings, n_visible, n_hidden, weights, simd_level())
    if unsettled:
        raise PrecisionError(f"{unsettled} of {couplings.size} roots did not settle", best=weights, digits=0)
    return weights


def _solve_long_ring(K: float, n_visible: int, n_hidden: int) -> float:
    """Bracket and solve for one coupling of a ring too long for the kernel."""
    if K <= 0:
        return 0.0
    if np.isinf(K):
        return float("inf")
    from scipy.optimize import brentq

    data = training_law(K, n_visible)
    strong = np.exp(2 * K) > n_visible / 3
    residual = _deficit_residual if strong else _centred_residual

    def at(log_weight: float) -> float:
        return residual(np.exp(log_weight), data, n_visible, n_hidden)

    small = 0.5 * np.log(-np.expm1(-2 * K) / n_visible / n_hidden)
    large = (2 * K - 0.5 * np.log(n_visible**2 / 8)) / n_hidden
    low = high = max(small, np.log(large)) if large > 0 else small
    while at(low) > 0:
        low -= 0.25
    while at(high) < 0:
        high += 0.25
    return float(np.exp(brentq(at, low, high, xtol=1e-15, rtol=8.9e-16)))


def _deficit_residual(W: float, data: FloatArray, n_visible: int, n_hidden: int) -> float:
    """``ln ⟨D⟩_q − ln ⟨D⟩_p``, D = M tanh MW − V tanh VW: for laws that are far from binomial."""
    values, _ = half_values(n_visible)
    decay, top = np.exp(-2 * W * values), np.exp(-2 * W * n_visible)
    # M tanh MW − V tanh VW = (M − V) tanh MW + V (tanh MW − tanh VW)
    gap = 2 * decay * -np.expm1(-2 * W * (n_visible - values)) / ((1 + decay) * (1 + top))
    deficit = (n_visible - values) * np.tanh(W * n_visible) + values * gap
    model = model_law(np.array([W]), n_visible, n_hidden)
    return float(np.log(data @ deficit) - np.log(model @ deficit))


def _centred_residual(W: float, data: FloatArray, n_visible: int, n_hidden: int) -> float:
    """``ln ⟨T⟩_p − ln ⟨T⟩_q``, T = V tanh WV less its mean over independent spins: near the binomial law."""
    values, multiplicity = half_values(n_visible)
    free = np.exp(log_binomials(n_visible)[: len(values)]) * multiplicity
    order = order_function(W, values)
    order = order - (free @ order) / free.sum()
    model = model_law(np.array([W]), n_visible, n_hidden)
    return float(np.log(model @ order) - np.log(max(float(data @ order), 1e-300)))
