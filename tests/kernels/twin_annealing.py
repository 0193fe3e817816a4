"""Plain twin of the annealing kernel: numpy in its order of operations, the same random words."""

import math

import numpy as np

from tests.kernels.twin_block_gibbs import draw, sum_of_fours
from tests.kernels.twin_logistic import decay


def halved(lanes, join):
    """The upper half of the last axis joined to the lower one, until one is left."""
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = join(lanes[..., :half], lanes[..., half:])
    return lanes[..., 0]


def log_ratios(fields, n_lanes, ratio, total):
    """Multiply `ratio` and add to `total` of each chain what the fields (old, new) of all hidden units give."""
    old, new = (np.pad(one, ((0, 0), (0, -one.shape[1] % n_lanes))) for one in fields)
    shape = (len(old), -1, n_lanes)
    before, after = ((1 + decay(np.abs(one))).reshape(shape) for one in (old, new))
    size = (np.abs(new) - np.abs(old)).reshape(shape)
    for first in range(0, before.shape[1], 32):
        products = [np.ones_like(before[:, 0]), np.ones_like(before[:, 0]), np.zeros_like(before[:, 0])]
        for panel in range(first, min(first + 32, before.shape[1])):
            products = [
                products[0] * before[:, panel],
                products[1] * after[:, panel],
                products[2] + size[:, panel],
            ]
        ratio *= halved((products[1] / products[0]).astype(float), np.multiply)
        total += halved(products[2], np.add).astype(float)
        for chain in np.flatnonzero(~((ratio > 2.0**-500) & (ratio < 2.0**500))):
            total[chain] += math.log(ratio[chain])
            ratio[chain] = 1.0


def anneal(weights, visible_bias, hidden_bias, betas, visible, generator):
    """ln w of each chain, and the last visible spins."""
    real = weights.dtype.type
    v, zero = visible.astype(real), np.zeros(1, dtype=real)
    ratio, total = np.ones(len(v)), np.zeros(len(v))
    for step in range(len(betas) - 1):
        beta, after = real(betas[step]), real(betas[step + 1])
        x = sum_of_fours(zero, v, weights)
        new = hidden_bias + after * x
        log_ratios((hidden_bias + beta * x, new), 64 // weights.itemsize, ratio, total)
        if step + 2 < len(betas):
            h = draw(new, generator)
            v = draw(visible_bias + after * sum_of_fours(zero, h, weights.T), generator)
    return total + np.array([math.log(one) for one in ratio]), v.astype(np.int8)
