"""Plain twin of the block Gibbs kernels: numpy sums in the kernels' order, the same random words."""

import numpy as np

from tests.kernels import twin_logistic
from tests.kernels.twin_logistic import Generator

CHAINS_AT_ONCE = 512


def sum_of_fours(start, spins, weights):
    """start + Σ over inputs four by four, (±w0 ± w1) + (±w2 ± w3); spins (n, n_in), weights (n_in, n_out)."""
    missing = -len(weights) % 4
    spins = np.pad(spins.astype(weights.dtype), ((0, 0), (0, missing)))
    weights = np.pad(weights, ((0, missing), (0, 0)))
    total = np.broadcast_to(start, (len(spins), weights.shape[1])).copy()
    for i in range(0, len(weights), 4):
        w = [spins[:, i + b, None] * weights[i + b] for b in range(4)]
        total += (w[0] + w[1]) + (w[2] + w[3])
    return total


def draw(activations, generator):
    """Panels of 64 bytes, each of them for all rows."""
    width = 64 // activations.itemsize
    n, n_out = activations.shape
    padded = np.pad(activations, ((0, 0), (0, -n_out % width)))
    spins = np.empty_like(padded)
    for first in range(0, padded.shape[1], width):
        panel = np.ascontiguousarray(padded[:, first : first + width])
        spins[:, first : first + width] = twin_logistic.sample(panel.ravel(), generator).reshape(n, width)
    return spins[:, :n_out]


def tanh(activations):
    e = twin_logistic.decay(np.abs(activations))
    return np.copysign((1 - e) / (1 + e), activations)


class Machine:
    def __init__(self, weights, visible_bias, hidden_bias, scale=1.0):
        self.W, self.b, self.c = weights.copy(), visible_bias.copy(), hidden_bias.copy()
        self.scale = self.W.dtype.type(scale)

    def up(self, visible):
        return self.scale * sum_of_fours(self.c, visible, self.W)

    def down(self, hidden):
        return self.scale * sum_of_fours(self.b, hidden, self.W.T)


def sweep(machine, visible, hidden, k, from_visible, generator):
    """Visible and hidden spins after k sweeps, and the means of the latter."""
    blocks = []
    for first in range(0, len(visible), CHAINS_AT_ONCE):
        v, h = (spins[first : first + CHAINS_AT_ONCE].astype(machine.W.dtype) for spins in (visible, hidden))
        if from_visible:
            h = draw(machine.up(v), generator)
        means = h
        for _ in range(k):
            v = draw(machine.down(h), generator)
            field = machine.up(v)
            h, means = draw(field, generator), tanh(field)
        blocks.append((v, h, means))
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def train(machine, rows, order, batch_size, k, rate, decay, hidden, generator):
    """One epoch; `hidden` of persistent chains or None. Returns the chains and totals of visible spins."""
    real = machine.W.dtype.type
    visible, series = None, []
    for first in range(0, len(order), batch_size):
        batch = rows[order[first : first + batch_size]].astype(real)
        n_chains = len(batch) if hidden is None else len(hidden)
        data, model = real(rate / len(batch)), real(-rate / n_chains)
        field = machine.up(batch)
        clamped = data * tanh(field)
        h = draw(field, generator) if hidden is None else hidden
        for sweeps in range(1, k + 1):
            visible = draw(machine.down(h), generator)
            field = machine.up(visible)
            if sweeps < k or hidden is not None:
                h = draw(field, generator)
        free = model * tanh(field)
        if hidden is not None:
            hidden = h
        machine.b += data * batch.sum(axis=0) + model * visible.sum(axis=0)
        if decay:
            machine.W *= real(1 - rate * decay)
        padded = [np.pad(x, ((0, -len(x) % 4), (0, 0))) for x in (batch, visible, clamped, free)]
        spins, means = np.concatenate(padded[:2]), np.concatenate(padded[2:])
        machine.W = sum_of_fours(machine.W, spins.T, means)
        machine.c = sum_of_fours(machine.c, np.ones((1, len(means))), means)[0]
        if hidden is not None:
            series.append(visible.sum(axis=1))
    return visible, hidden, np.array(series)


__all__ = ["Generator", "Machine", "draw", "sum_of_fours", "sweep", "tanh", "train"]
