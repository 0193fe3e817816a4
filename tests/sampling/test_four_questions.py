"""Does a kernel, rule and order follow its operator, leave the law invariant, connect all states, stay there?

Question one, the twins, is in tests/kernels/test_markov.py. Each χ² test here has a false-alarm rate of 1e-6
and a fixed seed.
"""

import numpy as np
import pytest
from scipy import stats

from rbmflow import Honeycomb, Hypercubic, Ring, Torus, Triangular
from rbmflow.ising import Chain, Graph
from rbmflow.sampling import ReducibleChainWarning, is_irreducible, run
from rbmflow.sampling.reducibility import classes, frozen, resolve_order, sweep_sites
from rbmflow.spins import all_states
from tests.sampling import operators

FALSE_ALARM = 1e-6
SINGLE = [("heat_bath", "random"), ("heat_bath", "sequential"), ("heat_bath", "checkerboard")]
SINGLE += [("metropolis", "random"), ("metropolis", "sequential"), ("metropolis", "checkerboard")]
SINGLE += [("heat_bath", "colours"), ("metropolis", "colours")]
FIXED = [(rule, order) for rule, order in SINGLE if order != "random"]
CLUSTERS = [("wolff", None), ("swendsen_wang", None)]


def field_graph():
    rng = np.random.default_rng(1)
    bonds = [(i, j) for i in range(6) for j in range(i) if rng.random() < 0.6]
    return Graph.from_bonds(6, bonds, rng.normal(size=len(bonds)), rng.normal(size=6))


def allowed(lattice, order):
    try:
        resolve_order(lattice, "heat_bath", order)
    except ValueError:
        return False
    # two colours of a lattice with sublattices are its checkerboard
    return order != "colours" or isinstance(lattice, Graph) or not lattice.bipartite


def cases(lattices, rules):
    return [
        pytest.param(
            lattice,
            rule,
            order,
            id=f"{lattice}-{rule}-{order}",
            marks=[pytest.mark.slow] * (lattice.n_sites > 12 and order == "random"),
        )
        for lattice in lattices
        for rule, order in rules
        if order is None or allowed(lattice, order)
    ]


def quietly(*arguments, **keywords):
    """Run a chain, reducible ones too."""
    return run(*arguments, allow_reducible=True, **keywords)


def signed_graph():
    """A frustrated triangle and a double bond, with fields of both signs on three of five sites."""
    bonds = [(0, 1), (1, 2), (0, 2), (2, 3), (2, 3)]
    return Graph.from_bonds(5, bonds, [1.0, -0.5, 1.5, 0.7, -2.0], [0.8, 0.0, -0.4, 0.0, 2.0])


SMALL = [Ring(3), Ring(6), Torus(2, 2), Torus(2, 3), Torus(2, 4), Chain(5), field_graph()]
BY_CLUSTERS = [*SMALL[:4], Chain(5), signed_graph(), Ring(4).to_graph(0.3), Torus(2, 2).to_graph(-0.7)]
OTHER = [Honeycomb(2, 2), Hypercubic((2, 2, 2)), Triangular(2, 3).to_graph(-0.3)]


@pytest.mark.parametrize(
    ("lattice", "rule", "order"), cases(SMALL, SINGLE) + cases(OTHER, FIXED) + cases(BY_CLUSTERS, CLUSTERS)
)
@pytest.mark.parametrize("few", [True, False])
def test_a_sweep_from_one_state_follows_the_operator(lattice, rule, order, few):
    # few chains run one at a time, site by site or as bytes, many as bits of words: other kernels
    n, rng = lattice.n_sites, np.random.default_rng(2)
    n_chains = 6000
    if few:
        n_chains = 150 if order == "checkerboard" and isinstance(lattice, Torus) else 7
    size = 1050 if few else 6000
    for K in (0.3,) if rule == "metropolis" else (0.3, -0.4):
        for start in (0, 0b0110 % 2**n):
            p = np.zeros(2**n)
            p[start] = 1
            wanted = (
                operators.cluster_sweep(p, lattice, K, rule)
                if order is None
                else operators.sweep(p, lattice, K, rule, sweep_sites(lattice, order))
            )
            initial = operators.spins_of(n)[start]
            arguments = {"n_sweeps": 1, "rule": rule, "order": order, "initial": initial, "n_threads": 1}
            found = np.concatenate(
                [
                    quietly(lattice, K, n_chains=n_chains, rng=rng, **arguments).spins[:, 0]
                    for _ in range(size // n_chains)
                ]
            )
            observed = np.bincount(operators.index_of(found), minlength=2**n)
            assert not observed[wanted == 0].any()
            expected, seen = operators.combined(np.arange(2**n), wanted * size, observed)
            if len(expected) > 1:
                assert stats.chisquare(seen, expected).pvalue > FALSE_ALARM


INVARIANT = [Ring(3), Ring(7), Ring(10), Torus(2, 2), Torus(3, 3), Chain(8), field_graph(), Torus(4, 4)]
INVARIANT += [Triangular(3, 3), Honeycomb(2, 2), Hypercubic((2, 2, 2))]


@pytest.mark.parametrize(("lattice", "rule", "order"), cases(INVARIANT, SINGLE))
def test_sweeps_leave_the_law_invariant(lattice, rule, order):
    for K in (0.1, 0.44, -0.7):
        p, _, _ = operators.boltzmann(lattice, K)
        after = operators.sweep(p, lattice, K, rule, sweep_sites(lattice, order))
        # n² attempts, each adding a rounding of 1e-16 of the largest terms
        np.testing.assert_allclose(after, p, rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize(
    ("lattice", "rule", "order"),
    cases(BY_CLUSTERS, CLUSTERS),
)
def test_clusters_leave_the_law_invariant(lattice, rule, order):
    for K in (0.1, 0.44, -0.7):
        p, _, _ = operators.boltzmann(lattice, K)
        np.testing.assert_allclose(operators.cluster_sweep(p, lattice, K, rule), p, rtol=1e-12)


@pytest.mark.parametrize("rule", ["wolff", "swendsen_wang"])
@pytest.mark.parametrize(
    "lattice",
    [
        *(Ring(3), Ring(6), Ring(10), Torus(2, 3), signed_graph(), Ring(6).to_graph(0.3)),
        pytest.param(Torus(3, 3), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_clusters_leave_the_law_of_larger_lattices_invariant(lattice, rule):
    for K in (0.3, -0.7):
        p, _, _ = operators.boltzmann(lattice, K)
        if lattice.n_sites <= 6:
            # both ways of summing are one operator, on a law that it changes
            start = np.random.default_rng(1).dirichlet(np.ones(len(p)))
            np.testing.assert_allclose(
                operators.cluster_sweep_by_bonds(start, lattice, K, rule),
                operators.cluster_sweep(start, lattice, K, rule),
                rtol=1e-11,
            )
        np.testing.assert_allclose(operators.cluster_sweep_by_bonds(p, lattice, K, rule), p, rtol=1e-11)


@pytest.mark.parametrize(
    "lattice", [Ring(m) for m in range(3, 11)] + [Torus(2, 3), Torus(3, 3), Torus(4, 4)], ids=str
)
@pytest.mark.parametrize("order", ["random", "sequential", "checkerboard", "colours"])
def test_the_heat_bath_connects_all_states(lattice, order):
    if allowed(lattice, order):
        assert is_irreducible(lattice, "heat_bath", order)


@pytest.mark.parametrize("rule", ["wolff", "swendsen_wang"])
@pytest.mark.parametrize("lattice", BY_CLUSTERS, ids=str)
def test_clusters_connect_all_states(lattice, rule):
    # from any state every state is reached in two sweeps, of Wolff in one for each site
    assert is_irreducible(lattice, rule)
    size = 2**lattice.n_sites
    reached = np.empty((size, size))
    for state in range(size):
        reached[state] = operators.cluster_sweep(np.eye(size)[state], lattice, 0.3, rule)
    n_sweeps = lattice.n_sites if rule == "wolff" else 2
    assert (np.linalg.matrix_power(reached + np.eye(size), n_sweeps) > 0).all()


@pytest.mark.parametrize("n_sites", [*range(3, 14), pytest.param(16, marks=pytest.mark.slow)])
def test_metropolis_on_the_ring_connects_all_states_only_at_random(n_sites):
    assert is_irreducible(Ring(n_sites), "metropolis", "random")
    assert not is_irreducible(Ring(n_sites), "metropolis", "sequential")
    if n_sites % 2 == 0:
        assert not is_irreducible(Ring(n_sites), "metropolis", "checkerboard")
    # the classes are macroscopic:
    # the largest holds less than 95 per cent of the states, two out of three in 3 sites
    labels = classes(Ring(n_sites), "metropolis", "sequential")
    assert np.bincount(labels).max() <= 0.95 * len(labels)


@pytest.mark.parametrize("n_sites", range(2, 11))
def test_metropolis_on_a_chain_with_free_ends_connects_all_states(n_sites):
    for order in ("sequential", "checkerboard", "random"):
        assert is_irreducible(Chain(n_sites), "metropolis", order)


# theory of the update orders: which L x L' are irreducible in sequential order
SEQUENTIAL = {(2, 3): True, (2, 4): True, (2, 5): True, (2, 8): True, (3, 4): True, (3, 6): True}
SEQUENTIAL |= {(2, 2): False, (3, 3): False, (4, 4): False, (2, 6): False, (3, 5): False}
SLOW = {(3, 6), (2, 8), (4, 4)}


@pytest.mark.parametrize(
    "shape", [pytest.param(shape, marks=pytest.mark.slow) if shape in SLOW else shape for shape in SEQUENTIAL]
)
def test_metropolis_on_tori(shape):
    lattice = Torus(*shape)
    assert is_irreducible(lattice, "metropolis", "sequential") == SEQUENTIAL[shape]
    orders = ["sequential"]
    if allowed(lattice, "checkerboard"):
        assert not is_irreducible(lattice, "metropolis", "checkerboard")
        orders.append("checkerboard")
    for order in orders:
        # exactly the states that `frozen` knows lie outside the one large class
        labels = classes(lattice, "metropolis", order)
        lost = labels != np.bincount(labels).argmax()
        np.testing.assert_array_equal(lost, frozen(lattice, order, all_states(lattice.n_sites)))
        p, _, _ = operators.boltzmann(lattice, np.log1p(np.sqrt(2)) / 2)
        if shape == (4, 4):
            assert p[lost].sum() < 1e-4


def law_classes(lattice, K):
    p, energy, magnetization = operators.boltzmann(lattice, K)
    return p, np.stack([energy, magnetization], axis=1)


def exact_samples(lattice, K, size, rng):
    p, _, _ = operators.boltzmann(lattice, K)
    return operators.spins_of(lattice.n_sites)[rng.choice(len(p), size=size, p=p)]


def signed_graph_of_twelve():
    """Bonds of both signs on a random graph, in fields of both signs at half of the sites."""
    rng = np.random.default_rng(12)
    bonds = [(i, j) for i in range(12) for j in range(i) if rng.random() < 0.3]
    fields = np.where(np.arange(12) % 2, rng.normal(size=12), 0.0)
    return Graph.from_bonds(12, bonds, rng.normal(size=len(bonds)), fields)


STAY = [Ring(16), Torus(4, 4)]
STAY_BY_CLUSTERS = [*STAY, Torus(3, 4).to_graph(0.1), Chain(12).to_graph(), signed_graph_of_twelve()]
STAY_SINGLE = [Triangular(4, 4, couplings=(0.5, 1.0, -0.75)), Honeycomb(2, 4), Hypercubic((4, 2, 2))]


@pytest.mark.parametrize(
    ("lattice", "rule", "order"),
    cases(STAY, SINGLE) + cases(STAY_SINGLE, FIXED) + cases(STAY_BY_CLUSTERS, CLUSTERS),
)
@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
def test_chains_drawn_from_the_law_stay_there(lattice, rule, order):
    # independent chains, so that χ² over all (energy, V) needs no autocorrelation time
    K, size = 0.4, 4_000 if order in (None, "random") else 40_000
    initial = exact_samples(lattice, K, size, np.random.default_rng(4))
    n_sweeps = 3 if size < 10_000 else 20
    after = quietly(
        lattice, K, n_chains=size, n_sweeps=n_sweeps, rule=rule, order=order, initial=initial, rng=5
    )
    p, keys = law_classes(lattice, K)
    observed = np.bincount(operators.index_of(after.spins[:, -1]), minlength=len(p))
    expected, seen = operators.combined(keys, p * size, observed)
    assert stats.chisquare(seen, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("n_chains", [150, 600])
@pytest.mark.parametrize(("lattice", "rule", "order"), cases(STAY, SINGLE + CLUSTERS))
@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
def test_the_whole_distribution_from_random_spins(lattice, rule, order, n_chains):
    if rule == "metropolis" and order != "random" and isinstance(lattice, Ring):
        pytest.skip("reducible: refused, see test_safety.py")
    if n_chains == 150 and rule in ("wolff", "swendsen_wang"):
        pytest.skip("the kernel is the same")
    # chains of 24 samples 60 sweeps apart (Wolff 200 clusters): over ten autocorrelation times at K = 0.35
    K, thin = 0.35, 200 if rule == "wolff" else 60
    n_kept = 24 if n_chains > 200 else 48
    chains = run(
        lattice,
        K,
        n_chains=n_chains,
        n_sweeps=thin * n_kept,
        thin=thin,
        burn_in=100,
        rule=rule,
        order=order,
        rng=6,
    )
    p, keys = law_classes(lattice, K)
    found = operators.index_of(chains.spins.reshape(-1, lattice.n_sites))
    expected, seen = operators.combined(keys, p * len(found), np.bincount(found, minlength=len(p)))
    assert stats.chisquare(seen, expected).pvalue > FALSE_ALARM


def test_exact_operators_agree_with_the_exact_density_of_states():
    p, energy, magnetization = operators.boltzmann(Torus(4, 4), 0.3)
    joint = Torus(4, 4).joint_density_of_states()
    table = dict(zip(zip(joint.energy, joint.magnetization, strict=True), joint.count, strict=True))
    keys, counts = np.unique(np.stack([energy, magnetization], axis=1), axis=0, return_counts=True)
    assert {tuple(map(int, key)): int(n) for key, n in zip(keys, counts, strict=True)} == table
    assert (p * energy).sum() / 16 == pytest.approx(Torus(4, 4).energy(0.3), rel=1e-13, abs=0)


def test_a_small_torus_warns_once():
    torus = Torus(4, 6)
    with pytest.warns(ReducibleChainWarning, match="heat_bath"):
        run(torus, 0.4, n_sweeps=2, rule="metropolis", order="checkerboard", rng=1)
    run(torus, 0.4, n_sweeps=2, rule="metropolis", order="checkerboard", rng=1)
