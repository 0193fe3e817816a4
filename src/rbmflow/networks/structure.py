"""Weights with a structure: equal, local pairs on a ring, copies of one sublattice."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real_scalar, shown
from rbmflow.ising.crystal import check_periodic
from rbmflow.ising.graph import check_equal_bonds, check_without_fields

MAX_WEIGHTS = 10**9


def uniform_weights(n_visible: int, n_hidden: int, weight: float) -> FloatArray:
    """Return weights that all equal `weight`; see `RBM.uniform`."""
    shape = (check_integer("n_visible", n_visible, 1), check_integer("n_hidden", n_hidden, 1))
    if shape[0] * shape[1] > MAX_WEIGHTS:
        raise ValueError(
            f"n_visible={shown(shape[0])}, n_hidden={shown(shape[1])}: "
            f"at most {MAX_WEIGHTS} weights are possible"
        )
    value = check_real_scalar("weight", weight)
    if not np.isfinite(value):
        raise ValueError(
            f"weight={shown(weight)}: a finite weight is needed; the limit W → ∞ of the flow is flow.sign"
        )
    return np.full(shape, value)


def local_weights(n_visible: int, K: float) -> FloatArray:
    """Return the weights of one hidden unit on each bond of a ring; see `RBM.local_ring`.

    Tracing h out of ``e^(h w (v + v'))`` gives ``2cosh 2w`` where the spins agree and 2 where they do not, so
    ``e^(2K) = cosh 2w``.
    """
    n = check_integer("n_visible", n_visible, 3, 30_000)
    coupling = _finite_coupling(K)
    if coupling < 0:
        raise ValueError(
            f"K={shown(K)}: cosh 2w = e^(2K) needs K >= 0; for K < 0 and an even ring flip every second spin"
        )
    weights = np.zeros((n, n))
    bonds = np.arange(n)
    weights[bonds, bonds] = weights[(bonds + 1) % n, bonds] = _pair_weight(coupling)
    return weights


def bond_weights(lattice: object, K: float, n_copies: int) -> FloatArray:
    """Return the weights of hidden units on each bond of a lattice; see `RBM.local`."""
    on = check_without_fields(lattice)
    coupling = _finite_coupling(K)
    copies = check_integer("n_copies", n_copies, 1, MAX_WEIGHTS)
    bonds, J = on.bonds(), on.bond_couplings()
    if on.n_sites * len(bonds) * copies > MAX_WEIGHTS:
        raise ValueError(
            f"n_copies={copies}: on {len(bonds)} bonds of {on.n_sites} sites at most {MAX_WEIGHTS} weights "
            "are possible"
        )
    strengths, which = np.unique(np.abs(J), return_inverse=True)
    of_bonds = np.array([_pair_weight(abs(coupling) * one / copies) for one in strengths.tolist()])[which]
    weights = np.zeros((on.n_sites, len(bonds)))
    hidden = np.arange(len(bonds))
    weights[bonds[:, 0], hidden] = of_bonds
    weights[bonds[:, 1], hidden] = np.copysign(of_bonds, coupling * J)
    return np.tile(weights, copies)


def _pair_weight(K: float) -> float:
    """Return w with ``cosh 2w = e^(2K)``.

    ``2w = ln(e^(2K) + √(e^(4K) − 1))``, here with e^(−4K) so that nothing overflows.
    """
    sine = np.sqrt(-np.expm1(-4 * K))  # √(1 − e^(−4K)) = tanh 2w
    weight = K + np.log1p(sine) / 2
    if K < 0.1:  # 2w = artanh(tanh 2w): nothing is lost in 1 + small
        weight = np.arctanh(sine) / 2
    return float(weight)


def decimating_weights(lattice: object, K: float, copy_weight: float) -> FloatArray:
    """Return the weights of hidden copies of one sublattice; see `RBM.decimating`."""
    on = check_periodic(lattice)
    check_equal_bonds(on)
    kept, *others = on.sublattices()
    if len(others) != 1:
        raise ValueError(f"lattice={shown(lattice)}: two sublattices are needed, it has {len(others) + 1}")
    coupling = _finite_coupling(K)
    copy = check_real_scalar("copy_weight", copy_weight)
    if not np.isfinite(copy):
        raise ValueError(f"copy_weight={shown(copy_weight)}: a finite weight is needed")
    n_sites = on.n_sites
    if n_sites * len(kept) > MAX_WEIGHTS:
        raise ValueError(f"lattice has {n_sites} sites: at most {MAX_WEIGHTS} weights are possible")
    weights = np.zeros((n_sites, len(kept)))
    hidden = np.arange(len(kept))
    weights[kept, hidden] = copy
    for near in on.neighbours()[kept].T:  # along a side of 2 a neighbour comes twice, with two bonds
        weights[near, hidden] += coupling
    return weights


def _finite_coupling(K: float) -> float:
    coupling = check_real_scalar("K", K)
    if not np.isfinite(coupling):
        raise ValueError(f"K={shown(K)}: a finite coupling is needed")
    return coupling
