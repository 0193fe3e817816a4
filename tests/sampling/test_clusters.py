"""Wolff and Swendsen-Wang chains on every lattice, with both signs of K and fields, against exact laws.

False alarm: |z| > 4.5 in 7e-6 of each number.
"""

import numpy as np
import pytest

from rbmflow import Chain, Graph, Ring, Torus
from rbmflow.sampling import run
from tests.sampling import operators

RULES = ["wolff", "swendsen_wang"]


def random_graph():
    """Bonds of both signs, one of them double, on ten sites, one of them without bonds."""
    rng = np.random.default_rng(3)
    bonds = [(i, j) for i in range(9) for j in range(i) if rng.random() < 0.4]
    bonds.append(bonds[0])
    return Graph.from_bonds(10, bonds, rng.normal(size=len(bonds)))


LATTICES = [Ring(7), Chain(8), Torus(2, 2), Torus(3, 4), random_graph()]


def moments(lattice, h, K):
    """Energy, magnetization and its square per site, exactly."""
    p, energy, magnetization = operators.boltzmann(lattice.to_graph(h), K)
    m = magnetization / lattice.n_sites
    return (p * energy).sum() / lattice.n_sites, (p * m).sum(), (p * m**2).sum()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("h", [0.0, 0.15, -1.0])
@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_clusters_on_every_lattice(lattice, h, rule):
    if isinstance(lattice, Graph) and h:
        # fields of its own, of both signs
        fields = h * np.random.default_rng(5).normal(size=lattice.n_sites)
        lattice, h = Graph(lattice.indptr, lattice.indices, lattice.couplings, fields), 0.0
    n_sweeps = 4000 if rule == "wolff" else 1000
    chains = run(
        lattice, np.repeat([0.4, -0.4], 10), n_sweeps=n_sweeps, burn_in=100, rule=rule, field=h, rng=2,
        keep_spins=False,
    )  # fmt: skip
    for K in (0.4, -0.4):
        here, (energy, magnetization, squared) = chains.at(K), moments(lattice, h, K)
        assert abs(here.energy_estimate.deviation(energy)) < 4.5
        assert abs(here.magnetization_estimate.deviation(magnetization)) < 4.5
        assert abs(here.squared_magnetization_estimate.deviation(squared)) < 4.5
