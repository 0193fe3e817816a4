import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from rbmflow import Ring, trained_weight
from rbmflow.errors import PrecisionError
from rbmflow.precision import (
    MACHINE,
    borrowed_context,
    context,
    exact_functions,
    exact_map,
    exact_roots,
    keep_digits,
    settle,
)
from rbmflow.roots import refine_root


def test_results_are_mpmaths_own_numbers_and_carry_their_digits():
    assert mpmath.mp.dps == 15
    value = Ring(8).energy("0.1", dps=60)
    assert type(value) is mpmath.mpf
    ctx = mpmath.MPContext()
    ctx.dps = 80
    t = ctx.tanh(ctx.mpf("0.1"))
    assert mpmath.nstr(value, 60) == ctx.nstr(-(t + t**7) / (1 + t**8), 60)
    assert mpmath.mp.dps == 15


def test_a_string_is_a_decimal_and_a_float_is_a_binary_number():
    tenths = ("0.1", 0.1, Fraction(1, 10), Decimal("0.1"))
    as_text, as_float, as_fraction, as_decimal = (exact_map(lambda ctx, K: K, 40, K=K) for K in tenths)
    assert as_decimal == as_text
    assert exact_map(lambda ctx, K: K, 5, K=[Decimal("-Infinity"), Decimal("1e-400")])[0] == -mpmath.inf
    with pytest.raises(ValueError, match="NaN"):
        exact_map(lambda ctx, K: K, 5, K=Decimal("NaN"))
    # the extended format, where there is one, has more bits than float64 keeps
    extended = np.longdouble(1) + np.finfo(np.longdouble).eps
    assert exact_map(lambda ctx, K: K - 1, 5, K=extended) == 2.0 ** -np.finfo(np.longdouble).nmant
    assert mpmath.nstr(as_text, 30, strip_zeros=True) == "0.1"
    assert as_fraction == as_text
    assert mpmath.nstr(as_float, 30) == "0.100000000000000005551115123126"


def test_arrays_of_numbers_keep_their_shape():
    values = Ring(5).log_partition([["0.1", "0.2", "0.3"]], dps=30)
    assert values.shape == (1, 3)
    assert values[0, 1] == Ring(5).log_partition("0.2", dps=30)
    assert Ring(5).log_partition([], dps=30).shape == (0,)


def test_threads_with_different_precision_do_not_disturb_each_other():
    def digits(dps):
        return mpmath.nstr(trained_weight("1", 8, 4, dps=dps), dps)

    wanted = [20, 60, 35, 100, 25, 80] * 4
    serial = {dps: digits(dps) for dps in set(wanted)}
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(digits, wanted)) == [serial[dps] for dps in wanted]


def test_settle_raises_its_precision_until_cancellation_is_overcome():
    values = settle(lambda ctx: [ctx.mpf(10) ** 30 * (ctx.exp(ctx.mpf(10) ** -30) - 1)], 20)
    assert mpmath.nstr(values[0], 20) == "1.0"


def test_settle_refuses_what_never_settles():
    counter = iter(range(100))
    with pytest.raises(PrecisionError) as caught:
        settle(lambda ctx: [ctx.mpf(1) + ctx.mpf(10) ** -5 * next(counter)], 20)
    assert caught.value.digits <= 5
    assert float(caught.value.best[0]) == pytest.approx(1, abs=1e-3)


def test_the_error_travels_between_processes():
    error = pickle.loads(
        pickle.dumps(PrecisionError("20 digits asked, 5 reached", best=[mpmath.mpf(1)], digits=5))
    )
    assert (str(error), error.best, error.digits) == ("20 digits asked, 5 reached", [1], 5)


@pytest.mark.parametrize("dps", [0, -3, 10**6])
def test_impossible_digits_are_refused(dps):
    with pytest.raises(ValueError, match="dps="):
        Ring(5).energy(1, dps=dps)


@pytest.mark.parametrize("dps", [1.5, "20", True])
def test_digits_of_a_wrong_type_are_refused(dps):
    with pytest.raises(TypeError, match="dps="):
        Ring(5).energy(1, dps=dps)


@pytest.mark.parametrize("K", ["one", None, 1j, [1, "x"], object(), True])
def test_what_is_not_a_number_is_refused(K):
    with pytest.raises(TypeError, match="K="):
        Ring(5).energy(K, dps=20)


@pytest.mark.parametrize("K", ["nan", float("nan"), np.float32("nan")])
def test_nan_is_refused(K):
    with pytest.raises(ValueError, match="NaN"):
        Ring(5).energy(K, dps=20)


@pytest.mark.parametrize("digits", [15, 40, 300, 1000])
@pytest.mark.parametrize("known", [1, 2, 9, 16])
def test_roots_are_refined_to_the_precision_of_the_context(digits, known):
    ctx = context(digits)
    exact = ctx.ln(3)
    start = exact + ctx.mpf(10) ** -(known + ctx.mpf("0.3"))
    evaluations = []

    def residual(x):
        evaluations.append(ctx.dps)
        return ctx.exp(x) - 3

    root = refine_root(ctx, residual, start, known)
    assert abs(root - exact) < 10 * ctx.mpf(10) ** -digits
    assert ctx.dps == digits
    # few evaluations at full precision: their cost is that of the whole
    assert sum(dps > 0.7 * digits for dps in evaluations) <= 5 or digits < 50


def test_a_start_that_promises_too_much_is_noticed():
    ctx = context(50)
    # 12 digits promised, 4 kept
    root = refine_root(ctx, lambda x: x**2 - 2, ctx.mpf("1.4141"), 12)
    assert abs(root - ctx.sqrt(2)) < ctx.mpf(10) ** -48


def test_no_root():
    ctx = context(30)
    with pytest.raises(PrecisionError):
        refine_root(ctx, lambda x: x**2 + 1, ctx.mpf(1), 5)
    with pytest.raises(PrecisionError, match="flat"):
        refine_root(ctx, lambda x: ctx.one, ctx.mpf(1), 5)
    assert ctx.dps == 30


def test_roots_start_from_what_was_found():
    starts = []

    def evaluate(ctx, found, a):
        starts.append(found)
        return ctx.sqrt(a)

    assert mpmath.nstr(exact_roots(evaluate, 25, a="2"), 25) == "1.414213562373095048801689"
    assert starts[0] is None
    assert abs(starts[1] - mpmath.sqrt(2)) < 1e-15


def test_lent_contexts_are_not_shared():
    with borrowed_context(20) as first, borrowed_context(50) as second:
        assert first is not second
        assert (first.dps, second.dps) == (20, 50)
    with borrowed_context(70) as again:
        assert again.dps == 70
    with pytest.raises(ZeroDivisionError), borrowed_context(20) as ctx:
        ctx.one / ctx.zero


def test_arithmetic_beyond_the_global_precision():
    with mpmath.workdps(60):
        third = mpmath.mpf(1) / 3
    assert keep_digits(lambda ctx, p: [ctx.fsum(p)], [third, third, third])[0] != third + third + third
    with mpmath.workdps(60):
        assert abs(keep_digits(lambda ctx, p: [ctx.fsum(p)], [third] * 3)[0] - 1) < mpmath.mpf(10) ** -59
    assert keep_digits(lambda ctx, p: [ctx.fsum(p)], []) == [0]


@pytest.mark.parametrize("x", ["0", "1e-400", "1e-25", "1e-11", "1e-7", "3e-3", "0.99", "1", "7"])
def test_what_cancels_near_zero_has_its_digits(x):
    ctx, fine = context(40), context(1500)  # plain differences, with digits to spare
    y = fine.mpf(x)
    wanted = (
        [(fine.sinh(y) - y) / y**3, (fine.exp(-y) - 1 + y) / y**2] if y else [fine.mpf(1) / 6, fine.mpf(0.5)]
    )
    fn = exact_functions(ctx)
    for found, exact in zip([fn.sinh_excess(ctx.mpf(x)), fn.exp_excess(ctx.mpf(x))], wanted, strict=True):
        assert abs(fine.convert(found) / exact - 1) < 1e-39
    with np.errstate(all="ignore"):  # both branches are evaluated
        doubles = [float(f(np.float64(x))) for f in (MACHINE.sinh_excess, MACHINE.exp_excess)]
    assert doubles == pytest.approx([float(exact) for exact in wanted], rel=2e-15, abs=0)
