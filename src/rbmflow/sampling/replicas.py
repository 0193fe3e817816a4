"""Chains as bits of a word for each site: 512 replicas at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import multispin
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.hardware import simd_level
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import IndexArray
from rbmflow.sampling.bernoulli_digits import ALL_ONES, BELOW_ONE, Words, as_words, binary_digits
from rbmflow.sampling.engine import Block
from rbmflow.sampling.reducibility import sweep_sites

REPLICAS = 512


class Replicas:
    """Up to 512 chains, a bit of each in every word."""

    chains: npt.NDArray[np.intp]
    generator: Words
    metropolis: bool
    place: slice | npt.NDArray[np.intp]
    neighbours: IndexArray
    order: npt.NDArray[np.int32]
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
        self.chains, self.generator, self.metropolis = chains, generator, metropolis
        # neighbouring chains are a part of each array of chains, which need not be copied
        together = chains[-1] - chains[0] + 1 == len(chains)
        self.place = slice(chains[0], chains[-1] + 1) if together else chains
        self.neighbours, self.order = lattice.neighbours(), sweep_sites(lattice, order)
        self.cost, self.overhead = 60 * lattice.n_sites, 20_000 + 60 * lattice.n_sites
        self.packed = np.empty((lattice.n_sites, REPLICAS // 64), dtype=np.uint64)
        multispin.pack(spins[self.place], self.packed, simd_level())
        self.active = as_words(np.arange(REPLICAS) < len(chains))
        # what a flip costs, over |K|, against all neighbours and against all but one of four
        self.costs = np.array([2.0 * lattice.coordination, 4.0])
        self.values = np.empty(0)
        self.couple(K)

    def couple(self, K: FloatArray) -> None:
        """Give the chains couplings."""
        strength = np.full(REPLICAS, K[0])
        strength[: len(K)] = K
        self.negative = as_words(strength < 0)
        values = np.union1d(self.values, np.abs(strength))
        if len(values) > len(self.values):
            self.values = values
            with np.errstate(over="ignore"):
                costs = np.outer(self.costs, values)
                chance = np.minimum(np.exp(-costs), BELOW_ONE) if self.metropolis else 1 / (1 + np.exp(costs))
            self.table = binary_digits(chance)
        if len(values) == 1:
            self.digits = np.where(self.table, ALL_ONES, np.uint64(0)).repeat(REPLICAS // 64, axis=-1)
        else:
            self.digits = as_words(self.table[..., np.searchsorted(values, np.abs(strength))])

    def advance(self, n_sweeps: int) -> None:
        """See `Engine`."""
        self._run(n_sweeps, 0, np.empty((0, 0, self.packed.shape[0]), dtype=np.int8))

    def measure(self, n_sweeps: int, first: int, last: int, block: Block) -> None:
        """See `Engine`."""
        n_chains, n_sites = len(self.chains), self.packed.shape[0]
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
        block.energy[self.place, first:last] = energy[:, :n_chains].T
        block.magnetization[self.place, first:last] = magnetization[:, :n_chains].T
        if block.spins is not None and not fits:
            block.spins[self.place, first:last] = samples

    def _run(self, n_sweeps: int, n: int, samples: SpinArray) -> tuple[Any, Any]:
        energy, magnetization = (np.empty((n, REPLICAS), dtype=np.int32) for _ in range(2))
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
        return energy, magnetization

    def write_back(self, spins: SpinArray) -> None:
        """See `Engine`."""
        out = spins[self.place]
        multispin.unpack(self.packed, out, simd_level())
        spins[self.place] = out
