"""Couplings of machines, whose errors are those of what they are made from."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rbmflow import LBFGS, RBM, Exact, Ring, Torus, fit
from rbmflow.networks import effective_coupling
from rbmflow.training import bootstrap, bootstrap_couplings

ROWS = Ring(8).sample(0.5, 1000, rng=1)
MACHINE = RBM(
    np.random.default_rng(2).normal(scale=0.4, size=(8, 5)), np.linspace(-0.2, 0.3, 8), np.linspace(0, 0.4, 5)
)


def local(rows, rng):
    """The local machine of a ring whose neighbours have the correlation of the rows."""
    near = (rows * np.roll(rows, 1, axis=1)).mean()
    return RBM.local_ring(8, np.arctanh(near))


def same(rows, rng):
    return MACHINE


def test_the_error_is_that_of_the_mean_of_which_the_coupling_is_a_function():
    found = bootstrap_couplings(ROWS, local, 8, n_repeats=200, rng=3)
    near = (ROWS * np.roll(ROWS, 1, axis=1)).mean(axis=1)
    K = np.arctanh(near.mean())
    expected = near.std() / np.sqrt(len(near)) / (1 - near.mean() ** 2)
    assert found.operators[0] == "nearest neighbours"
    np.testing.assert_allclose(found.couplings, [K, 0, 0, 0], rtol=0, atol=1e-12)
    # an error of 1/√400 of itself: five of them
    assert found.stderr[0] == pytest.approx(expected, rel=0.25)
    assert found.stderr[0] == pytest.approx(np.sqrt(found.covariance[0, 0]), rel=1e-12)
    assert abs(found.replicas[:, 0].mean() - K) < 5 * expected / np.sqrt(200)
    assert found.model.equals(RBM.local_ring(8, K))
    assert found.replicas.shape == (200, 4)


@pytest.mark.parametrize("all_sets", [True, False])
def test_couplings_of_every_order_are_means_over_products(monkeypatch, all_sets):
    if not all_sets:
        monkeypatch.setattr(bootstrap, "MAX_TRANSFORMED", 0)
    operators = {"one": [[3]], "two": [[0, 5], [1, 2]], "three": [[4, 2, 7]]}
    found = bootstrap_couplings(ROWS, same, operators=operators, n_repeats=2, rng=1)
    J = [effective_coupling(MACHINE, sites) for sites in ([3], [0, 5], [1, 2], [2, 4, 7])]
    np.testing.assert_allclose(found.couplings, [J[0], (J[1] + J[2]) / 2, J[3]], rtol=1e-12)
    np.testing.assert_allclose(found.stderr, 0, rtol=0, atol=1e-15)
    alone = bootstrap_couplings(ROWS, same, fields=True, n_repeats=2, rng=1)
    assert alone.pairs[0, 5] == pytest.approx(J[1], rel=1e-12)
    assert alone.fields[3] == pytest.approx(J[0], rel=1e-12)


def test_two_bonds_along_a_side_of_two_share_a_coupling():
    K = 0.3
    # sites 0 and 4, 1 and 5, ... have two bonds of K, whose one set has 2K
    pairs = np.zeros((8, 8))
    for i, j in Torus(2, 4).bonds():
        pairs[i, j] += K
    places = np.argwhere(pairs)
    weights = np.zeros((8, len(places)))
    for unit, (i, j) in enumerate(places):
        weights[[i, j], unit] = np.arccosh(np.exp(2 * pairs[i, j])) / 2
    found = bootstrap_couplings(
        ROWS, lambda *_: RBM(weights), (2, 4), operators=["nearest neighbours"], n_repeats=2, rng=1
    )
    assert found.couplings[0] == pytest.approx(K, rel=1e-12)


def random(rows, rng):
    return RBM(rng.normal(size=(rows.shape[1], 2)))


def test_anywhere_the_same_with_progress():
    told = []
    plain = bootstrap_couplings(ROWS, random, n_repeats=5, rng=4, progress=lambda *now: told.append(now))
    with ThreadPoolExecutor(2) as pool:
        again = bootstrap_couplings(ROWS, random, n_repeats=5, rng=4, executor=pool)
    assert plain.equals(again)
    assert told[-1] == (6, 6)
    assert (plain.stderr > 0).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rows": ROWS[:1]}, ValueError, "rows has shape"),
        ({"rows": ROWS[None]}, ValueError, "rows has shape"),
        ({"train": MACHINE}, TypeError, "train="),
        ({"train": lambda *_: RBM(np.zeros((7, 1)))}, TypeError, "train returned"),
        ({"train": lambda *_: 1.0}, TypeError, "train returned 1.0"),
        ({"shape": 7}, ValueError, "shape=7 has 7 sites"),
        ({"n_repeats": 1}, ValueError, "n_repeats=1"),
        ({"fields": 1}, TypeError, "fields=1"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        bootstrap_couplings(**{"rows": ROWS, "train": same, "rng": 1, **change})


def exactly(rows, rng):
    start = RBM(rng.normal(0, 0.3, (5, 5)))
    return fit(
        start, rows, negative=Exact(), optimizer=LBFGS(), n_epochs=40, l2=1e-3, rng=rng, record=()
    ).model


@pytest.mark.slow
def test_pulls_of_trained_machines():
    K, pulls = 0.5, []
    for seed in range(40):
        rows = Ring(5).sample(K, 1000, rng=seed)
        found = bootstrap_couplings(
            rows, exactly, 5, operators=["nearest neighbours"], n_repeats=10, rng=seed
        )
        pulls.append((found.couplings[0] - K) / found.stderr[0])
    # an error from ten machines makes the variance 9/7; five errors of it, and of the mean
    assert np.var(pulls) == pytest.approx(9 / 7, rel=5 * np.sqrt(2 / 40))
    assert abs(np.mean(pulls)) < 5 * np.sqrt(9 / 7 / 40)


def _turns_rows_over(rows, rng):
    rows[:, 0] *= -1
    weights = np.full((3, 1), 0.5)
    weights[0] = (rows[:, 0] * rows[:, 1].astype(float)).mean()
    return RBM(weights)


def test_a_training_that_writes_into_its_rows_changes_nobody_elses():
    rows = Ring(3).sample(0.4, 300, rng=1)
    before = rows.copy()
    found = bootstrap_couplings(rows, _turns_rows_over, n_repeats=8, rng=1)
    np.testing.assert_array_equal(rows, before)
    assert (np.sign(found.replicas[:, 0]) == np.sign(found.couplings[0])).all()
