"""Heat-bath chains of Boltzmann machines: the four questions, bits, bad input.

The twin is in tests/kernels/test_boltzmann.py.
"""

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.sparse import csgraph

from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.networks import boltzmann_log_partition
from rbmflow.sampling import boltzmann_chains
from tests.networks.test_boltzmann import machine_of
from tests.sampling.operators import index_of, spins_of

FALSE_ALARM = 1e-6
T = 1.3


def attempt(machine, unit):
    """The exact operator of an attempt at one unit, on the probabilities of all states."""
    states = spins_of(machine.n_units)
    up = 1 / (1 + np.exp(-2 * machine.activation(states)[:, unit] / T))
    here = np.arange(len(states))
    above, below = here | (1 << unit), here & ~(1 << unit)
    rows, columns = np.concatenate([above, below]), np.concatenate([here, here])
    return sparse.csr_array((np.concatenate([up, 1 - up]), (rows, columns)), shape=(len(states),) * 2)


def sweep(machine, order):
    """The exact operator of a sweep."""
    operators = [attempt(machine, unit) for unit in range(machine.n_units)]
    if order == "random":
        mean = sum(operators[1:], operators[0]) / machine.n_units
        result = sparse.eye_array(mean.shape[0])
        for _ in range(machine.n_units):
            result = mean @ result
        return result.tocsr()
    result = operators[0]
    for one in operators[1:]:
        result = one @ result
    return result.tocsr()


def law(machine):
    logs = -machine.energy(spins_of(machine.n_units)) / T
    return np.exp(logs - boltzmann_log_partition(machine, temperature=T))


@pytest.mark.parametrize("order", ["sequential", "random"])
@pytest.mark.parametrize("n", [1, 4, 8])
def test_sweeps_leave_the_law_invariant_and_connect_all_states(n, order):
    machine = machine_of(n)
    operator, p = sweep(machine, order), law(machine)
    np.testing.assert_allclose(operator @ p, p, rtol=1e-11)
    operator.data[:] = operator.data > 0
    assert csgraph.connected_components(operator, connection="strong")[0] == 1


@pytest.mark.parametrize("order", ["sequential", "random"])
def test_a_sweep_from_one_state_follows_the_operator(order):
    machine, size = machine_of(5), 64
    start = spins_of(5)[11]
    found = np.zeros(32)
    # with random order all 64 chains of a block share their units: blocks are what is independent
    for seed in range(400):
        chains = boltzmann_chains(
            machine,
            temperature=T,
            n_chains=size if order == "sequential" else 1,
            n_sweeps=1,
            order=order,
            initial=start,
            rng=seed,
        )
        found += np.bincount(index_of(chains.spins), minlength=32)
    wanted = sweep(machine, order)[:, [11]].toarray().ravel() * found.sum()
    few = wanted < 8
    expected = np.append(wanted[~few], wanted[few].sum())
    seen = np.append(found[~few], found[few].sum())
    keep = expected > 0
    assert stats.chisquare(seen[keep], expected[keep]).pvalue > FALSE_ALARM


@pytest.mark.parametrize("order", ["sequential", "random"])
def test_chains_drawn_from_the_law_stay_there(order):
    machine, size = machine_of(8, seed=2), 40_000
    p = law(machine)
    initial = spins_of(8)[np.random.default_rng(4).choice(256, size=size, p=p)]
    chains = boltzmann_chains(machine, temperature=T, n_sweeps=25, order=order, initial=initial, rng=5)
    found = np.bincount(index_of(chains.spins), minlength=256)
    few = p * size < 8
    expected, seen = (np.append(x[~few], x[few].sum()) for x in (p * size, found))
    if order == "random":  # chains of a block share their units, which correlates them a little
        assert np.abs(seen - expected).max() < 8 * np.sqrt(expected.max())
    else:
        assert stats.chisquare(seen, expected).pvalue > FALSE_ALARM


def test_the_whole_distribution_from_random_spins():
    machine, size = machine_of(7, seed=3), 30_000
    chains = boltzmann_chains(machine, temperature=T, n_chains=size, n_sweeps=60, rng=6)
    p = law(machine)
    few = p * size < 8
    found = np.bincount(index_of(chains.spins), minlength=128)
    expected, seen = (np.append(x[~few], x[few].sum()) for x in (p * size, found))
    assert stats.chisquare(seen, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("order", ["sequential", "random"])
def test_the_same_bits_on_every_path_with_any_threads_and_in_parts(order, monkeypatch):
    machine = machine_of(20)
    arguments = {"temperature": np.linspace(3, 1, 12), "n_chains": 150, "thin": 4, "order": order, "rng": 7}
    whole = boltzmann_chains(machine, n_sweeps=12, n_threads=1, **arguments)
    assert whole.samples.shape == (150, 3, 20)
    np.testing.assert_array_equal(whole.samples[:, -1], whole.spins)
    for threads in (2, 8):
        again = boltzmann_chains(machine, n_sweeps=12, n_threads=threads, **arguments)
        np.testing.assert_array_equal(again.samples, whole.samples)
    for level in SIMD_LEVELS[: simd.supported() + 1]:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        again = boltzmann_chains(machine, n_sweeps=12, **arguments)
        np.testing.assert_array_equal(again.samples, whole.samples)
    levels = arguments.pop("temperature")
    first = boltzmann_chains(machine, n_sweeps=5, temperature=levels[:5], **arguments)
    last = boltzmann_chains(machine, n_sweeps=7, temperature=levels[5:], order=order, initial=first)
    np.testing.assert_array_equal(last.spins, whole.spins)
    assert last.n_sweeps == 12


def test_clamped_units_stay():
    machine = machine_of(6)
    clamped = np.array([True, False, True, False, False, False])
    start = np.array([1, 1, -1, 1, 1, 1])
    chains = boltzmann_chains(machine, n_chains=3000, n_sweeps=30, clamped=clamped, initial=start, rng=1)
    assert (chains.spins[:, clamped] == [1, -1]).all()
    states = spins_of(6)
    inside = (states[:, clamped] == [1, -1]).all(axis=1)
    weight = np.exp(-machine.energy(states)) * inside
    exact = weight @ states / weight.sum()
    # four means, 5.5 standard errors
    assert np.abs(chains.spins.mean(axis=0) - exact).max() < 5.5 / np.sqrt(3000)
    still = boltzmann_chains(
        machine, n_chains=2, n_sweeps=3, clamped=np.ones(6, dtype=bool), initial=start, rng=1
    )
    assert (still.spins == start).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "temperature"),
        ({"temperature": [1.0, 2.0]}, "temperature has shape"),
        ({"temperature": np.nan}, "NaN"),
        ({"temperature": 1e-45}, "too large for float32"),
        ({"order": "checkerboard"}, "order"),
        ({"thin": 0}, "thin=0"),
        ({"n_chains": 0}, "n_chains=0"),
        ({"n_sweeps": -1}, "n_sweeps=-1"),
        ({"clamped": [1, 0, 0]}, "clamped"),
        ({"initial": "up"}, "initial"),
        ({"initial": [0, 1, 1]}, "initial holds 0"),
        ({"initial": np.ones((2, 3)), "n_chains": 3}, "initial has shape"),
        ({"rng": -1}, "rng=-1"),
        ({"n_threads": 0}, "n_threads=0"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        boltzmann_chains(machine_of(3), **({"n_sweeps": 3, "rng": 1} | change))
