"""Every threaded kernel in calls long enough to run beside each other, for ThreadSanitizer.

The result must be that of one thread. Short calls are ordered by the interpreter's lock, which hides races:
steps of 50 ms and more are what this needs.
"""

import sys
import time
import warnings

import numpy as np

from rbmflow import CD, PCD, RBM, Adam, Torus, fit, flow, sampling
from rbmflow.errors import CostWarning
from rbmflow.ising.enumeration import enumerate_ring
from rbmflow.likelihood import log_partition
from rbmflow.networks import BoltzmannMachine, Hopfield, exact_moments
from rbmflow.sampling import recall

THREADS = 2


def spins(*shape):
    return (2 * np.random.default_rng(1).integers(0, 2, shape, dtype=np.int8) - 1).astype(np.int8)


def machine(n, m, scale=0.1):
    return RBM(np.random.default_rng(2).normal(0, scale, (n, m)))


def couplings(n):
    w = np.random.default_rng(3).normal(0, 1, (n, n))
    return np.triu(w, 1) + np.triu(w, 1).T


def chains(lattice, n_chains, n_sweeps, **options):
    def call(threads):
        found = sampling.run(
            lattice, 0.4, n_chains=n_chains, n_sweeps=n_sweeps, thin=2, rng=1, n_threads=threads, **options
        )
        return found.energy, found.spins

    return call


def last_states(network, order):
    def call(threads):
        return recall(network, spins(20_000, 64), order=order, rng=1, n_threads=threads).states

    return call


def trained(negative, **options):
    """Parameters after some epochs, each of which is made by a team."""
    options = {"negative": negative, "batch_size": 64, "n_epochs": 3, "rng": 1, "record": (), **options}
    return lambda threads: (
        fit(machine(300, 200), spins(1000, 300), n_threads=threads, **options).model.weights
    )


def annealed(network):
    return lambda threads: log_partition(network, "ais", n_temperatures=600, rng=1, n_threads=threads).value


CALLS = {
    "annealing": annealed(machine(64, 64)),
    "annealing, double": annealed(machine(40, 40, 20.0)),
    "sums over states": lambda n: log_partition(machine(21, 40), n_threads=n).value,
    "sums over states, stops": lambda n: log_partition(machine(20, 200, 2.0), n_threads=n).value,
    "moments": lambda n: exact_moments(machine(21, 20), n_threads=n).coupled,
    "enumeration": lambda n: enumerate_ring(29, n_threads=n),
    "replicas": chains(Torus(16, 16), 1024, 200),
    "bytes": chains(Torus(64, 64), 4, 600),
    "sites": chains(Torus(32, 32), 4, 200, order="random"),
    "Wolff": chains(Torus(32, 32), 4, 2000, rule="wolff"),
    "Swendsen-Wang": chains(Torus(32, 32), 4, 200, rule="swendsen_wang"),
    "block Gibbs": lambda n: sampling.block_gibbs(
        machine(100, 100), n_chains=1024, n_sweeps=40, rng=1, n_threads=n
    ).visible,
    "training": trained(CD(2)),
    "training, centred": trained(PCD(1, 60), centred=True, optimizer=Adam(0.01)),
    "Boltzmann machine": lambda n: sampling.boltzmann_chains(
        BoltzmannMachine(couplings(60)), n_chains=256, n_sweeps=100, thin=50, rng=1, n_threads=n
    ).samples,
    "recall, whole": last_states(Hopfield.hebb(spins(5, 64)), "random"),
    "recall, real": last_states(Hopfield(couplings(64)), "sequential"),
    "mean field": lambda n: flow.mean_field(machine(60, 60), spins(800, 60), n_steps=100, n_threads=n),
}  # fmt: skip


def main(names):
    warnings.simplefilter("ignore", CostWarning)
    for name in names or CALLS:
        start = time.perf_counter()
        alone, together = CALLS[name](1), CALLS[name](THREADS)
        if isinstance(alone, np.ndarray):
            assert np.array_equal(alone, together), name
        elif isinstance(alone, tuple):
            assert all(map(np.array_equal, alone, together)), name
        else:
            assert alone == together, name
        print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
