"""Two decimals between which the trained weight is proven to lie, in ball arithmetic.

The logarithm F of the ratio ``⟨D⟩_p/⟨D⟩_q`` is evaluated in full at one weight x near the root, and its slope
in half as many digits on a box around x that holds both decimals: by the mean value theorem the sign of
``F(x) + F′(box) (end − x)`` is that of F at the end.
"""

from __future__ import annotations

from fractions import Fraction
from math import log10
from typing import Any

from rbmflow.errors import PrecisionError
from rbmflow.ising.walls import ring_weights
from rbmflow.weight.ball_forms import RingBalls
from rbmflow.weight.balls import ball
from rbmflow.weight.proof import BITS_PER_DIGIT, law_of_counts, start_of_search

FINE_DIGITS = 30
ATTEMPTS = (0, 20, 200)
"""Digits that are added where a proof does not succeed."""

Places = tuple[Any, int]
"""``mantissa · 10^(−places)``."""


def enclose(flint: Any, K: Fraction, n_visible: int, n_hidden: int, digits: int) -> tuple[Places, Places]:
    """Return decimals around the root, of so many digits, between which the sign of F is shown to change."""
    weak = max(0, K.denominator.bit_length() - K.numerator.bit_length()) / BITS_PER_DIGIT
    strong = log10(1 + 2 * n_visible * K)
    for more in ATTEMPTS:
        fine = int(max(digits, FINE_DIGITS + weak)) + more
        # of an order 1 the slope keeps a part K; the ends are as far as x is good; W M N of an exponent
        half = (fine + weak + strong) / 2 + 4
        flint.ctx.prec = full = int((fine + 6) * BITS_PER_DIGIT) + spare_bits(K) + 40
        searched = RingBalls(flint, n_visible, n_hidden, _recurrence(flint, K, n_visible))
        x = _search(searched, K, half)
        flint.ctx.prec = full
        proven = RingBalls(flint, n_visible, n_hidden, law_of_counts(flint, ball(flint, K), n_visible))
        at_x = proven.deficits_and_model(x)
        flint.ctx.prec = int((half + 10) * BITS_PER_DIGIT) + spare_bits(K)
        width = x * flint.arb(10) ** -int(half - 1)
        box = (x - width).union(x + width)
        slope = proven.strong_slope(box)
        flint.ctx.prec = full
        if slope < 0:
            root = x - (searched.log_ratio(*at_x) / slope.mid()).mid()
            inner = decimal_neighbours(flint, root, fine)
            flint.ctx.prec = full
            signs = _signs(flint, proven.log_ratio(*at_x), slope, x, box, inner)
            if signs == (1, -1):
                return decimal_neighbours(flint, root, digits)  # these hold the finer ones between them
            if signs[0] < 0 or signs[1] > 0:
                break
    raise PrecisionError(
        f"the equation has no sign change around {x.str(20, radius=False)}: nothing is certified",
        best=float(x),
        digits=0,
    )


def _signs(flint: Any, value: Any, slope: Any, x: Any, box: Any, ends: tuple[Places, Places]) -> Any:
    """Return the signs of F at the ends as far as they are shown, else 0; F(x) and its slope are given."""
    signs = []
    for end in ends:
        at = _exactly(flint, end)
        there = value + slope * (at - x)
        signs.append(int(there > 0) - int(there < 0) if box.contains(at) else 0)
    return tuple(signs)


def spare_bits(K: Fraction) -> int:
    """Bits that cancel near K = 0.

    The laws differ by a relative K there, and D = O(W) is left of terms of order 1.
    """
    return max(0, int(1.6 * (K.denominator.bit_length() - K.numerator.bit_length()))) + 32


def _recurrence(flint: Any, K: Fraction, n_visible: int) -> list[Any]:
    """Return the weights of the ring by the recurrence: the proof has them from integers."""
    return ring_weights(n_visible, (-4 * ball(flint, K)).exp())[: n_visible // 2 + 1]


def _search(balls: RingBalls, K: Fraction, goal: float) -> Any:
    """Return the root to so many digits, by the secant method at growing precision; proves nothing."""
    flint, spare = balls.flint, spare_bits(K)
    exponent, mantissa, known = start_of_search(K, balls.M, balls.N)
    known, width = min(known, 12.0), 15.0
    unit = ball(flint, Fraction(mantissa)) * flint.arb(2) ** exponent

    def residual(x: Any) -> Any:
        return balls.log_ratio(*balls.deficits_and_model(unit * x)).mid()

    flint.ctx.prec = int((2 * known + width) * BITS_PER_DIGIT) + spare + 32
    x, second = flint.arb(1), 1 + flint.arb(10) ** -int(width)
    r = residual(x)
    slope, x_old, r_old = (residual(second) - r) / (second - x), x, r
    for _ in range(60):
        step = (-r / slope).mid()
        x_old, r_old, x = x, r, (x + step).mid()
        noise = (flint.ctx.prec - spare) / BITS_PER_DIGIT - 8
        error = min(-_log10(flint, abs(step)), noise) if step != 0 else noise
        known = min(error + width, noise)
        if known >= goal:
            return (unit * x).mid()
        # twice the digits: the next secant has to resolve the step from here
        flint.ctx.prec = int(min(goal + 9, 2 * known) * BITS_PER_DIGIT) + spare + 40
        r = residual(x)
        if (x - x_old) != 0 and (r - r_old) != 0:
            # the secant is as good as its points are close, and as the older residual resolves their distance
            slope, width = (r - r_old) / (x - x_old), max(min(error, noise - error), 0.0)
    raise PrecisionError(f"no root near {float(unit.mid()):.6g}", best=float(unit.mid()), digits=0)


def _log10(flint: Any, number: Any) -> float:
    return float((number.log() / flint.arb(10).log()).mid())


def decimal_neighbours(flint: Any, root: Any, digits: int) -> tuple[Places, Places]:
    """Return decimals one and two units of place digits + 2 around the root."""
    flint.ctx.prec = 128
    magnitude = (root.log() / flint.arb(10).log()).mid().floor().unique_fmpz()
    places = digits + 1 - int(magnitude)
    flint.ctx.prec = int((digits + 10) * BITS_PER_DIGIT) + 64
    mantissa = (root.mid() * flint.arb(10) ** places).mid().floor().unique_fmpz()
    return (mantissa - 1, places), (mantissa + 2, places)


def _exactly(flint: Any, decimal: Places) -> Any:
    mantissa, places = decimal
    if places >= 0:
        return flint.arb(flint.fmpq(mantissa, flint.fmpz(10) ** places))
    return flint.arb(mantissa * flint.fmpz(10) ** -places)


def decimal_text(mantissa: Any, places: int) -> str:
    """Write a decimal number; flint's integers have no limit on their length as text."""
    text = str(mantissa.str())
    exponent = len(text) - 1 - places
    if -7 < exponent < 0:
        return "0." + "0" * (-exponent - 1) + text
    if 0 <= exponent < len(text) - 1:
        return f"{text[: exponent + 1]}.{text[exponent + 1 :]}"
    return f"{text[0]}.{text[1:]}e{exponent}"
