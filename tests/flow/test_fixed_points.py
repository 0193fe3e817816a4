"""Fixed points of the mean-field map: closed forms, brute force, finite differences; cycles of maps."""

import sys

import numpy as np
import pytest

from rbmflow import RBM, flow
from rbmflow.spins import all_states
from tests.flow.test_maps import machine, means

K_ORDER = (
    np.log(np.cosh(1)) / 2
)  # the local machine of a ring has s1 = 2w, cosh 2w = e^(2K), and orders where 2w > 1


@pytest.mark.parametrize(("n_visible", "n_hidden"), [(8, 4), (3, 1), (5, 9), (1, 1), (40, 7)])
@pytest.mark.parametrize("ratio", [0.5, 0.99, 1.01, 1.2, 3.0, 50.0, 1e5])
def test_equal_weights_have_the_points_of_the_one_dimensional_map(n_visible, n_hidden, ratio):
    W = ratio * flow.critical_weight(n_visible, n_hidden)
    found = flow.fixed_points(RBM.uniform(n_visible, n_hidden, W), n_starts=20, rng=1)
    wanted = flow.uniform_fixed_points(W, n_visible, n_hidden)
    assert len(found) == len(wanted.magnetization)
    for point, m in zip(found.points, wanted.magnetization, strict=True):
        np.testing.assert_allclose(point, m, rtol=0, atol=1e-12)
    assert tuple(found.stable) == wanted.stable
    # the multiplier of a point known to 1e-12 of itself; beyond the threshold it falls like e^(-2 M W m)
    np.testing.assert_allclose(found.spectral_radius, wanted.multiplier, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.eigenvalues[:, 1:], 0, rtol=0, atol=1e-9 * max(1, ratio**2))
    assert found.partner.tolist() == list(range(len(found)))[::-1]
    assert found.undecided == 0
    assert found.basin.sum() == 20


def test_at_the_threshold_only_zero():
    found = flow.fixed_points(RBM.uniform(8, 4, flow.critical_weight(8, 4)), rng=1, max_steps=300)
    assert not found.points.any()
    assert len(found) == 1
    assert found.stable.all()
    assert found.undecided > 0  # m falls like 1/sqrt(steps)


def test_closely_above_the_threshold():
    W = (1 + 1e-9) * flow.critical_weight(8, 4)
    found = flow.fixed_points(RBM.uniform(8, 4, W), rng=1, max_steps=300)
    # 1e-16 of rounding over 1 - J = 4e-9
    np.testing.assert_allclose(
        found.magnetization, flow.uniform_fixed_points(W, 8, 4).magnetization, rtol=1e-6, atol=0
    )


@pytest.mark.parametrize(("n_visible", "n_hidden"), [(7, 4), (4, 7), (1, 2)])
def test_jacobian_by_finite_differences(n_visible, n_hidden):
    rbm, v, h = machine(n_visible, n_hidden), 0.9 * means((2, 3, n_visible)), 1e-5
    found = flow.mean_field_jacobian(rbm, v)
    assert found.shape == (2, 3, n_visible, n_visible)
    for j in range(n_visible):
        up = flow.mean_field(rbm, v + h * np.eye(n_visible)[j])
        down = flow.mean_field(rbm, v - h * np.eye(n_visible)[j])
        # h² times third derivatives of order 1, and rounding over h
        np.testing.assert_allclose(found[..., :, j], (up - down) / (2 * h), rtol=0, atol=2e-9)


def test_jacobian_keeps_digits_where_tanh_rounds_to_1():
    found = flow.mean_field_jacobian(RBM([[30.0]]), [1.0])
    np.testing.assert_allclose(found, 900 * (2 * np.exp(-30.0)) ** 4, rtol=1e-13)


def check(rbm, found, tol=1e-9):
    """What holds of every result."""
    assert (np.abs(found.points) <= 1).all()
    np.testing.assert_allclose(
        found.residual, np.abs(flow.mean_field(rbm, found.points) - found.points).max(axis=1)
    )
    assert found.residual.max() < tol
    distance = np.abs(found.points[:, None] - found.points[None]).max(axis=2) + np.eye(len(found))
    assert distance.min() > 1e-7
    assert (np.diff(found.magnetization) > -1e-6).all()
    for point, eigenvalues in zip(found.points, found.eigenvalues, strict=True):
        other = np.sort(np.linalg.eigvals(flow.mean_field_jacobian(rbm, point)).real)[::-1]
        # the matrix is not symmetric: rounding times its condition
        np.testing.assert_allclose(eigenvalues, other, rtol=0, atol=1e-7 * max(1, eigenvalues[0]))
    np.testing.assert_array_equal(found.spectral_radius, found.eigenvalues.max(axis=1))
    clear = np.abs(found.spectral_radius - 1) > 1e-9
    np.testing.assert_array_equal(found.stable[clear], found.spectral_radius[clear] < 1)


@pytest.mark.parametrize("scale", [0.8, 3.0, 8.0])
@pytest.mark.parametrize(("n_visible", "n_hidden"), [(6, 4), (4, 9), (12, 12)])
def test_any_machine(n_visible, n_hidden, scale):
    for rbm in (machine(n_visible, n_hidden, scale), RBM(machine(n_visible, n_hidden, scale).weights)):
        found = flow.fixed_points(rbm, rng=3)
        check(rbm, found)
        assert found.undecided + found.basin.sum() == 64
        # stable points draw what is close, the others lose it
        near = np.clip(found.points + 1e-7 * means(found.points.shape), -1, 1)
        ends = flow.mean_field(rbm, near, n_steps=3000)
        back = np.abs(ends - found.points).max(axis=1) < 1e-6
        clear = np.abs(found.spectral_radius - 1) > 0.02
        np.testing.assert_array_equal(back[clear], found.stable[clear])
        if rbm.visible_bias.any():
            assert (found.partner == -1).all()
        else:
            np.testing.assert_array_equal(found.points[found.partner], -found.points)
            np.testing.assert_array_equal(found.partner[found.partner], np.arange(len(found)))
            zero = np.flatnonzero(~found.points.any(axis=1))
            assert len(zero) == 1
            threshold = np.linalg.norm(rbm.weights, 2) ** 2
            np.testing.assert_allclose(found.spectral_radius[zero], threshold, rtol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_all_points_of_one_visible_unit(seed):
    # the roots of f(m) - m on a line, by changes of sign on a grid
    rng = np.random.default_rng(seed)
    rbm = RBM(rng.normal(0, 2, (1, 3)), 0.5 * rng.normal(size=1), rng.normal(0, 2, 3))
    m = np.linspace(-1, 1, 200_001)
    growth = flow.mean_field(rbm, m[:, None])[:, 0] - m
    wanted = m[:-1][(growth[:-1] > 0) != (growth[1:] > 0)]
    found = flow.fixed_points(rbm, rng=1)
    check(rbm, found)
    np.testing.assert_allclose(found.points[:, 0], wanted, rtol=0, atol=1.1e-5)
    # they take turns
    assert found.stable.tolist() == [i % 2 == 0 for i in range(len(wanted))]


def test_three_points_with_a_field():
    # close to the end of the metastable branch there is a stable and an unstable point beside the main one
    found = flow.fixed_points(RBM(np.full((6, 6), 0.25), np.full(6, -0.05)), rng=1)
    assert found.stable.tolist() == [True, False, True]
    assert (found.partner == -1).all()
    assert found.basin[1] == 0


@pytest.mark.parametrize("n", [4, 7])
def test_a_local_machine_of_a_ring(n):
    assert abs(K_ORDER - 0.21689) < 5e-6
    below = flow.fixed_points(RBM.local_ring(n, K_ORDER - 0.002), rng=1)
    assert not below.points.any()
    assert below.stable.tolist() == [True]
    assert below.basin.tolist() == [64]
    rbm = RBM.local_ring(n, K_ORDER + 0.002)
    above = flow.fixed_points(rbm, rng=1)
    check(rbm, above)
    assert above.stable.tolist() == [True, False, True]
    # v = m everywhere: m = tanh(2w tanh(2w m))
    two_w = np.arccosh(np.exp(2 * (K_ORDER + 0.002)))
    m = above.points[2, 0]
    np.testing.assert_allclose(above.points[2], m, atol=1e-12)
    assert np.tanh(two_w * np.tanh(two_w * m)) == pytest.approx(m, abs=1e-13)
    assert above.spectral_radius[1] == pytest.approx(two_w**2, rel=1e-13, abs=0)


def test_starts_of_ones_own_draw_nothing():
    rbm = machine(6, 5, 4.0)
    starts = all_states(6)
    one, other = (flow.fixed_points(rbm, starts=starts, rng=seed) for seed in (1, 2))
    np.testing.assert_array_equal(one.points, other.points)
    assert one.basin.sum() == 64
    ends = flow.mean_field(rbm, starts, n_steps=5000)
    for point, basin in zip(one.points, one.basin, strict=True):
        assert (np.abs(ends - point).max(axis=1) < 1e-6).sum() == basin


def test_a_symmetric_start_ends_at_an_unstable_point():
    found = flow.fixed_points(RBM.uniform(4, 2, 1.0), starts=[[1, -1, 1, -1], [1, 1, 1, -1]])
    assert found.basin.tolist() == [0, 1, 1]
    assert found.stable.tolist() == [True, False, True]


def test_bad_arguments_of_fixed_points():
    rbm = machine(3, 2)
    with pytest.raises(TypeError, match="rbm="):
        flow.fixed_points(np.ones((3, 2)))
    with pytest.raises(TypeError, match="rbm="):
        flow.mean_field_jacobian(None, [1, 1, 1])
    with pytest.raises(ValueError, match="v holds 2"):
        flow.mean_field_jacobian(rbm, [1, 2, 1])
    for starts in ([1, 1, 1], np.ones((2, 4)), np.ones((0, 3)), [[2, 1, 1]], [[np.nan, 1, 1]]):
        with pytest.raises(ValueError, match="starts"):
            flow.fixed_points(rbm, starts=starts)
    for name, value in (
        ("n_starts", 0),
        ("max_steps", 0),
        ("tol", 0.0),
        ("tol", 1e-3),
        ("tol", np.nan),
        ("rng", -1),
    ):
        with pytest.raises(ValueError, match=name):
            flow.fixed_points(rbm, **{name: value})
    for name, value in (("n_starts", 1.5), ("max_steps", "9"), ("tol", "small"), ("rng", "seed")):
        with pytest.raises(TypeError, match=name):
            flow.fixed_points(rbm, **{name: value})


@pytest.mark.parametrize("seed", range(20))
def test_sign_has_no_cycles(seed):
    # small integers have many fields that are 0
    rng = np.random.default_rng(seed)
    weights = rng.integers(-2, 3, (8, 1 + seed % 9))
    for biases in ((None, None), (rng.integers(-1, 2, 8), rng.integers(-1, 2, weights.shape[1]))):
        lengths = flow.cycle_length(flow.sign, RBM(weights, *biases), all_states(8))
        assert (lengths == 1).all()


def test_mean_field_has_no_cycles():
    for rbm in (machine(8, 6, 3.0), RBM(machine(8, 6, 3.0).weights)):
        lengths = flow.cycle_length(flow.mean_field, rbm, means((3, 50, 8)), atol=1e-9)
        assert lengths.shape == (3, 50)
        assert (lengths == 1).all()


def test_cycles_of_other_maps():
    rbm = RBM.uniform(12, 4, 1.0)

    def turn(_rbm, v):
        return np.roll(v, 1, axis=-1)

    patterns = [[1] * 12, [1, -1] * 6, [1, 1, -1] * 4, [1, 1, 1, -1] * 3, [1] * 11 + [-1]]
    assert flow.cycle_length(turn, rbm, patterns).tolist() == [1, 2, 3, 4, 12]
    assert flow.cycle_length(turn, rbm, patterns, max_steps=6).tolist() == [1, 2, 3, 0, 0]
    assert flow.cycle_length(lambda rbm, v: -flow.sign(rbm, v), rbm, patterns).tolist() == [2, 1, 2, 2, 2]
    assert flow.cycle_length(lambda _rbm, v: v / 2, rbm, [0.5] * 12, max_steps=20) == 0
    assert flow.cycle_length(lambda _rbm, v: v / 2, rbm, [0.5] * 12, atol=1e-3) == 1
    assert flow.cycle_length(turn, rbm, np.ones((0, 12))).shape == (0,)


def test_bad_arguments_of_cycle_length():
    rbm = machine(3, 2)
    with pytest.raises(TypeError, match="step="):
        flow.cycle_length("sign", rbm, [1, 1, 1])
    with pytest.raises(TypeError, match="rbm="):
        flow.cycle_length(flow.sign, None, [1, 1, 1])
    with pytest.raises(ValueError, match="v has shape"):
        flow.cycle_length(flow.sign, rbm, [1, 1])
    with pytest.raises(ValueError, match="max_steps=0"):
        flow.cycle_length(flow.sign, rbm, [1, 1, 1], max_steps=0)
    with pytest.raises(ValueError, match="atol=-1"):
        flow.cycle_length(flow.sign, rbm, [1, 1, 1], atol=-1)
    with pytest.raises(ValueError, match="step: it makes shape"):
        flow.cycle_length(lambda _rbm, v: v[:, :2], rbm, [1, 1, 1])


@pytest.mark.parametrize(("n_visible", "n_hidden"), [(40, 50), (50, 40), (33, 33), (300, 60)])
def test_corrections_one_after_another_are_those_of_the_jacobian(n_visible, n_hidden):
    search = sys.modules["rbmflow.flow.fixed_points"]  # the package has the function of that name
    rbm = machine(n_visible, n_hidden, seed=3)
    v = np.random.default_rng(4).uniform(-1, 1, (3, n_visible))
    system = np.eye(n_visible) - flow.mean_field_jacobian(rbm, v)
    wanted = np.linalg.solve(system, (flow.mean_field(rbm, v) - v)[..., None])[..., 0]
    np.testing.assert_allclose(search._correction(rbm, v), wanted, rtol=1e-9, atol=1e-12)
    assert search._correction(rbm, v[:0]).shape == (0, n_visible)
