"""From where on chains are in equilibrium, and whether they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, shown
from rbmflow.autocorrelation import autocorrelation, chains_disagree, check_series
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.records import Tabular
from rbmflow.sampling.result import Run

N_STARTS = 24
"""Starts that are tried."""
LATEST = 0.5
"""Of the measurements, that may be left out."""
BEGIN = 0.1
MIN_MEASUREMENTS = 4  # of a chain, for a correlation time
DRIFT = 5.0
"""Standard errors between the begin and the second half of chains at which they drift; of chains in
equilibrium one in some 10⁶ does."""


@dataclass(frozen=True, eq=False)
class Equilibration(Tabular):
    """How long chains take to forget their start, for each coupling.

    Attributes
    ----------
    K : numpy.ndarray of float64, shape (n_couplings,)
        The couplings.
    n_discarded : numpy.ndarray of int64, shape (n_couplings,)
        Measurements after which most independent ones are left: the later of those of energy and m².
    n_effective : numpy.ndarray of float64, shape (n_couplings,)
        Independent measurements that are left, the fewer of those of energy and m².
    drift : numpy.ndarray of float64, shape (n_couplings,)
        How far the first tenth of the chains is from their second half, in standard errors: the larger of
        those of energy and m².
    agree : numpy.ndarray of bool, shape (n_couplings,)
        Whether chains that are begun apart agree in what is left, see `Estimate.from_series`.
    """

    K: FloatArray
    n_discarded: npt.NDArray[np.int64]
    n_effective: FloatArray
    drift: FloatArray
    agree: npt.NDArray[np.bool_]
    COLUMNS: ClassVar = ("K", "n_discarded", "n_effective", "drift", "agree")


def equilibration(run: Run) -> Equilibration:
    """Return from where on the chains of a run are in equilibrium.

    Of all starts up to the middle of the chains the one that leaves most independent measurements (J. D.
    Chodera, J. Chem. Theory Comput. 12, 1799 (2016)): what is left out costs measurements, what is left in
    and remembers the start costs more, as it is correlated for long. It sees relaxation, not chains that
    stay where they are: ``run(..., initial="mixed")`` begins half of them ordered, half in random states,
    and what both have in common after that has forgotten where it began.

    Time O(n log n) in the measurements.

    Parameters
    ----------
    run : Run
        At least 20 measurements to a chain, burn-in included.

    Returns
    -------
    Equilibration
        For each coupling; ``run.after(n)`` leaves the first n measurements out.

    Warns
    -----
    ConvergenceWarning
        If chains are still on their way in the middle, or disagree.

    See Also
    --------
    Run.after : A run without its first measurements.

    References
    ----------
    * J. Geweke, in *Bayesian Statistics* 4, Oxford 1992, p. 169: the begin against the second half.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> from rbmflow.sampling import run
    >>> chains = run(Torus(16, 16), 0.44, n_chains=64, n_sweeps=2000, initial="mixed", rng=1)
    >>> found = equilibration(chains)
    >>> print(bool(10 < found.n_discarded[0] < 1000), found.agree)
    True [ True]
    """
    if not isinstance(run, Run):
        raise TypeError(f"run={shown(run)}: the result of `run` is needed")
    couplings = np.unique(run.K)
    rows = []
    for K in couplings:
        here = np.equal(run.K, K)
        energy, m2 = run.energy[here], run.magnetization[here] ** 2
        starts = [start_of(check_series("run", one, 20)) for one in (energy, m2)]
        start = max(first for first, _ in starts)
        agree = not any(chains_disagree(one[:, start:]) for one in (energy, m2))
        rows.append((start, min(n for _, n in starts), max(drift(one) for one in (energy, m2)), agree))
        _warn(float(K), start, energy.shape[1], agree)
    n_discarded, n_effective, drifts, agreed = (np.array(column) for column in zip(*rows, strict=True))
    return Equilibration(couplings, n_discarded, n_effective, drifts, agreed)


def start_of(series: FloatArray) -> tuple[int, float]:
    """Return the start that leaves most independent measurements, and how many.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 1000))
    >>> relaxing = noise + 20 * np.exp(-np.arange(1000) / 30)
    >>> 60 < start_of(relaxing)[0] < 300
    True
    """
    n = series.shape[1]
    tried = np.unique(np.concatenate([[0], np.geomspace(1, LATEST * n, N_STARTS).astype(np.int64)]))
    counts = []
    for first in tried:
        left = series[:, first:]
        tau = autocorrelation(left).tau
        counts.append(left.size / (2 * (0.5 if math.isnan(tau) else tau)))
    best = int(np.argmax(counts))
    return int(tried[best]), float(counts[best])


def drift(series: FloatArray) -> float:
    """Return how far the first tenth is from the second half, in standard errors; 0 of fewer than 8.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=(4, 1000))
    >>> drift(noise) < 4 < drift(noise + 20 * np.exp(-np.arange(1000) / 30))
    True
    """
    n_chains, n = series.shape
    begin, end = series[:, : max(1, int(BEGIN * n))], series[:, n // 2 :]
    if end.shape[1] < MIN_MEASUREMENTS:
        return 0.0
    times = autocorrelation(end)
    if times.spread == 0:
        return 0.0 if np.ptp(series) == 0 else math.inf
    # means of a time that is short beside τ have the variance of one measurement
    shares = (min(1.0, 2 * times.tau / part.shape[1]) for part in (begin, end))
    error = times.spread * math.sqrt(sum(shares) / n_chains)
    return abs(float(begin.mean() - end.mean())) / error


def _warn(K: float, start: int, n: int, agree: bool) -> None:
    if start < int(LATEST * n) and agree:
        return
    fault = (
        "chains disagree after they are on their way no more"
        if not agree
        else f"chains are on their way until measurement {start} of {n} at least"
    )
    warn_caller(
        f"equilibration at K = {K:.6g}: {fault}: more sweeps, or a rule that moves clusters may help",
        ConvergenceWarning,
    )
