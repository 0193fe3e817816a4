"""Weights and biases that data in a field teach: the equation, all states, and training to the end."""

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from rbmflow import LBFGS, RBM, Exact, Law, Ring, fit, trained_weight
from rbmflow.networks import kl_divergence
from rbmflow.weight import trained_weight_from_law, trained_weight_in_field, trained_with_biases


@pytest.mark.parametrize(("K", "field"), [(0.5, 0.1), (1.0, -0.5), (-0.5, 3.0), (0.3, 2.0)])
def test_the_equation_the_divergence_and_the_law(K, field):
    weight = trained_weight_in_field(K, field, 8, 4)
    law = Ring(8).magnetization_law(K, field=field).symmetrized()
    assert weight == pytest.approx(trained_weight_from_law(law, 4), rel=1e-12)
    states = Ring(8).to_graph(field).state_law(K)
    least = minimize_scalar(lambda W: kl_divergence(states, RBM.uniform(8, 4, W)), (0.5 * weight, weight))
    # the divergence is quadratic about its least value
    assert weight == pytest.approx(least.x, rel=1e-6)


def test_no_field_and_weak_ones():
    K = np.array([-0.5, 0.0, 1e-8, 0.2, 1.0, 3.0])
    np.testing.assert_allclose(trained_weight_in_field(K, 0.0, 9, 5), trained_weight(K, 9, 5), rtol=1e-12)
    np.testing.assert_allclose(
        trained_weight_in_field(K[3:], 1e-9, 9, 5), trained_weight(K[3:], 9, 5), rtol=1e-12
    )
    exact = trained_weight_in_field("0.7", "0.1", 8, 4, dps=30)
    assert float(exact) == pytest.approx(trained_weight_in_field(0.7, 0.1, 8, 4), rel=1e-15)
    again = trained_weight_in_field("0.7", "0.1", 8, 4, dps=40)
    assert mpmath.nstr(exact, 30) == mpmath.nstr(again, 30)
    # ⟨V²⟩ = M: at first order of K and second of b, 2 K M and M (M − 1) b²
    b = 1e-3
    assert trained_weight_in_field(-1e-6, -1e3, 9, 5) > 0
    assert trained_weight_in_field(-1e-3, b * 1e3, 9, 5) == 0
    assert trained_weight_in_field([0.5, -1.0], 0.1, 9, 5).tolist()[1] == 0


@pytest.mark.parametrize("biases", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize(("K", "field"), [(0.5, 0.1), (1.0, 0.5), (0.3, -0.4)])
def test_training_to_the_end(K, field, biases):
    """A machine of equal weights, trained on all states, ends where the means of the law say."""
    law = Ring(8).magnetization_law(K, field=field)
    best = trained_with_biases(law, 4, visible=biases[0], hidden=biases[1])
    states = Ring(8).to_graph(field).state_law(K)
    machine = RBM(np.full((8, 4), best.weight), np.full(8, best.visible_bias), np.full(4, best.hidden_bias))
    if biases == (False, False):
        assert best.weight == pytest.approx(trained_weight_in_field(K, field, 8, 4), rel=1e-10)
    if all(biases):
        begin = RBM(np.full((8, 4), 0.2), np.full(8, 0.05), np.full(4, -0.1))
        found = fit(
            begin,
            states,
            negative=Exact(),
            optimizer=LBFGS(),
            n_epochs=300,
            tie="uniform",
            biases=True,
            rng=1,
        ).model
        # KL is flat along one direction: (10⁻¹¹)^½ of it
        assert found.weights[0, 0] == pytest.approx(best.weight, abs=1e-7)
        assert found.visible_bias[0] == pytest.approx(best.visible_bias, abs=1e-6)
        assert found.hidden_bias[0] == pytest.approx(best.hidden_bias, abs=1e-6)
    # the divergence over states has that within classes of V beside it, whatever the machine
    other = RBM.uniform(8, 4, 0.1)
    q = law.probabilities

    def between(rbm):
        logs = -rbm.free_energy(np.where(np.arange(8) < np.arange(9)[:, np.newaxis], 1, -1))
        p = np.exp(logs) * [float(mpmath.binomial(8, n)) for n in range(9)]
        p /= p.sum()
        return q @ np.log(q / p)

    within = kl_divergence(states, other) - between(other)
    assert kl_divergence(states, machine) - within == pytest.approx(best.divergence, abs=1e-12)


def test_biases_can_only_help_and_an_antiferromagnet_needs_no_weight():
    for K, field in ((0.5, 0.1), (1.0, 0.05), (-0.5, 1.0)):
        law = Ring(12).magnetization_law(K, field=field)
        found = [
            trained_with_biases(law, 6, visible=v, hidden=h).divergence
            for v, h in ((False, False), (True, False), (True, True))
        ]
        assert found[0] >= found[1] - 1e-12
        assert found[1] >= found[2] - 1e-12
    alone = trained_with_biases(law, 6, hidden=False)
    assert alone.weight == pytest.approx(0, abs=1e-8)
    # independent spins of the right mean
    assert np.tanh(alone.visible_bias) == pytest.approx(Ring(12).magnetization(-0.5, field=1.0), rel=1e-9)
    flipped = trained_with_biases(Ring(12).magnetization_law(0.5, field=-0.1), 6)
    best = trained_with_biases(Ring(12).magnetization_law(0.5, field=0.1), 6)
    assert flipped.visible_bias == pytest.approx(-best.visible_bias, rel=1e-6)
    assert flipped.hidden_bias == pytest.approx(-best.hidden_bias, rel=1e-6)


def test_what_is_refused():
    with pytest.raises(ValueError, match="law holds laws of shape"):
        trained_with_biases(Ring(8).magnetization_law([0.1, 0.2]), 4)
    with pytest.raises(ValueError, match="one value of V alone"):
        trained_with_biases(Law(np.arange(-3, 4, 2), np.array([0, 0, 0, 1.0])), 4)
    with pytest.raises(TypeError, match=r"law=0\.5: a rbmflow.Law is needed"):
        trained_with_biases(0.5, 4)
    with pytest.raises(ValueError, match="in a field"):
        trained_weight_in_field(np.inf, 0.1, 8, 4)
