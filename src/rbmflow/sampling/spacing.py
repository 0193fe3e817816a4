"""How far apart the samples of chains must be: autocorrelation times, and the mean of what is correlated."""

from __future__ import annotations

import math

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.autocorrelation import autocorrelation, rank_normalised_r_hat
from rbmflow.estimate import Estimate

BURN_IN_TIMES, SPACING_TIMES, LEAST_BURN_IN = 20, 6, 30


def spacing(tau: float) -> tuple[int, int]:
    """Return the sweeps before the first sample and between samples.

    Examples
    --------
    >>> spacing(2.3)
    (46, 14)
    """
    return max(LEAST_BURN_IN, int(np.ceil(BURN_IN_TIMES * tau))), int(np.ceil(SPACING_TIMES * tau))


def time_of(series: FloatArray) -> tuple[float, float]:
    """Return τ and its error in measurements; measurements that do not differ count as independent.

    Examples
    --------
    >>> time_of(np.ones((4, 8)))
    (0.5, nan)
    """
    times = autocorrelation(series)
    return (times.tau, times.tau_stderr) if times.spread else (0.5, math.nan)


def of_chains(values: FloatArray, series: FloatArray, thin: int) -> Estimate:
    """Return the mean of samples with the autocorrelation of the chains that they are from.

    The samples may leave out the last of some chains.

    Examples
    --------
    >>> series = np.random.default_rng(1).normal(size=(4, 100))
    >>> of_chains(series.ravel(), series, 10).tau > 4
    True
    """
    tau, tau_stderr = time_of(series)
    n_effective = len(values) / (2 * tau)
    return Estimate(
        float(values.mean()),
        float(values.std(ddof=1) / np.sqrt(n_effective)) or math.nan,
        tau * thin,
        n_effective,
        rank_normalised_r_hat(series),
        tau_stderr * thin,
    )


def independent(values: FloatArray) -> Estimate:
    """Return the mean of independent values, of a single one without an error.

    Examples
    --------
    >>> print(independent(np.array([2.0])))
    2 ± nan
    """
    if len(values) < 2:
        return Estimate(float(values[0]), math.nan, 0.5, 1.0, math.nan)
    return Estimate.from_independent(values)
