"""The learning rule of the Boltzmann machine: the gradient of appendix A, fixed points, sampled phases."""

import numpy as np
import pytest

from rbmflow import Ring, StateLaw
from rbmflow.networks import BoltzmannMachine, boltzmann_kl, boltzmann_moments
from rbmflow.spins import all_states
from rbmflow.training import SampledPhases, boltzmann_gradient, fit_boltzmann
from tests.networks.test_boltzmann import machine_of


def random_law(n, seed=1):
    p = np.random.default_rng(seed).dirichlet(np.ones(2**n))
    return StateLaw(all_states(n), p)


@pytest.mark.parametrize(("n", "n_visible"), [(4, 4), (6, 3), (5, 1)])
def test_the_gradient_of_appendix_a_by_finite_differences(n, n_visible):
    machine, law, step = machine_of(n, n_visible), random_law(n_visible), 1e-5
    slope = boltzmann_gradient(machine, law)

    def kl(pair=None, unit=None, by=0.0):
        couplings, bias = machine.couplings.copy(), machine.bias.copy()
        if pair is not None:
            couplings[pair] += by
            couplings[pair[::-1]] += by
        if unit is not None:
            bias[unit] += by
        return boltzmann_kl(BoltzmannMachine(couplings, bias, n_visible), law)

    # central differences: error of order step² = 1e-10, rounding 1e-16/step = 1e-11
    for i in range(n):
        difference = (kl(unit=i, by=step) - kl(unit=i, by=-step)) / (2 * step)
        assert -slope.means[i] == pytest.approx(difference, abs=2e-9)
        for j in range(i):
            difference = (kl((i, j), by=step) - kl((i, j), by=-step)) / (2 * step)
            assert -slope.correlations[i, j] == pytest.approx(difference, abs=2e-9)


def test_without_hidden_units_learning_matches_all_pairs():
    law = random_law(4, seed=5)
    trained = fit_boltzmann(BoltzmannMachine(np.zeros((4, 4))), law, learning_rate=0.3, n_steps=1500)
    assert (np.diff(trained.kl) < 1e-12).all()
    assert trained.gradient_norm[-1] < 1e-8
    moments = boltzmann_moments(trained.machine)
    np.testing.assert_allclose(moments.correlations, law.correlations, atol=1e-8)


def test_the_couplings_of_a_ring_are_found():
    ring = Ring(6)
    states = all_states(6)
    alpha = (states * np.roll(states, -1, axis=1)).sum(axis=1)
    law = StateLaw(states, np.exp(0.4 * alpha - float(ring.log_partition(0.4))))
    trained = fit_boltzmann(BoltzmannMachine(np.zeros((6, 6))), law, learning_rate=0.4, n_steps=800)
    expected = 0.4 * (np.roll(np.eye(6), 1, axis=0) + np.roll(np.eye(6), -1, axis=0))
    np.testing.assert_allclose(trained.machine.couplings, expected, atol=1e-6)


def test_hidden_units_lower_the_divergence():
    # the parity of three units has no pairs: only hidden units see it
    states = all_states(3)
    law = StateLaw(states, np.where(states.prod(axis=1) > 0, 0.24, 0.01))
    visible = fit_boltzmann(BoltzmannMachine(np.zeros((3, 3))), law, n_steps=300).kl[-1]
    hidden = fit_boltzmann(machine_of(7, 3, seed=4), law, learning_rate=0.5, n_steps=1500).kl[-1]
    assert visible > 0.5
    assert hidden < 0.2 * visible


def test_masked_couplings_stay():
    mask = np.zeros((3, 3), dtype=bool)
    mask[0, 1] = mask[1, 0] = True
    start = machine_of(3)
    trained = fit_boltzmann(start, random_law(3), mask=mask, n_steps=5).machine
    assert trained.couplings[0, 1] != start.couplings[0, 1]
    np.testing.assert_array_equal(trained.couplings[2], start.couplings[2])


@pytest.mark.parametrize(("n", "n_visible", "scale"), [(6, 4, 0.5), (12, 8, 0.3)])
def test_sampled_phases_are_the_exact_ones(n, n_visible, scale):
    machine, law = machine_of(n, n_visible, seed=2, scale=scale), random_law(n_visible, seed=2)
    exact = boltzmann_gradient(machine, law)
    found = boltzmann_gradient(machine, law, phases=SampledPhases(4000, 10), rng=3)
    # up to 78 numbers, differences of two means of at least 4000 independent values: 5.5 standard errors
    bound = 5.5 * np.sqrt(2 / 4000)
    assert np.abs(found.means - exact.means).max() < bound
    assert np.abs(found.correlations - exact.correlations).max() < bound


def test_learning_from_samples_with_sampled_phases():
    spins = Ring(5).sample(0.5, 3000, rng=1)
    trained = fit_boltzmann(
        BoltzmannMachine(np.zeros((5, 5))),
        spins,
        phases=SampledPhases(1000, 10),
        learning_rate=0.2,
        n_steps=60,
        rng=2,
    )
    again = fit_boltzmann(
        BoltzmannMachine(np.zeros((5, 5))),
        spins,
        phases=SampledPhases(1000, 10),
        learning_rate=0.2,
        n_steps=60,
        rng=2,
    )
    np.testing.assert_array_equal(trained.machine.couplings, again.machine.couplings)
    # an exact fit leaves what 16 of 31 numbers of the empirical law cannot tell: 16/(2 · 3000) = 0.003 nats
    assert trained.kl[-1] < 0.01
    neighbours = trained.machine.couplings[np.arange(5), (np.arange(5) + 1) % 5]
    assert np.abs(neighbours - 0.5).max() < 0.1


def test_large_machines_have_no_exact_divergence():
    spins = np.ones((4, 24), dtype=np.int8)
    trained = fit_boltzmann(
        BoltzmannMachine(np.zeros((24, 24))), spins, phases=SampledPhases(10, 2), n_steps=1, rng=1
    )
    assert np.isnan(trained.kl).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": [[0, 1], [1, 1]]}, "0/1"),
        ({"data": [[1, 1, 1]]}, "data"),
        ({"data": np.empty((0, 2))}, "data"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"n_steps": -1}, "n_steps"),
        ({"phases": "exact"}, "phases"),
        ({"mask": np.ones((2, 2))}, "mask"),
        ({"machine": None}, "machine"),
        ({"data": random_law(3), "phases": SampledPhases(5, 5)}, "data holds states of 3 spins"),
    ],
)
def test_bad_input(change, message):
    good = {"machine": BoltzmannMachine(np.zeros((2, 2))), "data": [[1, -1]], "n_steps": 1}
    with pytest.raises((TypeError, ValueError), match=message):
        fit_boltzmann(**(good | change))


@pytest.mark.parametrize(
    ("machine", "law", "phases", "message"),
    [
        (3, random_law(2), None, "machine=3"),
        (BoltzmannMachine(np.zeros((3, 3))), 4, None, "law=4"),
        (
            BoltzmannMachine(np.zeros((3, 3))),
            random_law(2),
            SampledPhases(5, 5),
            "law holds states of 2 spins",
        ),
        (BoltzmannMachine(np.zeros((2, 2))), random_law(2), 3, "phases=3"),
    ],
)
def test_bad_input_of_the_gradient(machine, law, phases, message):
    with pytest.raises((TypeError, ValueError), match=message):
        boltzmann_gradient(machine, law, phases=phases, rng=1)


def test_bad_phases():
    for arguments in ((0,), (1, 0), (1, 1, (0.0,)), (1, 1, 3.0)):
        with pytest.raises(ValueError, match=r"n_chains|n_sweeps|schedule"):
            SampledPhases(*arguments)
