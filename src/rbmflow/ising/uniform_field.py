"""The exact law of a ring or a torus in a uniform field, by its pair sum and its magnetization.

Of a torus the numbers of configurations of each pair sum and magnetization are counted; of a ring of any size
the energy and its variance come from the transfer matrix and its derivatives.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.ising.ring import Ring
from rbmflow.ising.ring_counts import ring_degeneracies
from rbmflow.ising.torus import Torus

MAX_COUPLING = 1e100
"""Of couplings and fields over T: sums of them stay finite, and beyond it all spins are aligned."""


@lru_cache(maxsize=4)
def sums_and_log_counts(lattice: Ring | Torus) -> tuple[FloatArray, FloatArray]:
    """Pair sums and magnetizations of a lattice as columns, and the logarithms of their counts.

    Examples
    --------
    >>> sums, log_counts = sums_and_log_counts(Ring(3))
    >>> sums.tolist(), np.exp(log_counts).round().tolist()
    ([[-1.0, -1.0], [-1.0, 1.0], [3.0, -3.0], [3.0, 3.0]], [3.0, 3.0, 1.0, 1.0])
    """
    if isinstance(lattice, Ring):
        table = ring_degeneracies(lattice.n_sites)
        pairs, magnetization, count = table.alpha, table.magnetization, table.count
    else:
        joint = lattice.joint_density_of_states()
        pairs, magnetization, count = tuple(-E for E in joint.energy), joint.magnetization, joint.count
    sums = np.array([pairs, magnetization], dtype=np.float64).T
    return sums, np.array([math.log(one) for one in count])


def law_in_field(lattice: Ring | Torus, K: float, b: float) -> tuple[float, FloatArray, FloatArray]:
    """Return ln Z, means and covariance of pair sum and magnetization under ``exp(K Σ v_i v_j + b Σ v_i)``.

    Examples
    --------
    >>> ln_Z, mean, covariance = law_in_field(Ring(3), 0.0, 0.5)
    >>> print(round(ln_Z / 3, 6), mean, covariance[1, 1].round(6))
    0.813262 [0.6407 1.3864] 2.359343
    """
    sums, log_counts = sums_and_log_counts(lattice)
    logs = log_counts + sums @ np.array([K, b])
    weights = np.exp(logs - logs.max())
    total = float(weights.sum())
    mean = weights @ sums / total
    away = sums - mean
    return math.log(total) + float(logs.max()), mean, (away * weights[:, np.newaxis]).T @ away / total


def energy_in_field(lattice: Ring | Torus, K: float, H: float) -> tuple[float, float]:
    """Return the mean of ``−(Σ v_i v_j + H Σ v_i)/M`` and its standard deviation, at K in [0, ∞].

    Examples
    --------
    >>> print(*(f"{one:.6f}" for one in energy_in_field(Ring(8), 0.5, 0.3)))
    -0.632048 0.428514
    """
    ground, n = -(lattice.bonds_per_site + abs(H)), lattice.n_sites
    if math.isinf(K):
        return ground, 0.0
    if isinstance(lattice, Ring):
        excess, spread = _excess_of_ring(n, K, H)
    else:
        _, mean, covariance = law_in_field(lattice, *couplings_in_field(K, H))
        weights = np.array([1.0, H])
        excess = float(excess_energy(lattice, mean[0], mean[1], H))
        spread = math.sqrt(weights @ covariance @ weights)
    return ground + excess / n, spread / n


def excess_energy(lattice: Ring | Torus, pairs: Any, magnetization: Any, H: float) -> Any:
    """Return the energy above that of spins along the field: exactly 0 where they are.

    Examples
    --------
    >>> excess_energy(Ring(4), np.array([4, 4]), np.array([4, -4]), 0.1)
    array([0. , 0.8])
    """
    along = math.copysign(1.0, H) * magnetization
    return (lattice.bonds_per_site * lattice.n_sites - pairs) + abs(H) * (lattice.n_sites - along)


def couplings_in_field(K: float, H: float) -> tuple[float, float]:
    """Return K ≥ 0 and b = KH within bounds.

    Examples
    --------
    >>> couplings_in_field(0.5, -0.5), couplings_in_field(1e300, 1.0)
    ((0.5, -0.25), (1e+100, 1e+100))
    """
    return min(K, MAX_COUPLING), math.copysign(min(K * abs(H), MAX_COUPLING), H)


def _excess_of_ring(n: int, K: float, H: float) -> tuple[float, float]:
    """Mean and spread of the energy above the least, by the derivatives of ``Z = tr T^n`` in K.

    T holds ``e^(−K ε)``; ε is the energy of a bond with half the fields of its ends, above that of two spins
    along the field. The power of a matrix of blocks ``((T, T′, T″), (0, T, 2T′), (0, 0, T))`` holds T^n and
    its derivatives.
    """
    excess = np.array([[0.0, 2 + abs(H)], [2 + abs(H), 2 * abs(H)]])
    T = np.exp(-min(K, MAX_COUPLING) * excess)
    T /= np.linalg.eigvalsh(T)[-1]
    first, second, none = -excess * T, excess**2 * T, np.zeros((2, 2))
    blocks = np.block([[T, first, second], [none, T, 2 * first], [none, none, T]])
    power = np.linalg.matrix_power(blocks, n)
    Z, slope, curvature = (np.trace(power[:2, at : at + 2]) for at in (0, 2, 4))
    mean = -slope / Z
    return float(mean), math.sqrt(max(curvature / Z - mean**2, 0.0))
