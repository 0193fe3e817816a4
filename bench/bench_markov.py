"""Markov chains of the Ising model against mcising and dwave-samplers, ns of one thread per attempted flip.

Processor time, best of several interleaved runs. Every answer is compared with Kaufman's.
"""

import os
import time

import numpy as np
import pytest

os.environ.setdefault("RAYON_NUM_THREADS", "1")

from rbmflow import Estimate, Torus
from rbmflow._kernels import cluster, simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.ising import Honeycomb, Hypercubic, Triangular
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.sampling import run

K_C = 1 / CRITICAL_TEMPERATURE
LEVELS = SIMD_LEVELS[: simd.supported() + 1]
TARGETS = {
    "mcising": {"plain": 16, "avx2": 30, "avx512": 65},
    "dwave-samplers": {"plain": 45, "avx2": 85, "avx512": 180},
    "training": {"plain": 22, "avx2": 45, "avx512": 95},
    "bytes": {"plain": 10, "avx2": 20, "avx512": 20},
}
REPEATS = 5


def mcising():
    return pytest.importorskip(
        "mcising", reason="a peer of this benchmark is mcising: pip install rbmflow[bench]"
    )


def interleaved(*jobs, repeats=REPEATS):
    """Best processor time of each job, taken in turns."""
    best = [np.inf] * len(jobs)
    for _ in range(repeats):
        for index, job in enumerate(jobs):
            start = time.process_time()
            job()
            best[index] = min(best[index], time.process_time() - start)
    return best


def equilibrated(side, n_chains):
    """Independent configurations at T_c, from clusters."""
    chains = run(
        Torus(side, side),
        K_C,
        n_chains=n_chains,
        n_sweeps=60,
        rule="swendsen_wang",
        initial="up",
        rng=1,
        keep_spins=False,
    )
    return chains.state.spins


def check(energies, side, K=K_C):
    """Energies of independent configurations within 5 standard errors of Kaufman's."""
    found = Estimate.from_independent(energies)
    assert abs(found.deviation(Torus(side, side).energy(K))) < 5


def mcising_metropolis(spins, n_sweeps):
    """A simulation and its job; the energy along it is checked."""
    side = int(spins.size**0.5)
    peer = mcising().IsingSimulation(side, 1.0, 0.0, 0.0, 0.0, 1, "metropolis", "square")
    peer.set_spins(spins.reshape(side, side))
    series = peer.extend_thermalization(4000, temperature=CRITICAL_TEMPERATURE)
    assert abs(Estimate.from_series(series).deviation(Torus(side, side).energy(K_C))) < 5
    return lambda: peer.sweep(n_sweeps, temperature=CRITICAL_TEMPERATURE)


@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
@pytest.mark.parametrize("level", LEVELS)
def test_replicas_on_a_torus_of_64(benchmark, monkeypatch, level, rule):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    torus, n_chains, n_sweeps, peer_sweeps = Torus(64, 64), 512, 200, 1000
    start = equilibrated(64, n_chains)

    def own():
        return run(
            torus,
            K_C,
            n_chains=n_chains,
            n_sweeps=n_sweeps,
            thin=n_sweeps,
            rule=rule,
            order="checkerboard",
            initial=start,
            rng=2,
            keep_spins=False,
            n_threads=1,
        )

    check(benchmark.pedantic(own, rounds=3).energy[:, -1], 64)
    mine, theirs = interleaved(own, mcising_metropolis(start[0], peer_sweeps))
    mine, theirs = mine / n_sweeps / start.size * 1e9, theirs / peer_sweeps / 4096 * 1e9
    print(
        f"\ntorus L = 64, {rule}, {level}: {mine:.4f} ns per attempt,"
        f" {theirs / mine:.0f}x mcising ({theirs:.2f} ns; target {TARGETS['mcising'][level]}x)"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_replicas_against_dwave_samplers(benchmark, monkeypatch, level):
    dwave = pytest.importorskip("dwave.samplers", reason="a peer of this benchmark is dwave-samplers")
    import dimod

    monkeypatch.setenv("RBMFLOW_SIMD", level)
    torus, n_chains, n_sweeps, peer_sweeps = Torus(64, 64), 512, 200, 1000
    start = equilibrated(64, n_chains)
    bonds = {}
    for site in range(4096):
        y, x = divmod(site, 64)
        bonds[site, y * 64 + (x + 1) % 64] = bonds[site, (y + 1) % 64 * 64 + x] = -1.0
    model = dimod.BinaryQuadraticModel.from_ising({}, bonds)
    sampler = dwave.SimulatedAnnealingSampler()
    first = dict(enumerate(start[0].tolist()))

    def peer(sweeps=peer_sweeps):
        return sampler.sample(
            model,
            num_reads=1,
            num_sweeps=sweeps,
            beta_schedule_type="custom",
            beta_schedule=np.full(sweeps, K_C),
            initial_states=first,
            seed=3,
        )

    def own():
        return run(
            torus,
            K_C,
            n_chains=n_chains,
            n_sweeps=n_sweeps,
            thin=n_sweeps,
            initial=start,
            rng=2,
            keep_spins=False,
            n_threads=1,
        )

    # one configuration of the peer: within ten standard deviations of a single one
    spread = np.sqrt(torus.heat_capacity(K_C) / 4096) / K_C
    assert abs(peer().first.energy / 4096 - torus.energy(K_C)) < 10 * spread
    check(benchmark.pedantic(own, rounds=3).energy[:, -1], 64)
    mine, theirs, overhead = interleaved(own, peer, lambda: peer(1))
    mine, theirs = mine / n_sweeps / start.size * 1e9, (theirs - overhead) / (peer_sweeps - 1) / 4096 * 1e9
    print(
        f"\ntorus L = 64, heat bath, {level}: {theirs / mine:.0f}x dwave-samplers at fixed beta"
        f" ({theirs:.2f} ns; target {TARGETS['dwave-samplers'][level]}x)"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_the_training_job(benchmark, monkeypatch, level):
    # 25 temperatures, 1000 configurations of 16 x 16 each as int8, 60 sweeps spent on each configuration
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    core = mcising()._core
    temperatures = np.linspace(0.24, 6.0, 25)
    torus = Torus(16, 16)

    def own():
        return run(
            torus,
            np.repeat(1 / temperatures, 512),
            n_chains=25 * 512,
            n_sweeps=120,
            thin=60,
            rng=2,
            order="checkerboard",
            n_threads=1,
        )

    def peer():
        return core.run_independent_temperatures(
            16, 1.0, 0.0, 0.0, 0.0, 1, "metropolis", "square", temperatures.tolist(), 0, 60_000, 60, True
        )

    chains = benchmark.pedantic(own, rounds=3)
    assert chains.spins.shape == (25 * 512, 2, 256)
    for T in temperatures[temperatures > 2.9]:
        # |z| < 5 where 60 sweeps are many autocorrelation times
        found = chains.at(1 / T).energy[:, -1]
        check(found, 16, 1 / T)
    answers = peer()
    for T, answer in zip(temperatures, answers, strict=True):
        if T > 2.9:
            found = Estimate.from_series(answer["energies"][10:])
            assert abs(found.deviation(torus.energy(1 / T))) < 5
    mine, theirs = interleaved(own, peer, repeats=2)
    mine, theirs = mine / (25 * 512 * 120 * 256) * 1e9, theirs / (25 * 60_000 * 256) * 1e9
    print(
        f"\n25 temperatures x 1000 configurations of 16 x 16 to int8, {level}: {mine:.4f} ns per attempt,"
        f" {theirs / mine:.0f}x mcising ({theirs:.2f} ns; target {TARGETS['training'][level]}x)"
    )


@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
@pytest.mark.parametrize("level", LEVELS)
def test_one_byte_per_spin(benchmark, monkeypatch, level, rule):
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    torus, n_sweeps, peer_sweeps = Torus(64, 64), 6000, 1000
    start = equilibrated(64, 1)

    def own():
        return run(
            torus,
            K_C,
            n_sweeps=n_sweeps,
            thin=n_sweeps // 6,
            rule=rule,
            order="checkerboard",
            initial=start,
            rng=2,
            keep_spins=False,
            n_threads=1,
        )

    benchmark.pedantic(own, rounds=3)
    long = run(torus, K_C, n_sweeps=200_000, thin=20, rule=rule, order="checkerboard", initial=start, rng=3)
    assert abs(long.energy_estimate.deviation(torus.energy(K_C))) < 5
    mine, theirs = interleaved(own, mcising_metropolis(start[0], peer_sweeps))
    mine, theirs = mine / n_sweeps / 4096 * 1e9, theirs / peer_sweeps / 4096 * 1e9
    print(
        f"\none lattice as bytes, L = 64, {rule}, {level}: {mine:.3f} ns per attempt,"
        f" {theirs / mine:.1f}x mcising ({theirs:.2f} ns; target {TARGETS['bytes'][level]}x)"
    )


@pytest.mark.parametrize("rule", ["swendsen_wang", "wolff"])
@pytest.mark.parametrize("side", [64, 256])
@pytest.mark.parametrize("level", LEVELS)
def test_clusters_on_a_torus(benchmark, level, side, rule):
    n_sites, single = side**2, rule == "wolff"
    n_sweeps = max(4, (2**23 if single else 2**22) // n_sites)
    start = equilibrated(side, 1).reshape(side, side)
    spins, state = start.copy(), np.random.default_rng(4).integers(0, 2**64, size=36, dtype=np.uint64)
    n_words = side * -(-side // 64)
    work = np.empty(5 * n_words, np.uint64), np.empty(6 * n_words + 3 * n_sites, np.int32)

    def own(n=n_sweeps, n_measurements=1):
        """Energies, and sizes of the last cluster before each."""
        energies, sums = np.empty(n_measurements, dtype=np.int64), np.empty((n_measurements, 4))
        cluster.run(
            spins,
            state,
            1,
            np.exp(-2 * K_C),
            single,
            n,
            energies,
            energies.copy(),
            sums,
            np.empty((0, side, side), dtype=np.int8),
            *work,
            np.empty(n_sites, np.uint8),
            SIMD_LEVELS.index(level),
        )
        return energies, sums[:, 0]

    benchmark.pedantic(own, rounds=3)
    energies, _ = own(5 if single else 1, 3000)
    assert abs(Estimate.from_series(energies / n_sites).deviation(Torus(side, side).energy(K_C))) < 5
    peer = mcising().IsingSimulation(side, 1.0, 0.0, 0.0, 0.0, 1, rule, "square")
    peer.set_spins(start)
    series = peer.extend_thermalization(8000 if single else 3000, temperature=CRITICAL_TEMPERATURE)
    assert abs(Estimate.from_series(series).deviation(Torus(side, side).energy(K_C))) < 5
    mine, theirs = [], []
    for _ in range(REPEATS):
        begin = time.process_time()
        # each of Wolff's clusters is measured, which costs little, to know how many sites were flipped
        _, sizes = own(1, n_sweeps) if single else own()
        mine.append((time.process_time() - begin) / (sizes.sum() if single else n_sweeps * n_sites) * 1e9)
        begin = time.process_time()
        peer_sites = peer.sweep(n_sweeps, temperature=CRITICAL_TEMPERATURE)[1]
        theirs.append((time.process_time() - begin) / peer_sites * 1e9)
    target = {"swendsen_wang": "6x", "wolff": "2.5x"}[rule] if side == 256 else "ahead"
    print(
        f"\n{rule}, L = {side} at T_c, {level}: {min(mine):.2f} ns per site,"
        f" {min(theirs) / min(mine):.2f}x mcising ({min(theirs):.1f} ns; target {target})"
    )


LATTICES = {
    "triangular": (Triangular(64, 64), 64),
    "honeycomb": (Honeycomb(64, 64), 64),
    "cubic": (Hypercubic((24, 24, 24)), 24),
}


@pytest.mark.parametrize("rule", ["swendsen_wang", "wolff"])
@pytest.mark.parametrize("name", LATTICES)
def test_clusters_on_graphs(benchmark, name, rule):
    (lattice, side), single = LATTICES[name], rule == "wolff"
    K, n_sweeps = lattice.critical_coupling, 2000 if single else 200
    start = run(
        lattice, K, n_sweeps=300, rule="swendsen_wang", initial="up", rng=1, keep_spins=False
    ).state.spins

    def own(n=n_sweeps, thin=n_sweeps):
        return run(
            lattice,
            K,
            n_sweeps=n,
            thin=thin,
            rule=rule,
            initial=start,
            rng=2,
            keep_spins=False,
            n_threads=1,
        )

    benchmark.pedantic(own, rounds=3)
    peer = mcising().IsingSimulation(side, 1.0, 0.0, 0.0, 0.0, 1, rule, name)
    n_long = 20_000 if single else 4000
    series = peer.extend_thermalization(n_long, temperature=1 / K)
    theirs, long = Estimate.from_series(series[n_long // 10 :]), own(n_long, 1)
    mine = long.energy_estimate
    assert abs(theirs.mean - mine.mean) < 5 * np.hypot(theirs.stderr, mine.stderr)
    sites = n_sweeps * (long.cluster_size.mean() if single else lattice.n_sites)
    times, peer_times = [], []
    for _ in range(REPEATS):
        begin = time.process_time()
        own()
        times.append((time.process_time() - begin) / sites * 1e9)
        begin = time.process_time()
        peer_sites = peer.sweep(n_sweeps, temperature=1 / K)[1]
        peer_times.append((time.process_time() - begin) / peer_sites * 1e9)
    print(
        f"\n{rule}, {lattice.label}, at T_c: {min(times):.1f} ns per site,"
        f" {min(peer_times) / min(times):.2f}x mcising ({min(peer_times):.1f} ns; target ahead)"
    )
