"""What is measured of one step of a map from samples of a lattice and of what the map makes of them."""

from __future__ import annotations

import itertools
import math

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.operators import products_through
from rbmflow.ising.solved import Solved
from rbmflow.rg.block_maps import BlockMap
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.grading.information import block_of, environment_of, ring_information
from rbmflow.rg.grading.law import Named, Values, buffer_of, padded, told_apart
from rbmflow.rg.grading.sampled_information import (
    Sampled,
    exact_posteriors,
    information_of,
    lower_bound,
    summable,
)
from rbmflow.rg.grading.trace import log_ratios
from rbmflow.rg.monte_carlo import SMALLEST_SIDE, exponents
from rbmflow.rg.operators import lattice_sums, unrolled
from rbmflow.rg.transformation import MAX_LISTED, Transformation

ROWS_AT_ONCE = 2**11


def sampled_exponents(
    before: SpinArray,
    after: SpinArray,
    shapes: tuple[Sides, Sides],
    b: float,
    operators: Named,
    n_blocks: int,
    parity: str,
) -> Values:
    """Return the exponents of a map with 1, 2, … operators from samples of both lattices."""
    if min(shapes[1][:2]) < SMALLEST_SIDE:
        return Values.unknown(len(operators))
    terms = list(operators.values())
    sums = [
        lattice_sums(rows, sides, terms).astype(np.float64)
        for rows, sides in zip((before, after), shapes, strict=True)
    ]
    if parity == "even":
        sums = [one - one.mean(axis=0) for one in sums]
    try:
        return Values(*exponents(sums[0], sums[1], b, n_blocks, parity)[:2])
    except ValueError:  # singular correlations, or an eigenvalue that is not positive
        return Values.unknown(len(operators))


def sampled_couplings(
    after: SpinArray, sides: Sides, operators: Named, n_chains: int | None, n_blocks: int
) -> tuple[Values, Values]:
    """Return the couplings of samples, and what those beyond the first, of nearest neighbours, are worth.

    The second is the mean difference, per spin, of the logarithms of two pseudo-likelihoods.
    """
    rows, plain, times = unrolled(after, sides)
    shaped = rows if n_chains is None else rows.reshape(n_chains, -1, rows.shape[-1])
    first = dict(list(operators.items())[:1])
    full, near = (told_apart(shaped, plain, some) for some in (operators, first))
    if full is None or near is None:
        return Values.unknown(len(operators)), Values.unknown(1)
    gain = np.concatenate(
        [
            _log_pseudo(part, plain, operators, full.couplings)
            - _log_pseudo(part, plain, operators, near.couplings)
            for part in np.split(rows, range(ROWS_AT_ONCE, len(rows), ROWS_AT_ONCE))
        ]
    )
    gain /= times * math.prod(sides[:2])
    return padded(full, len(operators)), mean_of(gain, n_blocks)


def _log_pseudo(rows: SpinArray, sides: Sides, operators: Named, K: FloatArray) -> FloatArray:
    lattices = rows.reshape(-1, *sides)
    field = np.zeros(lattices.shape)
    for coupling, terms in zip(K.tolist(), operators.values(), strict=False):
        field += coupling * products_through(lattices, terms)
    return np.asarray(-np.logaddexp(0.0, -2.0 * field).reshape(len(rows), -1).sum(axis=1))


def sampled_information(
    transformation: Transformation,
    before: SpinArray,
    after: SpinArray,
    sides: Sides,
    K: float | None,
    buffer: int | None,
    n_blocks: int,
) -> tuple[Values, int, str]:
    """Return I(h : E), the buffer and how it was found; K is None where the fine law is not a lattice's."""
    chosen = buffer_of(transformation, sides, buffer)
    if chosen is None:
        return Values.unknown(1), 0, "none"
    if K is not None and isinstance(transformation, BlockMap):
        if len(sides) == 1 and transformation.scale_factor <= MAX_LISTED:
            return Values.exact(ring_information(transformation, sides[0], K, chosen)[0]), chosen, "exact"
        if summable(transformation, sides, chosen):
            posteriors = exact_posteriors(transformation, before, sides, K, chosen)
            return _values(information_of(posteriors, n_blocks)), chosen, "sampled"
    outside = environment_of(block_of(transformation, sides), sides, chosen)
    return _values(lower_bound(after[:, 0], before, sides, outside, n_blocks)), chosen, "bound"


def _values(found: Sampled) -> Values:
    return Values(np.array([found.information]), np.array([found.stderr]))


def mean_of(series: FloatArray, n_blocks: int) -> Values:
    """Return the mean of rows in their order, with the error from the spread of blocks."""
    edges = np.linspace(0, len(series), n_blocks + 1).astype(int)
    means = np.array([series[start:stop].mean() for start, stop in itertools.pairwise(edges)])
    return Values(np.array([series.mean()]), np.array([means.std(ddof=1) / math.sqrt(n_blocks)]))


def divergence_from(
    transformation: Transformation, lattice: Solved, K: float, spins: SpinArray, n_blocks: int
) -> Values:
    """Return the relative entropy of the lattice's law from a machine's, from samples of the first."""
    ratios = log_ratios(transformation, lattice, K, spins)
    return Values.unknown(1) if ratios is None else mean_of(ratios, n_blocks)
