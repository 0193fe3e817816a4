"""The threshold of order with equal weights.

The trained flow orders if and only if ``M N W² > 1``, for couplings above K_c(M, N).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import check_digits, check_integer
from rbmflow.flow.uniform import check_layers
from rbmflow.precision import exact_roots, settle
from rbmflow.roots import bracketed_root, refine_root
from rbmflow.weight.equation import MAX_UNITS, check_sizes
from rbmflow.weight.exact import log_deficit_ratio, training_weights
from rbmflow.weight.forms import ring_form

if TYPE_CHECKING:
    from rbmflow.typing import MPF

MAX_ROUNDED_SITES = 256
FLOAT_DIGITS = 17


def critical_weight(n_visible: int, n_hidden: int) -> float:
    """Return the weight ``W_c = 1/√(MN)`` above which the flow of a uniform RBM orders.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units in each layer, at least 1.

    Returns
    -------
    float
        W_c.

    See Also
    --------
    critical_coupling : The coupling where W(K) reaches it.
    uniform_fixed_points : What lies above and below.

    Examples
    --------
    >>> critical_weight(8, 2)
    0.25
    """
    n_visible, n_hidden = check_layers(n_visible, n_hidden)
    return float(1 / np.sqrt(float(n_visible) * n_hidden))


@overload
def critical_coupling(n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def critical_coupling(n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
def critical_coupling(n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the coupling K_c at which the trained weight reaches `critical_weight`: ``W(K_c) = 1/√(MN)``.

    For K > K_c the flow of the machine trained with equal weights orders; below, every configuration flows to
    m = 0, which is infinite temperature. `critical_coupling_law` gives it for long rings.

    Time O(M).

    Parameters
    ----------
    n_visible : int
        Spins M of the ring, 3 to 10⁷.
    n_hidden : int
        Hidden units N, at least 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        K_c; in float64 the rounded exact value for M ≤ 256, a root of the float64 equation above.

    See Also
    --------
    critical_weight : The weight at the threshold.
    critical_coupling_limit : Of long rings at fixed N.
    critical_coupling_law : Of long rings at fixed N/M.
    critical_temperature : After training on a range of temperatures.

    Examples
    --------
    >>> print(round(critical_coupling(8, 4), 12))
    0.444199612316
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    digits = None if dps is None else check_digits(dps)
    K = float_critical_coupling(n_visible, n_hidden)
    if digits is None and n_visible > MAX_ROUNDED_SITES:
        return K
    wanted = digits or FLOAT_DIGITS
    exact = exact_roots(
        lambda ctx, found, K: _exact_critical_coupling(ctx, found, K, n_visible, n_hidden, wanted),
        wanted,
        K=K,
    )
    return float(exact) if digits is None else exact


def float_critical_coupling(n_visible: int, n_hidden: int) -> float:
    """Return K_c in float64, not rounded from more digits: the root of ``r(W_c; K) = 0`` in K."""
    W = critical_weight(n_visible, n_hidden)

    def surplus(K: float) -> float:
        return -ring_form(K, n_visible).residual(W, n_hidden)

    low, high = 0.02, 0.25
    while surplus(high) < 0:
        low, high = high, high + 0.25
    return bracketed_root(surplus, low, high, absolute=1e-16)


def _exact_critical_coupling(
    ctx: Any, found: Any, start: Any, n_visible: int, n_hidden: int, dps: int
) -> Any:
    W = 1 / ctx.sqrt(ctx.mpf(n_visible) * n_hidden)

    def residual(K: Any) -> Any:
        # at the weight 1/√(MN) the laws differ from independent spins by a finite factor, W itself is small
        precision = ctx.prec
        ctx.prec += 20
        value = log_deficit_ratio(ctx, W, training_weights(ctx, K, n_visible), n_visible, n_hidden)
        ctx.prec = precision
        return value

    ctx.dps += 10
    start, known = (start, 11) if found is None or dps < 13 else (found, dps - 2)
    K = refine_root(ctx, residual, start, known)
    ctx.dps -= 10
    return +K


@overload
def critical_coupling_law(n_visible: int, n_hidden: int, *, order: int = 1, dps: None = None) -> float: ...
@overload
def critical_coupling_law(n_visible: int, n_hidden: int, *, order: int = 1, dps: int) -> MPF: ...
def critical_coupling_law(n_visible: int, n_hidden: int, *, order: int = 1, dps: int | None = None) -> Any:
    """Return K_c for long rings at fixed γ = N/M, to the power ``M^(−order/2)``.

    At W_c the quadratic terms of ln p cancel. In η = V/M^(3/4), with a = 1 + 1/γ and c₆ = 1/30 − 1/(45γ²), ::

        p ∝ exp[−a η⁴/12 + M^(−1/2) (η²/2 − c₆ η⁶)],    ⟨η²⟩_q = e^(2K)/√M
        K_c = ¼ ln M + ½ ln m₂ + {½(m₄ − m₂²) − c₆(m₈ − m₆ m₂) − (m₄ − 3 m₂²)/(3γ)}/(2 m₂ √M) + O(1/M)

    with the moments of the quartic law ``m_(2k) = (12/a)^(k/2) Γ((2k+1)/4)/Γ(¼)``; m₂ = √(12/a) Γ(¾)/Γ(¼). In
    the limit the flow orders at T = 0 only, the critical point of the chain.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    order : int
        0 for the thermodynamic law, 1 with its finite-size correction.
    dps : int, optional
        Decimal digits of the evaluation; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        The law's value; the error is of order ``M^(−(order+1)/2)``.

    Examples
    --------
    >>> print(round(critical_coupling_law(1024, 512), 5), round(critical_coupling(1024, 512), 5))
    1.55372 1.55284
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    order = check_integer("order", order, 0, 1)
    digits = FLOAT_DIGITS if dps is None else check_digits(dps)
    value = settle(lambda ctx: [_law(ctx, n_visible, n_hidden, order)], digits)[0]
    return float(value) if dps is None else value


def _law(ctx: Any, n_visible: int, n_hidden: int, order: int) -> Any:
    ratio = ctx.mpf(n_visible) / n_hidden  # 1/γ
    width = 12 / (1 + ratio)
    m2, m4, m6, m8 = (
        width ** (ctx.mpf(k) / 2) * ctx.gamma(ctx.mpf(2 * k + 1) / 4) / ctx.gamma(ctx.mpf(1) / 4)
        for k in (1, 2, 3, 4)
    )
    law = ctx.log(n_visible) / 4 + ctx.log(m2) / 2
    if order:
        sextic = ctx.mpf(1) / 30 - ratio**2 / 45
        correction = (m4 - m2**2) / 2 - sextic * (m8 - m6 * m2) - ratio * (m4 - 3 * m2**2) / 3
        law += correction / (2 * m2 * ctx.sqrt(n_visible))
    return law


@overload
def critical_coupling_limit(n_hidden: int, *, dps: None = None) -> float: ...
@overload
def critical_coupling_limit(n_hidden: int, *, dps: int) -> MPF: ...
def critical_coupling_limit(n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the limit of K_c for long rings at a fixed number of hidden units.

    Then V/√M is Gaussian under both laws, of variance e^(2K) under the data's; the machine's is a mixture
    over the hidden magnetization H, with weights ``C(N, (N+H)/2) e^(H²/2N)``::

        ⟨H²⟩/N^(3/2) = ∫ dξ ξ tanh(ξ/√N) e^(−ξ²/2χ)/√(2πχ),   χ = e^(2K)

    Parameters
    ----------
    n_hidden : int
        Hidden units N, 1 to 2000.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        ``lim K_c(M, N)``, M → ∞.

    Examples
    --------
    >>> [round(critical_coupling_limit(N), 4) for N in (1, 2, 4, 16)]
    [0.379, 0.4838, 0.6019, 0.8709]
    """
    n_hidden = check_integer("n_hidden", n_hidden, 1, min(2000, MAX_UNITS))
    digits = FLOAT_DIGITS if dps is None else check_digits(dps)
    value = settle(lambda ctx: [_limit(ctx, n_hidden)], digits)[0]
    return float(value) if dps is None else value


def _limit(ctx: Any, n_hidden: int) -> Any:
    weights = [
        ctx.binomial(n_hidden, k) * ctx.exp(ctx.mpf(n_hidden - 2 * k) ** 2 / (2 * n_hidden))
        for k in range(n_hidden + 1)
    ]
    squares = [(n_hidden - 2 * k) ** 2 for k in range(n_hidden + 1)]
    root = ctx.sqrt(n_hidden)
    model = ctx.fdot(weights, squares) / ctx.fsum(weights) / root**3

    def excess(K: Any) -> Any:
        width = ctx.exp(K)
        return ctx.log(2 * width * _gaussian_mean(ctx, width / root) / model)

    start = ctx.log(n_hidden) / 6 + ctx.mpf(3) / 8
    return ctx.findroot(
        excess, (start, start + ctx.mpf(1) / 10), solver="secant", tol=ctx.eps * 100, verify=False
    )


def _gaussian_mean(ctx: Any, slope: Any) -> Any:
    """Return ``∫_0^∞ z tanh(slope z) e^(−z²/2) dz/√(2π)`` by the trapezoidal rule, which errs by e^(−nats).

    The integrand is even and analytic up to the pole at ``iπ/(2 slope)``: with the path moved by y the rule
    of step h errs by ``e^(y²/2 − 2πy/h)``.
    """
    nats = ctx.prec * ctx.ln2 + 20
    shift = min(ctx.pi / (2 * slope), ctx.sqrt(2 * nats))
    h = 2 * ctx.pi * shift / (nats + shift**2 / 2)
    # e^(−z²/2) and e^(−2 slope z) at z = h, 2h, …
    gauss, ratio, square = ctx.one, ctx.exp(-h * h / 2), ctx.exp(-h * h)
    decay, factor = ctx.one, ctx.exp(-2 * slope * h)
    total = ctx.zero
    for k in range(1, int(ctx.sqrt(2 * nats) / h) + 2):
        gauss *= ratio
        ratio *= square
        decay *= factor
        total += k * gauss * (1 - decay) / (1 + decay)
    return total * h * h / ctx.sqrt(2 * ctx.pi)
