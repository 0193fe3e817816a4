"""Exact values of graphs beside plain sums over all states, closed forms and counts that are known."""

import itertools
import math

import numpy as np
import pytest

from rbmflow import Chain, Graph, Ring, Torus, hardware
from rbmflow.ising import Honeycomb, Hypercubic, Triangular, state_law, state_sums
from rbmflow.ising.commensurate import units_of
from rbmflow.ising.level_table import has_table
from rbmflow.spins import all_states

COUPLINGS = [0.0, 0.3, -0.7, 2.0, 40.0, -1e4, math.inf, -math.inf]
KINDS = ("whole", "tenths", "real", "mixed")


def random_bonds(n_sites, kind, with_fields, seed, degree=3):
    """Bonds with couplings of both signs, some twice; sites without bonds, and several parts."""
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 2 if n_sites > 4 else 1, n_sites)
    bonds = [
        (i, j)
        for i, j in itertools.combinations(range(n_sites), 2)
        if parts[i] == parts[j] and rng.random() < degree / n_sites
    ]
    bonds += bonds[:2]
    n_numbers = len(bonds) + n_sites
    values = {
        "whole": rng.choice([-3, -2, -1, 1, 2], n_numbers).astype(float),
        "tenths": rng.integers(1, 8, n_numbers) / 10 * rng.choice([-1, 1], n_numbers),
        "real": rng.normal(size=n_numbers),
        "mixed": rng.choice([-1.0, 1.0, 2**0.5, -0.3], n_numbers),
    }[kind]
    fields = values[len(bonds) :] * with_fields * (rng.random(n_sites) < 0.7)
    return bonds, values[: len(bonds)], fields


class BruteForce:
    """Averages over all states as they are defined, one coupling at a time."""

    def __init__(self, n_sites, bonds, couplings, fields):
        self.n, self.spins = n_sites, all_states(n_sites).astype(float)
        self.V = self.spins.sum(axis=1)
        self.E = -self.spins @ fields
        for (i, j), J in zip(bonds, couplings, strict=True):
            self.E = self.E - J * self.spins[:, i] * self.spins[:, j]

    def law(self, K):
        best = self.E.max() if K < 0 else self.E.min()
        rise = np.abs(self.E - best)
        rise[rise < 1e-9] = 0  # of states of equal energy, rounded in another order
        with np.errstate(invalid="ignore"):
            weight = np.where(rise == 0, 1.0, np.exp(-abs(K) * rise))
        return best, weight.sum(), weight / weight.sum()

    def values(self, K):
        best, total, p = self.law(K)
        mean, V = p @ self.E, p @ self.V
        away = 0.0 if math.isinf(K) else K**2 * (p @ (self.E - mean) ** 2)
        log_partition = math.log(total) - (K * best if best else 0.0)
        return {
            "log_partition": log_partition,
            "energy": mean / self.n,
            "heat_capacity": away / self.n,
            "magnetization": V / self.n,
            "susceptibility": p @ (self.V - V) ** 2 / self.n,
        }

    def magnetization_law(self, K):
        p = self.law(K)[2]
        return [p[self.V == V].sum() for V in range(-self.n, self.n + 1, 2)]


def check_against(brute, graph, couplings=COUPLINGS):
    for name in ("log_partition", "energy", "heat_capacity", "magnetization", "susceptibility"):
        found = getattr(graph, name)(couplings)
        wanted = [brute.values(K)[name] for K in couplings]
        # cancellation of the plain sums of up to 1e5 numbers of size ten
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11, err_msg=name)
    laws = graph.magnetization_law(couplings).probabilities
    np.testing.assert_allclose(laws.sum(axis=1), 1, rtol=1e-14)
    for K, law in zip(couplings, laws, strict=True):
        np.testing.assert_allclose(law, brute.magnetization_law(K), rtol=1e-11, atol=1e-289)


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs(seed):
    n_sites = 1 + seed % 12
    bonds, couplings, fields = random_bonds(n_sites, KINDS[seed % 4], seed % 3 > 0, seed)
    graph = Graph.from_bonds(n_sites, bonds, couplings, fields)
    brute = BruteForce(n_sites, bonds, couplings, fields)
    check_against(brute, graph)
    for K in (0.0, 0.5, -2.0):
        law = graph.state_law(K)
        assert law.in_order
        np.testing.assert_allclose(law.probabilities, brute.law(K)[2], rtol=1e-12)
    levels, joint = graph.density_of_states(), graph.enumerate()
    energies, counts = np.unique(brute.E.round(9), return_counts=True)
    # those of brute force are rounded to nine digits
    np.testing.assert_allclose(levels.energy, energies, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(levels.count, counts)
    rows, counts = np.unique(np.stack([brute.E.round(9) + 0.0, brute.V], 1), axis=0, return_counts=True)
    np.testing.assert_allclose(np.stack([joint.energy, joint.magnetization], 1), rows, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(joint.count, counts)
    assert levels.total == joint.total == 2**n_sites


@pytest.mark.parametrize("with_fields", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_graphs_whose_states_are_visited(kind, with_fields):
    n_sites = 15
    bonds, couplings, fields = random_bonds(n_sites, kind, with_fields, 1, degree=8)
    graph = Graph.from_bonds(n_sites, bonds, couplings, fields)
    assert has_table(graph) == (kind != "real")
    brute = BruteForce(n_sites, bonds, couplings, fields)
    check_against(brute, graph)
    levels, joint = graph.density_of_states(), graph.enumerate()
    np.testing.assert_array_equal(levels.count, np.unique(brute.E.round(9), return_counts=True)[1])
    energies, places = np.unique(joint.energy, return_inverse=True)
    np.testing.assert_array_equal(energies, levels.energy)
    np.testing.assert_array_equal(np.bincount(places, joint.count), levels.count)


@pytest.mark.parametrize("field", [0.0, 0.3, -(2**0.5)])
def test_two_routes(field, monkeypatch):
    # a table of counts, and a passage over all states for each coupling
    graph = Torus(4, 4).to_graph(field)
    K = np.array([0.0, 0.44, -0.44, 3.0, math.inf])
    table = state_sums.state_sums(graph, K)
    monkeypatch.setattr(state_sums, "has_table", lambda graph: False)
    state_sums._kept_sums.cache_clear()
    passages = state_sums.state_sums(graph, K)
    state_sums._kept_sums.cache_clear()
    for name in ("reference", "weights", "rise"):
        np.testing.assert_allclose(getattr(passages, name), getattr(table, name), rtol=2e-14)
    # of a difference of two numbers of the size of the square of the rise
    np.testing.assert_allclose(passages.deviation, table.deviation, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("lattice", [Ring(13), Ring(18), Chain(12), Chain(17), Torus(3, 5), Torus(4, 5)])
def test_closed_forms(lattice):
    graph, K = lattice.to_graph(), [-1.5, -0.3, 0.0, 0.2, 0.44, 1.0, 5.0]
    for name in ("log_partition", "energy", "heat_capacity", "susceptibility"):
        np.testing.assert_allclose(getattr(graph, name)(K), getattr(lattice, name)(K), rtol=1e-12, atol=1e-13)
    laws = [one.magnetization_law(K).probabilities for one in (graph, lattice)]
    np.testing.assert_allclose(*laws, rtol=1e-12)
    np.testing.assert_allclose(
        state_law(graph, 0.4).probabilities, state_law(lattice, 0.4).probabilities, rtol=1e-13
    )


@pytest.mark.parametrize("torus", [Torus(2, 2), Torus(2, 5), Torus(4, 4), Torus(5, 5), Torus(4, 7)])
def test_density_of_states_of_tori(torus):
    joint, known = torus.to_graph().enumerate(), torus.joint_density_of_states()
    assert (tuple(joint.energy), tuple(joint.magnetization), tuple(joint.count)) == (
        known.energy,
        known.magnetization,
        known.count,
    )
    levels, known = torus.to_graph().density_of_states(), torus.density_of_states()
    assert (tuple(levels.energy), tuple(levels.count)) == (known.energy, known.count)


@pytest.mark.slow
def test_the_largest_torus():
    # 2³⁵ configurations against Kaufman's polynomial, and the counts of a transfer matrix
    joint, known = Torus(6, 6).to_graph(0.5).enumerate(), Torus(6, 6).joint_density_of_states()
    rows = {(E - 0.5 * V, V): count for E, V, count in known.rows()}
    assert dict(zip(zip(joint.energy, joint.magnetization, strict=True), joint.count, strict=True)) == rows
    energies, places = np.unique(joint.energy + 0.5 * joint.magnetization, return_inverse=True)
    counts = np.zeros(len(energies), dtype=np.int64)
    np.add.at(counts, places, joint.count)
    assert list(zip(energies, counts, strict=True)) == list(Torus(6, 6).density_of_states().rows())


def test_cube_of_three():
    cube = Hypercubic((3, 3, 3))
    joint = cube.enumerate()
    E, V, count = joint.energy, joint.magnetization, joint.count
    assert joint.total == 2**27
    np.testing.assert_array_equal(np.bincount((V + 27) // 2, count), [math.comb(27, up) for up in range(28)])
    turned = sorted(zip(E, -V, count, strict=True))
    assert turned == list(zip(E, V, count, strict=True))
    # each bond is ±1 at K = 0, closed walks of three bonds are the 27 lines around the lattice
    assert (count @ E, count @ E**2, count @ E**3) == (0, 81 * 2**27, -6 * 27 * 2**27)
    assert (E[0], count[0] + count[1]) == (-81, 2)
    # turned: one spin, then two neighbours, which share a bond
    levels = cube.density_of_states()
    assert (levels.energy[1], levels.count[1]) == (-69, 2 * 27)
    assert (levels.energy[2], levels.count[2]) == (-61, 2 * 81)


def test_cube_of_two():
    # twelve pairs of neighbours with two bonds each: the cube with K doubled
    cube, K = Hypercubic((2, 2, 2)), np.array([-0.7, 0.1, 0.5])
    once = Hypercubic((2, 2, 2), periodic=False)
    np.testing.assert_allclose(cube.log_partition(K), once.log_partition(2 * K), rtol=1e-14)
    # (Σ over closed subgraphs) by the high-temperature series of the cube: 6 faces, 16 of six bonds, ...
    t = np.tanh(2 * K)
    even = 1 + 6 * t**4 + 16 * t**6 + 9 * t**8
    np.testing.assert_allclose(
        cube.log_partition(K), 8 * math.log(2) + 12 * np.log(np.cosh(2 * K)) + np.log(even * 1.0), rtol=1e-12
    )


def unhappy_free(n_rows, n_cols):
    """States of a triangular torus with no triangle of three equal spins, row by row."""
    rows = list(itertools.product((-1, 1), repeat=n_cols))

    def fits(above, below):
        return all(
            not (above[x] == above[(x + 1) % n_cols] == below[x])
            and not (above[(x + 1) % n_cols] == below[x] == below[(x + 1) % n_cols])
            for x in range(n_cols)
        )

    transfer = np.array([[fits(a, b) for b in rows] for a in rows], dtype=object).astype(int)
    return int(np.trace(np.linalg.matrix_power(transfer.astype(object), n_rows)))


@pytest.mark.parametrize("sides", [(3, 3), (3, 6), (4, 6), (5, 3)])
def test_triangular_antiferromagnet(sides):
    # Wannier: one bond of each triangle is unsatisfied, two thirds are satisfied
    lattice = Triangular(*sides, couplings=-1.0)
    levels = lattice.density_of_states()
    assert levels.energy[0] == -lattice.n_sites
    assert levels.count[0] == unhappy_free(*sides)
    entropy = lattice.log_partition(200.0) - 200.0 * lattice.n_sites
    np.testing.assert_allclose(entropy, math.log(levels.count[0]), rtol=1e-12)


def test_equal_sums_of_couplings_are_one_energy():
    bonds, whole, fields = random_bonds(12, "whole", True, 5)
    wanted = Graph.from_bonds(12, bonds, whole, fields).enumerate()
    for unit in (0.1, 1 / 3, math.pi, 1e-200, 1e90):
        found = Graph.from_bonds(12, bonds, unit * whole, unit * fields).enumerate()
        np.testing.assert_array_equal(found.count, wanted.count)
        np.testing.assert_array_equal(found.magnetization, wanted.magnetization)
        np.testing.assert_allclose(found.energy, unit * wanted.energy, rtol=1e-15)
    # two units: sums of either are told apart
    assert len(Graph.from_bonds(3, [(0, 1), (1, 2)], [0.1, math.pi]).density_of_states()) == 4


def test_units():
    assert [unit.multiples for unit in units_of([0.1, -0.1 - 0.2, 0.7, 0.0])] == [
        {0.1: 1, 0.1 + 0.2: 3, 0.7: 7}
    ]
    assert [unit.multiples for unit in units_of([1.0, 1 + 1e-12])] == [{1.0: 1}, {1 + 1e-12: 1}]
    assert units_of([]) == []


@pytest.mark.parametrize("large", [1e3, 1e6, 1e12, 1e16])
@pytest.mark.parametrize("n_sites", [3, 16])
def test_small_couplings_beside_large_ones(large, n_sites):
    # of a tree: ln Z = n ln 2 + Σ ln cosh KJ
    J = np.random.default_rng(1).normal(size=n_sites - 1)
    J[0] = large
    graph, K = Graph.from_bonds(n_sites, [(i, i + 1) for i in range(n_sites - 1)], J), 0.8
    width = (K * J[1:] / np.cosh(K * J[1:])) ** 2
    np.testing.assert_allclose(graph.heat_capacity(K), width.sum() / n_sites, rtol=1e-11)
    sums = state_sums.state_sums(graph, np.array([K]))
    np.testing.assert_allclose(sums.rise, (np.abs(J[1:]) - J[1:] * np.tanh(K * J[1:])).sum(), rtol=1e-11)


@pytest.mark.parametrize("n_sites", [7, 16])
def test_a_large_coupling_makes_two_spins_one(n_sites):
    # many states are equal as float64 where 10¹⁶ is part of their energy
    rng = np.random.default_rng(n_sites)
    J, h = np.triu(rng.normal(size=(n_sites, n_sites)), 1), rng.normal(size=n_sites)
    J += J.T
    J[0, 1] = J[1, 0] = 1e16
    merged = np.delete(J, 0, axis=0)[:, 1:]
    merged[0, 1:] += J[0, 2:]
    merged[1:, 0] += J[0, 2:]
    two, one = Graph.from_matrix(J, h), Graph.from_matrix(merged, np.r_[h[0] + h[1], h[2:]])
    K = np.array([-1.5, 0.3, 1.0, 3.0])
    found, wanted = n_sites * two.heat_capacity(K), (n_sites - 1) * one.heat_capacity(K)
    assert found[0] != wanted[0]  # antiparallel, not parallel
    np.testing.assert_allclose(found[1:], wanted[1:], rtol=1e-10)
    sums = [state_sums.state_sums(graph, K[1:]) for graph in (two, one)]
    # couplings are rounded to 2⁻⁹⁴ of 10¹⁶
    np.testing.assert_allclose(sums[0].rise, sums[1].rise, rtol=1e-11, atol=5e-12)
    np.testing.assert_allclose(sums[0].weights.sum(axis=1), sums[1].weights.sum(axis=1), rtol=1e-11)
    law = two.state_law(1.0)
    assert law.probabilities[law.states[:, 0] != law.states[:, 1]].sum() == 0


def test_the_star_and_the_triangle():
    # each star of a honeycomb lattice, its centre summed over, is a triangle of the triangular one:
    # 2 cosh K(a + b + c) = R e^(L(ab + bc + ca))
    K = np.array([-0.7, 0.2, 0.6585, 1.5])
    L = np.log(np.cosh(3 * K) / np.cosh(K)) / 4
    log_R = np.log(2 * np.cosh(K)) + L
    for sides in ((3, 3), (2, 5), (3, 4)):
        stars, triangles = Honeycomb(*sides), Triangular(*sides)
        found = [stars.to_graph().log_partition(K), triangles.to_graph().log_partition(L)]
        np.testing.assert_allclose(found[0], triangles.n_sites * log_R + found[1], rtol=1e-13)


@pytest.mark.parametrize("n_sites", [4, 16])
def test_near_the_ground_state(n_sites):
    # the first excited states lie an edge J = 1/3 above: their weight is a power of e^(−2K/3)
    J = np.full(n_sites, 1 / 3)
    J[1:] = 1 + 1e-3 * np.arange(1, n_sites)
    graph = Graph.from_bonds(
        n_sites, [(0, i) for i in range(1, n_sites)], J[1:], [J[0]] + [0.0] * (n_sites - 1)
    )
    K = 300.0
    np.testing.assert_allclose(graph.magnetization(K), 1 - 2 * math.exp(-2 * K / 3), rtol=1e-14)
    law = graph.magnetization_law(K).probabilities
    np.testing.assert_allclose(law[0] / law[-1], math.exp(-2 * K / 3), rtol=1e-13)
    assert np.isfinite(graph.log_partition([1e300, -1e300])).all()
    assert graph.heat_capacity([1e300, math.inf, 0.0]).tolist() == [0, 0, 0]


def test_no_couplings_at_all():
    for n_sites in (1, 5, 20):
        graph = Graph.from_bonds(n_sites, [])
        np.testing.assert_allclose(
            graph.log_partition([0, 5, math.inf, -math.inf]), n_sites * math.log(2), rtol=1e-14
        )
        assert graph.density_of_states().energy.tolist() == [0.0]
        np.testing.assert_allclose(graph.susceptibility(1.0), 1.0, rtol=1e-14)


def test_shapes_of_couplings():
    graph = Torus(4, 4).to_graph(0.2)
    K = np.linspace(-1, 1, 6).reshape(2, 3)
    for name in ("log_partition", "energy", "heat_capacity", "magnetization", "susceptibility"):
        found = getattr(graph, name)(K)
        assert found.shape == (2, 3)
        assert found[1, 2] == getattr(graph, name)(K[1, 2])
        assert np.ndim(getattr(graph, name)(0.5)) == 0
        assert getattr(graph, name)(np.empty((0, 2))).shape == (0, 2)
    assert graph.magnetization_law(K).probabilities.shape == (2, 3, 17)
    frozen = K.T[::-1]
    frozen.flags.writeable = False
    np.testing.assert_array_equal(graph.energy(frozen), graph.energy(K).T[::-1])


def test_threads_and_levels_do_not_change_bits(monkeypatch):
    bonds, couplings, fields = random_bonds(23, "real", True, 3)
    graph, K = Graph.from_bonds(23, bonds, couplings, fields), np.array([0.3, -0.3])
    wanted = graph.magnetization_law(K, n_threads=1).probabilities
    np.testing.assert_array_equal(graph.magnetization_law(K, n_threads=3).probabilities, wanted)
    for level in ("plain", "avx2"):
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        state_sums._kept_sums.cache_clear()
        state_sums._extremes.cache_clear()
        np.testing.assert_array_equal(graph.magnetization_law(K, n_threads=1).probabilities, wanted)
    cubic = Hypercubic((3, 3, 3))
    assert cubic.enumerate(n_threads=1).equals(cubic.enumerate(n_threads=3))


def test_progress():
    seen = []
    Hypercubic((3, 3, 3)).enumerate(progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2**26, 2**26)


def test_memory_that_is_not_there(monkeypatch):
    monkeypatch.setattr(hardware, "_memory", lambda: 10**6)
    tenths = np.random.default_rng(1).integers(1, 1000, 19) / 1000
    path = [(i, i + 1) for i in range(19)]
    with pytest.raises(MemoryError, match="tallies of"):
        Graph.from_bonds(20, path, tenths).log_partition(0.5)
    glass = Graph.from_bonds(20, path, np.random.default_rng(1).normal(size=19), np.sqrt(np.arange(20)))
    for method in (glass.enumerate, glass.density_of_states):
        with pytest.raises(MemoryError, match="the energies of 20 sites"):
            method()


def test_lattices_that_are_too_large():
    with pytest.raises(ValueError, match="37 sites: at most 36"):
        Graph.from_bonds(37, [(0, 1)]).energy(1.0)
    with pytest.raises(ValueError, match="at most 36"):
        Hypercubic((100, 100)).enumerate()
    rng = np.random.default_rng(1)
    glass = Graph.from_bonds(25, [(i, i + 1) for i in range(24)], rng.normal(size=24), rng.normal(size=25))
    with pytest.raises(ValueError, match="25 sites and couplings that are no multiples"):
        glass.density_of_states()
    with pytest.raises(ValueError, match="25 sites: at most 24"):
        glass.state_law(1.0)
    with pytest.raises(ValueError, match="NaN"):
        glass.energy([1.0, math.nan])
    with pytest.raises(ValueError, match="finite coupling"):
        Torus(2, 2).to_graph().state_law(math.inf)


def test_more_couplings_than_memory_holds_are_refused(monkeypatch):
    monkeypatch.setattr(hardware, "_memory", lambda: 2**22)
    graph = Graph.from_bonds(4, [(0, 1), (2, 3)])
    assert graph.energy(np.linspace(0, 1, 100)).shape == (100,)
    for name in ("log_partition", "magnetization_law"):
        with pytest.raises(MemoryError, match="100000 couplings"):
            getattr(graph, name)(np.linspace(0, 1, 100_000))
