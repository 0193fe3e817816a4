"""Tempered chains: shares of modes, ladders, and chains that have not mixed."""

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow.networks import exact_moments, hidden_law
from rbmflow.sampling.tempered import MOST_RUNGS
from rbmflow.training.tempered_samples import FEWEST_RECORDS, UNMIXED, _r_hat, draw_tempered
from tests.networks.machines import random_machine


def test_modes_have_their_shares():
    pattern = np.where(np.random.default_rng(1).random(30) < 0.5, 1.0, -1.0)
    rbm = RBM(0.25 * np.outer(pattern, np.ones(20)), 0.0202 * pattern)
    law = hidden_law(rbm)
    share = (
        law.probabilities[law.states.sum(axis=1) > 0].sum()
        + law.probabilities[law.states.sum(axis=1) == 0].sum() / 2
    )
    assert share == pytest.approx(0.7706, abs=1e-4)
    drawn = draw_tempered(rbm, 300, 400, np.random.default_rng(2))
    # 4 standard errors of 300 independent ends, 6e-5; V and H differ in sign in one of 500
    found = (drawn.spins @ pattern > 0).mean()
    assert abs(found - share) < 4 * np.sqrt(share * (1 - share) / 300) + 0.002
    assert drawn.r_hat < UNMIXED
    assert 0.3 < drawn.exchange_rate < 0.8


def test_means_are_those_of_the_machine():
    rbm = random_machine(12, 9, seed=3, scale=0.4)
    spins = draw_tempered(rbm, 1500, 40, np.random.default_rng(4)).spins
    moments = exact_moments(rbm)
    spread = np.sqrt((1 - moments.visible**2) / len(spins))
    assert (np.abs(spins.mean(axis=0) - moments.visible) < 5 * spread).all()  # 6e-7 each
    pairs = spins.T.astype(float) @ rbm.mean_hidden(spins) / len(spins)
    assert (np.abs(pairs - moments.coupled) < 5 / np.sqrt(len(spins))).all()


def test_free_spins_need_three_rungs_and_strong_couplings_many():
    rng = np.random.default_rng(5)
    free = draw_tempered(RBM(np.zeros((8, 6))), 5, 40, rng)
    assert (free.n_rungs, free.exchange_rate, free.spins.shape) == (3, 1.0, (5, 8))
    strong = draw_tempered(RBM(rng.normal(0, 2, (30, 30))), 5, 20, rng)
    assert 8 < strong.n_rungs <= MOST_RUNGS


def test_chains_that_stay_in_their_modes_are_told():
    rng = np.random.default_rng(6)
    rbm = RBM.uniform(10, 8, 0.1)
    loose = rng.choice(np.array([-1, 1], dtype=np.int8), size=(40, 20, 10))
    assert _r_hat(rbm, loose) < 1.05
    stuck = np.where(np.arange(20)[:, None] % 2, 1, -1) * np.where(rng.random((40, 20, 10)) < 0.1, -1, 1)
    assert _r_hat(rbm, stuck.astype(np.int8)) > 1.5
    assert _r_hat(rbm, np.ones((40, 20, 10), dtype=np.int8)) == 1.0
    assert _r_hat(rbm, loose[: FEWEST_RECORDS - 1]) == np.inf
    assert _r_hat(rbm, loose[:FEWEST_RECORDS]) < 1.5
