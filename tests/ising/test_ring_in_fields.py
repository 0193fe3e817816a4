"""Rings whose couplings and fields differ from site to site, against sums over all states and mpmath."""

import numpy as np
import pytest

from rbmflow import Ring
from rbmflow.ising import Chain, RingInFields
from rbmflow.ising.ring_in_fields import passed
from rbmflow.networks import BoltzmannMachine, boltzmann_log_partition, boltzmann_moments
from rbmflow.precision import context
from rbmflow.spins import all_states
from tests.exact import relative


def summed(ring):
    """ln Z, means and neighbour correlations by sums over all states."""
    states = all_states(ring.n_sites).astype(float)
    pairs = states * np.roll(states, -1, axis=1)
    exponent = ring.K @ pairs.T + ring.fields @ states.T
    top = exponent.max(axis=-1, keepdims=True)
    weights = np.exp(exponent - top)
    Z = weights.sum(axis=-1, keepdims=True)
    return (np.log(Z) + top)[..., 0], weights / Z @ states, weights / Z @ pairs


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("n_sites", [3, 4, 9])
def test_everything_is_that_of_a_sum_over_states(n_sites, scale):
    draw = np.random.default_rng(n_sites).normal
    ring = RingInFields(scale * draw(size=(2, n_sites)), scale * draw(size=(3, 1, n_sites)))
    log_partition, means, correlations = summed(ring)
    np.testing.assert_allclose(ring.log_partition, log_partition, rtol=1e-14)
    # absolute: sums over states lose small means; rounding of exponents of size 10 M enters
    np.testing.assert_allclose(ring.means, means, rtol=0, atol=1e-13)
    np.testing.assert_allclose(ring.neighbour_correlations, correlations, rtol=0, atol=1e-13)
    assert ring.means.shape == ring.neighbour_correlations.shape == (3, 2, n_sites)


def test_a_boltzmann_machine_on_a_ring_says_the_same():
    K, h = np.random.default_rng(2).normal(size=(2, 12))
    couplings = np.zeros((12, 12))
    for i in range(12):
        couplings[i, i - 11] = couplings[i - 11, i] = K[i]
    machine, ring = BoltzmannMachine(couplings, h), RingInFields(K, h)
    moments = boltzmann_moments(machine)
    assert ring.log_partition == pytest.approx(boltzmann_log_partition(machine), rel=1e-14)
    np.testing.assert_allclose(ring.means, moments.means, rtol=0, atol=1e-13)
    np.testing.assert_allclose(
        ring.neighbour_correlations, [moments.correlations[i, i - 11] for i in range(12)], rtol=0, atol=1e-13
    )


def test_without_fields_it_is_the_ring_and_with_a_bond_of_zero_the_chain():
    K = np.array([-2.0, 0.3, 1.5])
    found = RingInFields(K[:, None], np.zeros(50))
    np.testing.assert_allclose(found.log_partition, Ring(50).log_partition(K), rtol=1e-14)
    assert (found.means == 0).all()
    np.testing.assert_allclose(
        found.neighbour_correlations, np.repeat(-Ring(50).energy(K)[:, None], 50, axis=1), rtol=1e-13
    )
    cut = RingInFields(np.where(np.arange(50) == 17, 0.0, 0.7), np.zeros(50))
    assert cut.log_partition == pytest.approx(Chain(50).log_partition(0.7), rel=1e-14)
    np.testing.assert_allclose(np.delete(cut.neighbour_correlations, 17), np.tanh(0.7), rtol=1e-13)
    # all the way round; the average over the held spin rounds at 1e-16
    assert cut.neighbour_correlations[17] == pytest.approx(np.tanh(0.7) ** 49, abs=1e-15)


def test_means_are_derivatives_and_long_rings_and_strong_fields_lose_nothing():
    draw = np.random.default_rng(3)
    K, h = draw.normal(size=400), draw.normal(size=400)
    step = 1e-5 * np.eye(400)[[0, 1, 199, 399]]
    slopes = (RingInFields(K, h + step).log_partition - RingInFields(K, h - step).log_partition) / 2e-5
    # ln Z near 6000 is known to 1e-13 of it, over 2e-5
    np.testing.assert_allclose(slopes, RingInFields(K, h).means[[0, 1, 199, 399]], rtol=0, atol=1e-6)
    strong = RingInFields(1e5, 1e6 * np.sign(h))
    np.testing.assert_array_equal(strong.means, np.sign(h))
    assert np.isfinite(strong.log_partition)
    assert RingInFields(1.0, [1e100, -1e100, 0.0]).means.tolist() == [1.0, -1.0, 0.0]
    long = RingInFields(np.tile(K, 3), np.tile(h, 3))  # it repeats itself, and forgets what is far away
    np.testing.assert_allclose(
        long.means.reshape(3, 400), np.tile(RingInFields(K, h).means, (3, 1)), atol=4e-15
    )


@pytest.mark.parametrize("K", [-30.0, -1.0, -1e-9, 1e-300, 0.5, 0.999, 1.0, 1.001, 20.0, 1e4])
def test_a_bond_passes_fields_on_to_the_last_digits(K):
    ctx = context(700)  # the product of two tiny numbers stands beside 1
    for x in (0.0, 1e-300, -1e-9, 0.3, 0.9999, -1.0001, 5.0, 19.999, -1e3):
        found = float(passed(np.array(K), np.array(x)))
        if not x:
            assert found == 0
            continue
        plus, minus = ctx.mpf(x) + ctx.mpf(K), ctx.mpf(x) - ctx.mpf(K)
        wanted = ctx.log(ctx.cosh(plus) / ctx.cosh(minus)) / 2
        assert abs(found - wanted) <= 5e-16 * abs(wanted) + 5e-324, (K, x)


def test_samples_are_exact():
    ring = RingInFields([0.8, -0.6, 0.3, 1.2, 0.9], [[0.2, -0.5, 0.0, 0.4, 1.0], [0.0] * 5])
    samples = ring.sample(20_000, rng=1)
    assert samples.dtype == np.int8
    assert samples.shape == (20_000, 2, 5)
    states = all_states(5).astype(float)
    exponent = ring.K @ (states * np.roll(states, -1, axis=1)).T + ring.fields @ states.T
    for row in range(2):
        counts = np.bincount((samples[:, row] > 0) @ (1 << np.arange(5)), minlength=32)
        p = np.exp(exponent[row])
        p /= p.sum()
        chi2 = ((counts - 20_000 * p) ** 2 / (20_000 * p)).sum()
        assert chi2 < 70  # 31 degrees of freedom: a false alarm in 10^4
    assert (ring.sample(10, rng=3) == ring.sample(10, rng=3)).all()
    assert ring.sample(0, rng=3).shape == (0, 2, 5)


@pytest.mark.parametrize(
    ("K", "fields", "error", "message"),
    [
        (0.5, [0.1, 0.2], ValueError, "at least 3 sites"),
        (0.5, 0.1, ValueError, "at least 3 sites"),
        ([0.5] * 4, [0.1] * 3, ValueError, "do not broadcast"),
        (np.inf, [0.1] * 3, ValueError, "K holds an infinity"),
        (0.5, [0.1, np.nan, 0.1], ValueError, "fields"),
        (0.5, [0.1, 1e101, 0.1], ValueError, "fields.*at most 1e\\+100"),
        ("a", [0.1] * 3, TypeError, "K='a'"),
    ],
)
def test_bad_arguments(K, fields, error, message):
    with pytest.raises(error, match=message):
        RingInFields(K, fields)


def test_it_cannot_be_changed_from_outside(tmp_path):
    given = np.array([0.1, 0.2, 0.3])
    ring = RingInFields(0.5, given)
    before = ring.log_partition
    given[:] = 9
    assert RingInFields(0.5, ring.fields).log_partition == before
    with pytest.raises(ValueError, match="read-only"):
        ring.fields[0] = 9
    ring.save(tmp_path / "ring.npz")
    assert RingInFields.load(tmp_path / "ring.npz").equals(ring)
    assert relative(context(20), before, float(summed(ring)[0])) < 1e-15
