"""The law of the ring from exact integers, and the proof that W(K) increases on a box of couplings."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import log2, log10
from typing import Any

from rbmflow.ising.ring_counts import wall_pair_count
from rbmflow.weight.ball_forms import Box, RingBalls
from rbmflow.weight.balls import ball
from rbmflow.weight.solve import trained_weight

BITS_PER_DIGIT = log2(10)


@lru_cache(maxsize=8)
def wall_counts(n_visible: int) -> tuple[tuple[int, ...], ...]:
    """Return the ring states with k = 1, …, M // 2 spins down by pairs of walls j = 1, …, k, exactly."""
    return tuple(
        tuple(wall_pair_count(n_visible, k, j) for j in range(1, k + 1)) for k in range(1, n_visible // 2 + 1)
    )


def start_of_search(K: Fraction, n_visible: int, n_hidden: int) -> tuple[int, float, float]:
    """Return W to about 12 digits as ``mantissa · 2^exponent``, and those digits."""
    exponent = K.numerator.bit_length() - K.denominator.bit_length()
    if abs(exponent) < 100:
        return 0, float(trained_weight(float(K), n_visible, n_hidden)), 12.0
    if exponent > 0:  # W = 2K/N but for a constant
        return exponent, float(2 * K / n_hidden / Fraction(2) ** exponent), exponent * log10(2) - 3
    half = exponent // 2
    return (
        half,
        float(2 * K / (n_hidden * (n_visible - 1)) / Fraction(4) ** half) ** 0.5,
        min(12.0, -exponent * log10(2)),
    )


def _ring_balls(flint: Any, K: Any, n_visible: int, n_hidden: int) -> RingBalls:
    """Return the equation with the law of the ring from its exact integers; K a ball."""
    return RingBalls(flint, n_visible, n_hidden, law_of_counts(flint, K, n_visible))


def law_of_counts(flint: Any, K: Any, n_visible: int) -> list[Any]:
    """Return the weights of the states with k = 0, … spins down relative to one aligned, K a ball."""
    x = (-4 * K).exp()
    return [flint.arb(1), *(flint.arb_poly([0, *counts])(x) for counts in wall_counts(n_visible))]


def increases_on(flint: Any, a: Fraction, b: Fraction, n_visible: int, n_hidden: int) -> bool:
    """Whether the box of couplings [a, b] has a tube of weights in which the root increases."""
    exponents = [start_of_search(end, n_visible, n_hidden) for end in (a, b)]
    first, second = (flint.arb(mantissa) * flint.arb(2) ** exponent for exponent, mantissa, _ in exponents)
    margin = (second - first) / 2 + first * flint.arb("1e-9")
    left, right = (first - margin).lower(), (second + margin).upper()
    if not left > 0:
        return False
    low, high = ball(flint, a), ball(flint, b)
    K, tube = low.union(high), Box(left, right)
    balls = _ring_balls(flint, K, n_visible, n_hidden)
    # g rises with K in the tube, so that the walls' signs at the ends of the box hold for all of it
    return (
        balls.rises_with_coupling(tube, wall_counts(n_visible), (-4 * K).exp())
        and balls.falls_on(tube)
        and _ring_balls(flint, low, n_visible, n_hidden).positive_on(Box(left, left))
        and _ring_balls(flint, high, n_visible, n_hidden).negative_on(Box(right, right))
    )
