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


def sweep(machine, visible, hidden, k, from_visible, generator, clamped=None):
    """Visible and hidden spins after k sweeps, and the means of the latter."""
    clamped = np.zeros(visible.shape, dtype=bool) if clamped is None else clamped
    blocks = []
    for first in range(0, len(visible), CHAINS_AT_ONCE):
        v, h = (spins[first : first + CHAINS_AT_ONCE].astype(machine.W.dtype) for spins in (visible, hidden))
        if from_visible:
            h = draw(machine.up(v), generator)
        means, given, kept = h, v, clamped[first : first + CHAINS_AT_ONCE]
        for _ in range(k):
            v = np.where(kept, given, draw(machine.down(h), generator))
            field = machine.up(v)
            h, means = draw(field, generator), tanh(field)
        blocks.append((v, h, means))
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def sweep_rungs(machines, visible, hidden, k, from_visible, generator):
    """The same of as many chains for each machine, one after another: the last machine comes first."""
    n, found = len(visible) // len(machines), []
    for rung in reversed(range(len(machines))):
        at = slice(rung * n, (rung + 1) * n)
        found.insert(0, sweep(machines[rung], visible[at], hidden[at], k, from_visible, generator))
    visible, hidden, means = zip(*found, strict=True)
    return np.concatenate(visible), np.concatenate(hidden), means[0]


def energies(machine, visible, hidden):
    """Panels of both layers, one after another, into lanes that are then added by halves."""
    width = 64 // machine.W.itemsize
    lanes = np.zeros((len(visible), width))
    b = np.broadcast_to(machine.b, visible.shape)
    for numbers, spins in ((b, visible), (sum_of_fours(machine.c, visible, machine.W), hidden)):
        signed = np.pad(numbers.astype(float) * spins, ((0, 0), (0, -spins.shape[1] % width)))
        for first in range(0, signed.shape[1], width):
            lanes += signed[:, first : first + width]
    while lanes.shape[1] > 1:
        lanes = lanes[:, : lanes.shape[1] // 2] + lanes[:, lanes.shape[1] // 2 :]
    return -lanes[:, 0]


class Steps:
    """Steps of an optimiser, in the order of the kernel: rows of 32 visible units, panels of 64 bytes."""

    def __init__(self, slots, first, second, epsilon, n_updates, offsets):
        self.slots, self.first, self.second, self.epsilon = slots, first, second, epsilon
        self.n_updates, self.offsets = n_updates, offsets

    def climb(self, machine, rate, decay, slope, clamped, free):
        """Move along the slopes of weights and of both biases; `clamped` and `free` are means of spins."""
        real = machine.W.dtype.type
        W, b, c = slope
        n = len(b)
        if decay:
            W = W - real(decay) * machine.W
        if len(self.offsets):
            mu, lam = self.offsets[:n], self.offsets[n:]
            mu += real(0.01) * (real(0.5) * (clamped[0] - free[0]) - mu)
            lam += real(0.01) * (real(0.5) * (clamped[1] - free[1]) - lam)
            W = W - (b[:, None] * lam + mu[:, None] * c)
            width = 64 // W.itemsize
            padded = np.pad(W * lam, ((0, 0), (0, -W.shape[1] % width))).reshape(n, -1, width)
            lanes = np.zeros((n, width), dtype=real)
            for panel in range(padded.shape[1]):
                lanes += padded[:, panel]
            while lanes.shape[1] > 1:
                lanes = lanes[:, : lanes.shape[1] // 2] + lanes[:, lanes.shape[1] // 2 :]
            b = b - lanes[:, 0]
            for block in range(0, n, 32):
                turned = np.zeros_like(c)
                for i in range(block, min(block + 32, n)):
                    turned += mu[i] * W[i]
                c = c - turned
        self.n_updates += 1
        moved = self.step(np.concatenate([W.ravel(), b, c]), rate)
        machine.W += moved[: W.size].reshape(W.shape)
        machine.b += moved[W.size : W.size + n]
        machine.c += moved[W.size + n :]

    def step(self, g, rate):
        real = g.dtype.type
        if not len(self.slots):
            return real(rate) * g
        if len(self.slots) == 1:
            self.slots[0] = real(self.first) * self.slots[0] + g
            return real(rate) * self.slots[0]
        mean, square = self.slots
        mean += real(1 - self.first) * (g - mean)
        square += real(1 - self.second) * (g * g - square)
        scale = real(rate / (1 - power(self.first, self.n_updates)))
        spread = np.sqrt(square * real(1 / (1 - power(self.second, self.n_updates))))
        return scale * mean / (spread + real(self.epsilon))


def power(x, n):
    product = 1.0
    while n:
        product = product * x if n % 2 else product
        n, x = n // 2, x * x
    return product


def sums(start, means, rows):
    """Sums over samples, one after the other, of what stands in `rows`."""
    total = start
    for row in means[rows]:
        total = total + row
    return total


def train(machine, rows, order, batch_size, k, rate, decay, hidden, generator, steps=None):
    """One epoch; `hidden` of persistent chains or None. Returns the chains and totals of visible spins."""
    real = machine.W.dtype.type
    visible, series = None, []
    for first in range(0, len(order), batch_size):
        batch = rows[order[first : first + batch_size]].astype(real)
        n_chains = len(batch) if hidden is None else len(hidden)
        share = rate if steps is None else 1
        data, model = real(share / len(batch)), real(-share / n_chains)
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
        padded = [np.pad(x, ((0, -len(x) % 4), (0, 0))) for x in (batch, visible, clamped, free)]
        spins, means = np.concatenate(padded[:2]), np.concatenate(padded[2:])
        up, down = data * batch.sum(axis=0), model * visible.sum(axis=0)
        if steps is not None:
            none, below = np.zeros_like(machine.c), len(padded[0])
            slope = (
                sum_of_fours(np.zeros_like(machine.W), spins.T, means),
                up + down,
                sum_of_fours(none, np.ones((1, len(means))), means)[0],
            )
            both = (up, sums(none, means, slice(below))), (down, sums(none, means, slice(below, None)))
            steps.climb(machine, rate, decay, slope, *both)
        else:
            machine.b += up + down
            if decay:
                machine.W *= real(1 - rate * decay)
            machine.W = sum_of_fours(machine.W, spins.T, means)
            machine.c = sum_of_fours(machine.c, np.ones((1, len(means))), means)[0]
        if hidden is not None:
            series.append(visible.sum(axis=1))
    return visible, hidden, np.array(series)


__all__ = [
    "Generator",
    "Machine",
    "Steps",
    "draw",
    "energies",
    "sum_of_fours",
    "sweep",
    "sweep_rungs",
    "tanh",
    "train",
]
