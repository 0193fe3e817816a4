"""Heat bath of a Boltzmann machine on the complete graph against dwave-samplers at fixed T, one thread."""

import time

import numpy as np
import pytest

from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.networks import BoltzmannMachine, boltzmann_moments
from rbmflow.sampling import boltzmann_chains

LEVELS = SIMD_LEVELS[: simd.supported() + 1]
TARGETS = {"plain": 5.5, "avx2": 11, "avx512": 11}
N, CHAINS, SWEEPS, REPEATS = 64, 1000, 100, 5


def complete_graph(n, seed=1):
    couplings = np.triu(np.random.default_rng(seed).normal(0, 0.5 / np.sqrt(n), (n, n)), 1)
    return BoltzmannMachine(couplings + couplings.T)


def check(level, monkeypatch):
    """Correlations of 16 units within 5.5 standard errors of the exact ones: a false alarm in 4e-6."""
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    small = complete_graph(16)
    spins = boltzmann_chains(small, n_chains=20_000, n_sweeps=30, rng=3).spins.astype(float)
    exact = boltzmann_moments(small).correlations
    assert np.abs(spins.T @ spins / len(spins) - exact).max() < 5.5 / np.sqrt(len(spins))


@pytest.mark.parametrize("level", LEVELS)
def test_chains_on_the_complete_graph(benchmark, monkeypatch, level):
    dwave = pytest.importorskip("dwave.samplers", reason="the peer of this benchmark is dwave-samplers")
    import dimod

    check(level, monkeypatch)
    machine = complete_graph(N)
    bonds = {(i, j): -machine.couplings[i, j] for i in range(N) for j in range(i)}
    model, sampler = dimod.BinaryQuadraticModel.from_ising({}, bonds), dwave.SimulatedAnnealingSampler()

    def own():
        return boltzmann_chains(machine, n_chains=CHAINS, n_sweeps=SWEEPS, rng=2, n_threads=1)

    def peer():
        return sampler.sample(
            model,
            num_reads=CHAINS,
            num_sweeps=SWEEPS,
            beta_schedule_type="custom",
            beta_schedule=np.ones(SWEEPS),
            proposal_acceptance_criteria="Gibbs",
            randomize_order=False,
            seed=3,
        )

    answer = peer().record.sample.astype(float)
    mine = benchmark.pedantic(own, rounds=3).spins.astype(float)
    for i, j in ((0, 1), (5, 40), (20, 63)):
        # two samples of 1000: the difference of means within 5.5 of its standard errors
        assert abs((mine[:, i] * mine[:, j]).mean() - (answer[:, i] * answer[:, j]).mean()) < 5.5 * np.sqrt(
            2 / CHAINS
        )
    best = [np.inf, np.inf]
    for _ in range(REPEATS):
        for index, job in enumerate((own, peer)):
            start = time.process_time()
            job()
            best[index] = min(best[index], time.process_time() - start)
    print(
        f"\nBoltzmann machine, n = {N}, {CHAINS} chains x {SWEEPS} sweeps, {level}: {1e3 * best[0]:.1f} ms,"
        f" {best[1] / best[0]:.1f}x dwave-samplers Gibbs ({1e3 * best[1]:.0f} ms; target {TARGETS[level]}x)"
    )
