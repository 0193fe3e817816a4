"""The scikit-learn face: its contract, its likelihoods, its loop against that of `fit`."""

import pickle
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra learn is absent")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from rbmflow import RBM, ConvergenceWarning, LikelihoodWarning, Ring
from rbmflow.estimator import IsingRBM
from rbmflow.likelihood import log_partition
from rbmflow.networks import exact_log_partition, hidden_law
from rbmflow.training import CD, PCD, SGD, Tempered, fit

SPINS = Ring(8).sample(0.7, 500, rng=1)


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(IsingRBM(), marks=pytest.mark.slow),
        IsingRBM(n_iter=2),
        IsingRBM(3, n_iter=10, negative=CD(2), batch_size=7),
    ],
    ids=repr,
)
def test_the_checks_of_scikit_learn(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert {one["status"] for one in results} <= {"passed", "skipped"}
    # one check needs an environment variable; none is excused here
    assert sum(one["status"] == "skipped" for one in results) <= 1
    assert not any(one["expected_to_fail"] for one in results)


@pytest.mark.parametrize("negative", [None, CD(3), PCD(2, 30), Tempered(3, 1, 20)], ids=repr)
def test_batches_one_by_one_are_the_loop_of_fit(negative):
    arguments = {"learning_rate": 0.05, "batch_size": 64, "negative": negative, "random_state": 3}
    parts = IsingRBM(5, **arguments)
    for _ in range(3):
        for first in range(0, len(SPINS), 64):
            parts.partial_fit(SPINS[first : first + 64])
    rng = np.random.default_rng(parts._seed)
    begun = RBM(rng.normal(0.0, 0.01, (8, 5)))
    whole = fit(
        begun,
        SPINS,
        negative=negative or PCD(1, 100),
        optimizer=SGD(0.05),
        n_epochs=3,
        batch_size=64,
        shuffle=False,
        rng=rng,
        record=(),
    )
    np.testing.assert_array_equal(parts.rbm_.weights, whole.model.weights)
    np.testing.assert_array_equal(parts.rbm_.hidden_bias, whole.model.hidden_bias)
    assert parts.state_.n_updates == whole.state.n_updates == 3 * 8
    # all rows at once in their order are the same batches
    again = IsingRBM(5, **arguments)
    for _ in range(3):
        again.partial_fit(SPINS)
    np.testing.assert_array_equal(again.rbm_.weights, whole.model.weights)


def test_training_finds_the_law_of_a_ring():
    ring = Ring(8)
    spins = ring.sample(0.7, 4000, rng=2)
    machine = IsingRBM(8, learning_rate=0.05, n_iter=60, negative=PCD(5, 500), random_state=1).fit(spins)
    # −H of the exact law; 0.1 nats of the 8 ln 2 are what a rough training may leave
    entropy = float(ring.log_partition(0.7) + 0.7 * 8 * ring.energy(0.7))
    fresh = ring.sample(0.7, 4000, rng=3)
    assert -entropy - 0.1 < machine.score(fresh) < -entropy + 0.05


def test_likelihoods_are_true_ones():
    machine = IsingRBM(4, learning_rate=0.1, n_iter=20, random_state=1).fit(SPINS)
    expected = machine.rbm_.log_likelihood(SPINS)
    np.testing.assert_allclose(machine.score_samples(SPINS), expected, rtol=1e-13)
    assert machine.score(SPINS) == pytest.approx(expected.mean(), rel=1e-13, abs=0)


def test_large_machines_are_annealed():
    spins = Ring(28).sample(0.5, 300, rng=1)
    machine = IsingRBM(27, learning_rate=0.05, n_iter=5, held_out=0.0, random_state=1).fit(spins)
    found, exact = machine.log_partition(), float(log_partition(machine.rbm_))
    assert found.stderr > 0
    # false alarm: 6e-5; the seed is fixed
    assert abs(found.value - exact) < 4 * found.stderr
    assert machine.log_partition() is found
    np.testing.assert_allclose(
        machine.score_samples(spins) + found.value, -machine.rbm_.free_energy(spins), rtol=1e-12
    )


def test_samples_follow_the_machine():
    machine = IsingRBM(3, learning_rate=0.1, n_iter=10, random_state=1).fit(SPINS)
    machine.rbm_ = RBM.uniform(8, 3, 0.3)
    exact = machine.rbm_.mean_hidden(machine.sample(20_000)).mean()
    assert abs(exact) < 0.05
    spins = machine.sample(5000)
    for _ in range(3):
        spins = machine.gibbs(spins)
    # ⟨V²⟩ stays: five standard errors of 5000 samples of a number between 0 and 64
    fresh = machine.sample(5000)
    spread = np.std(fresh.sum(axis=1).astype(float) ** 2) * np.sqrt(2 / 5000)
    assert abs((spins.sum(axis=1) ** 2.0).mean() - (fresh.sum(axis=1) ** 2.0).mean()) < 5 * spread


def test_samples_of_large_machines_are_ends_of_chains():
    machine = IsingRBM(25, n_iter=0, random_state=1).fit(np.ones((2, 26)))
    machine.rbm_ = RBM(np.zeros((26, 25)), visible_bias=np.full(26, 0.5))
    mean = machine.sample(500, n_sweeps=40).mean()
    assert abs(mean - np.tanh(0.5)) < 5 / np.sqrt(500 * 26)
    assert (machine.sample(5, n_sweeps=40) != machine.sample(5, n_sweeps=40)).any()
    with pytest.warns(ConvergenceWarning, match=r"r_hat inf.*n_sweeps=20 at \d+ temp.*more sweeps help"):
        assert machine.sample(3, n_sweeps=20).shape == (3, 26)


def two_modes(n_hidden):
    """30 visible units; the pattern p and −p weigh as 0.77 to 0.23 where there are 20 hidden units."""
    pattern = np.where(np.random.default_rng(1).random(30) < 0.5, 1.0, -1.0)
    return RBM(0.25 * np.outer(pattern, np.ones(n_hidden)), 0.0202 * pattern), pattern


def test_samples_give_modes_their_weights():
    machine = IsingRBM(20, n_iter=0, random_state=1).fit(np.ones((2, 30)))
    machine.rbm_, pattern = two_modes(20)
    law = hidden_law(machine.rbm_)
    up, even = (
        law.probabilities[law.states.sum(axis=1) > 0].sum(),
        law.probabilities[law.states.sum(axis=1) == 0].sum(),
    )
    share = up + even / 2
    assert share == pytest.approx(0.7706, abs=1e-4)
    found = (machine.sample(4000) @ pattern > 0).mean()
    # 4 standard errors of 4,000 independent draws, 6e-5; Σ h and p·v differ in sign in less than one of 500
    assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / 4000) + 0.002


def test_digits_are_scored_by_enumeration():
    # 25 units trained at a rate of 1:
    # annealed importance sampling was off by 200 to 800 nats, with 1 effective chain of 100
    from sklearn.datasets import load_digits

    bits = (load_digits().data > 7).astype(float)
    machine = IsingRBM(25, threshold=0.5, n_iter=0, random_state=0).fit(bits[:1437])
    machine.rbm_ = fit(
        RBM(np.random.default_rng(1).normal(0, 0.01, (64, 25))),
        (2 * bits[:1437] - 1).astype(np.int8),
        negative=PCD(1, 10),
        optimizer=SGD(1.0),
        n_epochs=30,
        batch_size=10,
        rng=1,
        record=(),
    ).model
    held = 2 * bits[1437:] - 1
    assert machine.score(bits[1437:]) == pytest.approx(
        (-machine.rbm_.free_energy(held)).mean() - exact_log_partition(machine.rbm_), rel=1e-12, abs=0
    )
    assert machine.log_partition().stderr == 0
    with pytest.warns(LikelihoodWarning, match="ln Z"):
        alone = log_partition(machine.rbm_, "ais", rng=1)
    assert alone.value < float(machine.log_partition())


def test_likelihoods_that_should_not_be_relied_on_are_told(monkeypatch):
    machine = IsingRBM(30, n_iter=0, random_state=1).fit(np.ones((2, 40)))
    rng = np.random.default_rng(2)
    machine.rbm_ = RBM(rng.normal(0, 3, (40, 30)), rng.normal(0, 3, 40), rng.normal(0, 3, 30))
    # fewer temperatures than four thousand leave a doubt here, which "auto" goes on to settle
    with pytest.warns(LikelihoodWarning):
        assert log_partition(machine.rbm_, "bracket", rng=machine._seed).doubt
    monkeypatch.setattr("rbmflow.likelihood.partition.CLOSE", -1.0)
    found = machine.log_partition()  # no warning here: what is doubted can be read
    assert found.doubt
    for score in (machine.score, machine.score_samples):
        with pytest.warns(LikelihoodWarning, match=r"log-likelihoods: .*ln Z = .*between"):
            score(np.ones((3, 40)))


def test_a_machine_that_would_not_fit_into_memory_is_refused_before_work(monkeypatch):
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 2**38)
    for data in (np.ones((2, 64)), Ring(64).sample(0.1, 2, rng=1)):
        with pytest.raises(
            MemoryError, match=r"n_visible=64, n_hidden=100000000: 387.4 GiB of memory are needed"
        ):
            IsingRBM(10**8).fit(data)


def test_features_become_spins_by_the_threshold():
    X = np.array([[0.2, 1.7], [3.0, -0.1]])
    machine = IsingRBM(2, threshold=1.0, random_state=1).fit(X)
    np.testing.assert_array_equal(machine.transform(X), machine.rbm_.mean_hidden([[-1, 1], [1, -1]]))
    binary = np.array([[0, 1], [1, 0], [1, 1]])
    as_spins = IsingRBM(2, random_state=1).fit(2 * binary - 1)
    np.testing.assert_array_equal(
        IsingRBM(2, threshold=0.5, random_state=1).fit(binary).components_, as_spins.components_
    )


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "score_samples", "gibbs"])
def test_zeros_and_ones_are_refused_with_a_hint(method):
    machine = IsingRBM(2, random_state=1).fit([[1, -1], [-1, 1]])
    with pytest.raises(ValueError, match=r"threshold=0\.5, or spins 2 \* X - 1"):
        getattr(machine, method)([[0, 1], [1, 1]])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"n_components": 0}, "n_components"),
        ({"learning_rate": -1.0}, "rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"n_iter": -1}, "n_iter"),
        ({"negative": "cd"}, "negative"),
        ({"threshold": "low"}, "threshold"),
    ],
)
def test_bad_parameters(change, name):
    with pytest.raises((TypeError, ValueError), match=name):
        IsingRBM(**change).fit([[1, -1], [-1, 1]])


def test_a_training_that_fails_leaves_no_likelihood_of_an_older_machine():
    machine = IsingRBM(3, learning_rate=0.1, n_iter=30, random_state=1)
    with pytest.raises(ValueError, match="learning_rate=-1"):
        IsingRBM(3, learning_rate=-1).fit(SPINS)
    machine.fit(SPINS).score(SPINS)
    with pytest.raises(ValueError, match="learning_rate=-1"):
        machine.set_params(learning_rate=-1).fit(SPINS)
    assert machine.score(SPINS) == pytest.approx(machine.rbm_.log_likelihood(SPINS).mean(), rel=1e-12, abs=0)


def test_bad_data():
    machine = IsingRBM(2, random_state=1)
    with pytest.raises(NotFittedError):
        machine.transform([[1, -1]])
    for X in ([[1, np.nan]], [[1, np.inf]], [], [1, -1]):
        with pytest.raises(ValueError, match=r"X|Found|Expected|Input"):
            machine.fit(X)
    machine.fit([[1, -1], [-1, 1]])
    with pytest.raises(ValueError, match="features"):
        machine.partial_fit([[1, -1, 1]])
    with pytest.raises(ValueError, match="h"):
        machine.inverse_transform([[2.0, 0.0]])


def test_in_a_pipeline_under_a_grid_search():
    labels = SPINS[:, 0] * SPINS[:, 4] > 0
    pipe = make_pipeline(IsingRBM(random_state=1, n_iter=2), LogisticRegression())
    grid = GridSearchCV(pipe, {"isingrbm__n_components": [2, 4]}, cv=2).fit(SPINS, labels)
    assert grid.best_score_ > 0.4
    by_likelihood = GridSearchCV(IsingRBM(random_state=1), {"n_iter": [0, 30]}, cv=2).fit(SPINS)
    assert by_likelihood.best_params_ == {"n_iter": 30}
    names = pipe[0].set_output(transform="default").fit(SPINS).get_feature_names_out()
    assert list(names[:2]) == ["isingrbm0", "isingrbm1"]


def test_pickles_and_clones_go_on_alike():
    machine = IsingRBM(3, random_state=1).fit(SPINS)
    twin = pickle.loads(pickle.dumps(machine))
    np.testing.assert_array_equal(twin.transform(SPINS), machine.transform(SPINS))
    np.testing.assert_array_equal(twin.gibbs(SPINS), machine.gibbs(SPINS))
    np.testing.assert_array_equal(twin.partial_fit(SPINS).components_, machine.partial_fit(SPINS).components_)
    np.testing.assert_array_equal(
        clone(machine).fit(SPINS).components_, IsingRBM(3, random_state=1).fit(SPINS).components_
    )


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("rbmflow.estimator")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(ImportError, match=r"rbmflow\[learn\]"):
        import rbmflow.estimator  # noqa: F401


def test_truth_values_sparse_matrices_and_frames_are_the_same_rows():
    sparse = pytest.importorskip("scipy.sparse")
    wanted = IsingRBM(3, n_iter=4, random_state=1).fit(SPINS)
    bits = (SPINS + 1) // 2
    whole = sparse.csr_array(bits)  # and with each entry in two halves, which add up
    halves = whole.data.repeat(2) / 2, whole.indices.repeat(2), 2 * whole.indptr
    halves = sparse.csr_array(halves, shape=whole.shape)
    for X, settings in (
        (SPINS > 0, {}),
        (bits, {"threshold": 0.5}),
        (sparse.csr_matrix(bits), {"threshold": 0.5}),
        (sparse.csc_array(bits), {"threshold": 0.5}),
        (sparse.csr_array(SPINS), {}),
        (sparse.csr_array((SPINS + 1) / 2 - 3), {"threshold": -2.5}),
        (halves, {"threshold": 0.7}),
    ):
        found = IsingRBM(3, n_iter=4, random_state=1, **settings).fit(X)
        np.testing.assert_array_equal(found.components_, wanted.components_)
        np.testing.assert_array_equal(found.transform(X), wanted.transform(SPINS))
        np.testing.assert_array_equal(found.score_samples(X), wanted.score_samples(SPINS))
    pandas = pytest.importorskip("pandas", reason="frames are an extra")
    frame = pandas.DataFrame(SPINS > 0, columns=[f"s{i}" for i in range(8)])
    found = IsingRBM(3, n_iter=4, random_state=1).fit(frame)
    np.testing.assert_array_equal(found.components_, wanted.components_)
    assert list(found.feature_names_in_) == list(frame.columns)


@pytest.mark.parametrize("threshold", [0.0, -1.0])
def test_sparse_bits_are_refused_where_zeros_would_be_spins(threshold):
    sparse = pytest.importorskip("scipy.sparse")
    for X in (sparse.csr_array((SPINS + 1) // 2), sparse.csr_array(np.zeros((3, 4))), (SPINS + 1) // 2):
        with pytest.raises(ValueError, match="X holds only 0 and 1"):
            IsingRBM(3, threshold=threshold).fit(X)


def test_the_order_of_rows_does_not_matter():
    order = np.random.default_rng(1).permutation(len(SPINS))
    one, other = (IsingRBM(3, n_iter=40, random_state=1).fit(X).components_ for X in (SPINS, SPINS[order]))
    np.testing.assert_array_equal(one, other)


def test_grey_features():
    up = np.random.default_rng(1).random((300, 8)) * 0.2 + 0.6 * (SPINS[:300] > 0)
    machine = IsingRBM(4, grey=True, n_iter=80, random_state=1).fit(up)
    # of independent units given the row: means are learned, and correlations, less than those of the spins
    law = machine.sample(20_000).mean(axis=0)
    np.testing.assert_allclose(law, (2 * up - 1).mean(axis=0), rtol=0, atol=0.1)
    rbm = machine.rbm_
    np.testing.assert_allclose(
        machine.transform(up),
        np.tanh((2 * up.astype(np.float32) - 1) @ rbm.weights + rbm.hidden_bias),
        rtol=1e-6,
    )
    assert machine.score(up) == machine.score(up)
    assert abs(machine._rows.mean() - (2 * up - 1).mean()) < 0.1  # ln Z is checked against draws
    with pytest.raises(ValueError, match="values from 0 to 1 are needed"):
        machine.transform(up + 0.5)
    with pytest.raises(TypeError, match="grey=1"):
        IsingRBM(3, grey=1).fit(up)


def test_missing_values():
    gaps = np.where(np.random.default_rng(1).random(SPINS.shape) < 0.1, np.nan, SPINS)
    machine = IsingRBM(4, learning_rate=0.05, n_iter=200, random_state=1).fit(gaps)
    whole = IsingRBM(4, learning_rate=0.05, n_iter=200, random_state=1).fit(SPINS)
    assert machine.score(SPINS) > whole.score(SPINS) - 0.2
    found = machine.complete(gaps[:20], n_chains=50)
    known = ~np.isnan(gaps[:20])
    np.testing.assert_array_equal(found.means[known], gaps[:20][known])
    assert (found.stderr[~known] > 0).all()
    # what is missing is guessed better than by a coin: its neighbours are known
    assert (found.means * SPINS[:20])[~known].mean() > 0.1
    hidden = machine.transform(gaps[:20])
    np.testing.assert_array_equal(hidden, machine.transform(gaps[:20]))
    inside = known.all(axis=1)
    np.testing.assert_allclose(hidden[inside], machine.transform(SPINS[:20])[inside], rtol=1e-12)
    for question in (machine.score_samples, machine.gibbs):
        with pytest.raises(ValueError, match="X holds NaN in row 0, column 1"):
            question([[1, np.nan, 1, 1, 1, 1, 1, 1]])
    with pytest.raises(ValueError, match="X has no value in column 1"):
        machine.fit([[1, np.nan], [1, np.nan]])
    parts = IsingRBM(4, random_state=1).partial_fit(gaps[:100]).partial_fit(gaps[100:300])
    assert parts.state_.n_updates == 3


def test_independent_units_learn_more():
    noise = np.random.default_rng(1).choice([-1, 1], (60, 8))
    machine = IsingRBM(4, learning_rate=0.05, random_state=1).fit(noise)
    assert not machine.rbm_.weights.any()
    for _ in range(30):
        machine.partial_fit(SPINS)
    assert machine.score(SPINS) > -8 * np.log(2) + 1


def test_weights_are_numbers_of_copies():
    counts = np.random.default_rng(1).integers(0, 3, len(SPINS))
    one = IsingRBM(3, n_iter=30, random_state=1).fit(SPINS, sample_weight=counts)
    other = IsingRBM(3, n_iter=30, random_state=1).fit(np.repeat(SPINS, counts, axis=0))
    np.testing.assert_array_equal(one.components_, other.components_)
    half = IsingRBM(3, n_iter=30, random_state=1).fit(SPINS, sample_weight=counts / 2)
    assert np.isfinite(half.score(SPINS))


def test_optimisers_have_rates_of_their_own():
    for name in ("sgd", "momentum", "adam"):
        machine = IsingRBM(4, optimizer=name, n_iter=100, random_state=1).fit(SPINS)
        assert machine.score(SPINS) > -8 * np.log(2) + 1
        assert IsingRBM(2, optimizer=name, random_state=1).partial_fit(SPINS).state_.n_updates == 5
    with pytest.raises(ValueError, match="optimizer='sgdm'"):
        IsingRBM(4, optimizer="sgdm").fit(SPINS)
