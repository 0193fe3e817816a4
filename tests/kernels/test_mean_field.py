"""The mean-field kernel against its twin, bit for bit, at every level, and its tanh against many digits."""

import numpy as np
import pytest

from rbmflow._kernels import mean_field, simd
from tests.exact import private
from tests.kernels import twin_mean_field as twin

LEVELS = range(simd.supported() + 1)
REALS = (np.float32, np.float64)


def arguments(n, real, seed=1):
    """All sizes between 1e-9 and 300, both signs, and numbers where something changes."""
    info = np.finfo(real)
    rng = np.random.default_rng(seed)
    values = rng.choice([-1, 1], n) * 10 ** rng.uniform(-9, 2.5, n)
    special = np.array([0, 0.5, 1, 9, 9.02, 10, 19, 19.07, 20, 21, 710, np.inf, np.log(2) / 4, np.log(2) / 2])
    special = np.concatenate(
        [special, [info.max, info.tiny, info.smallest_subnormal, info.eps, 3 * info.tiny / 7]]
    )
    edges = np.arange(1, 60) * np.log(2) / 4  # where k changes
    around = np.concatenate([edges * (1 - info.eps), edges, edges * (1 + info.eps)])
    return np.concatenate([special, -special, around, -around, values]).astype(real)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
def test_tanh_is_that_of_the_twin(real, level):
    values = arguments(20_000, real)
    wanted = twin.tanh(values)
    for n in (0, 1, 3, 7, 15, 16, 17, 33, len(values)):
        found = np.full(n + 16, 7, dtype=real)
        found[:n] = values[:n]
        mean_field.tanh(found[:n], level)
        np.testing.assert_array_equal(found[:n], wanted[:n])
        np.testing.assert_array_equal(np.signbit(found[:n]), np.signbit(values[:n]))
        assert (found[n:] == 7).all()


@pytest.mark.parametrize("real", REALS)
def test_tanh_is_within_3_ulp(real):
    # half an ulp of each of p, s, 2 + s and the quotient, counted twice where a number is just above a power
    # of 2 and its tanh just below: 3 at most; the largest of 1.2e7 arguments was 2.67
    values = arguments(8_000, real)
    found = values.copy()
    mean_field.tanh(found, LEVELS[-1])
    ctx = private(40)
    assert (np.abs(found) <= 1).all()
    for x, y in zip(values, found, strict=True):
        exact = ctx.tanh(ctx.mpf(float(x)))
        nearest = real(float(exact))
        unit = ctx.mpf(float(np.spacing(np.nextafter(np.abs(nearest), real(0))))) if nearest else ctx.mpf(1)
        assert abs(ctx.mpf(float(y)) - exact) <= 3 * unit, x


@pytest.mark.parametrize("real", REALS)
def test_tanh_is_odd_and_leaves_tiny_numbers(real):
    values = arguments(5_000, real)
    found, mirrored = values.copy(), -values
    mean_field.tanh(found, LEVELS[-1])
    mean_field.tanh(mirrored, LEVELS[-1])
    np.testing.assert_array_equal(mirrored, -found)
    tiny = np.concatenate([np.geomspace(np.finfo(real).smallest_subnormal, 1e-9, 300), [0.0, -0.0]]).astype(
        real
    )
    found = tiny.copy()
    mean_field.tanh(found, LEVELS[-1])
    np.testing.assert_array_equal(found, tiny)
    large = np.array([10 if real is np.float32 else 20, 30, 1e30, np.inf], dtype=real)
    mean_field.tanh(large, LEVELS[-1])
    assert (large == 1).all()


def machine(shape, real, seed=1):
    rng = np.random.default_rng(seed)
    scale = 2 / np.sqrt(max(shape))
    return (
        rng.normal(0, scale, shape).astype(real),
        rng.normal(0, 0.3, shape[0]).astype(real),
        rng.normal(0, 0.3, shape[1]).astype(real),
    )


def packed(weights, visible_bias, hidden_bias):
    """The arguments of the kernel, element by element."""
    L = 64 // weights.itemsize
    n_visible, n_hidden = weights.shape
    up = np.zeros((-(-n_hidden // L), n_visible, L), dtype=weights.dtype)
    down = np.zeros((-(-n_visible // L), n_hidden, L), dtype=weights.dtype)
    b, c = np.zeros(len(down) * L, dtype=weights.dtype), np.zeros(len(up) * L, dtype=weights.dtype)
    for i, a in np.ndindex(weights.shape):
        up[a // L, i, a % L] = down[i // L, a, i % L] = weights[i, a]
    b[:n_visible], c[:n_hidden] = visible_bias, hidden_bias
    return up, down, b, c


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (8, 4), (5, 17), (33, 30), (64, 64), (256, 100)])
def test_iterate(shape, real, level):
    parameters = machine(shape, real)
    rng = np.random.default_rng(2)
    for n, n_steps in ((1, 1), (1, 3), (37, 2), (96, 1), (230, 3), (5, 0), (0, 2)):
        given = rng.uniform(-1, 1, (n, shape[0])).astype(real)
        found = np.full((n + 2, shape[0]), 7, dtype=real)
        found[:n] = given
        mean_field.iterate(*packed(*parameters), found[:n], n_steps, level)
        np.testing.assert_array_equal(found[:n], twin.iterate(*parameters, given, n_steps))
        assert (found[n:] == 7).all()


@pytest.mark.parametrize("real", REALS)
def test_one_step_by_numpy(real):
    # sums of 40 terms of order 1:
    # 40 eps bounds the error of a field, two layers of slope at most |W| add them
    weights, b, c = machine((40, 40), real)
    given = np.random.default_rng(3).uniform(-1, 1, (50, 40)).astype(real)
    found = given.copy()
    mean_field.iterate(*packed(weights, b, c), found, 1, LEVELS[-1])
    W = weights.astype(float)
    wanted = np.tanh(np.tanh(given.astype(float) @ W + c) @ W.T + b)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=200 * np.finfo(real).eps)


@pytest.mark.parametrize("real", REALS)
def test_read_only_parameters(real):
    arguments = packed(*machine((6, 5), real))
    for array in arguments:
        array.setflags(write=False)
    values = np.ones((3, 6), dtype=real)
    mean_field.iterate(*arguments, values, 1, LEVELS[-1])
    np.testing.assert_array_equal(
        values, twin.iterate(*machine((6, 5), real), np.ones((3, 6), dtype=real), 1)
    )
