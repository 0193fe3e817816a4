"""Twins of the sums over a torus: states one by one, and the kernel's own sums spin by spin."""

import itertools

import numpy as np


def bits(state, width):
    return [state >> i & 1 for i in range(width)]


def unsatisfied_pairs(spins):
    """Half of the unsatisfied bonds; along a side of two each pair of neighbours has two."""
    return ((spins != np.roll(spins, 1, 0)).sum() + (spins != np.roll(spins, 1, 1)).sum()) // 2


def counts(width, length, first):
    """Numbers of states whose first row is given, by spins up and unsatisfied pairs."""
    n_sites = width * length
    found = np.zeros((n_sites + 1, n_sites + 1), dtype=np.uint64)
    for rest in itertools.product((0, 1), repeat=n_sites - width):
        spins = np.array([*bits(first, width), *rest]).reshape(length, width)
        found[spins.sum(), unsatisfied_pairs(spins)] += np.uint64(1)
    return found


def weights(width, length, first, staggered, x):
    """Sums of x^pairs by spins up, in the kernel's order: floats of Python, a list for each frontier."""
    n_sites, states = width * length, 2**width
    rows = n_sites - width + 1

    def is_odd(row, column):
        return staggered and (row + column) % 2 == 1

    table = [[0.0] * rows for _ in range(states)]
    row_of_first = np.array([bits(first, width)])
    start = 1.0
    for _ in range((row_of_first != np.roll(row_of_first, 1, 1)).sum() // 2):
        start *= x
    table[first][0] = start
    for site in range(width, n_sites):
        row, column = divmod(site, width)
        after = [[0.0] * rows for _ in range(states)]
        for s0 in range(states):
            if s0 >> column & 1:
                continue
            s1 = s0 | 1 << column
            left, head, above = s0 >> max(column - 1, 0) & 1, s0 & 1, first >> column & 1
            swapped = is_odd(row - 1, column)
            for u in range(rows):
                down, up = table[s0], table[s1]
                a = (down[u - 1] if u else 0.0) if swapped else down[u]
                b = up[u] if swapped else (up[u - 1] if u else 0.0)
                of_a, of_b = (1.0, x) if above else (x, 1.0)
                after[s0][u] = (x if column and left and head else 1.0) * (a + of_b * b)
                after[s1][u] = (x if column and not left and not head else 1.0) * (of_a * a + b)
        table = after
    found = np.zeros(n_sites + 1)
    for s, sums in enumerate(table):
        ups = sum(up != is_odd(length - 1, column) for column, up in enumerate(bits(s, width)))
        for u, number in enumerate(sums):
            if u + ups <= n_sites:
                found[u + ups] += number
    return found
