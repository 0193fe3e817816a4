"""The likelihood of couplings of any order itself, by sums over all states of up to 20 spins.

``∂ ln p/∂K_α = S_α − ⟨S_α⟩`` and ``−∂² ln p/∂K_α∂K_β = ⟨S_α S_β⟩ − ⟨S_α⟩⟨S_β⟩``. Products of two sets of
spins are those of the symmetric difference, so that all means come from one Walsh transform of the law.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.inference.newton import Step
from rbmflow.ising.operator_law import log_weights, mean_products, sets_of

BATCH = 2**16
"""Rows whose scores are in memory at one time."""


class ExactLikelihood:
    """The logarithm of the likelihood of rows, a function of couplings."""

    def __init__(
        self, spins: SpinArray, terms: list[list[npt.NDArray[np.int64]]], weights: FloatArray
    ) -> None:
        self.n_parameters = len(terms)
        self._spins, self._terms, self.scale = spins, terms, float(weights.sum())
        sets = [sets_of(each) for each in terms]
        self._sets = np.concatenate(sets)
        self._owner = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
        self._means = weights @ np.concatenate(list(self._sums())) / self.scale

    def at(self, couplings: FloatArray) -> Step:
        """Return ln p of all rows and its derivatives."""
        log_z, means, products = self._law(couplings)
        covariance = products - np.outer(means, means)
        value = self.scale * (float(couplings @ self._means) - log_z)
        return Step(value, self.scale * (self._means - means), self.scale * covariance)

    def scores(self, couplings: FloatArray) -> Iterator[FloatArray]:
        """Yield ``S − ⟨S⟩`` of each row, in batches of rows, without their weights."""
        _, means, _ = self._law(couplings)
        return (sums - means for sums in self._sums())

    def _law(self, couplings: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Return ln Z, the means ⟨S_α⟩ and ⟨S_α S_β⟩."""
        of_sets = np.zeros(2 ** self._spins.shape[1])
        np.add.at(of_sets, self._sets, couplings[self._owner])
        weight = log_weights(of_sets)
        top = weight.max()
        weight = np.exp(weight - top)
        z = weight.sum()
        mean = mean_products(weight / z)
        starts = np.flatnonzero(np.diff(self._owner, prepend=-1))
        pairs = mean[self._sets[:, None] ^ self._sets]
        products = np.add.reduceat(np.add.reduceat(pairs, starts, axis=0), starts, axis=1)
        return float(top + np.log(z)), np.add.reduceat(mean[self._sets], starts), products

    def _sums(self) -> Iterator[FloatArray]:
        """Yield S of each row, in batches."""
        for at in range(0, len(self._spins), BATCH):
            spins = self._spins[at : at + BATCH]
            columns = [
                sum(spins[:, sites].prod(axis=2).sum(axis=1, dtype=np.int64) for sites in each)
                for each in self._terms
            ]
            yield np.stack(columns, axis=1).astype(np.float64)
