"""The maps of any machine: types and shapes, laws, independence of threads and SIMD level, bad input."""

import numpy as np
import pytest
from scipy.stats import chi2

from rbmflow import RBM, Ring, flow
from rbmflow._kernels import simd
from rbmflow.hardware import SIMD_LEVELS
from rbmflow.spins import all_states

LEVELS = SIMD_LEVELS[: simd.supported() + 1]


def machine(n_visible, n_hidden, scale=1.0, seed=1):
    rng = np.random.default_rng(seed)
    weights = scale * rng.normal(size=(n_visible, n_hidden)) / np.sqrt(n_visible)
    return RBM(weights, 0.3 * scale * rng.normal(size=n_visible), 0.3 * scale * rng.normal(size=n_hidden))


def means(shape, seed=2):
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def by_hand(rbm, v):
    return np.tanh(np.tanh(v @ rbm.weights + rbm.hidden_bias) @ rbm.weights.T + rbm.visible_bias)


# 40 terms of order 1 in each sum and slopes of order 1: 1e-14 and 1e-5 are some ten times what rounding does
@pytest.mark.parametrize(("real", "atol"), [(np.float64, 1e-14), (np.float32, 1e-5)])
@pytest.mark.parametrize(("n_visible", "n_hidden"), [(40, 20), (7, 13), (1, 3)])
def test_mean_field_of_batches(n_visible, n_hidden, real, atol):
    rbm = machine(n_visible, n_hidden)
    for shape in (
        (n_visible,),
        (0, n_visible),
        (1, n_visible),
        (5, 2, n_visible),
        (0, 3, n_visible),
        (3000, n_visible),
    ):
        v = means(shape).astype(real)
        before = v.copy()
        found = flow.mean_field(rbm, v)
        assert found.shape == shape
        assert found.dtype == real
        np.testing.assert_allclose(found, by_hand(rbm, v.astype(float)), rtol=0, atol=atol)
        np.testing.assert_array_equal(v, before)
        assert not np.shares_memory(found, v)


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_many_steps_are_one_after_the_other(real):
    for rbm in (machine(20, 30), RBM.uniform(20, 30, 0.05)):
        v = means((1500, 20)).astype(real)
        wanted = v
        for n_steps in range(4):
            np.testing.assert_array_equal(flow.mean_field(rbm, v, n_steps=n_steps), wanted)
            wanted = flow.mean_field(rbm, wanted)
        assert wanted.dtype == real


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_neither_threads_nor_simd_level_change_a_bit(monkeypatch, real):
    rbm, v = machine(50, 70), means((9000, 50)).astype(real)
    wanted = flow.mean_field(rbm, v, n_steps=3, n_threads=1)
    for level in LEVELS:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        for n_threads in (1, 2, 3):
            found = flow.mean_field(rbm, v, n_steps=3, n_threads=n_threads)
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_a_configuration_flows_alike_in_any_batch(real):
    rbm, v = machine(30, 45), means((500, 30)).astype(real)
    wanted = flow.mean_field(rbm, v, n_steps=4)
    for first, last in ((0, 1), (3, 8), (100, 117), (77, 400), (499, 500)):
        np.testing.assert_array_equal(flow.mean_field(rbm, v[first:last], n_steps=4), wanted[first:last])


def test_other_layouts_and_types_of_the_same_numbers():
    rbm, v = machine(6, 4), np.round(means((10, 6)) * 4) / 4
    wanted = flow.mean_field(rbm, v)
    read_only = v.copy()
    read_only.setflags(write=False)
    apart = np.zeros((10, 12))
    apart[:, ::2] = v
    for same in (
        v.tolist(),
        np.asfortranarray(v),
        read_only,
        apart[:, ::2],
        v.astype(">f8"),
        v.astype(np.float16),
    ):
        found = flow.mean_field(rbm, same)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, wanted)
    found = flow.mean_field(rbm, v.astype(">f4"))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, flow.mean_field(rbm, v.astype(np.float32)))
    spins = np.sign(v + 0.01)
    for kind in (np.int8, np.int64, object):
        np.testing.assert_array_equal(flow.mean_field(rbm, spins.astype(kind)), flow.mean_field(rbm, spins))


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_without_biases_the_map_is_odd(real):
    for rbm in (RBM(machine(30, 20, 2.0).weights), RBM.uniform(30, 20, 0.1)):
        v = means((300, 30)).astype(real)
        np.testing.assert_array_equal(
            flow.mean_field(rbm, -v, n_steps=5), -flow.mean_field(rbm, v, n_steps=5)
        )
        np.testing.assert_array_equal(flow.mean_field(rbm, 0 * v), 0 * v)


@pytest.mark.parametrize("real", [np.float64, np.float32])
def test_undecided_spins_stay_so_under_equal_weights(real):
    v = all_states(8)[np.abs(all_states(8).sum(axis=1)) == 0].astype(real)
    found = flow.mean_field(RBM.uniform(8, 4, 0.7), v, n_steps=50)
    assert found.dtype == real
    assert not found.any()


def test_sign_is_the_limit_of_any_machine():
    v = means((200, 9))
    limit = flow.sign(machine(9, 5), v)
    assert np.abs(limit).min() == 1
    found = flow.mean_field(machine(9, 5, 1e9), v)  # the same machine times 1e9: every field is beyond 20
    np.testing.assert_array_equal(found, limit)


@pytest.mark.parametrize("shape", [(4,), (0, 4), (7, 4), (2, 3, 4)])
@pytest.mark.parametrize("step", [flow.gibbs, flow.mean_field_sampled])
def test_shapes_of_draws(step, shape):
    rbm = machine(4, 3)
    v = np.ones(shape)
    found = step(rbm, v, 5)
    assert found.shape == shape
    assert found.dtype == np.int8
    assert (np.abs(found) == 1).all()
    np.testing.assert_array_equal(found, step(rbm, v, 5))
    rng = np.random.default_rng(5)
    np.testing.assert_array_equal(found, step(rbm, v, rng))
    if v.size > 20:
        assert (found != step(rbm, v, rng)).any()


def chi_square(spins, law):
    """Probability of a larger deviation of counts of states from a law."""
    states = ((spins > 0) @ 2 ** np.arange(spins.shape[1])).astype(int)
    counts, expected = np.bincount(states, minlength=len(law)), law * len(spins)
    assert expected.min() > 5
    return chi2.sf(((counts - expected) ** 2 / expected).sum(), len(law) - 1)


def test_sampled_spins_have_the_means_of_mean_field():
    # 6 means and 15 products within 5.5 standard errors: a false alarm in 8e-7
    rbm, v, n = machine(6, 4), means((6,)), 100_000
    spins = flow.mean_field_sampled(rbm, np.broadcast_to(v, (n, 6)), 3).astype(float)
    wanted = flow.mean_field(rbm, v)
    assert (np.abs(spins.mean(axis=0) - wanted) < 5.5 * np.sqrt((1 - wanted**2) / n)).all()
    for i in range(6):
        for j in range(i):
            product = wanted[i] * wanted[j]
            assert abs((spins[:, i] * spins[:, j]).mean() - product) < 5.5 * np.sqrt((1 - product**2) / n)


def test_gibbs_has_the_law_of_one_step():
    # P(v' | v) = Σ_h p(h | v) p(v' | h) by enumeration; a false alarm in 1e-6
    rbm, v = machine(4, 3), np.array([1, -1, -1, 1])
    h, after = all_states(3), all_states(4)
    of_hidden = np.prod((1 + h * rbm.mean_hidden(v)) / 2, axis=1)
    of_visible = np.prod((1 + after[None] * rbm.mean_visible(h)[:, None]) / 2, axis=2)
    spins = flow.gibbs(rbm, np.broadcast_to(v, (200_000, 4)), 7)
    assert chi_square(spins, of_hidden @ of_visible) > 1e-6


@pytest.mark.parametrize("n_steps", [1, 4])
@pytest.mark.parametrize("K", [0.3, 0.7])
def test_gibbs_leaves_the_law_of_an_exact_machine(K, n_steps):
    # a false alarm in 1e-6 of each;
    # spins of the mean-field map, drawn from the same configurations, have another law
    rbm, n = RBM.local_ring(6, K), 100_000
    states = all_states(6).astype(float)
    law = np.exp(K * (states * np.roll(states, 1, axis=1)).sum(axis=1))
    law /= law.sum()
    spins = Ring(6).sample(K, n, rng=11)
    assert chi_square(spins, law) > 1e-6
    after = flow.gibbs(rbm, spins, 12, n_steps=n_steps)
    assert (after != spins).any()
    assert chi_square(after, law) > 1e-6
    assert chi_square(flow.mean_field_sampled(rbm, spins, 13), law) < 1e-20


def test_gibbs_depends_on_neither_threads_nor_level(monkeypatch):
    rbm, v = machine(17, 9), np.ones((1300, 17))
    wanted = flow.gibbs(rbm, v, 3, n_steps=2, n_threads=1)
    for level in LEVELS:
        monkeypatch.setenv("RBMFLOW_SIMD", level)
        np.testing.assert_array_equal(flow.gibbs(rbm, v, 3, n_steps=2, n_threads=2), wanted)


def test_gibbs_without_steps():
    v = np.array([[1, -1, 1], [1, 1, 1]])
    np.testing.assert_array_equal(flow.gibbs(machine(3, 2), v, 1, n_steps=0), v)


def draw(step):
    return lambda rbm, v: step(rbm, v, 1)


@pytest.mark.parametrize(
    "step", [flow.mean_field, flow.sign, draw(flow.mean_field_sampled), draw(flow.gibbs)], ids=range(4)
)
class TestBadInput:
    @pytest.mark.parametrize("rbm", [None, np.ones((3, 2)), "rbm"])
    def test_not_a_machine(self, step, rbm):
        with pytest.raises(TypeError, match="rbm="):
            step(rbm, [1, 1, 1])

    @pytest.mark.parametrize("wrong", [[1, 1], np.ones((2, 4)), np.ones((3, 0)), 1.0, np.float32(1), []])
    def test_wrong_shapes(self, step, wrong):
        with pytest.raises(ValueError, match="sites"):
            step(machine(3, 2), wrong)

    @pytest.mark.parametrize("real", [np.float64, np.float32, np.int8, np.int64])
    @pytest.mark.parametrize("value", [2, -3])
    def test_beyond_1(self, step, value, real):
        with pytest.raises(ValueError, match=rf"v holds {value}"):
            step(machine(3, 2), np.array([[1, 1, 1], [1, value, 1]], dtype=real))

    @pytest.mark.parametrize("real", [np.float64, np.float32])
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite(self, step, value, real):
        with pytest.raises(ValueError, match="v"):
            step(machine(3, 2), np.array([1, value, 1], dtype=real))

    @pytest.mark.parametrize("wrong", ["abc", [1j, 1, 1], None, [True, True, True]])
    def test_not_numbers(self, step, wrong):
        with pytest.raises(TypeError, match="v"):
            step(machine(3, 2), wrong)


def test_gibbs_takes_spins_only():
    with pytest.raises(ValueError, match=r"v holds 0\.5"):
        flow.gibbs(machine(3, 2), [1, 0.5, 1], 1)
    with pytest.raises(ValueError, match=r"2 \* x - 1"):
        flow.gibbs(machine(3, 2), [1, 0, 1], 1)


@pytest.mark.parametrize("step", [flow.mean_field_sampled, flow.gibbs])
def test_bad_generators(step):
    with pytest.raises(TypeError):
        step(machine(3, 2), [1, 1, 1])
    for wrong in ("seed", 1.5, True, np.random.RandomState(1)):
        with pytest.raises(TypeError, match="rng="):
            step(machine(3, 2), [1, 1, 1], wrong)
    with pytest.raises(ValueError, match="rng="):
        step(machine(3, 2), [1, 1, 1], -1)


@pytest.mark.parametrize("step", [flow.mean_field, lambda rbm, v, **steps: flow.gibbs(rbm, v, 1, **steps)])
def test_bad_numbers_of_steps_and_threads(step):
    rbm, v = machine(3, 2), [1, 1, 1]
    with pytest.raises(ValueError, match="n_steps=-1"):
        step(rbm, v, n_steps=-1)
    with pytest.raises(TypeError, match=r"n_steps=1\.5"):
        step(rbm, v, n_steps=1.5)
    with pytest.raises(ValueError, match="n_threads=0"):
        step(rbm, v, n_threads=0)


def test_parameters_too_large():
    large = RBM([[1e38, -2e38], [1.0, 2.0]])
    with pytest.raises(ValueError, match="too large for float32"):
        flow.mean_field(large, np.ones(2, dtype=np.float32))
    # h = (1, -1)
    np.testing.assert_allclose(flow.mean_field(large, [1.0, 1.0]), [1, np.tanh(-1)], rtol=1e-15)
    with pytest.raises(ValueError, match="too large for float64"):
        flow.mean_field(RBM([[1e308, -1.5e308], [1.0, 2.0]]), [1.0, 1.0])
