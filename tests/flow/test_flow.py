"""The flow with equal weights: maps, fixed points, thresholds, ensembles."""

import numpy as np
import pytest

from rbmflow import RBM, Estimate, Ring, critical_coupling, critical_weight, flow, trained_weight
from tests.exact import private, relative, ring_states


def test_mean_field_is_two_tanh_layers():
    rng = np.random.default_rng(1)
    rbm = RBM(rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=3))
    v = rng.choice([-1, 1], size=(5, 2, 6))
    wanted = np.empty((5, 2, 6))
    for index in np.ndindex(5, 2):
        h = [
            np.tanh(sum(rbm.weights[i, a] * v[index][i] for i in range(6)) + rbm.hidden_bias[a])
            for a in range(3)
        ]
        for i in range(6):
            wanted[(*index, i)] = np.tanh(
                sum(rbm.weights[i, a] * h[a] for a in range(3)) + rbm.visible_bias[i]
            )
    np.testing.assert_allclose(flow.mean_field(rbm, v), wanted, rtol=1e-13)


def test_sign_is_the_limit_of_mean_field():
    states, _, V = ring_states(8)
    limit = flow.sign(RBM.uniform(8, 4, 0.01), states)
    assert limit.dtype == np.int8
    np.testing.assert_array_equal(limit, np.sign(V)[:, None] * np.ones(8, dtype=int))
    np.testing.assert_array_equal(flow.mean_field(RBM.uniform(8, 4, 100.0), states).round(), limit)
    np.testing.assert_array_equal(flow.sign(RBM.uniform(8, 4, 1.0), np.zeros((2, 8))), np.zeros((2, 8)))


def test_after_one_step_the_flow_is_one_dimensional():
    states, _, _ = ring_states(8)
    rbm = RBM.uniform(8, 4, 0.3)
    once = flow.mean_field(rbm, states)
    assert np.ptp(once, axis=1).max() == 0
    twice = flow.mean_field(rbm, once)
    np.testing.assert_allclose(twice[:, 0], flow.uniform_map(once[:, 0], 0.3, 8, 4), rtol=1e-14)


@pytest.mark.parametrize(("M", "N"), [(8, 4), (3, 1), (100, 7)])
def test_fixed_points_and_their_stability(M, N):
    W_c = critical_weight(M, N)
    for ratio in (0.5, 1.0, 1 + 1e-9, 1.0001, 1.2, 3.0, 50.0):
        points = flow.uniform_fixed_points(ratio * W_c, M, N)
        assert len(points.magnetization) == (3 if ratio > 1 else 1)
        for m, multiplier, stable in zip(points.magnetization, points.multiplier, points.stable, strict=True):
            assert flow.uniform_map(m, ratio * W_c, M, N) == pytest.approx(m, abs=1e-14)
            if 0 < abs(m) < 0.99:
                # central difference, step 1e-6: error of order 1e-9
                up, down = (flow.uniform_map(m + h, ratio * W_c, M, N) for h in (1e-6, -1e-6))
                assert (up - down) / 2e-6 == pytest.approx(multiplier, abs=1e-6)
            assert stable == (multiplier <= 1 + 1e-15)


def test_orbits_end_at_the_stable_fixed_point():
    for W, start in ((0.1, 0.9), (0.2, 0.01), (0.5, -0.3)):
        m = start
        for _ in range(4000):
            m = flow.uniform_map(m, W, 8, 4)
        fixed = flow.uniform_fixed_points(W, 8, 4).magnetization
        assert m == pytest.approx(fixed[-1 if start > 0 else 0], abs=1e-13)


def test_fixed_points_of_the_sign_map():
    points = flow.uniform_fixed_points(np.inf, 8, 4)
    assert points.magnetization == (-1, 0, 1)
    assert points.stable == (True, False, True)
    assert points.multiplier == (0, np.inf, 0)
    nothing = flow.uniform_fixed_points(0.0, 8, 4)
    assert (nothing.magnetization, nothing.multiplier, nothing.stable) == ((0,), (0,), (True,))
    with pytest.raises(ValueError, match="W=-5e-324"):
        flow.uniform_fixed_points(-5e-324, 8, 4)
    assert flow.uniform_map([-0.1, 0, 0.1], np.inf, 8, 4).tolist() == [-1, 0, 1]


def test_strong_weights_saturate():
    for W in (20.0, 1e6, 1e300):
        points = flow.uniform_fixed_points(W, 8, 4)
        assert points.magnetization == (-1, 0, 1)
        assert points.multiplier[0] == points.multiplier[2] == 0


def test_the_threshold_by_many_digits():
    # independent value, good to its last digit but one;
    # the digits below were confirmed by the sum over 2^8 states
    assert critical_coupling(8, 4) == pytest.approx(0.4441996123158305, rel=2e-15, abs=0)
    ctx = private(60)
    exact = critical_coupling(8, 4, dps=40)
    assert relative(ctx, exact, ctx.mpf("0.4441996123158300903787671262913574830917")) < 1e-39
    assert critical_coupling(8, 4) == float(exact)


def test_the_literal_equation_at_the_threshold():
    ctx = private(50)
    _, alpha, V = ring_states(8)
    W, K = 1 / ctx.sqrt(32), ctx.convert(critical_coupling(8, 4, dps=40))
    q = [ctx.exp(K * int(a)) for a in alpha]
    p = [ctx.cosh(W * int(v)) ** 4 for v in V]
    order = [int(v) * ctx.tanh(W * int(v)) for v in V]
    assert relative(ctx, ctx.fdot(q, order) / ctx.fsum(q), ctx.fdot(p, order) / ctx.fsum(p)) < 1e-38


@pytest.mark.parametrize(("M", "N"), [(3, 1), (8, 1), (7, 20), (64, 32), (200, 3), (300, 150), (1000, 10)])
def test_the_trained_weight_is_critical_there(M, N):
    assert trained_weight(critical_coupling(M, N), M, N) == pytest.approx(
        critical_weight(M, N), rel=1e-12, abs=0
    )


def test_an_ensemble_orders_or_dies():
    # five standard errors: false alarm 6e-7 for each of the assertions; seed fixed
    ring, spins = Ring(8), Ring(8).sample(0.5, 50_000, rng=5)
    undecided = ring.magnetization_law(0.5).probabilities[4]
    path = flow.orbit(flow.sign, RBM.uniform(8, 4, 1.0), spins, 3)
    assert path.n_steps == 3
    assert abs(path.order_parameter[1].deviation(1 - undecided)) < 5
    assert path.undecided[3] == path.undecided[0]
    assert abs(path.magnetization[1].deviation(0.0)) < 5
    exact_start = (
        abs(ring.magnetization_law(0.5).values) * ring.magnetization_law(0.5).probabilities
    ).sum() / 8
    assert abs(path.order_parameter[0].deviation(exact_start)) < 5
    dead = flow.orbit(flow.mean_field, RBM.uniform(8, 4, trained_weight(0.3, 8, 4)), spins, 200)
    assert dead.order_parameter[-1].mean < 1e-10
    ordered = flow.orbit(flow.mean_field, RBM.uniform(8, 4, trained_weight(1.0, 8, 4)), spins, 60)
    m = flow.uniform_fixed_points(trained_weight(1.0, 8, 4), 8, 4).magnetization[-1]
    assert abs(ordered.order_parameter[-1].deviation(m * (1 - undecided))) < 5
    assert isinstance(ordered.order_parameter[-1], Estimate)
