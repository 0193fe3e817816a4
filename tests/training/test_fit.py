"""The loop of training: twins of single updates, continuation bit for bit, ties, bad input."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from rbmflow import RBM, Ring, Torus, training_set
from rbmflow.reading import seal
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw
from rbmflow.training import (
    CD,
    LBFGS,
    PCD,
    SGD,
    Adam,
    Averages,
    Checkpoint,
    Decay,
    EarlyStopping,
    Exact,
    Exponential,
    Momentum,
    NegativePhase,
    State,
    Tempered,
    fit,
    tied,
)
from rbmflow.training.moments import clamped
from rbmflow.training.trainer import Trainer
from tests.kernels import twin_block_gibbs as twin
from tests.training.laws import divergence, joint, random_machine, ring_law

SPINS = Ring(6).sample(0.6, 53, rng=1)
PHASES = [Exact(), CD(1), CD(3), PCD(2, 7), Tempered((1.0, 0.6, 0.2), 2, 5)]
STEPS = [SGD(0.05), SGD(Decay(0.1, 3)), Momentum(0.02, 0.8), Adam(0.01)]


def twin_of(rbm, spins, seed, negative, n_epochs, batch_size, rate, l2=0.0):
    """Plain CD-k and PCD-k: see the twins of the kernels."""
    rng = np.random.default_rng(seed)
    generator = twin.Generator(rng.integers(0, 2**64, size=32, dtype=np.uint64))
    machine = twin.Machine(*(x.astype(np.float32) for x in (rbm.weights, rbm.visible_bias, rbm.hidden_bias)))
    n_chains = negative.n_chains if isinstance(negative, PCD) else 0
    start = 2 * rng.integers(0, 2, size=(1, n_chains, rbm.n_visible), dtype=np.int8)[0] - 1
    hidden = twin.draw(machine.up(start), generator) if n_chains else None
    for _ in range(n_epochs):
        order = rng.permutation(len(spins))
        hidden = twin.train(machine, spins, order, batch_size, negative.k, rate, l2, hidden, generator)[1]
    return machine, hidden


@pytest.mark.parametrize("batch_size", [1, 10, 53, 1000])
@pytest.mark.parametrize("negative", [CD(1), CD(3), PCD(1, 7), PCD(3, 20)], ids=str)
def test_plain_twin(negative, batch_size):
    # bit for bit, also with a last batch of 3 rows
    rbm = random_machine(6, 4, 1)
    wanted, hidden = twin_of(rbm, SPINS, 5, negative, 3, batch_size, 0.05, 0.1)
    found = fit(
        rbm, SPINS, negative=negative, optimizer=SGD(0.05), n_epochs=3, batch_size=batch_size, rng=5, l2=0.1
    )
    np.testing.assert_array_equal(found.model.weights, wanted.W)
    np.testing.assert_array_equal(found.model.visible_bias, wanted.b)
    np.testing.assert_array_equal(found.model.hidden_bias, wanted.c)
    if hidden is not None:
        np.testing.assert_array_equal(found.state.chains_hidden[0], hidden)


@pytest.mark.parametrize("negative", [CD(2), PCD(2, 7)], ids=str)
def test_the_general_loop_is_the_kernel(negative):
    # a last batch of 3 rows; without memory Momentum is SGD, and what differs is rounding, 6e-8 of numbers
    # below 1 in each of 12 updates, which changes no spin here
    rbm = random_machine(6, 4, 1)
    options = {"negative": negative, "n_epochs": 2, "batch_size": 10, "rng": 5, "l2": 0.1}
    plain = fit(rbm, SPINS, optimizer=SGD(0.05), **options)
    general = fit(rbm, SPINS, optimizer=Momentum(0.05, 0.0), **options)
    np.testing.assert_allclose(plain.model.weights, general.model.weights, rtol=0, atol=1e-6)
    np.testing.assert_allclose(plain.model.visible_bias, general.model.visible_bias, rtol=0, atol=1e-6)
    np.testing.assert_allclose(plain.model.hidden_bias, general.model.hidden_bias, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(plain.state.chains_visible, general.state.chains_visible)
    np.testing.assert_array_equal(plain.state.generator, general.state.generator)
    np.testing.assert_array_equal(plain.history["epoch"], general.history["epoch"])
    if isinstance(negative, PCD):
        np.testing.assert_array_equal(plain.history["tau"], general.history["tau"])


@pytest.mark.parametrize("negative", PHASES, ids=str)
@pytest.mark.parametrize("optimizer", STEPS, ids=str)
def test_a_run_goes_on_bit_for_bit(negative, optimizer, tmp_path):
    rbm = random_machine(6, 4, 2)
    options = {"negative": negative, "optimizer": optimizer, "batch_size": 20}
    whole = fit(rbm, SPINS, n_epochs=5, rng=3, **options)
    first = fit(rbm, SPINS, n_epochs=2, rng=3, **options)
    first.state.save(tmp_path / "state.npz")
    second = fit(rbm, SPINS, n_epochs=3, state=State.load(tmp_path / "state.npz"), **options)
    for name in ("weights", "visible_bias", "hidden_bias"):
        np.testing.assert_array_equal(getattr(second.model, name), getattr(whole.model, name))
    assert second.history.values.keys() == whole.history.values.keys()
    for name in whole.history.values:
        np.testing.assert_array_equal(second.history[name], whole.history[name])
    np.testing.assert_array_equal(second.state.generator, whole.state.generator)
    assert second.state.source == whole.state.source


def test_the_same_seed_gives_the_same_run_and_a_generator_is_a_seed_too():
    rbm = random_machine(6, 4, 2)
    runs = [fit(rbm, SPINS, n_epochs=2, rng=rng) for rng in (3, np.random.default_rng(3), 4)]
    np.testing.assert_array_equal(runs[0].model.weights, runs[1].model.weights)
    assert not np.array_equal(runs[0].model.weights, runs[2].model.weights)


@dataclass(frozen=True)
class Restarted(NegativePhase):
    """Chains of which each begins anew at a row of the batch with some probability."""

    share: float
    k: int = 2
    records = ("tau", "weight_norm")  # the second is always recorded: once

    def averages(self, update):
        visible, hidden = update.chains.visible[0], update.chains.hidden[0]
        anew = update.rng.random(len(visible)) < self.share
        batch = update.batch()
        visible[anew] = batch[update.rng.integers(len(batch), size=anew.sum())]
        hidden[:] = np.where(update.parameters.model().mean_hidden(visible) > 0, 1, -1)
        return update.chains.sweep(update.parameters, self.k)

    def rungs(self):
        return (1.0,), 9


class Enumerated(NegativePhase):
    """Sums over all states of both layers, for data that are rows or a law."""

    exact = True

    def averages(self, update):
        v, h, p = joint(update.parameters.model())
        return Averages((p[:, None] * v).T @ h, p @ v, p @ h)


@pytest.mark.parametrize("optimizer", [SGD(0.05), Adam(0.01)], ids=str)
@pytest.mark.parametrize("data", [SPINS, ring_law(6, 0.5)], ids=["rows", "law"])
def test_a_phase_of_ones_own_trains_and_goes_on_bit_for_bit(data, optimizer, tmp_path):
    rbm = random_machine(6, 4, 2)
    options = {"negative": Restarted(0.25), "optimizer": optimizer, "batch_size": 20}
    whole = fit(rbm, data, n_epochs=5, rng=3, **options)
    first = fit(rbm, data, n_epochs=2, rng=3, **options)
    first.state.save(tmp_path / "state.npz")
    second = fit(rbm, data, n_epochs=3, state=State.load(tmp_path / "state.npz"), **options)
    for name in ("weights", "visible_bias", "hidden_bias"):
        np.testing.assert_array_equal(getattr(second.model, name), getattr(whole.model, name))
    np.testing.assert_array_equal(second.state.chains_visible, whole.state.chains_visible)
    assert second.state.chains_visible.shape == (1, 9, 6)
    assert second.state.source == whole.state.source
    usual = fit(rbm, data, negative=PCD(2, 9), n_epochs=1, rng=1)
    assert list(whole.history) == list(usual.history)
    with pytest.raises(ValueError, match="number of chains"):
        fit(rbm, data, n_epochs=1, negative=PCD(1, 5), state=first.state)


def test_a_phase_of_ones_own_learns():
    law, start = ring_law(6, 0.6), random_machine(6, 4, 1, 0.1)
    found = fit(start, law, negative=Restarted(0.1), optimizer=SGD(0.05), n_epochs=500, average=100, rng=1)
    assert divergence(law, found.model) < divergence(law, start) / 4
    enumerated, exact = (
        fit(start, law, negative=phase, optimizer=SGD(0.1), n_epochs=20, rng=1)
        for phase in (Enumerated(), Exact())
    )
    np.testing.assert_allclose(enumerated.model.weights, exact.model.weights, rtol=1e-12)


def test_a_subclass_with_averages_of_its_own_is_not_the_kernel():
    class Still(CD):
        def averages(self, update):
            p, rows = update.parameters, update.batch().astype(np.float32)
            return clamped(p, rows, None)

    rbm = random_machine(6, 4, 1)
    found = fit(rbm, SPINS, negative=Still(1), optimizer=SGD(0.1), n_epochs=1, rng=1)
    np.testing.assert_array_equal(found.model.weights, rbm.weights.astype(np.float32))


class Given(NegativePhase):
    """Averages and rungs that are given."""

    def __init__(self, found, rungs=((1.0,), 0)):
        self.found, self.ladder = found, rungs

    def __repr__(self):
        return "Given()"

    def averages(self, update):
        if self.found == "into the rows":
            update.rows[:] = 1
        return self.found

    def rungs(self):
        return self.ladder


A, V, H = np.zeros((6, 4)), np.zeros(6), np.zeros(4)


@pytest.mark.parametrize(
    ("phase", "error", "said"),
    [
        (Given(None), TypeError, r"negative=Given\(\): its averages are None, Averages are needed"),
        (Given((A, V, H)), TypeError, "Averages are needed"),
        (Given(Averages(0.0, V, H)), ValueError, r"have pairs 0\.0: floats of shape \(6, 4\)"),
        (Given(Averages(A.T, V, H)), ValueError, r"have pairs float64 of shape \(4, 6\)"),
        (Given(Averages(A, H, V)), ValueError, r"have visible float64 of shape \(4,\)"),
        (Given(Averages(A, V, H * 1j)), ValueError, "have hidden complex128"),
        (Given(Averages(A, V, H.tolist())), ValueError, r"have hidden \[0\.0"),
        (Given(Averages(A, V + np.nan, H)), ValueError, "have visible that are not finite"),
        (Given("into the rows"), ValueError, "read-only"),
        (Given(Averages(A, V, H), None), TypeError, "its rungs are None"),
        (Given(Averages(A, V, H), ((1.0,), -1)), ValueError, "n_chains of its rungs=-1"),
        (Given(Averages(A, V, H), ((1.0,), 2.0)), TypeError, "n_chains of its rungs=2.0"),
        (Given(Averages(A, V, H), ((0.5,), 2)), ValueError, "at least two inverse temperatures"),
        (Given(Averages(A, V, H), ((1.0, np.nan), 2)), ValueError, "NaN"),
    ],
)
def test_what_a_phase_of_ones_own_returns_is_checked(phase, error, said):
    with pytest.raises(error, match=said):
        fit(random_machine(6, 4, 1), SPINS, negative=phase, n_epochs=1, rng=1)


def test_averages_of_ones_own_are_taken_in_the_precision_of_the_run():
    rbm = random_machine(6, 4, 1)
    machines = [
        fit(
            rbm,
            SPINS,
            negative=Given(Averages(*(x.astype(kind) + 0.1 for x in (A, V, H)))),
            n_epochs=2,
            rng=1,
        )
        for kind in (np.float32, np.float64)
    ]
    np.testing.assert_allclose(machines[0].model.weights, machines[1].model.weights, rtol=1e-6)


def test_subclasses_that_change_no_average_are_what_they_derive_from():
    rbm = random_machine(6, 4, 1)
    for kind in (CD, PCD):
        other = type("Other", (kind,), {})
        found = [
            fit(rbm, SPINS, negative=phase(2), n_epochs=2, rng=1).model.weights for phase in (kind, other)
        ]
        np.testing.assert_array_equal(*found)
    other = type("Other", (Exact,), {"averages": lambda self, update: None})
    with pytest.raises(ValueError, match="needs negative=Exact"):
        fit(rbm, SPINS, negative=other(), optimizer=LBFGS(), n_epochs=1, rng=1)


def test_what_a_phase_records_is_held_against_what_there_is():
    class Unknown(Restarted):
        records = ("loss",)

    with pytest.raises(ValueError, match="record holds 'loss'"):
        fit(RBM64, SPINS, negative=Unknown(0.1), n_epochs=1)


@pytest.mark.parametrize("level", ["plain", "avx2", "avx512"])
def test_levels_agree(level, monkeypatch):
    from rbmflow._kernels import simd
    from rbmflow.hardware import SIMD_LEVELS

    if SIMD_LEVELS.index(level) > simd.supported():
        pytest.skip("this processor knows no such level")
    rbm = random_machine(6, 4, 2)
    wanted = fit(rbm, SPINS, negative=PCD(2, 7), n_epochs=3, rng=3)
    monkeypatch.setenv("RBMFLOW_SIMD", level)
    found = fit(rbm, SPINS, negative=PCD(2, 7), n_epochs=3, rng=3)
    np.testing.assert_array_equal(found.model.weights, wanted.model.weights)


def test_adam_and_momentum_against_their_formulas():
    rbm, law = random_machine(4, 3, 1), ring_law(4, 0.5)

    def slope(now):
        # the exact gradient, by a step of SGD of length one
        after = fit(now, law, negative=Exact(), optimizer=SGD(1.0), n_epochs=1, rng=1).model
        return after.weights - now.weights

    m = s = 0.0
    weights = rbm.weights
    now = rbm
    for t in range(1, 4):
        g = slope(now)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2
        weights = weights + 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
        now = fit(rbm, law, negative=Exact(), optimizer=Adam(0.01), n_epochs=t, rng=1).model
        np.testing.assert_allclose(now.weights, weights, rtol=1e-9)
    memory, now = 0.0, rbm
    for t in range(1, 4):
        memory = 0.5 * memory + slope(now)
        wanted = now.weights + 0.1 * memory
        now = fit(rbm, law, negative=Exact(), optimizer=Momentum(0.1, 0.5), n_epochs=t, rng=1).model
        np.testing.assert_allclose(now.weights, wanted, rtol=1e-12)


def test_schedules():
    assert Decay(0.1, half=10, power=0.5)(30) == pytest.approx(0.05)
    assert Exponential(0.2, 0.5)(3) == pytest.approx(0.025)
    seen = []
    rbm = random_machine(6, 4, 2)
    fit(rbm, SPINS, optimizer=SGD(lambda epoch: seen.append(epoch) or 0.1), n_epochs=3, rng=1)
    assert seen == [0, 1, 2]
    with pytest.raises(ValueError, match="rate=-1"):
        fit(rbm, SPINS, optimizer=SGD(lambda epoch: -1), n_epochs=1, rng=1)


@pytest.mark.parametrize("n_hidden", [6, 12, 3, 2, 1])
@pytest.mark.parametrize("negative", [Exact(), CD(1), PCD(2)], ids=str)
def test_translation_ties_hold(n_hidden, negative):
    rbm = tied(random_machine(6, n_hidden, 3), "translation")
    model = fit(
        rbm, SPINS, negative=negative, n_epochs=2, tie="translation", rng=1, precision="float64"
    ).model
    assert not np.array_equal(model.weights, rbm.weights)
    period = max(1, 6 // n_hidden)
    order = np.arange(n_hidden).reshape(-1, min(6, n_hidden))
    turned = np.roll(order, 1, axis=1).ravel()
    np.testing.assert_array_equal(np.roll(model.weights, period, axis=0)[:, turned], model.weights)
    np.testing.assert_array_equal(np.roll(model.visible_bias, period), model.visible_bias)
    np.testing.assert_array_equal(model.hidden_bias[turned], model.hidden_bias)


def test_uniform_ties_and_masks_hold():
    model = fit(RBM.uniform(6, 4, 0.1), SPINS, n_epochs=2, tie="uniform", rng=1).model
    assert (model.weights == model.weights[0, 0]).all()
    assert model.weights[0, 0] != 0.1
    assert not model.visible_bias.any()
    assert not model.hidden_bias.any()
    mask = np.eye(6, dtype=bool) | np.eye(6, k=1, dtype=bool)
    start = tied(random_machine(6, 6, 1), mask=mask)
    model = fit(start, SPINS, n_epochs=2, mask=mask, rng=1).model
    assert not model.weights[~mask].any()
    assert (model.weights[mask] != start.weights[mask]).all()
    for no in (False, np.False_):
        frozen = fit(start, SPINS, n_epochs=2, biases=no, rng=1).model
        np.testing.assert_array_equal(frozen.hidden_bias, start.hidden_bias.astype(np.float32))


def test_penalties_shrink_weights():
    rbm = random_machine(6, 4, 3)
    free, l2, l1 = (
        fit(rbm, SPINS, negative=Exact(), optimizer=SGD(0.1), n_epochs=200, rng=1, **penalty).model
        for penalty in ({}, {"l2": 0.3}, {"l1": 0.1})
    )
    assert np.linalg.norm(l2.weights) < 0.7 * np.linalg.norm(free.weights)
    assert np.abs(l1.weights).sum() < 0.7 * np.abs(free.weights).sum()
    # at the minimum the likelihood's gradient is l2 W
    best = fit(rbm, SPINS, negative=Exact(), optimizer=LBFGS(), n_epochs=500, rng=1, l2=0.3).model
    after = fit(best, SPINS, negative=Exact(), optimizer=SGD(1.0), n_epochs=1, rng=1).model
    np.testing.assert_allclose(after.weights - best.weights, 0.3 * best.weights, rtol=0, atol=1e-8)


@pytest.mark.parametrize("negative", [Exact(), CD(1), CD(3), PCD(2, 50), Tempered(3, 2, 50)], ids=str)
def test_every_phase_learns_from_samples_and_from_a_law(negative):
    law = ring_law(6, 0.6)
    start = RBM(np.random.default_rng(1).normal(0, 0.2, (6, 6)))
    for data, epochs in ((Ring(6).sample(0.6, 1000, rng=2), 15), (law, 150)):
        found = fit(
            start, data, negative=negative, optimizer=SGD(0.1), n_epochs=epochs, batch_size=100, rng=1
        )
        assert divergence(law, found.model) < 0.5 * divergence(law, start)
        assert all(np.isfinite(found.history[name]).all() for name in ("pseudo_likelihood", "weight_norm"))


def test_centred_gradient_learns_too():
    law = ring_law(6, 0.6)
    start = RBM(np.random.default_rng(1).normal(0, 0.2, (6, 6)))
    found = fit(start, law, negative=Exact(), optimizer=SGD(0.3), n_epochs=200, centred=True, rng=1)
    assert divergence(law, found.model) < 0.1 * divergence(law, start)


CENTRED = {
    "penalty": (random_machine(4, 4, 3), {"l2": 0.1}),
    # without a penalty these weights run away
    "mask": (
        tied(random_machine(4, 4, 3), mask=np.tri(4, dtype=bool)),
        {"mask": np.tri(4, dtype=bool), "l2": 0.01},
    ),
    "no biases": (random_machine(4, 4, 3), {"biases": False}),
    "uniform": (tied(random_machine(4, 4, 3), "uniform"), {"tie": "uniform"}),
    "uniform with biases": (tied(random_machine(4, 4, 3), "uniform"), {"tie": "uniform", "biases": True}),
    "translation": (tied(random_machine(4, 4, 3), "translation"), {"tie": "translation"}),
    "translation and mask": (
        tied(random_machine(4, 4, 3), "translation", mask=np.tri(4, dtype=bool)),
        {"tie": "translation", "mask": np.tri(4, dtype=bool)},
    ),
}


def largest_difference(one, other):
    parts = ("weights", "visible_bias", "hidden_bias")
    return max(np.abs(getattr(one, part) - getattr(other, part)).max() for part in parts)


@pytest.mark.parametrize("name", CENTRED)
def test_the_centred_gradient_rises_where_the_likelihood_does(name):
    # data without any symmetry: a small step rises, since it is P Pᵀ g, and it vanishes where the maximum is
    start, options = CENTRED[name]
    law = StateLaw(all_states(4), np.random.default_rng(2).dirichlet(np.ones(16)))
    options = {"negative": Exact(), "rng": 1, "record": ["kl"], **options}
    best = fit(start, law, optimizer=LBFGS(), n_epochs=1000, **options).model
    centred, plain = (
        fit(best, law, optimizer=SGD(1.0), n_epochs=1, centred=centred, **options).model
        for centred in (True, False)
    )
    gradient = largest_difference(plain, best)
    assert gradient < 1e-7  # where the search ends is a matter of rounding
    # P is of the size of 10
    assert largest_difference(centred, best) <= 100 * gradient + 1e-13
    cost = lambda rbm: divergence(law, rbm) + options.get("l2", 0) / 2 * (rbm.weights**2).sum()
    small = fit(start, law, optimizer=SGD(1e-4), n_epochs=1, centred=True, **options).model
    assert cost(small) < cost(start)


@pytest.mark.parametrize("negative", [CD(2), PCD(1, 20)], ids=["cd", "pcd"])
@pytest.mark.parametrize(
    "optimizer", [SGD(0.05), Momentum(0.02, 0.8), Adam(0.01)], ids=lambda o: type(o).__name__
)
@pytest.mark.parametrize("centred", [False, True])
def test_epochs_of_the_kernel_are_those_of_numpy(centred, optimizer, negative, monkeypatch):
    # the same draws, but for a spin whose coin is within a rounding of its probability: none at this seed
    options = {"n_epochs": 3, "batch_size": 7, "l2": 0.1, "precision": "float64", "rng": 1, "record": ()}
    run = lambda: fit(random_machine(6, 5, 2), SPINS, **options, **ways)
    ways = {"negative": negative, "optimizer": optimizer, "centred": centred}
    found = run()
    monkeypatch.setattr(Trainer, "compiled", False)
    plain = run()
    for part in ("weights", "visible_bias", "hidden_bias", "slots", "offsets"):
        one, other = getattr(found.state, part), getattr(plain.state, part)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found.state.chains_visible, plain.state.chains_visible)


def test_the_centred_gradient_does_not_run_away_where_chains_are_noisy():
    # with the offsets of each update alone, as they once were, weights of 6 to 60 and likelihoods of -20,000
    # and below were found here at each of ten seeds
    spins = training_set(Torus(8, 8), np.arange(25) / 4, 200, rng=1).spins.reshape(-1, 64)
    for seed in range(3):
        start = RBM(np.random.default_rng(seed).normal(0, 0.01, (64, 64)))
        options = {"negative": PCD(1), "optimizer": SGD(0.1), "n_epochs": 12, "rng": seed, "record": ()}
        found = fit(start, spins, centred=True, **options).model
        assert np.abs(found.visible_bias).max() < 10


def test_a_state_that_was_written_before_there_were_offsets_is_read(tmp_path):
    state = fit(random_machine(6, 4, 2), SPINS, negative=CD(1), n_epochs=1, rng=1).state
    assert not state.offsets.size
    state.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as found:
        members = dict(found)
    header = json.loads(members.pop("header").tobytes())
    del members["offsets"], header["sha256"]["offsets"], header["digest"]
    header = np.frombuffer(seal(header).encode(), dtype=np.uint8)
    with (tmp_path / "old.npz").open("wb") as stream:
        np.savez(stream, header=header, **members)
    old = State.load(tmp_path / "old.npz")
    assert not old.offsets.size
    went_on = (fit(old.model, SPINS, negative=CD(1), n_epochs=1, state=one).model for one in (state, old))
    np.testing.assert_array_equal(*(model.weights for model in went_on))
    centred = fit(old.model, SPINS, negative=CD(1), n_epochs=1, state=old, centred=True)
    assert centred.state.offsets.shape == (10,)


def test_history():
    rbm = random_machine(6, 4, 2)
    found = fit(rbm, SPINS, negative=PCD(1, 20), batch_size=5, n_epochs=4, record_every=2, rng=1)
    assert found.history["epoch"].tolist() == [2, 4]
    assert set(found.history.values) == {
        "epoch",
        "pseudo_likelihood",
        "reconstruction_error",
        "weight_norm",
        "bias_norm",
        "log_likelihood",
        "tau",
    }
    assert (found.history["tau"] >= 0.5 / 220).all()
    assert (found.history["pseudo_likelihood"] < 0).all()
    model = found.model
    np.testing.assert_allclose(found.history["weight_norm"][-1], np.linalg.norm(model.weights), rtol=1e-6)
    hidden = model.mean_hidden(SPINS)
    wanted = ((SPINS - model.mean_visible(hidden)) ** 2).mean()
    np.testing.assert_allclose(found.history["reconstruction_error"][-1], wanted, rtol=1e-5)
    from tests.training.laws import marginal

    p = marginal(model)[0][(SPINS > 0) @ (1 << np.arange(6))]
    np.testing.assert_allclose(found.history["log_likelihood"][-1], np.log(p).mean(), rtol=1e-5)
    with pytest.raises(KeyError, match="'kl' was not recorded"):
        found.history["kl"]
    tempered = fit(rbm, SPINS, negative=Tempered(3, 1, 10), n_epochs=2, rng=1)
    assert ((tempered.history["exchange_rate"] > 0) & (tempered.history["exchange_rate"] <= 1)).all()
    law = ring_law(6, 0.6)
    exact = fit(rbm, law, negative=Exact(), n_epochs=2, rng=1, record=["kl"])
    np.testing.assert_allclose(exact.history["kl"][-1], divergence(law, exact.model), rtol=1e-11)


@pytest.mark.parametrize("everywhere", [True, False])
def test_the_pseudo_likelihood_of_the_history(everywhere, monkeypatch):
    # all units of each row, or one of it, against conditional probabilities from the joint law
    from rbmflow.training import history
    from tests.training.laws import marginal

    monkeypatch.setattr(history, "ALL_UNITS", 53 * 6 * 4 - (not everywhere))
    rbm = random_machine(6, 4, 2)
    found = fit(rbm, SPINS, negative=Exact(), n_epochs=1, rng=1)
    p, states = marginal(found.model)[0], all_states(6)
    units = np.random.default_rng(0).permutation(np.arange(len(SPINS)) * 6 // len(SPINS))[:, None]
    assert set(np.bincount(units[:, 0])) == {8, 9}
    if everywhere:
        units = np.broadcast_to(np.arange(6), SPINS.shape)
    total = 0.0
    for row, spins in zip(units, SPINS, strict=True):
        for unit in row:
            others = np.delete(np.arange(6), unit)
            same = (states[:, others] == spins[others]).all(axis=1)
            both = p[same]
            total += np.log(both[(states[same] == spins).all(axis=1)][0] / both.sum())
    wanted = 6 * total / units.size
    np.testing.assert_allclose(found.history["pseudo_likelihood"][-1], wanted, rtol=1e-10)


def test_the_pseudo_likelihood_sees_the_whole_layer():
    # 400 units of which the first 200 never change, as the borders of pictures:
    # it was 0 where only the first 100 were looked at
    rng = np.random.default_rng(1)
    spins = np.concatenate([np.ones((100, 200)), rng.choice([-1, 1], size=(100, 200))], axis=1)
    fields = np.repeat([20.0, 0.0], 200)
    found = fit(RBM(np.zeros((400, 2)), fields), spins, optimizer=SGD(1e-9), n_epochs=1, rng=1)
    np.testing.assert_allclose(found.history["pseudo_likelihood"], -200 * np.log(2), rtol=1e-4)


def test_callback_checkpoint_progress_and_stops(tmp_path):
    rbm = random_machine(6, 4, 2)
    seen, told = [], []

    def callback(now):
        seen.append(now.state.epoch)
        return now.state.epoch == 3

    found = fit(rbm, SPINS, n_epochs=10, rng=1, callback=callback, progress=lambda *now: told.append(now))
    assert seen == [1, 2, 3]
    assert told == [(1, 10), (2, 10), (3, 10)]
    assert found.state.stopped
    path = tmp_path / "state.npz"
    found = fit(rbm, SPINS, n_epochs=5, rng=1, callback=Checkpoint(path, every=2))
    assert State.load(path).epoch == 4
    assert not found.state.stopped
    rest = fit(rbm, SPINS, n_epochs=1, state=State.load(path))
    np.testing.assert_array_equal(rest.model.weights, found.model.weights)
    law = ring_law(6, 0.6)
    stopped = fit(
        rbm,
        law,
        negative=Exact(),
        optimizer=SGD(0.2),
        n_epochs=5000,
        rng=1,
        stop=EarlyStopping("kl", patience=5, least=1e-3),
    )
    assert 5 < stopped.state.epoch < 5000
    assert stopped.state.stopped
    ended = fit(rbm, law, negative=Exact(), optimizer=LBFGS(), n_epochs=50, rng=1, callback=callback)
    assert ended.state.epoch == 3


def test_rows_that_are_held_out():
    rbm, held = random_machine(6, 4, 2), Ring(6).sample(0.6, 40, rng=9)
    plain = fit(rbm, SPINS, n_epochs=3, rng=1)
    found = fit(rbm, SPINS, n_epochs=3, rng=1, held_out=held)
    # they are looked at only
    np.testing.assert_array_equal(found.model.weights, plain.model.weights)
    assert set(found.history.values) - set(plain.history.values) == {
        "held_out_pseudo_likelihood",
        "held_out_log_likelihood",
    }
    likelihood = found.model.log_likelihood(held).mean()
    np.testing.assert_allclose(found.history["held_out_log_likelihood"][-1], likelihood, rtol=1e-12)
    again = fit(found.model, held, n_epochs=1, rng=1, optimizer=SGD(1e-30))
    name = "pseudo_likelihood"
    np.testing.assert_allclose(found.history[f"held_out_{name}"][-1], again.history[name][0], rtol=1e-6)
    large = fit(RBM.uniform(30, 9, 0.1), np.ones((3, 30)), n_epochs=1, rng=1, held_out=np.ones((3, 30)))
    assert "held_out_log_likelihood" not in large.history.values
    assert "held_out_pseudo_likelihood" in large.history.values


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_early_stopping_keeps_the_best_machine_also_through_a_state(cut, tmp_path):
    # 53 rows and 10 hidden units: too many parameters, what is held out gets worse
    rbm, held = random_machine(6, 10, 2, 0.1), Ring(6).sample(0.6, 500, rng=9)
    options = {
        "negative": Exact(),
        "optimizer": Adam(0.05),
        "held_out": held,
        "record": ["held_out_log_likelihood"],
        "stop": EarlyStopping("held_out_log_likelihood", patience=25),
    }
    machines = []
    found = fit(
        rbm, SPINS, n_epochs=1000, rng=1, callback=lambda now: machines.append(now.state.model), **options
    )
    values = found.history["held_out_log_likelihood"]
    assert found.state.stopped
    assert len(values) == np.argmax(values) + 1 + 25 < 1000
    assert found.state.best_epoch == np.argmax(values) + 1
    np.testing.assert_array_equal(found.best.weights, machines[np.argmax(values)].weights)
    np.testing.assert_allclose(found.best.log_likelihood(held).mean(), values.max(), rtol=1e-12)
    np.testing.assert_array_equal(found.model.weights, machines[-1].weights)
    first = fit(rbm, SPINS, n_epochs=min(cut, len(values) - 1), rng=1, **options)
    first.state.save(tmp_path / "state.npz")
    second = fit(rbm, SPINS, n_epochs=1000, state=State.load(tmp_path / "state.npz"), **options)
    np.testing.assert_array_equal(second.best.weights, found.best.weights)
    np.testing.assert_array_equal(second.history["epoch"], found.history["epoch"])
    # without early stopping the best is the last
    plain = fit(rbm, SPINS, n_epochs=2, rng=1)
    assert plain.best is plain.model


def test_the_best_is_counted_anew_for_another_quantity():
    rbm = random_machine(6, 4, 2)
    one = fit(rbm, SPINS, n_epochs=4, rng=1, stop=EarlyStopping("pseudo_likelihood"))
    two = fit(rbm, SPINS, n_epochs=1, state=one.state, stop=EarlyStopping("reconstruction_error"))
    assert (one.state.best_of, two.state.best_of) == ("pseudo_likelihood", "reconstruction_error")
    assert two.state.best_epoch == 5
    assert EarlyStopping("kl").better(0.3, np.nan)
    assert not EarlyStopping("kl").better(np.nan, np.nan)
    assert not EarlyStopping("kl").better(0.3, 0.3)


def test_a_callback_may_answer_with_a_truth_value_of_numpy():
    def callback(now):
        return now.history["weight_norm"][-1] > 0

    assert fit(RBM64, SPINS, n_epochs=5, rng=1, callback=callback).state.epoch == 1
    assert fit(RBM64, SPINS, n_epochs=5, rng=1, callback=lambda now: len(now.history)).state.epoch == 5


def test_quasi_newton_steps_that_are_cut_short_are_those_of_the_history():
    for n_epochs in (1, 5):
        found = fit(RBM64, SPINS, negative=Exact(), optimizer=LBFGS(), n_epochs=n_epochs, rng=1)
        assert len(found.history) == n_epochs
        likelihood = found.model.log_likelihood(SPINS).mean()
        np.testing.assert_allclose(found.history["log_likelihood"][-1], likelihood, rtol=1e-13)


@pytest.mark.parametrize("negative", [CD(1), Exact()], ids=str)
def test_averages_over_the_last_epochs(negative):
    rbm, seen = random_machine(6, 4, 2), []
    options = {"negative": negative, "n_epochs": 5, "rng": 1, "precision": "float64"}
    found = fit(rbm, SPINS, average=3, callback=lambda now: seen.append(now.state.model), **options)
    mean = np.mean([model.weights for model in seen[2:]], axis=0)
    np.testing.assert_allclose(found.model.weights, mean, rtol=1e-14)
    plain = fit(rbm, SPINS, **options)
    np.testing.assert_array_equal(found.state.weights, plain.model.weights)
    all_of_them = fit(rbm, SPINS, average=9, **options)
    np.testing.assert_allclose(
        all_of_them.model.hidden_bias, np.mean([m.hidden_bias for m in seen], axis=0), rtol=1e-12
    )


def test_training_sets_and_other_arrays():
    data = training_set(Ring(6), [1.0, 2.0], 40, rng=1)
    rbm = random_machine(6, 4, 2)
    wanted = fit(rbm, data.configurations, n_epochs=1, rng=1).model.weights
    np.testing.assert_array_equal(fit(rbm, data, n_epochs=1, rng=1).model.weights, wanted)
    spins = np.asfortranarray(data.configurations.astype(float))
    spins.setflags(write=False)
    np.testing.assert_array_equal(fit(rbm, spins, n_epochs=1, rng=1).model.weights, wanted)
    np.testing.assert_array_equal(fit(rbm, spins.tolist(), n_epochs=1, rng=1).model.weights, wanted)


def test_repeated_rows_are_a_law():
    rows = np.array([[1, 1], [1, 1], [-1, 1]], dtype=np.int8)
    law = StateLaw([[1, 1], [-1, 1]], [2 / 3, 1 / 3])
    rbm = random_machine(2, 2, 1)
    found = [fit(rbm, data, negative=Exact(), n_epochs=3, rng=1).model.weights for data in (rows, law)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-14)


RBM64 = random_machine(6, 4, 2)
BAD = [
    ({"data": (SPINS + 1) // 2}, ValueError, "0/1 units"),
    ({"data": np.where(SPINS > 0, 1.0, np.nan)}, ValueError, "data holds nan"),
    ({"data": SPINS[:, :5]}, ValueError, "last axis must have 6"),
    ({"data": SPINS[:0]}, ValueError, "data is empty"),
    ({"data": []}, ValueError, "data is empty"),
    ({"data": SPINS[0]}, ValueError, r"\(n, n_visible\)"),
    ({"data": "spins"}, TypeError, "data"),
    ({"data": ring_law(5, 0.1)}, ValueError, "5 spins"),
    ({"model": "rbm"}, TypeError, "model='rbm'"),
    ({"model": RBM.uniform(6, 4, 1e39)}, ValueError, "too large for precision='float32'"),
    ({"negative": "pcd"}, TypeError, "negative='pcd'"),
    ({"negative": CD}, TypeError, "negative="),
    ({"optimizer": 0.1}, TypeError, "optimizer=0.1"),
    ({"optimizer": LBFGS()}, ValueError, "needs negative=Exact"),
    ({"optimizer": LBFGS(), "negative": Exact(), "l1": 0.1}, ValueError, "smooth"),
    ({"optimizer": LBFGS(), "negative": Exact(), "precision": "float32"}, ValueError, "float64"),
    ({"n_epochs": -1}, ValueError, "n_epochs=-1"),
    ({"batch_size": 0}, ValueError, "batch_size=0"),
    ({"tie": "ring"}, ValueError, "tie='ring'"),
    ({"tie": "uniform"}, ValueError, "not tied"),
    ({"tie": "translation"}, ValueError, "n_hidden=4 must be"),
    ({"mask": np.ones((6, 4))}, ValueError, "mask has dtype"),
    ({"mask": np.zeros((6, 4), dtype=bool)}, ValueError, "mask forbids"),
    ({"l1": -1.0}, ValueError, "l1=-1"),
    ({"l2": np.inf}, ValueError, "l2=inf"),
    ({"centred": 1}, TypeError, "centred=1"),
    ({"biases": "no"}, TypeError, "biases='no'"),
    ({"biases": 0}, TypeError, "biases=0"),
    ({"biases": np.zeros(6)}, TypeError, "biases="),
    ({"tie": np.zeros(6)}, ValueError, "tie="),
    ({"precision": ["float32"]}, ValueError, "precision="),
    ({"record": [["kl"]]}, ValueError, "record holds"),
    ({"callback": 3}, TypeError, "callback=3"),
    ({"progress": 3}, TypeError, "progress=3"),
    ({"precision": "float16"}, ValueError, "precision='float16'"),
    ({"record": "kl"}, TypeError, "record='kl'"),
    ({"record": ["entropy"]}, ValueError, "record holds 'entropy'"),
    ({"average": -1}, ValueError, "average=-1"),
    ({"record": ["held_out_log_likelihood"]}, ValueError, "held_out is needed"),
    ({"held_out": SPINS[:, :5]}, ValueError, "held_out has shape"),
    ({"held_out": SPINS[:0]}, ValueError, "held_out is empty"),
    ({"held_out": (SPINS + 1) // 2}, ValueError, "held_out holds 0"),
    ({"record_every": 0}, ValueError, "record_every=0"),
    ({"stop": 3}, TypeError, "stop=3"),
    ({"stop": EarlyStopping("kl")}, ValueError, "'kl' is not recorded"),
    ({"state": 3}, TypeError, "state=3"),
    ({"rng": "seed"}, TypeError, "rng='seed'"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD, ids=[str(b[0])[:40] for b in BAD])
def test_bad_input(arguments, error, message):
    arguments = {"model": RBM64, "data": SPINS, "n_epochs": 1, "rng": 1} | arguments
    with pytest.raises(error, match=message):
        fit(arguments.pop("model"), arguments.pop("data"), **arguments)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CD(0), ValueError, "k=0"),
        (lambda: PCD(1, 0), ValueError, "n_chains=0"),
        (lambda: PCD(1.5), TypeError, "k=1.5"),
        (lambda: Tempered([0.9, 0.5]), ValueError, "descending from 1"),
        (lambda: Tempered([1.0, 0.5, 0.6]), ValueError, "descending from 1"),
        (lambda: Tempered(1), ValueError, "ladder=1"),
        (lambda: Tempered([1.0, np.nan]), ValueError, "NaN"),
        (lambda: SGD(0), ValueError, "rate=0"),
        (lambda: SGD(np.nan), ValueError, "rate=nan"),
        (lambda: Momentum(0.1, 1.0), ValueError, "momentum=1.0"),
        (lambda: Adam(0.1, first=-0.1), ValueError, "first=-0.1"),
        (lambda: Adam(0.1, epsilon=0), ValueError, "epsilon=0"),
        (lambda: LBFGS(-1), ValueError, "gradient=-1"),
        (lambda: LBFGS(memory=0), ValueError, "memory=0"),
        (lambda: Decay(0.0), ValueError, "start=0.0"),
        (lambda: Exponential(0.1, 1.5), ValueError, "factor=1.5"),
        (lambda: EarlyStopping("loss"), ValueError, "quantity='loss'"),
        (lambda: EarlyStopping(["kl"]), ValueError, "quantity="),
        (lambda: EarlyStopping(patience=0), ValueError, "patience=0"),
        (lambda: EarlyStopping(least=-1), ValueError, "least=-1"),
        (lambda: Checkpoint("x", every=0), ValueError, "every=0"),
        (lambda: tied(3), TypeError, "rbm=3"),
        (lambda: tied(RBM64, "ring"), ValueError, "tie='ring'"),
    ],
)
def test_bad_choices(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_exact_gradients_of_large_machines_are_refused():
    with pytest.raises(ValueError, match="smaller layer has 21"):
        fit(RBM.uniform(21, 30, 0.1), np.ones((2, 21)), negative=Exact(), n_epochs=1, rng=1)


def test_states_that_do_not_fit():
    state = fit(RBM64, SPINS, negative=PCD(1, 5), n_epochs=1, rng=1).state
    for arguments, message in (
        ({"negative": PCD(1, 6)}, "number of chains"),
        ({"negative": PCD(1, 5), "precision": "float64"}, "precision"),
        ({"negative": PCD(1, 5), "optimizer": Adam(0.1)}, "memory of the optimiser"),
        ({"negative": PCD(1, 5), "record": ["weight_norm"]}, "recorded"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(RBM64, SPINS, n_epochs=1, state=state, **arguments)
    with pytest.raises(ValueError, match=r"best is float64 of shape \(3,\)"):
        replace(state, best=np.ones(3))
    with pytest.raises(ValueError, match="chains_hidden is int8 of shape"):
        replace(state, chains_hidden=state.chains_hidden[:, :, :3])
    for value in (
        10**400,
        True,
        "1",
    ):  # the first is beyond a float64: the history would be an array of objects
        with pytest.raises(TypeError, match=r"history\['weight_norm'\] holds"):
            replace(state, history={**state.history, "weight_norm": [value]})
    # as many free parameters, others: the state's weights are not those that the mask allows
    mask = np.arange(24).reshape(6, 4) % 2 == 0
    other = fit(tied(RBM64, mask=~mask), SPINS, n_epochs=1, mask=~mask, rng=1).state
    with pytest.raises(ValueError, match="mask forbids"):
        fit(tied(RBM64, mask=mask), SPINS, n_epochs=1, mask=mask, state=other)
    with pytest.raises(ValueError, match="its weights have shape"):
        fit(random_machine(6, 5, 1), SPINS, negative=PCD(1, 5), n_epochs=1, state=state)


def test_a_rate_that_is_too_large_is_told():
    # and by nothing else: warnings are errors here
    for optimizer in (SGD(3e38), Momentum(1e300), Adam(1e300)):
        with pytest.raises(ArithmeticError, match="smaller learning rate"):
            fit(RBM64, SPINS, negative=CD(1), optimizer=optimizer, n_epochs=20, rng=1)


def test_a_history_is_a_dict_of_arrays():
    found = fit(RBM64, SPINS, n_epochs=2, rng=1, record=["weight_norm"]).history
    as_dict = dict(found)
    assert list(as_dict) == list(found) == ["epoch", "weight_norm"]
    np.testing.assert_array_equal(as_dict["epoch"], [1, 2])
    assert "epoch" in found
    assert "kl" not in found


def test_truth_values_are_refused_with_what_helps():
    with pytest.raises(TypeError, match=r"data holds truth values.*np\.where\(data, 1, -1\)"):
        fit(RBM64, SPINS > 0, n_epochs=1)
    with pytest.raises(TypeError, match=r"held_out holds truth values"):
        fit(RBM64, SPINS, n_epochs=1, held_out=SPINS > 0)


def test_likelihoods_along_a_run_of_machines_of_any_size(monkeypatch):
    monkeypatch.setattr("rbmflow.likelihood.partition.exact_in_seconds", lambda _: False)
    names = ["annealed_log_likelihood", "annealed_lower", "annealed_upper", "n_effective"]
    names += ["held_out_annealed_log_likelihood", "log_likelihood", "held_out_log_likelihood"]
    found = fit(RBM64, SPINS, n_epochs=2, rng=1, record=names, held_out=SPINS[:50]).history
    assert (found["annealed_lower"] < found["log_likelihood"]).all()
    assert (found["log_likelihood"] < found["annealed_upper"]).all()
    np.testing.assert_allclose(found["annealed_log_likelihood"], found["log_likelihood"], rtol=0, atol=0.1)
    np.testing.assert_allclose(
        found["held_out_annealed_log_likelihood"] - found["annealed_log_likelihood"],
        found["held_out_log_likelihood"] - found["log_likelihood"],
        rtol=1e-9,
    )
    assert (found["n_effective"] > 10).all()
    with pytest.raises(ValueError, match="held_out is needed"):
        fit(RBM64, SPINS, n_epochs=1, record=["held_out_annealed_log_likelihood"])


@pytest.mark.parametrize("negative", [PCD(1, 10**7), Tempered(1000, 1, 10**4)], ids=["pcd", "tempered"])
def test_chains_that_would_not_fit_into_memory_are_refused_before_work(negative, monkeypatch):
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 2**28)
    with pytest.raises(
        MemoryError, match=r"and 10000000 chains: .* of memory are needed, there are 0.25 GiB"
    ):
        fit(RBM64, SPINS, negative=negative, n_epochs=1)
    monkeypatch.setattr("rbmflow.hardware._memory", lambda: 2**40)
    assert fit(RBM64, SPINS, negative=PCD(1, 3), n_epochs=0).state.epoch == 0
