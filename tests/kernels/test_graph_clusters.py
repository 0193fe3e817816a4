"""Clusters on graphs against their twin, bit for bit."""

import numpy as np
import pytest

from rbmflow import Chain, Graph, Ring, Torus
from rbmflow._kernels import graph_clusters
from rbmflow.sampling.cluster_chains import bonds_and_ghost
from tests.kernels import twin_graph_clusters as twin
from tests.kernels.twin_markov import Scalar


def random_graph():
    """Bonds and fields of both signs, a double bond, and a site without bonds."""
    rng = np.random.default_rng(3)
    bonds = [(i, j) for i in range(11) for j in range(i) if rng.random() < 0.4]
    bonds.append(bonds[0])
    fields = np.where(rng.random(12) < 0.5, rng.normal(size=12), 0.0)
    return Graph.from_bonds(12, bonds, rng.normal(size=len(bonds)), fields)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(
    ("lattice", "field"),
    [
        (Graph.from_bonds(1, []), 0.0),
        (Chain(5), 0.5),
        (Ring(100), 0.0),
        (Torus(2, 2), -0.3),
        (Torus(3, 5), 0.05),
        (random_graph(), 0.0),
        (Graph.from_bonds(3, []), 0.0),
    ],
    ids=str,
)
def test_graph_clusters(lattice, field, single):
    n = lattice.n_sites
    indptr, sources, indices, couplings = bonds_and_ghost(lattice, field, both=single)
    n_nodes = len(indptr) - 1
    rows = [
        [(int(indices[k]), float(couplings[k])) for k in range(indptr[i], indptr[i + 1])]
        for i in range(n_nodes)
    ]
    for K in (0.05, 0.6, -0.6, 3.0):
        rng = np.random.default_rng(9)
        spins = rng.choice(np.array([-1, 1], dtype=np.int8), size=n)
        state = rng.integers(0, 2**64, size=4, dtype=np.uint64)
        moving, mutable = spins.copy(), state.copy()
        energy, magnetization = np.empty(4), np.empty(4, dtype=np.int64)
        clusters, samples = np.full((4, 4), np.nan), np.empty((4, n), dtype=np.int8)
        graph_clusters.run(
            moving,
            mutable,
            indptr,
            sources,
            indices,
            couplings,
            np.exp(-2 * np.abs(K * couplings)),
            -1 if K < 0 else 1,
            single,
            3,
            energy,
            magnetization,
            clusters,
            samples,
            np.empty(2 * n_nodes, dtype=np.int8),
            np.empty(3 * n_nodes, dtype=np.int32),
        )
        wanted = [int(s) for s in spins]
        for kept in range(4):
            wanted, state, sums = twin.run(wanted, state, rows, K, single, n_nodes - n, 3)
            np.testing.assert_array_equal(samples[kept], wanted)
            nodes = wanted + [1] * (n_nodes - n)
            total = -sum(J * nodes[a] * nodes[b] for a, row in enumerate(rows) for b, J in row)
            # some tens of roundings of 1e-16 of a sum that may cancel
            assert energy[kept] == pytest.approx(total / (1 + single), rel=1e-13, abs=1e-13)
            assert magnetization[kept] == sum(wanted)
            np.testing.assert_allclose(clusters[kept, : 4 - single], sums, rtol=1e-13)
            assert np.isnan(clusters[kept, 3]) == single
        np.testing.assert_array_equal(moving, wanted)
        np.testing.assert_array_equal(mutable, np.array(state, dtype=np.uint64))


def test_coins_have_all_digits():
    # a chance that agrees with the first coin in its 32 bits, and is decided by the next number
    joined = set()
    for seed in range(8):
        state = np.random.default_rng(seed).integers(0, 2**64, size=4, dtype=np.uint64)
        generator = Scalar(state)
        cut, rest = ((generator.word() >> 32) + 0.5) / 2**32, generator.uniform()
        clusters = np.empty((1, 4))
        graph_clusters.run(
            np.ones(2, dtype=np.int8),
            state,
            np.array([0, 1, 1], dtype=np.int32),
            np.array([0], dtype=np.int32),
            np.array([1], dtype=np.int32),
            np.ones(1),
            np.array([cut]),
            1,
            False,
            1,
            np.empty(1),
            np.empty(1, dtype=np.int64),
            clusters,
            np.empty((0, 2), dtype=np.int8),
            np.empty(4, dtype=np.int8),
            np.empty(6, dtype=np.int32),
        )
        assert clusters[0, 0] == (1 if rest < 0.5 else 2)
        joined.add(rest < 0.5)
    assert joined == {True, False}
