"""What thermometers read off uncorrelated spins, which have a magnetization and no temperature."""

from dataclasses import replace

import numpy as np
import pytest

from rbmflow import Ring, Torus, thermometer, training_set
from rbmflow.thermometer import EnergyThermometer, null_calibration

CRITICAL = 2 / np.log(1 + np.sqrt(2))


@pytest.mark.parametrize("lattice", [Ring(100), Torus(8, 8)], ids=repr)
def test_maximum_likelihood_reads_the_energy_of_independent_spins(lattice):
    bonds = 1 if isinstance(lattice, Ring) else 2
    means = np.array([-0.9, -0.5, 0.4, 0.65, 0.8])
    null = null_calibration(EnergyThermometer(lattice), means, 2000, rng=1)
    np.testing.assert_array_equal(null.energy, -bonds * means**2)
    # against T of the exact energy −2m²; 10 readings, a false alarm in 1600 runs
    spread = [np.full((1, lattice.n_sites), m) for m in means]
    exact = [EnergyThermometer(lattice).estimate(batch).mean for batch in spread]
    assert (np.abs(null.reading - exact) < 4 * null.stderr).all()
    if isinstance(lattice, Torus):
        # critical magnetizations for a network are temperatures well above the critical one for the energy
        assert null.reading[3] - CRITICAL > 20 * null.stderr[3]


def test_rows_do_not_depend_on_each_other_and_seeds_repeat():
    meter = EnergyThermometer(Torus(4, 4))
    null = null_calibration(meter, [0.3, 0.7], 100, rng=5)
    again = null_calibration(meter, [0.3, 0.7, 0.9], 100, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(null.reading, again.reading[:2])
    assert null.n_samples == 100
    aligned = null_calibration(meter, 1.0, 10, rng=1)
    assert aligned.reading.tolist() == [0.0]


def check_networks_read_magnetizations(networks, curve):
    """Networks, and the inverse of ⟨|m|⟩, read m = 0.65 to 0.8 as T near T_c = 2.27; likelihood does not."""
    means = [0.65, 0.7, 0.75, 0.8]
    for network in networks:
        # the peak is T = 2.25 or 2.5, its neighbour in the grid that was taught; 27 networks gave no other
        peak = null_calibration(replace(network, read_out="peak"), means, 1000, rng=7)
        assert (np.abs(peak.reading - 2.25) <= 0.25).all(), peak.reading
        # 2.16 to 2.53 in 9 networks trained on 400 configurations for each temperature
        single = null_calibration(replace(network, read_out="per-sample"), means, 1000, rng=7)
        assert (np.abs(single.reading - 2.25) < 0.35).all(), single.reading
    by_curve = null_calibration(curve, means, 1000, rng=7).reading
    assert (np.abs(by_curve - 2.25) < 0.2).all()
    likely = null_calibration(EnergyThermometer(curve.lattice), means, 1000, rng=7)
    # E = −2m² is far above the energy at T_c: −0.845 to −1.28 against −1.48 on 10 × 10
    assert (likely.reading > 2.25 + 10 * likely.stderr).all()
    assert likely.reading[0] > 2.8


def networks_of(known, seeds, **kwargs):
    pytest.importorskip("sklearn", reason="the extra learn is absent")
    return [thermometer.network.fit(known, rng=seed, **kwargs) for seed in seeds]


@pytest.mark.slow
def test_a_network_reads_uncorrelated_spins_as_critical_quickly():
    known = training_set(Torus(10, 10), np.arange(0, 6.1, 0.25), 400, rng=1)
    check_networks_read_magnetizations(networks_of(known, [1]), thermometer.magnetization.fit(known))


@pytest.mark.slow
def test_networks_read_uncorrelated_spins_as_critical():
    known = training_set(Torus(10, 10), np.arange(0, 6.1, 0.25), 1000, rng=1)
    networks = networks_of(known, range(5))
    check_networks_read_magnetizations(networks, thermometer.magnetization.fit(known))
    assert all(network.accuracy > 0.1 for network in networks)


@pytest.mark.parametrize("bad", [[], [1.5], [[0.1]], [np.nan]])
def test_bad_magnetizations(bad):
    with pytest.raises(ValueError, match="magnetizations="):
        null_calibration(EnergyThermometer(Ring(8)), bad, 10, rng=1)


def test_bad_arguments():
    meter = EnergyThermometer(Ring(8))
    with pytest.raises(TypeError, match=r"thermometer=.*a thermometer with a lattice"):
        null_calibration(Ring(8), [0.5], 10, rng=1)
    with pytest.raises(ValueError, match="n_samples=0"):
        null_calibration(meter, [0.5], 0, rng=1)
    with pytest.raises(TypeError, match="magnetizations='0"):
        null_calibration(meter, "0.5", 10, rng=1)
    with pytest.raises(TypeError, match="rng=1"):
        null_calibration(meter, [0.5], 10, rng=1.5)
