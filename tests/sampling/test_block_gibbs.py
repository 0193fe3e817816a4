"""The four questions of block Gibbs, continuation, threads and bad input; the twin is in tests/kernels."""

import numpy as np
import pytest
from scipy import stats

from rbmflow import RBM
from rbmflow.networks import visible_law
from rbmflow.sampling import GibbsChains, block_gibbs
from rbmflow.sampling.block_gibbs import CHAINS_TO_A_GENERATOR
from rbmflow.spins import all_states
from rbmflow.training import GibbsOperator
from tests.kernels import twin_block_gibbs as twin


def machine(n_visible, n_hidden, seed, scale=0.6):
    rng = np.random.default_rng(seed)
    shape = (n_visible, n_hidden)
    return RBM(rng.normal(0, scale, shape), rng.normal(0, scale, n_visible), rng.normal(0, scale, n_hidden))


def index(spins):
    return (spins > 0) @ (1 << np.arange(spins.shape[1]))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_twin(precision):
    rbm = machine(9, 5, 1)
    rng = np.random.default_rng(3)
    v = 2 * rng.integers(0, 2, size=(600, 9), dtype=np.int8) - 1
    words = rng.integers(0, 2**64, size=(2, 32), dtype=np.uint64)
    found = block_gibbs(rbm, n_chains=600, n_sweeps=3, rng=3, inverse_temperature=0.7, precision=precision)
    real = np.dtype(precision).type
    parts = [x.astype(real) for x in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)]
    for i, at in enumerate((slice(0, 512), slice(512, 600))):
        wanted = twin.sweep(
            twin.Machine(*parts, 0.7), v[at], np.zeros((len(v[at]), 5)), 3, True, twin.Generator(words[i])
        )
        np.testing.assert_array_equal(found.visible[at], wanted[0])
        np.testing.assert_array_equal(found.hidden[at], wanted[1])
    assert found.n_sweeps == 3


@pytest.mark.parametrize("shape", [(3, 2), (2, 4)])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_one_sweep_has_the_transition_probabilities_of_the_operator(shape, precision):
    # invariance and connection are those of the exact matrix, see below; from each state 100,000 chains make
    # one sweep, chi-square over the states after it, false alarm 1e-6 for each of up to 8
    rbm = machine(*shape, 2)
    T = GibbsOperator(rbm).matrix
    for start, state in enumerate(all_states(shape[0])):
        after = block_gibbs(
            rbm, n_chains=100_000, n_sweeps=1, rng=start, initial=state, precision=precision
        ).visible
        observed = np.bincount(index(after), minlength=2 ** shape[0])
        assert stats.chisquare(observed, 100_000 * T[start]).pvalue > 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_the_law_is_invariant_and_every_state_is_reached(seed):
    operator = GibbsOperator(machine(5, 4, seed, 1.0))
    p = operator.stationary
    np.testing.assert_allclose(p @ operator.matrix, p, rtol=1e-12)
    assert (operator.matrix > 0).all()


def test_no_drift():
    # chains drawn from the exact law stay there: |z| < 4.5 in each of 12 + 12 averages after 200 sweeps
    rbm = machine(6, 4, 3)
    law = visible_law(rbm)
    rng = np.random.default_rng(4)
    n = 40_000
    start = law.states[rng.choice(64, size=n, p=law.probabilities)]
    after = block_gibbs(rbm, n_sweeps=200, rng=5, initial=start)
    for spins in (start, after.visible):
        error = np.sqrt((1 - law.means**2) / n)
        assert (np.abs(spins.mean(axis=0) - law.means) < 4.5 * error).all()
        products = (spins * np.roll(spins, 1, axis=1)).mean(axis=0)
        wanted = np.array([law.correlations[i, i - 1] for i in range(6)])
        assert (np.abs(products - wanted) < 4.5 * np.sqrt((1 - wanted**2) / n)).all()
    observed = np.bincount(index(after.visible), minlength=64)
    assert stats.chisquare(observed, n * law.probabilities / law.probabilities.sum()).pvalue > 1e-6


def test_hidden_spins_and_temperatures():
    rbm = machine(4, 3, 6)
    for beta in (0.0, 0.5, 1.0):
        cooled = RBM(beta * rbm.weights, beta * rbm.visible_bias, beta * rbm.hidden_bias)
        chains = block_gibbs(rbm, n_chains=100_000, n_sweeps=30, rng=7, inverse_temperature=beta)
        turned = visible_law(RBM(cooled.weights.T, cooled.hidden_bias, cooled.visible_bias))
        assert (
            stats.chisquare(
                np.bincount(index(chains.hidden), minlength=8), 100_000 * turned.probabilities
            ).pvalue
            > 1e-6
        )


def test_chains_go_on_and_do_not_depend_on_threads():
    rbm = machine(7, 20, 1)
    whole = block_gibbs(rbm, n_chains=1200, n_sweeps=7, rng=1, n_threads=1)
    first = block_gibbs(rbm, n_chains=1200, n_sweeps=3, rng=1, n_threads=2)
    rest = block_gibbs(rbm, n_sweeps=4, initial=first, n_threads=3)
    assert rest.n_sweeps == 7
    for name in ("visible", "hidden", "generators"):
        np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name))
    # a chain's spins are a matter of its block of 512 alone
    part = block_gibbs(rbm, n_sweeps=0, initial=first)
    np.testing.assert_array_equal(part.visible, first.visible)
    assert len(whole.generators) == -(-1200 // CHAINS_TO_A_GENERATOR)


def test_threads_share_the_chains_of_a_generator():
    # 1,000 sweeps of 300 chains are worth threads
    rbm = machine(40, 30, 1)
    whole, *others = (block_gibbs(rbm, n_chains=300, n_sweeps=1000, rng=1, n_threads=n) for n in (1, 2, 8))
    for other in others:
        for name in ("visible", "hidden", "generators"):
            np.testing.assert_array_equal(getattr(other, name), getattr(whole, name))


def test_clamped_units_leave_the_conditional_law():
    # from each of 16 machines 4,000 chains of 40 sweeps, chi-square over the states of the other units; a
    # sweep forgets most of what was, and 1e-6 is the false alarm for each
    for seed in range(16):
        rbm = machine(6, 3, seed, 0.5)
        clamped = np.random.default_rng(seed).random(6) < 0.5
        values = np.where(np.random.default_rng(seed + 100).random(6) < 0.5, 1, -1)
        law = visible_law(rbm)
        fits = (law.states[:, clamped] == values[clamped]).all(axis=1)
        wanted = np.bincount(index(law.states[fits]), law.probabilities[fits], 64)
        wanted = 4000 * wanted / wanted.sum()
        chains = block_gibbs(rbm, n_chains=4000, n_sweeps=40, rng=seed, clamped=clamped, values=values)
        assert (chains.visible[:, clamped] == values[clamped]).all()
        found = np.bincount(index(chains.visible), minlength=64)
        some = wanted > 0
        assert found[some].sum() == 4000
        assert stats.chisquare(found[some], wanted[some]).pvalue > 1e-6


def test_each_chain_may_have_clamped_units_of_its_own():
    rbm, rng = machine(6, 3, 2), np.random.default_rng(3)
    mask, values = rng.random((600, 6)) < 0.4, np.where(rng.random((600, 6)) < 0.5, 1.0, -1.0)
    values[~mask] = 0.5
    begun = block_gibbs(rbm, n_sweeps=5, rng=1, clamped=mask, values=values)
    assert (begun.visible[mask] == values[mask]).all()
    whole = block_gibbs(rbm, n_sweeps=9, rng=1, clamped=mask, values=values)
    went_on = block_gibbs(rbm, n_sweeps=4, initial=begun, clamped=mask)
    np.testing.assert_array_equal(went_on.visible, whole.visible)
    np.testing.assert_array_equal(went_on.generators, whole.generators)


def test_levels_and_progress(monkeypatch):
    from rbmflow._kernels import simd
    from rbmflow.hardware import SIMD_LEVELS

    rbm, told = machine(7, 20, 1), []
    wanted = block_gibbs(rbm, n_chains=30, n_sweeps=5, rng=1, progress=lambda *now: told.append(now))
    assert told[-1] == (150, 150)
    for level in SIMD_LEVELS[: simd.supported() + 1]:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        np.testing.assert_array_equal(
            block_gibbs(rbm, n_chains=30, n_sweeps=5, rng=1).visible, wanted.visible
        )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rbm": 3}, TypeError, "rbm=3"),
        ({"n_chains": 0}, ValueError, "n_chains=0"),
        ({"n_sweeps": -1}, ValueError, "n_sweeps=-1"),
        ({"inverse_temperature": -0.5}, ValueError, "inverse_temperature=-0.5"),
        ({"inverse_temperature": np.nan}, ValueError, "NaN"),
        ({"precision": "half"}, ValueError, "precision='half'"),
        ({"initial": "up"}, ValueError, "initial='up'"),
        ({"initial": [1, 0, 1, 1]}, ValueError, "initial holds 0"),
        ({"initial": [1, 1]}, ValueError, "last axis must have 4"),
        ({"initial": np.ones((2, 4)), "n_chains": 3}, ValueError, r"initial has shape \(2, 4\)"),
        ({"initial": np.ones((0, 4))}, ValueError, r"initial has shape \(0, 4\)"),
        ({"rng": "x"}, TypeError, "rng='x'"),
        ({"values": [1, 1, 1, 1]}, ValueError, "clamped is None"),
        ({"clamped": [1, 0, 1, 0]}, ValueError, "clamped has dtype int"),
        ({"clamped": [[True], [True, False]]}, ValueError, "clamped=.*different lengths"),
        (
            {"clamped": [True] * 4, "values": np.ma.masked_equal([1, -1, 1, 1], -1)},
            ValueError,
            "values is masked",
        ),
        ({"clamped": [True]}, ValueError, r"shape \(1,\): truth values of shape \(4,\)"),
        ({"clamped": [True] * 4}, ValueError, "values: spins of the clamped units are needed"),
        ({"clamped": [True] * 4, "values": [1, 1]}, ValueError, r"values has shape \(2,\)"),
        ({"clamped": [True] * 4, "values": [1, 0, 1, 1]}, ValueError, "values of clamped units holds 0"),
        ({"clamped": [[True] * 4] * 2, "values": np.ones((3, 4))}, ValueError, "values has 3 rows"),
        ({"clamped": [[True] * 4] * 2, "initial": np.ones((3, 4))}, ValueError, "initial has shape|clamped"),
        ({"clamped": [[True] * 4] * 2, "values": [1] * 4, "n_chains": 3}, ValueError, "clamped has 2 rows"),
        ({"rbm": RBM.uniform(4, 3, 1e39)}, ValueError, "too large"),
    ],
)
def test_bad_input(arguments, error, message):
    arguments = {"rbm": machine(4, 3, 1), "n_sweeps": 1, "rng": 1} | arguments
    with pytest.raises(error, match=message):
        block_gibbs(arguments.pop("rbm"), **arguments)


def test_chains_of_another_machine():
    chains = block_gibbs(machine(4, 3, 1), n_chains=5, n_sweeps=1, rng=1)
    assert isinstance(chains, GibbsChains)
    with pytest.raises(ValueError, match="3 hidden units, the machine 2"):
        block_gibbs(machine(4, 2, 1), n_sweeps=1, initial=chains)
    with pytest.raises(ValueError, match="n_chains=4"):
        block_gibbs(machine(4, 3, 1), n_chains=4, n_sweeps=1, initial=chains)


def test_weights_in_any_order():
    # parameters of 0/1 units arrive transposed: they were kept so, and kernels take rows only
    rbm = machine(6, 4, 1)
    turned = RBM(np.asfortranarray(rbm.weights), rbm.visible_bias, rbm.hidden_bias)
    assert turned.weights.flags.c_contiguous
    wanted = block_gibbs(rbm, n_chains=30, n_sweeps=5, rng=1)
    np.testing.assert_array_equal(block_gibbs(turned, n_chains=30, n_sweeps=5, rng=1).visible, wanted.visible)
    assert RBM.from_binary(np.ones((2, 3)).T).weights.flags.c_contiguous
