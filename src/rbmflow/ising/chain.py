"""The Ising chain with free ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_integer,
    check_real_scalar,
    check_rng,
    shown,
)
from rbmflow.hardware import check_fits
from rbmflow.ising import transfer_matrix
from rbmflow.ising.in_field import check_field
from rbmflow.ising.law import Law
from rbmflow.ising.one_dimension import (
    MAX_SITES,
    OneDimensional,
    check_distance,
    check_sampled_field,
    over_distances,
)
from rbmflow.ising.ring_in_fields import RingInFields
from rbmflow.ising.walls import chain_weights

if TYPE_CHECKING:
    from rbmflow.typing import (
        MPF,
        ArrayLike,
        ExactArray,
        ExactArrayLike,
        ExactNumber,
        ExactNumbers,
        Integer,
        Number,
        Numbers,
        RNGLike,
    )


@dataclass(frozen=True)
class Chain(OneDimensional):
    """Ising spins on a chain with free ends: ``−βH = K Σ v_i v_(i+1)`` over n − 1 bonds.

    Parameters
    ----------
    n_sites : int
        Number of spins n, 2 to 10⁹.

    Examples
    --------
    >>> print(round(Chain(2).energy(1.0), 4))
    -0.3808
    """

    name: ClassVar[str] = "chain"

    @cached_property
    def periodic(self) -> tuple[bool, ...]:
        """False: the ends are free."""
        return (False,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_sites", check_integer("n_sites", self.n_sites, 2, MAX_SITES))

    @overload
    def correlation(self, K: Number, r: Integer, *, dps: None = None) -> float: ...
    @overload
    def correlation(self, K: ArrayLike, r: Integer | ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def correlation(self, K: Number, r: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def correlation(self, K: ExactNumber, r: Integer, *, dps: int) -> MPF: ...
    @overload
    def correlation(self, K: ExactArrayLike, r: Integer | ArrayLike, *, dps: int) -> ExactArray: ...
    @overload
    def correlation(self, K: ExactNumber, r: ArrayLike, *, dps: int) -> ExactArray: ...
    def correlation(self, K: object, r: object, *, dps: int | None = None) -> Any:
        """Return ``⟨v_i v_(i+r)⟩ = t^r``, t = tanh K, the same for every i.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        r : array_like of int
            Distances, 0 … n − 1; broadcast against `K`.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the broadcast shape.

        Examples
        --------
        >>> Chain(8).correlation(1.0, [0, 1])
        array([1.    , 0.7616])
        """
        distance = check_distance(r)
        if ((distance < 0) | (distance >= self.n_sites)).any():
            raise ValueError(f"r={shown(r)}: distances on a chain run from 0 to {self.n_sites - 1}")
        return over_distances(transfer_matrix.chain_correlation, K, distance, dps)

    @overload
    def magnetization_law(self, K: Numbers, *, dps: None = None, field: ExactNumber = 0) -> Law: ...
    @overload
    def magnetization_law(self, K: ExactNumbers, *, dps: int, field: ExactNumber = 0) -> Law: ...
    def magnetization_law(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Law:
        """Return the law of the magnetization ``V = Σ v_i``.

        Evaluated in arbitrary precision by a recurrence of positive terms, O(n), and rounded once.

        Time O(n^(3/2)), as its numbers grow with the chain.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.
        field : float, optional
            h of each site, in units of J; ``|K| (1 + |h|)`` up to 2·10⁴. With `dps` also as `K`.

        Returns
        -------
        Law
            ``values`` −n, −n + 2, …, n and ``probabilities`` of shape ``(*K.shape, n + 1)``.

        Examples
        --------
        >>> Chain(2).magnetization_law(0.0).probabilities
        array([0.25, 0.5 , 0.25])
        """
        h = check_field(field)
        return self._law(K, dps, lambda ctx, K: chain_weights(self.n_sites, ctx.exp(-2 * K)), h)

    def sample(self, K: Number, size: int, *, field: float = 0.0, rng: RNGLike) -> SpinArray:
        """Return exact, independent samples of the Boltzmann law.

        Without a field neighbours differ with probability 1/(1 + e^(2K)), each pair by itself; in one each
        spin is drawn given the spin before it. Time O(n) per sample, no Markov chain.

        Parameters
        ----------
        K : float
            Coupling βJ of any sign; finite in a field.
        size : int
            Number of samples, at least 0.
        field : float
            h of each site, in units of J.
        rng : numpy.random.Generator or int
            Generator or seed; the samples are a function of its state alone.

        Returns
        -------
        numpy.ndarray of int8, shape (size, n_sites)
            ±1 spins.

        Examples
        --------
        >>> Chain(5).sample(2.0, 1000, rng=1).shape
        (1000, 5)
        """
        coupling, size = check_real_scalar("K", K), check_integer("size", size, 0, MAX_SIZE)
        b = check_sampled_field(coupling, field)
        check_fits("size", size, 9 * self.n_sites)
        source, n = check_rng(rng), self.n_sites
        if not b:
            p = float(np.exp(-2 * abs(coupling)) / (1 + np.exp(-2 * abs(coupling))))
            walls = (source.random((size, n - 1)) < p) != (coupling < 0)
            spins = np.where(walls, -1, 1).astype(np.int8)
            first = 2 * source.integers(2, size=(size, 1), dtype=np.int8) - 1
            return np.cumprod(np.concatenate([first, spins], axis=1), axis=1, dtype=np.int8)
        # an open ring, with a site that has no bonds, as a ring has at least three
        couplings, fields = np.full(n + 1, coupling), np.full(n + 1, b)
        couplings[-2:] = 0.0
        return RingInFields(couplings, fields).sample(size, rng=source)[:, :n]

    def _without_field(self, quantity: str, fn: Any, K: Any) -> Any:
        return getattr(transfer_matrix, f"chain_{quantity}")(fn, K, self.n_sites)
