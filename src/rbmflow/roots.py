"""Roots: in float64 within a bracket, in multiprecision from a start in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rbmflow.errors import PrecisionError


def bracketed_root(
    function: Callable[[float], float],
    low: float,
    high: float,
    *,
    absolute: float = 2e-12,
    relative: float = 8.9e-16,
) -> float:
    """Return a root between two numbers where a function of float64 has opposite signs.

    Bisection and inverse quadratic interpolation (T. R. Chandrupatla, Adv. Eng. Softw. 28, 145 (1997)). The
    methods of scipy.optimize are as good, but to import them takes four times as long as numpy.

    Parameters
    ----------
    function : callable
        Of one number. It is called once for each.
    low, high : float
        The ends.
    absolute, relative : float, optional
        How narrow the bracket becomes: to their sum, the second times the root's size, or to neighbouring
        floats.

    Returns
    -------
    float
        The end of the last bracket with the smaller value.

    Raises
    ------
    ValueError
        If an end is not finite, the signs at both are equal, or a value is NaN.

    Examples
    --------
    >>> print(bracketed_root(lambda x: x * x - 2, 0.0, 2.0))
    1.414213562373095
    """
    newest, other, oldest = float(low), float(high), math.nan
    if not math.isfinite(newest) or not math.isfinite(other):
        raise ValueError(f"low={low}, high={high}: two finite ends are needed")
    at_newest, at_other, at_oldest = float(function(newest)), float(function(other)), math.nan
    if not (at_newest <= 0 <= at_other or at_other <= 0 <= at_newest):
        raise ValueError(
            f"low={low}, high={high}: the function is {at_newest} and {at_other}, without a change of sign"
        )
    share = 0.5
    while True:
        best, at_best = (newest, at_newest) if abs(at_newest) < abs(at_other) else (other, at_other)
        width = abs(other - newest)
        resolved = absolute + relative * abs(best)
        lower, upper = sorted((math.nextafter(newest, other), math.nextafter(other, newest)))
        if not at_best or width <= resolved or lower in (newest, other):
            return best
        trial = _between(newest, other, share)
        step = min(resolved, width) / 2
        trial = max(min(newest, other) + step, min(trial, max(newest, other) - step))
        trial = max(lower, min(trial, upper))
        at_trial = float(function(trial))
        if math.isnan(at_trial):
            raise ValueError(f"the function is NaN at {trial}")
        if (at_trial > 0) == (at_newest > 0):
            oldest, at_oldest = newest, at_newest
        else:
            oldest, at_oldest, other, at_other = other, at_other, newest, at_newest
        newest, at_newest = trial, at_trial
        # inverse quadratic interpolation where it is monotonic between the ends
        place = (newest - other) / (oldest - other)
        level = (at_newest - at_other) / (at_oldest - at_other)
        if level * level < place and (1 - level) ** 2 < 1 - place:
            share = at_newest / (at_other - at_newest) * at_oldest / (at_other - at_oldest) + (
                (oldest - newest) / (other - newest)
            ) * at_newest / (at_oldest - at_newest) * at_other / (at_oldest - at_other)
        else:
            share = 0.5


def _between(first: float, second: float, share: float) -> float:
    """Return the number that divides the way from the first to the second, counted from the nearer one."""
    if math.isinf(second - first):
        return first / 2 + second / 2
    if share <= 0.5:
        return first + share * (second - first)
    return second - (1 - share) * (second - first)


def refine_root(ctx: Any, residual: Callable[[Any], Any], start: Any, known: float) -> Any:
    """Refine a simple root by the secant method, at a working precision that grows with the digits gained.

    Parameters
    ----------
    ctx : mpmath.ctx_mp.MPContext
        Private context; the root is returned to its precision.
    residual : callable
        Of order 1 away from the root, in absolute precision as good as the context's.
    start : mpf
        The root to `known` decimal digits, absolute.
    known : float
        Digits of `start`, at least 1.

    Returns
    -------
    mpf
        The root.

    Raises
    ------
    PrecisionError
        If the iteration leaves its start for good, or does not converge.

    Examples
    --------
    >>> from rbmflow.precision import context
    >>> ctx = context(40)
    >>> print(refine_root(ctx, lambda x: x * x - 2, ctx.mpf(1.4142135), 7))
    1.414213562373095048801688724209698078570
    """
    # Errors are counted in digits, −log10 of them: `known` of x, `slope_digits` of the slope (relative),
    # `resolved` of the residual.
    goal = ctx.dps
    # A secant of length 10^−d gives the slope to d digits, and the difference of its residuals loses d.
    # A step gains the digits of the slope, though never more than were known: beyond those d would gain
    # nothing, and a smaller d costs less precision.
    slope_digits = min(known, 12.0) if known < 20 else known / 2
    try:
        # the step at best doubles what is known; dividing by the secant's length costs those of the slope
        ctx.dps = int(min(goal, 2 * known + slope_digits)) + 10
        x = ctx.convert(start)
        second = x + ctx.mpf(10) ** -slope_digits
        slope = (residual(second) - residual(x)) / (second - x)
        if not slope:
            raise PrecisionError(f"the residual is flat at {ctx.nstr(start, 15)}", best=x, digits=0)
        x_old, r_old, resolved = None, None, 0.0
        for _ in range(80):
            r = residual(x)
            if x_old is not None and x != x_old and r != r_old:
                # From the second step on the secant through the last two points, wrong by its length, and by
                # the noise of the older residual (at the precision before) over that length.
                distance = -float(ctx.log10(abs(x - x_old)))
                slope = (r - r_old) / (x - x_old)
                slope_digits = max(min(distance, resolved - distance), 0.0)
            step = -r / slope
            x_old, r_old, x = x, r, x + step
            resolved = ctx.dps - 8.0  # eight of the ten guard digits are for the rounding of the residual
            # The step is the error of the point before; a wrong slope leaves its share of it. A step in the
            # noise says nothing but that x is right to as much.
            step_digits = min(-float(ctx.log10(abs(step))), resolved) if step else resolved
            known = min(step_digits + slope_digits, resolved) if step_digits < resolved else resolved
            if abs(x - start) > 3:
                break
            if known >= goal + 1:
                return x
            # twice the digits, no more than the next step can gain: it is to be resolved from here
            ctx.dps = int(max(min(goal + 1, 2 * known), 15)) + 10
    finally:
        ctx.dps = goal
    raise PrecisionError(f"no root near {ctx.nstr(start, 15)}", best=x, digits=0)
