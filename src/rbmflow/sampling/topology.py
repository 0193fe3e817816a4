"""Lattices as the kernels see them: checked, and as graphs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rbmflow.arguments import shown
from rbmflow.ising.graph import Graph
from rbmflow.ising.lattice import LATTICES, Lattice

MAX_SITES = 2**30


def check_lattice(lattice: object) -> Lattice:
    """Return `lattice`, or raise unless it is one that chains can run on."""
    if not isinstance(lattice, Lattice):
        *most, last = (kind.__name__ for kind in LATTICES.values())
        raise TypeError(f"lattice={shown(lattice)}: a {', '.join(most)} or {last} is needed")
    if lattice.n_sites > MAX_SITES:
        raise ValueError(f"lattice has {lattice.n_sites} sites: at most {MAX_SITES} are possible")
    return lattice


def as_graph(lattice: Lattice, field: float = 0.0) -> Graph:
    """Return any lattice as a graph; all but graphs with couplings 1, in a uniform field."""
    return lattice if isinstance(lattice, Graph) else _uniform_graph(lattice, field)


@lru_cache(maxsize=16)
def _uniform_graph(lattice: Lattice, field: float) -> Graph:
    near = lattice.neighbours()
    there = near >= 0
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    indices = near[there]
    return Graph(indptr, indices, np.ones(len(indices)), np.full(lattice.n_sites, field))
