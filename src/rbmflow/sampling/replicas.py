"""Chains as bits of a word for each site: 512 replicas at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import multispin
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.hardware import simd_level
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.graph import Graph
from rbmflow.ising.lattice import IndexArray
from rbmflow.sampling.bernoulli_digits import ALL_ONES, BELOW_ONE, Words, as_words, binary_digits
from rbmflow.sampling.engine import Block
from rbmflow.sampling.reducibility import sweep_sites

REPLICAS = 512
FEW = 64  # couplings, of which each has its replicas' bits together
MOST = 6  # bonds of a site of any graph


class Replicas:
    """Up to 512 chains, a bit of each in every word."""

    chains: npt.NDArray[np.intp]
    generator: Words
    metropolis: bool
    place: slice | npt.NDArray[np.intp]
    neighbours: IndexArray
    order: IndexArray
    n_sites: int
    scale: float = 1.0  # of the energies that the kernel counts
    cost: int
    overhead: int
    packed: Words
    active: Words
    costs: FloatArray
    negative: Words
    values: FloatArray
    table: npt.NDArray[np.bool_]
    digits: Words

    def __init__(
        self,
        lattice: Crystal,
        K: FloatArray,
        metropolis: bool,
        order: str,
        spins: SpinArray,
        generator: Words,
        chains: npt.NDArray[np.intp],
    ) -> None:
        self._begin(lattice.n_sites, metropolis, sweep_sites(lattice, order), spins, generator, chains)
        self.neighbours = lattice.neighbours()
        # what a flip costs, over |K|, against all neighbours and against all but one of four
        self.costs = np.array([2.0 * lattice.coordination, 4.0])
        self.couple(K)

    def _begin(
        self,
        n_sites: int,
        metropolis: bool,
        order: IndexArray,
        spins: SpinArray,
        generator: Words,
        chains: npt.NDArray[np.intp],
        extra: int = 0,
    ) -> None:
        """Pack the spins, with so many rows behind them."""
        self.chains, self.generator, self.metropolis = chains, generator, metropolis
        self.n_sites, self.order = n_sites, order
        # neighbouring chains are a part of each array of chains, which need not be copied
        together = chains[-1] - chains[0] + 1 == len(chains)
        self.place = slice(chains[0], chains[-1] + 1) if together else chains
        self.cost, self.overhead = 60 * n_sites, 20_000 + 60 * n_sites
        self.packed = np.empty((n_sites + extra, REPLICAS // 64), dtype=np.uint64)
        multispin.pack(spins[self.place], self.packed[:n_sites], simd_level())
        self.active = as_words(np.arange(REPLICAS) < len(chains))
        self.values = np.empty(0)

    def couple(self, K: FloatArray) -> None:
        """Give the chains couplings."""
        strength = np.full(REPLICAS, K[0])
        strength[: len(K)] = K
        self.negative = as_words(strength < 0)
        values = np.union1d(self.values, np.abs(strength))
        if len(values) > len(self.values):
            self.values = values
            with np.errstate(over="ignore"):
                costs = np.multiply.outer(self.costs, values)
                chance = np.minimum(np.exp(-costs), BELOW_ONE) if self.metropolis else 1 / (1 + np.exp(costs))
            self.table = binary_digits(chance)
        place = np.searchsorted(values, np.abs(strength))
        if len(values) <= FEW:  # no two share a bit, so that their sums are their unions
            of_values = as_words(place == np.arange(len(values))[:, np.newaxis])
            self.digits = self.table.astype(np.uint64) @ of_values
        else:
            self.digits = as_words(self.table[..., place])

    def advance(self, n_sweeps: int) -> None:
        """See `Engine`."""
        self._run(n_sweeps, 0, np.empty((0, 0, self.n_sites), dtype=np.int8))

    def measure(self, n_sweeps: int, first: int, last: int, block: Block) -> None:
        """See `Engine`."""
        n_chains, n_sites = len(self.chains), self.n_sites
        samples = np.empty((0, last - first, n_sites), dtype=np.int8)
        fits = isinstance(self.place, slice) and last - first == block.energy.shape[1]
        if block.spins is not None:
            # the kernel writes all measurements of chains that are neighbours, or else beside them
            samples = (
                block.spins[self.place]
                if fits
                else np.empty((n_chains, last - first, n_sites), dtype=np.int8)
            )
        energy, magnetization = self._run(n_sweeps, last - first, samples)
        block.energy[self.place, first:last] = self.scale * energy[:, :n_chains].T
        block.magnetization[self.place, first:last] = magnetization[:, :n_chains].T
        if block.spins is not None and not fits:
            block.spins[self.place, first:last] = samples

    def _run(self, n_sweeps: int, n: int, samples: SpinArray) -> tuple[Any, Any]:
        energy, magnetization = (np.empty((n, REPLICAS), dtype=np.int32) for _ in range(2))
        self._kernel(n_sweeps, energy, magnetization, samples)
        return energy, magnetization

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        multispin.run(
            self.packed,
            self.generator,
            self.neighbours,
            self.order,
            self.metropolis,
            self.negative,
            self.active,
            self.digits,
            n_sweeps,
            energy,
            magnetization,
            samples,
            simd_level(),
        )

    def write_back(self, spins: SpinArray) -> None:
        """See `Engine`."""
        out = spins[self.place]
        multispin.unpack(self.packed[: self.n_sites], out, simd_level())
        spins[self.place] = out


@dataclass(frozen=True, eq=False)
class Inputs:
    """A graph as the kernel sees it: what each site's neighbours are, and how they pull."""

    n_sites: int
    inputs: IndexArray  # (n_sites, 6), beyond the neighbours the numbers of two rows: all down, all up
    signs: npt.NDArray[np.uint8]  # bit k where the bond to neighbour k is negative
    degrees: npt.NDArray[np.uint8]
    ends: IndexArray  # of the bonds
    bond_signs: npt.NDArray[np.uint8]
    scale: float  # of all couplings

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """List the neighbours of a graph of which `are_mixed` is true."""
        n_sites, degrees = graph.n_sites, np.diff(graph.indptr)
        rows = np.repeat(np.arange(n_sites), degrees)
        places = np.arange(len(rows)) - graph.indptr[rows]
        # pairs of a spin down and one up, after the neighbours, pull nowhere
        inputs = (n_sites + (np.arange(MOST) - degrees[:, np.newaxis]) % 2).astype(np.int32)
        inputs[rows, places] = graph.indices
        falling = graph.couplings < 0
        own = rows < graph.indices
        return cls(
            n_sites=n_sites,
            inputs=inputs,
            signs=np.bincount(rows, weights=falling * 2.0**places, minlength=n_sites).astype(np.uint8),
            degrees=degrees.astype(np.uint8),
            ends=np.stack([rows[own].astype(np.int32), graph.indices[own]], axis=1),
            bond_signs=falling[own].astype(np.uint8),
            scale=float(np.abs(graph.couplings).max(initial=0.0)),
        )


class MixedReplicas(Replicas):
    """The same on a graph whose bonds differ in their signs alone, with up to six of them to a site."""

    def __init__(
        self,
        on: Inputs,
        K: FloatArray,
        metropolis: bool,
        order: IndexArray,
        spins: SpinArray,
        generator: Words,
        chains: npt.NDArray[np.intp],
    ) -> None:
        self._begin(on.n_sites, metropolis, order, spins, generator, chains, extra=2)
        self.packed[-2], self.packed[-1] = 0, ALL_ONES
        self.on, self.scale = on, on.scale
        # what a flip costs against 2, 4 and 6 neighbours more on one side than on the other, or 1, 3 and 5
        self.costs = 2 * np.array([[2.0, 4.0, 6.0], [1.0, 3.0, 5.0]]) * self.scale
        self.couple(K)

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        on = self.on
        multispin.run_mixed(
            self.packed,
            self.generator,
            on.inputs,
            on.signs,
            on.degrees,
            self.order,
            on.ends,
            on.bond_signs,
            self.metropolis,
            self.negative,
            self.active,
            self.digits,
            n_sweeps,
            energy,
            magnetization,
            samples,
            simd_level(),
        )


def are_mixed(graph: Graph) -> bool:
    """Return whether bonds differ in their signs alone, with no field and no more than six to a site."""
    strengths = np.abs(graph.couplings)
    equal = not len(strengths) or bool((strengths == strengths[0]).all())
    return equal and not graph.fields.any() and graph.coordination <= MOST
