"""ln Z of a machine: exact, by annealed importance sampling, or between the two sides of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_integer, check_real, check_rng, shown
from rbmflow.hardware import resolve_threads
from rbmflow.likelihood.annealing import anneal, independent_log_partition, independent_spins
from rbmflow.likelihood.ratio import log_mean, two_sided
from rbmflow.networks import exact_log_partition, sample_exactly
from rbmflow.networks.exact import MAX_LISTED
from rbmflow.networks.two_layers import TwoLayers, check_machine
from rbmflow.spins import check_spins
from rbmflow.workers import Progress

METHODS = ("exact", "ais", "bracket")
WIDTH = 4.0  # standard errors from an estimate to a bound: each is passed with probability 3e-5 if its error is normal
MAX_CHAINS = 10**6


@dataclass(frozen=True)
class LogPartition:
    """ln Z of a machine and what is known of its error; ``float()`` gives the value.

    Attributes
    ----------
    value : float
        The exact ln Z, the estimate of the chains that were annealed, or the combined estimate of both directions.
    stderr : float
        Standard error of the value from the spread of the weights; 0 if it is exact.
    lower : float
        The value of the annealed chains less 4 of their standard errors. Such chains underestimate ln Z on average.
    upper : float
        The value of the chains that were annealed backwards plus 4 standard errors. On average they overestimate ln Z, provided
        that they start from the law of the machine; infinite for the method "ais", which bounds nothing from above.
    n_effective : float
        ``(Σw)²/Σw²``, the number of chains that carry the result, the smaller one of both directions; infinite if it is exact. If it
        is not much larger than 1, the standard error means little: take more temperatures.
    """

    value: float
    stderr: float
    lower: float
    upper: float
    n_effective: float

    def __float__(self) -> float:
        return self.value


def log_partition(
    rbm: TwoLayers,
    method: Literal["exact", "ais", "bracket"] = "exact",
    *,
    n_temperatures: int = 1000,
    n_chains: int = 100,
    betas: object = None,
    start: object = None,
    burn_in: int = 1000,
    rng: object = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> LogPartition:
    """Return ln Z of a machine.

    Parameters
    ----------
    rbm : RBM
        The machine.
    method : {"exact", "ais", "bracket"}
        By enumeration of the smaller layer, of at most 30 units; by annealed importance sampling (Neal 2001) from the machine
        without couplings; or by that in both directions, which brackets ln Z, and Bennett's acceptance ratio between them.
    n_temperatures : int
        Number of factors β on the couplings, from 0 to 1 in equal steps, at least 2.
    n_chains : int
        Independent chains in each direction, at least 2.
    betas : array_like, optional
        The factors themselves instead of `n_temperatures`: rising, the first 0, the last 1.
    start : array_like, shape (n_chains, n_visible), optional
        For "bracket": independent visible configurations from the law of the machine, for the chains that run backwards. By default
        they are drawn exactly if a layer has at most 24 units; otherwise the annealed chains are resampled by their weights and
        take `burn_in` sweeps, and `upper` is a bound as far as these have reached equilibrium.
    burn_in : int
        Sweeps of the machine itself, at least 0.
    rng : numpy.random.Generator or int, optional
        Source of randomness, or a seed; not used by "exact".
    n_threads : int, optional
        By default ``RBMFLOW_NUM_THREADS``, else the processors available; the result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``, of each run of chains on its own.

    Returns
    -------
    LogPartition
        The value with its error and bounds.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the method is "exact" and both layers have more than 30 units.

    Examples
    --------
    >>> from rbmflow import RBM
    >>> rbm = RBM.uniform(8, 4, 0.2)
    >>> found = log_partition(rbm, "bracket", rng=1)
    >>> found.lower < float(log_partition(rbm)) < found.upper
    True
    """
    check_machine("rbm", rbm)
    if method not in METHODS:
        raise ValueError(f"method={shown(method)}: one of {', '.join(METHODS)} is needed")
    if method == "exact":
        exact = exact_log_partition(rbm, n_threads=n_threads, progress=progress)
        return LogPartition(exact, 0.0, exact, exact, float("inf"))
    ladder = _check_betas(betas, n_temperatures)
    n_chains = check_integer("n_chains", n_chains, 2, MAX_CHAINS)
    burn_in = check_integer("burn_in", burn_in, 0)
    given = None if start is None else _check_start(start, method, n_chains, rbm.n_visible)
    generator, threads = check_rng(rng), resolve_threads(n_threads)
    run = partial(anneal, rng=generator, n_threads=threads, progress=progress)
    base = independent_log_partition(rbm)
    forward, ends = run(rbm, independent_spins(rbm, n_chains, generator), ladder)
    mean = log_mean(forward)
    value, lower = base + mean.value, base + mean.value - WIDTH * mean.stderr
    if method == "ais":
        return LogPartition(value, mean.stderr, lower, float("inf"), mean.n_effective)
    spins = _equilibrium(rbm, forward, ends, burn_in, generator, threads) if given is None else given
    backward, _ = run(rbm, spins, ladder[::-1])
    inverse = log_mean(backward)
    ratio, stderr = two_sided(forward, backward)
    return LogPartition(
        base + ratio,
        stderr,
        lower,
        base - inverse.value + WIDTH * inverse.stderr,
        min(mean.n_effective, inverse.n_effective),
    )


def _equilibrium(
    rbm: TwoLayers,
    log_weight: FloatArray,
    ends: SpinArray,
    burn_in: int,
    rng: np.random.Generator,
    n_threads: int,
) -> SpinArray:
    """Return configurations from the law of the machine: exact ones, or the ends of chains resampled by their weights."""
    if min(rbm.n_visible, rbm.n_hidden) <= MAX_LISTED:
        return sample_exactly(rbm, len(ends), rng=rng)
    weight = np.exp(log_weight - log_weight.max())
    chosen = rng.choice(len(ends), size=len(ends), p=weight / weight.sum())
    return anneal(rbm, ends[chosen], np.ones(burn_in + 2), rng, n_threads=n_threads)[1]


def _check_betas(betas: object, n_temperatures: int) -> FloatArray:
    if betas is None:
        return np.linspace(0.0, 1.0, check_integer("n_temperatures", n_temperatures, 2, 10**7))
    ladder = check_real("betas", betas)
    if (
        ladder.ndim != 1
        or len(ladder) < 2
        or ladder[0] != 0
        or ladder[-1] != 1
        or (np.diff(ladder) < 0).any()
    ):
        raise ValueError(f"betas={shown(betas)}: a rising row from 0 to 1 is needed")
    return ladder


def _check_start(start: object, method: str, n_chains: int, n_visible: int) -> SpinArray:
    if method != "bracket":
        raise ValueError(f"start: method={shown(method)} takes no configurations, method='bracket' does")
    spins = check_spins("start", start, n_visible)
    if spins.shape != (n_chains, n_visible):
        raise ValueError(f"start has shape {spins.shape}: ({n_chains}, {n_visible}) is needed")
    return spins
