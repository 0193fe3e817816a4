"""Block Gibbs chains of a machine: all hidden units given the visible ones, then all visible given the hidden ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import logistic
from rbmflow.hardware import simd_level
from rbmflow.training.moments import Moments
from rbmflow.training.negative import CD, PCD, Tempered
from rbmflow.training.parameters import Parameters, Vector

GENERATOR_WORDS = 32


class Chains:
    """Chains on the rungs of a ladder of inverse temperatures; a single rung at 1 without tempering."""

    def __init__(self, ladder: tuple[float, ...], visible: Vector, hidden: Vector, generator: Vector) -> None:
        self.ladder = ladder
        self.visible, self.hidden = visible, hidden  # (n_rungs, n_chains, n_units), float
        self.generator = generator

    def sweep(self, parameters: Parameters, k: int) -> Vector:
        """Advance all chains by k sweeps, and return the means of the hidden units of the first rung, given its visible ones."""
        means = np.empty(0)
        for rung, beta in reversed(list(enumerate(self.ladder))):
            means = sweep(parameters, self.visible[rung], self.hidden[rung], k, self.generator, beta)
        return means

    def exchange(self, parameters: Parameters, rng: np.random.Generator) -> float:
        """Let neighbouring rungs swap their configurations; return the share of the swaps that were accepted."""
        if len(self.ladder) == 1:
            return float("nan")
        accepted, tried = 0, 0
        energies = np.array([self._energy(parameters, rung) for rung in range(len(self.ladder))])
        for parity in (0, 1):
            for upper in range(parity, len(self.ladder) - 1, 2):
                gap = self.ladder[upper] - self.ladder[upper + 1]
                gain = gap * (energies[upper] - energies[upper + 1])
                swap = np.log1p(-rng.random(len(gain))) < gain
                pair = np.array([upper, upper + 1])[:, None]
                at = np.flatnonzero(swap)[None, :]
                for array in (self.visible, self.hidden, energies):
                    array[pair, at] = array[pair[::-1], at]
                accepted, tried = accepted + int(swap.sum()), tried + len(gain)
        return accepted / tried if tried else float("nan")

    def _energy(self, parameters: Parameters, rung: int) -> npt.NDArray[np.float64]:
        v, h = self.visible[rung].astype(np.float64), self.hidden[rung].astype(np.float64)
        coupled = ((v @ parameters.weights + parameters.hidden_bias) * h).sum(axis=1)
        return np.asarray(-(coupled + v @ parameters.visible_bias))


def sweep(
    parameters: Parameters, visible: Vector, hidden: Vector, k: int, generator: Vector, beta: float = 1.0
) -> Vector:
    """Draw visible from hidden and hidden from visible spins k times, in place; return the means of the hidden units."""
    scale = parameters.vector.dtype.type(beta)
    weights = scale * parameters.weights
    to_visible, to_hidden = scale * parameters.visible_bias, scale * parameters.hidden_bias
    activations = hidden
    for _ in range(k):
        np.add(hidden @ weights.T, to_visible, out=visible)
        draw(visible, generator, visible)
        activations = visible @ weights + to_hidden
        draw(activations, generator, hidden)
    return np.tanh(activations)


def draw(activations: Vector, generator: Vector, out: Vector) -> None:
    """Draw ±1 from activations."""
    logistic.sample(activations.reshape(-1), generator, out.reshape(-1), simd_level())


def start(negative: object, parameters: Parameters, rng: np.random.Generator) -> Chains:
    """Return the chains of a negative phase before the first update: random visible units, hidden ones given them."""
    generator = rng.integers(0, 2**64, size=GENERATOR_WORDS, dtype=np.uint64)
    real: Any = parameters.vector.dtype.type
    n_visible, n_hidden = parameters.shape
    ladder, n_chains = chain_shape(negative)
    visible = (2 * rng.integers(0, 2, size=(len(ladder), n_chains, n_visible)) - 1).astype(real)
    hidden = np.empty((len(ladder), n_chains, n_hidden), dtype=real)
    for rung, beta in enumerate(ladder):
        draw(
            real(beta) * (visible[rung] @ parameters.weights + parameters.hidden_bias),
            generator,
            hidden[rung],
        )
    return Chains(ladder, visible, hidden, generator)


def chain_shape(negative: object) -> tuple[tuple[float, ...], int]:
    """Return the ladder and the number of chains that a negative phase keeps."""
    if isinstance(negative, Tempered):
        return negative.ladder, negative.n_chains
    return (1.0,), negative.n_chains if isinstance(negative, PCD) else 0


def contrastive(parameters: Parameters, rows: Vector, negative: CD, generator: Vector) -> Moments:
    """Return the moments after k sweeps from `rows`."""
    activations = rows @ parameters.weights + parameters.hidden_bias
    hidden, visible = np.empty_like(activations), np.empty_like(rows)
    draw(activations, generator, hidden)
    means = sweep(parameters, visible, hidden, negative.k, generator)
    return averages(visible, means)


def averages(visible: Vector, means: Vector) -> Moments:
    """Return the moments of chains from their visible spins and the means of their hidden units."""
    share = visible.dtype.type(1 / len(visible))
    return Moments(visible.T @ means * share, visible.sum(axis=0) * share, means.sum(axis=0) * share)
