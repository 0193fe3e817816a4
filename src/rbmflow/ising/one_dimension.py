"""What ring and chain share: a number of sites, and closed forms over arrays of couplings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from rbmflow.arguments import (
    FloatArray,
    as_array,
    check_broadcast,
    check_digits,
    check_integer,
    check_real,
    shown,
)
from rbmflow.ising import in_field, transfer_matrix
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.in_field import check_field
from rbmflow.ising.law import Law, magnetizations
from rbmflow.ising.symmetry import Turn
from rbmflow.precision import (
    MACHINE,
    borrowed_context,
    exact_array,
    exact_functions,
    exact_map,
    settle,
    to_exact,
)

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

FLOAT_DIGITS = 17
MAX_SITES = 10**9
MAX_EXACT_LAW_SITES = 100_000  # of a law whose weights are computed one by one in higher precision


@dataclass(frozen=True)
class OneDimensional(Crystal):
    """What ring and chain share: a number of sites, and closed forms over arrays of K."""

    critical_coupling: ClassVar[float] = float("inf")
    critical_source: ClassVar[str] = "E. Ising, Z. Phys. 31, 253 (1925)"
    steps: ClassVar[tuple[tuple[int, ...], ...]] = ((1,),)
    turns: ClassVar[tuple[Turn, ...]] = ((((-1,),), (0,)),)

    n_sites: int

    @overload
    def log_partition(self, K: Number, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def log_partition(self, K: ArrayLike, *, dps: None = None, field: ExactNumber = 0) -> FloatArray: ...
    @overload
    def log_partition(self, K: ExactNumber, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def log_partition(self, K: ExactArrayLike, *, dps: int, field: ExactNumber = 0) -> ExactArray: ...
    def log_partition(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return ln Z, the total.

        Ring: ``ln[(2 cosh K)^M + (2 sinh K)^M]`` (thesis eq. 68). Chain: ``ln[2 (2 cosh K)^(n−1)]``. In a
        field see the module `rbmflow.ising.in_field`.

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
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; infinite at K = ±∞.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> Ring(8).log_partition([0.0, 1.0])
        array([5.5452, 9.1226])
        """
        return self._value("log_partition", K, dps, field)

    @overload
    def energy(self, K: Number, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def energy(self, K: ArrayLike, *, dps: None = None, field: ExactNumber = 0) -> FloatArray: ...
    @overload
    def energy(self, K: ExactNumber, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def energy(self, K: ExactArrayLike, *, dps: int, field: ExactNumber = 0) -> ExactArray: ...
    def energy(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return the energy per site in J, ``−(1/n) d ln Z/dK``, that in the field included.

        Ring: ``−(t + t^(M−1))/(1 + t^M)`` with t = tanh K. Chain: ``−t (n−1)/n``.

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
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> print(round(Ring(64).energy(0.5), 4))
        -0.4621
        """
        return self._value("energy", K, dps, field)

    @overload
    def heat_capacity(self, K: Number, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def heat_capacity(self, K: ArrayLike, *, dps: None = None, field: ExactNumber = 0) -> FloatArray: ...
    @overload
    def heat_capacity(self, K: ExactNumber, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def heat_capacity(self, K: ExactArrayLike, *, dps: int, field: ExactNumber = 0) -> ExactArray: ...
    def heat_capacity(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return the heat capacity per site in k_B, ``(K²/n) d² ln Z/dK²``.

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
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> print(round(Ring(64).heat_capacity(1.0), 4))
        0.42
        """
        return self._value("heat_capacity", K, dps, field)

    @overload
    def magnetization(self, K: Number, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def magnetization(self, K: ArrayLike, *, dps: None = None, field: ExactNumber = 0) -> FloatArray: ...
    @overload
    def magnetization(self, K: ExactNumber, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def magnetization(self, K: ExactArrayLike, *, dps: int, field: ExactNumber = 0) -> ExactArray: ...
    def magnetization(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return ``⟨V⟩/n``, per site: 0 without a field.

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
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> Ring(8).magnetization([0.0, 0.5, 1.0], field=0.1)
        array([0.    , 0.1342, 0.5204])
        """
        h = check_field(field)
        if not to_float(h):
            return over_exact(lambda ctx, _: ctx.zero, dps, K=K)
        return self._value("magnetization", K, dps, h)

    @overload
    def susceptibility(self, K: Number, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def susceptibility(self, K: ArrayLike, *, dps: None = None, field: ExactNumber = 0) -> FloatArray: ...
    @overload
    def susceptibility(self, K: ExactNumber, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def susceptibility(self, K: ExactArrayLike, *, dps: int, field: ExactNumber = 0) -> ExactArray: ...
    def susceptibility(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return ``(⟨V²⟩ − ⟨V⟩²)/n``, per site: the derivative of the magnetization by K h.

        Ring, without a field: ``e^(2K) (1 − t^M)/(1 + t^M)`` with t = tanh K.

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
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> Ring(8).susceptibility([0.0, float("inf")])
        array([1., 8.])
        """
        return self._value("susceptibility", K, dps, field)

    @overload
    def correlation_length(self, K: Number, *, dps: None = None, field: ExactNumber = 0) -> float: ...
    @overload
    def correlation_length(self, K: ArrayLike, *, dps: None = None, field: ExactNumber = 0) -> FloatArray: ...
    @overload
    def correlation_length(self, K: ExactNumber, *, dps: int, field: ExactNumber = 0) -> MPF: ...
    @overload
    def correlation_length(self, K: ExactArrayLike, *, dps: int, field: ExactNumber = 0) -> ExactArray: ...
    def correlation_length(self, K: object, *, dps: int | None = None, field: ExactNumber = 0) -> Any:
        """Return the correlation length in sites, ``−1/ln |tanh K|``; in a field ``1/ln(λ_+/|λ_−|)``.

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
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; 0 at K = 0, infinite where it exceeds the largest float64 (about K = 355).

        Examples
        --------
        >>> from rbmflow import Ring
        >>> print(round(Ring(8).correlation_length(1.0), 4))
        3.6719
        """
        h = check_field(field)
        if not to_float(h):
            return over_couplings(transfer_matrix.correlation_length, K, dps)
        return over_exact(lambda ctx, K: in_field.correlation_length(ctx, K, h), dps, K=K)

    def _value(self, quantity: str, K: object, dps: int | None, field: object) -> Any:
        """Evaluate closed forms over an array of couplings."""
        h = check_field(field)
        if not to_float(h):
            return over_couplings(lambda fn, K: self._without_field(quantity, fn, K), K, dps)

        def evaluate(ctx: Any, K: Any) -> Any:
            return in_field.in_field(ctx, quantity, K, h, self.n_sites, all(self.periodic))

        return over_exact(evaluate, dps, K=K)

    def _without_field(self, quantity: str, fn: Any, K: Any) -> Any:
        """Evaluate a closed form of the lattice."""
        raise NotImplementedError

    def _law(
        self, K: object, dps: int | None, weights: Callable[[Any, Any], list[Any]], field: Any = 0
    ) -> Law:
        """Return the law from exact weights of n = 0 … n_sites up spins, ``weights(ctx, K)``, and e^(KhV)."""
        check_integer("n_sites", self.n_sites, 2, MAX_EXACT_LAW_SITES)
        digits = FLOAT_DIGITS if dps is None else check_digits(dps)
        couplings = check_real("K", K).astype(object) if dps is None else exact_array("K", K)
        table = np.empty((*couplings.shape, self.n_sites + 1), dtype=object)
        for index in np.ndindex(couplings.shape):
            item = couplings[index]
            table[index] = settle(lambda ctx, item=item: self._exact_law(ctx, item, weights, field), digits)
        probabilities = table.astype(np.float64) if dps is None else table
        return Law(magnetizations(self.n_sites), probabilities)

    def _exact_law(
        self, ctx: Any, K: object, weights: Callable[[Any, Any], list[Any]], field: Any
    ) -> list[Any]:
        coupling = to_exact(ctx, "K", K)
        if ctx.isinf(coupling) and not to_float(field):
            return [ctx.mpf(int(p)) / 2 for p in self._doubled_ground_state_law(coupling > 0)]
        _, b = in_field.couplings_of(ctx, coupling, field) if to_float(field) else (coupling, ctx.zero)
        up, factor, table = ctx.exp(2 * b), ctx.one, []
        for weight in weights(ctx, coupling):
            table.append(factor * weight)
            factor *= up
        total = ctx.fsum(table)
        return [weight / total for weight in table]

    def _doubled_ground_state_law(self, ferromagnetic: bool) -> Any:
        """Twice the law at K = ±∞: aligned states, or the smallest |V|."""
        doubled = np.zeros(self.n_sites + 1, dtype=int)
        ends = (0, self.n_sites) if ferromagnetic else (self.n_sites // 2, (self.n_sites + 1) // 2)
        for index in ends:
            doubled[index] += 1
        return doubled


def over_couplings(formula: Callable[[Any, Any], Any], K: object, dps: int | None) -> Any:
    """Evaluate ``formula(fn, K)`` in float64 over an array, or at earned precision number by number."""
    if dps is None:
        couplings = check_real("K", K)
        with np.errstate(all="ignore"):
            return np.asarray(formula(MACHINE, couplings))[()]
    return exact_map(lambda ctx, K: formula(exact_functions(ctx), K), dps, K=K)


def over_exact(evaluate: Callable[..., Any], dps: int | None, *, K: object, **others: Any) -> Any:
    """Evaluate ``evaluate(ctx, K)`` at earned precision, number by number; return float64 without `dps`."""
    if dps is not None:
        return exact_map(evaluate, dps, K=K, **others)
    values = exact_map(evaluate, FLOAT_DIGITS, K=check_real("K", K).astype(object), **others)
    return np.asarray(values, dtype=np.float64)[()]


def check_sampled_field(K: float, field: object) -> float:
    """Return K h, 0 without a field, or raise where samples would need both to be finite."""
    h = to_float(check_field(field))
    if h and not math.isfinite(K):
        raise ValueError(f"K={K}: a finite coupling is needed in a field")
    return K * h if h else 0.0


def to_float(field: Any) -> float:
    """Return a checked field as a float, which is 0 for 0 alone."""
    with borrowed_context(15) as ctx:
        number = to_exact(ctx, "field", field)
        return float(number) or float(ctx.sign(number))


def check_distance(r: object) -> Any:
    """Return `r` as an array of integers."""
    distance = as_array("r", r)
    if distance.dtype.kind not in "iu":
        raise TypeError(f"r={shown(r)}: integers are needed")
    return distance.astype(np.int64)


def over_distances(formula: Callable[..., Any], K: object, r: Any, dps: int | None) -> Any:
    """Evaluate ``formula(fn, K=K, r=r)`` as `over_couplings` does, K and the integers r broadcast."""
    if dps is None:
        couplings, distances = check_broadcast(K=check_real("K", K), r=r)
        with np.errstate(all="ignore"):
            return np.asarray(formula(MACHINE, K=couplings, r=distances))[()]
    return exact_map(lambda ctx, K, r: formula(exact_functions(ctx), K=K, r=r), dps, K=K, r=r.astype(object))
