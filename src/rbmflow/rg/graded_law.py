"""What is measured of one step of a map by sums over all states of a small lattice."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.infer import infer
from rbmflow.ising.inferred import InferredCouplings
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.coarse_law import conditionals, nearest_neighbour_law
from rbmflow.rg.information import block_of, environment_of, law_information
from rbmflow.rg.monte_carlo import SMALLEST_SIDE, leading_exponent
from rbmflow.rg.operators import even_operators, odd_operators, operators_of, unrolled
from rbmflow.rg.transformation import Transformation
from rbmflow.state_law import StateLaw

MEASURE = {"even": even_operators, "odd": odd_operators}


class Values(NamedTuple):
    """Numbers and their standard errors, which are 0 where sums are exact."""

    value: FloatArray
    stderr: FloatArray

    @classmethod
    def unknown(cls, count: int) -> Values:
        """Return as many NaN."""
        return cls(np.full(count, np.nan), np.full(count, np.nan))

    @classmethod
    def exact(cls, *numbers: float) -> Values:
        """Return numbers without an error."""
        return cls(np.array(numbers), np.zeros(len(numbers)))


def law_exponents(
    transformation: Transformation, fine: StateLaw, coarse: StateLaw, sides: Sides, count: int, parity: str
) -> Values:
    """Return the exponents of a map with 1, 2, … operators by sums over all states.

    Of ``⟨S' Sᵀ⟩`` S' is averaged over the coarse spins first, given the fine ones.
    """
    coarse_sides = transformation.output_shape(sides)
    if min(coarse_sides[:2]) < SMALLEST_SIDE:
        return Values.unknown(count)
    rows = [
        MEASURE[parity](law.states, at, n_operators=count).astype(np.float64)
        for law, at in ((coarse, coarse_sides), (fine, sides))
    ]
    rows = [np.hstack([one, np.ones((len(one), 1))]) for one in rows]
    moments = [
        (one * law.probabilities[:, None]).T @ one for one, law in zip(rows, (coarse, fine), strict=True)
    ]
    across = np.zeros((count, count))
    for part, conditional in conditionals(transformation, fine, sides):
        weighted = rows[1][part, :count] * fine.probabilities[part, None]
        across += (conditional @ rows[0][:, :count]).T @ weighted
    within, before = moments[0][:count, :count], moments[1][:count, :count]
    ends = np.concatenate([moments[0][:count, -1], moments[1][:count, -1]])
    sums = np.block([[within, across], [across.T, before]])
    sums = np.block([[sums, ends[:, None]], [ends[None], np.ones((1, 1))]])
    try:
        b = transformation.scale_factor
        return Values.exact(*(leading_exponent(sums, k, b, parity) for k in range(1, count + 1)))
    except ValueError:  # operators that coincide, or an eigenvalue that is not positive
        return Values.unknown(count)


def law_couplings(coarse: StateLaw, sides: Sides, count: int) -> Values:
    """Return the couplings of the coarse law, those of its largest pseudo-likelihood."""
    states, plain, _ = unrolled(coarse.states, sides)
    found = told_apart(states, plain, count, weights=coarse.probabilities)
    known = 0 if found is None else len(found.couplings)
    return Values(padded(found, count).value, np.where(np.arange(count) < known, 0.0, np.nan))


def told_apart(
    spins: SpinArray, sides: Sides, count: int, weights: FloatArray | None = None
) -> InferredCouplings | None:
    """Return the couplings of as many even operators, up to some, as the lattice and the rows tell apart."""
    products = list(operators_of(sides, "even").items())
    for n in range(count, 0, -1):
        with suppress(ValueError):
            return infer(spins, sides, operators=dict(products[:n]), weights=weights)
    return None


def padded(found: InferredCouplings | None, count: int) -> Values:
    """Return couplings and their errors, NaN for those that were not told apart."""
    values = Values.unknown(count)
    if found is not None:
        values.value[: len(found.couplings)] = found.couplings
        values.stderr[: len(found.couplings)] = found.stderr
    return values


def law_relative_entropy(coarse: StateLaw, sides: Sides) -> Values:
    """Return the relative entropy per spin of the coarse law to the nearest one of nearest neighbours."""
    return Values.exact(nearest_neighbour_law(coarse, sides)[1] / coarse.n_sites)


def law_step_information(
    transformation: Transformation, fine: StateLaw, sides: Sides, buffer: int | None
) -> tuple[Values, int]:
    """Return I(h : E), and the buffer: 1 where it leaves an environment, unless it is given."""
    chosen = buffer_of(transformation, sides, buffer)
    if chosen is None:
        return Values.unknown(1), 0
    return Values.exact(law_information(transformation, fine, sides, chosen)[0]), chosen


def buffer_of(transformation: Transformation, sides: Sides, buffer: int | None) -> int | None:
    """Return the buffer, by default 1 if it leaves an environment, else 0; None if there is none.

    Examples
    --------
    >>> from rbmflow.rg import Majority
    >>> buffer_of(Majority(), (8, 8), None), buffer_of(Majority(), (4, 4), None)
    (1, 0)
    """
    try:
        block = block_of(transformation, sides)
    except ValueError:
        return None
    for width in (1, 0) if buffer is None else (buffer,):
        with suppress(ValueError):
            environment_of(block, sides, width)
            return width
    return None
