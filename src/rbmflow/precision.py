"""Arbitrary precision: private mpmath contexts, and digits that are earned.

``mpmath.mp`` is one context for the whole process; two threads that set its precision corrupt each
other. Everything here computes in a private ``MPContext`` and hands out ``mpmath.mpf`` values of
mpmath's own type, which keep all their bits whatever the precision of the global context.

`Functions` is the small set of elementary functions in which the closed forms of the package are
written, once, for both worlds: numpy arrays of float64, and numbers of a private context.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import as_array, check_broadcast, check_digits, refuse_mask, shown
from rbmflow.errors import PrecisionError

GUARD_DIGITS = 15
MAX_RAISES = 12


@dataclass(frozen=True)
class Functions:
    """Elementary functions of one world of numbers."""

    exp: Callable[[Any], Any]
    expm1: Callable[[Any], Any]
    log: Callable[[Any], Any]
    log1p: Callable[[Any], Any]
    tanh: Callable[[Any], Any]
    sinh: Callable[[Any], Any]
    atanh: Callable[[Any], Any]
    divide: Callable[[Any, Any], Any]
    """``a / b``; not a number, but no exception, where b is 0."""
    where: Callable[[Any, Any, Any], Any]
    """``where(condition, a, b)``, elementwise."""
    sinh_excess: Callable[[Any], Any]
    """``(sinh x − x) / x³``, 1/6 at x = 0, for x ≥ 0."""
    exp_excess: Callable[[Any], Any]
    """``(exp(−x) − 1 + x) / x²``, 1/2 at x = 0, for x ≥ 0."""


N_TERMS = 12  # of the two series below x = 1, to the last digit of a double


def _sinh_excess(x: Any) -> Any:
    series = 0 * x
    for j in range(N_TERMS, 0, -1):
        series = (1 + series * x * x) / (2 * j * (2 * j + 1))
    return np.where(x < 1, series, np.divide(np.sinh(x) - x, x * x * x))


def _exp_excess(x: Any) -> Any:
    series = 0 * x
    for j in range(2 * N_TERMS, 1, -1):
        series = (1 - series * x) / j
    # the last division above is by 2: the series starts at x²/2!
    return np.where(x < 1, series, np.divide(np.expm1(-x) + x, x * x))


MACHINE = Functions(
    np.exp,
    np.expm1,
    np.log,
    np.log1p,
    np.tanh,
    np.sinh,
    np.arctanh,
    np.divide,
    np.where,
    _sinh_excess,
    _exp_excess,
)


def exact_functions(ctx: Any) -> Functions:
    """Return the elementary functions of a private context, for scalars."""

    def excess(x: Any, order: int, leading: list[int], direct: Callable[[], Any]) -> Any:
        """Return ``direct() / x^order``, or the leading terms of its series.

        The quotient is taken at the precision that its cancellation costs.
        """
        small = max(0, -ctx.mag(x)) if x < 1 and x else 0
        if x == 0 or small * len(leading) > ctx.prec:
            return ctx.fsum((-x) ** k / n for k, n in enumerate(leading) if n)
        before = ctx.prec
        try:
            ctx.prec += order * small + 10
            value = direct() / x**order
        finally:
            ctx.prec = before
        return +value

    return Functions(
        ctx.exp,
        ctx.expm1,
        ctx.log,
        ctx.log1p,
        ctx.tanh,
        ctx.sinh,
        ctx.atanh,
        lambda a, b: a / b if b else ctx.nan,
        lambda condition, a, b: a if condition else b,
        lambda x: excess(x, 3, [6, 0, 120, 0, 5040, 0], lambda: ctx.sinh(x) - x),
        lambda x: excess(x, 2, [2, 6, 24, 120, 720], lambda: ctx.expm1(-x) + x),
    )


def context(dps: int) -> Any:
    """Return a new private mpmath context that computes with `dps` decimal digits.

    Parameters
    ----------
    dps : int
        Decimal digits, at least 1.

    Returns
    -------
    mpmath.ctx_mp.MPContext
        Not shared with anything; safe in any thread.

    Examples
    --------
    >>> ctx = context(30)
    >>> print(ctx.sqrt(2))
    1.41421356237309504880168872421
    """
    import mpmath

    ctx = mpmath.MPContext()
    ctx.dps = dps
    return ctx


def to_exact(ctx: Any, name: str, value: object) -> Any:
    """Convert `value` to a number of `ctx`.

    Decimals and fractions are taken to its full precision, binary numbers exactly.
    """
    refuse_mask(name, value)
    if isinstance(value, (bool, np.bool_)) or value is None:
        raise TypeError(f"{name}={shown(value)}: a real number or its decimal string is needed")
    try:
        if isinstance(value, Fraction):
            number = ctx.mpf(value.numerator) / value.denominator
        elif isinstance(value, np.integer):
            number = ctx.mpf(int(value))
        elif isinstance(value, np.longdouble) and np.isfinite(value):
            top, bottom = value.as_integer_ratio()
            number = ctx.ldexp(ctx.convert(top), 1 - bottom.bit_length())
        elif isinstance(value, (float, np.floating)):
            number = ctx.mpf(float(value))
        elif isinstance(value, Decimal):
            number = ctx.convert(str(value) if value.is_finite() else float(value))
        elif isinstance(value, (int, str)) or hasattr(value, "_mpf_"):
            number = ctx.convert(value.strip() if isinstance(value, str) else value)
        else:
            raise TypeError
        if not hasattr(number, "_mpf_"):
            raise TypeError
    except (TypeError, ValueError, ZeroDivisionError, AttributeError):  # the last for no digits at all
        raise TypeError(f"{name}={shown(value)}: a real number or its decimal string is needed") from None
    if ctx.isnan(number):
        raise ValueError(f"{name}={shown(value)}: NaN is not a number to compute with")
    return number


_idle = threading.local()


@contextmanager
def borrowed_context(dps: int) -> Iterator[Any]:
    """Lend a context of this thread that is not in use, as making one takes longer than many a computation.

    Its numbers are to be published before it is given back. Making one takes 3 to 5 ms with mpmath 1.4.
    """
    idle = _idle.__dict__.setdefault("contexts", [])
    ctx = idle.pop() if idle else context(dps)
    ctx.dps = dps
    try:
        yield ctx
    finally:
        idle.append(ctx)


def publish(value: Any, dps: int) -> Any:
    """Round a number of a private context to `dps` digits, once, and return it as mpmath's own mpf."""
    import mpmath
    from mpmath.libmp import dps_to_prec, mpf_pos, round_nearest

    return mpmath.mp.make_mpf(mpf_pos(value._mpf_, dps_to_prec(dps), round_nearest))


def keep_digits(evaluate: Callable[..., list[Any]], numbers: Any) -> list[Any]:
    """Return ``evaluate(ctx, numbers)`` as mpmath's own mpf.

    The precision is beyond that of every one of the numbers. Arithmetic with mpmath's own mpf rounds to the
    process-wide precision, 15 digits by default.
    """
    with borrowed_context(30) as ctx:
        exact = [ctx.convert(number) for number in numbers]
        ctx.prec = max((number._mpf_[3] for number in exact), default=0) + 64
        return [publish(ctx.convert(value), ctx.dps) for value in evaluate(ctx, exact)]


def settle(
    evaluate: Callable[..., list[Any]], dps: int, *, refine: bool = False, max_raises: int = MAX_RAISES
) -> list[Any]:
    """Evaluate at rising precision until the rounded results of two evaluations agree.

    Agreement guards against rounding, not against a formula that loses everything at both
    precisions: differences that may vanish are to be written with expm1, log1p and their like.

    Parameters
    ----------
    evaluate : callable
        Takes a private context and returns a list of its numbers, always of the same length.
    dps : int
        Decimal digits asked for.
    refine : bool
        Whether `evaluate` takes the values of the evaluation before, None at first, as a second argument.
    max_raises : int
        How often the guard digits, 15 at first, are doubled.

    Returns
    -------
    list of mpmath.mpf
        The values, rounded once to `dps` digits.

    Raises
    ------
    PrecisionError
        If two evaluations never agree; it carries the last values and the digits that do agree.

    Examples
    --------
    >>> settle(lambda ctx: [(1 + ctx.mpf(10) ** -40 - 1) * ctx.mpf(10) ** 40], 10)
    [mpf('1.0')]
    """
    guard = GUARD_DIGITS
    current = _rounded(evaluate, dps, guard, *([None] if refine else []))
    for _ in range(max_raises):
        guard *= 2
        previous, current = current, _rounded(evaluate, dps, guard, *([current] if refine else []))
        if current == previous:
            return current
    agreed = _common_digits(previous, current)
    raise PrecisionError(f"{dps} digits asked, {agreed} reached", best=current, digits=agreed)


def _rounded(evaluate: Callable[..., list[Any]], dps: int, guard: int, *before: Any) -> list[Any]:
    with borrowed_context(dps + guard) as ctx:
        return [publish(ctx.convert(value), dps) for value in evaluate(ctx, *before)]


def _common_digits(first: list[Any], second: list[Any]) -> int:
    with borrowed_context(20) as ctx:
        pairs = zip(map(ctx.convert, first), map(ctx.convert, second), strict=True)
        worst = max(abs(a - b) / max(abs(a), abs(b)) for a, b in pairs if a != b)
        return max(0, int(-ctx.log10(worst)))


def exact_map(evaluate: Callable[..., Any], dps: int, **arguments: object) -> Any:
    """Apply ``evaluate(ctx, *numbers)`` at earned precision over broadcast arrays of exact numbers.

    Parameters
    ----------
    evaluate : callable
        Takes a private context and one number per argument, returns a number.
    dps : int
        Decimal digits.
    **arguments : array_like
        Named numbers: float, int, Fraction, decimal string or mpf, or (nested) lists of them.

    Returns
    -------
    mpmath.mpf or numpy.ndarray of object
        One value, or an array of the broadcast shape.

    Examples
    --------
    >>> import mpmath
    >>> mpmath.nstr(exact_map(lambda ctx, K: ctx.tanh(K), 25, K="0.1"), 25)
    '0.09966799462495581711830508'
    """
    return exact_table(lambda ctx, *numbers: [evaluate(ctx, *numbers)], dps, **arguments)[..., 0][()]


def exact_roots(evaluate: Callable[..., Any], dps: int, **arguments: object) -> Any:
    """Do as `exact_map` for ``evaluate(ctx, found, *numbers)``.

    `found` is the value to `dps` digits, None at first.
    """

    def evaluate_one(ctx: Any, found: list[Any] | None, *numbers: Any) -> list[Any]:
        return [evaluate(ctx, found and ctx.convert(found[0]), *numbers)]

    return _settled_table(evaluate_one, dps, arguments, refine=True)[..., 0][()]


def exact_table(evaluate: Callable[..., list[Any]], dps: int, **arguments: object) -> npt.NDArray[Any]:
    """Do as `exact_map` for a function of several results, which become the last axis of the array."""
    return _settled_table(evaluate, dps, arguments, refine=False)


def _settled_table(
    evaluate: Callable[..., list[Any]], dps: int, arguments: dict[str, object], refine: bool
) -> npt.NDArray[Any]:
    digits = check_digits(dps)
    arrays = check_broadcast(**{name: exact_array(name, value) for name, value in arguments.items()})

    def at(ctx: Any, *before: Any, items: tuple[Any, ...]) -> list[Any]:
        numbers = (to_exact(ctx, name, item) for name, item in zip(arguments, items, strict=True))
        return evaluate(ctx, *before, *numbers)

    rows = [
        settle(partial(at, items=items), digits, refine=refine)
        for items in zip(*(array.flat for array in arrays), strict=True)
    ]
    width = len(rows[0]) if rows else 1
    table = np.empty((len(rows), width), dtype=object)
    for row, values in enumerate(rows):
        table[row] = values
    return table.reshape(*arrays[0].shape, width)


def exact_array(name: str, value: object, *, finite: bool = False) -> npt.NDArray[Any]:
    """Return `value` as an object array of exact numbers, each checked to be one."""
    array = as_array(name, value, dtype=object)
    with borrowed_context(15) as checker:
        for item in array.flat:
            if checker.isinf(to_exact(checker, name, item)) and finite:
                raise ValueError(f"{name} holds an infinity: finite numbers are needed")
    return array
