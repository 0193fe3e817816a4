"""The largest singular value of W against what the law alone says of it."""

import numpy as np
import pytest

from rbmflow import RBM, Chain, Ring, StateLaw, Torus, flow
from rbmflow.flow import singular_value_bound, singular_value_bound_from_law
from rbmflow.ising import state_law
from rbmflow.networks import kl_divergence, visible_law
from tests.networks.machines import random_machine

SMALL = [
    Ring(4),
    Ring(6),
    Ring(3),
    Ring(5),
    Ring(7),
    Torus(2, 2),
    Torus(2, 3),
    Torus(3, 3),
    Torus(2, 4),
    Chain(4),
]


def largest(rbm):
    return np.linalg.norm(rbm.weights, 2)


@pytest.mark.parametrize("K", [0.01, 0.23, 1.5, 40.0])
@pytest.mark.parametrize("n_copies", [1, 2, 50])
@pytest.mark.parametrize("lattice", [Ring(4), Ring(10), Torus(2, 4), Torus(4, 4)])
def test_copies_on_the_bonds_attain_it(lattice, n_copies, K):
    # the bound by its formula, s1 by the singular values of the weights
    machine = RBM.local(lattice, K, n_copies)
    assert largest(machine) == pytest.approx(singular_value_bound(lattice, K, machine.n_hidden), rel=1e-12)
    if K < 2:  # at 40 ln p has 1e3 in it
        assert abs(kl_divergence(state_law(lattice, K), machine)) < 1e-11


@pytest.mark.parametrize("lattice", SMALL)
@pytest.mark.parametrize("K", [-0.7, -0.1, 0.1, 0.7])
def test_machines_of_lattices_are_above_and_come_near_at_weak_coupling(lattice, K):
    for n_copies in (1, 3):
        machine = RBM.local(lattice, K, n_copies)
        assert kl_divergence(state_law(lattice, K), machine) < 1e-12
        least = singular_value_bound(lattice, K, machine.n_hidden)
        assert singular_value_bound(lattice, K) < least <= largest(machine) * (1 + 1e-13)


def test_its_limits():
    K = np.array([0.1, 0.25, 0.9])
    np.testing.assert_allclose(singular_value_bound(Ring(12), K) ** 2, 4 * K, rtol=1e-15)
    np.testing.assert_allclose(singular_value_bound(Ring(12), -K) ** 2, 4 * K, rtol=1e-15)
    np.testing.assert_allclose(singular_value_bound(Torus(64, 32), K) ** 2, 8 * K, rtol=1e-15)
    np.testing.assert_allclose(singular_value_bound(Ring(7), K) ** 2, 4 * K * 7 / 8, rtol=1e-15)
    # (3, 3): lambda_max - lambda_min = 4 + 2, met by 12 bonds cut by three sites, 9 * 12/(3 * 6)
    np.testing.assert_allclose(singular_value_bound(Torus(3, 3), K) ** 2, 6 * K, rtol=1e-15)
    assert singular_value_bound(Ring(8), 0.0, 8) == singular_value_bound(Ring(7), 0.0, 8) == 0
    # 1 - 2R/6N + ... of the limit
    for ring in (Ring(8), Ring(7)):
        near, limit = singular_value_bound(ring, 0.3, 10**9), singular_value_bound(ring, 0.3)
        assert 0 < near / limit - 1 < 1e-8
    assert singular_value_bound(Torus(4, 4), 0.4407) > 1.87


def test_one_unit_on_a_triangle_attains_it():
    # equal weights w have ln cosh 3w - ln cosh w = 4K, copies of them r times less
    for w in (1e-5, 0.1, 1.0, 9.0):
        for r in (1, 4):
            K = r * (np.log1p(2 * np.sinh(1.5 * w) ** 2) - np.log1p(2 * np.sinh(w / 2) ** 2)) / 4
            rbm = RBM(np.full((3, r), w))
            assert singular_value_bound(Ring(3), K, r) == pytest.approx(largest(rbm), rel=1e-10)
            assert kl_divergence(state_law(Ring(3), K), rbm) < 1e-14


@pytest.mark.parametrize("lattice", [Ring(5), Ring(9), Torus(2, 3), Torus(3, 3), Torus(3, 4), Torus(3, 5)])
def test_cuts_of_odd_cycles_do_not_exceed_the_laplacian(lattice):
    # the densest cut, M cut(A)/|A||M - A|, is a Rayleigh quotient of the Laplacian: found by another way
    J = np.zeros((lattice.n_sites,) * 2)
    for i, k in lattice.bonds():
        J[i, k] += 1
        J[k, i] += 1
    values = np.linalg.eigvalsh(J)
    assert singular_value_bound(lattice, 1.0) ** 2 <= (values[-1] - values[0]) * (1 + 1e-13)
    states = np.random.default_rng(1).choice([-1, 1], (200, lattice.n_sites))
    n_up = (states > 0).sum(axis=1)
    kept = (n_up > 0) & (n_up < lattice.n_sites)
    cut = (values[-1] * lattice.n_sites - np.einsum("ni,ij,nj->n", states, J, states)) / 4
    density = lattice.n_sites * cut[kept] / (n_up * (lattice.n_sites - n_up))[kept]
    assert singular_value_bound(lattice, 1.0) ** 2 >= density.max() * (1 - 1e-13)


def test_no_random_machine_is_below_the_bound_of_its_law():
    # of laws that are not even, with both biases; one in which the least s1 is near: many equal columns
    for seed in range(200):
        rng = np.random.default_rng(seed)
        machine = random_machine(5, int(rng.integers(1, 9)), seed=seed, scale=rng.uniform(0.1, 3))
        found = singular_value_bound_from_law(visible_law(machine), machine.n_hidden)
        assert singular_value_bound_from_law(visible_law(machine)) < found <= largest(machine)
    near = RBM(np.full((4, 3), 0.2))
    law = visible_law(near)
    assert singular_value_bound_from_law(law, 3) == pytest.approx(largest(near), rel=1e-12)


def test_a_law_says_the_same_as_its_lattice_and_in_any_order():
    law = state_law(Torus(2, 4), 0.6)
    for N in (None, 4, 40):
        assert singular_value_bound_from_law(law, N) == pytest.approx(
            singular_value_bound(Torus(2, 4), 0.6, N), rel=1e-12
        )
    mixed = np.random.default_rng(1).permutation(len(law.states))
    assert singular_value_bound_from_law(StateLaw(law.states[mixed], law.probabilities[mixed])) == (
        singular_value_bound_from_law(law)
    )
    assert singular_value_bound_from_law(StateLaw([[1, 1], [-1, -1]], [0.5, 0.5])) == np.inf


def test_shapes_broadcast():
    found = singular_value_bound(Ring(7), [[0.1], [-0.2], [0.0]], [7, 14])
    assert found.shape == (3, 2)
    for row, K in zip(found, (0.1, -0.2, 0.0), strict=True):
        for value, N in zip(row, (7, 14), strict=True):
            assert value == singular_value_bound(Ring(7), K, N)
    # the other sign of K favours other states: the plain bound with R = 2 * 6 * 0.2
    assert singular_value_bound(Ring(7), -0.2) == pytest.approx(np.sqrt(2 * 2.4 / 7), rel=1e-14)


def test_exact_machines_of_strongly_coupled_rings_leave_zero():
    # s1 > 1 for K > 1/4 whatever the machine; below, enough copies keep v = 0 stable
    start = np.full(8, 1e-3)
    for n_copies in (1, 10, 100):
        above = RBM.local(Ring(8), 0.2505, n_copies)
        assert flow.spectrum(above).orders
        assert np.abs(flow.mean_field(above, start, n_steps=20_000)).min() > 0.01
    below = RBM.local(Ring(8), 0.245, 100)
    assert not flow.spectrum(below).orders
    assert np.abs(flow.mean_field(below, start, n_steps=20_000)).max() < 1e-12


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: singular_value_bound(8, 0.5), TypeError, "lattice=8: a Ring"),
        (lambda: singular_value_bound(Ring(8), np.inf), ValueError, "K holds an infinity"),
        (lambda: singular_value_bound(Ring(8), 0.5, 0), ValueError, "n_hidden=0: integers from 1"),
        (lambda: singular_value_bound(Ring(8), 0.5, 2.5), ValueError, r"n_hidden=2\.5: integers"),
        (lambda: singular_value_bound(Ring(8), [0.5, 1, 2], [1, 2]), ValueError, "do not broadcast"),
        (lambda: singular_value_bound(Torus(5, 5), 0.5), ValueError, "25 sites and odd cycles: at most 24"),
        (lambda: singular_value_bound_from_law(0.5), TypeError, "law=0.5: a StateLaw"),
        (
            lambda: singular_value_bound_from_law(state_law(Ring(3), 0.5), [1, 2]),
            ValueError,
            r"n_hidden=\[1, 2\]: one number",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
