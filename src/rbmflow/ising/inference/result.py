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
LINE = 110
"""Characters of a text in one line."""


@dataclass(frozen=True, eq=False, repr=False)
class NamedCouplings(Tabular):
    """Couplings by the names of their operators, with errors: what results have in common."""

    COLUMNS: ClassVar = ("operators", "couplings", "stderr")

    operators: tuple[str, ...]
    couplings: FloatArray
    stderr: FloatArray
    covariance: FloatArray = field(repr=False)
    products: tuple[Products, ...] = field(repr=False)
    shape: tuple[int, ...]
    n_sites: int
    n_samples: int

    @property
    def pairs(self) -> FloatArray:
        """J_ij of couplings that belong to pairs of sites, shape (n_sites, n_sites), symmetric."""
        return self._of_sites(self.couplings, 2)

    @property
    def pairs_stderr(self) -> FloatArray:
        """Their standard errors."""
        return self._of_sites(self.stderr, 2)

    @property
    def fields(self) -> FloatArray:
        """J_i of couplings that belong to single sites, shape (n_sites,)."""
        return self._of_sites(self.couplings, 1)

    @property
    def fields_stderr(self) -> FloatArray:
        """Their standard errors."""
        return self._of_sites(self.stderr, 1)

    def _of_sites(self, values: FloatArray, order: int) -> FloatArray:
        if self.shape:
            raise ValueError(f"shape={self.shape}: couplings of a lattice belong to no sites of their own")
        found = np.zeros((self.n_sites,) * order)
        for products, value in zip(self.products, values, strict=True):
            for sites in products:
                if len(sites) == order:
                    place = tuple(site for (site,) in sites)
                    found[place] = found[place[::-1]] = value
        return found

    def __repr__(self) -> str:
        numbers = list(zip(self.operators, self.couplings, self.stderr, strict=True))
        parts = [f"{name}: {with_error(K, error)}" for name, K, error in numbers[:MOST_SHOWN]]
        if len(numbers) > MOST_SHOWN:
            parts.append(f"and {len(numbers) - MOST_SHOWN} more")
        parts.append(f"n_samples={self.n_samples}")
        line = f"{type(self).__name__}({', '.join(parts)})"
        if len(line) <= LINE:
            return line
        return "\n".join([f"{type(self).__name__}(", *(f"    {part}," for part in parts), ")"])


@dataclass(frozen=True, eq=False, repr=False)
class InferredCouplings(NamedCouplings):
    """Couplings K of ``ln p(v) = Σ_α K_α S_α(v) − ln Z``, from configurations.

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
    n_samples : int
        Number of configurations.
    method : str
        ``"pseudo-likelihood"`` or ``"exact"``.
    n_units : int
        Number of rows, or blocks of rows, that the errors take for independent.
    neighbour_correlation : numpy.ndarray of float64, shape (n_operators,)
        Correlation between the scores of a unit and the next one of its chain, 0 but for noise of
        ``n_units**−½`` where the errors are right; NaN where no unit has a next one.
    log_likelihood : float
        The maximum: the mean logarithm of the likelihood, or pseudo-likelihood, of a configuration, in nats.
    n_steps : int
        Steps of Newton's method.

    See Also
    --------
    infer : How they are found.
    """

    method: str
    n_units: int
    neighbour_correlation: FloatArray = field(repr=False)
    log_likelihood: float
    n_steps: int
