"""ln Z of a machine: exact, by annealed importance sampling, or between the two sides of it."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from rbmflow.arguments import (
    MAX_STEPS,
    FloatArray,
    SpinArray,
    check_choice,
    check_integer,
    check_real,
    check_rng,
    shown,
)
from rbmflow.errors import LikelihoodWarning, warn_caller
from rbmflow.executors import check_executor
from rbmflow.hardware import resolve_threads
from rbmflow.likelihood.coupled import Coupled
from rbmflow.likelihood.ratio import LogMean, log_mean, two_sided
from rbmflow.likelihood.restricted import Restricted
from rbmflow.networks.boltzmann_exact import MAX_ENUMERATED
from rbmflow.networks.exact import exact_in_seconds
from rbmflow.networks.pairwise import Pairwise
from rbmflow.networks.two_layers import TwoLayers
from rbmflow.records import Record
from rbmflow.spins import check_spins
from rbmflow.state_law import normalised
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

Method = Literal["exact", "ais", "bracket", "auto"]
METHODS: tuple[Method, ...] = ("exact", "ais", "bracket", "auto")
FEWEST_EFFECTIVE = 10.0
"""Effective chains below which an estimate is doubted, unless it is close to the weight of
states that were listed."""
CLOSE = 1.0
"""Nats. Of 2,400 estimates by 200 temperatures of 20 × 16 units, with parameters N(0, 0.5) to N(0, 5), 410
were off by more than four of their errors and 6 of those were not doubted; 31 others were. None that was not
doubted was off by more than 1 nat."""
# standard errors from an estimate to a bound: each is passed with probability 3e-5 if its error is normal
WIDTH = 4.0
MAX_CHAINS = 10**6
MORE = 4  # times as many temperatures where the first ones leave a doubt


@dataclass(frozen=True)
class LogPartition(Record):
    """ln Z of a machine and what is known of its error; ``float()`` gives the value.

    Attributes
    ----------
    value : float
        The exact ln Z, the estimate of the chains that were annealed, or the combined estimate of both
        directions; never below `floor`.
    stderr : float
        Standard error of the value from the spread of the weights, at least what the estimate was below
        `floor`; 0 if it is exact.
    lower : float
        The value of the annealed chains less 4 of their standard errors, or `floor` if that is more. Such
        chains underestimate ln Z on average.
    upper : float
        The value of the chains that were annealed backwards plus 4 standard errors. On average they
        overestimate ln Z, provided that they start from the law of the machine; infinite where `floor`
        refutes it, and for the method "ais", which bounds nothing from above.
    n_effective : float
        The number of chains that carry the value: ``(Σw)²/Σw²``, in both directions that of their terms
        in Bennett's ratio, the smaller one; infinite if it is exact. If it is not much larger than 1, the
        standard error means little: take more temperatures.
    floor : float
        ``ln Σ e^(−F)`` over states that were listed, which ln Z cannot be less than: the ends of the
        chains, the bottoms of the energy below them and below random states, and the data;
        ln Z itself if it is exact.
    refuted : bool
        Whether `floor` was more than 4 standard errors above the estimate: chains have
        missed modes of the machine.
    """

    value: float
    stderr: float
    lower: float
    upper: float
    n_effective: float
    floor: float = -math.inf
    refuted: bool = False

    def __float__(self) -> float:
        return self.value

    @property
    def doubt(self) -> str:
        """Why the value should not be relied on, empty if nothing speaks against it.

        The estimate was refuted by `floor`, the bounds contradict each other, or fewer than 10 effective
        chains carry it and `floor` is more than 1 nat below it.

        Examples
        --------
        >>> LogPartition(3.0, 0.7, 0.2, 9.5, 1.9).doubt
        'only 1.9 effective chains carry ln Z = 3 (between 0.2 and 9.5)'
        """
        between = f"ln Z = {self.value:.8g} (between {self.lower:.8g} and {self.upper:.8g})"
        if self.refuted:
            return (
                f"the chains have missed states of the machine that weigh more than all they found; {between}"
            )
        if self.lower > self.upper:
            return f"the two directions contradict each other; {between}"
        if self.n_effective < FEWEST_EFFECTIVE and self.floor < self.value - CLOSE:
            return f"only {self.n_effective:.2g} effective chains carry {between}"
        return ""


def log_partition(
    rbm: TwoLayers | Pairwise,
    method: Method = "exact",
    *,
    n_temperatures: int = 1000,
    n_chains: int = 100,
    betas: ArrayLike | None = None,
    start: ArrayLike | None = None,
    data: ArrayLike | None = None,
    burn_in: int = 1000,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> LogPartition:
    """Return ln Z of a machine.

    Time O(2^n m) for the exact sum, n the size of the smaller layer and m that of the other; O(M N) for each
    temperature and chain of the others. With n units that are all coupled, O(2^n) and O(n²).

    Parameters
    ----------
    rbm : RBM, BoltzmannMachine or Hopfield
        The machine, at T = 1.
    method : {"exact", "ais", "bracket", "auto"}
        By enumeration of the smaller layer, of at most 30 units, or of all units that are coupled to each
        other, of at most 28; by annealed importance sampling (Neal 2001) from the machine without
        couplings; by that in both directions, which brackets ln Z, and Bennett's acceptance ratio between
        them; or exact where that takes seconds, up to 26 units of a layer, and the bracket elsewhere, which
        goes on with four times as many temperatures if the first ones leave a doubt.
    n_temperatures : int
        Number of factors β on the couplings, from 0 to 1 in equal steps, at least 2.
    n_chains : int
        Independent chains in each direction, at least 2.
    betas : array_like, optional
        The factors themselves instead of `n_temperatures`: rising, the first 0, the last 1.
    start : array_like, shape (n_chains, n_visible), optional
        For "bracket": independent visible configurations from the law of the machine, for the chains that run
        backwards; of a BoltzmannMachine those of all units. By default they are drawn exactly if a layer has
        at most 24 units; otherwise the annealed chains are resampled by their weights and take `burn_in`
        sweeps, and `upper` is a bound as far as these have reached equilibrium.
    data : array_like, shape (n, n_visible), optional
        Rows that the machine was trained on, or any others: ``ln Z ≥ ln Σ e^(−F)`` over the distinct
        ones, of a BoltzmannMachine with hidden units drawn at them. The bracket also starts chains from
        them, where it cannot draw exactly, and takes the higher one of two upper bounds.
    burn_in : int
        Sweeps of the machine itself, at least 0.
    rng : numpy.random.Generator or int, optional
        Source of randomness, or a seed; not used by "exact".
    n_threads : int, optional
        By default ``RBMFLOW_NUM_THREADS``, else the processors available; the result does not depend on it.
    progress : callable, optional
        Called as ``progress(done, total)``, of each run of chains on its own.
    executor : concurrent.futures.Executor, optional
        Where chains are annealed, 64 to a task, in place of threads; the result does not depend on it.

    Returns
    -------
    LogPartition
        The value with its error and bounds.

    Raises
    ------
    ValueError
        If the method is "exact" and both layers have more than 30 units, or a BoltzmannMachine more
        than 28; or if fields of a BoltzmannMachine are too large for single precision.

    Warns
    -----
    LikelihoodWarning
        If the estimate should not be relied on, see `LogPartition.doubt`.

    See Also
    --------
    rbmflow.networks.exact_log_partition : The sum alone.
    rbmflow.networks.RBM.log_likelihood : What it is needed for.

    References
    ----------
    * R. M. Neal, Stat. Comput. 11, 125 (2001).
    * R. Salakhutdinov and I. Murray, ICML (2008), 872.
    * C. H. Bennett, J. Comput. Phys. 22, 245 (1976).

    Examples
    --------
    >>> from rbmflow import RBM
    >>> rbm = RBM.uniform(8, 4, 0.2)
    >>> found = log_partition(rbm, "bracket", rng=1)
    >>> found.lower < float(log_partition(rbm)) < found.upper
    True
    """
    on = Coupled(rbm) if isinstance(rbm, Pairwise) else Restricted(rbm)
    check_choice("method", method, METHODS)
    progress = check_progress(progress)
    ladder = _check_betas(betas, n_temperatures)
    n_chains = check_integer("n_chains", n_chains, 2, MAX_CHAINS)
    burn_in = check_integer("burn_in", burn_in, 0, MAX_STEPS)
    given = None if start is None else _check_start(start, method, n_chains, on.n_sites)
    rows = None if data is None else _check_data(data, rbm.n_visible)
    generator, threads, executor = check_rng(rng), resolve_threads(n_threads), check_executor(executor)
    if method == "exact" or (method == "auto" and _is_quick(rbm)):
        exact = on.exact(threads, progress)
        return LogPartition(exact, 0.0, exact, exact, math.inf, exact)
    estimate = partial(
        _annealed, on, method, n_chains, given, rows, burn_in, generator, threads, progress, executor
    )
    found = estimate(ladder)
    if found.doubt and method == "auto" and betas is None:
        again = estimate(np.linspace(0.0, 1.0, MORE * n_temperatures))
        found = again if not again.doubt or again.n_effective > found.n_effective else found
    if found.doubt:
        warn_caller(
            f"{found.doubt}; more temperatures may help, and likelihoods of the machine carry that error",
            LikelihoodWarning,
        )
    return found


def _annealed(
    on: Coupled | Restricted,
    method: str,
    n_chains: int,
    given: SpinArray | None,
    rows: SpinArray | None,
    burn_in: int,
    generator: np.random.Generator,
    threads: int,
    progress: Progress | None,
    executor: Executor | None,
    ladder: FloatArray,
) -> LogPartition:
    """Return the estimate of chains along a ladder, in one direction or both, and what listed states say."""
    run = partial(on.anneal, rng=generator, n_threads=threads, progress=progress, executor=executor)
    forward, ends = run(on.independent(n_chains, generator), ladder)
    mean = log_mean(forward)
    found = LogPartition(
        on.base + mean.value,
        mean.stderr,
        on.base + mean.value - WIDTH * mean.stderr,
        math.inf,
        mean.n_effective,
    )
    if method != "ais":
        burn = partial(
            on.anneal, betas=np.ones(burn_in + 2), rng=generator, n_threads=threads, executor=executor
        )
        starts = [given if given is not None else on.drawn(n_chains, generator)]
        if starts[0] is None:
            chosen = generator.choice(len(ends), size=len(ends), p=normalised(forward))
            starts = [burn(ends[chosen])[1]]
            if rows is not None:
                some = rows[generator.integers(len(rows), size=n_chains)]
                starts.append(burn(on.completed(some, generator))[1])
        runs = [run(spins, ladder[::-1])[0] for spins in starts]
        backward = max(runs, key=lambda one: _upper(log_mean(one)))
        ratio = two_sided(forward, backward)
        found = LogPartition(
            on.base + ratio.value,
            ratio.stderr,
            found.lower,
            on.base + _upper(log_mean(backward)),
            ratio.n_effective,
        )
        ends = np.concatenate([ends, *starts])
    return _above(found, on.listed(ends, rows))


def _is_quick(rbm: TwoLayers | Pairwise) -> bool:
    """Whether the exact sum takes seconds."""
    return rbm.n_units <= MAX_ENUMERATED if isinstance(rbm, Pairwise) else exact_in_seconds(rbm)


def _upper(inverse: LogMean) -> float:
    """Return the bound on ln Z/Z_0 of chains that were annealed backwards."""
    return -inverse.value + WIDTH * inverse.stderr


def _above(found: LogPartition, least: float) -> LogPartition:
    """Return an estimate with what is known of ln Z taken into account."""
    return LogPartition(
        max(found.value, least),
        max(found.stderr, least - found.value),
        max(found.lower, least),
        found.upper if found.upper >= least else math.inf,
        found.n_effective,
        least,
        found.value + WIDTH * found.stderr < least,
    )


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
    if method not in ("bracket", "auto"):
        raise ValueError(f"start: method={shown(method)} takes no configurations, method='bracket' does")
    spins = check_spins("start", start, n_visible)
    if spins.shape != (n_chains, n_visible):
        raise ValueError(f"start has shape {spins.shape}: ({n_chains}, {n_visible}) is needed")
    return spins


def _check_data(data: object, n_visible: int) -> SpinArray:
    rows = check_spins("data", data, n_visible)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"data has shape {rows.shape}: (n, {n_visible}) is needed, n at least 1")
    return rows
