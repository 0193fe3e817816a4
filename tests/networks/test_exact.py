"""Exact values against the double sum over both layers, against closed forms, and against each other."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from rbmflow import RBM, LikelihoodWarning, Ring, Torus
from rbmflow.ising import state_law
from rbmflow.networks import (
    BoltzmannMachine,
    boltzmann_kl,
    effective_coupling,
    effective_couplings,
    effective_pairs,
    exact_log_partition,
    exact_moments,
    hidden_law,
    kl_divergence,
    layer_sums,
    listed,
    sample_exactly,
    visible_law,
)
from rbmflow.networks import exact as module
from rbmflow.spins import all_states
from rbmflow.state_law import StateLaw, normalised
from rbmflow.training.moments import divergence as recorded_divergence
from rbmflow.training.parameters import Parameters
from tests.exact import private
from tests.networks.machines import joint_weights, random_machine, states

SHAPES = [(1, 1), (4, 3), (3, 5), (1, 6), (7, 2)]


@pytest.mark.parametrize("scale", [0.3, 3.0, 60.0, 1e3, 1e6])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (7, 12), (12, 7), (16, 3)], ids=str)
def test_weights_of_all_states_are_free_energies_one_by_one(shape, scale, monkeypatch):
    monkeypatch.setattr(listed, "NUMBERS_AT_ONCE", 128)
    monkeypatch.setattr(layer_sums, "LISTED_AT_ONCE", 2**14)
    rbm = random_machine(*shape, seed=9, scale=scale)
    wanted = -rbm.free_energy(all_states(shape[0]))
    found = listed.all_log_weights(module.visible_layer(rbm))
    # exponents as large as the sums of weights are rounded
    largest = np.abs(rbm.weights).sum() + np.abs(rbm.visible_bias).sum() + np.abs(rbm.hidden_bias).sum()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=5e-16 * (largest + shape[1]))
    shares = listed.all_probabilities(module.visible_layer(rbm))
    np.testing.assert_allclose(shares, normalised(wanted), rtol=1e-15 * (largest + shape[1]), atol=1e-300)


def test_the_kernel_and_the_matrices_list_the_same_weights():
    seen = module.visible_layer(random_machine(17, 20, seed=3, scale=0.3))
    result = np.empty(2**17)
    assert layer_sums.list_weights(seen, result, lambda rows, scales: None)
    np.testing.assert_allclose(listed.all_log_weights(seen), listed._by_matrices(seen), rtol=0, atol=2e-14)


@pytest.mark.parametrize("shape", [(2, 1100), (12, 1950)])
def test_many_units_without_couplings_do_not_overflow(shape):
    rbm = RBM(np.full(shape, 1e-6))
    law = visible_law(rbm)
    np.testing.assert_allclose(law.probabilities, 2.0 ** -shape[0], rtol=1e-5)
    assert 0 <= kl_divergence(law, rbm) < 1e-20
    assert np.isfinite(effective_couplings(rbm)).all()


def test_weights_beyond_the_kernel_take_the_matrices():
    seen = module.visible_layer(random_machine(11, 40, seed=3, scale=5.0))
    assert not layer_sums.list_weights(seen, np.empty(2**11), lambda rows, scales: None)
    np.testing.assert_array_equal(listed.all_log_weights(seen), listed._by_matrices(seen))


def test_memory_of_laws_over_all_states():
    rbm, n = random_machine(20, 16, seed=4), 20

    def peak(call):
        tracemalloc.start()
        call()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    law, numbers, blocks = visible_law(rbm), 8 * 2**n, 2**22
    assert peak(lambda: visible_law(rbm)) < (n + 8) * 2**n + blocks
    assert peak(lambda: kl_divergence(law, rbm)) < 2 * numbers + blocks
    assert peak(lambda: effective_couplings(rbm)) < numbers + blocks


def test_a_law_of_our_own_is_that_of_the_checked_constructor():
    rbm = random_machine(9, 6, seed=4)
    own = visible_law(rbm)
    given = StateLaw(all_states(9), own.probabilities)
    assert own.in_order
    assert given.in_order
    np.testing.assert_array_equal(own.states, given.states)
    assert not own.states.flags.writeable
    assert not own.probabilities.flags.writeable
    shuffled = np.random.default_rng(1).permutation(2**9)
    other = StateLaw(own.states[shuffled], own.probabilities[shuffled])
    assert not other.in_order
    assert not StateLaw([[1, 1]], [1.0]).in_order
    machine = random_machine(9, 6, seed=5)
    wanted = kl_divergence(other, machine)
    for law in (own, given):
        assert kl_divergence(law, machine) == pytest.approx(wanted, rel=1e-13, abs=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_log_partition_is_the_double_sum(shape):
    rbm = random_machine(*shape, seed=1)
    # sums of at most 256 terms: a few roundings of 1e-16 each
    assert exact_log_partition(rbm) == pytest.approx(np.log(joint_weights(rbm).sum()), abs=1e-13)


@pytest.mark.parametrize("shape", [(14, 13), (13, 14), (15, 15)])
def test_layers_enumerated_in_several_chunks_agree_with_the_transposed_machine(shape, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 2**10)
    rbm = random_machine(*shape, seed=2, scale=0.2)
    other = RBM(rbm.weights.T, rbm.hidden_bias, rbm.visible_bias)
    v = all_states(rbm.n_visible)
    log_weight = -rbm.free_energy(v)
    direct = log_weight.max() + np.log(np.exp(log_weight - log_weight.max()).sum())
    assert exact_log_partition(rbm) == pytest.approx(direct, abs=1e-12)
    assert exact_log_partition(other) == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize("scale", [3.0, 30.0, 300.0])
def test_large_weights_do_not_overflow(scale):
    # the sum in 50 digits; float64 has ln Z to 1e-15 of its largest term
    rbm, ctx = random_machine(5, 4, seed=3, scale=scale), private(50)
    v, h = states(5), states(4)
    exponents = [
        ctx.fdot(map(float, row), map(float, col))
        + ctx.fdot(rbm.visible_bias, one)
        + ctx.fdot(rbm.hidden_bias, two)
        for one in v.tolist()
        for two in h.tolist()
        for row, col in [
            (
                [x for x in one for _ in two],
                [y * w for x, ws in zip(one, rbm.weights, strict=True) for y, w in zip(two, ws, strict=True)],
            )
        ]
    ]
    wanted = ctx.log(ctx.fsum(map(ctx.exp, exponents)))
    assert exact_log_partition(rbm) == pytest.approx(float(wanted), rel=1e-14, abs=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_moments_are_those_of_the_joint_law(shape):
    rbm = random_machine(*shape, seed=4)
    p = joint_weights(rbm)
    p /= p.sum()
    v, h = states(rbm.n_visible), states(rbm.n_hidden)
    found = exact_moments(rbm)
    np.testing.assert_allclose(found.visible, p.sum(axis=1) @ v, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.hidden, p.sum(axis=0) @ h, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.coupled, v.T @ p @ h, rtol=0, atol=1e-13)
    assert found.log_partition == pytest.approx(exact_log_partition(rbm), abs=1e-13)


def test_moments_are_the_gradient_of_log_partition():
    rbm = random_machine(5, 4, seed=5)
    moments, step = exact_moments(rbm), 1e-4
    parameters = (rbm.weights, rbm.visible_bias, rbm.hidden_bias)
    gradients = (moments.coupled, moments.visible, moments.hidden)
    for k, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            values = []
            for sign in (1, -1):
                changed = [np.array(one) for one in parameters]
                changed[k][index] += sign * step
                values.append(exact_log_partition(RBM(*changed)))
            # third derivatives of ln Z of order 1 times step²/6, and rounding 1e-15/step
            assert gradient[index] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_laws_of_the_layers_are_the_marginals(shape):
    rbm = random_machine(*shape, seed=6)
    p = joint_weights(rbm)
    p /= p.sum()
    for law, wanted, n in (
        (visible_law(rbm), p.sum(axis=1), rbm.n_visible),
        (hidden_law(rbm), p.sum(axis=0), rbm.n_hidden),
    ):
        order = np.lexsort(law.states.T[::1][::-1])  # the first site most significant
        np.testing.assert_array_equal(law.states[order], states(n))
        np.testing.assert_allclose(law.probabilities[order], wanted, rtol=1e-12)
    moments = exact_moments(rbm)
    np.testing.assert_allclose(visible_law(rbm).means, moments.visible, rtol=0, atol=1e-13)
    np.testing.assert_allclose(hidden_law(rbm).means, moments.hidden, rtol=0, atol=1e-13)


def test_log_likelihood_is_the_logarithm_of_the_law():
    rbm = random_machine(6, 4, seed=7)
    law = visible_law(rbm)
    np.testing.assert_allclose(rbm.log_likelihood(law.states), np.log(law.probabilities), rtol=0, atol=1e-12)
    with pytest.warns(LikelihoodWarning, match=r"log_partition=0 is too small: ln p\(v\) = 9.73624 > 0 is"):
        shifted = rbm.log_likelihood(law.states, log_partition=0.0)
    np.testing.assert_array_equal(shifted, -rbm.free_energy(law.states))


def test_divergence_of_laws_that_list_all_or_some_states():
    rbm = random_machine(4, 3, seed=8)
    p = visible_law(rbm)
    rng = np.random.default_rng(9)
    q = rng.random(16)
    q[:3] = 0
    q /= q.sum()
    wanted = sum(a * np.log(a / b) for a, b in zip(q, p.probabilities, strict=True) if a > 0)
    assert kl_divergence(StateLaw(p.states, q), rbm) == pytest.approx(wanted, rel=1e-12, abs=0)
    assert kl_divergence(StateLaw(p.states[3:], q[3:]), rbm) == pytest.approx(wanted, rel=1e-12, abs=0)
    # of itself: d is a few 1e-16, the terms its squares
    assert 0 <= kl_divergence(p, rbm) < 1e-28


# theory § 7, copy weights 2, 3, 4, 6, 8; the digits it prints
@pytest.mark.parametrize(
    ("lattice", "K", "divergences"),
    [
        (Ring(8), 1.0, ["1.8e-02", "5.0e-04", "9.9e-06", "3.4e-09", "1.1e-12"]),
        (Torus(4, 4), 0.4407, ["2.4e-02", "5.8e-04", "1.1e-05", "3.77e-09", "1.27e-12"]),
    ],
)
def test_decimating_machines_approach_the_lattice(lattice, K, divergences):
    law = state_law(lattice, K)
    found = [kl_divergence(law, RBM.decimating(lattice, K, c)) for c in (2, 3, 4, 6, 8)]
    digits = [len(text.split("e")[0]) - 2 for text in divergences]
    assert [f"{value:.{n}e}" for value, n in zip(found, digits, strict=True)] == divergences
    # and go on falling as e^(-4c), far below the rounding of a plain sum
    far = [kl_divergence(law, RBM.decimating(lattice, K, c)) for c in (9, 10, 11)]
    np.testing.assert_allclose(np.diff(np.log(far)), -4, rtol=0, atol=0.01)


def exact_divergence(law, rbm, states):
    """The plain sum over states with weight in 50 digits, of the float64 numbers q and the machine's."""
    ctx = private(50)
    weights = [[ctx.mpf(w) for w in row] for row in rbm.weights.tolist()]
    log_p = []
    for v in all_states(rbm.n_visible).tolist():
        fields = [
            c + ctx.fdot(v, column)
            for c, column in zip(rbm.hidden_bias, zip(*weights, strict=True), strict=True)
        ]
        log_p.append(ctx.fdot(v, rbm.visible_bias) + sum(ctx.log(2 * ctx.cosh(x)) for x in fields))
    log_z = ctx.log(sum(ctx.exp(x) for x in log_p))
    q = [ctx.mpf(float(x)) for x in law.probabilities]
    total = sum(q)
    places = (states > 0) @ (1 << np.arange(rbm.n_visible))
    return float(
        sum(a / total * (ctx.log(a / total) - log_p[i] + log_z) for i, a in zip(places, q, strict=True))
    )


@pytest.mark.parametrize("copy_weight", [4, 9, 12])
def test_every_divergence_keeps_the_digits_of_small_ones(copy_weight):
    law, rbm = state_law(Ring(8), 1.0), RBM.decimating(Ring(8), 1.0, copy_weight)
    wanted = exact_divergence(law, rbm, law.states)
    if copy_weight == 9:
        assert f"{wanted:.4e}" == "2.0703e-14"
    # the terms are squares of ln p/q, of order e^(-2c) and rounded at some 1e-15
    error = 4e-15 / np.exp(-2 * copy_weight)
    assert kl_divergence(law, rbm) == pytest.approx(wanted, rel=error, abs=0)
    assert boltzmann_kl(BoltzmannMachine.from_rbm(rbm), law) == pytest.approx(wanted, rel=error, abs=0)
    parameters = Parameters(rbm, np.float64)
    recorded = recorded_divergence(
        parameters, law.states.astype(float), law.probabilities, exact_log_partition(rbm)
    )
    assert recorded == pytest.approx(wanted, rel=error, abs=0)


def test_states_that_a_law_does_not_list_have_the_rest_of_p():
    # two aligned states of a cold machine: all the divergence is p of the others, 1e-21, lost in 1 − Σ p
    law, rbm = StateLaw([[1] * 6, [-1] * 6], [0.5, 0.5]), RBM.uniform(6, 3, 8.0)
    wanted = exact_divergence(law, rbm, law.states)
    assert 0 < wanted < 1e-19
    # the squares of ln p, a sum of terms of size 150 that rounds at 3e-14
    assert kl_divergence(law, rbm) == pytest.approx(wanted, rel=1e-13, abs=1e-27)
    assert boltzmann_kl(BoltzmannMachine.from_rbm(rbm), law) == pytest.approx(wanted, rel=1e-13, abs=1e-27)
    # 17 spins: by the complement
    many = StateLaw([[1] * 17, [-1] * 17], [0.5, 0.5])
    assert kl_divergence(many, RBM.uniform(17, 1, 0.0)) == pytest.approx(16 * np.log(2), rel=1e-14, abs=0)
    # probabilities whose ratio leaves the doubles
    faint = StateLaw([[1, 1], [-1, -1], [1, -1]], [0.5, 0.5, 5e-324])
    assert kl_divergence(faint, RBM.uniform(2, 1, 0.0)) == pytest.approx(np.log(2), rel=1e-14, abs=0)


@pytest.mark.parametrize("copy_weight", [0.0, 0.7, 2.0, 8.0])
def test_the_hidden_layer_of_a_decimating_ring_is_the_decimated_ring(copy_weight):
    law = hidden_law(RBM.decimating(Ring(8), 1.0, copy_weight))
    half = state_law(Ring(4), np.arctanh(np.tanh(1.0) ** 2))  # thesis eq. 48
    np.testing.assert_allclose(law.probabilities, half.probabilities, rtol=1e-12)
    assert law.correlations[0, 1] == pytest.approx(0.696347, abs=5e-7)


@pytest.mark.parametrize("lattice", [Torus(4, 4), Torus(2, 4)])
def test_the_hidden_layer_of_a_decimating_torus_is_the_marginal_of_a_sublattice(lattice):
    whole = state_law(lattice, 0.4407)
    y, x = np.divmod(np.arange(lattice.n_sites), lattice.n_cols)
    kept = np.flatnonzero((x + y) % 2 == 0)
    index = ((whole.states[:, kept] + 1) // 2).astype(np.int64) @ (1 << np.arange(len(kept)))
    marginal = np.bincount(index, weights=whole.probabilities)
    law = hidden_law(RBM.decimating(lattice, 0.4407, 1.3))
    np.testing.assert_allclose(law.probabilities, marginal, rtol=1e-12)


@pytest.mark.parametrize("K", [0.0, 1e-8, 0.05, 0.3, 1.0, 5.0])
@pytest.mark.parametrize("n", [3, 8])
def test_the_local_machine_is_the_ring(n, K):
    rbm = RBM.local_ring(n, K)
    # rounding of the free energies, n K times 1e-16; the divergence is its square
    assert kl_divergence(state_law(Ring(n), K), rbm) < 1e-26
    assert np.tanh(rbm.weights[0, 0]) ** 2 == pytest.approx(np.tanh(K), rel=1e-13, abs=0)


def bonds_traced_out(n, K):
    """ln Z of the local machine: each hidden unit leaves 2 e^K beside its bond."""
    return n * (np.log(2) + K) + Ring(n).log_partition(K)


@pytest.mark.parametrize("n", [4, 13, 20, 22])
def test_the_local_machine_has_ln_z_and_the_energy_of_the_ring(n):
    rbm = RBM.local_ring(n, 0.6)
    assert exact_log_partition(rbm) == pytest.approx(bonds_traced_out(n, 0.6), rel=1e-14, abs=0)
    moments = exact_moments(rbm)
    np.testing.assert_allclose(moments.visible, 0, rtol=0, atol=1e-13)
    # given v and v' the mean of h is tanh w(v + v'): ⟨v h⟩ = tanh 2w (1 + ⟨v v'⟩)/2
    wanted = np.tanh(2 * rbm.weights[0, 0]) * (1 + Ring(n).correlation(0.6, 1)) / 2
    np.testing.assert_allclose(moments.coupled[rbm.weights > 0], wanted, rtol=1e-13)


def test_laws_of_long_layers_need_little_memory():
    # the fields of all states at once were 2^18 × 200 doubles, 400 MB, and twice that for their logarithms
    rbm = random_machine(200, 18, seed=12, scale=0.05)
    tracemalloc.start()
    law = hidden_law(rbm)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # a block has 2^22 numbers, 32 MB, in at most 5 arrays;
    # law and states are 2^18 × 18 bytes and some doubles
    assert peak < 200e6
    few = np.random.default_rng(13).integers(2**18, size=50)
    np.testing.assert_allclose(
        law.probabilities[few],
        np.exp(-np.array([rbm.free_energy_hidden(h) for h in law.states[few]]) - exact_log_partition(rbm)),
        rtol=1e-11,  # the logarithm is that of 200 terms, of a size of 200
    )


@pytest.mark.slow
def test_thirty_units():
    # 2^30 states
    rbm = RBM.local_ring(30, 0.6)
    assert exact_log_partition(rbm) == pytest.approx(bonds_traced_out(30, 0.6), rel=1e-14, abs=0)


def test_exact_samples_have_the_law():
    # chi-square over 8 and 16 states; false alarm 1e-6 each, seeds fixed
    for shape in ((3, 4), (4, 2)):
        rbm = random_machine(*shape, seed=10)
        law, n = visible_law(rbm), 50_000
        spins = sample_exactly(rbm, n, rng=11)
        assert spins.dtype == np.int8
        index = ((spins + 1) // 2) @ (1 << np.arange(shape[0]))
        counts = np.bincount(index, minlength=2 ** shape[0])
        assert stats.chisquare(counts, n * law.probabilities).pvalue > 1e-6


@pytest.mark.parametrize("scale", [0.3, 30.0], ids=["by halves", "by chunks"])
@pytest.mark.parametrize("turned", [False, True])
def test_exact_samples_of_more_units_than_a_table_holds(scale, turned, monkeypatch):
    # 17 units, of which 3 are the last ones; against the law of the listed states in a
    # chi-square of 40 groups of states, and against the means and correlations of both
    # layers: false alarms 1e-6 and 6e-7 each, seeds fixed
    rbm = random_machine(18, 17, seed=14, scale=scale / 17**0.5)
    rng = np.random.default_rng(18)
    rbm = RBM(rbm.weights, rng.normal(0, 0.5, 18), rng.normal(0, 0.5, 17))
    if scale > 1:
        monkeypatch.setattr(module, "fits_tables", lambda _: False)
    law, n = hidden_law(rbm), 4000
    machine = RBM(rbm.weights.T, rbm.hidden_bias, rbm.visible_bias) if turned else rbm
    spins = sample_exactly(machine, n, rng=15)
    assert spins.dtype == np.int8
    moments = exact_moments(machine)
    spread = np.sqrt((1 - moments.visible**2) / n)
    assert (np.abs(spins.mean(axis=0) - moments.visible) < 5 * spread + 1e-9).all()
    pairs = spins.T.astype(float) @ machine.mean_hidden(spins) / n
    assert (np.abs(pairs - moments.coupled) < 5 / np.sqrt(n)).all()
    if turned:  # the layer that is enumerated is the visible one
        index = ((spins + 1) // 2) @ (1 << np.arange(17))
        order = np.random.default_rng(16).permutation(2**17) if scale < 1 else np.argsort(law.probabilities)
        groups = np.minimum(np.cumsum(law.probabilities[order]) * 40, 39.999).astype(int)
        wanted = n * np.bincount(groups, law.probabilities[order], minlength=40)
        counts = np.bincount(groups[np.argsort(order)][index], minlength=40)
        used = wanted > 5
        assert (
            stats.chisquare(counts[used], wanted[used] / wanted[used].sum() * counts[used].sum()).pvalue
            > 1e-6
        )
    assert sample_exactly(machine, 0, rng=1).shape == (0, machine.n_visible)
    np.testing.assert_array_equal(sample_exactly(machine, 5, rng=2), sample_exactly(machine, 5, rng=2))


def test_exact_samples_whose_last_units_stand_still():
    # all of them in state 1 of the last three units; then all in the last state
    for signs in ([1, -1, -1], [1, 1, 1]):
        bias = np.concatenate([np.full(14, -20.0), 20.0 * np.array(signs)])
        spins = sample_exactly(RBM(np.zeros((17, 20)), bias), 6, rng=19)
        np.testing.assert_array_equal(spins, np.broadcast_to(np.sign(bias), (6, 17)))


def test_what_takes_seconds():
    assert module.exact_in_seconds(RBM.uniform(26, 26, 0.1))
    assert module.exact_in_seconds(RBM.uniform(1024, 26, 0.1))
    assert not module.exact_in_seconds(RBM.uniform(26, 1025, 0.1))
    assert not module.exact_in_seconds(RBM.uniform(27, 27, 0.1))
    # weights too large for tables of exponentials
    assert module.exact_in_seconds(RBM.uniform(18, 18, 100.0))
    assert not module.exact_in_seconds(RBM.uniform(19, 19, 100.0))
    with pytest.raises(TypeError, match="rbm is a int"):
        module.exact_in_seconds(3)


def test_exact_samples_of_24_units_need_little_memory_and_seconds():
    # 2^24 states of 24 units alone were 400 MB
    rbm = RBM.local_ring(24, 0.4)
    tracemalloc.start()
    spins = sample_exactly(rbm, 300, rng=17)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    # 5 standard errors of 300 rows of 24 bonds, correlated as the ring's are: 6e-7
    bonds = (spins * np.roll(spins, 1, axis=1)).mean(axis=1)
    assert abs(bonds.mean() - np.tanh(0.4)) < 5 * bonds.std() / 300**0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: exact_log_partition(RBM.uniform(31, 40, 0.1)),
            ValueError,
            "31 visible and 40 hidden.*at most 30",
        ),
        (lambda: exact_moments(RBM.uniform(64, 64, 0.1)), ValueError, "at most 30"),
        (lambda: RBM.uniform(31, 31, 0.1).log_likelihood(np.ones(31)), ValueError, "at most 30"),
        (lambda: visible_law(RBM.uniform(25, 2, 0.1)), ValueError, "n_visible=25: at most 24"),
        (lambda: hidden_law(RBM.uniform(2, 25, 0.1)), ValueError, "n_hidden=25: at most 24"),
        (lambda: sample_exactly(RBM.uniform(25, 25, 0.1), 1, rng=1), ValueError, "at most 24"),
        (lambda: sample_exactly(RBM.uniform(2, 2, 0.1), -1, rng=1), ValueError, "size=-1"),
        (lambda: sample_exactly(RBM.uniform(2, 2, 0.1), 1, rng="x"), TypeError, "rng='x'"),
        (lambda: kl_divergence(state_law(Ring(4), 1.0), RBM.uniform(3, 2, 0.1)), ValueError, "over 4 spins"),
        (
            lambda: kl_divergence([0.5, 0.5], RBM.uniform(1, 2, 0.1)),
            TypeError,
            "law is a list: a StateLaw is needed",
        ),
        (lambda: kl_divergence(state_law(Ring(4), 1.0), "rbm"), TypeError, "rbm is a str"),
        (lambda: exact_log_partition(3), TypeError, "rbm is a int"),
        (lambda: exact_moments(3), TypeError, "rbm is a int"),
        (lambda: visible_law(3), TypeError, "rbm is a int"),
        (lambda: hidden_law(3), TypeError, "rbm is a int"),
        (lambda: sample_exactly(3, 1, rng=1), TypeError, "rbm is a int"),
        (lambda: BoltzmannMachine.from_rbm(3), TypeError, "rbm is a int"),
        (lambda: effective_couplings(3), TypeError, "rbm is a int"),
        (lambda: effective_coupling(3, [1]), TypeError, "rbm is a int"),
        (lambda: effective_coupling(RBM.uniform(2, 2, 0.1), 1), TypeError, "sites=1"),
        (lambda: effective_pairs(3), TypeError, "rbm is a int"),
        (lambda: RBM.uniform(2, 2, 0.1).log_likelihood([0, 1]), ValueError, "v holds 0.*0/1"),
        (
            lambda: RBM.uniform(2, 2, 0.1).log_likelihood([1, 1], log_partition=np.nan),
            ValueError,
            "log_partition",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()
