"""What a coarse spin knows of its surroundings, from samples of a large lattice.

Of a map of blocks P(h|E) is a sum over the states of the block and its buffer, in the field of the spins
around them, which is exact for each sample: ``I = H(⟨p⟩) − ⟨H(p)⟩`` over p = P(h = 1|E). Of any other map,
``I ≥ H(h) + ⟨ln q(h|E)⟩`` for every q, here a logistic law that is fitted to one half of the samples and
judged by the other (D. Barber and F. Agakov, NIPS 16, 201 (2003)).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.rg.block_maps import BlockMap
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.grading.information import Sites, binary_entropy
from rbmflow.spins import all_states

MOST_BITS = 12  # of the states that are summed over at one time
NUMBERS_AT_ONCE = 2**20
MOST_NUMBERS = 2**23  # of all sums together: of large blocks not every sample is looked at
N_UNITS = 4  # coarse spins of a configuration whose environments are looked at
SHELL = 2  # layers of the environment that the logistic law sees one by one
MAX_STEPS = 30
RIDGE = 1.0  # of its weights: that of one sample among thousands


class Sampled(NamedTuple):
    """An information, its standard error and the entropy of h, in nats."""

    information: float
    stderr: float
    entropy: float


def summable(transformation: BlockMap, sides: Sides, buffer: int) -> bool:
    """Return whether P(h|E) is a sum over few states: blocks on a torus that the buffer does not fill."""
    b = transformation.scale_factor
    side = b + 2 * buffer
    return len(sides) == 2 and side < min(sides) and side + b * (b - 1) <= MOST_BITS


def exact_posteriors(
    transformation: BlockMap, spins: SpinArray, sides: Sides, K: float, buffer: int
) -> FloatArray:
    """Return P(h = 1 | E) of some coarse spins of each configuration, shape ``(n_samples, n_units)``.

    Of large blocks it is one coarse spin of every so-and-so-many configurations.
    """
    b = transformation.scale_factor
    side = b + 2 * buffer
    n_numbers = 2 ** (side + b * (b - 1))
    coarse, size = transformation.output_shape(sides), max(1, NUMBERS_AT_ONCE // n_numbers)
    n_units = max(1, min(N_UNITS, MOST_NUMBERS // (n_numbers * len(spins))))
    rows = spins[:: max(1, n_numbers * len(spins) // MOST_NUMBERS)]
    units = np.unique(np.linspace(0, math.prod(coarse), n_units, endpoint=False).astype(int))
    mean = transformation.mean_of_blocks(np.ascontiguousarray(all_states(b * b)[:, ::-1]))
    found = np.empty((len(rows), len(units)))
    for start, (column, unit) in itertools.product(range(0, len(rows), size), enumerate(units.tolist())):
        lattices = rows[start : start + size].reshape(-1, *sides)
        corner = unit // coarse[1] * b - buffer, unit % coarse[1] * b - buffer
        weight = block_weights(_fields(lattices, corner, side), K, buffer)
        found[start : start + size, column] = (1 + weight @ mean / weight.sum(axis=1)) / 2
    return np.clip(found, 0, 1)


def _fields(lattices: SpinArray, corner: tuple[int, int], side: int) -> FloatArray:
    """The sums of the spins around a square at its own sites, shape ``(n, side, side)``."""
    around = np.arange(-1, side + 1)
    rows, cols = ((at + around) % n for at, n in zip(corner, lattices.shape[1:], strict=True))
    near = lattices[:, rows[:, None], cols].astype(np.float64)
    field = np.zeros((len(lattices), side, side))
    field[:, 0] += near[:, 0, 1:-1]
    field[:, -1] += near[:, -1, 1:-1]
    field[:, :, 0] += near[:, 1:-1, 0]
    field[:, :, -1] += near[:, 1:-1, -1]
    return field


def block_weights(field: FloatArray, K: float, buffer: int) -> FloatArray:
    """Return the weights of the states of a square without its margin, which is summed over, in fields.

    The sites are taken one by one, row by row: a spin is summed over when those beside and below it are
    there, but those of the block stay. The first site of the block is the most significant.

    Parameters
    ----------
    field : numpy.ndarray of float64, shape (n, side, side)
        In units of J.
    K : float
        Coupling.
    buffer : int
        Width of the margin.

    Returns
    -------
    numpy.ndarray of float64
        Shape ``(n, 2^(b²))``; the largest of each row is 1.
    """
    n, side, _ = field.shape
    spin = np.array([-1.0, 1.0])
    bond = np.exp(K * np.outer(spin, spin) - abs(K))  # no factor above 1, the largest weight 1 at each site
    inner = range(buffer, side - buffer)
    weight: FloatArray = np.ones((n, 1))
    front, kept = [1] * side, 1
    for row, col in itertools.product(range(side), range(side)):
        shape = math.prod(front[:col]), front[col], math.prod(front[col + 1 :])
        above = weight.reshape(n, *shape, kept)
        if row - 1 in inner and col in inner:
            weight = np.einsum("naubk,su->nasbku", above, bond)
            kept *= 2
        else:
            weight = np.einsum("naubk,su->nasbk", above, bond if row else np.ones((2, 1)))
        front[col] = 2
        weight = weight.reshape(n, shape[0], 2, shape[2], kept)
        if col:
            beside = weight.reshape(n, shape[0] // 2, 2, 2, shape[2], kept)
            beside *= bond[:, :, None, None]
        own = K * field[:, row, col, None]
        weight *= np.exp(own * spin - np.abs(own))[:, None, :, None, None]
        weight /= weight.reshape(n, -1).max(axis=1)[:, None, None, None, None]
    for _ in range(side):
        ahead = weight.reshape(n, 2, -1, kept)
        if buffer == 0:
            kept *= 2
            weight = np.moveaxis(ahead, 1, 3)
        else:
            weight = ahead.sum(axis=1)
    weight = weight.reshape(n, kept)
    return np.asarray(weight / weight.max(axis=1, keepdims=True))


def information_of(posteriors: FloatArray, n_blocks: int) -> Sampled:
    """Return ``H(⟨p⟩) − ⟨H(p)⟩`` of P(h = 1|E) of samples in their order, by a jackknife over blocks."""
    each = np.stack([posteriors.mean(axis=1), binary_entropy(posteriors).mean(axis=1)], axis=1)
    return _jackknifed(each, n_blocks, lambda up, unknown: float(binary_entropy(np.array(up))) - unknown)


def lower_bound(h: SpinArray, spins: SpinArray, sides: Sides, outside: Sites, n_blocks: int) -> Sampled:
    """Return a lower bound of I(h : E) from samples of a coarse spin and of the fine lattice.

    Parameters
    ----------
    h : numpy.ndarray of int8, shape (n_samples,)
        The coarse spin.
    spins : numpy.ndarray of int8, shape (n_samples, n_sites)
        The fine lattice.
    sides : tuple of int
        Of the fine lattice.
    outside : numpy.ndarray of int
        The sites of the environment.
    n_blocks : int
        Blocks of the jackknife.

    Returns
    -------
    Sampled
        The bound, which may be a little below 0.
    """
    x = _features(spins, sides, outside)
    middle, y = len(x) // 2, h.astype(np.float64)
    log_q = np.empty(len(x))
    for fitted, judged in ((slice(middle), slice(middle, None)), (slice(middle, None), slice(middle))):
        field = x[judged] @ _logistic(x[fitted], y[fitted])
        log_q[judged] = -np.logaddexp(0, -2 * y[judged] * field)
    each = np.stack([(1 + y) / 2, log_q], axis=1)
    return _jackknifed(each, n_blocks, lambda up, log: float(binary_entropy(np.array(up))) + log)


def _features(spins: SpinArray, sides: Sides, outside: Sites) -> FloatArray:
    """1, the mean of the environment, and its spins next to the block."""
    far = np.zeros(sides, dtype=bool)
    far.ravel()[outside] = True
    near = ~far
    for axis in range(len(sides)):
        for _ in range(SHELL):
            near = near | np.roll(near, 1, axis) | np.roll(near, -1, axis)
    shell = spins[:, np.flatnonzero((near & far).ravel())].astype(np.float64)
    mean = spins[:, outside].mean(axis=1, dtype=np.float64)
    return np.concatenate([np.ones((len(spins), 1)), mean[:, None], shell], axis=1)


def _logistic(x: FloatArray, y: FloatArray) -> FloatArray:
    """Weights w of ``q(h|x) = 1/(1 + e^(−2 h w·x))`` by Newton's method, with a ridge."""
    w = np.zeros(x.shape[1])
    for _ in range(MAX_STEPS):
        slope = np.tanh(x @ w)
        curvature = (x * (1 - slope**2)[:, None]).T @ x + RIDGE * np.eye(len(w))
        move = np.linalg.solve(curvature, x.T @ (y - slope) - RIDGE * w)
        w += move
        if np.abs(move).max() < 1e-6:
            break
    return w


def _jackknifed(each: FloatArray, n_blocks: int, function: Callable[[float, float], float]) -> Sampled:
    """A function of two means, and its error from leaving out blocks of rows."""
    edges = np.linspace(0, len(each), n_blocks + 1).astype(int)
    sums = np.array([each[start:stop].sum(axis=0) for start, stop in itertools.pairwise(edges)])
    left = (sums.sum(axis=0) - sums) / (len(each) - np.diff(edges))[:, None]
    mean = each.mean(axis=0)
    values = np.array([function(*one) for one in left.tolist()])
    stderr = math.sqrt((n_blocks - 1) / n_blocks * float(((values - values.mean()) ** 2).sum()))
    return Sampled(function(*mean.tolist()), stderr, float(binary_entropy(mean[:1])[0]))
