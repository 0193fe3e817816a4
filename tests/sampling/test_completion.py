"""Rows with gaps: means and samples of what is missing against enumeration."""

import numpy as np
import pytest
from scipy import stats

from rbmflow import RBM, Ring
from rbmflow.networks import visible_law
from rbmflow.sampling import complete
from tests.networks.machines import random_machine


def conditional(rbm, row):
    """States of the visible units and their probabilities given what is known of a row."""
    law, known = visible_law(rbm), ~np.isnan(row)
    fits = (law.states[:, known] == row[known]).all(axis=1)
    return law.states[fits], law.probabilities[fits] / law.probabilities[fits].sum()


def gaps(shape, seed):
    rng = np.random.default_rng(seed)
    rows = np.where(rng.random(shape) < 0.5, 1.0, -1.0)
    rows[rng.random(shape) < 0.5] = np.nan
    rows[:, 0] = np.nan
    return rows


def test_means_of_a_hundred_machines():
    # one unit of each against Student's t of 99 degrees of freedom: |z| < 4 fails by chance once in 80 runs
    z = []
    for seed in range(100):
        rbm, row = random_machine(8, 5, seed=seed, scale=0.5), gaps((1, 8), seed)
        found = complete(rbm, row, n_sweeps=100, rng=seed)
        states, p = conditional(rbm, row[0])
        z.append((found.means[0, 0] - p @ states[:, 0]) / found.stderr[0, 0])
        known = ~np.isnan(row)
        np.testing.assert_array_equal(found.means[known], row[known])
        np.testing.assert_array_equal(found.stderr[known], 0)
    assert np.abs(z).max() < 4
    # standard errors are what they say: false alarm 1e-3 each
    assert stats.chi2(100).ppf(5e-4) < np.sum(np.square(z)) * 97 / 99 < stats.chi2(100).isf(5e-4)


def test_samples_have_the_conditional_law():
    # chi-square over the states of the missing units, false alarm 1e-6 for each of four rows
    rbm, rows = random_machine(6, 4, seed=3, scale=0.5), gaps((4, 6), 5)
    found = complete(rbm, rows, n_chains=3000, n_sweeps=40, rng=1)
    for row, samples in zip(rows, found.samples, strict=True):
        states, p = conditional(rbm, row)
        count = np.array([(samples == state).all(axis=1).sum() for state in states])
        assert count.sum() == 3000
        assert stats.chisquare(count, 3000 * p).pvalue > 1e-6


def test_whole_rows_and_many_rows(monkeypatch):
    rbm, told = random_machine(6, 4, seed=3), []
    whole = Ring(6).sample(0.5, 5, rng=1)
    found = complete(rbm, whole, n_chains=3, rng=1)
    np.testing.assert_array_equal(found.means, whole)
    np.testing.assert_array_equal(found.samples, np.repeat(whole[:, None], 3, axis=1))
    rows = gaps((7, 6), 1)
    monkeypatch.setattr("rbmflow.sampling.completion.CHAINS_AT_ONCE", 6)
    one = complete(rbm, rows, n_chains=3, rng=1, progress=lambda *now: told.append(now), n_threads=1)
    two = complete(rbm, rows, n_chains=3, rng=1, n_threads=2)
    np.testing.assert_array_equal(one.samples, two.samples)
    np.testing.assert_array_equal(one.means, two.means)
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rbm": 3}, TypeError, "rbm=3"),
        ({"rows": [[1, 0.5, np.nan]]}, ValueError, "rows holds 0.5"),
        ({"rows": [[1, np.nan]]}, ValueError, r"rows has shape \(1, 2\): \(n, 3\)"),
        ({"rows": [["a", "b", "c"]]}, TypeError, "rows has dtype"),
        ({"rows": np.empty((0, 3))}, ValueError, r"shape \(0, 3\)"),
        ({"n_chains": 1}, ValueError, "n_chains=1"),
        ({"n_sweeps": 1}, ValueError, "n_sweeps=1"),
        ({"rng": "x"}, TypeError, "rng='x'"),
    ],
)
def test_bad_input(change, error, message):
    arguments = {"rbm": RBM(np.ones((3, 2))), "rows": [[1, np.nan, -1]], "rng": 1} | change
    with pytest.raises(error, match=message):
        complete(arguments.pop("rbm"), arguments.pop("rows"), **arguments)
