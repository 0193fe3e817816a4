"""The partition function of two layers: the kernel beside its twin, ln Z beside multiprecision, on every SIMD level."""

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow._kernels import rbm_partition, simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.networks import enumerated, exact_log_partition
from rbmflow.networks.enumerated import Enumerated
from tests.exact import private
from tests.kernels import twin_rbm_partition as twin
from tests.networks.machines import random_machine

BEST = simd.supported()
LEVELS = range(BEST + 1)


def arguments(n_traced, n_middle, n_high, stops, seed):
    rng = np.random.default_rng(seed)
    spread = 0.2 if not len(stops) else 8.0
    low, middle, high = (
        np.exp(spread * rng.normal(size=shape))
        for shape in ((8, n_traced, 32), (n_middle // 4, n_traced, 4), (n_high, n_traced))
    )
    values, exponents = [], []
    for n in (256, n_middle):
        values.append(rng.uniform(1, 2, size=n))
        exponents.append(rng.integers(-3000, 3000, size=n))
    return (
        low,
        values[0],
        exponents[0],
        middle,
        values[1],
        exponents[1],
        high,
        np.array(stops, dtype=np.int64),
    )


def run_kernel(tables, level):
    *_, middle_value, _, high, _ = tables
    sums, exponents = np.full((len(high), 8), np.nan), np.full((len(high), 8), 7, dtype=np.int64)
    scratch = np.empty(len(middle_value) * (tables[0].shape[1] + 8))
    scales = np.empty(len(middle_value) * 8, dtype=np.int64)
    rbm_partition.sum_states(*tables, scratch, scales, sums, exponents, level)
    return sums, exponents


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("n_traced", "n_middle", "n_high", "stops"),
    [
        (1, 4, 1, []),
        (5, 64, 3, []),
        (33, 8, 2, []),
        (1, 4, 1, [1]),
        (9, 16, 2, [3, 4, 9]),
        (40, 64, 2, [10, 20, 30, 40]),
    ],
)
def test_twin(n_traced, n_middle, n_high, stops, level):
    tables = arguments(n_traced, n_middle, n_high, stops, seed=n_traced)
    sums, exponents = run_kernel(tables, level)
    wanted, wanted_exponents = twin.sum_states(*tables)
    np.testing.assert_array_equal(sums, wanted)
    np.testing.assert_array_equal(exponents, wanted_exponents)


SHAPES = [(64, 14, 0.1), (64, 15, 1.0), (16, 16, 0.3), (3, 17, 4.0), (1, 1, 1.0), (2, 30, 0.0), (40, 10, 8.0)]


@pytest.mark.parametrize("shape", SHAPES[:-2])
def test_levels_give_the_same_bits(monkeypatch, shape):
    rbm = random_machine(*shape[:2], seed=3, scale=shape[2])
    found = []
    for name in SIMD_LEVELS[: BEST + 1]:
        monkeypatch.setenv("RBMFLOW_SIMD", name)
        found.append(exact_log_partition(rbm))
    assert len(set(found)) == 1


def multiprecision(rbm):
    """ln Z with 30 digits, the smaller layer enumerated."""
    ctx = private(30)
    W, b, c = rbm.weights, rbm.visible_bias, rbm.hidden_bias
    if rbm.n_visible < rbm.n_hidden:
        W, b, c = W.T, c, b
    n = W.shape[1]
    plus = [[ctx.exp(2 * ctx.mpf(w)) for w in row] for row in W.tolist()]
    linear = [ctx.exp(2 * ctx.mpf(x)) for x in c.tolist()]

    def level(j, ratios, weight):
        if j == n:
            return weight * ctx.fprod(1 / x + x for x in ratios)
        up = level(j + 1, [x * row[j] for x, row in zip(ratios, plus, strict=True)], weight * linear[j])
        return up + level(j + 1, ratios, weight)

    start = [ctx.exp(ctx.mpf(x) - ctx.fsum(row)) for x, row in zip(b.tolist(), W.tolist(), strict=True)]
    return ctx, ctx.log(level(0, start, ctx.exp(-ctx.fsum(c.tolist()))))


@pytest.mark.parametrize("shape", [(12, 9, 0.1), (20, 8, 1.0), (5, 10, 5.0), (10, 7, 30.0), (30, 3, 12.0)])
def test_error_of_ln_z(shape):
    # each of n factors 1e-16 relative, exponentials of arguments up to |ln Z| as much times it: far below 1e-12
    rbm = random_machine(*shape[:2], seed=4, scale=shape[2])
    ctx, wanted = multiprecision(rbm)
    assert enumerated.fits_kernel(Enumerated(rbm.weights, rbm.visible_bias, rbm.hidden_bias))
    error = float(abs(ctx.mpf(exact_log_partition(rbm)) - wanted))
    assert error < 1e-14 * max(1.0, float(abs(wanted)))


def test_independent_units_and_thirty_of_them(monkeypatch):
    rng = np.random.default_rng(5)
    b, c = rng.normal(size=3), rng.normal(size=22)
    found = exact_log_partition(RBM(np.zeros((3, 22)), b, c))
    # the smaller layer is the visible one; turned round, 22 units are enumerated
    seen = Enumerated(np.zeros((3, 22)), b, c)
    wanted = np.log(2 * np.cosh(b)).sum() + np.log(2 * np.cosh(c)).sum()
    assert found == pytest.approx(wanted, abs=1e-12)
    # 2^22 sums of equal numbers: a rounding of 1e-16 in every addition, at random
    assert enumerated.log_sum(seen, 1) == pytest.approx(wanted, abs=1e-12)


def test_threads_and_progress_do_not_change_it():
    rbm = random_machine(6, 6, seed=6)
    seen = Enumerated(np.random.default_rng(7).normal(size=(4, 21)), np.zeros(4), np.zeros(21))
    told = []
    found = [enumerated.log_sum(seen, n, lambda *one: told.append(one)) for n in (1, 2, 5)]
    assert len(set(found)) == 1
    assert told[-1] == (128, 128)
    assert exact_log_partition(rbm, n_threads=3) == exact_log_partition(rbm, n_threads=1)


def test_weights_beyond_the_tables_take_the_plain_path():
    rbm = RBM([[400.0, -30.0], [1.0, 2.0]], [3.0, 0.0])
    assert not enumerated.fits_kernel(Enumerated(rbm.weights, rbm.visible_bias, rbm.hidden_bias))
    assert exact_log_partition(rbm) == pytest.approx(436.0, abs=3.0)
    _, wanted = multiprecision(rbm)
    assert exact_log_partition(rbm) == pytest.approx(float(wanted), rel=1e-15)


def test_bad_threads():
    with pytest.raises(ValueError, match="n_threads=0"):
        exact_log_partition(random_machine(2, 2, seed=1), n_threads=0)
