"""Which rules and orders of update connect all states.

With Metropolis a flip that costs nothing is certain. Sites visited in a fixed order then leave no choice
where the local field is zero: on the ring without field such flips only move domain walls, so that
the number of walls of each sublattice, and with it the energy, is all but conserved. The Boltzmann law
is invariant all the same.
"""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, check_choice, check_integer, check_real_scalar, shown
from rbmflow.errors import ReducibleChainError, ReducibleChainWarning
from rbmflow.ising import Graph, Ring, Torus
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.colouring import colours
from rbmflow.sampling.topology import check_lattice, strengths

Rule = Literal["heat_bath", "metropolis", "wolff", "swendsen_wang"]
Order = Literal["random", "sequential", "checkerboard", "colours"]
Resolved = Order | Literal["clusters"]
# a new one comes last: kernels know places
RULES: tuple[Rule, ...] = ("heat_bath", "metropolis", "wolff", "swendsen_wang")
TRAPPED_RULES = ("metropolis",)  # certain to flip where it costs nothing: fixed orders may not connect all
CLUSTER_RULES = ("wolff", "swendsen_wang")
ORDERS: tuple[Order, ...] = ("random", "sequential", "checkerboard", "colours")
MAX_PROVEN_SITES = 20
SMALL_SIDE = 8
WEAK_FIELD = 1e-3
"""Field over bond below which walls of a ring move for thousands of sweeps before they meet with a choice."""
VANISHING = 2.0**-29
"""Over the strength of its site, a local field that is 0 but for rounding: flips against it are certain."""
MAX_NEIGHBOURS, SUMS_AT_ONCE = 12, 2**22
"""Of a site whose local fields are all looked at, and how many at once."""


def check_rule(rule: object) -> Rule:
    """Return the name of a rule, or raise."""
    return check_choice("rule", rule, RULES)


def check_field(lattice: Lattice, field: object) -> float:
    """Return a uniform field, in units of J, or raise unless the lattice can have one."""
    h = check_real_scalar("field", field)
    if not np.isfinite(h):
        raise ValueError(f"field={shown(field)}: a finite field is needed")
    if h and isinstance(lattice, Graph):
        raise ValueError(f"field={shown(field)}: a Graph has fields of its own")
    return h


def resolve_order(lattice: Lattice, rule: Rule, order: object) -> Resolved:
    """Return the order of updates, the fastest safe one if it is left open.

    The heat bath is safe in any order; with Metropolis only sites drawn at random are.
    """
    if rule in CLUSTER_RULES:
        if order is not None:
            raise ValueError(f"order={shown(order)}: clusters have no order of sites; leave it out")
        return "clusters"
    two_colours = isinstance(lattice, Crystal) and lattice.bipartite
    if order is None:
        if rule in TRAPPED_RULES:
            return "random"
        return "checkerboard" if two_colours else "sequential"
    found = check_choice("order", order, ORDERS)
    if found == "checkerboard" and not two_colours:
        raise ValueError(
            f"order='checkerboard': {shown(lattice)} has no two colours; "
            "order='colours' takes as many as it needs, 'random' none"
        )
    return found


def sweep_sites(lattice: Lattice, order: str) -> npt.NDArray[np.int32]:
    """Return the sites in the order of a sweep; none if they are drawn at random."""
    if order == "random":
        return np.empty(0, dtype=np.int32)
    if order == "checkerboard":
        return np.concatenate(lattice.sublattices())
    if order == "colours":
        return np.concatenate(colours(lattice))
    return np.arange(lattice.n_sites, dtype=np.int32)


def is_irreducible(
    lattice: Lattice, rule: Rule = "metropolis", order: Order = "sequential", *, K: float = 1.0
) -> bool:
    """Return whether sweeps connect every state of a small system with every other.

    Single flips of positive probability are the edges of a graph on the states, or on pairs of a state and a
    place in the sweep where the order is fixed; the answer is whether the states at the start of a sweep
    are one strongly connected component. The graph is sparse: at most two edges leave each of its vertices,
    or n with random sites.

    Parameters
    ----------
    lattice : Lattice
        Of at most 20 sites.
    rule : str
        ``"heat_bath"``, ``"metropolis"``, ``"wolff"`` or ``"swendsen_wang"``.
    order : str
        ``"random"``, ``"sequential"``, ``"checkerboard"`` or ``"colours"``; of no effect with clusters.
    K : float
        Coupling, finite; only its sign matters. Metropolis is drawn independently at K = 0.

    Returns
    -------
    bool
        True if the chain is irreducible.

    Raises
    ------
    ValueError
        If the system has more sites than that: its states cannot be listed.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> is_irreducible(Ring(8), "metropolis", "sequential")
    False
    >>> is_irreducible(Ring(8), "heat_bath", "sequential")
    True
    """
    on = check_lattice(lattice)
    rule = check_rule(rule)
    if rule in CLUSTER_RULES:
        resolve_order(on, rule, None)
        return True  # every bond may be cut, to the ghost too: any set of spins may flip, one by one
    resolved = resolve_order(on, rule, order)
    check_integer("lattice.n_sites", on.n_sites, 1, MAX_PROVEN_SITES)
    coupling = check_real_scalar("K", K)
    if not np.isfinite(coupling):
        raise ValueError(f"K={shown(K)}: a finite coupling is needed")
    if rule in TRAPPED_RULES and coupling == 0:
        return True
    return len(np.unique(classes(on, rule, resolved, K=coupling))) == 1


def classes(lattice: Lattice, rule: str, order: str, *, K: float = 1.0) -> npt.NDArray[np.int32]:
    """Return for each state, site i being bit i, the number of its communicating class."""
    from scipy import sparse
    from scipy.sparse import csgraph

    n_sites, graph = lattice.n_sites, lattice.to_graph()
    states = np.arange(2**n_sites, dtype=np.int64)
    sites = np.arange(n_sites) if order == "random" else sweep_sites(lattice, order)
    sources, targets = [], []
    layers = 1 if order == "random" else n_sites
    for step, site in enumerate(sites.tolist()):
        flipped = states ^ (1 << site)
        # a flip is always possible; staying is not where Metropolis is certain to flip
        stays = np.ones(len(states), dtype=bool)
        if rule in TRAPPED_RULES and not _free(graph)[site]:
            stays = _cost_of_flip(graph, site, states, K) > 0
        here, there = (0, 0) if order == "random" else (step, (step + 1) % n_sites)
        sources += [states * layers + here, states[stays] * layers + here]
        targets += [flipped * layers + there, states[stays] * layers + there]
    source, target = np.concatenate(sources), np.concatenate(targets)
    size = layers * len(states)
    edges = sparse.coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(size, size))
    _, labels = csgraph.connected_components(edges.tocsr(), directed=True, connection="strong")
    return np.asarray(labels[::layers])


def _free(graph: Graph) -> npt.NDArray[np.bool_]:
    """Sites without bonds and field, which get fair coins whatever the rule."""
    return np.asarray((np.diff(graph.indptr) == 0) & (graph.fields == 0))


def _cost_of_flip(graph: Graph, site: int, states: npt.NDArray[np.int64], K: float) -> FloatArray:
    """2 K v (Σ J v_j + h) of a site in every state."""

    def spin(index: int) -> npt.NDArray[np.int8]:
        return (2 * (states >> index & 1) - 1).astype(np.int8)

    local = np.full(len(states), graph.fields[site])
    for k in range(graph.indptr[site], graph.indptr[site + 1]):
        local += graph.couplings[k] * spin(int(graph.indices[k]))
    local[np.abs(local) <= VANISHING * strengths(graph)[site]] = 0
    return 2 * K * local * spin(site)


def frozen(lattice: Lattice, order: str, spins: SpinArray, field: float = 0.0) -> npt.NDArray[np.bool_]:
    """Return which configurations flip as a whole, and so for ever.

    Every local field of theirs is zero when its turn comes. Metropolis at any K, sites in a fixed order.

    Parameters
    ----------
    lattice : Lattice
        Where the spins are.
    order : str
        ``"sequential"``, ``"checkerboard"`` or ``"colours"``.
    spins : numpy.ndarray of int8, shape (n, n_sites)
        Configurations.
    field : float
        Uniform field, in units of J.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True where a configuration is lost.

    Examples
    --------
    >>> from rbmflow import Torus
    >>> stripes = np.tile(np.array([1, -1], dtype=np.int8), 8)
    >>> frozen(Torus(4, 4), "checkerboard", stripes[None])
    array([ True])
    """
    graph = lattice.to_graph(field)
    bound = ~_free(graph)
    if not bound.any():
        return np.zeros(len(spins), dtype=bool)
    left, least = np.arange(len(spins)), VANISHING * strengths(graph)
    moving = spins.copy()
    sites = sweep_sites(lattice, order)
    for site in sites[bound[sites]]:
        row = slice(graph.indptr[site], graph.indptr[site + 1])
        near = moving[np.ix_(left, graph.indices[row])]
        local = near @ graph.couplings[row] + graph.fields[site]
        left = left[np.abs(local) <= least[site]]
        if not len(left):
            break
        moving[left, site] *= -1
    lost = np.zeros(len(spins), dtype=bool)
    lost[left] = True
    return lost


def guard(
    lattice: Lattice, rule: Rule, order: Resolved, *, allow_reducible: bool, field: float = 0.0
) -> None:
    """Raise for a chain whose classes are macroscopic, warn once of one with isolated frozen orbits."""
    if rule not in TRAPPED_RULES or order == "random" or allow_reducible:
        return
    assert order != "clusters"
    on = lattice.to_graph(field) if abs(field) >= WEAK_FIELD else lattice
    weakly = f", or all but so in a field below {WEAK_FIELD:g}" if field and on is lattice else ""
    instead = "Use rule='heat_bath' or order='random'; allow_reducible=True runs it all the same"
    if isinstance(on, Ring):
        raise ReducibleChainError(
            f"Metropolis in {order} order is reducible on {shown(lattice)} without field, or all but so "
            f"in one below {WEAK_FIELD:g}: its averages depend on the start. "
            "Use rule='heat_bath' or order='random' (or Ring.sample: exact and independent); "
            "allow_reducible=True runs it all the same"
        )
    if not isinstance(on, Torus) and _holds_ring(on.to_graph()):
        raise ReducibleChainError(
            f"Metropolis in {order} order is reducible on {shown(lattice)}: a part of it is a ring of equal "
            f"bonds without field, or all but so. {instead}"
        )
    if lattice.n_sites <= MAX_PROVEN_SITES // 2:
        if not is_irreducible(on, rule, order):
            raise ReducibleChainError(
                f"Metropolis in {order} order is reducible on {shown(lattice)}{weakly}. {instead}"
            )
        return
    large = isinstance(lattice, Crystal) and min(lattice.cells) > SMALL_SIDE
    if not large and _may_vanish(on.to_graph()):
        _warn_once(lattice, order)


def _may_vanish(graph: Graph) -> bool:
    """Whether the local field of some site is zero in some state, or may be where neighbours are many."""
    degrees, least = np.diff(graph.indptr), VANISHING * strengths(graph)
    for degree in np.unique(degrees).tolist():
        if degree > MAX_NEIGHBOURS:
            return True
        sites = np.flatnonzero((degrees == degree) & ~_free(graph))
        signs = 2.0 * (np.arange(2**degree) >> np.arange(degree)[:, np.newaxis] & 1) - 1
        for some in np.array_split(sites, len(sites) * 2**degree // SUMS_AT_ONCE + 1):
            J = graph.couplings[graph.indptr[some, np.newaxis] + np.arange(degree)]
            local = J @ signs + graph.fields[some, np.newaxis]
            if (np.abs(local) <= least[some, np.newaxis]).any():
                return True
    return False


def _holds_ring(graph: Graph) -> bool:
    """Whether some part of a graph is a ring of bonds of nearly equal strength, nearly without field."""
    from scipy import sparse
    from scipy.sparse import csgraph

    n_sites = graph.n_sites
    # a pair of sites may have several bonds
    matrix = sparse.csr_array(
        (graph.couplings.copy(), graph.indices.copy(), graph.indptr.copy()), shape=(n_sites, n_sites)
    )
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    degree = np.diff(matrix.indptr)
    if not (degree == 2).any():
        return False
    n_parts, part = csgraph.connected_components(matrix, directed=False)
    first = np.minimum(matrix.indptr[:-1], len(matrix.data) - 2)
    here, there = np.abs(matrix.data[first]), np.abs(matrix.data[first + 1])
    other = (
        (degree != 2)
        | (np.abs(graph.fields) >= WEAK_FIELD * here)
        | (np.abs(here - there) >= WEAK_FIELD * here)
    )
    return bool((np.bincount(part, weights=other, minlength=n_parts) == 0).any())


_warned: set[tuple[Lattice, str]] = set()


def _warn_once(lattice: Lattice, order: str) -> None:
    if (lattice, order) in _warned:
        return
    _warned.add((lattice, order))
    name = f"a graph of {lattice.n_sites} sites" if isinstance(lattice, Graph) else repr(lattice)
    warnings.warn(
        f"Metropolis in {order} order never leaves states whose every local field is zero in its turn, and "
        f"never reaches them: few and isolated on a large lattice, yet on {name} they may count. "
        "rule='heat_bath' and order='random' connect all states",
        ReducibleChainWarning,
        stacklevel=5,
    )
