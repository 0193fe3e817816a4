"""The Ising ring: closed forms, exact integers, exact samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from rbmflow._kernels import magnetization, ring_sampler
from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_integer,
    check_real,
    check_real_scalar,
    check_rng,
)
from rbmflow.generators import draw_words
from rbmflow.hardware import check_fits, simd_level
from rbmflow.ising import in_field, transfer_matrix
from rbmflow.ising.enumeration import MAX_ENUMERATED_SITES, enumerate_ring
from rbmflow.ising.in_field import check_field
from rbmflow.ising.law import Law, magnetizations
from rbmflow.ising.one_dimension import (
    MAX_SITES,
    OneDimensional,
    check_distance,
    check_sampled_field,
    over_distances,
    over_exact,
    to_float,
)
from rbmflow.ising.ring_counts import DegeneracyTable, ring_degeneracies
from rbmflow.ising.ring_in_fields import RingInFields
from rbmflow.ising.solved import Solved
from rbmflow.ising.walls import ring_weights
from rbmflow.precision import MACHINE
from rbmflow.workers import Progress, check_progress

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

MAX_LAW_SITES = 10**7
MAX_TABLE_SITES = 2000


@dataclass(frozen=True)
class Ring(OneDimensional, Solved):
    """Ising spins on a ring: ``−βH = K Σ v_i v_(i+1)``, periodic, no field.

    Parameters
    ----------
    n_sites : int
        Number of spins M, 3 to 10⁹.

    See Also
    --------
    Chain : With free ends.
    Torus : In two dimensions.
    rbmflow.weight.trained_weight : What a machine learns of it.

    References
    ----------
    E. Ising, Z. Phys. 31, 253 (1925).

    Examples
    --------
    >>> ring = Ring(8)
    >>> ring.degeneracies() == ring.enumerate()
    True
    """

    name: ClassVar[str] = "ring"

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_sites", check_integer("n_sites", self.n_sites, 3, MAX_SITES))

    @overload
    def correlation(self, K: Number, r: Integer, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def correlation(
        self, K: ArrayLike, r: Integer | ArrayLike, *, dps: None = None, field: ExactNumber = 0
    ) -> FloatArray: ...
    @overload
    def correlation(
        self, K: Number, r: ArrayLike, *, dps: None = None, field: ExactNumber = 0
    ) -> FloatArray: ...
    @overload
    def correlation(self, K: ExactNumber, r: Integer, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def correlation(
        self, K: ExactArrayLike, r: Integer | ArrayLike, *, dps: int, field: ExactNumber = 0
    ) -> ExactArray: ...
    @overload
    def correlation(
        self, K: ExactNumber, r: ArrayLike, *, dps: int, field: ExactNumber = 0
    ) -> ExactArray: ...
    def correlation(self, K: object, r: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return ``⟨v_0 v_r⟩``, without a field ``(t^r + t^(M−r))/(1 + t^M)``, t = tanh K.

        In a field ``⟨v_0⟩²`` is not taken off.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        r : array_like of int
            Distances, taken modulo the length; broadcast against `K`.
        dps : int, optional
            Correct decimal digits; float64 without it.
        field : float, optional
            h of each site, in units of J; ``|K| (1 + |h|)`` up to 2·10⁴. With `dps` also as `K`.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the broadcast shape.

        Examples
        --------
        >>> Ring(8).correlation(1.0, [0, 1, 4])
        array([1.    , 0.8177, 0.6044])
        """
        formula = partial(transfer_matrix.ring_correlation, n_sites=self.n_sites)
        h, distance = check_field(field), check_distance(r) % self.n_sites
        if not to_float(h):
            return over_distances(formula, K, distance, dps)

        def evaluate(ctx: Any, K: Any, r: Any) -> Any:
            return in_field.ring_correlation(ctx, K, h, self.n_sites, int(r))

        return over_exact(evaluate, dps, K=K, r=distance)

    @overload
    def magnetization_law(self, K: Numbers, *, dps: None = None, field: ExactNumber = 0) -> Law: ...
    @overload
    def magnetization_law(self, K: ExactNumbers, *, dps: int, field: ExactNumber = 0) -> Law: ...
    def magnetization_law(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Law:
        """Return the law of the magnetization ``V = Σ v_i``.

        ``q(V) ∝ M x ₂F₁(1−n, 1−(M−n); 2; x)`` for 0 < n < M up spins, 1 for each aligned state, x = e^(−4K);
        evaluated by a recurrence of positive terms. Time O(M).

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
            ``values`` −M, −M + 2, …, M and ``probabilities`` of shape ``(*K.shape, M + 1)``. In float64,
            values more than 290 orders of magnitude below the largest are returned as 0.

        Raises
        ------
        ValueError
            If M exceeds 10⁷.

        Examples
        --------
        >>> Ring(4).magnetization_law(0.5).probabilities
        array([0.2732, 0.1479, 0.1579, 0.1479, 0.2732])
        """
        check_integer("n_sites", self.n_sites, 3, MAX_LAW_SITES)
        h = check_field(field)
        if dps is not None or to_float(h):
            return self._law(K, dps, lambda ctx, K: ring_weights(self.n_sites, ctx.exp(-4 * K)), h)
        couplings = check_real("K", K)
        probabilities = np.empty((couplings.size, self.n_sites + 1))
        for coupling, row in zip(couplings.flat, probabilities, strict=True):
            magnetization.law(self.n_sites, coupling, row)
        return Law(magnetizations(self.n_sites), probabilities.reshape(*couplings.shape, self.n_sites + 1))

    def degeneracies(self) -> DegeneracyTable:
        """Return the number of configurations for each (α, V) from the closed form, in exact integers.

        ``(M/k) C(n−1, k−1) C(M−n−1, k−1)`` for n spins up and 2k domain walls.

        Time O(M^(5/2)): M²/4 integers of up to M bits.

        Returns
        -------
        DegeneracyTable
            Python integers; O(M²/4) classes.

        Raises
        ------
        ValueError
            If the ring has more than 2000 sites: a table of a million classes.

        Examples
        --------
        >>> len(Ring(20).degeneracies())
        102
        """
        return ring_degeneracies(check_integer("n_sites", self.n_sites, 3, MAX_TABLE_SITES))

    def enumerate(self, *, n_threads: int | None = None, progress: Progress | None = None) -> DegeneracyTable:
        """Return the same table by visiting every one of the 2^M configurations.

        A configuration and its global spin flip are visited together. Memory does not grow with M; the
        result does not depend on `n_threads`. Ctrl-C stops it within a second.

        Time O(2^M), shared by the threads.

        Parameters
        ----------
        n_threads : int, optional
            Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available.
        progress : callable, optional
            Called about ten times a second as ``progress(done, total)``, in configurations.

        Returns
        -------
        DegeneracyTable
            Equal to `degeneracies`.

        Raises
        ------
        ValueError
            If the ring has more than 48 sites.

        Warns
        -----
        CostWarning
            Past 36 sites: how long it will take.

        Examples
        --------
        >>> Ring(10).enumerate().total
        1024
        """
        check_integer("n_sites", self.n_sites, 3, MAX_ENUMERATED_SITES)
        return enumerate_ring(self.n_sites, n_threads, check_progress(progress))

    def sample(self, K: Number, size: int, *, field: float = 0.0, rng: RNGLike) -> SpinArray:
        """Return exact, independent samples of the Boltzmann law.

        Bond by bond: the walls between unequal neighbours are independent with probability
        1/(1 + e^(2K)), given that their number is even; the spins follow by a prefix product. In a field each
        spin is drawn given the spin before it, and the first. Time O(M) per sample, no Markov chain.

        Parameters
        ----------
        K : float
            Coupling βJ of any sign, ±∞ included; finite in a field.
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
        >>> Ring(5).sample(2.0, 1000, rng=1).shape
        (1000, 5)
        """
        coupling = check_real_scalar("K", K)
        size = check_integer("size", size, 0, MAX_SIZE)
        b = check_sampled_field(coupling, field)
        check_fits("size", size, self.n_sites)
        if b:
            return RingInFields(coupling, np.full(self.n_sites, b)).sample(size, rng=rng)
        samples = np.empty((size, self.n_sites), dtype=np.int8)
        key = draw_words(check_rng(rng))
        if coupling < 0 and self.n_sites % 2:
            ring_sampler.sample_frustrated(self._defect_probabilities(coupling), key, samples)
        else:
            defect = float(np.exp(-2 * abs(coupling)) / (1 + np.exp(-2 * abs(coupling))))
            ring_sampler.sample(defect, coupling < 0, False, key, samples, simd_level())
        return samples

    def _defect_probabilities(self, K: float) -> Any:
        """P(bond i is satisfied at K < 0, M odd | the bonds i … M−1 hold an even / odd number of such).

        ``q (1 − |t|^r)/(1 + |t|^(r+1))`` and ``q (1 + |t|^r)/(1 − |t|^(r+1))`` with ``r = M − 1 − i`` bonds
        to come and ``q = y/(1 + y)``; in the limit K → −∞ the second is 1/(r + 1).
        """
        rest = np.arange(self.n_sites - 1, -1, -1)
        with np.errstate(all="ignore"):
            bond = transfer_matrix.Bond.of(MACHINE, K)
            even = bond.y / (1 + bond.y) * bond.deficit(rest) / (1 + bond.power(rest + 1))
            odd = (1 + bond.power(rest)) / (1 + bond.y) / bond.deficit_over_y(rest + 1)
        return np.ascontiguousarray(np.stack([even, odd], axis=1))

    def _without_field(self, quantity: str, fn: Any, K: Any) -> Any:
        return getattr(transfer_matrix, f"ring_{quantity}")(fn, K, self.n_sites)
