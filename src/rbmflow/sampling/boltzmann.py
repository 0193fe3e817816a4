"""Heat-bath chains of Boltzmann machines, at a temperature or along an annealing schedule.

Units are drawn one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import boltzmann as kernel
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
from rbmflow.generators import Words, check_words, draw_words
from rbmflow.hardware import check_fits, check_memory, empty_at_line, resolve_threads, simd_level
from rbmflow.networks.pairwise import Pairwise, check_pairwise
from rbmflow.records import Record
from rbmflow.records.dataset import dataset
from rbmflow.spins import check_spins, random_spins
from rbmflow.workers import Progress, check_progress, run_tasks

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Numbers, RNGLike

BLOCK = 64  # chains that share a generator
TOGETHER = 8  # blocks that one call of the kernel advances, at most
MAX_CHAINS = 10**7
Order = Literal["sequential", "random"]
ORDERS: tuple[Order, ...] = ("sequential", "random")
STEP_NANOSECONDS = 5e7  # of work, about, between two looks at Ctrl-C


@dataclass(frozen=True, eq=False)
class BoltzmannChains(Record):
    """Where heat-bath chains of a Boltzmann machine stand.

    Attributes
    ----------
    spins : numpy.ndarray of int8, shape (n_chains, n_units)
        The last configurations.
    samples : numpy.ndarray of int8, shape (n_chains, n_kept, n_units)
        Those after every `thin` sweeps; none without `thin`.
    n_sweeps : int
        Sweeps made, those of the chains that these continue included.
    generators : numpy.ndarray of uint64, shape (n_blocks, 32)
        One for each 64 chains.
    order_seed : int
        Seed of the random orders.
    """

    spins: SpinArray
    samples: SpinArray = field(repr=False)
    n_sweeps: int
    generators: Words = field(repr=False)
    order_seed: int

    def to_xarray(self) -> Any:
        """Return the samples as a dataset of xarray, in the layout of arviz.

        Returns
        -------
        xarray.Dataset
            ``spins`` over ``chain``, ``draw`` and ``unit``; no draws without `thin`.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> from rbmflow.networks import Hopfield
        >>> made = boltzmann_chains(Hopfield.hebb([[1, 1, -1]]), n_chains=4, n_sweeps=20, thin=2, rng=1)
        >>> dict(made.to_xarray().sizes)
        {'chain': 4, 'draw': 10, 'unit': 3}
        """
        n_chains, n_draws, _ = self.samples.shape
        coordinates = {"chain": range(n_chains), "draw": range(n_draws)}
        return dataset({"spins": (("chain", "draw", "unit"), self.samples)}, coordinates, {})


def boltzmann_chains(
    machine: Pairwise,
    *,
    temperature: Numbers = 1.0,
    n_chains: int = 1,
    n_sweeps: int,
    thin: int | None = None,
    order: Order = "sequential",
    clamped: ArrayLike | None = None,
    rng: RNGLike = None,
    initial: Literal["random"] | ArrayLike | BoltzmannChains = "random",
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> BoltzmannChains:
    """Run independent chains of a Boltzmann machine (thesis eq. 17).

    Unit i is up with probability ``1/(1 + e^(−2a_i/T))``. Activations are float32, and probabilities
    below 2⁻³² count as 0. Chains are the same bits on every machine, at every SIMD level and
    with any number of threads.

    Time O(n²) for each sweep and chain.

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        The machine.
    temperature : float or array_like, shape (n_sweeps,)
        T, above 0; or one for each sweep: simulated annealing.
    n_chains : int
        Number of chains; it may be left out where `initial` says it.
    n_sweeps : int
        Sweeps, each of as many attempts as there are free units.
    thin : int, optional
        Configurations are kept after every `thin` sweeps; none are without it.
    order : str
        ``"sequential"``, or ``"random"``: units at random, in all chains the same. Both connect all states.
    clamped : array_like of bool, shape (n_units,), optional
        True for units that stay as they are in `initial`.
    rng : numpy.random.Generator or int
        Generator or seed; not used where `initial` is a `BoltzmannChains`.
    initial : str, array_like or BoltzmannChains
        ``"random"``, spins of shape ``(n_units,)`` or ``(n_chains, n_units)``, or chains to go on with as
        if they had never stopped.
    n_threads : int, optional
        Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available.
    progress : callable, optional
        Called about ten times a second as ``progress(done, total)``, in sweeps of all blocks of 64 chains.

    Returns
    -------
    BoltzmannChains
        The last spins, and those kept.

    See Also
    --------
    block_gibbs : Of an RBM.
    rbmflow.networks.boltzmann_moments : The means, summed over all states.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 17.

    Examples
    --------
    >>> from rbmflow.networks import BoltzmannMachine
    >>> machine = BoltzmannMachine([[0, 0.5], [0.5, 0]])
    >>> chains = boltzmann_chains(machine, n_chains=4000, n_sweeps=20, rng=1)
    >>> bool(abs(chains.spins.prod(axis=1).mean() - np.tanh(0.5)) < 0.06)
    True
    """
    check_pairwise("machine", machine)
    n_sweeps, progress = check_integer("n_sweeps", n_sweeps, 0, MAX_STEPS), check_progress(progress)
    check_fits("n_sweeps", n_sweeps, 8, "continue shorter runs with initial=")
    T = _temperatures(temperature, n_sweeps)
    every = n_sweeps + 1 if thin is None else check_integer("thin", thin, 1)
    check_choice("order", order, ORDERS)
    free = _free(clamped, machine.n_units)
    threads = resolve_threads(n_threads)
    before = _begin(machine, check_integer("n_chains", n_chains, 1, MAX_CHAINS), rng, initial)
    with np.errstate(over="ignore"):
        coldest = np.abs(machine.couplings).sum(axis=1).max() + np.abs(machine.bias).max()
        if len(T) and not np.isfinite(np.float32(coldest / T.min())):
            raise ValueError(
                f"temperature={T.min():g}: activations over the temperature are too large for float32"
            )
    spins, generators = before.spins.copy(), before.generators.copy()
    shape = len(spins), n_sweeps // every, machine.n_units
    check_memory(f"samples of shape {shape}", math.prod(shape), "a larger thin keeps less")
    samples = np.empty(shape, dtype=np.int8)
    plan = _Plan(machine, T, every, free, order == "random", before.order_seed, before.n_sweeps)
    n_blocks = len(generators)
    together = plan.together(n_blocks, threads)
    chains = together * BLOCK
    tasks = [
        plan.steps(
            spins[first : first + chains],
            generators[index : index + together],
            samples[first : first + chains],
        )
        for index, first in zip(range(0, n_blocks, together), range(0, len(spins), chains), strict=True)
    ]
    total = n_blocks * n_sweeps
    run_tasks(tasks, threads, total=total, progress=progress, nanoseconds=total * plan.nanoseconds)
    return BoltzmannChains(spins, samples, before.n_sweeps + n_sweeps, generators, before.order_seed)


def _rows(blocks: npt.NDArray[Any], n_chains: int) -> npt.NDArray[Any]:
    """Return the chains of blocks, one to a row."""
    return blocks.swapaxes(1, 2).reshape(-1, blocks.shape[1])[:n_chains]


@dataclass(frozen=True, eq=False)
class _Plan:
    """What every block of chains does."""

    machine: Pairwise
    temperatures: FloatArray
    thin: int
    free: npt.NDArray[np.int32]
    shuffled: bool
    order_seed: int
    n_done: int

    @property
    def nanoseconds(self) -> float:
        """At most, of a sweep of a block."""
        return BLOCK * len(self.free) * (self.machine.n_units / 8 + 1)

    def together(self, n_blocks: int, n_threads: int) -> int:
        """Return how many blocks to a task: alike for all threads, and a sweep of them is one step at most.

        At the plain level nothing is looked up that they could share.
        """
        most = min(TOGETHER, int(STEP_NANOSECONDS / (self.nanoseconds + 1))) if simd_level() else 1
        rounds = -(-n_blocks // (max(most, 1) * n_threads))
        return max(1, -(-n_blocks // (rounds * n_threads)))

    def steps(self, spins: SpinArray, generators: Words, samples: SpinArray) -> Iterator[int]:
        """Advance the chains of some blocks; yield the sweeps done, of each block."""
        n_blocks, (n_chains, n_units) = len(generators), spins.shape
        blocks = empty_at_line((n_blocks, n_units, BLOCK), np.float32)
        blocks[:] = 1
        for block, first in zip(blocks, range(0, n_chains, BLOCK), strict=True):
            part = spins[first : first + BLOCK]
            block[:, : len(part)] = part.T
        n_table, n_entries = kernel.scratch_sizes(n_units)
        scratch = empty_at_line(n_table, np.float32), empty_at_line((n_blocks, n_entries), np.uint32)
        n_sweeps, kept = len(self.temperatures), 0
        step = max(1, int(STEP_NANOSECONDS / (n_blocks * self.nanoseconds + 1)))
        first, scaled_by = 0, np.nan
        while first < n_sweeps:
            T = self.temperatures[first]
            if scaled_by != T:
                couplings = (self.machine.couplings / T).astype(np.float32)
                bias, scaled_by = (self.machine.bias / T).astype(np.float32), T
            last = first + 1
            while (
                last < n_sweeps and last - first < step and self.temperatures[last] == T and last % self.thin
            ):
                last += 1
            n_kept = int(last % self.thin == 0)
            out = np.empty((n_kept, n_blocks, n_units, BLOCK), dtype=np.int8)
            kernel.sweep(
                blocks,
                generators,
                couplings,
                bias,
                self.orders(first, last),
                last - first,
                *scratch,
                out,
                simd_level(),
            )
            if n_kept:
                samples[:, kept] = _rows(out[0], n_chains)
                kept += 1
            yield n_blocks * (last - first)
            first = last
        spins[:] = _rows(blocks, n_chains)

    def orders(self, first: int, last: int) -> npt.NDArray[np.int32]:
        """Return the units of each sweep."""
        if not self.shuffled:
            return np.tile(self.free, (last - first, 1))
        rows = [
            self.free[
                np.random.default_rng([self.order_seed, self.n_done + sweep]).integers(
                    0, len(self.free), len(self.free)
                )
            ]
            for sweep in range(first, last)
        ]
        return np.array(rows, dtype=np.int32).reshape(last - first, len(self.free))


def _temperatures(temperature: object, n_sweeps: int) -> FloatArray:
    T = check_real("temperature", temperature)
    if T.shape not in ((), (n_sweeps,)):
        raise ValueError(
            f"temperature has shape {T.shape}: one number, or one for each of {n_sweeps} sweeps, is needed"
        )
    wrong = (T <= 0) | np.isinf(T)
    if wrong.any():
        raise ValueError(f"temperature={T[wrong].ravel()[0]:g}: finite numbers above 0 are needed")
    return np.array(np.broadcast_to(T, (n_sweeps,)))


def _free(clamped: object, n_units: int) -> npt.NDArray[np.int32]:
    if clamped is None:
        return np.arange(n_units, dtype=np.int32)
    mask = np.asarray(clamped)
    if mask.dtype != np.bool_ or mask.shape != (n_units,):
        raise ValueError(
            f"clamped has shape {mask.shape} of {mask.dtype}: ({n_units},) of True and False is needed"
        )
    return np.flatnonzero(~mask).astype(np.int32)


def _check_chains(chains: BoltzmannChains) -> None:
    """Raise unless the chains are what `boltzmann_chains` gives: the kernel trusts them."""
    spins, n_blocks = chains.spins, -(-len(chains.spins) // BLOCK)
    check_spins("initial: spins", spins)
    if spins.ndim != 2 or spins.dtype != np.int8:
        raise ValueError(f"initial: spins of shape {spins.shape}, {spins.dtype}, are no chains")
    if len(chains.generators) != n_blocks:
        raise ValueError(f"initial: {len(chains.generators)} generators, {n_blocks} are needed")
    for words in chains.generators:
        check_words("initial: generators", words)


def _begin(machine: Pairwise, n_chains: int, rng: object, initial: object) -> BoltzmannChains:
    """Return the chains before the first sweep."""
    n_units = machine.n_units
    if isinstance(initial, BoltzmannChains):
        if initial.spins.shape[1] != n_units:
            raise ValueError(
                f"initial: its chains have {initial.spins.shape[1]} units, the machine {n_units}"
            )
        if n_chains not in (1, len(initial.spins)):
            raise ValueError(f"n_chains={n_chains}: the chains to go on with are {len(initial.spins)}")
        _check_chains(initial)
        return initial
    source = check_rng(rng)
    if isinstance(initial, str):
        if initial != "random":
            raise ValueError(
                f"initial={shown(initial)}: 'random', an array of spins or BoltzmannChains is needed"
            )
        spins = random_spins(source, n_chains, n_units)
    else:
        given = check_spins("initial", initial, n_units)
        if given.ndim > 2 or not given.size or (given.ndim == 2 and n_chains not in (1, len(given))):
            raise ValueError(
                f"initial has shape {given.shape}: ({n_units},) or ({n_chains}, {n_units}) is needed"
            )
        rows = len(given) if given.ndim == 2 else n_chains
        spins = np.array(np.broadcast_to(given, (rows, n_units)), order="C")
    words = draw_words(source, -(-len(spins) // BLOCK))
    return BoltzmannChains(
        spins, np.empty((len(spins), 0, n_units), dtype=np.int8), 0, words, int(source.integers(0, 2**63))
    )
