"""A map of W over (K, N/M), 1000 × 1000 points at M = 100 with its progress bar; strong coupling."""

import sys

import numpy as np
import pytest
from processor_time import least_seconds

from rbmflow import trained_weight
from rbmflow.experiments import weight_map
from rbmflow.weight.asymptotics import strong_coupling_series


def test_map_of_a_million_weights(benchmark):
    tqdm = pytest.importorskip("tqdm", reason="progress bars are an extra").tqdm
    parameters = weight_map.Parameters()

    def draw():
        with tqdm(total=parameters.n_ratios, file=sys.stderr, leave=False) as bar:
            return weight_map.run(parameters, progress=lambda done, _: bar.update(done - bar.n))

    found = benchmark.pedantic(draw, rounds=3)
    for row, column in ((0, 0), (499, 300), (999, 999)):
        exact = trained_weight(float(parameters.couplings[column]), 100, parameters.hidden[row], dps=20)
        assert found.weights[row, column] == pytest.approx(float(exact), rel=1e-13, abs=0)
    # the plain route: one coupling a call
    K = parameters.couplings[::20]
    seconds, together = least_seconds(draw, lambda: [trained_weight(x, 100, 64) for x in K], rounds=3)
    each = together / len(K)
    print(
        f"\nmap of {found.weights.size} weights at M = 100: {seconds:.2f} s,"
        f" {1e6 * seconds / found.weights.size:.2f} µs a point;"
        f" {each * found.weights.size / seconds:.0f}x one call for each point"
    )


def test_series_against_the_solution(benchmark):
    series = strong_coupling_series(8, 4, 40)
    start = series.accurate_from(3e-15)
    K = np.linspace(start, 10 * start, 10_000)
    found = benchmark(series.weight, K)
    np.testing.assert_allclose(found, trained_weight(K, 8, 4), rtol=6e-15)
    mine, solver = least_seconds(lambda: series.weight(K), lambda: trained_weight(K, 8, 4))
    print(
        f"\nstrong-coupling series, 40 terms, M = 8, N = 4: as precise as the solution from K = {start:.2f}, "
        f"{solver / mine:.2f}x its speed"
    )
