"""The kernel of W(K) against multiprecision roots of the literal equation, on every SIMD level."""

import json
from math import comb
from pathlib import Path

import numpy as np
import pytest

from rbmflow._kernels import simd, uniform_weight
from tests.exact import private
from tests.kernels.test_magnetization import exact_weights

BEST = simd.supported()
LEVELS = range(BEST + 1)
SIZES = [(3, 1), (4, 2), (5, 9), (7, 3), (8, 4), (8, 1), (20, 1), (33, 70), (64, 1), (64, 32)]
COUPLINGS = np.logspace(-12, 4, 60)
# source: see the note in the file
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "weights.json").read_text())["weights"]


def solve(couplings, n_visible, n_hidden, level=BEST):
    couplings = np.ascontiguousarray(couplings, dtype=float)
    weights = np.full(couplings.shape, np.nan)
    assert uniform_weight.solve_ring(couplings, n_visible, n_hidden, weights, level) == 0
    return weights


def twin(K, n_visible, n_hidden):
    """Twin: bisect ⟨V tanh WV⟩_p − ⟨V tanh WV⟩_q, the literal difference, with digits enough for its cancellation."""
    ctx = private(40 + int(max(0, -2.5 * np.log10(K)) + max(0, 2 * K)))
    q = exact_weights(ctx, n_visible, K)
    values = [2 * n - n_visible for n in range(n_visible + 1)]
    counts = [comb(n_visible, n) for n in range(n_visible + 1)]
    total = ctx.fsum(q)

    def difference(W):
        order = [v * ctx.tanh(W * v) for v in values]
        p = [count * ctx.cosh(W * v) ** n_hidden for count, v in zip(counts, values, strict=True)]
        return ctx.fdot(p, order) / ctx.fsum(p) - ctx.fdot(q, order) / total

    low, high = ctx.mpf(10) ** -12, ctx.mpf(2 * K + n_visible)
    for _ in range(64):
        middle = ctx.sqrt(low * high)
        low, high = (middle, high) if difference(middle) < 0 else (low, middle)
    return float(ctx.sqrt(low * high))


@pytest.mark.parametrize("level", LEVELS)
def test_reference_values(level):
    for row in REFERENCE:
        weight = solve([float(row["K"])], row["n_visible"], row["n_hidden"], level)[0]
        assert weight == pytest.approx(float(row["W"]), rel=4e-15, abs=0)


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 4), (9, 2), (20, 1)])
@pytest.mark.parametrize("K", [1e-4, 0.3, 1.0, 6.0])
def test_twin(M, N, K):
    # about ten roundings in each sum, divided by a slope of order 2 in ln W; the bisection stops at 1e-18
    assert solve([K], M, N)[0] == pytest.approx(twin(K, M, N), rel=4e-15, abs=0)


@pytest.mark.slow
@pytest.mark.parametrize(("M", "N"), SIZES)
def test_from_very_weak_to_very_strong_coupling(M, N):
    from rbmflow import trained_weight

    exact = [float(trained_weight(float(K), M, N, dps=20)) for K in COUPLINGS]
    np.testing.assert_allclose(solve(COUPLINGS, M, N), exact, rtol=1e-14)


@pytest.mark.parametrize(
    ("M", "N"), [*SIZES, (128, 10), (255, 300), (256, 128), (3, 1000), (8, 10**6), (8, 10**9)]
)
def test_every_level_gives_the_same_bits(M, N):
    couplings = np.concatenate([COUPLINGS, [1e-300, 1e6, 0.0, -1.0, np.inf]])
    wanted = solve(couplings, M, N, 0)
    for level in LEVELS:
        np.testing.assert_array_equal(solve(couplings, M, N, level), wanted)


def test_a_result_depends_on_its_own_coupling_alone():
    rng = np.random.default_rng(4)
    couplings = np.concatenate([10 ** rng.uniform(-6, 3, 200), -rng.uniform(0, 1, 20), [0.0, np.inf]])
    whole = solve(couplings, 8, 4)
    order = rng.permutation(len(couplings))
    np.testing.assert_array_equal(solve(couplings[order], 8, 4), whole[order])
    for n in (1, 2, 7, 8, 9, 17):
        np.testing.assert_array_equal(solve(couplings[:n], 8, 4), whole[:n])


@pytest.mark.parametrize(("M", "N"), [*SIZES, (256, 1), (256, 1000)])
def test_monotone(M, N):
    assert (np.diff(solve(np.logspace(-10, 5, 3000), M, N)) > 0).all()


def test_ends():
    np.testing.assert_array_equal(solve([-np.inf, -1e-300, -0.0, 0.0, np.inf], 8, 4), [0, 0, 0, 0, np.inf])
    assert solve([], 8, 4).shape == (0,)
    # W² = 2K/(N(M−1)) and W = [2K − ½ ln(M²/8)]/N with corrections beyond rounding
    assert solve([1e-300], 8, 4)[0] == pytest.approx((2e-300 / 28) ** 0.5, rel=1e-15)
    assert solve([1e8], 8, 4)[0] == pytest.approx((2e8 - 0.5 * np.log(8)) / 4, rel=1e-15)


@pytest.mark.parametrize("N", [1, 4, 50])
def test_three_spins(N):
    # s^N ((1 + s)/(1 + s³))^N = x exactly, s = e^(−2W): N [ln s + ln(1 + s) − ln(1 + s³)] = −4K
    for K in (0.1, 1.0, 10.0):
        s = np.exp(-2 * solve([K], 3, N)[0])
        assert N * (np.log(s) + np.log1p(s) - np.log1p(s**3)) == pytest.approx(-4 * K, rel=1e-13)


def test_read_only_couplings():
    couplings = np.array([0.5, 1.0])
    couplings.setflags(write=False)
    assert solve(couplings, 8, 4)[1] == pytest.approx(0.30630832981152307, rel=1e-15)
