"""The trained weight of any law and of samples."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from rbmflow import Law, Ring, trained_weight, trained_weight_from_law, trained_weight_from_samples
from rbmflow.ising.law import magnetizations
from rbmflow.weight.equation import half_values, model_law, order_function


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (9, 3), (64, 32), (300, 20)])
def test_the_law_of_the_ring_gives_the_weight_of_the_ring(M, N):
    K = np.array([0.01, 0.1, 0.5, 1.0, 1.5, 3.0, 8.0, 40.0, -0.3, 0.0, np.inf])
    weights = trained_weight_from_law(Ring(M).magnetization_law(K), N)
    # a law known to 1e-16 has ⟨V²⟩ − M = 2MK to 1e-16 M/2K
    np.testing.assert_allclose(weights, trained_weight(K, M, N), rtol=3e-14)


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (9, 3)])
def test_with_digits(M, N):
    K = ["1", "1e-30", "0.2", "50", "-1", "0", "inf"]
    law = Ring(M).magnetization_law(K, dps=110)
    for value, exact in zip(
        trained_weight_from_law(law, N, dps=40), trained_weight(K, M, N, dps=40), strict=True
    ):
        # W(1e-30) rests on the last 50 of the law's 110 digits
        assert mpmath.nstr(value, 38) == mpmath.nstr(exact, 38)


def test_exact_probabilities():
    law = Law(
        np.array([-3, -1, 1, 3]), np.array([Fraction(1, 3), Fraction(1, 6), Fraction(1, 6), Fraction(1, 3)])
    )
    value = trained_weight_from_law(law, 2, dps=30)
    assert float(value) == pytest.approx(trained_weight_from_law(law, 2), rel=1e-15, abs=0)
    # M = 3: the equation s^N ((1 + s)/(1 + s³))^N = q(1)/3q(3), by hand
    s = np.exp(-2 * float(value))
    assert (s * (1 + s) / (1 + s**3)) ** 2 == pytest.approx(1 / 6, rel=1e-14, abs=0)


def divergence(W, half, M, N):
    p = model_law(np.array([W]), M, N)
    return -(half * np.log(p)).sum()


@pytest.mark.parametrize(("M", "N"), [(5, 2), (8, 4), (12, 1), (20, 30)])
def test_random_laws_have_one_root_which_is_the_minimum(M, N):
    rng = np.random.default_rng(7)
    values, _ = half_values(M)
    grid = np.logspace(-4, 1, 1500)
    for _ in range(20):
        half = rng.dirichlet(np.full(len(values), 0.3))
        full = np.concatenate([half, half[::-1][1 - M % 2 :]]) / 2
        full[M // 2] *= 1 if M % 2 else 2
        weight = trained_weight_from_law(Law(magnetizations(M), full / full.sum()), N)
        sides = (model_law(grid[:, None], M, N) - half) @ np.diag(np.ones(len(values)))
        gap = (sides * order_function(grid[:, None], values)).sum(axis=1)
        crossings = (np.diff(np.sign(gap[np.abs(gap) > 1e-11])) != 0).sum()
        assert crossings == (half @ values**2 > M)
        if weight:
            found = minimize_scalar(
                lambda x, half=half: divergence(np.exp(x), half, M, N),
                bounds=(-9, 3),
                method="bounded",
                options={"xatol": 1e-10},
            )
            # a minimum is located to the square root of rounding
            assert np.exp(found.x) == pytest.approx(weight, rel=1e-5, abs=0)


@pytest.mark.parametrize("K", [0.4, 1.0, 2.0])
def test_the_standard_error_is_the_spread_of_repetitions(K):
    exact = trained_weight(K, 8, 4)
    z = [
        trained_weight_from_samples(Ring(8).sample(K, 1000, rng=seed), 4).deviation(exact)
        for seed in range(400)
    ]
    # 400 repetitions: the spread has a standard error of 3.5 %, the mean of 0.05;
    # the bias of order n^(−1/2) is 0.1; five of each
    assert np.std(z) == pytest.approx(1, abs=0.18)
    assert abs(np.mean(z)) < 0.35


def test_the_standard_error_against_the_bootstrap():
    spins = Ring(8).sample(1.0, 2000, rng=11)
    found = trained_weight_from_samples(spins, 4)
    rng = np.random.default_rng(12)
    again = [trained_weight_from_samples(spins[rng.integers(0, 2000, 2000)], 4).mean for _ in range(300)]
    # the bootstrap's spread of 300 has a standard error of 4 %; five of them
    assert np.std(again) == pytest.approx(found.stderr, rel=0.2, abs=0)


def test_samples_without_order_or_without_disorder():
    # ⟨V²⟩ ≤ M: the weight is 0, with the scale up to which it cannot be told from 0
    found = trained_weight_from_samples(Ring(8).sample(-0.3, 1000, rng=1), 4)
    assert found.mean == 0
    assert 0.01 < found.stderr < 0.1
    aligned = trained_weight_from_samples(np.ones((5, 6)), 4)
    assert (aligned.mean, aligned.stderr) == (np.inf, np.inf)


def test_samples_are_folded_and_may_be_any_array():
    spins = Ring(8).sample(1.0, 500, rng=3)
    found = trained_weight_from_samples(spins, 4)
    flipped = spins * np.where(spins.sum(axis=1) < 0, -1, 1)[:, None]
    assert trained_weight_from_samples(flipped, 4).mean == found.mean
    frozen = np.asfortranarray(spins.astype(float))
    frozen.setflags(write=False)
    assert trained_weight_from_samples(frozen[::1], 4).mean == found.mean
    assert (found.tau, found.n_effective) == (0.5, 500)


def test_arithmetic_of_laws_keeps_their_digits():
    law = Ring(8).magnetization_law("1", dps=60)
    with mpmath.workdps(70):
        second = sum(p * int(v) ** 2 for v, p in zip(law.values, law.probabilities, strict=True))
        assert abs(law.moment(2) - second) < mpmath.mpf(10) ** -58
    skew = Law(law.values, np.array([*law.probabilities[:-1], law.probabilities[-1] * 0], dtype=object))
    with mpmath.workdps(70):
        assert skew.symmetrized().probabilities[0] * 2 == law.probabilities[0]


VALUES = magnetizations(4)
FLAT = np.full(5, 0.2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: trained_weight_from_law([0.2] * 5, 4), TypeError, "law="),
        (lambda: trained_weight_from_law(Law(VALUES, FLAT * 1.1), 4), ValueError, "sum to 1.1"),
        (lambda: trained_weight_from_law(Law(VALUES, FLAT * 1.1), 4, dps=20), ValueError, "sum to 1.1"),
        (
            lambda: trained_weight_from_law(Law(VALUES, [-0.2, 0.4, 0.6, 0.4, -0.2]), 4),
            ValueError,
            "negative",
        ),
        (lambda: trained_weight_from_law(Law(VALUES, [np.nan] * 5), 4), ValueError, "NaN"),
        (lambda: trained_weight_from_law(Law(VALUES, [np.inf] * 5), 4), ValueError, "infinity"),
        (
            lambda: trained_weight_from_law(Law(VALUES, [0.4, 0.1, 0.2, 0.2, 0.1]), 4),
            ValueError,
            "symmetrized",
        ),
        (lambda: trained_weight_from_law(Law(VALUES, [0.2j] * 5), 4), TypeError, "real numbers"),
        (lambda: trained_weight_from_law(Law(VALUES, ["a"] * 5), 4), TypeError, "real numbers"),
        (
            lambda: trained_weight_from_law(Law(magnetizations(2), [0.25, 0.5, 0.25]), 4),
            ValueError,
            "n_visible=2",
        ),
        (lambda: trained_weight_from_law(Law(VALUES, FLAT), 0), ValueError, "n_hidden=0"),
        (lambda: trained_weight_from_law(Law(VALUES, FLAT), 4, dps=0), ValueError, "dps=0"),
        (lambda: trained_weight_from_samples([[1, 1, -1]], 4), ValueError, "at least 2 samples"),
        (lambda: trained_weight_from_samples([1, 1, -1], 4), ValueError, "shape"),
        (lambda: trained_weight_from_samples([[1, 1], [1, -1]], 4), ValueError, "3 spins"),
        (lambda: trained_weight_from_samples([[0, 1, 1], [1, 0, 1]], 4), ValueError, r"2 \* x - 1"),
        (lambda: trained_weight_from_samples([[1, 1, np.nan]] * 2, 4), ValueError, "holds nan"),
        (lambda: trained_weight_from_samples([[1, 1, 3]] * 2, 4), ValueError, "holds 3"),
        (lambda: trained_weight_from_samples(np.ones((2, 3)), 2.5), TypeError, "n_hidden=2.5"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_a_skew_law_is_told_to_do():
    skew = Law(VALUES, [0.5, 0.1, 0.2, 0.1, 0.1])
    assert trained_weight_from_law(skew.symmetrized(), 4) == trained_weight_from_law(
        Law(VALUES, [0.3, 0.1, 0.2, 0.1, 0.3]), 4
    )
