"""The thermometer of a curve of the energy: exact where that is known, measured where not."""

import numpy as np
import pytest

from rbmflow import Chain, Torus, thermometer, training_set
from rbmflow.ising import Graph, Honeycomb, Hypercubic, Triangular
from rbmflow.ising.exact_energy import exact_energy
from rbmflow.thermometer.energy_curve import fit_curve

T = np.arange(25) / 4


def measured_only(monkeypatch):
    monkeypatch.setattr("rbmflow.thermometer.energy_curve.exact_curve", lambda lattice, K: None)


def test_a_measured_curve_of_the_torus_reads_as_the_exact_thermometer(monkeypatch):
    # both read the same batch: they differ by the error of the curve alone, 4 of them, false alarm 6e-5 each
    measured_only(monkeypatch)
    torus = Torus(6, 6)
    meter, exact = fit_curve(training_set(torus, T[4:], 1000, rng=1)), thermometer.EnergyThermometer(torus)
    fresh = training_set(torus, [1.6, 2.4, 4.3], 500, rng=2)
    for spins in fresh.spins:
        read, known = meter.estimate(spins), exact.estimate(spins)
        of_curve = np.sqrt(read.stderr**2 - 0.9 * known.stderr**2)
        assert abs(read.mean - known.mean) < 4 * of_curve + 0.01
        assert read.stderr > 0.9 * known.stderr


def test_an_exact_curve_reads_as_the_exact_thermometer(monkeypatch):
    # to the error of the interpolation between temperatures 0.125 apart, its slopes being exact
    torus = Torus(6, 6)
    meter, exact = fit_curve(training_set(torus, T[4:], 2, rng=1)), thermometer.EnergyThermometer(torus)
    fresh = training_set(torus, [2.1, 3.1, 9.0], 500, rng=2)
    for spins in fresh.spins:
        read, known = meter.estimate(spins), exact.estimate(spins)
        assert read.mean == pytest.approx(known.mean, rel=1e-3)
        assert read.stderr == pytest.approx(known.stderr, rel=0.02)
    assert not meter.stderr.any()


@pytest.mark.parametrize(
    "lattice",
    [
        Triangular(4, 5), Honeycomb(3, 3), Hypercubic((3, 3, 3)), Chain(9), Triangular(3, 3, couplings=-1.0),
        Hypercubic((4, 4), periodic=(True, False), couplings=(1.0, -0.5)),
        Graph.from_bonds(4, {(0, 1): 1.0, (1, 2): -0.5, (0, 3): 2.0, (2, 3): 0.7}, fields=[0, 0, 0.3, 0]),
    ],
    ids=str,
)  # fmt: skip
def test_every_lattice_reads_the_temperature_that_it_has(lattice):
    # about its own critical temperature, not so cold that samples are all ground states
    unit = 1.6 if lattice.coordination == 6 and lattice.equal_bonds else 1.0
    levels = unit * np.array([0.6, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])
    meter = thermometer.energy.fit(training_set(lattice, levels, 200, rng=1))
    for level in (1.2 * unit, 1.7 * unit, 4.4 * unit):
        spins = training_set(lattice, [level], 1500, rng=3).spins[0]
        assert abs(meter.estimate(spins).deviation(level)) < 4  # false alarm 6e-5 each, seed fixed
        energy = exact_energy(lattice, 1 / level)[0]
        assert meter._read(np.array([energy]))[0][0] == pytest.approx(level, rel=0.02)
    assert (np.diff(meter.energy) > 0).all()
    assert meter.temperature[-1] == np.inf
    hot = training_set(lattice, [np.inf], 100, rng=1).spins[0]
    assert meter.estimate(hot).mean > 6


def test_ends_of_the_curve(monkeypatch):
    meter = thermometer.energy.fit(training_set(Triangular(4, 4), [0.0, 2.0, 4.0], 50, rng=1))
    aligned, mixed = np.ones((3, 16)), np.zeros((3, 16))
    assert meter.estimate(aligned).mean == 0
    assert np.isnan(meter.estimate(aligned).stderr)
    assert meter.estimate(mixed).mean == np.inf
    assert meter.readings(np.concatenate([aligned, mixed])).tolist() == [0.0] * 3 + [np.inf] * 3
    null = thermometer.null_calibration(meter, [0.0, 0.5, 1.0], 400, rng=1)
    assert null.energy.tolist() == [0.0, -0.75, -3.0]
    assert null.reading[2] == 0
    found = meter.calibrate(training_set(Triangular(4, 4), [2.0, 4.0], 400, rng=2))
    assert (abs(found.bias) < 4 * found.stderr).all()
    for level, resolution in zip((2.0, 4.0), found.resolution, strict=True):  # the bound of Cramér and Rao
        capacity = 16 * Triangular(4, 4).heat_capacity(1 / level)
        assert resolution == pytest.approx(level / np.sqrt(capacity), rel=0.01)
    measured_only(monkeypatch)
    with pytest.raises(ValueError, match="2 are needed"):
        fit_curve(training_set(Triangular(4, 4), [2.0, 4.0], 1, rng=1))


def test_the_exact_thermometer_says_what_reads_other_lattices():
    with pytest.raises(TypeError, match=r"thermometer\.energy\.fit"):
        thermometer.EnergyThermometer(Triangular(4, 4))
