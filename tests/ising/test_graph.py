"""Graphs: what they take, and what they refuse before a kernel sees it."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from rbmflow import Graph, Honeycomb, Hypercubic, Torus, Triangular

PAIR = ([0, 1, 2], [1, 0], [1.0, 1.0], [0.0, 0.0])


def test_bonds_and_matrices_make_the_same_graph():
    matrix = np.array([[0, 2.0, 0], [2.0, 0, -1.0], [0, -1.0, 0]])
    wanted = Graph.from_bonds(3, [(1, 0), (1, 2)], [2.0, -1.0], [0.5, 0.0, 0.0])
    for given in (matrix, sparse.csr_array(matrix), sparse.coo_matrix(matrix)):
        assert Graph.from_matrix(given, [0.5, 0.0, 0.0]) == wanted
    assert pickle.loads(pickle.dumps(wanted)) == wanted
    assert hash(pickle.loads(pickle.dumps(wanted))) == hash(wanted)
    assert wanted != Graph.from_bonds(3, [(1, 0), (1, 2)], [2.0, -1.0])
    assert wanted != 3
    assert wanted.n_sites == 3


def test_bonds_of_no_strength_are_left_out_and_double_ones_kept():
    assert Graph.from_bonds(3, [(0, 1), (1, 2)], [0.0, 1.0]) == Graph.from_bonds(3, [(1, 2)])
    assert len(Graph.from_bonds(2, [(0, 1), (0, 1)]).couplings) == 4


def test_what_was_checked_cannot_change():
    # kernels follow the indices unchecked
    given = np.array([0, 1, 2], np.int32), np.array([1, 0], np.int32), np.ones(2), np.zeros(2)
    graph = Graph(*given)
    given[1][:] = 10**9
    assert graph == Graph(*PAIR)
    for part in ("indptr", "indices", "couplings", "fields"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(graph, part)[0] = 1


@pytest.mark.parametrize(
    ("parts", "error", "name"),
    [
        (([0, 1, 2], [10**9, 0], [1.0, 1.0], [0.0, 0.0]), ValueError, "indices"),
        (([0, 1, 2], [-1, 0], [1.0, 1.0], [0.0, 0.0]), ValueError, "indices"),
        (([0], [1], [1.0, 1.0], np.zeros(2000)), ValueError, "indptr"),
        (([0, 2, 1], [1, 0], [1.0, 1.0], [0.0, 0.0]), ValueError, "indptr"),
        (([0.0, 1.0, 2.0], [1, 0], [1.0, 1.0], [0.0, 0.0]), TypeError, "indptr"),
        (([0, 1, 2], [1, 0], [1.0, 2.0], [0.0, 0.0]), ValueError, "symmetric"),
        (([0, 1, 1], [1], [1.0], [0.0, 0.0]), ValueError, "symmetric"),
        (([0, 1, 2], [0, 1], [1.0, 1.0], [0.0, 0.0]), ValueError, "itself"),
        (([0, 1, 2], [1, 0], [0.0, 0.0], [0.0, 0.0]), ValueError, "holds 0"),
        (([0, 1, 2], [1, 0], [1.0], [0.0, 0.0]), ValueError, "couplings has 1"),
        (([0, 1, 2], [1, 0], [1e200, 1e200], [0.0, 0.0]), ValueError, "1e100"),
        (([0, 1, 2], [1, 0], [1.0, 1.0], [0.0, np.nan]), ValueError, "fields"),
        (([0], [], [], []), ValueError, "fields"),
    ],
)
def test_arrays_that_are_no_graph(parts, error, name):
    with pytest.raises(error, match=name):
        Graph(*(np.array(part, dtype=int) if not len(part) else np.asarray(part) for part in parts))


@pytest.mark.parametrize(
    ("bonds", "error", "name"),
    [
        ([(0, 1), (1,)], TypeError, "bonds"),
        (5, TypeError, "bonds"),
        ([(0, 5)], ValueError, "site 5"),
        ([(0, -1)], ValueError, "site -1"),
        ([(1, 1)], ValueError, "itself"),
        ([(0, 1.5)], TypeError, "bonds"),
    ],
)
def test_bonds_that_are_none(bonds, error, name):
    with pytest.raises(error, match=name):
        Graph.from_bonds(3, bonds)


def test_a_mapping_brings_its_couplings():
    wanted = Graph.from_bonds(3, [(0, 1), (2, 1)], [2.0, -1.0], 0.5)
    assert Graph.from_bonds(3, {(0, 1): 2.0, (2, 1): -1.0}, fields=0.5) == wanted
    # both orders are the two entries of the symmetric matrix: one bond, not two
    wanted = Graph.from_bonds(3, [(0, 1), (1, 2)], [2.0, -1.0], 0.5)
    assert Graph.from_bonds(3, {(1, 0): 2.0, (0, 1): 2.0, (2, 1): -1.0, (1, 2): -1}, fields=0.5) == wanted
    assert not len(Graph.from_bonds(2, {}).couplings)
    with pytest.raises(TypeError, match="mapping of bonds brings its own"):
        Graph.from_bonds(2, {(0, 1): 2.0}, couplings=[2.0])


@pytest.mark.parametrize(
    ("bonds", "error", "name"),
    [
        ({(0, 1): 1.0, (1, 0): 2.0}, ValueError, r"bonds holds \(0, 1\): 1.0 and \(1, 0\): 2.0"),
        (
            [(0, 1), (1, 2), (1, 0)],
            ValueError,
            r"bonds holds \(0, 1\) and \(1, 0\): write each bond in one order",
        ),
        ({0: 1.0}, TypeError, "pairs of integers"),
        ({(0, 1): "a"}, TypeError, "couplings"),
        ({(0, 1, 2): 1.0}, TypeError, "pairs of integers"),
    ],
)
def test_bonds_in_both_orders(bonds, error, name):
    with pytest.raises(error, match=name):
        Graph.from_bonds(3, bonds)


@pytest.mark.parametrize(
    ("matrix", "name"),
    [
        (np.zeros((2, 3)), "square"),
        (np.array([[0, 1.0], [2.0, 0]]), "symmetric"),
        (np.eye(2), "diagonal"),
        (np.array([[0, np.inf], [np.inf, 0]]), "finite"),
    ],
)
def test_matrices_that_are_none(matrix, name):
    with pytest.raises(ValueError, match=name):
        Graph.from_matrix(matrix)


def test_matrices_that_are_not_real_or_not_matrices():
    with pytest.raises(TypeError, match="complex128"):
        Graph.from_matrix(sparse.csr_array(np.array([[0, 1j], [1j, 0]])))
    with pytest.raises(ValueError, match="square"):
        Graph.from_matrix(np.zeros((2, 2, 2)))


def test_a_graph_keeps_arrays_of_its_own():
    # kernels trust what was checked
    given = [np.array([0, 1, 2], dtype=np.int32), np.array([1, 0], dtype=np.int32), np.ones(2), np.zeros(2)]
    graph = Graph(*given)
    given[1][:] = 10**9
    given[2][:] = 5.0
    assert graph == Graph(*PAIR)
    for name in ("indptr", "indices", "couplings", "fields"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(graph, name)[0] = 1


def test_edges_are_pairs_and_triples():
    graph = Graph.from_edges([(0, 1), (1, 2, -0.5), [4, 2], (1, 2, 0.25)], fields=[0, 0, 1, 0, 0])
    wanted = Graph.from_bonds(5, [(0, 1), (1, 2), (4, 2), (1, 2)], [1, -0.5, 1, 0.25], [0, 0, 1, 0, 0])
    assert graph == wanted
    assert Graph.from_edges(np.array([[0, 1, 0.5], [1, 2, 2.0]])) == Graph.from_bonds(
        3, [(0, 1), (1, 2)], [0.5, 2]
    )
    assert Graph.from_edges([], n_sites=3) == Graph.from_bonds(3, [])
    assert Graph.from_edges([(0, 1)], n_sites=3).n_sites == 3


@pytest.mark.parametrize(
    ("edges", "error", "message"),
    [
        ([(0, 1), (1,)], TypeError, r"edges\[1\]=\(1,\): a pair"),
        ([(0, 1, 2, 3)], TypeError, r"edges\[0\]"),
        ([(0, 1.5)], TypeError, "sites are integers"),
        ([(0, -1)], TypeError, "sites are integers from 0"),
        ([("a", "b")], TypeError, "sites are integers"),
        ([(0, True)], TypeError, "sites are integers"),
        ([(0, 1, "x")], TypeError, r"edges\[0\].*a real number"),
        ([(0, 1, np.nan)], ValueError, "couplings"),
        ([(0, 1, 10**400)], ValueError, r"edges\[0\].*at most 1e100"),
        ([(2, 2)], ValueError, "joins a site to itself"),
        ([(0, 1), (1, 0)], ValueError, "write each bond in one order"),
        ([], ValueError, "edges is empty"),
        ("ab", TypeError, "pairs"),
        (5, TypeError, "pairs"),
        ({(0, 1): 2.0}, TypeError, "pairs"),
    ],
)
def test_what_is_no_list_of_edges_is_refused_with_its_place(edges, error, message):
    with pytest.raises(error, match=message):
        Graph.from_edges(edges)


def test_graphs_of_networkx_there_and_back():
    nx = pytest.importorskip("networkx")
    graph = nx.MultiGraph()
    graph.add_node("b", field=0.5)
    graph.add_edges_from([("a", "b", {"weight": -2}), ("b", "c", {}), ("b", "c", {"weight": 3.0})])
    found = Graph.from_networkx(graph)  # nodes b, a, c
    assert found == Graph.from_bonds(3, [(0, 1), (0, 2), (0, 2)], [-2, 1, 3], [0.5, 0, 0])
    back = found.to_networkx("J", "h")
    assert nx.get_node_attributes(back, "h") == {0: 0.5, 1: 0.0, 2: 0.0}
    assert Graph.from_networkx(back, "J", "h") == found
    square = Graph.from_networkx(nx.grid_2d_graph(4, 4, periodic=True))
    assert sorted(map(tuple, square.bonds().tolist())) == sorted(map(tuple, Torus(4, 4).bonds().tolist()))
    for other, error, message in (
        (nx.DiGraph([(0, 1)]), TypeError, "directed"),
        (nx.Graph([(0, 0)]), ValueError, "to itself"),
        (nx.Graph(), ValueError, "n_sites"),
        ("graph", TypeError, "networkx"),
    ):
        with pytest.raises(error, match=message):
            Graph.from_networkx(other)
    for names in ({"coupling": "wieght"}, {"field": "h"}):
        with pytest.raises(ValueError, match="no such attribute"):
            Graph.from_networkx(graph, **names)
    graph.add_edge("a", "c", weight="strong")
    with pytest.raises(TypeError, match="coupling of edge"):
        Graph.from_networkx(graph)
    graph.add_node("d", field=None)
    with pytest.raises(TypeError, match="field of node"):
        Graph.from_networkx(graph)


def test_lattices_become_networks_through_graphs():
    nx = pytest.importorskip("networkx")
    periodic = nx.Graph(Triangular(5, 5).to_graph().to_networkx())
    assert sorted(dict(periodic.degree()).values()) == [6] * 25
    open_sides = nx.Graph(Hypercubic((3, 4), periodic=False).to_graph().to_networkx())
    assert nx.is_isomorphic(open_sides, nx.grid_2d_graph(3, 4))
    honeycomb = nx.Graph(Honeycomb(4, 5).to_graph().to_networkx())
    assert sorted(dict(honeycomb.degree()).values()) == [3] * 40
    assert nx.girth(honeycomb) == 6
