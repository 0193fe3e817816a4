"""Certificates that the trained weight is unique: all sizes of a table, and none once a line is wrong."""

from fractions import Fraction

import numpy as np
import pytest

flint = pytest.importorskip("flint", reason="certificates are an extra")

from rbmflow.weight import certified_unique, uniqueness
from rbmflow.weight.balls import lent_balls
from tests.exact import private

M, N = np.mgrid[3:65, 1:65]


def test_all_pairs_up_to_64():
    found = certified_unique(M, N)
    assert found.shape == M.shape
    assert found.all()


@pytest.mark.slow
def test_all_pairs_up_to_200():
    assert certified_unique(*np.mgrid[3:201, 1:201]).all()


@pytest.mark.parametrize(
    ("n_visible", "n_hidden"),
    [(10**7, 1), (10**7, 2), (10**7, 3), (3, 10**9), (4, 10**9), (5, 10**9), (10**5, 2000), (1001, 999)],
)
def test_large_layers(n_visible, n_hidden):
    assert certified_unique(n_visible, n_hidden) is True


def plain_sums(ctx, n_visible, n_hidden, W):
    """x₀ and ⟨tanh² WV⟩ over the visible states."""
    V = range(-n_visible, n_visible + 1, 2)
    law = [ctx.binomial(n_visible, (n_visible + v) // 2) * ctx.cosh(W * v) ** n_hidden for v in V]
    x = ctx.fdot(law, [W * v * ctx.tanh(W * v) for v in V]) / ctx.fsum(law)
    return x, ctx.fdot(law, [ctx.tanh(W * v) ** 2 for v in V]) / ctx.fsum(law)


@pytest.mark.parametrize("n_visible", [3, 4, 9, 10, 41])
@pytest.mark.parametrize("n_hidden", [1, 2, 3, 9, 10, 40, 41])
def test_sums_over_the_smaller_layer(n_visible, n_hidden):
    ctx = private(50)
    for W in ("0.01", "0.2", "1.5"):
        wanted = plain_sums(ctx, n_visible, n_hidden, ctx.mpf(W))
        with lent_balls() as balls:
            balls.ctx.prec = 120
            found = uniqueness._sums(balls, balls.arb(W), n_visible, n_hidden)
            found = [ctx.mpf(one.mid().str(34, radius=False)) for one in found]
        asked = 1 if n_hidden == 1 else 2  # one hidden unit has no other to correlate with
        for one, other in list(zip(found, wanted, strict=True))[:asked]:
            assert abs(one - other) < 1e-24 * abs(other)


def test_the_first_weight_is_where_x_is_one():
    sizes = np.array([[4, 4, 5, 50, 3, 700], [1, 3, 80, 50, 2, 30]])
    ctx = private(30)
    for (n_visible, n_hidden), W in zip(sizes.T.tolist(), uniqueness._unit_weights(*sizes), strict=True):
        assert abs(plain_sums(ctx, n_visible, n_hidden, ctx.mpf(float(W)))[0] - 1) < 1e-8


SOME = np.mgrid[4:24, 1:20]


@pytest.mark.parametrize("constant", ["0.74", "0.741", "0.7415"])
def test_a_constant_below_the_largest_intercept_proves_nothing(monkeypatch, constant):
    monkeypatch.setattr(uniqueness, "INTERCEPT", Fraction(constant))
    assert not certified_unique(*SOME).any()


def test_a_constant_below_the_top_of_the_curve_proves_nothing(monkeypatch):
    monkeypatch.setattr(uniqueness, "HIGHEST", Fraction("0.4392"))
    assert not certified_unique(*SOME).any()


def test_a_curve_that_reaches_higher_proves_nothing(monkeypatch):
    right = uniqueness._intercept
    monkeypatch.setattr(uniqueness, "_intercept", lambda u: right(u) * 201 / 200)
    assert not certified_unique(*SOME).any()


def test_a_tail_that_is_too_high_proves_nothing(monkeypatch):
    right = uniqueness._end_of_intercepts
    monkeypatch.setattr(uniqueness, "_end_of_intercepts", lambda *where: 100 * right(*where))
    assert not certified_unique(*SOME).any()


def first_weight(n_visible, n_hidden):
    """A context, and the weight at which the sums are taken."""
    ctx = private(40)
    sizes = (np.array([size]) for size in (n_visible, n_hidden))
    W = ctx.mpf(float((1 - uniqueness.BELOW) * uniqueness._unit_weights(*sizes)[0]))
    return ctx, W


def certified_below(monkeypatch, name, threshold, n_visible, n_hidden):
    """Whether a pair is certified with a constant just below a threshold, and not just above."""
    found = []
    for factor in (1 - 1e-6, 1 + 1e-6):
        monkeypatch.setattr(uniqueness, name, Fraction(float(threshold) * factor))
        found.append(bool(certified_unique(n_visible, n_hidden)))
    return found == [True, False]


@pytest.mark.parametrize(("n_visible", "n_hidden"), [(4, 3), (40, 3), (9, 20), (50, 50)])
def test_how_large_the_constant_can_be_for_three_or_more(monkeypatch, n_visible, n_hidden):
    ctx, W = first_weight(n_visible, n_hidden)
    T = plain_sums(ctx, n_visible, n_hidden, W)[1]
    assert certified_below(monkeypatch, "INTERCEPT", n_visible * n_hidden * W**2 * T, n_visible, n_hidden)


@pytest.mark.parametrize("second", [1.05, 1.8])
@pytest.mark.parametrize("n_visible", [6, 40])
def test_how_large_the_constant_can_be_for_two(monkeypatch, n_visible, second):
    monkeypatch.setattr(uniqueness, "SECOND", second)
    ctx, a = first_weight(n_visible, 2)
    b = ctx.mpf(float(second) * float(a))
    (_, T_a), (_, T_b) = (plain_sums(ctx, n_visible, 2, W) for W in (a, b))
    X = n_visible * a * ctx.tanh(2 * a) / 2
    between = 2 * n_visible * a**2 * T_a + 2 * X**2 * (1 - T_b**2)
    beyond = 2 * n_visible * b**2 * T_b
    assert (between < beyond) == (second == 1.8)
    assert certified_below(monkeypatch, "INTERCEPT", min(between, beyond), n_visible, 2)


@pytest.mark.parametrize(("turn", "which"), [(1.2, 0), (0.8, 2), (2.5, 1)])
def test_how_high_the_curve_can_be_for_one(monkeypatch, turn, which):
    monkeypatch.setattr(uniqueness, "TURN", turn)
    ctx, a = first_weight(4, 1)
    b = ctx.mpf(turn)
    limits = [4 * (W * ctx.sech(W)) ** 2 for W in (a, b)]
    limits.append((4 * b**2 - ctx.mpf("0.745") / (1 + ctx.tanh(b))) / 4)
    assert limits[which] == min(limits)
    assert certified_below(monkeypatch, "HIGHEST", min(limits), 4, 1)


def test_a_higher_top_is_too_high_for_one_hidden_unit(monkeypatch):
    monkeypatch.setattr(uniqueness, "HIGHEST", Fraction(1))
    assert certified_unique([8, 8], [1, 2]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "value", "sizes"),
    [
        ("SECOND", 1.0, (64, 2)),  # where 2 M W² T is not yet above the constant
        ("TURN", 3.0, (4, 1)),  # where M y is below the top again
        ("TURN", 0.5, (4, 1)),  # where M W² is not yet above both
    ],
)
def test_a_second_weight_elsewhere_certifies_nothing(monkeypatch, name, value, sizes):
    assert certified_unique(*sizes)
    monkeypatch.setattr(uniqueness, name, value)
    assert not certified_unique(*sizes)


def test_wrong_averages_are_not_certified(monkeypatch):
    right = uniqueness._sums
    for x_factor, T_factor, n_hidden in ((1 + 2e-5, 1, [1, 2, 3, 50]), (1, Fraction(3, 4), [3, 4, 5])):
        monkeypatch.setattr(
            uniqueness,
            "_sums",
            lambda *at, x=x_factor, T=float(T_factor): tuple(
                a * b for a, b in zip(right(*at), (x, T), strict=True)
            ),
        )
        assert not certified_unique(40, n_hidden).any()


def test_the_tables_of_the_proof_in_balls():
    with lent_balls() as balls:
        balls.ctx.prec = 64
        arb = balls.arb
        edge, bound = arb("0.36"), arb("0.745")
        r = ((3 * edge).cosh() / edge.cosh()) ** 4
        assert 12 * edge**2 * (r - 1) / (r + 3) > arb("0.835")
        assert (2 * (2 * edge).cosh() - 1).log() > arb("3.33") * edge**2
        for n_hidden in range(3, 10):
            m = arb(1) / 4 + arb(3) / (4 * n_hidden)
            r = (arb("3.33") * m).exp()
            assert n_hidden * m * (r - 1) / (r + 3) > arb("0.775")
        r = (arb("3.33") / 4).exp()
        assert arb("3.25") * (r - 1) / (r + 3) > arb("0.796")
        turn = arb("1.1997")  # beyond u*
        assert turn * turn.tanh() > 1
        assert bound / (1 + 1 / turn) + 4 * (turn**2 - 1) < arb("2.17")
        assert 2 * arb("1.1996") ** 2 > arb("2.87")
        assert arb("1.1996") * arb("1.1996").tanh() < 1


def test_shapes_and_progress():
    told = []
    found = certified_unique([[4], [9]], [1, 2, 3, 3], progress=lambda *now: told.append(now))
    assert found.shape == (2, 4)
    assert found.dtype == bool
    assert told[-1] == (6, 6)
    assert certified_unique([], 4).shape == (0,)


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ((2, 4), ValueError, "n_visible=2: at least 3"),
        (([4, 10**8], 4), ValueError, "n_visible=100000000: at most"),
        ((4, [0, 1]), ValueError, "n_hidden=0: at least 1"),
        ((4, 2.0), TypeError, "n_hidden=2.0: integers"),
        (([True], 2), TypeError, "n_visible"),
        (("8", 2), TypeError, "n_visible"),
        (([4, 5, 6], [1, 2]), ValueError, "do not broadcast"),
        ((10**7, 10**7), ValueError, "the smaller layer has 10000000 units: at most 1000000"),
    ],
)
def test_bad_sizes(sizes, error, message):
    with pytest.raises(error, match=message):
        certified_unique(*sizes)


def test_pieces_have_not_many_more_terms_than_one_may_have():
    n_terms = np.array([*range(1, 2001), 30_000, 10**6])
    parts = list(uniqueness._parts(n_terms))
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(n_terms)))
    for part in parts:  # sums are padded to the longest
        assert len(part) == 1 or len(part) * (n_terms[part].max() + 20) <= uniqueness.AT_ONCE
