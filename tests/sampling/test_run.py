"""The face of the chains: same bits everywhere, continuation, input, estimates."""

import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rbmflow import Chain, Graph, Ring, Torus
from rbmflow._kernels import simd
from rbmflow.errors import ConvergenceWarning
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.ising import onsager
from rbmflow.sampling import replica_exchange, run
from tests.sampling import operators

GRAPH = Graph.from_bonds(5, [(0, 1), (1, 2), (1, 2), (0, 2)], [0.5, -2.0, 1.5, 1.0], [0.3, 0, -1.0, 0, 0.2])
CASES = [
    (Ring(20), "heat_bath", None, 3),
    (Ring(20), "heat_bath", None, 700),
    (Ring(20), "metropolis", None, 20),
    (Torus(6, 4), "heat_bath", "checkerboard", 5),
    (Torus(6, 4), "heat_bath", "checkerboard", 600),
    (Torus(10, 4), "metropolis", "checkerboard", 5),
    (Torus(3, 5), "heat_bath", "sequential", 40),
    (Torus(5, 6), "wolff", None, 5),
    (Torus(5, 6), "swendsen_wang", None, 5),
    (Chain(9), "heat_bath", "random", 5),
    (Chain(9), "swendsen_wang", None, 5),
    (GRAPH, "wolff", None, 5),
    (GRAPH, "swendsen_wang", None, 5),
    (Graph.from_bonds(5, [(0, 1), (1, 2)], [0.5, -2.0], 0.3), "heat_bath", None, 5),
]
IDS = [f"{type(case[0]).__name__}-{case[1]}-{case[2]}-{case[3]}" for case in CASES]


@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
@pytest.mark.parametrize(("lattice", "rule", "order", "n_chains"), CASES, ids=IDS)
class TestEveryEngine:
    def test_the_same_bits_for_any_number_of_threads(self, lattice, rule, order, n_chains):
        first, *others = (
            run(
                lattice, 0.4, n_chains=n_chains, n_sweeps=30, rule=rule, order=order, rng=1, n_threads=threads
            )
            for threads in (1, 2, 8)
        )
        for other in others:
            np.testing.assert_array_equal(other.spins, first.spins)
            np.testing.assert_array_equal(other.energy, first.energy)
            np.testing.assert_array_equal(other.state.generators, first.state.generators)

    def test_a_run_in_two_parts_is_the_whole(self, lattice, rule, order, n_chains):
        common = {"thin": 3, "rule": rule, "order": order}
        whole = run(lattice, 0.4, n_chains=n_chains, n_sweeps=60, burn_in=7, rng=1, **common)
        part = run(lattice, 0.4, n_chains=n_chains, n_sweeps=27, burn_in=7, rng=1, **common)
        rest = run(lattice, 0.4, n_sweeps=33, initial=pickle.loads(pickle.dumps(part)), rng=99, **common)
        np.testing.assert_array_equal(np.concatenate([part.spins, rest.spins], axis=1), whole.spins)
        np.testing.assert_array_equal(np.concatenate([part.energy, rest.energy], axis=1), whole.energy)
        np.testing.assert_array_equal(rest.state.spins, whole.state.spins)
        np.testing.assert_array_equal(rest.state.generators, whole.state.generators)
        assert rest.state.n_sweeps == whole.state.n_sweeps == 67

    def test_series_are_those_of_the_spins(self, lattice, rule, order, n_chains):
        chains = run(lattice, [0.4] * n_chains, n_sweeps=5, rule=rule, order=order, rng=1)
        _, energy, magnetization = operators.boltzmann(lattice, 1.0) if lattice.n_sites <= 16 else (None,) * 3
        if energy is not None:
            index = operators.index_of(chains.spins)
            np.testing.assert_allclose(chains.energy, energy[index] / lattice.n_sites, rtol=1e-13)
            np.testing.assert_allclose(
                chains.magnetization, magnetization[index] / lattice.n_sites, rtol=1e-13
            )
        np.testing.assert_allclose(chains.magnetization, chains.spins.mean(axis=-1), rtol=1e-13, atol=1e-16)
        np.testing.assert_array_equal(chains.state.spins, chains.spins[:, -1])

    def test_without_spins_the_series_are_the_same(self, lattice, rule, order, n_chains):
        arguments = {"n_chains": n_chains, "n_sweeps": 12, "thin": 4, "rule": rule, "order": order, "rng": 3}
        bare = run(lattice, 0.4, keep_spins=False, **arguments)
        assert bare.spins is None
        np.testing.assert_array_equal(bare.energy, run(lattice, 0.4, **arguments).energy)


def test_the_same_bits_on_every_simd_path():
    code = (
        "import hashlib, warnings; warnings.simplefilter('ignore')\n"
        "from tests.sampling.test_run import CASES, run\n"
        "for lattice, rule, order, n in CASES:\n"
        "    r = run(lattice, 0.4, n_chains=n, n_sweeps=40, rule=rule, order=order, rng=1)\n"
        "    print(hashlib.sha256(r.spins.tobytes() + r.energy.tobytes()).hexdigest())\n"
    )
    answers = set()
    for level in SIMD_LEVELS[: simd.supported() + 1]:
        environment = os.environ | {"RBMFLOW_SIMD": level}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        answers.add(done.stdout)
    assert len(answers) == 1


@pytest.mark.parametrize("rule", ["heat_bath", "metropolis", "wolff", "swendsen_wang"])
@pytest.mark.parametrize("n_chains", [6, 600])
def test_chains_with_couplings_of_their_own(rule, n_chains):
    # 12 couplings, |z| > 4.5 in 7e-6 each; K = 0 and both signs in one run
    K = np.array([-0.6, -0.2, 0.0, 0.1, 0.44, 0.7])
    lattice = Torus(4, 6)
    chains = run(
        lattice,
        np.tile(K, n_chains // 6),
        n_chains=n_chains,
        n_sweeps=600 if n_chains > 6 else 6000,
        burn_in=200,
        rule=rule,
        rng=4,
    )
    for coupling in K:
        found = chains.at(coupling).energy_estimate
        assert abs(found.deviation(lattice.energy(coupling))) < 4.5


def test_frustrated_lattices():
    for lattice in (Ring(9), Torus(3, 4)):
        for rule in ("heat_bath", "metropolis", "swendsen_wang", "wolff"):
            found = run(
                lattice, -0.5, n_chains=20, n_sweeps=6000, burn_in=200, rule=rule, rng=5
            ).energy_estimate
            assert abs(found.deviation(lattice.energy(-0.5))) < 4.5, (lattice, rule)


def test_graphs_with_fields_and_couplings_of_every_sign():
    rng = np.random.default_rng(3)
    bonds = [(i, j) for i in range(10) for j in range(i) if rng.random() < 0.4]
    graph = Graph.from_bonds(10, bonds, rng.normal(size=len(bonds)), rng.normal(size=10))
    p, energy, magnetization = operators.boltzmann(graph, 0.7)
    for rule in ("heat_bath", "metropolis"):
        chains = run(graph, 0.7, n_chains=20, n_sweeps=4000, burn_in=200, rule=rule, order="random", rng=6)
        assert abs(chains.energy_estimate.deviation((p * energy).sum() / 10)) < 4.5
        assert abs(chains.magnetization_estimate.deviation((p * magnetization).sum() / 10)) < 4.5


def test_infinite_couplings_are_the_limits():
    up = run(Torus(4, 4), np.inf, n_chains=300, n_sweeps=5, initial="up", rng=1)
    assert (up.spins == 1).all()
    for rule in ("heat_bath", "wolff", "swendsen_wang", "metropolis"):
        aligned = run(Ring(6), np.inf, n_chains=20, n_sweeps=500, rule=rule, rng=1)
        assert (np.abs(aligned.magnetization[:, -1]) == 1).all()
    flat = run(Ring(6), -np.inf, n_chains=20, n_sweeps=500, rng=1)
    assert (flat.energy[:, -1] == 1).all()
    huge = Graph.from_bonds(3, [(0, 1), (1, 2)], [1e90, 1e90])
    for lattice in (Ring(6), Torus(4, 4), huge):
        for n_chains in (1, 20):
            frozen = run(lattice, 1e308, n_chains=n_chains, n_sweeps=3, initial="up", rng=1)
            assert (frozen.spins == 1).all()


def test_estimates_against_exact_values():
    # seven observables, |z| > 4.5
    torus, K = Torus(6, 6), 0.42
    chains = run(
        torus, K, n_chains=64, n_sweeps=4000, burn_in=200, rule="swendsen_wang", rng=7, keep_spins=False
    )
    law = torus.magnetization_law(K)
    m = law.values / 36
    mean = {
        name: (law.probabilities * value).sum() for name, value in (("abs", abs(m)), ("2", m**2), ("4", m**4))
    }
    for found, wanted in (
        (chains.energy_estimate, torus.energy(K)),
        (chains.heat_capacity_estimate, torus.heat_capacity(K)),
        (chains.susceptibility_estimate, torus.susceptibility(K)),
        (chains.magnetization_estimate, 0.0),
        (chains.absolute_magnetization_estimate, mean["abs"]),
        (chains.squared_magnetization_estimate, mean["2"]),
        (chains.binder_cumulant_estimate, 1 - mean["4"] / (3 * mean["2"] ** 2)),
    ):
        assert abs(found.deviation(wanted)) < 4.5
        assert found.r_hat < 1.01
        assert found.stderr < 0.02 * max(abs(wanted), 1)


TEMPERATURES = [1.5, 2.0, onsager.CRITICAL_TEMPERATURE, 2.5, 3.0, 4.0]


@pytest.mark.parametrize(
    "side", [4, 16, pytest.param(64, marks=pytest.mark.slow), pytest.param(128, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("T", TEMPERATURES)
def test_energies_of_tori_against_kaufman(side, T):
    # |z| < 4 with errors below 1e-3; false alarm 6e-5 for each of 24.
    # Chains of 20 autocorrelation times of burn-in
    torus = Torus(side, side)
    found = run(
        torus,
        1 / T,
        n_chains=128 if side < 64 else 32,
        n_sweeps={4: 10_000, 16: 3000}.get(side, 1500),
        burn_in=200,
        rule="swendsen_wang",
        initial="up" if T < 2.3 else "random",
        rng=8,
        keep_spins=False,
    ).energy_estimate
    assert abs(found.deviation(torus.energy(1 / T))) < 4
    assert found.stderr < 1e-3
    assert found.r_hat < 1.01


@pytest.mark.parametrize(
    ("side", "n_chains"), [(4, 512), (16, 512), (64, 6), pytest.param(128, 512, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("T", [1.5, 2.5, 3.0, 4.0])
def test_heat_bath_energies_of_tori_against_kaufman(side, n_chains, T):
    # away from T_c the local rule is fast enough; the same bounds. 6 chains run as bytes, 512 as bits
    torus = Torus(side, side)
    found = run(
        torus,
        1 / T,
        n_chains=n_chains,
        n_sweeps={4: 4000, 16: 1500, 64: 20_000, 128: 400}[side],
        burn_in=600,
        initial="up" if T < 2.3 else "random",
        rng=9,
        keep_spins=False,
    ).energy_estimate
    assert abs(found.deviation(torus.energy(1 / T))) < 4
    assert found.stderr < 1e-3


def test_pulls_of_short_runs_have_unit_variance():
    # 1000 runs of 8 chains: the variance of the pulls is 1 within 4 standard errors, √(2/1000), and the tails
    # of errors taken from as few as ~250 effective samples
    lattice, K = Torus(4, 4), 0.3
    exact = lattice.energy(K)
    chains = run(lattice, K, n_chains=8000, n_sweeps=160, burn_in=60, rng=10, keep_spins=False)
    from rbmflow import Estimate

    pulls = np.array(
        [Estimate.from_series(part).deviation(exact) for part in chains.energy.reshape(1000, 8, 160)]
    )
    assert abs(pulls.mean()) < 4 / np.sqrt(1000)
    assert abs(pulls.var() - 1) < 4 * np.sqrt(2 / 1000)


def test_input_is_taken_in_every_layout_and_left_alone():
    ring = Ring(6)
    initial = np.ones((4, 6), dtype=np.int8)
    initial.flags.writeable = False
    one = run(ring, 0.5, n_chains=4, n_sweeps=3, initial=initial, rng=1)
    other = run(ring, 0.5, n_chains=4, n_sweeps=3, initial=np.asfortranarray(initial.astype(float)), rng=1)
    third = run(ring, 0.5, n_chains=4, n_sweeps=3, initial=np.ones(6, dtype=int), rng=1)
    np.testing.assert_array_equal(one.spins, other.spins)
    np.testing.assert_array_equal(one.spins, third.spins)
    assert (initial == 1).all()


@pytest.mark.parametrize(
    ("change", "error", "name"),
    [
        ({"lattice": 8}, TypeError, "lattice"),
        ({"K": float("nan")}, ValueError, "K"),
        ({"K": "0.5"}, TypeError, "K"),
        ({"K": [0.1, 0.2, 0.3]}, ValueError, "K has shape"),
        ({"K": [[0.1, 0.2]]}, ValueError, "K has shape"),
        ({"K": []}, ValueError, "K has shape"),
        ({"n_chains": 0}, ValueError, "n_chains"),
        ({"n_chains": 2.0}, TypeError, "n_chains"),
        ({"n_sweeps": -1}, ValueError, "n_sweeps"),
        ({"n_sweeps": True}, TypeError, "n_sweeps"),
        ({"thin": 0}, ValueError, "thin"),
        ({"burn_in": -5}, ValueError, "burn_in"),
        ({"rule": "glauber"}, ValueError, "rule"),
        ({"order": "typewriter"}, ValueError, "order"),
        ({"rng": -1}, ValueError, "rng"),
        ({"rng": 0.5}, TypeError, "rng"),
        ({"initial": "down"}, ValueError, "initial"),
        ({"initial": np.zeros(6)}, ValueError, "initial holds 0"),
        ({"initial": np.ones(5)}, ValueError, "initial"),
        ({"initial": np.ones((3, 6))}, ValueError, "initial"),
        ({"initial": np.full(6, np.nan)}, ValueError, "initial"),
        ({"n_threads": 0}, ValueError, "n_threads"),
    ],
)
def test_bad_input(change, error, name):
    arguments = {"lattice": Ring(6), "K": 0.5, "n_chains": 2, "n_sweeps": 3, "rng": 1} | change
    with pytest.raises(error, match=name):
        run(arguments.pop("lattice"), arguments.pop("K"), **arguments)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"lattice": Ring(8)}, "lattice"),
        ({"K": 0.6}, "K"),
        ({"n_chains": 3}, "n_chains"),
        ({"rule": "metropolis"}, "rule"),
        ({"order": "sequential"}, "order"),
    ],
)
def test_a_run_goes_on_only_as_it_was(change, name):
    first = run(Ring(6), 0.5, n_chains=2, n_sweeps=3, rng=1)
    arguments = {"lattice": Ring(6), "K": 0.5, "n_chains": 2} | change
    with pytest.raises(ValueError, match=f"another {name}"):
        run(arguments.pop("lattice"), arguments.pop("K"), n_sweeps=3, initial=first, **arguments)
    with pytest.raises(ValueError, match="part of one"):
        run(Ring(6), 0.5, n_sweeps=3, initial=first.at(0.5))


def test_several_couplings_have_no_common_estimate():
    mixed = run(Ring(6), [0.1, 0.2], n_chains=2, n_sweeps=10, rng=1)
    with pytest.raises(ValueError, match=r"run\.at"):
        _ = mixed.energy_estimate
    with pytest.raises(ValueError, match="couplings of the chains"):
        mixed.at(0.3)


def test_progress_and_interruption():
    seen = []
    run(
        Torus(16, 16),
        0.4,
        n_chains=3,
        n_sweeps=50,
        burn_in=10,
        rng=1,
        progress=lambda *told: seen.append(told),
    )
    assert seen[-1] == (180, 180)

    def stop(done, total):
        raise KeyboardInterrupt

    for threads in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            run(
                Torus(64, 64),
                0.4,
                n_chains=4,
                n_sweeps=10**9,
                rng=1,
                progress=stop,
                n_threads=threads,
                thin=10**6,
            )


def test_replica_exchange():
    # twelve rungs, |z| > 4.5; energies are those of the exact law at every coupling
    torus, K = Torus(6, 6), np.linspace(0.2, 0.6, 8)
    ladder = replica_exchange(torus, K, n_ladders=30, n_sweeps=2000, burn_in=200, rng=11)
    for rung, coupling in enumerate(K):
        assert abs(ladder.energy_estimate(rung).deviation(torus.energy(coupling))) < 4.5
    assert (ladder.rates > 0.2).all()
    assert (ladder.rates < 1).all()
    assert (ladder.round_trips.sum(axis=1) > 10).all()
    same = replica_exchange(torus, K, n_ladders=30, n_sweeps=2000, burn_in=200, rng=11, n_threads=2)
    np.testing.assert_array_equal(same.energy, ladder.energy)
    graph = Graph.from_bonds(4, [(0, 1), (1, 2), (2, 3)], fields=0.2)
    small = replica_exchange(graph, [0.2, 0.9], n_ladders=20, n_sweeps=2000, thin=2, burn_in=100, rng=12)
    for rung, coupling in enumerate([0.2, 0.9]):
        p, energy, _ = operators.boltzmann(graph, coupling)
        assert abs(small.energy_estimate(rung).deviation((p * energy).sum() / 4)) < 4.5


@pytest.mark.parametrize("lattice", [Ring(6), Torus(3, 3), Chain(5), Graph.from_bonds(3, [(0, 1)])], ids=str)
@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
def test_ladders_of_huge_couplings(lattice, rule):
    ladder = replica_exchange(lattice, [-1e100, 0.5, 1e100], n_sweeps=50, rule=rule, rng=1)
    assert np.isfinite(ladder.energy).all()
    # the strongest coupling is at its ground state, bonds all satisfied, after no more than these sweeps
    n_bonds = len(lattice.to_graph().couplings) / 2
    assert ladder.energy[0, -1, -1] == pytest.approx(-n_bonds / lattice.n_sites)


def test_long_rounds_of_a_ladder_are_done_in_steps(monkeypatch):
    arguments = {"n_ladders": 2, "n_sweeps": 40, "thin": 20, "rng": 1}
    for lattice, order in ((Torus(4, 4), None), (Ring(6), "random")):
        whole = replica_exchange(lattice, [0.2, 0.4], order=order, **arguments)
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules["rbmflow.sampling.run"], "STEP_NANOSECONDS", 1.0)
            parts = replica_exchange(lattice, [0.2, 0.4], order=order, **arguments)
        np.testing.assert_array_equal(parts.energy, whole.energy)
        np.testing.assert_array_equal(parts.spins, whole.spins)

    def stop(*_):
        raise KeyboardInterrupt

    # of a round of a minute; a second is twenty steps
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            replica_exchange(Ring(5000), [0.2, 0.4], order="random", n_sweeps=10**6, thin=10**6, rng=1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"couplings": [0.3]}, "couplings"),
        ({"couplings": [0.3, 0.2]}, "couplings"),
        ({"couplings": [0.3, np.inf]}, "couplings"),
        ({"couplings": [0.3, 1e308]}, "at most 1e100"),
        ({"n_sweeps": 5, "thin": 2}, "n_sweeps"),
        ({"rule": "wolff"}, "rule"),
        ({"rule": "metropolis", "couplings": [0.0, 0.2]}, "couplings holds 0"),
    ],
)
def test_bad_ladders(change, name):
    arguments = {"couplings": [0.2, 0.3], "n_sweeps": 4, "rng": 1} | change
    with pytest.raises(ValueError, match=name):
        replica_exchange(Torus(4, 4), arguments.pop("couplings"), **arguments)


@pytest.mark.parametrize(
    ("lattice", "order", "n_chains"),
    [
        (Torus(4, 4), "checkerboard", 600),
        (Torus(4, 4), "sequential", 40),
        (Torus(4, 4), "random", 40),
        (Ring(8), None, 40),
        (Chain(7), None, 40),
    ],
)
@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
@pytest.mark.parametrize("h", [0.5, -2.0])
@pytest.mark.filterwarnings("ignore::rbmflow.errors.ReducibleChainWarning")
def test_chains_in_a_uniform_field(lattice, order, n_chains, rule, h):

    p, energy, magnetization = operators.boltzmann(lattice.to_graph(h), 0.3)
    chains = run(
        lattice,
        0.3,
        n_chains=n_chains,
        n_sweeps=60_000 // n_chains,
        burn_in=100,
        rule=rule,
        order=order,
        field=h,
        rng=13,
    )
    # |z| > 4.5 in 7e-6
    assert abs(chains.energy_estimate.deviation((p * energy).sum() / lattice.n_sites)) < 4.5
    assert abs(chains.magnetization_estimate.deviation((p * magnetization).sum() / lattice.n_sites)) < 4.5


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"field": float("inf")}, "finite field"),
        ({"field": float("nan")}, "field"),
        ({"field": 0.1, "K": float("-inf"), "rule": "wolff"}, "in a field"),
        ({"field": 0.1, "lattice": Graph.from_bonds(3, [(0, 1)])}, "fields of its own"),
        ({"field": 0.1, "K": float("inf")}, "in a field"),
    ],
)
def test_fields_that_are_none(change, name):
    arguments = {"lattice": Ring(6), "K": 0.5, "n_sweeps": 3, "rng": 1} | change
    with pytest.raises(ValueError, match=name):
        run(arguments.pop("lattice"), arguments.pop("K"), **arguments)


@pytest.mark.parametrize("rule", ["heat_bath", "metropolis"])
@pytest.mark.parametrize("field", [2.0, -4.0])
@pytest.mark.parametrize("K", [1e308, -1e308])
def test_huge_couplings_in_a_field(rule, field, K):
    # local fields of zero times twice K were NaN, whose digits have no end
    torus = Torus(4, 4)
    arguments = {
        "n_sweeps": 8,
        "rule": rule,
        "order": "checkerboard",
        "field": field,
        "allow_reducible": True,
    }
    run(torus, K, rng=1, **arguments)
    # a ground state is left alone
    lowest = -np.ones(16) if field < 0 else np.ones(16)
    still = run(torus, 1e308, rng=1, initial=lowest, **arguments)
    assert (still.spins == lowest).all()


def test_graphs_at_infinite_coupling_are_refused():
    for graph in (Graph.from_bonds(2, []), Graph.from_bonds(2, [(0, 1)])):
        with pytest.raises(ValueError, match="K holds an infinity"):
            run(graph, np.inf, n_sweeps=1, rng=1)


@pytest.mark.parametrize("name", ["n_sweeps", "thin", "burn_in"])
def test_lengths_have_an_end(name):
    with pytest.raises(ValueError, match=f"{name}=.*at most"):
        run(Ring(4), 0.3, **{"n_sweeps": 1, "rng": 1, name: 10**30})


def test_no_magnetization_no_cumulant():
    checks = np.resize([1, -1, 1, -1, -1, 1, -1, 1], 16)
    still = run(Torus(4, 4), -np.inf, n_sweeps=8, rng=1, initial=checks)
    with pytest.warns(ConvergenceWarning, match=r"^binder cumulant at K = -inf: .* equal"):
        assert np.isnan(still.binder_cumulant_estimate.mean)
