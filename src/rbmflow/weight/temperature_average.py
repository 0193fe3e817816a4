"""Averages over the temperatures of a training set: with an error estimate in float64, or to any digits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.precision import to_exact
from rbmflow.weight.temperatures import TemperatureRange, Temperatures, TemperatureSet, number

QUADRATURE_TOLERANCE = 1e-14
STEEPNESS = 10  # near a point T − point ∝ w^10: singularities up to the power −9/10 become smooth in w
HOTTEST = 1e30  # beyond, an average to so many digits takes minutes

Average = tuple[FloatArray, float]
Scaled = tuple[list[Any], Any]


def average(temperatures: Temperatures, function: Callable[[float], FloatArray]) -> Average:
    """Return the mean of ``function(T)`` over the temperatures, and a bound on its error.

    The bound is in the norm of the vector.
    """
    if isinstance(temperatures, TemperatureSet):
        weights = temperatures.shares
        values = [function(float(number("temperatures", T))) for T in temperatures.temperatures]
        return np.tensordot(weights / weights.sum(), values, axes=1), 0.0
    low, high = float(number("T_low", temperatures.T_low)), float(number("T_high", temperatures.T_high))
    if isinstance(temperatures, TemperatureRange):
        if low == high:
            return function(low), 0.0
        integral, error = _integrate(function, low, high)
        return integral / (high - low), error / (high - low)
    points = tuple(float(number("points", point)) for point in temperatures.points)
    norm, norm_error = _integrate(lambda T: np.array([temperatures.at(T)]), low, high, points)
    if not norm[0] > 0:
        raise ValueError(
            f"density={shown(temperatures.density)}: "
            f"its integral over [{low}, {high}] is {norm[0]}, not positive"
        )
    mean, error = _integrate(lambda T: temperatures.at(T) * function(T), low, high, points)
    mean = mean / norm[0]
    return mean, (error + float(np.linalg.norm(mean)) * norm_error) / float(norm[0])


def integral(function: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Return the integral of a function of the temperature to an absolute error."""
    return float(_integrate(lambda T: np.array([function(T)]), low, high, tolerance=tolerance)[0][0])


def exact_average(
    ctx: Any, temperatures: Temperatures, function: Callable[[Any], Scaled]
) -> tuple[list[Any], Any]:
    """Return the means of the list ``function(T)`` over the temperatures, and the quadrature's error.

    The function gives a list and a factor that all of it has. The error is relative to the largest mean.
    """
    if isinstance(temperatures, TemperatureSet):
        weights = [to_exact(ctx, "weights", weight) for weight in temperatures.weights]
        rows = [_whole(function(to_exact(ctx, "temperatures", T))) for T in temperatures.temperatures]
        return [ctx.fdot(weights, column) / ctx.fsum(weights) for column in zip(*rows, strict=True)], 0
    low, high = to_exact(ctx, "T_low", temperatures.T_low), to_exact(ctx, "T_high", temperatures.T_high)
    if isinstance(temperatures, TemperatureRange) and low == high:
        return _whole(function(low)), 0
    if high > HOTTEST:
        raise ValueError(
            f"T_high={ctx.nstr(high, 5)}: with dps, averages reach to {HOTTEST:g}; without, to all doubles"
        )
    if isinstance(temperatures, TemperatureRange):
        means, error = _exact_integrals(ctx, function, low, high)
        return [mean / (high - low) for mean in means], error
    points = {to_exact(ctx, "points", point) for point in temperatures.points}

    def density(T: Any) -> Any:
        return to_exact(ctx, "density(T)", temperatures.density(T))

    (norm,), norm_error = _exact_integrals(ctx, lambda _: ([ctx.one], ctx.one), low, high, points, density)
    if not 0 < norm < ctx.inf:
        raise ValueError(
            f"density={temperatures.density!r}: its integral over [{low}, {high}] is "
            f"{ctx.nstr(norm, 5)}, not positive"
        )
    means, error = _exact_integrals(ctx, function, low, high, points, density)
    return [mean / norm for mean in means], error + norm_error


Panel = tuple[Any, Any, int]
"""start, length and n of ``T = start + length w^n``, w from 0 to 1."""


def _panels(low: Any, high: Any, points: Collection[Any], edges: list[Any]) -> list[Panel]:
    """Return the panels between the ends, points and edges.

    Those that touch a point begin there, with n = 10.
    """
    panels: list[Panel] = []
    for a, b in pairwise(sorted({low, high, *points, *(edge for edge in edges if low < edge < high)})):
        if a in points and b in points:
            half = (b - a) / 2
            panels += [(a, half, STEEPNESS), (b, -half, STEEPNESS)]
        elif b in points:
            panels.append((b, a - b, STEEPNESS))
        else:
            panels.append((a, b - a, STEEPNESS if a in points else 1))
    return panels


def _integrate(
    function: Callable[[float], FloatArray],
    low: float,
    high: float,
    points: tuple[float, ...] = (),
    tolerance: float = 0.0,
) -> Average:
    """Integrate a vector adaptively (Gauss-Kronrod, scipy), from panels that double in width.

    To 1e-14 of its norm, or without points to an absolute error.

    The poles of the law of a ring lie at ``T = 4/(ln cot² φ ± iπ)``, closest to the axis near T = 0.
    """
    from scipy.integrate import quad_vec

    edges = 2.0 ** np.arange(-4, 1024)
    if not points:
        inner = [edge for edge in edges if low < edge < high]
        value, error = quad_vec(
            function,
            low,
            high,
            epsabs=tolerance,
            epsrel=QUADRATURE_TOLERANCE,
            norm="2",
            limit=400 + len(inner),
            points=inner,
        )[:2]
        return np.asarray(value), float(error)
    total, total_error = np.zeros(1), 0.0
    for start, length, n in _panels(low, high, points, list(edges)):
        nearest = float(np.nextafter(start, start + length))

        def scaled(w: float, start=start, length=length, n=n, nearest=nearest) -> FloatArray:  # type: ignore[no-untyped-def]
            T = start + length * w**n
            return np.asarray(function(nearest if start == T else T) * (abs(length) * n * w ** (n - 1)))

        value, error = quad_vec(
            scaled, 0.0, 1.0, epsabs=0.0, epsrel=QUADRATURE_TOLERANCE, norm="2", limit=400
        )[:2]
        total, total_error = total + value, total_error + float(error)
        if n > 1:  # what lies between the point and the next float is not seen
            total_error += 10 * float(np.linalg.norm(abs(nearest - start) * function(nearest)))
    return np.asarray(total), total_error


def _exact_integrals(
    ctx: Any,
    function: Callable[[Any], Scaled],
    low: Any,
    high: Any,
    points: Collection[Any] = (),
    density: Callable[[Any], Any] | None = None,
) -> tuple[list[Any], Any]:
    """Integrate a list of functions, times a density, with the tanh-sinh rule.

    The panels widen twofold (without a density 64-fold beyond T = 16).

    Also return the error that the rule's last steps suggest, relative to the largest integral.
    """
    widest = max(-4, int(ctx.floor(ctx.log(high, 2))) + 1)
    # the law is a series in 1/T there, of which a density is free
    powers = range(-4, widest) if density else [*range(-4, min(widest, 5)), *range(10, widest, 6)]
    panels = _panels(low, high, points, [ctx.ldexp(1, power) for power in powers])
    size = len(function(high)[0])
    totals, errors = [ctx.zero] * size, [ctx.zero] * size
    for panel in panels:
        known: dict[Any, list[Any]] = {}  # each node is evaluated once for all components

        def component(
            index: int, panel: Panel = panel, known: dict[Any, list[Any]] = known
        ) -> Callable[[Any], Any]:
            def at(w: Any) -> Any:
                key = ctx.prec, w._mpf_
                if key not in known:
                    known[key] = _at_node(ctx, function, density, panel, w)
                return known[key][index]

            return at

        for index in range(len(totals)):
            value, error = ctx.quad(component(index), [0, 1], error=True)
            totals[index] += value
            errors[index] += error
    largest = max(abs(total) for total in totals)
    return totals, max(errors) / largest if largest else ctx.zero


def _at_node(
    ctx: Any, function: Callable[[Any], Scaled], density: Callable[[Any], Any] | None, panel: Panel, w: Any
) -> list[Any]:
    start, length, n = panel
    factor = abs(length) * n * w ** (n - 1)
    precision = ctx.prec
    if n > 1:
        ctx.prec = (n + 2) * precision  # the distance from the point keeps its digits
    T = start + length * w**n
    if density is not None:
        factor = factor * density(T)
    ctx.prec = precision
    values, scale = function(T)
    return _whole((values, factor * scale))


def _whole(scaled: Scaled) -> list[Any]:
    values, scale = scaled
    return [scale * value for value in values]
