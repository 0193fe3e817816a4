"""Rows of probabilities, with gaps or weights: what is drawn of them, and what is learned."""

import numpy as np
import pytest
from scipy import stats

from rbmflow import RBM, Ring
from rbmflow.ising import state_law
from rbmflow.networks import visible_law
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw
from rbmflow.training import CD, LBFGS, PCD, SGD, Exact, Grey, Incomplete, State, fit
from rbmflow.training.data import check_data
from rbmflow.training.parameters import Parameters
from tests.training.laws import divergence, random_machine

SPINS = Ring(6).sample(0.6, 400, rng=1)
START = random_machine(6, 4, 2)


def holes(spins, share, seed):
    return np.where(np.random.default_rng(seed).random(spins.shape) < share, np.nan, spins)


def drawn(data, rbm, n, seed=1):
    """Rows of n draws, each after the one before."""
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**64, size=32, dtype=np.uint64)
    found = []
    for _ in range(n):
        data.draw(Parameters(rbm, np.float64), words, rng)
        found.append(data.rows.copy())
    return np.array(found)


def test_grey_units_are_drawn_with_their_probabilities():
    # 4,000 draws of 12 units, chi-square of the sum, false alarm 1e-6
    up = np.random.default_rng(1).random((3, 4))
    up[0] = [0, 1, 0.5, 0.25]
    rows = drawn(check_data(Grey(up), 4), RBM(np.zeros((4, 2))), 4000)
    count = (rows > 0).sum(axis=0)
    assert (count[0, 0], count[0, 1]) == (0, 4000)
    some = (up > 0) & (up < 1)
    z = (count - 4000 * up)[some] / np.sqrt(4000 * (up * (1 - up))[some])
    assert stats.chi2(some.sum()).sf((z**2).sum()) > 1e-6


def test_missing_units_are_drawn_from_the_machine_given_the_others():
    # sweeps go on from draw to draw: the last of 40, of 3,000 equal rows, chi-square over the 8 states of the
    # units that are missing, false alarm 1e-6
    rbm = random_machine(6, 4, 3)
    row = np.array([1, np.nan, -1, np.nan, np.nan, 1])
    data = check_data(Incomplete(np.tile(row, (3000, 1))), 6)
    last = drawn(data, rbm, 40)[-1]
    known = ~np.isnan(row)
    np.testing.assert_array_equal(last[:, known], np.tile(row[known], (3000, 1)))
    law = visible_law(rbm)
    fits = (law.states[:, known] == row[known]).all(axis=1)
    p = law.probabilities[fits] / law.probabilities[fits].sum()
    count = [(last == state).all(axis=1).sum() for state in law.states[fits]]
    assert sum(count) == 3000
    assert stats.chisquare(count, 3000 * p).pvalue > 1e-6


def test_grey_rows_may_have_gaps():
    up = np.array([[0.0, np.nan, 1.0, 0.5]])
    rows = drawn(check_data(Grey(up), 4), RBM(np.zeros((4, 2)), [0, 20, 0, 0]), 200)[:, 0]
    assert (rows[:, 0] == -1).all()
    assert (rows[:, 1] == 1).all()  # by its bias: what is missing is the machine's
    assert (rows[:, 2] == 1).all()
    assert 50 < (rows[:, 3] == 1).sum() < 150


def test_rows_that_count_are_as_if_they_were_there_so_often():
    counts = np.random.default_rng(1).integers(0, 4, len(SPINS))
    repeated = np.repeat(SPINS, counts, axis=0)
    options = {"n_epochs": 3, "batch_size": 30, "rng": 1, "record": ()}
    for negative in (CD(1), PCD(1, 20), Exact()):
        one = fit(START, repeated, negative=negative, **options)
        other = fit(START, SPINS, negative=negative, sample_weight=counts, **options)
        np.testing.assert_allclose(other.model.weights, one.model.weights, rtol=1e-12, atol=1e-14)


def test_counts_that_are_not_whole_are_met_on_average():
    data = check_data(SPINS[:5], 6, sample_weight=[0.3, 2.0, 0.0, 1.25, 0.45])
    rng, seen = np.random.default_rng(1), np.zeros(4)
    for _ in range(4000):
        order = data.order(True, rng)
        assert len(order) == 4
        seen += np.bincount(order, minlength=4)
    # each is met floor or ceil of its count: a standard error of at most 0.008
    np.testing.assert_allclose(seen / 4000, [0.3, 2.0, 1.25, 0.45], rtol=0, atol=0.05)
    np.testing.assert_allclose(
        data.means(), np.array([0.3, 2, 1.25, 0.45]) @ SPINS[[0, 1, 3, 4]] / 4, rtol=1e-12, atol=1e-15
    )


def test_grey_rows_are_learned_as_the_law_that_they_are_drawn_from():
    # two rows of probabilities: the machine of their mixture of independent units
    up = np.array([[0.9, 0.8, 0.1, 0.3], [0.1, 0.3, 0.9, 0.7]])
    states = all_states(4)
    p = np.where(states[:, None] > 0, up, 1 - up).prod(axis=2).mean(axis=1)
    law, start = StateLaw(states, p), random_machine(4, 4, 3)
    rows = np.repeat(up, 200, axis=0)
    options = {"negative": PCD(5, 200), "optimizer": SGD(0.05), "n_epochs": 300, "average": 150, "rng": 1}
    found = fit(start, Grey(rows), record=(), **options).model
    assert divergence(law, found) < 0.01 < divergence(law, start) / 10


def test_rows_with_gaps_are_learned_as_well_as_their_law():
    # a fifth of the spins is missing: the exact maximum of the whole law is what is found, nearly
    law, start = Ring(6).sample(0.6, 4000, rng=3), random_machine(6, 6, 3)
    options = {"negative": PCD(5, 200), "optimizer": SGD(0.05), "n_epochs": 80, "average": 40, "rng": 1}
    whole = fit(start, law, record=(), **options).model
    found = fit(start, Incomplete(holes(law, 0.2, 4)), record=(), **options).model
    filled = fit(start, np.where(np.isnan(holes(law, 0.2, 4)), 1, law), record=(), **options).model
    score = lambda rbm: float(rbm.log_likelihood(law).mean())
    assert score(found) > score(whole) - 0.03
    assert score(filled) < score(whole) - 0.1


@pytest.mark.parametrize("kind", ["grey", "gaps", "counts"])
@pytest.mark.parametrize("negative", [CD(1), PCD(1, 20), Exact()], ids=lambda one: type(one).__name__)
def test_runs_go_on_to_the_same_bits(kind, negative, tmp_path):
    data, weights = {
        "grey": (Grey(np.random.default_rng(1).random((30, 6))), None),
        "gaps": (Incomplete(holes(SPINS[:30], 0.3, 1)), None),
        "counts": (SPINS[:30], np.random.default_rng(2).random(30) * 3),
    }[kind]
    options = {"negative": negative, "batch_size": 8, "sample_weight": weights, "centred": True, "rng": 1}
    whole = fit(START, data, n_epochs=7, **options)
    first = fit(START, data, n_epochs=3, **options)
    first.state.save(tmp_path / "state.npz")
    rest = fit(START, data, n_epochs=4, state=State.load(tmp_path / "state.npz"), **options)
    np.testing.assert_array_equal(rest.model.weights, whole.model.weights)
    np.testing.assert_array_equal(rest.state.rows, whole.state.rows)
    assert rest.state.rows.shape == ((30, 6) if kind == "gaps" else (0, 0))
    assert rest.history.values == whole.history.values


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Grey([[0.5, 1.5]]), ValueError, "holds 1.5 in row 0, column 1"),
        (lambda: Grey([[0.5, -1]]), ValueError, "holds -1 in row 0"),
        (lambda: Grey([0.5]), ValueError, r"shape \(1,\)"),
        (lambda: Grey(np.empty((0, 3))), ValueError, r"shape \(0, 3\)"),
        (lambda: Grey([["a"]]), TypeError, "real numbers"),
        (lambda: Incomplete([[1, 0.5]]), ValueError, "spins holds 0.5"),
        (lambda: Incomplete([[1, np.inf]]), ValueError, "spins holds inf"),
        (lambda: Incomplete([1, np.nan]), ValueError, r"shape \(2,\)"),
        (lambda: Incomplete([["a"]]), TypeError, "real numbers"),
        (lambda: fit(START, Grey([[0.5, 0.5]]), n_epochs=1, rng=1), ValueError, "must have 6 sites"),
        (
            lambda: fit(START, SPINS, n_epochs=1, rng=1, sample_weight=[1]),
            ValueError,
            "sample_weight has shape",
        ),
        (lambda: fit(START, SPINS, n_epochs=1, rng=1, sample_weight=-np.ones(400)), ValueError, "holds -1"),
        (
            lambda: fit(START, SPINS, n_epochs=1, rng=1, sample_weight=np.zeros(400)),
            ValueError,
            "adds up to 0",
        ),
        (
            lambda: fit(START, SPINS, n_epochs=1, rng=1, sample_weight=np.full(400, 1e300)),
            ValueError,
            "sample_weight adds up to 4e\\+302: an epoch takes so many rows",
        ),
        (lambda: fit(START, SPINS, n_epochs=1, rng=1, sample_weight=[np.nan] * 400), ValueError, "NaN"),
        (
            lambda: fit(START, state_law(Ring(6), 0.5), n_epochs=1, rng=1, sample_weight=[1.0] * 64),
            ValueError,
            "sample_weight: data is a law",
        ),
        (
            lambda: fit(
                START, Grey(np.full((3, 6), 0.5)), negative=Exact(), optimizer=LBFGS(), n_epochs=1, rng=1
            ),
            ValueError,
            "no gaps, no grey values",
        ),
        (
            lambda: fit(START, SPINS, held_out=Incomplete(holes(SPINS, 0.5, 1)), n_epochs=1, rng=1),
            ValueError,
            "held_out",
        ),
    ],
)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make()
