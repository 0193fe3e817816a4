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


def bonds_of(lattice):
    """Number of sites, that of nodes, and all bonds with their couplings; fields are bonds to a ghost."""
    graph = lattice.to_graph()
    n_sites = graph.n_sites
    bonds = [
        (i, int(graph.indices[k]), graph.couplings[k])
        for i in range(n_sites)
        for k in range(graph.indptr[i], graph.indptr[i + 1])
        if graph.indices[k] > i
    ]
    bonds += [(i, n_sites, graph.fields[i]) for i in np.flatnonzero(graph.fields).tolist()]
    return n_sites, n_sites + bool(graph.fields.any()), bonds


def spins_and_ghost(n_sites):
    """All states, and a last column of ones: the spin of a ghost."""
    return np.column_stack([spins_of(n_sites), np.ones(2**n_sites, dtype=int)])


def cluster_sweep(p, lattice, K, rule):
    """The same for clusters, by all sets of satisfied bonds."""
    n_sites, n_nodes, bonds = bonds_of(lattice)
    ghost, everyone = 1 << n_sites, (1 << n_sites) - 1
    states = spins_and_ghost(n_sites)
    after = np.zeros_like(p)
    for state in np.flatnonzero(p):
        satisfied = [(a, b, J) for a, b, J in bonds if K * J * states[state, a] * states[state, b] > 0]
        joined = [1 - np.exp(-2 * abs(K * J)) for _, _, J in satisfied]
        for kept in itertools.product((False, True), repeat=len(satisfied)):
            chance = p[state] * np.prod(
                [one if keep else 1 - one for keep, one in zip(kept, joined, strict=True)]
            )
            parts = components(n_nodes, [bond[:2] for bond, one in zip(satisfied, kept, strict=True) if one])
            if rule == "wolff":
                for part in parts:
                    flips = part ^ (everyone | ghost) if part & ghost else part
                    after[state ^ flips] += chance * (part & everyone).bit_count() / n_sites
            else:
                free = [part for part in parts if not part & ghost]
                for flips in itertools.product((0, 1), repeat=len(free)):
                    mask = sum(part for part, one in zip(free, flips, strict=True) if one)
                    after[state ^ mask] += chance / 2 ** len(free)
    return after


def cluster_sweep_by_bonds(p, lattice, K, rule):
    """The same by sums over all sets B of bonds at once, for lattices of up to some 18 bonds.

    A state may have B if it satisfies every bond of B; flips of whole clusters of B keep that.
    """
    n_sites, n_nodes, bonds = bonds_of(lattice)
    states, sets = spins_and_ghost(n_sites), np.arange(2 ** len(bonds))
    satisfied = sum(
        (K * J * states[:, a] * states[:, b] > 0).astype(np.int64) << index
        for index, (a, b, J) in enumerate(bonds)
    )
    inside = sets[:, None] >> np.arange(len(bonds)) & 1
    strength = np.array([2 * abs(K * J) for _, _, J in bonds])
    joined, cut = np.exp(inside @ np.log(-np.expm1(-strength))), np.exp(-inside @ strength)
    mask = np.tile(1 << np.arange(n_nodes), (len(sets), 1))  # of the cluster of each node
    for _ in range(n_nodes):
        for index, (a, b, _) in enumerate(bonds):
            there = (sets >> index & 1).astype(bool)
            mask[there, a] = mask[there, b] = mask[there, a] | mask[there, b]
    after = np.zeros_like(p)
    fits = [sets[(sets & ~satisfied[state]) == 0] for state in range(len(p))]
    if rule == "swendsen_wang":
        law = np.zeros(len(sets))
        for state, one in enumerate(fits):
            law[one] += p[state] * joined[one] * cut[satisfied[state] ^ one]
        clusters = (1 / np.bitwise_count(mask)).sum(axis=1) - (n_nodes > n_sites)  # but that of the ghost
        for state, one in enumerate(fits):
            after[state] = (law[one] / 2 ** clusters[one]).sum()
        return after
    ghost = 1 << n_sites
    flips = np.where(mask & ghost, mask ^ (2 * ghost - 1), mask)
    for state, one in enumerate(fits):
        for site in range(n_sites):
            before = state ^ flips[one, site]
            after[state] += (p[before] * joined[one] * cut[satisfied[before] ^ one]).sum() / n_sites
    return after


def cluster_sums(lattice, K):
    """Means of Σ s²/n and Σ s³/n over clusters of s sites, by all states and sets of bonds."""
    n_sites, n_nodes, bonds = bonds_of(lattice)
    p, _, _ = boltzmann(lattice, K)
    states, found = spins_and_ghost(n_sites), np.zeros(2)
    for state in range(len(p)):
        satisfied = [(a, b, J) for a, b, J in bonds if K * J * states[state, a] * states[state, b] > 0]
        for kept in itertools.product((False, True), repeat=len(satisfied)):
            cuts = np.exp([-2 * abs(K * J) for _, _, J in satisfied])
            parts = components(n_nodes, [bond[:2] for bond, one in zip(satisfied, kept, strict=True) if one])
            sizes = np.array([(part & (1 << n_sites) - 1).bit_count() for part in parts])
            weight = p[state] * np.prod(np.where(kept, 1 - cuts, cuts))
            found += weight * np.array([(sizes**2).sum(), (sizes**3).sum()]) / n_sites
    return found


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
