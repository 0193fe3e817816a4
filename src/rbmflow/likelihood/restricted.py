"""What annealing needs of a machine of two layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.likelihood.annealed_importance import anneal, independent_log_partition, independent_spins
from rbmflow.likelihood.floor import descend, floor
from rbmflow.networks import exact_log_partition, sample_exactly
from rbmflow.networks.exact import MAX_LISTED
from rbmflow.networks.two_layers import TwoLayers, check_machine
from rbmflow.spins import random_spins
from rbmflow.workers import Progress

RANDOM_STARTS, MAX_STARTS = 5, 2000  # of descents, for each chain and in all


class Restricted:
    """Visible layers of a machine of two layers, between independent units and the machine."""

    n_sites: int
    base: float

    def __init__(self, rbm: object) -> None:
        self.rbm: TwoLayers = check_machine("rbm", rbm)
        self.n_sites = self.rbm.n_visible
        self.base = independent_log_partition(self.rbm)

    def exact(self, n_threads: int, progress: Progress | None) -> float:
        """Return ln Z by enumeration."""
        return exact_log_partition(self.rbm, n_threads=n_threads, progress=progress)

    def independent(self, n_chains: int, rng: np.random.Generator) -> SpinArray:
        """Return spins of the machine without its couplings."""
        return independent_spins(self.rbm, n_chains, rng)

    def anneal(
        self, spins: SpinArray, betas: FloatArray, rng: np.random.Generator, **how: Any
    ) -> tuple[FloatArray, SpinArray]:
        """Return the logarithms of weights along a ladder, and the spins at its end."""
        return anneal(self.rbm, spins, betas, rng, **how)

    def drawn(self, n_chains: int, rng: np.random.Generator) -> SpinArray | None:
        """Return spins from the law of the machine; None where they cannot be drawn exactly."""
        if min(self.rbm.n_visible, self.rbm.n_hidden) > MAX_LISTED:
            return None
        return sample_exactly(self.rbm, n_chains, rng=rng)

    def completed(self, rows: SpinArray, _rng: np.random.Generator) -> SpinArray:
        """Return visible spins as they are: the hidden ones are drawn at them."""
        return rows

    def listed(self, ends: SpinArray, rows: SpinArray | None) -> float:
        """Return what ln Z cannot be less than; the generator of the chains is left as they leave it."""
        n_starts = min(RANDOM_STARTS * len(ends), MAX_STARTS)
        random = random_spins(np.random.default_rng(0), n_starts, self.n_sites)
        known = ends if rows is None else np.concatenate([ends, rows])
        bottoms = descend(self.rbm, np.concatenate([ends, random]))
        return floor(self.rbm, np.concatenate([known, bottoms]))
