"""The Boltzmann law of a small lattice over all its configurations."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import check_real_scalar, shown
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.graph import check_equal_bonds
from rbmflow.ising.lattice import Lattice
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw, law_of_all

MAX_SITES = 24


def state_law(lattice: Lattice, K: float) -> StateLaw:
    """Return ``q(v) = e^(K Σ v_i v_j)/Z`` over all 2^n configurations of a small lattice.

    Parameters
    ----------
    lattice : Ring, Chain or Torus
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
    check_equal_bonds(lattice)
    if lattice.n_sites > MAX_SITES:
        raise ValueError(
            f"lattice has {lattice.n_sites} sites: at most {MAX_SITES} are possible "
            "where all states are listed"
        )
    coupling = check_real_scalar("K", K)
    if not np.isfinite(coupling):
        raise ValueError(f"K={shown(K)}: a finite coupling is needed")
    states = all_states(lattice.n_sites)
    exponent = coupling * pair_sums(lattice, states).astype(np.float64)
    return law_of_all(exponent)
