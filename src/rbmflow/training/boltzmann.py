"""The learning rule of the Boltzmann machine: a clamped and a free phase (thesis eq. 23-24, appendix A)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import (
    MAX_STEPS,
    FloatArray,
    check_integer,
    check_real,
    check_real_scalar,
    check_rng,
    shown,
)
from rbmflow.networks import BoltzmannMachine, PairMoments, boltzmann_kl, boltzmann_moments
from rbmflow.networks.pairwise import Pairwise, check_pairwise
from rbmflow.sampling import boltzmann_chains
from rbmflow.spins import check_spins, random_spins
from rbmflow.state_law import StateLaw
from rbmflow.training.negative import MAX_CHAINS
from rbmflow.workers import Progress, check_progress

MAX_EXACT_UNITS = 20


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
    schedule: Any = (5.0, 4.0, 3.0, 2.0, 1.5, *[1.0] * 100)

    def __post_init__(self) -> None:
        check_integer("n_chains", self.n_chains, 1, MAX_CHAINS)
        check_integer("n_sweeps", self.n_sweeps, 1, MAX_STEPS)
        levels = check_real("schedule", self.schedule)
        if levels.ndim != 1 or (levels <= 0).any() or np.isinf(levels).any():
            raise ValueError(
                f"schedule={shown(self.schedule)}: a row of finite temperatures above 0 is needed"
            )
        object.__setattr__(self, "schedule", tuple(levels.tolist()))


@dataclass(frozen=True)
class BoltzmannFit:
    """A trained Boltzmann machine.

    Attributes
    ----------
    machine : BoltzmannMachine
        After the last step.
    kl : numpy.ndarray, shape (n_steps + 1,)
        KL(data ‖ p) before the first step and after each, exact, in nats;
        NaN for machines of more than 20 units.
    gradient_norm : numpy.ndarray, shape (n_steps,)
        Of the gradient of each step, couplings and biases.
    """

    machine: BoltzmannMachine
    kl: FloatArray
    gradient_norm: FloatArray


def boltzmann_gradient(
    machine: Pairwise, law: StateLaw, *, phases: SampledPhases | None = None, rng: object = None
) -> PairMoments:
    """Return ``⟨x_i⟩`` and ``⟨x_i x_j⟩`` of the clamped phase less those of the free one (thesis eq. 23).

    They are minus the gradient of the KL divergence.

    Appendix A derives it for the couplings; a bias is the coupling to a unit that is always up.

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        At T = 1.
    law : StateLaw
        Of the data, over the visible units.
    phases : SampledPhases, optional
        Sampled averages; exact ones by enumeration without it.
    rng : numpy.random.Generator or int
        Generator or seed of sampled phases.

    Returns
    -------
    PairMoments
        Differences; 0 on the diagonal of `correlations`.

    Raises
    ------
    ValueError
        If the machine is too large for exact phases.

    Examples
    --------
    >>> law = StateLaw([[1, 1], [-1, -1]], [0.5, 0.5])
    >>> boltzmann_gradient(BoltzmannMachine(np.zeros((2, 2))), law).correlations
    array([[0., 1.],
           [1., 0.]])
    """
    _check(machine, law, phases, "law")
    if phases is None:
        clamped, free = boltzmann_moments(machine, clamped=law), boltzmann_moments(machine)
    else:
        source = check_rng(rng)
        clamped = _sampled(machine, phases, source, law)
        free = _sampled(machine, phases, source, None)
    correlations = clamped.correlations - free.correlations
    np.fill_diagonal(correlations, 0.0)
    return PairMoments(clamped.means - free.means, correlations)


def fit_boltzmann(
    machine: Pairwise,
    data: object,
    *,
    phases: SampledPhases | None = None,
    learning_rate: float = 0.1,
    n_steps: int,
    mask: object = None,
    rng: object = None,
    progress: Progress | None = None,
) -> BoltzmannFit:
    """Learn couplings and biases, ``Δw_ij = η [⟨x_i x_j⟩_data − ⟨x_i x_j⟩_model]`` (thesis eq. 24).

    Parameters
    ----------
    machine : BoltzmannMachine or Hopfield
        Where to begin. Hidden units that are equal stay equal with exact phases: begin with random couplings.
    data : array_like of shape (n, n_visible), or StateLaw
        Spins, or probabilities of states, of the visible units.
    phases : SampledPhases, optional
        Sampled averages; exact ones by enumeration without it.
    learning_rate : float
        η, above 0.
    n_steps : int
        Steps, each from all the data.
    mask : array_like of bool, shape (n_units, n_units), optional
        True where a coupling is learned; symmetric. The others stay as they are.
    rng : numpy.random.Generator or int
        Generator or seed of sampled phases.
    progress : callable, optional
        ``progress(done, total)`` after every step.

    Returns
    -------
    BoltzmannFit
        The machine, its KL divergence and the size of the gradients.

    Raises
    ------
    ValueError
        If the machine is too large for exact phases.

    Examples
    --------
    >>> law = StateLaw([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0.4, 0.1, 0.1, 0.4])
    >>> trained = fit_boltzmann(BoltzmannMachine(np.zeros((2, 2))), law, n_steps=200)
    >>> bool(np.isclose(np.tanh(trained.machine.couplings[0, 1]), 0.6))
    True
    """
    begin = check_pairwise("machine", machine)
    machine = BoltzmannMachine(begin.couplings, begin.bias, begin.n_visible)
    law = data if isinstance(data, StateLaw) else _law_of(data, machine.n_visible)
    _check(machine, law, phases, "data")
    rate = check_real_scalar("learning_rate", learning_rate)
    if not 0 < rate < np.inf:
        raise ValueError(f"learning_rate={shown(learning_rate)}: a finite number above 0 is needed")
    n_steps, progress = check_integer("n_steps", n_steps, 0, MAX_STEPS), check_progress(progress)
    learned = _mask(mask, machine.n_units)
    source = check_rng(rng)
    kl, norms = [_kl(machine, law)], []
    for step in range(n_steps):
        slope = boltzmann_gradient(machine, law, phases=phases, rng=source)
        pairs = slope.correlations * learned
        machine = BoltzmannMachine(
            machine.couplings + rate * pairs, machine.bias + rate * slope.means, machine.n_visible
        )
        kl.append(_kl(machine, law))
        norms.append(float(np.sqrt((pairs**2).sum() / 2 + (slope.means**2).sum())))
        if progress is not None:
            progress(step + 1, n_steps)
    return BoltzmannFit(machine, np.array(kl), np.array(norms))


def _check(machine: Pairwise, law: object, phases: object, name: str) -> None:
    check_pairwise("machine", machine)
    if not isinstance(law, StateLaw):
        raise TypeError(f"{name}={shown(law)}: a StateLaw is needed")
    if law.n_sites != machine.n_visible:
        raise ValueError(
            f"{name} holds states of {law.n_sites} spins: the machine has n_visible={machine.n_visible}"
        )
    if phases is not None and not isinstance(phases, SampledPhases):
        raise TypeError(f"phases={shown(phases)}: SampledPhases or None is needed")


def _kl(machine: Pairwise, law: StateLaw) -> float:
    return boltzmann_kl(machine, law) if machine.n_units <= MAX_EXACT_UNITS else float("nan")


def _law_of(data: object, n_visible: int) -> StateLaw:
    """Return the law of samples."""
    rows = check_spins("data", data, n_visible)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"data has shape {rows.shape}: (n, n_visible) is needed, n at least 1")
    states, counts = np.unique(rows, axis=0, return_counts=True)
    return StateLaw(states, counts / counts.sum())


def _mask(mask: object, n_units: int) -> Any:
    if mask is None:
        return True
    array = np.asarray(mask)
    if array.dtype != np.bool_ or array.shape != (n_units, n_units) or (array != array.T).any():
        raise ValueError(
            f"mask has shape {array.shape} of {array.dtype}: "
            f"a symmetric ({n_units}, {n_units}) of bool is needed"
        )
    return array


def _sampled(
    machine: Pairwise, phases: SampledPhases, rng: np.random.Generator, law: StateLaw | None
) -> PairMoments:
    """Return averages along annealed chains, the visible units clamped to states drawn from a law."""
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
    kept = chains.samples[:, len(phases.schedule) :].reshape(-1, machine.n_units).astype(np.float64)
    return PairMoments(kept.mean(axis=0), kept.T @ kept / len(kept))
