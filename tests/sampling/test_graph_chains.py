"""Chains as bits of words on any lattice: their law, and all that `run` does with other chains."""

import pickle
import sys
import warnings

import numpy as np
import pytest

from rbmflow import Graph, Honeycomb, Hypercubic, Ring, Torus, Triangular
from rbmflow.ising import Chain
from rbmflow.sampling import ReducibleChainError, ReducibleChainWarning, is_irreducible, run
from rbmflow.sampling.colouring import colours
from rbmflow.sampling.compiled_chains import make_engines
from rbmflow.sampling.graph_replicas import GraphReplicas
from rbmflow.sampling.reducibility import frozen, sweep_sites
from rbmflow.sampling.replicas import MixedReplicas, Replicas
from tests.kernels.twin_logistic import choose, decay
from tests.sampling import operators

N_CHAINS = 8192


def random_graph(n_sites=11, seed=3):
    rng = np.random.default_rng(seed)
    bonds = [(i, j) for i in range(n_sites) for j in range(i) if rng.random() < 0.4]
    return Graph.from_bonds(n_sites, bonds, rng.normal(size=len(bonds)), rng.normal(size=n_sites))


LATTICES = {
    "ring": Ring(9),
    "chain": Chain(8),
    "torus": Torus(3, 4),
    "triangular": Triangular(3, 4),
    "open triangular": Triangular(3, 3, periodic=False, couplings=(1.0, 0.5, -0.3)),
    "honeycomb": Honeycomb(2, 3),
    "cubic": Hypercubic((3, 2, 2)),
    "open cubic": Hypercubic((3, 2, 2), periodic=False),
    "random": random_graph(),
    "frustrated": Graph.from_bonds(
        9,
        [(i, j) for i in range(9) for j in range(max(0, i - 3), i)],
        np.resize([0.5, -0.5, -0.5, 0.5, 0.5, -0.5, 0.5], 21),
    ),
}


def kind_of_engine(lattice, rule, order, field, n_chains=N_CHAINS):
    engines = make_engines(
        lattice,
        np.full(n_chains, 0.5),
        rule,
        order,
        np.ones((n_chains, lattice.n_sites), dtype=np.int8),
        np.ones((n_chains, 32), dtype=np.uint64),
        field=field,
    )
    return {type(engine) for engine in engines}


def test_which_engine_runs():
    def kinds(lattice, order="sequential", field=0.0):
        return [kind_of_engine(lattice, "heat_bath", order, field, n).pop() for n in (7, 8, 64, 65)]

    _, *many = kinds(random_graph())
    assert many == [GraphReplicas] * 3
    _, *many = kinds(Triangular(4, 4))
    assert many == [GraphReplicas, GraphReplicas, MixedReplicas]
    _, *many = kinds(Triangular(4, 4), field=0.1)
    assert many == [GraphReplicas] * 3
    _, *many = kinds(Torus(3, 3))
    assert many == [Replicas] * 3
    crowded = Graph.from_bonds(8, [(0, i) for i in range(1, 8)])
    assert kinds(crowded)[-1] is GraphReplicas
    apart = Graph.from_bonds(4, [(0, 1), (2, 3)], [1.0, 1e30])
    assert GraphReplicas not in kinds(apart)
    assert set(kinds(Triangular(4, 4), "random")) == {kinds(apart)[0]}


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
@pytest.mark.parametrize("order", ["sequential", "colours"])
@pytest.mark.parametrize("field", [0.0, 0.3])
@pytest.mark.parametrize("K", [0.25, -0.25])
@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
@pytest.mark.parametrize("name", LATTICES)
def test_the_law_of_small_lattices(name, rule, K, field, order):
    # energy, magnetization and its square of independent chains, |z| > 4 in 6e-5 of each of 400 numbers
    lattice = LATTICES[name]
    if isinstance(lattice, Graph):
        graph = Graph(lattice.indptr, lattice.indices, lattice.couplings, lattice.fields + field)
        lattice, h = graph, 0.0
    else:
        graph, h = lattice.to_graph(field), field
    kind = kind_of_engine(lattice, rule, order, h)
    if not is_irreducible(graph, rule, order, K=K) or not kind <= {GraphReplicas, MixedReplicas}:
        pytest.skip("another kernel, or reducible")
    found = run(
        lattice, K, n_chains=N_CHAINS, n_sweeps=1, burn_in=150, rule=rule, order=order, field=h, rng=1,
        keep_spins=False,
    )  # fmt: skip
    p, energy, magnetization = operators.boltzmann(graph, K)
    n = graph.n_sites
    series = found.energy[:, 0] * n, found.magnetization[:, 0] * n, (found.magnetization[:, 0] * n) ** 2
    for drawn, exact in zip(series, (energy, magnetization, magnetization**2), strict=True):
        mean = p @ exact
        spread = np.sqrt(p @ (exact - mean) ** 2 / N_CHAINS)
        assert abs(drawn.mean() - mean) < 4 * spread


@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
def test_energies_of_a_torus_as_a_graph_against_kaufman(rule):
    # |z| > 4 in 6e-5
    torus = Torus(16, 16)
    for T in (2.6, 4.0):
        found = run(
            torus.to_graph(0.0), 1 / T, n_chains=512, n_sweeps=400, burn_in=200, rule=rule, order="colours",
            rng=2, keep_spins=False, allow_reducible=True,
        ).energy_estimate  # fmt: skip
        assert abs(found.deviation(torus.energy(1 / T))) < 4
        assert found.stderr < 1.5e-3


CASES = [
    (random_graph(), "heat_bath", None, 0.0),
    (random_graph(), "metropolis", "colours", 0.0),
    (Triangular(4, 4), "heat_bath", "colours", 0.25),
    (Hypercubic((2, 2, 4)), "metropolis", "sequential", 0.5),
    (Honeycomb(4, 6), "heat_bath", None, 0.0),
    (LATTICES["frustrated"], "metropolis", "colours", 0.0),
    (Graph.from_bonds(130, [(i, i + 1) for i in range(100)], fields=0.1), "heat_bath", None, 0.0),
]


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
@pytest.mark.parametrize(("lattice", "rule", "order", "field"), CASES)
@pytest.mark.parametrize("n_chains", [9, 600])
class TestTheFaceOfRun:
    def test_the_same_bits_for_any_number_of_threads_and_steps(
        self, monkeypatch, lattice, rule, order, field, n_chains
    ):
        K = np.resize([0.4, -0.3, 0.0, 0.8], n_chains)
        arguments = {"n_sweeps": 6, "rule": rule, "order": order, "field": field, "rng": 1}
        first, second = (run(lattice, K, n_threads=threads, **arguments) for threads in (1, 8))

        import rbmflow.sampling.run as module

        monkeypatch.setattr(sys.modules[module.__module__], "STEP_NANOSECONDS", 1.0)
        third = run(lattice, K, **arguments)
        for other in (second, third):
            np.testing.assert_array_equal(other.spins, first.spins)
            np.testing.assert_array_equal(other.energy, first.energy)
            np.testing.assert_array_equal(other.state.generators, first.state.generators)

    def test_a_run_in_two_parts_is_the_whole(self, tmp_path, lattice, rule, order, field, n_chains):
        common = {"thin": 3, "rule": rule, "order": order, "field": field}
        whole = run(lattice, 0.4, n_chains=n_chains, n_sweeps=30, burn_in=7, rng=1, **common)
        part = run(lattice, 0.4, n_chains=n_chains, n_sweeps=12, burn_in=7, rng=1, **common)
        part.save(tmp_path / "part")
        for before in (pickle.loads(pickle.dumps(part)), type(part).load(tmp_path / "part")):
            rest = run(lattice, 0.4, n_sweeps=18, initial=before, **common)
            np.testing.assert_array_equal(np.concatenate([part.spins, rest.spins], axis=1), whole.spins)
            np.testing.assert_array_equal(np.concatenate([part.energy, rest.energy], axis=1), whole.energy)
            assert rest.state.equals(whole.state)

    def test_series_are_those_of_the_spins(self, lattice, rule, order, field, n_chains):
        arguments = {"n_chains": n_chains, "n_sweeps": 3, "rule": rule, "order": order, "field": field}
        chains = run(lattice, 0.4, rng=1, **arguments)
        graph = lattice.to_graph(field)
        rows, spins = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr)), chains.spins.astype(float)
        energy = -(spins[..., rows] * spins[..., graph.indices]) @ graph.couplings / 2 - spins @ graph.fields
        np.testing.assert_allclose(chains.energy, energy / graph.n_sites, rtol=1e-12, atol=1e-13)
        np.testing.assert_array_equal(chains.magnetization, chains.spins.sum(axis=-1) / graph.n_sites)
        bare = run(lattice, 0.4, rng=1, keep_spins=False, **arguments)
        np.testing.assert_array_equal(bare.energy, chains.energy)


def test_every_start_and_infinite_couplings():
    lattice = Hypercubic((2, 2, 2), periodic=False)
    up = run(lattice, np.inf, n_chains=70, n_sweeps=5, initial="up", rng=1)
    assert (up.spins == 1).all()
    still = run(lattice, -np.inf, n_chains=70, n_sweeps=200, rng=1).spins[:, -1].astype(int)
    graph = lattice.to_graph()
    near = still[:, graph.indices].reshape(70, 8, 3).sum(axis=-1)
    assert (still * near < 0).all()  # nowhere against all neighbours, or fair
    given = np.random.default_rng(1).choice([-1, 1], size=(70, 8))
    still = run(lattice, 1.0, n_chains=70, n_sweeps=0, initial=given, rng=1)
    np.testing.assert_array_equal(still.state.spins, given)
    huge = Graph.from_bonds(4, [(0, 1), (1, 2)], [1e90, -1e90])
    for rule in ("heat_bath", "metropolis"):
        frozen = run(
            huge, 1e308, n_chains=9, n_sweeps=3, initial=[1, 1, -1, 1], rng=1, rule=rule, order="sequential"
        )
        np.testing.assert_array_equal(frozen.spins[..., :3], np.resize([1, 1, -1], (9, 3, 3)))
        assert 0 < (frozen.spins[..., 3] > 0).mean() < 1  # the free one


@pytest.mark.parametrize("n_chains", [3, 70])
@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
def test_infinite_couplings_where_local_fields_vanish(rule, n_chains):
    # spins in no field are fair, and so lead from each lowest state to the others
    lattice = Triangular(2, 2, periodic=False, couplings=(1.0, 1.0, -2.0))
    chains = run(lattice, np.inf, n_chains=n_chains, n_sweeps=8000 // n_chains, burn_in=20, rule=rule, rng=2)
    _, energy, _ = operators.boltzmann(lattice.to_graph(), 1.0)
    lowest = np.flatnonzero(energy == energy.min())
    seen = np.bincount(operators.index_of(chains.spins.reshape(-1, 4)), minlength=16)
    assert seen[lowest].sum() == chains.spins.size / 4
    assert (seen[lowest] > 0.5 * seen.sum() / len(lowest)).all()


def test_weak_couplings_are_drawn_as_by_the_heat_bath():
    K = np.resize([1e-9, 0.5, 0.0], 90)
    chains = run(
        Triangular(3, 3), K, n_sweeps=60, rule="metropolis", order="colours", initial="up", rng=1,
        allow_reducible=True,
    )  # fmt: skip
    parity = (chains.spins[K < 0.1] > 0).sum(axis=-1) % 2
    assert (parity.min(axis=1) == 0).all()
    assert (parity.max(axis=1) == 1).all()


def test_reducible_orders_are_refused_on_graphs():
    ring = Graph.from_bonds(40, [(i, (i + 1) % 40) for i in range(40)])
    for order in ("sequential", "colours"):
        with pytest.raises(ReducibleChainError, match="ring of equal bonds"):
            run(ring, 0.5, n_chains=64, n_sweeps=1, rule="metropolis", order=order, rng=1)
    cube = Graph.from_bonds(8, [(i, i ^ b) for i in range(8) for b in (1, 2, 4) if i & b])
    assert is_irreducible(cube, "metropolis", "sequential")
    assert not is_irreducible(Torus(4, 4), "metropolis", "colours")
    for lattice, order in (
        (Torus(2, 2), "sequential"),
        (Torus(3, 3), "sequential"),
        (Torus(2, 4), "colours"),
    ):
        for on in (lattice, Hypercubic(lattice.shape)):
            with pytest.raises(ReducibleChainError, match="is reducible on"):
                run(on, 0.5, n_sweeps=1, rule="metropolis", order=order, rng=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(Torus(2, 3), 0.5, n_sweeps=1, rule="metropolis", order="sequential", rng=1)


def test_couplings_that_cancel_but_for_rounding():
    pairs = [(1, 0), (2, 0), (2, 1), (3, 1), (3, 2)]
    for unit in (1.0, 0.1, 0.2, 1 / 3):
        graph = Graph.from_bonds(4, pairs, np.array([2, 2, 3, -1, -1]) * unit)
        assert not is_irreducible(graph, "metropolis", "sequential")
        with pytest.raises(ReducibleChainError, match="is reducible on"):
            run(graph, 5.0, n_sweeps=1, rule="metropolis", order="sequential", rng=1)
    pairs, unit = [(0, 1), (1, 2), (2, 3), (3, 0)], 0.1
    square = Graph.from_bonds(5, [*pairs, *((i, 4) for i in range(4))], np.resize([1.0, 3.0, 2.0], 8) * unit)
    states = operators.spins_of(5).astype(np.int8)
    whole = Graph(square.indptr, square.indices, np.rint(square.couplings / unit), square.fields)
    np.testing.assert_array_equal(frozen(square, "sequential", states), frozen(whole, "sequential", states))


def test_there_is_no_warning_where_no_local_field_can_vanish():
    plain = {"n_sweeps": 1, "rule": "metropolis", "order": "sequential", "rng": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for lattice in (Torus(64, 64), Torus(4, 4), Torus(3, 4), Ring(1000), Honeycomb(3, 3)):
            run(lattice, 0.3, field=0.5, **plain)
        run(random_graph(16), 0.3, **plain)
    with pytest.warns(ReducibleChainWarning, match=r"on Torus\(n_rows=3, n_cols=5\)"):
        run(Torus(3, 5), 0.3, field=2.0, **plain)
    with pytest.raises(ReducibleChainError, match=r"or all but so in a field below 0\.001"):
        run(Torus(2, 2), 0.3, field=1e-4, **plain)


def test_small_lattices_warn_of_frozen_states_and_large_ones_do_not():
    for small in (Triangular(2, 10), Hypercubic((4, 10, 10))):
        with pytest.warns(ReducibleChainWarning, match="heat_bath"):
            run(small, 0.2, n_sweeps=1, rule="metropolis", order="colours", rng=1)
    for large in (Honeycomb(10, 10), Triangular(9, 9), Hypercubic((9, 9, 9))):
        run(large, 0.2, n_chains=9, n_sweeps=1, rule="metropolis", order="colours", rng=1)


@pytest.mark.parametrize("name", LATTICES)
def test_no_bond_joins_two_sites_of_one_colour(name):
    lattice = LATTICES[name]
    colour = np.empty(lattice.n_sites, dtype=int)
    parts = colours(lattice)
    for number, sites in enumerate(parts):
        colour[sites] = number
        assert (np.diff(sites) > 0).all()
    assert sum(map(len, parts)) == lattice.n_sites
    assert (colour[lattice.bonds()[:, 0]] != colour[lattice.bonds()[:, 1]]).all()
    np.testing.assert_array_equal(sweep_sites(lattice, "colours"), np.concatenate(parts))


def test_probabilities_are_as_right_as_the_documentation_says():
    # the numbers of 2^31 that draw the less likely spin, found by bisection in the twin's arithmetic
    for field in np.geomspace(1e-3, 12, 200).astype(np.float32):
        e = decay(np.array([field]))
        low, high = -1, 2**31
        while high - low > 1:
            middle = (low + high) // 2
            u = (np.float32(middle) + np.float32(0.5)) * np.float32(2.0**-31)
            low, high = (middle, high) if choose(np.array([field]), e, u)[0] < 0 else (low, middle)
        exact = 1 / (1 + np.exp(2 * np.float64(field)))
        # here the field is exact: rounding it three times adds up to 2e-7 of its size
        assert abs(high / 2**31 - exact) < 3e-7 * (1 - np.log(exact)) * exact + 2.0**-32
