"""Maps against plain twins, their conditional laws against what they draw, exact eigenvalues on the ring."""

import itertools

import numpy as np
import pytest

from rbmflow import RBM, Ring, Torus, Triangular, rg
from rbmflow.networks import hidden_law
from rbmflow.rg.operators import unrolled
from rbmflow.spins import all_states

RING, TORUS = Ring(12), Torus(4, 4)


def draw(*shape, seed=1):
    return np.random.default_rng(seed).choice(np.array([-1, 1], np.int8), shape)


def every_third(spins, sides):
    return spins[..., :: len(sides) * 3]


def negated(spins, sides, rng):
    return np.where(rng.random(spins.shape) < 0.2, -spins, spins)[..., : sides[0]]


MAPS = {
    "majority": (rg.Majority(), TORUS),
    "majority of three": (rg.Majority(3), RING),
    "decimation": (rg.Decimation(3, 1), RING),
    "decimation of the torus": (rg.Decimation(2, 1), TORUS),
    "sublattice": (rg.Sublattice(), TORUS),
    "triangles": (rg.Triangles(), Triangular(6, 6)),
    "filter": (rg.BlockFilter([0.3, -0.8, 0.5], bias=0.2), RING),
    "filter by sign": (rg.BlockFilter([[1.0, 1.0], [0.5, -0.5]], drawn=False), TORUS),
    "hidden": (rg.Hidden(RBM(np.linspace(-1, 1, 36).reshape(12, 3)), 3), RING),
    "hidden by sign": (rg.Hidden(RBM.uniform(12, 2, 0.3), 2, drawn=False), RING),
    "stack": (rg.Stack(rg.BlockFilter([0.6, 0.4]), rg.Majority(2)), RING),
    "function": (rg.Function(every_third, 3, lambda sides: (sides[0] // 3,)), RING),
}


@pytest.mark.parametrize("name", MAPS)
def test_what_is_drawn_has_the_conditional_law(name):
    mapped, lattice = MAPS[name]
    spins = draw(6, lattice.n_sites)
    law = mapped.conditional(spins, lattice)
    coarse = mapped.output_shape(lattice)
    states = all_states(int(np.prod(coarse[:2])))
    np.testing.assert_allclose(law.sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(law @ states, mapped.mean(spins, lattice), rtol=0, atol=1e-14)
    n = 2000
    drawn = mapped(np.tile(spins, (n, 1, 1)), lattice, rng=1)
    assert drawn.dtype == np.int8
    assert drawn.shape == (n, 6, states.shape[1])
    index = (drawn > 0) @ (1 << np.arange(states.shape[1]))
    for row in range(6):  # Pearson's χ², far beyond 5 standard deviations
        expected = n * law[row]
        there = expected > 0
        counts = np.bincount(index[:, row], minlength=len(states))
        assert not counts[~there].any()
        excess = ((counts - expected)[there] ** 2 / expected[there]).sum() - (there.sum() - 1)
        assert excess < 8 * np.sqrt(2 * there.sum()) + 30, row
    np.testing.assert_array_equal(drawn, mapped(np.tile(spins, (n, 1, 1)), lattice, rng=1))


def test_maps_are_the_functions_of_their_names():
    spins = draw(5, 3, 144)
    for b in (2, 3):
        block, thin = rg.Majority(b), rg.Decimation(b)
        np.testing.assert_array_equal(
            block(spins, (12, 12), rng=7), rg.block_spins(spins, (12, 12), scale_factor=b, rng=7)
        )
        np.testing.assert_array_equal(
            thin(spins, (12, 12)), rg.decimate_spins(spins, (12, 12), scale_factor=b)
        )
        np.testing.assert_array_equal(thin(spins, 144), rg.decimate_spins(spins, 144, scale_factor=b))
    square = spins.reshape(5, 3, 12, 12)
    middle = rg.Decimation(3, 1)(spins, (12, 12)).reshape(5, 3, 4, 4)
    np.testing.assert_array_equal(middle, square[..., 1::3, 1::3])
    # strong weights are the majority rule, where there is no tie
    strong = rg.BlockFilter(np.full((3, 3), 40.0))
    np.testing.assert_array_equal(strong(spins, (12, 12), rng=1), rg.Majority(3)(spins, (12, 12), rng=1))


def test_a_filter_is_a_machine():
    block = rg.BlockFilter([[0.3, -0.1], [0.7, 0.4]], bias=-0.2)
    spins = draw(7, 24)
    np.testing.assert_allclose(
        block.machine((4, 6)).mean_hidden(spins), block.mean(spins, (4, 6)), rtol=1e-14
    )
    layer = rg.Hidden(block.machine((4, 6)), (2, 3))
    assert layer.scale_factor == pytest.approx(2, rel=1e-15)
    np.testing.assert_allclose(layer.conditional(spins, (4, 6)), block.conditional(spins, (4, 6)), rtol=1e-12)


@pytest.mark.parametrize("side", [4, 8])
def test_a_sublattice_is_a_turned_torus(side):
    spins = draw(6, side * side)
    half, sides = rg.Sublattice(), (side, side)
    turned = half.output_shape(sides)
    kept = half.sites(sides)
    assert sorted(kept) == list(Torus(side, side).sublattices()[0])
    # neighbours on it are diagonal neighbours of the even sites; the odd ones are a translation of these
    odd = np.roll(spins.reshape(-1, side, side), 1, axis=2).reshape(-1, side * side)
    neighbours = [rg.even_operators(half(one, sides), turned, n_operators=3) for one in (spins, odd)]
    fine = rg.even_operators(spins, sides)
    np.testing.assert_array_equal((neighbours[0] + neighbours[1])[:, 0], fine[:, 1])
    np.testing.assert_array_equal((neighbours[0] + neighbours[1])[:, 1], fine[:, 2])
    np.testing.assert_array_equal(
        rg.odd_operators(half(spins, sides), turned)[:, 0], spins[:, kept].sum(axis=1)
    )
    # a second time: every second spin of both directions
    twice = half(half(spins, sides), turned)
    assert half.output_shape(turned) == (side // 2, side // 2)
    np.testing.assert_array_equal(twice, rg.decimate_spins(spins, sides))
    flat, plain, times = unrolled(half(spins, sides), turned)
    assert (plain, times) == (sides, 2)
    np.testing.assert_array_equal(np.abs(flat.sum(axis=1)), 2 * np.abs(spins[:, kept].sum(axis=1)))


def test_rows_after_the_last_are_shifted():
    n_rows, n_cols, shift = 3, 5, 2
    spins = draw(4, n_rows * n_cols)

    def site(row, col):  # (n_rows, j) is (0, j + shift) again
        return row % n_rows * n_cols + (col + shift * (row // n_rows)) % n_cols

    for which, operators in (("even", rg.EVEN_OPERATORS), ("odd", rg.ODD_OPERATORS)):
        plain = np.zeros((4, len(operators)), dtype=int)
        for column, products in enumerate(operators.values()):
            for row, col, term in itertools.product(range(n_rows), range(n_cols), products):
                plain[:, column] += spins[:, [site(row + i, col + j) for i, j in term]].prod(axis=1)
        found = getattr(rg, f"{which}_operators")(spins, (n_rows, n_cols, shift))
        np.testing.assert_array_equal(found, plain)


def test_a_stack_sums_over_its_inner_layers():
    lower, upper = rg.BlockFilter([0.6, 0.4, 0.1]), rg.BlockFilter([0.9, 0.3], bias=0.1)
    stack = rg.Stack(rg.Stack(lower), upper)
    assert stack.layers == (lower, upper)
    assert stack.scale_factor == 6
    assert stack.shapes(12) == ((12,), (4,), (2,))
    spins, hidden = draw(3, 12), all_states(4)
    plain = np.zeros((3, 4))
    for row, between in itertools.product(range(3), range(16)):
        mean = lower.mean(spins[row], 12)
        weight = np.prod((1 + hidden[between] * mean) / 2)
        plain[row] += weight * upper.conditional(hidden[between], 4)
    np.testing.assert_allclose(stack.conditional(spins, 12), plain, rtol=1e-13)
    np.testing.assert_allclose(stack.mean(spins, 12), plain @ all_states(2), rtol=0, atol=1e-14)


def test_the_decimating_machine_keeps_its_law_as_a_map():
    # hidden_law: another route, the sum over v done by the machine
    rbm = RBM.decimating(Ring(8), 1.0, 1.5)
    states = all_states(8)
    weight = np.exp(-rbm.free_energy(states))
    law = weight / weight.sum() @ rg.Hidden(rbm, 4).conditional(states, 8)
    np.testing.assert_allclose(law, hidden_law(rbm).probabilities, rtol=1e-12)


@pytest.mark.parametrize(("K", "b"), list(itertools.product((0.3, 1.0), (2, 3))))
def test_eigenvalues_of_decimation_on_the_ring_are_exact_derivatives(K, b):
    spins = Ring(24).sample(K, 20_000, rng=2)
    found = rg.renormalization_group(spins, 24, transformation=rg.Decimation(b), n_steps=1, n_odd=1, rng=1)
    h = 1e-5
    thermal = (rg.decimate(K + h, scale_factor=b).K - rg.decimate(K - h, scale_factor=b).K) / (2 * h)
    magnetic = rg.decimate_in_field(K, h, scale_factor=b).h / h
    # 4 errors; on 24 / b sites the wrap of the ring changes y by tanh^24 K ln K'/∂K at most
    wrap = np.tanh(K) ** 24
    assert abs(found.y_t[0, 0] - np.log(thermal) / np.log(b)) < 4 * found.y_t_stderr[0, 0] + 3 * wrap
    assert abs(found.y_h[0, 0] - np.log(magnetic) / np.log(b)) < 4 * found.y_h_stderr[0, 0] + 3 * wrap
    assert found.y_t_stderr[0, 0] < 0.1
    assert found.y_h_stderr[0, 0] < 0.01


CALL = {"rng": 1}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rg.Majority(1), ValueError, "scale_factor=1"),
        (lambda: rg.Decimation(3, 3), ValueError, "offset=3: at most 2"),
        (lambda: rg.BlockFilter([1.0]), ValueError, r"shape \(1,\)"),
        (lambda: rg.BlockFilter([[1.0, 2.0]]), ValueError, r"shape \(1, 2\)"),
        (lambda: rg.BlockFilter([1, np.inf]), ValueError, "weights holds an infinity"),
        (lambda: rg.BlockFilter([1, 1], drawn=1), TypeError, "drawn=1"),
        (lambda: rg.BlockFilter([1, 1])(draw(2, 16), (4, 4), **CALL), ValueError, "does not fit weights"),
        (lambda: rg.Majority(3)(draw(2, 16), (4, 4), **CALL), ValueError, "3 does not divide"),
        (lambda: rg.Majority(3).output_shape(8), ValueError, "3 does not divide"),
        (lambda: rg.Sublattice().output_shape((4, 6)), ValueError, "two equal even sides"),
        (lambda: rg.Sublattice().output_shape(16), ValueError, "two equal even sides"),
        (lambda: rg.Hidden(RBM.uniform(8, 4, 0.1), (3,)), ValueError, "does not hold the 4 hidden"),
        (lambda: rg.Hidden(RBM.uniform(8, 8, 0.1), 8), ValueError, "scale_factor=1"),
        (
            lambda: rg.Hidden(RBM.uniform(8, 4, 0.1), 4).output_shape(9),
            ValueError,
            "does not hold the 8 visible",
        ),
        (lambda: rg.Hidden("rbm", 4), TypeError, "rbm is a str"),
        (rg.Stack, ValueError, "at least one map"),
        (lambda: rg.Stack(np.sign), TypeError, "transformation=<ufunc 'sign'>"),
        (lambda: rg.Function(3, 2, (4,)), TypeError, "function=3"),
        (lambda: rg.Function(negated, 1.0, (4,)), ValueError, "scale_factor=1.0"),
        (lambda: rg.Function(negated, 2, (4,), random=True).mean(draw(2, 8), 8), ValueError, "is random"),
        (lambda: rg.Function(every_third, 3, (5,))(draw(2, 9), 9, **CALL), ValueError, "must have 5 sites"),
        (
            lambda: rg.Function(lambda s, _: s[0, :3], 3, 3)(draw(2, 9), 9, **CALL),
            ValueError,
            "returns the shape",
        ),
        (
            lambda: rg.Function(lambda s, _: 0 * s, 3, 9)(draw(2, 9), 9, **CALL),
            ValueError,
            "function returns holds 0",
        ),
        (lambda: rg.Majority().conditional(draw(2, 100), (10, 10)), ValueError, "leaves 25 spins"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_random_function_draws_from_the_generator():
    flip = rg.Function(negated, 2.0, lambda sides: sides, random=True)
    spins = draw(50, 8)
    found = flip(spins, 8, rng=3)
    np.testing.assert_array_equal(found, flip(spins, 8, rng=3))
    assert 0 < (found != spins).mean() < 0.4


def test_filters_are_equal_where_all_they_are_made_of_is():
    first = rg.BlockFilter([0.0, 0.5])
    assert first == rg.BlockFilter([-0.0, 0.5])
    assert hash(first) == hash(rg.BlockFilter([-0.0, 0.5]))
    others = (
        rg.BlockFilter([0.5, 0.0]),
        rg.BlockFilter([0.0, 0.5], bias=1.0),
        rg.BlockFilter([0.0, 0.5], drawn=False),
    )
    assert first not in others
