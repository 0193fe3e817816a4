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
from rbmflow.ising.joint_density_of_states import torus_joint_density_of_states

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


def plain_joint(n_rows, width):
    """Counts by (up spins, unsatisfied bonds), modulo 2^64, for each state and first row."""
    n_sites, states = n_rows * width, np.arange(2**width)
    total = np.zeros((n_sites + 1, 2 * n_sites + 1), dtype=np.uint64)
    for first in range(2**width):
        bits = [first >> i & 1 for i in range(width)]
        counts = np.zeros((2**width, *total.shape), dtype=np.uint64)
        counts[first, sum(bits), sum(bits[i] ^ bits[i - 1] for i in range(width))] = 1
        for site in range(width, n_sites):
            column = site % width
            spin = states >> column & 1
            across = (spin ^ states >> column - 1 & 1 if column else 0) + (
                spin ^ states & 1 if column == width - 1 else 0
            )
            after = np.zeros_like(counts)
            for state in states:
                for source, broken in ((state, 0), (state ^ 1 << column, 1)):
                    up, shift = spin[state], broken + np.broadcast_to(across, spin.shape)[state]
                    rows = counts[source, : total.shape[0] - up, : total.shape[1] - shift]
                    after[state, up:, shift:] += rows
            counts = after
        for state in states:
            shift = int(state ^ first).bit_count()
            total[:, shift:] += counts[state, :, : total.shape[1] - shift]
    return total


def own_joint(n_rows, width):
    torus_joint_density_of_states.cache_clear()
    return torus_joint_density_of_states(n_rows, width)


def test_joint_density_of_states(benchmark):
    n_rows, width, target = 8, 6, 40
    n_sites = n_rows * width
    found = benchmark(lambda: own_joint(n_rows, width))
    wanted = plain_joint(n_rows, width)
    assert len(found) == np.count_nonzero(wanted)
    for energy, magnetization, count in found.rows():
        assert count == wanted[(magnetization + n_sites) // 2, (energy + 2 * n_sites) // 2]
    mine, peer = least_seconds(lambda: own_joint(n_rows, width), lambda: plain_joint(n_rows, width), rounds=1)
    print(f"\njoint density {n_rows} x {width}: {mine:.2f} s, {peer / mine:.0f}x plain (target {target}x)")
