"""Series of known autocorrelation, and an independent implementation of R-hat and effective samples."""

import numpy as np
import pytest
from scipy.signal import lfilter

from rbmflow import Estimate
from rbmflow.autocorrelation import (
    autocorrelation,
    chains_disagree,
    excess_of_means,
    jackknife,
    rank_normalised_r_hat,
)
from rbmflow.errors import ConvergenceWarning


def autoregressive(phi, shape, rng):
    """Gaussian AR(1) in equilibrium: ρ(t) = φ^t, τ = (1 + φ)/(2 (1 − φ)), unit noise."""
    start = rng.normal(size=(*shape[:-1], 1)) / np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], rng.normal(size=shape), axis=-1, zi=phi * start)[0]


LAST = np.array([[0.0], [0.0], [0.0], [1.0]])


def plain_autocorrelation(series, window=5.0, significant=4.0):
    """The same by loops over lags and sums over measurements, C. J. Geyer's pairs of lags written out."""
    n_chains, n = series.shape
    mean = sum(series.ravel().tolist()) / series.size
    chains = series - mean
    averaged = chains
    while averaged.shape[1] > n // 2 + 1:
        if sum(float(chain[1:] @ chain[:-1]) for chain in averaged) >= 0:
            break
        averaged = 0.5 * averaged[:, 1:] + 0.5 * averaged[:, :-1]
    length = averaged.shape[1]
    c = [
        sum(float(chain[t:] @ chain[: length - t]) for chain in averaged) / (n_chains * (length - t))
        for t in range(length)
    ]
    for cut in range(length):
        area = c[0] / 2 + sum(c[1 : cut + 1])
        if cut * c[0] >= window * max(area, c[0]):
            break
    variance = sum(float(chain @ chain) for chain in chains) / series.size + 2 * area / series.size
    # each covariance and the variance lack 2τσ²/N, as the mean is of the same series
    tau = (area + (cut + 0.5) * 2 * area / series.size) / variance
    scatter = np.sqrt(2 * (2 * cut + 1) / series.size)
    if tau > 0.5 - 0.5 * significant * scatter:
        tau = max(tau, 0.5)
    return max(tau, 0.25 / n), max(tau, 0.25 / n) * scatter, np.sqrt(variance), cut


@pytest.mark.parametrize("window", [0.7, 5.0])
@pytest.mark.parametrize("phi", [-0.97, -0.7, -0.45, -0.3, -0.1, 0.0, 0.2, 0.9, 0.99])
def test_the_time_against_a_plain_one(phi, window):
    rng = np.random.default_rng(21)
    for shape in ((1, 4), (3, 7), (2, 40), (4, 400)):
        series = 7 + 3 * autoregressive(phi, shape, rng)
        found = autocorrelation(series, window=window)
        wanted = plain_autocorrelation(series, window)
        # the same sums in another order
        assert (found.tau, found.tau_stderr, found.spread) == pytest.approx(wanted[:3], rel=1e-9, abs=0)
        assert found.window == wanted[3]


@pytest.mark.parametrize(
    ("phi", "n_series", "shape"),
    [(phi, 60, (16, 1000)) for phi in (-0.95, -0.5, 0.8)]
    + [
        pytest.param(phi, 400, (16, 4000), marks=pytest.mark.slow)
        for phi in (-0.98, -0.95, -0.8, -0.7, -0.5, -0.2, 0.0, 0.3, 0.7, 0.95)
    ],
)
def test_pulls_of_series_of_either_sign_of_correlation(phi, n_series, shape):
    # the spread of normal pulls is 1 with an error of 1/√(2 n):
    # four of them (false alarm 6e-5), for 400 the bounds 0.9 and 1.15 where they are wider
    series = autoregressive(phi, (n_series, *shape), np.random.default_rng(22))
    found = [autocorrelation(one) for one in series]
    exact = (1 + phi) / (1 - phi) / 2
    taus = np.array([one.tau for one in found])
    assert np.mean(taus) == pytest.approx(exact, rel=0.05, abs=0)
    assert np.mean(np.abs(taus / exact - 1) < 0.15) > (0.9 if n_series == 400 and phi < 0.9 else 0.6)
    errors = np.sqrt(2 * taus / series[0].size) * [one.spread for one in found]
    spread = (series.mean(axis=(1, 2)) / errors).std()
    low, high = (1 - 4 / np.sqrt(2 * n_series), 1 + 4 / np.sqrt(2 * n_series))
    assert min(low, 0.9) < spread < max(high, 1.15)


def test_a_series_that_alternates_without_fail():
    # what the ends leave: an odd chain of ±1 has a mean of 1/n, an even one of 0
    for n in (40, 41):
        signs = np.resize([1.0, -1.0], n)
        found = autocorrelation(np.stack([signs, -signs]))
        assert found.tau == 1 / (4 * n)
        assert found.spread == pytest.approx(1, rel=1e-3, abs=0)
        pair = Estimate.from_series(np.stack([signs, -signs]))
        assert pair.stderr == pytest.approx(1 / (2 * n), rel=2e-3, abs=0)  # 1/√2 of 1/n, over two chains √2


@pytest.mark.parametrize("window", [np.nan, np.inf, 0, -5, 1 + 2j, True, "5", [5.0]])
def test_bad_windows(window):
    with pytest.raises((TypeError, ValueError), match=r"^window"):
        autocorrelation(np.arange(8.0), window=window)


def with_a_slow_mode(rng, n_series, shape, share=0.03):
    """A fast mode, φ = 0.5, and 3 % of a slow one, φ = 0.995: τ = 7.4, of which a window of 10 sees 2."""
    fast = autoregressive(0.5, (n_series, *shape), rng) * np.sqrt((1 - share) * (1 - 0.5**2))
    return fast + autoregressive(0.995, (n_series, *shape), rng) * np.sqrt(share * (1 - 0.995**2))


def test_slow_modes_of_small_amplitude_show_in_the_spread_of_the_chains():
    n_series, shape = 60, (32, 2000)
    found = [
        Estimate.from_series(one) for one in with_a_slow_mode(np.random.default_rng(23), n_series, shape)
    ]
    assert sum(one.between_chains for one in found) > 0.9 * n_series
    assert np.mean([one.tau for one in found]) < 3
    pulls = np.array([one.mean / one.stderr for one in found])
    # 60 normal pulls: 1 ± 4/√120 (false alarm 6e-5); without the chains' means the spread is 1.9
    assert abs(pulls.std() - 1) < 4 / np.sqrt(2 * n_series)
    for one in found:
        means = one.n_effective * one.stderr**2
        assert means == pytest.approx(1, rel=0.1, abs=0)  # the variance of one measurement
    squares = [
        Estimate.jackknife(np.exp, one) for one in with_a_slow_mode(np.random.default_rng(24), 20, shape)
    ]
    assert sum(one.between_chains for one in squares) > 15
    pulls = np.array([one.deviation(1.0) for one in squares])
    assert abs(pulls.std() - 1) < 4 / np.sqrt(2 * 20)


def test_the_error_of_chains_that_agree_is_taken_from_their_means_once_in_a_hundred():
    # 3000 sets of 8 chains: binomial, 30 ± 5.5;
    # four of these (false alarm 6e-5) and as much for Fisher's approximate law
    rng = np.random.default_rng(25)
    series = autoregressive(0.5, (3000, 8, 400), rng)
    chances = np.array([excess_of_means(one, autocorrelation(one))[1] for one in series])
    assert 8 < (chances < 0.01).sum() < 60
    assert 200 < (chances < 0.1).sum() < 400
    assert excess_of_means(series[0, :1], autocorrelation(series[0, :1])) == (1.0, 1.0)


def test_the_excess_of_means_against_its_formula():
    from scipy.stats import f

    series = autoregressive(0.6, (5, 300), np.random.default_rng(26))
    times = autocorrelation(series)
    ratio, chance = excess_of_means(series, times)
    wanted = np.var(series.mean(axis=1), ddof=1) / (2 * times.tau * times.spread**2 / 300)
    assert ratio == pytest.approx(wanted, rel=1e-12, abs=0)
    assert chance == pytest.approx(f.sf(wanted, 4, 1500 / (2 * times.window + 1)), rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("phi", "shape"),
    [(0.9, (8, 2000)), (0.8, (16, 400)), (0.7, (64, 200)), (0.0, (4, 100)), (-0.9, (8, 200))],
)
def test_chains_that_agree_are_not_called_apart_for_their_length(phi, shape):
    # R-hat is above 1.01 in most of these for the length of the chains;
    # a false alarm in 10⁴ for each of 2 · 60
    series = autoregressive(phi, (60, *shape), np.random.default_rng(27))
    if phi > 0.5:
        assert sum(rank_normalised_r_hat(one) > 1.01 for one in series) > 10
    assert not any(chains_disagree(one) for one in series)


def test_slow_modes_that_hundreds_of_chains_resolve_are_no_disagreement():
    # in equilibrium; like the energy of 64 × 64 spins at K = 0.4 in 512 chains of 200 sweeps,
    # of which one run in six was told
    rng = np.random.default_rng(33)
    fast, slow = rng.normal(size=(512, 100)), autoregressive(0.9, (512, 100), rng)
    series = np.sqrt(0.9) * fast + np.sqrt(0.1 * (1 - 0.9**2)) * slow
    halves = np.concatenate([series[:, :50], series[:, 50:]])
    ratio, chance = excess_of_means(halves, autocorrelation(halves))
    assert chance < 1e-4 < 0.2 < ratio - 1
    assert rank_normalised_r_hat(series) > 1.01
    assert not chains_disagree(series)
    assert chains_disagree(series + 0.3 * (np.arange(512) < 256)[:, None])


@pytest.mark.parametrize(
    ("kind", "apart"),
    [
        ("shifted", True),
        ("drift", True),
        ("wider", True),
        ("short", True),
        ("stuck", True),
        ("a little", False),
        ("constant", False),
    ],
)
def test_chains_that_disagree_are_told(kind, apart):
    rng = np.random.default_rng(28)
    noise = rng.normal(size=(4, 1000))
    series = {
        "shifted": noise + 0.3 * LAST,
        "drift": noise + 0.4 * (np.arange(1000) < 500),
        "wider": noise * [[1], [1], [1], [1.4]],
        "short": autoregressive(0.99, (16, 400), rng),
        "stuck": np.repeat(noise[:, :1], 1000, axis=1),
        "a little": noise + 0.1 * LAST,
        "constant": np.ones((2, 8)),
    }[kind]
    assert chains_disagree(series) == apart
    assert chains_disagree(-3 * series) == apart


def test_warnings_name_what_is_wrong():
    rng = np.random.default_rng(29)
    noise = rng.normal(size=(4, 500))
    for series, words in (
        (np.full((2, 50), 1.5), "r_hat = nan, n_effective = nan: all 100 measurements are equal"),
        (noise + LAST, r"r_hat = 1\.\d+, n_effective = [\d.]+: the chains have not mixed"),
        (noise[:1, :60], r"r_hat = \d\.\d+, n_effective = [\d.]+: fewer than 100 effective samples"),
    ):
        for made in (
            lambda series=series: Estimate.from_series(series, name="charge"),
            lambda series=series: Estimate.jackknife(lambda x: 2 * x, series, name="charge"),
        ):
            with pytest.warns(ConvergenceWarning, match=f"^charge: {words}.*more sweeps") as caught:
                made()
            assert len(caught) == 1
            assert caught[0].filename == __file__
    assert issubclass(ConvergenceWarning, UserWarning)
    Estimate.from_series(noise[:1, :120])


@pytest.mark.parametrize(
    "phi",
    [pytest.param(-0.4, marks=pytest.mark.slow), pytest.param(0.0, marks=pytest.mark.slow), 0.5, 0.9, 0.97],
)
def test_the_time_and_the_error_of_series_of_known_correlation(phi):
    # 300 series: the mean of τ within 4 standard errors (false alarm 6e-5) plus the window's own
    # bias, e^(−5) τ
    rng = np.random.default_rng(1)
    exact = (1 + phi) / (1 - phi) / 2
    found = [Estimate.from_series(autoregressive(phi, (8, 2000), rng)) for _ in range(300)]
    taus = np.array([one.tau for one in found])
    assert abs(taus.mean() - exact) < 4 * taus.std() / np.sqrt(300) + 0.02 * exact
    if phi > 0:  # without correlation a time below ½ counts as ½, which halves the scatter
        # its own error: within a third of the scatter, as the formula is of leading order
        assert np.mean([one.tau_stderr for one in found]) == pytest.approx(taus.std(), rel=0.35, abs=0)
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
    assert rank_normalised_r_hat(series) == pytest.approx(wanted, rel=1e-12, abs=0)


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9])
def test_effective_samples_against_arviz(phi):
    # another windowing (Geyer's): the two agree within their scatter, about 15 per cent here
    arviz = pytest.importorskip("arviz_stats.base").array_stats
    series = autoregressive(phi, (4, 5000), np.random.default_rng(4))
    wanted = float(arviz.ess(series, method="mean"))
    assert Estimate.from_series(series).n_effective == pytest.approx(wanted, rel=0.15, abs=0)


def test_chains_that_disagree_show():
    rng = np.random.default_rng(5)
    apart = rng.normal(size=(4, 500)) + np.array([[0.0], [0.0], [0.0], [1.0]])
    with pytest.warns(ConvergenceWarning, match="series: r_hat = 1"):
        found = Estimate.from_series(apart)
    assert found.r_hat > 1.1
    assert found.n_effective < 500


def test_constant_series():
    series = np.full((3, 10), 2.5)
    for made in (Estimate.from_series, lambda x: Estimate.jackknife(lambda mean: mean, x)):
        with pytest.warns(ConvergenceWarning, match="equal"):
            found = made(series)
        assert found.mean == 2.5
        unknown = (found.stderr, found.tau, found.n_effective, found.r_hat, found.tau_stderr)
        assert np.isnan(unknown).all()
        assert not found.between_chains
    assert np.isnan(rank_normalised_r_hat(series))
    times = autocorrelation(series)
    assert np.isnan((times.tau, times.tau_stderr)).all()
    assert (times.spread, times.window) == (0.0, 0)


def test_one_chain_may_come_without_its_axis():
    series = np.random.default_rng(6).normal(size=150)
    assert Estimate.from_series(series) == Estimate.from_series(series[None])


@pytest.mark.parametrize("phi", [pytest.param(0.0, marks=pytest.mark.slow), 0.9])
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
    assert found.stderr == pytest.approx(wanted.stderr, rel=0.15, abs=0)


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
        with pytest.raises(error, match=f"^series.*{name}"):
            function(series)


def test_jackknife_against_a_plain_one():
    # blocks of a known length, left out one at a time, the function at means taken afresh
    rng = np.random.default_rng(30)
    for phi, shape, per_chain in (
        (0.0, (2, 403), 40),
        (-0.8, (3, 2000), 22),
        (0.9, (4, 203), 5),
        (0.5, (1, 100), 20),
    ):
        x = 1 + autoregressive(phi, shape, rng)
        tau = autocorrelation((x - x.mean()) ** 2).tau  # about the linear part of the variance
        if phi == -0.8:
            tau = autocorrelation(x).tau

        def function(second, first, phi=phi):
            return first if phi == -0.8 else second - first**2

        found = jackknife(function, x**2, x)
        length = max(20 * tau, 5 / tau)
        expected = max(1, int(shape[1] / length), min(shape[1], -(-20 // shape[0])))
        assert abs(expected - per_chain) <= 0.35 * per_chain  # the case is what it was made for
        blocks = np.split(np.arange(shape[1])[shape[1] % expected :], expected)
        whole = np.array([[(x[c, b] ** 2).mean(), x[c, b].mean()] for c in range(shape[0]) for b in blocks])
        values = np.array([function(*np.delete(whole, k, axis=0).mean(axis=0)) for k in range(len(whole))])
        count = len(whole)
        bias = (count - 1) * (values.mean() - function(*whole.mean(axis=0)))
        assert found.value == pytest.approx(function((x**2).mean(), x.mean()) - bias, rel=1e-9, abs=0)
        wanted = np.sqrt((count - 1) / count * ((values - values.mean()) ** 2).sum())
        assert found.stderr == pytest.approx(wanted, rel=1e-9, abs=0)


def test_the_linear_part_has_the_slopes_at_the_means():
    rng = np.random.default_rng(33)
    x, still = 1 + rng.normal(size=(3, 400)), np.full((3, 400), 2.0)
    found = jackknife(lambda s, second, first: s * second - first**3, still, x**2, x).linear
    # central differences: a cube has them off by the square of the step, 1/N
    wanted = 2 * x**2 - 3 * x.mean() ** 2 * x
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-3 * np.abs(wanted).max())
    with pytest.warns(ConvergenceWarning, match="^function of means: r_hat"):
        short = Estimate.jackknife(lambda first: first, x[:1, :50])
    assert short.tau == autocorrelation(x[:1, :50]).tau
    assert short.stderr == jackknife(lambda first: first, x[:1, :50]).stderr


def test_a_function_without_slope_has_the_error_of_single_measurements():
    signs = np.resize([1.0, 1.0, -1.0, -1.0], (2, 40))
    found = jackknife(lambda mean: mean**2, signs)
    without = np.array([(0 - one) / 79 for one in signs.ravel()]) ** 2
    assert not found.linear.any()
    assert found.stderr == pytest.approx(
        np.sqrt(79 / 80 * ((without - without.mean()) ** 2).sum()), abs=1e-18
    )


def test_the_jackknife_takes_off_the_bias():
    # ⟨x̄²⟩ = μ² + σ²/N: independent normal numbers, where blocks of any length leave an estimate of μ²
    # without bias
    x = np.random.default_rng(31).normal(size=(2000, 2, 20))
    values = np.array([jackknife(lambda mean: mean**2, one).value for one in x])
    # its variance is 2/N² to leading order; four standard errors
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(2000) < 0.5 / 40


@pytest.mark.parametrize("phi", [-0.95, -0.8, -0.5])
def test_jackknife_of_anticorrelated_series(phi):
    # the mean as a function of means; 60 pulls, 1 ± 4/√120 (false alarm 6e-5)
    series = autoregressive(phi, (60, 16, 1500), np.random.default_rng(32))
    found = [jackknife(lambda mean: mean, one) for one in series]
    pulls = np.array([one.value / one.stderr for one in found])
    assert abs(pulls.std() - 1) < 4 / np.sqrt(120)


def test_bad_jackknives():
    with pytest.raises(ValueError, match="equal"):
        jackknife(lambda a, b: a, np.zeros((2, 8)), np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"^spacing"):
        Estimate.from_series(np.zeros((2, 8)), spacing=0)
    with pytest.raises(ValueError, match=r"^spacing"):
        Estimate.jackknife(np.exp, np.zeros((2, 8)), spacing=0)
    for function in (jackknife, Estimate.jackknife):
        with pytest.raises(ValueError, match=r"^series\[1\] holds an infinity"):
            function(np.add, np.zeros((2, 8)), np.full((2, 8), np.inf))
