"""Errors of inferred couplings: the statistics, what each method is given, what a table may hold."""

import numpy as np
import pytest

from rbmflow.experiments import couplings
from rbmflow.experiments.couplings import CouplingErrors, Parameters, run
from rbmflow.ising import infer
from rbmflow.sampling import training_set

SMALL = Parameters(4, 0.3, (300,), 0.5, 100, 2, methods=("pairs", "exact pairs", "classes", "machine"))


@pytest.fixture(scope="module")
def small():
    return run(SMALL, rng=3)


def test_the_statistics_of_known_couplings():
    lattice = SMALL.lattice
    J, stderr = np.zeros((16, 16)), np.full((16, 16), 0.05)
    for i, k in lattice.bonds():
        J[i, k] = J[k, i] = 0.3
    first, second = lattice.bonds()[0]
    J[first, second] = J[second, first] = 0.4
    others = [(0, 5), (2, 8)]
    for i, k in others:
        J[i, k] = J[k, i] = -0.1
    found = dict(zip(couplings.STATISTICS, couplings._statistics(SMALL, J, stderr, 0.3), strict=True))
    assert found["neighbours"] == pytest.approx(0.3 + 0.1 / 32, rel=1e-12)
    assert found["neighbours_sd"] == pytest.approx(0.1 * np.sqrt(1 / 32 - 1 / 32**2), rel=1e-12)
    assert found["others"] == pytest.approx(-0.2 / 88, rel=1e-12)  # of 120 pairs
    assert found["others_rms"] == pytest.approx(0.1 * np.sqrt(2 / 88), rel=1e-12)
    assert found["error_rms"] == pytest.approx(0.1 * np.sqrt(3 / 120), rel=1e-12)
    assert found["pull_variance"] == pytest.approx(4 * 3 / 120, rel=1e-12)
    none = couplings._statistics(SMALL, J, np.full((16, 16), np.nan), 0.3)
    assert np.isnan(none[-1])


def test_a_table_holds_the_means_over_sets(small):
    rng = np.random.default_rng(3).spawn(4)[1]  # the second set
    spins = training_set(SMALL.lattice, [1 / 0.3], 300, rng=rng).spins[0]
    second = couplings._statistics(SMALL, (found := infer(spins)).pairs, found.pairs_stderr, 0.3)
    rng = np.random.default_rng(3).spawn(4)[0]
    spins = training_set(SMALL.lattice, [1 / 0.3], 300, rng=rng).spins[0]
    first = couplings._statistics(SMALL, (found := infer(spins)).pairs, found.pairs_stderr, 0.3)
    here = small.of("torus", "pairs")
    assert here["neighbours"][0] == pytest.approx((first[0] + second[0]) / 2, rel=1e-12)
    assert here["error_rms"][0] == pytest.approx(np.hypot(first[4], second[4]) / np.sqrt(2), rel=1e-12)
    assert here["pull_variance"][0] == pytest.approx((first[5] + second[5]) / 2, rel=1e-12)


def test_what_is_known_of_the_lattice_helps_and_shuffled_spins_have_no_couplings(small):
    error = {name: small.of("torus", name)["error_rms"] for name in SMALL.methods}
    assert (error["classes"] < error["pairs"] / 3).all()  # 4 numbers in place of 120
    np.testing.assert_allclose(error["exact pairs"], error["pairs"], rtol=0.2)
    for method in SMALL.methods:
        null = small.of("shuffled", method)
        # 32 bonds of an error of 1/√n each, over 2 sets: four of their mean
        assert (np.abs(null["neighbours"]) < 4 / np.sqrt(64 * null["n_samples"])).all()


def test_classes_of_a_small_torus_are_pairs_some_of_them_twice():
    spins = SMALL.lattice
    rows = training_set(spins, [1 / 0.3], 500, rng=4).spins[0]
    J, stderr = couplings._of_classes(spins, rows)
    found = infer(rows, spins)
    for place, K in ((1, 0), (5, 1), (15, 1)):  # right, and on the diagonal
        assert (J[0, place], stderr[0, place]) == (found.couplings[K], found.stderr[K])
    assert (J[0, 2], stderr[0, 2]) == (2 * found.couplings[2], 2 * found.stderr[2])
    assert J[0, 6] == 0
    assert np.isnan(stderr[0, 6])
    assert (J == J.T).all()


def test_the_fewest_configurations_are_shuffled():
    assert Parameters(n_samples=(400, 100)).cases == [("torus", 400), ("torus", 100), ("shuffled", 100)]


def test_a_verdict_ranks_the_methods(small):
    error = {name: small.of("torus", name)["error_rms"][0] for name in SMALL.methods}
    ranked = sorted(error.items(), key=lambda one: one[1])
    said = ", ".join(f"{value:.4f} by {name}" for name, value in ranked)
    assert small.remarks(1, 1.0)[0] == f"n = 300: error of a pair {said}"


def test_the_machine_of_the_default_has_two_units_for_each_spin():
    assert Parameters().n_hidden == 72


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": 3}, "side=3"),
        ({"K": 0.0}, "K=0.0"),
        ({"ratio": float("inf")}, "ratio=inf"),
        ({"n_samples": ()}, "n_samples"),
        ({"n_samples": (50,)}, "n_samples=50"),
        ({"n_repeats": 1}, "n_repeats=1"),
        ({"n_updates": 0}, "n_updates=0"),
        ({"methods": ("triples",)}, "methods='triples'"),
        ({"methods": ()}, r"methods=\(\)"),
        ({"methods": ("pairs", "pairs")}, "none twice"),
        ({"methods": ("exact pairs",)}, "at most 20 spins"),
    ],
)
def test_parameters_that_are_none(change, message):
    with pytest.raises(ValueError, match=message):
        Parameters(**change)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("torus,300", "torus,200", "not those of the parameters"),
        ("pairs", "couples", "not those of the parameters"),
    ],
)
def test_a_table_of_something_else_is_refused(small, tmp_path, old, new, message):
    path = tmp_path / "couplings.csv"
    small.save(path)
    assert CouplingErrors.load(path, SMALL).equals(small)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        CouplingErrors.load(path, SMALL)


def test_a_number_that_is_missing_is_refused(small, tmp_path):
    path = tmp_path / "couplings.csv"
    small.save(path)
    lines = path.read_text().splitlines()
    cells = lines[1].split(",")
    for place, message in ((3, "numbers are needed"), (9, "pull_variance: numbers")):
        path.write_text(
            "\n".join([lines[0], ",".join([*cells[:place], "x", *cells[place + 1 :]]), *lines[2:]])
        )
        with pytest.raises(ValueError, match=message):
            CouplingErrors.load(path, SMALL)
