import math
from decimal import localcontext
from fractions import Fraction

import numpy as np
import pytest

from rbmflow import Estimate
from rbmflow.estimate import with_error

NAN, INF = math.nan, math.inf


def test_mean_and_standard_error():
    samples = np.random.default_rng(1).normal(3.0, 2.0, 10_000)
    estimate = Estimate.from_independent(samples)
    assert estimate.mean == samples.mean()
    assert estimate.stderr == pytest.approx(samples.std(ddof=1) / 100, rel=1e-12, abs=0)
    assert (estimate.tau, estimate.n_effective) == (0.5, 10_000.0)
    assert math.isnan(estimate.r_hat)


def test_pulls_have_unit_variance():
    # 2000 repetitions of 50 normal samples; the variance of the pulls is that of Student's t with 49 degrees
    # of freedom, 49/47 = 1.043, known to about 3 %; 5 sigma with a fixed seed
    rng = np.random.default_rng(2)
    pulls = [Estimate.from_independent(rng.normal(size=50)).deviation(0.0) for _ in range(2000)]
    assert np.var(pulls) == pytest.approx(49 / 47, abs=0.17)


def test_deviation_without_spread():
    assert Estimate.from_independent([1, 3]).stderr == 1
    flat = Estimate.from_independent([1, 1, 1])
    assert flat.deviation(1.0) == 0
    assert flat.deviation(0.0) == math.inf


@pytest.mark.parametrize("samples", [[1.0], [], [1.0, np.inf], [1.0, np.nan]])
def test_too_few_or_infinite_samples_are_refused(samples):
    with pytest.raises(ValueError, match=r"^samples"):
        Estimate.from_independent(samples)


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        # Review of Particle Physics, introduction, section 5.3: 0.827 with errors of 0.119 and 0.367
        (0.827, 0.119, "0.83 ± 0.12"),
        (0.827, 0.367, "0.8 ± 0.4"),
        # the edges: three leading digits 100, 354, 355, 949, 950 and 999
        (1.2345, 0.1, "1.23 ± 0.10"),
        (1.2345, 0.3549, "1.23 ± 0.35"),
        (1.2345, 0.355, "1.2 ± 0.4"),
        (1.2345, 0.9499, "1.2 ± 0.9"),
        (1.2345, 0.95, "1.2 ± 1.0"),
        (1.2345, 0.9999, "1.2 ± 1.0"),
        (1.2345, 0.09501, "1.23 ± 0.10"),
        (12.345, 9.51, "12 ± 10"),
        (1234567, 1.5e-9, "1234567.0000000000 ± 0.0000000015"),
        (-1.313125, 0.0455, "-1.31 ± 0.05"),
        (-1e-5, 0.12, "0.00 ± 0.12"),
        (0, 0.2, "0.00 ± 0.20"),
        (99.96, 0.2, "99.96 ± 0.20"),
        # places before the point, and powers of ten where zeros would be many
        (123456, 7000, "123000 ± 7000"),
        (5, 1000, "0 ± 1000"),
        (123456, 1, "123456.0 ± 1.0"),
        (1234567, 7000, "(1.235 ± 0.007)e+06"),
        (1234567, 1.2, "1234567.0 ± 1.2"),
        (1234567, 5, "1234567 ± 5"),
        (1234567, 40, "(1.23457 ± 0.00004)e+06"),
        (0.000123, 4e-6, "0.000123 ± 0.000004"),
        (1.23e-5, 9.6e-6, "(1.2 ± 1.0)e-05"),
        (-1e300, 3.3e298, "(-1.000 ± 0.033)e+300"),
        (1e-300, 2e-301, "(1.00 ± 0.20)e-300"),
        (3.0, 5e20, "(0 ± 5)e+20"),
        (0.0, 5e-20, "(0 ± 5)e-20"),
        (2.0**52, 0.25, "4503599627370496.0 ± 0.25"),
        # more digits than a float64 has
        (1e300, 1e-10, "1e+300 ± 1e-10"),
        (0.1, 5e-324, "0.1 ± 5e-324"),
        # no error, an unknown one, an infinite one; no value
        (-2.0, 0.0, "-2 ± 0"),
        (1e-20, 0.0, "1e-20 ± 0"),
        (1 / 3, 0.0, "0.333333333333333 ± 0"),
        (-2.0, NAN, "-2 ± nan"),
        (1 / 3, NAN, "0.333333 ± nan"),
        (1.5, INF, "1.5 ± inf"),
        (INF, INF, "inf ± inf"),
        (-INF, 0.12, "-inf ± 0.12"),
        (NAN, 0.123, "nan ± 0.12"),
    ],
)
def test_printed_as_the_particle_data_group_does(value, stderr, text):
    assert with_error(value, stderr) == text
    with localcontext(prec=2):  # what others set for their decimals is no matter
        assert with_error(value, stderr) == text
    assert str(Estimate(np.float64(value), np.float64(stderr), 0.5, 10.0, NAN)) == text


def test_formats():
    one = Estimate(1.23456, 0.0123, 0.5, 100.0, NAN)
    assert f"{one}" == str(one) == "1.235 ± 0.012"
    assert f"{one:.3f}" == "1.235 ± 0.012"
    assert f"{one:.1e}" == "1.2e+00 ± 1.2e-02"
    assert f"{one:+.4f}" == "+1.2346 ± +0.0123"
    assert f"{one:>16}|{one:*^17s}|{one:<15}" == "   1.235 ± 0.012|**1.235 ± 0.012**|1.235 ± 0.012  "
    with pytest.raises(ValueError, match="format"):
        _ = f"{one:d}"
    assert float(one) == 1.23456


def test_exact_numbers_move_and_scale():
    one = Estimate(3.0, 0.5, 2.0, 100.0, 1.001, 0.1, between_chains=True)
    kept = (one.tau, one.n_effective, one.r_hat, one.tau_stderr, one.between_chains)
    for found, mean, stderr in (
        (one + 1, 4.0, 0.5),
        (1 + one, 4.0, 0.5),
        (one - 1, 2.0, 0.5),
        (1 - one, -2.0, 0.5),
        (-one, -3.0, 0.5),
        (one * -2, -6.0, 1.0),
        (np.float64(-2) * one, -6.0, 1.0),
        (one / -4, -0.75, 0.125),
        (one * Fraction(1, 2), 1.5, 0.25),
        (one * np.int8(2), 6.0, 1.0),
    ):
        assert (found.mean, found.stderr) == (mean, stderr)
        assert (found.tau, found.n_effective, found.r_hat, found.tau_stderr, found.between_chains) == kept


def test_what_has_no_clear_meaning_is_refused():
    one = Estimate(3.0, 0.5, 2.0, 100.0, 1.001)
    for combine in (
        lambda a: a + a,
        lambda a: a - a,
        lambda a: a * a,
        lambda a: a / a,
    ):
        with pytest.raises(TypeError, match=r"correlation is not known: take Estimate\.jackknife"):
            combine(one)
    with pytest.raises(TypeError, match=r"^1 / Estimate: not linear"):
        _ = 1 / one
    for other in ("1", True, np.True_, 1j, None):
        for combine in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b):
            with pytest.raises(TypeError, match=r"'Estimate'"):
                combine(one, other)
    for name, combine in (
        ("shift", lambda a: a + NAN),
        ("shift", lambda a: a - INF),
        ("factor", lambda a: a * INF),
        ("divisor", lambda a: a / NAN),
    ):
        with pytest.raises(ValueError, match=f"{name}=.*finite"):
            combine(one)
    with pytest.raises(ZeroDivisionError):
        _ = one / 0


def test_a_function_without_a_value_near_the_means_has_no_error():
    x = np.random.default_rng(1).normal(size=(4, 100))
    with np.errstate(invalid="ignore"):
        for shift, mean in ((0.0, x.mean()), (1.0, np.nan)):  # at the edge and beyond it
            edge = x.mean() + shift
            found = Estimate.jackknife(lambda m, at=edge: m + 0 * np.sqrt(m - at), x)
            np.testing.assert_equal(found.mean, mean)
            assert np.isnan([found.stderr, found.tau, found.n_effective, found.r_hat]).all()


def test_an_unknown_error_is_carried_through():
    unknown = Estimate(-2.0, NAN, NAN, NAN, NAN)
    assert unknown.deviation(-2.0) == 0
    assert math.isnan(unknown.deviation(-1.9))
    assert (unknown * 2).mean == -4
    assert math.isnan((unknown * 2).stderr)
    assert f"{unknown:.1f}" == "-2.0 ± nan"


def test_no_error_gives_infinite_deviations_with_their_sign():
    exact = Estimate(1.0, 0.0, 0.5, 10.0, NAN)
    assert (exact.deviation(2.0), exact.deviation(0.5), exact.deviation(1.0)) == (-INF, INF, 0.0)
