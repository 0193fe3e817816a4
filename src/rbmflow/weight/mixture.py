"""The trained weight for training sets with several temperatures (thesis eq. 64, 78-79), J = 1.

The training law is the average of the ring's law over the temperatures, ``q(V) = ⟨q_T(V)⟩``; at T = 0 it is ½
on each aligned state. Its weight is finite whenever some temperature is above 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_broadcast, check_digits
from rbmflow.precision import exact_array, to_exact
from rbmflow.records import Record
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.forms import (
    WeakForm,
)
from rbmflow.weight.from_histogram import exact_weight_of_histogram
from rbmflow.weight.mixture_law import (
    TOLERANCE,
    check_mixture,
    cold_coupling,
    exact_mixture,
    mixture_form,
    mixture_law,
    not_reached,
    settled,
)
from rbmflow.weight.solve import WEAKEST, solve_form, trained_weight, weakest_weight
from rbmflow.weight.temperatures import (
    ISO_SHIBA_YOKOO_TEMPERATURES,
    TemperatureDensity,
    TemperatureRange,
    Temperatures,
    TemperatureSet,
    number,
)

if TYPE_CHECKING:
    from rbmflow.typing import (
        MPF,
        ArrayLike,
        ExactArray,
        ExactArrayLike,
        ExactNumber,
        ExactNumbers,
        Number,
        Numbers,
    )

__all__ = [
    "ISO_SHIBA_YOKOO_TEMPERATURES",
    "MixtureWeight",
    "TemperatureDensity",
    "TemperatureRange",
    "TemperatureSet",
    "mixture_law",
    "mixture_weight",
    "trained_weight_density",
    "trained_weight_mixture",
    "trained_weight_temperatures",
]

ROUNDING = 4e-15
COLDEST = 1e-30  # below, W = 2/(N T_high) to rounding: the mean weight of a pair of walls enters by T ln T


@dataclass(frozen=True)
class MixtureWeight(Record):
    """The trained weight of a training set with several temperatures.

    Attributes
    ----------
    weight : float
        W; infinite if T = 0 is the only temperature.
    error : float
        Estimate of its error: quadrature and rounding.
    gain : float
        ``M N W²``; the flow orders above 1.
    """

    weight: float
    error: float
    gain: float


def mixture_weight(temperatures: Temperatures, n_visible: int, n_hidden: int) -> MixtureWeight:
    """Return the trained weight for a training set with several temperatures, with an error estimate.

    Parameters
    ----------
    temperatures : TemperatureRange, TemperatureSet or TemperatureDensity
        Of the training set, J = 1.
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    n_hidden : int
        Hidden units N, at least 1.

    Returns
    -------
    MixtureWeight
        In float64.

    See Also
    --------
    trained_weight_mixture : The weight alone.
    rbmflow.flow.flow_after_training : With the fate of the flow.

    Examples
    --------
    >>> found = mixture_weight(TemperatureSet(ISO_SHIBA_YOKOO_TEMPERATURES), 100, 64)
    >>> print(round(found.gain, 7), found.error < 1e-14)
    1.0672221 True
    """
    n_visible, n_hidden = check_mixture(temperatures, n_visible, n_hidden)
    if float(number("T_high", temperatures.T_high)) == 0:
        return MixtureWeight(float("inf"), 0.0, float("inf"))
    if float(number("T_low", temperatures.T_low)) == float("inf"):
        return MixtureWeight(0.0, 0.0, 0.0)
    high = number("T_high", temperatures.T_high)
    if high < COLDEST and not isinstance(temperatures, TemperatureDensity):
        weight = float(2 / (n_hidden * high))  # infinite beyond 1.8e308
        return MixtureWeight(weight, 1e-15 * weight, float(n_visible * n_hidden) * weight * weight)
    coldest = cold_coupling(temperatures)
    if coldest is not None:
        weight = float(trained_weight(coldest, n_visible, n_hidden))
        return MixtureWeight(weight, 1e-14 * weight, n_visible * n_hidden * weight * weight)
    form, error = mixture_form(temperatures, n_visible)
    if isinstance(form, WeakForm) and form.surplus < WEAKEST:
        weight = weakest_weight(max(form.surplus, 0.0), n_visible, n_hidden)
        spread = error * float(np.linalg.norm(form.view.values**2)) / n_visible
        share = spread / form.surplus if form.surplus > 0 else np.inf
        return MixtureWeight(weight, weight * (share + ROUNDING), n_visible * n_hidden * weight * weight)
    weight = solve_form(form, n_hidden)
    error = (form.residual_error(weight, error) + ROUNDING) / form.sensitivity(
        weight, n_hidden
    ) + ROUNDING / 10
    error *= weight
    return MixtureWeight(weight, error, n_visible * n_hidden * weight * weight)


@overload
def trained_weight_mixture(
    T_low: Number, T_high: Number, n_visible: int, n_hidden: int, *, dps: None = None
) -> float: ...
@overload
def trained_weight_mixture(
    T_low: ArrayLike, T_high: Numbers, n_visible: int, n_hidden: int, *, dps: None = None
) -> FloatArray: ...
@overload
def trained_weight_mixture(
    T_low: Number, T_high: ArrayLike, n_visible: int, n_hidden: int, *, dps: None = None
) -> FloatArray: ...
@overload
def trained_weight_mixture(
    T_low: ExactNumber, T_high: ExactNumber, n_visible: int, n_hidden: int, *, dps: int
) -> MPF: ...
@overload
def trained_weight_mixture(
    T_low: ExactArrayLike, T_high: ExactNumbers, n_visible: int, n_hidden: int, *, dps: int
) -> ExactArray: ...
@overload
def trained_weight_mixture(
    T_low: ExactNumber, T_high: ExactArrayLike, n_visible: int, n_hidden: int, *, dps: int
) -> ExactArray: ...
def trained_weight_mixture(
    T_low: object, T_high: object, n_visible: int, n_hidden: int, *, dps: int | None = None
) -> Any:
    """Return the trained weight for temperatures uniform on [T_low, T_high] (thesis eq. 78-79), J = 1.

    Time O(M) at most for each range.

    Parameters
    ----------
    T_low, T_high : array_like
        Ends of the range, ``0 ≤ T_low ≤ T_high``; broadcast against each other. With `dps` also decimal
        strings, fractions or mpf.
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    n_hidden : int
        Hidden units N, at least 1.
    dps : int, optional
        Correct decimal digits; float64 without it, then `mixture_weight` has the error estimate.

    Returns
    -------
    float, numpy.ndarray, mpmath.mpf or array of mpf
        In the broadcast shape; finite for T_high > 0 even if T_low = 0.

    See Also
    --------
    trained_weight_temperatures : A discrete set of temperatures.
    trained_weight_density : A density of one's own.
    low_temperature_weight : By the low-temperature expansion.
    rbmflow.flow.flow_after_training : The fate of the flow.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 78-79.

    Examples
    --------
    >>> print(round(trained_weight_mixture(0, 1, 8, 4), 12))
    0.483679901299
    >>> import mpmath
    >>> mpmath.nstr(trained_weight_mixture(0, 1, 8, 4, dps=28), 28)
    '0.4836799012988715749735391691'
    """
    check_sizes(n_visible, n_hidden)
    lows, highs = check_broadcast(T_low=exact_array("T_low", T_low), T_high=exact_array("T_high", T_high))
    ranges = [TemperatureRange(low, high) for low, high in zip(lows.flat, highs.flat, strict=True)]
    values = np.empty(len(ranges), dtype=object if dps is not None else np.float64)
    for index, temperatures in enumerate(ranges):
        values[index] = weight_of(temperatures, n_visible, n_hidden, dps)
    return values.reshape(lows.shape)[()]


@overload
def trained_weight_temperatures(
    temperatures: ArrayLike,
    n_visible: int,
    n_hidden: int,
    *,
    weights: ArrayLike | None = None,
    dps: None = None,
) -> float: ...
@overload
def trained_weight_temperatures(
    temperatures: ExactArrayLike,
    n_visible: int,
    n_hidden: int,
    *,
    weights: ExactArrayLike | None = None,
    dps: int,
) -> MPF: ...
def trained_weight_temperatures(
    temperatures: Any, n_visible: int, n_hidden: int, *, weights: Any = None, dps: int | None = None
) -> Any:
    """Return the trained weight for a discrete set of temperatures (thesis eq. 64), J = 1.

    Parameters
    ----------
    temperatures : sequence
        0 ≤ T ≤ ∞; with `dps` also decimal strings, fractions or mpf. `ISO_SHIBA_YOKOO_TEMPERATURES` are those
        of the seven-step experiment.
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    n_hidden : int
        Hidden units N, at least 1.
    weights : sequence, optional
        A non-negative weight for each temperature; all equal by default.
    dps : int, optional
        Correct decimal digits; float64 without it, then `mixture_weight` has the error estimate.

    Returns
    -------
    float or mpmath.mpf
        W.

    See Also
    --------
    trained_weight_mixture : Temperatures uniform on a range.
    trained_weight_density : A density of one's own.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 64.

    Examples
    --------
    >>> W = trained_weight_temperatures(ISO_SHIBA_YOKOO_TEMPERATURES[1:], 100, 64)
    >>> print(round(100 * 64 * W**2, 8))
    0.99006591
    """
    return weight_of(TemperatureSet(temperatures, weights), n_visible, n_hidden, dps)


@overload
def trained_weight_density(
    density: Callable[[Any], Any],
    T_low: Number,
    T_high: Number,
    n_visible: int,
    n_hidden: int,
    *,
    points: ArrayLike = (),
    dps: None = None,
) -> float: ...
@overload
def trained_weight_density(
    density: Callable[[Any], Any],
    T_low: ExactNumber,
    T_high: ExactNumber,
    n_visible: int,
    n_hidden: int,
    *,
    points: ExactArrayLike = (),
    dps: int,
) -> MPF: ...
def trained_weight_density(
    density: Any,
    T_low: Any,
    T_high: Any,
    n_visible: int,
    n_hidden: int,
    *,
    points: Any = (),
    dps: int | None = None,
) -> Any:
    """Return the trained weight for temperatures with a density on [T_low, T_high], J = 1.

    Parameters
    ----------
    density : callable
        ``density(T)`` up to a factor, non-negative; with `dps` it gets and returns mpmath numbers.
    T_low, T_high : float
        Ends of the range, ``0 ≤ T_low < T_high``; with `dps` also decimal strings, fractions or mpf.
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    n_hidden : int
        Hidden units N, at least 1.
    points : sequence, optional
        Temperatures, the ends among them, where the density is not smooth: steps, kinks, algebraic
        singularities. Those at other temperatures than 0 need `dps`, as float64 cannot tell their
        neighbourhood from them.
    dps : int, optional
        Correct decimal digits, for densities that are analytic between the points; float64 without it, then
        `mixture_weight` has the error estimate.

    Returns
    -------
    float or mpmath.mpf
        W.

    Raises
    ------
    ValueError
        If `density` is negative somewhere or has no integral.
    PrecisionError
        If the quadrature does not reach the digits, or 10 of them in float64; `best` is the
        weight that it reached.

    See Also
    --------
    trained_weight_mixture : A constant density.
    trained_weight_temperatures : A discrete set.

    Examples
    --------
    >>> print(round(trained_weight_density(lambda T: 2.5, 0, 1, 8, 4), 12))
    0.483679901299
    >>> print(f"{trained_weight_density(lambda T: 1.0 * (T < 1.3), 0, 2, 8, 4, points=[1.3]):.10f}")
    0.3843743746
    """
    return weight_of(TemperatureDensity(density, T_low, T_high, points), n_visible, n_hidden, dps)


def weight_of(temperatures: Temperatures, n_visible: int, n_hidden: int, dps: int | None) -> Any:
    """Return the trained weight for any kind of temperatures, in float64 or to `dps` digits."""
    if dps is None:
        found = mixture_weight(temperatures, n_visible, n_hidden)
        if not found.error <= TOLERANCE * found.weight:
            raise not_reached(temperatures, found.weight, found.error / found.weight)
        return found.weight
    n_visible, n_hidden = check_mixture(temperatures, n_visible, n_hidden)
    errors: list[float] = []

    def exact(ctx: Any) -> list[Any]:
        hottest = to_exact(ctx, "T_high", temperatures.T_high)
        if not hottest:
            return [ctx.inf]
        if ctx.isinf(to_exact(ctx, "T_low", temperatures.T_low)):
            return [ctx.zero]
        spare = 10 + max(0, int(1.5 * float(ctx.log10(hottest)))) if not ctx.isinf(hottest) else 20
        ctx.dps += spare
        data, error = exact_mixture(ctx, temperatures, n_visible)
        errors.append(float(error))
        ctx.dps -= spare
        return [exact_weight_of_histogram(ctx, data, n_visible, n_hidden)]

    return settled(temperatures, exact, check_digits(dps), errors)[0]
