"""Fits look for machines below the bound on s1, find none, and come as near as they can."""

import numpy as np
import pytest

from rbmflow import RBM, Ring, Torus
from rbmflow.experiments.exact_fit import Law, _loss, _normal_equations, _schatten, fit_least
from rbmflow.experiments.least_singular_value import EXACT, LeastSingularValues, Parameters, run
from rbmflow.ising import state_law
from rbmflow.networks import kl_divergence

SMALL = Parameters((4, 5), ("2x2",), (0.23,), (1.0, 1.25), n_starts=1)


@pytest.fixture(scope="module")
def found():
    return run(SMALL, rng=1)


def test_none_is_below_and_on_even_sides_they_meet_it(found):
    columns = {name: np.array(column, dtype=float) for name, column in list(found.table.columns.items())[1:]}
    assert (columns["n_exact"] >= 1).all()
    assert (columns["kl"] < EXACT).all()
    above = columns["least"] / columns["bound"]
    assert (above > 1 - 1e-8).all()
    even = np.array([label != "ring of 5" for label in found.table.columns["lattice"]])
    assert (above[even] < 1 + 2e-5).all()
    # with odd cycles the bound is met in the limit of many hidden units only
    assert (above[~even] > 1.001).all()
    assert (columns["least"][~even] < columns["local"][~even])[columns["local"][~even] > 0].all()
    # penalised, not exact: it may be lower by as much as the divergence lets it
    assert (columns["penalised"] <= columns["least"] + 1e-9).all()
    assert found.remarks(1, 1.0)[0].startswith("no exact machine is below it; least/bound is from 1.0000")


def test_a_fit_is_exact_by_the_divergence_of_the_package():
    # by the variance of ln p/q over half the states here, by the sum over all of them there
    law, rng = Law.of(Torus(2, 2), 0.3), np.random.default_rng(1)
    weights = rng.normal(size=(4, 8)) * 1e-2
    loss, ratio = _loss(law, weights)
    assert ratio @ law.probabilities == pytest.approx(0, abs=1e-15)
    near = RBM.local(Torus(2, 2), 0.3).weights + 1e-5 * rng.normal(size=(4, 8))
    assert _loss(law, near)[0] == pytest.approx(
        kl_divergence(state_law(Torus(2, 2), 0.3), RBM(near)), rel=1e-3
    )
    assert loss > 0.01 > 1e-9 > _loss(law, near)[0] > 1e-14


@pytest.mark.parametrize("p", [1, 3, 64])
def test_slopes_are_those_of_differences(p):
    law, rng = Law.of(Ring(4), 0.5), np.random.default_rng(3)
    weights, step = rng.normal(size=(4, 5)), rng.normal(size=(4, 5)) * 1e-6
    squares, slope = _normal_equations(law, weights, _loss(law, weights)[1])
    change = _loss(law, weights + step)[0] - _loss(law, weights - step)[0]
    assert change == pytest.approx(2 * slope @ step.ravel(), rel=1e-6)
    np.testing.assert_allclose(squares, squares.T, rtol=0, atol=1e-14)
    C = _schatten(weights, p)[1]
    change = _schatten(weights + step, p)[0] - _schatten(weights - step, p)[0]
    assert change == pytest.approx(4 * (C @ weights * step).sum(), rel=1e-6)
    # of weights that meet the law the second derivative is that of the Gauss-Newton matrix
    exact = RBM.local(Ring(4), 0.5).weights
    squares, slope = _normal_equations(law, exact, _loss(law, exact)[1])
    assert np.abs(slope).max() < 1e-14
    move = rng.normal(size=exact.shape) * 1e-4
    assert _loss(law, exact + move)[0] == pytest.approx(move.ravel() @ squares @ move.ravel() / 2, rel=1e-2)


def test_many_states_are_summed_in_parts(monkeypatch):
    law, weights = Law.of(Ring(6), 0.5), np.random.default_rng(3).normal(size=(6, 4))
    whole = _normal_equations(law, weights, _loss(law, weights)[1])
    monkeypatch.setattr("rbmflow.experiments.exact_fit.AT_ONCE", 5)
    parts = _normal_equations(law, weights, _loss(law, weights)[1])
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)


def test_too_few_units_leave_a_divergence():
    fitted = fit_least(Law.of(Ring(4), 0.5), 1, np.random.default_rng(1))
    assert fitted.kl > 1e-3
    few = run(Parameters((4,), (), (0.5,), (0.25,), n_starts=1), rng=1)
    assert few.table.columns["least"] == few.table.columns["kl"] == [None]
    assert few.remarks(1, 1.0) == ["no fit is exact"]


def test_the_file(found, tmp_path):
    found.save(tmp_path / "found.csv")
    again = LeastSingularValues.load(tmp_path / "found.csv", SMALL)
    assert again.table.columns == found.table.columns
    with pytest.raises(ValueError, match="not those of the parameters"):
        LeastSingularValues.load(tmp_path / "found.csv", Parameters())


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"rings": (2,)}, ValueError, "rings=2: at least 3"),
        ({"rings": (17,)}, ValueError, "rings=17: at most 16"),
        ({"rings": 5}, ValueError, "rings=5: a tuple"),
        ({"tori": ("3",)}, ValueError, "tori='3': two sides"),
        ({"tori": ("3x-3",)}, ValueError, "tori='3x-3': two sides"),
        ({"tori": ("3x6",)}, ValueError, "tori='3x6': at most 16"),
        ({"tori": ("1x4",)}, ValueError, "n_rows=1"),
        ({"couplings": ()}, ValueError, r"couplings=\(\)"),
        ({"couplings": (0.0,)}, ValueError, "couplings"),
        ({"ratios": (np.inf,)}, ValueError, "ratios"),
        ({"n_starts": 0}, ValueError, "n_starts=0"),
    ],
)
def test_bad_parameters(keywords, error, message):
    with pytest.raises(error, match=message):
        Parameters(**keywords)
