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


class LogWeights:
    """What the chains have gathered: products and sums in lanes, joined after every 32 panels."""

    def __init__(self, n_chains, real):
        self.ratio, self.total = np.ones(n_chains), np.zeros(n_chains)
        self.shape, self.real = (n_chains, 64 // real().itemsize), real
        self.begin()

    def begin(self):
        self.before, self.after = np.ones(self.shape, self.real), np.ones(self.shape, self.real)
        self.size, self.panels = np.zeros(self.shape, self.real), 0

    def add(self, old, new):
        old, new = (np.pad(one, ((0, 0), (0, -one.shape[1] % self.shape[1]))) for one in (old, new))
        before, after = (1 + decay(np.abs(one)) for one in (old, new))
        size = np.abs(new) - np.abs(old)
        for first in range(0, old.shape[1], self.shape[1]):
            panel = slice(first, first + self.shape[1])
            self.before, self.after = self.before * before[:, panel], self.after * after[:, panel]
            self.size, self.panels = self.size + size[:, panel], self.panels + 1
            if self.panels == 32:
                self.gather()

    def gather(self):
        self.ratio *= halved((self.after / self.before).astype(float), np.multiply)
        self.total += halved(self.size, np.add).astype(float)
        for chain in np.flatnonzero(~((self.ratio > 2.0**-500) & (self.ratio < 2.0**500))):
            self.total[chain] += math.log(self.ratio[chain])
            self.ratio[chain] = 1.0
        self.begin()

    def result(self):
        if self.panels:
            self.gather()
        return self.total + np.array([math.log(one) for one in self.ratio])


def anneal(weights, visible_bias, hidden_bias, betas, visible, generator):
    """ln w of each chain, and the last visible spins."""
    real = weights.dtype.type
    v, zero = visible.astype(real), np.zeros(1, dtype=real)
    log_weights = LogWeights(len(v), real)
    for step in range(len(betas) - 1):
        beta, after = real(betas[step]), real(betas[step + 1])
        x = sum_of_fours(zero, v, weights)
        new = hidden_bias + after * x
        log_weights.add(hidden_bias + beta * x, new)
        if step + 2 < len(betas):
            h = draw(new, generator)
            v = draw(visible_bias + after * sum_of_fours(zero, h, weights.T), generator)
    return log_weights.result(), v.astype(np.int8)
