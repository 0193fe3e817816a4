"""Blocks of 64 chains on graphs against their twin, bit for bit, at every SIMD level."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from rbmflow._kernels import graph_replicas, simd
from rbmflow.ising import Graph, Ring, Torus
from rbmflow.sampling.engine import Block
from rbmflow.sampling.graph_replicas import MAX_SPREAD, GraphReplicas, Scaled, fits
from tests.kernels import twin_graph_replicas as twin
from tests.kernels.twin_markov import Scalar

LEVELS = ("plain", "avx2", "avx512")[: simd.supported() + 1]
STRENGTHS = [0.0, -0.7, 1e-3, 0.3, 1.0, -40.0, 1e6, 1e300, -1e300]


def random_graph(n_sites, chance, seed=1):
    rng = np.random.default_rng(seed)
    bonds = [(i, j) for i in range(n_sites) for j in range(i) if rng.random() < chance]
    return Graph.from_bonds(n_sites, bonds, rng.normal(size=len(bonds)), rng.normal(size=n_sites))


GRAPHS = {
    "real": random_graph(9, 0.6),
    "star": Graph.from_bonds(20, [(0, i) for i in range(1, 20)], np.linspace(-1, 2, 19)),
    "ring": Ring(6).to_graph(),
    "torus in a field": Torus(3, 4).to_graph(0.5),
    "double bonds": Torus(2, 2).to_graph(),
    "free sites": Graph.from_bonds(5, [(1, 3)], fields=[0, 0, -0.25, 0, 0]),
    "no bonds": Graph.from_bonds(3, []),
    "units apart": Graph.from_bonds(4, [(0, 1), (2, 3)], [1e9, 1e-9], [0, 0, 0, 1e-20]),
    "one bond": Graph.from_bonds(2, [(0, 1)], [2 - 2**-50]),
    "huge": Graph.from_bonds(3, [(0, 1), (1, 2)], [1e90, -1e90]),
}


@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_sweeps_and_measurements(monkeypatch, name, metropolis, random):
    graph = GRAPHS[name]
    n_sites, n_chains, n_kept = graph.n_sites, 100, 3
    rng = np.random.default_rng(n_sites)
    K = rng.choice(STRENGTHS, size=n_chains) / max(1.0, np.abs(graph.couplings).max(initial=0.0))
    start = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n_chains, n_sites))
    state = rng.integers(0, 2**64, size=(2, 32), dtype=np.uint64)
    order = np.empty(0, dtype=np.int32) if random else rng.permutation(n_sites).astype(np.int32)
    choosers = rng.integers(0, 2**64, size=(2, 7), dtype=np.uint64)
    wanted_choosers = choosers.copy()
    near = [
        [(int(graph.indices[k]), graph.couplings[k]) for k in range(graph.indptr[i], graph.indptr[i + 1])]
        for i in range(n_sites)
    ]
    bonds = [(a, b, J) for a in range(n_sites) for b, J in near[a] if a < b]
    wanted_spins = np.empty((n_chains, n_kept, n_sites), dtype=np.int8)
    wanted_energy, wanted_state = np.empty((n_chains, n_kept)), state.copy()
    for index, block in enumerate((slice(0, 64), slice(64, 100))):
        spins, couplings = np.full((n_sites, 64), -1), np.zeros(64)
        spins[:, : len(K[block])], couplings[: len(K[block])] = start[block].T, K[block]
        chooser = Scalar(choosers[index, :4]) if random else None
        for kept in range(n_kept):
            wanted_state[index] = twin.sweep(
                spins, wanted_state[index], couplings, near, graph.fields, order, metropolis, 2, chooser
            )
            wanted_spins[block, kept] = spins.T[: len(K[block])]
            wanted_energy[block, kept] = twin.energy(spins, bonds, graph.fields)[: len(K[block])]
        if random:
            wanted_choosers[index, :4] = chooser.state
    for level in LEVELS:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        moving, choosing = state.copy(), choosers.copy()
        engine = GraphReplicas(
            Scaled.of(graph), K, metropolis, order, start, moving, np.arange(n_chains),
            choosing if random else None,
        )  # fmt: skip
        found = Block(*np.empty((2, n_chains, n_kept)), np.zeros((n_chains, n_kept, n_sites), dtype=np.int8))
        engine.measure(2, 0, n_kept, found)
        np.testing.assert_array_equal(found.spins, wanted_spins, level)
        np.testing.assert_array_equal(moving, wanted_state, level)
        np.testing.assert_array_equal(choosing, wanted_choosers, level)
        np.testing.assert_array_equal(found.energy, wanted_energy, level)
        np.testing.assert_array_equal(found.magnetization, wanted_spins.sum(axis=-1), level)
        last = np.empty_like(start)
        engine.write_back(last)
        np.testing.assert_array_equal(last, wanted_spins[:, -1], level)


@pytest.mark.parametrize("level", range(simd.supported() + 1))
@pytest.mark.parametrize("n_chains", [1, 64, 65, 200])
@pytest.mark.parametrize("n_sites", [1, 63, 64, 65, 200])
def test_spins_are_packed(n_sites, n_chains, level):
    spins = np.random.default_rng(4).choice(np.array([-1, 1], dtype=np.int8), size=(n_chains, n_sites))
    packed = np.full((-(-n_chains // 64), n_sites), 7, dtype=np.uint64)
    graph_replicas.pack(spins, packed)
    for chain in range(64 * len(packed)):
        up = packed[chain // 64] >> np.uint64(chain % 64) & np.uint64(1)
        np.testing.assert_array_equal(up, spins[chain] > 0 if chain < n_chains else 0)
    out = np.empty_like(spins)
    graph_replicas.unpack(packed, out, level)
    np.testing.assert_array_equal(out, spins)


def test_a_sweep_of_a_part_is_that_of_the_whole():
    graph, order = GRAPHS["real"], np.arange(9, dtype=np.int32)
    start = np.random.default_rng(2).choice(np.array([-1, 1], dtype=np.int8), size=(130, 9))
    state = np.random.default_rng(3).integers(0, 2**64, size=(3, 32), dtype=np.uint64)
    whole, parts = start.copy(), start.copy()
    for spins, cuts in ((whole, [0, 130]), (parts, [0, 64, 130])):
        for first, last in pairwise(cuts):
            chains = np.arange(first, last)
            words = state[first // 64 : -(-last // 64)].copy()
            engine = GraphReplicas(
                Scaled.of(graph), np.full(len(chains), 0.4), False, order, spins, words, chains
            )
            engine.advance(3)
            engine.write_back(spins)
    np.testing.assert_array_equal(parts, whole)


def test_local_fields_are_rounded_at_the_ninth_digit_and_not_where_they_are_few_bits():
    for name, graph in GRAPHS.items():
        scaled = Scaled.of(graph)
        for site in range(graph.n_sites):
            row = slice(graph.indptr[site], graph.indptr[site + 1])
            unit = Fraction(float(scaled.units[site])) * Fraction(scaled.largest)
            strength = sum(map(abs, map(Fraction, graph.couplings[row])), abs(Fraction(graph.fields[site])))
            assert unit * 2**29 <= strength or not strength
            # all neighbours down, then one of them up after the other
            exact = Fraction(graph.fields[site]) - sum(map(Fraction, graph.couplings[row]))
            held = int(scaled.bases[site])
            bits = [*graph.couplings[row].tolist(), graph.fields[site]]
            few = all(int(1024 * J) == 1024 * J for J in bits) and max(map(abs, bits)) < 2**10
            for J, weight in [(0.0, 0), *zip(graph.couplings[row], scaled.weights[row], strict=True)]:
                exact, held = exact + 2 * Fraction(J), held + int(weight) % 2**32
                here = ((held + 2**31) % 2**32 - 2**31) * unit
                assert abs(here - exact) <= (len(bits) / 2 * unit if not few else 0), name


def test_units_too_far_apart_do_not_fit():
    assert all(map(fits, GRAPHS.values()))
    apart = Graph.from_bonds(4, [(0, 1), (2, 3)], [1.0, 2.0**MAX_SPREAD])
    further = Graph.from_bonds(4, [(0, 1), (2, 3)], [1.0, 2.0 ** (MAX_SPREAD + 1)])
    assert fits(apart)
    assert not fits(further)


@pytest.mark.parametrize("name", GRAPHS)
def test_colours_are_the_least_that_earlier_neighbours_leave(name):
    graph = GRAPHS[name]
    colours, marks = np.full((2, graph.n_sites + 1), -1, dtype=np.int32)
    graph_replicas.colour(graph.indptr, graph.indices, colours[:-1], marks)
    wanted = []
    for site in range(graph.n_sites):
        near = graph.indices[graph.indptr[site] : graph.indptr[site + 1]]
        taken = {wanted[other] for other in near if other < site}
        wanted.append(min(set(range(len(taken) + 1)) - taken))
    np.testing.assert_array_equal(colours[:-1], wanted)
