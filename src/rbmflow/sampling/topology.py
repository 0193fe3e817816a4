"""Lattices as the kernels see them: neighbours, colours, rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rbmflow.arguments import shown
from rbmflow.ising import Chain, Graph, Ring, Torus
from rbmflow.ising.lattice import IndexArray

Lattice = Ring | Chain | Torus | Graph
MAX_SITES = 2**30


def check_lattice(lattice: object) -> Lattice:
    """Return `lattice`, or raise unless it is one that chains can run on."""
    if not isinstance(lattice, (Ring, Chain, Torus, Graph)):
        raise TypeError(f"lattice={shown(lattice)}: a Ring, Chain, Torus or Graph is needed")
    if lattice.n_sites > MAX_SITES:
        raise ValueError(f"lattice has {lattice.n_sites} sites: at most {MAX_SITES} are possible")
    return lattice


def sides(lattice: Ring | Torus) -> tuple[int, int]:
    """Return rows and columns; a ring is one row."""
    return (lattice.n_rows, lattice.n_cols) if isinstance(lattice, Torus) else (1, lattice.n_sites)


@lru_cache(maxsize=16)
def neighbours(lattice: Ring | Torus) -> IndexArray:
    """Return the neighbours of each site, shape (n_sites, 2 or 4); the first half belong to its own bonds."""
    n_rows, n_cols = sides(lattice)
    y, x = np.divmod(np.arange(n_rows * n_cols), n_cols)
    right, left = y * n_cols + (x + 1) % n_cols, y * n_cols + (x - 1) % n_cols
    down, up = (y + 1) % n_rows * n_cols + x, (y - 1) % n_rows * n_cols + x
    columns = (right, down, left, up) if isinstance(lattice, Torus) else (right, left)
    near = np.stack(columns, axis=1).astype(np.int32)
    near.flags.writeable = False  # shared by all who ask
    return near


def as_graph(lattice: Lattice, field: float = 0.0) -> Graph:
    """Return any lattice as a graph; rings, chains and tori with couplings 1, in a uniform field."""
    return lattice if isinstance(lattice, Graph) else _regular_graph(lattice, field)


@lru_cache(maxsize=16)
def _regular_graph(lattice: Ring | Chain | Torus, field: float) -> Graph:
    if isinstance(lattice, Chain):
        bonds = [(i, i + 1) for i in range(lattice.n_sites - 1)]
        return Graph.from_bonds(lattice.n_sites, bonds, fields=field)
    near = neighbours(lattice)
    n_sites, degree = near.shape
    indptr = np.arange(0, degree * n_sites + 1, degree, dtype=np.int32)
    return Graph(indptr, near.ravel(), np.ones(near.size), np.full(n_sites, field))


@lru_cache(maxsize=16)
def colours(lattice: Ring | Chain | Torus) -> tuple[IndexArray, IndexArray]:
    """Return the sites of even and of odd row + column."""
    n_cols = lattice.n_cols if isinstance(lattice, Torus) else lattice.n_sites
    sites = np.arange(lattice.n_sites, dtype=np.int32)
    odd = (sites // n_cols + sites % n_cols) % 2 == 1
    return sites[~odd], sites[odd]
