"""Lattices that experiments go to, by name and sides, or by name alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rbmflow.cli.geometry import SIDED, lattice_of

DIMENSIONS = {"square": 2, "cubic": 3}
"""Hypercubic lattices with names of their own, of which one side stands for all."""
PLACES = (*SIDED, *DIMENSIONS)
"""What the lattices are called."""
N_SITES = 100
"""Of a lattice whose sides are not said, about."""


def place_of(name: str, sides: Sequence[int]) -> Any:
    """Return a lattice without ends, by one of `PLACES`; where no sides are said, of about a hundred sites.

    Examples
    --------
    >>> place_of("cubic", []).label, place_of("triangular", [6]).label, place_of("honeycomb", []).n_sites
    ('cubic lattice of 5 x 5 x 5', 'triangular lattice of 6 x 6', 98)
    """
    dimension = DIMENSIONS.get(name)
    if not sides:
        small = lattice_of("hypercubic", [2] * dimension) if dimension else lattice_of(name, [3])
        basis = small.n_sites // math.prod(small.cells)
        sides = [round((N_SITES / basis) ** (1 / small.dimension))]
    if dimension is None:
        return lattice_of(name, sides)
    if len(sides) not in (1, dimension):
        raise ValueError(f"{name}: one or {dimension} sides are needed")
    return lattice_of("hypercubic", [*sides] * (dimension // len(sides)))
