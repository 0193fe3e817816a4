"""Minima of the divergence: descents by L-BFGS, where weights run off to, machines that repeat themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.experiments.optimum.target import IndexArray, Target

MEMORY = 20
MAX_ITERATIONS = 3000
SEARCHED, POLISHED = 1e-7, 1e-11
"""Largest component of the gradient where a search ends, and where the best of its ends does."""
ZERO = 1e-8
"""Nats, which a search counts as 0, and ends: there is nothing below."""
EXACT = 1e-14
"""Nats, within rounding of 0."""
COPIES = 2.0
"""A weight from which on a unit is asked whether it is better still as a star."""


@dataclass(frozen=True)
class Minimum:
    """Where a descent ended.

    Attributes
    ----------
    value : float
        The divergence, nats.
    weights : numpy.ndarray, shape (n_hidden, n_visible)
        A row for each hidden unit; of a star the weights beside that of its copy.
    stars : numpy.ndarray of int, shape (n_stars,)
        Sites of which the last units are copies, with infinite weights.
    """

    value: float
    weights: FloatArray
    stars: IndexArray

    @property
    def attained(self) -> bool:
        """Whether the weights are finite."""
        return len(self.stars) == 0


NO_STARS: IndexArray = np.empty(0, dtype=np.intp)


def descend(
    target: Target,
    weights: FloatArray,
    stars: IndexArray = NO_STARS,
    *,
    gradient: float = SEARCHED,
    enough: float = -np.inf,
) -> Minimum:
    """Follow L-BFGS from weights until the gradient is small, or the divergence is.

    Parameters
    ----------
    target : Target
        The law.
    weights : numpy.ndarray, shape (n_hidden, n_visible)
        Where to begin.
    stars : numpy.ndarray of int
        Sites of which the last units are stars.
    gradient : float
        Largest component of it at the end.
    enough : float
        A divergence, nats, below which nothing more is wanted.
    """

    def cost(x: FloatArray) -> tuple[float, FloatArray]:
        value, slope = target.divergence(x.reshape(weights.shape), stars)
        return value, slope.ravel()

    x = _minimise(cost, weights.ravel(), gradient, enough).reshape(weights.shape)
    return Minimum(target.divergence(x, stars)[0], x, stars)


def _minimise(
    cost: Callable[[FloatArray], tuple[float, FloatArray]], x: FloatArray, gradient: float, enough: float
) -> FloatArray:
    from scipy.optimize import OptimizeResult, minimize

    def told(intermediate_result: OptimizeResult) -> None:
        if intermediate_result.fun < enough:
            raise StopIteration

    options = {"maxiter": MAX_ITERATIONS, "maxfun": 2 * MAX_ITERATIONS, "maxcor": MEMORY}
    found = minimize(
        cost,
        x,
        jac=True,
        method="L-BFGS-B",
        callback=told,
        options={**options, "gtol": gradient, "ftol": 0.0},
    )
    return np.asarray(found.x)


def descend_to_limit(target: Target, minimum: Minimum) -> Minimum:
    """Return a minimum to many digits, with infinite weights where the weights run off.

    Units with a large weight become stars as long as that does not raise the divergence.
    """
    rest = descend(target, minimum.weights, minimum.stars, gradient=POLISHED, enough=ZERO / 100)
    if rest.value < EXACT:
        return rest
    largest = np.abs(rest.weights).max(axis=1)
    order = np.argsort(largest, kind="stable")
    for first in range(int((largest < COPIES).sum()), len(order)):
        weights, stars = as_stars(rest.weights, order[:first], order[first:])
        limit = descend(target, weights, stars, gradient=POLISHED, enough=EXACT)
        if limit.value <= rest.value + ZERO / 10:
            return limit
    return rest


def as_stars(weights: FloatArray, soft: IndexArray, copies: IndexArray) -> tuple[FloatArray, IndexArray]:
    """Return the weights with the units `copies` last, as stars of the site where each is largest."""
    sites = np.abs(weights[copies]).argmax(axis=1)
    signs = np.sign(weights[copies, sites])
    rest = weights[copies] * signs[:, None]
    rest[np.arange(len(sites)), sites] = 0.0
    return np.concatenate([weights[soft], rest]), sites


def n_repeats(n_visible: int, n_hidden: int) -> int:
    """Return the order of the largest group of translations of a ring that can carry units into each other.

    The greatest common divisor of M and N: orbits of N units for N | M, N/M orbits of M for M | N.

    Examples
    --------
    >>> n_repeats(9, 3), n_repeats(10, 4), n_repeats(9, 4)
    (3, 2, 1)
    """
    return gcd(n_visible, n_hidden)


def repeated(filters: FloatArray, n_times: int) -> FloatArray:
    """Return the weights of filters that stand every M/n_times sites of a ring.

    Parameters
    ----------
    filters : numpy.ndarray, shape (n_filters, M)
        One of each orbit.
    n_times : int
        A divisor of M.

    Returns
    -------
    numpy.ndarray, shape (n_times · n_filters, M)
        ``W[g n_filters + f] = `` filter f, moved by g M/n_times sites.

    Examples
    --------
    >>> repeated(np.array([[3.0, 1, 0, 0]]), 2)
    array([[3., 1., 0., 0.],
           [0., 0., 3., 1.]])
    """
    step = filters.shape[1] // n_times
    return np.concatenate([np.roll(filters, g * step, axis=1) for g in range(n_times)])


def folded(slope: FloatArray, n_times: int) -> FloatArray:
    """Return the gradient by the filters from that by the weights that `repeated` makes of them."""
    n_filters, step = len(slope) // n_times, slope.shape[1] // n_times
    parts = slope.reshape(n_times, n_filters, -1)
    return np.asarray(sum(np.roll(part, -g * step, axis=1) for g, part in enumerate(parts)))


def descend_repeated(
    target: Target, filters: FloatArray, n_times: int, *, gradient: float = SEARCHED, enough: float = -np.inf
) -> FloatArray:
    """Return the filters where the divergence of their repetition is least, as far as L-BFGS leads."""

    def cost(x: FloatArray) -> tuple[float, FloatArray]:
        value, slope = target.divergence(repeated(x.reshape(filters.shape), n_times))
        return value, folded(slope, n_times).ravel()

    return _minimise(cost, filters.ravel(), gradient, enough).reshape(filters.shape)
