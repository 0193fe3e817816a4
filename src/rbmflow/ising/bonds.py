"""Energies of configurations of spins, or of their means, on a lattice."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.ising.ring import Ring
from rbmflow.ising.torus import Torus


def bonds_per_site(lattice: Ring | Torus) -> int:
    """Return the number of bonds to a site, which is the energy of the ground state in −J per site.

    Examples
    --------
    >>> bonds_per_site(Ring(8)), bonds_per_site(Torus(4, 4))
    (1, 2)
    """
    return 1 if isinstance(lattice, Ring) else 2


def energies(lattice: Ring | Torus, configurations: FloatArray | SpinArray) -> FloatArray:
    """Return ``−Σ v_i v_j / n`` over the bonds for each row; of means it is the mean energy of independent spins.

    Examples
    --------
    >>> energies(Torus(2, 3), np.array([[1.0] * 6, [0.5] * 6]))
    array([-2. , -0.5])
    """
    shape = (lattice.n_sites,) if isinstance(lattice, Ring) else (lattice.n_rows, lattice.n_cols)
    sites = np.asarray(configurations, dtype=np.float64).reshape(-1, *shape)
    neighbours = sum(np.roll(sites, -1, axis) for axis in range(1, sites.ndim))
    return np.asarray(-(sites * neighbours).reshape(len(sites), -1).sum(axis=1) / lattice.n_sites)
