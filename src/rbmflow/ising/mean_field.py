"""The mean-field theory of the Ising model: independent spins in the field of their neighbours' mean."""

from __future__ import annotations

import numpy as np

from rbmflow.roots import bracketed_root


def mean_field_magnetization(T: float, n_neighbours: float) -> float:
    """Return the solution m ≥ 0 of ``m = tanh(z m/T)``: above 0 for T < z, in units of J/k_B.

    z is the number of neighbours, or the sum of their couplings.

    Examples
    --------
    >>> print(f"{mean_field_magnetization(2.0, 4):.6f}")
    0.957504
    """
    if n_neighbours <= T:
        return 0.0
    if T == 0:
        return 1.0
    return bracketed_root(
        lambda m: float(np.tanh(n_neighbours * m / T)) - m, float(np.sqrt(1 - T / n_neighbours)) / 2, 1.0
    )
