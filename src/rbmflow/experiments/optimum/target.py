"""The divergence of bias-free machines from the law of a lattice, with gradient and Hessian, by enumeration.

Half of the states do: v and −v have one probability in both laws. A unit may also be a *star*, the limit of
a unit that copies spin i with a weight c → ∞ while its other weights x stay:
``ln 2cosh(c v_i + x·v) − c → v_i (x·v)``.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray
from rbmflow.ising import state_law
from rbmflow.ising.crystal import Crystal

IndexArray = npt.NDArray[np.intp]


class Target:
    """The law q of a lattice at K, over the states whose last spin is down.

    Parameters
    ----------
    lattice : Crystal
        Ring or torus, of at most 16 sites.
    K : float
        Coupling.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> target = Target(Ring(4), 0.5)
    >>> value, slope = target.divergence(np.zeros((2, 4)))
    >>> round(value, 6), slope.shape
    (0.547634, (2, 4))
    """

    def __init__(self, lattice: Crystal, K: float) -> None:
        law = state_law(lattice, K)
        half = len(law.probabilities) // 2
        self.lattice, self.K = lattice, K
        self.states = np.ascontiguousarray(law.states[:half], dtype=np.float64)  # (n_states, n_sites)
        self.columns = np.ascontiguousarray(self.states.T)
        self.q = 2 * law.probabilities[:half]
        self.log_q = np.log(self.q)
        self._buffers: dict[int, tuple[FloatArray, FloatArray, FloatArray]] = {}

    def divergence(self, weights: FloatArray, stars: IndexArray | None = None) -> tuple[float, FloatArray]:
        """Return KL(q‖p) and its gradient.

        ``∂KL/∂W_ai = ⟨t_a v_i⟩_p − ⟨t_a v_i⟩_q`` with t_a = tanh θ_a, θ = W v, or t_a = v_i for a star of i.

        Parameters
        ----------
        weights : numpy.ndarray of float64, shape (n_hidden, n_visible)
            A row for each hidden unit; of a star its x.
        stars : numpy.ndarray of int, shape (n_stars,), optional
            Sites of which the last units are stars.
        """
        activity, log_ratio = self._forward(weights, stars)
        excess = np.expm1(log_ratio)
        excess *= self.q  # p − q
        value = excess.sum() - self.q @ log_ratio  # Σ q (e^d − 1 − d)
        activity *= excess
        return float(value), activity @ self.states

    def _forward(self, weights: FloatArray, stars: IndexArray | None) -> tuple[FloatArray, FloatArray]:
        """Return t, shape (n_hidden, n_states), in memory that the next call overwrites, and ln(p/q)."""
        n_soft = len(weights) - (0 if stars is None else len(stars))
        field, decay, factor = self._memory(len(weights))
        np.matmul(weights, self.columns, out=field)
        soft, decay, factor = field[:n_soft], decay[:n_soft], factor[:n_soft]
        # ln 2cosh θ = |θ| + ln(1 + e^(−2|θ|)); tanh |θ| = (1 − e^(−2|θ|))/(1 + e^(−2|θ|))
        np.abs(soft, out=decay)
        log_weight = decay.sum(axis=0)
        decay *= -2
        np.exp(decay, out=decay)
        np.add(decay, 1, out=factor)
        log_weight += np.log(factor.prod(axis=0))
        np.subtract(1, decay, out=decay)
        decay /= factor
        np.copysign(decay, soft, out=soft)
        if stars is not None and len(stars):
            copied = self.columns[stars]
            log_weight += (field[n_soft:] * copied).sum(axis=0)
            field[n_soft:] = copied
        top = log_weight.max()
        log_weight -= top + np.log(np.exp(log_weight - top).sum())
        log_weight -= self.log_q
        return field, log_weight

    def _memory(self, n_hidden: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        if n_hidden not in self._buffers:
            shape = (n_hidden, len(self.q))
            self._buffers[n_hidden] = (np.empty(shape), np.empty(shape), np.empty(shape))
        return self._buffers[n_hidden]

    def law(self, weights: FloatArray, stars: IndexArray | None = None) -> FloatArray:
        """Return p over the half of the states, its sum 1."""
        return np.asarray(self.q * np.exp(self._forward(weights, stars)[1]))

    def hidden_correlations(self, weights: FloatArray, stars: IndexArray | None = None) -> FloatArray:
        """Return ⟨h_a h_b⟩, shape (n_hidden, n_hidden); of stars it is the limit."""
        activity, log_ratio = self._forward(weights, stars)
        found = (activity * (self.q * np.exp(log_ratio))) @ activity.T
        np.fill_diagonal(found, 1.0)
        return np.asarray(found)

    def hessian(self, weights: FloatArray) -> FloatArray:
        """Return the second derivatives of KL, shape (n_hidden · n_visible,) · 2, by the rows of the weights.

        ``Cov_p(t_a v_i, t_b v_j) + δ_ab (⟨sech² θ_a v_i v_j⟩_p − ⟨…⟩_q)``.
        """
        n_hidden, n_visible = weights.shape
        activity, log_ratio = self._forward(weights, None)
        p = self.q * np.exp(log_ratio)
        slopes = (activity[:, None, :] * self.columns).reshape(n_hidden * n_visible, -1)
        means = slopes @ p
        found = (slopes * p) @ slopes.T - np.outer(means, means)
        for a in range(n_hidden):
            block = slice(a * n_visible, (a + 1) * n_visible)
            curved = (1 - activity[a] ** 2) * (p - self.q)
            found[block, block] += (self.columns * curved) @ self.states
        return np.asarray(found)

    @cached_property
    def symmetries(self) -> IndexArray:
        """Sites in the order in which each translation reads them, then each with all sites negated.

        Shape (2 n_sites, n_sites); on a ring these are all its symmetries.
        """
        shape = self.lattice.shape
        axes = tuple(range(len(shape)))
        sites = np.arange(self.lattice.n_sites).reshape(shape)
        turned = np.roll(np.flip(sites), (1,) * len(shape), axes)
        steps = list(product(*map(range, shape)))
        return np.array([np.roll(one, step, axes).ravel() for one in (sites, turned) for step in steps])

    @cached_property
    def moved_states(self) -> IndexArray:
        """For each symmetry and state the index of the state that it becomes, or of its negative."""
        bits = (self.states > 0).astype(np.intp)
        places = 2 ** np.arange(bits.shape[1])
        codes = bits @ places
        position = np.empty(2 * len(codes), dtype=np.intp)
        position[codes] = position[2 * len(codes) - 1 - codes] = np.arange(len(codes))
        return np.asarray(position[np.stack([bits[:, order] @ places for order in self.symmetries])])
