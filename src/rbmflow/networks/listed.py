"""The logarithm of the weight of every state of a layer, the other layer traced out.

A state is one of the lower half of its units and one of the upper half, and the fields f on the units t of
the other layer are sums of what the two contribute. Of a few of these units together
``Π 2cosh f = Σ_t e^(t·f)`` is a product of two matrices; and one logarithm serves as many of these products
as stay far from overflow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.networks.two_layers import log_two_cosh
from rbmflow.spins import all_states

TOGETHER = 4  # units of the other layer to a product of matrices
LARGEST_EXPONENT = 690.0
NUMBERS_AT_ONCE = 2**16


def all_log_weights(weights: FloatArray, bias: FloatArray, other_bias: FloatArray) -> FloatArray:
    """Return ``b·s + Σ_a ln 2cosh(c_a + (sW)_a)`` of all states s, in the order of `spins.all_states`.

    Time O(2^n N), about half a nanosecond for each state and unit of the other layer; it needs a megabyte or
    two beside the result of 8 · 2^n bytes.

    Examples
    --------
    >>> all_log_weights(np.array([[0.5], [0.5]]), np.zeros(2), np.zeros(1))
    array([1.1269, 0.6931, 0.6931, 1.1269])
    """
    n_low = (len(bias) + 1) // 2
    low, high = _states(n_low), _states(len(bias) - n_low)
    in_low, in_high = low @ weights[:n_low] + other_bias, high @ weights[n_low:]
    result = np.add.outer(high @ bias[n_low:], low @ bias[:n_low])
    reach = np.abs(weights).sum(axis=0) + np.abs(other_bias)
    factors = list(_factors(in_low, in_high, reach))
    step = max(1, NUMBERS_AT_ONCE // len(low))
    for first in range(0, len(high), step):
        rows = slice(first, first + step)
        product, exponent = np.ones((1, 1)), 0.0
        for of_low, of_high, largest in factors:
            if largest > LARGEST_EXPONENT:  # of one unit alone: its fields
                result[rows] += log_two_cosh(of_high[rows] + of_low.T)
                continue
            if exponent + largest > LARGEST_EXPONENT:
                result[rows] += np.log(product)
                product, exponent = np.ones((1, 1)), 0.0
            factor = of_high[rows] @ of_low.T
            factor *= product
            product = factor
            exponent += largest
        result[rows] += np.log(product)
    return result.ravel()


def _factors(
    in_low: FloatArray, in_high: FloatArray, reach: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray, float]]:
    """Yield, for units together, exponentials over their states, and the largest exponent of a product.

    Where that overflows for one unit alone, its fields.
    """
    first = 0
    while first < len(reach):
        last = first + 1
        while last < min(first + TOGETHER, len(reach)) and reach[first : last + 1].sum() <= LARGEST_EXPONENT:
            last += 1
        units, largest = slice(first, last), float(reach[first:last].sum())
        first = last
        if largest > LARGEST_EXPONENT:
            yield in_low[:, units], in_high[:, units], largest
        else:
            spins = _states(last - units.start).T
            yield np.exp(in_low[:, units] @ spins), np.exp(in_high[:, units] @ spins), largest


def _states(n: int) -> FloatArray:
    return all_states(n).astype(np.float64) if n else np.zeros((1, 0))
