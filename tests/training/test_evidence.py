"""The evidence of a decay against the integral over the weights."""

import numpy as np
import pytest

from rbmflow.networks import Neuron
from rbmflow.training import fit_neuron, neuron_evidence


def data(n, n_inputs=1, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n_inputs))
    p = 1 / (1 + np.exp(-(x @ np.linspace(1.0, -0.5, n_inputs) + 0.3)))
    return x, (rng.random(n) < p).astype(float)


def fitted(x, t, decay):
    return fit_neuron(x, t, decay=decay, method="Newton-CG", tolerance=1e-12).neuron


def integral(x, t, decay, points=161, widths=9.0):
    """ln ∫ e^(−G) P(w) dw db on a grid: the trapezoidal rule, exact to rounding for smooth bells."""
    one = fitted(x, t, decay)
    ones = np.column_stack([x, np.ones(len(x))])
    y = one.output(x)
    A = (ones.T * (y * (1 - y))) @ ones + np.diag([decay] * x.shape[1] + [0.0])
    # weights along the axes of the bell
    size, axes = np.linalg.eigh(A)
    steps = np.linspace(-widths, widths, points)
    grid = np.stack(np.meshgrid(*[steps / np.sqrt(s) for s in size], indexing="ij"), axis=-1)
    w = np.append(one.weights, one.bias) + grid.reshape(-1, len(size)) @ axes.T
    log = np.zeros(len(w))
    for row, target in zip(ones, t, strict=True):
        log -= np.logaddexp(0, (1 - 2 * target) * (w @ row))
    log += x.shape[1] / 2 * np.log(decay / (2 * np.pi)) - decay * (w[:, :-1] ** 2).sum(axis=1) / 2
    cell = np.prod((steps[1] - steps[0]) / np.sqrt(size))
    return np.logaddexp.reduce(log) + np.log(cell)


@pytest.mark.parametrize("decay", [0.1, 1.0, 10.0])
def test_the_error_of_the_approximation_falls_as_one_over_n(decay):
    off = []
    for n in (40, 160, 640):
        x, t = data(n)
        found = neuron_evidence(fitted(x, t, decay), x, t, decay=decay).log_evidence
        off.append(n * (found - integral(x, t, decay)))
    # of the order of one over the information of an example, alike for all n
    assert np.abs(off).max() < 3
    assert abs(off[-1]) < 1.5 * abs(off[-2]) + 0.2


@pytest.mark.parametrize("decay", [0.3, 3.0])
def test_two_inputs_and_a_bias(decay):
    off = []
    for n in (75, 300):
        x, t = data(n, 2)
        found = neuron_evidence(fitted(x, t, decay), x, t, decay=decay).log_evidence
        off.append(abs(found - integral(x, t, decay, points=49, widths=7.0)))
    assert off[0] < 0.06
    assert off[1] < 0.4 * off[0]  # a quarter, but for the targets that were drawn


def test_the_decay_with_most_evidence_is_that_of_the_integral():
    x, t = data(100)
    decay = 1.0
    for _ in range(50):
        one = fitted(x, t, decay)
        found = neuron_evidence(one, x, t, decay=decay)
        decay = found.better_decay
    assert 0 < found.n_determined < 1
    near = decay * np.array([0.5, 0.8, 1.0, 1.25, 2.0])
    exact = [integral(x, t, one) for one in near]
    laplace = [neuron_evidence(fitted(x, t, one), x, t, decay=one).log_evidence for one in near]
    np.testing.assert_allclose(np.subtract(laplace, laplace[2]), np.subtract(exact, exact[2]), atol=0.01)
    assert np.argmax(exact) == 2
    assert np.argmax(laplace) == 2


def test_a_strong_prior_determines_all_weights():
    x, t = data(50, 3)
    found = [neuron_evidence(fitted(x, t, decay), x, t, decay=decay) for decay in (1e6, 1e-6)]
    assert found[0].n_determined < 1e-4
    assert found[1].n_determined > 3 - 1e-4
    # with all weights nil the bias is alone: G + ½ ln(n y (1 − y)/2π)
    p = t.mean()
    alone = 50 * (p * np.log(p) + (1 - p) * np.log(1 - p)) - np.log(50 * p * (1 - p) / (2 * np.pi)) / 2
    assert found[0].log_evidence == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neuron": 3}, "neuron=3"),
        ({"decay": 0.0}, "decay=0.0"),
        ({"decay": np.inf}, "decay"),
        ({"neuron": Neuron([4.0])}, "neuron is .* nats above the minimum of the error with decay=0.5"),
        ({"targets": [1] * 30}, "targets are all 1"),
        ({"targets": [1]}, "targets has shape"),
        ({"neuron": Neuron([1.0, 2.0])}, "inputs has shape"),
    ],
)
def test_bad_input(change, message):
    x, t = data(30)
    good = {"neuron": fitted(x, t, 0.5), "inputs": x, "targets": t, "decay": 0.5}
    neuron_evidence(**good)
    with pytest.raises((TypeError, ValueError), match=message):
        neuron_evidence(**(good | change))
