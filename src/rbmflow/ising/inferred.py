"""What is inferred from configurations: couplings, their errors, and how far these can be relied on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import with_error
from rbmflow.ising.operators import Products
from rbmflow.records import Tabular

MOST_SHOWN = 6
"""Couplings in the text of a result."""


@dataclass(frozen=True, eq=False)
class InferredCouplings(Tabular):
    """Couplings K of ``ln p(v) = Σ_α K_α S_α(v) − ln Z``, from configurations.

    See Also
    --------
    infer : How they are found.

    Attributes
    ----------
    operators : tuple of str
        The names of the S_α.
    couplings : numpy.ndarray of float64, shape (n_operators,)
        K_α, of every one of the products that S_α adds up.
    stderr : numpy.ndarray of float64, shape (n_operators,)
        Their standard errors.
    covariance : numpy.ndarray of float64, shape (n_operators, n_operators)
        The covariance of the couplings' errors.
    products : tuple of tuple
        What each S_α adds up: offsets of spins at every site of a lattice, or their sites.
    shape : tuple of int
        The sides of the lattice; empty where couplings belong to sites.
    n_sites : int
        Number of spins.
    method : str
        ``"pseudo-likelihood"`` or ``"exact"``.
    n_samples : int
        Number of configurations.
    n_units : int
        Number of rows, or blocks of rows, that the errors take for independent.
    neighbour_correlation : numpy.ndarray of float64, shape (n_operators,)
        Correlation between the scores of a unit and the next one of its chain, 0 but for noise of
        ``n_units**−½`` where the errors are right; NaN where no unit has a next one.
    log_likelihood : float
        The maximum: the mean logarithm of the likelihood, or pseudo-likelihood, of a configuration, in nats.
    n_steps : int
        Steps of Newton's method.
    """

    COLUMNS: ClassVar = ("operators", "couplings", "stderr")

    operators: tuple[str, ...]
    couplings: FloatArray
    stderr: FloatArray
    covariance: FloatArray = field(repr=False)
    products: tuple[Products, ...] = field(repr=False)
    shape: tuple[int, ...]
    n_sites: int
    method: str
    n_samples: int
    n_units: int
    neighbour_correlation: FloatArray = field(repr=False)
    log_likelihood: float
    n_steps: int

    @property
    def pairs(self) -> FloatArray:
        """J_ij of couplings that belong to pairs of sites, shape (n_sites, n_sites), symmetric."""
        return self._as_matrix(self.couplings)

    @property
    def pairs_stderr(self) -> FloatArray:
        """Their standard errors."""
        return self._as_matrix(self.stderr)

    @property
    def fields(self) -> FloatArray:
        """J_i of couplings that belong to single sites, shape (n_sites,)."""
        return self._as_matrix(self.couplings, order=1)

    @property
    def fields_stderr(self) -> FloatArray:
        """Their standard errors."""
        return self._as_matrix(self.stderr, order=1)

    def _as_matrix(self, values: FloatArray, order: int = 2) -> FloatArray:
        if self.shape:
            raise ValueError(f"shape={self.shape}: couplings of a lattice belong to no sites of their own")
        matrix = np.zeros((self.n_sites,) * order)
        for products, value in zip(self.products, values, strict=True):
            for sites in products:
                if len(sites) == order:
                    place = [site for (site,) in sites]
                    matrix[tuple(place)] = matrix[tuple(place[::-1])] = value
        return matrix

    def __repr__(self) -> str:
        numbers = list(zip(self.operators, self.couplings, self.stderr, strict=True))
        parts = [f"{name}: {with_error(K, error)}" for name, K, error in numbers[:MOST_SHOWN]]
        if len(numbers) > MOST_SHOWN:
            parts.append(f"and {len(numbers) - MOST_SHOWN} more")
        return f"InferredCouplings({'; '.join(parts)}; n_samples={self.n_samples})"
