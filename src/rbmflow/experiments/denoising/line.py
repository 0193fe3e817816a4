"""Couplings below which the best estimate of a noisy lattice is the noisy lattice, by exact posteriors.

Posterior means rise with every field, so that a spin is most easily overruled where it stands alone against
all others. There K is searched at which the mean of that spin is 0.
"""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.experiments.tables import Table
from rbmflow.ising import RingInFields, denoising_coupling, noise_field
from rbmflow.roots import bracketed_root
from rbmflow.spins import all_states

LOWEST, HIGHEST = 0.01, 8.0
BISECTIONS = 44  # of that interval, to 5e-13
TORI = (4, 6, 8)
"""Sides L of tori whose line is computed, with matrices of 2^L rows."""


def root_of_messages(error_rate: float) -> float:
    """Return K at which ``tanh u = tanh K tanh(b + u)`` has the solution u = b/2.

    Examples
    --------
    >>> print(f"{root_of_messages(0.05):.6f}")
    0.761756
    """
    b = float(noise_field(error_rate))

    def excess(K: float) -> float:
        return float(np.tanh(K) * np.tanh(1.5 * b) - np.tanh(b / 2))

    return bracketed_root(excess, LOWEST, HIGHEST)


def flip_on_ring(error_rates: FloatArray, n_sites: int = 64) -> FloatArray:
    """Return for each ε the K at which the exact posterior mean of a lonely spin of a ring changes sign.

    Examples
    --------
    >>> flip_on_ring(np.array([0.05, 0.15]))
    array([0.7618, 0.5149])
    """
    lonely = np.where(np.arange(n_sites) == n_sites // 2, -1, 1)
    seen = noise_field(error_rates)[:, None] * lonely
    low, high = np.full(len(error_rates), LOWEST), np.full(len(error_rates), HIGHEST)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        overruled = RingInFields(middle[:, None], seen).means[:, n_sites // 2] > 0
        low, high = np.where(overruled, low, middle), np.where(overruled, middle, high)
    return np.asarray((low + high) / 2)


def flip_on_torus(error_rate: float, side: int) -> float:
    """Return the K at which the posterior mean of a lonely spin of an L × L torus changes sign.

    With S = D^½ V D^½, V the bonds between rows and D a row in the field b, the weights of the lonely spin's
    values without its own data are ``Σ_σ e^(−b σ_0) (S^L)_σσ`` over the rows with that σ_0.

    Examples
    --------
    >>> print(f"{flip_on_torus(0.15, 4):.6f}")
    0.239610
    """
    b = float(noise_field(error_rate))
    rows = all_states(side).astype(np.float64)
    products, bonds = rows @ rows.T, (rows * np.roll(rows, 1, axis=1)).sum(axis=1)
    up = rows[:, 0] > 0

    def excess(K: float) -> float:
        on_row = (K * bonds + b * rows.sum(axis=1)) / 2
        exponent = K * products + on_row[:, None] + on_row
        weights = np.diag(np.linalg.matrix_power(np.exp(exponent - exponent.max()), side))
        return float(np.log(weights[up].sum() / weights[~up].sum()) / 2 - 2 * b)

    return bracketed_root(excess, LOWEST, HIGHEST)


def line(error_rates: FloatArray) -> Table:
    """Return the line by formula, by its root, and by the posteriors of rings and tori."""
    columns = {
        "error_rate": error_rates.tolist(),
        "field": noise_field(error_rates).tolist(),
        "K_star": denoising_coupling(error_rates).tolist(),
        "K_of_messages": [root_of_messages(rate) for rate in error_rates],
        "K_ring_of_64": flip_on_ring(error_rates).tolist(),
    }
    for side in TORI:
        columns[f"K_torus_{side}"] = [flip_on_torus(rate, side) for rate in error_rates]
    return Table("Couplings below which nothing mends a noisy lattice", columns)
