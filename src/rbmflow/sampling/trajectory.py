"""Chains of a machine that exchange their places with those of the machines which it was in training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import MAX_STEPS, check_integer, check_real_scalar, check_rng, shown
from rbmflow.hardware import check_fits, resolve_threads
from rbmflow.networks import RBM
from rbmflow.sampling.block_gibbs import MAX_CHAINS
from rbmflow.sampling.machine_ladder import (
    MAX_RUNGS,
    MachineLadder,
    TemperedChains,
    check_initial,
    log_traced_out,
    result,
)
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

LOOKS = 5  # at chains, from half of their sweeps on


def trajectory_tempering(
    machines: Iterable[RBM],
    *,
    n_chains: int = 1,
    n_sweeps: int,
    rng: RNGLike = None,
    initial: ArrayLike | TemperedChains | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> TemperedChains:
    """Run chains of the machines of one training, which exchange their places with those of neighbours.

    Where training makes modes out of one cloud of states bit by bit, chains go back through the machines that
    were, and come forth in other modes (N. Béreux, A. Decelle, C. Furtlehner, L. Rosset and B. Seoane,
    arXiv:2405.15376, 2024). Of neighbours t and t + 1 the visible spins are swapped with probability
    ``min(1, e^(−ΔF))``, ``ΔF = F_t(v_(t+1)) + F_(t+1)(v_t) − F_t(v_t) − F_(t+1)(v_(t+1))``, even and odd
    pairs in turn, before each sweep. That is more often than with the energies of (v, h), which the paper
    has in place of free energies: the hidden spins need not fit, they are drawn afresh.

    Machines between which a training went in large noisy steps do not exchange, however many there are: a
    smaller learning rate gives a path along which chains pass.

    Time O(M N) for each sweep, chain and machine: that of `block_gibbs` for as many chains about 6 times at
    784 × 500 units, 11 times at 64 × 100 and 25 times at 16 × 16.

    Parameters
    ----------
    machines : sequence of RBM
        In the order of training, at least two of one size, the one that is wanted last; `training.Trajectory`
        collects them, `spaced_machines` leaves out those that are not needed.
    n_chains : int
        Chains of each machine; it may be left out where `initial` says it.
    n_sweeps : int
        Sweeps of all machines.
    rng : numpy.random.Generator or int
        Generator or seed; not used where `initial` is a `TemperedChains`.
    initial : array_like or TemperedChains, optional
        Visible spins of shape ``(n_visible,)``, ``(n_chains, n_visible)`` or, with the last machine first,
        ``(n_machines, n_chains, n_visible)``, or chains to go on with as if they had never stopped; by
        default from the biases of the first machine.
    n_threads : int, optional
        Threads, each for 128 chains of all machines; no result depends on it.
    progress : callable, optional
        Called about ten times a second as ``progress(done, total)``, in sweeps of all chains.

    Returns
    -------
    TemperedChains
        The last spins of the last machine, the rates of exchange and the round trips.

    Warns
    -----
    ConvergenceWarning
        If hardly anything passes between two machines.

    Examples
    --------
    >>> machines = [RBM(np.full((20, 8), W), np.full(20, 0.04)) for W in (0.0, 0.1, 0.2, 0.3, 0.4)]
    >>> chains = trajectory_tempering(machines, n_chains=500, n_sweeps=200, rng=1)
    >>> bool(abs((chains.visible.sum(axis=1) > 0).mean() - 0.832) < 0.07)
    True
    """
    taken = check_machines(machines)[::-1]
    n_sweeps, progress = check_integer("n_sweeps", n_sweeps, 0, MAX_STEPS), check_progress(progress)
    threads = resolve_threads(n_threads)
    if isinstance(initial, TemperedChains):
        on, groups, done = *initial._go_on(taken, n_chains), initial.n_sweeps
    else:
        visible = check_initial(initial, n_chains, taken[0].n_visible, len(taken))
        on, done = MachineLadder(taken, np.arange(len(taken) - 1.0, -1.0, -1.0), name="machines"), 0
        groups = on.begin(n_chains, check_rng(rng), visible)
    on.advance(groups, n_sweeps, done, n_threads=threads, progress=progress)
    return result(on, groups, done + n_sweeps)


def spaced_machines(
    machines: Iterable[RBM],
    *,
    rate: float = 0.5,
    n_chains: int = 100,
    n_sweeps: int = 100,
    rng: RNGLike = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> npt.NDArray[np.intp]:
    """Return the places of a few of many machines, such that neighbours exchange often enough.

    Chains of all machines run and exchange for a while. From the first machine on each next one is the
    farthest, found by halving, with which that many of the chains would have been exchanged; if there is
    none, it is the next of all.

    Time O(n M N) for each sweep and chain, n the number of machines.

    Parameters
    ----------
    machines : sequence of RBM
        As for `trajectory_tempering`.
    rate : float
        Rate of exchange that is wanted at least, above 0 and below 1.
    n_chains, n_sweeps : int
        Chains of each machine, and their sweeps.
    rng : numpy.random.Generator or int
        Generator or seed.
    n_threads : int, optional
        Threads; no result depends on it.
    progress : callable, optional
        ``progress(done, total)`` in sweeps of all chains.

    Returns
    -------
    numpy.ndarray of int, shape (n_spaced,)
        Places, ascending, the first and the last among them.

    Examples
    --------
    >>> machines = [RBM(np.full((20, 8), W)) for W in np.linspace(0, 0.4, 41)]
    >>> places = spaced_machines(machines, rng=1)
    >>> bool(len(places) < 15)
    True
    """
    taken = check_machines(machines)
    wanted = check_real_scalar("rate", rate)
    if not 0 < wanted < 1:
        raise ValueError(f"rate={shown(rate)}: a number above 0 and below 1 is needed")
    n_chains, threads = check_integer("n_chains", n_chains, 1, MAX_CHAINS), resolve_threads(n_threads)
    check_fits("n_chains", n_chains, 8 * LOOKS * len(taken) * taken[0].n_visible, "fewer machines need less")
    sweeps, progress = check_integer("n_sweeps", n_sweeps, 1, MAX_STEPS), check_progress(progress)
    ends = np.unique(np.linspace(sweeps - sweeps // 2, sweeps, LOOKS).astype(int)).tolist()
    on, seen = MachineLadder(taken, np.arange(float(len(taken))), name="machines"), []
    groups = on.begin(n_chains, check_rng(rng), None)
    for before, end in zip([0, *ends], ends, strict=False):
        part = None if progress is None else _part(progress, before, sweeps, n_chains)
        on.advance(groups, end - before, before, n_threads=threads, progress=part)
        seen += [group.visible.copy() for group in groups]
    spins = np.concatenate(seen, axis=1).astype(np.float64)
    places = [0]
    while places[-1] < len(taken) - 1:
        near, far = places[-1] + 1, len(taken)
        while far - near > 1:
            middle = (near + far) // 2
            near, far = (middle, far) if _rate(taken, spins, places[-1], middle) >= wanted else (near, middle)
        places.append(near)
    return np.array(places)


def _rate(machines: list[RBM], spins: npt.NDArray[np.float64], one: int, other: int) -> float:
    """Return the mean probability of an exchange between two machines."""
    a, b = machines[one], machines[other]
    ratio = [
        log_traced_out(v @ b.weights + b.hidden_bias)
        - log_traced_out(v @ a.weights + a.hidden_bias)
        + v @ (b.visible_bias - a.visible_bias)
        for v in (spins[one], spins[other])
    ]
    return float(np.exp(np.minimum(ratio[0] - ratio[1], 0)).mean())


def _part(progress: Progress, before: int, total: int, n_chains: int) -> Progress:
    """Return the progress of sweeps after others."""
    return lambda done, _: progress(before * n_chains + done, total * n_chains)


def check_machines(machines: object) -> list[RBM]:
    """Return machines of one size, at least two, or raise."""
    if isinstance(machines, RBM) or not isinstance(machines, Iterable):
        raise TypeError(f"machines={shown(machines)}: a sequence of RBMs is needed")
    taken = list(machines)
    if not 2 <= len(taken) <= MAX_RUNGS:
        raise ValueError(f"machines are {len(taken)}: from 2 to {MAX_RUNGS} are needed")
    for place, machine in enumerate(taken):
        if not isinstance(machine, RBM):
            raise TypeError(f"machines[{place}]={shown(machine)}: an RBM is needed")
        if machine.weights.shape != taken[0].weights.shape:
            raise ValueError(f"machines[{place}] is {machine}, machines[0] {taken[0]}: one size is needed")
    return taken
