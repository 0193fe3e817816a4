"""Geometry of lattices against brute force, their names, and what a new lattice needs."""

import itertools
import json
from collections import Counter
from dataclasses import dataclass, fields
from typing import ClassVar

import mpmath
import numpy as np
import pytest

from rbmflow import Chain, Graph, Honeycomb, Hypercubic, Ring, Torus, Triangular, ising
from rbmflow.flow import lattice_observables
from rbmflow.ising.bonds import energies, pair_sums
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.ground_states import fields_of
from rbmflow.ising.lattice import _LOADED, as_stored, from_json, lattices
from rbmflow.ising.planar import Planar
from rbmflow.sampling import is_irreducible, run
from rbmflow.spins import all_states

TORI = [Torus(*sides) for sides in itertools.product(range(2, 8), repeat=2)]
GRAPHS = [
    Graph.from_bonds(1, []),
    Graph.from_bonds(4, [(0, 1), (0, 1), (2, 0)], [1.0, 2.0, -1.0]),
    Graph.from_bonds(7, [(5, 2), (2, 6), (6, 1), (0, 3)], fields=0.5),
    Graph.from_bonds(6, [(0, 1), (3, 4), (4, 5), (5, 3)]),
    Graph.from_bonds(4, itertools.combinations(range(4), 2)),
]
PLANAR = [kind for kind in lattices().values() if issubclass(kind, Planar)]
CRYSTALS = [
    *[
        kind(*sides, periodic, couplings)
        for kind in PLANAR
        for sides in ((2, 2), (2, 3), (3, 3), (4, 3), (3, 6))
        for periodic, couplings in (
            (True, 1.0),
            (False, 1.0),
            ((True, False), (1.0, -0.5, 2.0)),
            (True, (1, 0, 1)),
        )
    ],
    *[
        Hypercubic(sides, periodic, couplings)
        for sides, couplings in (
            ((4,), 1),
            ((2, 3), (1, -2)),
            ((4, 2, 3), 1),
            ((2, 4, 2), (1, 0.5, 0)),
            ((2,) * 4, 1),
        )
        for periodic in (True, False, tuple(axis % 2 == 0 for axis in range(len(sides))))
    ],
]
LATTICE = pytest.mark.parametrize(
    "lattice",
    [*map(Ring, range(3, 8)), *map(Chain, range(2, 8)), *TORI, *GRAPHS, *CRYSTALS],
    ids=lambda one: one.label,
)


def bonds_by_definition(lattice):
    """Sites at distance one along an axis, once for each step that leads there."""
    if isinstance(lattice, Graph):
        rows = np.repeat(np.arange(lattice.n_sites), np.diff(lattice.indptr))
        return Counter((i, j) for i, j in zip(rows.tolist(), lattice.indices.tolist(), strict=True) if i < j)
    n = lattice.n_sites
    if lattice in CRYSTALS:
        return Counter({pair: len(J) for pair, J in couplings_by_distance(lattice).items()})
    if isinstance(lattice, Chain):
        pairs = [(i, i + 1) for i in range(n - 1)]
    elif isinstance(lattice, Ring):
        pairs = [(i, (i + 1) % n) for i in range(n)]
    else:
        rows, cols = lattice.n_rows, lattice.n_cols
        pairs = [
            (y * cols + x, there)
            for y, x in itertools.product(range(rows), range(cols))
            for there in (y * cols + (x + 1) % cols, (y + 1) % rows * cols + x)
        ]
    return Counter(tuple(sorted(pair)) for pair in pairs)


def couplings_by_distance(lattice):
    """J of the bonds between two sites: those at distance one, closed sides repeated."""
    at, unit = lattice.positions(), np.array(lattice.vectors or np.eye(lattice.dimension))
    images = [(-1, 0, 1) if closed else (0,) for closed in lattice.periodic]
    periods = [np.array(image) * lattice.cells @ unit for image in itertools.product(*images)]
    found = {}
    for i, j in itertools.combinations(range(lattice.n_sites), 2):
        for away in at[j] - at[i] + periods:
            if abs(np.linalg.norm(away) - 1) < 1e-9:
                J = lattice.couplings[direction(lattice, away)]
                if J:
                    found.setdefault((i, j), []).append(J)
    return found


def direction(lattice, away):
    """Which kind of bond leads so far: that whose line is the same."""
    unit = np.array(lattice.vectors or np.eye(lattice.dimension))
    places = np.array(lattice.places or [[0] * lattice.dimension]) / lattice.parts
    lines = [(np.array(step) + places[b] - places[a]) @ unit for a, b, step in lattice.bond_types]
    same = [abs(abs(line @ away) - 1) < 1e-9 for line in lines]
    assert sum(same) == 1
    return same.index(True)


@LATTICE
def test_couplings_are_those_of_the_directions(lattice):
    wanted = couplings_by_distance(lattice) if lattice in CRYSTALS else None
    bonds, J = lattice.bonds(), lattice.bond_couplings()
    assert J.shape == (lattice.n_bonds,) == (len(bonds),)
    assert lattice.equal_bonds == bool((J == 1).all() and not np.any(getattr(lattice, "fields", 0)))
    if wanted is not None:
        found = {}
        for pair, strength in zip(map(tuple, bonds.tolist()), J.tolist(), strict=True):
            found.setdefault(pair, []).append(strength)
        assert {pair: sorted(several) for pair, several in found.items()} == {
            pair: sorted(several) for pair, several in wanted.items()
        }


@LATTICE
def test_symmetries_leave_the_weight_of_all_states_as_it_is(lattice):
    rng = np.random.default_rng(1)
    spins = rng.normal(size=(3, lattice.n_sites))  # means of a product law: generic
    for site in lattice.symmetries():
        moved = np.empty_like(spins)
        moved[:, site] = spins
        np.testing.assert_allclose(energies(lattice, moved), energies(lattice, spins), rtol=0, atol=1e-12)


def group_order(generators):
    """Number of products of permutations."""
    found, new = set(), {tuple(range(generators.shape[1]))}
    while new:
        found |= new
        new = {tuple(p[i] for i in one) for one in new for p in generators.tolist()} - found
    return len(found)


@pytest.mark.parametrize(
    ("lattice", "order"),
    [
        (Ring(7), 14),
        (Chain(5), 2),
        (Torus(5, 5), 25 * 8),
        (Torus(5, 3), 15 * 4),
        (Triangular(5, 5), 25 * 12),
        (Triangular(5, 3), 15 * 2),
        (Triangular(4, 4, periodic=False), 4),
        (Honeycomb(5, 5), 25 * 12),
        (Honeycomb(4, 4, periodic=False), 4),
        (Hypercubic((3, 3, 3)), 27 * 48),
        (Hypercubic((3, 3, 3), couplings=(1, 1, 2)), 27 * 16),
        (Hypercubic((3, 4), periodic=False), 4),
    ],
    ids=lambda one: getattr(one, "label", None),
)
def test_the_symmetry_group_has_as_many_members_as_it_should(lattice, order):
    assert group_order(lattice.symmetries()) == order


def test_critical_couplings_are_those_of_the_literature():
    assert Torus(4, 4).critical_coupling == pytest.approx(np.log(1 + np.sqrt(2)) / 2, rel=1e-15)
    square = Hypercubic((4, 4), couplings=-2.0)
    assert square.critical_coupling == pytest.approx(np.log(1 + np.sqrt(2)) / 4, rel=1e-13)
    # from one to three kinds of bonds, from the square lattice to the isotropic triangular one
    assert Triangular(4, 4).critical_coupling == np.log(3) / 4
    nearly = Triangular(4, 4, couplings=(1, 1, 1 + 1e-12)).critical_coupling
    assert nearly == pytest.approx(np.log(3) / 4, rel=1e-11)
    assert Triangular(4, 4, couplings=(1, 0, 1)).critical_coupling == pytest.approx(
        np.log(1 + np.sqrt(2)) / 2
    )
    # frustrated: ordered by the two stronger kinds, not at all if two are the weakest
    for couplings in ((1, 1, -0.5), (1, -0.5, 1), (-1, 0.5, 1), (-1, -1, -0.5)):
        assert Triangular(4, 4, couplings=couplings).critical_coupling == pytest.approx(0.745227, abs=1e-6)
    for couplings in ((1, 2, -1e-9), (1.0, -0.75, 2.0), (3, -3, 2.9)):
        K = Triangular(4, 4, couplings=couplings).critical_coupling
        with mpmath.workdps(60):
            weak, *strong = sorted(mpmath.sinh(2 * mpmath.mpf(K) * abs(J)) for J in couplings)
            left = weak / strong[0] + weak / strong[1] + 1 / (strong[0] * strong[1])
        assert float(left) == pytest.approx(1, rel=1e-12)
    for couplings in ((1, 1, -1), (-1, -1, -1), (2, 1, -1)):
        assert Triangular(4, 4, couplings=couplings).critical_coupling == np.inf
    # star and triangle: a site between three, summed over, couples them two by two
    J = (1.0, 0.5, 1.5)
    K = Honeycomb(4, 4, couplings=J).critical_coupling
    a, b, c = (K * one for one in J)
    weights = [np.cosh(x) for x in (a + b + c, b + c - a, a + c - b, a + b - c)]
    of_triangle = [
        np.log(weights[0] * weights[k] / np.prod([weights[i] for i in {1, 2, 3} - {k}])) / 4
        for k in (1, 2, 3)
    ]
    assert Triangular(4, 4, couplings=of_triangle).critical_coupling == pytest.approx(1, rel=1e-12)
    assert Honeycomb(4, 4).critical_coupling == np.log(2 + np.sqrt(3)) / 2
    assert Honeycomb(4, 4, couplings=(1, 1, 0)).critical_coupling == np.inf
    assert (
        Hypercubic((4,)).critical_coupling
        == np.inf
        == Triangular(4, 4, couplings=(0, 0, 1)).critical_coupling
    )
    assert np.isnan(Hypercubic((4,) * 3, couplings=(1, 1, 2)).critical_coupling)
    for lattice in (Ring(4), Torus(4, 4), Triangular(4, 4), *[Hypercubic((2,) * d) for d in range(1, 6)]):
        assert lattice.critical_source, lattice
        assert not np.isnan(lattice.critical_coupling)


@LATTICE
def test_bonds_and_neighbours_are_those_of_the_definition(lattice):
    wanted = bonds_by_definition(lattice)
    bonds, near = lattice.bonds(), lattice.neighbours()
    assert bonds.dtype == near.dtype == np.int32
    assert Counter(map(tuple, bonds.tolist())) == wanted
    assert (np.diff(bonds[:, 0]) >= 0).all()
    for site, row in enumerate(near.tolist()):
        of_it = Counter()
        for (i, j), times in wanted.items():
            of_it[j if i == site else i] += times * (site in (i, j))
        assert Counter(j for j in row if j >= 0) == +of_it
    degrees = (near >= 0).sum(axis=1)
    assert near.shape == (lattice.n_sites, lattice.coordination)
    ends = isinstance(lattice, Crystal) and not lattice.translation_invariant
    assert degrees.max(initial=0) == lattice.coordination or ends
    assert degrees.sum() == 2 * len(bonds)


@LATTICE
def test_two_sublattices_where_some_colouring_has_no_bond_within_a_colour(lattice):
    first, second = lattice.bonds().T
    # site 0 in the first; tori of up to 20 sites: all colourings
    if lattice.n_sites <= 20:
        colourings = all_states(lattice.n_sites)
        there = (colourings[:, first] != colourings[:, second]).all(axis=1).any()
        assert lattice.bipartite == there
    if (
        not lattice.bipartite
        and isinstance(lattice, Triangular)
        and 0 not in lattice.couplings
        and not any(closed and side % 3 for closed, side in zip(lattice.periodic, lattice.cells, strict=True))
    ):
        colour = np.empty(lattice.n_sites, dtype=int)
        for k, sites in enumerate(lattice.sublattices()):
            colour[sites] = k
        assert (colour[first] != colour[second]).all()
        return
    if not lattice.bipartite:
        with pytest.raises(ValueError, match=r"only even sides|odd cycle|three sublattices"):
            lattice.sublattices()
        return
    even, odd = lattice.sublattices()
    assert even[0] == 0
    assert even.dtype == odd.dtype == np.int32
    assert sorted([*even, *odd]) == list(range(lattice.n_sites))
    assert (np.diff(even) > 0).all()
    assert (np.diff(odd) > 0).all()
    assert (np.isin(first, even) != np.isin(second, even)).all()
    if isinstance(lattice, (Ring, Chain, Torus)):
        n_cols = lattice.shape[-1]
        assert even.tolist() == [i for i in range(lattice.n_sites) if (i // n_cols + i % n_cols) % 2 == 0]


def test_the_rows_of_neighbours_begin_with_the_bonds_of_a_site():
    # what kernels of many replicas count energies by
    y, x = np.divmod(np.arange(15), 5)
    right, left = y * 5 + (x + 1) % 5, y * 5 + (x - 1) % 5
    down, up = (y + 1) % 3 * 5 + x, (y - 1) % 3 * 5 + x
    assert Torus(3, 5).neighbours().tolist() == np.stack([right, down, left, up], axis=1).tolist()
    assert Ring(5).neighbours()[0].tolist() == [1, 4]


def test_geometry_is_shared_and_cannot_be_changed():
    for lattice in (Ring(8), Chain(8), Torus(2, 4), GRAPHS[2]):
        for array in (lattice.neighbours(), *lattice.sublattices()):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1


def test_a_lattice_too_large_to_list_says_so():
    with pytest.raises((ValueError, MemoryError), match=r"lattice.n_sites=|sites: .*of memory"):
        Torus(10**6, 10**6).neighbours()
    with pytest.raises((ValueError, MemoryError), match=r"lattice.n_sites=|sites: .*of memory"):
        Torus(10**6, 10**6).sublattices()


@LATTICE
def test_as_a_graph_it_has_the_same_bonds(lattice):
    graph = lattice.to_graph()
    assert Counter(map(tuple, graph.bonds().tolist())) == Counter(map(tuple, lattice.bonds().tolist()))
    if not isinstance(lattice, Graph):
        again = Graph.from_bonds(lattice.n_sites, lattice.bonds())
        assert np.array_equal(again.neighbours().sum(axis=1), graph.neighbours().sum(axis=1))
        assert (graph.couplings == 1).all() == lattice.equal_bonds


@LATTICE
def test_sums_over_bonds_of_spins_and_of_means(lattice):
    rng = np.random.default_rng(1)
    for rows in (
        rng.choice(np.array([-1, 1], np.int8), (5, lattice.n_sites)),
        rng.uniform(-1, 1, (5, lattice.n_sites)),
    ):
        J = lattice.bond_couplings().tolist()
        wanted = sum(
            n * rows[:, i] * rows[:, j] for (i, j), n in zip(lattice.bonds().tolist(), J, strict=True)
        )
        # a handful of products of at most 1
        np.testing.assert_allclose(pair_sums(lattice, rows), wanted + np.zeros(5), rtol=0, atol=1e-13)
        of_fields = rows @ fields_of(lattice)  # those of a graph, else none
        np.testing.assert_allclose(
            energies(lattice, rows), -(wanted + of_fields) / lattice.n_sites, rtol=0, atol=1e-13
        )


def test_labels_are_what_figures_and_tables_call_lattices():
    assert [one.label for one in (Ring(64), Chain(5), Torus(10, 12), GRAPHS[1])] == [
        "ring of 64",
        "chain of 5",
        "torus of 10 x 12",
        "graph of 4",
    ]


@LATTICE
def test_json_names_the_lattice(lattice):
    for form in (lattice.to_json(), as_stored(lattice)):
        assert from_json(json.loads(json.dumps(form))) == lattice
    assert lattice.to_json()["name"] == lattice.name


def test_files_from_before_names_say_rings_and_tori_by_their_sides():
    assert from_json([8]) == Ring(8)
    assert from_json([4, 6]) == Torus(4, 6)
    # and earlier versions read what is written of them now
    assert (as_stored(Ring(8)), as_stored(Torus(4, 6))) == ([8], [4, 6])


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ([], "one or two sides"),
        ([2, 2, 2], "one or two sides"),
        (8, "a name, one of chain, graph, h"),
        ({}, "a name, one of"),
        ({"name": ["torus"]}, "a name, one of"),
        ({"name": "kagome", "n_rows": 3}, "kagome"),
        ({"name": "torus", "n_rows": 3}, "lacks n_cols"),
        ({"name": "ring", "n_sites": 3, "K": 1}, "has K"),
        ({"name": "ring", "n_sites": 2}, "n_sites=2"),
        ([4.5], "4.5"),
        ([True], "True"),
    ],
)
def test_what_is_no_lattice_is_refused(plain, message):
    with pytest.raises((ValueError, TypeError), match=message):
        from_json(plain)


@pytest.fixture
def king():
    """A lattice that the package does not have, in one class."""

    @dataclass(frozen=True)
    class King(Crystal):
        name: ClassVar[str] = "king's graph"
        steps: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 1), (1, 0), (1, 1), (1, -1))

        n_rows: int
        n_cols: int

    yield King
    del _LOADED[King.name]


def test_a_new_lattice_is_its_sides_and_its_steps(king):
    lattice = king(3, 4)
    assert [one.name for one in fields(lattice)] == ["n_rows", "n_cols"]
    assert (lattice.coordination, lattice.bonds_per_site, lattice.bipartite) == (8, 4, False)
    assert lattice.neighbours()[0].tolist() == [1, 4, 5, 7, 3, 8, 11, 9]
    assert len(lattice.bonds()) == 48
    assert lattice.label == "king's graph of 3 x 4"
    assert as_stored(lattice) == {"name": "king's graph", "n_rows": 3, "n_cols": 4}
    assert from_json(as_stored(lattice)) == lattice
    with pytest.raises(ValueError, match="two sublattices"):
        king(4, 4).sublattices()
    up = np.ones((1, 12))
    assert {name: f(up)[0] for name, f in lattice_observables(lattice, [1]).items()} == {
        "energy": -4.0,
        "excess": 0.0,
        "correlation_1": 0.0,
    }


def test_chains_run_on_a_new_lattice(king):
    lattice, K = king(3, 4), 0.2
    alpha = pair_sums(lattice, all_states(12))
    weight = np.exp(K * alpha)
    exact = -(weight * alpha).sum() / weight.sum() / 12
    assert is_irreducible(lattice, "heat_bath", "sequential")
    law = ising.state_law(lattice, K)
    np.testing.assert_allclose(law.probabilities, weight / weight.sum(), rtol=1e-13)
    for rule in ("heat_bath", "metropolis", "wolff", "swendsen_wang"):
        for n_chains in (2, 16):
            # false alarm: |z| > 4 in 6e-5, eight cases
            chains = run(lattice, K, n_chains=n_chains, n_sweeps=4000, burn_in=50, rule=rule, rng=1)
            assert abs(chains.energy_estimate.deviation(exact)) < 4


def test_every_lattice_of_the_package_has_a_name():
    public = {getattr(ising, name) for name in ising.LATTICES}
    assert {*lattices().values()} == public
    assert {*ising.LATTICES} <= {*ising.__all__}
