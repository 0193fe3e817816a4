import math

import numpy as np
import pytest

from rbmflow import Estimate


def test_mean_and_standard_error():
    samples = np.random.default_rng(1).normal(3.0, 2.0, 10_000)
    estimate = Estimate.from_independent(samples)
    assert estimate.mean == samples.mean()
    assert estimate.stderr == pytest.approx(samples.std(ddof=1) / 100, rel=1e-12)
    assert (estimate.tau, estimate.n_effective) == (0.5, 10_000.0)
    assert math.isnan(estimate.r_hat)


def test_pulls_have_unit_variance():
    # 2000 repetitions of 50 normal samples; the variance of the pulls is that of Student's t with 49 degrees of
    # freedom, 49/47 = 1.043, known to about 3 %; 5 sigma with a fixed seed
    rng = np.random.default_rng(2)
    pulls = [Estimate.from_independent(rng.normal(size=50)).deviation(0.0) for _ in range(2000)]
    assert np.var(pulls) == pytest.approx(49 / 47, abs=0.17)


def test_deviation_without_spread():
    flat = Estimate.from_independent([1, 1, 1])
    assert flat.deviation(1.0) == 0
    assert flat.deviation(0.0) == math.inf


@pytest.mark.parametrize("samples", [[1.0], [], [1.0, np.inf], [1.0, np.nan]])
def test_too_few_or_infinite_samples_are_refused(samples):
    with pytest.raises(ValueError, match="samples"):
        Estimate.from_independent(samples)
