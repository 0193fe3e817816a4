"""The flow with equal weights: a map of one number, its fixed points and the threshold of order.

After one step all visible units agree, so the flow is ``m' = tanh(N W tanh(M W m))``. It is concave for
m > 0 with slope ``M N W²`` at 0: zero is the only fixed point up to ``W_c = 1/√(MN)``; above, zero is unstable
and ±m* are stable. Trained weights exceed W_c for couplings above K_c(M, N) only, which the thesis does not discuss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import check_integer, check_real, check_real_scalar
from rbmflow.precision import exact_map
from rbmflow.weight.deviation import centred_mean, centred_order, data_gain, model_gain
from rbmflow.weight.equation import MAX_UNITS, check_sizes
from rbmflow.weight.exact import log_deficit_ratio, training_weights

MAX_ROUNDED_SITES = 256
FLOAT_DIGITS = 17


@dataclass(frozen=True)
class UniformFixedPoints:
    """Fixed points of ``m' = tanh(N W tanh(M W m))``, in ascending order.

    Attributes
    ----------
    magnetization : tuple of float
        (0,) or (−m*, 0, m*).
    multiplier : tuple of float
        Derivative of the map at each; a fixed point is stable when it is below 1.
    stable : tuple of bool
        At W_c itself zero still attracts, though not exponentially, and counts as stable.
    """

    magnetization: tuple[float, ...]
    multiplier: tuple[float, ...]
    stable: tuple[bool, ...]


def uniform_map(m: object, W: float, n_visible: int, n_hidden: int) -> Any:
    """Return ``tanh(N W tanh(M W m))``, one step of the flow of a uniform RBM.

    Parameters
    ----------
    m : array_like
        Mean of the visible units, between −1 and 1.
    W : float
        The uniform weight; infinite gives the sign map.
    n_visible, n_hidden : int
        Units in each layer, at least 1.

    Returns
    -------
    float or numpy.ndarray
        In the shape of `m`.

    Raises
    ------
    TypeError, ValueError
        If `m` lies outside [−1, 1] or an argument is not a number.

    Examples
    --------
    >>> print(round(float(uniform_map(0.5, 0.3, 8, 4)), 6))
    0.761756
    """
    n_visible, n_hidden = _check_layers(n_visible, n_hidden)
    W = check_real_scalar("W", W)
    values = check_real("m", m)
    if (np.abs(values) > 1).any():
        raise ValueError(f"m={m!r}: magnetizations per site lie between -1 and 1")
    if np.isinf(W):
        return np.sign(values)[()]
    return np.tanh(n_hidden * W * np.tanh(n_visible * W * values))[()]


def uniform_fixed_points(W: float, n_visible: int, n_hidden: int) -> UniformFixedPoints:
    """Return the fixed points of the flow of a uniform RBM, with their stability.

    Parameters
    ----------
    W : float
        The uniform weight, at least 0; infinite gives those of the sign map.
    n_visible, n_hidden : int
        Units in each layer, at least 1.

    Returns
    -------
    UniformFixedPoints
        One fixed point for ``M N W² ≤ 1``, three above.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number, or `W` is negative.

    Examples
    --------
    >>> points = uniform_fixed_points(0.3063, 8, 4)
    >>> print([round(m, 4) for m in points.magnetization], points.stable)
    [-0.8286, 0.0, 0.8286] (True, False, True)
    """
    n_visible, n_hidden = _check_layers(n_visible, n_hidden)
    W = check_real_scalar("W", W)
    if W < 0:
        raise ValueError(f"W={W}: a weight of at least 0 is needed; the flow depends on |W| alone")
    if np.isinf(W):
        return UniformFixedPoints((-1.0, 0.0, 1.0), (0.0, float("inf"), 0.0), (True, False, True))
    gain = n_visible * n_hidden * W * W
    if gain <= 1 + 4 * np.finfo(float).eps:
        return UniformFixedPoints((0.0,), (gain,), (True,))
    from scipy.optimize import brentq

    def growth(m: float) -> float:
        return float(np.tanh(n_hidden * W * np.tanh(n_visible * W * m))) / m - 1

    low = 1.0
    while growth(low) < 0:
        low /= 2
    # tanh rounds to 1 for strong weights: then m = 1 within rounding
    m = 1.0 if low == 1.0 else float(brentq(growth, low, 1.0, xtol=1e-300, rtol=8.9e-16))
    decay = np.exp(-2 * n_visible * W * m)
    slope = gain * (1 - m * m) * 4 * decay / (1 + decay) ** 2 if m < 1 else 0.0
    return UniformFixedPoints((-m, 0.0, m), (float(slope), gain, float(slope)), (True, False, True))


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

    Raises
    ------
    TypeError, ValueError
        If a size is not a positive integer.

    Examples
    --------
    >>> critical_weight(8, 2)
    0.25
    """
    n_visible, n_hidden = _check_layers(n_visible, n_hidden)
    return float(1 / np.sqrt(float(n_visible) * n_hidden))


def critical_coupling(n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the coupling K_c at which the trained weight reaches `critical_weight`: ``W(K_c) = 1/√(MN)``.

    For K > K_c the flow of the trained machine orders; below, every configuration flows to m = 0, which is
    infinite temperature. At fixed N/M, ``K_c ≈ ¼ ln M + ½ ln[√12 Γ(3/4)/Γ(1/4) (1 + M/N)^(−1/2)]``.

    Parameters
    ----------
    n_visible : int
        Spins M of the ring, at least 3.
    n_hidden : int
        Hidden units N, at least 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float or mpmath.mpf
        K_c; in float64 the rounded exact value for M ≤ 256, a root of the float64 equation above.

    Raises
    ------
    TypeError, ValueError
        If a size is out of range, or `dps` is not an integer of at least 1.

    Examples
    --------
    >>> print(round(critical_coupling(8, 4), 12))
    0.444199612316
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    K = _critical_coupling(n_visible, n_hidden)
    if dps is None and n_visible > MAX_ROUNDED_SITES:
        return K
    digits = FLOAT_DIGITS if dps is None else dps
    exact = exact_map(lambda ctx, K: _exact_critical_coupling(ctx, K, n_visible, n_hidden), digits, K=K)
    return float(exact) if dps is None else exact


def _critical_coupling(n_visible: int, n_hidden: int) -> float:
    """Solve ``⟨T⟩_q = ⟨T⟩_p`` for K at the critical weight, both sides as in `rbmflow.weight.deviation`."""
    from scipy.optimize import brentq

    W = critical_weight(n_visible, n_hidden)
    order = centred_order(W, n_visible)
    target = centred_mean(order, model_gain(W, n_visible, n_hidden), n_visible)

    def surplus(K: float) -> float:
        return centred_mean(order, data_gain(K, n_visible), n_visible) / target - 1

    high = 0.5
    while surplus(high) < 0:
        high += 0.5
    return float(brentq(surplus, 0.0, high, xtol=1e-16, rtol=8.9e-16))


def _exact_critical_coupling(ctx: Any, start: Any, n_visible: int, n_hidden: int) -> Any:
    digits = ctx.dps
    ctx.dps = digits + 15
    W = 1 / ctx.sqrt(ctx.mpf(n_visible) * n_hidden)

    def residual(K: Any) -> Any:
        return log_deficit_ratio(ctx, W, training_weights(ctx, K, n_visible), n_visible, n_hidden)

    K = ctx.findroot(
        residual,
        (start, start + ctx.mpf(10) ** -12),
        solver="secant",
        tol=ctx.mpf(10) ** (-digits),
        verify=False,
    )
    ctx.dps = digits
    return +K


def _check_layers(n_visible: object, n_hidden: object) -> tuple[int, int]:
    return check_integer("n_visible", n_visible, 1, MAX_UNITS), check_integer(
        "n_hidden", n_hidden, 1, MAX_UNITS
    )
