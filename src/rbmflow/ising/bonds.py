"""Sums over the bonds of configurations of spins, or of their means, on a lattice."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.graph import Graph
from rbmflow.ising.lattice import Lattice


def shifted(lattice: Crystal, configurations: Any, step: tuple[int, ...], r: int = 1) -> Any:
    """Return at each site the spin that r times a step to another cell leads to, shape ``(n, n_sites)``.

    Of a lattice without ends.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> shifted(Ring(4), [[1, 2, 3, 4]], (1,), 2)
    array([[3, 4, 1, 2]])
    """
    sites = np.asarray(configurations).reshape(-1, *lattice.shape)
    turned = np.roll(sites, [-r * along for along in step], tuple(range(1, 1 + len(step))))
    return turned.reshape(len(sites), -1)


def pair_sums(lattice: Lattice, configurations: Any) -> Any:
    """Return ``Σ J v_i v_j`` over the bonds for each row, in integers where spins are and all J are 1.

    Examples
    --------
    >>> from rbmflow import Chain, Torus
    >>> pair_sums(Torus(2, 3), np.ones((1, 6), dtype=np.int8)), pair_sums(Chain(3), [[1.0, 0.5, -1.0]])
    (array([12]), array([0.]))
    """
    sites = np.asarray(configurations).reshape(-1, lattice.n_sites)
    whole = sites.dtype.kind in "iu"
    dtype = np.int64 if whole else np.float64
    if not whole:
        sites = sites.astype(dtype, copy=False)
    if not isinstance(lattice, Crystal) or not lattice.translation_invariant or lattice.basis > 1:
        first, second = lattice.bonds().T
        products = sites[:, first] * sites[:, second]
        return (
            products.sum(axis=1, dtype=dtype) if lattice.equal_bonds else products @ lattice.bond_couplings()
        )
    # whole arrays are shifted faster than sites are gathered
    along = [(J, step) for J, step in zip(lattice.couplings, lattice.steps, strict=True) if J]
    if lattice.equal_bonds:
        return (sites * sum(shifted(lattice, sites, step) for _, step in along)).sum(axis=1, dtype=dtype)
    return sum(J * (sites * shifted(lattice, sites, step)).sum(axis=1, dtype=dtype) for J, step in along)


def energies(lattice: Lattice, configurations: FloatArray | SpinArray) -> FloatArray:
    """Return ``−Σ J v_i v_j / n`` over the bonds for each row; of a graph ``−Σ h_i v_i / n`` is added.

    Of means it is the mean energy of independent spins.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> energies(Torus(2, 3), np.array([[1.0] * 6, [0.5] * 6]))
    array([-2. , -0.5])
    """
    found = np.asarray(-pair_sums(lattice, configurations).astype(np.float64) / lattice.n_sites)
    if isinstance(lattice, Graph) and lattice.fields.any():
        sites = np.asarray(configurations, dtype=np.float64).reshape(-1, lattice.n_sites)
        found -= sites @ lattice.fields / lattice.n_sites
    return found


def aligned_energy(lattice: Lattice) -> tuple[float, float]:
    """Return a and b of the mean energy per site ``a m² + b m`` of independent spins of mean m.

    Examples
    --------
    >>> from rbmflow import Honeycomb
    >>> aligned_energy(Honeycomb(2, 2))
    (-1.5, 0.0)
    """
    bonds = float(pair_sums(lattice, np.ones((1, lattice.n_sites)))[0]) / lattice.n_sites
    return -bonds, -float(lattice.fields.mean()) if isinstance(lattice, Graph) else 0.0
