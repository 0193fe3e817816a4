"""Chains on graphs against dwave-samplers and against chains one by one; cubic lattices beside tori.

Nanoseconds of one thread per attempted flip, processor time, best of several interleaved runs.
"""

import functools

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import Graph, Hypercubic, Torus, Triangular
from rbmflow._kernels import simd
from rbmflow.estimate import Estimate
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.sampling import compiled_chains, replica_exchange, run

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
RULES = {"heat_bath": "Gibbs", "metropolis": "Metropolis"}
TARGETS = {
    "heat_bath": {"plain": 1, "avx2": 6, "avx512": 12},
    "metropolis": {"plain": 1, "avx2": 5, "avx512": 10},
}
ALLOWED = 5  # standard errors between two answers


@functools.cache
def random_graph(n_sites, degree, seed=1):
    """A graph whose sites have `degree` neighbours, an even number: rings through all of them; Gaussian J."""
    rng, bonds = np.random.default_rng(seed), set()
    while len(bonds) < n_sites * degree // 2:
        order = rng.permutation(n_sites)
        ring = {tuple(sorted(pair)) for pair in zip(order.tolist(), np.roll(order, 1).tolist(), strict=True)}
        if len(bonds | ring) == len(bonds) + n_sites:
            bonds |= ring
    bonds = sorted(bonds)
    return Graph.from_bonds(n_sites, bonds, rng.normal(size=len(bonds)), rng.normal(size=n_sites) / 4)


def assert_equal_means(first, second):
    a, b = Estimate.from_independent(first), Estimate.from_independent(second)
    assert abs(a.mean - b.mean) < ALLOWED * np.hypot(a.stderr, b.stderr)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level", LEVELS)
def test_a_random_graph_of_degree_6(benchmark, monkeypatch, level, rule):
    dwave = pytest.importorskip("dwave.samplers", reason="a peer of this benchmark is dwave-samplers")
    import dimod

    monkeypatch.setenv("RBMFLOW_SIMD", level)
    graph, K, n_chains, n_sweeps, peer_sweeps = random_graph(10_000, 6), 0.3, 64, 40, 60
    pairs = graph.bonds()
    model = dimod.BinaryQuadraticModel.from_ising(
        dict(enumerate((-graph.fields).tolist())),
        dict(zip(map(tuple, pairs.tolist()), (-graph.bond_couplings()).tolist(), strict=True)),
    )
    sampler = dwave.SimulatedAnnealingSampler()

    def own(n=n_sweeps):
        return run(
            graph, K, n_chains=n_chains, n_sweeps=n, thin=n, rule=rule, order="sequential", rng=2,
            keep_spins=False, n_threads=1, allow_reducible=True,
        )  # fmt: skip

    def peer(n=peer_sweeps, reads=1):
        return sampler.sample(
            model, num_reads=reads, num_sweeps=n, beta_schedule_type="custom", beta_schedule=np.full(n, K),
            proposal_acceptance_criteria=RULES[rule], seed=3,
        )  # fmt: skip

    chains = benchmark.pedantic(own, rounds=3)
    assert_equal_means(chains.energy[:, -1], peer(reads=64).record.energy / graph.n_sites)
    mine, overhead, theirs, theirs_overhead = least_seconds(own, lambda: own(1), peer, lambda: peer(1))
    mine = (mine - overhead) / (n_sweeps - 1) / n_chains / graph.n_sites * 1e9
    theirs = (theirs - theirs_overhead) / (peer_sweeps - 1) / graph.n_sites * 1e9
    print(
        f"\nrandom graph, 10,000 sites of degree 6, {rule}, {level}: {mine:.3f} ns per attempt,"
        f" {theirs / mine:.1f}x dwave-samplers ({theirs:.2f} ns; target {TARGETS[rule][level]}x)"
    )


def energy_of_cubic(K):
    """Per site, by the series of ln Z (Guttmann and Enting, J. Phys. A 26, 807 (1993))."""
    v = np.tanh(K)
    powers = {4: 3, 6: 22, 8: 187.5, 10: 1980, 12: 24044}
    return -3 * v - (1 - v**2) * sum(k * c * v ** (k - 1) for k, c in powers.items())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level", LEVELS)
def test_cubic_and_triangular_lattices_beside_tori(benchmark, monkeypatch, level, rule):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    n_chains, n_sweeps, K = 512, 60, 0.1
    lattices = {
        "cubic 32^3": Hypercubic((32, 32, 32)), "triangular 180^2": Triangular(180, 180),
        "torus 180^2": Torus(180, 180),
        "anisotropic cubic 32^3": Hypercubic((32, 32, 32), couplings=(1, 1, 0.9)),
    }  # fmt: skip

    def job(lattice, n):
        return run(
            lattice, K, n_chains=n_chains, n_sweeps=n, thin=n, rule=rule, rng=2, keep_spins=False,
            order="checkerboard" if lattice.bipartite else "colours", n_threads=1, allow_reducible=True,
        )  # fmt: skip

    chains = benchmark.pedantic(functools.partial(job, lattices["cubic 32^3"], 30), rounds=1)
    # relative error of the series 1e-6, of the mean 1e-3
    found = Estimate.from_independent(chains.energy[:, -1])
    assert abs(found.deviation(energy_of_cubic(K))) < ALLOWED
    found = Estimate.from_independent(job(lattices["torus 180^2"], 30).energy[:, -1])
    assert abs(found.deviation(Torus(180, 180).energy(K))) < ALLOWED
    jobs = [functools.partial(job, one, n) for one in lattices.values() for n in (1, n_sweeps)]
    seconds = np.diff(np.reshape(least_seconds(*jobs, rounds=3), (-1, 2)))[:, 0]
    told = [
        f"{name} {taken / (n_sweeps - 1) / n_chains / one.n_sites * 1e9:.4f}"
        for (name, one), taken in zip(lattices.items(), seconds, strict=True)
    ]
    print(f"\nns per attempt, {rule}, {level}: {', '.join(told)}")


@pytest.mark.parametrize("level", LEVELS)
def test_replica_exchange_on_a_graph(benchmark, monkeypatch, level):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    graph, couplings, n_ladders = random_graph(64, 6), np.linspace(0.05, 0.8, 16), 512

    def own(n=40):
        return replica_exchange(graph, couplings, n_ladders=n_ladders, n_sweeps=n, rng=2, n_threads=1)

    def chain_by_chain(n):
        with monkeypatch.context() as patch:  # as graphs were before, and those whose couplings lie far apart
            patch.setattr(compiled_chains, "fits", lambda _: False)
            return own(n)

    ladder = benchmark.pedantic(own, rounds=2)
    for rung, K in enumerate(couplings):
        alone = run(graph, K, n_chains=512, n_sweeps=1, burn_in=400, rng=3, keep_spins=False)
        assert_equal_means(ladder.energy[:, rung, -1], alone.energy[:, 0])
    mine, overhead, theirs, theirs_overhead = least_seconds(
        own, lambda: own(1), lambda: chain_by_chain(3), lambda: chain_by_chain(1), rounds=3
    )
    mine, theirs = (
        seconds / (16 * n_ladders) * 1e6
        for seconds in ((mine - overhead) / 39, (theirs - theirs_overhead) / 2)
    )
    print(
        f"\nreplica exchange, 64 sites, 16 rungs, 512 ladders, {level}: {mine:.3f} us per chain and sweep,"
        f" {theirs / mine:.0f}x chain by chain ({theirs:.1f} us; target 20x)"
    )
