"""Certificates: they contain the 60-digit value, are as narrow as asked, and fail for a corrupt equation."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest

flint = pytest.importorskip("flint", reason="certificates are an extra")

from rbmflow import PrecisionError, Ring, certified_weight, trained_weight
from rbmflow.weight import MonotoneCertificate, certified_monotone, enclosure, proof
from rbmflow.weight.ball_forms import Box, RingBalls
from tests.exact import literal_sides, private, relative

CASES = [
    (3, 1, "1"),
    (3, 50, "0.3"),
    (4, 1, "2"),
    (8, 4, "1e-200"),
    (8, 4, "1e-6"),
    (8, 4, "0.01"),
    (8, 4, "1"),
    (8, 4, "40"),
    (8, 4, "1e14"),
    (8, 1, "1"),
    (7, 40, "3"),
    (5, 9, "20"),
    (20, 1, "1"),
    (20, 40, "0.7"),
    (64, 32, "1"),
    (101, 64, "0.2"),
]


@pytest.mark.parametrize(("M", "N", "K"), CASES)
@pytest.mark.parametrize("digits", [1, 20, 45])
def test_contains_the_sixty_digit_value_and_is_narrower_than_asked(M, N, K, digits):
    found = certified_weight(K, M, N, digits=digits)
    ctx = private(90)
    value = ctx.convert(trained_weight(K, M, N, dps=60))
    lower, upper = ctx.mpf(found.lower), ctx.mpf(found.upper)
    assert lower < value < upper
    assert (upper - lower) / lower < ctx.mpf(10) ** -digits
    assert found.unique_on == ("0", "inf")
    assert found.unique_by == "theorem"


@pytest.mark.parametrize(("M", "N", "K"), [(5, 3, "0.4"), (8, 4, "1"), (9, 2, "2")])
def test_the_ends_bracket_the_root_of_the_literal_equation(M, N, K):
    # eq. 69 over the 2^M states against eq. 73 over the 2^N hidden states
    found = certified_weight(K, M, N, digits=30)
    ctx = private(60)
    for end, sign in ((found.lower, 1), (found.upper, -1)):
        f, g = literal_sides(ctx, ctx.mpf(end), ctx.mpf(K), M, N)
        assert ctx.sign(g - f) == sign


def test_a_thousand_digits():
    for M, N in ((8, 4), (64, 32)):
        found = certified_weight(1, M, N, digits=1000)
        with mpmath.workdps(1050):
            assert mpmath.mpf(found.lower) < trained_weight(1, M, N, dps=1020) < mpmath.mpf(found.upper)


@pytest.mark.slow
def test_more_digits_than_python_writes():
    found = certified_weight("0.5", 6, 3, digits=6000)
    assert len(found.lower) > 6000
    assert found.lower[:5990] == found.upper[:5990]


def flipped(counts, k, j):
    rows = [list(row) for row in counts]
    rows[k - 1][j - 1] += 1
    return tuple(tuple(row) for row in rows)


@pytest.mark.parametrize(("M", "k", "j"), [(8, 1, 1), (8, 4, 2), (8, 4, 4), (9, 3, 2), (64, 20, 9)])
def test_one_flipped_count_makes_the_certificate_fail(monkeypatch, M, k, j):
    right = proof.wall_counts(M)
    monkeypatch.setattr(proof, "wall_counts", lambda n_visible: flipped(right, k, j))
    with pytest.raises(PrecisionError, match="no sign change") as caught:
        certified_weight(1, M, 4, digits=40)
    assert caught.value.digits == 0


@pytest.mark.parametrize("shift", ["1e-10", "1e-16"])
def test_a_search_that_ends_elsewhere_makes_the_certificate_fail(monkeypatch, shift):
    plain = enclosure._search
    monkeypatch.setattr(enclosure, "_search", lambda *where: (plain(*where) * (1 + flint.arb(shift))).mid())
    with pytest.raises(PrecisionError, match="no sign change"):
        certified_weight(1, 8, 4, digits=30)


def test_a_slope_of_the_wrong_sign_makes_the_certificate_fail(monkeypatch):
    plain = RingBalls.strong_slope
    monkeypatch.setattr(RingBalls, "strong_slope", lambda self, W: -plain(self, W))
    with pytest.raises(PrecisionError, match="no sign change"):
        certified_weight(1, 8, 4, digits=30)


@pytest.mark.parametrize(("narrow", "attempts"), [(1e-10, 1), (1e-25, 2), (1e-100, 3), (1e-200, 3)])
def test_a_proof_that_does_not_succeed_is_tried_with_more_digits(monkeypatch, narrow, attempts):
    wanted, widths = certified_weight(1, 8, 4, digits=30), []
    plain = RingBalls.strong_slope

    def undecided(self, W):
        widths.append(float(W.rad() / W.mid()))
        return plain(self, W) if widths[-1] < narrow else flint.arb(0)

    monkeypatch.setattr(RingBalls, "strong_slope", undecided)
    if narrow > 1e-150:
        assert certified_weight(1, 8, 4, digits=30) == wanted
    else:
        with pytest.raises(PrecisionError, match=r"around 0\.30630832981152307"):
            certified_weight(1, 8, 4, digits=30)
    assert len(widths) == attempts


def test_forms_of_the_same_coupling():
    exact = certified_weight("0.1", 8, 4, digits=30)
    for K in (Fraction(1, 10), "1/10", " 0.1 ", "1e-1"):
        assert certified_weight(K, 8, 4, digits=30) == exact
    binary = certified_weight(0.1, 8, 4, digits=30)
    assert binary != exact
    for K in (Fraction(0.1), mpmath.mpf(0.1), np.float64(0.1)):
        assert certified_weight(K, 8, 4, digits=30) == binary
    assert certified_weight(1, 8, 4, digits=5) == certified_weight(np.int64(1), 8, 4, digits=5)


def test_precision_is_given_back_and_threads_do_not_disturb_each_other():
    flint.ctx.prec = 77
    try:
        wanted = [10, 60, 35, 100, 25, 80] * 3
        serial = {digits: certified_weight("0.3", 8, 4, digits=digits) for digits in set(wanted)}
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda digits: certified_weight("0.3", 8, 4, digits=digits), wanted))
        assert found == [serial[digits] for digits in wanted]
        assert flint.ctx.prec == 77
        with pytest.raises(ValueError, match="K=0"):
            certified_weight(0, 8, 4, digits=5)
        assert flint.ctx.prec == 77
    finally:
        flint.ctx.prec = 53


@pytest.mark.parametrize(
    ("M", "N", "low", "high"),
    [
        (3, 1, "0.001", 100),
        (8, 4, "0.001", 50),
        (8, 1, 0.1, 10),
        (7, 20, "0.1", 10),
        (20, 10, "0.1", 5),
        (33, 8, 1, "1.5"),
    ],
)
def test_monotone(M, N, low, high):
    found = certified_monotone(M, N, low, high, max_boxes=2000)
    assert found.proven
    assert found.undecided == ()
    assert found.by == "boxes"
    assert Fraction(found.K_high) == Fraction(high)


def test_monotone_by_the_theorem():
    found = certified_monotone(3, 10**9, "1e-299", 10**14)
    assert found == MonotoneCertificate(found.K_low, found.K_high, True, (), 0, "theorem")
    assert Fraction(found.K_low) == Fraction(1, 10**299)


def test_undecided_intervals_are_named():
    found = certified_monotone(8, 4, "0.05", 5, max_boxes=40)
    assert not found.proven
    assert found.n_boxes == 40
    first = min(Fraction(low) for low, _ in found.undecided)
    assert Fraction("0.05") < first < 5
    assert found.undecided[-1][1] == "5"


def test_a_decreasing_weight_is_not_called_increasing(monkeypatch):
    # the same equation with the data's law reflected in K: W falls as K rises
    plain = proof._ring_balls

    def reflected(flint_module, K, n_visible, n_hidden):
        return plain(flint_module, 3 - K, n_visible, n_hidden)

    monkeypatch.setattr(proof, "_ring_balls", reflected)
    start = proof.start_of_search
    monkeypatch.setattr(proof, "start_of_search", lambda K, M, N: start(3 - K, M, N))
    assert not certified_monotone(8, 4, "1", "1.5", max_boxes=60).proven


def test_boxes_that_hold_the_root_are_not_excluded():
    flint.ctx.prec = 200
    try:
        for M, N, K in ((8, 4, 1), (20, 1, 1), (7, 30, 4)):
            balls = proof._ring_balls(flint, flint.arb(K), M, N)
            W = flint.arb(trained_weight(float(K), M, N))
            for width in (1e-6, 1e-3, 0.1, 0.5):
                box = Box((W * (1 - width)).lower(), (W * (1 + width)).upper())
                assert not balls.positive_on(box)
                assert not balls.negative_on(box)
            assert balls.positive_on(Box(flint.arb(0), (W * 0.1).mid()))
    finally:
        flint.ctx.prec = 53


@pytest.mark.parametrize(("M", "N", "K", "W"), [(8, 4, 1, 0.25), (9, 30, 0.3, 0.04), (6, 2, 2, 1.5)])
def test_slopes_of_both_forms_are_those_of_the_sides(M, N, K, W):
    ctx = private(40)
    data = [ctx.convert(p) for p in Ring(M).magnetization_law(K, dps=40).probabilities]
    values = range(-M, M + 1, 2)

    def mean(law, numbers):
        return sum(p * n for p, n in zip(law, numbers, strict=True)) / sum(law)

    def model(W):
        return [ctx.binomial(M, (M + V) // 2) * ctx.cosh(W * V) ** N for V in values]

    def weak(t):
        W = ctx.exp(t)
        orders = [V * ctx.tanh(W * V) / W for V in values]
        free = mean([ctx.binomial(M, (M + V) // 2) for V in values], orders)
        above = [order - free for order in orders]
        return ctx.log(mean(model(W), above) / mean(data, above))

    def strong(W):
        deficits = [M * ctx.tanh(W * M) - V * ctx.tanh(W * V) for V in values]
        return ctx.log(mean(model(W), deficits) / mean(data, deficits))

    flint.ctx.prec = 200
    try:
        balls, point = proof._ring_balls(flint, flint.arb(K), M, N), flint.arb(W)
        found = (balls._weak_slope(Box(point, point)), balls.strong_slope(point))
    finally:
        flint.ctx.prec = 53
    wanted = ctx.diff(weak, ctx.log(W)), ctx.diff(strong, ctx.mpf(W))
    for slope, value in zip(found, wanted, strict=True):
        assert relative(ctx, slope.mid().str(30, radius=False), value) < 1e-12


@pytest.mark.parametrize(
    ("K", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        ("-0.5", ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        (mpmath.inf, ValueError),
        (mpmath.nan, ValueError),
        ("x", ValueError),
        ("1/0", ValueError),
        ("1e-400", ValueError),
        ("1e20", ValueError),
        ("1e-9999999999", ValueError),
        (Decimal("1e9999999999"), ValueError),
        (Decimal("NaN"), ValueError),
        (mpmath.ldexp(1, 10**10), ValueError),
        (np.longdouble("inf"), ValueError),
        (None, TypeError),
        (True, TypeError),
        (1j, TypeError),
        ([[1.0]], TypeError),
        (b"1", TypeError),
    ],
)
def test_couplings_that_cannot_be_certified(
    K, error
):  # and none is written out first: 1e-9999999999 would not fit
    with pytest.raises(error, match="K="):
        certified_weight(K, 8, 4, digits=10)
    with pytest.raises(error, match="K_low="):
        certified_monotone(8, 4, K, 2)


def test_couplings_of_every_kind_are_taken_exactly():
    half = certified_weight("0.5", 8, 4, digits=30)
    for K in (0.5, Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.longdouble(0.5), mpmath.mpf(0.5)):
        assert certified_weight(K, 8, 4, digits=30) == half
    assert certified_weight(Decimal("0.1"), 8, 4, digits=30) == certified_weight("0.1", 8, 4, digits=30)
    tenth = np.longdouble("0.1")
    exactly = Fraction(*tenth.as_integer_ratio())
    assert certified_weight(tenth, 8, 4, digits=30) == certified_weight(exactly, 8, 4, digits=30)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: certified_weight(1, 2, 4, digits=10), ValueError, "n_visible=2"),
        (lambda: certified_weight(1, 10**4, 4, digits=10), ValueError, "n_visible=10000"),
        (lambda: certified_weight(1, 8, 0, digits=10), ValueError, "n_hidden=0"),
        (lambda: certified_weight(1, 8, 4.0, digits=10), TypeError, "n_hidden=4.0"),
        (lambda: certified_weight(1, 8, 4, digits=0), ValueError, "digits=0"),
        (lambda: certified_weight(1, 8, 4, digits=2.5), TypeError, "digits=2.5"),
        (lambda: certified_monotone(8, 4, 2, 1), ValueError, "K_low=2, K_high=1"),
        (lambda: certified_monotone(8, 4, 1, 1), ValueError, "K_low < K_high"),
        (lambda: certified_monotone(8, 4, 1, 2, max_boxes=0), ValueError, "max_boxes=0"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_bounds_on_wide_boxes_hold_at_every_weight_inside():
    flint.ctx.prec = 128
    try:
        for M, N, K in ((3, 1, 1), (8, 4, 1), (8, 1, 3), (9, 30, 2)):
            balls = proof._ring_balls(flint, flint.arb(K), M, N)
            for left, right in ((0.001, 0.5), (0.01, 0.02), (0.1, 3), (1, 20)):
                (p_low, p_high), (q_low, q_high) = balls._deficit_means(
                    Box(flint.arb(left), flint.arb(right))
                )
                weak = balls._weak_difference(Box(flint.arb(left), flint.arb(right)))
                for W in np.linspace(left, right, 23):
                    deficits, model = balls.deficits_and_model(flint.arb(W))
                    p = sum(m * d for m, d in zip(model, deficits, strict=True)) / sum(model)
                    q = sum(m * d for m, d in zip(balls.law, deficits, strict=True))
                    outside = [p < p_low, p > p_high, q < q_low, q > q_high]
                    assert not any(outside)
                    assert weak.overlaps(balls._weak_difference(Box(flint.arb(W), flint.arb(W))))
    finally:
        flint.ctx.prec = 53
