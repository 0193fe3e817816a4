"""The annealing kernel beside its twin, bit for bit at every level, and beside doubles without tables."""

import itertools

import numpy as np
import pytest

from rbmflow import RBM
from rbmflow._kernels import annealing, simd
from rbmflow.likelihood.annealed_importance import anneal
from rbmflow.networks.two_layers import log_two_cosh
from tests.kernels import twin_annealing as twin
from tests.kernels.twin_logistic import Generator
from tests.networks.machines import random_machine

BEST = simd.supported()
LEVELS = range(BEST + 1)
SHAPES = [(1, 1), (2, 3), (8, 4), (5, 17), (16, 16), (33, 30), (3, 70), (70, 5)]


def key(seed):
    return np.random.default_rng(seed).integers(0, 2**64, size=32, dtype=np.uint64)


def start(n_chains, n, seed):
    return (2 * np.random.default_rng(seed).integers(0, 2, size=(n_chains, n)) - 1).astype(np.int8)


def run_kernel(parameters, betas, visible, words, level, at_once=100, around=(0, 0)):
    spins, words, log_weights = visible.copy(), words.copy(), np.full(len(visible), np.nan)
    work = np.empty(
        annealing.work_size(*parameters[0].shape, len(spins), parameters[0].dtype == np.float64), np.uint8
    )
    for first, last in itertools.pairwise([*range(0, len(betas) - 1, at_once), len(betas) - 1]):
        steps = np.array(betas, dtype=float), first, last
        annealing.anneal(*parameters, *steps, spins, log_weights, words, *around, work, level)
    return log_weights, spins


def parameters_of(rbm, real):
    return [one.astype(real) for one in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_twin(shape, real, level):
    parameters = parameters_of(random_machine(*shape, seed=1, scale=0.4), real)
    for n_chains, betas in ((1, [0.0, 1.0]), (7, [0.0, 0.1, 0.5, 1.0]), (4, [1.0, 0.3, 0.3, 0.0])):
        visible, words = start(n_chains, shape[0], 2), key(3)
        log_weights, spins = run_kernel(parameters, betas, visible, words, level)
        wanted, wanted_spins = twin.anneal(*parameters, betas, visible, Generator(words))
        np.testing.assert_array_equal(spins, wanted_spins)
        np.testing.assert_array_equal(log_weights, wanted)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_chains_of_one_generator_may_be_parted(shape, real, level):
    parameters = parameters_of(random_machine(*shape, seed=1, scale=0.4), real)
    betas, visible = [0.0, 0.3, 0.7, 1.0], start(13, shape[0], 2)
    log_weights, spins = run_kernel(parameters, betas, visible, key(3), level)
    for first, last in itertools.pairwise([0, 4, 5, 13]):
        part = run_kernel(parameters, betas, visible[first:last], key(3), level, 2, (first, 13 - last))
        np.testing.assert_array_equal(part[0], log_weights[first:last])
        np.testing.assert_array_equal(part[1], spins[first:last])


@pytest.mark.parametrize("shape", [(30, 20), (300, 250)])
def test_the_chains_are_those_of_any_number_of_threads(shape):
    rbm = random_machine(*shape, seed=1, scale=0.05)
    visible, betas = start(150, shape[0], 2), np.linspace(0, 1, 5)
    one, *others = (anneal(rbm, visible, betas, np.random.default_rng(1), n_threads=n) for n in (1, 2, 16))
    for other in others:
        np.testing.assert_array_equal(other[0], one[0])
        np.testing.assert_array_equal(other[1], one[1])


@pytest.mark.parametrize("level", LEVELS)
def test_products_are_taken_out_where_they_leave_the_range(level):
    # more than 32 panels, and large fields both ways: the ratio passes 2^±500
    shape = (4, 1100)
    rbm = RBM(np.full(shape, 3.0), None, np.full(1100, 0.1))
    parameters = parameters_of(rbm, np.float32)
    visible = np.ones((2, 4), dtype=np.int8)
    for betas in ([0.0, 1.0], [1.0, 0.0]):
        log_weights, _ = run_kernel(parameters, betas, visible, key(4), level)
        wanted, _ = twin.anneal(*parameters, betas, visible, Generator(key(4)))
        np.testing.assert_array_equal(log_weights, wanted)
        difference = log_two_cosh(0.1 + betas[1] * 12.0 + np.zeros(1)) - log_two_cosh(
            0.1 + betas[0] * 12.0 + np.zeros(1)
        )
        np.testing.assert_allclose(log_weights, 1100 * difference[0], rtol=1e-6)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("n_hidden", [3, 100])
def test_steps_in_parts_are_the_same_bits(n_hidden, real, level):
    # 7 panels of float32 and 13 of float64 to a step: what 32 panels gather is cut at every place
    parameters = parameters_of(random_machine(6, n_hidden, seed=14), real)
    betas, visible = np.linspace(0, 1, 60), start(9, 6, 15)
    wanted = run_kernel(parameters, betas, visible, key(16), level)
    for at_once in (1, 7, 58):
        found = run_kernel(parameters, betas, visible, key(16), level, at_once)
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[1], wanted[1])


def exact_weights(rbm, betas, visible):
    """One step of ln w in double precision, without a sweep."""
    x = visible.astype(float) @ rbm.weights
    return (log_two_cosh(rbm.hidden_bias + betas[1] * x) - log_two_cosh(rbm.hidden_bias + betas[0] * x)).sum(
        axis=1
    )


@pytest.mark.parametrize(("real", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-12)])
def test_precision(real, tolerance):
    # 64 fields of about 10, sums of 64 terms, with a rounding of 2e-6, or of 4e-15, each; their errors add up
    # at random to eight times as much: 5 standard errors
    rbm = random_machine(64, 64, seed=5, scale=1.0)
    visible = start(50, 64, 6)
    for betas in ([0.0, 1.0], [0.5, 0.501]):
        log_weights, spins = run_kernel(parameters_of(rbm, real), betas, visible, key(7), BEST)
        np.testing.assert_array_equal(spins, visible)
        np.testing.assert_allclose(log_weights, exact_weights(rbm, betas, visible), rtol=0, atol=tolerance)


def test_threads_do_not_change_it():
    rbm, visible = random_machine(9, 7, seed=8), start(200, 9, 9)
    told = []
    found = [
        anneal(
            rbm,
            visible,
            np.linspace(0, 1, 20),
            np.random.default_rng(10),
            n_threads=n,
            progress=lambda *one: told.append(one),
        )
        for n in (1, 2, 5)
    ]
    for log_weights, spins in found[1:]:
        np.testing.assert_array_equal(log_weights, found[0][0])
        np.testing.assert_array_equal(spins, found[0][1])
    assert told[-1] == (200 * 19, 200 * 19)


def test_large_weights_take_double_precision():
    rbm, visible = random_machine(20, 20, seed=11, scale=20.0), start(30, 20, 12)
    betas = np.array([0.0, 1.0])
    log_weights, _ = anneal(rbm, visible, betas, np.random.default_rng(13))
    np.testing.assert_allclose(log_weights, exact_weights(rbm, betas, visible), rtol=1e-14)
