"""How the weight and the divergence change: dW/dK, the curvature of KL(q‖p), its value along W(K)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_digits, check_real
from rbmflow.ising import Ring
from rbmflow.ising.transfer_matrix import ring_susceptibility
from rbmflow.precision import exact_functions, exact_map
from rbmflow.weight.equation import check_sizes, kl_uniform
from rbmflow.weight.exact import MAX_CLASSED_SITES, exact_derivatives, exact_divergence
from rbmflow.weight.forms import ring_form
from rbmflow.weight.solve import STRONGEST, WEAKEST, exact_weight, trained_weight

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

STRONGEST_DIVERGENCE = 5000


@overload
def trained_weight_derivative(K: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def trained_weight_derivative(
    K: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None
) -> FloatArray: ...
@overload
def trained_weight_derivative(K: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def trained_weight_derivative(
    K: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int
) -> ExactArray: ...
def trained_weight_derivative(K: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return dW/dK along the trained weight, by implicit differentiation of f(W) = g(W, K).

    ``dW/dK = (∂g/∂K)/(∂f/∂W − ∂g/∂W)`` with, by α = Σ v_i v_(i+1), ::

        ∂g/∂K = Cov_q(α, V tanh WV),    ∂g/∂W = ⟨V² sech² WV⟩_q
        ∂f/∂W = ⟨V² sech² WV⟩_p + N Var_p(V tanh WV)

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`: 0 for K < 0, infinite at 0, where ``W = [2K/N(M−1)]^½``, and 2/N at K = ∞.

    See Also
    --------
    trained_weight : The weight itself.
    certified_monotone : A proof that it increases.

    Examples
    --------
    >>> print(round(trained_weight_derivative(1.0, 8, 4), 10))
    0.2835657129
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is not None:
        digits = check_digits(dps)
        return exact_map(lambda ctx, K: _exact_derivative(ctx, K, n_visible, n_hidden, digits), digits, K=K)
    couplings = check_real("K", K)
    weights = np.asarray(trained_weight(couplings, n_visible, n_hidden))
    pairs = zip(couplings.flat, weights.flat, strict=True)
    values = [_derivative(float(K), float(W), n_visible, n_hidden) for K, W in pairs]
    return np.array(values).reshape(couplings.shape)[()]


def _derivative(K: float, W: float, n_visible: int, n_hidden: int) -> float:
    if K < 0:
        return 0.0
    if K < WEAKEST:
        return float(1 / np.sqrt(2 * K * n_hidden * (n_visible - 1.0))) if K else float("inf")
    if K > STRONGEST:
        return 2 / n_hidden
    form = ring_form(K, n_visible)
    return W * form.response(W) / form.sensitivity(W, n_hidden)


def _exact_derivative(ctx: Any, K: Any, n_visible: int, n_hidden: int, dps: int) -> Any:
    if K <= 0:
        return ctx.zero if K < 0 else ctx.inf
    if ctx.isinf(K):
        return ctx.mpf(2) / n_hidden
    ctx.dps += _spare_digits(ctx, K)
    W = exact_weight(ctx, None, K, n_visible, n_hidden, dps)
    at = exact_derivatives(ctx, W, K, n_visible, n_hidden)
    return at.by_coupling / at.by_weight


def _spare_digits(ctx: Any, K: Any) -> int:
    """Digits that cancel near K = 0: the laws are binomial up to a relative K, and D is O(W), W ~ √K."""
    return max(0, int(-2.5 * float(ctx.log10(K))))


@overload
def kl_curvature(K: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def kl_curvature(K: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None) -> FloatArray: ...
@overload
def kl_curvature(K: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def kl_curvature(K: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int) -> ExactArray: ...
def kl_curvature(K: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return d²KL/dW² at the trained weight, ``N (∂f/∂W − ∂g/∂W)``: the stiffness of the minimum.

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`, in nats. For K ≤ 0, where the minimum lies at W = 0, the value of
        `kl_curvature_at_zero`; 0 at K = ∞.

    Examples
    --------
    >>> print(round(kl_curvature(1.0, 8, 4), 8))
    68.74909666
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is not None:
        digits = check_digits(dps)

        def exact(ctx: Any, K: Any) -> Any:
            if ctx.isinf(K) and K > 0:
                return ctx.zero
            if K <= 0:
                return _exact_curvature_at_zero(ctx, K, n_visible, n_hidden)
            ctx.dps += _spare_digits(ctx, K)
            W = exact_weight(ctx, None, K, n_visible, n_hidden, digits)
            return n_hidden * exact_derivatives(ctx, W, K, n_visible, n_hidden).by_weight

        return exact_map(exact, digits, K=K)
    couplings = check_real("K", K)
    weights = np.asarray(trained_weight(couplings, n_visible, n_hidden))
    pairs = zip(couplings.flat, weights.flat, strict=True)
    values = [_curvature(float(K), float(W), n_visible, n_hidden) for K, W in pairs]
    return np.array(values).reshape(couplings.shape)[()]


def _curvature(K: float, W: float, n_visible: int, n_hidden: int) -> float:
    if K < WEAKEST:
        # 2N M K above the coupling where it is minus twice the curvature at zero: the quartic's minimum
        return (
            float(-2 * kl_curvature_at_zero(K, n_visible, n_hidden))
            if K > 0
            else float(kl_curvature_at_zero(K, n_visible, n_hidden))
        )
    if K > STRONGEST:
        return 0.0
    form = ring_form(K, n_visible)
    return n_hidden * form.scale(W) * form.sensitivity(W, n_hidden) / W


@overload
def kl_curvature_at_zero(K: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def kl_curvature_at_zero(K: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None) -> FloatArray: ...
@overload
def kl_curvature_at_zero(K: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def kl_curvature_at_zero(K: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int) -> ExactArray: ...
def kl_curvature_at_zero(K: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return d²KL/dW² at W = 0, ``N (M − ⟨V²⟩_q)``: negative for K > 0, where W = 0 is a maximum.

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`, in nats.

    Examples
    --------
    >>> print(round(kl_curvature_at_zero(1.0, 8, 4), 8))
    -156.36692095
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is not None:
        return exact_map(lambda ctx, K: _exact_curvature_at_zero(ctx, K, n_visible, n_hidden), dps, K=K)
    couplings = check_real("K", K)
    # χ − 1 = 2 Σ_(r ≥ 1) correlations, which does not cancel at weak coupling, where χ is 1 + 2K
    susceptibility = np.asarray(Ring(n_visible).susceptibility(couplings))
    with np.errstate(over="ignore", invalid="ignore"):
        t = np.tanh(couplings)
        rest = np.where(np.abs(t) < 1, t**n_visible, 0.0)
        excess = (np.expm1(2 * couplings) * (1 - rest) - 2 * rest) / (1 + rest)
    surplus = np.where(np.abs(couplings) < 0.5, excess, susceptibility - 1)
    return (-n_hidden * n_visible * surplus)[()]


def _exact_curvature_at_zero(ctx: Any, K: Any, n_visible: int, n_hidden: int) -> Any:
    if ctx.isinf(K):
        ground = n_visible**2 if K > 0 else n_visible % 2
        return ctx.mpf(n_hidden * (n_visible - ground))
    if abs(K) > 1:
        surplus = ring_susceptibility(exact_functions(ctx), K, n_visible) - 1
    else:
        rest = ctx.tanh(K) ** n_visible
        surplus = (ctx.expm1(2 * K) * (1 - rest) - 2 * rest) / (1 + rest)
    return -n_hidden * n_visible * surplus


@overload
def kl_trained(K: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def kl_trained(K: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None) -> FloatArray: ...
@overload
def kl_trained(K: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def kl_trained(K: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int) -> ExactArray: ...
def kl_trained(K: Any, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return KL(q‖p) along the trained weight W(K): what equal weights cannot learn.

    Parameters
    ----------
    K : array_like
        Couplings βJ; with `dps` also decimal strings, fractions or mpf.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `K`, in nats; 0 at K = 0 and at K = ∞.

    See Also
    --------
    kl_uniform : At any weight.

    Examples
    --------
    >>> print(round(float(kl_trained(1.0, 8, 4)), 12))
    0.577930474431
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is None:
        return kl_uniform(trained_weight(K, n_visible, n_hidden), K, n_visible, n_hidden)
    digits = check_digits(dps)

    def exact(ctx: Any, K: Any) -> Any:
        if (ctx.isinf(K) and K > 0) or not K:
            return ctx.zero
        if n_visible > MAX_CLASSED_SITES:
            if abs(K) > STRONGEST_DIVERGENCE:
                raise ValueError(
                    f"K={ctx.nstr(K, 15)}: KL has digits up to |K| = {STRONGEST_DIVERGENCE} only"
                )
            # KL is of order K² for weak and e^(−4K) for strong coupling, left of terms of order M
            ctx.dps += int(max(-2.5 * float(ctx.log10(abs(K))), 2 * float(abs(K)))) + 5
        else:
            ctx.dps += max(0, int(ctx.log10(abs(K)))) + 5  # ln p/q of order 1 is left of terms of order K
        W = exact_weight(ctx, None, K, n_visible, n_hidden, digits)
        return exact_divergence(ctx, W, K, n_visible, n_hidden)

    return exact_map(exact, digits, K=K)
