"""The largest singular value of W against what the law alone says of it."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import quad

from rbmflow import RBM, Chain, Ring, StateLaw, Torus, flow, ising
from rbmflow.flow import singular_value_bound, singular_value_bound_from_law
from rbmflow.ising import state_law
from rbmflow.ising.crystal import Crystal
from rbmflow.networks import kl_divergence, visible_law
from rbmflow.spins import all_states
from tests.networks.machines import random_machine


@dataclass(frozen=True)
class Triangular(Crystal):
    """A lattice of the tests: three bonds of each site."""

    steps = ((0, 1), (1, 0), (1, 1))

    n_rows: int
    n_cols: int

    @property
    def n_sites(self):
        return self.n_rows * self.n_cols


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


@pytest.mark.parametrize(
    ("lattice", "K"),
    [(one, K) for one in SMALL for K in (-0.7, -0.1, 0.1, 0.7) if K > 0 or one.bipartite],
)
def test_machines_of_lattices_are_above(lattice, K):
    for n_copies in (1, 3):
        machine = RBM.local(lattice, K, n_copies)
        assert kl_divergence(state_law(lattice, K), machine) < 1e-12
        least = singular_value_bound(lattice, K, machine.n_hidden)
        assert singular_value_bound(lattice, K) < least <= largest(machine) * (1 + 1e-13)


def couplings(lattice):
    J = np.zeros((lattice.n_sites,) * 2)
    for i, k in lattice.bonds():
        J[i, k] += 1
        J[k, i] += 1
    return J


@pytest.mark.parametrize(
    "lattice",
    [Ring(3), Ring(5), Ring(8), Torus(2, 2), Torus(2, 3), Torus(3, 5), Torus(4, 6), Triangular(3, 4)],
)
def test_its_square_is_the_width_of_the_spectrum(lattice):
    # plane waves against the eigenvalues of the matrix
    values = np.linalg.eigvalsh(couplings(lattice))
    found = singular_value_bound(lattice, [0.4, 3.0]) ** 2
    np.testing.assert_allclose(found, (values[-1] - values[0]) * np.array([0.4, 3.0]), rtol=1e-13)


def test_its_limits():
    K = np.array([0.1, 0.25, 0.9])
    np.testing.assert_allclose(singular_value_bound(Ring(12), K) ** 2, 4 * K, rtol=1e-15)
    np.testing.assert_allclose(singular_value_bound(Ring(12), -K) ** 2, 4 * K, rtol=1e-15)
    np.testing.assert_allclose(singular_value_bound(Torus(10**5, 10**5), K) ** 2, 8 * K, rtol=1e-15)
    np.testing.assert_allclose(
        singular_value_bound(Ring(7), K) ** 2, 4 * K * np.cos(np.pi / 14) ** 2, rtol=1e-14
    )
    np.testing.assert_allclose(singular_value_bound(Chain(7), K) ** 2, 4 * K * 6 / 7, rtol=1e-15)
    assert singular_value_bound(Ring(8), 0.0, 8) == singular_value_bound(Ring(7), 0.0, 8) == 0
    # N arcosh(e^x)/sqrt(2 x N), x of order 1e-9, is 1 + x/6
    for ring in (Ring(8), Ring(7)):
        assert 0 < singular_value_bound(ring, 0.3, 10**9) / singular_value_bound(ring, 0.3) - 1 < 1e-9
    assert singular_value_bound(Torus(4, 4), 0.4407) > 1.87
    assert singular_value_bound(Ring(8), 1e308) == singular_value_bound(Ring(8), 1e308, 8) == np.inf


def functional(R):
    """Omega as a signed weight of each state, by Dirac's matrices for the products of spins."""
    n = len(R)
    pauli = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    pairs = (n + 1) // 2
    gamma = []
    for k in range(pairs):
        for first in pauli[:2]:
            one = np.eye(1)
            for place in range(pairs):
                one = np.kron(one, pauli[2] if place < k else first if place == k else np.eye(2))
            gamma.append(one)
    values, vectors = np.linalg.eigh(R)
    root = vectors * np.sqrt(np.maximum(values, 0))
    A = np.einsum("ia,abc->ibc", root, np.array(gamma[:n]))
    moments = []
    for bits in range(2**n):
        product = np.eye(2**pairs)
        for i in range(n):
            if bits >> i & 1:
                product = product @ A[i]
        moments.append(np.trace(product).real / 2**pairs)
    states = all_states(n).astype(float)
    products = np.array(
        [np.prod(states[:, [i for i in range(n) if b >> i & 1]], axis=1) for b in range(2**n)]
    )
    return np.array(moments) @ products / 2**n, states


@pytest.mark.parametrize("seed", range(6))
def test_every_correlation_matrix_is_that_of_a_functional_that_cosines_do_not_exceed_1_on(seed):
    rng = np.random.default_rng(seed)
    r = rng.normal(size=(5, 1 + seed % 5))
    R = r @ r.T / np.sqrt(np.outer((r**2).sum(1), (r**2).sum(1)))
    weight, v = functional(R)
    np.testing.assert_allclose(weight.sum(), 1, rtol=1e-13)
    np.testing.assert_allclose((v.T * weight) @ v, R, rtol=0, atol=1e-13)
    w = rng.normal(size=(2000, 5)) * np.exp(rng.uniform(-3, 3, (2000, 1)))
    assert (np.cos(w @ v.T) @ weight).max() <= 1 + 1e-12
    assert (np.logaddexp(w @ v.T, -(w @ v.T)) @ weight - np.log(2)).min() >= -1e-11  # of terms up to 100
    if seed % 5:  # it is no law: states have negative weights
        assert weight.min() < -1e-3


@pytest.mark.parametrize("x", [0.1, 1.0, 4.0])
def test_ln_cosh_is_a_mixture_of_cosines(x):
    found, _ = quad(lambda t: (1 - np.cos(t * x)) / (t * np.sinh(np.pi * t / 2)), 1e-9, 40)
    assert found == pytest.approx(np.log(np.cosh(x)), rel=1e-7)


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
    never = StateLaw([[1, 1], [-1, -1], [1, -1], [-1, 1]], [0.5, 0.25, 0.25, 0])
    assert singular_value_bound_from_law(never) == np.inf


def test_shapes_broadcast():
    found = singular_value_bound(Ring(8), [[0.1], [-0.2], [0.0]], [7, 14])
    assert found.shape == (3, 2)
    for row, K in zip(found, (0.1, -0.2, 0.0), strict=True):
        for value, N in zip(row, (7, 14), strict=True):
            assert value == singular_value_bound(Ring(8), K, N)


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
        (lambda: singular_value_bound(8, 0.5), TypeError, "lattice=8: a .*Ring"),
        (lambda: singular_value_bound(Ring(8), np.inf), ValueError, "K holds an infinity"),
        (lambda: singular_value_bound(Ring(8), 0.5, 0), ValueError, "n_hidden=0: integers from 1"),
        (lambda: singular_value_bound(Ring(8), 0.5, 2.5), ValueError, r"n_hidden=2\.5: integers"),
        (lambda: singular_value_bound(Ring(8), [0.5, 1, 2], [1, 2]), ValueError, "do not broadcast"),
        (lambda: singular_value_bound(Torus(4, 5), [0.5, -0.5]), ValueError, "K >= 0 is needed"),
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


@pytest.mark.parametrize(
    ("lattice", "factor"),
    [
        (ising.Honeycomb(3, 4), 6),
        (ising.Triangular(6, 3), 9),
        (ising.Hypercubic((4, 2, 4)), 12),
        (ising.Hypercubic((2, 3, 2)), None),
    ],
    ids=str,
)
def test_bounds_of_other_lattices(lattice, factor):
    # λ_max − λ_min of the couplings, by their matrix
    J = np.zeros((lattice.n_sites,) * 2)
    for i, k in lattice.bonds():
        J[i, k] += 1
        J[k, i] += 1
    width = np.ptp(np.linalg.eigvalsh(J))
    assert flow.singular_value_bound(lattice, 0.3) ** 2 == pytest.approx(0.3 * width)
    if factor is not None:
        assert width == pytest.approx(factor)
    if lattice.bipartite:  # which local machines attain, in copies
        local = RBM.local(lattice, 0.3, n_copies=2)
        assert flow.spectrum(local).singular_values[0] == pytest.approx(
            flow.singular_value_bound(lattice, 0.3, local.n_hidden)
        )


def test_local_machines_of_any_couplings():
    graph = ising.Graph.from_bonds(5, {(0, 1): 1.0, (1, 2): -0.5, (0, 3): 0.7, (2, 3): 0.2})
    for lattice in (
        graph,
        ising.Triangular(2, 3, periodic=False, couplings=(1.0, -0.5, 0.3)),
        ising.Honeycomb(2, 2),
    ):
        for K in (0.8, -0.4):
            wanted = state_law(lattice, K)
            found = visible_law(RBM.local(lattice, K))
            np.testing.assert_array_equal(found.states, wanted.states)
            np.testing.assert_allclose(found.probabilities, wanted.probabilities, rtol=1e-10)
    with pytest.raises(ValueError, match="without fields is needed"):
        RBM.local(ising.Graph.from_bonds(2, [(0, 1)], fields=0.1), 0.5)
