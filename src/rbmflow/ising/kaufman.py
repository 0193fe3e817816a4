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

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Jet = tuple[Any, Any, Any]
"""A function of K, its first and its second derivative."""


def machine_jet(K: float, n: int, m: int) -> Jet:
    """Return ln Z and its first two derivatives in K, in float64, for 0 < K ≤ 100.

    The first product, cosh over odd k, is ``Π μ₊^(m/2) (1 + exp(−mγ))``; its logarithm is a large sum.
    Those of the other three are kept as ratios, which do not suffer from its rounding: sinh to cosh over the
    same modes, and the even cosh product to the first as the sinh product over odd modes of the transposed
    torus, to which it is equal.
    """
    reference, odd = _odd_modes(K, n, m)
    across = odd if n == m else _odd_modes(K, m, n)[1]
    even, (plus, minus) = _even_modes(K, n, m)
    one, nothing = (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    # the factor 1 + exp(−m|γ_0|) is part of the third product already
    fourth = _add(_add(across, even), _log_jet(plus), -1)
    terms = [(nothing, one), (odd, one), (across, one), (fourth, minus)]
    z0 = z1 = z2 = 0.0
    for (l0, l1, l2), (v0, v1, v2) in terms:
        weight = np.exp(l0)
        z0 += weight * v0
        z1 += weight * (v1 + l1 * v0)
        z2 += weight * (v2 + 2 * l1 * v1 + (l2 + l1 * l1) * v0)
    mean = z1 / z0
    log_z = reference[0] + np.log(z0 / 2)
    return float(log_z), float(reference[1] + mean), float(reference[2] + z2 / z0 - mean * mean)


def _odd_modes(K: float, n: int, m: int) -> tuple[Jet, Jet]:
    """Logarithm of the cosh product over odd k < 2n, and of the ratio of sinh to cosh.

    Modes 0 < k < n stand for two.
    """
    mode, decay = _paired_modes(K, np.arange(1, n, 2) / n)
    plus, minus = _log1p_jet(1, decay, m), _log1p_jet(-1, decay, m)
    reference, ratio = _twice_sum(_add(_scale(mode, m), plus)), _twice_sum(_add(minus, plus, -1))
    if n % 2:
        mode, decay = _last_mode(K)
        plus, minus = _log1p_jet(1, decay, m), _log1p_jet(-1, decay, m)
        reference = _add(reference, _add(_scale(mode, m), plus))
        ratio = _add(ratio, _add(minus, plus, -1))
    return reference, ratio


def _even_modes(K: float, n: int, m: int) -> tuple[Jet, tuple[Jet, Jet]]:
    """Logarithm of the ratio of sinh to cosh over even k > 0; the factors of k = 0 of both products."""
    _, decay = _paired_modes(K, np.arange(2, n, 2) / n)
    ratio = _twice_sum(_add(_log1p_jet(-1, decay, m), _log1p_jet(1, decay, m), -1))
    if n % 2 == 0:
        _, decay = _last_mode(K)
        ratio = _add(ratio, _add(_log1p_jet(-1, decay, m), _log1p_jet(1, decay, m), -1))
    return ratio, _zero_mode_factors(K, m)


def _twice_sum(jet: Jet) -> Jet:
    return 2 * float(jet[0].sum()), 2 * float(jet[1].sum()), 2 * float(jet[2].sum())


def _paired_modes(K: float, fraction: FloatArray) -> tuple[Jet, Jet]:
    """λ = ½ ln μ₊ and γ of the modes φ = π · fraction, with derivatives.

    ``λ' = c h/(BC)`` with ``h = 2s (1 − 1/μ₊) − cos φ``, and ``γ' = 2λ' − 2c/s``.
    """
    s, c = np.sinh(2 * K), np.cosh(2 * K)
    cosine, w = np.sin(np.pi * (0.5 - fraction)), np.sin(np.pi / 2 * fraction) ** 2
    gap = one_minus_sinh(K)
    b2, c2 = gap * gap + 2 * s * w, c * c + 2 * s * w
    b, root = np.sqrt(b2), np.sqrt(c2)
    bc, mu = b * root, (root + b) ** 2
    decline = 1 - 1 / mu
    h = 2 * s * decline - cosine
    d1 = c * h / bc
    d_h = 4 * c * decline + 4 * s * d1 / mu
    d_log_bc = 2 * c * ((w - gap) / b2 + (s + w) / c2)
    d2 = (2 * s * h + c * d_h) / bc - d1 * d_log_bc
    gamma1 = 2 * c * (s - 1 / s) / bc
    # sinh γ γ'' + cosh γ γ'² = d²(s + 1/s)/dK²,  sinh γ = BC/s
    gamma2 = (4 * s * s - 4 + 8 * (c / s) ** 2 - (s * s + 1 - s * cosine) * gamma1 * gamma1) / bc
    if s < 1:
        # 1 − (BC)² = s [2 cos φ (1 + s²) − s (1 + cos² φ) − s³]
        deficit = s * (2 * cosine * (1 + s * s) - s * (1 + cosine * cosine) - s**3)
        d1 = c * (2 * s * decline / bc - cosine * deficit / (bc * (1 + bc)))
    return (np.log(root + b), d1, d2), (np.log1p(b * (root + b) / s), gamma1, gamma2)


def _last_mode(K: float) -> tuple[Jet, Jet]:
    """λ and γ of the mode φ = π: ``√μ₊ = e^(2K) + 1``, ``γ = 2K − ln tanh K``."""
    s, c, t = np.sinh(2 * K), np.cosh(2 * K), np.tanh(K)
    slope = t - 2 * np.sinh(K) ** 2 if s < 1 else 1 + t
    return (np.log1p(np.exp(2 * K)), slope, 1 - t * t), (2 * K - np.log(t), 2 - 2 / s, 4 * c / (s * s))


def _zero_mode_factors(K: float, m: int) -> tuple[Jet, Jet]:
    """``1 + exp(−m|γ_0|)`` and ``sgn(γ_0) (1 − exp(−m|γ_0|))``.

    The logarithm of the second diverges at K_c.
    """
    s, c, gap = np.sinh(2 * K), np.cosh(2 * K), one_minus_sinh(K)
    sign = -1.0 if gap > 0 else 1.0
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


def _log1p_jet(sign: int, decay: Jet, m: int) -> Jet:
    """``ln(1 ± exp(−mγ))`` and its derivatives."""
    gamma, gamma1, gamma2 = decay
    q = np.exp(-m * gamma)
    total = 1 + q if sign > 0 else -np.expm1(-m * gamma)
    ratio = -sign * m * gamma1 * q / total
    value = np.log1p(sign * q) if sign > 0 else np.where(q < 0.5, np.log1p(-q), np.log(total))
    return value, ratio, sign * ((m * gamma1) ** 2 - m * gamma2) * q / total - ratio * ratio


CRITICAL_COUPLING = 0.44068679350977151262
_CRITICAL_TAIL = -1.125272946412933e-17


def one_minus_sinh(K: float) -> float:
    """``1 − sinh 2K = 2 cosh(K + K_c) sinh(K_c − K)``, to full relative precision."""
    difference = (CRITICAL_COUPLING - K) + _CRITICAL_TAIL
    return float(2 * np.cosh(K + CRITICAL_COUPLING) * np.sinh(difference))


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
    return a[0] + sign * b[0], a[1] + sign * b[1], a[2] + sign * b[2]


def _scale(a: Jet, factor: Any) -> Jet:
    return a[0] * factor, a[1] * factor, a[2] * factor


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
