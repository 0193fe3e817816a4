"""The equation that a trained uniform weight obeys, in float64.

Here are f(W), g(W, K) and the divergence between the laws. An RBM whose weights all equal W gives the
visible states the law ``p(v) ∝ [2 cosh WV]^N`` (thesis eq. 57), which depends on the magnetization V
alone. Minimising KL(q‖p) over W, with q the Boltzmann law of the ring, gives thesis eq. 63 divided by N,
``f(W) = g(W, K)`` (eq. 74), where both sides are means of the same function::

    f(W) = (1/N) d ln Z/dW = ⟨V tanh WV⟩_p,     g(W, K) = ⟨V tanh WV⟩_q
"""

from __future__ import annotations

from functools import lru_cache
from math import log
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_broadcast, check_integer, check_real
from rbmflow.ising import Ring
from rbmflow.ising.transfer_matrix import ring_entropy
from rbmflow.precision import MACHINE, exact_map
from rbmflow.state_law import LEAST_SHARE, excess
from rbmflow.weight.exact import (
    MAX_CLASSED_SITES,
    exact_divergence,
    exact_model_mean,
    exact_training_mean,
    ring_classes,
)

if TYPE_CHECKING:
    from rbmflow.typing import (
        MPF,
        ArrayLike,
        ExactArray,
        ExactArrayLike,
        ExactNumber,
        ExactNumbers,
        Number,
        Numbers,
    )

MAX_UNITS = 10**9
MAX_VISIBLE = 10**7
STRONGEST = 1e250  # at larger couplings there are ground states only


def check_sizes(n_visible: object, n_hidden: object) -> tuple[int, int]:
    """Return the checked sizes of the two layers."""
    return check_integer("n_visible", n_visible, 3, MAX_VISIBLE), check_integer(
        "n_hidden", n_hidden, 1, MAX_UNITS
    )


@lru_cache(maxsize=8)
def log_binomials(n_sites: int, first: int = 0) -> FloatArray:
    """Return ``ln [C(M, n) / C(M, M // 2)]`` for n = first … M − first.

    Summed outwards from the centre in extended precision where the platform has it: the ratios of
    neighbours are close to 1 there, so that the entries that carry weight keep all their digits.
    """
    n = np.arange(first, n_sites // 2, dtype=np.longdouble)
    steps = np.log((n + 1) / (n_sites - n))[::-1]  # ln C(M, n)/C(M, n+1), n = M//2 − 1 … first
    lower = np.concatenate([[0.0], np.cumsum(steps)])[::-1].astype(np.float64)
    full = np.concatenate([lower, lower[::-1][1 - n_sites % 2 :]])
    full.setflags(write=False)
    return full


def half_values(n_sites: int) -> tuple[FloatArray, FloatArray]:
    """Return |V| = M, M − 2, …, 0 or 1, and how many magnetizations share each: 2, but 1 for V = 0."""
    values = np.arange(n_sites, -1, -2, dtype=np.float64)
    return values, np.where(values == 0, 1.0, 2.0)


def log_cosh_drop(W: Any, values: FloatArray) -> Any:
    """``ln [cosh(W·max V) / cosh WV]``, for W ≥ 0 (a column) and |V| (a row), without overflow."""
    top = values[0]
    with np.errstate(invalid="ignore"):
        # for small W from
        # 1 − cosh WV / cosh WM = (1 − s^((M+V)/2)) (1 − s^((M−V)/2)) / (1 + s^M), s = e^(−2W)
        gap = np.expm1(-W * (top + values)) * np.expm1(-W * (top - values)) / (1 + np.exp(-2 * W * top))
        linear = np.where(values == top, 0.0, W * (top - values))
        direct = linear + np.log1p(np.exp(-2 * W * top)) - np.log1p(_decay(W, values))
        return np.where(W * top < 0.5, -np.log1p(-np.minimum(gap, 0.5)), direct)


def _decay(W: Any, values: FloatArray) -> Any:
    """``exp(−2WV)``, with ∞·0 = 0."""
    with np.errstate(invalid="ignore"):
        return np.where(values == 0, 1.0, np.exp(-2 * W * values))


def order_function(W: Any, values: FloatArray) -> Any:
    """``V tanh WV``, with tanh(∞·0) = 0."""
    with np.errstate(invalid="ignore"):
        return values * np.where(values == 0, 0.0, np.tanh(W * values))


def model_law(W: Any, n_visible: int, n_hidden: int) -> FloatArray:
    """Return p(|V|) of the uniform RBM for a column of W ≥ 0; shape ``(*W.shape[:-1], M // 2 + 1)``."""
    values, multiplicity = half_values(n_visible)
    log_weight = log_binomials(n_visible)[: len(values)] + np.log(multiplicity)
    with np.errstate(over="ignore"):
        log_weight = log_weight - n_hidden * log_cosh_drop(W, values)
    weight = np.exp(log_weight - log_weight.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def training_law(K: Any, n_visible: int) -> FloatArray:
    """Return q(|V|) of the ring; shape ``(*K.shape, M // 2 + 1)``."""
    values, multiplicity = half_values(n_visible)
    return np.asarray(Ring(n_visible).magnetization_law(K).probabilities[..., : len(values)] * multiplicity)


@overload
def f(W: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def f(W: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None) -> FloatArray: ...
@overload
def f(W: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def f(W: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int) -> ExactArray: ...
def f(W: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return the model's side of the equation (thesis eq. 74, 94).

    ``f(W) = (1/N) d ln Z/dW = ⟨V tanh WV⟩_p``.

    Time O(M) for each number.

    Parameters
    ----------
    W : array_like
        Uniform weights of either sign; f is odd. ``f(∞) = M``.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the shape of `W`, between −M and M.

    See Also
    --------
    g : The other side.
    trained_weight : Where they meet.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 74, 94.

    Examples
    --------
    >>> print(round(float(f(0.30630832981152307, 8, 4)), 6))
    6.12107
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is not None:
        return exact_map(lambda ctx, W: exact_model_mean(ctx, W, n_visible, n_hidden), dps, W=W)
    weights = check_real("W", W)
    column = np.abs(weights)[..., None]
    values, _ = half_values(n_visible)
    mean = (model_law(column, n_visible, n_hidden) * order_function(column, values)).sum(axis=-1)
    return (np.sign(weights) * mean)[()]


@overload
def g(W: Number, K: Number, n_visible: int, *, dps: None = None) -> float: ...
@overload
def g(W: ArrayLike, K: Numbers, n_visible: int, *, dps: None = None) -> FloatArray: ...
@overload
def g(W: Number, K: ArrayLike, n_visible: int, *, dps: None = None) -> FloatArray: ...
@overload
def g(W: ExactNumber, K: ExactNumber, n_visible: int, *, dps: int) -> MPF: ...
@overload
def g(W: ExactArrayLike, K: ExactNumbers, n_visible: int, *, dps: int) -> ExactArray: ...
@overload
def g(W: ExactNumber, K: ExactArrayLike, n_visible: int, *, dps: int) -> ExactArray: ...
def g(W: object, K: object, n_visible: int, *, dps: int | None = None) -> Any:
    """Return the data's side of the equation, ``g(W, K) = ⟨V tanh WV⟩_q`` (thesis eq. 74, 94).

    Time O(M) for each pair of numbers.

    Parameters
    ----------
    W : array_like
        Uniform weights of either sign; g is odd in W.
    K : array_like
        Couplings of the ring; broadcast against `W`. ``g(W, ∞) = M tanh MW``.
    n_visible : int
        Spins of the ring, at least 3.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the broadcast shape, between −M and M.

    See Also
    --------
    f : The other side.
    trained_weight : Where they meet.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 74, 94.

    Examples
    --------
    >>> print(round(float(g(0.30630832981152307, 1.0, 8)), 6))
    6.12107
    """
    n_visible, _ = check_sizes(n_visible, 1)
    if dps is not None:
        return exact_map(lambda ctx, W, K: exact_training_mean(ctx, W, K, n_visible), dps, W=W, K=K)
    weights, couplings = check_broadcast(W=check_real("W", W), K=check_real("K", K))
    values, _ = half_values(n_visible)
    law = training_law(couplings, n_visible)
    return (np.sign(weights) * (law * order_function(np.abs(weights)[..., None], values)).sum(axis=-1))[()]


@overload
def kl_uniform(W: Number, K: Number, n_visible: int, n_hidden: int, *, dps: None = None) -> float: ...
@overload
def kl_uniform(
    W: ArrayLike, K: Numbers, n_visible: int, n_hidden: int, *, dps: None = None
) -> FloatArray: ...
@overload
def kl_uniform(W: Number, K: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None) -> FloatArray: ...
@overload
def kl_uniform(W: ExactNumber, K: ExactNumber, n_visible: int, n_hidden: int, *, dps: int) -> MPF: ...
@overload
def kl_uniform(
    W: ExactArrayLike, K: ExactNumbers, n_visible: int, n_hidden: int, *, dps: int
) -> ExactArray: ...
@overload
def kl_uniform(
    W: ExactNumber, K: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int
) -> ExactArray: ...
def kl_uniform(W: object, K: object, n_visible: int, n_hidden: int, *, dps: int | None = None) -> Any:
    """Return KL(q‖p) in nats between the ring at coupling K and the uniform RBM of weight W (thesis eq. 35).

    For M ≤ 256 as ``KL = ln ⟨e^(x − ⟨x⟩)⟩_q = ln [1 + ⟨e^y − 1 − y⟩_q]``, ``y = x − ⟨x⟩``, with
    ``x = ln(p/q)`` up to a constant, over the classes of states that share α and V: no term is negative. For
    longer rings ``KL = −S(q) + N ⟨ln [cosh WM / cosh WV]⟩_q + ln Σ_v [cosh WV / cosh WM]^N``, the entropy of
    the ring and two terms without large numbers.

    Time O(M) for each pair of numbers.

    Parameters
    ----------
    W : array_like
        Uniform weights of either sign; KL is even in W.
    K : array_like
        Couplings of the ring; broadcast against `W`.
    n_visible, n_hidden : int
        Units in each layer: M from 3, N from 1.
    dps : int, optional
        Correct decimal digits; float64 without it.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the broadcast shape. In float64 small values keep their digits up to M = 256; beyond, the absolute
        accuracy is about 1e-15 M. Infinite at W = ±∞ unless K = ∞.

    See Also
    --------
    kl_trained : At the trained weight.
    rbmflow.networks.kl_divergence : Of any machine.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 35.

    Examples
    --------
    >>> print(round(float(kl_uniform(0.30630832981152307, 1.0, 8, 4)), 12))
    0.577930474431
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    if dps is not None:
        return exact_map(lambda ctx, W, K: _exact_kl(ctx, abs(W), K, n_visible, n_hidden), dps, W=W, K=K)
    weights, couplings = check_broadcast(W=np.abs(check_real("W", W)), K=check_real("K", K))
    by = _kl_by_classes if n_visible <= MAX_CLASSED_SITES else _kl_by_entropy
    return by(weights.ravel(), couplings.ravel(), n_visible, n_hidden).reshape(weights.shape)[()]


def _kl_by_entropy(weights: FloatArray, couplings: FloatArray, n_visible: int, n_hidden: int) -> FloatArray:
    values, multiplicity = half_values(n_visible)
    with np.errstate(over="ignore"):
        drop = n_hidden * log_cosh_drop(weights[..., None], values)
    law = training_law(couplings, n_visible)
    with np.errstate(invalid="ignore"):
        energy_term = np.where(law > 0, law * drop, 0.0).sum(axis=-1)
    log_states = log_binomials(n_visible)[: len(values)] + np.log(multiplicity) - drop
    top = log_states.max(axis=-1, keepdims=True)
    log_sum = top[..., 0] + np.log(np.exp(log_states - top).sum(axis=-1)) + _log_central_binomial(n_visible)
    with np.errstate(all="ignore"):
        entropy = ring_entropy(MACHINE, couplings, n_visible)
    aligned = np.isinf(weights) & (couplings == np.inf)
    return np.where(aligned, 0.0, np.maximum(energy_term + log_sum - entropy, 0.0))


@lru_cache(maxsize=16)
def _class_arrays(n_visible: int) -> tuple[npt.NDArray[np.intp], FloatArray, FloatArray]:
    """Return (spins down, pairs of walls, logarithm of the number of states) of every class."""
    down, pairs, counts = zip(*ring_classes(n_visible), strict=True)
    return np.array(down), np.array(pairs, dtype=np.float64), np.array([log(count) for count in counts])


def _kl_by_classes(weights: FloatArray, couplings: FloatArray, n_visible: int, n_hidden: int) -> FloatArray:
    down, pairs, log_counts = _class_arrays(n_visible)
    values, _ = half_values(n_visible)
    result = np.empty(len(weights))
    for i, (W, K) in enumerate(zip(weights, couplings, strict=True)):
        with np.errstate(over="ignore"):
            drop = n_hidden * log_cosh_drop(W, values)[down]
        gain = -4 * min(max(K, -STRONGEST), STRONGEST) * (pairs if K > 0 else pairs - pairs.max())
        log_q = log_counts + gain
        log_norm = _log_sum(log_q)
        q = np.exp(log_q - log_norm)
        there = q >= LEAST_SHARE
        x = -drop - gain
        mean = q[there] @ x[there]
        if mean == -np.inf:
            result[i] = np.inf
            continue
        log_share = log_counts - drop - log_norm - mean  # ln q e^y
        with np.errstate(over="ignore"):
            surplus = q[there] @ excess(x[there] - mean) + np.exp(log_share[~there]).sum()
        result[i] = np.log1p(surplus) if surplus < 1 else _log_sum(log_share)
    return result


def _log_sum(logarithms: FloatArray) -> float:
    top = logarithms.max()
    return float(top + np.log(np.exp(logarithms - top).sum()))


def _exact_kl(ctx: Any, W: Any, K: Any, n_visible: int, n_hidden: int) -> Any:
    if ctx.isinf(W) and not ctx.isinf(K):
        return ctx.inf
    if ctx.isinf(W) and K > 0:
        return ctx.zero
    if ctx.isinf(K):
        raise ValueError("K is infinite: KL has digits at finite couplings only, unless W is infinite too")
    return exact_divergence(ctx, W, K, n_visible, n_hidden)


def _log_central_binomial(n_sites: int) -> float:
    """``ln C(M, M // 2)``: minus the logarithm of the sum that makes all states 2^M."""
    logs = log_binomials(n_sites)
    return float(n_sites * np.log(2.0) - np.log(np.exp(logs).sum()))
