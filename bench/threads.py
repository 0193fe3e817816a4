"""How much faster several threads are: ``python bench/threads.py [THREADS …]`` prints a table.

Seconds of the wall clock, the best of three, for each number of threads; answers are the same bits. With the
sizes of machines also seconds of block Gibbs beside the matrix products of numpy that it would take.
"""

import os
import sys
import time
from functools import partial

import numpy as np

from rbmflow import CD, PCD, RBM, SGD, Graph, Hypercubic, Torus, fit
from rbmflow.likelihood.annealed_importance import anneal, independent_spins
from rbmflow.sampling import block_gibbs, replica_exchange, run

REPEATS = 3


def machine(n_visible, n_hidden, scale=0.02):
    return RBM(np.random.default_rng(1).normal(0, scale, (n_visible, n_hidden)))


def epoch(shape, n_rows, batch_size, negative, n_threads):
    """Parameters after five epochs."""
    rows = np.where(np.random.default_rng(2).random((n_rows, shape[0])) < 0.3, 1, -1).astype(np.int8)
    run = partial(fit, machine(*shape), rows, negative=negative, optimizer=SGD(0.01), batch_size=batch_size)
    return lambda: run(n_epochs=5, rng=1, record=(), n_threads=n_threads).model.weights


def annealed(n, n_chains, n_temperatures, n_threads):
    """Logarithms of the weights of chains."""
    rbm, rng = machine(n, n), np.random.default_rng(1)
    spins, betas = independent_spins(rbm, n_chains, rng), np.linspace(0, 1, n_temperatures)
    return lambda: anneal(rbm, spins, betas, np.random.default_rng(3), n_threads=n_threads)[0]


def gibbs(n, n_chains, n_threads):
    """Spins after ten sweeps."""
    rbm = machine(n, n)
    return lambda: block_gibbs(rbm, n_chains=n_chains, n_sweeps=10, rng=1, n_threads=n_threads).visible


def chains(lattice, rule, n_chains, n_sweeps, n_threads, **options):
    """Energies of chains at the end."""
    call = partial(
        run, lattice, 0.44, rule=rule, n_chains=n_chains, n_sweeps=n_sweeps, initial="up", **options
    )
    return lambda: call(thin=n_sweeps, rng=1, keep_spins=False, n_threads=n_threads).energy


def glass(n_sites, n_bonds):
    """A graph with Gaussian couplings and fields."""
    rng = np.random.default_rng(1)
    pairs = np.sort(rng.integers(0, n_sites, (2 * n_bonds, 2)))
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    pairs = rng.permutation(pairs)[:n_bonds]
    return Graph.from_bonds(n_sites, pairs, rng.normal(size=len(pairs)), rng.normal(size=n_sites) / 4)


def ladders(graph, n_couplings, n_ladders, n_sweeps, n_threads):
    """Energies of ladders whose chains exchange couplings after each sweep."""
    call = partial(replica_exchange, graph, np.linspace(0.1, 1, n_couplings), n_ladders=n_ladders)
    return lambda: call(n_sweeps=n_sweeps, rng=1, n_threads=n_threads).energy


WIDE = 784, 500
JOBS = {
    "heat bath, torus 64 × 64, 4,096 chains": partial(chains, Torus(64, 64), "heat_bath", 4096, 4000),
    "heat bath, torus 64 × 64, 64 chains": partial(chains, Torus(64, 64), "heat_bath", 64, 20_000),
    "heat bath, cubic 32³, 4,096 chains": partial(chains, Hypercubic((32, 32, 32)), "heat_bath", 4096, 400),
    "heat bath, 10,000 sites, 30,000 Gaussian bonds, 4,096 chains": partial(
        chains, glass(10_000, 30_000), "heat_bath", 4096, 100
    ),
    "Metropolis, the same, in rows": partial(
        chains, glass(10_000, 30_000), "metropolis", 4096, 100, order="sequential"
    ),
    "Swendsen-Wang, torus 256 × 256, 64 chains": partial(chains, Torus(256, 256), "swendsen_wang", 64, 200),
    "Wolff, the same": partial(chains, Torus(256, 256), "wolff", 64, 400),
    "exchange, 64 sites, 16 couplings, 512 ladders": partial(ladders, glass(64, 192), 16, 512, 2000),
    "CD-1, 784 × 500, batch 100, five epochs of 6,000 rows": partial(epoch, WIDE, 6_000, 100, CD(1)),
    "PCD-1, 784 × 500, batch 100, five epochs of 6,000 rows": partial(epoch, WIDE, 6_000, 100, PCD(1, 100)),
    "CD-1, 784 × 500, batch 1,000, five epochs of 6,000 rows": partial(epoch, WIDE, 6_000, 1000, CD(1)),
    "annealing, 256 × 256, 100 chains, 3,000 temperatures": partial(annealed, 256, 100, 3000),
    "annealing, 256 × 256, 1,000 chains, 100 temperatures": partial(annealed, 256, 1000, 100),
    "annealing, 784 × 784, 100 chains, 200 temperatures": partial(annealed, 784, 100, 200),
    "block Gibbs, 1,024 × 1,024, 2,000 chains": partial(gibbs, 1024, 2000),
}


def best_of(call):
    """Return the seconds of the fastest call."""
    seconds = []
    for _ in range(REPEATS):
        before = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - before)
    return min(seconds)


def products(n, n_chains):
    """Seconds of the matrix products of ten sweeps."""
    weights = machine(n, n).weights.astype(np.float32)
    spins = np.ones((n_chains, n), dtype=np.float32)
    return best_of(lambda: [(spins @ weights, spins @ weights.T) for _ in range(10)])


def main(*counts):
    """Print the tables."""
    counts = [int(n) for n in counts] or [1, 2, 4, 8, 16]
    print(f"{os.cpu_count()} processors")
    print(f"| job | {' | '.join(map(str, counts))} | ratio |")
    print(f"|---|{'---|' * (len(counts) + 1)}")
    for name, make in JOBS.items():
        answers = [make(n)() for n in counts]
        assert all(np.array_equal(answer, answers[0]) for answer in answers), name
        seconds = [best_of(make(n)) for n in counts]
        texts = " | ".join(f"{s:.3f}" for s in seconds)
        print(f"| {name} | {texts} | {seconds[0] / min(seconds):.1f} |", flush=True)
    print("\n| block Gibbs, 2,000 chains × 10 sweeps | s | matrix products alone |\n|---|---|---|")
    for n in (256, 512, 1024, 2048, 4096):
        print(f"| {n} × {n} | {best_of(gibbs(n, 2000, 1)):.3f} | {products(n, 2000):.3f} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
