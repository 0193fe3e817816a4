"""The Boltzmann machine: energies, exact values against sums over all states, against an RBM; bad input."""

import numpy as np
import pytest
from scipy.special import logsumexp

from rbmflow import RBM, StateLaw
from rbmflow.networks import (
    BoltzmannMachine,
    Hopfield,
    boltzmann_exact,
    boltzmann_kl,
    boltzmann_log_partition,
    boltzmann_moments,
    boltzmann_visible_law,
    exact_log_partition,
    visible_law,
)
from rbmflow.networks.boltzmann_exact import LARGEST_SPREAD, _Listed, _Products
from rbmflow.sampling import boltzmann_chains
from rbmflow.spins import all_states
from rbmflow.training import fit_boltzmann


def machine_of(n, n_visible=None, seed=1, scale=0.5):
    rng = np.random.default_rng(seed)
    couplings = np.triu(rng.normal(0, scale, (n, n)), 1)
    return BoltzmannMachine(couplings + couplings.T, rng.normal(0, 0.3, n), n_visible)


def test_the_energy_is_that_of_the_thesis():
    machine = machine_of(4)
    x = np.array([1, -1, -1, 1])
    pairs = sum(x[i] * x[j] * machine.couplings[i, j] for j in range(4) for i in range(j))
    assert machine.energy(x) == pytest.approx(-(x @ machine.bias) - pairs, rel=1e-14, abs=0)
    for i in range(4):
        up, down = x.copy(), x.copy()
        up[i], down[i] = 1, -1
        # eq. 14: the energy of down less that of up is twice the activation
        gap = machine.energy(down) - machine.energy(up)
        assert gap == pytest.approx(2 * machine.activation(x)[i], rel=1e-12, abs=0)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13, 16])
@pytest.mark.parametrize("T", [0.1, 1.0, 3.0])
def test_exact_values_are_sums_over_all_states(n, T):
    machine, states = machine_of(n, max(1, n - 2)), all_states(n)
    logs = -machine.energy(states) / T
    log_z = logsumexp(logs)
    assert boltzmann_log_partition(machine, temperature=T) == pytest.approx(log_z, rel=1e-13, abs=1e-12)
    p, x = np.exp(logs - log_z), states.astype(float)
    found = boltzmann_moments(machine, temperature=T)
    # 2^16 terms add up with an error of about 1e-13
    np.testing.assert_allclose(found.means, p @ x, atol=1e-12)
    np.testing.assert_allclose(found.correlations, (p[:, None] * x).T @ x, atol=1e-12)
    law = boltzmann_visible_law(machine, temperature=T)
    where = ((states[:, : machine.n_visible] > 0) << np.arange(machine.n_visible)).sum(axis=1)
    listed = ((law.states > 0) << np.arange(machine.n_visible)).sum(axis=1)
    np.testing.assert_allclose(law.probabilities, np.bincount(where, weights=p)[listed], atol=1e-12)
    assert abs(boltzmann_kl(machine, law, temperature=T)) < 1e-12


@pytest.mark.parametrize(("n", "scale"), [(1, 0.5), (2, 0.5), (3, 0.5), (9, 1.0), (15, 4.0), (15, 9.0)])
def test_products_of_factors_are_the_sum_over_listed_weights(n, scale, monkeypatch):
    monkeypatch.setattr(boltzmann_exact, "FACTORS", 64)
    machine = machine_of(n, scale=scale)
    products, listed = _Products(machine), _Listed(machine)
    assert products.spread < LARGEST_SPREAD
    assert products.log_partition == pytest.approx(listed.log_partition, rel=1e-15, abs=1e-15)
    one, other = products.moments(), listed.moments()
    # exponents of up to 500 are rounded to 1e-13
    np.testing.assert_allclose(one.means, other.means, atol=1e-12)
    np.testing.assert_allclose(one.correlations, other.correlations, atol=1e-12)
    assert (one.correlations == one.correlations.T).all()


@pytest.mark.parametrize("scale", [30.0, 1e4])
def test_machines_whose_factors_underflow_are_listed(scale):
    machine, states = machine_of(14, scale=scale), all_states(14)
    assert _Products(machine).spread > LARGEST_SPREAD
    logs = -machine.energy(states)
    assert boltzmann_log_partition(machine) == pytest.approx(logsumexp(logs), rel=1e-14, abs=0)
    p = np.exp(logs - logsumexp(logs))
    np.testing.assert_allclose(boltzmann_moments(machine).means, p @ states, atol=1e-8)


def test_clamped_to_their_own_law_the_visible_units_change_nothing():
    machine = machine_of(9, 5)
    law = boltzmann_visible_law(machine)
    free, clamped = boltzmann_moments(machine), boltzmann_moments(machine, clamped=law)
    np.testing.assert_allclose(clamped.means, free.means, atol=1e-13)
    np.testing.assert_allclose(clamped.correlations, free.correlations, atol=1e-13)


def test_a_restricted_machine_is_one_of_these():
    rng = np.random.default_rng(3)
    rbm = RBM(rng.normal(size=(6, 4)), rng.normal(size=6), rng.normal(size=4))
    machine = BoltzmannMachine.from_rbm(rbm)
    assert (machine.n_visible, machine.n_hidden) == (6, 4)
    v, h = rng.choice([-1, 1], 6), rng.choice([-1, 1], 4)
    assert machine.energy([*v, *h]) == pytest.approx(rbm.energy(v, h), rel=1e-13, abs=0)
    assert boltzmann_log_partition(machine) == pytest.approx(exact_log_partition(rbm), rel=1e-14, abs=0)
    a, b = boltzmann_visible_law(machine), visible_law(rbm)
    np.testing.assert_array_equal(a.states, b.states)
    np.testing.assert_allclose(a.probabilities, b.probabilities, rtol=1e-11)


@pytest.mark.slow
def test_28_units_are_those_of_two_machines_of_14():
    # 28 units without couplings between the halves: ln Z is a sum, and each half keeps its moments
    half = machine_of(14)
    couplings = np.zeros((28, 28))
    couplings[:14, :14] = couplings[14:, 14:] = half.couplings
    order = np.random.default_rng(1).permutation(28)
    both = BoltzmannMachine(couplings[np.ix_(order, order)], np.tile(half.bias, 2)[order])
    assert boltzmann_log_partition(both) == pytest.approx(2 * boltzmann_log_partition(half), rel=1e-13, abs=0)
    np.testing.assert_allclose(
        boltzmann_moments(both).means, np.tile(boltzmann_moments(half).means, 2)[order], atol=1e-11
    )


def test_files(tmp_path):
    machine = machine_of(5, 3)
    machine.save(tmp_path / "machine.npz")
    again = BoltzmannMachine.load(tmp_path / "machine.npz")
    np.testing.assert_array_equal(again.couplings, machine.couplings)
    assert again.n_visible == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1], [2, 0]],), "symmetric"),
        (([[1, 1], [1, 0]],), "diagonal"),
        (([[0, 1, 0], [1, 0, 0]],), "shape"),
        (([[0, np.nan], [np.nan, 0]],), "NaN"),
        (([[0, np.inf], [np.inf, 0]],), "infinity"),
        (([[0, 1], [1, 0]], [1.0]), "bias has shape"),
        (([[0, 1], [1, 0]], None, 3), "n_visible=3"),
        (([[0, 1], [1, 0]], None, 0), "n_visible=0"),
        (([],), "shape"),
    ],
)
def test_bad_machines(arguments, message):
    with pytest.raises(ValueError, match=message):
        BoltzmannMachine(*arguments)


def test_bad_questions():
    machine = machine_of(3, 2)
    for T in (0, -1.0, np.inf, np.nan, 1e-320):
        with pytest.raises(ValueError, match=r"temperature|NaN"):
            boltzmann_log_partition(machine, temperature=T)
    with pytest.raises(ValueError, match="at most 28"):
        boltzmann_log_partition(machine_of(29))
    # 2^30 weights, and 2^40 at the sizes that either layer may have: a night
    with pytest.raises(ValueError, match="at most 28"):
        boltzmann_visible_law(machine_of(30, 15))
    with pytest.raises(ValueError, match="n_visible=2"):
        boltzmann_kl(machine, StateLaw([[1]], [1.0]))
    with pytest.raises(TypeError, match="StateLaw"):
        boltzmann_kl(machine, [[1, 1]])
    with pytest.raises(ValueError, match="0/1"):
        machine.energy([0, 1, 1])


def test_a_hopfield_network_is_a_boltzmann_machine():
    patterns = 2 * np.random.default_rng(1).integers(0, 2, (2, 9), dtype=np.int8) - 1
    network = Hopfield.hebb(patterns)
    machine = BoltzmannMachine(network.weights, network.biases)
    assert network.n_visible == network.n_units == 9
    assert network.n_hidden == 0
    states = all_states(9)
    # energies of the network are sums of whole numbers, those of the machine round
    np.testing.assert_allclose(network.energy(states), machine.energy(states), atol=1e-14)
    np.testing.assert_allclose(network.activation(states), machine.activation(states), atol=1e-14)
    for of in (boltzmann_log_partition, lambda x: boltzmann_visible_law(x, temperature=0.5).probabilities):
        np.testing.assert_array_equal(of(network), of(machine))
    law = boltzmann_visible_law(machine, temperature=2.0)
    assert boltzmann_kl(network, law) == boltzmann_kl(machine, law)
    options = {"temperature": [2.0, 1.0, 0.5], "n_sweeps": 3, "n_chains": 70, "rng": 1}
    spins = [boltzmann_chains(x, **options).spins for x in (network, machine)]
    np.testing.assert_array_equal(*spins)
    learned = [fit_boltzmann(x, law, n_steps=3).machine for x in (network, machine)]
    assert isinstance(learned[0], BoltzmannMachine)
    np.testing.assert_array_equal(learned[0].couplings, learned[1].couplings)
