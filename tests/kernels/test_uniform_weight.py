"""The kernel of W(K) against certified multiprecision roots of the literal equation, on every SIMD level."""

import json
from pathlib import Path

import numpy as np
import pytest

from rbmflow._kernels import simd, uniform_weight
from tests.exact import private, relative
from tests.kernels.twin_uniform_weight import SIZES, certified_weight

BEST = simd.supported()
LEVELS = range(BEST + 1)
LARGE = [(128, 1), (128, 128), (255, 300), (256, 1), (256, 128)]
COUPLINGS = np.logspace(-12, 4, 60)
ENDS = [5e-324, 1e-310, 1e-300, 1e-40, 1e12, 1e300, 8e307]


def rows(name):
    # source: see the note in each file
    return json.loads((Path(__file__).parents[1] / "reference" / name).read_text())["weights"]


def solve(couplings, n_visible, n_hidden, level=BEST):
    couplings = np.ascontiguousarray(couplings, dtype=float)
    weights = np.full(couplings.shape, np.nan)
    assert uniform_weight.solve_ring(couplings, n_visible, n_hidden, weights, level) == 0
    return weights


def limiting_law(K, n_visible, n_hidden):
    """W² = 2K/(N(M−1)) below 1 and W = [2K − ½ ln((M² − M mod 2)/8)]/N above, in multiprecision."""
    ctx = private(40)
    if K < 1:
        return ctx.sqrt(2 * ctx.mpf(K) / (n_hidden * (n_visible - 1)))
    return (2 * ctx.mpf(K) - ctx.log(ctx.mpf(n_visible**2 - n_visible % 2) / 8) / 2) / n_hidden


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["weights.json", "uniform_weight.json"])
def test_reference_values(name, level):
    # about ten roundings of 1.1e-16 in each sum, divided by a slope of order 2 in ln W; M <= 64
    for row in rows(name):
        weight = solve([float(row["K"])], row["n_visible"], row["n_hidden"], level)[0]
        assert weight == pytest.approx(float(row["W"]), rel=4e-15, abs=0)


@pytest.mark.parametrize("row", rows("weights.json") + rows("uniform_weight.json")[::7])
def test_the_twin_and_the_tables_agree(row):
    # both tables hold 40 digits; the last may be rounded the other way
    exact = certified_weight(row["K"], row["n_visible"], row["n_hidden"])
    assert relative(private(45), exact, row["W"]) < 1e-39


@pytest.mark.parametrize(("M", "N"), [(3, 10**9), (8, 10**6), (64, 10**9), *LARGE])
def test_twin(M, N):
    # around the switch at K = 1.3 what cancellation is left is largest: 5e-15 was seen, 1e-14 allowed
    couplings = [1e-6, 0.2, 1.2, 1.3, np.nextafter(1.3, 2), 1.4, 2.0, 9.0]
    for K, weight in zip(couplings, solve(couplings, M, N), strict=True):
        assert relative(private(30), weight, certified_weight(K, M, N, digits=20)) < 1e-14


@pytest.mark.slow
@pytest.mark.parametrize(("M", "N"), [*SIZES, *LARGE])
def test_from_very_weak_to_very_strong_coupling(M, N):
    couplings = np.concatenate([COUPLINGS, np.linspace(0.3, 2.5, 30)])
    for K, weight in zip(couplings, solve(couplings, M, N), strict=True):
        assert relative(private(30), weight, certified_weight(float(K), M, N, digits=20)) < 1e-14


@pytest.mark.parametrize(
    ("M", "N"), [*SIZES, *LARGE, (128, 10), (3, 1000), (8, 10**6), (8, 10**9), (256, 10**9)]
)
def test_every_level_gives_the_same_bits(M, N):
    couplings = np.concatenate([COUPLINGS, ENDS, [1e6, 0.0, -1.0, np.inf]])
    wanted = solve(couplings, M, N, 0)
    for level in LEVELS:
        np.testing.assert_array_equal(solve(couplings, M, N, level), wanted)


@pytest.mark.parametrize("level", LEVELS)
def test_a_result_depends_on_its_own_coupling_alone(level):
    rng = np.random.default_rng(4)
    couplings = np.concatenate([10 ** rng.uniform(-6, 3, 200), -rng.uniform(0, 1, 20), [0.0, np.inf], ENDS])
    whole = solve(couplings, 8, 4, level)
    order = rng.permutation(len(couplings))
    np.testing.assert_array_equal(solve(couplings[order], 8, 4, level), whole[order])
    for n in (1, 2, 7, 8, 9, 17):
        np.testing.assert_array_equal(solve(couplings[:n], 8, 4, level), whole[:n])
        np.testing.assert_array_equal(solve(couplings[n:], 8, 4, level), whole[n:])


@pytest.mark.parametrize(("M", "N"), [*SIZES, (256, 1), (256, 1000), (8, 10**9)])
def test_monotone(M, N):
    # neighbours of the grid differ by 1e-2 relative, far above rounding
    assert (np.diff(solve(np.logspace(-320, 307, 60000), M, N)) > 0).all()


@pytest.mark.parametrize(("M", "N"), [*SIZES, *LARGE, (3, 10**9), (256, 10**9)])
def test_limiting_laws(M, N):
    # their corrections, O(K) and O(e^(−4K/N)), are below rounding here; each side rounds at most four times
    couplings = [K for K in [*ENDS, 1e-20, 1e11] if 2 * K / N < 1.7e308]
    for K, weight in zip(couplings, solve(couplings, M, N), strict=True):
        assert relative(private(30), weight, limiting_law(K, M, N)) < 2e-15


@pytest.mark.parametrize("end", [1e-40, 1e12])
@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (256, 10**9)])
def test_the_iteration_meets_the_limiting_laws(M, N, end):
    # one unit in the last place of K on either side; W follows K with a slope of at most 1 in logarithms
    inside, outside = solve([end, np.nextafter(end, 0 if end < 1 else np.inf)], M, N)
    assert inside == pytest.approx(outside, rel=2e-15, abs=0)


def test_small_coupling_corrections_fall_in_proportion_to_the_coupling():
    # W² = 2K/(N(M−1)) (1 + O(K)); rounding is 1e-16 / 1e-6 of the smaller deviation
    couplings = np.array([1e-5, 1e-6])
    deviation = solve(couplings, 8, 4) ** 2 / (2 * couplings / 28) - 1
    assert deviation[0] / deviation[1] == pytest.approx(10, rel=1e-4, abs=0)


def test_ends():
    np.testing.assert_array_equal(solve([-np.inf, -1e-300, -0.0, 0.0, np.inf], 8, 4), [0, 0, 0, 0, np.inf])
    assert solve([], 8, 4).shape == (0,)


@pytest.mark.parametrize("N", [1, 4, 50])
def test_three_spins(N):
    # s^N ((1 + s)/(1 + s³))^N = x exactly, s = e^(−2W): N [ln s + ln(1 + s) − ln(1 + s³)] = −4K.
    # exp and the logarithms amplify 1e-16 by at most 2W and N ln s / 4K: 1e-13 leaves a margin of ten
    for K in (0.1, 1.0, 10.0):
        s = np.exp(-2 * solve([K], 3, N)[0])
        assert N * (np.log(s) + np.log1p(s) - np.log1p(s**3)) == pytest.approx(-4 * K, rel=1e-13, abs=0)


def test_read_only_couplings():
    couplings = np.array([0.5, 1.0])
    couplings.setflags(write=False)
    assert solve(couplings, 8, 4)[1] == pytest.approx(0.30630832981152307, rel=1e-15, abs=0)
