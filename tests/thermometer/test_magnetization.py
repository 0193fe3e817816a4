"""The inverted magnetization curve against exact laws of |m|, at its ends and on a plateau."""

import numpy as np
import pytest

from rbmflow import Ring, Torus, TrainingSet, thermometer, training_set
from rbmflow.thermometer import MagnetizationThermometer

TORUS = Torus(6, 6)
LEVELS = [0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
METER = thermometer.magnetization.fit(training_set(TORUS, LEVELS, 2000, rng=1))


def exact_mean(T):
    """⟨|m|⟩ from the exact counts."""
    law = TORUS.magnetization_law(1 / T)
    return float(np.abs(law.values) @ law.probabilities) / TORUS.n_sites


def of_order(m, n=2):
    return np.full((n, TORUS.n_sites), m)


@pytest.mark.parametrize("T", LEVELS[1:-1])
def test_the_curve_is_the_exact_one(T):
    place = LEVELS.index(T)
    # 6 temperatures beyond 4 errors: once in 2600 runs; samples 6 τ apart add a few % to the error
    assert abs(METER.magnetization[place] - exact_mean(T)) < 4 * METER.stderr[place]
    estimate = METER.estimate(of_order(exact_mean(T)))
    # a batch without scatter: the error is that of the curve alone
    assert abs(estimate.deviation(T)) < 4
    assert METER.estimate(of_order(METER.magnetization[place])).mean == pytest.approx(T, rel=1e-13, abs=0)


def test_fresh_samples_read_their_temperature_near_the_critical_one():
    known = training_set(TORUS, [1.5, 2.0, 2.5, 3.0], 1000, rng=2)
    calibration = METER.calibrate(known)
    # at the nodes of the curve it has no error of interpolation; 4 readings
    assert (np.abs(calibration.bias) < 4 * calibration.stderr).all()
    # a single configuration hardly tells T: most of the range
    assert (calibration.resolution > 0.3).all()
    single = METER.readings(known.spins[0])
    assert calibration.resolution[0] == pytest.approx(single.std(ddof=1), rel=1e-14, abs=0)


def test_the_ends_are_bounds():
    cold, hot = METER.estimate(of_order(1.0)), METER.estimate(of_order(0.0))
    assert (cold.mean, hot.mean) == (0.0, 4.0)
    assert np.isnan([cold.stderr, hot.stderr]).all()
    assert np.isnan(METER.estimate(of_order(0.5, n=1)).stderr)
    np.testing.assert_array_equal(METER.readings(of_order([[1.0], [0.0]])), [0.0, 4.0])
    # the sign of m does not count
    assert METER.estimate(of_order(-0.5)).mean == METER.estimate(of_order(0.5)).mean


def test_readings_fall_with_the_magnetization():
    order = np.linspace(0, 1, 501)
    assert (np.diff(METER.readings(order[:, None] * np.ones(TORUS.n_sites))) <= 0).all()


def made(orders, levels):
    """A training set of given |m| at each temperature, the same in every configuration."""
    spins = np.array([np.repeat([[1] * k + [-1] * (20 - k)], 3, axis=0) for k in orders], dtype=np.int8)
    return TrainingSet(Ring(20), spins, np.array(levels, dtype=float), (), {})


def test_temperatures_with_one_magnetization():
    # |m| = 1, 1, 0.6, 0.5, 0.7, 0.2, 0, 0: isotonic regression makes 0.6, 0.5, 0.7 one plateau
    meter = thermometer.magnetization.fit(made([20, 20, 16, 15, 17, 12, 10, 10], range(8)))
    np.testing.assert_allclose(meter.temperature, [0, 3, 5, 7], rtol=1e-14)
    np.testing.assert_allclose(meter.magnetization, [1, 0.6, 0.2, 0], rtol=1e-14)
    np.testing.assert_allclose(meter.stderr, 0, rtol=0, atol=1e-15)


def test_bad_training_sets():
    fit = thermometer.magnetization.fit
    with pytest.raises(ValueError, match="2 are needed"):
        fit(training_set(TORUS, [2.0], 10, rng=1))
    with pytest.raises(ValueError, match="must increase, each given once"):
        fit(training_set(TORUS, [2.0, 1.0], 10, rng=1))
    with pytest.raises(ValueError, match="must increase, each given once"):
        fit(training_set(TORUS, [0.0, 0.0], 10, rng=1))
    with pytest.raises(ValueError, match="T = inf: finite"):
        fit(training_set(TORUS, [0.0, np.inf], 10, rng=1))
    with pytest.raises(ValueError, match="1 configuration at each temperature: 2 are needed"):
        fit(training_set(TORUS, [0.0, 2.0], 1, rng=1))
    with pytest.raises(ValueError, match="must fall with the temperature"):
        fit(made([12, 16, 20], range(3)))
    with pytest.raises(TypeError, match="a TrainingSet is needed"):
        fit(None)
    with pytest.raises(ValueError, match=r"one of Torus\(n_rows=6, n_cols=6\)"):
        METER.calibrate(training_set(Torus(4, 9), [0.0, 2.0], 10, rng=1))
    with pytest.raises(ValueError, match=r"\(n, 36\)"):
        METER.estimate(np.ones((3, 35)))
    assert isinstance(METER, MagnetizationThermometer)
