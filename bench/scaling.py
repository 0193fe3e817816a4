"""The growth of cost, for each function that takes large inputs: ``python bench/scaling.py [NAME …]``.

Each job is timed, on one thread, at sizes that grow about tenfold. Where the cost is a power of the size, the
exponent is the slope of ln t against ln n; where it doubles with every unit, that of log2 t against n. An
exponent above the one that the docstring states (``Time O(…)``) is marked, and makes the status 1.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from inputs import coupled, machine, spins
from processor_time import least_seconds

from rbmflow import (
    CD,
    RBM,
    Chain,
    Graph,
    Ring,
    Torus,
    critical_coupling,
    fit,
    flow,
    networks,
    rg,
    sampling,
    trained_weight,
    trained_weight_from_samples,
    trained_weight_mixture,
    weight,
)
from rbmflow.ising import layer_degeneracies, level_table, state_sums
from rbmflow.ising.density_of_states import torus_density_of_states
from rbmflow.ising.joint_density_of_states import torus_joint_density_of_states
from rbmflow.likelihood import log_partition
from rbmflow.networks import Hopfield


def counted(n_sites):
    """Levels of a graph whose couplings are 1."""
    level_table._kept_table.cache_clear()
    return Torus(2, n_sites // 2).to_graph().enumerate(n_threads=1)


def summed(n_sites):
    """Energy of a graph whose couplings and fields are real numbers."""
    for cache in (state_sums._kept_sums, state_sums._extremes):
        cache.cache_clear()
    rng = np.random.default_rng(1)
    bonds = Torus(2, n_sites // 2).bonds()
    graph = Graph.from_bonds(n_sites, bonds, rng.normal(size=len(bonds)), rng.normal(size=n_sites))
    return graph.energy(0.3, n_threads=1)


SLACK = 0.25
"""Of an exponent: logarithms, caches and noise."""


@dataclass(frozen=True)
class Job:
    """A function, what grows, a call for each size, and the exponent that its docstring states."""

    function: Callable
    variable: str
    call: Callable
    sizes: tuple
    exponent: float
    doubles: bool = False

    def slope(self, seconds):
        """Return the measured exponent: of a power, or of 2 for each unit."""
        x = np.array(self.sizes, dtype=float) if self.doubles else np.log2(self.sizes)
        return np.polyfit(x, np.log2(seconds), 1)[0]


def fresh(cached, *arguments):
    """Call a function that remembers, as if for the first time."""
    cached.cache_clear()
    return cached(*arguments)


JOBS = [
    Job(trained_weight, "M", lambda M: trained_weight(0.5, M, M // 2), (10**5, 10**6, 10**7), 0.5),
    Job(trained_weight, "M, dps=30", lambda M: trained_weight("0.5", M, 50, dps=30), (100, 300, 1000), 1),
    Job(
        trained_weight, "couplings", lambda n: trained_weight(np.linspace(0.1, 2, n), 8, 4), (10**4, 10**5), 1
    ),
    Job(weight.f, "M", lambda M: weight.f(1 / M, M, 50), (10**4, 10**5, 10**6), 1),
    Job(weight.g, "M", lambda M: weight.g(1 / M, 0.5, M), (10**4, 10**5, 10**6), 1),
    Job(weight.kl_uniform, "M", lambda M: weight.kl_uniform(1 / M, 0.5, M, 50), (10**4, 10**5, 10**6), 1),
    Job(
        trained_weight_mixture, "M", lambda M: trained_weight_mixture(0.5, 4, M, 50), (10**3, 10**4, 10**5), 1
    ),
    Job(
        trained_weight_from_samples,
        "numbers",
        lambda n: trained_weight_from_samples(spins(n, 20), 10),
        (10**4, 10**5),
        1,
    ),
    Job(critical_coupling, "M", lambda M: critical_coupling(M, M // 2), (10**4, 10**5, 10**6), 1),
    Job(flow.critical_temperature, "M", lambda M: flow.critical_temperature(M, M), (10**3, 10**4, 10**5), 1),
    Job(Ring.magnetization_law, "M", lambda M: Ring(M).magnetization_law(0.5), (10**4, 10**5, 10**6), 1),
    Job(Chain.magnetization_law, "n", lambda M: Chain(M).magnetization_law(0.5), (10**3, 10**4), 1.5),
    Job(Ring.degeneracies, "M", lambda M: Ring(M).degeneracies(), (100, 300, 1000), 2.5),
    Job(Ring.enumerate, "M", lambda M: Ring(M).enumerate(n_threads=1), (24, 26, 28), 1, doubles=True),
    Job(Ring.sample, "spins", lambda n: Ring(100).sample(0.5, n // 100, rng=1), (10**6, 10**7), 1),
    Job(layer_degeneracies, "n", layer_degeneracies, (2000, 20_000), 2),
    Job(Torus.log_partition, "side", lambda L: Torus(L, L).log_partition(np.ones(1000)), (100, 1000), 1),
    Job(Torus.heat_capacity, "side", lambda L: Torus(L, L).heat_capacity(np.full(1000, 0.3)), (100, 1000), 1),
    Job(
        Torus.density_of_states, "side", lambda L: fresh(torus_density_of_states, L, L), (16, 24, 32, 48), 4.5
    ),
    Job(
        Torus.joint_density_of_states,
        "short side",
        lambda w: fresh(torus_joint_density_of_states, 8, w),
        (4, 6, 8),
        2.5,
        doubles=True,
    ),
    Job(
        Torus.magnetization_law,
        "short side",
        lambda w: Torus(w, 40).magnetization_law(0.4),
        (8, 9, 10),
        2.2,
        doubles=True,
    ),
    Job(Graph.enumerate, "sites", counted, (24, 26, 28), 1, doubles=True),
    Job(Graph.energy, "sites", summed, (22, 24, 26), 1, doubles=True),
    Job(
        flow.mean_field,
        "M = N",
        lambda n: flow.mean_field(machine(n, n), spins(200, n), n_threads=1),
        (100, 1000),
        2,
    ),
    Job(flow.sign, "M = N", lambda n: flow.sign(machine(n, n), spins(200, n)), (100, 1000), 2),
    Job(
        flow.gibbs,
        "M = N",
        lambda n: flow.gibbs(machine(n, n), spins(200, n), 1, n_threads=1),
        (100, 1000),
        2,
    ),
    Job(
        flow.mean_field_jacobian,
        "n",
        lambda n: flow.mean_field_jacobian(machine(n, n), np.zeros(n)),
        (100, 1000),
        3,
    ),
    Job(flow.spectrum, "n", lambda n: flow.spectrum(machine(n, n)), (100, 1000), 3),
    Job(flow.fixed_points, "n", lambda n: flow.fixed_points(machine(n, n), rng=1), (30, 100, 300), 3),
    Job(
        networks.exact_log_partition,
        "smaller layer",
        lambda n: networks.exact_log_partition(machine(30, n), n_threads=1),
        (18, 20, 22),
        1,
        doubles=True,
    ),
    Job(
        networks.exact_moments,
        "smaller layer",
        lambda n: networks.exact_moments(machine(30, n), n_threads=1),
        (16, 18, 20),
        1,
        doubles=True,
    ),
    Job(
        networks.visible_law,
        "M",
        lambda n: networks.visible_law(machine(n, 16)),
        (16, 18, 20),
        1,
        doubles=True,
    ),
    Job(
        networks.effective_couplings,
        "M",
        lambda n: networks.effective_couplings(machine(n, 16)),
        (16, 18, 20),
        1.1,
        doubles=True,
    ),
    Job(
        networks.boltzmann_log_partition,
        "n",
        lambda n: networks.boltzmann_log_partition(coupled(n)),
        (20, 22, 24),
        1,
        doubles=True,
    ),
    Job(
        networks.sample_exactly,
        "samples",
        lambda n: networks.sample_exactly(machine(20, 10), n, rng=1),
        (10**4, 10**5),
        1,
    ),
    Job(RBM.free_energy, "M = N", lambda n: machine(n, n).free_energy(spins(300, n)), (100, 1000), 2),
    Job(
        sampling.run,
        "side",
        lambda L: sampling.run(
            Torus(L, L), 0.4, n_sweeps=50, n_chains=8, rng=1, n_threads=1, keep_spins=False
        ),
        (32, 100, 320),
        2,
    ),
    Job(
        sampling.tempered,
        "M = N",
        lambda n: sampling.tempered(machine(n, n), n_sweeps=5, n_chains=64, ladder=4, rng=1, n_threads=1),
        (100, 1000),
        2,
    ),
    Job(
        sampling.block_gibbs,
        "M = N",
        lambda n: sampling.block_gibbs(machine(n, n), n_sweeps=5, n_chains=64, rng=1, n_threads=1),
        (100, 1000),
        2,
    ),
    Job(
        sampling.boltzmann_chains,
        "n",
        lambda n: sampling.boltzmann_chains(coupled(n), n_sweeps=5, n_chains=32, rng=1, n_threads=1),
        (100, 300, 1000),
        2,
    ),
    Job(
        sampling.recall,
        "n",
        lambda n: sampling.recall(Hopfield.hebb(spins(5, n)), spins(20, n), rng=1),
        (100, 1000),
        2,
    ),
    Job(
        sampling.training_set,
        "samples",
        lambda n: sampling.training_set(Ring(50), [1.0, 2.0], n, rng=1, n_threads=1),
        (10**4, 10**5),
        1,
    ),
    Job(
        fit,
        "rows",
        lambda n: fit(machine(64, 32), spins(n, 64), negative=CD(1), n_epochs=2, rng=1),
        (10**4, 10**5),
        1,
    ),
    Job(
        fit,
        "M = N",
        lambda n: fit(machine(n, n), spins(500, n), negative=CD(1), n_epochs=1, rng=1),
        (100, 1000),
        2,
    ),
    Job(
        log_partition,
        "M = N",
        lambda n: log_partition(machine(n, n), "ais", n_temperatures=50, n_chains=64, rng=1, n_threads=1),
        (100, 1000),
        2,
    ),
    Job(rg.decimate_spins, "sites", lambda n: rg.decimate_spins(spins(50, n), n), (10**4, 10**5), 1),
    Job(rg.block_spins, "side", lambda L: rg.block_spins(spins(20, L * L), (L, L), rng=1), (100, 320), 2),
    Job(rg.even_operators, "side", lambda L: rg.even_operators(spins(20, L * L), (L, L)), (100, 320), 2),
]


def measured(job):
    """Return the seconds at each size."""
    return least_seconds(*(partial(job.call, size) for size in job.sizes), rounds=2)


def main():
    """Print the table; the status is 1 where a cost grows faster than is stated."""
    print("| function | grows with | sizes | seconds | exponent | stated |\n|---|---|---|---|---|---|")
    failed = False
    names = sys.argv[1:]
    for job in JOBS:
        if names and job.function.__name__ not in names:
            continue
        seconds = measured(job)
        slope = job.slope(seconds)
        worse = slope > job.exponent + SLACK or not re.search(r"[Tt]ime (is )?O\(", job.function.__doc__)
        failed |= worse
        base = f"2^({job.variable})" if job.doubles else job.variable
        times = ", ".join(f"{one:.2g}" for one in seconds)
        print(
            f"| `{job.function.__qualname__}` | {base} | {', '.join(map(str, job.sizes))} | {times} "
            f"| {slope:.2f} | {job.exponent:g}{' **more**' if worse else ''} |",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
