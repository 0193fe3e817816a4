"""ln Z of machines whose units are all coupled: against enumeration, and lattices with an exact law."""

import numpy as np
import pytest

from rbmflow import LikelihoodWarning, Ring, Torus
from rbmflow.likelihood import coupled, log_partition
from rbmflow.likelihood.coupled import Coupled
from rbmflow.networks import BoltzmannMachine, Hopfield, boltzmann_log_partition
from rbmflow.spins import all_states
from rbmflow.state_law import law_of_all
from tests.networks.test_boltzmann import machine_of


def on_lattice(lattice, K):
    """Return the Boltzmann machine of a lattice at the coupling K."""
    couplings = np.zeros((lattice.n_sites, lattice.n_sites))
    for i, j in np.asarray(lattice.bonds()):
        couplings[i, j] += K
        couplings[j, i] += K
    return BoltzmannMachine(couplings)


def test_exact():
    machine = machine_of(9, 5)
    for method in ("exact", "auto"):
        found = log_partition(machine, method)
        assert float(found) == found.lower == found.upper == boltzmann_log_partition(machine)
        assert found.stderr == 0


def test_without_couplings_every_chain_is_exact():
    machine = BoltzmannMachine(np.zeros((5, 5)), [0.3, -1.0, 2.0, 0.0, 0.1])
    for method in ("ais", "bracket"):
        found = log_partition(machine, method, n_temperatures=10, rng=1)
        assert found.value == pytest.approx(boltzmann_log_partition(machine), abs=1e-12)
        assert found.stderr < 1e-12


def test_weights_are_unbiased():
    # few temperatures, many chains; 5 standard errors, false alarm 6e-7 each
    machine = machine_of(6, seed=2, scale=0.3)
    exact = boltzmann_log_partition(machine)
    for betas in ([0.0, 1.0], [0.0, 0.4, 1.0], [0.0, 0.4, 0.4, 0.7, 1.0]):
        found = log_partition(machine, "ais", betas=betas, n_chains=200_000, rng=3)
        assert abs(found.value - exact) < 5 * found.stderr


def test_a_bracket_holds_in_100_random_machines(monkeypatch):
    # of the chains alone, without what listed states tell. Bounds lie 4 standard errors beyond their
    # estimates, 3e-5 for a normal error and each of 200 bounds: false alarm 6e-3 in all. The combined
    # estimates are within 4 of theirs, 6e-5 each and 6e-3 in all; seeds are fixed.
    monkeypatch.setattr(Coupled, "listed", lambda *_: -np.inf)
    rng = np.random.default_rng(4)
    deviations = []
    for seed in range(100):
        n = int(rng.integers(2, 21))
        scale = rng.uniform(0.05, 0.8) / np.sqrt(n / 4)
        machine = machine_of(n, int(rng.integers(1, n + 1)), seed=seed, scale=scale)
        exact = boltzmann_log_partition(machine)
        found = log_partition(machine, "bracket", n_temperatures=300, n_chains=192, burn_in=300, rng=rng)
        assert found.lower < exact < found.upper, (seed, n, scale)
        assert found.n_effective > 20
        deviations.append((found.value - exact) / found.stderr)
    assert np.abs(deviations).max() < 4
    # the mean square of 100 normal deviations is 1 with a standard error of 0.14
    assert 0.6 < np.mean(np.square(deviations)) < 1.5


@pytest.mark.parametrize(
    ("lattice", "K", "n_temperatures"),
    [(Ring(40), 0.8, 400), (Torus(6, 6), 0.3, 400), (Torus(8, 8), 0.4, 1500)],
)
def test_lattices_beyond_enumeration(lattice, K, n_temperatures):
    # 4 standard errors, false alarm 6e-5 each
    machine = on_lattice(lattice, K)
    exact = float(lattice.log_partition(K))
    found = log_partition(machine, "auto", n_temperatures=n_temperatures, n_chains=128, burn_in=500, rng=5)
    assert found.lower < exact < found.upper
    assert abs(found.value - exact) < 4 * found.stderr
    assert found.stderr < 0.1
    assert not found.doubt
    assert found.floor < exact


def test_chains_backwards_from_exact_samples():
    lattice, K = Ring(40), 0.8
    start = lattice.sample(K, 128, rng=6)
    exact = float(lattice.log_partition(K))
    found = log_partition(
        on_lattice(lattice, K), "bracket", n_temperatures=300, n_chains=128, start=start, rng=7
    )
    assert found.lower < exact < found.upper
    assert abs(found.value - exact) < 4 * found.stderr


def test_bounds_close_with_more_temperatures():
    machine = machine_of(16, seed=5, scale=0.3)
    widths = []
    for n in (10, 100, 1000):
        found = log_partition(machine, "bracket", n_temperatures=n, rng=6)
        widths.append(found.upper - found.lower)
    assert widths[0] > widths[1] > widths[2]


@pytest.mark.parametrize("backwards", [False, True])
def test_annealing_keeps_the_law_at_one_temperature(backwards):
    # no drift: states drawn from the law stay there; 5 standard errors of each mean, false alarm 6e-7 each
    machine, states = machine_of(5, 3, seed=14), all_states(5)
    law = law_of_all(-machine.energy(states))
    rng = np.random.default_rng(15)
    begin = states[rng.choice(len(states), 40_000, p=law.probabilities)]
    betas = np.ones(12)
    if backwards:
        betas[0] += 1e-12  # tells the direction
    log_weight, after = Coupled(machine).anneal(begin, betas, rng)
    assert np.abs(log_weight).max() < 1e-10
    spread = np.sqrt((1 - law.means**2) / len(after))
    assert (np.abs(after.mean(axis=0) - law.means) < 5 * spread).all()
    pairs = after.T.astype(float) @ after / len(after)
    assert (np.abs(pairs - law.correlations) < 5 / np.sqrt(len(after)) + 1e-12).all()
    assert (after != begin).any(axis=1).mean() > 0.1


def test_backwards_the_units_follow_in_the_opposite_order(monkeypatch):
    # Bennett's ratio takes a path and its reverse to be equally likely but for the weight: with the same
    # order in both directions this one was off by 8 standard errors. 5 of them, false alarm 6e-7.
    monkeypatch.setattr(Coupled, "listed", lambda *_: -np.inf)
    machine, states = machine_of(4, seed=3, scale=1.2), all_states(4)
    law = law_of_all(-machine.energy(states))
    start = states[np.random.default_rng(3).choice(16, 200_000, p=law.probabilities)]
    how = {"betas": [0.0, 0.3, 0.6, 1.0], "n_chains": 200_000, "start": start, "rng": 13}
    found = log_partition(machine, "bracket", **how)
    assert abs(found.value - boltzmann_log_partition(machine)) < 5 * found.stderr


def test_the_result_depends_on_neither_threads_nor_blocks(monkeypatch):
    machine = machine_of(40, scale=0.1)
    told = []
    found = [
        log_partition(machine, "bracket", n_temperatures=20, n_chains=200, burn_in=5, rng=1, n_threads=n,
                      progress=lambda *counts: told.append(counts))
        for n in (1, 3)
    ]  # fmt: skip
    monkeypatch.setattr(coupled, "STEP_NANOSECONDS", 1.0)
    found.append(log_partition(machine, "bracket", n_temperatures=20, n_chains=200, burn_in=5, rng=1))
    assert found[0] == found[1] == found[2]
    assert told[-1] == (4 * 19, 4 * 19)


def test_stored_patterns_refute_chains_that_miss_them():
    # three deep minima and their opposites: two chains see two of them
    rng = np.random.default_rng(3)
    rows = np.where(rng.random((3, 200)) < 0.5, 1, -1).astype(np.int8)
    couplings = 0.0625 * rows.T.astype(float) @ rows
    np.fill_diagonal(couplings, 0.0)
    network = Hopfield(couplings)
    quick = {"n_temperatures": 3, "n_chains": 2, "rng": 4}
    with pytest.warns(LikelihoodWarning, match="missed states|effective|contradict"):
        found = log_partition(network, "ais", data=rows, **quick)
    least = float(np.logaddexp.reduce(-network.energy(rows)))
    assert found.value >= found.floor >= least - 1e-6


def test_hidden_units_are_drawn_at_data():
    # a hidden unit tied to a visible one by a coupling of 8 follows it, e^-16 else
    couplings = np.zeros((30, 30))
    couplings[np.arange(15), np.arange(15, 30)] = couplings[np.arange(15, 30), np.arange(15)] = 8.0
    machine = BoltzmannMachine(couplings, n_visible=15)
    rows = np.where(np.random.default_rng(1).random((50, 15)) < 0.5, 1, -1).astype(np.int8)
    states = Coupled(machine).completed(rows, np.random.default_rng(2))
    np.testing.assert_array_equal(states[:, :15], rows)
    np.testing.assert_array_equal(states[:, 15:], rows)
    exact = 15 * np.log(4 * np.cosh(8.0))
    found = log_partition(machine, "bracket", n_temperatures=2000, data=rows, rng=3)
    assert found.lower < exact < found.upper


@pytest.mark.parametrize(
    ("machine", "words", "message"),
    [
        (machine_of(30), {}, "machine has 30 units to enumerate"),
        (machine_of(30, 20), {"method": "bracket", "start": np.ones((100, 20))}, "start"),
        (machine_of(30, 20), {"method": "ais", "data": np.ones((5, 30))}, "data has shape"),
        (machine_of(30, scale=1e4), {"method": "ais"}, "rbm: a unit has a field of up to"),
        (machine_of(30), {"method": "ais", "betas": [0.0, 0.5]}, "betas="),
        ("machine", {"method": "ais"}, "rbm is a str"),
    ],
)
def test_bad_input(machine, words, message):
    with pytest.raises((TypeError, ValueError), match=message):
        log_partition(machine, **words, rng=1)
