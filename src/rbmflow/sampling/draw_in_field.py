"""Configurations of a ring or a torus in a uniform field: exact ones, and those of clusters in the field.

A cluster of s spins is up with probability ``1/(1 + e^(−2bs))``, b = H/T: the clusters of Swendsen and Wang
with one more spin, the field's, to which each site is bound. Also where a field is weak and the lattice cold
both signs have their weights at once, which the heat bath would not reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.estimate import Estimate
from rbmflow.ising import Ring, RingInFields, Torus
from rbmflow.ising.bonds import pair_sums
from rbmflow.ising.uniform_field import couplings_in_field, excess_energy
from rbmflow.sampling.spacing import independent, of_chains, spacing, time_of
from rbmflow.spins import random_spins

CHAINS = 64
PILOT_CHAINS, PILOT_SWEEPS = 16, 256


@dataclass(frozen=True)
class Drawn:
    """Samples in a field, how they were made, see `Certificate`, and their energy."""

    spins: SpinArray
    rule: str
    burn_in: int
    thin: int
    tau: float
    energy: Estimate


def draw_in_field(
    lattice: Ring | Torus, K: float, H: float, n_samples: int, rng: np.random.Generator
) -> Drawn:
    """Return samples at K in [0, ∞] and H other than 0.

    Examples
    --------
    >>> drawn = draw_in_field(Torus(4, 4), 0.4, 0.5, 100, np.random.default_rng(1))
    >>> drawn.spins.shape, drawn.rule, abs(drawn.spins.mean() - 0.889) < 0.04
    ((100, 16), 'swendsen_wang', np.True_)
    """
    bounded, b = couplings_in_field(K, H)
    if math.isinf(K):
        spins = np.full((n_samples, lattice.n_sites), np.sign(H), dtype=np.int8)
    elif K == 0:
        spins = random_spins(rng, n_samples, lattice.n_sites)
    elif isinstance(lattice, Ring):
        spins = RingInFields(bounded, np.full(lattice.n_sites, b)).sample(n_samples, rng=rng)
    else:
        return _clusters(lattice, bounded, H, b, n_samples, rng)
    return Drawn(
        spins, "exact", 0, 0, 0.5, _above_ground(lattice, H, independent(_excess(lattice, spins, H)))
    )


def _clusters(
    lattice: Torus, K: float, H: float, b: float, n_samples: int, rng: np.random.Generator
) -> Drawn:
    pilot = _chains(lattice, K, b, PILOT_CHAINS, rng)
    at_first = np.stack([next(pilot) for _ in range(2 * PILOT_SWEEPS)], axis=1)[:, PILOT_SWEEPS:]
    tau = max(time_of(one)[0] for one in (_excess(lattice, at_first, H), at_first.mean(axis=2)))
    burn_in, thin = spacing(tau)
    n_chains = min(n_samples, CHAINS)
    n_kept = -(-n_samples // n_chains)
    sweeps = islice(_chains(lattice, K, b, n_chains, rng), burn_in - 1, burn_in + (n_kept - 1) * thin, thin)
    kept = np.stack([*sweeps])
    spins = kept.reshape(-1, lattice.n_sites)[:n_samples]
    values = _excess(lattice, spins, H)
    chains = _excess(lattice, np.swapaxes(kept, 0, 1), H)
    energy = of_chains(values, chains, thin) if n_kept >= 4 else independent(values)
    return Drawn(spins, "swendsen_wang", burn_in, thin, tau, _above_ground(lattice, H, energy))


def _excess(lattice: Ring | Torus, spins: SpinArray, H: float) -> FloatArray:
    """Energy per site above that of spins along the field, of configurations along the last axis."""
    rows = spins.reshape(-1, lattice.n_sites)
    excess = excess_energy(lattice, pair_sums(lattice, rows), rows.sum(axis=1, dtype=np.int64), H)
    return np.asarray(excess / lattice.n_sites).reshape(spins.shape[:-1])


def _above_ground(lattice: Ring | Torus, H: float, excess: Estimate) -> Estimate:
    return replace(excess, mean=excess.mean - (lattice.bonds_per_site + abs(H)))


def _chains(
    lattice: Torus, K: float, b: float, n_chains: int, rng: np.random.Generator
) -> Iterator[SpinArray]:
    """Yield the spins of chains after each sweep, from all spins along the field."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = lattice.bonds().T
    n = n_chains * lattice.n_sites
    spins = np.full((n_chains, lattice.n_sites), np.sign(b) or 1, dtype=np.int8)
    chance = -math.expm1(-2 * K)
    while True:
        joined = (spins[:, first] == spins[:, second]) & (rng.random((n_chains, len(first))) < chance)
        chain, bond = np.nonzero(joined)
        at = chain * lattice.n_sites
        ends = at + first[bond], at + second[bond]
        count, cluster = connected_components(coo_array((np.ones(len(bond), dtype=np.int8), ends), (n, n)))
        up = rng.random(count) < 0.5 + np.tanh(b * np.bincount(cluster)) / 2
        spins = np.where(up, 1, -1).astype(np.int8)[cluster].reshape(spins.shape)
        yield spins
