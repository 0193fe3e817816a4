"""Couplings against the laws they come from, likelihoods against conditional laws, errors against repeats."""

import functools

import numpy as np
import pytest
from scipy.optimize import minimize

from rbmflow import Ring, StateLaw, Torus, ising
from rbmflow.errors import ConvergenceWarning
from rbmflow.ising import RING_OPERATORS, infer, operator_law, state_law
from rbmflow.ising.inference import pseudo_likelihood, site_couplings
from rbmflow.ising.inference.newton import Step, maximum
from rbmflow.ising.inference.spread import spread_of_scores
from rbmflow.networks import BoltzmannMachine, boltzmann_visible_law
from rbmflow.rg import EVEN_OPERATORS, ODD_OPERATORS
from rbmflow.sampling import training_set
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
    return law.sample(int(np.prod(size)), rng=seed).reshape(*size, law.n_sites)


@functools.cache
def three_spins():
    couplings = {"nearest neighbours": 0.3, "row of three": 0.2, "magnetization": -0.1}
    return couplings, law_of((9,), couplings, RING_OPERATORS)


@pytest.mark.parametrize("method", ["pseudo-likelihood", "exact"])
@pytest.mark.parametrize(
    ("sides", "couplings"),
    [
        ((9,), {"nearest neighbours": 0.3, "row of three": 0.2, "magnetization": -0.1}),
        ((8,), {"second neighbours": -0.4, "row of four": 0.3, "third neighbours": 0.0}),
        ((3, 4), {"nearest neighbours": 0.2, "corner": 0.1, "plaquette": -0.15}),
        ((2, 5), {"nearest neighbours": 0.2, "row of three": 0.0}),
    ],
)
def test_a_law_gives_its_couplings_back(sides, couplings, method):
    if sides[0] == 2:
        own = {"nearest neighbours": EVEN_OPERATORS["nearest neighbours"], "row": [[(0, 0), (0, 1), (0, 2)]]}
        couplings = {"nearest neighbours": 0.2, "row": 0.15}
    else:
        own = RING_OPERATORS if len(sides) == 1 else EVEN_OPERATORS | ODD_OPERATORS
    law = law_of(sides, couplings, own)
    asked = {name: own[name] for name in couplings} if sides[0] == 2 else list(couplings)
    found = infer(law.states, sides, operators=asked, weights=law.probabilities, method=method)
    assert found.operators == tuple(couplings)
    # the population has its maximum at the couplings of the law; rounding over the curvature
    np.testing.assert_allclose(found.couplings, list(couplings.values()), rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["pseudo-likelihood", "exact"])
@pytest.mark.parametrize("K", [-0.6, 0.6, 1.0])
def test_strong_couplings_are_found_from_afar(K, method):
    torus = Torus(3, 4) if K > 0 else Torus(4, 4)
    law = state_law(torus, K)
    for names in (["nearest neighbours"], ["nearest neighbours", "diagonal neighbours", "plaquette"]):
        found = infer(law.states, torus, operators=names, weights=law.probabilities, method=method)
        np.testing.assert_allclose(found.couplings, [K, 0, 0][: len(names)], rtol=0, atol=1e-7)


def test_the_law_of_operators_is_the_sum_over_products():
    for sides, known in [((9,), RING_OPERATORS), ((3, 4), EVEN_OPERATORS | ODD_OPERATORS)]:
        couplings = {"nearest neighbours": 0.3, "row of three": 0.2, "magnetization": -0.1}
        law = operator_law(sides, couplings)
        np.testing.assert_allclose(
            law.probabilities, law_of(sides, couplings, known).probabilities, rtol=1e-12
        )
    own = {"triangle": [[0, 1, 3]]}
    law = operator_law(8, {"triangle": 0.4, "nearest neighbours": 0.1}, operators=own)
    known = {"triangle": [[(0,), (1,), (3,)]], "nearest neighbours": RING_OPERATORS["nearest neighbours"]}
    again = law_of((8,), {"triangle": 0.4, "nearest neighbours": 0.1}, known)
    np.testing.assert_allclose(law.probabilities, again.probabilities, rtol=1e-12)
    np.testing.assert_allclose(  # by the sums over bonds of a lattice
        operator_law(Torus(2, 4), {"nearest neighbours": 0.3}).probabilities,
        state_law(Torus(2, 4), 0.3).probabilities,
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("shape", "couplings", "operators", "message"),
    [
        (25, {"nearest neighbours": 0.1}, None, "at most 24"),
        (6, {"nearest": 0.1}, None, "operators holds 'nearest'"),
        (6, {"nearest neighbours": float("inf")}, None, "a number of at most"),
        (6, {}, None, "at least one"),
        (6, {"a": 1.0}, {"a": [[0, 6]]}, "one site twice"),
    ],
)
def test_laws_of_operators_that_are_none(shape, couplings, operators, message):
    with pytest.raises(ValueError, match=message):
        operator_law(shape, couplings, operators=operators)


PAIRS = np.random.default_rng(10).normal(scale=0.3, size=(6, 6))
PAIRS = np.triu(PAIRS, 1) + np.triu(PAIRS, 1).T
FIELDS = np.linspace(-0.2, 0.3, 6)


@pytest.mark.parametrize("method", ["pseudo-likelihood", "exact"])
def test_a_machine_of_pairs_gives_its_couplings_and_fields_back(method):
    law = boltzmann_visible_law(BoltzmannMachine(PAIRS, FIELDS, n_visible=6))
    found = infer(law.states, weights=law.probabilities, fields=True, method=method)
    np.testing.assert_allclose(found.pairs, PAIRS, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.fields, FIELDS, rtol=0, atol=1e-9)
    assert found.operators[:2] == ("0 1", "0 2")
    assert found.operators[-1] == "5"
    assert found.pairs_stderr[1, 2] == found.pairs_stderr[2, 1] == found.stderr[found.operators.index("1 2")]
    assert found.fields_stderr[5] == found.stderr[-1]


def test_couplings_of_a_lattice_are_those_of_its_sites_tied():
    sides, names = (3, 4), ["nearest neighbours", "corner", "plaquette"]
    spins = draw(operator_law(sides, {"nearest neighbours": 0.3, "corner": 0.05}), 300, seed=11)
    known = EVEN_OPERATORS | ODD_OPERATORS
    tied = {name: list(terms(known[name], sides)) for name in names}
    for method in ("pseudo-likelihood", "exact"):
        lattice = infer(spins, sides, operators=names, method=method)
        sites = infer(spins, operators=tied, method=method)
        np.testing.assert_allclose(sites.couplings, lattice.couplings, rtol=0, atol=1e-11)
        np.testing.assert_allclose(sites.covariance, lattice.covariance, rtol=1e-9)
        assert sites.log_likelihood == pytest.approx(lattice.log_likelihood, rel=1e-13, abs=0)
        with pytest.raises(ValueError, match=r"shape=\(3, 4\)"):
            lattice.pairs  # noqa: B018


def test_small_batches_of_sites_change_nothing(monkeypatch):
    spins = draw(boltzmann_visible_law(BoltzmannMachine(PAIRS, FIELDS, n_visible=6)), 300, seed=12)
    whole = infer(spins, fields=True)
    monkeypatch.setattr(site_couplings, "BATCH", 300)
    parts = infer(spins, fields=True)
    np.testing.assert_allclose(parts.couplings, whole.couplings, rtol=0, atol=1e-11)
    np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-9)


def test_the_exact_maximum_is_that_of_the_law():
    couplings, law = three_spins()
    spins = draw(law, 500, seed=13)
    names = list(couplings)
    place = (spins > 0) @ (1 << np.arange(9))

    def negative(K):
        return -np.log(operator_law(9, dict(zip(names, K, strict=True))).probabilities[place]).mean()

    found = infer(spins, 9, operators=names, method="exact")
    assert negative(found.couplings) == pytest.approx(-found.log_likelihood, rel=1e-12, abs=0)
    by_scipy = minimize(negative, np.zeros(3), method="BFGS", options={"gtol": 1e-6}).x
    np.testing.assert_allclose(found.couplings, by_scipy, rtol=0, atol=1e-4)  # from differences of 1e-8
    # Fisher's information is the curvature; −∂² by differences, an error of ε/h² = 2e-8
    h, K = 1e-4, found.couplings
    for a, step in enumerate(h * np.eye(3)):
        curvature = (negative(K + step) - 2 * negative(K) + negative(K - step)) / h**2
        assert np.linalg.inv(found.covariance)[a, a] == pytest.approx(500 * curvature, rel=1e-5)


@pytest.mark.parametrize("name", ["1", "magnetization"])
def test_fields_that_are_there_twice(name):
    of_lattice = name == "magnetization"
    with pytest.raises(ValueError, match=f"operators holds '{name}', which fields=True adds"):
        infer(
            np.ones((4, 9), dtype=int),
            9 if of_lattice else None,
            operators=[name] if of_lattice else {name: [[0, 1]]},
            fields=True,
        )


@pytest.mark.parametrize(
    ("operators", "error", "message"),
    [
        (["nearest neighbours"], TypeError, "without a shape, a dict"),
        ({}, TypeError, "without a shape, a dict"),
        ({"a": [[0, 9]]}, ValueError, "from 0 to 8"),
        ({"a": [[0, 0]]}, ValueError, "a site twice"),
        ({"a": [[(0, 0)]]}, ValueError, "from 0 to 8"),
    ],
)
def test_operators_of_sites_that_are_none(operators, error, message):
    with pytest.raises(error, match=rf"operators.*{message}"):
        infer(np.ones((4, 9), dtype=int), operators=operators)


def test_what_is_too_large_or_too_small():
    with pytest.raises(ValueError, match="21 sites: at most 20"):
        infer(np.ones((4, 21), dtype=int), 21, method="exact")
    with pytest.raises(ValueError, match="operators: there are no pairs of 1 site"):
        infer(np.ones((4, 1), dtype=int))
    with pytest.raises(MemoryError, match="the errors of 499500 couplings"):
        infer(np.ones((4, 1000), dtype=np.int8))


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


@pytest.mark.parametrize("method", ["pseudo-likelihood", "exact"])
def test_pulls_of_independent_rows(method):
    couplings, law = three_spins()
    assert_unit(pulls(couplings, draw(law, 200, 400, seed=4), method=method))


def test_pulls_of_pairs_and_fields():
    law = boltzmann_visible_law(BoltzmannMachine(PAIRS[:4, :4], FIELDS[:4], n_visible=4))
    true = np.concatenate([PAIRS[:4, :4][np.triu_indices(4, 1)], FIELDS[:4]])
    found = [infer(rows, fields=True) for rows in draw(law, 200, 1000, seed=14)]
    assert_unit(np.array([(one.couplings - true) / one.stderr for one in found]))


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
        ({"shape": Ring(8)}, ValueError, "has 8 sites, the configurations have 16"),
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
    assert repr(found).startswith("InferredCouplings(\n    nearest neighbours: 0.")
    assert "row of three: 0.2" in repr(found)
    many = {f"pair at distance {r}": [[0, r]] for r in range(1, 9)}
    assert "and 2 more" in repr(infer(Ring(18).sample(0.5, 200, rng=1), 18, operators=many))


@pytest.mark.slow
def test_pulls_on_a_torus():
    torus = Torus(6, 6)
    rows = training_set(torus, [2.5], 200 * 2000, rng=15).spins[0].reshape(200, 2000, 36)
    found = [infer(one, torus, fields=True) for one in rows]
    assert_unit(np.array([(one.couplings - [0.4, 0, 0, 0, 0]) / one.stderr for one in found]))


@pytest.mark.slow
def test_all_pairs_of_a_torus():
    torus = Torus(6, 6)
    found = infer(training_set(torus, [2.5], 20_000, rng=1).spins[0])
    near = np.zeros((36, 36), dtype=bool)
    near[tuple(torus.bonds().T)] = True
    first, second = np.triu_indices(36, 1)
    is_bond = near[first, second]
    J, error = found.pairs[first, second], found.pairs_stderr[first, second]
    # 72 bonds of 0.0149 each and 558 other pairs of 0.0177: five errors of each number
    assert abs(J[is_bond].mean() - 0.4) < 5 * 0.0033  # the error of the tied coupling, at most
    assert J[is_bond].std() == pytest.approx(0.0149, rel=5 / np.sqrt(2 * 72))
    assert np.sqrt((J[~is_bond] ** 2).mean()) == pytest.approx(0.0177, rel=5 / np.sqrt(2 * 558))
    pull = (J - 0.4 * is_bond) / error
    assert pull.var() == pytest.approx(1, rel=5 * np.sqrt(2 / 630))


def test_the_spread_of_units_is_their_covariance():
    rng = np.random.default_rng(16)
    scores, weights = rng.normal(size=(24, 2)), rng.uniform(1, 2, 24)
    scores -= (weights @ scores / weights.sum())[None]  # as they are at a maximum
    weighted = scores * weights[:, None]
    batches = [scores[:7], scores[7:8], scores[8:]]
    for n_chains, per_chain in ((1, None), (2, 3), (3, 2), (4, 1)):
        each = n_chains * per_chain if per_chain else 24
        units = weighted.reshape(each, -1, 2).sum(axis=1)
        in_chains = units.reshape(n_chains, -1, 2)
        product = (in_chains[:, :-1] * in_chains[:, 1:]).sum(axis=(0, 1))
        spread, correlation, n_pairs = spread_of_scores(iter(batches), 2, weights, n_chains, per_chain)
        np.testing.assert_allclose(spread, each * np.cov(units.T), rtol=1e-12)
        assert n_pairs == n_chains * (each // n_chains - 1)
        if n_pairs:
            np.testing.assert_allclose(correlation, product / (units**2).sum(axis=0), rtol=1e-12)
        else:
            assert np.isnan(correlation).all()


def test_blocks_are_at_least_as_many_as_asked_and_the_same_number_in_each_chain():
    chains = repeated(three_spins()[1], 3, 100, 0.5, seed=17)
    assert infer(chains, 9, operators=["nearest neighbours"], n_blocks=40).n_units == 42
    assert infer(chains, 9, operators=["nearest neighbours"]).n_units == 21


def test_a_step_that_leads_down_is_halved():
    class Narrow:  # −ln cosh (K − 3), whose first step from 0 would lead to 100
        n_parameters, scale = 1, np.inf

        def at(self, couplings):
            far = couplings - 3
            return Step(-float(np.log(np.cosh(far[0]))), -np.tanh(far), np.cosh(far)[:, None] ** -2)

    found, _, n_steps = maximum(Narrow(), ("a",))
    assert found[0] == pytest.approx(3, rel=1e-12)
    assert n_steps < 20


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("method", ["pseudo-likelihood", "exact"])
def test_only_ratios_of_weights_matter(scale, method):
    spins = Ring(6).sample(0.4, 500, rng=1)
    plain = infer(spins, 6, weights=np.ones(500), method=method)
    scaled = infer(spins, 6, weights=np.full(500, scale), method=method)
    np.testing.assert_allclose(scaled.couplings, plain.couplings, rtol=1e-9, atol=0)
    np.testing.assert_allclose(scaled.stderr, plain.stderr, rtol=1e-9, atol=0)


def test_couplings_beyond_sums_are_refused():
    with pytest.raises(ValueError, match=r"couplings\['nearest neighbours'\]=1e\+308: a number of at most"):
        operator_law(9, {"nearest neighbours": 1e308})


def test_operators_of_lattices_that_have_no_names_for_them():
    spins = np.ones((4, 18), dtype=np.int8)
    with pytest.raises(ValueError, match="on a triangular one a dict of names and products is needed"):
        ising.infer(np.ones((4, 9), dtype=np.int8), shape=ising.Triangular(3, 3))
    with pytest.raises(ValueError, match="it has 2 sites to a cell"):
        ising.infer(spins, shape=ising.Honeycomb(3, 3))
