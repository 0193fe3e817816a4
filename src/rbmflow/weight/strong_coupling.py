"""The trained weight at strong coupling: a series with exact coefficients.

It is a Puiseux series of ``s = e^(−2W)`` in ``e^(−4K/N)``. With x = e^(−4K) and k spins down, V = M − 2k,
both sides of ``⟨D⟩_p = ⟨D⟩_q``, ``D = M tanh MW − V tanh VW``, are rational in s and x::

    p(k) ∝ C(M, k) [s^k (1 + s^(M−2k))/(1 + s^M)]^N,     q(k) ∝ Σ_j g(k, j) x^j
    D(k) = M − V + 2V s^V/(1 + s^V) − 2M s^M/(1 + s^M)

The equation is solved for x as a power series in s, ``x = s^N φ(s)/A`` with ``A = (M² − [M odd])/8`` and
φ(0) = 1; then ``X = (A x)^(1/N) = s φ(s)^(1/N)`` is reverted: ``s = X + c₂X² + c₃X³ + …`` with rational c_j.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, check_real_scalar
from rbmflow.ising.ring_counts import wall_pair_count
from rbmflow.precision import exact_map
from rbmflow.records import Record
from rbmflow.roots import bracketed_root
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.power_series import (
    Series,
    add,
    constant,
    divide,
    evaluate_exactly,
    multiply,
    power,
    reversion_of_root,
    scale,
    shift,
)

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

MAX_ORDER = 100
MAX_SERIES_SITES = 10_000
SPARE_TERMS = 40
"""Coefficients computed beyond the order asked for: they measure the radius and the error."""


@dataclass(frozen=True)
class StrongCouplingSeries(Record):
    """``s = e^(−2W) = X + c₂X² + … + c_n X^n`` with ``X = (A e^(−4K))^(1/N)``, ``A = (M² − [M odd])/8``.

    Attributes
    ----------
    n_visible, n_hidden : int
        Units in each layer.
    coefficients : tuple of fractions.Fraction
        1, c₂, …, c_n, exact.
    radius : float
        Radius of convergence in X, from the growth of the coefficients, n and the 40
        after them; a few per cent.
    bound : float
        ``max |c_j| (0.9 radius)^j`` over the same coefficients.
    """

    n_visible: int
    n_hidden: int
    coefficients: tuple[Fraction, ...]
    radius: float
    bound: float

    @property
    def order(self) -> int:
        """The highest power of X kept."""
        return len(self.coefficients)

    @property
    def log_amplitude(self) -> float:
        """``ln A``."""
        return float(np.log((self.n_visible**2 - self.n_visible % 2) / 8))

    @property
    def convergent_from(self) -> float:
        """The coupling above which the series converges, ``[ln A − N ln(radius)]/4``."""
        return (self.log_amplitude - self.n_hidden * float(np.log(self.radius))) / 4

    @overload
    def variable(self, K: Number) -> float: ...
    @overload
    def variable(self, K: ArrayLike) -> FloatArray: ...
    def variable(self, K: object) -> Any:
        """Return ``X = (A e^(−4K))^(1/N)``.

        Parameters
        ----------
        K : array_like
            Couplings βJ.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Examples
        --------
        >>> print(round(strong_coupling_series(8, 4, 5).variable(2.0), 6))
        0.227606
        """
        return np.exp((self.log_amplitude - 4 * check_real("K", K)) / self.n_hidden)[()]

    @overload
    def weight(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def weight(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def weight(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def weight(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def weight(self, K: object, *, dps: int | None = None) -> Any:
        """Return W(K) by the series.

        Parameters
        ----------
        K : array_like
            Couplings inside the range of convergence; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Decimal digits of the evaluation (of the cut series, not of W); float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; infinite at K = ∞.

        Raises
        ------
        ValueError
            If `K` lies outside the range of convergence.

        Examples
        --------
        >>> print(round(strong_coupling_series(8, 4, 12).weight(3.0), 10))
        1.2398624399
        """
        if dps is not None:
            return exact_map(self._exact, dps, K=K)
        couplings = check_real("K", K)
        self._check_range(couplings.min(initial=np.inf))
        with np.errstate(over="ignore"):
            linear = np.where(
                np.isinf(couplings), np.inf, 2 * ((couplings - self.log_amplitude / 4) / self.n_hidden)
            )
        X = np.asarray(self.variable(couplings))
        rest = X * np.polynomial.polynomial.polyval(X, [float(c) for c in self.coefficients[1:]] or [0.0])
        return (linear - 0.5 * np.log1p(rest))[()]

    @overload
    def error(self, K: Number) -> float: ...
    @overload
    def error(self, K: ArrayLike) -> FloatArray: ...
    def error(self, K: Any) -> Any:
        """Return an estimate of the error of `weight`, above it unless the coefficients change their growth.

        With R = 0.9 radius and ``B = max |c_j| R^j``, ``|δW| = ½ |δs|/s ≤ (B/2R) ρ^n/[(1 − ρ) u]``, ρ = X/R
        and u = s/X, beside two roundings of W.

        Parameters
        ----------
        K : array_like
            Couplings βJ.

        Returns
        -------
        float or numpy.ndarray
            Absolute; infinite where X ≥ R.

        Examples
        --------
        >>> bool(strong_coupling_series(8, 4, 12).error(3.0) < 1e-8)
        True
        """
        ratio = np.asarray(self.variable(K)) / (0.9 * self.radius)
        inside = np.minimum(ratio, 1 - 1e-9)
        reduced = np.abs(
            np.polynomial.polynomial.polyval(
                0.9 * self.radius * inside, [float(c) for c in self.coefficients]
            )
        )
        with np.errstate(divide="ignore"):
            tail = self.bound / (1.8 * self.radius) * inside**self.order / ((1 - inside) * reduced)
        return np.where(ratio < 1, tail, np.inf)[()]

    def accurate_from(self, tolerance: float) -> float:
        """Return the coupling from which on the estimated error stays below ``tolerance · W``.

        Parameters
        ----------
        tolerance : float
            Relative, positive; 3e-15 is what `trained_weight` reaches in float64.

        Returns
        -------
        float
            K, above `convergent_from`.

        Examples
        --------
        >>> print(round(strong_coupling_series(8, 4, 40).accurate_from(3e-15), 1))
        2.2
        """
        tolerance = check_real_scalar("tolerance", tolerance)
        if not tolerance > 0:
            raise ValueError(f"tolerance={tolerance}: a positive number is needed")
        low = (self.log_amplitude - self.n_hidden * float(np.log(0.9 * self.radius))) / 4
        step = self.n_hidden / 4

        def excess(K: float) -> float:
            return float(np.log(self.error(K) / (tolerance * self._magnitude(K))))

        high = low + step
        while excess(high) > 0:
            low, high = high, high + step
        return high if low == high else bracketed_root(excess, low + 1e-9 * step, high, absolute=1e-9)

    def _magnitude(self, K: float) -> float:
        return abs(float(self.weight(K)))

    def _check_range(self, smallest: float) -> None:
        if smallest <= self.convergent_from:
            raise ValueError(f"K={smallest}: the series converges for K > {self.convergent_from:.6g} only")

    def _exact(self, ctx: Any, K: Any) -> Any:
        if ctx.isinf(K) and K > 0:
            return ctx.inf
        self._check_range(float(K))
        odd_square = self.n_visible**2 - self.n_visible % 2
        log_x = (ctx.log(ctx.mpf(odd_square) / 8) - 4 * K) / self.n_hidden
        X = ctx.exp(log_x)
        series = evaluate_exactly(ctx, self.coefficients, X)
        return -(log_x + ctx.log(series)) / 2


def strong_coupling_series(n_visible: int, n_hidden: int, order: int) -> StrongCouplingSeries:
    """Return the expansion of the trained weight at strong coupling to the power `order` of ``e^(−4K/N)``.

    Even M ≥ 6 and N ≥ 3: ``s^N = (M²/8) x (1 + 16 s²/M² + …)``; odd M ≥ 5 and N ≥ 2:
    ``s^N = ((M² − 1)/8) x (1 + 8 s/(M² − 1) + …)``; the small cases differ and are covered.

    Parameters
    ----------
    n_visible : int
        Spins M of the ring, 3 to 10 000.
    n_hidden : int
        Hidden units N, at least 1.
    order : int
        Terms kept, 1 to 100; the cost grows with its cube.

    Returns
    -------
    StrongCouplingSeries
        Exact coefficients, and how far they carry.

    Examples
    --------
    >>> [str(c) for c in strong_coupling_series(8, 1, 4).coefficients]
    ['1', '-67/32', '617/128', '-92687/8192']
    """
    n_visible, n_hidden = check_sizes(n_visible, n_hidden)
    check_integer("n_visible", n_visible, 3, MAX_SERIES_SITES)
    order = check_integer("order", order, 1, MAX_ORDER)
    coefficients = _coefficients(n_visible, n_hidden, order + SPARE_TERMS)
    radius = _radius(coefficients)
    sizes = np.array([abs(float(c)) for c in coefficients])
    bound = float((sizes * (0.9 * radius) ** np.arange(1, len(sizes) + 1)).max())
    return StrongCouplingSeries(n_visible, n_hidden, coefficients[:order], radius, bound)


def _radius(coefficients: tuple[Fraction, ...]) -> float:
    """Radius of convergence, by the envelope of two stretches.

    The coefficients of a branch point go as ``|c_j| ~ C j^(−3/2) R^(−j)``.
    """
    n = len(coefficients)
    j = np.arange(1, n + 1)
    with np.errstate(divide="ignore"):
        envelope = np.log([abs(float(c)) for c in coefficients]) + 1.5 * np.log(j)
    early = n // 3 + int(np.argmax(envelope[n // 3 : 2 * n // 3]))
    late = 2 * n // 3 + int(np.argmax(envelope[2 * n // 3 :]))
    return float(np.exp((envelope[early] - envelope[late]) / (j[late] - j[early])))


@lru_cache(maxsize=32)
def _coefficients(n_visible: int, n_hidden: int, length: int) -> tuple[Fraction, ...]:
    amplitude = Fraction(n_visible**2 - n_visible % 2, 8)
    phi = scale(_coupling_series(n_visible, n_hidden, length), amplitude)
    return tuple(reversion_of_root(phi, n_hidden))


def _coupling_series(n_visible: int, n_hidden: int, length: int) -> Series:
    """Return ``y = x/s^N`` as a series in s.

    With P = Σ_{k>0} p(k)/p(0) and P_D the same sum with D, Q and Q_D likewise, the equation is
    ``(1 + P) Q_D = P_D (1 + Q)``, where Q and Q_D are polynomials in x = s^N y. Without them beyond their
    first terms ``y = P_D/[(1 + P) Q_D/x]`` to N powers of s; Newton's iteration doubles that.
    """
    P, P_D = _model_sums(n_visible, n_hidden, length)
    P = add(constant(1, length), shift(P, n_hidden))
    walls = min(n_visible // 2, 1 + (length - 1) // n_hidden)
    Q, Q_D = zip(*(_ring_sums(n_visible, j, length) for j in range(1, walls + 1)), strict=True)
    # coefficients of y, y², … in the equation divided by s^N
    terms = [
        shift(add(multiply(P, d), scale(shift(P_D, n_hidden), -q)), n_hidden * j)
        for j, (q, d) in enumerate(zip(Q, Q_D, strict=True))
    ]
    y, correct = divide(P_D, multiply(P, Q_D[0])), n_hidden
    while correct < length:
        correct = min(2 * correct, length)
        value, slope = constant(0, correct), constant(0, correct)
        for j in range(walls, 0, -1):
            value = add(multiply(value, y[:correct]), terms[j - 1][:correct])
            slope = add(multiply(slope, y[:correct]), scale(terms[j - 1][:correct], j))
        value = add(multiply(value, y[:correct]), scale(P_D[:correct], -1))
        y[:correct] = add(y[:correct], scale(divide(value, slope), -1))
    return y


def _share(k: int, n_visible: int) -> Fraction:
    """States with k spins down against those with k down or k up.

    ½ of the pair is counted twice at V = 0 only.
    """
    return Fraction(1, 2) if 2 * k == n_visible else Fraction(1)


def _order_tail(V: int, length: int) -> Series:
    """``V (1 − tanh VW) = 2V s^V/(1 + s^V)`` as a series in s, 0 for V = 0."""
    result = constant(0, length)
    if V:
        for i, degree in enumerate(range(V, length, V)):
            result[degree] = Fraction(2 * V * (-1) ** i)
    return result


def _model_sums(n_visible: int, n_hidden: int, length: int) -> tuple[Series, Series]:
    """``Σ_{k>0} p(k)/p(0)`` and the same with D, both divided by s^N."""
    total, weighted = constant(0, length), constant(0, length)
    aligned = power(_one_plus(n_visible, length), -n_hidden)
    aligned_tail = _order_tail(n_visible, length)
    for k in range(1, min(n_visible // 2, 1 + (length - 1) // n_hidden) + 1):
        V = n_visible - 2 * k
        ratio = multiply(power(_one_plus(V, length), n_hidden), aligned) if V else scale(aligned, 2**n_hidden)
        term = shift(scale(ratio, _share(k, n_visible) * comb(n_visible, k)), (k - 1) * n_hidden)
        deficit = add(add(constant(2 * k, length), _order_tail(V, length)), scale(aligned_tail, -1))
        total = add(total, term)
        weighted = add(weighted, multiply(term, deficit))
    return total, weighted


def _one_plus(degree: int, length: int) -> Series:
    """``1 + s^degree``, degree > 0."""
    return add(constant(1, length), shift(constant(1, length), degree))


def _ring_sums(n_visible: int, walls: int, length: int) -> tuple[Fraction, Series]:
    """``Σ_k g(k, j)`` and ``Σ_k g(k, j) D(k)`` over k > 0 for j pairs of walls."""
    total, weighted = Fraction(0), constant(0, length)
    for k in range(walls, n_visible // 2 + 1):
        count = _share(k, n_visible) * wall_pair_count(n_visible, k, walls)
        total += count
        weighted[0] += count * 2 * k
        if n_visible - 2 * k < length:
            weighted = add(weighted, scale(_order_tail(n_visible - 2 * k, length), count))
    return total, add(weighted, scale(_order_tail(n_visible, length), -total))
