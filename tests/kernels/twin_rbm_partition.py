"""The kernel's sum in Python and numpy, every operation in its order."""

import math

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
        found = np.concatenate([found * math.exp(-term), found * math.exp(term)])
    return found


def log_sum_of_two(x, y):
    return max(x, y) + math.log1p(math.exp(-abs(x - y)))


def choose_stops(W, b, reach):
    """The stops and the power of 2 to begin with, or None if a table overflows."""
    down = up = lowest = highest = since_down = 0.0
    since_up, stops = 1.0, []
    for i, row in enumerate(W.tolist()):
        low, rest = sum(2 * abs(w) for w in row[:8]), sum(2 * abs(w) for w in row[8:])
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


def sum_lanes(low, ratios, low_value, low_exponent, middle_value, middle_exponent, stops):
    """Sums over low and middle states in eight lanes; low (n, 256), ratios (n, n_middle)."""
    n_middle = len(middle_value)
    p = np.repeat(low_value[:, None], n_middle, axis=1)
    e = np.repeat(low_exponent[:, None], n_middle, axis=1)
    for first, last in zip([0, *stops[:-1]], stops or [len(low)], strict=True):
        for t, r in zip(low[first:last], ratios[first:last], strict=True):
            p = p * (t[:, None] + r[None, :])
        if stops:
            p, more = np.frexp(p)
            p, e = 2 * p, e + (more - 1)
    parts, scales = np.zeros((8, n_middle)), np.full((8, n_middle), NEVER if stops else 0)
    sums, exponents = np.zeros(8), np.full(8, NEVER if stops else 0)
    for row, by in zip(p.reshape(-1, 8, n_middle), e.reshape(-1, 8, n_middle), strict=True):
        if stops:
            parts, scales = add_scaled(parts, scales, row, by)
        else:
            parts = parts + row
    for m in range(n_middle):
        term = parts[:, m] * middle_value[m]
        if stops:
            sums, exponents = add_scaled(sums, exponents, term, scales[:, m] + middle_exponent[m])
        else:
            sums = sums + term
    return sums, exponents


def log_of_lanes(sums, exponents):
    top, total = int(exponents.max()), 0.0
    for s, e in zip(sums.tolist(), exponents.tolist(), strict=True):
        total += math.ldexp(s, max(e - top, -2000))
    return math.log(total) + top * LN2_HIGH + top * LN2_LOW


def log_sums(W, b, c, first, last):
    """The logarithms of the sums of high states first … last − 1, or None."""
    top = min(W.shape[1], 14)
    x = []
    for j in range(W.shape[1]):
        total = sum(W[:, j].tolist())
        x.append(c[j] + (-total if j < 8 else total))
    chosen = choose_stops(W, b.tolist(), sum(map(abs, x[:8])) + sum(map(abs, x[8:top])))
    if chosen is None:
        return None
    stops, shift = chosen
    constant = sum(b.tolist()) - shift * (LN2_HIGH + LN2_LOW)
    low_value, low_exponent = values(x[:8], shift, stops)
    middle_value, middle_exponent = values(x[8:top], 0, stops)
    # the low units in two groups, of 5 and of 3
    low = np.array([np.outer(products(y[5:8], 1.0), products(y[:5], 1.0)).ravel() for y in 2 * W[:, :8]])
    middle = np.array([products(y, 1.0) for y in -2 * W[:, 8:top]])
    logs = []
    for state in range(first, last):
        high = np.array([math.exp(-2 * one) for one in b.tolist()])
        for j in range(W.shape[1] - top):
            sign = -2.0 if state >> j & 1 else 2.0
            high = high * np.array([math.exp(sign * w) for w in W[:, top + j].tolist()])
        lanes = sum_lanes(
            low, middle * high[:, None], low_value, low_exponent, middle_value, middle_exponent, stops
        )
        logs.append(log_of_lanes(*lanes) + linear(x[top:], state) + constant)
    return logs
