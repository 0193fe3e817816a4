"""Averages and gradients against plain sums and finite differences."""

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow.spins import all_states
from rbmflow.training import LBFGS, Exact, GibbsOperator, cd_fixed_point, expected_update, fit, tied
from rbmflow.training.data import check_data
from rbmflow.training.moments import Averages, centred, clamped, exact, free_energy, gradient
from rbmflow.training.moments import divergence as kl
from rbmflow.training.parameters import Parameters, join, make_ties
from rbmflow.training.plan import Method, Objective, Penalty
from rbmflow.training.quasi_newton import cost
from rbmflow.training.trainer import Trainer
from tests.training.laws import divergence, joint, marginal, random_machine, ring_law


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (5, 3), (4, 4)])
def test_exact_moments(shape):
    rbm = random_machine(*shape, 3)
    v, h, p = joint(rbm)
    moments, log_z = exact(Parameters(rbm, np.float64))
    # sums of at most 256 terms of order one
    np.testing.assert_allclose(moments.pairs, (p[:, None] * v).T @ h, rtol=0, atol=1e-13)
    np.testing.assert_allclose(moments.visible, p @ v, rtol=0, atol=1e-13)
    np.testing.assert_allclose(moments.hidden, p @ h, rtol=0, atol=1e-13)
    np.testing.assert_allclose(log_z, marginal(rbm)[1], rtol=1e-14)


def trainer(rbm, data, **options):
    ties = make_ties(rbm, options.get("tie"), options.get("mask"), options.get("biases"))
    objective = Objective(check_data(data, rbm.n_visible), ties, Penalty(l2=options.get("l2", 0.0)))
    return Trainer(objective, Method(Exact(), LBFGS()), rbm, np.random.default_rng(1))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tie": "uniform"},
        {"tie": "uniform", "biases": True},
        {"tie": "translation"},
        {"biases": False},
        {"l2": 0.3},
        {"mask": (np.arange(24).reshape(6, 4) % 3 > 0)},
    ],
)
@pytest.mark.parametrize("n_hidden", [4, 3, 12])
def test_gradient_against_finite_differences(options, n_hidden):
    if "mask" in options:
        options = {"mask": np.arange(6 * n_hidden).reshape(6, n_hidden) % 3 > 0}
    if options.get("tie") == "translation" and n_hidden == 4:
        n_hidden = 6
    rbm = tied(random_machine(6, n_hidden, 2, 0.3), options.get("tie"), mask=options.get("mask"))
    run = trainer(rbm, ring_law(6, 0.4), **options)
    free = run.objective.ties.gather(run.parameters.vector).copy()
    slope = cost(run, free)[1]
    assert slope.shape == free.shape
    step = 1e-5  # central differences: error of order step² and 1e-16/step
    for i in range(len(free)):
        shift = step * (np.arange(len(free)) == i)
        difference = (cost(run, free + shift)[0] - cost(run, free - shift)[0]) / (2 * step)
        np.testing.assert_allclose(slope[i], difference, rtol=1e-7, atol=1e-9)


def test_the_cost_is_the_divergence_and_keeps_its_digits():
    law = ring_law(6, 0.4)
    rbm = random_machine(6, 4, 5)
    run = trainer(rbm, law)
    np.testing.assert_allclose(cost(run, run.parameters.vector.copy())[0], divergence(law, rbm), rtol=1e-12)
    # a model that is the law but for one weight moved by 1e-7:
    # the divergence is its square times half the variance
    rbm = random_machine(5, 3, 6)
    p = marginal(rbm)[0]
    states = all_states(5).astype(float)
    values = []
    for shift in (1e-4, 1e-7):
        moved = Parameters(
            RBM(rbm.weights, rbm.visible_bias + shift * np.eye(5)[0], rbm.hidden_bias), np.float64
        )
        values.append(kl(moved, states, p, exact(moved)[1]) / shift**2)
    variance = 1 - (p @ states[:, 0]) ** 2
    # the third cumulant brings shift/3 · κ₃ relative to ½ variance, rounding 1e-16/shift
    np.testing.assert_allclose(values, variance / 2, rtol=1e-4)


def test_data_without_some_states():
    spins = np.array([[1, 1, -1], [1, 1, -1], [-1, 1, 1], [1, 1, 1]], dtype=np.int8)
    rbm = random_machine(3, 2, 1)
    run = trainer(rbm, spins)
    states, q = check_data(spins, 3).as_law()
    p = marginal(rbm)[0][(states > 0) @ (1 << np.arange(3))]
    np.testing.assert_allclose(
        cost(run, run.parameters.vector.copy())[0], (q * np.log(q / p)).sum(), rtol=1e-13
    )


def middle(data, model):
    return np.concatenate([data.visible + model.visible, data.hidden + model.hidden]) / 2


def test_the_centred_gradient_does_not_depend_on_what_is_called_up():
    # the machine with some visible and hidden spins renamed has the renamed gradient; the usual one has it
    # too for ±1 units, and the centred one stays so, as does its value for a model equal to the data
    rbm = random_machine(5, 4, 3)
    law = ring_law(5, 0.6)
    parameters = Parameters(rbm, np.float64)
    data = clamped(parameters, law.states.astype(float), law.probabilities)
    model = exact(parameters)[0]
    ties = make_ties(rbm, None, None, None)
    half_way = middle(data, model)
    pairs = centred(gradient(data, model), half_way, (5, 4), ties)[:20].reshape(5, 4)
    covariance = lambda m: m.pairs - np.outer(m.visible, m.hidden)
    # with offsets half way between data and model it is the difference of the covariances
    np.testing.assert_allclose(pairs, covariance(data) - covariance(model), rtol=0, atol=1e-14)
    same = centred(gradient(model, model), middle(model, model), (5, 4), ties)
    np.testing.assert_array_equal(same, 0)
    # an ascent direction: its product with the usual gradient is positive
    assert centred(gradient(data, model), half_way, (5, 4), ties) @ gradient(data, model) > 0


def test_moments_match_at_convergence():
    law = ring_law(6, 0.5)
    found = fit(
        random_machine(6, 2, 4, 0.3),
        law,
        negative=Exact(),
        optimizer=LBFGS(gradient=1e-9),
        n_epochs=2000,
        rng=1,
    )
    parameters = Parameters(found.model, np.float64)
    data = clamped(parameters, law.states.astype(float), law.probabilities)
    model = exact(parameters)[0]
    for name in ("pairs", "visible", "hidden"):
        np.testing.assert_allclose(getattr(data, name), getattr(model, name), rtol=0, atol=2e-9)


def test_gibbs_operator():
    rbm = random_machine(4, 3, 8)
    operator = GibbsOperator(rbm)
    T, p = operator.matrix, operator.stationary
    np.testing.assert_allclose(T.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(p, marginal(rbm)[0], rtol=1e-13)
    np.testing.assert_allclose(p @ T, p, rtol=1e-13)  # invariance
    np.testing.assert_allclose(p[:, None] * T, (p[:, None] * T).T, rtol=1e-12, atol=1e-18)  # detailed balance
    values = np.sort(np.linalg.eigvals(T).real)[::-1][:8]
    np.testing.assert_allclose(operator.eigenvalues, values, rtol=0, atol=1e-12)
    assert 0 < operator.gap < 1
    start = np.eye(16)[3]
    np.testing.assert_allclose(operator.push(start, 3), np.linalg.matrix_power(T, 3)[3], rtol=1e-13)


def test_the_expected_update():
    rbm, law = random_machine(4, 3, 9), ring_law(4, 0.7)
    later = law.probabilities @ np.linalg.matrix_power(GibbsOperator(rbm).matrix, 2)
    states = law.states.astype(float)
    means = np.tanh(states @ rbm.weights + rbm.hidden_bias)
    change = law.probabilities - later
    found = expected_update(rbm, law, 2)
    np.testing.assert_allclose(found.weights, (change[:, None] * states).T @ means, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.visible_bias, change @ states, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found.hidden_bias, change @ means, rtol=0, atol=1e-14)
    # many sweeps: the gradient of the likelihood
    p = marginal(rbm)[0]
    far = expected_update(rbm, law, 2000)
    np.testing.assert_allclose(
        far.weights, ((law.probabilities - p)[:, None] * states).T @ means, rtol=0, atol=1e-12
    )


def test_cd_fixed_points_of_the_uniform_machine():
    from rbmflow import trained_weight

    law, best = ring_law(8, 1.0), trained_weight(1.0, 8, 4)
    distances = []
    for k in (1, 2, 5, 10):
        found = cd_fixed_point(RBM.uniform(8, 4, best), law, k, tie="uniform")
        assert abs(expected_update(found, law, k).weights.sum()) < 1e-9
        distances.append(found.weights[0, 0] - best)
    # contrastive divergence overshoots here, and its bias dies with the sweeps
    assert all(distances[i] > 5 * distances[i + 1] > 0 or i == 0 for i in range(3))
    assert 0.01 < distances[0] < 0.02
    assert 0 < distances[3] < 1e-6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GibbsOperator(RBM.uniform(13, 2, 0.1)), "n_visible=13"),
        (lambda: GibbsOperator(RBM.uniform(2, 13, 0.1)), "n_hidden=13"),
        (
            lambda: GibbsOperator(RBM.uniform(2, 2, 0.1)).push(np.ones(3), 1),
            r"probabilities has shape \(3,\)",
        ),
        (lambda: cd_fixed_point(RBM.uniform(4, 2, 0.1), ring_law(5, 1.0), 1), "5 spins"),
        (lambda: expected_update(RBM.uniform(4, 2, 0.1), ring_law(4, 1.0), 0), "k=0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_machine_is_needed():
    with pytest.raises(TypeError, match="rbm=3"):
        GibbsOperator(3)


def test_join_and_views():
    rbm = random_machine(3, 2, 1)
    parameters = Parameters(rbm, np.float32)
    parameters.weights[1, 1] = 7
    assert parameters.vector[3] == 7
    assert len(join(rbm.weights, rbm.visible_bias, rbm.hidden_bias)) == 11


def test_the_centred_gradient_is_its_formula():
    # K. Cho, T. Raiko and A. Ilin, Neural Comput. 25, 805 (2013), written out for free parameters
    rng = np.random.default_rng(31)
    rbm = RBM(rng.normal(0, 0.5, (4, 3)), rng.normal(size=4), rng.normal(size=3))
    data, model = (
        Averages(rng.uniform(-1, 1, (4, 3)), rng.uniform(-1, 1, 4), rng.uniform(-1, 1, 3)) for _ in range(2)
    )
    slope = gradient(data, model)
    g_w, g_b, g_c = data.pairs - model.pairs, data.visible - model.visible, data.hidden - model.hidden
    np.testing.assert_array_equal(slope, np.concatenate([g_w.ravel(), g_b, g_c]))
    mu, lam = (data.visible + model.visible) / 2, (data.hidden + model.hidden) / 2
    turned = g_w - np.outer(g_b, lam) - np.outer(mu, g_c)
    wanted = np.concatenate([turned.ravel(), g_b - turned @ lam, g_c - turned.T @ mu])
    found = centred(slope, np.concatenate([mu, lam]), (4, 3), make_ties(rbm, None, None, None))
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_exact_averages_have_the_precision_of_the_run(real):
    found, log_z = exact(Parameters(RBM.uniform(3, 2, 0.3), real))
    assert {part.dtype for part in (found.pairs, found.visible, found.hidden)} == {np.dtype(real)}
    assert isinstance(log_z, float)


def test_the_divergence_of_a_law_that_lists_every_state_has_no_rounded_rest():
    # 1 − Σ p, of a few 1e-16, would be added where states were missing;
    # that of a law from itself is the square of roundings
    for seed in range(10):
        p = Parameters(random_machine(4, 3, seed), np.float64)
        log_z, rows = exact(p)[1], all_states(4).astype(float)
        law = np.exp(-free_energy(p, rows) - log_z)
        assert kl(p, rows, law, log_z) < 1e-28
