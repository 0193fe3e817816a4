"""Maximum likelihood: round trips of the exact energies, exact samples, the bound of Cramér and Rao."""

import numpy as np
import pytest

from rbmflow import Ring, Torus, thermometer, training_set
from rbmflow.thermometer import EnergyThermometer

LATTICES = [Ring(3), Ring(8), Ring(101), Torus(2, 2), Torus(2, 5), Torus(3, 4), Torus(10, 10)]
EPSILON = np.finfo(float).eps


def batch_of_energy(lattice, energy):
    """One row of equal means m; each bond has the energy −m²."""
    bonds = 1 if isinstance(lattice, Ring) else 2
    return np.full((1, lattice.n_sites), np.sqrt(-energy / bonds))


@pytest.mark.parametrize("lattice", LATTICES, ids=repr)
@pytest.mark.parametrize("T", [0.5, 1.0, 2.0, 2.0 / np.log(1 + np.sqrt(2)), 3.0, 6.0, 100.0, 1e12])
def test_the_energy_of_a_temperature_reads_as_this_temperature(lattice, T):
    energy, c = lattice.energy(1 / T), lattice.heat_capacity(1 / T)
    reading = EnergyThermometer(lattice).estimate(batch_of_energy(lattice, energy)).mean
    # the energies carry some units in the last place, of which dT = de/c; 1e-10 is asked for
    tolerance = 100 * EPSILON * (1 + abs(energy) / (c * T))
    assert tolerance < 1e-8
    assert reading == pytest.approx(T, rel=tolerance, abs=0)
    assert tolerance < 1e-10 or T < 0.6


def test_exact_samples_of_a_ring_are_within_the_stated_errors():
    # 12 temperatures × 40 batches: beyond 4 errors a normal law has 6e-5, so 0.03 of 480 batches;
    # one is let pass
    ring, beyond, deviations = Ring(100), 0, []
    source = np.random.default_rng(11)
    for T in np.linspace(0.5, 6.0, 12):
        for stream in source.spawn(40):
            reading = EnergyThermometer(ring).estimate(ring.sample(1 / T, 400, rng=stream))
            deviations.append(reading.deviation(T))
    beyond = int((np.abs(deviations) > 4).sum())
    assert beyond <= 1
    # the mean square of 480 normal deviates is 1 ± 0.065;
    # the energies' skewness at T = 0.5 and T''(e)/T'(e) take little
    assert np.mean(np.square(deviations)) == pytest.approx(1, abs=0.3)


def test_samples_of_a_torus_are_within_the_stated_errors():
    torus = Torus(6, 6)
    known = training_set(torus, [1.0, 1.5, 2.0, 2.25, 2.5, 3.0, 4.0, 6.0], 400, rng=5)
    calibration = thermometer.energy.fit(known).calibrate(known)
    # 8 readings: a false alarm in 2000 runs
    assert (np.abs(calibration.bias) < 4 * calibration.stderr).all()
    np.testing.assert_allclose(calibration.bias, calibration.reading - known.temperature, rtol=0, atol=0)
    assert calibration.n_samples == 400


@pytest.mark.parametrize("T", [1.0, 2.0, 4.0])
def test_the_scatter_of_readings_is_the_bound_of_cramer_and_rao(T):
    # of 400 batches the standard deviation is known to 1/√800 = 3.5 %;
    # 4 of these, and a few % that the bound leaves at n = 200
    ring, n = Ring(64), 200
    meter = EnergyThermometer(ring)
    spins = ring.sample(1 / T, 400 * n, rng=3).reshape(400, n, 64)
    estimates = [meter.estimate(batch) for batch in spins]
    bound = T / np.sqrt(n * ring.heat_capacity(1 / T) * 64)
    assert meter.resolution(T, n) == pytest.approx(bound, rel=1e-14, abs=0)
    assert np.std([one.mean for one in estimates]) == pytest.approx(bound, rel=0.17, abs=0)
    assert np.mean([one.stderr for one in estimates]) == pytest.approx(bound, rel=0.05, abs=0)
    assert all((one.tau, one.n_effective) == (0.5, n) for one in estimates)


@pytest.mark.parametrize("lattice", [Ring(10), Torus(4, 5)], ids=repr)
def test_the_ends(lattice):
    meter, n = EnergyThermometer(lattice), lattice.n_sites
    cold = meter.estimate(np.ones((50, n), dtype=np.int8))
    assert cold.mean == 0
    # the error is the temperature of a batch with one excitation: a flipped spin, on the ring two walls
    excited = np.ones((50, n), dtype=np.int8)
    excited[0, 0] = -1
    assert cold.stderr == pytest.approx(meter.estimate(excited).mean, rel=1e-12, abs=0)
    assert meter.resolution(0.0, 50) == cold.stderr
    board = (-1) ** np.add.outer(np.arange(2), np.arange(n)).astype(np.int8)
    for hot in (np.zeros((2, n)), board):
        assert (meter.estimate(hot).mean, meter.estimate(hot).stderr) == (np.inf, np.inf)
    assert meter.resolution(np.inf) == np.inf
    faint = meter.estimate(np.full((2, n), 1e-150))
    assert 1e290 < faint.mean < np.inf


def test_readings_are_the_estimates_of_single_configurations():
    torus = Torus(4, 4)
    meter = EnergyThermometer(torus)
    spins = training_set(torus, [2.5], 60, rng=2).spins[0]
    means = np.tanh(np.random.default_rng(4).normal(size=(20, 16)))
    for batch in (spins, means):
        single = [meter.estimate(row[None]) for row in batch]
        np.testing.assert_array_equal(meter.readings(batch), [one.mean for one in single])
        assert all(np.isnan(one.stderr) or one.mean in (0.0, np.inf) for one in single)


def test_calibration_at_the_ends():
    known = training_set(Ring(16), [0.0, 0.1, 2.0, np.inf], 100, rng=7)
    calibration = EnergyThermometer(Ring(16)).calibrate(known)
    assert calibration.reading[0] == calibration.bias[0] == 0
    # no excitation among 100 at T = 0.1: the stated error holds the truth
    assert calibration.reading[1] == 0
    assert -calibration.stderr[1] < calibration.bias[1] == -0.1
    assert np.isinf(calibration.resolution[3])
    assert (np.diff(calibration.resolution[1:]) > 0).all()


BAD_BATCHES = [
    (np.ones(8), ValueError, r"configurations has shape \(8,\)"),
    (np.ones((2, 7)), ValueError, r"shape \(2, 7\): \(n, 8\)"),
    (np.ones((0, 8)), ValueError, "n of at least 1"),
    (np.ones((2, 2, 8)), ValueError, "shape"),
    (np.full((2, 8), np.nan), ValueError, "NaN"),
    (np.full((2, 8), 1.5), ValueError, "between -1 and 1"),
    ("spins", TypeError, "configurations"),
    (None, TypeError, "configurations"),
]


@pytest.mark.parametrize(("batch", "error", "match"), BAD_BATCHES)
def test_bad_configurations(batch, error, match):
    for method in ("estimate", "readings"):
        with pytest.raises(error, match=match):
            getattr(EnergyThermometer(Ring(8)), method)(batch)


def test_bad_arguments():
    with pytest.raises(TypeError, match=r"lattice=8: a Ring or a Torus"):
        EnergyThermometer(8)
    with pytest.raises(TypeError, match=r"training_set is of type ndarray: a TrainingSet"):
        thermometer.energy.fit(np.ones((2, 8)))
    known = training_set(Ring(8), [1.0], 4, rng=1)
    with pytest.raises(ValueError, match=r"Ring\(n_sites=8\): one of Torus"):
        EnergyThermometer(Torus(2, 4)).calibrate(known)
    meter = EnergyThermometer(Ring(8))
    with pytest.raises(ValueError, match="temperature=-1"):
        meter.resolution(-1)
    with pytest.raises(ValueError, match="n_samples=0"):
        meter.resolution(1.0, 0)
