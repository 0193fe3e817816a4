"""Lists of bonds as people have them: pairs, triples, mappings, graphs of networkx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, as_array, check_real, refuse_mask, shown
from rbmflow.ising.lattice import MAX_STRENGTH


def pairs_of(n_sites: int, bonds: Any, couplings: object) -> tuple[npt.NDArray[Any], FloatArray]:
    """Return the sites of bonds and their couplings, both checked; see `Graph.from_bonds`."""
    if isinstance(bonds, Mapping):
        if couplings is not None:
            raise TypeError("couplings: a mapping of bonds brings its own, none can be given beside it")
        bonds, couplings = bonds_of_mapping(bonds)
    refuse_mask("bonds", bonds)
    try:  # a frame of pandas lists its columns
        pairs = np.array(as_array("bonds", bonds) if hasattr(bonds, "__array__") else list(bonds))
    except (TypeError, ValueError):
        raise TypeError("bonds: pairs of integers are needed") from None
    if pairs.size == 0:
        pairs = np.empty((0, 2), dtype=np.int64)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise TypeError(f"bonds: pairs of integers are needed, not an array of {pairs.dtype} {pairs.shape}")
    outside = (pairs < 0) | (pairs >= n_sites)
    if outside.any():
        raise ValueError(f"bonds holds site {pairs[outside][0]}: sites run from 0 to {n_sites - 1}")
    if (pairs[:, 0] == pairs[:, 1]).any():
        raise ValueError("bonds joins a site to itself")
    _check_order(pairs)
    return pairs, strengths("couplings", 1.0 if couplings is None else couplings, len(pairs))


def columns_of(edges: Any) -> tuple[list[tuple[int, int]], list[float]]:
    """Return the sites and the couplings of pairs and triples; see `Graph.from_edges`."""
    refuse_mask("edges", edges)
    if isinstance(edges, (str, bytes, Mapping)) or not (
        hasattr(edges, "__array__") or isinstance(edges, Iterable)
    ):
        raise TypeError(f"edges={shown(edges)}: pairs (i, j) or triples (i, j, J) are needed")
    rows = as_array("edges", edges).tolist() if hasattr(edges, "__array__") else list(edges)
    pairs, couplings = [], []
    for place, edge in enumerate(rows):
        if not isinstance(edge, (tuple, list, np.ndarray)) or len(edge) not in (2, 3):
            raise TypeError(f"edges[{place}]={shown(edge)}: a pair (i, j) or a triple (i, j, J) is needed")
        i, j, J = (*edge, 1.0)[:3]
        if not (_whole(i) and _whole(j)) or min(i, j) < 0:
            raise TypeError(f"edges[{place}]={shown(edge)}: sites are integers from 0")
        if i == j:
            raise ValueError(f"edges[{place}]={shown(edge)} joins a site to itself")
        pairs.append((int(i), int(j)))
        couplings.append(_number(f"edges[{place}]: the coupling of", (i, j), J))
    return pairs, couplings


def _whole(site: object) -> bool:
    if isinstance(site, float):  # of an array whose third column are couplings
        return site.is_integer()
    return isinstance(site, Integral) and not isinstance(site, bool)


def matrix_of(couplings: Any) -> Any:
    """Return a symmetric matrix of couplings as one of scipy, checked; see `Graph.from_matrix`."""
    from scipy import sparse

    given = couplings if sparse.issparse(couplings) else check_real("couplings", couplings)
    if given.dtype.kind not in "iuf":
        raise TypeError(f"couplings is a matrix of {given.dtype}: real numbers are needed")
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.shape[0]:
        raise ValueError(f"couplings has shape {given.shape}: a square matrix is needed")
    matrix = sparse.csr_array(given).astype(np.float64)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all():
        raise ValueError("couplings holds a value that is not finite")
    if (abs(matrix - matrix.T)).nnz:
        raise ValueError("couplings is not symmetric")
    if matrix.diagonal().any():
        raise ValueError("couplings has a diagonal: a spin has no coupling to itself")
    return matrix


def parts_of_networkx(
    graph: Any, coupling: str, field: str
) -> tuple[int, list[tuple[int, int]], list[float], list[float]]:
    """Return number of sites, bonds, couplings and fields; see `Graph.from_networkx`."""
    if not all(hasattr(graph, name) for name in ("nodes", "edges", "is_directed")):
        raise TypeError(f"graph={shown(graph)}: a graph of networkx is needed")
    if graph.is_directed():
        raise TypeError("graph is directed: bonds have no direction; graph.to_undirected() leaves them out")
    _check_attribute("coupling", coupling, "weight", graph.edges(data=True))
    _check_attribute("field", field, "field", graph.nodes(data=True))
    site = {node: place for place, node in enumerate(graph.nodes)}
    fields = [_number("field of node", node, value) for node, value in graph.nodes(data=field, default=0.0)]
    found = list(graph.edges(data=coupling, default=1.0))
    for here, there, _ in found:
        if here == there:
            raise ValueError(f"graph joins node {shown(here)} to itself")
    pairs = [(min(site[a], site[b]), max(site[a], site[b])) for a, b, _ in found]
    return len(site), pairs, [_number("coupling of edge", (a, b), J) for a, b, J in found], fields


def _check_attribute(argument: str, name: object, default: str, found: Any) -> None:
    """Raise if nothing has an attribute that was asked for; what has none by default is as usual."""
    if not isinstance(name, str):
        raise TypeError(f"{argument}={shown(name)}: the name of an attribute is needed")
    if name != default and not any(name in attributes for *_, attributes in found):
        raise ValueError(f"{argument}={shown(name)}: graph has no such attribute")


def _number(what: str, where: object, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{what} {shown(where)} is {shown(value)}: a real number is needed")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{what} {shown(where)} is {shown(value)}: at most 1e100 is possible") from None


def as_networkx(bonds: Any, couplings: FloatArray, fields: FloatArray, coupling: str, field: str) -> Any:
    """Return a graph of networkx; see `Graph.to_networkx`."""
    for name, value in (("coupling", coupling), ("field", field)):
        if not isinstance(value, str):
            raise TypeError(f"{name}={shown(value)}: the name of an attribute is needed")
    try:
        import networkx as nx
    except ImportError:
        raise ImportError("graphs are handed on by networkx: pip install rbmflow[data]") from None
    graph = nx.MultiGraph()
    graph.add_nodes_from((site, {field: h}) for site, h in enumerate(fields.tolist()))
    graph.add_edges_from(
        (*pair, {coupling: J}) for pair, J in zip(bonds.tolist(), couplings.tolist(), strict=True)
    )
    return graph


def bonds_of_mapping(strengths: Mapping[Any, Any]) -> tuple[list[Any], list[Any]]:
    """Return the bonds of a mapping and their couplings, those that are there in both orders once."""
    bonds, couplings = [], []
    for pair, strength in strengths.items():
        back = tuple(pair)[::-1] if isinstance(pair, tuple) else None
        if back in strengths:
            other = strengths[back]
            if strength != other:
                raise ValueError(
                    f"bonds holds {pair}: {strength!r} and {back}: {other!r}: "
                    "one bond has one coupling, the two must be equal"
                )
            if pair > back:
                continue
        bonds.append(pair)
        couplings.append(strength)
    return bonds, couplings


def _check_order(pairs: npt.NDArray[Any]) -> None:
    """Raise if two sites are joined in both orders: one bond written twice, or two bonds, nobody can tell."""
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    rising = np.unique(np.stack([low, high], axis=1)[pairs[:, 0] < pairs[:, 1]], axis=0)
    falling = np.unique(np.stack([low, high], axis=1)[pairs[:, 0] > pairs[:, 1]], axis=0)
    together, counts = np.unique(np.concatenate([rising, falling]), axis=0, return_counts=True)
    if (counts > 1).any():
        a, b = together[counts > 1][0]
        raise ValueError(
            f"bonds holds ({a}, {b}) and ({b}, {a}): write each bond in one order, and twice "
            "in that order for two bonds"
        )


def strengths(name: str, values: object, n: int | None) -> FloatArray:
    """Return couplings or fields as an array of n numbers; one number stands for all, unless n is None."""
    array = check_real(name, values)
    if (
        array.ndim > 1
        or (n is None and array.ndim == 0)
        or (n is not None and array.ndim and len(array) != n)
    ):
        raise ValueError(
            f"{name} has shape {array.shape}: {'a row' if n is None else f'one number or {n}'} is needed"
        )
    if (np.abs(array) > MAX_STRENGTH).any():
        raise ValueError(
            f"{name} holds {array[np.abs(array) > MAX_STRENGTH].ravel()[0]}: at most 1e100 is possible"
        )
    return np.array(array if n is None else np.broadcast_to(array, (n,)))
