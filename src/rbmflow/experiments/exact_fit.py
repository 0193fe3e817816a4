"""Penalised fits: machines without biases, exactly of a given law, whose largest singular value is small."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.experiments.tasks import one_thread
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.lattice import Lattice
from rbmflow.spins import all_states

STAGES = ((1e-1, 8), (1e-2, 16), (1e-3, 32), (1e-4, 64), (1e-5, 64), (1e-6, 64), (1e-7, 128))
"""Share of the norm in what is minimised, and the p of its Schatten norm ``‖WWᵀ‖_p``, close to s₁²."""
START_SCALE = 0.3
"""Standard deviation of the weights at first."""
MAX_STEPS, LAST_STEPS = 60, 400  # of a stage, and without the norm
SETTLED = 1e-11  # a step gains a smaller share than this
EXACT = 1e-28  # the sum of squares of a machine that is exact to rounding
DAMPING = (1e-3, 1e-13, 1e12)  # at first, at least, and where no step helps any more
AT_ONCE = 2**12  # states, which bounds the memory


class Fitted(NamedTuple):
    """A fit before and after the divergence was brought to zero."""

    penalised: float  # s₁ of the minimum of s₁² + 10⁷ KL
    penalised_kl: float
    largest: float  # s₁ of the machine near it that has the law
    kl: float


class Law(NamedTuple):
    """An even law without zeros: one state of each pair ±v, their probabilities, ln q up to a constant."""

    states: FloatArray
    probabilities: FloatArray
    log_weights: FloatArray

    @classmethod
    def of(cls, lattice: Lattice, K: float) -> Law:
        """Return that of a lattice."""
        states = all_states(lattice.n_sites)
        states = states[: len(states) // 2]
        log_weights = K * pair_sums(lattice, states).astype(np.float64)
        probabilities = np.exp(log_weights - log_weights.max())
        return cls(states.astype(np.float64), probabilities / probabilities.sum(), log_weights)


def fit_least(law: Law, n_hidden: int, rng: np.random.Generator) -> Fitted:
    """Fit from one random start: ``½ Var_q ln(p/q) + share ‖WWᵀ‖_p`` with a falling share, and then none.

    Near p = q half the variance is the divergence.
    """
    weights = rng.normal(scale=START_SCALE, size=(law.states.shape[1], n_hidden))
    with one_thread():
        for share, p in STAGES:
            weights, loss = _descend(law, weights, share, p, MAX_STEPS)
        penalised = _spectral_norm(weights), loss
        weights, loss = _descend(law, weights, 0.0, 1, LAST_STEPS)
        return Fitted(*penalised, _spectral_norm(weights), loss)


def _spectral_norm(weights: FloatArray) -> float:
    return float(np.linalg.norm(weights, 2))


def _descend(law: Law, weights: FloatArray, share: float, p: int, n_steps: int) -> tuple[FloatArray, float]:
    """Minimise by damped Gauss-Newton steps; return the weights and ``½ Var_q ln(p/q)`` there.

    The norm is taken for ``tr C WWᵀ`` with its C at the last step, which has its slope.
    """
    damping, smallest, largest = DAMPING
    n_hidden = weights.shape[1]
    loss, ratio = _loss(law, weights)
    norm, C = _schatten(weights, p)
    total = loss + share * norm
    for _ in range(n_steps):
        matrix, slope = _normal_equations(law, weights, ratio)
        matrix += 2 * share * np.kron(C, np.eye(n_hidden))
        slope += 2 * share * (C @ weights).ravel()
        while True:
            step = np.linalg.solve(matrix + damping * np.eye(len(matrix)), slope).reshape(weights.shape)
            loss, ratio = _loss(law, weights - step)
            norm, C = _schatten(weights - step, p)
            gain = total - loss - share * norm
            if gain > 0:
                break
            damping *= 4
            if damping > largest:
                return weights, _loss(law, weights)[0]
        weights, total, damping = weights - step, total - gain, max(damping / 4, smallest)
        if gain < SETTLED * total or total < EXACT:
            break
    return weights, loss


def _loss(law: Law, weights: FloatArray) -> tuple[float, FloatArray]:
    """Return half the variance of ``ln(p/q)``, and that less its mean."""
    ratio = -law.log_weights
    for first in range(0, len(ratio), AT_ONCE):
        field = np.abs(law.states[first : first + AT_ONCE] @ weights)
        ratio[first : first + AT_ONCE] += (field + np.log1p(np.exp(-2 * field))).sum(axis=1)
    ratio -= law.probabilities @ ratio
    return float(law.probabilities @ ratio**2) / 2, ratio


def _normal_equations(law: Law, weights: FloatArray, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return JᵀJ and the slope of the loss; J holds ``√q (v_i tanh(w_j·v) − its mean)``."""
    size = weights.size
    squares, slope, mean = np.zeros((size, size)), np.zeros(size), np.zeros(size)
    for first in range(0, len(ratio), AT_ONCE):
        here = slice(first, first + AT_ONCE)
        states, q = law.states[here], law.probabilities[here]
        rows = (states[:, :, np.newaxis] * np.tanh(states @ weights)[:, np.newaxis, :]).reshape(-1, size)
        slope += (q * ratio[here]) @ rows
        mean += q @ rows
        rows *= np.sqrt(q)[:, np.newaxis]
        squares += rows.T @ rows
    return squares - np.outer(mean, mean), slope


def _schatten(weights: FloatArray, p: int) -> tuple[float, FloatArray]:
    """Return ``‖WWᵀ‖_p`` and its derivative by WWᵀ."""
    values, vectors = np.linalg.eigh(weights @ weights.T)
    shares = np.maximum(values / values[-1], 0.0)
    total = (shares**p).sum()
    return float(values[-1] * total ** (1 / p)), (
        vectors * shares ** (p - 1) * total ** (1 / p - 1)
    ) @ vectors.T
