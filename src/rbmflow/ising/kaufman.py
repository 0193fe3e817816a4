"""Kaufman's four products: ln Z of the finite square torus and its first two derivatives in K.

With s = sinh 2K, c = cosh 2K and n modes of length m (B. Kaufman, Phys. Rev. 76, 1232 (1949)),

    Z = ½ Σ_± [ Π_(odd k) (μ_k₊^(m/2) ± μ_k₋^(m/2)) + Π_(even k) (μ_k₊^(m/2) ± μ_k₋^(m/2)) ],   0 ≤ k < 2n,

where ``μ_k± = 2s exp(±γ_k)`` and ``cosh γ_k = s + 1/s − cos φ_k``, ``φ_k = πk/n``. The roots are

    √μ_k± = C ± B,   C² = c² + 2s sin²(φ/2),   B² = (1 − s)² + 2s sin²(φ/2);

k and 2n − k pair up, and the unpaired modes are ``√μ_0± = e^(2K) − 1, 1 + e^(−2K)`` and
``√μ_n± = e^(2K) + 1, 1 − e^(−2K)``: every factor is a polynomial in e^(±2K), and with these signs the formula
holds at every real K. γ_0 changes sign at K_c, and with it the fourth product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Jet = tuple[Any, ...]
"""A function of K, its first and its second derivative, as far as they are wanted."""
NUMBERS_AT_ONCE = 2**13  # of a block: its couplings times its modes; larger ones leave the cache


def machine_derivative(K: FloatArray, n: int, m: int, order: int) -> FloatArray:
    """Return ln Z or its first or second derivative in K, in float64, for couplings 0 < K ≤ 100.

    K has shape (n_couplings,), as has the result. Time O(n_couplings (n + m)), memory O(n + m) and a few
    megabytes.

    The first product, cosh over odd k, is ``Π μ₊^(m/2) (1 + exp(−mγ))``; its logarithm is a large sum.
    Those of the other three are kept as ratios, which do not suffer from its rounding: sinh to cosh over the
    same modes, and the even cosh product to the first as the sinh product over odd modes of the transposed
    torus, to which it is equal.
    """
    result, below = np.empty_like(K), np.sinh(2 * K) < 1
    step = max(1, NUMBERS_AT_ONCE // max(n, m))
    for disordered in (True, False):
        places = np.flatnonzero(below == disordered)
        for first in range(0, len(places), step):
            block = places[first : first + step]
            result[block] = _derivative(_Couplings.of(K[block], disordered), n, m, order)
    return result


@dataclass(frozen=True)
class _Couplings:
    """Couplings on one side of K_c, and functions of them. Modes and their couplings are rows and columns."""

    K: FloatArray
    s: FloatArray  # sinh 2K
    c: FloatArray  # cosh 2K
    gap: FloatArray  # 1 − s
    disordered: bool

    @classmethod
    def of(cls, K: FloatArray, disordered: bool) -> _Couplings:
        return cls(K, np.sinh(2 * K), np.cosh(2 * K), one_minus_sinh(K), disordered)


def _derivative(at: _Couplings, n: int, m: int, order: int) -> FloatArray:
    reference, odd = _odd_modes(at, n, m, order)
    across = odd if n == m else _odd_modes(at, m, n, order)[1]
    even, (plus, minus) = _even_modes(at, n, m, order), _zero_mode_factors(at, m)
    one, nothing = (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    # the factor 1 + exp(−m|γ_0|) is part of the third product already
    fourth = _add(_add(across, even), _log_jet(plus), -1)
    z0 = z1 = z2 = 0.0
    for (l0, *slopes), (v0, v1, v2) in [(nothing, one), (odd, one), (across, one), (fourth, minus)]:
        weight = np.exp(l0)
        z0 = z0 + weight * v0
        if order > 0:
            z1 = z1 + weight * (v1 + slopes[0] * v0)
        if order > 1:
            z2 = z2 + weight * (v2 + 2 * slopes[0] * v1 + (slopes[1] + slopes[0] * slopes[0]) * v0)
    mean = z1 / z0
    rest = (lambda: np.log(z0 / 2), lambda: mean, lambda: z2 / z0 - mean * mean)[order]()
    return np.asarray(reference + rest)


def _odd_modes(at: _Couplings, n: int, m: int, order: int) -> tuple[FloatArray, Jet]:
    """Logarithm of the cosh product over odd k < 2n, and of the ratio of sinh to cosh.

    Of the first only the derivative of the order. Modes 0 < k < n stand for two.
    """
    mode, decay = _paired_modes(at, np.arange(1, n, 2) / n, order)
    plus, minus = _log1p_jets(decay, m, order)
    reference = 2 * _sum(mode * m + plus[order])
    ratio = _scale(_sums(_add(minus, plus, -1)), 2)
    if n % 2:
        last, decay = _last_mode(at)
        plus, minus = _log1p_jets(decay, m, order)
        reference = reference + (last[order] * m + plus[order])
        ratio = _add(ratio, _add(minus, plus, -1))
    return reference, ratio


def _even_modes(at: _Couplings, n: int, m: int, order: int) -> Jet:
    """Logarithm of the ratio of sinh to cosh over even k > 0."""
    _, decay = _paired_modes(at, np.arange(2, n, 2) / n, order, decay_alone=True)
    plus, minus = _log1p_jets(decay, m, order)
    ratio = _scale(_sums(_add(minus, plus, -1)), 2)
    if n % 2 == 0:
        _, decay = _last_mode(at)
        plus, minus = _log1p_jets(decay, m, order)
        ratio = _add(ratio, _add(minus, plus, -1))
    return ratio


def _sums(jet: Jet) -> Jet:
    return tuple(map(_sum, jet))


def _sum(modes: FloatArray) -> FloatArray:
    """Sum over modes, in pairs: numpy does that along contiguous numbers alone."""
    return np.asarray(np.ascontiguousarray(modes.T).sum(axis=1))


def _paired_modes(
    at: _Couplings, fraction: FloatArray, order: int, *, decay_alone: bool = False
) -> tuple[Any, Jet]:
    """λ = ½ ln μ₊ and γ of the modes φ = π · fraction.

    Of λ the derivative of an order, of γ those up to it.

    ``λ' = c h/(BC)`` with ``h = 2s (1 − 1/μ₊) − cos φ``, and ``γ' = 2λ' − 2c/s``.
    """
    s, c, gap = at.s, at.c, at.gap
    fraction = fraction[:, None]
    cosine, w = np.sin(np.pi * (0.5 - fraction)), np.sin(np.pi / 2 * fraction) ** 2
    shift = 2 * s * w
    b2, c2 = gap * gap + shift, c * c + shift
    b, root = np.sqrt(b2), np.sqrt(c2)
    both = root + b
    decay = [np.log1p(b * both / s)]
    if order == 0:
        return None if decay_alone else np.log(both), tuple(decay)
    bc = b * root
    decay.append(2 * c * (s - 1 / s) / bc)
    if order > 1:
        # sinh γ γ'' + cosh γ γ'² = d²(s + 1/s)/dK²,  sinh γ = BC/s
        bend = 4 * s * s - 4 + 8 * (c / s) ** 2
        decay.append((bend - (s * s + 1 - s * cosine) * decay[1] * decay[1]) / bc)
    if decay_alone:
        return None, tuple(decay)
    mu = both * both
    decline = 1 - 1 / mu
    if order == 1 and at.disordered:
        # 1 − (BC)² = s [2 cos φ (1 + s²) − s (1 + cos² φ) − s³]
        deficit = s * (2 * cosine * (1 + s * s) - s * (1 + cosine * cosine) - s * s * s)
        return c * (2 * s * decline / bc - cosine * deficit / (bc * (1 + bc))), tuple(decay)
    h = 2 * s * decline - cosine
    d1 = c * h / bc
    if order == 1:
        return d1, tuple(decay)
    d_h = 4 * c * decline + 4 * s * d1 / mu
    d_log_bc = 2 * c * ((w - gap) / b2 + (s + w) / c2)
    return (2 * s * h + c * d_h) / bc - d1 * d_log_bc, tuple(decay)


def _last_mode(at: _Couplings) -> tuple[Jet, Jet]:
    """λ and γ of the mode φ = π: ``√μ₊ = e^(2K) + 1``, ``γ = 2K − ln tanh K``."""
    K, s, c = at.K, at.s, at.c
    t = np.tanh(K)
    slope = t - 2 * np.sinh(K) ** 2 if at.disordered else 1 + t
    return (np.log1p(np.exp(2 * K)), slope, 1 - t * t), (2 * K - np.log(t), 2 - 2 / s, 4 * c / (s * s))


def _zero_mode_factors(at: _Couplings, m: int) -> tuple[Jet, Jet]:
    """``1 + exp(−m|γ_0|)`` and ``sgn(γ_0) (1 − exp(−m|γ_0|))``.

    The logarithm of the second diverges at K_c.
    """
    s, c, gap = at.s, at.c, at.gap
    sign = np.where(gap > 0, -1.0, 1.0)
    gamma, gamma1, gamma2 = (
        np.log1p(abs(gap) * (c + abs(gap)) / s),
        sign * (2 + 2 / s),
        -sign * 4 * c / (s * s),
    )
    r = np.exp(-m * gamma)
    r1, r2 = -m * gamma1 * r, ((m * gamma1) ** 2 - m * gamma2) * r
    return (1 + r, r1, r2), (-sign * np.expm1(-m * gamma), -sign * r1, -sign * r2)


def _log_jet(a: Jet) -> Jet:
    slope = a[1] / a[0]
    return np.log(a[0]), slope, a[2] / a[0] - slope * slope


def _log1p_jets(decay: Jet, m: int, order: int) -> tuple[Jet, Jet]:
    """``ln(1 + exp(−mγ))`` and ``ln(1 − exp(−mγ))``, and their derivatives up to an order."""
    exponent = -m * decay[0]
    q, gap = np.exp(exponent), -np.expm1(exponent)
    plus, minus = [np.log1p(q)], [np.where(q < 0.5, np.log1p(-q), np.log(gap))]
    if order > 0:
        slope = m * decay[1]
        step = slope * q
        plus, minus = [*plus, -step / (1 + q)], [*minus, step / gap]
        if order > 1:
            bend = (slope * slope - m * decay[2]) * q
            plus.append(bend / (1 + q) - plus[1] * plus[1])
            minus.append(-bend / gap - minus[1] * minus[1])
    return tuple(plus), tuple(minus)


CRITICAL_COUPLING = 0.44068679350977151262
_CRITICAL_TAIL = -1.125272946412933e-17


def one_minus_sinh(K: Any) -> Any:
    """``1 − sinh 2K = 2 cosh(K + K_c) sinh(K_c − K)``, to full relative precision."""
    difference = (CRITICAL_COUPLING - K) + _CRITICAL_TAIL
    return 2 * np.cosh(K + CRITICAL_COUPLING) * np.sinh(difference)


def exact_jet(ctx: Any, K: Any, n: int, m: int) -> Jet:
    """Return ln Z and its first two derivatives in K, for a number of a private context of either sign."""
    up, down = ctx.exp(2 * K), ctx.exp(-2 * K)
    e_up, e_down = (up, 2 * up, 4 * up), (down, -2 * down, 4 * down)
    one = (ctx.one, ctx.zero, ctx.zero)
    s = _scale(_add(e_up, e_down, -1), ctx.mpf(1) / 2)
    c = _scale(_add(e_up, e_down), ctx.mpf(1) / 2)
    c2, gap2 = _power(c, 2), _power(_add(one, s, -1), 2)
    central = _scale(_power(_scale(s, 2), m), 2)
    total = (ctx.zero, ctx.zero, ctx.zero)
    for first in (1, 0):
        products = [one, one]
        for k in range(first or 2, n, 2):
            shift = _scale(s, 2 * ctx.sin(ctx.pi * k / (2 * n)) ** 2)
            root, b = _sqrt(ctx, _add(c2, shift)), _sqrt(ctx, _add(gap2, shift))
            both = _add(_power(_add(root, b), 2 * m), _power(_add(root, b, -1), 2 * m))
            products = [
                _multiply(product, _add(both, central, sign))
                for product, sign in zip(products, (1, -1), strict=True)
            ]
        for k in (0, n):
            if k % 2 == first:
                larger, smaller = (_add(e_up, one, 1 if k else -1), _add(one, e_down, -1 if k else 1))
                powers = _power(larger, m), _power(smaller, m)
                products = [
                    _multiply(product, _add(*powers, sign))
                    for product, sign in zip(products, (1, -1), strict=True)
                ]
        total = _add(_add(total, products[0]), products[1])
    z0, z1, z2 = total
    mean = z1 / z0
    return ctx.log(z0 / 2), mean, z2 / z0 - mean * mean


def _add(a: Jet, b: Jet, sign: int = 1) -> Jet:
    return tuple(x + sign * y for x, y in zip(a, b, strict=False))


def _scale(a: Jet, factor: Any) -> Jet:
    return tuple(x * factor for x in a)


def _multiply(a: Jet, b: Jet) -> Jet:
    return a[0] * b[0], a[1] * b[0] + a[0] * b[1], a[2] * b[0] + 2 * a[1] * b[1] + a[0] * b[2]


def _power(a: Jet, n: int) -> Jet:
    low = a[0] ** (n - 2)
    middle = low * a[0]
    return middle * a[0], n * middle * a[1], n * ((n - 1) * low * a[1] * a[1] + middle * a[2])


def _sqrt(ctx: Any, a: Jet) -> Jet:
    root = ctx.sqrt(a[0])
    slope = a[1] / (2 * root)
    return root, slope, (a[2] - 2 * slope * slope) / (2 * root)
