"""Settings chosen from the data: what they are, and what they reach on data whose law is known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rbmflow import RBM, LikelihoodWarning, Ring
from rbmflow.ising.state_law import state_law
from rbmflow.networks import kl_divergence
from rbmflow.training import (
    CD,
    LBFGS,
    PCD,
    SGD,
    Adam,
    Grey,
    Incomplete,
    Linear,
    Momentum,
    Recipe,
    Tempered,
    learn,
    learning,
)
from rbmflow.training.attempt import Course
from rbmflow.training.data import Data
from rbmflow.training.judging import Judge, hold_out
from rbmflow.training.optimizers import rate_of


def random_rows(n, n_units, seed=1, share=0.5):
    return np.where(np.random.default_rng(seed).random((n, n_units)) < share, 1, -1).astype(np.int8)


def two_patterns():
    x, y = random_rows(2, 30, seed=4)
    which = np.random.default_rng(5).random(1000) < 0.5
    return np.where(which[:, None], x, y).astype(np.int8)


def test_the_rate_falls_to_its_last_part():
    optimizer = SGD(Linear(0.1, 4))
    rates = [rate_of(optimizer, epoch) for epoch in range(6)]
    np.testing.assert_allclose(rates, [0.1, 0.075, 0.05, 0.025, 0.025, 0.025], rtol=1e-15)


def test_what_is_chosen():
    plain = Recipe().settled(random_rows(950, 40))
    assert plain == Recipe(
        PCD(1, 100), 100, SGD(Linear(0.02, 800)), None, 100, 800, 10 / 950, False, True, 0.1
    )
    sparse = Recipe(batch_size=50).settled(random_rows(500, 40, share=0.01))
    assert (sparse.centred, sparse.optimizer, sparse.n_epochs) == (True, SGD(Linear(0.03, 150)), 150)
    tempered = Recipe(n_chains=7).settled(random_rows(500, 40), tempered=True)
    assert (tempered.negative, tempered.n_epochs) == (Tempered(10, 1, 7), 800)
    given = {"negative": CD(2), "n_epochs": 3, "l2": 0.5, "centred": True, "average": False}
    for optimizer in ({"learning_rate": 0.3}, {"optimizer": Adam(0.01)}):
        kept = Recipe(**given, **optimizer).settled(random_rows(500, 40))
        assert {name: getattr(kept, name) for name in given} == given
        assert kept.optimizer == optimizer.get("optimizer", SGD(Linear(0.3, 3)))


def test_few_rows_do_not_make_weights_oscillate():
    rows = np.array([[1, 1, -1, -1], [1, 1, 1, 1]])
    settled = Recipe(learning_rate=0.5).settled(rows)
    assert settled.l2 == 1.0
    assert Recipe(optimizer=Momentum(0.05, 0.9)).settled(rows).l2 == pytest.approx(1.0)
    assert np.abs(learn(rows, 3, Recipe(learning_rate=0.5, n_epochs=200), rng=1).model.weights).max() < 10


def test_units_begin_with_the_means_of_the_data():
    rows = random_rows(4000, 6, share=np.array([0.1, 0.3, 0.5, 0.7, 0.9, 1.0]))
    begun = learning.start_from(rows, 3, np.random.default_rng(1))
    np.testing.assert_allclose(np.tanh(begun.visible_bias), rows.mean(axis=0) * 4000 / 4001, rtol=1e-12)
    fields = np.tanh(begun.visible_bias) @ begun.weights + begun.hidden_bias
    np.testing.assert_allclose(fields, 0, atol=1e-15)


def test_a_ring_is_learned():
    # 0.028 to 0.040 with twenty other seeds of data and training
    ring = Ring(16)
    found = learn(ring.sample(0.7, 5000, rng=1), 16, rng=3)
    assert kl_divergence(state_law(ring, 0.7), found.model) < 0.045
    assert found.history["epoch"][0] == 0
    assert len(found.history["epoch"]) == len(found.history["log_likelihood"]) == 21
    assert found.log_likelihood == max(found.history["log_likelihood"])


def test_patterns_between_which_chains_do_not_pass_are_learned_with_tempered_ones():
    rows = two_patterns()
    found = learn(rows, 20, rng=1)
    assert isinstance(found.recipe.negative, Tempered)
    log_likelihood = found.model.log_likelihood(rows).mean()
    assert -0.8 < log_likelihood < -math.log(2) + 0.01


def test_noise_and_copies_are_not_learned():
    p = np.random.default_rng(6).uniform(0.02, 0.98, 40)
    noise = np.where(np.random.default_rng(7).random((1000, 40)) < p, 1, -1).astype(np.int8)
    copies = np.repeat(noise[:50], 20, axis=0)
    fresh = noise[500:]
    for rows in (noise[:500], copies):
        found = learn(rows, 20, Recipe(n_epochs=60), rng=2)
        assert found.log_likelihood >= found.independent_log_likelihood
        bias = learning.start_from(rows, 1, np.random.default_rng(1)).visible_bias
        alone = RBM(np.zeros((40, 1)), bias).log_likelihood(fresh).mean()
        assert found.model.log_likelihood(fresh).mean() > alone - 0.2


def split(rows, share, rng):
    return [rows[at] for at in hold_out(Data(rows), share, rng)]


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_copies_are_held_out_together_and_draws_one_by_one(share):
    rng = np.random.default_rng(3)
    distinct = random_rows(40, 30)
    copies = np.repeat(distinct, 5, axis=0)[rng.permutation(200)]
    trained, held = split(copies, share, rng)
    assert len(held) == int(40 * share)  # once each
    assert len(trained) == 200 - 5 * len(held)
    assert not set(map(bytes, held)) & set(map(bytes, trained))
    draws = Ring(6).sample(1.0, 1000, rng=1)  # 64 states, some of them hundreds of times
    trained, held = split(draws, share, rng)
    assert (len(trained), len(held)) == (1000 - int(1000 * share), int(1000 * share))
    assert set(map(bytes, held)) & set(map(bytes, trained))
    assert [len(part) for part in split(draws[:9], share, rng)] == [9, 0]
    assert [len(part) for part in split(draws[:12], 0.1, rng)] == [9, 3]
    alike = split(np.ones((40, 4), dtype=np.int8), share, rng)
    assert [len(part) for part in alike] == [40 - int(40 * share), int(40 * share)]


def test_all_epochs_are_told_and_seeds_repeat():
    rows, told = Ring(8).sample(0.5, 300, rng=1), []
    settings = Recipe(n_epochs=7, held_out=0.0)
    found = [
        learn(rows, 3, settings, rng=4, progress=lambda done, total: told.append((done, total)))
        for _ in range(2)
    ]
    assert told == 2 * [(k, 7) for k in range(1, 8)]
    np.testing.assert_array_equal(found[0].model.weights, found[1].model.weights)
    assert found[0].epoch == 7
    assert found[0].state.epoch == 7


@pytest.mark.parametrize(
    ("rows", "n_hidden", "settings"),
    [
        (two_patterns()[:200], 5, Recipe(n_epochs=60)),  # twice: the second time with tempered chains
        (Ring(8).sample(0.5, 300, rng=1), 3, Recipe(n_epochs=55, held_out=0.0)),
        (Grey(np.random.default_rng(1).random((300, 6))), 3, Recipe(n_epochs=55)),
        (
            Incomplete(np.where(random_rows(300, 6) * random_rows(300, 6, 2) > 0, np.nan, 1.0)),
            3,
            Recipe(n_epochs=55),
        ),
    ],
    ids=["tempered", "last", "grey", "gaps"],
)
def test_what_was_interrupted_goes_on_to_the_same_bits(rows, n_hidden, settings, tmp_path):
    courses = []
    whole = learn(rows, n_hidden, settings, rng=3, keep=lambda take: courses.append(take()))
    tempered = isinstance(whole.recipe.negative, Tempered)
    assert [course.attempt for course in courses] == sorted(course.attempt for course in courses)
    for course in courses[:: max(1, len(courses) // 4)] + courses[-1:]:
        course.save(tmp_path / "course.npz")
        again = []
        found = learn(
            rows,
            n_hidden,
            settings,
            rng=3,
            resume=Course.load(tmp_path / "course.npz"),
            keep=lambda take, again=again: again.append(take()),
        )
        np.testing.assert_array_equal(found.model.weights, whole.model.weights)
        assert found.history == whole.history
        assert (found.epoch, found.log_likelihood) == (whole.epoch, whole.log_likelihood)
        assert len(again) == len(courses) - 1 - [one.epoch + 100 * one.attempt for one in courses].index(
            course.epoch + 100 * course.attempt
        )
    if n_hidden == 5:
        assert tempered
        assert {course.attempt for course in courses} == {0, 1}


def test_a_course_of_something_else_is_refused():
    rows, courses = Ring(8).sample(0.5, 300, rng=1), []
    learn(rows, 3, Recipe(n_epochs=55), rng=3, keep=lambda take: courses.append(take()))
    for others, n_hidden, seed in ((rows, 4, 3), (rows, 3, 4), (rows[1:], 3, 3)):
        with pytest.raises(ValueError, match="resume: it was begun with other rows, weights"):
            learn(others, n_hidden, Recipe(n_epochs=55), rng=seed, resume=courses[0])
    for change in ({"n_epochs": 20}, {"n_epochs": 60}, {"l2": 0.5}, {"batch_size": 7}, {"average": False}):
        with pytest.raises(ValueError, match="another recipe or rng"):
            learn(rows, 3, Recipe(**{"n_epochs": 55} | change), rng=3, resume=courses[-1])
    falling = lambda: Recipe(n_epochs=3, optimizer=SGD(lambda epoch: 0.1 / (1 + epoch)))
    learn(rows, 3, falling(), rng=3, keep=lambda take: courses.append(take()))
    learn(rows, 3, falling(), rng=3, resume=courses[-1])  # another function, by the same text
    other = np.random.Generator(np.random.MT19937(3))
    with pytest.raises(ValueError, match="its generator is a PCG64, rng is a MT19937"):
        learn(rows, 3, Recipe(n_epochs=55), rng=other, resume=courses[0])
    with pytest.raises(TypeError, match="resume=3"):
        learn(rows, 3, rng=3, resume=3)
    with pytest.raises(TypeError, match="keep=3"):
        learn(rows, 3, rng=3, keep=3)
    for change, message in (
        ({"best": np.ones(3)}, "best is"),
        ({"best_epoch": 54}, "best_epoch is not among epochs"),
        ({"epochs": [0.0, 1.0]}, "differ in length"),
        ({"n_averaged": 2}, "n_averaged or one of epochs is beyond it"),
        ({"epochs": []}, "epochs is"),
        ({"attempt": 2}, "attempt=2"),
        ({"state": [1, 2]}, r"state is \[1, 2\]"),
        ({"before": np.zeros(5)}, "before is"),
        ({name: np.zeros((35, 1)) for name in ("mean", "last", "best")}, "mean is"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(courses[0], **change)


def test_threads_change_nothing():
    rows = random_rows(400, 128, seed=3)
    one, two = (learn(rows, 128, Recipe(n_epochs=3), rng=1, n_threads=n).state for n in (1, 2))
    assert (one is None) == (two is None)
    one, two = (learn(rows, 128, Recipe(n_epochs=3, held_out=0.0), rng=1, n_threads=n).model for n in (1, 2))
    np.testing.assert_array_equal(one.weights, two.weights)


def test_grey_rows_rows_with_gaps_and_rows_that_count_are_learned():
    spins = Ring(10).sample(0.7, 3000, rng=1)
    fresh = Ring(10).sample(0.7, 3000, rng=2)
    gaps = np.where(np.random.default_rng(1).random(spins.shape) < 0.1, np.nan, spins)
    counts = np.random.default_rng(2).integers(0, 3, 3000)
    score = lambda found: float(found.model.log_likelihood(fresh).mean())
    plain = score(learn(spins, 8, rng=1))
    assert score(learn(Grey((spins + 1) / 2), 8, rng=1)) == pytest.approx(plain, abs=0.03)
    assert score(learn(Incomplete(gaps), 8, rng=1)) > plain - 0.05
    assert score(learn(spins, 8, rng=1, sample_weight=counts)) > plain - 0.05
    nothing = learn(Incomplete(np.where(np.eye(10, dtype=bool), np.nan, spins[:10])), 2, rng=1)
    assert math.isnan(nothing.log_likelihood)


def test_a_machine_that_is_worse_than_independent_units_is_told():
    rows = random_rows(300, 20)
    with pytest.warns(LikelihoodWarning, match="rows trained on have .* with independent units"):
        learn(rows, 30, Recipe(learning_rate=3.0, n_epochs=20, held_out=0.0, average=False, l2=0.0), rng=1)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"learning_rate": 0.0}, ValueError, "learning_rate=0"),
        ({"learning_rate": 0.1, "optimizer": SGD(0.1)}, ValueError, "learning_rate=0.1: the optimizer"),
        ({"optimizer": 0.1}, TypeError, "optimizer=0.1"),
        ({"optimizer": LBFGS()}, TypeError, "optimizer=LBFGS"),
        ({"negative": "cd"}, TypeError, "negative"),
        ({"n_epochs": -1}, ValueError, "n_epochs=-1"),
        ({"n_chains": 0}, ValueError, "n_chains=0"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"held_out": 1.0}, ValueError, "held_out=1"),
        ({"centred": 1}, TypeError, "centred=1"),
        ({"average": None}, TypeError, "average=None"),
        ({"l2": -1.0}, ValueError, "l2"),
    ],
)
def test_bad_recipes(change, error, message):
    with pytest.raises(error, match=message):
        learn(random_rows(30, 4), 2, Recipe(**change), rng=1)


def test_machines_are_told_apart_by_no_more_than_their_brackets_err():
    """A machine beside itself: 20 verdicts, each wrong with 2.3 %; four or more of them with 1e-3."""
    rng = np.random.default_rng(5)
    machine = RBM(rng.normal(0, 0.5, (20, 18)))
    judge = Judge(random_rows(50, 20), None, np.zeros(20), rng, 1)
    assert sum(judge.surely_better_anew(machine, machine) for _ in range(20)) < 4
    assert len({judge(machine) for _ in range(3)}) == 3  # the brackets do differ
    assert judge.surely_better_anew(RBM(np.zeros((20, 18))), machine)
    assert not judge.surely_better_anew(machine, RBM(np.zeros((20, 18))))
