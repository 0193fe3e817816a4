"""Exact values of graphs, all states visited, against blocks of states in numpy."""

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import Graph, Torus
from rbmflow.ising import Hypercubic, level_table, state_sums
from rbmflow.spins import all_states

SITES, LOW = 24, 14
TARGETS = {"levels": 15, "averages": 3}


def plain_blocks(graph):
    """Energy and magnetization of all states, the upper sites' block by block."""
    J = np.zeros((graph.n_sites, graph.n_sites))
    rows = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr))
    np.add.at(J, (rows, graph.indices), graph.couplings)
    low, high = all_states(LOW).astype(float), all_states(graph.n_sites - LOW).astype(float)
    within = (
        -0.5 * np.einsum("si,ij,sj->s", low, J[:LOW, :LOW], low, optimize=True) - low @ graph.fields[:LOW]
    )
    above = -0.5 * np.einsum("si,ij,sj->s", high, J[LOW:, LOW:], high, optimize=True)
    above -= high @ graph.fields[LOW:]
    V = low.sum(axis=1)
    for top, energy in zip(high, above, strict=True):
        yield within + energy - low @ (J[:LOW, LOW:] @ top), V + top.sum()


def plain_levels(graph):
    """Counts by energy, of integer couplings, and magnetization."""
    n_bonds, n = len(graph.indices) // 2, graph.n_sites
    counts = np.zeros((2 * n_bonds + 1) * (n + 1), dtype=np.int64)
    for E, V in plain_blocks(graph):
        at = (E + n_bonds).astype(np.int64) * (n + 1) + (V.astype(np.int64) + n) // 2
        counts += np.bincount(at, minlength=len(counts))
    return counts[counts > 0]


def plain_averages(graph, K, ground):
    """Return ln Z and the mean energy at one coupling."""
    total = energy = 0.0
    for E, _ in plain_blocks(graph):
        weight = np.exp(-K * (E - ground))
        total += weight.sum()
        energy += weight @ E
    return np.log(total) - K * ground, energy / total / graph.n_sites


def own_levels(graph):
    level_table._kept_table.cache_clear()
    return graph.enumerate().count


def own_averages(graph, K):
    for cache in (state_sums._kept_sums, state_sums._extremes):
        cache.cache_clear()
    return graph.log_partition(K), graph.energy(K)


def test_levels(benchmark):
    graph = Torus(4, 6).to_graph()
    found = benchmark(lambda: own_levels(graph))
    np.testing.assert_array_equal(found, plain_levels(graph))
    mine, peer = least_seconds(lambda: own_levels(graph), lambda: plain_levels(graph), rounds=1)
    print(
        f"\nlevels of a graph of {SITES} sites: {1e3 * mine:.1f} ms, {1e9 * mine / 2**SITES:.2f} ns a state, "
        f"{peer / mine:.0f}x numpy in blocks (target {TARGETS['levels']}x)"
    )


def test_averages(benchmark):
    rng = np.random.default_rng(1)
    first, second = np.triu_indices(SITES, 1)
    graph = Graph.from_bonds(
        SITES, np.stack([first, second], axis=1), rng.normal(size=len(first)), rng.normal(size=SITES)
    )
    K, ground = 0.3, min(E.min() for E, _ in plain_blocks(graph))
    found = benchmark(lambda: own_averages(graph, K))
    np.testing.assert_allclose(found, plain_averages(graph, K, ground), rtol=1e-12)
    mine, peer = least_seconds(
        lambda: own_averages(graph, K), lambda: plain_averages(graph, K, ground), rounds=1
    )
    print(
        f"\naverages of a spin glass of {SITES} sites: {1e3 * mine:.0f} ms, "
        f"{1e9 * mine / 2**SITES:.2f} ns a state, {peer / mine:.0f}x numpy in blocks "
        f"(target {TARGETS['averages']}x)"
    )


@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 10), (4, 8)])
def test_all_values_of_a_lattice(benchmark, shape):
    lattice = Hypercubic(shape)
    assert benchmark.pedantic(lambda: own_levels(lattice.to_graph()), rounds=1).sum() == 2**lattice.n_sites
    (seconds,) = least_seconds(lambda: own_levels(lattice.to_graph()), rounds=1)
    print(
        f"\nlevels of {lattice.label}: {seconds:.2f} s, {1e9 * seconds / 2**lattice.n_sites:.2f} ns a state"
    )
