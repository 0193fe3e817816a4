"""The perceptron: its numbers are scikit-learn's, its read-outs add up, seeds repeat, bad input is named."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from rbmflow import Ring, Torus, thermometer, training_set
from rbmflow.thermometer import NetworkThermometer

TORUS = Torus(6, 6)
LEVELS = [0.0, 1.0, 2.0, 3.0, 4.5]
KNOWN = training_set(TORUS, LEVELS, 400, rng=1)
FRESH = training_set(TORUS, LEVELS, 400, rng=2)


@pytest.fixture(scope="module")
def meter():
    pytest.importorskip("sklearn", reason="the extra learn is absent")
    return thermometer.network.fit(KNOWN, hidden=(32,), n_epochs=60, batch_size=50, rng=3)


def best_accuracy(torus, temperatures):
    """Share of right answers of the best classifier: the energy is sufficient, its laws are exact."""
    states = torus.density_of_states()
    energy = np.array(states.energy, dtype=float)
    laws = []
    for T in temperatures:
        exponent = np.log(np.array(states.count, dtype=float)) - (energy - energy[0]) / max(T, 1e-3)
        weight = np.exp(exponent - exponent.max())
        laws.append(weight / weight.sum())
    return np.max(laws, axis=0).sum() / len(laws)


def test_it_learns_temperatures(meter):
    fresh = np.mean([meter.histogram(spins)[place] for place, spins in enumerate(FRESH.spins)])
    # 0.569, since T = 0 and 1, and 3 and 4.5, are much alike on 36 sites; chance is 0.2
    best = best_accuracy(TORUS, LEVELS)
    assert best == pytest.approx(0.5687, abs=1e-4)
    assert 0.35 < fresh < best + 4 * np.sqrt(best * (1 - best) / 2000)
    # of 200 held out
    assert meter.accuracy == pytest.approx(fresh, abs=4 * np.sqrt(fresh * (1 - fresh) / 200))
    assert meter.training_accuracy > meter.accuracy
    assert len(meter.loss) == 60
    assert meter.loss[-1] < meter.loss[0]
    calibration = meter.calibrate(FRESH)
    # T = 0 and 1 read alike; from there on it tells them apart, pulled towards the middle of the range
    assert (np.diff(calibration.reading[1:]) > 0.3).all()
    assert calibration.bias[0] > 0 > calibration.bias[-1]
    np.testing.assert_array_equal(
        calibration.resolution, [meter.readings(spins).std(ddof=1) for spins in FRESH.spins]
    )


@pytest.mark.parametrize("n_temperatures", [2, 5])
def test_probabilities_are_those_of_the_classifier(n_temperatures, monkeypatch):
    sklearn = pytest.importorskip("sklearn.neural_network")
    made = []

    train = sklearn.MLPClassifier.partial_fit

    def recorded(self, *args, **kwargs):
        made.append(self)
        return train(self, *args, **kwargs)

    monkeypatch.setattr(sklearn.MLPClassifier, "partial_fit", recorded)
    few = replace(KNOWN, spins=KNOWN.spins[:n_temperatures], temperature=KNOWN.temperature[:n_temperatures])
    meter = thermometer.network.fit(few, hidden=(8, 6), n_epochs=3, held_out=0.0, rng=1)
    means = np.tanh(np.random.default_rng(1).normal(size=(50, 36)))
    expected = made[0].predict_proba(means)
    assert expected.shape == (50, n_temperatures)
    # float64, three layers, outputs of order 1
    np.testing.assert_allclose(meter.probabilities(means), expected.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(meter.readings(means), expected @ meter.temperature, rtol=1e-12)
    assert np.isnan(meter.accuracy)
    assert [weights.shape for weights in meter.weights] == [(36, 8), (8, 6), (6, n_temperatures)]


def test_read_outs(meter):
    batch = FRESH.spins[2]
    probabilities, histogram = meter.probabilities(batch), meter.histogram(batch)
    for law in (probabilities, histogram):
        assert law.shape == (5,)
        assert law.sum() == pytest.approx(1, rel=1e-12, abs=0)
    mean, peak, single = (
        replace(meter, read_out=read_out).estimate(batch) for read_out in ("mean", "peak", "per-sample")
    )
    assert mean.mean == pytest.approx(probabilities @ meter.temperature, rel=1e-12, abs=0)
    assert peak.mean == meter.temperature[probabilities.argmax()] == 2.0
    assert single.mean == pytest.approx(histogram @ meter.temperature, rel=1e-12, abs=0)
    assert mean.n_effective == peak.n_effective == single.n_effective == len(batch)
    # the cell of T = 2 is 1 wide
    assert peak.stderr >= 1 / np.sqrt(12)
    assert mean.stderr == pytest.approx(meter.readings(batch).std(ddof=1) / 20, rel=1e-12, abs=0)
    assert set(replace(meter, read_out="peak").readings(batch)) <= set(LEVELS)
    one = replace(meter, read_out="peak").estimate(batch[:1])
    assert np.isfinite(one.stderr)
    assert np.isnan(meter.estimate(batch[:1]).stderr)


def test_seeds_repeat_and_progress_is_told(meter):
    seen = []
    again = thermometer.network.fit(
        KNOWN,
        hidden=(32,),
        n_epochs=60,
        batch_size=50,
        rng=3,
        progress=lambda done, total: seen.append((done, total)),
    )
    for first, second in zip(meter.weights + meter.biases, again.weights + again.biases, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (meter.accuracy, meter.training_accuracy) == (again.accuracy, again.training_accuracy)
    assert seen == [(epoch, 60) for epoch in range(1, 61)]
    other = thermometer.network.fit(KNOWN, hidden=(32,), n_epochs=1, rng=4)
    assert not np.array_equal(other.weights[0], meter.weights[0])


def test_an_interrupt_is_passed_on(monkeypatch):
    sklearn = pytest.importorskip("sklearn.neural_network")

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(sklearn.MLPClassifier, "_backprop", interrupted)
    with pytest.warns(UserWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        thermometer.network.fit(KNOWN, n_epochs=2, rng=1)


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        ({"hidden": 64}, TypeError, r"hidden=64: a tuple of layer sizes"),
        ({"hidden": ()}, TypeError, r"hidden=\(\)"),
        ({"hidden": (0,)}, ValueError, r"hidden\[0\]=0: at least 1"),
        ({"hidden": (2**31 - 1,)}, MemoryError, r"hidden=\[2147483647\]: .* GiB of memory are needed"),
        ({"hidden": (8, 10**12)}, MemoryError, "smaller layers need less"),
        ({"n_epochs": 0}, ValueError, "n_epochs=0"),
        ({"batch_size": 1.5}, TypeError, "batch_size=1.5"),
        ({"learning_rate": 0}, ValueError, "learning_rate=0"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate"),
        ({"weight_decay": -1}, ValueError, "weight_decay=-1"),
        ({"held_out": 1}, ValueError, "held_out=1: a share from 0 to below 1"),
        ({"read_out": "max"}, ValueError, "read_out='max': one of peak, mean, per-sample"),
        ({"rng": "seed"}, TypeError, "rng='seed'"),
    ],
)
def test_bad_arguments(bad, error, match):
    with pytest.raises(error, match=match):
        thermometer.network.fit(KNOWN, **bad)


def test_bad_training_sets(meter):
    fit = thermometer.network.fit
    with pytest.raises(ValueError, match="2 are needed"):
        fit(training_set(Ring(8), [2.0], 10, rng=1))
    with pytest.raises(ValueError, match="T = inf: finite"):
        fit(training_set(Ring(8), [2.0, np.inf], 10, rng=1))
    with pytest.raises(ValueError, match="must increase"):
        fit(training_set(Ring(8), [2.0, 1.0], 10, rng=1))
    with pytest.raises(TypeError, match="a TrainingSet is needed"):
        fit(KNOWN.spins)
    with pytest.raises(ValueError, match=r"training_set is of Ring\(n_sites=36\)"):
        meter.calibrate(training_set(Ring(36), [1.0, 2.0], 10, rng=1))
    with pytest.raises(ValueError, match="read_out='best'"):
        replace(meter, read_out="best")
    for batch in (np.ones(36), np.ones((2, 35)), np.full((2, 36), 2.0), np.full((2, 36), np.nan)):
        for method in ("estimate", "readings", "probabilities", "histogram"):
            with pytest.raises(ValueError, match="configurations"):
                getattr(meter, method)(batch)


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.neural_network", None)
    with pytest.raises(ImportError, match=r"pip install rbmflow\[learn\]"):
        thermometer.network.fit(KNOWN, rng=1)
    # what was trained elsewhere reads without it
    layers = (np.eye(8)[:, :3], np.ones((3, 2))), (np.zeros(3), np.array([0.0, 1.0]))
    reads = NetworkThermometer(Ring(8), np.array([1.0, 2.0]), *layers).readings(np.zeros((1, 8)))
    assert reads == pytest.approx(1 + 1 / (1 + np.exp(-1)), rel=1e-14, abs=0)
