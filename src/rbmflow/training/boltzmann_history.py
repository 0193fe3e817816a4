"""What is recorded while a Boltzmann machine learns, and whether its steps settle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.likelihood import log_partition
from rbmflow.networks.boltzmann_exact import boltzmann_kl, log_visible
from rbmflow.networks.pairwise import Pairwise
from rbmflow.networks.pseudo_likelihood import boltzmann_pseudo_likelihood
from rbmflow.state_law import StateLaw

MAX_EXACT_UNITS = 20
"""Units up to which the KL divergence is summed at every step also where phases are sampled."""
MOST_STATES = 200
"""States that the pseudo-likelihood looks at, at most."""
WINDOW = 20
LOSS = 0.05
"""Nats for each unit that noise does not take away."""
OPPOSITE, SHRUNK, SETTLED = -0.7, 0.5, 1e-8
"""Steps go back and forth where the cosine of gradients that follow each other is below OPPOSITE in most of
WINDOW steps (not in all: with sampled phases cycles of three are common), these have not shrunk to the part
SHRUNK, and are not SETTLED. Noise alone gives −ηλ/2 in a direction of curvature λ, stable up to ηλ = 2."""


@dataclass
class Measures:
    """What `fit_boltzmann` records."""

    law: StateLaw
    is_exact: bool
    kl: list[float] = field(default_factory=list)
    pseudo: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    likelihoods: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._states, self._weights = _some_of(self.law)

    def measure(self, machine: Pairwise, clamped: SpinArray | None) -> None:
        """Record the KL divergence and the pseudo-likelihood, with hidden units as drawn at the data."""
        small = self.is_exact or machine.n_units <= MAX_EXACT_UNITS
        self.kl.append(boltzmann_kl(machine, self.law) if small else float("nan"))
        if not machine.n_hidden:
            of_states = boltzmann_pseudo_likelihood(machine, self._states)
            self.pseudo.append(float(self._weights @ of_states))
        elif clamped is not None:
            some = clamped[:: -(-len(clamped) // MOST_STATES)]
            self.pseudo.append(float(boltzmann_pseudo_likelihood(machine, some).mean()))
        else:
            self.pseudo.append(float("nan"))

    def anneal(self, machine: Any, step: int, rng: np.random.Generator) -> None:
        """Record the log-likelihood of a row of the data, by an exact or annealed ln Z."""
        ln_z = log_partition(machine, "auto", data=self._states, rng=rng)
        mean = float(self.law.probabilities @ log_visible(machine, self.law.states))
        self.steps.append(step)
        self.likelihoods.append((mean - ln_z.value, ln_z.stderr))

    def lost(self) -> str:
        """Say what the machine has lost since its best step; nothing if it has kept half of its gain."""
        for name, of_steps, sign in (("KL", self.kl, -1), ("pseudo-likelihood", self.pseudo, 1)):
            values = sign * np.array(of_steps)
            if np.isnan(values).any():
                continue
            best = values.max()
            if best - values[-1] > max((best - values[0]) / 2, LOSS * self.law.n_sites):
                return f"{name} was {sign * best:.4g} and is {of_steps[-1]:.4g}"
        return ""


def _some_of(law: StateLaw) -> tuple[SpinArray, FloatArray]:
    """Return the states of a law with their probabilities, or as many as are looked at, evenly picked."""
    if len(law.states) <= MOST_STATES:
        return law.states, law.probabilities
    at = np.searchsorted(np.cumsum(law.probabilities), (np.arange(MOST_STATES) + 0.5) / MOST_STATES)
    return law.states[np.minimum(at, len(law.states) - 1)], np.full(MOST_STATES, 1 / MOST_STATES)


def warn_if_unsettled(measures: Measures, norms: FloatArray, cosines: FloatArray, rate: float) -> None:
    """Warn where the rate is too large: the last steps went back and forth, or have lost what was learned."""
    if len(cosines) < WINDOW:
        return
    last = norms[-WINDOW - 1 :]
    shrunk = last[WINDOW // 2 :].mean() < SHRUNK * last[: WINDOW // 2].mean()
    lost = measures.lost()
    if np.median(cosines[-WINDOW:]) < OPPOSITE and not shrunk and last[-1] > SETTLED:
        why = "the last steps went back and forth, each against the one before, and do not get smaller"
    elif lost:
        why = f"steps have lost what was learned, {lost}"
    else:
        return
    warn_caller(f"learning_rate={rate:g}: {why}; a smaller rate is needed", ConvergenceWarning)
