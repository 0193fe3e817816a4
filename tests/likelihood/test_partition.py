"""ln Z by annealing: exact where it must be, within its errors elsewhere, between its bounds in many machines."""

import itertools

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow.likelihood import log_partition
from rbmflow.likelihood.annealing import anneal, independent_log_partition
from rbmflow.likelihood.ratio import log_mean, two_sided
from rbmflow.networks import exact as exact_room
from rbmflow.networks import exact_log_partition, sample_exactly
from tests.networks.machines import random_machine


def test_exact():
    rbm = random_machine(6, 4, seed=1)
    found = log_partition(rbm)
    assert float(found) == found.value == found.lower == found.upper == exact_log_partition(rbm)
    assert (found.stderr, found.n_effective) == (0.0, np.inf)


def test_without_couplings_every_chain_is_exact():
    rbm = RBM(np.zeros((5, 3)), [0.3, -1.0, 2.0, 0.0, 0.1], [0.4, 0.0, -0.7])
    for method in ("ais", "bracket"):
        found = log_partition(rbm, method, n_temperatures=10, rng=1)
        assert found.value == pytest.approx(exact_log_partition(rbm), abs=1e-12)
        assert found.stderr < 1e-12
        assert found.n_effective == pytest.approx(100)


def test_weights_are_unbiased():
    # two temperatures: importance sampling from independent units, 4e5 weights; 5 standard errors, false alarm 6e-7 each
    rbm = random_machine(4, 3, seed=2, scale=0.3)
    exact = exact_log_partition(rbm)
    for betas in ([0.0, 1.0], [0.0, 0.4, 1.0]):
        found = log_partition(rbm, "ais", betas=betas, n_chains=400_000, rng=3)
        assert abs(found.value - exact) < 5 * found.stderr


def test_a_bracket_holds_in_100_random_machines():
    # Bounds lie 4 standard errors beyond their estimates, 3e-5 for a normal error and each of 200 bounds: false alarm 6e-3
    # in all, seeds fixed. The combined estimates are normal: the mean square of their deviations is 1 ± 0.14 (standard error).
    rng = np.random.default_rng(4)
    deviations = []
    for seed in range(100):
        shape, scale = rng.integers(2, 15, size=2), rng.uniform(0.05, 0.8)
        rbm = random_machine(*shape, seed=seed, scale=scale)
        exact = exact_log_partition(rbm)
        found = log_partition(rbm, "bracket", n_temperatures=300, n_chains=200, rng=rng)
        assert found.lower < exact < found.upper, (seed, shape, scale)
        assert found.n_effective > 20
        deviations.append((found.value - exact) / found.stderr)
    assert 0.6 < np.mean(np.square(deviations)) < 1.5
    assert np.abs(deviations).max() < 4.5  # 7e-6 each


def test_the_bounds_close_with_more_temperatures():
    rbm = random_machine(12, 10, seed=5, scale=0.7)
    widths = []
    for n in (10, 100, 1000):
        found = log_partition(rbm, "bracket", n_temperatures=n, rng=6)
        widths.append(found.upper - found.lower)
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 0.4


def test_given_configurations_and_resampled_ones(monkeypatch):
    rbm = random_machine(10, 8, seed=7)
    exact = exact_log_partition(rbm)
    given = log_partition(rbm, "bracket", start=sample_exactly(rbm, 100, rng=8), rng=9)
    monkeypatch.setattr("rbmflow.likelihood.partition.MAX_LISTED", 5)
    resampled = log_partition(rbm, "bracket", burn_in=50, rng=9)
    for found in (given, resampled):
        assert found.lower < exact < found.upper


def test_the_same_seed_gives_the_same_result():
    rbm = random_machine(6, 5, seed=10)
    first, second = (log_partition(rbm, "bracket", n_temperatures=20, rng=11) for _ in range(2))
    assert first == second


def test_a_likelihood_takes_the_estimate():
    rbm = random_machine(6, 5, seed=12)
    found = log_partition(rbm, "ais", rng=13)
    v = np.ones(6)
    assert rbm.log_likelihood(v, log_partition=found) == pytest.approx(-rbm.free_energy(v) - found.value)


def test_annealing_keeps_the_law_at_one_temperature():
    # no drift: chains drawn from p(v) stay there; 5 standard errors of each mean, false alarm 6e-7 each
    rbm = random_machine(5, 4, seed=14)
    spins = sample_exactly(rbm, 40_000, rng=15)
    log_weight, after = anneal(rbm, spins, np.ones(12), np.random.default_rng(16))
    assert not log_weight.any()
    law = exact_room.visible_law(rbm)
    spread = np.sqrt((1 - law.means**2) / len(after))
    assert (np.abs(after.mean(axis=0) - law.means) < 5 * spread).all()
    pairs = after.T.astype(float) @ after / len(after)
    assert (np.abs(pairs - law.correlations) < 5 / np.sqrt(len(after)) + 1e-12).all()


def test_two_sided_ratio_of_normal_laws():
    # ln w = D + z σ − σ²/2 forward, −D + z σ − σ²/2 backward: the weights of annealing that obeys Crooks' relation
    rng = np.random.default_rng(17)
    deviations = []
    for sigma, D in itertools.product((0.3, 1.0, 2.0), (-40.0, 0.0, 700.0)):
        forward, backward = (sign * D + sigma * rng.normal(size=4000) - sigma**2 / 2 for sign in (1, -1))
        ratio, stderr = two_sided(forward, backward)
        deviations.append((ratio - D) / stderr)
        assert stderr < 1.05 * log_mean(forward).stderr
    assert np.abs(deviations).max() < 4.5  # 7e-6 each


def test_two_sided_ratio_without_any_overlap():
    # as chains along two temperatures of a strongly coupled machine have it: switches were 0, and 0/0 a warning
    forward, backward = np.array([-500.0, -510.0, -505.0]), np.array([-700.0, -705.0, -702.0])
    ratio, stderr = two_sided(forward, backward)
    assert forward.max() < ratio < -backward.max()
    # the largest weights decide: ln Σ w − D = ln Σ w' + D
    assert ratio == pytest.approx((-500 + 700) / 2, abs=0.1)
    assert 0.5 < stderr < 2
    found = log_partition(RBM.uniform(20, 20, 3.0), "bracket", rng=1, n_temperatures=2, n_chains=5)
    assert np.isfinite(found.value)


def test_independent_units():
    rbm = random_machine(3, 2, seed=18)
    free = RBM(np.zeros((3, 2)), rbm.visible_bias, rbm.hidden_bias)
    assert independent_log_partition(rbm) == pytest.approx(exact_log_partition(free), abs=1e-13)


def test_arrays_in_any_order():
    rbm = random_machine(6, 5, seed=19)
    turned = RBM(np.asfortranarray(rbm.weights), rbm.visible_bias, np.repeat(rbm.hidden_bias, 2)[::2])
    start = np.asfortranarray(sample_exactly(rbm, 20, rng=20))
    start.flags.writeable = False
    found = [
        log_partition(one, "bracket", n_chains=20, n_temperatures=10, start=start, rng=21)
        for one in (rbm, turned)
    ]
    assert found[0] == found[1]
    assert exact_log_partition(turned) == exact_log_partition(rbm)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "exakt"}, ValueError, "method='exakt': one of exact, ais, bracket"),
        ({"method": "ais", "n_temperatures": 1}, ValueError, "n_temperatures=1"),
        ({"method": "ais", "n_chains": 1}, ValueError, "n_chains=1"),
        ({"method": "ais", "n_chains": 2.0}, TypeError, "n_chains=2.0"),
        ({"method": "ais", "betas": [0.0, 0.5]}, ValueError, "rising row from 0 to 1"),
        ({"method": "ais", "betas": [0.0, 0.7, 0.5, 1.0]}, ValueError, "rising row"),
        ({"method": "ais", "betas": [0.0, np.nan, 1.0]}, ValueError, "NaN"),
        ({"method": "ais", "rng": "x"}, TypeError, "rng='x'"),
        ({"method": "ais", "start": np.ones((100, 3))}, ValueError, "start: method='ais'"),
        (
            {"method": "bracket", "start": np.ones((5, 3))},
            ValueError,
            r"start has shape \(5, 3\): \(100, 3\)",
        ),
        ({"method": "bracket", "start": np.zeros((100, 3))}, ValueError, "start holds 0"),
        ({"method": "bracket", "burn_in": -1}, ValueError, "burn_in=-1"),
    ],
)
def test_bad_input(arguments, error, message):
    with pytest.raises(error, match=message):
        log_partition(random_machine(3, 2, seed=1), **arguments)


def test_bad_machines():
    with pytest.raises(TypeError, match="rbm is a list"):
        log_partition([[1.0]])
    with pytest.raises(ValueError, match=r"at most 30.*method='ais'"):
        log_partition(RBM.uniform(31, 31, 0.1))
