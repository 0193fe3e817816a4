"""Exact one-sweep operators on the probabilities of all states, site i of a state being bit i."""

import itertools

import numpy as np

from rbmflow.ising import Torus


def spins_of(n_sites):
    return 2 * (np.arange(2**n_sites)[:, None] >> np.arange(n_sites) & 1) - 1


def boltzmann(lattice, K):
    """Probabilities of all states, their energies and magnetizations."""
    graph, states = lattice.to_graph(), spins_of(lattice.n_sites)
    energy = np.zeros(len(states))
    for i in range(graph.n_sites):
        for k in range(graph.indptr[i], graph.indptr[i + 1]):
            energy -= graph.couplings[k] * states[:, i] * states[:, graph.indices[k]] / 2
        energy -= graph.fields[i] * states[:, i]
    weight = np.exp(-K * (energy - energy.min() if K > 0 else energy - energy.max()))
    return weight / weight.sum(), energy, states.sum(axis=1)


def attempt(p, graph, site, K, rule):
    """Probabilities after one attempt at a site."""
    states = spins_of(graph.n_sites)
    field = np.full(len(states), graph.fields[site])
    for k in range(graph.indptr[site], graph.indptr[site + 1]):
        field += graph.couplings[k] * states[:, graph.indices[k]]
    cost = 2 * K * field * states[:, site]
    flip = 1 / (1 + np.exp(cost)) if rule == "heat_bath" else np.minimum(1, np.exp(-cost))
    flipped = np.arange(len(states)) ^ (1 << site)
    return p * (1 - flip) + (p * flip)[flipped]


def sweep(p, lattice, K, rule, sites):
    """Probabilities after a sweep; no sites mean n attempts at random ones."""
    graph = lattice.to_graph()
    if len(sites):
        for site in sites:
            p = attempt(p, graph, int(site), K, rule)
        return p
    for _ in range(graph.n_sites):
        p = sum(attempt(p, graph, site, K, rule) for site in range(graph.n_sites)) / graph.n_sites
    return p


def cluster_sweep(p, lattice, K, rule):
    """The same for clusters, by all sets of satisfied bonds."""
    near = lattice.neighbours()
    n_sites, degree = near.shape
    bonds = [(i, int(near[i, k])) for i in range(n_sites) for k in range(degree // 2)]
    sign = -1 if K < 0 else 1
    joined = 1 - np.exp(-2 * abs(K))
    states = spins_of(n_sites)
    after = np.zeros_like(p)
    for state in np.flatnonzero(p):
        satisfied = [(a, b) for a, b in bonds if states[state, a] * states[state, b] == sign]
        for kept in itertools.product((False, True), repeat=len(satisfied)):
            chance = p[state] * np.prod([joined if one else 1 - joined for one in kept])
            parts = components(n_sites, [bond for bond, one in zip(satisfied, kept, strict=True) if one])
            if rule == "wolff":
                for part in parts:
                    after[state ^ part] += chance * part.bit_count() / n_sites
            else:
                for flips in itertools.product((0, 1), repeat=len(parts)):
                    mask = sum(part for part, one in zip(parts, flips, strict=True) if one)
                    after[state ^ mask] += chance / 2 ** len(parts)
    return after


def cluster_sweep_by_bonds(p, lattice, K, rule):
    """The same by sums over all sets B of bonds at once, for lattices of up to some 18 bonds.

    A state may have B if it satisfies every bond of B; flips of whole clusters of B keep that.
    """
    near = lattice.neighbours()
    n_sites, degree = near.shape
    bonds = [(i, int(near[i, k])) for i in range(n_sites) for k in range(degree // 2)]
    states, sets = spins_of(n_sites), np.arange(2 ** len(bonds))
    size = np.bitwise_count(sets).astype(np.int64)
    satisfied = sum(
        (states[:, a] * states[:, b] == (-1 if K < 0 else 1)).astype(np.int64) << index
        for index, (a, b) in enumerate(bonds)
    )
    n_satisfied = np.bitwise_count(satisfied).astype(np.int64)
    joined = 1 - np.exp(-2 * abs(K))
    mask = np.tile(1 << np.arange(n_sites), (len(sets), 1))  # of the cluster of each site
    for _ in range(n_sites):
        for index, (a, b) in enumerate(bonds):
            there = (sets >> index & 1).astype(bool)
            mask[there, a] = mask[there, b] = mask[there, a] | mask[there, b]
    after = np.zeros_like(p)
    if rule == "swendsen_wang":
        fits = [sets[(sets & ~satisfied[state]) == 0] for state in range(len(p))]
        law = np.zeros(len(sets))
        for state, inside in enumerate(fits):
            law[inside] += (
                p[state] * joined ** size[inside] * (1 - joined) ** (n_satisfied[state] - size[inside])
            )
        clusters = (1 / np.bitwise_count(mask)).sum(axis=1)
        for state, inside in enumerate(fits):
            after[state] = (law[inside] / 2 ** clusters[inside]).sum()
        return after
    for state in range(len(p)):
        inside = sets[(sets & ~satisfied[state]) == 0]
        for site in range(n_sites):
            before = state ^ mask[inside, site]
            rest = n_satisfied[before] - size[inside]
            after[state] += (p[before] * joined ** size[inside] * (1 - joined) ** rest).sum() / n_sites
    return after


def components(n_sites, bonds):
    """Clusters as masks of sites."""
    masks = {site: 1 << site for site in range(n_sites)}
    for a, b in bonds:
        if masks[a] != masks[b]:
            union = masks[a] | masks[b]
            for site in range(n_sites):
                if union >> site & 1:
                    masks[site] = union
    return sorted(set(masks.values()))


def index_of(spins):
    """Number of each configuration."""
    return ((np.asarray(spins) > 0) << np.arange(np.shape(spins)[-1])).sum(axis=-1)


def combined(keys, expected, observed, least=8.0):
    """Sum expected and observed counts over classes, and classes of fewer than `least` into one."""
    classes, where = np.unique(keys, axis=0, return_inverse=True)
    where = where.ravel()
    e, o = (np.bincount(where, weights=counts, minlength=len(classes)) for counts in (expected, observed))
    small = e < least
    if small.any():
        e = np.append(e[~small], e[small].sum())
        o = np.append(o[~small], o[small].sum())
        if e[-1] < least and len(e) > 1:
            e[-2] += e[-1]
            o[-2] += o[-1]
            e, o = e[:-1], o[:-1]
    return e, o


def is_torus(lattice):
    return isinstance(lattice, Torus)
