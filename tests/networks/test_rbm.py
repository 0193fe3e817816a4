import itertools

import numpy as np
import pytest

from rbmflow import RBM


def machine():
    rng = np.random.default_rng(3)
    return RBM(rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3))


def states(n):
    return np.array(list(itertools.product((-1, 1), repeat=n)))


def test_energy_is_the_double_sum():
    rbm = machine()
    v, h = states(4), states(3)
    energy = rbm.energy(v[:, None, :], h[None, :, :])
    for i, j in np.ndindex(16, 8):
        wanted = -(v[i] @ rbm.weights @ h[j] + rbm.visible_bias @ v[i] + rbm.hidden_bias @ h[j])
        assert energy[i, j] == pytest.approx(wanted, abs=1e-13)


def test_means_are_those_of_the_boltzmann_law():
    rbm = machine()
    v, h = states(4), states(3)
    weights = np.exp(-rbm.energy(v[:, None, :], h[None, :, :]))
    hidden = (weights[:, :, None] * h).sum(axis=1) / weights.sum(axis=1)[:, None]
    visible = (weights[:, :, None] * v[:, None, :]).sum(axis=0) / weights.sum(axis=0)[:, None]
    np.testing.assert_allclose(rbm.mean_hidden(v), hidden, rtol=1e-12)
    np.testing.assert_allclose(rbm.mean_visible(h), visible, rtol=1e-12)


def test_parameters_are_copied_and_frozen():
    weights = np.ones((2, 2))
    rbm = RBM(weights)
    weights[0, 0] = 5
    assert rbm.weights[0, 0] == 1
    for array in (rbm.weights, rbm.visible_bias, rbm.hidden_bias):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        rbm.weights = weights


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 2.0],), ValueError, "weights has shape"),
        ((np.empty((0, 3)),), ValueError, "weights has shape"),
        (([[1.0, np.nan]],), ValueError, "NaN"),
        (([[1.0, np.inf]],), ValueError, "infinity"),
        (([["a"]],), TypeError, "real numbers"),
        (([[1j]],), TypeError, "real numbers"),
        (([[1.0, 2.0], [3.0]],), ValueError, "different lengths"),
        ((np.ones((2, 3)), [1.0]), ValueError, r"visible_bias has shape \(1,\): \(2,\)"),
        ((np.ones((2, 3)), None, [1.0, 2.0]), ValueError, "hidden_bias has shape"),
    ],
)
def test_bad_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        RBM(*arguments)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda rbm: rbm.mean_hidden([1, -1]), ValueError, "last axis must have 4"),
        (lambda rbm: rbm.mean_hidden([1, 2, 1, 1]), ValueError, "v holds 2"),
        (lambda rbm: rbm.mean_visible([1, np.nan, 1]), ValueError, "NaN"),
        (lambda rbm: rbm.mean_visible("abc"), TypeError, "h='abc'"),
        (lambda rbm: rbm.energy([0, 1, 1, 1], [1, 1, 1]), ValueError, "0/1"),
        (lambda rbm: rbm.energy(np.ones((2, 4)), np.ones((3, 3))), ValueError, "broadcast"),
        (lambda rbm: rbm.energy(1, [1, 1, 1]), ValueError, "sites on its last axis"),
    ],
)
def test_bad_states(call, error, message):
    with pytest.raises(error, match=message):
        call(machine())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 4, 1.0), ValueError, "n_visible=0"),
        ((8, 4, np.inf), ValueError, "flow.sign"),
        ((8, 4.0, 1.0), TypeError, "n_hidden=4.0"),
        ((8, 4, "w"), TypeError, "weight='w'"),
    ],
)
def test_bad_uniform_machines(arguments, error, message):
    with pytest.raises(error, match=message):
        RBM.uniform(*arguments)
