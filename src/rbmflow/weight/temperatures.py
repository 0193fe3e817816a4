"""Temperatures of a training set: a range, a discrete set, a density. J = 1, so that K = 1/T.

`average` and `exact_average` average functions of the temperature, in float64 with an error estimate and in arbitrary precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_real_scalar, shown
from rbmflow.precision import borrowed_context, exact_array, publish, to_exact

QUADRATURE_TOLERANCE = 1e-14
ISO_SHIBA_YOKOO_TEMPERATURES = tuple(index / 4 for index in range(25))
"""0, 0.25, …, 6: the training set of S. Iso, S. Shiba and S. Yokoo, Phys. Rev. E 97, 053304 (2018), which the thesis analyses."""

Average = tuple[FloatArray, float]


@dataclass(frozen=True)
class TemperatureRange:
    """Temperatures uniform on [T_low, T_high].

    Attributes
    ----------
    T_low, T_high : float, or str, Fraction, mpf for exact ends
        0 ≤ T_low < T_high < ∞. T_low = T_high is one temperature.

    Raises
    ------
    TypeError, ValueError
        If the ends are not such numbers.
    """

    T_low: Any
    T_high: Any

    def __post_init__(self) -> None:
        check_range(self.T_low, self.T_high)


@dataclass(frozen=True)
class TemperatureSet:
    """A discrete set of temperatures, each with a weight.

    Attributes
    ----------
    temperatures : sequence
        At least one; 0 ≤ T ≤ ∞.
    weights : sequence, optional
        As many non-negative numbers, with a positive sum; all equal by default.

    Raises
    ------
    TypeError, ValueError
        If they are not such numbers.
    """

    temperatures: Any
    weights: Any = None

    def __post_init__(self) -> None:
        temperatures = exact_array("temperatures", self.temperatures)
        if temperatures.ndim != 1 or not temperatures.size:
            raise ValueError(
                f"temperatures has shape {temperatures.shape}: a list of at least one temperature is needed"
            )
        if any(float(number("temperatures", T)) < 0 for T in temperatures):
            raise ValueError(f"temperatures={shown(self.temperatures)}: at least 0 is needed")
        weights = np.ones(len(temperatures), dtype=object) if self.weights is None else None
        weights = exact_array("weights", self.weights, finite=True) if weights is None else weights
        if weights.shape != temperatures.shape:
            raise ValueError(
                f"weights has shape {weights.shape}: {temperatures.shape} is needed, one for each temperature"
            )
        values = [float(number("weights", weight)) for weight in weights]
        if min(values) < 0 or not sum(values) > 0:
            raise ValueError(
                f"weights={shown(self.weights)}: non-negative numbers with a positive sum are needed"
            )
        object.__setattr__(self, "temperatures", tuple(temperatures))
        object.__setattr__(self, "weights", tuple(weights))

    @property
    def T_low(self) -> Any:
        """The lowest temperature that has weight."""
        return min(self._present(), key=lambda T: number("temperatures", T))

    @property
    def T_high(self) -> Any:
        """The highest temperature that has weight."""
        return max(self._present(), key=lambda T: number("temperatures", T))

    def _present(self) -> list[Any]:
        return [
            T
            for T, weight in zip(self.temperatures, self.weights, strict=True)
            if number("weights", weight) > 0
        ]


@dataclass(frozen=True)
class TemperatureDensity:
    """Temperatures with a density on [T_low, T_high].

    Attributes
    ----------
    density : callable
        ``density(T)``, a non-negative number, up to a factor; smooth, or with kinks that the adaptive quadrature finds. With digits it
        is called with, and must return, numbers of an mpmath context.
    T_low, T_high : float, or str, Fraction, mpf for exact ends
        0 ≤ T_low < T_high < ∞.

    Raises
    ------
    TypeError, ValueError
        If the ends are not such numbers, or `density` cannot be called.
    """

    density: Callable[[Any], Any]
    T_low: Any
    T_high: Any

    def __post_init__(self) -> None:
        if not callable(self.density):
            raise TypeError(f"density={shown(self.density)}: a function of the temperature is needed")
        check_range(self.T_low, self.T_high)
        if not number("T_low", self.T_low) < number("T_high", self.T_high):
            raise ValueError(f"T_low={self.T_low}, T_high={self.T_high}: a density needs T_low < T_high")

    def at(self, T: float) -> float:
        """Return the density at one temperature, checked.

        Parameters
        ----------
        T : float
            The temperature.

        Returns
        -------
        float
            Finite and at least 0.

        Raises
        ------
        TypeError, ValueError
            If the density gives anything else.

        Examples
        --------
        >>> TemperatureDensity(lambda T: T, 0, 1).at(0.5)
        0.5
        """
        value = check_real_scalar("density(T)", self.density(T))
        if not 0 <= value < np.inf:
            raise ValueError(f"density({shown(T)}) = {value}: a finite number of at least 0 is needed")
        return value


Temperatures = TemperatureRange | TemperatureSet | TemperatureDensity


def average(temperatures: Temperatures, function: Callable[[float], FloatArray]) -> Average:
    """Return the mean of ``function(T)`` over the temperatures, and a bound on its error in the norm of the vector."""
    if isinstance(temperatures, TemperatureSet):
        weights = np.array([float(number("weights", weight)) for weight in temperatures.weights])
        values = [function(float(number("temperatures", T))) for T in temperatures.temperatures]
        return np.tensordot(weights / weights.sum(), values, axes=1), 0.0
    low, high = float(number("T_low", temperatures.T_low)), float(number("T_high", temperatures.T_high))
    if isinstance(temperatures, TemperatureRange):
        if low == high:
            return function(low), 0.0
        return _integrate(lambda T: function(T) / (high - low), low, high)
    norm, norm_error = _integrate(lambda T: np.array([temperatures.at(T)]), low, high)
    if not norm[0] > 0:
        raise ValueError(
            f"density={shown(temperatures.density)}: its integral over [{low}, {high}] is {norm[0]}, not positive"
        )
    mean, error = _integrate(lambda T: temperatures.at(T) * function(T), low, high)
    mean = mean / norm[0]
    return mean, (error + float(np.linalg.norm(mean)) * norm_error) / float(norm[0])


def exact_average(ctx: Any, temperatures: Temperatures, function: Callable[[Any], list[Any]]) -> list[Any]:
    """Return the means of the list ``function(T)`` over the temperatures in the precision of the context."""
    if isinstance(temperatures, TemperatureSet):
        weights = [to_exact(ctx, "weights", weight) for weight in temperatures.weights]
        rows = [function(to_exact(ctx, "temperatures", T)) for T in temperatures.temperatures]
        return [ctx.fdot(weights, column) / ctx.fsum(weights) for column in zip(*rows, strict=True)]
    low, high = to_exact(ctx, "T_low", temperatures.T_low), to_exact(ctx, "T_high", temperatures.T_high)
    if isinstance(temperatures, TemperatureRange):
        if low == high:
            return function(low)
        return [mean / (high - low) for mean in _exact_integrals(ctx, function, low, high)]

    def weighted(T: Any) -> list[Any]:
        rho = to_exact(ctx, "density(T)", temperatures.density(T))
        return [rho, *(rho * value for value in function(T))]

    norm, *means = _exact_integrals(ctx, weighted, low, high)
    return [mean / norm for mean in means]


def check_range(T_low: object, T_high: object) -> None:
    """Raise unless 0 ≤ T_low ≤ T_high < ∞."""
    low, high = float(number("T_low", T_low)), float(number("T_high", T_high))
    if not 0 <= low <= high < np.inf:
        raise ValueError(
            f"T_low={shown(T_low)}, T_high={shown(T_high)}: 0 <= T_low <= T_high < infinity is needed"
        )


def number(name: str, value: object) -> Any:
    """Return a checked number as mpf to 30 digits."""
    with borrowed_context(30) as ctx:
        return publish(to_exact(ctx, name, value), 30)


def _integrate(function: Callable[[float], FloatArray], low: float, high: float) -> Average:
    """Integrate a vector adaptively (Gauss-Kronrod, scipy), from panels that double in width.

    The poles of the law of a ring lie at ``T = 4/(ln cot² φ ± iπ)``, closest to the axis near T = 0.
    """
    from scipy.integrate import quad_vec

    points = [edge for edge in 2.0 ** np.arange(-4, 1024) if low < edge < high]
    value, error = quad_vec(
        function,
        low,
        high,
        epsabs=0.0,
        epsrel=QUADRATURE_TOLERANCE,
        norm="2",
        limit=400 + len(points),
        points=points,
    )[:2]
    return np.asarray(value), float(error)


def _exact_integrals(ctx: Any, function: Callable[[Any], list[Any]], low: Any, high: Any) -> list[Any]:
    """Integrate a list of functions with the tanh-sinh rule over panels that double in width, each evaluated once for all."""
    known: dict[Any, list[Any]] = {}

    def component(index: int) -> Callable[[Any], Any]:
        def value(T: Any) -> Any:
            key = ctx.prec, T._mpf_
            if key not in known:
                known[key] = function(T)
            return known[key][index]

        return value

    widest = max(-4, int(ctx.floor(ctx.log(high, 2))) + 1)
    ends = [low, *(edge for edge in (ctx.ldexp(1, k) for k in range(-4, widest)) if low < edge < high), high]
    return [ctx.quad(component(index), ends) for index in range(len(function(high)))]
