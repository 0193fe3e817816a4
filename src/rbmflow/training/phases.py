"""The clamped and the free phase of a Boltzmann machine, exact or sampled (thesis eq. 23, appendix A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import MAX_STEPS, SpinArray, check_integer, check_real, shown
from rbmflow.networks import PairMoments, boltzmann_moments
from rbmflow.networks.pairwise import Pairwise
from rbmflow.sampling import boltzmann_chains
from rbmflow.spins import random_spins
from rbmflow.state_law import StateLaw
from rbmflow.training.negative import MAX_CHAINS

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


@dataclass(frozen=True)
class SampledPhases:
    """Phases sampled as in the thesis: chains from random states, cooled to T = 1, then averages along them.

    Parameters
    ----------
    n_chains : int
        Chains of each phase.
    n_sweeps : int
        Sweeps at T = 1 over which averages are taken.
    schedule : sequence of float
        Temperatures of the sweeps before, one for each: simulated annealing. Averages are
        those of the machine only if the chains have reached equilibrium, which takes the free
        phase longest: strong couplings need a longer schedule.

    Examples
    --------
    >>> SampledPhases(100, 10, schedule=(4.0, 2.0)).n_chains
    100
    """

    n_chains: int = 200
    n_sweeps: int = 20
    schedule: tuple[float, ...] = (5.0, 4.0, 3.0, 2.0, 1.5, *[1.0] * 100)

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, n_chains: int = 200, n_sweeps: int = 20, schedule: ArrayLike = ...) -> None: ...

    def __post_init__(self) -> None:
        check_integer("n_chains", self.n_chains, 1, MAX_CHAINS)
        check_integer("n_sweeps", self.n_sweeps, 1, MAX_STEPS)
        levels = check_real("schedule", self.schedule)
        if levels.ndim != 1 or (levels <= 0).any() or np.isinf(levels).any():
            raise ValueError(
                f"schedule={shown(self.schedule)}: a row of finite temperatures above 0 is needed"
            )
        object.__setattr__(self, "schedule", tuple(levels.tolist()))


def phase_difference(
    machine: Pairwise, law: StateLaw, phases: SampledPhases | None, rng: np.random.Generator | None
) -> tuple[PairMoments, SpinArray | None]:
    """Return the clamped less the free phase, and the states of the clamped one if they are sampled."""
    states = None
    if phases is None or rng is None:
        clamped, free = boltzmann_moments(machine, clamped=law), boltzmann_moments(machine)
    else:
        states = sampled(machine, phases, rng, law)
        clamped, free = _moments_of(states), _moments_of(sampled(machine, phases, rng, None))
    correlations = clamped.correlations - free.correlations
    np.fill_diagonal(correlations, 0.0)
    return PairMoments(clamped.means - free.means, correlations), states


def sampled(
    machine: Pairwise, phases: SampledPhases, rng: np.random.Generator, law: StateLaw | None
) -> SpinArray:
    """Return states along annealed chains, the visible units clamped to states drawn from a law."""
    n, n_chains = machine.n_visible, phases.n_chains
    initial = random_spins(rng, n_chains, machine.n_units)
    clamped = None
    if law is not None:
        # every state as often as its probability says, but for the rounding of one chain
        places = np.searchsorted(
            np.cumsum(law.probabilities), (np.arange(n_chains) + rng.random()) / n_chains
        )
        initial[:, :n] = law.states[np.minimum(places, len(law.states) - 1)]
        clamped = np.arange(machine.n_units) < n
    chains = boltzmann_chains(
        machine,
        temperature=np.array([*phases.schedule, *[1.0] * phases.n_sweeps]),
        n_sweeps=len(phases.schedule) + phases.n_sweeps,
        thin=1,
        clamped=clamped,
        rng=rng,
        initial=initial,
    )
    return chains.samples[:, len(phases.schedule) :].reshape(-1, machine.n_units)


def _moments_of(states: SpinArray) -> PairMoments:
    x = states.astype(np.float64)
    return PairMoments(x.mean(axis=0), x.T @ x / len(x))
