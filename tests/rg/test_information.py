"""Information by transfer matrices, by sums over states and from samples, against each other."""

import itertools

import numpy as np
import pytest

from rbmflow import Ring, Torus, rg
from rbmflow.ising import state_law
from rbmflow.rg.grading.information import (
    binary_entropy,
    block_of,
    environment_of,
    law_information,
    ring_information,
)
from rbmflow.rg.grading.sampled_information import (
    exact_posteriors,
    information_of,
    lower_bound,
    summable,
)
from rbmflow.spins import all_states

CRITICAL = np.log(1 + np.sqrt(2)) / 2
SKEW = rg.BlockFilter([[1.0, 0.2], [0.3, -0.4]], bias=0.3)


def plain_information(transformation, lattice, K, outside, unit=0):
    """I of one coarse spin and some sites by dictionaries."""
    law = state_law(lattice, K)
    joint = {}
    for state, q, mean in zip(
        law.states, law.probabilities, transformation.mean(law.states, lattice), strict=True
    ):
        for h in (1, -1):
            key = h, tuple(state[outside])
            joint[key] = joint.get(key, 0.0) + q * (1 + h * mean[unit]) / 2
    of_h = {h: sum(p for key, p in joint.items() if key[0] == h) for h in (1, -1)}
    of_e = {}
    for key, p in joint.items():
        of_e[key[1]] = of_e.get(key[1], 0.0) + p
    return sum(p * np.log(p / of_h[key[0]] / of_e[key[1]]) for key, p in joint.items() if p)


@pytest.mark.parametrize(("K", "b", "buffer"), list(itertools.product((0.3, 1.0, -0.7), (2, 3), (0, 1))))
def test_transfer_matrices_are_sums_over_states(K, b, buffer):
    law = state_law(Ring(12), K)
    for mapped in (rg.Majority(b), rg.Decimation(b, 1), rg.BlockFilter([0.8, -0.3, 0.5][:b], bias=0.2)):
        listed = law_information(mapped, law, (12,), buffer)
        np.testing.assert_allclose(ring_information(mapped, 12, K, buffer), listed, rtol=1e-11, atol=1e-15)
    small = rg.Majority(2)
    outside = environment_of(block_of(small, (8,), 1), (8,), buffer)
    plain = plain_information(small, Ring(8), K, outside, 1)
    assert law_information(small, state_law(Ring(8), K), (8,), buffer, 1)[0] == pytest.approx(
        plain, rel=1e-10
    )


@pytest.mark.parametrize(
    ("b", "edge", "middle", "majority"),
    [(2, 0.27149, 0.27149, 0.26618), (3, 0.24366, 0.21055, 0.22915), (4, 0.22803, 0.17706, 0.19741)],
)
def test_on_the_ring_a_spin_at_the_edge_knows_most(b, edge, middle, majority):
    # K = 1, ring of 12, buffer 1; by a sum over the states of blocks and ends, written apart
    found = [
        ring_information(one, 12, 1.0, 1)[0]
        for one in (rg.Decimation(b), rg.Decimation(b, 1), rg.Majority(b))
    ]
    assert [round(one, 5) for one in found] == [edge, middle, majority]


@pytest.mark.parametrize(("K", "majority", "decimation"), [(0.4407, 0.5351, 0.4540), (0.3, 0.2051, 0.1650)])
def test_on_the_torus_the_majority_knows_most(K, majority, decimation):
    law = state_law(Torus(4, 4), K)
    for mapped, known in ((rg.Majority(), majority), (rg.Decimation(), decimation)):
        assert round(law_information(mapped, law, (4, 4), 0)[0], 4) == known


def plain_posterior(transformation, spins, lattice, K, buffer, unit):
    """P(h = 1|E) with all states of the block and the buffer tried."""
    sides = lattice.shape
    outside = environment_of(block_of(transformation, sides, unit), sides, buffer)
    free = np.setdiff1d(np.arange(lattice.n_sites), outside)
    states = all_states(len(free))
    full = np.tile(spins, (len(states), 1))
    full[:, free] = states
    sums = rg.even_operators(full, sides, n_operators=1)[:, 0]
    weight = np.exp(K * (sums - sums.max()))
    return weight @ (1 + transformation.mean(full, sides)[:, unit]) / 2 / weight.sum()


@pytest.mark.parametrize(
    ("mapped", "side", "buffer", "units"),
    [(SKEW, 8, 1, (0, 4, 8, 12)), (SKEW, 6, 0, (0, 2, 4, 6)), (rg.Majority(3), 6, 0, (0, 1, 2, 3))],
)
def test_posteriors_are_sums_over_the_inner_states(mapped, side, buffer, units):
    spins = np.random.default_rng(side).choice(np.array([-1, 1], np.int8), (1, side * side))
    found = exact_posteriors(mapped, spins, (side, side), 0.5, buffer)
    for column, unit in enumerate(units):
        plain = plain_posterior(mapped, spins[0], Torus(side, side), 0.5, buffer, unit)
        assert found[0, column] == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("K", [60.0, -60.0])
def test_strong_couplings_overflow_nothing(K):
    spins = np.ones((2, 64), np.int8)
    spins[1] = np.where(np.add.outer(np.arange(8), np.arange(8)) % 2, 1, -1).ravel()
    found = exact_posteriors(rg.Decimation(), spins, (8, 8), K, 1)
    # the environment that suits K fixes the block: up, or a checkerboard that begins with −1
    assert found[int(K < 0), 0] == (1.0 if K > 0 else 0.0)
    assert np.isfinite(found).all()


def test_of_large_blocks_few_samples_are_looked_at(monkeypatch):
    spins = np.random.default_rng(1).choice(np.array([-1, 1], np.int8), (60, 64))
    all_of_them = exact_posteriors(SKEW, spins, (8, 8), 0.5, 1)
    monkeypatch.setattr("rbmflow.rg.grading.sampled_information.MOST_NUMBERS", 64 * 20)
    few = exact_posteriors(SKEW, spins, (8, 8), 0.5, 1)
    np.testing.assert_array_equal(few, all_of_them[::3, :1])
    assert not summable(rg.Majority(4), (16, 16), 1)
    assert not summable(rg.Majority(2), (4, 4), 1)
    assert summable(rg.Majority(3), (12, 12), 1)


@pytest.mark.parametrize("mapped", [rg.Majority(), rg.Decimation(), SKEW], ids=repr)
def test_samples_find_the_exact_information(mapped):
    law = state_law(Torus(4, 4), CRITICAL)
    rng = np.random.default_rng(3)
    spins = law.states[rng.choice(len(law.states), 20_000, p=law.probabilities)]
    exact, entropy = law_information(mapped, law, (4, 4), 0)
    posteriors = exact_posteriors(mapped, spins, (4, 4), CRITICAL, 0)
    found = information_of(posteriors, 20)
    # its linear part, row by row; the spread of 20 blocks is known to 16 %
    up = posteriors.mean()
    linear = (np.log((1 - up) / up) * posteriors - binary_entropy(posteriors)).mean(axis=1)
    assert 0.5 < found.stderr / (linear.std() / np.sqrt(len(linear))) < 1.5
    # jackknife errors of 19 degrees of freedom, 2 of each of 3 maps: 5 errors are a false alarm in 2000 runs
    assert abs(found.information - exact) < 5 * found.stderr
    assert 0 < found.stderr < 0.002
    assert found.entropy == pytest.approx(entropy, abs=5e-3)
    outside = environment_of(block_of(mapped, (4, 4)), (4, 4), 0)
    bound = lower_bound(mapped(spins, (4, 4), rng=4)[:, 0], spins, (4, 4), outside, 20)
    assert bound.information < exact + 4 * bound.stderr
    assert bound.information > exact - 0.02 - 4 * bound.stderr  # a logistic law misses little here
    assert bound.stderr < 0.01


def test_an_independent_spin_knows_nothing():
    rng = np.random.default_rng(5)
    spins, coin = (rng.choice(np.array([-1, 1], np.int8), size) for size in ((20_000, 64), 20_000))
    outside = environment_of(np.array([0, 1, 8, 9]), (8, 8), 1)
    assert abs(lower_bound(coin, spins, (8, 8), outside, 20).information) < 0.005
    assert ring_information(rg.Majority(3), 12, 0.0, 1)[0] == pytest.approx(0, abs=1e-15)


def test_blocks_and_environments():
    assert block_of(rg.Sublattice(), (4, 4), 1).tolist() == [7, 4]
    assert block_of(rg.Majority(3), (12,), 2).tolist() == [6, 7, 8]
    # rows and columns 3 and 4 of six are beyond a block of two and its buffer
    left = set(range(36)) - {6 * row + col for row in (5, 0, 1, 2) for col in (5, 0, 1, 2)}
    assert set(environment_of(block_of(rg.Majority(), (6, 6), 0), (6, 6), 1)) == left
    with pytest.raises(ValueError, match="leaves no environment"):
        environment_of(np.array([0, 1, 4, 5]), (4, 4), 1)
    with pytest.raises(ValueError, match="not defined"):
        block_of(rg.Sublattice(), (4, 8, 4))
