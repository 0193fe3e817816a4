"""Chains on any graph as bits of a word for each site: blocks of 64 chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import graph_replicas
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.hardware import simd_level
from rbmflow.ising import Graph
from rbmflow.ising.lattice import IndexArray
from rbmflow.sampling.bernoulli_digits import Words
from rbmflow.sampling.engine import Block
from rbmflow.sampling.topology import strengths

CHAINS = 64  # of a block
PLACES = 30  # bits of a local field beside its sign
MAX_SPREAD = 60  # of the units of sites, as a power of two: more could vanish in float32
LARGEST = 1e30  # K over which fields in any unit are as good as infinite; times 2^30 at most infinite


@dataclass(frozen=True, eq=False)
class Scaled:
    """A graph as the kernel sees it: local fields as integers, in a unit of each site."""

    graph: Graph
    weights: IndexArray  # twice the couplings
    bases: IndexArray  # local fields where all neighbours are down
    units: npt.NDArray[np.float32]  # of each site, over the largest
    largest: float
    ends: IndexArray  # of the bonds
    walls: FloatArray  # twice the coupling of each
    downs: FloatArray  # twice the fields, none where there are none
    ground: float  # the energy where all spins are up

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """Round couplings and fields to multiples of 2⁻²⁹ or less of ``Σ |J| + |h|`` of each site."""
        rows = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr))
        exponents = _exponents(graph)
        whole = np.rint(np.ldexp(graph.couplings, PLACES - exponents[rows])).astype(np.int64)
        # exact: all numbers here are integers of less than 2^53
        sums = np.bincount(rows, weights=whole, minlength=graph.n_sites).astype(np.int64)
        fields = np.rint(np.ldexp(graph.fields, PLACES - exponents)).astype(np.int64)
        top = int(exponents.max())
        own = rows < graph.indices
        walls, downs = 2 * graph.couplings[own], 2 * graph.fields
        return cls(
            graph=graph,
            weights=(2 * whole).astype(np.int32),  # 2^31 becomes -2^31, which is the same modulo 2^32
            bases=(fields - sums).astype(np.int32),
            units=np.ldexp(np.float32(1.0), exponents - top),
            largest=float(np.ldexp(1.0, top - PLACES)),
            ends=np.stack([rows[own].astype(np.int32), graph.indices[own]], axis=1),
            walls=walls,
            downs=downs if downs.any() else np.empty(0),
            ground=-float(walls.sum() + downs.sum()) / 2,
        )


def fits(graph: Graph) -> bool:
    """Return whether the units of all sites are float32 numbers."""
    exponents = _exponents(graph)
    return int(exponents.max() - exponents.min()) <= MAX_SPREAD


def _exponents(graph: Graph) -> npt.NDArray[np.int32]:
    """The powers of two just above the strength of each site, the largest of all where there is none."""
    strength = strengths(graph)
    strength[strength == 0] = strength.max() or 1.0
    return np.frexp(strength)[1]


class GraphReplicas:
    """Chains in blocks of 64, a bit of each in a word for each site.

    Without an order each block draws its sites, with a generator of its own: the first words of a row of
    `choosers`. Its chains then visit the same sites. They stay independent given these, so that what two of
    them measure is uncorrelated.
    """

    chains: npt.NDArray[np.intp]
    generators: Words
    place: slice | npt.NDArray[np.intp]
    packed: Words
    K: npt.NDArray[np.float32]
    cost: int
    overhead: int

    def __init__(
        self,
        scaled: Scaled,
        K: FloatArray,
        metropolis: bool,
        order: IndexArray,
        spins: SpinArray,
        generators: Words,
        chains: npt.NDArray[np.intp],
        choosers: Words | None = None,
    ) -> None:
        self.scaled, self.chains, self.generators = scaled, chains, generators
        self.metropolis, self.order = metropolis, order
        self.choosers = np.empty((0, 0), dtype=np.uint64) if choosers is None else choosers
        self.drawn = np.empty(scaled.graph.n_sites, dtype=np.int32)
        # neighbouring chains are a part of each array of chains, which need not be copied
        together = chains[-1] - chains[0] + 1 == len(chains)
        self.place = slice(chains[0], chains[-1] + 1) if together else chains
        n_sites, n_blocks = scaled.graph.n_sites, len(generators)
        self.packed = np.empty((n_blocks, n_sites), dtype=np.uint64)
        graph_replicas.pack(spins[self.place], self.packed)
        n_bonds = len(scaled.walls)
        self.cost = n_blocks * (50 * n_sites + 10 * n_bonds)
        self.overhead = 20_000 + self.cost
        self.K = np.zeros((n_blocks, CHAINS), dtype=np.float32)
        self.couple(K)

    def couple(self, K: FloatArray) -> None:
        """Give the chains couplings."""
        with np.errstate(over="ignore"):
            self.K.ravel()[: len(self.chains)] = np.clip(K * self.scaled.largest, -LARGEST, LARGEST)

    def advance(self, n_sweeps: int) -> None:
        """See `Engine`."""
        n_chains = len(self.chains)
        nothing = np.empty((n_chains, 0))
        self._run(n_sweeps, nothing, nothing, np.empty((0, 0, self.packed.shape[1]), dtype=np.int8))

    def measure(self, n_sweeps: int, first: int, last: int, block: Block) -> None:
        """See `Engine`."""
        n_sites = self.packed.shape[1]
        shape = len(self.chains), last - first
        straight = isinstance(self.place, slice)
        samples = np.empty((0, last - first, n_sites), dtype=np.int8)
        # the kernel writes all measurements of chains that are neighbours, or else beside them
        fits = straight and last - first == block.energy.shape[1]
        if block.spins is not None:
            samples = block.spins[self.place] if fits else np.empty((*shape, n_sites), dtype=np.int8)
        if straight:
            energy, magnetization = (
                series[self.place, first:last] for series in (block.energy, block.magnetization)
            )
        else:
            energy, magnetization = np.empty(shape), np.empty(shape)
        self._run(n_sweeps, energy, magnetization, samples)
        if not straight:
            block.energy[self.place, first:last] = energy
            block.magnetization[self.place, first:last] = magnetization
        if block.spins is not None and not fits:
            block.spins[self.place, first:last] = samples

    def _run(self, n_sweeps: int, energy: FloatArray, magnetization: FloatArray, samples: SpinArray) -> None:
        scaled = self.scaled
        graph_replicas.run(
            self.packed,
            self.generators,
            self.K,
            scaled.graph.indptr,
            scaled.graph.indices,
            scaled.weights,
            scaled.bases,
            scaled.units,
            self.order,
            self.choosers,
            self.drawn,
            self.metropolis,
            n_sweeps,
            scaled.ends,
            scaled.walls,
            scaled.downs,
            scaled.ground,
            energy,
            magnetization,
            samples,
            simd_level(),
        )

    def write_back(self, spins: SpinArray) -> None:
        """See `Engine`."""
        out = np.empty((len(self.chains), self.packed.shape[1]), dtype=np.int8)
        graph_replicas.unpack(self.packed, out, simd_level())
        spins[self.place] = out
