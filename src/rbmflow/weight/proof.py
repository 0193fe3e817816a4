"""Proofs in ball arithmetic: a change of sign, no other root, an increase."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import log2, log10
from typing import Any

from rbmflow.errors import PrecisionError
from rbmflow.ising.ring_counts import wall_pair_count
from rbmflow.weight.ball_forms import Box, RingBalls
from rbmflow.weight.balls import ball
from rbmflow.weight.solve import trained_weight

BITS_PER_DIGIT = log2(10)
MAX_BOXES = 2000
SMALLEST_WIDTH, FINE_DIGITS = 1e-18, 30


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


Places = tuple[Any, int]
"""``mantissa · 10^(−places)``."""


def decimal_neighbours(flint: Any, root: Any, digits: int) -> tuple[Places, Places]:
    """Return decimals one and two units of place digits + 2 around the root."""
    flint.ctx.prec = int((digits + 10) * BITS_PER_DIGIT) + 64
    magnitude = (root.log() / flint.arb(10).log()).floor().unique_fmpz()
    if magnitude is None:  # a power of ten within the precision
        magnitude = (root.mid().log() / flint.arb(10).log()).mid().floor().unique_fmpz()
    places = digits + 1 - int(magnitude)
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


def _ring_balls(flint: Any, K: Any, n_visible: int, n_hidden: int) -> RingBalls:
    """Return the equation with the law of the ring from its exact integers; K a ball."""
    x = (-4 * K).exp()
    weights = [flint.arb(1)]
    for counts in wall_counts(n_visible):
        value = flint.arb(0)
        for count in reversed(counts):
            value = (value + count) * x
        weights.append(value)
    return RingBalls(flint, n_visible, n_hidden, weights)


def prove_sign_change(
    flint: Any,
    lower: Places,
    upper: Places,
    K: Fraction,
    n_visible: int,
    n_hidden: int,
    digits: int,
    spare: int,
) -> None:
    """Raise unless ``⟨D⟩_p − ⟨D⟩_q`` is positive at the lower and negative at the upper end.

    It is evaluated in balls of rising precision.
    """
    precision = int((digits + 6) * BITS_PER_DIGIT) + spare + 32
    for _ in range(5):
        flint.ctx.prec = precision
        balls = _ring_balls(flint, ball(flint, K), n_visible, n_hidden)
        first, second = (balls.deficit_difference(_exactly(flint, end)) for end in (lower, upper))
        if first > 0 and second < 0:
            return
        if first < 0 or second > 0:
            break
        precision = 2 * precision
    raise PrecisionError(
        f"the equation has no sign change around {decimal_text(*lower)[:20]}: nothing is certified",
        best=decimal_text(*lower),
        digits=0,
    )


def no_other_root(
    flint: Any, lower: Places, upper: Places, K: Fraction, n_visible: int, n_hidden: int
) -> tuple[str, str] | None:
    """Return ("0", "inf") if boxes of W show that the root between the ends is the only positive one."""
    balls = _ring_balls(flint, ball(flint, K), n_visible, n_hidden)
    low, high = _exactly(flint, lower), _exactly(flint, upper)
    width = flint.arb(1) / 32
    while True:
        left, right = (low * (1 - width)).lower(), (high * (1 + width)).upper()
        if balls.falls_on(Box(left, right)):
            break
        width = width / 8
        if width < SMALLEST_WIDTH:
            return None
    last = right
    for _ in range(MAX_BOXES):
        if balls.no_root_above(last):
            break
        last = (2 * last).mid()
    else:
        return None
    weak = _weak_up_to(balls, left, right)
    below = weak is not None or _holds_on(balls.positive_on, _away_from(low, left, flint.arb(0)))
    above = below and _holds_on(balls.negative_on, _away_from(high, weak or right, last))
    return ("0", "inf") if above else None


def _weak_up_to(balls: RingBalls, left: Any, right: Any) -> Any:
    """Return a weight far above both ends up to which all roots are shown to lie between them, or None."""
    W = (1 / (4 * balls.M * (balls.flint.arb(balls.N)).sqrt())).mid()
    while 16 * right < W:
        roots = balls.weak_roots(W)
        if left < roots < right:
            return W
        W = W / 4
    return None


def _away_from(root: Any, start: Any, end: Any) -> list[Box]:
    """Boxes from `start` to `end` whose distances from the root grow fourfold."""
    edges = [start]
    while edges[-1] != end:
        following = (root + 4 * (edges[-1] - root)).mid()
        edges.append(end if abs(following - root) >= abs(end - root) else following)
    return [Box(min(pair), max(pair)) for pair in pairwise(edges)]


def _holds_on(shown: Callable[[Box], bool], boxes: list[Box]) -> bool:
    """Whether a statement is shown on all boxes, by halving those on which it is not."""
    waiting, looked_at = list(boxes), 0
    while waiting:
        box = waiting.pop()
        looked_at += 1
        if looked_at > MAX_BOXES:
            return False
        if not shown(box):
            a, b = box.left, box.right
            middle = (a * b).sqrt().mid() if a > 0 and b > 4 * a else ((a + b) / 2).mid()
            waiting += [Box(a, middle), Box(middle, b)]
    return True


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
