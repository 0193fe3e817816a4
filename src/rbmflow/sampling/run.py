"""Markov chains on a lattice: validation, and the loop over engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import (
    MAX_STEPS,
    FloatArray,
    check_flag,
    check_integer,
    check_real,
)
from rbmflow.hardware import check_memory, resolve_threads
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.cluster_chains import N_SUMS
from rbmflow.sampling.cluster_estimates import cluster_series
from rbmflow.sampling.compiled_chains import make_engines, weak
from rbmflow.sampling.engine import Block, Engine
from rbmflow.sampling.measurements import Observable, check_observables, measured
from rbmflow.sampling.reducibility import (
    CLUSTER_RULES,
    Order,
    Rule,
    check_field,
    check_rule,
    guard,
    resolve_order,
)
from rbmflow.sampling.result import Run
from rbmflow.sampling.starts import Start, begin, continued
from rbmflow.sampling.topology import check_lattice
from rbmflow.workers import Progress, check_progress, run_tasks

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Numbers, RNGLike

STEP_NANOSECONDS = 5e7  # of work, about, between two looks at Ctrl-C
MAX_AT_ONCE = 4096  # measurements
PAGE_BYTES, PAGES_AT_ONCE = 2**21, 64
SPINS_AT_ONCE = 2**24  # that observables are measured of
KEEP_LESS = "keep_spins=False or a larger thin keeps less, write_run keeps a part at a time in memory"
MAX_CHAINS = 10**7
MAX_SWEEPS = 10**15  # between two measurements


def run(
    lattice: Lattice,
    K: Numbers,
    *,
    n_chains: int = 1,
    n_sweeps: int,
    thin: int = 1,
    burn_in: int = 0,
    rule: Rule = "heat_bath",
    order: Order | None = None,
    rng: RNGLike = None,
    initial: Start | ArrayLike | Run = "random",
    field: float = 0.0,
    keep_spins: bool = True,
    observables: Mapping[str, Observable] | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
    allow_reducible: bool = False,
) -> Run:
    """Run independent Markov chains whose law is ``exp[K (Σ v_i v_j + h Σ v_i)]``, and measure them.

    The heat bath draws a spin given its neighbours, ``P(v_i = 1) = 1/(1 + e^(−2K Σ v_j))``; Metropolis
    accepts a flip of cost ΔE with ``min(1, e^(−K ΔE))``; at couplings below 0.1/n_sites, where it would flip
    everything in every sweep, it draws as the heat bath. With random order a sweep is n_sites attempts.

    Clusters join neighbours along satisfied bonds, ``K J v_i v_j > 0``, with probability ``1 − e^(−2|K J|)``:
    Swendsen-Wang gives each cluster a fair coin, Wolff flips that of a random site; with Wolff a sweep is one
    cluster, so that measurements come after a fixed number of them, and below 0.1/n_sites, where clusters are
    single sites, it draws as Swendsen-Wang. A field is a bond of each site to one more spin, the ghost, and
    spins are measured relative to it: a cluster that it is in stays, and where Wolff draws such a one all
    other spins flip. Frustrated bonds make clusters that are too large to be of use.

    From 8 chains on (200 on tori of even sides), and sites in a fixed order, chains are bits of words. Coins
    are right to the last binary digit of each probability, 512 chains at a time, on rings and tori without
    field; from 65 chains on also on any lattice without field whose couplings are equal but for their signs
    and at most six to a site. Else chains are simulated 64 at a time: local fields are exact where couplings
    and fields are small multiples of a power of two, as integers are, or off by at most
    ``2⁻³⁰ (Σ |J| + |h|)``
    of the site for each of its terms; given the field the probability p of the less likely spin is right to
    3·10⁻⁷ (1 − ln p) p + 2⁻³². With few chains, or sites at random, all numbers have 53 bits. At random each
    chain draws its own sites, so that chains are independent before equilibrium too, for ten to forty times
    the work.

    Time O(sites) for each sweep and chain.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are.
    K : float or array_like
        Coupling βJ of any sign, ±∞ included (at strong couplings local updates may stay in stripes for very
        long, which R-hat shows); or one for each chain.
    n_chains : int
        Number of chains; it may be left out where `K` has one coupling for each, or `initial` is a `Run`.
    n_sweeps : int
        Sweeps after the burn-in.
    thin : int
        A measurement is kept after every `thin` sweeps.
    burn_in : int
        Sweeps before the first of these.
    rule : str
        ``"heat_bath"``, ``"metropolis"``, ``"wolff"`` or ``"swendsen_wang"``.
    order : str, optional
        ``"random"``, ``"sequential"``, ``"checkerboard"`` (of two sublattices) or ``"colours"``: two where
        there are two sublattices, elsewhere as many as it takes that no neighbours have the same. By default
        the fastest that connects all states: two colours or rows with the heat bath, random sites with
        Metropolis.
    rng : numpy.random.Generator or int
        Generator or seed; not used where `initial` is a `Run`.
    initial : str, array_like or Run
        ``"random"``, ``"up"``, ``"mixed"``, where every second chain begins up and the others in random
        states, spins of shape ``(n_sites,)`` or ``(n_chains, n_sites)``, or a `Run`, which goes on with its
        generators as if it had never stopped (lattice, couplings, rule and order must be the same).
    field : float
        h in units of J, uniform; a `Graph` has fields of its own.
    keep_spins : bool
        Whether configurations are kept, or only energy, magnetization and `observables`.
    observables : mapping of str to callable, optional
        Functions by name, each of configurations, int8 of shape ``(n, n_sites)``, and giving one number or k
        for each, shape ``(n,)`` or ``(n, k)``, which depend on that configuration alone. They are measured
        beside the energy, and the configurations need not be kept for them.
        `rbmflow.flow.lattice_observables` has some.
    n_threads : int, optional
        Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available. No result depends on it.
    progress : callable, optional
        Called about ten times a second as ``progress(done, total)``, in sweeps of all chains.
    allow_reducible : bool
        Run a chain that does not connect all states.

    Returns
    -------
    Run
        Series of shape ``(n_chains, n_sweeps // thin)``, estimates with errors, and the state to go on from.

    Raises
    ------
    ReducibleChainError
        For Metropolis in a fixed order on a ring, whose averages depend on the start, and on lattices of up
        to 10 sites whose states it does not all connect.
    ValueError
        If checkerboard order meets odd sides, or Metropolis in a fixed order would start in a state that it
        never leaves.

    Warns
    -----
    ReducibleChainWarning
        Once for Metropolis in a fixed order on a small lattice of more sites, which has isolated frozen
        states.

    See Also
    --------
    replica_exchange : Chains that exchange their couplings.
    training_set : Independent configurations, certified.
    is_irreducible : Whether a rule connects all states.

    References
    ----------
    * N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
    * R. H. Swendsen and J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987).
    * U. Wolff, Phys. Rev. Lett. 62, 361 (1989).

    Examples
    --------
    >>> from rbmflow import Ring
    >>> chains = run(Ring(64), 0.5, n_chains=64, n_sweeps=400, burn_in=50, rng=1)
    >>> abs(chains.energy_estimate.deviation(Ring(64).energy(0.5))) < 4
    True
    """
    on, rule = check_lattice(lattice), check_rule(rule)
    for name, flag in (("keep_spins", keep_spins), ("allow_reducible", allow_reducible)):
        check_flag(name, flag)
    resolved = resolve_order(on, rule, order)
    h = check_field(on, field)
    lengths = {
        "n_sweeps": check_integer("n_sweeps", n_sweeps, 0, MAX_STEPS),
        "thin": check_integer("thin", thin, 1, MAX_SWEEPS),
        "burn_in": check_integer("burn_in", burn_in, 0, MAX_STEPS),
    }
    progress = check_progress(progress)
    n_chains = check_integer("n_chains", n_chains, 1, MAX_CHAINS)
    threads = resolve_threads(n_threads)
    n_kept = lengths["n_sweeps"] // lengths["thin"]
    n_sums = N_SUMS if rule in CLUSTER_RULES else 0
    if isinstance(initial, Run):
        _check_memory(on, len(initial.K), n_kept, keep_spins=keep_spins, n_sums=n_sums)
        couplings, state = continued(initial, on, K, n_chains, rule, resolved, h)
    else:
        couplings = _couplings(K, n_chains)
        _check_memory(on, len(couplings), n_kept, keep_spins=keep_spins, n_sums=n_sums)
        if not weak(on, couplings).all():
            guard(on, rule, resolved, allow_reducible=allow_reducible, field=h)
        state = begin(on, couplings, rule, resolved, rng, initial, allow_reducible, h)
    spins, generators = state.spins, state.generators
    functions, sizes = check_observables(observables, spins)
    check_memory(
        f"observables of {len(spins)} chains of {n_kept} measurements",
        8 * len(spins) * n_kept * sum(size or 1 for size in sizes.values()),
        KEEP_LESS,
    )
    engines = make_engines(on, couplings, rule, resolved, spins, generators, field=h)
    n_chains = len(couplings)
    n_total = lengths["burn_in"] + lengths["n_sweeps"]
    block = _new_block(n_chains, n_kept, on.n_sites if keep_spins else 0, n_sums)
    series = {
        name: np.empty((n_chains, n_kept) if size is None else (n_chains, n_kept, size))
        for name, size in sizes.items()
    }
    for array in (block.energy, block.magnetization, block.spins, block.clusters, *series.values()):
        _take_memory(array)
    at_once = max(1, SPINS_AT_ONCE // (n_chains * on.n_sites)) if functions else max(1, n_kept)
    for first, last, piece in _pieces(at_once, n_kept, **lengths):
        part = _new_block(n_chains, last - first, on.n_sites, n_sums) if functions else block
        swept = lengths["burn_in"] + first * lengths["thin"] if first else 0
        _run_engines(engines, part, piece, threads, shifted(progress, n_chains * swept, n_chains * n_total))
        if part is not block and part.spins is not None and last > first:
            _copy(part, block, first, last)
            for name, values in measured(functions, part.spins).items():
                series[name][:, first:last] = values
    for engine in engines:
        engine.write_back(spins)
    return Run(
        lattice=on,
        K=couplings,
        rule=rule,
        order=resolved,
        field=h,
        thin=lengths["thin"],
        spins=block.spins,
        energy=block.energy / on.n_sites,
        magnetization=block.magnetization / on.n_sites,
        observables=series,
        **cluster_series(block.clusters, on.n_sites, rule),
        state=replace(state, spins=spins, generators=generators, n_sweeps=state.n_sweeps + n_total),
    )


def _new_block(n_chains: int, n_kept: int, n_sites: int, n_sums: int) -> Block:
    """Return the place of measurements, of configurations unless there are no sites, and of clusters."""
    return Block(
        np.empty((n_chains, n_kept)),
        np.empty((n_chains, n_kept)),
        np.empty((n_chains, n_kept, n_sites), dtype=np.int8) if n_sites else None,
        np.empty((n_chains, n_kept, n_sums)) if n_sums else None,
    )


def _copy(part: Block, block: Block, first: int, last: int) -> None:
    """Copy what a part of the measurements holds, as far as it is kept."""
    for one in fields(Block):
        kept = getattr(block, one.name)
        if kept is not None:
            kept[:, first:last] = getattr(part, one.name)


def _pieces(
    at_once: int, n_kept: int, *, n_sweeps: int, thin: int, burn_in: int
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """Yield the measurements of each piece, the first and the last + 1, and its lengths."""
    for first in range(0, max(n_kept, 1), at_once):
        last = min(first + at_once, n_kept)
        until = n_sweeps if last == n_kept else last * thin
        lengths = {"n_sweeps": until - first * thin, "thin": thin, "burn_in": 0 if first else burn_in}
        yield first, last, lengths


def _run_engines(
    engines: list[Engine], block: Block, lengths: dict[str, int], n_threads: int, progress: Progress | None
) -> None:
    n_sweeps, n_kept = lengths["burn_in"] + lengths["n_sweeps"], block.energy.shape[1]
    run_tasks(
        [steps(engine, block, **lengths) for engine in engines],
        n_threads,
        progress=progress,
        nanoseconds=sum(n_sweeps * engine.cost + n_kept * engine.overhead for engine in engines),
    )


def shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Return what reports the progress of a part, after so much of the whole."""
    return None if progress is None else lambda done, _: progress(before + done, total)


def _take_memory(array: npt.NDArray[Any] | None) -> None:
    """Touch every large page of a new array, a few at a time.

    The first measurements would touch them all, deaf to Ctrl-C.
    """
    if array is None:
        return
    every, at_once = PAGE_BYTES // array.itemsize, PAGES_AT_ONCE * PAGE_BYTES // array.itemsize
    flat = array.reshape(-1)
    for first in range(0, flat.size, at_once):
        flat[first : first + at_once : every] = 0


def steps(engine: Engine, block: Block, *, n_sweeps: int, thin: int, burn_in: int) -> Iterator[int]:
    """Advance an engine in steps short enough to stop at; yield the sweeps done, summed over its chains."""
    step = max(1, int(STEP_NANOSECONDS / engine.cost))
    n_chains, n_kept = len(engine.chains), n_sweeps // thin
    yield from _sweeps(engine, burn_in, step)
    if thin <= step:
        at_once = min(MAX_AT_ONCE, 1 + int(STEP_NANOSECONDS / (engine.cost * thin + engine.overhead)))
        for first in range(0, n_kept, at_once):
            last = min(first + at_once, n_kept)
            engine.measure(thin, first, last, block)
            yield n_chains * thin * (last - first)
    else:
        for index in range(n_kept):
            yield from _sweeps(engine, thin - 1, step)
            engine.measure(1, index, index + 1, block)
            yield n_chains
    yield from _sweeps(engine, n_sweeps - thin * n_kept, step)


def _sweeps(engine: Engine, n_sweeps: int, step: int) -> Iterator[int]:
    for first in range(0, n_sweeps, step):
        now = min(step, n_sweeps - first)
        engine.advance(now)
        yield len(engine.chains) * now


def _check_memory(lattice: Lattice, n_chains: int, n_kept: int, *, keep_spins: bool, n_sums: int) -> None:
    """Raise where states, series and the configurations that are kept would not fit into memory."""
    check_memory(
        f"{n_chains} chains of {n_kept} measurements",
        n_chains * (2 * lattice.n_sites + n_kept * (16 + 16 * n_sums + lattice.n_sites * keep_spins)),
        KEEP_LESS,
    )


def _couplings(K: object, n_chains: int) -> FloatArray:
    couplings = check_real("K", K)
    if (
        couplings.ndim > 1
        or (couplings.ndim == 1 and n_chains not in (1, len(couplings)))
        or not couplings.size
    ):
        raise ValueError(
            f"K has shape {couplings.shape}: one number, or one for each of {n_chains} chains, is needed"
        )
    check_integer("n_chains", couplings.size, 1, MAX_CHAINS)
    return np.array(np.broadcast_to(couplings, (couplings.size if couplings.ndim else n_chains,)))
