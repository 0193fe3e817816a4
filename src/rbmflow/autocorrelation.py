"""Series along Markov chains: autocorrelation times, agreement between chains, jackknife over blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_real

WINDOW = 5.0
MIN_BLOCKS = 20
SIGNIFICANT = 4.0  # standard errors from ½ at which anticorrelation is believed
BLOCK_TIMES = 20  # autocorrelation times to a block of the jackknife


@dataclass(frozen=True)
class Autocorrelation:
    """Autocorrelation of a series, in units of its spacing.

    Attributes
    ----------
    tau : float
        ``½ + Σ_(t = 1 … W) ρ(t)``.
    tau_stderr : float
        ``τ √(2 (2W + 1)/N)``.
    spread : float
        Standard deviation of one measurement.
    window : int
        W, the smallest number of at least 5 τ, and of at least 5; the whole series if there is none.
    """

    tau: float
    tau_stderr: float
    spread: float
    window: int


def check_series(name: str, series: object, minimum: int = 4) -> FloatArray:
    """Return a series as a float64 array of shape (n_chains, n), n at least `minimum`; one chain may come without its axis."""
    array = check_real(name, series)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or not len(array) or array.shape[1] < minimum:
        raise ValueError(
            f"{name} has shape {array.shape}: (n_chains, n) is needed, with at least {minimum} measurements to a chain"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds an infinity: finite numbers are needed")
    return array


def autocorrelation(series: object, *, window: float = WINDOW) -> Autocorrelation:
    """Return the integrated autocorrelation time by automatic windowing.

    The autocovariance is averaged over chains around their common mean, so that chains that disagree show as a long time.
    The sum is cut at the smallest ``W ≥ window · max(τ(W), 1)`` (A. Sokal, in *Functional Integration*, Plenum 1997); the
    covariances are corrected by 1/N for the mean taken from the same series (U. Wolff, Comput. Phys. Commun. 156, 143 (2004)).

    Parameters
    ----------
    series : array_like
        Shape ``(n_chains, n)`` or ``(n,)``, at least 4 measurements to a chain, in equilibrium.
    window : float
        Length of the window in autocorrelation times.

    Returns
    -------
    Autocorrelation
        For a constant series τ = ½ and no spread. A time below ½, of anticorrelated measurements, is reported only if it
        is significant, since in short series it comes by chance and would take the error with it.

    Raises
    ------
    TypeError, ValueError
        If the series has another shape or holds something other than finite numbers.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 5000))
    >>> abs(autocorrelation(noise).tau - 0.5) < 0.05
    True
    """
    values = check_series("series", series)
    n_chains, n = values.shape
    range_ = float(values.max() / 2 - values.min() / 2)
    if range_ == 0:
        return Autocorrelation(0.5, 0.0, 0.0, 0)
    centred = values / range_
    centred -= centred.mean()
    spectrum = np.zeros(n + 1)
    for chain in centred:
        spectrum += np.abs(np.fft.rfft(chain, 2 * n)) ** 2
    covariance = np.fft.irfft(spectrum)[:n] / (n_chains * np.arange(n, 0, -1))
    times = np.cumsum(covariance / covariance[0]) - 0.5
    closed = np.flatnonzero(np.arange(n) >= window * np.maximum(times, 1.0))
    cut = int(closed[0]) if len(closed) else n - 1
    total = n_chains * n
    covariance = covariance + 2 * times[cut] * covariance[0] / total
    tau = float(covariance[: cut + 1].sum() / covariance[0] - 0.5)
    scatter = float(np.sqrt(2 * (2 * cut + 1) / total))
    anticorrelated = tau < 0.5 * (1 - SIGNIFICANT * scatter)
    tau = max(tau, 0.5 / total if anticorrelated else 0.5)
    return Autocorrelation(tau, tau * scatter, float(np.sqrt(covariance[0])) * range_, cut)


def rank_normalised_r_hat(series: object) -> float:
    """Return the larger of the rank-normalised split R-hats of a series and of its distance from the median.

    A. Vehtari et al., Bayesian Analysis 16, 667 (2021), eq. 4, 14 and section 4.1. Each chain is split in halves.

    Parameters
    ----------
    series : array_like
        Shape ``(n_chains, n)`` or ``(n,)``, at least 4 measurements to a chain.

    Returns
    -------
    float
        Close to 1 where chains agree; infinite where they are constant and differ; NaN for a constant series.

    Raises
    ------
    TypeError, ValueError
        As for `autocorrelation`.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 500))
    >>> rank_normalised_r_hat(noise) < 1.01, rank_normalised_r_hat(noise + [[0], [0], [0], [1]]) > 1.1
    (True, True)
    """
    values = check_series("series", series)
    half = values.shape[1] // 2
    split = np.concatenate([values[:, :half], values[:, -half:]])
    if (split == split[0, 0]).all():
        return float("nan")
    return max(_r_hat(_normal_scores(split)), _r_hat(_normal_scores(np.abs(split - np.median(split)))))


def _normal_scores(values: FloatArray) -> FloatArray:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    ranks = rankdata(values, method="average").reshape(values.shape)
    return np.asarray(ndtri((ranks - 0.375) / (values.size + 0.25)))


def _r_hat(values: FloatArray) -> float:
    n = values.shape[1]
    between = n * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    if within <= 1e-30 * between or not between + within:
        return float("inf") if between else 1.0
    return float(np.sqrt((between / within + n - 1) / n))


@dataclass(frozen=True)
class Jackknife:
    """A function of means: its value with the bias of order 1/N taken off, its error, and the times of its linear part."""

    value: float
    stderr: float
    linear: FloatArray


def jackknife(function: Callable[..., Any], *series: FloatArray) -> Jackknife:
    """Return a function of means with the error from leaving out blocks, which lie within chains.

    Blocks are at least 20 autocorrelation times of the function's linear part long, where 20 of them remain.

    Parameters
    ----------
    function : callable
        Of the means of the series, elementwise for arrays of them.
    *series : numpy.ndarray
        All of one shape ``(n_chains, n)``.

    Returns
    -------
    Jackknife
        ``θ − (B − 1)(θ̄ − θ)`` and ``√((B − 1)/B Σ (θ_b − θ̄)²)`` over B blocks left out.

    Raises
    ------
    TypeError, ValueError
        If the series do not fit.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(4, 2000))
    >>> result = jackknife(lambda second, first: second - first**2, x**2, x)
    >>> abs(result.value - 1) < 4 * result.stderr < 0.2
    True
    """
    columns = [check_series(f"series[{k}]", one) for k, one in enumerate(series)]
    if not columns or len({one.shape for one in columns}) != 1:
        raise ValueError(f"series have shapes {[one.shape for one in columns]}: they must be equal")
    n_chains, n = columns[0].shape
    linear = _linear_part(function, columns)
    length = BLOCK_TIMES * autocorrelation(linear).tau
    per_chain = max(1, min(n, int(n / max(length, 1))))
    per_chain = max(per_chain, min(n, -(-MIN_BLOCKS // n_chains)))
    n_blocks = n_chains * per_chain
    left_out, blocked = [], []
    for one in columns:
        blocks = one[:, n % per_chain :].reshape(n_blocks, -1).mean(axis=1)
        left_out.append((blocks.sum() - blocks) / (n_blocks - 1))
        blocked.append(blocks.mean())
    values = np.asarray(function(*left_out), dtype=np.float64)
    mean = float(values.mean())
    whole = float(function(*(one.mean() for one in columns)))
    bias = (n_blocks - 1) * (mean - float(function(*blocked)))
    variance = (n_blocks - 1) / n_blocks * float(((values - mean) ** 2).sum())
    return Jackknife(whole - bias, float(np.sqrt(variance)), linear)


def _linear_part(function: Callable[..., Any], columns: list[FloatArray]) -> FloatArray:
    """Σ_k (∂f/∂x_k) x_k, with the slopes from differences of the size of a mean's error."""
    means = [float(one.mean()) for one in columns]
    linear = np.zeros_like(columns[0])
    for k, one in enumerate(columns):
        step = float(one.std()) / np.sqrt(one.size)
        if step == 0:
            continue
        above, below = ([*means[:k], means[k] + sign * step, *means[k + 1 :]] for sign in (1, -1))
        linear += (float(function(*above)) - float(function(*below))) / (2 * step) * one
    return linear
