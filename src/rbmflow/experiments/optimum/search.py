"""The best machine of a cell (lattice, N, K): many starts, free and repeating, and what the best one is."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.experiments.optimum.descent import (
    NO_STARS,
    ZERO,
    Minimum,
    descend,
    descend_repeated,
    n_repeats,
    repeated,
)
from rbmflow.experiments.optimum.target import Target

N_KINDS = 6
"""Of starts."""
SAME = 1e-6
"""Nats, within which two ends of descents are one."""
MOVED = 1e-4
"""Total variation of p from its translate, above which they differ."""


def start(target: Target, n_hidden: int, kind: int, rng: np.random.Generator) -> FloatArray:
    """Return weights to begin with, shape (n_hidden, n_visible).

    By turns small and larger random weights (kinds 0 and 1), copies of random sites with their neighbours
    (2), arcs near one N-th of the sites (3), arcs of any length (4), and the same with one unit on all (5).
    """
    n_visible = target.lattice.n_sites
    weights = rng.normal(size=(n_hidden, n_visible))
    if kind % N_KINDS < 2:
        return np.asarray((0.3, 1.0)[kind % N_KINDS] * weights)
    weights *= 0.2
    if kind % N_KINDS == 2:
        sites = rng.permutation(np.arange(max(n_visible, n_hidden)) % n_visible)
        for row, site in zip(weights, sites[:n_hidden], strict=True):
            row[target.lattice.neighbours()[site]] += target.K
            row[site] += 2.0
        return weights
    longest = n_visible // n_hidden + 2 if kind % N_KINDS != 4 else n_visible
    for row in weights:
        sites = rng.integers(n_visible) + np.arange(rng.integers(1, longest + 1))
        row[sites % n_visible] += rng.uniform(0.5, 1.5) * max(1.0, target.K)
    if kind % N_KINDS == 5:
        weights[0] += rng.uniform(0.5, 1.5) * target.K
    return weights


def fewest_exact(n_visible: int) -> int:
    """Return the least number of hidden units for which `exact_weights` knows weights of a ring.

    Examples
    --------
    >>> [fewest_exact(M) for M in (3, 4, 5, 6)]
    [1, 3, 3, 5]
    """
    return n_visible - 2 + (n_visible % 2 == 0)


def exact_weights(target: Target, n_hidden: int) -> FloatArray | None:
    """Return finite weights of p = q on a ring of M sites, or None where none are known.

    Triangles (0, j, j + 1) fill the ring. A unit on each gives all three bonds of its triangle a coupling of
    size K, if tanh² w = τ/(1 − τ + τ²) with τ = tanh K (star and triangle); with the sign of v_0 alternating,
    what two triangles say of their common bond cancels. The last one gives the bond (M − 1, 0) what is due if
    M is odd, else a further unit, of coupling 2K, mends it: M − 2 or M − 1 units.
    """
    n_visible = target.lattice.n_sites
    if len(target.lattice.shape) > 1 or n_hidden < fewest_exact(n_visible):
        return None
    weights, rows = np.zeros((n_hidden, n_visible)), np.arange(n_visible - 2)
    tau = np.tanh(target.K)
    w = np.arctanh(np.sqrt(tau / (1 - tau + tau**2)))
    weights[rows, rows + 1] = weights[rows, rows + 2] = w
    weights[rows, 0] = w * (-1.0) ** rows
    if n_visible % 2 == 0:
        weights[n_visible - 2, [0, -1]] = np.arccosh(np.exp(4 * target.K)) / 2
    return weights


def search(
    target: Target, n_hidden: int, n_starts: int, rng: np.random.Generator
) -> tuple[Minimum, FloatArray]:
    """Return the best end of descents from `n_starts` starts, and the values of all of them.

    A descent that reaches 0 is the last.
    """
    exact = exact_weights(target, n_hidden)
    ends: list[Minimum] = []
    for k in range(n_starts):
        weights = start(target, n_hidden, k, rng) if exact is None else exact
        ends.append(descend(target, weights, enough=ZERO))
        if ends[-1].value < ZERO:
            break
    values = np.array([end.value for end in ends])
    return ends[int(values.argmin())], values


def swept(targets: list[Target], minima: list[Minimum]) -> list[Minimum]:
    """Return the best minima along K, each also followed to its neighbours, upwards and back.

    Parameters
    ----------
    targets : list of Target
        In the order of K.
    minima : list of Minimum
        Of each, with finite weights.
    """
    best = list(minima)
    upwards = range(1, len(best))
    for here, before in [(k, k - 1) for k in upwards] + [(k - 1, k) for k in reversed(upwards)]:
        if best[here].value > ZERO:
            end = descend(targets[here], best[before].weights, enough=ZERO)
            if end.value < best[here].value - SAME / 10:
                best[here] = end
    return best


def search_repeated(
    target: Target, n_hidden: int, n_starts: int, rng: np.random.Generator
) -> tuple[Minimum, FloatArray]:
    """Return the same among machines whose units are carried into each other by translations of a ring."""
    n_times = n_repeats(target.lattice.n_sites, n_hidden)
    ends: list[Minimum] = []
    for k in range(n_starts):
        filters = start(target, n_hidden // n_times, k, rng)
        weights = repeated(descend_repeated(target, filters, n_times, enough=ZERO), n_times)
        ends.append(Minimum(target.divergence(weights)[0], weights, NO_STARS))
        if ends[-1].value < ZERO:
            break
    values = np.array([end.value for end in ends])
    return ends[int(values.argmin())], values


def invariance(target: Target, minimum: Minimum) -> tuple[int, int]:
    """Return how many translations of the lattice leave p(v) alone, and how many of all its symmetries."""
    p = target.law(minimum.weights, minimum.stars)
    moved = np.abs(p[target.moved_states] - p).sum(axis=1) / 2 < MOVED
    return int(moved[: target.lattice.n_sites].sum()), int(moved.sum())


def curvature(target: Target, minimum: Minimum) -> float:
    """Return the smallest second derivative of the divergence, NaN where the weights are infinite."""
    if not minimum.attained:
        return float("nan")
    return float(np.linalg.eigvalsh(target.hessian(minimum.weights))[0])
