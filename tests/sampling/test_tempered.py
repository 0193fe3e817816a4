"""Exchange between machines of a ladder: its transition probabilities, what it leaves as it is, shares."""

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import hadamard

from rbmflow import RBM, ConvergenceWarning
from rbmflow.networks import hidden_law, visible_law
from rbmflow.sampling import block_gibbs, spaced_machines, tempered, trajectory_tempering
from rbmflow.sampling.machine_ladder import MachineLadder
from rbmflow.sampling.rungs import Rungs
from rbmflow.spins import all_states
from rbmflow.training import GibbsOperator
from tests.networks.machines import random_machine

PATTERNS = hadamard(16)[[3, 5]].astype(np.int8)


def planted():
    """Two patterns at right angles, 20 hidden units for each, with weights that differ a little."""
    strength = np.repeat([0.35, 0.346], 20)
    bias = 0.02 * PATTERNS[0] + 0.03 * PATTERNS[1]
    return RBM((np.repeat(PATTERNS, 20, axis=0) * strength[:, None]).T, bias)


def modes(spins):
    """The nearest of the patterns and of their opposites."""
    overlap = spins @ PATTERNS.T.astype(int)
    return np.hstack([overlap, -overlap]).argmax(axis=1)


def shares(rbm):
    law = visible_law(rbm)
    return np.bincount(modes(law.states), weights=law.probabilities, minlength=4)


def index(spins):
    return (spins > 0) @ (1 << np.arange(spins.shape[-1]))


def steps_of_two(machines):
    """Transition probabilities of (v_0, v_1): a swap by free energies, then a sweep of both."""
    states = all_states(machines[0].n_visible)
    n = len(states)
    F = np.array([machine.free_energy(states) for machine in machines])
    swap = np.zeros((n * n, n * n))
    for i in range(n):
        for j in range(n):
            p = min(1, np.exp(F[0][i] + F[1][j] - F[0][j] - F[1][i]))
            swap[i * n + j, j * n + i] += p
            swap[i * n + j, i * n + j] += 1 - p
    return swap @ np.kron(*(GibbsOperator(machine).matrix for machine in machines))


def pair(kind, first):
    """Two machines, and one step from an array of visible spins of both."""
    if kind == "tempered":
        machines = tempered(first, n_sweeps=0, ladder=[1, 0.3], rng=1).machines
        return machines, lambda v: tempered(first, n_sweeps=1, ladder=[1, 0.3], rng=2, initial=v)
    machines = first, random_machine(2, 3, seed=11, scale=0.9)
    return machines, lambda v: trajectory_tempering(machines[::-1], n_sweeps=1, rng=2, initial=v)


@pytest.mark.parametrize("kind", ["tempered", "trajectory"])
def test_one_step_has_its_exact_transition_probabilities(kind):
    # from each of 16 pairs of states 20,000 ladders make one step; chi-square over the pairs after it, false
    # alarm 1e-6 for each; the law of independent rungs is invariant under the exact matrix
    machines, step = pair(kind, random_machine(2, 3, seed=10, scale=0.9))
    T, law = steps_of_two(machines), [visible_law(machine).probabilities for machine in machines]
    np.testing.assert_allclose(np.kron(*law) @ T, np.kron(*law), rtol=1e-12)
    assert (T @ T > 0).all()
    states, n = all_states(2), 20_000
    for i in range(4):
        for j in range(4):
            begin = np.repeat(states[[i, j]][:, None], n, axis=1)
            after = step(begin)
            at = 4 * index(after.at(0)) + index(after.at(1))
            observed = np.bincount(at, minlength=16)
            here = 4 * index(states[i]) + index(states[j])
            assert here == 4 * i + j
            assert stats.chisquare(observed, n * T[here] / T[here].sum()).pvalue > 1e-6


def test_no_drift():
    # 30,000 ladders of chains from the exact laws stay there for 40 sweeps: chi-square over the states of
    # each of 4 rungs, over the states of the hidden layer of the first, and over pairs of two rungs, which
    # stay independent; false alarm 1e-6 for each
    rbm, ladder = random_machine(3, 4, seed=3, scale=0.8), [1, 0.7, 0.4, 0]
    machines = tempered(rbm, n_sweeps=0, ladder=ladder, rng=1).machines
    laws, n = [visible_law(machine) for machine in machines], 30_000
    rng = np.random.default_rng(4)
    begin = np.array([law.states[rng.choice(8, size=n, p=law.probabilities)] for law in laws])
    after = tempered(rbm, n_sweeps=40, ladder=ladder, rng=5, initial=begin)
    for rung, law in enumerate(laws):
        observed = np.bincount(index(after.at(rung)), minlength=8)
        assert stats.chisquare(observed, n * law.probabilities).pvalue > 1e-6
    hidden = hidden_law(rbm)
    assert stats.chisquare(np.bincount(index(after.hidden), minlength=16), n * hidden.probabilities)[1] > 1e-6
    both = np.bincount(8 * index(after.at(0)) + index(after.at(1)), minlength=64)
    wanted = np.kron(laws[0].probabilities, laws[1].probabilities)
    assert stats.chisquare(both, n * wanted / wanted.sum()).pvalue > 1e-6
    assert (after.rates > 0.3).all()


def test_gains_are_those_of_free_energies_in_double_precision():
    # energies of 1e5, of which single precision would leave two digits behind the point
    rng = np.random.default_rng(1)
    shape = (30, 20)
    machines = [RBM(300 + rng.normal(size=shape), *(rng.normal(size=n) for n in shape)) for _ in range(2)]
    v = rng.choice(np.array([-1, 1], dtype=np.int8), size=(2, 50, 30))
    F = np.array([[machine.free_energy(rows) for rows in v] for machine in machines])
    wanted = F[0, 0] + F[1, 1] - F[0, 1] - F[1, 0]
    np.testing.assert_allclose(MachineLadder(machines, np.arange(2.0)).gain(0, v), wanted, atol=1e-9)
    half = [machines[0], RBM(machines[0].weights / 2, machines[1].visible_bias, machines[1].hidden_bias)]
    F = np.array([[machine.free_energy(rows) for rows in v] for machine in half])
    wanted = F[0, 0] + F[1, 1] - F[0, 1] - F[1, 0]
    shared = MachineLadder(half, np.array([1, 0.5]), shared=True)
    np.testing.assert_allclose(shared.gain(0, v), wanted, atol=1e-9)


@pytest.mark.parametrize("kind", ["tempered", "trajectory"])
def test_modes_have_their_shares_where_plain_chains_stay(kind):
    # 1,500 ladders from one mode, chi-square over four modes, false alarm 1e-6; plain chains stay there
    rbm = planted()
    law = shares(rbm)
    assert np.sort(law) == pytest.approx([0.063, 0.165, 0.266, 0.505], abs=1e-3)
    plain = block_gibbs(rbm, n_chains=300, n_sweeps=250, rng=1, initial=PATTERNS[0])
    assert (modes(plain.visible) == 0).mean() > 0.97
    options = {"n_chains": 1500, "n_sweeps": 250, "rng": 2, "initial": PATTERNS[0]}
    if kind == "trajectory":
        times = [0, 0.13, 0.16, 0.18, 0.21, 0.26, 0.35, 1]  # about as `spaced_machines` has them
        machines = [RBM(t * rbm.weights, t * rbm.visible_bias) for t in times]
        chains = trajectory_tempering(machines, **options)
    else:
        chains = tempered(rbm, **options)
    observed = np.bincount(modes(chains.visible), minlength=4)
    assert stats.chisquare(observed, 1500 * law).pvalue > 1e-6
    assert chains.round_trips.sum(axis=1).mean() > 3


def test_adapted_ladders_are_even():
    chains = tempered(random_machine(30, 40, seed=2, scale=0.5), n_chains=200, n_sweeps=200, rng=3)
    assert 5 < len(chains.ladder) < 20
    assert (chains.ladder[0], chains.ladder[-1]) == (1, 0)
    assert chains.rates.min() > 0.35
    assert np.ptp(chains.rates) < 0.25
    assert not chains.machines[-1].weights.any()
    free = tempered(RBM(np.zeros((8, 6))), n_chains=5, n_sweeps=40, rng=1)
    assert (len(free.ladder), free.rates.tolist()) == (3, [1, 1])


def test_rungs_where_nothing_passes_are_told():
    rbm = RBM(4 * planted().weights)
    options = {"ladder": 2, "rng": 1, "n_chains": 20}
    with pytest.warns(ConvergenceWarning, match="of 4000 exchanges between the rungs 1 and 0, "):
        tempered(rbm, n_sweeps=400, **options)  # but for the first exchanges
    tempered(rbm, n_sweeps=40, **options)  # too few to tell


def test_chains_go_on_and_do_not_depend_on_threads():
    rbm = random_machine(9, 12, seed=5)
    options = {"n_chains": 300, "ladder": 4, "rng": 7}
    whole = tempered(rbm, n_sweeps=7, n_threads=1, **options)
    first = tempered(rbm, n_sweeps=3, n_threads=2, **options)
    for _ in range(2):  # what goes on leaves where it began as it is
        rest = tempered(rbm, n_sweeps=4, initial=first, n_threads=3)
        for name in ("visible", "hidden", "ladder", "rates", "round_trips"):
            np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name))
    assert (rest.n_sweeps, first.n_sweeps) == (7, 3)
    with pytest.raises(ValueError, match="n_chains=4: the chains to go on with are 300"):
        tempered(rbm, n_chains=4, n_sweeps=1, initial=first)
    with pytest.raises(ValueError, match="initial: its chains are of another machine"):
        tempered(random_machine(9, 12, seed=6), n_sweeps=1, initial=first)
    with pytest.raises(ValueError, match="initial: its chains are of another machine"):
        trajectory_tempering([rbm, rbm], n_sweeps=1, initial=first)


def test_round_trips_are_counted():
    rungs, source = Rungs(1, 3), np.random.default_rng(1)
    places, trips, reached = [0, 1, 2], [0, 0, 0], [False] * 3
    for step in range(40):
        gain = np.array([[np.inf if source.random() < 0.7 else -np.inf]])
        rungs.exchange(rungs.pairs(step % 2), gain, source)
        if gain[0, 0] > 0:
            a, b = step % 2, step % 2 + 1
            places = [{a: b, b: a}.get(place, place) for place in places]
        for replica, place in enumerate(places):
            begun = reached[replica] is not False
            if place == 0:
                trips[replica] += reached[replica] == "top"
                reached[replica] = "bottom"
            elif place == 2 and begun:
                reached[replica] = "top"
        assert rungs.round_trips.tolist() == [trips]
        assert rungs.chain.tolist() == [[places.index(rung) for rung in range(3)]]
    assert sum(trips) > 3


def test_machines_are_spaced_by_their_rates_of_exchange():
    rbm = planted()
    machines = [RBM(t * rbm.weights, t * rbm.visible_bias) for t in np.linspace(0, 1, 40)]
    told = []
    places = spaced_machines(machines, rate=0.5, rng=1, progress=lambda *now: told.append(now))
    assert (places[0], places[-1], told[-1]) == (0, 39, (10_000, 10_000))
    assert 4 < len(places) < 15
    chains = trajectory_tempering([machines[i] for i in places], n_chains=200, n_sweeps=200, rng=2)
    assert chains.rates.min() > 0.4  # chosen by 500 spins each, half of which go with one chain
    assert chains.rates.max() < 0.9
    assert chains.ladder.tolist() == list(range(len(places)))[::-1]
    far = spaced_machines([machines[0], RBM(50 * rbm.weights)], rng=1, n_sweeps=2, n_chains=2)
    assert far.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rbm": 3}, TypeError, "rbm=3"),
        ({"n_chains": 0}, ValueError, "n_chains=0"),
        ({"n_sweeps": -1}, ValueError, "n_sweeps=-1"),
        ({"ladder": "even"}, ValueError, "ladder='even': 'adapted', a number"),
        ({"ladder": 1}, ValueError, "ladder=1: at least 2"),
        ({"ladder": 2.5}, TypeError, r"ladder=2.5"),
        ({"ladder": [0.5, 0]}, ValueError, r"ladder=\[0.5, 0\]"),
        ({"ladder": [1, 0.5, 0.5]}, ValueError, "descending from 1"),
        ({"ladder": [1, -0.5]}, ValueError, "descending from 1"),
        ({"ladder": [1, np.nan]}, ValueError, "NaN"),
        ({"initial": [1, 0, 1, 1]}, ValueError, "initial holds 0"),
        ({"initial": [1, 1]}, ValueError, "last axis must have 4"),
        ({"initial": np.ones((2, 4)), "n_chains": 3}, ValueError, r"shape \(2, 4\): \(4,\) or \(3, 4\) is"),
        ({"initial": np.ones((3, 2, 4))}, ValueError, r"\(4,\) or \(2, 4\) is needed"),
        ({"initial": np.ones((3, 2, 4)), "ladder": 4}, ValueError, r"or \(4, 2, 4\) is needed"),
        ({"initial": np.ones((0, 4))}, ValueError, r"initial has shape \(0, 4\)"),
        ({"rng": "x"}, TypeError, "rng='x'"),
        ({"rbm": RBM.uniform(4, 3, 1e39)}, ValueError, "too large"),
    ],
)
def test_bad_input(arguments, error, message):
    arguments = {"rbm": random_machine(4, 3, 1), "n_sweeps": 1, "rng": 1} | arguments
    with pytest.raises(error, match=message):
        tempered(arguments.pop("rbm"), **arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"machines": RBM.uniform(2, 1, 0.1)}, TypeError, "a sequence of RBMs is needed"),
        ({"machines": 3}, TypeError, "machines=3"),
        ({"machines": [RBM.uniform(2, 1, 0.1)]}, ValueError, "machines are 1: from 2"),
        ({"machines": [RBM.uniform(2, 1, 0.1), None]}, TypeError, r"machines\[1\]=None"),
        ({"machines": [RBM.uniform(2, 1, 0.1), RBM.uniform(2, 2, 0.1)]}, ValueError, r"machines\[1\] is RBM"),
        ({"rate": 1}, ValueError, "rate=1: a number above 0 and below 1"),
        ({"rate": np.nan}, ValueError, "NaN"),
        ({"n_chains": 0}, ValueError, "n_chains=0"),
        ({"n_sweeps": 0}, ValueError, "n_sweeps=0"),
    ],
)
def test_bad_machines(arguments, error, message):
    arguments = {"machines": [RBM.uniform(2, 1, 0.1)] * 3, "rng": 1} | arguments
    with pytest.raises(error, match=message):
        spaced_machines(arguments.pop("machines"), **arguments)


def test_arrays_of_any_layout():
    rbm, v = random_machine(6, 4, 1), np.where(np.random.default_rng(1).random((8, 6)) < 0.5, 1, -1)
    options = {"n_sweeps": 3, "ladder": 3, "rng": 1}
    wanted = tempered(rbm, initial=v, **options).visible
    frozen = np.asfortranarray(v.astype(np.int8))
    frozen.setflags(write=False)
    np.testing.assert_array_equal(tempered(rbm, initial=frozen, **options).visible, wanted)
    np.testing.assert_array_equal(tempered(rbm, initial=v[None].repeat(3, 0), **options).visible, wanted)
