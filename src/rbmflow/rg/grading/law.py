"""What is measured of one step of a map by sums over all states of a small lattice."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.inference.infer import infer
from rbmflow.ising.inference.result import InferredCouplings
from rbmflow.ising.operators import Products
from rbmflow.rg.block_spins import Sides
from rbmflow.rg.coarse_law import conditionals, nearest_neighbour_law
from rbmflow.rg.grading.information import block_of, environment_of, law_information
from rbmflow.rg.monte_carlo import SMALLEST_SIDE, leading_exponent
from rbmflow.rg.operators import lattice_sums, unrolled
from rbmflow.rg.transformation import Transformation
from rbmflow.state_law import StateLaw

Named = dict[str, Products]
"""Operators by name."""


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
    transformation: Transformation,
    fine: StateLaw,
    coarse: StateLaw,
    sides: Sides,
    operators: Named,
    parity: str,
) -> Values:
    """Return the exponents of a map with 1, 2, … operators by sums over all states.

    Of ``⟨S' Sᵀ⟩`` S' is averaged over the coarse spins first, given the fine ones.
    """
    coarse_sides, n = transformation.output_shape(sides), len(operators)
    if min(coarse_sides[:2]) < SMALLEST_SIDE:
        return Values.unknown(n)
    laws, terms = ((coarse, coarse_sides), (fine, sides)), list(operators.values())
    after, before = (lattice_sums(law.states, at, terms).astype(np.float64) for law, at in laws)
    sums = np.zeros((2 * n + 1, 2 * n + 1))
    for at, rows, law in ((slice(n), after, coarse), (slice(n, -1), before, fine)):
        sums[at, at] = (rows * law.probabilities[:, None]).T @ rows
        sums[at, -1] = sums[-1, at] = law.probabilities @ rows
    for part, conditional in conditionals(transformation, fine, sides):
        sums[:n, n:-1] += (conditional @ after).T @ (before[part] * fine.probabilities[part, None])
    sums[-1, -1] = 1
    try:
        b = transformation.scale_factor
        return Values.exact(*(leading_exponent(sums, k, b, parity) for k in range(1, n + 1)))
    except ValueError:  # operators that coincide, or an eigenvalue that is not positive
        return Values.unknown(n)


def law_couplings(coarse: StateLaw, sides: Sides, operators: Named) -> Values:
    """Return the couplings of the coarse law, those of its largest pseudo-likelihood."""
    states, plain, _ = unrolled(coarse.states, sides)
    found = told_apart(states, plain, operators, weights=coarse.probabilities)
    known, n = 0 if found is None else len(found.couplings), len(operators)
    return Values(padded(found, n).value, np.where(np.arange(n) < known, 0.0, np.nan))


def told_apart(
    spins: SpinArray, sides: Sides, operators: Named, weights: FloatArray | None = None
) -> InferredCouplings | None:
    """Return the couplings of the first operators, as many as the lattice and the rows tell apart."""
    items = list(operators.items())
    for n in range(len(items), 0, -1):
        with suppress(ValueError):
            return infer(spins, sides, operators=dict(items[:n]), weights=weights)
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
