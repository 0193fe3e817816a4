"""The pseudo-likelihood of translation-invariant couplings, and of a coupling for each pair.

With ``ln p(v) = Σ_α K_α S_α(v) − ln Z`` a spin has, given all others, ``p(v_i | …) = 1/(1 + e^(−2 K·x_i))``,
where ``x_αi`` is the sum of the products of S_α that it is in, itself among them. So

    ℓ(K) = −Σ_r w_r Σ_i ln(1 + e^(−2 K·x_i)),    ∂ℓ/∂K = Σ_r w_r Σ_i x_i (1 − tanh K·x_i),
    −∂²ℓ/∂K∂K = Σ_r w_r Σ_i x_i x_iᵀ sech² K·x_i,

a concave function, of which no ln Z is needed (J. Besag, Statistician 24, 179 (1975)).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.inference.newton import Step
from rbmflow.ising.operators import Products, n_through, products_through

BATCH = 2**19
"""Spins whose products are in memory at one time."""
MAX_LISTED = 2**18
"""Values of x of which each has a number of its own; of more, those that occur are sorted out."""


class Classes:
    """Couplings that are the same at every site: all that matters is how often x has which value."""

    def __init__(
        self, spins: SpinArray, sides: tuple[int, ...], products: list[Products], weights: FloatArray
    ) -> None:
        self.n_parameters = len(products)
        self._spins, self._sides, self._products = spins, sides, products
        self._levels = [n_through(each) + 1 for each in products]
        self._listed = math.prod(self._levels) <= MAX_LISTED
        self._weights = weights
        self.scale = float(weights.sum()) * spins.shape[1]
        codes, self._counts = self._count()
        self._x = self._values(codes)

    def at(self, couplings: FloatArray) -> Step:
        """Return ℓ and its derivatives."""
        x, field = self._x, self._x @ couplings
        slope = np.tanh(field)
        curvature = self._counts * (1 - slope) * (1 + slope)
        value = -float(self._counts @ np.logaddexp(0.0, -2 * field))
        return Step(value, (self._counts * (1 - slope)) @ x, (x * curvature[:, None]).T @ x)

    def scores(self, couplings: FloatArray) -> Iterator[FloatArray]:
        """Yield the derivatives of ℓ of each row, in batches of rows, without their weights."""
        for rows in self._batches():
            codes, place = self._codes(self._spins[rows])
            x = self._values(codes)
            each = x * (1 - np.tanh(x @ couplings))[:, None]
            yield np.stack([one[place].sum(axis=1) for one in each.T], axis=1)

    def _batches(self) -> Iterator[slice]:
        size = max(1, BATCH // self._spins.shape[1])
        return (slice(at, at + size) for at in range(0, len(self._spins), size))

    def _codes(self, spins: SpinArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return numbers of values of x, and for each row and site the place of its own among them."""
        lattices = spins.reshape(-1, *self._sides)
        code: Any = 0
        for products, levels in zip(self._products, self._levels, strict=True):
            level = (products_through(lattices, products).astype(np.int64) + levels - 1) // 2
            code = code * levels + level
        code = code.reshape(len(spins), -1)
        if self._listed:
            return np.arange(math.prod(self._levels)), code
        codes, place = np.unique(code, return_inverse=True)
        return codes, place.reshape(code.shape)

    def _count(self) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return the numbers that occur, and the weight of the rows and sites where they do."""
        known: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        counts: FloatArray = np.empty(0)
        for rows in self._batches():
            codes, place = self._codes(self._spins[rows])
            weights = np.repeat(self._weights[rows], self._spins.shape[1])
            there = np.bincount(place.ravel(), weights=weights, minlength=len(codes))
            codes, there = codes[there > 0], there[there > 0]
            known, place = np.unique(np.concatenate([known, codes]), return_inverse=True)
            counts = np.bincount(place, weights=np.concatenate([counts, there])).astype(np.float64)
        return known, counts

    def _values(self, codes: npt.NDArray[np.int64]) -> FloatArray:
        """Return x of their numbers, shape (n, n_parameters)."""
        columns = []
        for levels in reversed(self._levels):
            codes, level = np.divmod(codes, levels)
            columns.append(2.0 * level - (levels - 1))
        return np.stack(columns[::-1], axis=1)
