"""Lattices that chains can run on."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.ising import Graph
from rbmflow.ising.lattice import Lattice, names_of

MAX_SITES = 2**30


def check_lattice(lattice: object) -> Lattice:
    """Return `lattice`, or raise unless it is one that chains can run on."""
    if not isinstance(lattice, Lattice):
        raise TypeError(f"lattice={shown(lattice)}: {names_of(Lattice)} is needed")
    if lattice.n_sites > MAX_SITES:
        raise ValueError(f"lattice has {lattice.n_sites} sites: at most {MAX_SITES} are possible")
    return lattice


def strengths(graph: Graph) -> FloatArray:
    """Return ``Σ |J| + |h|`` of each site."""
    rows = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr))
    return np.abs(graph.fields) + np.bincount(rows, np.abs(graph.couplings), graph.n_sites)
