"""Couplings against the laws they come from, likelihoods against conditional laws, errors against repeats."""

import functools

import numpy as np
import pytest
from scipy.optimize import minimize

from rbmflow import Ring, StateLaw, Torus
from rbmflow.errors import ConvergenceWarning
from rbmflow.ising import RING_OPERATORS, infer, pseudo_likelihood, state_law
from rbmflow.rg import EVEN_OPERATORS, ODD_OPERATORS
from rbmflow.spins import all_states


def terms(products, sides):
    """The sites of every product, one by one."""
    index = np.arange(int(np.prod(sides))).reshape(sides)
    for site in np.ndindex(*sides):
        for offsets in products:
            yield [
                int(index[tuple((x + o) % n for x, o, n in zip(site, offset, sides, strict=True))])
                for offset in offsets
            ]


def law_of(sides, couplings, known):
    """The law of couplings, by loops over products and states."""
    states = all_states(int(np.prod(sides)))
    exponent = np.zeros(len(states))
    for name, K in couplings.items():
        for sites in terms(known[name], sides):
            exponent += K * states[:, sites].prod(axis=1)
    weight = np.exp(exponent - exponent.max())
    return StateLaw(states, weight / weight.sum())


def draw(law, *size, seed):
    rng = np.random.default_rng(seed)
    return law.states[rng.choice(len(law.states), size, p=law.probabilities)]


@functools.cache
def three_spins():
    couplings = {"nearest neighbours": 0.3, "row of three": 0.2, "magnetization": -0.1}
    return couplings, law_of((9,), couplings, RING_OPERATORS)


@pytest.mark.parametrize(
    ("sides", "couplings"),
    [
        ((9,), {"nearest neighbours": 0.3, "row of three": 0.2, "magnetization": -0.1}),
        ((8,), {"second neighbours": -0.4, "row of four": 0.3, "third neighbours": 0.0}),
        ((3, 4), {"nearest neighbours": 0.2, "corner": 0.1, "plaquette": -0.15}),
        ((2, 5), {"nearest neighbours": 0.2, "row of three": 0.0}),
    ],
)
def test_a_law_gives_its_couplings_back(sides, couplings):
    if sides[0] == 2:
        own = {"nearest neighbours": EVEN_OPERATORS["nearest neighbours"], "row": [[(0, 0), (0, 1), (0, 2)]]}
        couplings = {"nearest neighbours": 0.2, "row": 0.15}
    else:
        own = RING_OPERATORS if len(sides) == 1 else EVEN_OPERATORS | ODD_OPERATORS
    law = law_of(sides, couplings, own)
    asked = {name: own[name] for name in couplings} if sides[0] == 2 else list(couplings)
    found = infer(law.states, sides, operators=asked, weights=law.probabilities)
    assert found.operators == tuple(couplings)
    # the population has its maximum at the couplings of the law; rounding over the curvature
    np.testing.assert_allclose(found.couplings, list(couplings.values()), rtol=0, atol=1e-9)


def test_the_maximum_is_that_of_conditional_laws():
    spins = draw(three_spins()[1], 300, seed=1)
    names = ["nearest neighbours", "row of three", "magnetization"]

    def negative(K):  # p(v_i | others) from the joint weights of v and v with i turned over
        def exponent(v):
            return sum(
                k * v[:, sites].prod(axis=1)
                for k, name in zip(K, names, strict=True)
                for sites in terms(RING_OPERATORS[name], (9,))
            )

        total = 0.0
        for site in range(9):
            other = spins.copy()
            other[:, site] *= -1
            total += np.log1p(np.exp(exponent(other) - exponent(spins))).sum()
        return total / len(spins)

    found = infer(spins, Ring(9), operators=names)
    assert negative(found.couplings) == pytest.approx(-found.log_likelihood, rel=1e-12, abs=0)
    by_scipy = minimize(negative, np.zeros(3), method="BFGS", options={"gtol": 1e-6}).x
    np.testing.assert_allclose(found.couplings, by_scipy, rtol=0, atol=1e-4)  # from differences of 1e-8


def test_scores_and_curvatures_are_derivatives():
    spins = draw(three_spins()[1], 50, seed=2)
    products = [RING_OPERATORS["nearest neighbours"], RING_OPERATORS["row of three"]]
    weights = np.random.default_rng(3).uniform(size=50)
    problem = pseudo_likelihood.Classes(spins, (9,), products, weights)
    K, h = np.array([0.2, -0.1]), 1e-5
    here = problem.at(K)
    for a, step in enumerate(h * np.eye(2)):
        up, down = problem.at(K + step), problem.at(K - step)
        assert here.gradient[a] == pytest.approx((up.value - down.value) / (2 * h), rel=1e-8)
        slope = (up.gradient - down.gradient) / (2 * h)
        np.testing.assert_allclose(-here.information[a], slope, rtol=1e-7, atol=1e-7)
    scores = np.concatenate(list(problem.scores(K)))
    np.testing.assert_allclose(weights @ scores, here.gradient, rtol=1e-12)


def pulls(couplings, repeats, **options):
    """(K − K_true)/σ of repeats, shape (repeats, operators)."""
    true = np.array(list(couplings.values()))
    found = [infer(rows, (9,), operators=list(couplings), **options) for rows in repeats]
    return np.array([(one.couplings - true) / one.stderr for one in found])


def assert_unit(pull):
    """Mean 0 and variance 1 to five standard errors of 200 repeats: false alarm 1e-5 for three couplings."""
    n = len(pull)
    assert np.abs(pull.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(pull.var(axis=0) - 1).max() < 5 * np.sqrt(2 / n)


def test_pulls_of_independent_rows():
    couplings, law = three_spins()
    assert_unit(pulls(couplings, draw(law, 200, 400, seed=4)))


def repeated(law, n_chains, n_kept, stay, seed):
    """Chains that stay where they are with a probability, so that τ = (1 + stay)/(1 − stay)/2."""
    rng = np.random.default_rng(seed)
    fresh = draw(law, n_chains, n_kept, seed=rng)
    new = rng.random((n_chains, n_kept)) >= stay
    new[:, 0] = True
    at = np.maximum.accumulate(np.where(new, np.arange(n_kept), 0), axis=1)
    return np.take_along_axis(fresh, at[..., None], axis=1)


def test_blocks_give_the_errors_of_correlated_rows():
    couplings, law = three_spins()
    chains = repeated(law, 200 * 4, 500, 0.8, seed=5).reshape(200, 4, 500, 9)
    # 40 blocks of 50 rows, of τ = 4.5: an error of 1/√80 in each, and t-distributed pulls
    pull = pulls(couplings, chains, n_blocks=40)
    assert_unit(pull * np.sqrt(37 / 39))
    with pytest.warns(ConvergenceWarning, match="rows next to each other are correlated, by 0.8"):
        alone = infer(chains[0].reshape(-1, 9), 9, operators=list(couplings))
    whole = infer(chains[0], 9, operators=list(couplings), n_blocks=40)
    assert (whole.couplings == alone.couplings).all()
    assert (whole.n_units, alone.n_units) == (40, 2000)
    ratio = whole.stderr / alone.stderr  # √2τ = 3, to a tenth by 40 blocks
    assert (np.abs(ratio / 3 - 1) < 0.5).all()


def test_blocks_that_are_too_short_are_told():
    chains = repeated(three_spins()[1], 2, 2000, 0.9, seed=6)
    with pytest.warns(ConvergenceWarning, match="blocks next to each other are correlated"):
        infer(chains, 9, operators=["nearest neighbours"], n_blocks=1000)
    many = infer(chains.reshape(-1, 100, 9), 9, operators=["nearest neighbours"])
    assert many.n_units == 40
    assert np.isnan(many.neighbour_correlation).all()


def test_values_that_are_sorted_out_and_small_batches_change_nothing(monkeypatch):
    spins = draw(state_law(Torus(3, 4), 0.3), 200, seed=7)
    names = [*[*EVEN_OPERATORS][:2], "corner"]
    whole = infer(spins, (3, 4), operators=names)
    monkeypatch.setattr(pseudo_likelihood, "BATCH", 100)
    parts = infer(spins, (3, 4), operators=names)
    monkeypatch.setattr(pseudo_likelihood, "MAX_LISTED", 0)
    sorted_out = infer(spins, (3, 4), operators=names)
    for other in (parts, sorted_out):
        np.testing.assert_allclose(other.couplings, whole.couplings, rtol=0, atol=1e-12)
        np.testing.assert_allclose(other.covariance, whole.covariance, rtol=1e-10)
        np.testing.assert_allclose(other.neighbour_correlation, whole.neighbour_correlation, atol=1e-12)


def test_weights_stand_for_ratios_of_laws():
    couplings, law = three_spins()
    rng = np.random.default_rng(8)
    uniform = law.states[rng.integers(0, 512, (200, 1500))]
    place = (uniform > 0) @ (1 << np.arange(9))
    ratio = law.probabilities[place]
    found = [
        infer(rows, 9, operators=list(couplings), weights=w) for rows, w in zip(uniform, ratio, strict=True)
    ]
    true = list(couplings.values())
    assert_unit(np.array([(one.couplings - true) / one.stderr for one in found]))


def test_there_is_no_maximum_where_nothing_is_against_it():
    aligned = np.ones((5, 16), dtype=int)
    with pytest.raises(ValueError, match=r"spins: .*'nearest neighbours' goes to \+infinity"):
        infer(aligned, (4, 4), operators=["nearest neighbours"])
    mixed = Ring(8).sample(0.5, 100, rng=1)
    alternating = np.where(np.arange(8) % 2, -1, 1) * np.array([[1], [-1]])
    with pytest.raises(ValueError, match=r"'nearest neighbours' goes to -infinity"):
        infer(alternating, 8, operators=["nearest neighbours"])
    assert np.isfinite(infer(mixed, 8).couplings).all()


def test_operators_that_are_the_same_are_named():
    spins = Ring(5).sample(0.5, 100, rng=1)
    with pytest.raises(
        ValueError, match="'second neighbours', 'third neighbours' cannot be told apart on this lattice"
    ):
        infer(spins, 5, operators=["nearest neighbours", "second neighbours", "third neighbours"])


@pytest.mark.parametrize(
    ("operators", "error", "message"),
    [
        ("plaquette", TypeError, "a list of names"),
        ([], ValueError, "at least one"),
        (["plaquettes"], ValueError, "one of nearest neighbours, "),
        (["plaquette", "plaquette"], ValueError, "twice"),
        ({"a": [[(0, 0), (0, 4)]]}, ValueError, "one site twice"),
        ({"a": [[(0,), (1,)]]}, ValueError, "2 numbers in each"),
        ({"a": [[(0, 0), (0.5, 4)]]}, TypeError, "an integer"),
        ({"a": (0, 0)}, TypeError, "each a tuple of offsets"),
        ({1: [[(0, 0)]]}, TypeError, "text"),
    ],
)
def test_operators_that_are_none(operators, error, message):
    with pytest.raises(error, match=rf"operators.*{message}"):
        infer(np.ones((4, 16), dtype=int), (4, 4), operators=operators)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"shape": Ring(8)}, ValueError, "spins has shape"),
        ({"shape": "ring"}, TypeError, "shape="),
        ({"shape": ()}, ValueError, "shape="),
        ({"spins": np.ones(16, dtype=int)}, ValueError, "spins has shape"),
        ({"spins": np.ones((1, 16), dtype=int)}, ValueError, "two configurations"),
        ({"weights": [1.0] * 3}, ValueError, r"weights has shape \(3,\)"),
        ({"weights": [1.0, -1, 1, 1]}, ValueError, "weights="),
        ({"weights": [1.0, 0, 0, 0]}, ValueError, "weights="),
        ({"n_blocks": 1}, ValueError, "n_blocks=1"),
        ({"n_blocks": 5}, ValueError, "n_blocks=5.*which have 4 rows"),
    ],
)
def test_arguments_that_do_not_fit(change, error, message):
    with pytest.raises(error, match=message):
        infer(**{"spins": np.ones((4, 16), dtype=int), "shape": (4, 4), **change})


def test_the_text_has_the_numbers():
    couplings, law = three_spins()
    found = infer(draw(law, 400, seed=9), 9, operators=list(couplings))
    assert repr(found).startswith("InferredCouplings(nearest neighbours: 0.")
    assert "row of three: 0.2" in repr(found)
    many = {f"pair at distance {r}": [[0, r]] for r in range(1, 9)}
    assert "and 2 more" in repr(infer(Ring(18).sample(0.5, 200, rng=1), 18, operators=many))
