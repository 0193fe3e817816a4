"""The exact energy of a lattice and its spread, where they are known."""

from __future__ import annotations

import math

from rbmflow.ising.chain import Chain
from rbmflow.ising.ground_states import fields_of, ground_states, pair_couplings
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.solved import Solved


def exact_energy(lattice: Lattice, K: float, field: float = 0.0) -> tuple[float, float] | None:
    """Return the mean energy per site, in J, and its standard deviation, at K in [0, ∞]; None if unknown.

    Examples
    --------
    >>> from rbmflow import Hypercubic, Torus
    >>> print(*(round(one, 4) for one in exact_energy(Torus(4, 4), 0.5)))
    -1.7554 0.3891
    >>> exact_energy(Hypercubic((9, 9, 9)), math.inf), exact_energy(Hypercubic((9, 9, 9)), 0.2)
    ((-3.0, 0.0), None)
    """
    if K == 0:
        squares = sum(
            float((one**2).sum()) for one in (pair_couplings(lattice)[2], fields_of(lattice, field))
        )
        return 0.0, math.sqrt(squares) / lattice.n_sites
    if not field and isinstance(lattice, (Solved, Chain)):
        spread = 0.0 if math.isinf(K) else math.sqrt(lattice.heat_capacity(K) / lattice.n_sites) / K
        return float(lattice.energy(K)), spread
    if math.isinf(K):
        ground = ground_states(lattice, field)
        return None if ground is None else (ground.energy, 0.0)
    return None
