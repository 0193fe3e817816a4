"""Two versions side by side on what was slow: ``python bench/corners.py BEFORE AFTER``.

The arguments are source trees with their kernels built in place. Each job runs in processes of its own, the
versions in turn, on one thread; the least processor time counts. The table names the job, both times, their
ratio and what was to be reached.
"""

import json
import os
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from inputs import coupled, machine, spins

ROUNDS = 3


def torus(method, side):
    """Return a call for ten thousand couplings."""
    import numpy as np

    from rbmflow import Torus

    couplings = np.linspace(0.1, 0.7, 10_000)
    return lambda: getattr(Torus(side, side), method)(couplings)


def of_networks(name, *arguments):
    """Return a call of a function of `rbmflow.networks`."""
    from rbmflow import networks

    return lambda: getattr(networks, name)(*arguments)


def of_flow(name, *arguments, **keywords):
    """Return a call of a function of `rbmflow.flow`."""
    from rbmflow import flow

    return lambda: getattr(flow, name)(*arguments, **keywords)


def counts(module, name, side):
    """Return a call of counts that are remembered, as if for the first time."""
    from importlib import import_module

    function = getattr(import_module(f"rbmflow.ising.{module}"), name)

    def call():
        function.cache_clear()
        return function(side, side)

    return call


def divergence():
    """Return a call of the KL divergence from a law of a million states."""
    from rbmflow.networks import visible_law

    return of_networks("kl_divergence", visible_law(machine(20, 16, 0.4)), machine(20, 16))


def limits():
    """Return a call of the table of limits."""
    from rbmflow.weight import limit_table

    return lambda: limit_table(100, 50, dps=30)


def certificate():
    """Return a call that certifies the weakest coupling."""
    from rbmflow import certified_weight

    return lambda: certified_weight("1e-200", 101, 50, digits=30)


def many_digits():
    """Return a call for a long ring in digits."""
    from rbmflow import trained_weight

    return lambda: trained_weight("1", 1024, 512, dps=50)


def series():
    """Return a call of the series at strong coupling."""
    from rbmflow.weight.strong_coupling import _coefficients

    def call():
        _coefficients.cache_clear()
        return _coefficients(8, 4, 80)

    return call


def chains(n_units, n_chains):
    """Return a call of chains of a Boltzmann machine."""
    from rbmflow.sampling import boltzmann_chains

    machine = coupled(n_units)
    return lambda: boltzmann_chains(machine, n_sweeps=100, n_chains=n_chains, rng=1, n_threads=1)


def recalled():
    """Return a call that recalls patterns in a network with real couplings."""
    import numpy as np

    from rbmflow.networks import Hopfield
    from rbmflow.sampling import recall

    patterns = spins(200, 1000).astype(np.int8)
    network = Hopfield.pseudo_inverse(patterns)
    probes = np.where(np.random.default_rng(2).random(patterns.shape) < 0.15, -patterns, patterns)
    return lambda: recall(network, probes, rng=1, n_threads=1)


def command(*words):
    """Return a call of a program."""
    return lambda: subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)


JOBS = {
    "`Torus.log_partition`, 10⁴ couplings, 16 × 16": (lambda: torus("log_partition", 16), 100),
    "`Torus.energy`, 10⁴ couplings, 16 × 16": (lambda: torus("energy", 16), 100),
    "`Torus.heat_capacity`, 10⁴ couplings, 16 × 16": (lambda: torus("heat_capacity", 16), 100),
    "`Torus.heat_capacity`, 10⁴ couplings, 64 × 64": (lambda: torus("heat_capacity", 64), 40),
    "`boltzmann_log_partition`, 28 units": (lambda: of_networks("boltzmann_log_partition", coupled(28)), 35),
    "`boltzmann_moments`, 28 units": (lambda: of_networks("boltzmann_moments", coupled(28)), 35),
    "`visible_law`, 20 × 16": (lambda: of_networks("visible_law", machine(20, 16)), 30),
    "`kl_divergence`, 20 × 16": (divergence, 30),
    "`effective_couplings`, 20 × 16": (lambda: of_networks("effective_couplings", machine(20, 16)), 30),
    "`boltzmann_chains`, 64 units, 1,000 chains": (lambda: chains(64, 1000), 2),
    "`boltzmann_chains`, 256 units, 512 chains": (lambda: chains(256, 512), 2),
    "`recall`, pseudo-inverse, 1,000 units, 200 probes": (recalled, 3),
    "`critical_temperature`, M = 40, 16 digits": (lambda: of_flow("critical_temperature", 40, 4, dps=16), 1),
    "`critical_coupling_limit`, 50 digits": (lambda: of_flow("critical_coupling_limit", 4, dps=50), 1),
    "`critical_temperature`, M = 10⁴": (lambda: of_flow("critical_temperature", 10**4, 5000), 7),
    "`fixed_points`, 256 × 256": (lambda: of_flow("fixed_points", machine(256, 256, 1.3), rng=1), 4.8),
    "`Torus.density_of_states`, 32 × 32": (
        lambda: counts("density_of_states", "torus_density_of_states", 32),
        7.8,
    ),
    "`Torus.joint_density_of_states`, 8 × 8": (
        lambda: counts("joint_density_of_states", "torus_joint_density_of_states", 8),
        3.8,
    ),
    "`limit_table`, M = 100": (limits, 3.8),
    "`certified_weight`, K = 10⁻²⁰⁰, M = 101": (certificate, 11),
    "`trained_weight`, M = 1024, 50 digits": (many_digits, 2.7),
    "`strong_coupling_series`, order 40": (series, 1),
    "`flow.sign`, 784 × 500, 1,000 rows": (lambda: of_flow("sign", machine(784, 500), spins(1000, 784)), 4.7),
    "`flow.mean_field_sampled`, 784 × 500, 1,000 rows": (
        lambda: of_flow("mean_field_sampled", machine(784, 500), spins(1000, 784), 1),
        4.7,
    ),
    "`RBM.free_energy`, 784 × 500, 1,000 rows": (
        lambda: partial(machine(784, 500).free_energy, spins(1000, 784)),
        2.5,
    ),
    "`import rbmflow`": (lambda: command("-c", "import rbmflow"), 1),
    "`rbmflow weight 1 --visible 8 --hidden 4`": (
        lambda: command("-m", "rbmflow", "weight", "1", "--visible", "8", "--hidden", "4"),
        2,
    ),
}
"""Each with what makes the call, and how many times faster it was to become."""


def used():
    """Return the processor seconds of this process and of its children."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def work(name):
    """Print the least seconds of a job in this process."""
    call = JOBS[name][0]()
    call()  # imports, caches of the processor
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < 1:
        before = used()
        call()
        best = min(best, used() - before)
    print(json.dumps(best))


def seconds(tree, name):
    """Return the seconds of a job with the version of a tree, None where it has no such function."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RBMFLOW_NUM_THREADS"), "1")
    environment = os.environ | threads | {"PYTHONPATH": str(Path(tree).resolve() / "src")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, __file__, "--job", name],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stderr.splitlines()[-1], file=sys.stderr)
        return None
    return json.loads(done.stdout)


def shown(seconds):
    """Return a time as text."""
    if seconds is None:
        return "-"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def main(before, after, *names):
    """Print the table of the jobs, all of them or those whose name holds one of the words."""
    print("| job | before | after | ratio | to be reached |\n|---|---|---|---|---|")
    for name, (_, target) in JOBS.items():
        if names and not any(word in name for word in names):
            continue
        found = [[seconds(tree, name) for tree in (before, after)] for _ in range(ROUNDS)]
        old, new = (
            min((one for one in times if one is not None), default=None) for times in zip(*found, strict=True)
        )
        texts = [shown(one) for one in (old, new)]
        ratio = "-" if old is None or new is None else f"{old / new:.1f}"
        print(f"| {name} | {texts[0]} | {texts[1]} | {ratio} | {target} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--job":
        work(sys.argv[2])
    else:
        main(*sys.argv[1:])
