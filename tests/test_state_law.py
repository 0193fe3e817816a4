import mpmath
import numpy as np
import pytest

from rbmflow import Chain, Ring, Torus
from rbmflow.ising import state_law
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw, excess


@pytest.mark.parametrize(
    ("lattice", "K"),
    [(Ring(7), 0.6), (Ring(4), -0.3), (Chain(6), 0.8), (Torus(3, 4), 0.4), (Torus(2, 3), 0.4)],
)
def test_the_law_of_a_lattice_has_its_moments(lattice, K):
    law = state_law(lattice, K)
    V = law.states.sum(axis=1)
    # 4096 products of a few roundings each
    assert law.probabilities @ V**2 / lattice.n_sites == pytest.approx(
        lattice.susceptibility(K), rel=1e-12, abs=0
    )
    # every state has its Boltzmann weight: the aligned one is e^(bonds K)/Z
    bonds = {Ring: lattice.n_sites, Chain: lattice.n_sites - 1, Torus: 2 * lattice.n_sites}[type(lattice)]
    assert law.probabilities[-1] == pytest.approx(
        np.exp(bonds * K - lattice.log_partition(K)), rel=1e-12, abs=0
    )
    assert law.covers_all


def test_moments():
    law = StateLaw([[1, 1, -1], [-1, 1, 1]], [0.75, 0.25])
    np.testing.assert_array_equal(law.means, [0.5, 1.0, -0.5])
    np.testing.assert_array_equal(law.correlations, [[1, 0.5, -1], [0.5, 1, -0.5], [-1, -0.5, 1]])


def test_a_divergence_needs_a_number_for_each_configuration():
    law = StateLaw([[1, 1], [-1, -1]], [0.75, 0.25])
    for wrong in (np.mean, lambda v: v, lambda v: ["1"] * len(v), lambda v: np.zeros(len(v) + 1)):
        with pytest.raises(ValueError, match="log_p gives"):
            law.divergence(wrong)
    with pytest.raises(TypeError, match="log_p=3"):
        law.divergence(3)


def test_the_law_is_copied_and_frozen():
    states, probabilities = all_states(2), np.full(4, 0.25)
    law = StateLaw(states, probabilities)
    states[:], probabilities[:] = 1, 0
    assert law.probabilities.sum() == 1
    assert (law.states == all_states(2)).all()
    for array in (law.states, law.probabilities):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1


@pytest.mark.parametrize(
    ("states", "probabilities", "error", "message"),
    [
        ([[1, 0]], [1.0], ValueError, "states holds 0: spins are -1 or \\+1; convert"),
        ([1, -1], [1.0], ValueError, r"states has shape \(2,\)"),
        (np.empty((0, 3)), [], ValueError, "both at least 1"),
        ([[1], [-1]], [1.0], ValueError, r"\(2,\) is needed"),
        ([[1], [-1]], [1.5, -0.5], ValueError, "probabilities holds 1.5"),
        ([[1], [-1]], [0.5, np.nan], ValueError, "NaN"),
        ([[1], [-1]], [np.inf, 0.5], ValueError, "probabilities holds inf"),
        ([[1], [-1]], [0.5, 0.4], ValueError, "add up to 0.9"),
        ([[1], [1]], [0.5, 0.5], ValueError, "twice"),
        ("ab", [1.0], TypeError, "states has dtype"),
    ],
)
def test_bad_laws(states, probabilities, error, message):
    with pytest.raises(error, match=message):
        StateLaw(states, probabilities)


@pytest.mark.parametrize(
    ("lattice", "K", "error", "message"),
    [
        (Ring(25), 1.0, ValueError, "at most 24"),
        (Ring(4), np.inf, ValueError, "K=inf"),
        (Ring(4), [1.0], ValueError, "one number"),
        (4, 1.0, TypeError, "lattice=4"),
    ],
)
def test_bad_lattices(lattice, K, error, message):
    with pytest.raises(error, match=message):
        state_law(lattice, K)


def test_a_law_of_one_state():
    law = StateLaw([[1, -1]], [1.0])
    np.testing.assert_array_equal(law.means, [1.0, -1.0])


def test_samples_have_the_probabilities():
    law = StateLaw([[1, 1], [1, -1], [-1, 1], [-1, -1]], [0.0, 0.3, 0.7, 0.0])
    spins = law.sample(10_000, rng=1)
    up = (spins[:, 0] == 1).mean()
    assert (spins.sum(axis=1) == 0).all()
    assert abs(up - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 10_000)  # five standard errors: false alarm 6e-7
    assert law.sample(0, rng=1).shape == (0, 2)
    assert (spins == law.sample(10_000, rng=1)).all()


def test_the_excess_of_an_exponential():
    delta = np.array([-30.0, -1.0, -0.02, -1e-3, -1e-9, 0.0, 1e-12, 1e-4, 0.02, 1.0, 30.0])
    with mpmath.workdps(40):
        wanted = [float(mpmath.expm1(d) - mpmath.mpf(d)) for d in delta.tolist()]
    np.testing.assert_allclose(excess(delta), wanted, rtol=1e-13)
