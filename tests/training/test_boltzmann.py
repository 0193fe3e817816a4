"""The learning rule of the Boltzmann machine: the gradient of appendix A, fixed points, sampled phases."""

import numpy as np
import pytest

from rbmflow import ConvergenceWarning, Ring, StateLaw
from rbmflow.likelihood import log_partition
from rbmflow.networks import (
    BoltzmannMachine,
    boltzmann_kl,
    boltzmann_moments,
    boltzmann_pseudo_likelihood,
)
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
    hidden = fit_boltzmann(machine_of(7, 3, seed=4), law, learning_rate=0.2, n_steps=1500).kl[-1]
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


QUICK = SampledPhases(200, 5, (3.0, 2.0, 1.5, *[1.0] * 15))


def test_large_machines_are_followed_by_the_pseudo_likelihood():
    # a ring of 30 spins: its couplings are found without any sum over states
    ring = Ring(30)
    spins = ring.sample(0.4, 2000, rng=1)
    trained = fit_boltzmann(
        BoltzmannMachine(np.zeros((30, 30))), spins, phases=QUICK, learning_rate=0.1, n_steps=40, rng=1
    )
    assert np.isnan(trained.kl).all()
    found = trained.pseudo_likelihood
    assert found.shape == (41,)
    assert found[0] == pytest.approx(-30 * np.log(2), rel=1e-12, abs=0)
    # each spin between two neighbours at K = 0.4: the sum over its four surroundings
    given = np.array([0.0, 0.0, 2.0, -2.0])
    p = np.array([1, 1, np.cosh(0.8), np.cosh(0.8)]) / (2 + 2 * np.cosh(0.8))
    entropy = p @ (np.logaddexp(0.4 * given, -0.4 * given) - 0.4 * given * np.tanh(0.4 * given))
    # 2000 states and 465 parameters: 0.5 nats or so below or above
    assert found[-1] == pytest.approx(-30 * entropy, abs=1.0)


def test_the_pseudo_likelihood_of_states_and_of_their_law():
    machine, states = machine_of(5), all_states(5)
    p = np.exp(-machine.energy(states))
    p /= p.sum()
    of_states = boltzmann_pseudo_likelihood(machine, states)
    for index in (0, 7, 31):  # by the law itself
        expected = 0.0
        for unit in range(5):
            turned = states[index].copy()
            turned[unit] *= -1
            other = np.flatnonzero((states == turned).all(axis=1))[0]
            expected += np.log(p[index] / (p[index] + p[other]))
        assert of_states[index] == pytest.approx(expected, rel=1e-12, abs=0)
    # largest at the machine itself
    rng = np.random.default_rng(1)
    for _ in range(20):
        couplings = np.triu(rng.normal(0, 0.05, (5, 5)), 1)
        other = BoltzmannMachine(machine.couplings + couplings + couplings.T, machine.bias)
        assert p @ boltzmann_pseudo_likelihood(other, states) < p @ of_states


def test_many_states_of_data_are_picked_evenly():
    law = random_law(12)
    machine = machine_of(12)
    found = fit_boltzmann(machine, law, n_steps=0).pseudo_likelihood[0]
    whole = law.probabilities @ boltzmann_pseudo_likelihood(machine, law.states)
    spread = np.sqrt(law.probabilities @ (boltzmann_pseudo_likelihood(machine, law.states) - whole) ** 2)
    assert abs(found - whole) < 4 * spread / np.sqrt(200)  # even picks are closer than random ones


def test_hidden_units_of_sampled_phases_enter_the_pseudo_likelihood():
    # one hidden unit for all 29: given it, visible units are independent
    couplings = np.zeros((30, 30))
    couplings[:29, 29] = couplings[29, :29] = 0.5
    machine = BoltzmannMachine(couplings, n_visible=29)
    rows = np.where(np.random.default_rng(1).random((400, 1)) < 0.5, 1, -1) * np.ones((1, 29), dtype=int)
    found = fit_boltzmann(machine, rows, phases=QUICK, n_steps=1, learning_rate=1e-9, rng=2)
    # clamped to rows of equal spins the hidden unit follows, but for e^-29
    np.testing.assert_allclose(found.pseudo_likelihood, -29 * np.log1p(np.exp(-1.0)), rtol=1e-6)


@pytest.mark.parametrize("n_visible", [30, 26])
def test_the_likelihood_is_annealed_on_request(n_visible):
    ring = Ring(n_visible)
    spins = ring.sample(0.4, 300, rng=1)
    machine = machine_of(30, n_visible, scale=0.05)
    how = {"phases": QUICK, "learning_rate": 0.1, "n_steps": 5, "rng": 3}
    found = fit_boltzmann(machine, spins, likelihood_every=2, **how)
    assert found.likelihood_steps.tolist() == [0, 2, 4, 5]
    assert (np.diff(found.log_likelihood) > 0).all()
    assert (found.log_likelihood_stderr < 0.2).all()
    plain = fit_boltzmann(machine, spins, **how)
    np.testing.assert_array_equal(plain.machine.couplings, found.machine.couplings)
    assert plain.log_likelihood.shape == plain.likelihood_steps.shape == (0,)
    if n_visible == 30:
        ln_z = log_partition(found.machine, "bracket", rng=4)
        expected = -found.machine.energy(spins).mean() - ln_z.value
        # 4 standard errors of two estimates, false alarm 6e-5
        error = np.hypot(ln_z.stderr, found.log_likelihood_stderr[-1])
        assert abs(found.log_likelihood[-1] - expected) < 4 * error


def test_the_exact_likelihood_and_the_divergence_differ_by_the_entropy():
    law = random_law(4)
    found = fit_boltzmann(machine_of(6, 4), law, n_steps=3, likelihood_every=1)
    entropy = -(law.probabilities @ np.log(law.probabilities))
    np.testing.assert_allclose(found.kl, -entropy - found.log_likelihood, rtol=1e-10)
    assert not found.log_likelihood_stderr.any()
    assert np.isnan(found.pseudo_likelihood).all()


def rows_in_two_directions():
    rng = np.random.default_rng(1)
    return np.where(rng.random((500, 1)) < 0.5, 1, -1) * np.where(rng.random((500, 40)) < 0.9, 1, -1)


@pytest.mark.parametrize(
    ("rate", "message"),
    [(0.02, None), (0.05, None), (0.2, "the last steps went back and forth"), (0.6, "pseudo-likelihood was")],
)
def test_a_rate_that_is_too_large_is_named(rate, message):
    def call():
        return fit_boltzmann(
            BoltzmannMachine(np.zeros((40, 40))), rows_in_two_directions(), phases=QUICK, learning_rate=rate,
            n_steps=60, rng=1,
        )  # fmt: skip

    if message is None:
        call()  # warnings are errors
        return
    with pytest.warns(ConvergenceWarning, match=f"learning_rate={rate:g}: .*{message}"):
        call()


def test_back_and_forth_beyond_two_over_the_curvature():
    # coins: the curvature of the coupling is 1, steps are stable up to a rate of 2
    law = StateLaw([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0.25] * 4)
    begin = BoltzmannMachine([[0, 0.1], [0.1, 0]])
    assert fit_boltzmann(begin, law, learning_rate=1.9, n_steps=500).gradient_norm[-1] < 1e-8
    with pytest.warns(ConvergenceWarning, match=r"learning_rate=2\.2"):
        fit_boltzmann(begin, law, learning_rate=2.2, n_steps=500)
    with pytest.raises(ValueError, match=r"learning_rate=1e\+09: couplings grow beyond"):
        fit_boltzmann(begin, law, learning_rate=1e9, n_steps=500)


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
        ({"likelihood_every": 0}, "likelihood_every=0"),
        (
            {"machine": machine_of(24, 2), "likelihood_every": 1, "phases": SampledPhases(5, 5)},
            "likelihood_every=1: the machine has 22 hidden",
        ),
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
