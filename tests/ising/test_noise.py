"""Where noise on a ring can be mended: a formula, the root it is of, and the exact posteriors."""

import numpy as np
import pytest

from rbmflow import Ring
from rbmflow.ising import RingInFields, denoising_coupling, noise_field
from rbmflow.roots import bracketed_root

RATES = np.array([0.001, 0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.45, 0.49])
LONELY = np.where(np.arange(40) == 20, -1, 1)
"""One spin against all others: it is most easily overruled."""


def overrules(K, rates):
    """Posterior means of the lonely spin."""
    return RingInFields(K[:, None], noise_field(rates)[:, None] * LONELY).means[:, 20]


def test_the_line_is_where_an_exact_posterior_flips():
    low, high = np.full(len(RATES), 0.1), np.full(len(RATES), 4.0)
    for _ in range(40):
        middle = (low + high) / 2
        below = overrules(middle, RATES) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    # a ring of 40 differs from a longer one by less than the rounding of its means
    np.testing.assert_allclose(denoising_coupling(RATES), high, rtol=0, atol=1e-10)


def test_the_line_is_the_root_of_messages():
    for rate, b in zip(RATES, noise_field(RATES), strict=True):

        def excess(K, b=b):
            u = b / 2  # of each side, where they just prevail
            return float(np.tanh(K) * np.tanh(b + u) - np.tanh(u))

        root = bracketed_root(excess, 0.1, 5.0)
        assert denoising_coupling(rate) == pytest.approx(root, abs=1e-12)
        assert denoising_coupling(rate) == pytest.approx(
            np.arctanh(np.tanh(b / 2) / np.tanh(3 * b / 2)), abs=1e-12
        )


def test_below_the_line_no_row_changes_and_above_some_do():
    """All noisy rings of 10 sites at once: a claim on every one of them."""
    from rbmflow.spins import all_states

    y = all_states(10)
    for rate in (0.05, 0.15, 0.3):
        b, K = noise_field(rate), denoising_coupling(rate)
        assert (np.sign(RingInFields(0.999 * K, b * y).means) == y).all()
        overruled = np.sign(RingInFields(1.01 * K, b * y).means) != y
        assert overruled.any()
        assert not overruled[(y == np.roll(y, 1, axis=1)) | (y == np.roll(y, -1, axis=1))].any()


def test_short_rings_need_more():
    for n_sites in (3, 5, 8):
        seen = noise_field(RATES[3:])[:, None] * np.where(np.arange(n_sites) == 1, -1, 1)
        # at lower rates the excess, about ε^(n/2), drowns in rounding
        assert (RingInFields(denoising_coupling(RATES[3:])[:, None], seen).means[:, 1] < 0).all()


def test_at_weak_fields_the_line_is_where_the_susceptibility_is_two():
    assert denoising_coupling(0.5) == pytest.approx(np.log(2) / 2, rel=1e-15)
    assert Ring(1000).susceptibility(denoising_coupling(0.5)) == pytest.approx(2, rel=1e-14)


def test_digits():
    import mpmath

    with mpmath.workdps(60):
        rate = mpmath.mpf("0.05")
        b = mpmath.log((1 - rate) / rate) / 2
        K = mpmath.atanh(mpmath.tanh(b / 2) / mpmath.tanh(3 * b / 2))
        assert abs(noise_field("0.05", dps=50) / b - 1) < 1e-49
        assert abs(denoising_coupling("0.05", dps=50) / K - 1) < 1e-49
        for text in ("1e-300", "1e-9", "0.2499999", "0.25", "0.4", "0.4999", "0.4999999999"):
            near = mpmath.mpf(float(text))
            assert abs(noise_field(float(text)) / (mpmath.log((1 - near) / near) / 2) - 1) < 4e-16
            assert abs(denoising_coupling(float(text)) / (-mpmath.log(near * (1 - near)) / 4) - 1) < 4e-16
    assert noise_field(0.5) == 0 == noise_field("0.5", dps=20)
    assert denoising_coupling(["0.1", "0.2"], dps=5).shape == (2,)


@pytest.mark.parametrize("function", [noise_field, denoising_coupling])
@pytest.mark.parametrize("rate", [0.0, -0.1, 0.6, [0.1, 1.0], np.inf])
def test_bad_rates(function, rate):
    with pytest.raises(ValueError, match=r"error_rate=.*at most 0\.5"):
        function(rate)
    with pytest.raises(ValueError, match=r"error_rate=.*at most 0\.5"):
        function(rate, dps=10)
