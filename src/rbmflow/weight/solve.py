"""The trained uniform weight W(K): the positive root of f(W) = g(W, K)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow._kernels import uniform_weight
from rbmflow.arguments import FloatArray, check_digits, check_real
from rbmflow.errors import PrecisionError
from rbmflow.hardware import simd_level
from rbmflow.precision import exact_roots
from rbmflow.weight.deviation import STRONGEST, WEAKEST, solve_by_deviation
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.exact import exact_root, limiting_weight, training_weights

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
        In the shape of `K`: 0 for K ≤ 0, infinite at K = ∞.

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
        digits = check_digits(dps)
        return exact_roots(
            lambda ctx, found, K: _exact(ctx, found, K, n_visible, n_hidden, digits), digits, K=K
        )
    couplings = check_real("K", K)
    return _solve(couplings.ravel(), n_visible, n_hidden).reshape(couplings.shape)[()]


FLOAT_DIGITS = 12


def _exact(ctx: Any, found: Any, K: Any, n_visible: int, n_hidden: int, dps: int) -> Any:
    """Return W(K) from what was found to `dps` digits, or else from float64 or the limiting laws."""
    if K <= 0:
        return ctx.zero
    if ctx.isinf(K):
        return ctx.inf
    start, known = found, dps - 1
    if found is None or known < FLOAT_DIGITS:
        known = FLOAT_DIGITS
        inside = WEAKEST < K < STRONGEST
        start = ctx.mpf(_solve(np.array([float(K)]), n_visible, n_hidden)[0]) if inside else None
    # near K = 0 both laws tend to the binomial one, their difference is of relative order K W
    spare = max(0, int(-1.5 * float(ctx.log10(K)))) + 10
    ctx.dps += spare
    data = training_weights(ctx, K, n_visible)
    ctx.dps -= spare
    start = limiting_weight(ctx, K, n_visible, n_hidden) if start is None else start
    return exact_root(ctx, data, start, known, spare, n_visible, n_hidden)


def _solve(couplings: FloatArray, n_visible: int, n_hidden: int) -> FloatArray:
    couplings = np.ascontiguousarray(couplings)
    if n_visible > MAX_KERNEL_SITES:
        return np.array([solve_by_deviation(float(K), n_visible, n_hidden) for K in couplings])
    weights = np.empty_like(couplings)
    unsettled = uniform_weight.solve_ring(couplings, n_visible, n_hidden, weights, simd_level())
    if unsettled:
        raise PrecisionError(f"{unsettled} of {couplings.size} roots did not settle", best=weights, digits=0)
    return weights
