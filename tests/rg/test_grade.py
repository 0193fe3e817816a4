"""Grades of maps: exact on the ring, from samples what is exact, on the torus what the literature says."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from rbmflow import RBM, Ring, Torus, rg, sampling
from rbmflow.ising import infer, state_law
from rbmflow.networks import kl_divergence
from rbmflow.rg.coarse_law import nearest_neighbour_law
from rbmflow.rg.grading.information import ring_information
from rbmflow.rg.grading.trace import log_ratios
from rbmflow.rg.operators import unrolled
from rbmflow.spins import all_states

CRITICAL = np.log(1 + np.sqrt(2)) / 2


def growth(K, b):
    """The logarithms to base b of ∂K'/∂K and ∂h'/∂h of decimation, by differences."""
    h = 1e-5
    thermal = (rg.decimate(K + h, scale_factor=b).K - rg.decimate(K - h, scale_factor=b).K) / (2 * h)
    return np.log([thermal, rg.decimate_in_field(K, h, scale_factor=b).h / h]) / np.log(b)


@pytest.mark.parametrize(("K", "b"), list(itertools.product((0.3, 1.0), (2, 3))))
def test_decimation_of_the_ring_is_exact(K, b):
    found = rg.grade(rg.Decimation(b), Ring(12), K, rng=1)
    exact = np.arctanh(np.tanh(K) ** b)
    assert found.kl[0] == 0
    assert found.information[0] == pytest.approx(ring_information(rg.Decimation(b), 12, K, 1)[0], rel=1e-11)
    # the wrap of the ring of 12: tanh^12 K; differences of 1e-5
    y_t, y_h = growth(K, b)
    assert found.y_t[0, 0] == pytest.approx(y_t, rel=0, abs=1e-7)
    assert found.y_h[0, 0] == pytest.approx(y_h, rel=0, abs=1e-7)
    np.testing.assert_allclose(found.couplings[0], [exact, 0], rtol=0, atol=1e-10)
    assert found.decimated[0] == pytest.approx(exact, rel=1e-14)
    assert found.relative_entropy[0] < 1e-20
    assert found.found == ("exact",)
    # the majority rule leaves the family of nearest neighbours
    other = rg.grade(rg.Majority(b), Ring(12), K, rng=1)
    assert other.relative_entropy[0] > 1e-7
    assert abs(other.couplings[0, 0] - exact) > 0.02


@pytest.mark.parametrize("b", [2, 3])
@pytest.mark.parametrize("K", [0.3, 1.0])
def test_samples_of_the_ring_find_what_is_exact(K, b):
    filtered = rg.BlockFilter([0.9, 0.6, 0.3][:b])
    spins = Ring(12).sample(K, 20_000, rng=4)
    for mapped in (rg.Decimation(b), filtered):
        exact = rg.grade(mapped, Ring(12), K, rng=1)
        found = rg.grade(mapped, Ring(12), K, spins=spins, rng=2)
        assert (exact.n_samples, found.n_samples) == (0, 20_000)
        # 6 numbers of 8 grades, errors of 19 degrees of freedom: 5 errors are one alarm in 100 seeds
        for name in ("y_t", "y_h", "couplings", "kl"):
            value, error = getattr(found, name), getattr(found, f"{name}_stderr")
            assert (abs(value - getattr(exact, name)) <= 5 * error).all(), name
        assert found.information[0] == pytest.approx(exact.information[0], rel=1e-10)
        # what a second operator adds to the pseudo-likelihood is not the relative entropy, but small with it
        assert (
            abs(found.relative_entropy[0])
            < 5 * found.relative_entropy_stderr[0] + 5 * exact.relative_entropy[0] + 1e-4
        )
    assert found.kl[0] > 0.01


def test_a_stack_of_machines_decimates_layer_by_layer():
    K, c = 0.8, 3.0
    lower = rg.Hidden(RBM.decimating(Ring(12), K, c), 6)
    upper = rg.Hidden(RBM.decimating(Ring(6), float(rg.decimate(K).K), c), 3)
    found = rg.grade(rg.Stack(lower, upper), Ring(12), K, rng=1)
    assert found.shapes == ((12,), (6,), (3,))
    # the hidden layer of such a machine has the decimated law for every c only under its own p(v): e^(−4c)
    np.testing.assert_allclose(found.couplings[:, 0], found.decimated, rtol=0, atol=0.02)
    assert found.kl[0] == pytest.approx(kl_divergence(state_law(Ring(12), K), lower.rbm), rel=1e-12)
    assert (found.kl < 0.01).all()
    assert (found.kl > 0).all()
    assert len(found._columns()["shape"]) == 2
    twice = rg.grade(rg.Decimation(), Ring(12), K, n_steps=2, rng=1)
    np.testing.assert_allclose(twice.couplings[:, 0], twice.decimated, rtol=1e-9)
    np.testing.assert_allclose(twice.decimated, found.decimated, rtol=1e-14)


def test_the_divergence_of_machines_comes_from_samples():
    # two machines on the 4 × 4 torus, whose divergence is also summed over states
    lattice = Torus(4, 4)
    law = state_law(lattice, 0.4)
    spins = law.states[np.random.default_rng(1).choice(len(law.states), 20_000, p=law.probabilities)]
    for mapped in (
        rg.BlockFilter(np.full((2, 2), 0.6)),
        rg.Hidden(RBM.decimating(lattice, 0.4, 1.5), (2, 4, 2)),
    ):
        exact = rg.grade(mapped, lattice, 0.4, rng=1)
        ratios = log_ratios(mapped, lattice, 0.4, spins)
        assert abs(ratios.mean() - exact.kl[0]) < 4 * ratios.std() / np.sqrt(len(ratios))
        assert ratios.std() / np.sqrt(len(ratios)) < 0.05 * exact.kl[0]
        # independent rows: the spread of 20 blocks is known to 16 %
        found = rg.grade(mapped, lattice, 0.4, spins=spins, rng=1)
        assert found.kl[0] == pytest.approx(ratios.mean(), rel=1e-12)
        assert 0.5 < found.kl_stderr[0] / (ratios.std() / np.sqrt(len(ratios))) < 1.5
    unknown = rg.Hidden(RBM(np.full((36, 34), 0.01)), 34)
    assert log_ratios(unknown, Torus(6, 6), 0.4, np.ones((2, 36), np.int8)) is None


def critical(side, n_kept, seed):
    chains = sampling.run(
        Torus(side, side),
        CRITICAL,
        n_chains=40,
        n_sweeps=4 * n_kept,
        thin=4,
        burn_in=100,
        rule="swendsen_wang",
        rng=seed,
    )
    return chains.spins


def test_the_torus_has_the_known_exponents():
    spins = critical(16, 100, 5)
    found = {
        name: rg.grade(mapped, Torus(16, 16), CRITICAL, spins=spins, rng=6)
        for name, mapped in {
            "majority": rg.Majority(),
            "soft": rg.BlockFilter(np.full((2, 2), 0.5)),
        }.items()
    }
    # 20,000 configurations of L = 16 gave y_h = 1.8804(5), y_t = 0.960(8) for the majority rule, and
    # 1.9337(5), 1.106(6) for w = 1/2, three even and two odd operators; 5 errors of 19 degrees of freedom
    known = {"majority": (0.960, 0.008, 1.8804, 0.0005), "soft": (1.106, 0.006, 1.9337, 0.0005)}
    for name, (y_t, y_t_error, y_h, y_h_error) in known.items():
        one = found[name]
        assert abs(one.y_t[0, -1] - y_t) < 5 * np.hypot(one.y_t_stderr[0, -1], y_t_error), name
        assert abs(one.y_h[0, -1] - y_h) < 5 * np.hypot(one.y_h_stderr[0, -1], y_h_error), name
        assert one.y_t_stderr[0, -1] < 0.04
        assert one.y_h_stderr[0, -1] < 0.003
    # a machine of independent blocks is far from the law, and the trace condition says so
    assert found["soft"].kl[0] > 10 * found["soft"].kl_stderr[0]
    assert found["majority"].kl[0] == 0
    assert found["majority"].information[0] > found["soft"].information[0]


def exact_sublattice_exponent(side):
    """``2 − (2/ln 2) ln(1 + χ_st/χ)`` by transfer matrices between rows; χ_st is that of a checkerboard."""
    rows = all_states(side).astype(float)
    bonds = np.exp(CRITICAL * (rows * np.roll(rows, -1, axis=1)).sum(axis=1) / 2)
    values, vectors = np.linalg.eigh(bonds[:, None] * np.exp(CRITICAL * rows @ rows.T) * bonds)
    values = values / values[-1]
    chi = []
    for sign, row in ((1, rows.sum(axis=1)), (-1, rows @ (-1.0) ** np.arange(side))):
        inside = (vectors.T @ (row[:, None] * vectors)) ** 2
        powers = [sign**r * values[:, None] ** r * values ** (side - r) for r in range(side)]
        chi.append(sum((power * inside).sum() for power in powers))
    return 2 - 2 / np.log(2) * np.log1p(chi[1] / chi[0])


def test_decimation_has_the_exponent_of_the_dimension():
    # y_h → d = 2 for one sublattice, where 15/8 is right: 1.98988 on 8 × 8
    exact = exact_sublattice_exponent(8)
    assert round(exact, 5) == 1.98988
    found = rg.grade(rg.Sublattice(), Torus(8, 8), CRITICAL, n_samples=8000, rng=6)
    assert found.scale_factors[0] == pytest.approx(np.sqrt(2))
    assert abs(found.y_h[0, 0] - exact) < 4 * found.y_h_stderr[0, 0]
    assert found.y_h_stderr[0, 0] < 0.005
    # the same by sums over states, on the lattice of four rows: χ of even sites and of all
    law = state_law(Torus(4, 4), CRITICAL)
    even = law.states[:, Torus(4, 4).sublattices()[0]].sum(axis=1)
    ratio = law.probabilities @ (even * law.states.sum(axis=1)) / (law.probabilities @ even**2)
    assert np.log(ratio) / np.log(np.sqrt(2)) == pytest.approx(exact_sublattice_exponent(4), rel=1e-12)


def test_operators_are_those_that_are_given():
    names = ["nearest neighbours", "plaquette", "magnetization"]
    own = {
        "pair": [[(0, 0), (0, 1)], [(0, 0), (1, 0)]],
        "square": [[(0, 0), (0, 1), (1, 0), (1, 1)]],
        "field": [[(0, 0)]],
    }
    how = {"n_samples": 800, "rng": 2}
    by_name, by_products = (
        rg.grade(rg.Majority(), Torus(8, 8), CRITICAL, operators=some, **how) for some in (names, own)
    )
    assert by_name.operators == ("nearest neighbours", "plaquette")
    assert by_products.operators == ("pair", "square")
    assert by_name.y_h.shape == (1, 1)
    for name in ("y_t", "y_h", "couplings", "couplings_stderr"):
        np.testing.assert_array_equal(getattr(by_name, name), getattr(by_products, name))
    plain = rg.grade(rg.Majority(), Torus(8, 8), CRITICAL, **how)
    np.testing.assert_array_equal(plain.y_t[:, 0], by_name.y_t[:, 0])
    assert abs(plain.y_t[0, 1] - by_name.y_t[0, 1]) > 0


def test_samples_of_a_turned_torus_have_its_couplings():
    lattice = Torus(4, 4)
    law = state_law(lattice, 0.3)
    spins = law.states[np.random.default_rng(2).choice(len(law.states), 20_000, p=law.probabilities)]
    exact = rg.grade(rg.Sublattice(), lattice, 0.3, rng=1)
    found = rg.grade(rg.Sublattice(), lattice, 0.3, spins=spins, rng=1)
    known = ~np.isnan(exact.couplings[0])
    assert known[0]
    deviation = (found.couplings - exact.couplings)[0, known] / found.couplings_stderr[0, known]
    assert (abs(deviation) < 4).all()
    assert (found.couplings_stderr[0, known] < 0.02).all()
    assert abs(found.information[0] - exact.information[0]) < 0.02
    assert found.found == ("bound",)
    # what the other couplings add to the pseudo-likelihood, off the unrolled lattice with each spin twice
    spins = critical(8, 50, 4)
    found = rg.grade(rg.Sublattice(), Torus(8, 8), CRITICAL, spins=spins, rng=1)
    rows, plain, times = unrolled(rg.Sublattice()(spins, (8, 8)), (4, 8, 4))
    most, least = (infer(rows, plain, operators=list(rg.EVEN_OPERATORS)[:n]) for n in (3, 1))
    np.testing.assert_allclose(found.couplings[0], most.couplings, rtol=1e-9)
    gain = (most.log_likelihood - least.log_likelihood) / (32 * times)
    assert found.relative_entropy[0] == pytest.approx(gain, rel=1e-8)
    assert 0 < found.relative_entropy_stderr[0] < 0.2 * gain


def test_a_random_function_is_graded_from_samples():
    def blur(spins, sides, rng):
        noisy = np.where(rng.random(spins.shape) < 0.1, -spins, spins).astype(np.int8)
        return rg.decimate_spins(noisy, sides)

    mapped = rg.Function(blur, 2, lambda sides: tuple(side // 2 for side in sides), random=True)
    found = rg.grade(mapped, Ring(16), 0.8, n_samples=4000, rng=1)
    assert np.isnan(found.kl[0])
    assert found.found == ("bound",)
    # noise of 0.1 leaves (1 − 0.2)² of the correlation, which pseudo-likelihood takes for a weaker coupling
    assert found.couplings[0, 0] < found.decimated[0] - 0.1
    assert found.n_samples == 4000


def test_a_sublattice_of_a_sublattice_is_every_second_spin():
    spins = critical(16, 30, 9)
    twice = rg.grade(rg.Sublattice(), Torus(16, 16), CRITICAL, n_steps=2, spins=spins, rng=1)
    once = rg.grade(rg.Decimation(), Torus(16, 16), CRITICAL, spins=spins, rng=1)
    assert twice.shapes == ((16, 16), (8, 16, 8), (8, 8))
    np.testing.assert_allclose(twice.couplings[1], once.couplings[0], rtol=1e-12)
    np.testing.assert_allclose(twice.relative_entropy[1], once.relative_entropy[0], rtol=1e-10)
    assert twice.found == ("bound", "none")
    assert np.isnan(twice.information[1])
    # the posterior is that of nearest neighbours, which block spins do not have
    blocked = rg.grade(rg.Majority(), Torus(16, 16), CRITICAL, n_steps=2, spins=spins, rng=1)
    assert blocked.found == ("sampled", "bound")


def test_of_blocks_whose_states_cannot_be_listed_information_is_bounded():
    found = rg.grade(rg.Decimation(32), Ring(128), 2.0, n_samples=2000, rng=1)
    exact = rg.grade(rg.Decimation(16), Ring(128), 2.0, n_samples=2000, rng=1)
    assert (found.found, exact.found) == (("bound",), ("exact",))
    assert found.information[0] < np.log(2)


def test_results_depend_on_the_generator_alone():
    def one(seed, **more):
        return rg.grade(rg.BlockFilter([0.6, 0.4]), Ring(20), 0.8, n_samples=400, rng=seed, **more)

    assert one(1).equals(one(1))
    assert not one(1).equals(one(2))
    seen = []
    one(1, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)


GRADE = {"transformation": rg.Majority(), "lattice": Ring(12), "K": 0.5, "rng": 1}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"transformation": np.sign}, TypeError, "transformation=<ufunc"),
        ({"transformation": rg.Majority(5)}, ValueError, "5 does not divide"),
        ({"lattice": 12}, TypeError, "lattice=12"),
        ({"K": np.inf}, ValueError, "K=inf: a finite coupling"),
        ({"n_steps": 0}, ValueError, "n_steps=0"),
        ({"n_steps": 3}, ValueError, "2 does not divide"),
        ({"operators": ["plaquette"]}, ValueError, "holds 'plaquette'"),
        ({"operators": ["nearest neighbours"]}, ValueError, "an even one and an odd one"),
        ({"operators": {"both": [[0], [0, 1]]}}, ValueError, "even and of odd"),
        ({"buffer": 5}, ValueError, "buffer=5 leaves no environment"),
        ({"buffer": -1}, ValueError, "buffer=-1"),
        ({"n_blocks": 1}, ValueError, "n_blocks=1"),
        ({"n_samples": 39}, ValueError, "n_samples=39"),
        ({"spins": np.ones((39, 12))}, ValueError, r"shape \(39, 12\)"),
        ({"spins": np.ones((50, 11))}, ValueError, "spins has shape"),
        ({"executor": 2}, TypeError, "executor=2"),
    ],
)
def test_bad_arguments(changes, error, message):
    with pytest.raises(error, match=message):
        rg.grade(**GRADE | changes)


def test_the_law_of_coarse_spins():
    law = state_law(Ring(6), 0.7)
    coarse = rg.coarse_law(rg.Majority(3), law, 6)
    plain = np.zeros(4)
    for state, q in zip(law.states, law.probabilities, strict=True):
        plain[(state[:3].sum() > 0) + 2 * (state[3:].sum() > 0)] += q
    np.testing.assert_allclose(coarse.probabilities, plain, rtol=1e-13)
    with pytest.raises(ValueError, match=r"law is over 6 spins: shape=\(8,\) has 8"):
        rg.coarse_law(rg.Majority(), law, 8)
    with pytest.raises(TypeError, match="law=3"):
        rg.coarse_law(rg.Majority(), 3, 6)


@pytest.mark.parametrize("mapped", [rg.Majority(3), rg.BlockFilter([0.9, 0.4], bias=0.3)], ids=repr)
def test_the_nearest_law_of_nearest_neighbours_is_that_of_a_search(mapped):
    law = rg.coarse_law(mapped, state_law(Ring(6), 0.7), 6)
    sides = mapped.output_shape(6)
    sums = rg.even_operators(law.states, sides, n_operators=1)[:, 0]

    def distance(K):
        log_p = K * sums - np.log(np.exp(K * sums).sum())
        return law.probabilities @ (np.log(law.probabilities) - log_p)

    K, least = nearest_neighbour_law(law, sides)
    best = minimize_scalar(distance, bracket=(-1, 1), tol=1e-9)
    assert pytest.approx(best.x, abs=1e-5) == K
    assert least == pytest.approx(best.fun, rel=1e-9, abs=1e-14)


@pytest.mark.slow
def test_the_filters_are_those_of_the_long_runs():
    # L = 16, 20,000 configurations each, three even and two odd operators: another run with another sampler
    known = {
        0.25: (1.194, 0.012, 2.012, 0.004),
        0.5: (1.106, 0.006, 1.9337, 0.0005),
        1.0: (0.974, 0.007, 1.8877, 0.0006),
        2.0: (0.969, 0.009, 1.8808, 0.0004),
    }
    spins = critical(16, 500, 7)
    for w, (y_t, y_t_error, y_h, y_h_error) in known.items():
        one = rg.grade(rg.BlockFilter(np.full((2, 2), w)), Torus(16, 16), CRITICAL, spins=spins, rng=8)
        assert abs(one.y_t[0, -1] - y_t) < 4 * np.hypot(one.y_t_stderr[0, -1], y_t_error), w
        assert abs(one.y_h[0, -1] - y_h) < 4 * np.hypot(one.y_h_stderr[0, -1], y_h_error), w


def test_maps_between_a_ring_and_a_torus_are_refused():
    onto_ring = rg.Hidden(RBM(np.ones((16, 4))), 4)
    with pytest.raises(ValueError, match=r"leads from \(4, 4\) to \(4,\): as many dimensions"):
        rg.grade(onto_ring, Torus(4, 4), 0.5, rng=1)
    with pytest.raises(ValueError, match="as many dimensions"):
        rg.renormalization_group(
            np.ones((4, 8, 64), dtype=np.int8),
            (8, 8),
            transformation=rg.Hidden(RBM(np.ones((64, 16))), 16),
            n_steps=1,
            rng=1,
        )


def test_a_function_cannot_write_into_the_configurations():
    def turns_over(spins, sides):
        spins *= -1
        return spins[..., ::2]

    spins = Ring(12).sample(0.5, 3, rng=1)
    with pytest.raises(ValueError, match="read-only"):
        rg.Function(turns_over, 2, (6,))(spins, 12, rng=1)
