"""Laws of coarse configurations over all states, and their distance from those of nearest neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.rg.block_spins import Shape, Sides, check_shape
from rbmflow.rg.operators import even_operators
from rbmflow.rg.transformation import Transformation, check_listed, check_transformation
from rbmflow.roots import bracketed_root
from rbmflow.state_law import StateLaw, divergence, law_in_order, normalised

NUMBERS_AT_ONCE = 2**20  # of a conditional law
STRONGEST = 30.0  # coupling beyond which the two aligned states are all


def coarse_law(transformation: Transformation, law: StateLaw, shape: Shape) -> StateLaw:
    """Return the law of the coarse spins, ``p(h) = Σ_v P(h|v) q(v)``, exactly.

    Time O(states of both lattices together).

    Parameters
    ----------
    transformation : Transformation
        The map; it leaves 16 spins at most.
    law : StateLaw
        q, of the fine spins.
    shape : int, tuple of int or lattice
        Of the fine lattice.

    Returns
    -------
    StateLaw
        Over all states, in the order of `spins.all_states`.

    See Also
    --------
    rbmflow.ising.state_law : The law of a lattice.
    grade : What kind of renormalization a map is.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> from rbmflow.ising import state_law
    >>> from rbmflow.rg import Decimation, decimate
    >>> coarse = coarse_law(Decimation(), state_law(Ring(8), 1.0), 8)
    >>> exact = state_law(Ring(4), float(decimate(1.0).K))
    >>> bool(np.allclose(coarse.probabilities, exact.probabilities, rtol=1e-13))
    True
    """
    chosen, sides = check_transformation(transformation), check_shape(shape)
    if not isinstance(law, StateLaw):
        raise TypeError(f"law={shown(law)}: a StateLaw is needed")
    if law.n_sites != math.prod(sides[:2]):
        raise ValueError(f"law is over {law.n_sites} spins: shape={sides} has {math.prod(sides[:2])}")
    n_coarse = math.prod(chosen.output_shape(sides)[:2])
    check_listed(n_coarse)
    total = np.zeros(2**n_coarse)
    for rows, conditional in conditionals(chosen, law, sides):
        total += law.probabilities[rows] @ conditional
    return law_in_order(total / total.sum())


def conditionals(
    transformation: Transformation, law: StateLaw, sides: Sides
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield P(h|v) of the states of a law, in batches."""
    n_coarse = math.prod(transformation.output_shape(sides)[:2])
    size = max(1, NUMBERS_AT_ONCE >> n_coarse)
    for start in range(0, len(law.states), size):
        rows = slice(start, start + size)
        yield rows, transformation.conditional(law.states[rows], sides)


def nearest_neighbour_law(law: StateLaw, sides: Sides) -> tuple[float, float]:
    """Return K of the nearest law ``exp(K Σ v_i v_j)/Z``, and the relative entropy to it in nats.

    ``KL(p‖K)`` is convex in K and least where ``⟨Σ v_i v_j⟩`` agrees.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> from rbmflow.ising import state_law
    >>> K, distance = nearest_neighbour_law(state_law(Ring(6), 0.7), (6,))
    >>> print(round(K, 10), distance < 1e-15)
    0.7 True
    """
    sums = even_operators(law.states, sides, n_operators=1)[:, 0].astype(np.float64)
    there = float(law.probabilities @ sums)

    def excess(K: float) -> float:
        return float(normalised(K * sums) @ sums) - there

    if excess(-STRONGEST) >= 0 or excess(STRONGEST) <= 0:
        K = math.copysign(STRONGEST, there)
    else:
        K = bracketed_root(excess, -STRONGEST, STRONGEST)
    exponent = K * sums
    top = exponent.max()
    log_p = exponent - top - math.log(float(np.exp(exponent - top).sum()))
    return K, divergence(law.probabilities, log_p)
