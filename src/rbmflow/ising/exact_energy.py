"""The exact energy of a lattice and its spread, where they are known."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.ising.chain import Chain
from rbmflow.ising.enumerated import Enumerated
from rbmflow.ising.ground_states import fields_of, ground_states, pair_couplings
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.solved import Solved
from rbmflow.ising.strips.transferred import Transferred
from rbmflow.ising.strips.values import best_slices

MAX_ENUMERATED_SITES = 24
"""Whose states are summed over in milliseconds; more are possible, and take longer than chains."""


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
    found = exact_curve(lattice, np.array([K]), field)
    if found is None:
        return None
    return float(found[0][0]), math.sqrt(found[1][0] / lattice.n_sites) / K


def exact_curve(lattice: Lattice, K: FloatArray, field: float = 0.0) -> tuple[FloatArray, FloatArray] | None:
    """Return energies and heat capacities per site at several K in (0, ∞), None if they are not known.

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> energy, heat_capacity = exact_curve(Triangular(6, 6), np.array([0.1, 0.2]))
    >>> energy.round(4), exact_curve(Triangular(13, 13), np.array([0.1])) is None
    (array([-0.374 , -1.0721]), True)
    """
    if not has_exact_curve(lattice, field):
        return None
    found = _curve(lattice, tuple(K.tolist()), field)
    return None if found is None else (found[0].copy(), found[1].copy())


def has_exact_curve(lattice: Lattice, field: float = 0.0) -> bool:
    """Whether `exact_curve` knows the lattice, but for temperatures too low for its numbers.

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> has_exact_curve(Triangular(10, 10)), has_exact_curve(Triangular(13, 13))
    (True, False)
    """
    if isinstance(lattice, (Solved, Chain)):
        return not field
    narrow = isinstance(lattice, Transferred) and best_slices(lattice) is not None
    return narrow or (isinstance(lattice, Enumerated) and lattice.n_sites <= MAX_ENUMERATED_SITES)


@lru_cache(maxsize=256)
def _curve(lattice: Lattice, K: tuple[float, ...], field: float) -> tuple[FloatArray, FloatArray] | None:
    """See `exact_curve`: transfer matrices take up to a second for each K, and several ask for the same."""
    couplings = np.array(K)
    if isinstance(lattice, Transferred) and best_slices(lattice) is not None:
        try:
            return lattice.energy(couplings, field=field), lattice.heat_capacity(couplings, field=field)
        except ValueError:  # so cold that weights of frustrated states underflow
            return None
    on = lattice.to_graph(field) if field else lattice
    assert isinstance(on, (Solved, Chain, Enumerated))
    return on.energy(couplings), on.heat_capacity(couplings)
