"""The Boltzmann law of a small lattice over all its configurations."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import shown
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.enumerated import Enumerated
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.level_table import check_listed
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw, law_of_all


def state_law(lattice: Lattice, K: float) -> StateLaw:
    """Return ``q(v) = e^(−K E(v))/Z`` over all 2^n configurations of a small lattice.

    ``E = −Σ v_i v_j``, and of a graph ``E = −Σ J_ij v_i v_j − Σ h_i v_i``, whose differences from the
    likeliest state are rounded once.

    Parameters
    ----------
    lattice : Lattice
        Of at most 24 sites.
    K : float
        Coupling βJ, finite.

    Returns
    -------
    StateLaw
        The states in the order of `spins.all_states`.

    Raises
    ------
    ValueError
        If the lattice has more sites than that: its states cannot be listed.

    See Also
    --------
    rbmflow.networks.visible_law : The law of a machine.
    rbmflow.networks.kl_divergence : How far apart they are.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> law = state_law(Ring(3), 0.5)
    >>> law.correlations[0, 1]
    np.float64(0.6149)
    """
    if not isinstance(lattice, Lattice):
        raise TypeError(f"lattice={shown(lattice)}: a lattice is needed, as Ring, Torus or Graph")
    if isinstance(lattice, Enumerated):
        return lattice.state_law(K)
    coupling = check_listed(lattice.n_sites, K)
    states = all_states(lattice.n_sites)
    exponent = coupling * pair_sums(lattice, states).astype(np.float64)
    return law_of_all(exponent)
