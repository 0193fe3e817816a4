"""Series along Markov chains: autocorrelation times, agreement between chains, jackknife over blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, check_finite, check_real_scalar

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

WINDOW = 5.0
MIN_BLOCKS = 20
SIGNIFICANT = 4.0  # standard errors from ½ at which anticorrelation is believed
BLOCK_TIMES = 20  # autocorrelation times to a block of the jackknife
AGREED = 1.01  # R-hat up to which chains agree (Vehtari et al. 2021)
LONG_ENOUGH = 10  # effective samples of a chain by which mixing can be told from its absence
FALSE_ALARM = 1e-4  # probability that chains which agree are taken for ones that do not


@dataclass(frozen=True)
class Autocorrelation:
    """Autocorrelation of a series, in units of its spacing.

    Attributes
    ----------
    tau : float
        ``½ + Σ_(t = 1 … ∞) ρ(t)``; NaN for a constant series.
    tau_stderr : float
        ``τ √(2 (2W + 1)/N)``.
    spread : float
        Standard deviation of one measurement.
    window : int
        W, where the sum was cut: the smallest number of at least 5 τ, and of at least 5; the whole
        series if there is none.
    """

    tau: float
    tau_stderr: float
    spread: float
    window: int


def check_series(name: str, series: object, minimum: int = 4) -> FloatArray:
    """Return a series as a float64 array of shape (n_chains, n), n at least `minimum`.

    One chain may come without its axis.
    """
    array = check_finite(name, series)
    array = array[None] if array.ndim == 1 else array
    if array.ndim != 2 or not len(array) or array.shape[1] < minimum:
        raise ValueError(
            f"{name} has shape {array.shape}: (n_chains, n) is needed, with at least "
            f"{minimum} measurements to a chain"
        )
    return array


def autocorrelation(series: ArrayLike, *, window: float = WINDOW) -> Autocorrelation:
    """Return the integrated autocorrelation time by automatic windowing.

    The autocovariance is averaged over chains around their common mean, so that chains that disagree show
    as a long time. The sum is cut at the smallest ``W ≥ window · max(τ(W), 1)`` (A. Sokal, in *Functional
    Integration*, Plenum 1997); the covariances are corrected by 1/N for the mean taken from the same series
    (U. Wolff, Comput. Phys. Commun. 156, 143 (2004)).

    Where neighbours are anticorrelated terms of either sign cancel nearly, and what is cut off would be
    larger than the sum. The covariances are then those of the averages of neighbours, taken again until they
    are not anticorrelated: their sum is the same, as in the sums over pairs of lags of C. J. Geyer (Stat.
    Sci. 7, 473 (1992)), and holds no such terms.

    Parameters
    ----------
    series : array_like
        Shape ``(n_chains, n)`` or ``(n,)``, at least 4 measurements to a chain, in equilibrium.
    window : float
        Length of the window in autocorrelation times, positive.

    Returns
    -------
    Autocorrelation
        For a constant series τ is NaN, and there is no spread. A time below ½, of anticorrelated
        measurements, is reported only if it is significant, since in short series it comes by chance
        and would take the error with it. The least time is ``1/(4n)``, which the ends of a chain that
        alternates without fail leave.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 5000))
    >>> abs(autocorrelation(noise).tau - 0.5) < 0.05
    True
    """
    values = check_series("series", series)
    if isinstance(window, (bool, np.bool_)):
        raise TypeError(f"window={window!r}: a number is needed, not a truth value")
    window = check_real_scalar("window", window)
    if not 0 < window < np.inf:
        raise ValueError(f"window={window!r}: a positive, finite number is needed")
    range_ = float(values.max() / 2 - values.min() / 2)
    if range_ == 0:
        return Autocorrelation(float("nan"), float("nan"), 0.0, 0)
    centred = values / range_
    centred -= centred.mean()
    found = _integrate(centred, window)
    return Autocorrelation(found.tau, found.tau_stderr, found.spread * range_, found.window)


def _integrate(centred: FloatArray, window: float = WINDOW) -> Autocorrelation:
    n, total = centred.shape[1], centred.size
    smooth = centred
    while smooth.shape[1] > n // 2 + 1 and (smooth[:, 1:] * smooth[:, :-1]).sum() < 0:
        smooth = (smooth[:, 1:] + smooth[:, :-1]) / 2
    covariance = _covariance(smooth)
    times = np.cumsum(covariance) - covariance[0] / 2  # times the variance of `smooth`
    lags = np.arange(len(covariance))
    closed = np.flatnonzero(lags * covariance[0] >= window * np.maximum(times, covariance[0]))
    cut = int(closed[0]) if len(closed) else len(lags) - 1
    area = times[cut] * (1 + (2 * cut + 1) / total)
    variance = float((centred**2).mean() + 2 * times[cut] / total)
    scatter = float(np.sqrt(2 * (2 * cut + 1) / total))
    tau = float(area / variance)
    tau = max(tau, 1 / (4 * n) if tau < 0.5 * (1 - SIGNIFICANT * scatter) else 0.5)
    return Autocorrelation(tau, tau * scatter, float(np.sqrt(variance)), cut)


def _covariance(centred: FloatArray) -> FloatArray:
    """Mean over chains of the products at each lag."""
    n_chains, n = centred.shape
    spectrum = np.zeros(n + 1)
    for chain in centred:
        spectrum += np.abs(np.fft.rfft(chain, 2 * n)) ** 2
    return np.asarray(np.fft.irfft(spectrum)[:n] / (n_chains * np.arange(n, 0, -1)))


def excess_of_means(series: FloatArray, times: Autocorrelation) -> tuple[float, float]:
    """Return the variance of the chains' means over the one by τ, and the chance of a larger ratio.

    The chance is that of chains that agree. The ratio has Fisher's law of ``n_chains − 1`` and, as the
    error of τ says, ``N/(2W + 1)`` degrees of freedom. What the window left out, slow modes of small
    amplitude, makes it large.

    Parameters
    ----------
    series : numpy.ndarray, shape (n_chains, n)
        The chains.
    times : Autocorrelation
        Theirs.

    Returns
    -------
    ratio, chance : float
        1 and 1 for a single chain.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 500))
    >>> apart = noise + [[0.0], [0.1], [0.2], [0.3]]
    >>> chances = [excess_of_means(series, autocorrelation(series))[1] for series in (noise, apart)]
    >>> chances[0] > 0.01 > chances[1]
    True
    """
    from scipy.special import fdtrc

    n_chains, n = series.shape
    if n_chains == 1:
        return 1.0, 1.0
    ratio = n * float(series.mean(axis=1).var(ddof=1)) / (2 * times.tau * times.spread**2)
    return ratio, float(fdtrc(n_chains - 1, series.size / (2 * times.window + 1), ratio))


def rank_normalised_r_hat(series: ArrayLike) -> float:
    """Return the larger of the rank-normalised split R-hats of a series and of its distance from the median.

    A. Vehtari et al., Bayesian Analysis 16, 667 (2021), eq. 4, 14 and section 4.1.
    Each chain is split in halves.

    Parameters
    ----------
    series : array_like
        Shape ``(n_chains, n)`` or ``(n,)``, at least 4 measurements to a chain.

    Returns
    -------
    float
        Close to 1 where chains agree; infinite where they are constant and differ; NaN for a constant series.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 500))
    >>> rank_normalised_r_hat(noise) < 1.01, rank_normalised_r_hat(noise + [[0], [0], [0], [1]]) > 1.1
    (True, True)
    """
    scores = _split_scores(check_series("series", series))
    return max((_r_hat(one) for one in scores), default=float("nan"))


def chains_disagree(series: ArrayLike) -> bool:
    """Return whether R-hat is above 1.01 for another reason than the length of the chains.

    R-hat falls to 1.01 only beyond some 200 autocorrelation times: in equilibrium it is about
    ``√(1 + 2 (2τ − 1)/n)``. It speaks against chains, or their halves, whose means differ by more than
    τ explains, with a false alarm in 10⁴ of chains that agree, and by so much that R-hat without what τ
    explains is above 1.01 too: among hundreds of chains what the window leaves out is significant as well. It
    also speaks against chains of fewer than ten effective samples, which can show neither.

    Parameters
    ----------
    series : array_like
        Shape ``(n_chains, n)`` or ``(n,)``, at least 4 measurements to a chain.

    Returns
    -------
    bool
        False for a constant series.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 500))
    >>> chains_disagree(noise), chains_disagree(noise + [[0], [0], [0], [1]])
    (False, True)
    """
    scores = _split_scores(check_series("series", series))
    return any(_r_hat(one) > AGREED and _unexplained(one) for one in scores)


def _unexplained(halves: FloatArray) -> bool:
    times, n = _integrate(halves - halves.mean()), halves.shape[1]
    if n < LONG_ENOUGH * times.tau:  # 2n < 10 · 2τ
        return True
    ratio, chance = excess_of_means(halves, times)
    left = 2 * times.tau * times.spread**2 * (ratio - 1) / n
    return chance < FALSE_ALARM and left > (AGREED**2 - 1) * float(halves.var(axis=1, ddof=1).mean())


def _split_scores(values: FloatArray) -> list[FloatArray]:
    """Normal scores of the chains' halves and of their distances from the median; none if constant."""
    half = values.shape[1] // 2
    split = np.concatenate([values[:, :half], values[:, -half:]])
    if (split == split[0, 0]).all():
        return []
    return [_normal_scores(split), _normal_scores(np.abs(split - np.median(split)))]


def _normal_scores(values: FloatArray) -> FloatArray:
    from scipy.special import ndtri

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # equal values have their mean rank
    return np.asarray(ndtri((ranks - 0.375) / (values.size + 0.25))[places].reshape(values.shape))


def _r_hat(values: FloatArray) -> float:
    n = values.shape[1]
    between = n * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    if within <= 1e-30 * between or not between + within:
        return float("inf") if between else 1.0
    return float(np.sqrt((between / within + n - 1) / n))


@dataclass(frozen=True)
class Jackknife:
    """A function of means: its value, its error, and the times of its linear part.

    The bias of order 1/N is taken off the value.
    """

    value: float
    stderr: float
    linear: FloatArray


def jackknife(function: Callable[..., Any], *series: FloatArray) -> Jackknife:
    """Return a function of means with the error from leaving out blocks, which lie within chains.

    Blocks are at least 20 autocorrelation times of the function's linear part long, and at least 5/τ, beyond
    which the ends of anticorrelated ones count for little, where 20 of them remain.

    Parameters
    ----------
    function : callable
        Of the means of the series, elementwise for arrays of them.
    *series : numpy.ndarray
        All of one shape ``(n_chains, n)``.

    Returns
    -------
    Jackknife
        ``θ − (B − 1)(θ̄ − θ)`` and ``√((B − 1)/B Σ (θ_b − θ̄)²)`` over B blocks left out; NaN for the error
        of series that are constant, and where the function has no value near their means.

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
    whole = float(function(*(one.mean() for one in columns)))
    if all(np.ptp(one) == 0 for one in columns) or not np.isfinite(linear).all():
        return Jackknife(whole, float("nan"), linear)
    tau = autocorrelation(linear).tau
    length = 1.0 if np.isnan(tau) else max(BLOCK_TIMES * tau, BLOCK_TIMES / (4 * tau))
    per_chain = max(int(n / length), min(n, -(-MIN_BLOCKS // n_chains)))
    n_blocks = n_chains * per_chain
    left_out, blocked = [], []
    for one in columns:
        blocks = one[:, n % per_chain :].reshape(n_blocks, -1).mean(axis=1)
        left_out.append((blocks.sum() - blocks) / (n_blocks - 1))
        blocked.append(blocks.mean())
    values = np.asarray(function(*left_out), dtype=np.float64)
    mean = float(values.mean())
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
