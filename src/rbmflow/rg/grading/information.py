"""What a coarse spin knows of its surroundings: real-space mutual information, by sums over states.

The environment E of a coarse spin h is what is left of the fine lattice without its block and a buffer around
it. A map that keeps I(h : E) keeps what is relevant at large distances (M. Koch-Janusz and Z. Ringel, Nature
Physics 14, 578 (2018)).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray
from rbmflow.rg.block_maps import BlockMap
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.sublattice import Sublattice
from rbmflow.rg.transformation import Transformation
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw

Sites = npt.NDArray[np.intp]
AT_ONCE = 2**14  # states of the fine lattice


def block_of(transformation: Transformation, sides: Sides, unit: int = 0) -> Sites:
    """Return the sites of the fine lattice that a coarse spin stands for.

    A rectangle, where the coarse sides divide the fine ones; where the coarse lattice is that of a
    sublattice, its site and the next one of the row.

    Examples
    --------
    >>> from rbmflow.rg import Majority
    >>> block_of(Majority(), (4, 4), 1).tolist()
    [2, 3, 6, 7]
    """
    coarse = transformation.output_shape(sides)
    half = Sublattice()
    if len(coarse) == 3 and len(sides) == 2 and half.output_shape(sides) == coarse:
        kept = int(half.sites(sides)[unit])
        return np.array([kept, kept + 1 if (kept + 1) % sides[1] else kept + 1 - sides[1]])
    if len(coarse) != len(sides) or len(sides) == 3 or any(n % c for n, c in zip(sides, coarse, strict=True)):
        raise ValueError(
            f"the spins of {coarse} do not stand for blocks of {sides}: their information is not defined"
        )
    blocks = [n // c for n, c in zip(sides, coarse, strict=True)]
    corner = [int(at) * b for at, b in zip(np.unravel_index(unit, coarse), blocks, strict=True)]
    index = np.arange(math.prod(sides)).reshape(sides)
    return index[tuple(slice(at, at + b) for at, b in zip(corner, blocks, strict=True))].ravel()


def environment_of(block: Sites, sides: Sides, buffer: int) -> Sites:
    """Return the sites further than `buffer` from a block in every direction, or raise if there are none.

    Examples
    --------
    >>> environment_of(np.array([0, 1]), (8,), 1).tolist()
    [3, 4, 5, 6]
    """
    near = np.zeros(sides, dtype=bool)
    near.ravel()[block] = True
    for axis in range(len(sides)):
        for _ in range(buffer):
            near = near | np.roll(near, 1, axis) | np.roll(near, -1, axis)
    left = np.flatnonzero(~near.ravel())
    if not len(left):
        raise ValueError(f"buffer={buffer} leaves no environment of a block on {sides}")
    return left


def ring_information(transformation: BlockMap, n_sites: int, K: float, buffer: int) -> tuple[float, float]:
    """Return I(h : E) and H(h) on a ring in nats, by transfer matrices.

    Of the environment, a chain, only the two ends see the block:
    ``P(h, l, r) = Σ_c P(h|c) T^(d+1)(l, c_1) e^(K Σ c_i c_(i+1)) T^(d+1)(c_b, r) T^(m−1)(r, l)``, with a
    buffer of d sites and m sites of environment.

    Examples
    --------
    >>> from rbmflow.rg import Decimation, Majority
    >>> print([round(ring_information(map_, 12, 1.0, 1)[0], 5) for map_ in (Decimation(), Majority())])
    [0.27149, 0.26618]
    """
    b = transformation.scale_factor
    left = len(environment_of(np.arange(b), (n_sites,), buffer))
    blocks = all_states(b)
    spin = np.array([-1.0, 1.0])
    bond = np.exp(K * np.outer(spin, spin) - abs(K))  # the constant keeps powers finite
    side, far = (np.linalg.matrix_power(bond, power) for power in (buffer + 1, left - 1))
    inside = np.exp(K * (blocks[:, 1:].astype(np.int64) * blocks[:, :-1]).sum(axis=1) - abs(K) * (b - 1))
    first, last = ((blocks[:, end] > 0).astype(np.intp) for end in (0, -1))
    weight = inside[:, None, None] * side[:, first].T[:, :, None] * side[last, :][:, None, :] * far
    return _information(up_and_down(weight.reshape(len(blocks), -1), transformation.mean_of_blocks(blocks)))


def law_information(
    transformation: Transformation, law: StateLaw, sides: Sides, buffer: int, unit: int = 0
) -> tuple[float, float]:
    """Return I(h : E) and H(h) in nats under a law over all states of the fine lattice.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> from rbmflow.ising import state_law
    >>> from rbmflow.rg import Majority
    >>> print(round(law_information(Majority(), state_law(Torus(4, 4), 0.3), (4, 4), 0)[0], 4))
    0.2051
    """
    outside = environment_of(block_of(transformation, sides, unit), sides, buffer)
    joint = np.zeros((2, 2 ** len(outside)))
    bits = 1 << np.arange(len(outside))
    for start in range(0, len(law.states), AT_ONCE):
        states = law.states[start : start + AT_ONCE]
        mean, share = transformation.mean(states, sides)[:, unit], law.probabilities[start : start + AT_ONCE]
        place = (states[:, outside] > 0) @ bits
        for row, sign in enumerate((1, -1)):
            joint[row] += np.bincount(place, share * (1 + sign * mean) / 2, joint.shape[1])
    return _information(joint)


def up_and_down(weight: FloatArray, mean: FloatArray) -> FloatArray:
    """Return the weights of E with h up and with h down, of the weights of a block's states and E."""
    return np.stack([(1 + mean) / 2 @ weight, (1 - mean) / 2 @ weight])


def binary_entropy(up: FloatArray) -> FloatArray:
    """Return ``−p ln p − (1 − p) ln(1 − p)``.

    Examples
    --------
    >>> binary_entropy(np.array([0.5, 1.0]))
    array([0.6931, 0.    ])
    """
    down = 1 - up
    terms = [np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0) for p in (up, down)]
    return np.asarray(0.0 - terms[0] - terms[1])


def _information(joint: FloatArray) -> tuple[float, float]:
    """I and H of the rows of a joint law that is not normalised."""
    p = joint / joint.sum()
    rows, columns = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    ratio = np.divide(p, rows * columns, out=np.ones_like(p), where=p > 0)
    return float((p * np.log(ratio)).sum()), float(binary_entropy(rows[0, 0]))
