"""The kernel's sum in Python and numpy, every operation in its order."""

import math
from functools import reduce
from operator import add

import numpy as np

RANGE, NEVER = 690.0, -(2**40)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


def linear(x, state):
    total = 0.0
    for j, term in enumerate(x):
        total += term if state >> j & 1 else -term
    return total


def products(x, start):
    """start · Π e^(±x_j) over all states, site 0 the least significant digit."""
    found = np.array([start])
    for term in x:
        up = math.exp(term)
        found = np.concatenate([found * (1 / up), found * up])
    return found


def log_sum_of_two(x, y):
    return max(x, y) + math.log1p(math.exp(-abs(x - y)))


def added(numbers):
    """One after the other, as in the kernel: since CPython 3.12 sum() compensates the rounding of floats."""
    return reduce(add, numbers, 0.0)


def choose_stops(W, b, reach):
    """The stops and the power of 2 to begin with, or None if a table overflows."""
    down = up = lowest = highest = since_down = 0.0
    since_up, stops = 1.0, []
    for i, row in enumerate(W.tolist()):
        low, rest = (added(2 * abs(w) for w in part) for part in (row[:8], row[8:]))
        if low > RANGE or rest + 2 * abs(b[i]) > RANGE - 1:
            return None
        least, most = log_sum_of_two(-low, -2 * b[i] - rest), log_sum_of_two(low, rest - 2 * b[i])
        down, up = down + least, up + most
        lowest, highest = min(lowest, down), max(highest, up)
        if i and (since_up + max(most, 0) > RANGE or since_down + min(least, 0) < -RANGE):
            stops.append(i)
            since_down, since_up = 0.0, 1.0
        since_down, since_up = since_down + min(least, 0), since_up + max(most, 0)
    lowest, highest = lowest - reach, highest + reach
    if highest - lowest <= 2 * RANGE:
        return [], math.floor(-0.5 * (highest + lowest) / LN2_HIGH)
    return [*stops, len(W)], 0


def values(x, shift, stops):
    """Factors of the states and their exponents."""
    n = 2 ** len(x)
    if not stops:
        return products(x, math.ldexp(1.0, shift)), np.zeros(n, dtype=np.int64)
    found, exponents = np.empty(n), np.empty(n, dtype=np.int64)
    for state in range(n):
        log = linear(x, state)
        k = math.floor(log / (LN2_HIGH + LN2_LOW))
        value, more = math.frexp(math.exp((log - k * LN2_HIGH) - k * LN2_LOW))
        found[state], exponents[state] = 2 * value, k + more - 1
    return found, exponents


def add_scaled(s, e, value, by):
    """(s, e) += (value, by); powers of 2 are exact, and below −1022 taken as 2^−1022."""
    top = np.maximum(e, by)
    return s * np.ldexp(1.0, np.maximum(e - top, -1022)) + value * np.ldexp(
        1.0, np.maximum(by - top, -1022)
    ), top


def sum_lanes(low, ratios, start, end):
    """Sums over low and middle states in eight lanes; low (n, 256), ratios (n, n_middle)."""
    p = np.repeat(start[None, :], low.shape[1], axis=0)
    for t, r in zip(low, ratios, strict=True):
        p = p * (t[:, None] + r[None, :])
    totals, sums = np.zeros(len(end)), np.zeros(8)
    for m in range(0, len(start), 4):
        totals = totals + ((p[:, m] + p[:, m + 1]) + (p[:, m + 2] + p[:, m + 3]))
    for row in (totals * end).reshape(-1, 8):
        sums = sums + row
    return sums, np.zeros(8, dtype=np.int64)


def sum_lanes_scaled(low, ratios, low_value, low_exponent, middle_value, middle_exponent, stops):
    """The same with exponents apart."""
    n_middle = len(middle_value)
    p = np.repeat(low_value[:, None], n_middle, axis=1)
    e = np.repeat(low_exponent[:, None], n_middle, axis=1)
    for first, last in zip([0, *stops[:-1]], stops, strict=True):
        for t, r in zip(low[first:last], ratios[first:last], strict=True):
            p = p * (t[:, None] + r[None, :])
        p, more = np.frexp(p)
        p, e = 2 * p, e + (more - 1)
    parts, scales = np.zeros((8, n_middle)), np.full((8, n_middle), NEVER)
    sums, exponents = np.zeros(8), np.full(8, NEVER)
    for row, by in zip(p.reshape(-1, 8, n_middle), e.reshape(-1, 8, n_middle), strict=True):
        parts, scales = add_scaled(parts, scales, row, by)
    for m in range(n_middle):
        term = parts[:, m] * middle_value[m]
        sums, exponents = add_scaled(sums, exponents, term, scales[:, m] + middle_exponent[m])
    return sums, exponents


def log_of_lanes(sums, exponents):
    top, total = int(exponents.max()), 0.0
    for s, e in zip(sums.tolist(), exponents.tolist(), strict=True):
        total += math.ldexp(s, max(e - top, -2000))
    return math.log(total) + top * LN2_HIGH + top * LN2_LOW


class Tables:
    """What the kernel fills before it sums; `stops` is None where the weights are too large."""

    def __init__(self, W, b, c):
        self.W, self.b, self.top = W, b.tolist(), min(W.shape[1], 14)
        self.x = []
        for j in range(W.shape[1]):
            total = added(W[:, j].tolist())
            self.x.append(c[j] + (-total if j < 8 else total))
        x, top = self.x, self.top
        chosen = choose_stops(W, self.b, added(map(abs, x[:8])) + added(map(abs, x[8:top])))
        self.stops = None
        if chosen is None:
            return
        self.stops, shift = chosen
        self.constant = added(self.b) - shift * (LN2_HIGH + LN2_LOW)
        self.low_value, self.low_exponent = values(x[:8], shift, self.stops)
        self.middle_value, self.middle_exponent = values(x[8:top], 0, self.stops)
        self.start = self.middle_value * math.ldexp(1.0, shift)
        self.end = self.low_value * math.ldexp(1.0, -shift)
        # the low units in two groups, of 5 and of 3
        self.low = np.array(
            [np.outer(products(y[5:8], 1.0), products(y[:5], 1.0)).ravel() for y in 2 * W[:, :8]]
        )
        self.middle = np.array([products(y, 1.0) for y in -2 * W[:, 8:top]])

    def ratios(self, state):
        high = np.array([math.exp(-2 * one) for one in self.b])
        for j in range(self.W.shape[1] - self.top):
            rising = np.array([math.exp(-2 * w) for w in self.W[:, self.top + j].tolist()])
            high = high * (rising if state >> j & 1 else 1 / rising)
        return self.middle * high[:, None]


def log_sums(W, b, c, first, last):
    """The logarithms of the sums of high states first … last − 1, or None."""
    of = Tables(W, b, c)
    if of.stops is None:
        return None
    logs = []
    for state in range(first, last):
        if of.stops:
            values = of.low_value, of.low_exponent, of.middle_value, of.middle_exponent
            lanes = sum_lanes_scaled(of.low, of.ratios(state), *values, of.stops)
        else:
            lanes = sum_lanes(of.low, of.ratios(state), of.start, of.end)
        logs.append(log_of_lanes(*lanes) + linear(of.x[of.top :], state) + of.constant)
    return logs


def state_weights(W, b, c, first, last):
    """The weights of the states of high states first … last − 1 and their scales, or None."""
    of = Tables(W, b, c)
    if of.stops is None or of.stops:
        return None
    rows = []
    for state in range(first, last):
        p = np.repeat(of.start[:, None], len(of.end), axis=1)
        for t, r in zip(of.low, of.ratios(state), strict=True):
            p = p * (t[None, :] + r[:, None])
        rows.append((p * of.end).ravel())
    return np.array(rows), [linear(of.x[of.top :], state) + of.constant for state in range(first, last)]


def weighted_tanh(of, ratios):
    """Weights times tanh of each traced unit and, last, the weights; shape (n + 1, 256, n_middle)."""
    t, r = of.low[:, :, None], ratios[:, None, :]
    p = np.repeat(of.low_value[:, None], len(of.middle_value), axis=1)
    q, before, rows = np.ones_like(p), [], []
    for i in range(len(t)):
        before.append(p)
        p = p * (t[i] + r[i])
    for i in reversed(range(len(t))):
        rows.append(before[i] * q * (t[i] - r[i]))
        q = q * (t[i] + r[i])
    return np.array([*reversed(rows), p])


def moments(W, b, c, first, last, log_partition):
    """Sums over the states of the low, of the middle and of the high units."""
    of = Tables(W, b, c)
    n, n_middle, n_high = len(W) + 1, len(of.middle_value), W.shape[1] - of.top
    low, middle, high = np.zeros((n, 256)), np.zeros((n, n_middle)), np.zeros((n, 1 + n_high))
    v = of.middle_value
    for state in range(first, last):
        root = math.exp(0.5 * (linear(of.x[of.top :], state) + of.constant - log_partition))
        d = weighted_tanh(of, of.ratios(state))
        over_middle, total = np.zeros((n, 256)), np.zeros(n)
        for m in range(0, n_middle, 4):
            a = [v[m + u] * d[:, :, m + u] for u in range(4)]
            over_middle = over_middle + ((a[0] + a[1]) + (a[2] + a[3]))
            for u in range(m, m + 4):
                lanes = np.zeros((n, 8))
                for at in range(0, 256, 8):
                    lanes = lanes + d[:, at : at + 8, u]
                s = lanes.T
                part = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
                part = part * v[u] * root * root
                middle[:, u] += part
                total += part
        low += over_middle * root * root
        high[:, 0] += total
        for j in range(n_high):
            high[:, 1 + j] += total if state >> j & 1 else -total
    return low, middle, high
