"""Where the best machine of a ring stops repeating itself: two routes, and of which order it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar, check_rng
from rbmflow.experiments.optimum.descent import (
    NO_STARS,
    POLISHED,
    Minimum,
    descend,
    descend_repeated,
    n_repeats,
    repeated,
)
from rbmflow.experiments.optimum.search import search, search_repeated
from rbmflow.experiments.optimum.target import IndexArray, Target
from rbmflow.ising import Ring
from rbmflow.records import Record
from rbmflow.weight import trained_weight

BROKEN = 1e-8
"""Σ (p(v) − p(Tv))² / Σ p(v)², from which on p is not that of a machine that repeats itself."""
NARROW = 1e-5
"""Of K, where a bisection ends."""


@dataclass(frozen=True)
class Transition(Record):
    """Between machines whose units are translates of each other and machines whose units are not.

    Attributes
    ----------
    n_visible, n_hidden : int
        M and N.
    K : float
        Where the least divergences of both are equal.
    K_unstable : float
        Where the smallest eigenvalue of the Hessian of the repeating machine vanishes; `K` if the transition
        is continuous.
    momentum : int
        Of that eigenvalue's direction: a translation turns it by 2π · momentum/n.
    K_ends : float
        Where the minimum that does not repeat itself ends; `K` if the transition is continuous.
    jump : float
        Of dKL*/dK at `K`, 0 if the transition is continuous.
    continuous : bool
        Whether the two minima merge at `K`, else they cross.
    """

    n_visible: int
    n_hidden: int
    K: float
    K_unstable: float
    momentum: int
    K_ends: float
    jump: float
    continuous: bool


class _Branches:
    """The minimum of repeating machines and one of the others, each followed along K."""

    def __init__(self, n_visible: int, n_hidden: int) -> None:
        self.ring, self.n_hidden = Ring(n_visible), n_hidden
        self.filters = self.broken = np.empty((0, 0))

    @property
    def n_times(self) -> int:
        return n_repeats(self.ring.n_sites, self.n_hidden)

    def begin(self, K_symmetric: float, K_broken: float, n_starts: int, rng: np.random.Generator) -> None:
        """Search where each of them is the best."""
        if self.n_hidden > 1:
            found = search_repeated(Target(self.ring, K_symmetric), self.n_hidden, n_starts, rng)[0]
            self.filters = found.weights[: self.n_hidden // self.n_times]
        self.broken = search(Target(self.ring, K_broken), self.n_hidden, n_starts, rng)[0].weights

    def symmetric(self, target: Target) -> Minimum:
        """Follow the repeating machine."""
        if self.n_hidden == 1:
            M = self.ring.n_sites
            weights = np.full((1, M), float(trained_weight(target.K, M, 1)))
        else:
            self.filters = descend_repeated(target, self.filters, self.n_times, gradient=POLISHED)
            weights = repeated(self.filters, self.n_times)
        return Minimum(target.divergence(weights)[0], weights, NO_STARS)

    def other(self, target: Target) -> Minimum | None:
        """Follow the machine that does not repeat itself; None if it ends as one that does."""
        found = descend(target, self.broken, gradient=POLISHED)
        p = target.law(found.weights)
        step = 1 if self.n_hidden == 1 else self.ring.n_sites // self.n_times
        if ((p[target.moved_states[step]] - p) ** 2).sum() < BROKEN * (p**2).sum():
            return None
        self.broken = found.weights
        return found


def transition(
    n_visible: int, n_hidden: int, K_symmetric: float, K_broken: float, *, n_starts: int = 30, rng: object
) -> Transition:
    """Find where the best machine of a ring stops repeating itself, and by which route.

    Once by the minima: that of all machines is followed from `K_broken` towards `K_symmetric` until it
    repeats itself, or its divergence is that of the best that does. Once by the Hessian of the best repeating
    machine, in each sector of momentum.

    Parameters
    ----------
    n_visible : int
        Sites M of the ring, 3 to 12.
    n_hidden : int
        Hidden units N, less than M/2: 1, when equal weights stand for repetition, or with a common divisor.
    K_symmetric, K_broken : float
        Couplings on both sides of the transition, in either order.
    n_starts : int
        Of the searches at the two couplings.
    rng : numpy.random.Generator or int
        Generator or seed of the starts.

    Returns
    -------
    Transition
        To about 10⁻⁵ in K.

    Raises
    ------
    ValueError
        If no translation can carry units of such a machine into each other, or the best machines found are
        not repeating at `K_symmetric` and different from that at `K_broken`, or no eigenvalue vanishes
        between these.

    Examples
    --------
    >>> found = transition(6, 2, 0.3, 0.6, n_starts=4, rng=1)
    >>> round(found.K, 4), round(found.K_unstable, 4), found.momentum, found.continuous
    (0.4, 0.4, 1, True)
    """
    check_integer("n_visible", n_visible, 3, 12)
    check_integer("n_hidden", n_hidden, 1, (n_visible - 1) // 2)
    if n_hidden > 1 and n_repeats(n_visible, n_hidden) == 1:
        raise ValueError(f"n_hidden={n_hidden}: a common divisor with n_visible={n_visible} is needed")
    for name, K in (("K_symmetric", K_symmetric), ("K_broken", K_broken)):
        if not 0 < check_real_scalar(name, K) < np.inf:
            raise ValueError(f"{name}={K}: a positive, finite number is needed")
    branches = _Branches(n_visible, n_hidden)
    branches.begin(K_symmetric, K_broken, check_integer("n_starts", n_starts, 1), check_rng(rng))
    K_ends = _end(branches, K_symmetric, K_broken)
    K, continuous, jump = _crossing(branches, K_ends, K_broken)
    K_unstable, momentum = _instability(branches, K_symmetric, K_broken)
    return Transition(n_visible, n_hidden, K, K_unstable, momentum, K_ends, jump, continuous)


def _end(branches: _Branches, K_symmetric: float, K_broken: float) -> float:
    """Where the minimum that does not repeat itself ends."""
    if branches.other(Target(branches.ring, K_broken)) is None:
        raise ValueError(f"K_broken={K_broken}: the best machine found there repeats itself")
    there, last = K_symmetric, K_broken
    while abs(last - there) > NARROW:
        K = (there + last) / 2
        if branches.other(Target(branches.ring, K)) is None:
            there = K
        else:
            last = K
    return last


def _crossing(branches: _Branches, K_ends: float, K_broken: float) -> tuple[float, bool, float]:
    """Where the divergences are equal, whether the minima merge there, and the jump of the slope."""
    from scipy.optimize import brentq

    def gap(K: float) -> float:
        target = Target(branches.ring, K)
        other = branches.other(target)
        return branches.symmetric(target).value - (np.inf if other is None else other.value)

    if gap(K_ends) > -1e-9:
        return K_ends, True, 0.0
    K, step = float(brentq(gap, K_ends, K_broken, xtol=NARROW)), 1e-4
    if abs(K - K_ends) < step:  # searches lose the other minimum where it is all but the symmetric one
        return K_ends, True, 0.0
    return K, False, abs(gap(K + step) - gap(K - step)) / (2 * step)


def _instability(branches: _Branches, K_symmetric: float, K_broken: float) -> tuple[float, int]:
    """Where the smallest eigenvalue of the repeating machine vanishes, and its momentum."""
    from scipy.optimize import brentq

    def smallest(K: float) -> FloatArray:
        target = Target(branches.ring, K)
        return sector_eigenvalues(target, branches.symmetric(target).weights)

    if not smallest(K_symmetric).min() > 0 > smallest(K_broken).min():
        raise ValueError(
            f"K_symmetric={K_symmetric}, K_broken={K_broken}: no eigenvalue of the repeating machine "
            "vanishes between them"
        )
    K = float(brentq(lambda K: smallest(K).min(), K_symmetric, K_broken, xtol=NARROW / 10))
    return K, int(smallest(K).argmin())


def sector_eigenvalues(target: Target, weights: FloatArray) -> FloatArray:
    """Return the smallest eigenvalue of the Hessian for each momentum 0 … n/2 of a repeating machine.

    ``H_k = Σ_g e^(2πi k g/n) H_(0g)`` with the blocks H_(0g) between the weights of the first cell and those
    of the g-th, which a translation by g cells makes of them.

    Parameters
    ----------
    target : Target
        The law of a ring.
    weights : numpy.ndarray, shape (n_hidden, n_visible)
        As of `repeated`, or equal weights of one unit.
    """
    hessian, order = target.hessian(weights), _cells(*weights.shape)
    n = len(order)
    blocks = np.stack([hessian[np.ix_(order[0], there)] for there in order])
    momenta = np.fft.ifft(blocks, axis=0) * n
    return np.array([np.linalg.eigvalsh(momenta[k])[0] for k in range(n // 2 + 1)])


def _cells(n_hidden: int, n_visible: int) -> IndexArray:
    """Numbers of the weights of each cell, those in one column carried into each other by a translation."""
    if n_hidden == 1:
        return np.arange(n_visible)[:, None]
    n = n_repeats(n_visible, n_hidden)
    units, sites = np.divmod(np.arange(n_hidden // n * n_visible), n_visible)
    g = np.arange(n)[:, None]
    return (g * (n_hidden // n) + units) * n_visible + (sites + g * (n_visible // n)) % n_visible
