"""Chains of a machine that exchange inverse temperatures, and so know the shares of its modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from rbmflow.arguments import MAX_STEPS, FloatArray, check_integer, check_rng, shown
from rbmflow.hardware import resolve_threads
from rbmflow.networks import RBM
from rbmflow.sampling.machine_ladder import (
    MachineLadder,
    TemperedChains,
    check_initial,
    check_ladder,
    result,
)
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

PILOTS, PILOT_CHAINS, PILOT_SWEEPS = 4, 32, 50
FIRST_RUNGS, FEWEST_RUNGS, MOST_RUNGS = 10, 3, 60
LEAST_REFUSED = 1e-3  # of the exchanges of a pair, so that no rung is left out between two


def tempered(
    rbm: RBM,
    *,
    n_chains: int = 1,
    n_sweeps: int,
    ladder: Literal["adapted"] | int | ArrayLike = "adapted",
    rng: RNGLike = None,
    initial: ArrayLike | TemperedChains | None = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> TemperedChains:
    """Run chains of a machine on a ladder of inverse temperatures between which they exchange their places.

    The machine of rung r has the weights ``β_r W`` and the biases of the machine, as in `log_partition`: at
    β = 0 the units are independent and drawn afresh, so that modes are forgotten, and chains that come back
    to β = 1 find each of them with its share. Each sweep of all rungs comes after an exchange of every second
    pair, even and odd ones in turn, by the free energies of the visible spins in double precision
    (K. Hukushima and K. Nemoto, J. Phys. Soc. Jpn. 65, 1604 (1996); G. Desjardins et al., AISTATS 2010).

    The biases stay because they say what a unit does alone: a machine of digits passes between its ends four
    times as often, in the same time, as where the whole energy is scaled, with half of the rungs; where units
    were 0 and 1 in training, and hidden biases are large, both are the same. Biases at β = 0 that give the
    units their means were faster still there, but make modes rare on the rungs between which have large
    shares at the ends: chains then pass and keep wrong shares.

    Time O(M N) for each sweep, chain and rung: that of `block_gibbs` for as many chains about 4 times at
    784 × 500 units, 9 times at 64 × 100 and 25 times at 16 × 16. It is worth it where plain chains stay in
    their modes, and lost where these pass by themselves.

    Parameters
    ----------
    rbm : RBM
        The machine.
    n_chains : int
        Chains on each rung; it may be left out where `initial` says it.
    n_sweeps : int
        Sweeps of all rungs.
    ladder : str, int or array_like
        ``"adapted"``: as many rungs as make neighbours exchange about half of their trials, equally often
        everywhere, by short runs (S. Syed et al., J. R. Stat. Soc. B 84, 321 (2022)). Inverse temperatures,
        1 first and descending to 0 or above; a number of rungs stands for equal steps from 1 to 0. Not used
        where `initial` is a `TemperedChains`.
    rng : numpy.random.Generator or int
        Generator or seed; not used where `initial` is a `TemperedChains`.
    initial : array_like or TemperedChains, optional
        Visible spins of shape ``(n_visible,)``, ``(n_chains, n_visible)`` or ``(n_rungs, n_chains,
        n_visible)``, or chains to go on with as if they had never stopped; by default from β = 0.
    n_threads : int, optional
        Threads, each for 128 chains at all rungs; no result depends on it.
    progress : callable, optional
        Called about ten times a second as ``progress(done, total)``, in sweeps of all chains.

    Returns
    -------
    TemperedChains
        The last spins, the ladder, the rates of exchange and the round trips.

    Warns
    -----
    ConvergenceWarning
        If hardly anything passes between two rungs.

    See Also
    --------
    block_gibbs : One temperature.
    trajectory_tempering : A ladder of the machines of a training.

    Examples
    --------
    Two modes, which block Gibbs chains do not leave; their shares are e^0.8/(e^0.8 + e^(−0.8)) = 0.832 and
    0.168 where W is large:

    >>> rbm = RBM(np.full((20, 8), 0.4), np.full(20, 0.04))
    >>> chains = tempered(rbm, n_chains=500, n_sweeps=200, rng=1)
    >>> up = chains.visible.sum(axis=1) > 0
    >>> bool(abs(up.mean() - 0.832) < 0.07)
    True
    >>> bool(chains.rates.min() > 0.3)
    True
    """
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={shown(rbm)}: an RBM is needed")
    n_sweeps, progress = check_integer("n_sweeps", n_sweeps, 0, MAX_STEPS), check_progress(progress)
    threads = resolve_threads(n_threads)
    if isinstance(initial, TemperedChains):
        on, groups, done = *initial._go_on((rbm,), n_chains), initial.n_sweeps
    else:
        betas = _betas(ladder)
        visible = check_initial(initial, n_chains, rbm.n_visible, 0 if betas is None else len(betas))
        source, done = check_rng(rng), 0
        on = cooled(rbm, _adapted(rbm, source) if betas is None else betas)
        groups = on.begin(n_chains, source, visible)
    on.advance(groups, n_sweeps, done, n_threads=threads, progress=progress)
    return result(on, groups, done + n_sweeps)


def cooled(rbm: RBM, ladder: FloatArray) -> MachineLadder:
    """Return the machines between independent units, at β = 0, and a machine."""
    machines = [RBM(beta * rbm.weights, rbm.visible_bias, rbm.hidden_bias) for beta in ladder[1:].tolist()]
    return MachineLadder((rbm, *machines), ladder, shared=True)


def _betas(ladder: object) -> FloatArray | None:
    """Return inverse temperatures; None where they are to be adapted."""
    if not isinstance(ladder, str):
        return np.array(check_ladder(ladder))
    if ladder != "adapted":
        raise ValueError(f"ladder={shown(ladder)}: 'adapted', a number or inverse temperatures are needed")
    return None


def _adapted(rbm: RBM, rng: np.random.Generator) -> FloatArray:
    """Return a ladder whose neighbours refuse equally often, by short runs on others."""
    ladder = np.linspace(1, 0, FIRST_RUNGS)
    for _ in range(PILOTS):
        on = cooled(rbm, ladder)
        groups = on.begin(PILOT_CHAINS, rng, None)
        on.advance(groups, PILOT_SWEEPS)
        ladder = _respaced(ladder, groups[0].rungs.accepted / groups[0].rungs.tried)
    return ladder


def _respaced(ladder: FloatArray, rates: FloatArray) -> FloatArray:
    """Return a ladder whose neighbours refuse about half of their exchanges, by the rates on another."""
    barrier = np.concatenate([[0.0], np.cumsum(np.maximum(1 - rates, LEAST_REFUSED))])
    n_rungs = int(np.clip(np.ceil(2 * barrier[-1]) + 1, FEWEST_RUNGS, MOST_RUNGS))
    found = np.interp(np.linspace(0, barrier[-1], n_rungs), barrier, ladder)
    found[0], found[-1] = 1.0, 0.0
    return np.asarray(found)
