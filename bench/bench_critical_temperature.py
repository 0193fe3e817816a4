"""The threshold of a range of temperatures against a root search over the law of each range."""

import pytest
from processor_time import least_seconds
from scipy.optimize import brentq

from rbmflow.flow import critical_coupling, critical_temperature, critical_weight
from rbmflow.weight import TemperatureRange
from rbmflow.weight.mixture_law import mixture_form

M, N, TARGET = 10**4, 100, 7


def plain(M, N):
    W, low = critical_weight(M, N), 1 / critical_coupling(M, N)

    def surplus(T_high):
        return mixture_form(TemperatureRange(0.0, T_high), M)[0].residual(W, N)

    high = 2 * low
    while surplus(high) < 0:
        low, high = high, 2 * high
    return brentq(surplus, low, high, xtol=1e-15, rtol=1e-15)


def test_threshold_of_a_range(benchmark):
    assert benchmark(lambda: critical_temperature(M, N)) == pytest.approx(plain(M, N), rel=1e-12, abs=0)
    mine, peer = least_seconds(lambda: critical_temperature(M, N), lambda: plain(M, N), rounds=2)
    print(
        f"\ncritical_temperature M={M} N={N}: {mine:.2f} s, {peer / mine:.0f}x a root search over mean laws "
        f"(target {TARGET}x)"
    )
