"""Sums over the bonds of configurations of spins, or of their means, on a lattice."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.lattice import Lattice, Periodic


def shifted(lattice: Periodic, configurations: Any, step: tuple[int, ...], r: int = 1) -> Any:
    """Return at each site the spin that r times a step leads to, shape ``(n, n_sites)``.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> shifted(Ring(4), [[1, 2, 3, 4]], (1,), 2)
    array([[3, 4, 1, 2]])
    """
    sites = np.asarray(configurations).reshape(-1, *lattice.shape)
    turned = np.roll(sites, [-r * along for along in step], tuple(range(1, sites.ndim)))
    return turned.reshape(len(sites), -1)


def pair_sums(lattice: Lattice, configurations: Any) -> Any:
    """Return ``Σ v_i v_j`` over the bonds for each row, in integers where spins are.

    Examples
    --------
    >>> from rbmflow import Chain, Torus
    >>> pair_sums(Torus(2, 3), np.ones((1, 6), dtype=np.int8)), pair_sums(Chain(3), [[1.0, 0.5, -1.0]])
    (array([12]), array([0.]))
    """
    sites = np.asarray(configurations).reshape(-1, lattice.n_sites)
    dtype = np.int64 if sites.dtype.kind in "iu" else np.float64
    if dtype == np.float64:
        sites = sites.astype(dtype, copy=False)
    if isinstance(lattice, Periodic):  # whole arrays are shifted faster than sites are gathered
        neighbours = sum(shifted(lattice, sites, step) for step in lattice.steps)
        return (sites * neighbours).sum(axis=1, dtype=dtype)
    first, second = lattice.bonds().T
    return (sites[:, first] * sites[:, second]).sum(axis=1, dtype=dtype)


def energies(lattice: Lattice, configurations: FloatArray | SpinArray) -> FloatArray:
    """Return ``−Σ v_i v_j / n`` over the bonds for each row.

    Of means it is the mean energy of independent spins.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> energies(Torus(2, 3), np.array([[1.0] * 6, [0.5] * 6]))
    array([-2. , -0.5])
    """
    return np.asarray(-pair_sums(lattice, configurations).astype(np.float64) / lattice.n_sites)
