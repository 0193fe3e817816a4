"""Temperature and field together: against sums over states, chains in a field, and the other thermometer."""

import itertools

import numpy as np
import pytest

from rbmflow import Ring, Torus
from rbmflow.sampling import run
from rbmflow.thermometer import EnergyThermometer, FieldThermometer
from rbmflow.thermometer.field import couplings_of, law_in_field


def sums_over_states(lattice, K, b):
    """ln Z, means and covariance of pair sum and magnetization, state by state."""
    states = np.array(list(itertools.product([-1, 1], repeat=lattice.n_sites)), dtype=np.int8)
    grid = states.reshape(-1, *lattice.shape).astype(int)
    axes = range(1, grid.ndim)
    pairs = sum((grid * np.roll(grid, 1, axis=axis)).reshape(len(grid), -1).sum(axis=1) for axis in axes)
    seen = np.stack([pairs, states.sum(axis=1)], axis=1).astype(float)
    weights = np.exp(seen @ [K, b])
    p = weights / weights.sum()
    away = seen - p @ seen
    return np.log(weights.sum()), p @ seen, (away * p[:, None]).T @ away


@pytest.mark.parametrize("lattice", [Ring(7), Torus(3, 3), Torus(2, 4)])
@pytest.mark.parametrize(("K", "b"), [(0.4, 0.0), (0.9, -0.3), (0.05, 1.0)])
def test_laws_and_their_couplings_are_those_of_sums_over_states(lattice, K, b):
    ln_z, mean, covariance = sums_over_states(lattice, K, b)
    found = law_in_field(lattice, K, b)
    assert found[0] == pytest.approx(ln_z, rel=1e-13)
    assert found[1] == pytest.approx(mean, rel=1e-11)
    assert found[2] == pytest.approx(covariance, rel=1e-11, abs=1e-11)
    assert couplings_of(lattice, mean) == pytest.approx((K, b), abs=1e-7)
    heat = FieldThermometer(lattice).heat_capacity(1 / K, b / K)
    energy = np.array([1.0, b / K])
    assert heat == pytest.approx(energy @ covariance @ energy * K**2 / lattice.n_sites, rel=1e-10)
    assert FieldThermometer(lattice).heat_capacity(1e170, b) == 0


def test_readings_of_chains_in_a_field_are_right_within_their_errors():
    # pulls of 40 batches: mean within 0.63 and variance of 1 within 0.77 of sd, a false alarm in 10⁴ each
    torus, T, H = Torus(4, 4), 2.5, 0.25
    chains = run(torus, 1 / T, n_chains=40 * 200, n_sweeps=1, burn_in=100, field=H, rng=1)
    meter = FieldThermometer(torus)
    found = [meter.estimate(batch) for batch in chains.spins[:, -1].reshape(40, 200, 16)]
    pulls = np.array(
        [
            ((one.temperature - T) / one.temperature_stderr, (one.field - H) / one.field_stderr)
            for one in found
        ]
    )
    assert abs(pulls.mean(axis=0)).max() < 0.63
    assert pulls.std(axis=0, ddof=1) == pytest.approx([1.0, 1.0], abs=0.45)
    assert all(one.n_samples == 200 for one in found)


def test_in_low_temperatures_the_sign_of_a_small_field_is_read():
    # where the lattice is bistable Newton's full steps go astray
    torus = Torus(6, 6)
    mean = law_in_field(torus, 1.0, -0.002)[1]
    assert couplings_of(torus, mean) == pytest.approx((1.0, -0.002), abs=1e-9)


def test_spins_and_their_mirror_image_have_no_field_and_the_temperature_of_their_energy():
    spins = Ring(60).sample(0.6, 300, rng=1)
    both = np.concatenate([spins, -spins])
    found = FieldThermometer(Ring(60)).estimate(both)
    assert found.field == pytest.approx(0.0, abs=1e-12)
    assert found.temperature == pytest.approx(EnergyThermometer(Ring(60)).estimate(both).mean, rel=1e-9)


def test_the_ends():
    meter = FieldThermometer(Torus(4, 4))
    up = np.ones((3, 16), dtype=np.int8)
    assert meter.estimate(up).temperature == 0
    assert np.isnan(meter.estimate(up).field)
    checked = np.where(np.add.outer(np.arange(4), np.arange(4)) % 2, 1, -1).reshape(1, 16)
    assert meter.estimate(checked).temperature == np.inf
    turned = up[:1].copy()
    turned[0, 5] = -1
    assert meter.estimate(turned).temperature == np.inf
    assert meter.estimate(up[:1] * 0.6).temperature == np.inf  # means of independent spins
    once = meter.estimate([[1, 1, 1, -1] * 4])
    assert np.isnan(once.temperature_stderr)
    with pytest.raises(ValueError, match="at most 512"):
        FieldThermometer(Ring(513))
    for T, H in ((0.0, 1.0), (np.inf, 0.0), (1.0, np.inf)):
        with pytest.raises(ValueError, match="finite number"):
            meter.heat_capacity(T, H)
