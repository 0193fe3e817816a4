"""The partition function of two layers: beside its twin and beside multiprecision, at every SIMD level."""

import math

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow._kernels import rbm_partition, simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.networks import exact as exact_module
from rbmflow.networks import exact_log_partition, exact_moments, layer_sums
from rbmflow.networks.layer_sums import Enumerated
from tests.exact import private
from tests.kernels import twin_rbm_partition as twin
from tests.networks.machines import random_machine

BEST = simd.supported()
LEVELS = range(BEST + 1)


def run_kernel(rbm, first, last, level):
    W, b, c = rbm.weights, rbm.visible_bias, rbm.hidden_bias
    logs = np.full(last - first, np.nan)
    n_doubles, n_integers = rbm_partition.scratch_sizes(*W.shape)
    scratch = np.full(n_doubles, np.nan), np.zeros(n_integers, dtype=np.int64)
    assert rbm_partition.log_sums(W, b, c, first, last, *scratch, logs, level)
    return logs


# scales at which products stay in range, need stops, or need one after every few units
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("shape", "scale", "first", "last"),
    [
        ((1, 10), 1.0, 0, 1),
        ((5, 11), 0.5, 0, 1),
        ((33, 14), 0.3, 0, 1),
        ((64, 15), 0.5, 0, 2),
        ((64, 16), 1.5, 1, 3),
        ((9, 17), 20.0, 5, 7),
        ((3, 13), 17.0, 0, 1),
    ],
)
def test_twin(shape, scale, first, last, level):
    rbm = random_machine(*shape, seed=shape[0], scale=scale)
    wanted = twin.log_sums(rbm.weights, rbm.visible_bias, rbm.hidden_bias, first, last)
    np.testing.assert_array_equal(run_kernel(rbm, first, last, level), wanted)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("shape", "scale", "first", "last"),
    [((1, 10), 1.0, 0, 1), ((5, 11), 0.5, 0, 1), ((33, 14), 0.1, 0, 1), ((20, 17), 0.3, 5, 7)],
)
def test_twin_of_the_moments(shape, scale, first, last, level):
    rbm = random_machine(*shape, seed=shape[0], scale=scale)
    W, b, c = rbm.weights, rbm.visible_bias, rbm.hidden_bias
    log_partition = exact_log_partition(rbm)
    wanted = twin.moments(W, b, c, first, last, log_partition)
    found = [np.zeros_like(one) for one in wanted]
    n_doubles, n_integers = rbm_partition.scratch_sizes(*shape)
    scratch = np.full(n_doubles, np.nan), np.zeros(n_integers, dtype=np.int64)
    assert rbm_partition.moments(W, b, c, first, last, log_partition, *scratch, *found, level)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def list_by_kernel(W, b, c, first, last, level):
    n_doubles, n_integers = rbm_partition.scratch_sizes(*W.shape)
    scratch = np.full(n_doubles, np.nan), np.zeros(n_integers, dtype=np.int64)
    n_high = rbm_partition.high_units(W.shape[1])
    found = np.full((last - first, 2 ** (W.shape[1] - n_high)), np.nan), np.full(last - first, np.nan)
    return rbm_partition.state_weights(W, b, c, first, last, *scratch, *found, level), found


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("shape", "scale", "first", "last"),
    [((1, 10), 1.0, 0, 1), ((5, 11), 0.5, 0, 1), ((33, 14), 0.3, 0, 1), ((20, 17), 0.3, 5, 7)],
)
def test_twin_of_the_listed_weights(shape, scale, first, last, level):
    rbm = random_machine(*shape, seed=shape[0], scale=scale)
    machine = rbm.weights, rbm.visible_bias, rbm.hidden_bias
    done, found = list_by_kernel(*machine, first, last, level)
    assert done
    for one, other in zip(found, twin.state_weights(*machine, first, last), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("shape", "scale"), [((64, 16), 1.5), ((9, 17), 20.0), ((3, 13), 300.0)])
def test_weights_that_need_stops_are_not_listed(shape, scale):
    rbm = random_machine(*shape, seed=shape[0], scale=scale)
    machine = rbm.weights, rbm.visible_bias, rbm.hidden_bias
    done, found = list_by_kernel(*machine, 0, 1, BEST)
    assert not done
    assert np.isnan(found[0]).all()
    assert twin.state_weights(*machine, 0, 1) is None


@pytest.mark.parametrize(
    ("shape", "scale"), [((3, 2), 0.5), ((12, 16), 0.4), ((17, 15), 0.3), ((6, 12), 3.0)]
)
def test_moments_are_those_of_the_plain_sum(shape, scale):
    rbm = random_machine(*shape, seed=12, scale=scale)
    found = exact_moments(rbm, n_threads=2)
    seen = exact_module._smaller_layer(rbm)
    plain = exact_module._plain_moments(seen, found.log_partition)
    assert layer_sums.moment_sums(seen, found.log_partition, 1) is not None
    turned = rbm.n_visible < rbm.n_hidden
    # probabilities to 1e-14 relative, summed over all states
    np.testing.assert_allclose(
        found.coupled.T if turned else found.coupled, plain.coupled, rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(
        found.visible if turned else found.hidden, plain.enumerated, rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(found.hidden if turned else found.visible, plain.traced, rtol=0, atol=1e-12)


def test_moments_of_large_weights_take_the_plain_path():
    rbm = random_machine(40, 10, seed=13, scale=3.0)
    seen = exact_module._smaller_layer(rbm)
    assert layer_sums.moment_sums(seen, exact_log_partition(rbm), 1) is None
    found = exact_moments(rbm)
    assert np.abs(found.coupled).max() <= 1
    assert found.coupled[0, 0] == exact_module._plain_moments(seen, found.log_partition).coupled[0, 0]


def test_threads_do_not_change_the_moments():
    seen = Enumerated(0.2 * np.random.default_rng(7).normal(size=(4, 21)), np.zeros(4), np.zeros(21))
    log_partition = layer_sums.log_sum(seen, 1)
    found = [layer_sums.moment_sums(seen, log_partition, n) for n in (1, 2, 5)]
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_the_scales_above_meet_every_path():
    paths = {}
    for shape, scale in (((64, 15), 0.5), ((64, 16), 1.5), ((9, 17), 20.0)):
        rbm = random_machine(*shape, seed=shape[0], scale=scale)
        paths[scale] = len(twin.choose_stops(rbm.weights, rbm.visible_bias.tolist(), 0.0)[0])
    assert paths[0.5] == 0
    assert 1 < paths[1.5] < 10
    assert 3 < paths[20.0] < 9


@pytest.mark.parametrize(
    ("weight", "bias"), [(43.2, 0.0), (0.0, 345.0), (300.0, 0.0), (-43.2, 0.0), (1e300, 1e300)]
)
def test_weights_beyond_the_tables_are_refused(weight, bias):
    W, b, c = np.full((2, 10), 1.0), np.array([0.0, bias]), np.zeros(10)
    W[1] = weight
    logs, sizes = np.full(1, 7.0), rbm_partition.scratch_sizes(2, 10)
    scratch = np.zeros(sizes[0]), np.zeros(sizes[1], dtype=np.int64)
    assert not rbm_partition.log_sums(W, b, c, 0, 1, *scratch, logs, BEST)
    assert logs[0] == 7.0
    assert twin.log_sums(W, b, c, 0, 1) is None


@pytest.mark.parametrize("shape", [(64, 14, 0.1), (64, 15, 1.0), (16, 16, 0.3), (3, 17, 4.0), (1, 1, 1.0)])
def test_levels_give_the_same_bits(monkeypatch, shape):
    rbm = random_machine(*shape[:2], seed=3, scale=shape[2])
    found = []
    for name in SIMD_LEVELS[: BEST + 1]:
        monkeypatch.setenv("RBMFLOW_SIMD", name)
        found.append(exact_log_partition(rbm))
    assert len(set(found)) == 1


def test_log_of_sum():
    # terms of one size and of all, and one that vanishes beside the rest; exp and log round once each
    rng = np.random.default_rng(9)
    for logs in (np.full(1, -800.0), rng.normal(700, 1e-3, size=2**16), np.array([-1e4, 3.0, 2.0, 2.5])):
        top = logs.max()
        wanted = top + math.log(math.fsum(np.exp(logs - top)))
        assert rbm_partition.log_of_sum(logs) == pytest.approx(wanted, rel=4e-16, abs=0)


def multiprecision(rbm):
    """ln Z with 30 digits, the smaller layer layer_sums."""
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
    # each of n factors 1e-16 relative, exponentials of arguments up to |ln Z| as much times it:
    # far below 1e-12
    rbm = random_machine(*shape[:2], seed=4, scale=shape[2])
    ctx, wanted = multiprecision(rbm)
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
    assert layer_sums.log_sum(seen, 1) == pytest.approx(wanted, abs=1e-12)


def test_threads_and_progress_do_not_change_it():
    rbm = random_machine(6, 6, seed=6)
    seen = Enumerated(np.random.default_rng(7).normal(size=(4, 21)), np.zeros(4), np.zeros(21))
    told = []
    found = [layer_sums.log_sum(seen, n, lambda *one: told.append(one)) for n in (1, 2, 5)]
    assert len(set(found)) == 1
    assert told[-1] == (128, 128)
    assert exact_log_partition(rbm, n_threads=3) == exact_log_partition(rbm, n_threads=1)


def test_the_sum_of_many_terms_is_compensated():
    # plain additions of 0.1 round alike for long: a million of them lose 1e-12 and more
    logs = np.full(10**6, np.log(0.1))
    logs[0] = 0.0
    wanted = np.log(math.fsum(np.exp(logs)))
    assert rbm_partition.log_of_sum(logs) == pytest.approx(wanted, abs=4e-15)  # two ulps of the logarithm


@pytest.mark.parametrize("size", [600.0, 800.0, 1e4])
def test_states_that_differ_beyond_the_range_of_doubles(size):
    # the biased unit alone decides: its lanes are 2^1731, 2^2308 and 2^28854 apart
    seen = Enumerated(np.zeros((1, 12)), np.zeros(1), np.array([size, *[0.0] * 11]))
    assert layer_sums.log_sum(seen, 1) == pytest.approx(size + 12 * math.log(2), rel=1e-15, abs=0)


def test_parts_of_chunks_do_not_change_it(monkeypatch):
    rng = np.random.default_rng(16)
    seen = Enumerated(rng.normal(0, 0.1, (4, 21)), np.zeros(4), np.zeros(21))
    log_partition = layer_sums.log_sum(seen, 1)
    wanted = layer_sums.moment_sums(seen, log_partition, 1)
    monkeypatch.setattr(layer_sums, "STEP_NANOSECONDS", 7 * 4 * layer_sums.STATE_NANOSECONDS)
    assert layer_sums.log_sum(seen, 2) == log_partition
    for one, other in zip(layer_sums.moment_sums(seen, log_partition, 2), wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_beyond_the_tables_take_the_plain_path():
    rbm = RBM([[400.0, -30.0], [1.0, 2.0]], [3.0, 0.0])
    assert layer_sums.log_sum(Enumerated(rbm.weights, rbm.visible_bias, rbm.hidden_bias), 1) is None
    assert exact_log_partition(rbm) == pytest.approx(436.0, abs=3.0)
    _, wanted = multiprecision(rbm)
    assert exact_log_partition(rbm) == pytest.approx(float(wanted), rel=1e-15, abs=0)


def test_bad_threads():
    with pytest.raises(ValueError, match="n_threads=0"):
        exact_log_partition(random_machine(2, 2, seed=1), n_threads=0)
