"""A probability law over configurations of spins: the states and the probability of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, SpinArray, check_integer, check_real, check_rng, shown
from rbmflow.hardware import check_fits
from rbmflow.records import Record
from rbmflow.spins import all_states, check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

NORMALISATION = 1e-9  # how far a sum of probabilities may be from 1; rounding of 2^24 terms stays below 1e-12
SMALL = 0.01  # the series ends with δ⁶: its remainder is below 1e-13 of the first term
LEAST_SHARE = float(np.finfo(float).tiny)  # p/q of smaller numbers overflows
DIVERGED_AT_ONCE = 2**15  # states, which bounds the memory of a divergence
MAX_COMPLETED = 16  # spins up to which states that a law does not list are counted


@dataclass(frozen=True, eq=False, repr=False)
class StateLaw(Record):
    """Probabilities of configurations of n spins; states that are not listed have probability 0.

    Parameters
    ----------
    states : array_like, shape (n_states, n_sites)
        Spins ±1, no configuration twice.
    probabilities : array_like, shape (n_states,)
        Not negative; their sum is 1 to 10⁻⁹.

    Examples
    --------
    >>> law = StateLaw([[1, 1], [-1, -1]], [0.75, 0.25])
    >>> law.n_sites, law.covers_all
    (2, False)
    """

    states: SpinArray
    probabilities: FloatArray

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, states: ArrayLike, probabilities: ArrayLike) -> None: ...

    def __post_init__(self) -> None:
        states = np.array(check_spins("states", self.states))
        if states.ndim != 2 or 0 in states.shape:
            raise ValueError(
                f"states has shape {states.shape}: (n_states, n_sites) is needed, both at least 1"
            )
        probabilities = np.array(check_real("probabilities", self.probabilities))
        if probabilities.shape != (len(states),):
            raise ValueError(f"probabilities has shape {probabilities.shape}: ({len(states)},) is needed")
        outside = ~((probabilities >= 0) & (probabilities <= 1 + NORMALISATION))
        if outside.any():
            raise ValueError(
                f"probabilities holds {probabilities[outside][0]:g}: numbers from 0 to 1 are needed"
            )
        total = probabilities.sum()
        if abs(total - 1) > NORMALISATION:
            raise ValueError(f"probabilities add up to {total:.12g}: 1 is needed")
        if _repeats(states):
            raise ValueError("states holds a configuration twice: add their probabilities")
        self._fill(states, probabilities)

    def _fill(self, states: SpinArray, probabilities: FloatArray) -> None:
        for name, array in (("states", states), ("probabilities", probabilities)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"StateLaw(n_states={len(self.states)}, n_sites={self.n_sites})"

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return int(self.states.shape[1])

    @property
    def covers_all(self) -> bool:
        """Whether each of the 2^n configurations is listed."""
        return self.n_sites < 63 and len(self.states) == 2**self.n_sites

    @cached_property
    def in_order(self) -> bool:
        """Whether each of the 2^n configurations is listed, in the order of `spins.all_states`."""
        return self.covers_all and np.array_equal(self.states, all_states(self.n_sites))

    @property
    def means(self) -> FloatArray:
        """⟨v_i⟩, shape (n_sites,)."""
        return self.probabilities @ self.states.astype(np.float64)

    @property
    def correlations(self) -> FloatArray:
        """⟨v_i v_k⟩, shape (n_sites, n_sites), 1 on the diagonal; means are not taken off."""
        spins = self.states.astype(np.float64)
        return (self.probabilities[:, None] * spins).T @ spins

    def sample(self, size: int, *, rng: RNGLike) -> SpinArray:
        """Return independent configurations of the law.

        Parameters
        ----------
        size : int
            Number of configurations, at least 0.
        rng : numpy.random.Generator or int
            Source of randomness, or a seed.

        Returns
        -------
        numpy.ndarray of int8, shape (size, n_sites)
            The spins.

        Examples
        --------
        >>> StateLaw([[1, 1], [-1, -1]], [0.75, 0.25]).sample(3, rng=1)
        array([[ 1,  1],
               [-1, -1],
               [ 1,  1]], dtype=int8)
        """
        size = check_integer("size", size, 0, MAX_SIZE)
        check_fits("size", size, 16 + self.n_sites)
        below = np.cumsum(self.probabilities)
        drawn = np.searchsorted(below, check_rng(rng).random(size) * below[-1], side="right")
        spins: SpinArray = self.states[drawn]
        return spins

    def divergence(self, log_p: Callable[[SpinArray], FloatArray]) -> float:
        """Return ``KL(q‖p) = Σ q ln(q/p)`` of this law from another, without cancellation.

        Of the other the logarithm is given.

        Parameters
        ----------
        log_p : callable
            ln p, normalised, of rows of configurations: a number for each.

        Returns
        -------
        float
            Nats, not negative. Relative digits are those of ``ln p/q``; where states are not listed and there
            are more than 16 spins, what p they have is known to 10⁻¹⁶ only.

        Examples
        --------
        >>> law = StateLaw([[1], [-1]], [0.5, 0.5])
        >>> print(round(law.divergence(lambda states: np.full(len(states), np.log(0.5))), 12))
        0.0
        """
        if not callable(log_p):
            raise TypeError(f"log_p={shown(log_p)}: a function of configurations is needed")
        listed, missing = _given(log_p, self.states), 0.0
        if not self.covers_all and self.n_sites <= MAX_COMPLETED:
            every = all_states(self.n_sites)
            there = np.zeros(len(every), dtype=bool)
            there[(self.states > 0) @ (1 << np.arange(self.n_sites))] = True
            missing = float(np.exp(_given(log_p, every[~there])).sum())
        elif not self.covers_all:
            missing = max(0.0, 1 - float(np.exp(listed).sum()))
        return divergence(self.probabilities / self.probabilities.sum(), listed) + missing


def normalised(log_weight: FloatArray) -> FloatArray:
    """Return the probabilities of weights whose logarithms are given.

    Examples
    --------
    >>> normalised(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    weight = np.array(log_weight)
    _normalise(weight)
    return weight


def _normalise(log_weight: FloatArray) -> None:
    log_weight -= log_weight.max()
    np.exp(log_weight, out=log_weight)
    log_weight /= log_weight.sum()


def law_of_all(log_weight: FloatArray) -> StateLaw:
    """Return the law over all states, in the order of `spins.all_states`, from logarithms of their weights.

    These are overwritten: they become the probabilities. The list is our own; what `StateLaw` checks of one
    that it is given takes longer than all the rest.

    Examples
    --------
    >>> law_of_all(np.zeros(4)).probabilities
    array([0.25, 0.25, 0.25, 0.25])
    """
    _normalise(log_weight)
    return law_in_order(log_weight)


def law_in_order(probabilities: FloatArray) -> StateLaw:
    """Return the law over all states, in the order of `spins.all_states`, from their probabilities.

    Examples
    --------
    >>> law_in_order(np.full(4, 0.25)).probabilities
    array([0.25, 0.25, 0.25, 0.25])
    """
    states = all_states(len(probabilities).bit_length() - 1)
    if np.isnan(probabilities[0]):
        return StateLaw(states, probabilities)  # which says so
    law = object.__new__(StateLaw)
    law._fill(states, probabilities)
    law.__dict__["in_order"] = True
    return law


def _given(log_p: Callable[[SpinArray], FloatArray], states: SpinArray) -> FloatArray:
    found = np.asarray(log_p(states))
    if found.shape != (len(states),) or found.dtype.kind not in "biuf":
        raise ValueError(
            f"log_p gives {found.dtype} of shape {found.shape} for {len(states)} configurations: "
            f"real numbers of shape ({len(states)},) are needed"
        )
    return found.astype(np.float64, copy=False)


def divergence(q: FloatArray, log_p: FloatArray) -> float:
    """Return KL(q‖p) of laws that sum to 1 over the states given.

    ``Σ q (e^δ − 1 − δ) + Σ_(q = 0) p`` with ``δ = ln p/q``. No term is negative, so that a small divergence
    keeps its digits; an error common to all of ln p enters squared.

    Examples
    --------
    >>> print(round(divergence(np.array([0.5, 0.5, 0.0]), np.log([0.25, 0.25, 0.5])), 12))
    0.69314718056
    """
    total = 0.0
    for first in range(0, len(q), DIVERGED_AT_ONCE):
        share, log = q[first : first + DIVERGED_AT_ONCE], log_p[first : first + DIVERGED_AT_ONCE]
        used = share >= LEAST_SHARE
        if not used.all():
            total += float(np.exp(log[~used]).sum())
            share, log = share[used], log[used]
        total += float(share @ excess(log - np.log(share)))
    return total


def excess(delta: FloatArray) -> FloatArray:
    """Return ``e^δ − 1 − δ ≥ 0``, by its series near 0.

    Examples
    --------
    >>> print(excess(np.array([1e-9]))[0])
    5.0000000016666675e-19
    """
    near = np.abs(delta) < SMALL
    if near.all():
        return _excess_series(delta)
    result = np.expm1(delta)
    result -= delta
    places = np.flatnonzero(near)
    result[places] = _excess_series(delta[places])
    return result


def _excess_series(d: FloatArray) -> FloatArray:
    return d * d / 2 * (1 + d / 3 * (1 + d / 4 * (1 + d / 5 * (1 + d / 6))))


def _repeats(states: SpinArray) -> bool:
    """Whether a row occurs twice."""
    packed = np.packbits(states > 0, axis=1)
    if packed.shape[1] > 8:
        return len(np.unique(packed, axis=0)) != len(packed)
    words = np.zeros((len(packed), 8), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    ordered = np.sort(words.view(np.uint64).ravel())
    return bool((ordered[1:] == ordered[:-1]).any())
