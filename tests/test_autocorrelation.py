"""Series of known autocorrelation, and an independent implementation of R-hat and effective samples."""

import numpy as np
import pytest
from scipy.signal import lfilter

from rbmflow import Estimate
from rbmflow.autocorrelation import autocorrelation, jackknife, rank_normalised_r_hat


def autoregressive(phi, shape, rng):
    """Gaussian AR(1) in equilibrium: ρ(t) = φ^t, τ = (1 + φ)/(2 (1 − φ)), unit noise."""
    start = rng.normal(size=(*shape[:-1], 1)) / np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], rng.normal(size=shape), axis=-1, zi=phi * start)[0]


@pytest.mark.parametrize("phi", [-0.4, 0.0, 0.5, 0.9, 0.97])
def test_the_time_and_the_error_of_series_of_known_correlation(phi):
    # 300 series: the mean of τ within 4 standard errors (false alarm 6e-5) plus the window's own bias, e^(−5) τ
    rng = np.random.default_rng(1)
    exact = (1 + phi) / (1 - phi) / 2
    found = [Estimate.from_series(autoregressive(phi, (8, 2000), rng)) for _ in range(300)]
    taus = np.array([one.tau for one in found])
    assert abs(taus.mean() - exact) < 4 * taus.std() / np.sqrt(300) + 0.02 * exact
    if phi > 0:  # without correlation a time below ½ counts as ½, which halves the scatter
        # its own error: within a third of the scatter, as the formula is of leading order
        assert np.mean([one.tau_stderr for one in found]) == pytest.approx(taus.std(), rel=0.35)
    pulls = np.array([one.mean / one.stderr for one in found])
    # variance of 300 normal pulls: 1 ± 4 √(2/300); errors themselves scatter by a few per cent
    assert abs(pulls.var() - 1) < 4 * np.sqrt(2 / 300) + 0.05
    assert abs(pulls.mean()) < 4 / np.sqrt(300)


def test_spacing_counts_in_sweeps():
    series = autoregressive(0.8, (4, 5000), np.random.default_rng(2))
    one, ten = Estimate.from_series(series), Estimate.from_series(series, spacing=10)
    assert ten.tau == 10 * one.tau
    assert ten.tau_stderr == 10 * one.tau_stderr
    assert (ten.mean, ten.stderr, ten.n_effective, ten.r_hat) == (
        one.mean,
        one.stderr,
        one.n_effective,
        one.r_hat,
    )


@pytest.mark.parametrize("shape", [(3, 101), (8, 400), (2, 4)])
@pytest.mark.parametrize("kind", ["normal", "cauchy", "ties", "shifted", "scaled"])
def test_r_hat_against_arviz(shape, kind):
    arviz = pytest.importorskip("arviz_stats.base").array_stats
    rng = np.random.default_rng(3)
    series = rng.standard_cauchy(shape) if kind == "cauchy" else rng.normal(size=shape)
    if kind == "ties":
        series = series.round(0)
    if kind == "shifted":
        series[0] += 1
    if kind == "scaled":
        series[0] *= 3
    wanted = float(arviz.rhat(series, method="rank"))
    # the same formula: only roundings differ
    assert rank_normalised_r_hat(series) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9])
def test_effective_samples_against_arviz(phi):
    # another windowing (Geyer's): the two agree within their scatter, about 15 per cent here
    arviz = pytest.importorskip("arviz_stats.base").array_stats
    series = autoregressive(phi, (4, 5000), np.random.default_rng(4))
    wanted = float(arviz.ess(series, method="mean"))
    assert Estimate.from_series(series).n_effective == pytest.approx(wanted, rel=0.15)


def test_chains_that_disagree_show():
    rng = np.random.default_rng(5)
    apart = rng.normal(size=(4, 500)) + np.array([[0.0], [0.0], [0.0], [1.0]])
    found = Estimate.from_series(apart)
    assert found.r_hat > 1.1
    assert found.n_effective < 500


def test_constant_series():
    found = Estimate.from_series(np.full((3, 10), 2.5))
    assert (found.mean, found.stderr, found.tau, found.n_effective) == (2.5, 0.0, 0.5, 30.0)
    assert np.isnan(found.r_hat)


def test_one_chain_may_come_without_its_axis():
    series = np.random.default_rng(6).normal(size=50)
    assert Estimate.from_series(series) == Estimate.from_series(series[None])


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_jackknife_of_a_variance_and_of_a_cumulant(phi):
    # 200 series; exact variance 1/(1 − φ²), Binder's cumulant of a normal law 0; pulls as above
    rng = np.random.default_rng(7)
    exact = 1 / (1 - phi**2)
    variances, cumulants = [], []
    for _ in range(200):
        x = autoregressive(phi, (8, 1500), rng)
        variances.append(Estimate.jackknife(lambda second, first: second - first**2, x**2, x))
        cumulants.append(Estimate.jackknife(lambda fourth, second: 1 - fourth / (3 * second**2), x**4, x**2))
    for found, wanted in ((variances, exact), (cumulants, 0.0)):
        pulls = np.array([one.deviation(wanted) for one in found])
        assert abs(pulls.mean()) < 4 / np.sqrt(200)
        # 20 and more blocks: Student's law of 19 degrees has a variance of 1.12
        assert abs(pulls.var() - 1.06) < 4 * np.sqrt(2 / 200) + 0.06


def test_jackknife_of_a_mean_is_the_mean():
    x = autoregressive(0.5, (8, 4000), np.random.default_rng(8))
    found, wanted = Estimate.jackknife(lambda mean: mean, x), Estimate.from_series(x)
    assert found.mean == pytest.approx(wanted.mean, abs=1e-12)  # (B − 1)(θ̄ − θ) of up to 10³ blocks
    assert found.stderr == pytest.approx(wanted.stderr, rel=0.15)


@pytest.mark.parametrize(
    ("series", "error", "name"),
    [
        (np.zeros((2, 3)), ValueError, "at least 4"),
        (np.zeros(3), ValueError, "at least 4"),
        (np.zeros((2, 2, 8)), ValueError, "n_chains"),
        (np.zeros((0, 8)), ValueError, "n_chains"),
        ([0.0, 1.0, float("nan"), 2.0], ValueError, "NaN"),
        ([0.0, 1.0, float("inf"), 2.0], ValueError, "infinity"),
        (["a"] * 8, TypeError, "real numbers"),
        (3.0, ValueError, "n_chains"),
    ],
)
def test_bad_series(series, error, name):
    for function in (autocorrelation, rank_normalised_r_hat, Estimate.from_series):
        with pytest.raises(error, match=name):
            function(series)


def test_bad_jackknives():
    with pytest.raises(ValueError, match="equal"):
        jackknife(lambda a, b: a, np.zeros((2, 8)), np.zeros((2, 9)))
    with pytest.raises(ValueError, match="spacing"):
        Estimate.from_series(np.zeros((2, 8)), spacing=0)
