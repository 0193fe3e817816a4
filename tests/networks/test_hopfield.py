import itertools

import numpy as np
import pytest

from rbmflow.networks import Hopfield, overlap
from rbmflow.sampling import anneal, geometric_schedule, linear_schedule, recall, relaxation
from rbmflow.sampling.relaxation import number_types
from rbmflow.spins import all_states


def random_network(n=7, seed=1, scale=1.0):
    rng = np.random.default_rng(seed)
    w = np.triu(rng.normal(scale=scale, size=(n, n)), 1)
    return Hopfield(w + w.T, rng.normal(scale=scale, size=n))


def patterns(n_patterns, n_units, seed=3):
    return np.random.default_rng(seed).choice([-1, 1], size=(n_patterns, n_units)).astype(np.int8)


def corrupted(stored, share, seed=4):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(stored.shape) < share, -stored, stored)


def literal_energy(network, x):
    """Eq. 12, term by term."""
    n, total = len(x), 0.0
    for i in range(n):
        total -= x[i] * network.biases[i]
        for j in range(i + 1, n):
            total -= x[i] * x[j] * network.weights[i, j]
    return total


def slow_recall(network, x, order):
    """Eq. 13 unit by unit, from the literal activation in whole multiples; also energies on the way."""
    w, b = network._couplings.weights, network._couplings.biases
    x, energies = np.array(x), []
    for visits in order:
        before = x.copy()
        for i in visits:
            x[i] = 1 if b[i] + w[i] @ x >= 0 else -1
            energies.append(-x @ b - x @ w @ x / 2)
        if (x == before).all():
            return x, energies
    return x, energies


def test_energy_activation_and_gap():
    network = random_network()
    for x in all_states(7)[::5]:
        assert network.energy(x) == pytest.approx(
            literal_energy(network, x), abs=1e-13
        )  # 28 terms of order 1
        for i in range(7):
            up, down = x.copy(), x.copy()
            up[i], down[i] = 1, -1
            gap = network.energy(down) - network.energy(up)  # the definition in eq. 14
            assert network.energy_gap(x)[i] == pytest.approx(gap, abs=1e-13)
            assert network.activation(x)[i] == pytest.approx(gap / 2, abs=1e-13)
            cost = network.energy(np.where(np.arange(7) == i, -x, x)) - network.energy(x)
            assert network.flip_cost(x)[i] == pytest.approx(cost, abs=1e-13)


def test_hebb_is_the_sum_over_patterns():
    stored = patterns(3, 6)
    network = Hopfield.hebb(stored, learning_rate=0.25)
    wanted = sum(0.25 * np.outer(x, x) for x in stored.astype(float)) * (1 - np.eye(6))
    np.testing.assert_array_equal(network.weights, wanted)
    np.testing.assert_array_equal(Hopfield.hebb(stored).weights, wanted / 0.25 * (1 / 6))


def test_the_pseudo_inverse_holds_correlated_patterns():
    rng = np.random.default_rng(8)
    common = rng.choice([-1, 1], size=60)
    stored = np.where(rng.random((12, 60)) < 0.15, -common, common)  # overlaps of about 0.5
    network = Hopfield.pseudo_inverse(np.concatenate([stored, stored[:2]]))
    assert network.is_stable(stored).all()
    assert not Hopfield.hebb(stored).is_stable(stored).all()
    own = np.diagonal(np.linalg.pinv(stored.astype(float)) @ stored)
    # a projector of float64: entries below 1, rounded in a decomposition of condition about 10
    np.testing.assert_allclose(network.activation(stored), (1 - own) * stored, atol=1e-12, rtol=0)


def test_few_patterns_are_recalled_from_corrupted_ones():
    stored = patterns(4, 120)
    probes = corrupted(stored, 0.2)
    for network in (Hopfield.hebb(stored), Hopfield.pseudo_inverse(stored)):
        for dynamics in ("asynchronous", "synchronous"):
            found = recall(network, probes, dynamics=dynamics, rng=1)
            np.testing.assert_array_equal(found.states, stored)
            assert (found.period == 1).all()
            assert ((found.n_sweeps >= 1) & (found.n_sweeps <= 4)).all()


@pytest.mark.parametrize("order", ["random", "sequential"])
@pytest.mark.parametrize("seed", range(4))
def test_recall_is_the_rule_applied_unit_by_unit(order, seed):
    n = 37
    network = [Hopfield.hebb(patterns(12, n)), random_network(n)][seed % 2]
    probes = patterns(20, n, seed)
    found = recall(network, probes, order=order, rng=seed)
    visits = np.tile(np.arange(n), (16, 1))
    if order == "random":  # drawn for eight sweeps at a time
        rng = np.random.default_rng(seed)
        visits = np.concatenate([rng.permuted(visits[:8], axis=1), rng.permuted(visits[:8], axis=1)])
    for probe, state in zip(probes, found.states, strict=True):
        wanted, energies = slow_recall(network, probe, visits)
        np.testing.assert_array_equal(state, wanted)
        assert (np.diff(energies) < 1e-12).all()  # downhill, but for rounding
    assert network.is_stable(found.states[found.period == 1]).all()
    assert (found.period == 1).mean() > 0.9


def test_states_are_settled_early_only_where_rounding_cannot_matter(monkeypatch):
    # fields of a few units of the last place beside large ones, of either sign
    weights = np.zeros((6, 6))
    weights[0, 1:5] = 0.1, 0.2, -0.3, 1e-17
    weights[5, 1:4] = 1.0, -0.7, 0.3
    network = Hopfield(weights + weights.T, np.array([0, 0.3, -0.1, 0.2, 0, 1e-3]))
    glass = random_network(60)
    for model, probes in (
        (network, all_states(6)),
        (Hopfield.pseudo_inverse(patterns(4, 21)), corrupted(patterns(4, 21), 0.3)),
        (glass, patterns(100, 60)),
    ):
        for max_sweeps in (1, 2, 3, 7, 8, 9, 100):
            generators = [np.random.default_rng(3) for _ in range(2)]
            early = recall(model, probes, rng=generators[0], max_sweeps=max_sweeps)
            with monkeypatch.context() as late:
                late.setattr(relaxation._Relaxation, "_settle", lambda self, rows, fields: None)
                wanted = recall(model, probes, rng=generators[1], max_sweeps=max_sweeps)
            for name in ("states", "period", "n_sweeps"):
                np.testing.assert_array_equal(getattr(early, name), getattr(wanted, name))
            assert generators[0].random() == generators[1].random()


def test_couplings_at_the_end_of_the_doubles_are_recalled_without_a_warning():
    weights = np.array([[0, 1, 1.1], [1, 0, -0.7], [1.1, -0.7, 0]]) * 1e308
    assert recall(Hopfield(weights), [[1, 1, 1]], rng=3).period.tolist() == [1]


def test_ties_switch_a_unit_on():
    none = Hopfield(np.zeros((3, 3)))
    assert recall(none, [-1, 1, -1], rng=1).states.tolist() == [1, 1, 1]
    assert recall(none, [-1, 1, -1], dynamics="synchronous").states.tolist() == [1, 1, 1]
    assert none.is_stable([[1, 1, 1], [1, 1, -1]]).tolist() == [True, False]
    # 0.1 + 0.2 - 0.3 is 5.6e-17 as floating sums go;
    # in units of η the field is 0, whatever the sign of the rounding
    for sign in (1, -1):
        stored = patterns(10, 9) * sign
        network = Hopfield.hebb(stored, learning_rate=0.1)
        fields = np.einsum(
            "sij,xj->sxi", np.einsum("pi,pj->ij", stored, stored)[None] * (1 - np.eye(9)), all_states(9)
        )[0]
        assert (fields == 0).sum() > 100
        np.testing.assert_array_equal(network.activation(all_states(9)) >= 0, fields >= 0)
        np.testing.assert_array_equal(recall(network, all_states(9), order="sequential", rng=1).period, 1)


def test_two_units_that_agree_cycle_when_updated_together():
    network = Hopfield([[0, 1], [1, 0]])
    found = recall(network, [[1, -1], [1, 1]], dynamics="synchronous")
    assert found.period.tolist() == [2, 1]
    assert found.states[0].tolist() in ([1, -1], [-1, 1])
    assert recall(network, [1, -1], order="sequential").period == 1


def test_together_every_state_ends_in_a_fixed_point_or_a_cycle_of_two():
    for seed in range(5):
        network = random_network(9, seed)
        found = recall(network, all_states(9), dynamics="synchronous")
        assert set(found.period.tolist()) <= {1, 2}
        step = np.where(network.activation(found.states) >= 0, 1, -1)
        twice = np.where(network.activation(step) >= 0, 1, -1)
        np.testing.assert_array_equal(twice, found.states)
        np.testing.assert_array_equal((step == found.states).all(axis=1), found.period == 1)


def test_sweeps_may_run_out():
    network = Hopfield.hebb(patterns(30, 100))
    probes = patterns(50, 100, 9)
    for dynamics in ("asynchronous", "synchronous"):
        short = recall(network, probes, dynamics=dynamics, max_sweeps=1, rng=1)
        assert (short.period == 0).any()
        assert (short.n_sweeps <= 1).all()
    long = recall(network, probes, rng=1, max_sweeps=1000)
    assert (long.period == 1).all()
    assert (long.n_sweeps == recall(network, probes, rng=1).n_sweeps).all()


@pytest.mark.parametrize("dynamics", ["asynchronous", "synchronous"])
def test_the_rest_of_a_pattern_is_completed(dynamics):
    stored = patterns(4, 120)
    known = np.arange(120) < 50
    probes = np.where(known, stored, patterns(4, 120, 11))
    found = recall(Hopfield.hebb(stored), probes, clamped=known, dynamics=dynamics, rng=2)
    np.testing.assert_array_equal(found.states, stored)
    # clamped units stay even where they are wrong, and each probe may have its own
    own = np.random.default_rng(5).random(probes.shape) < 0.3
    wrong = np.where(own, -stored, stored)
    held = recall(Hopfield.hebb(stored), wrong, clamped=own, dynamics=dynamics, rng=2)
    np.testing.assert_array_equal(held.states[own], wrong[own])
    free = recall(Hopfield.hebb(stored), wrong, dynamics=dynamics, rng=2)
    assert (free.states[own] != wrong[own]).any()


def test_shapes_layouts_and_threads_do_not_matter():
    network = Hopfield.hebb(patterns(5, 40))
    probes = patterns(300, 40, 7)
    plain = recall(network, probes, rng=1, n_threads=1)
    probes.setflags(write=False)
    cases = [
        probes.reshape(3, 100, 40),
        np.asfortranarray(probes),
        np.repeat(probes, 2, axis=1)[:, ::2],
        probes.astype(float),
    ]
    for case in cases:
        other = recall(network, case, rng=1, n_threads=3)
        assert other.states.shape == case.shape
        np.testing.assert_array_equal(other.states.reshape(300, 40), plain.states)
        np.testing.assert_array_equal(other.n_sweeps.ravel(), plain.n_sweeps)
    one = recall(network, probes[0], rng=1)
    assert one.states.shape == (40,)
    assert one.period.shape == ()
    assert recall(network, probes[:0], rng=1).states.shape == (0, 40)


def test_the_smallest_exact_numbers_are_chosen():
    stored = patterns(6, 50)
    assert number_types(Hopfield.hebb(stored)._couplings) == (np.int8, np.int16)
    assert number_types(Hopfield.hebb(stored, learning_rate=0.3)._couplings) == (np.int8, np.int16)
    assert number_types(Hopfield.pseudo_inverse(stored)._couplings) == (np.float64, np.float64)
    big = np.array([[0, 1, 500], [1, 0, 3], [500, 3, 0]])
    assert number_types(Hopfield(big)._couplings) == (np.int16, np.int32)
    assert number_types(Hopfield(big * 1000.0 + (big > 0))._couplings) == (np.float64, np.float64)
    assert number_types(Hopfield([[0, 1], [1, 0]], [0.0, 32_766])._couplings) == (np.int8, np.int16)
    assert number_types(Hopfield([[0, 1], [1, 0]], [0.0, 40_000])._couplings) == (np.int16, np.int32)
    assert number_types(Hopfield([[0, 1], [1, 0]], [0.0, 5e9])._couplings) == (np.float64, np.float64)
    assert not Hopfield([[0, 1e-300], [1e-300, 0]], [1e300, 0])._couplings.whole


def test_overlap():
    stored = patterns(3, 20)
    np.testing.assert_array_equal(np.diagonal(overlap(stored, stored)), 1)
    # whole numbers below 2^53 over 20, divided once: no digit is lost
    np.testing.assert_array_equal(overlap(-stored[0], stored[0]), -1)
    np.testing.assert_array_equal(overlap(stored[0], stored[1]), np.sum(stored[0] * stored[1]) / 20)


def exact_law(network, T):
    states = all_states(network.n_units)
    weights = np.exp(-(network.energy(states) - network.energy(states).min()) / T)
    return states, weights / weights.sum()


def heat_bath_matrix(network, T):
    """One sweep over the units in their order, from eq. 17."""
    states = all_states(network.n_units)
    index = {tuple(x): k for k, x in enumerate(states.tolist())}
    sweep = np.eye(len(states))
    for i in range(network.n_units):
        step = np.zeros((len(states), len(states)))
        for k, x in enumerate(states):
            p = 1 / (1 + np.exp(-network.energy_gap(x)[i] / T))
            for value, chance in ((1, p), (-1, 1 - p)):
                y = x.copy()
                y[i] = value
                step[k, index[tuple(y.tolist())]] += chance
        sweep = sweep @ step
    return sweep


def test_a_sweep_of_the_heat_bath_leaves_the_law_and_connects_all_states():
    network, T = random_network(5), 1.3
    _, law = exact_law(network, T)
    matrix = heat_bath_matrix(network, T)
    np.testing.assert_allclose(law @ matrix, law, rtol=1e-12)  # 32 states, 5 steps of sums of 32
    assert (matrix > 0).all()


def test_annealed_states_follow_the_matrix():
    network, T, n = random_network(3), 1.1, 40_000
    states = all_states(3)
    matrix = heat_bath_matrix(network, T)
    for k in (0, 5):
        found = anneal(network, np.tile(states[k], (n, 1)), [T], rng=k).states
        counts = np.bincount(((found > 0) @ [1, 2, 4]), minlength=8)
        z = (counts - n * matrix[k]) / np.sqrt(n * matrix[k] * (1 - matrix[k]))
        assert np.abs(z).max() < 4.5  # 16 binomial counts: false alarm 1e-4


def test_chains_drawn_from_the_law_stay_there():
    network, T, n = random_network(6), 0.8, 20_000
    states, law = exact_law(network, T)
    rng = np.random.default_rng(2)
    found = anneal(network, states[rng.choice(64, size=n, p=law)], np.full(5, T), rng=rng)
    counts = np.bincount((found.states > 0) @ (1 << np.arange(6)), minlength=64)
    expected = n * law
    chi = ((counts - expected) ** 2 / expected).sum()
    assert chi < 63 + 4.5 * np.sqrt(2 * 63)  # false alarm below 1e-4 (the smallest cell expects some)
    assert found.energy.shape == (5, n)
    mean, spread = (
        law @ network.energy(states),
        np.sqrt(law @ network.energy(states) ** 2 - (law @ network.energy(states)) ** 2),
    )
    assert abs(found.energy[-1].mean() - mean) < 4.5 * spread / np.sqrt(n)


def test_no_temperature_is_the_threshold_rule_and_no_bound_a_coin():
    stored = patterns(4, 60)
    network = Hopfield.hebb(stored)
    probes = corrupted(stored, 0.2)
    cold = anneal(network, probes, [0.0] * 5, rng=1)
    wanted = recall(network, probes, order="sequential")
    np.testing.assert_array_equal(cold.states, wanted.states)
    np.testing.assert_array_equal(anneal(network, probes, [1e-320] * 5, rng=1).states, wanted.states)
    hot = anneal(network, np.ones((400, 60)), [np.inf], rng=1).states
    assert abs(hot.mean()) < 4.5 / np.sqrt(hot.size)


def test_slow_cooling_finds_the_lowest_state():
    network = random_network(12, 3)
    least = network.energy(all_states(12)).min()
    start = patterns(40, 12, 6)
    quenched = network.energy(recall(network, start, rng=1).states)
    cooled = anneal(network, start, geometric_schedule(8.0, 0.5, 400), rng=1).energy[-1]
    assert (cooled < least + 1e-9).mean() > 0.9
    assert (cooled < least + 1e-9).mean() > (quenched < least + 1e-9).mean() + 0.2
    linear = anneal(network, start, linear_schedule(6.0, 0.0, 400), rng=1).energy[-1]
    assert (linear < least + 1e-9).mean() > 0.9


def test_annealing_keeps_clamped_units():
    network = random_network(8)
    start = patterns(50, 8)
    held = np.arange(8) % 2 == 0
    found = anneal(network, start.reshape(5, 10, 8), np.full(9, 3.0), clamped=held, rng=1).states.reshape(
        50, 8
    )
    np.testing.assert_array_equal(found[:, held], start[:, held])
    assert (found[:, ~held] != start[:, ~held]).any()


def test_networks_are_stored(tmp_path):
    network = random_network()
    network.save(tmp_path / "network.npz")
    found = Hopfield.load(tmp_path / "network.npz")
    np.testing.assert_array_equal(found.weights, network.weights)
    np.testing.assert_array_equal(found.biases, network.biases)


def test_parameters_are_copied_and_frozen():
    weights = np.zeros((2, 2))
    network = Hopfield(weights)
    weights[0, 1] = 1
    assert network.weights[0, 1] == 0
    with pytest.raises(ValueError, match="read-only"):
        network.biases[0] = 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.0, 1.0],), ValueError, "weights has shape"),
        (([[0.0, 1.0]],), ValueError, "weights has shape"),
        ((np.empty((0, 0)),), ValueError, "weights has shape"),
        (([[0.0, np.nan], [np.nan, 0.0]],), ValueError, "weights.*NaN"),
        (([[0.0, np.inf], [np.inf, 0.0]],), ValueError, "weights holds an infinity"),
        (([[0.0, 1.0], [2.0, 0.0]],), ValueError, r"weights\[0, 1\]=1, weights\[1, 0\]=2: symmetric"),
        (([[0.0, 1.0], [1.0, 3.0]],), ValueError, r"weights\[1, 1\]=3"),
        ((["a"],), TypeError, "weights"),
        (([[0.0]], [1.0, 2.0]), ValueError, "biases has shape"),
        (([[0.0]], [np.nan]), ValueError, "biases.*NaN"),
    ],
)
def test_bad_parameters(arguments, error, message):
    with pytest.raises(error, match=message):
        Hopfield(*arguments)


@pytest.mark.parametrize("store", [Hopfield.hebb, Hopfield.pseudo_inverse])
@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ([1, -1], "patterns has shape"),
        (np.empty((0, 4)), "patterns has shape"),
        ([[0, 1, 1]], "patterns holds 0: spins are -1 or \\+1; convert 0/1"),
        ([[np.nan, 1]], "patterns holds nan"),
        ([[1, -1], [1]], "patterns"),
    ],
)
def test_bad_patterns(store, stored, message):
    with pytest.raises(ValueError, match=message):
        store(stored)


def test_a_bad_learning_rate():
    for rate in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="learning_rate"):
            Hopfield.hebb([[1, -1]], learning_rate=rate)


GOOD = {"network": Hopfield([[0.0, 1.0], [1.0, 0.0]]), "probes": [[1, -1], [1, 1]]}


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"network": [[0.0]]}, TypeError, "network"),
        ({"probes": [1, -1, 1]}, ValueError, "probes has shape"),
        ({"probes": [0, 1]}, ValueError, "probes holds 0"),
        ({"probes": [np.nan, 1]}, ValueError, "probes holds nan"),
        ({"probes": 1}, ValueError, "probes"),
        ({"dynamics": "parallel"}, ValueError, "dynamics='parallel'"),
        ({"order": "checkerboard"}, ValueError, "order='checkerboard'"),
        ({"clamped": [0, 1]}, TypeError, "clamped has dtype"),
        ({"clamped": [True]}, ValueError, "clamped has shape"),
        ({"clamped": [[True, True]] * 3}, ValueError, "clamped has shape"),
        ({"max_sweeps": 0}, ValueError, "max_sweeps=0"),
        ({"max_sweeps": 10**9}, ValueError, "max_sweeps"),
        ({"max_sweeps": 2.5}, TypeError, "max_sweeps"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"n_threads": 0}, ValueError, "n_threads"),
    ],
)
def test_bad_arguments_of_recall(keywords, error, message):
    with pytest.raises(error, match=message):
        recall(**(GOOD | keywords))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"network": 1}, TypeError, "network"),
        ({"initial": [2, 1]}, ValueError, "initial holds 2"),
        ({"temperatures": 1.0}, ValueError, "temperatures has shape"),
        ({"temperatures": []}, ValueError, "temperatures has shape"),
        ({"temperatures": [1.0, -0.5]}, ValueError, "temperatures holds -0.5"),
        ({"temperatures": [np.nan]}, ValueError, "temperatures.*NaN"),
        ({"clamped": [1.0, 0.0]}, TypeError, "clamped"),
        ({"rng": 1.5}, TypeError, "rng"),
    ],
)
def test_bad_arguments_of_annealing(keywords, error, message):
    good = {"network": GOOD["network"], "initial": [1, 1], "temperatures": [1.0], "rng": 1}
    with pytest.raises(error, match=message):
        anneal(**(good | keywords))


@pytest.mark.parametrize("schedule", [geometric_schedule, linear_schedule])
def test_bad_schedules(schedule):
    for arguments in itertools.chain([(-1.0, 1.0, 3), (np.inf, 1.0, 3), (1.0, np.nan, 3), (1.0, 0.5, 1)]):
        with pytest.raises(ValueError, match=r"T_first|T_last|temperatures|n_sweeps"):
            schedule(*arguments)
    with pytest.raises(ValueError, match="T_last=0"):
        geometric_schedule(1.0, 0.0, 3)


@pytest.mark.parametrize("function", ["activation", "energy", "energy_gap", "flip_cost", "is_stable"])
def test_bad_states(function):
    network = GOOD["network"]
    for state in ([1, 0], [1, 1, 1], [np.nan, 1], 1):
        with pytest.raises(ValueError, match="x"):
            getattr(network, function)(state)
    with pytest.raises(TypeError, match="x has dtype"):
        getattr(network, function)(["a", "b"])


def test_bad_overlaps():
    with pytest.raises(ValueError, match="x has shape"):
        overlap([1, 1], [[1, 1, 1]])
    with pytest.raises(ValueError, match="patterns has shape"):
        overlap([1], [[[1]]])
