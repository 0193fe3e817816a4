"""Chains of cluster updates: rings and tori of equal bonds without field, and everything else as graphs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from rbmflow._kernels import cluster, graph_clusters
from rbmflow.arguments import FloatArray, SpinArray, check_integer
from rbmflow.hardware import check_memory, simd_level
from rbmflow.ising import Hypercubic, Ring, Torus
from rbmflow.ising.lattice import MAX_LISTED_SITES, SMALLER, IndexArray, Lattice
from rbmflow.sampling.bernoulli_digits import Words
from rbmflow.sampling.engine import Block
from rbmflow.sampling.one_chain import OneChain

N_SUMS = 4  # over clusters: see ext/simd/clusters.h
ENTRY_BYTES = 48  # of a bond in a row, while rows are made


def is_plain_torus(lattice: Lattice) -> bool:
    """Whether the kernel of tori can take a lattice: a ring or a torus of equal bonds, by any name."""
    if isinstance(lattice, Hypercubic):
        return len(lattice.shape) <= 2 and all(lattice.periodic) and lattice.equal_bonds
    return isinstance(lattice, (Ring, Torus))


class _Clusters(OneChain):
    """A chain whose kernel sums over the clusters of its last update, too."""

    sums: FloatArray  # of the last call

    def measure(self, n_sweeps: int, first: int, last: int, block: Block) -> None:
        """Fill columns first … last − 1 of the block, each after `n_sweeps` sweeps."""
        super().measure(n_sweeps, first, last, block)
        if block.clusters is not None:
            block.clusters[self.chains[0], first:last] = self.sums


class TorusClusters(_Clusters):
    """Wolff or Swendsen-Wang on a ring or a torus."""

    def __init__(
        self,
        lattice: Lattice,
        K: float,
        rule: str,
        order: str,
        spins: SpinArray,
        generator: Words,
        chain: int,
        field: float,
    ) -> None:
        del order, field
        super().__init__(lattice.n_sites, spins, generator, chain)
        self.cost = 500 + 6 * lattice.n_sites
        self.shape = (1, *lattice.shape)[-2:]  # a ring is one row
        self.sign, self.single = -1 if K < 0 else 1, rule == "wolff"
        self.cut = float(np.exp(-2 * abs(K)))

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        self.sums = np.full((len(energy), N_SUMS), np.nan)
        n_sites, n_words = self.spins.size, self.shape[0] * -(-self.shape[1] // 64)
        cluster.run(
            self.spins.reshape(self.shape),
            self.generator,
            self.sign,
            self.cut,
            self.single,
            n_sweeps,
            energy,
            magnetization,
            self.sums,
            samples.reshape(-1, *self.shape),
            np.empty(5 * n_words, dtype=np.uint64),
            np.empty(6 * n_words + 3 * n_sites, dtype=np.int32),
            np.empty(n_sites, dtype=np.uint8),
            simd_level(),
        )


class GraphClusters(_Clusters):
    """Wolff or Swendsen-Wang on any graph, in fields with a ghost spin.

    Fields are bonds to one more spin, the ghost: ``K (Σ J v_i v_j + Σ h_i v_i g)`` has no field, and its law
    is the one in the field times a fair coin for g, in the variables ``v_i g`` and g. Both rules leave it
    invariant, with Wolff's clusters begun at sites alone too: where a cluster begins does not depend on the
    spins, so that a cluster grows from either of the two states between which its flip leads with chances in
    the ratio of their weights. The products ``v_i g`` therefore are a chain in the field. In their terms a
    cluster with the ghost stays as it is; instead of it Swendsen-Wang tosses a coin for each of the others
    and Wolff flips all of them at once.
    """

    number = np.float64

    def __init__(
        self,
        lattice: Lattice,
        K: float,
        rule: str,
        order: str,
        spins: SpinArray,
        generator: Words,
        chain: int,
        field: float,
    ) -> None:
        del order
        super().__init__(lattice.n_sites, spins, generator, chain)
        self.K, self.single = K, rule == "wolff"
        self.bonds = bonds_and_ghost(lattice, field, both=self.single)
        self.cost = 500 + 5 * lattice.n_sites + 6 * len(self.bonds[1])
        self.overhead += 5 * lattice.n_sites + 2 * len(self.bonds[1])

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        self.sums, n_nodes = np.full((len(energy), N_SUMS), np.nan), len(self.bonds[0]) - 1
        with np.errstate(over="ignore"):
            cuts = np.exp(-2 * np.abs(self.K * self.bonds[-1]))
        graph_clusters.run(
            self.spins,
            self.generator,
            *self.bonds,
            cuts,
            -1 if self.K < 0 else 1,
            self.single,
            n_sweeps,
            energy,
            magnetization,
            self.sums,
            samples,
            np.empty(2 * n_nodes, dtype=np.int8),
            np.empty(3 * n_nodes, dtype=np.int32),
        )


@lru_cache(maxsize=16)
def bonds_and_ghost(
    lattice: Lattice, field: float, *, both: bool
) -> tuple[IndexArray, IndexArray, IndexArray, FloatArray]:
    """Return compressed rows of all bonds, those to a ghost among them, in both rows or in the first.

    Returns
    -------
    tuple of numpy.ndarray
        Where rows begin, the two sites of each bond, that of the row first, and its coupling. The ghost is
        the last site, if there is a field.
    """
    graph = lattice.to_graph(field)
    source = np.repeat(np.arange(graph.n_sites, dtype=np.int32), np.diff(graph.indptr))
    target, couplings = graph.indices, graph.couplings
    in_field = np.flatnonzero(graph.fields).astype(np.int32)
    n_entries = check_integer("bonds and fields, twice", len(source) + 2 * len(in_field), 0, MAX_LISTED_SITES)
    check_memory(f"the bonds of {graph.n_sites} sites for clusters", ENTRY_BYTES * n_entries, SMALLER)
    if len(in_field):
        ghost, h = np.full(len(in_field), graph.n_sites, dtype=np.int32), graph.fields[in_field]
        source, target = np.concatenate([source, in_field, ghost]), np.concatenate([target, ghost, in_field])
        couplings = np.concatenate([couplings, h, h])
    if not both:
        first = source < target
        source, target, couplings = source[first], target[first], couplings[first]
    rows = np.argsort(source, kind="stable")
    n_nodes = graph.n_sites + bool(len(in_field))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n_nodes))])
    return indptr.astype(np.int32), source[rows], target[rows], couplings[rows]
