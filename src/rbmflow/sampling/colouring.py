"""Colours of sites: no bond joins two sites of one colour, which may all be updated at the same time."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import numpy as np

from rbmflow._kernels import graph_replicas
from rbmflow.ising.lattice import IndexArray, Lattice, read_only


@lru_cache(maxsize=16)
def colours(lattice: Lattice) -> tuple[IndexArray, ...]:
    """Return the sites of each colour, increasing: the sublattices where there are any.

    Otherwise each site in its turn takes the least colour that its neighbours have left, so that there is at
    most one more than the largest number of neighbours.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> [sites.tolist() for sites in colours(Ring(5))]
    [[0, 2], [1, 3], [4]]
    """
    with suppress(ValueError):
        return lattice.sublattices()
    graph = lattice.to_graph()
    found = np.empty(graph.n_sites, dtype=np.int32)
    marks = np.full(graph.coordination + 1, -1, dtype=np.int32)
    graph_replicas.colour(graph.indptr, graph.indices, found, marks)
    ends = np.cumsum(np.bincount(found))
    sites = read_only(np.argsort(found, kind="stable").astype(np.int32))
    return tuple(np.split(sites, ends[:-1]))
