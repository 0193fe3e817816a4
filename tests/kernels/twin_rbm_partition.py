"""The kernel's sum in numpy, every operation in its order."""

import numpy as np

NEVER = -(2**40)


def products(low, middle, high, first, last, p):
    """P (states of the low units, of the middle units) times Π (t + r) over units first … last − 1."""
    t = low.transpose(1, 0, 2).reshape(low.shape[1], -1)
    r = middle.transpose(1, 0, 2).reshape(low.shape[1], -1)
    for i in range(first, last):
        p = p * (t[i][:, None] + (r[i] * high[i])[None, :])
    return p


def add_scaled(s, e, value, by):
    """(s, e) += (value, by); powers of 2 are exact, and below −1022 taken as 2^−1022."""
    top = np.maximum(e, by)
    return s * np.ldexp(1.0, np.maximum(e - top, -1022)) + value * np.ldexp(
        1.0, np.maximum(by - top, -1022)
    ), top


def sum_states(low, low_value, low_exponent, middle, middle_value, middle_exponent, high, stops):
    n_middle = len(middle_value)
    sums, exponents = np.zeros((len(high), 8)), np.zeros((len(high), 8), dtype=np.int64)
    for h, ratios in enumerate(high):
        p = np.repeat(low_value[:, None], n_middle, axis=1)
        if not len(stops):
            p = products(low, middle, ratios, 0, low.shape[1], p).reshape(-1, 8, n_middle)
            parts = np.zeros((8, n_middle))
            for row in p:
                parts = parts + row
            for m in range(n_middle):
                sums[h] = sums[h] + middle_value[m] * parts[:, m]
            continue
        e = np.repeat(low_exponent[:, None], n_middle, axis=1)
        for first, last in zip([0, *stops[:-1]], stops, strict=True):
            p, more = np.frexp(products(low, middle, ratios, first, last, p))
            p, e = 2 * p, e + (more - 1)
        parts, scales = np.zeros((8, n_middle)), np.full((8, n_middle), NEVER)
        for row, by in zip(p.reshape(-1, 8, n_middle), e.reshape(-1, 8, n_middle), strict=True):
            parts, scales = add_scaled(parts, scales, row, by)
        exponents[h] = NEVER
        for m in range(n_middle):
            sums[h], exponents[h] = add_scaled(
                sums[h], exponents[h], parts[:, m] * middle_value[m], scales[:, m] + middle_exponent[m]
            )
    return sums, exponents
