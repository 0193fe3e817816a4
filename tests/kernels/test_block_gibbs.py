"""The block Gibbs kernels against their twin, bit for bit, at every level."""

import numpy as np
import pytest

from rbmflow._kernels import block_gibbs, simd
from rbmflow.workers import call_together
from tests.kernels import twin_block_gibbs as twin
from tests.kernels.twin_logistic import words_of

BEST = simd.supported()
LEVELS = range(BEST + 1)
REALS = (np.float32, np.float64)
ONE = np.ones(1)
WHOLE = np.empty((0, 0), dtype=np.uint8), 0, 0  # nothing clamped, all chains of the generator
SHAPES = [(1, 1), (2, 3), (4, 4), (8, 4), (5, 17), (16, 16), (17, 5), (30, 33), (64, 40), (70, 8)]


def key(seed):
    return np.random.default_rng(seed).integers(0, 2**64, size=32, dtype=np.uint64)


def spins(shape, seed):
    return (2 * np.random.default_rng(seed).integers(0, 2, size=shape) - 1).astype(np.int8)


def machine(shape, real, seed=1):
    rng = np.random.default_rng(seed)
    scale = 1 / np.sqrt(max(shape))
    return (
        rng.normal(0, scale, shape).astype(real),
        rng.normal(0, 0.3, shape[0]).astype(real),
        rng.normal(0, 0.3, shape[1]).astype(real),
    )


def pack(rows):
    out = np.full((len(rows), 4 * -(-rows.shape[1] // 16)), 255, dtype=np.uint8)
    block_gibbs.pack(rows, out)
    return out


@pytest.mark.parametrize("n", [1, 3, 4, 15, 16, 17, 64])
def test_pack(n):
    rows = spins((7, n), n)
    packed = pack(rows)
    assert not (packed & 15).any()
    bits = (packed[:, :, None] >> np.arange(4, 8) & 1).reshape(7, -1)
    np.testing.assert_array_equal(bits[:, :n], rows > 0)
    assert not bits[:, n:].any()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", SHAPES)
def test_sweep(shape, real, level):
    parameters, words = machine(shape, real), key(3)
    generator = twin.Generator(words)
    for n_chains, k, scale, from_visible in (
        (1, 2, 1.0, False),
        (37, 3, 1.0, True),
        (6, 1, 0.35, False),
        (5, 0, 1.0, True),
    ):
        v, h = spins((n_chains, shape[0]), 4), spins((n_chains, shape[1]), 5)
        wanted = twin.sweep(twin.Machine(*parameters, scale), v, h, k, from_visible, generator)
        means = np.zeros((n_chains if k else 0, shape[1]), dtype=real)
        block_gibbs.sweep(
            *parameters, v, h, means, k, np.array([scale]), from_visible, True, *WHOLE, words, level
        )
        np.testing.assert_array_equal(v, wanted[0])
        np.testing.assert_array_equal(h, wanted[1])
        if k:
            np.testing.assert_array_equal(means, wanted[2])
        np.testing.assert_array_equal(words, words_of(generator))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize(
    ("shape", "n_chains"), [((1, 1), 3), ((5, 17), 5), ((30, 33), 37), ((9, 6), 520), ((300, 250), 7)]
)
def test_rungs_are_swept_as_in_calls_of_their_own(shape, n_chains, real, level):
    # more chains than are finished at once, and tables that are built again
    parameters, words, scales = machine(shape, real), key(3), np.array([1, 0.7, 0.35, 0])
    generator = twin.Generator(words)
    v, h = spins((4 * n_chains, shape[0]), 4), spins((4 * n_chains, shape[1]), 5)
    machines = [twin.Machine(*parameters, scale) for scale in scales]
    for k, from_visible in ((2, False), (1, True)):
        wanted = twin.sweep_rungs(machines, v, h, k, from_visible, generator)
        means = np.zeros((n_chains, shape[1]), dtype=real)
        block_gibbs.sweep(*parameters, v, h, means, k, scales, from_visible, True, *WHOLE, words, level)
        for found, twins in zip((v, h, means), wanted, strict=True):
            np.testing.assert_array_equal(found, twins)
        np.testing.assert_array_equal(words, words_of(generator))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize(("shape", "n"), [*((shape, 37) for shape in SHAPES), ((9, 6), 520), ((300, 250), 9)])
def test_energies(shape, n, real, level):
    W, b, c = machine(shape, real)
    v, h, found = spins((n, shape[0]), 4), spins((n, shape[1]), 5), np.empty(n)
    block_gibbs.energies(W, b, c, v, h, found, level)
    np.testing.assert_array_equal(found, twin.energies(twin.Machine(W, b, c), v, h))
    exact = -np.einsum("ni,ia,na->n", v, W.astype(float), h) - v @ b.astype(float) - h @ c.astype(float)
    # roundings of an activation, and of the sum of a lane and over lanes
    roundings = shape[0] / 4 + 3 + sum(shape) / 8 + 5
    size = np.abs(W).sum() + np.abs(b).sum() + np.abs(c).sum()
    np.testing.assert_allclose(found, exact, rtol=0, atol=roundings * np.finfo(real).eps * size)


@pytest.mark.parametrize("real", REALS)
def test_the_last_hidden_spins_may_be_left_out(real):
    parameters, words = machine((9, 6), real), key(1)
    v, h = spins((20, 9), 4), spins((20, 6), 5)
    other, drawn = v.copy(), h.copy()
    means, same = np.zeros((20, 6), dtype=real), np.zeros((20, 6), dtype=real)
    block_gibbs.sweep(*parameters, v, h, means, 2, ONE, True, False, *WHOLE, words, BEST)
    block_gibbs.sweep(*parameters, other, drawn, same, 2, ONE, True, True, *WHOLE, key(1), BEST)
    np.testing.assert_array_equal(v, other)
    np.testing.assert_array_equal(means, same)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [(9, 6), (16, 16), (30, 33), (300, 250)])
def test_chains_of_one_generator_may_be_parted(shape, real, level):
    # those of the last shape build their tables again
    parameters, words, mask = machine(shape, real), key(1), np.random.default_rng(8).random((150, shape[0]))
    v, h = spins((150, shape[0]), 4), spins((150, shape[1]), 5)
    clamped = pack((mask < 0.5).astype(np.int8))
    whole, means = (v.copy(), h.copy()), np.zeros((150, shape[1]), dtype=real)
    rest = 2, ONE, True, True
    block_gibbs.sweep(*parameters, *whole, means, *rest, clamped, 0, 0, words, level)
    for first, last in ((0, 4), (4, 5), (5, 140), (140, 150)):
        other, at = key(1), slice(first, last)
        part = v[at].copy(), h[at].copy(), np.zeros((last - first, shape[1]), dtype=real)
        block_gibbs.sweep(*parameters, *part, *rest, clamped[at], first, 150 - last, other, level)
        for found, wanted in zip((*part, other), (whole[0][at], whole[1][at], means[at], words), strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("from_visible", [False, True])
def test_clamped_units_keep_their_spins(from_visible, real):
    parameters, words = machine((9, 6), real), key(1)
    generator = twin.Generator(words)
    v, h = spins((20, 9), 4), spins((20, 6), 5)
    mask = np.random.default_rng(8).random((20, 9)) < 0.5
    wanted = twin.sweep(twin.Machine(*parameters), v, h, 3, from_visible, generator, mask)
    means = np.zeros((20, 6), dtype=real)
    clamped = pack(mask.view(np.int8))
    block_gibbs.sweep(*parameters, v, h, means, 3, ONE, from_visible, True, clamped, 0, 0, words, BEST)
    np.testing.assert_array_equal(v, wanted[0])
    np.testing.assert_array_equal(h, wanted[1])
    np.testing.assert_array_equal(means, wanted[2])
    np.testing.assert_array_equal(v[mask], spins((20, 9), 4)[mask])
    assert (v != spins((20, 9), 4)).any()


@pytest.mark.parametrize("real", REALS)
def test_sweep_of_many_chains_without_means(real):
    parameters, words = machine((9, 6), real), key(1)
    generator = twin.Generator(words)
    v, h = spins((1100, 9), 4), spins((1100, 6), 5)
    wanted = twin.sweep(twin.Machine(*parameters), v, h, 2, False, generator)
    block_gibbs.sweep(
        *parameters, v, h, np.zeros((0, 6), dtype=real), 2, ONE, False, True, *WHOLE, words, BEST
    )
    np.testing.assert_array_equal(v, wanted[0])
    np.testing.assert_array_equal(h, wanted[1])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
def test_tables_that_are_built_again(real, level):
    # 16 bytes of tables for each weight in float32: more than are kept
    shape = (300, 250)
    parameters, words = machine(shape, real), key(3)
    generator = twin.Generator(words)
    v, h = spins((9, shape[0]), 4), spins((9, shape[1]), 5)
    wanted = twin.sweep(twin.Machine(*parameters), v, h, 2, True, generator)
    means = np.zeros((9, shape[1]), dtype=real)
    block_gibbs.sweep(*parameters, v, h, means, 2, ONE, True, True, *WHOLE, words, level)
    np.testing.assert_array_equal(v, wanted[0])
    np.testing.assert_array_equal(h, wanted[1])
    np.testing.assert_array_equal(means, wanted[2])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [*SHAPES, (150, 130)])
@pytest.mark.parametrize(("n_chains", "k"), [(0, 1), (0, 3), (7, 1), (70, 2)])
def test_train(n_chains, k, shape, real, level):
    rows, words = spins((45, shape[0]), 2), key(3)
    order = np.random.default_rng(5).permutation(45)[:41]
    parameters = machine(shape, real)
    chains = spins((n_chains, shape[0]), 6), spins((n_chains, shape[1]), 7)
    for batch_size, decay in ((10, 0.0), (41, 0.2)):
        generator = twin.Generator(words)
        other = twin.Machine(*parameters)
        hidden = chains[1].astype(real) if n_chains else None
        wanted = twin.train(other, rows, order, batch_size, k, 0.1, decay, hidden, generator)
        measured = min(n_chains, 5)
        series = np.zeros((-(-41 // batch_size), measured), dtype=np.int32)
        none = np.empty((0, 0), dtype=real)
        block_gibbs.train(
            *parameters,
            *(pack(rows), order, batch_size, k, 0.1, decay),
            *(none, 0.0, 0.0, 0.0, 0, none.ravel()),
            *(*chains, series, words, level, np.zeros(8, dtype=np.int64), 1, 0),
        )
        for found, same in zip(parameters, (other.W, other.b, other.c), strict=True):
            np.testing.assert_array_equal(found, same)
        np.testing.assert_array_equal(words, words_of(generator))
        if n_chains:
            np.testing.assert_array_equal(chains[0], wanted[0])
            np.testing.assert_array_equal(chains[1], wanted[1])
            np.testing.assert_array_equal(series, wanted[2][:, :measured])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [(1, 1), (5, 17), (16, 16), (70, 33), (33, 8)])
@pytest.mark.parametrize(("n_slots", "centred"), [(0, True), (1, False), (1, True), (2, False), (2, True)])
def test_steps_of_optimisers_and_centred_gradients(n_slots, centred, shape, real, level):
    rows, words = spins((23, shape[0]), 2), key(3)
    order, rng = np.random.default_rng(5).permutation(23), np.random.default_rng(6)
    parameters = machine(shape, real)
    slots = rng.uniform(0, 0.1, (n_slots, shape[0] * shape[1] + sum(shape))).astype(real)
    offsets = rng.normal(0, 0.3, sum(shape) if centred else 0).astype(real)
    for n_chains, decay, n_updates in ((0, 0.0, 0), (9, 0.2, 7)):
        chains = spins((n_chains, shape[0]), 6), spins((n_chains, shape[1]), 7)
        generator, other = twin.Generator(words), twin.Machine(*parameters)
        steps = twin.Steps(slots.copy(), 0.9, 0.99, 1e-8, n_updates, offsets.copy())
        hidden = chains[1].astype(real) if n_chains else None
        wanted = twin.train(other, rows, order, 6, 2, 0.05, decay, hidden, generator, steps)
        series = np.zeros((4, n_chains), dtype=np.int32)
        block_gibbs.train(
            *parameters,
            *(pack(rows), order, 6, 2, 0.05, decay, slots, 0.9, 0.99, 1e-8, n_updates, offsets),
            *(*chains, series, words, level, np.zeros(8, dtype=np.int64), 1, 0),
        )
        for found, same in zip(parameters, (other.W, other.b, other.c), strict=True):
            np.testing.assert_array_equal(found, same)
        np.testing.assert_array_equal(slots, steps.slots)
        np.testing.assert_array_equal(offsets, steps.offsets)
        np.testing.assert_array_equal(words, words_of(generator))
        if n_chains:
            np.testing.assert_array_equal(chains[0], wanted[0])
            np.testing.assert_array_equal(chains[1], wanted[1])
            np.testing.assert_array_equal(series, wanted[2])


def train_together(n_members, shape, real, level, n_chains, k, n_slots, centred):
    """All that an epoch changes, made by some threads."""
    rows, order = spins((23, shape[0]), 2), np.random.default_rng(5).permutation(23)
    parameters, words = machine(shape, real), key(3)
    slots = np.full((n_slots, shape[0] * shape[1] + sum(shape)), 0.1, dtype=real)
    offsets = np.zeros(sum(shape) if centred else 0, dtype=real)
    chains = spins((n_chains, shape[0]), 6), spins((n_chains, shape[1]), 7)
    series, together = np.zeros((4, n_chains), dtype=np.int32), np.zeros(8, dtype=np.int64)

    def member(number):
        block_gibbs.train(
            *parameters,
            *(pack(rows), order, 6, k, 0.05, 0.1, slots, 0.9, 0.99, 1e-8, 0, offsets),
            *(*chains, series, words, level, together, n_members, number),
        )

    call_together(member, n_members, lambda: together.__setitem__(4, 1))
    return *parameters, slots, offsets, *chains, series, words


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("shape", [(5, 17), (70, 66), (150, 130)])
@pytest.mark.parametrize(("n_slots", "centred"), [(0, False), (0, True), (2, True)])
@pytest.mark.parametrize(("n_chains", "k"), [(0, 3), (9, 2)])
def test_members_of_a_team_make_the_same_updates(n_chains, k, n_slots, centred, shape, real, level):
    # more members than panels, too
    what = shape, real, level, n_chains, k, n_slots, centred
    one, *others = (train_together(n, *what) for n in (1, 2, 3, 8))
    for other in others:
        for found, same in zip(other, one, strict=True):
            np.testing.assert_array_equal(found, same)


def test_members_end_where_the_first_one_never_comes():
    rows, parameters, words = spins((5, 4), 2), machine((4, 3), np.float32), key(3)
    none, order = np.empty((0, 0), dtype=np.float32), np.arange(5)
    together = np.zeros(8, dtype=np.int64)

    def call(member):
        if not member:
            raise KeyboardInterrupt
        block_gibbs.train(
            *parameters,
            *(pack(rows), order, 2, 1, 0.1, 0.0, none, 0.0, 0.0, 0.0, 0, none.ravel()),
            *(spins((0, 4), 1), spins((0, 3), 1), np.zeros((3, 0), dtype=np.int32), words, BEST),
            *(together, 3, member),
        )

    with pytest.raises(KeyboardInterrupt):
        call_together(call, 3, lambda: together.__setitem__(4, 1))
    np.testing.assert_array_equal(words, key(3))


@pytest.mark.parametrize("real", REALS)
def test_tanh_of_the_twin(real):
    # 1 - e loses what e has: absolute errors of a few ulp of 1
    x = np.linspace(-20, 20, 2001).astype(real)
    np.testing.assert_allclose(twin.tanh(x), np.tanh(x.astype(float)), rtol=0, atol=4 * np.finfo(real).eps)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_means_of_large_activations(real, level):
    # beyond 43 (float32) and 350 e^-2|a| stays where it is: an exponent that went on would wrap around
    bias = np.array([30, 44, 60, 340, 351, 380, 1000, 1e30], dtype=real)
    visible, hidden, means = spins((2, 3), 5), spins((2, 16), 6), np.empty((2, 16), dtype=real)
    block_gibbs.sweep(
        np.zeros((3, 16), dtype=real),
        np.zeros(3, dtype=real),
        np.concatenate([bias, -bias]),
        visible,
        hidden,
        means,
        1,
        ONE,
        True,
        True,
        *WHOLE,
        key(7),
        level,
    )
    np.testing.assert_array_equal(means, np.tile(np.repeat([1, -1], 8), (2, 1)))
