"""An engine of a single chain, whose kernel measures as it goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import SpinArray
from rbmflow.sampling.bernoulli_digits import Words
from rbmflow.sampling.engine import Block


class OneChain:
    """One chain whose kernel measures in 64-bit integers."""

    number: Any = np.int64

    def __init__(self, n_sites: int, spins: SpinArray, generator: Words, chain: int) -> None:
        self.chains, self.generator = np.array([chain]), generator
        self.spins = spins[chain].copy()
        self.cost, self.overhead = n_sites, 100 + n_sites

    def advance(self, n_sweeps: int) -> None:
        """Sweep without measuring."""
        self._run(n_sweeps, 0, np.empty((0, len(self.spins)), dtype=np.int8))

    def measure(self, n_sweeps: int, first: int, last: int, block: Block) -> None:
        """Fill columns first … last − 1 of the block, each after `n_sweeps` sweeps."""
        chain = self.chains[0]
        samples = np.empty((0, len(self.spins)), dtype=np.int8)
        if block.spins is not None:
            samples = block.spins[chain, first:last]
        energy, magnetization = self._run(n_sweeps, last - first, samples)
        block.energy[chain, first:last] = energy
        block.magnetization[chain, first:last] = magnetization

    def _run(self, n_sweeps: int, n: int, samples: SpinArray) -> tuple[Any, Any]:
        energy, magnetization = np.empty(n, dtype=self.number), np.empty(n, dtype=np.int64)
        self._kernel(n_sweeps, energy, magnetization, samples)
        return energy, magnetization

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        raise NotImplementedError

    def write_back(self, spins: SpinArray) -> None:
        """Write the present spins of the chain."""
        spins[self.chains[0]] = self.spins
