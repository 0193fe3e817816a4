"""What stands under Houtappel's integrals: ``ln[D − a cos ω − b cos ω′ − c cos(ω + ω′)]``.

With ``P = D − a cos ω`` and ``R² = b² + c² + 2bc cos ω`` the integral over ω′ is ``ln[(P + √Q)/2]``,
``Q = P² − R²``. Q nearly vanishes at the critical point, where ``y = 1 − cos ω = 0``, and at low temperature
of frustrated lattices inside of 0 < ω < π. It is computed as a sum of positive terms,

    ``Q = q + β y + a² y²``   or   ``Q = a² (cos ω − x)² + q``,  ``x = (Da + bc)/a²``,

where q, at y = 0, has a factor ``D − a − b − c`` with a double zero at the critical point. Of the triangular
lattice, with ``e_i`` the elementary symmetric polynomials of sinh 2K_i and C the product of cosh 2K_i,
``C² = (1 − e₂)² + (e₁ − e₃)²`` gives for it

    ``D − e₁ = C + e₃ − e₁ = (1 − e₂)²/(C + e₁ − e₃)``,

and of the honeycomb lattice ``C + 1 − e₂ = (e₁ − e₃)²/(C + e₂ − 1)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from rbmflow.ising.plane.exponentials import Exponentials, product

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Corner:
    """``D − a − b − c`` in both forms: directly, and as ``root²/rest`` where `falling` is positive."""

    direct: Exponentials
    root: Exponentials
    rest: Exponentials
    falling: Exponentials


@dataclass(frozen=True)
class Kernel:
    """The coefficients, over a common scale, as functions of |K|.

    Attributes
    ----------
    share : Fraction
        ln Z per site has so much of the mean of ``ln(P + √Q)``, and ½ ln 2.
    growth : Fraction
        What the scale adds to it, in |K|: minus the energy of the ground state per site.
    D, a, product : Exponentials
        `product` is bc, of the sign that makes Da + bc positive where it is large.
    corner, opposite : Corner
        ``D − a − b − c`` and ``D − a + b + c``.
    depth : Exponentials
        a² times the least Q, where that is inside.
    """

    share: Fraction
    growth: Fraction
    D: Exponentials
    a: Exponentials
    product: Exponentials
    corner: Corner
    opposite: Corner
    depth: Exponentials


@lru_cache(maxsize=64)
def triangular_kernels(couplings: tuple[float, ...], sign: int) -> tuple[Kernel, Kernel]:
    """Return those of a triangular lattice, with ω as it is and counted from π.

    Examples
    --------
    >>> triangular_kernels((1.0, 1.0, -1.0), 1)[0].growth
    Fraction(1, 1)
    """
    j = sorted((Fraction(abs(J)) for J in couplings), reverse=True)
    n_negative = sum(sign * J < 0 for J in couplings)
    frustrated = n_negative % 2 == 1 and all(j)
    x = [Exponentials({2 * one: 1}) for one in j]
    # over the scale e^(2(k₁ + k₂ + k₃)) or, where one bond of a triangle is broken, e^(2(k₁ + k₂ − k₃))
    inverse = Exponentials({2 * (j[0] + j[1] + (-j[2] if frustrated else j[2])): 1})
    root_scale = product(x[: 2 if frustrated else 3])
    S, C = _hyperbolic(j)
    handed = -1 if frustrated else 1
    D = (product(C) + handed * product(S)) * inverse

    def corner(signs: tuple[int, int, int]) -> Corner:
        s = [one * part for one, part in zip(signs, S, strict=True)]
        e1, e2, e3 = sum(s[1:], s[0]), s[0] * s[1] + s[1] * s[2] + s[2] * s[0], product(s)
        return Corner(
            (product(C) + e3 - e1) * inverse,
            (1 - e2) * root_scale,
            (product(C) + e1 - e3) * product(x),
            (e1 - e3) * product(x),
        )

    squares = [one * one for one in S]
    pairs = squares[0] * squares[1] + squares[1] * squares[2] + squares[2] * squares[0]
    depth = (2 * product(S) * (product(C) - product(S)) - pairs) * product([inverse] * 4)
    growth = j[0] + j[1] + (-j[2] if frustrated else j[2])

    def kernel(turn: int) -> Kernel:
        a, b, c = turn * handed, 1, turn  # signs, of the smallest coupling first
        return Kernel(
            HALF,
            growth,
            D,
            a * S[2] * inverse,
            b * c * S[0] * S[1] * product([inverse] * 2),
            corner((b, c, a)),
            corner((-b, -c, a)),
            depth,
        )

    return kernel(1), kernel(-1)


@lru_cache(maxsize=64)
def honeycomb_kernels(couplings: tuple[float, ...]) -> tuple[Kernel, Kernel]:
    """Return that of a honeycomb lattice, for which signs do not matter, twice.

    Examples
    --------
    >>> honeycomb_kernels((1.0, 1.0, -1.0))[0].growth
    Fraction(3, 2)
    """
    j = sorted((Fraction(abs(J)) for J in couplings), reverse=True)
    x = [Exponentials({2 * one: 1}) for one in j]
    inverse = product(x)
    S, C = _hyperbolic(j)
    a, b, c = S[1] * S[2], S[2] * S[0], S[0] * S[1]  # the smallest first
    e1, e2, e3 = S[0] + S[1] + S[2], a + b + c, product(S)
    D = product(C) + 1
    corner = Corner(
        (D - e2) * inverse, (e1 - e3) * inverse, (product(C) + e2 - 1) * inverse, (e2 - 1) * inverse
    )
    opposite = (D - a + b + c) * inverse
    away = Corner(opposite, opposite, opposite, -opposite)
    nothing = Exponentials({})
    kernel = Kernel(
        HALF / 2, sum(j) * HALF, D * inverse, a * inverse, b * c * inverse * inverse, corner, away, nothing
    )
    return kernel, kernel


def _hyperbolic(j: list[Fraction]) -> tuple[list[Exponentials], list[Exponentials]]:
    """``sinh 2jK`` and ``cosh 2jK``."""
    S = [Exponentials({-2 * one: HALF}) + Exponentials({2 * one: -HALF}) for one in j]
    C = [Exponentials({-2 * one: HALF}) + Exponentials({2 * one: HALF}) for one in j]
    return S, C
