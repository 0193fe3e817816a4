"""The best estimate of a lattice seen through noise: the sign of the mean of each spin given the data."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import (
    MAX_STEPS,
    FloatArray,
    SpinArray,
    check_integer,
    check_real_scalar,
    check_rng,
    shown,
    spawn,
)
from rbmflow.autocorrelation import chains_disagree
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.executors import check_executor, completed
from rbmflow.hardware import check_fits, check_memory, resolve_threads
from rbmflow.ising import Chain, Graph, Ring, RingInFields, noise_field
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.noise import check_error_rate, through_noise
from rbmflow.ising.ring_in_fields import LEAST_SITES
from rbmflow.records import Record
from rbmflow.sampling.run import MAX_CHAINS, run
from rbmflow.sampling.topology import check_lattice
from rbmflow.spins import all_states, check_spins, random_spins
from rbmflow.state_law import normalised
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

MAX_ENUMERATED = 16
"""Sites up to which the means of all 2^n data are summed at once, 8 MiB."""
N_BATCHES = 8
THIN = 4
ROWS_AT_ONCE = 2**22  # spins of rings
SMALLER = "fewer rows at once need less"


@dataclass(frozen=True, eq=False)
class Denoised(Record):
    """What is known of spins that were seen through noise.

    Attributes
    ----------
    noisy : numpy.ndarray of int8, shape (..., n_sites)
        What was seen.
    means : numpy.ndarray, shape (..., n_sites)
        Mean of each spin given all that was seen.
    stderr : numpy.ndarray, shape (..., n_sites)
        Standard errors of the means; 0 where they are exact.
    """

    noisy: SpinArray
    means: FloatArray
    stderr: FloatArray = field(repr=False)

    @property
    def estimate(self) -> SpinArray:
        """The guess that has the fewest wrong spins on average: signs; what was seen where the mean is 0."""
        return np.where(self.means == 0, self.noisy, np.sign(self.means)).astype(np.int8)

    @property
    def expected_overlap(self) -> FloatArray:
        """Mean of ``|⟨v_i⟩|``, the overlap of the estimate that is to be expected, for each row."""
        return np.asarray(np.abs(self.means).mean(axis=-1))


def add_noise(spins: ArrayLike, error_rate: float, *, rng: RNGLike) -> SpinArray:
    """Return spins of which each is turned over with one probability, by itself.

    Parameters
    ----------
    spins : array_like, shape (..., n_sites)
        Spins ±1.
    error_rate : float
        ε, above 0, at most ½.
    rng : numpy.random.Generator or int
        Generator or seed.

    Returns
    -------
    numpy.ndarray of int8, shape (..., n_sites)
        What is seen of them.

    Examples
    --------
    >>> noisy = add_noise(np.ones((100, 100), dtype=np.int8), 0.05, rng=1)
    >>> print(round(noisy.mean(), 2))
    0.9
    """
    clean, rate, source = check_spins("spins", spins), _rate(error_rate), check_rng(rng)
    if not clean.size:
        raise ValueError(f"spins has shape {clean.shape}: at least one spin is needed")
    return np.where(source.random(clean.shape) < rate, -clean, clean)


def denoise(
    lattice: Lattice,
    K: float,
    noisy: ArrayLike,
    error_rate: float,
    *,
    n_chains: int = 8,
    n_sweeps: int = 2000,
    burn_in: int = 200,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Denoised:
    """Return the means of the spins of a lattice given what was seen of them through noise.

    The spins have the Boltzmann law at K, and each is turned over with probability ε. Given what was seen, y,
    they have the law ``exp(K Σ v_i v_j + b Σ y_i v_i)/Z``, ``b = ½ ln((1 − ε)/ε)``. The signs of its means
    are the estimate with the fewest wrong spins: no map of y has a larger mean overlap with the clean spins.

    Rings and chains are exact (`RingInFields`), other lattices of at most 16 sites are enumerated. On larger
    ones each row has heat-bath chains in the fields of its data, half of which begin in what was seen, half
    at random; measured are the means given the neighbours, ``⟨tanh(K Σ v_j + b y_i)⟩``.

    Time O(n_sites) for each row, and for each sweep and chain where there are any.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are. A graph has couplings and fields of its own, which K multiplies.
    K : float
        Coupling βJ of any sign, finite.
    noisy : array_like, shape (..., n_sites)
        What was seen, ±1.
    error_rate : float
        ε, above 0, at most ½.
    n_chains : int
        Chains of each row, at least 2.
    n_sweeps : int
        Sweeps of each chain, at least 32.
    burn_in : int
        Sweeps before these.
    rng : numpy.random.Generator or int
        Generator or seed of the chains; of no effect on exact means.
    n_threads : int, optional
        Threads; no result depends on it.
    progress : callable, optional
        Called as ``progress(done, total)``, in rows.
    executor : concurrent.futures.Executor, optional
        Where chains of rows run; here by default. No result depends on it.

    Returns
    -------
    Denoised
        Means with standard errors, from the spread of 8 parts of every chain, and the estimate.

    Warns
    -----
    ConvergenceWarning
        Once, if the chains of some rows have not mixed, or are too short to tell, by their energies.

    See Also
    --------
    rbmflow.ising.denoising_coupling : Below which it does no more than return `noisy`, on a ring.
    add_noise : Make some.
    rbmflow.flow.mean_field : What a machine makes of it.

    References
    ----------
    H. Nishimori, *Statistical Physics of Spin Glasses and Information Processing*, Oxford (2001), chapter 6.

    Examples
    --------
    >>> ring = Ring(64)
    >>> clean = ring.sample(1.5, 2000, rng=1)
    >>> noisy = add_noise(clean, 0.05, rng=2)
    >>> found = denoise(ring, 1.5, noisy, 0.05)
    >>> print(f"{(noisy * clean).mean():.3f} -> {(found.estimate * clean).mean():.3f}")
    0.900 -> 0.970
    """
    on, seen = check_lattice(lattice), check_spins("noisy", noisy, lattice.n_sites)
    coupling = check_real_scalar("K", K)
    if not np.isfinite(coupling):
        raise ValueError(f"K={shown(K)}: a finite coupling is needed")
    rate = _rate(error_rate)
    n_chains = check_integer("n_chains", n_chains, 2, MAX_CHAINS)
    n_sweeps = check_integer("n_sweeps", n_sweeps, N_BATCHES * THIN, MAX_STEPS)
    burn_in = check_integer("burn_in", burn_in, 0, MAX_STEPS)
    threads = resolve_threads(n_threads)
    source, progress, workers = check_rng(rng), check_progress(progress), check_executor(executor)
    check_memory(f"means of shape {seen.shape}", 24 * seen.size, SMALLER)
    rows = seen.reshape(-1, on.n_sites)
    means, stderr = np.empty(rows.shape), np.zeros(rows.shape)
    if isinstance(on, (Ring, Chain)) and on.n_sites >= LEAST_SITES:
        _along(on, coupling, rate, rows, means, progress)
    elif on.n_sites <= MAX_ENUMERATED:
        means[:] = posterior_table(on, coupling, rate)[1][(rows > 0) @ (1 << np.arange(on.n_sites))]
        _tell(progress, len(rows), len(rows))
    else:
        check_fits("n_chains", n_chains, on.n_sites * n_sweeps / N_BATCHES / THIN, "fewer sweeps need less")
        graph, unmixed = _scaled(on, coupling), 0
        options = n_chains, n_sweeps, burn_in, threads
        pieces = (
            (index, (_sampled, graph, noise_field(rate), row, stream, *options))
            for index, (row, stream) in enumerate(zip(rows, spawn(source, len(rows)), strict=True))
        )
        for done, (index, found) in enumerate(completed(workers, pieces), 1):
            means[index], stderr[index], differ = found
            unmixed += differ
            _tell(progress, done, len(rows))
        if unmixed:
            warn_caller(
                f"the chains of {unmixed} of {len(rows)} rows have not mixed, or are too short to tell: "
                "a longer burn_in or more n_sweeps may help",
                ConvergenceWarning,
            )
    return Denoised(seen, means.reshape(seen.shape), stderr.reshape(seen.shape))


def posterior_table(lattice: Lattice, K: float, error_rate: float) -> tuple[FloatArray, FloatArray]:
    """Return of a small lattice the probability of each y, and the means of all spins given it.

    Shapes (2^n,) and (2^n, n), in the order of `spins.all_states`.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> p, means = posterior_table(Torus(3, 3), 0.4, 0.15)
    >>> print(f"noisy {1 - 2 * 0.15:.4f}, best {p @ np.abs(means)[:, 0]:.4f}")
    noisy 0.7000, best 0.8173
    """
    graph = _scaled(lattice, K)
    states = all_states(graph.n_sites)
    prior = normalised(_log_weights(graph, states))
    seen = through_noise(prior, error_rate)
    up = np.stack([through_noise(prior * (spin > 0), error_rate) for spin in states.T], axis=1)
    return seen, 2 * up / seen[:, None] - 1


def _along(
    lattice: Ring | Chain,
    K: float,
    rate: float,
    rows: SpinArray,
    means: FloatArray,
    progress: Progress | None,
) -> None:
    """Fill in the exact means of rings and chains, some rows after others."""
    couplings = np.full(lattice.n_sites, K)
    if isinstance(lattice, Chain):
        couplings[-1] = 0.0
    at_once = max(1, ROWS_AT_ONCE // lattice.n_sites)
    for first in range(0, len(rows), at_once):
        part = slice(first, first + at_once)
        means[part] = RingInFields(couplings, noise_field(rate) * rows[part]).means
        _tell(progress, min(first + at_once, len(rows)), len(rows))


def _sampled(
    lattice: Graph,
    b: float,
    row: SpinArray,
    rng: np.random.Generator,
    n_chains: int,
    n_sweeps: int,
    burn_in: int,
    n_threads: int,
) -> tuple[FloatArray, FloatArray, bool]:
    """Means given the neighbours, over parts of heat-bath chains, their errors, and whether chains differ."""
    graph = replace(lattice, fields=lattice.fields + b * row)
    initial = random_spins(rng, n_chains, len(row))
    initial[: n_chains // 2] = row
    onward = partial(run, graph, 1.0, n_chains=n_chains, n_threads=n_threads)
    chains = onward(n_sweeps=burn_in, initial=initial, rng=rng, keep_spins=False)
    couplings, parts, energies = _matrix(graph), [], []
    for _ in range(N_BATCHES):
        chains = onward(n_sweeps=n_sweeps // N_BATCHES, thin=THIN, initial=chains)
        for spins in chains.spins if chains.spins is not None else ():
            parts.append(np.tanh(couplings @ spins.T + graph.fields[:, None]).mean(axis=1))
        energies.append(chains.energy)
    means = np.array(parts)
    stderr = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    return means.mean(axis=0), stderr, chains_disagree(np.concatenate(energies, axis=1))


def _scaled(lattice: Lattice, K: float) -> Graph:
    """The lattice as a graph whose law is that at K = 1."""
    graph = lattice.to_graph()
    couplings, fields = K * graph.couplings, K * graph.fields
    if couplings.all():
        return Graph(graph.indptr, graph.indices, couplings, fields)
    return Graph.from_bonds(graph.n_sites, [], fields=fields)


def _matrix(graph: Graph) -> Any:
    """Couplings as a sparse matrix."""
    from scipy import sparse

    return sparse.csr_array((graph.couplings, graph.indices, graph.indptr), shape=(graph.n_sites,) * 2)


def _log_weights(graph: Graph, states: SpinArray) -> FloatArray:
    spins = states.T.astype(np.float64)
    return np.asarray((spins * (_matrix(graph) @ spins)).sum(axis=0) / 2 + graph.fields @ spins)


def _rate(error_rate: object) -> float:
    return float(check_error_rate(check_real_scalar("error_rate", error_rate)))


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
