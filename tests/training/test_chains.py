"""Chains on a ladder of inverse temperatures: their twin, and the law of all rungs together."""

import numpy as np
import pytest
from scipy import stats

from rbmflow.training.chains import Chains, start
from rbmflow.training.parameters import Parameters
from tests.training.laws import joint, random_machine

LADDER = (1.0, 0.6, 0.25, 0.0)


def exchanged(ladder, v, h, rbm, rng):
    """Neighbours one pair of rungs after another, by energies as they are written down."""
    v, h, accepted = v.copy(), h.copy(), 0
    for first in (0, 1):
        for r in range(first, len(ladder) - 1, 2):
            E = [rbm.energy(v[rung], h[rung]) for rung in (r, r + 1)]
            swap = np.log1p(-rng.random(v.shape[1])) < (ladder[r] - ladder[r + 1]) * (E[0] - E[1])
            for spins in (v, h):
                spins[r, swap], spins[r + 1, swap] = spins[r + 1, swap], spins[r, swap].copy()
            accepted += swap.sum()
    return v, h, accepted


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("n_rungs", [1, 2, 3, 4])
def test_exchange(n_rungs, real):
    # in single precision energies are those of the twin to 1e-6: none of 600 numbers lies so near
    parameters, ladder = Parameters(random_machine(9, 7, 1), real), LADDER[:n_rungs]
    chains = start(ladder, 200, parameters, np.random.default_rng(2))
    chains.sweep(parameters, 3)
    before = chains.visible, chains.hidden
    wanted = exchanged(ladder, *before, parameters.model(), np.random.default_rng(3))
    rate = chains.exchange(parameters, np.random.default_rng(3))
    np.testing.assert_array_equal(chains.visible, wanted[0])
    np.testing.assert_array_equal(chains.hidden, wanted[1])
    if n_rungs == 1:
        assert np.isnan(rate)
    else:
        assert 0 < rate < 1
        assert rate * 200 * (n_rungs - 1) == pytest.approx(wanted[2], rel=1e-14)


@pytest.mark.parametrize("begin", ["law", "one state"])
def test_the_law_of_all_rungs_together(begin):
    # 100,000 ladders of three rungs: chi-square over 512 states, false alarm 1e-6
    n, ladder = 100_000, (1.0, 0.5, 0.2)
    parameters = Parameters(random_machine(2, 1, 4, 0.7), np.float32)
    rng = np.random.default_rng(1)
    v, h, p = joint(parameters.model())
    laws = [p**beta / (p**beta).sum() for beta in ladder]
    together = np.einsum("i,j,k->ijk", *laws).ravel()
    if begin == "law":
        at, updates = np.array([rng.choice(len(p), size=n, p=law) for law in laws]), 1
    else:
        at, updates = np.zeros((3, n), dtype=int), 40
    words = start((1.0,), 1, parameters, rng).generator
    chains = Chains(ladder, v[at].astype(np.int8), h[at].astype(np.int8), words)
    for _ in range(updates):
        chains.sweep(parameters, 1)
        chains.exchange(parameters, rng)
    spins = np.concatenate([chains.visible, chains.hidden], axis=2)
    states = np.concatenate([v, h], axis=1)
    index = (spins[..., None, :] == states).all(axis=-1).argmax(axis=-1)
    counts = np.bincount(np.ravel_multi_index(tuple(index), (len(p),) * 3), minlength=len(together))
    assert (at != index).any(axis=0).mean() > 0.9
    assert stats.chisquare(counts, n * together / together.sum()).pvalue > 1e-6
