"""The weight of every state of a layer, the other layer traced out.

The kernel multiplies for each state one number for each unit of the other layer. Layers of few units, and
weights with which products leave the range of doubles, take products of matrices: a state is one of the lower
half of its units and one of the upper half, and the fields f on the units t of the other layer are sums of
what the two contribute. Of a few of these units together ``Π 2cosh f = Σ_t e^(t·f)`` is a product of two
matrices; and one logarithm serves as many of these products as stay far from overflow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.networks.layer_sums import Enumerated, list_weights
from rbmflow.networks.two_layers import log_two_cosh
from rbmflow.spins import all_states
from rbmflow.state_law import normalised

TOGETHER = 4  # units of the other layer to a product of matrices
LARGEST_EXPONENT = 690.0
NUMBERS_AT_ONCE = 2**16


def all_log_weights(seen: Enumerated) -> FloatArray:
    """Return ``c·s + Σ_i ln 2cosh(b_i + (Ws)_i)`` of all states s, in the order of `spins.all_states`.

    Time O(2^n N), a fifth of a nanosecond for each state and unit of the other layer, or half a nanosecond by
    matrices. Beside the result of 8 · 2^n bytes it needs a megabyte or two, by matrices 32 · 2^(n/2) N more.

    Examples
    --------
    >>> all_log_weights(Enumerated(np.array([[0.5, 0.5]]), np.zeros(1), np.zeros(2)))
    array([1.1269, 0.6931, 0.6931, 1.1269])
    """
    result = np.empty(2 ** len(seen.bias))

    def to_logs(values: FloatArray, scales: FloatArray) -> None:
        np.log(values, out=values)
        values += scales[:, None]

    return result if list_weights(seen, result, to_logs) else _by_matrices(seen)


def all_probabilities(seen: Enumerated) -> FloatArray:
    """Return the weights of `all_log_weights` over their sum, in its time but for the logarithms.

    Examples
    --------
    >>> all_probabilities(Enumerated(np.array([[0.5, 0.5]]), np.zeros(1), np.zeros(2)))
    array([0.3034, 0.1966, 0.1966, 0.3034])
    """
    result = np.empty(2 ** len(seen.bias))
    logs: list[FloatArray] = []

    def to_shares(values: FloatArray, scales: FloatArray) -> None:
        total = values.sum(axis=1)
        values *= 1 / total[:, None]
        logs.append(np.log(total) + scales)

    if not list_weights(seen, result, to_shares):
        return normalised(_by_matrices(seen))
    shares = normalised(np.concatenate(logs))
    rows = result.reshape(len(shares), -1)
    rows *= shares[:, None]
    return result


def _by_matrices(seen: Enumerated) -> FloatArray:
    n_low = (len(seen.bias) + 1) // 2
    low, high = _states(n_low), _states(len(seen.bias) - n_low)
    weights = seen.weights.T
    in_low, in_high = low @ weights[:n_low] + seen.traced_bias, high @ weights[n_low:]
    result = np.add.outer(high @ seen.bias[n_low:], low @ seen.bias[:n_low])
    reach = np.abs(weights).sum(axis=0) + np.abs(seen.traced_bias) + np.log(2)
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
