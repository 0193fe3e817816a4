"""The exact law of a ring whose bonds and fields differ from site to site.

One spin is held, at +1 or −1, which cuts the ring. A bond K passes a field x on as u, and multiplies the
weight by A,

    ``Σ_v e^(K v v' + x v) = A e^(u v')``,  ``tanh u = tanh K tanh x``,  ``A² = 4 cosh(x + K) cosh(x − K)``,

so that fields run along the ring in both directions, and meet at every site.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_broadcast,
    check_finite,
    check_integer,
    check_rng,
    shown,
)
from rbmflow.hardware import check_memory
from rbmflow.records import Record

if TYPE_CHECKING:
    from rbmflow.typing import Numbers, RNGLike

HELD = (1, -1)  # the values of spin 0, for which everything is computed side by side
BYTES = 128  # of a site: fields in both directions for both values, and what is made of them
MAX_FIELD = 1e100  # sums along the ring stay finite
LEAST_SITES = 3


@dataclass(frozen=True, eq=False)
class RingInFields(Record):
    """Ising spins on rings with a coupling for each bond and a field for each site.

    The law is ``p(v) ∝ exp(Σ K_i v_i v_(i+1) + Σ h_i v_i)``: the ring after data on each spin have been seen,
    say, or a spin glass. Rows of fields are rings of their own, all computed at once. Nothing
    cancels or overflows, however large couplings and fields are. Time O(M) for each ring.

    Parameters
    ----------
    K : float or array_like, shape (..., n_sites)
        K_i = βJ_i of the bond from site i to i + 1, of any sign, or one for all; 0 opens the ring.
        It is broadcast against `fields`.
    fields : float or array_like, shape (..., n_sites)
        Dimensionless fields h_i, βH_i; at most 10¹⁰⁰ in size, as K. At least 3 sites.

    See Also
    --------
    Ring : With equal couplings and no field.
    denoising_coupling : Where such a law says more of a spin than what was seen of it.
    rbmflow.sampling.denoise : On any lattice.

    References
    ----------
    J. Pearl, *Probabilistic Reasoning in Intelligent Systems*, Morgan Kaufmann (1988), chapter 4.

    Examples
    --------
    >>> seen = np.array([1, 1, -1, 1, 1])
    >>> RingInFields([[0.3], [0.6]], 0.5 * seen).means  # at stronger coupling the neighbours prevail
    array([[ 0.6483,  0.5204, -0.1543,  0.5204,  0.6483],
           [ 0.7775,  0.6714,  0.2898,  0.6714,  0.7775]])
    """

    K: FloatArray
    fields: FloatArray

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, K: Numbers, fields: Numbers) -> None: ...

    def __post_init__(self) -> None:
        given = {"K": check_finite("K", self.K), "fields": check_finite("fields", self.fields)}
        for name, array in given.items():
            if array.size and np.abs(array).max() > MAX_FIELD:
                raise ValueError(f"{name}={shown(getattr(self, name))}: at most {MAX_FIELD:g} is possible")
        for name, array in zip(given, check_broadcast(**given), strict=True):
            if not array.ndim or array.shape[-1] < LEAST_SITES:
                raise ValueError(
                    f"{name} has shape {array.shape}: the last axis must have at least {LEAST_SITES} sites"
                )
            check_memory("rings in fields", 16 * array.size, "give fewer rings at a time")
            own = np.array(array)
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    @property
    def n_sites(self) -> int:
        """Number of spins of each ring."""
        return int(self.fields.shape[-1])

    @cached_property
    def log_partition(self) -> Any:
        """The logarithm of Z, in the leading shape."""
        return np.logaddexp(*self._forward[1])[()]

    @cached_property
    def means(self) -> FloatArray:
        """⟨v_i⟩, shape (..., n_sites)."""
        return _sites_last([np.tanh(self._forward[2]), *self._average(self._given_the_held)])

    @cached_property
    def neighbour_correlations(self) -> FloatArray:
        """⟨v_i v_(i+1)⟩ of each bond, shape (..., n_sites); means are not taken off."""
        (left, *_), right, (K, h) = self._forward, self._backward, self._along
        inner = np.tanh(K[1:-1, None] + passed(h[1:-1, None] + left[:-1], h[2:, None] + right[1:]))
        at_ends = self._given_the_held[[0, -1]]
        at_ends[:, 1] *= -1  # times the held spin
        first, last = self._average(at_ends)
        return _sites_last([first, *self._average(inner), last])

    def sample(self, size: int, *, rng: RNGLike) -> SpinArray:
        """Return exact, independent samples.

        The first spin is drawn, and each further one given the spin before it. Time O(M) for each.

        Parameters
        ----------
        size : int
            Samples of each ring, at least 0.
        rng : numpy.random.Generator or int
            Generator or seed.

        Returns
        -------
        numpy.ndarray of int8, shape (size, ..., n_sites)
            ±1 spins.

        Examples
        --------
        >>> RingInFields(0.5, [9.0, 0.0, 0.0, -9.0]).sample(1000, rng=1)[:, [0, 3]].mean(axis=0)
        array([ 1., -1.])
        """
        size, source = check_integer("size", size, 0, MAX_SIZE), check_rng(rng)
        shape = (size, *self.fields.shape)
        check_memory(f"samples of shape {shape}", math.prod(shape), "a smaller size needs less")
        samples = np.empty(shape, dtype=np.int8)
        (*_, on_held), right, (K, h) = self._forward, self._backward, self._along

        def draw(field: FloatArray) -> SpinArray:
            chance = 0.5 + np.tanh(field) / 2
            return np.where(source.random((size, *self.fields.shape[:-1])) < chance, 1, -1).astype(np.int8)

        held = samples[..., 0] = draw(on_held)
        for site in range(1, self.n_sites):
            ahead = np.where(held > 0, right[site - 1, 0], right[site - 1, 1])
            samples[..., site] = draw(K[site - 1] * samples[..., site - 1] + h[site] + ahead)
        return samples

    @property
    def _along(self) -> tuple[FloatArray, FloatArray]:
        """Couplings and fields with the sites first."""
        return np.moveaxis(self.K, -1, 0), np.moveaxis(self.fields, -1, 0)

    @cached_property
    def _forward(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Fields from the left on sites 1 … M − 1, the weights of spin 0, and the field on it."""
        check_memory(
            f"rings of shape {self.fields.shape}", BYTES * self.fields.size, "fewer rows at once need less"
        )
        return _run(*self._along)

    @cached_property
    def _backward(self) -> FloatArray:
        """Fields from the right on sites 1 … M − 1: the same along the ring turned round."""
        K, h = self._along
        fields, *_ = _run(K[::-1], np.roll(h[::-1], 1, axis=0))
        return fields[::-1]

    @cached_property
    def _given_the_held(self) -> FloatArray:
        """Means of sites 1 … M − 1 given spin 0, shape (n_sites − 1, 2, ...)."""
        _, h = self._along
        return np.asarray(np.tanh(h[1:, None] + self._forward[0] + self._backward))

    def _average(self, given: FloatArray) -> FloatArray:
        """Average over spin 0, whose two values stand along the second axis."""
        up = 0.5 + np.tanh(self._forward[2]) / 2
        return np.asarray(up * given[:, 0] + (1 - up) * given[:, 1])


def passed(K: FloatArray, x: FloatArray) -> FloatArray:
    """Return ``artanh(tanh K tanh x)``, the field that a bond K passes on of a field x.

    Where both are large it is the smaller one, but for terms that vanish: nothing is lost near tanh = 1.

    Examples
    --------
    >>> passed(np.array([0.5, 50.0]), np.array([0.5, 60.0]))
    array([ 0.2169, 50.    ])
    """
    strength, field = np.abs(K), np.abs(x)
    least = np.minimum(strength, field)
    with np.errstate(divide="ignore"):  # where the other branch is taken
        weak = np.arctanh(np.tanh(strength) * np.tanh(field))
    near, far = np.exp(-2 * np.abs(strength - field)), np.exp(-2 * (strength + field))
    size = np.where(least < 1, weak, least + (np.log1p(far) - np.log1p(near)) / 2)
    return np.asarray(np.copysign(size, K) * np.sign(x))


def _run(K: FloatArray, h: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pass fields from site 0, held, once around; the sites come first.

    Returns those that arrive at sites 1 … M − 1, shape (M − 1, 2, ...), the logarithms of the weights of the
    two values of spin 0, and half their difference, the field on it. This is summed by itself: sites that
    have forgotten the held spin add nothing to it, not even rounding.
    """
    held = np.reshape(HELD, (2, *[1] * (h.ndim - 1)))
    arriving = np.empty((len(h), 2, *h.shape[1:]))
    arriving[0] = K[0] * held
    for site in range(1, len(h)):
        arriving[site] = passed(K[site], h[site] + arriving[site - 1])
    factors = _log_factor(K[1:, None], h[1:, None] + arriving[:-1])
    last = arriving[-1]
    on_held = h[0] + (last[0] + last[1] + (factors[:, 0] - factors[:, 1]).sum(axis=0)) / 2
    return arriving[:-1], factors.sum(axis=0) + held * (h[0] + last), on_held


def _log_factor(K: FloatArray, x: FloatArray) -> FloatArray:
    """``ln A = ½ ln[2 cosh(x + K) · 2 cosh(x − K)]``."""
    vanishing = np.log1p(np.exp(-2 * np.abs(x + K))) + np.log1p(np.exp(-2 * np.abs(x - K)))
    return np.asarray(np.maximum(np.abs(x), np.abs(K)) + vanishing / 2)


def _sites_last(rows: list[FloatArray]) -> FloatArray:
    return np.ascontiguousarray(np.moveaxis(np.stack(rows), 0, -1))
