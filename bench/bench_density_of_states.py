"""The density of states of a torus against a recurrence for each mode and a plain transform of each prime."""

import numpy as np
from processor_time import least_seconds

from rbmflow.ising.density_of_states import (
    _power,
    _powers,
    _prime_below,
    _root_of_unity,
    torus_density_of_states,
)

SIDE, TARGET = 32, 9


def plain_values(n, x, p):
    """x^(2N) Z modulo p at the roots of unity x, by Kaufman's products; V_j by steps of one."""
    square = x * x % p
    scale = x * (1 - square) % p
    central, product, total = 2 * _power(scale, n, p) % p, scale * scale % p, np.zeros_like(x)
    stride = len(x) // (2 * n)
    for first in (1, 0):
        plus, minus = np.ones_like(x), np.ones_like(x)
        for k in range(first or 2, n, 2):
            a = ((1 + square) ** 2 - scale * (int(x[k * stride] + x[-k * stride]) % p)) % p
            before, pair = np.full_like(x, 2), a
            for _ in range(n - 1):
                before, pair = pair, (a * pair - product * before) % p
            plus, minus = plus * ((pair + central) % p) % p, minus * ((pair - central) % p) % p
        for k in (0, n):
            if k % 2 == first:
                sign = 1 if k else -1
                larger, smaller = _power((1 + sign * x) % p, n, p), _power((x - sign * square) % p, n, p)
                plus, minus = plus * ((larger + smaller) % p) % p, minus * ((larger - smaller) % p) % p
        total += plus + minus
    return total % p * pow(2, -1, p) % p


def plain(n):
    """Counts by unsatisfied bonds, the transform by its definition."""
    order, modulus, counts, p = 2 * n * (n + 1), 1, [0] * (2 * n * n + 1), 2**31
    while modulus <= 2 ** (n * n):
        p = _prime_below(p, order)
        powers = _powers(_root_of_unity(order, p), order, p)
        values, exponents = plain_values(n, powers, p), np.arange(order)
        sums = [int((values * powers[-u * exponents % order] % p).sum() % p) for u in range(len(counts))]
        scale, inverse = pow(order, -1, p), pow(modulus, -1, p)
        counts = [c + modulus * ((s * scale - c) * inverse % p) for c, s in zip(counts, sums, strict=True)]
        modulus *= p
    return counts


def own(n):
    torus_density_of_states.cache_clear()
    return torus_density_of_states(n, n)


def test_density_of_states(benchmark):
    assert benchmark(lambda: own(SIDE)).count == tuple(count for count in plain(SIDE) if count)
    mine, peer = least_seconds(lambda: own(SIDE), lambda: plain(SIDE), rounds=2)
    print(f"\ndensity of states {SIDE} x {SIDE}: {mine:.2f} s, {peer / mine:.0f}x plain (target {TARGET}x)")
