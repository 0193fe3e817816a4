"""The learning rule of the Boltzmann machine: a clamped and a free phase (thesis eq. 23-24, appendix A)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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
from rbmflow.networks import BoltzmannMachine, PairMoments
from rbmflow.networks.boltzmann_exact import MAX_HIDDEN
from rbmflow.networks.pairwise import Pairwise, check_pairwise
from rbmflow.records import Tabular
from rbmflow.spins import check_spins
from rbmflow.state_law import StateLaw
from rbmflow.training.boltzmann_history import Measures, warn_if_unsettled
from rbmflow.training.phases import SampledPhases, phase_difference, sampled
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

LARGEST = 1e6
"""Of couplings, in size: beyond it nothing is learned, and float32 of the chains shows."""


@dataclass(frozen=True, eq=False)
class BoltzmannFit(Tabular):
    """A trained Boltzmann machine.

    Attributes
    ----------
    machine : BoltzmannMachine
        After the last step.
    kl : numpy.ndarray, shape (n_steps + 1,)
        KL(data ‖ p) before the first step and after each, exact, in nats;
        NaN for machines of more than 20 units whose phases are sampled.
    gradient_norm : numpy.ndarray, shape (n_steps,)
        Of the gradient of each step, couplings and biases.
    pseudo_likelihood : numpy.ndarray, shape (n_steps + 1,)
        ``Σ_i ln p(x_i | all other units)`` over the visible units, the mean of the data, in nats; of 200
        states, evenly picked, if there are more. Hidden units are those of the clamped phase, where that is
        sampled; NaN where it is exact.
    likelihood_steps : numpy.ndarray of int, shape (n_measured,)
        Steps after which the likelihood was measured, none unless that was asked for.
    log_likelihood : numpy.ndarray, shape (n_measured,)
        Mean of ln p of the data, nats for each row.
    log_likelihood_stderr : numpy.ndarray, shape (n_measured,)
        Standard error of the annealed ln Z in it; 0 where ln Z is exact.
    """

    machine: BoltzmannMachine
    kl: FloatArray
    gradient_norm: FloatArray
    pseudo_likelihood: FloatArray
    likelihood_steps: npt.NDArray[np.int64]
    log_likelihood: FloatArray
    log_likelihood_stderr: FloatArray

    def _columns(self) -> dict[str, Any]:
        steps = np.arange(len(self.kl))
        gradient, *likelihood = (np.full(len(steps), np.nan) for _ in range(3))
        gradient[1:] = self.gradient_norm
        for column, measured in zip(
            likelihood, (self.log_likelihood, self.log_likelihood_stderr), strict=True
        ):
            column[self.likelihood_steps] = measured
        return {
            "step": steps,
            "kl": self.kl,
            "gradient_norm": gradient,
            "pseudo_likelihood": self.pseudo_likelihood,
            "log_likelihood": likelihood[0],
            "log_likelihood_stderr": likelihood[1],
        }


def boltzmann_gradient(
    machine: Pairwise, law: StateLaw, *, phases: SampledPhases | None = None, rng: RNGLike = None
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
    return phase_difference(machine, law, phases, None if phases is None else check_rng(rng))[0]


def fit_boltzmann(
    machine: Pairwise,
    data: ArrayLike | StateLaw,
    *,
    phases: SampledPhases | None = None,
    learning_rate: float = 0.1,
    n_steps: int,
    mask: ArrayLike | None = None,
    likelihood_every: int | None = None,
    rng: RNGLike = None,
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
    likelihood_every : int, optional
        The likelihood of the data is measured before the first step, after every so many and after the
        last, with ln Z exact or annealed by `log_partition`; of machines of at most 20 hidden units.
    rng : numpy.random.Generator or int
        Generator or seed of sampled phases, and of annealing.
    progress : callable, optional
        ``progress(done, total)`` after every step.

    Returns
    -------
    BoltzmannFit
        The machine, how well it fits the data along the way, and the size of the gradients.

    Raises
    ------
    ValueError
        If the machine is too large for exact phases, or the couplings grow without bound.

    Warns
    -----
    ConvergenceWarning
        If the last steps went back and forth, or lost most of what was learned: the rate is too large.
    LikelihoodWarning
        If an annealed ln Z should not be relied on.

    See Also
    --------
    boltzmann_gradient : The gradient.
    SampledPhases : Phases sampled as in the thesis.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 22-24,
    appendix A.

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
    every = None if likelihood_every is None else check_integer("likelihood_every", likelihood_every, 1)
    if every is not None and machine.n_hidden > MAX_HIDDEN:
        raise ValueError(
            f"likelihood_every={every}: the machine has {machine.n_hidden} hidden units, at most {MAX_HIDDEN}"
            " can be summed out for a likelihood"
        )
    source, slopes = check_rng(rng), _Slopes(learned)
    measures = Measures(law, is_exact=phases is None)
    annealing = None if every is None else partial(measures.anneal, rng=spawn(source, 1)[0])
    for step in range(n_steps):
        if annealing is not None and step % (every or 1) == 0:
            annealing(machine, step)
        slope, clamped = phase_difference(machine, law, phases, source)
        measures.measure(machine, clamped)
        machine = _stepped(machine, slopes.learned(slope), rate)
        if progress is not None:
            progress(step + 1, n_steps)
    if annealing is not None:
        annealing(machine, n_steps)
    measures.measure(machine, _clamped_at_the_end(machine, law, phases))
    norms = np.array(slopes.norms)
    warn_if_unsettled(measures, norms, np.array(slopes.cosines), rate)
    likelihoods = np.array(measures.likelihoods).reshape(-1, 2)
    return BoltzmannFit(
        machine,
        np.array(measures.kl),
        norms,
        np.array(measures.pseudo),
        np.array(measures.steps, dtype=np.int64),
        likelihoods[:, 0],
        likelihoods[:, 1],
    )


class _Slopes:
    """Gradients of the parameters that are learned, each beside the one before."""

    def __init__(self, mask: Any) -> None:
        self._mask = mask
        self._before: PairMoments | None = None
        self.norms: list[float] = []
        self.cosines: list[float] = []

    def learned(self, slope: PairMoments) -> PairMoments:
        """Return a gradient without the couplings that stay, and keep its size and direction."""
        now = PairMoments(slope.means, slope.correlations * self._mask)
        self.norms.append(float(np.sqrt(_inner(now, now))))
        if self._before is not None:
            sizes = self.norms[-1] * self.norms[-2]
            self.cosines.append(_inner(now, self._before) / sizes if sizes else 0.0)
        self._before = now
        return now


def _inner(one: PairMoments, other: PairMoments) -> float:
    return float((one.correlations * other.correlations).sum() / 2 + (one.means * other.means).sum())


def _stepped(machine: BoltzmannMachine, slope: PairMoments, rate: float) -> BoltzmannMachine:
    """Return the machine after a step."""
    with np.errstate(over="ignore"):
        couplings = machine.couplings + rate * slope.correlations
        bias = machine.bias + rate * slope.means
    if max(np.abs(couplings).max(), np.abs(bias).max()) > LARGEST:
        raise ValueError(
            f"learning_rate={rate:g}: couplings grow beyond {LARGEST:g}; a smaller rate is needed"
        )
    return BoltzmannMachine(couplings, bias, machine.n_visible)


def _clamped_at_the_end(
    machine: BoltzmannMachine, law: StateLaw, phases: SampledPhases | None
) -> SpinArray | None:
    """Return states of a clamped phase after the last step, with random numbers of their own."""
    if phases is None or not machine.n_hidden:
        return None
    return sampled(machine, phases, np.random.default_rng(0), law)


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
