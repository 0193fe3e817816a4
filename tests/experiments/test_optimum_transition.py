"""Where best machines of rings stop repeating themselves."""

import numpy as np
import pytest

from rbmflow import Ring
from rbmflow.experiments.optimum import transition
from rbmflow.experiments.optimum.descent import POLISHED, descend, descend_repeated, repeated
from rbmflow.experiments.optimum.search import invariance, search
from rbmflow.experiments.optimum.target import Target
from rbmflow.experiments.optimum.transition import sector_eigenvalues


@pytest.mark.parametrize(("M", "N", "n_times"), [(6, 2, 2), (10, 4, 2), (9, 3, 3), (6, 3, 3)])
def test_sectors_hold_all_eigenvalues(M, N, n_times):
    target = Target(Ring(M), 0.4)
    weights = repeated(np.random.default_rng(1).normal(size=(N // n_times, M)), n_times)
    whole = np.linalg.eigvalsh(target.hessian(weights))
    sectors = sector_eigenvalues(target, weights)
    assert len(sectors) == n_times // 2 + 1
    assert sectors.min() == pytest.approx(whole[0], rel=1e-10)
    for value in sectors:
        assert np.abs(whole - value).min() < 1e-12
    if n_times == 3:  # each of momentum 1 comes once more with −1
        assert np.sort(np.abs(whole - sectors[1]))[1] < 1e-12


def test_equal_weights_of_one_unit_bend_by_the_circulant_formula():
    M, K = 9, 0.3
    target, w = Target(Ring(M), K), 0.2
    weights = np.full((1, M), w)
    hessian = target.hessian(weights)
    np.testing.assert_allclose(hessian, np.roll(hessian, 1, (0, 1)), rtol=0, atol=1e-14)
    waves = [np.cos(2 * np.pi * k * np.arange(M) / M) for k in range(5)]
    wanted = [wave @ hessian @ wave / (wave @ wave) for wave in waves]
    np.testing.assert_allclose(sector_eigenvalues(target, weights), wanted, atol=1e-13)


def test_six_sites_and_two_units_part_continuously():
    found = transition(6, 2, 0.3, 0.6, n_starts=6, rng=1)
    assert found.continuous
    assert found.jump == 0
    assert found.momentum == 1
    # two routes: the minimum over all machines, and the Hessian of the best that repeats itself
    assert pytest.approx(found.K_unstable, abs=5e-5) == found.K
    assert pytest.approx(0.40247, abs=1e-4) == found.K


@pytest.mark.parametrize(("M", "N", "K"), [(8, 2, 0.5676), (9, 3, 0.8312)])
def test_others_part_with_a_jump(M, N, K):
    found = transition(M, N, K - 0.08, K + 0.1, n_starts=8, rng=1)
    assert not found.continuous
    assert found.jump > 0.03
    assert pytest.approx(K, abs=1e-4) == found.K
    assert found.K_ends < found.K - 0.002
    assert found.K_unstable > found.K + 0.009
    # random starts on both sides of the crossing, 10⁻³ away, which know nothing of it
    for side, kept in ((-1e-3, N), (1e-3, 1)):
        target = Target(Ring(M), found.K + side)
        best = search(target, N, 24, np.random.default_rng(2))[0]
        assert invariance(target, best)[0] == kept
    # between the end and the instability both minima are there
    target = Target(Ring(M), found.K_unstable - 0.002)
    below = search(Target(Ring(M), found.K - 0.05), N, 8, np.random.default_rng(3))[0].weights
    filters = descend_repeated(target, below[:1], N, gradient=POLISHED)
    still = descend(target, repeated(filters, N) + 1e-4 * np.random.default_rng(4).normal(size=(N, M)))
    assert invariance(target, still)[0] == N


def test_one_unit_on_twelve_sites_becomes_equal_as_K_grows():
    found = transition(12, 1, 0.5, 0.1, n_starts=6, rng=1)
    assert found.continuous
    assert pytest.approx(found.K_unstable, abs=1e-4) == found.K
    assert pytest.approx(0.36106, abs=1e-4) == found.K


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((13, 2, 0.3, 0.6), "n_visible=13"),
        ((9, 2, 0.3, 0.6), "n_hidden=2: a common divisor"),
        ((6, 3, 0.3, 0.6), "n_hidden=3"),
        ((6, 2, 0.0, 0.6), "K_symmetric=0"),
        ((6, 2, 0.3, float("inf")), "K_broken=inf"),
        ((6, 2, 0.2, 0.3), "K_broken=0.3: the best machine found there repeats itself"),
        ((6, 2, 0.5, 0.6), "no eigenvalue"),
    ],
)
def test_what_brackets_no_transition_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        transition(*arguments, n_starts=4, rng=1)
