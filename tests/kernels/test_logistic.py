"""The sampler of ±1 units against its twin, bit for bit, and against the law it stands for."""

import numpy as np
import pytest
from scipy.special import expit

from rbmflow._kernels import logistic, simd
from tests.kernels import twin_logistic as twin

BEST = simd.supported()
LEVELS = range(BEST + 1)
REALS = (np.float32, np.float64)


def key(seed):
    return np.random.default_rng(seed).integers(0, 2**64, size=32, dtype=np.uint64)


def activations(n, real, seed=1):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n) * 10 ** rng.uniform(-6, 1.5, size=n)
    special = [0.0, -0.0, np.inf, -np.inf, 1e-30, -1e30, 43.0, 44.0, -350.0, 351.0]
    values[: min(n, len(special))] = special[:n]
    return values.astype(real)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("n", [1, 7, 8, 15, 16, 17, 32, 1000, 2048, 2049, 5000])
def test_twin_bit_for_bit(n, real, level):
    given, words = activations(n, real), key(n)
    generator = twin.Generator(words)
    out = np.zeros(n, dtype=real)
    for _ in range(2):  # the second call goes on where the first ended
        logistic.sample(given, words, out, level)
        np.testing.assert_array_equal(out, twin.sample(given, generator))
        np.testing.assert_array_equal(words, twin.words_of(generator))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
def test_in_place_and_nothing_beyond(real, level):
    for n in (1, 15, 100, 2500):
        buffer = np.full(n + 64, 7, dtype=real)
        buffer[:n] = activations(n, real)
        wanted = twin.sample(buffer[:n].copy(), twin.Generator(key(3)))
        logistic.sample(buffer[:n], key(3), buffer[:n], level)
        np.testing.assert_array_equal(buffer[:n], wanted)
        assert (buffer[n:] == 7).all()


@pytest.mark.parametrize("real", REALS)
def test_decay_of_the_twin(real):
    # the polynomial, 1.6e-7 and 1e-17, and the roundings of 2 size / ln 2 (half an ulp of a number <= 4 size,
    # times ln 2) and of the last operations
    size = np.concatenate([np.linspace(0, 40, 4001), 10.0 ** np.linspace(-10, 1, 200)]).astype(real)
    exact = np.exp(-2 * size.astype(np.longdouble))
    error = np.abs(twin.decay(size) / exact - 1)
    eps = np.finfo(real).eps
    assert (error <= (1.7e-7 if real is np.float32 else 0) + eps * (2 + 2 * size)).all()


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("size", [0.0, 0.01, 0.3, 1.0, 3.0, 5.0])
def test_probabilities(size, real):
    # |z| < 5.5 in each of 24 comparisons: false alarm below 1e-6; the flips of |a| = 5 are 45 in a million
    n = 1_000_000
    for sign in (1, -1):
        out = np.full(n, sign * size, dtype=real)
        logistic.sample(out, key(int(100 * size) + sign + 7), out, BEST)
        assert set(np.unique(out)) <= {-1.0, 1.0}
        p = expit(2 * sign * size)
        assert abs((out == 1).sum() - n * p) < 5.5 * np.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("real", REALS)
def test_flips_that_never_happen(real):
    # below half of the smallest uniform number: 2^-32 and 2^-53
    out = np.full(1_000_000, 12.0 if real is np.float32 else 19.0, dtype=real)
    logistic.sample(out, key(1), out, BEST)
    assert (out == 1).all()


@pytest.mark.parametrize("real", REALS)
def test_neighbours_are_independent(real):
    # products of spins 1, 2, 8 and 16 places apart have mean m^2;
    # disjoint pairs, 5 standard errors in each of 8
    out = np.full(640_000, 0.4, dtype=real)
    logistic.sample(out, key(2), out, BEST)
    mean = np.tanh(0.4)
    for lag in (1, 2, 8, 16):
        pairs = out.reshape(-1, 2, lag)
        products = (pairs[:, 0] * pairs[:, 1]).ravel().astype(float)
        assert abs(products.mean() - mean**2) < 5 * products.std() / np.sqrt(products.size)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("real", "activation"), [(np.float32, 20.0), (np.float64, 30.0)])
def test_the_least_random_number_is_not_zero(real, activation, level):
    # the first word of each stream is 0:
    # u is 2^-32 or 2^-53, above the probabilities e^-40 and e^-60 of a flip
    words = key(3).reshape(4, 8)
    words[0] = words[3] = 0
    out = np.zeros(8, dtype=real)
    logistic.sample(np.full(8, activation, dtype=real), words.ravel(), out, level)
    np.testing.assert_array_equal(out, 1)
