"""The kernels behind one face: an engine advances some chains by some sweeps and measures them.

Which engine runs is decided by the lattice, the rule, the order and the number of chains alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import checkerboard, single_spin
from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.hardware import simd_level
from rbmflow.ising import Graph, Torus
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling.bernoulli_digits import BELOW_ONE, Words, byte_digits
from rbmflow.sampling.cluster_chains import GraphClusters, TorusClusters, is_plain_torus
from rbmflow.sampling.engine import Engine
from rbmflow.sampling.graph_replicas import CHAINS, GraphReplicas, Scaled, fits
from rbmflow.sampling.one_chain import OneChain
from rbmflow.sampling.reducibility import CLUSTER_RULES, RULES, sweep_sites
from rbmflow.sampling.replicas import REPLICAS, Inputs, MixedReplicas, Replicas, are_mixed

REPLICAS_FROM = 8  # chains from which replicas as bits win over one site at a time, at every SIMD level
REPLICAS_FROM_BYTES = 200  # the same against a byte for each spin
WEAK = 0.1  # of K times the number of sites
REPLICA_NEIGHBOURS = (2, 4)  # of a site, half of them its own bonds
MAX_GRAPH_SITES = 2**24  # a sweep of chains together takes a second or two, during which nobody hears Ctrl-C
MAX_REPLICA_SITES = 2**26  # energies of replicas are 32-bit integers, and their words 64 bytes to a site
PACKED_RULES = ("heat_bath", "metropolis")  # with kernels for bits and bytes
LEAST_SPINS = 2**12  # of an engine of several blocks, so that it takes longer than Python does to call it
LEAST_COUPLED_SPINS = 2**20  # the same where it is called for single sweeps
AT_ONCE = {"replicas": REPLICAS, "mixed": REPLICAS, "blocks": CHAINS}  # chains that share a generator
COUPLED_FROM = 1024  # sites from which 512 replicas that exchange couplings after each sweep win over blocks
LARGE_COUPLING = 1e5  # e^(-2K) is zero from far below, and 0 * K stays 0
HUGE_COUPLING = 1e200  # the same whatever the couplings; times all of them at a site it is finite


def generator_words(
    lattice: Lattice, rule: str, order: str, n_chains: int, field: float = 0.0
) -> tuple[int, int]:
    """Return the number of generators and the words of each."""
    kind = _kind(lattice, rule, order, n_chains, field)
    if kind in AT_ONCE:
        return -(-n_chains // AT_ONCE[kind]) + 1, 32  # chains with K = 0 may have a group of their own
    return n_chains, {"bytes": 32, "clusters": 36, "graph_clusters": 4, "sites": 4}[kind]


def make_engines(
    lattice: Lattice,
    K: FloatArray,
    rule: str,
    order: str,
    spins: SpinArray,
    generators: Words,
    *,
    field: float = 0.0,
    couple: bool = False,
) -> list[Engine]:
    """Return the engines of all chains; they change `generators` in place.

    With `couple` they are of the kinds whose couplings can change while they run: replicas, blocks of chains
    on a graph, or sites.
    """
    n_chains = len(K)
    kind = _kind(lattice, rule, order, n_chains, field, couple=couple)
    if not field and not isinstance(lattice, Graph):  # where K may be infinite
        limit = LARGE_COUPLING if _whole(lattice) else HUGE_COUPLING
        K = np.clip(K, -limit, limit)
    feeble = weak(lattice, K)
    metropolis = ~feeble if rule == "metropolis" else np.zeros(n_chains, dtype=bool)
    if kind in AT_ONCE:
        size = AT_ONCE[kind]
        if kind == "blocks":
            least = LEAST_COUPLED_SPINS if couple else LEAST_SPINS
            size *= max(1, least // (CHAINS * lattice.n_sites))
        groups = [
            (bool(how), part)
            for how in (True, False)
            for part in _groups(np.flatnonzero(metropolis == how), size)
        ]
        return _together(kind, lattice, K, groups, order, spins, generators, field)
    one: Any = {
        "bytes": _Bytes,
        "clusters": TorusClusters,
        "graph_clusters": GraphClusters,
        "sites": _Sites,
    }[kind]
    return [
        one(
            lattice,
            float(K[i]),
            _rule_of_chain(rule, bool(feeble[i])),
            order,
            spins,
            generators[i],
            i,
            field,
        )
        for i in range(n_chains)
    ]


def weak(lattice: Lattice, K: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether couplings are so weak that all but every attempt of Metropolis flips.

    Wolff clusters are then single sites. The parity of the up-spins then hardly changes from sweep to sweep,
    and at K = 0 never. The heat bath and all clusters at once draw almost independently instead.
    """
    strongest = float(np.abs(lattice.bond_couplings()).max(initial=0.0)) if not lattice.equal_bonds else 1.0
    if isinstance(lattice, Graph):
        strongest = max(np.abs(lattice.couplings).max(initial=0.0), np.abs(lattice.fields).max(initial=0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.abs(K) * strongest * lattice.n_sites < WEAK)


def _whole(lattice: Lattice) -> bool:
    """Whether local fields are small integers."""
    return lattice.equal_bonds and not isinstance(lattice, Graph)


def _rule_of_chain(rule: str, feeble: bool) -> str:
    """The rule by which a chain moves, another one where couplings are weak."""
    return {"metropolis": "heat_bath", "wolff": "swendsen_wang"}.get(rule, rule) if feeble else rule


def _groups(chains: npt.NDArray[np.intp], size: int) -> Iterator[npt.NDArray[np.intp]]:
    for first in range(0, len(chains), size):
        yield chains[first : first + size]


def _together(
    kind: str,
    lattice: Lattice,
    K: FloatArray,
    groups: list[tuple[bool, npt.NDArray[np.intp]]],
    order: str,
    spins: SpinArray,
    generators: Words,
    field: float,
) -> list[Engine]:
    """Engines of chains that are bits of words, by groups: whether by Metropolis, and which chains."""
    if kind == "replicas":
        assert isinstance(lattice, Crystal)
        return [
            Replicas(lattice, K[part], how, order, spins, words, part)
            for (how, part), words in zip(groups, generators, strict=False)
        ]
    graph, sites = lattice.to_graph(field), sweep_sites(lattice, order)
    if kind == "mixed":
        inputs = Inputs.of(graph)
        return [
            MixedReplicas(inputs, K[part], how, sites, spins, words, part)
            for (how, part), words in zip(groups, generators, strict=False)
        ]
    scaled = Scaled.of(graph)
    ends = np.cumsum([0, *(-(-len(part) // CHAINS) for _, part in groups)])
    choosers = generators[ends[-1] :] if order == "random" else None
    return [
        GraphReplicas(
            scaled,
            K[part],
            how,
            sites,
            spins,
            generators[first:last],
            part,
            None if choosers is None else choosers[first:last],
        )
        for (how, part), first, last in zip(groups, ends, ends[1:], strict=False)
    ]


def _kind(
    lattice: Lattice, rule: str, order: str, n_chains: int, field: float, *, couple: bool = False
) -> str:
    if rule in CLUSTER_RULES:
        return "clusters" if is_plain_torus(lattice) and not field else "graph_clusters"
    if rule not in PACKED_RULES:
        return "sites"
    if order == "random":  # chains of `run` draw sites of their own
        together = couple and n_chains >= REPLICAS_FROM and lattice.n_sites <= MAX_GRAPH_SITES
        return "blocks" if together and fits(lattice.to_graph(field)) else "sites"
    large = lattice.n_sites > MAX_REPLICA_SITES
    if order == "checkerboard" and isinstance(lattice, Torus) and not couple:
        if field or large or n_chains < REPLICAS_FROM_BYTES:
            return "bytes"
    elif large or (n_chains < REPLICAS_FROM and not couple):
        return "sites"
    bits_fit = (
        not field
        and isinstance(lattice, Crystal)
        and lattice.translation_invariant
        and lattice.basis == 1
        and lattice.equal_bonds
        and lattice.coordination in REPLICA_NEIGHBOURS
    )
    if bits_fit:
        return "replicas"
    if lattice.n_sites > MAX_GRAPH_SITES:
        return "sites"
    graph = lattice.to_graph(field)
    if n_chains > CHAINS and (not couple or lattice.n_sites >= COUPLED_FROM) and are_mixed(graph):
        return "mixed"
    return "blocks" if fits(graph) else "sites"


class _Bytes(OneChain):
    """A torus of even sides, colour by colour, a byte for each spin."""

    number = np.float64

    def __init__(
        self,
        lattice: Torus,
        K: float,
        rule: str,
        order: str,
        spins: SpinArray,
        generator: Words,
        chain: int,
        field: float,
    ) -> None:
        del order
        super().__init__(lattice.n_sites, spins, generator, chain)
        self.shape, self.field = lattice.shape, field
        local = 2.0 * np.arange(5) - 4 + field  # of 0 … 4 neighbours up
        self.rule = 0 if rule == "heat_bath" else 2 if field else 1
        with np.errstate(over="ignore"):
            if self.rule == 0:
                chance = 1 / (1 + np.exp(2 * np.abs(K * local)))
            else:
                costs = 2 * (K * (np.concatenate([-local, local]) if field else local))  # 2 K may be infinite
                chance = np.minimum(np.exp(-costs), BELOW_ONE)
        self.digits = byte_digits(chance)
        # the spin that few neighbours up want, and how many are few
        self.few, self.last = int(K < 0), int(np.count_nonzero(local <= 0)) - 1
        self.work = np.empty(checkerboard.work_size(*self.shape), dtype=np.uint8)

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        totals = np.empty(len(energy), dtype=np.int64)
        checkerboard.run(
            self.spins.reshape(self.shape),
            self.generator,
            self.rule,
            self.digits,
            self.few,
            self.last,
            n_sweeps,
            totals,
            magnetization,
            samples.reshape(-1, *self.shape),
            self.work,
            simd_level(),
        )
        energy[:] = totals - self.field * magnetization


class _Sites(OneChain):
    """Any graph, site by site."""

    number = np.float64

    def __init__(
        self,
        lattice: Lattice,
        K: float,
        rule: str,
        order: str,
        spins: SpinArray,
        generator: Words,
        chain: int,
        field: float,
    ) -> None:
        super().__init__(lattice.n_sites, spins, generator, chain)
        self.graph, self.rule = lattice.to_graph(field), rule
        self.cost = 20 * lattice.n_sites + 5 * len(self.graph.indices)
        self.overhead += self.cost
        self.order = sweep_sites(lattice, order)
        self.integers, self.most = _whole(lattice) and not field, lattice.coordination
        self.couple(np.array([K]))

    def couple(self, K: FloatArray) -> None:
        """Give the chain a coupling."""
        self.K, self.chances = float(K[0]), np.empty(0)
        if self.integers:
            with np.errstate(over="ignore"):
                field = self.K * np.arange(-self.most, self.most + 1.0)
                self.chances = (
                    np.exp(-2 * field) if self.rule == "metropolis" else 1 / (1 + np.exp(2 * np.abs(field)))
                )

    def _kernel(self, n_sweeps: int, energy: Any, magnetization: Any, samples: SpinArray) -> None:
        graph = self.graph
        single_spin.run(
            self.spins,
            self.generator,
            graph.indptr,
            graph.indices,
            graph.couplings,
            graph.fields,
            self.order,
            graph.n_sites,
            RULES.index(self.rule),
            self.K,
            self.chances,
            n_sweeps,
            energy,
            magnetization,
            samples,
        )
