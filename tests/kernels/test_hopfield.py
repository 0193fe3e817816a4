"""The threshold dynamics of the kernel beside its twin: states and fields, bit for bit, at every level."""

import numpy as np
import pytest

from rbmflow._kernels import hopfield, simd
from tests.kernels import twin_hopfield as twin

LEVELS = range(simd.supported() + 1)
KINDS = {
    "narrow": (np.int8, np.int16, 127),
    "wide": (np.int16, np.int32, 32_000),
    "real": (float, float, 1.0),
}


def network(n_units, kind, seed):
    """Random couplings and biases, filled up with zeros; among small whole numbers many fields vanish."""
    rng = np.random.default_rng(seed)
    coupling, field, largest = KINDS[kind]
    width = hopfield.padded(n_units)
    w, b = np.zeros((width, width)), np.zeros(width)
    w[:n_units, :n_units] = rng.uniform(-largest, largest, (n_units, n_units))
    b[:n_units] = rng.uniform(-largest, largest, n_units)
    if kind != "real":
        w, b = np.rint(w * (0.02 if seed % 2 else 1.0)), np.rint(b)
    w = np.triu(w, 1)
    return (w + w.T).astype(coupling), b.astype(field)


def start(n_states, n_units, seed):
    rng = np.random.default_rng(seed)
    spins = np.zeros((n_states, hopfield.padded(n_units)), np.int8)
    spins[:, :n_units] = rng.choice([-1, 1], size=(n_states, n_units))
    return spins


def fields_of(couplings, biases, spins, level):
    n_states, width = spins.shape
    fields = np.empty((n_states, width), biases.dtype)
    table = np.empty(hopfield.table_bytes() // fields.itemsize, fields.dtype)
    entries = np.empty((n_states, width // 4), np.uint16)
    hopfield.sum_fields(couplings, biases, spins, entries, table, fields, level)
    return fields


def scratch(couplings, order):
    return np.empty((order.shape[1], hopfield.visits()), couplings.dtype)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("n_units", "n_states", "seed"), [(1, 2, 1), (5, 3, 2), (33, 3, 3), (64, 2, 4), (70, 2, 5)]
)
def test_twin(kind, level, n_units, n_states, seed):
    couplings, biases = network(n_units, kind, seed)
    spins = start(n_states, n_units, seed)
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(n_units, dtype=np.int32), (4, 1)), axis=1)
    clamped = (
        (rng.random(spins.shape) < 0.2).astype(np.uint8)
        if seed % 2
        else np.zeros((0, spins.shape[1]), np.uint8)
    )
    fields = fields_of(couplings, biases, spins, level)
    wanted = twin.sum_fields(couplings, biases, spins)
    np.testing.assert_array_equal(fields, wanted)
    mine = spins, fields, np.zeros(n_states, np.int64), np.zeros(n_states, np.uint8)
    theirs = spins.copy(), wanted, mine[2].copy(), mine[3].copy()
    hopfield.relax(couplings, order, clamped, scratch(couplings, order), *mine, level)
    twin.relax(couplings, order, clamped, *theirs)
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
    if kind != "real":  # whole numbers do not drift
        np.testing.assert_array_equal(mine[1], fields_of(couplings, biases, spins, level))


@pytest.mark.parametrize("level", LEVELS)
def test_the_largest_fields_that_fit(level):
    n = 258  # 257 couplings of 127 and a bias of 128 make 32 767
    width = hopfield.padded(n)
    couplings = np.zeros((width, width), np.int8)
    couplings[:n, :n] = 127 * (1 - np.eye(n, dtype=np.int8))
    biases = np.zeros(width, np.int16)
    biases[:n] = 128
    up = np.ones((1, width), np.int8)
    assert fields_of(couplings, biases, up, level)[0, 0] == 32_767
    down = fields_of(couplings, -biases, -up, level)
    assert down[0, 0] == -32_767


@pytest.mark.parametrize("level", LEVELS)
def test_settled_states_and_none_at_all_are_left_alone(level):
    couplings, biases = network(5, "narrow", 2)
    spins = start(2, 5, 1)
    before = spins.copy()
    fields = fields_of(couplings, biases, spins, level)
    order = np.arange(5, dtype=np.int32)[None]
    none = np.zeros((0, spins.shape[1]), np.uint8)
    sweeps, settled = np.zeros(2, np.int64), np.ones(2, np.uint8)
    among = scratch(couplings, order)
    hopfield.relax(couplings, order, none, among, spins, fields, sweeps, settled, level)
    np.testing.assert_array_equal(spins, before)
    assert not sweeps.any()
    hopfield.relax(couplings, order, none, among, spins[:0], fields[:0], sweeps[:0], settled[:0], level)
    assert fields_of(couplings, biases, spins[:0], level).shape == (0, spins.shape[1])
