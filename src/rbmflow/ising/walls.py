"""Statistical weights of a ring or chain by its number of up spins, in exact arithmetic.

A ring state with n of M spins up and 2k domain walls has weight x^k relative to an aligned state,
``x = exp(−4K)``, and there are ``(M/k) C(n−1, k−1) C(M−n−1, k−1)`` of them. Their sum is ``M x F(n)`` with
``F(n) = ₂F₁(1−n, 1−(M−n); 2; x)``, symmetric under n ↔ M − n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_FIXED_POINT_SITES = 1000
"""On longer rings the sums outgrow the digits that are kept of them."""


def wall_sums(n_sites: int, x: Any, *, slopes_too: bool = True) -> tuple[list[Any], list[Any]]:
    """Return ``F(n)`` and ``dF/dx`` for n = 1 … n_sites // 2.

    F obeys a three-term relation in n whose coefficients sum to zero at x = 0, so the differences
    ``D(n) = F(n+1) − F(n)`` obey one of first order in which every term is positive::

        C D(n) = A D(n−1) + x B F(n)
        A = (n−1)(M−n+1)(M−2n−1),  B = (M−2n)((M−2n)² − 1),  C = (n+1)(M−n−1)(M−2n+1)

    Nothing cancels, whatever the sign of K. `x` may be a Fraction, a ball or a number of an mpmath context.
    Without `slopes_too` the derivatives may be missing.
    """
    if n_sites <= MAX_FIXED_POINT_SITES and hasattr(x, "context") and 0 <= x <= 1:
        return _fixed_point_sums(n_sites, x, slopes_too=slopes_too)
    value, slope = 1 + 0 * x, 0 * x
    values, slopes = [value], [slope]
    step, step_slope = 0 * x, 0 * x
    for a, b, c in _coefficients(n_sites):
        if slopes_too:
            step_slope = (a * step_slope + b * (value + x * slope)) / c
            slope = slope + step_slope
            slopes.append(slope)
        step = (a * step + b * x * value) / c
        value = value + step
        values.append(value)
    return values, slopes


def _coefficients(n_sites: int) -> Iterator[tuple[int, int, int]]:
    """A, B and C of the relation, for n from 1 on."""
    for n in range(1, n_sites // 2):
        yield (
            (n - 1) * (n_sites - n + 1) * (n_sites - 2 * n - 1),
            (n_sites - 2 * n) * ((n_sites - 2 * n) ** 2 - 1),
            (n + 1) * (n_sites - n - 1) * (n_sites - 2 * n + 1),
        )


def _fixed_point_sums(n_sites: int, x: Any, *, slopes_too: bool = True) -> tuple[list[Any], list[Any]]:
    """Return the sums as integers times 2^(−bits) give them: exact but for the bits below the last.

    F ≥ 1 and dF/dx is 0 or at least of order 1, so that digits after the point are digits of the number; each
    of the steps adds some units to the last bit.
    """
    ctx = x.context
    bits = ctx.prec + 2 * n_sites.bit_length() + 10
    whole = int(ctx.ldexp(x, bits))
    value, slope, step, step_slope = 1 << bits, 0, 0, 0
    values, slopes = [value], [slope]
    for a, b, c in _coefficients(n_sites):
        if slopes_too:
            step_slope = (a * step_slope + b * (value + (whole * slope >> bits))) // c
            slope += step_slope
            slopes.append(slope)
        step = (a * step + b * (whole * value >> bits)) // c
        value += step
        values.append(value)
    return [ctx.mpf((value, -bits)) for value in values], [ctx.mpf((slope, -bits)) for slope in slopes]


def ring_weights(n_sites: int, x: Any) -> list[Any]:
    """Return the weight of all ring states with n = 0 … n_sites spins up, an aligned one having 1."""
    if n_sites == 1:
        return [1 + 0 * x, 1 + 0 * x]
    values, _ = wall_sums(n_sites, x, slopes_too=False)
    scale = n_sites * x
    interior = [scale * value for value in values]
    return [1 + 0 * x, *interior, *_mirror(interior, n_sites), 1 + 0 * x]


def chain_weights(n_sites: int, y: Any) -> list[Any]:
    """Return the weight of all states of a free chain with n = 0 … n_sites spins up.

    A wall has the weight ``y = exp(−2K)``.

    Chains whose ends agree are rings of one site fewer with one of their sites counted twice; chains whose
    ends differ are rings opened at a wall, which translation invariance counts as ``(1/M) dR/dy``.
    """
    x = y * y
    shorter = ring_weights(n_sites - 1, x)
    values, slopes = wall_sums(n_sites, x)
    opened = [2 * y * (value + x * slope) for value, slope in zip(values, slopes, strict=True)]
    differ = [0 * x, *opened, *_mirror(opened, n_sites), 0 * x]
    weights = []
    for n in range(n_sites + 1):
        up = (n - 1) * shorter[n - 1] if n else 0
        down = (n_sites - 1 - n) * shorter[n] if n < n_sites else 0
        weights.append((up + down) / (n_sites - 1) + differ[n])
    return weights


def _mirror(half: list[Any], n_sites: int) -> list[Any]:
    """Entries n_sites // 2 + 1 … n_sites − 1 from the entries 1 … n_sites // 2."""
    return half[::-1] if n_sites % 2 else half[-2::-1]
