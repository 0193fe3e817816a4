"""Ctrl-C ends every long call within two seconds.

Each is begun in a process of its own, with a size of twenty seconds and more.

Time is that of the wall or of the processor, whichever is less: on a busy machine the call waits for others.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SECONDS = 2.0
AFTER = 0.7  # of the call, before the signal
GIVE_UP = 60.0
ATTEMPTS = 3  # the least time counts: a busy machine may delay one of them, a call that does not listen all

BEGIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it
import numpy as np
from rbmflow import *
from rbmflow import flow, networks, rg, sampling, training, weight
from rbmflow.likelihood import log_partition
from rbmflow.networks import BoltzmannMachine, Hopfield
from rbmflow.sampling import recall
rng = np.random.default_rng(1)
def spins(*shape):
    return (2 * rng.integers(0, 2, shape, dtype=np.int8) - 1).astype(np.int8)
def machine(n, m, scale=0.05):
    return RBM(rng.normal(0, scale, (n, m)))
"""

KERNELS = ("anneal_threads", "ring", "trained_weight", "fit_one_update", "exact")

# name: what is prepared, and the call
CALLS = {
    "anneal": ("a = machine(500, 500)", "log_partition(a, 'ais', n_temperatures=10**6, rng=1, n_threads=1)"),
    "anneal_threads": (
        "a = machine(500, 500)",
        "log_partition(a, 'ais', n_temperatures=10**6, rng=1, n_threads=3)",
    ),
    "anneal_double": ("a = machine(500, 500, 2)", "log_partition(a, 'ais', n_temperatures=10**6, rng=1)"),
    "anneal_coupled": (
        "w = rng.normal(0, .05, (400, 400)); a = BoltzmannMachine(np.triu(w, 1) + np.triu(w, 1).T)",
        "log_partition(a, 'ais', n_temperatures=10**6, rng=1)",
    ),
    "ring": ("", "Ring(1000).sample(0.5, 2 * 10**7, rng=1)"),
    "ring_frustrated": ("", "Ring(1001).sample(-3.0, 2 * 10**7, rng=1)"),
    "trained_weight": ("K = rng.random(2 * 10**7)", "trained_weight(K, 8, 4)"),
    "trained_weight_wide": ("K = rng.random(10**7)", "trained_weight(K, 256, 4)"),
    "trained_weight_long": ("K = rng.random(10**4)", "trained_weight(K, 10**6, 4)"),
    "fit": ("a, x = machine(500, 500), spins(60000, 500)", "fit(a, x, n_epochs=100, rng=1)"),
    "fit_one_update": (
        "a, x = machine(500, 500), spins(100, 500)",
        "fit(a, x, negative=PCD(10**5), n_epochs=1, rng=1)",
    ),
    "fit_many_threads": (  # wait for each other all the time
        "a, x = machine(16, 128), spins(4, 16)",
        "fit(a, x, negative=PCD(10**6, 4), n_epochs=100, rng=1, n_threads=8)",
    ),
    "fit_contrastive": (
        "a, x = machine(500, 500), spins(600, 500)",
        "fit(a, x, negative=CD(10**5), n_epochs=1, batch_size=600, rng=1)",
    ),
    "fit_adam": (
        "a, x = machine(500, 500), spins(1000, 500)",
        "fit(a, x, negative=PCD(10**5, 1000), optimizer=Adam(0.01), n_epochs=1, rng=1)",
    ),
    "fit_tempered": (
        "a, x = machine(500, 500), spins(1000, 500)",
        "fit(a, x, negative=Tempered(5, 10**5), n_epochs=1, rng=1)",
    ),
    "fit_exact": ("a, x = machine(20, 500), spins(1000, 20)", "fit(a, x, negative=Exact(), n_epochs=100)"),
    "fit_lbfgs": (
        "a, x = machine(20, 500), spins(1000, 20)",
        "fit(a, x, negative=Exact(), optimizer=LBFGS(), n_epochs=100)",
    ),
    "exact": ("a = machine(30, 1000, 0.01)", "log_partition(a, n_threads=1)"),
    "exact_threads": ("a = machine(30, 1000, 0.01)", "log_partition(a, n_threads=3)"),
    "exact_large": ("a = machine(30, 1000, 1.0)", "log_partition(a, n_threads=1)"),
    "exact_moments": ("a = machine(30, 1000, 0.001)", "networks.exact_moments(a, n_threads=1)"),
    "exact_moments_listed": ("a = machine(24, 1000, 5.0)", "networks.exact_moments(a)"),
    "visible_law": ("a = machine(24, 300)", "networks.visible_law(a)"),
    "sample_exactly": ("a = machine(24, 1000)", "networks.sample_exactly(a, 10**7, rng=1)"),
    "enumerate": ("import warnings; warnings.simplefilter('ignore')", "Ring(44).enumerate(n_threads=1)"),
    "enumerate_threads": (
        "import warnings; warnings.simplefilter('ignore')",
        "Ring(44).enumerate(n_threads=3)",
    ),
    "graph_levels": ("", "ising.Hypercubic((6, 6)).enumerate(n_threads=1)"),
    "graph_sums": (
        "a = Graph.from_bonds(33, [(i, i + 1) for i in range(32)], rng.normal(size=32), rng.normal(size=33))",
        "a.energy([0.5, 1.0], n_threads=3)",
    ),
    "run_replicas": (
        "",
        "sampling.run(Ring(64), 0.5, n_chains=512, n_sweeps=3 * 10**5, keep_spins=False, rng=1)",
    ),
    "run_bytes": (
        "",
        "sampling.run(Torus(64, 64), 0.4, n_chains=4, n_sweeps=10**7, keep_spins=False, rng=1)",
    ),
    "run_sites": (
        "",
        (
            "sampling.run(Torus(64, 64), 0.4, order='random', n_chains=4, n_sweeps=10**7, "
            "keep_spins=False, rng=1)"
        ),
    ),
    "run_graph": (
        "a = Triangular(64, 64)",
        "sampling.run(a, 0.3, n_chains=600, n_sweeps=2 * 10**4, keep_spins=False, field=0.1, rng=1)",
    ),
    "run_graph_of_many_sites": (
        "a = Triangular(1000, 1000)",
        "sampling.run(a, 0.3, n_chains=64, n_sweeps=1000, keep_spins=False, order='colours', rng=1)",
    ),
    "run_wolff": (
        "",
        "sampling.run(Torus(64, 64), 0.4, rule='wolff', n_chains=4, n_sweeps=10**7, keep_spins=False, rng=1)",
    ),
    "run_all_clusters": (
        "",
        (
            "sampling.run(Torus(64, 64), 0.4, rule='swendsen_wang', n_chains=2, n_sweeps=10**7, "
            "keep_spins=False, rng=1)"
        ),
    ),
    "run_graph_clusters": (
        "",
        (
            "sampling.run(Torus(64, 64), 0.4, rule='wolff', field=0.01, n_chains=2, n_sweeps=10**7, "
            "keep_spins=False, rng=1)"
        ),
    ),
    "run_kept": ("", "sampling.run(Torus(10, 10), 0.4, n_chains=512, n_sweeps=20000, rng=1)"),
    "run_burn_in": ("", "sampling.run(Torus(64, 64), 0.4, n_chains=256, burn_in=10**7, n_sweeps=1, rng=1)"),
    "run_estimates": (
        "a = sampling.run(Ring(16), 0.1, n_chains=1024, n_sweeps=2 * 10**4, keep_spins=False, rng=1)",
        "[Estimate.from_series(a.energy) for _ in range(1000)]",
    ),
    "exchange": (
        "",
        "sampling.replica_exchange(Torus(32, 32), np.linspace(.3, .5, 9), n_sweeps=10**7, rng=1)",
    ),
    "exchange_thin": (
        "",
        "sampling.replica_exchange(Torus(32, 32), [.3, .4], n_sweeps=10**9, thin=10**8, rng=1)",
    ),
    "exchange_graph": (
        "a = Triangular(8, 8, couplings=(1.0, 0.5, -0.5))",
        (
            "sampling.replica_exchange(a, np.linspace(.3, .5, 16), n_ladders=64, n_sweeps=10**6, "
            "thin=20, rng=1)"
        ),
    ),
    "block_gibbs": ("a = machine(500, 500)", "sampling.block_gibbs(a, n_chains=1000, n_sweeps=10**6, rng=1)"),
    "tempered": ("a = machine(200, 200)", "sampling.tempered(a, n_chains=500, n_sweeps=10**6, rng=1)"),
    "trajectory": (
        "a = [machine(200, 200)] * 20",
        "sampling.trajectory_tempering(a, n_chains=500, n_sweeps=10**6, rng=1)",
    ),
    "boltzmann_chains": (
        "w = rng.normal(0, .05, (200, 200)); a = BoltzmannMachine(np.triu(w, 1) + np.triu(w, 1).T)",
        "sampling.boltzmann_chains(a, n_chains=100, n_sweeps=10**7, thin=10**6, rng=1)",
    ),
    "boltzmann_exact": (
        "w = rng.normal(0, .05, (28, 28)); a = BoltzmannMachine(np.triu(w, 1) + np.triu(w, 1).T)",
        "[networks.boltzmann_moments(a) for _ in range(1000)]",
    ),
    "fit_boltzmann": (
        (
            "w = rng.normal(0, .05, (20, 20)); "
            "a = BoltzmannMachine(np.triu(w, 1) + np.triu(w, 1).T, n_visible=10)"
        ),
        "training.fit_boltzmann(a, spins(1000, 10), n_steps=1000)",
    ),
    "recall": (
        "w = rng.normal(0, 1, (3000, 3000)); a = Hopfield(np.triu(w, 1) + np.triu(w, 1).T)",
        "recall(a, spins(5000, 3000), rng=1, n_threads=2)",
    ),
    "recall_together": (
        "w = rng.normal(0, 1, (2000, 2000)); a = Hopfield(np.triu(w, 1) + np.triu(w, 1).T)",
        "recall(a, spins(3000, 2000), dynamics='synchronous', max_sweeps=10000)",
    ),
    "mean_field": ("a = machine(200, 200)", "flow.mean_field(a, spins(1000, 200), n_steps=10**6)"),
    "mean_field_uniform": (
        "a = RBM.uniform(64, 64, .1)",
        "flow.mean_field(a, spins(1000, 64), n_steps=10**7)",
    ),
    "gibbs": ("a = machine(200, 200)", "flow.gibbs(a, spins(1000, 200), 1, n_steps=10**7)"),
    "fixed_points": (
        "a = machine(200, 200, .2)",
        "flow.fixed_points(a, n_starts=3000, rng=1, max_steps=10**6)",
    ),
    "density_of_states": ("", "Torus(64, 64).density_of_states()"),
    "joint_density_of_states": ("", "Torus(10, 12).joint_density_of_states()"),
    "law_of_a_torus": ("", "Torus(12, 12).magnetization_law(np.linspace(0.1, 1, 50))"),
    "torus_exact": ("", "Torus(300, 300).heat_capacity(0.44, dps=1000)"),
    "torus_long": ("", "Torus(10**6, 10**6).energy(np.linspace(.1, .9, 1000))"),
    "degeneracies": ("", "[Ring(2000).degeneracies() for _ in range(100)]"),
    "magnetization_law": ("", "[Ring(10**7).magnetization_law(0.5) for _ in range(100)]"),
    "certified_weight": ("", "certified_weight('0.5', 100, 50, digits=3 * 10**4)"),
    "exact_weight": ("", "trained_weight('0.5', 1000, 50, dps=2000)"),
    "limit_table": ("", "weight.limit_table(200, 50, dps=1000)"),
    "mixture": ("", "[trained_weight_mixture(0, 2 + i / 1000, 10**5, 4) for i in range(1000)]"),
    "critical_temperature": ("", "flow.critical_temperature(10**6, 10**6)"),
    "samples": ("x = spins(10**6, 100)", "[trained_weight_from_samples(x, 4) for _ in range(100)]"),
}


def processor_seconds(stat):
    """Of a process and its threads, from /proc."""
    user, system = stat.rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def seconds_to_end(prepare, call):
    """Send SIGINT to the call and return the seconds, and processor seconds, that its process goes on."""
    code = f"{BEGIN}{prepare}\nprint('ready', flush=True)\n{call}\nprint('done')"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stat = Path(f"/proc/{process.pid}/stat")
    try:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(AFTER)
        used, start = processor_seconds(stat.read_text()), time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            assert time.monotonic() - start < GIVE_UP, "the call does not end"
            time.sleep(0.01)
        seconds = time.monotonic() - start, processor_seconds(stat.read_text()) - used
        out, errors = process.communicate()
    finally:
        process.kill()
        process.communicate()
    assert "done" not in out, "the call is too short to be interrupted"
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
    return seconds


def ends_in_time(name):
    taken = []
    for _ in range(ATTEMPTS):
        taken.append(min(seconds_to_end(*CALLS[name])))
        if taken[-1] <= SECONDS:
            return
    pytest.fail(f"{name} went on for {taken} seconds")


def test_calls_of_kernels_end():
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ends_in_time, KERNELS))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CALLS if name not in KERNELS])
def test_every_long_call_ends(name):
    ends_in_time(name)
