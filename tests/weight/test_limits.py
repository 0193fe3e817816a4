"""The limits of f, g and W(K), and the orders at which they are approached."""

import mpmath
import numpy as np
import pytest

from rbmflow import Ring, weight
from rbmflow.weight import LIMITS, limit_table
from tests.exact import private, relative


@pytest.mark.parametrize(("M", "N"), [(8, 4), (7, 3), (3, 1), (4, 1), (5, 12)])
def test_every_limit_is_approached_at_its_predicted_order(M, N):
    rows = limit_table(M, N, dps=20).rows
    assert len(rows) == sum(len(points) for *_, points in LIMITS.values())
    for quantity in LIMITS:
        ratios = np.array([row.ratio for row in rows if row.quantity == quantity])
        assert len(ratios) >= 6
        deviation = np.abs(ratios - 1)
        # long rings have corrections of relative order 1/M only, the others powers or exponentials
        assert deviation[-1] < (0.02 if "proportion" in quantity else 1e-12)
        assert deviation[-1] <= deviation[0]


def test_differences_have_all_their_digits():
    row = next(row for row in limit_table(8, 4, dps=25).rows if row.at == "W = 32")
    ctx = private(400)
    s = ctx.exp(-2 * ctx.mpf(32))
    weights = {V: ctx.binomial(8, (8 + V) // 2) * ctx.cosh(32 * V) ** 4 for V in range(-8, 9, 2)}
    f = ctx.fsum(w * V * ctx.tanh(32 * V) for V, w in weights.items()) / ctx.fsum(weights.values())
    assert relative(ctx, row.difference, f - 8) < 1e-24
    assert relative(ctx, row.predicted, -16 * (s**4 + s**8)) < 1e-24


@pytest.mark.parametrize("dps", [None, 30, 60])
def test_both_orders_of_the_two_limits(dps):
    inf = float("inf")
    couplings, weights = [0.5, 1.0, 4.0], [0.1, 1.0, 10.0]
    assert all(weight.g(inf, inf, M, dps=dps) == M for M in (3, 8))
    assert weight.f(inf, 8, 4, dps=dps) == 8
    # K → ∞ first: M tanh MW → M; W → ∞ first: ⟨|V|⟩ → M
    ground = np.asarray(weight.g(weights, inf, 8, dps=dps), float)
    np.testing.assert_allclose(ground, 8 * np.tanh(8 * np.array(weights)), rtol=1e-14)
    law = Ring(8).magnetization_law(couplings)
    modulus = np.asarray(weight.g(inf, couplings, 8, dps=dps), float)
    np.testing.assert_allclose(modulus, law.probabilities @ np.abs(law.values), rtol=1e-14)


def test_the_proof_of_divergence():
    # f(W) < M tanh MW = g(W, ∞) for every finite W > 0, in digits that resolve the gap e^(−2NW)
    weights = ["1e-6", "1e-3", "0.1", "1", "5", "20"]
    for M, N in ((3, 1), (8, 4), (9, 30)):
        data = weight.g(weights, "inf", M, dps=1200)
        model = weight.f(weights, M, N, dps=1200)
        with mpmath.workdps(1200):
            assert all(a > b for a, b in zip(data, model, strict=True))


def test_bad_input():
    for arguments, message in (
        ((2, 4), "n_visible=2"),
        ((8, 0), "n_hidden=0"),
        ((201, 4), "n_visible=201"),
        ((8, 10**8), "n_hidden=100000000"),
    ):
        with pytest.raises(ValueError, match=message):
            limit_table(*arguments)
    with pytest.raises(ValueError, match="dps=0"):
        limit_table(8, 4, dps=0)
