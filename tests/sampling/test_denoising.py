"""The best estimate of noisy spins: rings, small lattices and chains against sums over all states."""

import numpy as np
import pytest

from rbmflow import Chain, Graph, Ring, Torus
from rbmflow.errors import ConvergenceWarning
from rbmflow.ising import denoising_coupling, noise_field, state_law
from rbmflow.networks import BoltzmannMachine, boltzmann_moments
from rbmflow.sampling import add_noise, denoise
from rbmflow.sampling.denoising import posterior_table
from rbmflow.spins import all_states


def summed_means(lattice, K, noisy, rate):
    """Means given the data, by sums over all states of a Boltzmann machine."""
    couplings = np.zeros((lattice.n_sites,) * 2)
    for i, j in lattice.bonds():  # a side of two has two bonds between its sites
        couplings[i, j] += K
        couplings[j, i] += K
    machines = (BoltzmannMachine(couplings, noise_field(rate) * row) for row in noisy)
    return np.array([boltzmann_moments(machine).means for machine in machines])


@pytest.mark.parametrize("lattice", [Ring(9), Chain(7), Torus(2, 3), Torus(4, 4)], ids=str)
def test_exact_means_are_sums_over_all_states(lattice):
    noisy = add_noise(np.ones((3, lattice.n_sites), dtype=np.int8), 0.3, rng=1)
    found = denoise(lattice, 0.7, noisy, 0.2)
    np.testing.assert_allclose(found.means, summed_means(lattice, 0.7, noisy, 0.2), rtol=0, atol=1e-13)
    assert not found.stderr.any()
    assert (found.estimate == np.sign(found.means)).all()
    np.testing.assert_allclose(found.expected_overlap, np.abs(found.means).mean(axis=1), rtol=1e-15)


@pytest.mark.parametrize("K", [0.2, 0.5])
def test_chains_in_the_fields_of_the_data_agree_with_the_sum(K):
    torus = Torus(4, 5)
    noisy = add_noise(np.ones((2, 20), dtype=np.int8), 0.3, rng=2)
    runs = [denoise(torus, K, noisy, 0.2, n_sweeps=2000, rng=seed) for seed in range(6)]
    wanted = summed_means(torus, K, noisy, 0.2)
    pulls = np.array([(found.means - wanted) / found.stderr for found in runs])
    for found in runs:
        assert (found.stderr > 0).all()
        assert found.stderr.max() < 0.03
    # spins of one row err together, at K = 0.5 nearly as one: at least 12 independent squares of Student's t
    # of 63 parts, whose mean is outside with a probability of 4e-4
    assert 0.15 < (pulls**2).mean() < 3.3
    assert np.abs(pulls).max() < 6


def test_a_graph_brings_its_own_couplings_and_fields():
    graph = Graph.from_bonds(5, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)], [1.0, -1.0, 2.0, 0.5, 1.0], 0.3)
    noisy = np.array([[1, -1, 1, 1, -1]])
    states = all_states(5).astype(float)
    J = np.array([1.0, -1.0, 2.0, 0.5, 1.0])
    exponent = 0.6 * ((states * np.roll(states, -1, axis=1)) @ J + 0.3 * states.sum(axis=1))
    weights = np.exp(exponent + noise_field(0.1) * states @ noisy[0])
    wanted = weights @ states / weights.sum()
    np.testing.assert_allclose(denoise(graph, 0.6, noisy, 0.1).means[0], wanted, rtol=0, atol=1e-14)
    # at K = 0 nothing is known but what was seen
    np.testing.assert_allclose(denoise(graph, 0.0, noisy, 0.1).means, 0.8 * noisy, rtol=1e-14)


def test_no_map_has_a_larger_overlap_than_the_estimate():
    torus, rate = Torus(3, 3), 0.2
    states, prior = all_states(9), state_law(torus, 0.45).probabilities
    turned = (states[:, None] != states).sum(axis=2)
    joint = prior * rate**turned * (1 - rate) ** (9 - turned)  # P(y, v)
    seen, means = posterior_table(torus, 0.45, rate)
    np.testing.assert_allclose(seen, joint.sum(axis=1), rtol=1e-13)
    np.testing.assert_allclose(means * seen[:, None], joint @ states, rtol=0, atol=1e-16)
    best = denoise(torus, 0.45, states, rate)

    def overlap(guess):
        return np.einsum("yv,yi,vi->", joint, guess.astype(float), states.astype(float)) / 9

    assert overlap(best.estimate) == pytest.approx(seen @ best.expected_overlap, rel=1e-13)
    assert overlap(best.estimate) > overlap(states) + 0.05 == pytest.approx(0.65, abs=1e-12)
    rng = np.random.default_rng(5)
    for _ in range(20):  # a few guesses turned over
        other = best.estimate * np.where(rng.random(states.shape) < 0.02, -1, 1)
        assert overlap(other) < overlap(best.estimate)


def test_on_a_ring_it_helps_above_the_coupling_of_its_noise_and_keeps_what_was_seen_below():
    ring, rate = Ring(64), 0.15
    for factor in (0.98, 1.3):
        clean = ring.sample(factor * denoising_coupling(rate), 2000, rng=1)
        noisy = add_noise(clean, rate, rng=2)
        found = denoise(ring, factor * denoising_coupling(rate), noisy, rate)
        gain = (found.estimate * clean).mean() - (noisy * clean).mean()
        assert (gain == 0) if factor < 1 else (gain > 0.002)
        # the estimate knows how good it is: 2000 rows, whose overlaps spread by 0.1 or so
        rows = (found.estimate * clean).mean(axis=1) - found.expected_overlap
        assert abs(rows.mean()) < 4 * rows.std() / np.sqrt(2000)


def test_noise_turns_over_as_many_as_it_should():
    noisy = add_noise(np.ones(10**5, dtype=np.int8), 0.2, rng=1)
    assert noisy.dtype == np.int8
    assert abs((noisy < 0).sum() - 20_000) < 4 * np.sqrt(16_000)  # four standard deviations
    assert (add_noise(noisy, 0.5, rng=3) == add_noise(noisy, 0.5, rng=3)).all()


def test_shapes_ties_and_progress():
    seen = []
    found = denoise(
        Ring(4), 0.0, np.ones((2, 3, 4)), 0.5, progress=lambda done, total: seen.append((done, total))
    )
    assert found.means.shape == (2, 3, 4)
    assert not found.means.any()  # nothing was said
    assert (found.estimate == 1).all()
    assert seen[-1] == (6, 6)
    chains = {"n_chains": 4, "n_sweeps": 400, "rng": 1}
    rows = add_noise(np.ones((2, 20), dtype=np.int8), 0.3, rng=2)
    same = [denoise(Torus(4, 5), 0.3, rows, 0.2, n_threads=n, **chains).means for n in (1, 2)]
    assert (same[0] == same[1]).all()
    assert denoise(Torus(4, 5), 0.3, rows[:0], 0.2, **chains).means.shape == (0, 20)


def test_chains_that_stay_where_they_began_are_told():
    with pytest.warns(ConvergenceWarning, match="chains of 1 of 1 rows have not mixed"):
        denoise(Torus(4, 6), 4.0, np.ones((1, 24)), 0.49, n_sweeps=64, burn_in=0, rng=1)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"lattice": 3}, TypeError, "lattice=3"),
        ({"K": np.inf}, ValueError, "K=inf: a finite coupling"),
        ({"error_rate": 0.0}, ValueError, "error_rate=0.0"),
        ({"error_rate": 0.7}, ValueError, "error_rate=0.7"),
        ({"error_rate": [0.1, 0.2]}, ValueError, "error_rate"),
        ({"noisy": [[1, 1]]}, ValueError, "noisy has shape"),
        ({"n_chains": 1}, ValueError, "n_chains=1"),
        ({"n_sweeps": 31}, ValueError, "n_sweeps=31"),
        ({"burn_in": -1}, ValueError, "burn_in=-1"),
        (
            {"n_chains": 10**6, "n_sweeps": 10**8, "lattice": Torus(8, 8), "noisy": np.ones(64)},
            MemoryError,
            "n_chains",
        ),
    ],
)
def test_bad_arguments(changes, error, message):
    given = {"lattice": Ring(4), "K": 0.5, "noisy": np.ones((2, 4)), "error_rate": 0.1, "rng": 1}
    with pytest.raises(error, match=message):
        denoise(**given | changes)


def test_a_chain_of_two_spins():
    K, rate, b = 0.5, 0.1, float(noise_field(0.1))
    found = denoise(Chain(2), K, [1, -1], rate)
    weights = {(s, t): np.exp(K * s * t + b * s - b * t) for s in (1, -1) for t in (1, -1)}
    mean = sum(s * w for (s, _), w in weights.items()) / sum(weights.values())
    np.testing.assert_allclose(found.means, [mean, -mean], rtol=1e-13)
