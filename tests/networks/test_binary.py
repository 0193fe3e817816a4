"""0/1 units: the same law, there and back, and from what scikit-learn calls a fitted machine."""

from types import SimpleNamespace

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow.networks import BinaryParameters, exact_log_partition, visible_law
from tests.networks.machines import joint_weights, random_machine, states


def test_the_law_is_the_same():
    rbm = random_machine(4, 3, seed=1)
    binary = rbm.to_binary()
    x, y = (states(4) + 1) // 2, (states(3) + 1) // 2
    coupled = x @ binary.weights @ y.T
    weight = np.exp(coupled + (x @ binary.visible_bias)[:, None] + (y @ binary.hidden_bias)[None, :])
    # every state, with the constant between the energies: exponents up to 20 with a few roundings
    np.testing.assert_allclose(weight * np.exp(binary.constant), joint_weights(rbm), rtol=1e-13)
    assert np.log(weight.sum()) + binary.constant == pytest.approx(exact_log_partition(rbm), abs=1e-13)


def test_there_and_back():
    rbm = random_machine(5, 2, seed=2)
    back = RBM.from_binary(rbm.to_binary())
    np.testing.assert_array_equal(back.weights, rbm.weights)  # 4 and 1/4 do not round
    np.testing.assert_allclose(back.visible_bias, rbm.visible_bias, rtol=0, atol=1e-14)
    np.testing.assert_allclose(back.hidden_bias, rbm.hidden_bias, rtol=0, atol=1e-14)


def test_a_fitted_estimator_is_read_by_its_attributes():
    binary = random_machine(4, 3, seed=3).to_binary()
    fitted = SimpleNamespace(
        components_=binary.weights.T,
        intercept_visible_=binary.visible_bias,
        intercept_hidden_=binary.hidden_bias,
    )
    np.testing.assert_allclose(
        visible_law(RBM.from_binary(fitted)).probabilities,
        visible_law(random_machine(4, 3, seed=3)).probabilities,
        rtol=1e-12,
    )


def test_scikit_learn():
    network = pytest.importorskip("sklearn.neural_network")
    data = (np.random.default_rng(4).random((200, 6)) < 0.3).astype(float)
    fitted = network.BernoulliRBM(n_components=3, n_iter=5, random_state=1).fit(data)
    rbm = RBM.from_binary(fitted)
    # P(y = 1 | x) of one is (1 + <h | v>)/2 of the other
    np.testing.assert_allclose((1 + rbm.mean_hidden(2 * data - 1)) / 2, fitted.transform(data), rtol=1e-10)


def test_machines_of_spins_are_taken_as_they_are():
    pytest.importorskip("sklearn")
    estimator = pytest.importorskip("rbmflow.estimator")
    fitted = estimator.IsingRBM(3, learning_rate=0.5, random_state=1).fit(
        np.array([[1, 1, -1, -1], [1, 1, 1, 1]])
    )
    for source in (fitted, fitted.rbm_):
        rbm = RBM.from_binary(source)
        np.testing.assert_array_equal(rbm.weights, fitted.components_.T)
        np.testing.assert_array_equal(rbm.visible_bias, fitted.intercept_visible_)
        np.testing.assert_array_equal(rbm.hidden_bias, fitted.intercept_hidden_)
        with pytest.raises(TypeError, match="has its own"):
            RBM.from_binary(source, [0.0] * 4)
        with pytest.raises(TypeError, match="has its own"):
            RBM.from_binary(source, hidden_bias=[0.0] * 3)
    with pytest.raises(TypeError, match="not fitted"):
        RBM.from_binary(estimator.IsingRBM(3))


@pytest.mark.parametrize("make", [RBM, RBM.from_binary], ids=["RBM", "from_binary"])
def test_weights_of_the_wrong_way_round_are_noticed_where_biases_tell(make):
    torch_shaped = np.ones((3, 5))  # 5 visible and 3 hidden units
    for biases in ({"visible_bias": np.ones(5)}, {"hidden_bias": np.ones(3)}):
        with pytest.raises(
            ValueError, match=r"_bias has shape .*\(n_visible, n_hidden\), torch and scikit-learn"
        ):
            make(torch_shaped, **biases)
        assert make(torch_shaped.T, **biases).n_visible == 5
    with pytest.raises(ValueError, match=r"visible_bias has shape \(4,\): \(3,\) is needed$"):
        make(torch_shaped, np.ones(4))
    assert make(np.ones((4, 4)), np.ones(4)).n_hidden == 4


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, 2.0],), ValueError, "weights has shape"),
        (([[np.nan]],), ValueError, "NaN"),
        (([[1.0, 2.0]], [1.0, 2.0]), ValueError, r"visible_bias has shape \(2,\): \(1,\)"),
        (([[1.0, 2.0]], None, [np.inf, 1.0]), ValueError, "hidden_bias holds an infinity"),
        ((SimpleNamespace(fit=1),), TypeError, "not fitted"),
        ((SimpleNamespace(components_=np.ones((1, 1))),), TypeError, "intercept_visible_"),
        ((BinaryParameters(np.ones((1, 1)), np.ones(1), np.ones(1)), [1.0]), TypeError, "has its own"),
    ],
)
def test_bad_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        RBM.from_binary(*arguments)
