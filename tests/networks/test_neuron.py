import warnings

import numpy as np
import pytest
from scipy.optimize import minimize

from rbmflow import ConvergenceWarning
from rbmflow.networks import Neuron
from rbmflow.training import fit_neuron
from rbmflow.training.neuron import METHODS, SCIPY_METHODS


def data(n=60, n_inputs=3, seed=5):
    """Targets drawn from a neuron: no plane separates them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n_inputs))
    truth = Neuron(rng.normal(size=n_inputs), 0.3)
    return x, (rng.random(n) < truth.output(x)).astype(int)


def neuron():
    return Neuron([0.7, -1.1, 0.2], -0.4)


def test_the_error_is_the_sum_of_the_thesis():
    x, t = data()
    y = 1 / (1 + np.exp(-(x @ neuron().weights + neuron().bias)))
    wanted = -(t * np.log(y) + (1 - t) * np.log(1 - y)).sum()
    assert neuron().error(x, t) == pytest.approx(
        wanted, rel=1e-13, abs=0
    )  # 60 terms, each a few roundings of 1e-16
    np.testing.assert_allclose(neuron().output(x), y, rtol=1e-14)


def test_the_likelihood_is_the_product_over_examples():
    x, t = data(20)
    y = neuron().output(x)
    wanted = np.prod(np.where(t == 1, y, 1 - y))
    assert np.exp(-neuron().error(x, t)) == pytest.approx(wanted, rel=1e-13, abs=0)
    assert np.exp(neuron().log_likelihood(x, t)) == pytest.approx(wanted, rel=1e-13, abs=0)


def test_the_gradient_is_the_slope_of_the_error():
    x, t = data()
    one, h = neuron(), 1e-5
    gradient = one.gradient(x, t)
    for i in range(4):
        step = h * np.eye(4)[i]
        up, down = (Neuron(one.weights + s * step[:3], one.bias + s * step[3]).error(x, t) for s in (1, -1))
        found = gradient.bias if i == 3 else gradient.weights[i]
        # h²/6 times a third derivative below 60, and 40 · 1e-16 / h of rounding
        assert found == pytest.approx((up - down) / (2 * h), abs=2e-9)


def test_a_spin_has_the_mean_tanh():
    x = np.linspace(-3, 3, 13)[:, None]
    one = Neuron([0.8], 0.1)
    up = Neuron([1.6], 0.2).output(x)  # σ(2a)
    np.testing.assert_allclose(one.mean_spin(x), 2 * up - 1, atol=4e-16, rtol=0)
    assert np.ndim(one.mean_spin([1.0])) == 0


@pytest.mark.filterwarnings("ignore:a plane separates the targets")
@pytest.mark.parametrize("a", [1e4, -1e4, 1e300, -745.0, 40.0])
def test_extreme_activations(a):
    one = Neuron([1.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert one.error([[a]], [0]) == pytest.approx(np.logaddexp(0, a), rel=1e-15, abs=0)
        assert one.error([[a]], [1]) == pytest.approx(np.logaddexp(0, -a), rel=1e-15, abs=0)
        assert one.gradient([[a]], [0]).bias == one.output([a]) == pytest.approx(np.exp(-np.logaddexp(0, -a)))
        assert one.gradient([[a]], [1]).bias == pytest.approx(-np.exp(-np.logaddexp(0, a)))
        assert abs(one.mean_spin([a])) == 1
        for method in METHODS if abs(a) < 1e5 else ():  # a weight of the order of a itself would overflow a²
            fit = fit_neuron([[a], [-a]], [0, 1], initial=one, method=method, n_epochs=3, rng=1)
            assert np.isfinite(fit.history).all()


def reference(x, t, decay=0.0):
    """The minimum of G + decay |w|²/2 by scipy, from the literal formula."""
    ones = np.column_stack([x, np.ones(len(x))])

    def G(w):
        a = ones @ w
        return np.logaddexp(0, a).sum() - t @ a + decay * w[:-1] @ w[:-1] / 2

    found = minimize(
        G,
        np.zeros(ones.shape[1]),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 9999},
    )
    return found.x, found.fun


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("method", ["batch", *SCIPY_METHODS])
def test_targets_that_no_plane_separates_have_one_minimum(method, decay):
    x, t = data()
    best, least = reference(x, t, decay)
    fit = fit_neuron(x, t, method=method, learning_rate=1.0, n_epochs=3000, decay=decay, tolerance=1e-7)
    assert fit.converged
    assert fit.n_epochs == len(fit.history) - 1
    assert fit.history[0] == pytest.approx(60 * np.log(2))
    assert fit.history[-1] == pytest.approx(least, rel=1e-9, abs=0)
    # a gradient of 60 · 1e-7 over the smallest curvature, about 5
    np.testing.assert_allclose([*fit.neuron.weights, fit.neuron.bias], best, atol=3e-6, rtol=0)


def test_stochastic_descent_wanders_about_the_minimum():
    x, t = data(400)
    best = fit_neuron(x, t, method="BFGS", tolerance=1e-9)
    fits = [
        fit_neuron(x, t, method="stochastic", learning_rate=rate, n_epochs=60, batch_size=size, rng=3)
        for rate, size in ((0.02, 1), (0.3, 16))
    ]
    for fit in fits:
        assert not fit.converged
        # the excess over the minimum is of the order of the learning rate over the size of the
        # batch, times n/2
        assert 0 < fit.history[-1] - best.history[-1] < 400 * 0.02
        assert np.abs(fit.neuron.weights - best.neuron.weights).max() < 0.3


def test_a_stochastic_step_with_all_examples_is_a_batch_step():
    x, t = data()
    one = fit_neuron(x, t, method="stochastic", batch_size=100, n_epochs=5, rng=1)
    batch = fit_neuron(x, t, n_epochs=5)
    np.testing.assert_allclose(one.history, batch.history, rtol=1e-13)


def test_the_generator_decides_the_order_of_examples():
    x, t = data()
    fits = [fit_neuron(x, t, method="stochastic", n_epochs=3, rng=seed).history[-1] for seed in (1, 1, 2)]
    assert fits[0] == fits[1] != fits[2]


def test_separable_targets_have_no_minimum_but_an_infimum():
    x = np.array([[-2.0, 1.0], [-1.0, -1.0], [1.0, 0.5], [3.0, -1.0]])
    t = [0, 0, 1, 1]
    with pytest.warns(ConvergenceWarning, match="a plane separates the targets.*no minimum.*decay > 0"):
        short, long = (fit_neuron(x, t, learning_rate=1.0, n_epochs=n, tolerance=0) for n in (100, 10_000))
    assert (np.diff(long.history) < 0).all()
    assert long.history[-1] < 1e-3 < short.history[-1]
    assert np.linalg.norm(long.neuron.weights) > np.linalg.norm(short.neuron.weights) + 1
    np.testing.assert_array_equal(long.neuron.output(x) > 0.5, np.array(t) == 1)
    held = fit_neuron(x, t, learning_rate=1.0, n_epochs=3000, decay=0.1)
    assert held.converged
    np.testing.assert_allclose(held.neuron.weights, reference(x, np.array(t), 0.1)[0][:2], atol=1e-5, rtol=0)


# examples, targets, and whether a plane has all of them on its right side or on itself, some not on itself
SETS = {
    "apart": ([[0.0], [1.0]], [0, 1], True),
    "interleaved": ([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1], False),
    "met in a point": ([[0.0], [1.0], [1.0], [2.0]], [0, 0, 1, 1], True),
    "met in a line": ([[0, 0], [1, 0], [0, 0], [1, 0], [0, 1.0]], [0, 1, 1, 0, 1], True),
    "the same": ([[1.0, 2.0]] * 4, [0, 1, 0, 1], False),
    "exclusive or": ([[0.0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], False),
    "collinear columns": ([[0.0, 0], [1, 1], [2, 2], [3, 3]], [0, 1, 0, 1], False),
    "large and small": ([[1e8, 1e-8], [2e8, 1e-8], [1e8, 2e-8], [3e8, 3e-8]], [0, 1, 1, 1], True),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SETS)
def test_an_error_without_a_minimum_is_told(name, method):
    x, t, is_apart = SETS[name]
    scale = np.abs(x).max()
    how = {"method": method, "learning_rate": 0.5 / scale**2, "n_epochs": 30, "rng": 1}
    if is_apart:
        with pytest.warns(ConvergenceWarning, match="a plane separates the targets"):
            fit_neuron(x, t, **how)
    else:
        fit_neuron(x, t, **how)
    fit_neuron(x, t, **how, decay=0.1)  # warnings are errors


def test_random_sets_are_told_apart_as_by_their_extreme_planes():
    # if any plane separates, one through two of the examples does: whole numbers, no rounding
    rng = np.random.default_rng(1)
    answers = []
    for _ in range(80):
        x, t = rng.integers(-3, 4, (8, 2)), rng.integers(0, 2, 8)
        ones = np.column_stack([x, np.ones(8, dtype=int)])
        if np.linalg.matrix_rank(ones) < 3 or (t == t[0]).all():
            continue
        planes = np.array([np.cross(one, other) for one in ones for other in ones])
        sides = (2 * t - 1) * (planes @ ones.T)
        answers.append(bool(((sides >= 0).all(axis=1) & (sides > 0).any(axis=1)).any()))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            fit_neuron(x, t, n_epochs=3)
        assert bool(told) == answers[-1], (x, t)
    assert 15 < sum(answers) < len(answers) - 15


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_targets_that_are_all_equal_leave_the_bias_without_a_minimum(decay):
    with pytest.warns(ConvergenceWarning, match="all targets are 1: the error has no minimum, the bias"):
        fit_neuron([[1.0], [2.0]], [1, 1], decay=decay, n_epochs=5)


def test_learning_continues_from_a_neuron():
    x, t = data()
    whole = fit_neuron(x, t, n_epochs=20)
    part = fit_neuron(x, t, n_epochs=12)
    rest = fit_neuron(x, t, n_epochs=8, initial=part.neuron)
    np.testing.assert_array_equal(rest.neuron.weights, whole.neuron.weights)
    np.testing.assert_array_equal(np.append(part.history, rest.history[1:]), whole.history)


def test_a_learning_rate_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="learning_rate=1e"):
        fit_neuron([[1e150], [1e150]], [0, 0], learning_rate=1e200, n_epochs=9)


def test_parameters_are_copied_and_frozen():
    weights = np.ones(2)
    one = Neuron(weights)
    weights[0] = 5
    assert one.weights[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        one.weights[0] = 0
    with pytest.raises(AttributeError):
        one.bias = 1.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0]],), ValueError, "weights has shape"),
        (([],), ValueError, "weights has shape"),
        (([np.nan],), ValueError, "weights=.*NaN"),
        (([np.inf],), ValueError, "weights holds an infinity"),
        ((["a"],), TypeError, "weights"),
        (([1.0], np.nan), ValueError, "bias"),
        (([1.0], -np.inf), ValueError, "bias"),
        (([1.0], [1.0]), ValueError, "bias"),
        (([1.0], None), TypeError, "bias"),
    ],
)
def test_bad_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        Neuron(*arguments)


@pytest.mark.parametrize(
    ("inputs", "targets", "error", "message"),
    [
        ([[1.0, 2.0]], [1], ValueError, "inputs has shape.*3"),
        ([1.0, 2.0, 3.0], [1], ValueError, "inputs has shape"),
        (np.empty((0, 3)), [], ValueError, "inputs has shape"),
        ([[1.0, np.nan, 3.0]], [1], ValueError, "inputs=.*NaN"),
        ([[1.0, np.inf, 3.0]], [1], ValueError, "inputs holds an infinity"),
        ([["a", "b", "c"]], [1], TypeError, "inputs"),
        ([[1.0, 2.0, 3.0]], [1, 0], ValueError, r"targets has shape \(2,\): \(1,\)"),
        ([[1.0, 2.0, 3.0]], 1, ValueError, "targets has shape"),
        ([[1.0, 2.0, 3.0]] * 2, [1, -1], ValueError, r"targets holds -1.*\(t \+ 1\) / 2"),
        ([[1.0, 2.0, 3.0]], [0.5], ValueError, "targets holds 0.5"),
        ([[1.0, 2.0, 3.0]], [np.nan], ValueError, "targets.*NaN"),
        ([[1.0, 2.0, 3.0]], [True], TypeError, "targets"),
    ],
)
def test_bad_training_sets(inputs, targets, error, message):
    for function in (neuron().error, neuron().gradient, neuron().log_likelihood):
        with pytest.raises(error, match=message):
            function(inputs, targets)
    with pytest.raises(error, match=message):
        fit_neuron(inputs, targets, initial=neuron())


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"method": "adam"}, ValueError),
        ({"learning_rate": 0.0}, ValueError),
        ({"learning_rate": np.inf}, ValueError),
        ({"batch_size": 0}, ValueError),
        ({"n_epochs": 0}, ValueError),
        ({"n_epochs": 1.5}, TypeError),
        ({"decay": -1.0}, ValueError),
        ({"tolerance": np.nan}, ValueError),
        ({"initial": "zero"}, TypeError),
        ({"rng": "one", "method": "stochastic"}, TypeError),
    ],
)
def test_bad_arguments_of_learning(keywords, error):
    with pytest.raises(error, match=next(iter(keywords))):
        fit_neuron(*data(), **keywords)


def test_arrays_of_any_layout_and_read_only():
    x, t = data()
    frozen = np.asfortranarray(x)
    frozen.setflags(write=False)
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    assert neuron().error(frozen, t) == pytest.approx(neuron().error(wide, list(t)), rel=1e-14, abs=0)
