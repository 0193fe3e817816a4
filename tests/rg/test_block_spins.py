"""Block spins and decimated spins against loops over blocks; the coins of ties are fair."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chi2

from rbmflow import Ring, rg
from rbmflow.ising import Honeycomb, Hypercubic, Triangular

SHAPES = [((12,), 2), ((12,), 3), ((12,), 6), ((4, 6), 2), ((9, 6), 3), ((8, 4), 4), ((2, 2), 2), ((5, 5), 5)]


def draw(shape, leading=(3, 4), seed=1):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), (*leading, int(np.prod(shape))))


def plain_blocks(spins, shape, b, rng):
    """One block after the other, one coin per tie."""
    rows, cols = shape if len(shape) == 2 else (1, *shape)
    b_rows = b if len(shape) == 2 else 1
    result = []
    for configuration in spins.reshape(-1, rows * cols):
        for top in range(0, rows, b_rows):
            for left in range(0, cols, b):
                total = 0
                for i in range(top, top + b_rows):
                    for j in range(left, left + b):
                        total += int(configuration[i * cols + j])
                result.append(total)
    coins = iter(2 * rng.integers(0, 2, size=result.count(0), dtype=np.int8) - 1)
    values = [(total > 0) - (total < 0) if total else next(coins) for total in result]
    return np.array(values, dtype=np.int8).reshape(*spins.shape[:-1], -1)


@pytest.mark.parametrize(("shape", "b"), SHAPES)
def test_blocks_are_those_of_the_plain_twin(shape, b):
    spins = draw(shape)
    first, second = np.random.default_rng(7), np.random.default_rng(7)
    blocks = rg.block_spins(spins, shape, scale_factor=b, rng=first)
    np.testing.assert_array_equal(blocks, plain_blocks(spins, shape, b, second))
    assert blocks.dtype == np.int8
    assert first.bit_generator.state == second.bit_generator.state


@pytest.mark.parametrize(("shape", "b"), SHAPES)
def test_decimation_keeps_every_bth_spin(shape, b):
    spins = draw(shape)
    rows, cols = shape if len(shape) == 2 else (1, *shape)
    kept = [i * cols + j for i in range(0, rows, b) for j in range(0, cols, b)]
    np.testing.assert_array_equal(rg.decimate_spins(spins, shape, scale_factor=b), spins[..., kept])


def test_any_spins_and_any_way_to_give_the_shape():
    spins = draw((4, 4), (6,))
    wanted = rg.block_spins(spins, (4, 4), rng=3)
    frozen = spins.copy()
    frozen.flags.writeable = False
    strided = np.repeat(spins, 2, axis=1)[:, ::2]
    torus = SimpleNamespace(n_rows=4, n_cols=4, n_sites=16)
    for given in (frozen, strided, np.asfortranarray(spins), spins.tolist(), spins.astype(float)):
        np.testing.assert_array_equal(rg.block_spins(given, torus, rng=3), wanted)
        np.testing.assert_array_equal(
            rg.decimate_spins(given, torus), rg.decimate_spins(spins, np.array([4, 4]).tolist())
        )
    ring = [rg.block_spins(spins, shape, rng=3) for shape in (16, (16,), Ring(16), np.int64(16))]
    for blocks in ring:
        np.testing.assert_array_equal(blocks, ring[0])
    assert rg.block_spins(spins[0], 16, rng=3).shape == (8,)
    assert rg.block_spins(spins[:0], 16, rng=3).shape == (0, 8)
    assert rg.decimate_spins(spins[:0], (4, 4)).shape == (0, 4)
    kept = rg.decimate_spins(spins, 16)
    assert not np.shares_memory(kept, spins)
    assert kept.flags.c_contiguous


def test_odd_blocks_take_no_coin():
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    rg.block_spins(draw((9, 9)), (9, 9), scale_factor=3, rng=rng)
    assert rng.bit_generator.state == before


def test_large_blocks_do_not_overflow():
    assert rg.block_spins(np.ones(400, np.int8), (20, 20), scale_factor=20, rng=1).tolist() == [1]
    assert rg.block_spins(-np.ones(90_000, np.int8), 90_000, scale_factor=90_000, rng=1).tolist() == [-1]


def test_ties_are_fair_and_independent():
    # pairs of successive coins: 4 cells of equal weight, 3 degrees of freedom;
    # false alarm at this level: 1e-6
    n = 200_000
    coins = rg.block_spins(np.tile([1, -1], n), 2 * n, rng=np.random.default_rng(20))
    cells = np.bincount((coins[::2] > 0) * 2 + (coins[1::2] > 0), minlength=4)
    statistic = ((cells - n / 8) ** 2 / (n / 8)).sum()
    assert statistic < chi2.isf(1e-6, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rg.block_spins([1, 0, 1, 1], 4, rng=1), ValueError, "spins holds 0"),
        (lambda: rg.block_spins([1, 1, 1], 4, rng=1), ValueError, "last axis must have 4"),
        (lambda: rg.block_spins([1] * 9, 9, rng=1), ValueError, "scale_factor=2 does not divide"),
        (lambda: rg.block_spins([1] * 12, (4, 3), rng=1), ValueError, r"sides of shape=\(4, 3\)"),
        (lambda: rg.block_spins([1] * 8, (2, 2, 2), rng=1), ValueError, r"shape=\(2, 2, 2\)"),
        (lambda: rg.block_spins([1] * 8, (), rng=1), ValueError, r"shape=\(\)"),
        (lambda: rg.block_spins([1] * 8, 8.0, rng=1), TypeError, "shape=8.0"),
        (lambda: rg.block_spins([1] * 8, "8", rng=1), TypeError, "shape='8'"),
        (lambda: rg.block_spins([1] * 8, 0, rng=1), ValueError, "shape=0"),
        (lambda: rg.block_spins([1] * 8, 8, scale_factor=1, rng=1), ValueError, "scale_factor=1"),
        (lambda: rg.block_spins([1] * 8, 8, scale_factor=2.0, rng=1), TypeError, "scale_factor=2.0"),
        (lambda: rg.block_spins([1] * 8, 8, rng="coin"), TypeError, "rng='coin'"),
        (lambda: rg.decimate_spins(["a"] * 8, 8), TypeError, "spins has dtype"),
        (lambda: rg.decimate_spins([1] * 8, (4, 2), scale_factor=4), ValueError, "scale_factor=4"),
        (lambda: rg.decimate_spins(1, 1), ValueError, "does not divide"),
        (lambda: rg.decimate_spins(1, 2), ValueError, "sites on its last axis"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(("sides", "b"), [((4, 2, 6), 2), ((3, 6, 3), 3), ((2, 2, 2, 4), 2)])
def test_blocks_in_any_dimension_site_by_site(sides, b):
    rng = np.random.default_rng(1)
    lattice = Hypercubic(sides)
    spins = rng.choice([-1, 1], (5, lattice.n_sites)).astype(np.int8)
    array = spins.reshape(5, *sides)
    coarse = tuple(side // b for side in sides)
    sums = np.zeros((5, *coarse), dtype=int)
    for place in np.ndindex(*(b,) * len(sides)):
        sums += array[(slice(None), *(slice(at, None, b) for at in place))]
    found = rg.block_spins(spins, lattice, scale_factor=b, rng=1).reshape(sums.shape)
    decided = sums != 0
    np.testing.assert_array_equal(found[decided], np.sign(sums)[decided])
    assert set(np.unique(found)) <= {-1, 1}
    np.testing.assert_array_equal(rg.Majority(b).mean(spins, lattice), np.sign(sums).reshape(5, -1))
    corners = array[(slice(None), *(slice(None, None, b),) * len(sides))].reshape(5, -1)
    np.testing.assert_array_equal(rg.decimate_spins(spins, lattice, scale_factor=b), corners)
    np.testing.assert_array_equal(rg.Decimation(b)(spins, lattice), corners)
    last = array[(slice(None), *(slice(b - 1, None, b),) * len(sides))].reshape(5, -1)
    np.testing.assert_array_equal(rg.Decimation(b, b - 1)(spins, lattice), last)
    with pytest.raises(ValueError, match="more than two dimensions"):
        rg.Majority(b).output_shape(lattice)


@pytest.mark.parametrize(
    ("lattice", "words"),
    [(Honeycomb(4, 4), "cells of several sites"), (Ring(4).to_graph(), "no axes")],
    ids=["honeycomb", "graph"],
)
def test_lattices_without_blocks_say_so(lattice, words):
    spins = np.ones(lattice.n_sites, dtype=np.int8)
    with pytest.raises(ValueError, match=f"{words}, and no blocks are known of it"):
        rg.block_spins(spins, lattice, rng=1)
    with pytest.raises(ValueError, match=words):
        rg.Majority().output_shape(lattice)
    with pytest.raises(ValueError, match=rf"{words}|a triangular lattice without ends is needed"):
        rg.Triangles()(spins, lattice)


def test_triangles_are_neighbours_and_a_lattice_of_their_own():
    lattice = Triangular(9, 9)
    blocks = rg.Triangles().sites(lattice)
    assert sorted(blocks.ravel().tolist()) == list(range(81))  # each site once
    bonds = {tuple(sorted(pair)) for pair in lattice.bonds().tolist()}
    for a, b, c in blocks.tolist():
        assert {tuple(sorted(pair)) for pair in ((a, b), (b, c), (a, c))} <= bonds
    # the next blocks in the three directions of the coarse lattice, its shift included, are √3 bonds away
    n_rows, n_cols, shift = rg.Triangles().output_shape(lattice)
    assert (n_rows, n_cols, shift) == (3, 9, 6)
    at = lattice.positions()[blocks[:, 0]]
    periods = np.array([[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)]) @ (9 * np.array(Triangular.vectors))
    for v, u in np.ndindex(n_rows, n_cols):
        for down, right in ((0, 1), (1, 0), (1, -1)):
            row, column = v + down, u + right + (shift if v + down == n_rows else 0)
            there = (row % n_rows) * n_cols + column % n_cols
            away = np.linalg.norm(at[there] - at[v * n_cols + u] + periods, axis=1).min()
            assert away == pytest.approx(np.sqrt(3))
    spins = np.random.default_rng(1).choice([-1, 1], (4, 81)).astype(np.int8)
    once = rg.Triangles()(spins, lattice)
    np.testing.assert_array_equal(once, np.sign(spins[:, blocks].sum(axis=2)))
    # twice: b = 3, without a shift
    twice = rg.Triangles().sites((3, 9, 6))
    assert sorted(twice.ravel().tolist()) == list(range(27))
    assert rg.Triangles().output_shape((3, 9, 6)) == (3, 3)
    first = at[twice[:, 0]].reshape(3, 3, 2)
    for axis in (0, 1):
        steps = np.diff(first, axis=axis).reshape(-1, 2)
        nearest = np.abs(steps[:, np.newaxis] + periods).sum(axis=2).argmin(axis=1)
        lengths = np.linalg.norm(steps + periods[nearest], axis=1)
        assert lengths == pytest.approx(3.0)
    stacked = rg.Stack(rg.Triangles(), rg.Triangles())
    assert stacked.scale_factor == pytest.approx(3.0)
    assert stacked(spins, lattice, rng=1).shape == (4, 9)
    for bad in ((6, 9), (4, 4), (3, 9, 3)):
        with pytest.raises(ValueError, match="two equal sides that 3 divides"):
            rg.Triangles().output_shape(bad)
