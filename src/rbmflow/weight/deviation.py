"""Both laws of the magnetization as deviations from that of independent spins, without cancellation.

With b(V) the binomial law, ``p(V) ∝ b(V) e^{u(V)}`` and ``q(V) ∝ b(V) e^{e(V)}``, where u and e vanish at the smallest
|V|, are positive for W, K > 0 and known to full relative precision. For T(V) = V tanh WV less its mean under b,

    ⟨T⟩_p = Σ b T (e^u − 1) / Σ b e^u

is a positive covariance, and so is ⟨T⟩_q: their difference is not a small difference of large numbers, however weak the
coupling. Where the laws are far from binomial, D(V) = M tanh MW − V tanh VW ≥ 0 takes the place of T, and the laws are
taken relative to an aligned state, for which D vanishes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rbmflow._kernels import magnetization
from rbmflow.arguments import FloatArray
from rbmflow.weight.equation import half_values, log_binomials, log_cosh_drop, order_function

# Outside these couplings the limiting laws W² = 2K/[N(M−1)] and NW = 2K are exact to rounding
WEAKEST, STRONGEST = 1e-40, 1e30


def data_gain(K: float, n_visible: int) -> FloatArray:
    """Return e(V) of the ring for V = M, M − 2, …, 0 or 1."""
    gain = np.empty(n_visible // 2 + 1)
    magnetization.log_gain(n_visible, K, gain)
    return gain


def model_gain(W: float, n_visible: int, n_hidden: int) -> FloatArray:
    """Return u(V) = N ln [cosh WV / cosh WV_min] of the uniform RBM for V = M, M − 2, …, 0 or 1."""
    y = W * half_values(n_visible)[0]
    with np.errstate(over="ignore"):
        log_cosh = np.where(
            y < 1, np.log1p(2 * np.sinh(y / 2) ** 2), y + np.log1p(np.exp(-2 * y)) - np.log(2)
        )
    return np.asarray(n_hidden * (log_cosh - log_cosh[-1]))


def log_free(n_visible: int) -> FloatArray:
    """Return ``ln b(V)``, both signs of V together, less its value at the smallest |V|."""
    values, multiplicity = half_values(n_visible)
    return np.asarray(log_binomials(n_visible)[: len(values)] + np.log(multiplicity))


def centred_order(W: float, n_visible: int) -> FloatArray:
    """Return T(V)/W, T = V tanh WV less its mean over independent spins."""
    order = order_function(W, half_values(n_visible)[0]) / W
    free = np.exp(log_free(n_visible))
    return np.asarray(order - (free @ order) / free.sum())


def centred_mean(order: FloatArray, gain: FloatArray, n_visible: int) -> float:
    """Return the mean of T, centred under b, over the law ``b e^gain``."""
    log_b = log_free(n_visible)
    top = max(0.0, float((log_b + gain).max()))
    change = np.where(
        gain < 1,
        np.exp(log_b - top) * np.expm1(np.minimum(gain, 1)),
        np.exp(log_b + gain - top) - np.exp(log_b - top),
    )
    return float((change @ order) / (change.sum() + np.exp(log_b - top).sum()))


def log_deficit_mean(W: float, log_law: FloatArray, n_visible: int) -> float:
    """Return ``ln ⟨D⟩``, D = M tanh MW − V tanh VW, over the law ``e^log_law`` given relative to one aligned state."""
    values, multiplicity = half_values(n_visible)
    decay, top = np.exp(-2 * W * values), np.exp(-2 * W * n_visible)
    # D = (M − V) tanh MW + V (tanh MW − tanh VW)
    gap = 2 * decay * -np.expm1(-2 * W * (n_visible - values)) / ((1 + decay) * (1 + top))
    deficit = (n_visible - values) * np.tanh(W * n_visible) + values * gap
    log_weight = log_law + np.log(multiplicity)
    return _log_sum(log_weight[1:] + np.log(deficit[1:])) - _log_sum(log_weight)


def _log_sum(logarithms: FloatArray) -> float:
    top = logarithms.max()
    return float(top + np.log(np.exp(logarithms - top).sum()))


def solve_by_deviation(K: float, n_visible: int, n_hidden: int) -> float:
    """Return the trained weight for one coupling, bracketed in ln W; any ring, O(M) for each evaluation."""
    if K <= 0:
        return 0.0
    if K < WEAKEST:
        return float(np.sqrt(2 * K) / np.sqrt(n_hidden * (n_visible - 1.0)))
    if K > STRONGEST:
        return 2 * (float(K) / n_hidden)
    from scipy.optimize import brentq

    strong = 0.5 * np.log(n_visible / 3 + 1) < K
    residual = _strong_residual(K, n_visible, n_hidden) if strong else _weak_residual(K, n_visible, n_hidden)
    low = high = float(np.log(_guess(K, n_visible, n_hidden)))
    while residual(low) > 0:
        low -= 0.25
    while residual(high) < 0:
        high += 0.25
    return float(np.exp(brentq(residual, low, high, xtol=1e-15, rtol=8.9e-16)))


def _weak_residual(K: float, n_visible: int, n_hidden: int) -> Callable[[float], float]:
    """``ln ⟨T⟩_p − ln ⟨T⟩_q`` as a function of ln W."""
    data = data_gain(K, n_visible)

    def residual(log_weight: float) -> float:
        W = float(np.exp(log_weight))
        order = centred_order(W, n_visible)
        model = centred_mean(order, model_gain(W, n_visible, n_hidden), n_visible)
        return float(np.log(model / centred_mean(order, data, n_visible)))

    return residual


def _strong_residual(K: float, n_visible: int, n_hidden: int) -> Callable[[float], float]:
    """``ln ⟨D⟩_q − ln ⟨D⟩_p`` as a function of ln W."""
    data = np.empty(n_visible // 2 + 1)
    magnetization.log_law(n_visible, K, data)
    values, _ = half_values(n_visible)
    log_counts = log_binomials(n_visible)[: len(values)] - log_binomials(n_visible)[0]

    def residual(log_weight: float) -> float:
        W = float(np.exp(log_weight))
        model = log_counts - n_hidden * log_cosh_drop(W, values)
        return log_deficit_mean(W, data, n_visible) - log_deficit_mean(W, model, n_visible)

    return residual


def _guess(K: float, n_visible: int, n_hidden: int) -> float:
    """``M N W² = 1 − e^(−2K)`` for weak and ``N W = 2K − ½ ln(M²/8)`` for strong coupling, whichever is larger."""
    weak = np.sqrt(-np.expm1(-2 * K) / n_visible / n_hidden)
    return float(max(weak, (2 * K - 0.5 * np.log(n_visible**2 / 8)) / n_hidden))
