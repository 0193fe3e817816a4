"""The pseudo-likelihood of couplings that belong to sites: one of each pair, or of any products.

As in `pseudo_likelihood`, but each site has its own couplings and products.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.inference.newton import Step

BATCH = 2**21
"""Numbers of products that are in memory at one time, for one site, and of scores of rows."""


class SiteCouplings:
    """Couplings of products of given sites."""

    def __init__(
        self, spins: SpinArray, terms: list[list[npt.NDArray[np.int64]]], weights: FloatArray
    ) -> None:
        self.n_parameters = len(terms)
        self._spins, self._weights = spins, weights
        self.scale = float(weights.sum()) * spins.shape[1]
        self._of_site = [_OfSite(site) for site in range(spins.shape[1])]
        for coupling, each in enumerate(terms):
            for sites in (row for one in each for row in one.tolist()):
                for site in sites:
                    self._of_site[site].add(coupling, sites)

    def at(self, couplings: FloatArray) -> Step:
        """Return ℓ and its derivatives."""
        value, k = 0.0, self.n_parameters
        gradient, information = np.zeros(k), np.zeros((k, k))
        for rows in self._batches(max(map(len, self._of_site))):
            columns, weights = self._columns(rows), self._weights[rows]
            for site in self._of_site:
                x, mine = site.products(columns), site.couplings
                field = couplings[mine] @ x
                slope = np.tanh(field)
                value -= float(weights @ np.logaddexp(0.0, -2 * field))
                gradient[mine] += x @ (weights * (1 - slope))
                information[np.ix_(mine, mine)] += (x * (weights * (1 - slope) * (1 + slope))) @ x.T
        return Step(value, gradient, information)

    def scores(self, couplings: FloatArray) -> Iterator[FloatArray]:
        """Yield the derivatives of ℓ of each row, in batches of rows, without their weights."""
        for rows in self._batches(self.n_parameters):
            columns = self._columns(rows)
            scores = np.zeros((self.n_parameters, columns.shape[1]))
            for site in self._of_site:
                x, mine = site.products(columns), site.couplings
                scores[mine] += x * (1 - np.tanh(couplings[mine] @ x))
            yield scores.T

    def _columns(self, rows: slice) -> SpinArray:
        return np.ascontiguousarray(self._spins[rows].T)

    def _batches(self, numbers: int) -> Iterator[slice]:
        size = max(1, BATCH // max(numbers, 1))
        return (slice(at, at + size) for at in range(0, len(self._spins), size))


class _OfSite:
    """The products that the spin of one site is in."""

    def __init__(self, site: int) -> None:
        self._site = site
        self.couplings: list[int] = []
        self._others: list[tuple[int, list[int]]] = []

    def __len__(self) -> int:
        return len(self.couplings)

    def add(self, coupling: int, sites: list[int]) -> None:
        if not self.couplings or self.couplings[-1] != coupling:
            self.couplings.append(coupling)
        self._others.append((len(self.couplings) - 1, [other for other in sites if other != self._site]))

    def products(self, columns: SpinArray) -> FloatArray:
        """Return the sums of the products of each coupling, shape (couplings, n)."""
        sums = np.zeros((len(self.couplings), columns.shape[1]))
        for at, others in self._others:
            sums[at] += reduce(np.multiply, (columns[other] for other in others), columns[self._site])
        return sums
