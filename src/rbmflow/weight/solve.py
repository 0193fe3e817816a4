"""The trained uniform weight W(K): the positive root of f(W) = g(W, K)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow._kernels import uniform_weight
from rbmflow.arguments import FloatArray, check_digits, check_real
from rbmflow.errors import PrecisionError
from rbmflow.hardware import simd_level
from rbmflow.precision import exact_roots
from rbmflow.roots import bracketed_root
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.exact import exact_root, limiting_weight, training_weights
from rbmflow.weight.forms import Form, WeakForm, ring_form

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

MAX_KERNEL_SITES = 256
AT_ONCE = 10**6  # sites of rings that a call of the kernel takes: a tenth of a second
# Outside these couplings the limiting laws W² = (χ − 1)/[N(M−1)], χ − 1 = 2K, and NW = 2K
# are exact to rounding
WEAKEST, STRONGEST = 1e-40, 1e30


@overload
def trained_weight(K: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def trained_weight(K: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None) -> FloatArray: ...
@overload
def trained_weight(K: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def trained_weight(K: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int) -> ExactArray: ...
def trained_weight(K: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the weight W(K) that an RBM with equal weights acquires on the ring at coupling K.

    The positive root of ``⟨V tanh WV⟩_p = ⟨V tanh WV⟩_q`` (thesis eq. 69, 74), where KL(q‖p) has its minimum.
    With ``D = M tanh MW − |V| tanh |V|W`` the equation reads ``ln ⟨D⟩_p = ln ⟨D⟩_q``; at weak coupling both
    sides are written as positive deviations from the binomial law. Neither form cancels.

    Time O(√M) for each coupling in float64 where M is beyond the correlation length e^(2K)/2, else O(M), as
    with `dps`; N does not enter.

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
    PrecisionError
        If the digits asked for cannot be earned.

    See Also
    --------
    trained_weight_from_samples : Of measured spins.
    trained_weight_from_law : Of any law of the magnetization.
    certified_weight : With a proof.
    rbmflow.flow.critical_coupling : Where the flow begins to order.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 69, 74.

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
            lambda ctx, found, K: exact_weight(ctx, found, K, n_visible, n_hidden, digits), digits, K=K
        )
    couplings = check_real("K", K)
    return _solve(couplings.ravel(), n_visible, n_hidden).reshape(couplings.shape)[()]


FLOAT_DIGITS = 12


def exact_weight(ctx: Any, found: Any, K: Any, n_visible: int, n_hidden: int, dps: int) -> Any:
    """Return W(K) from what was found to `dps` digits, or else from float64 or the limiting laws."""
    if K <= 0:
        return ctx.zero
    if ctx.isinf(K):
        return ctx.inf
    if _at_a_limit(ctx, K, n_visible, n_hidden):
        return limiting_weight(ctx, K, n_visible, n_hidden)
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


def _at_a_limit(ctx: Any, K: Any, n_visible: int, n_hidden: int) -> bool:
    """Whether the next terms of the limiting laws, of relative order K and e^(−4K/N), are beyond all digits.

    Solving needs as many digits as K has places, which of K = 1e1000000 takes minutes.
    """
    bits = ctx.prec + 64 + 4 * n_visible.bit_length()
    per_unit = 5 * K / n_hidden
    return bool(ctx.mag(K) < -bits or per_unit > bits)


def _solve(couplings: FloatArray, n_visible: int, n_hidden: int) -> FloatArray:
    couplings = np.ascontiguousarray(couplings)
    if n_visible > MAX_KERNEL_SITES:
        return np.array([_solve_one(float(K), n_visible, n_hidden) for K in couplings])
    weights = np.empty_like(couplings)
    unsettled, at_once, level = 0, max(1, AT_ONCE // n_visible), simd_level()
    for first in range(0, len(couplings), at_once):  # Ctrl-C arrives in between
        part = slice(first, first + at_once)
        unsettled += uniform_weight.solve_ring(couplings[part], n_visible, n_hidden, weights[part], level)
    if unsettled:
        raise PrecisionError(f"{unsettled} of {couplings.size} roots did not settle", best=weights, digits=0)
    return weights


def _solve_one(K: float, n_visible: int, n_hidden: int) -> float:
    if K <= 0:
        return 0.0
    if K < WEAKEST:
        return weakest_weight(2 * K, n_visible, n_hidden)
    if K > STRONGEST:
        return 2 * (float(K) / n_hidden)
    return solve_form(ring_form(K, n_visible), n_hidden)


def weakest_weight(surplus: float, n_visible: int, n_hidden: int) -> float:
    """Return W of data whose χ exceeds 1 by less than rounding shows: ``W² = (χ − 1)/[N(M−1)]``."""
    return float(np.sqrt(surplus) / np.sqrt(n_hidden * (n_visible - 1.0)))


def solve_form(form: Form, n_hidden: int) -> float:
    """Return the positive root of one form of the equation, bracketed in ln W around its guess."""
    if isinstance(form, WeakForm) and 0 < form.surplus < WEAKEST:
        return weakest_weight(form.surplus, form.view.n_visible, n_hidden)

    @cache  # the ends are asked for again
    def residual(log_weight: float) -> float:
        return form.residual(float(np.exp(log_weight)), n_hidden)

    low = high = float(np.log(form.guess(n_hidden)))
    width = 0.02
    if residual(low) > 0:
        while residual(low) > 0:
            low, high, width = low - width, low, min(3 * width, 2.0)
    else:
        while residual(high) < 0:
            low, high, width = high, high + width, min(3 * width, 2.0)
    # a residual carries the rounding of logarithms of size M, within which a bracket shrinks by chance
    settled = 1e-15 + 1e-17 * form.view.n_visible
    return float(np.exp(bracketed_root(residual, low, high, absolute=settled)))
