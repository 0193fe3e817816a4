"""The trained weight for training sets with several temperatures (thesis eq. 64, 78-79), J = 1.

The training law is the average of the ring's law over the temperatures, ``q(V) = ⟨q_T(V)⟩``; at T = 0 it is ½
on each aligned state. Its weight is finite whenever some temperature is above 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_broadcast, check_digits, check_integer, shown
from rbmflow.errors import PrecisionError
from rbmflow.ising import Law, Ring
from rbmflow.ising.law import magnetizations
from rbmflow.precision import exact_array, settle, to_exact
from rbmflow.weight.equation import check_sizes
from rbmflow.weight.exact import training_weights
from rbmflow.weight.forms import (
    Form,
    StrongForm,
    WeakForm,
    Window,
    ring_strong_form,
    ring_weak_form,
    strong_from,
    window_for,
)
from rbmflow.weight.solve import WEAKEST, solve_form, trained_weight, weakest_weight
from rbmflow.weight.temperatures import (
    ISO_SHIBA_YOKOO_TEMPERATURES,
    Average,
    TemperatureDensity,
    TemperatureRange,
    Temperatures,
    TemperatureSet,
    average,
    exact_average,
    number,
)
from rbmflow.weight.training_law import exact_weight_of_histogram, fold

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

MAX_MIXTURE_SITES = 10**6
ROUNDING = 4e-15
COLD, HOT = 0.05, 1e6
COLDEST = 1e-30  # below, W = 2/(N T_high) to rounding: the mean weight of a pair of walls enters by T ln T
BLAZING = 1 / WEAKEST  # from here on the law is linear in 1/T to rounding
TOLERANCE = 1e-10  # relative, of weights in float64
MAX_DENSITY_RAISES = 5


@dataclass(frozen=True)
class MixtureWeight:
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

    Examples
    --------
    >>> found = mixture_weight(TemperatureSet(ISO_SHIBA_YOKOO_TEMPERATURES), 100, 64)
    >>> print(round(found.gain, 7), found.error < 1e-14)
    1.0672221 True
    """
    n_visible, n_hidden = _check(temperatures, n_visible, n_hidden)
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


def cold_coupling(temperatures: Temperatures) -> float | None:
    """Return the one coupling that stands for cold temperatures, None unless T_high < 0.05.

    It is ``−¼ ln ⟨e^(−4/T)⟩``. There e^(−4/T) < 1e-34, so that one pair of walls is all that counts, and the
    law depends on its mean weight alone.
    """
    high = float(number("T_high", temperatures.T_high))
    if high >= COLD or isinstance(temperatures, TemperatureDensity):
        return None
    if isinstance(temperatures, TemperatureRange):
        low = float(number("T_low", temperatures.T_low))
        if low < high:
            return (4 / high - log_mean_decay(low, high)) / 4
        return 1 / high
    weights = temperatures.shares
    rates = np.array([4 * _coupling(float(number("temperatures", T))) for T in temperatures.temperatures])
    rates = np.where(weights > 0, rates, np.inf)
    return float((rates.min() - np.log(weights @ np.exp(rates.min() - rates) / weights.sum())) / 4)


def log_mean_decay(low: float, high: float) -> float:
    """Return ``ln ⟨e^(4/T_high − 4/T)⟩`` over a cold range; ``∫_0^T e^(−4/T) dT = T E₂(4/T)``."""
    if high - low < low * high / 4:  # narrow: the exponent changes by less than 1, and the ends would cancel
        x, w = np.polynomial.legendre.leggauss(20)
        T = low + (high - low) * (x + 1) / 2
        return float(np.log(w @ np.exp(-4 * (high - T) / (T * high)) / 2))
    upper, lower, share = float(scaled_exponential_integral(4 / high)), 0.0, low / high
    if low > 1e-300:
        lower = share * float(scaled_exponential_integral(4 / low)) * float(np.exp(4 / high - 4 / low))
    return float(np.log((upper - lower) / (1 - share)))


def scaled_exponential_integral(z: Any) -> Any:
    """``e^z E₂(z) = U(1, 0, z)``, 1/(z + 2) up to a relative 2/z² for large z."""
    from scipy.special import expn, hyperu

    large = np.where(z < 1e8, hyperu(1.0, 0.0, np.clip(z, 0.01, 1e8)), 1 / (z + 2))
    return np.where(z < 0.01, expn(2, np.minimum(z, 1)) * np.exp(np.minimum(z, 1)), large)


def _check(temperatures: object, n_visible: object, n_hidden: object) -> tuple[int, int]:
    if not isinstance(temperatures, (TemperatureRange, TemperatureSet, TemperatureDensity)):
        raise TypeError(
            f"temperatures={shown(temperatures)}: a TemperatureRange, TemperatureSet or "
            "TemperatureDensity is needed"
        )
    sizes = check_sizes(n_visible, n_hidden)
    check_integer("n_visible", n_visible, 3, MAX_MIXTURE_SITES)
    return sizes


def mixture_form(temperatures: Temperatures, n_visible: int) -> tuple[Form, float]:
    """Return the form of the equation for T_high > 0, and the quadrature's error in its data."""
    ring = Ring(n_visible)
    coldest = _coupling(float(number("T_low", temperatures.T_low)))
    view = window_for(n_visible, np.exp(2 * min(coldest, 300.0)))
    # in hot ranges the aligned share, 2/(T_high ln M), leaves the mean susceptibility near 1
    hot = isinstance(temperatures, TemperatureRange) and float(number("T_high", temperatures.T_high)) > HOT

    def susceptibility() -> float:
        return float(average(temperatures, lambda T: np.array([ring.susceptibility(_coupling(T))]))[0][0])

    if view.first or hot or susceptibility() < strong_from(n_visible):
        excess, error = _mean_excess(temperatures, view)
        return WeakForm(view, excess), error
    hottest = ring_strong_form(_coupling(float(number("T_high", temperatures.T_high))), n_visible)

    def interior(T: float) -> FloatArray:
        K = _coupling(T)
        if float("inf") == K:
            return np.zeros_like(hottest.interior)
        form = ring_strong_form(K, n_visible)
        return np.asarray(form.interior * np.exp(form.log_scale - hottest.log_scale))

    mean, error = average(temperatures, interior)
    if not mean.any():
        message = (
            f"T_high={temperatures.T_high}: float64 does not resolve a density at temperatures so low; "
            "ask for digits with dps="
        )
        raise PrecisionError(message, best=None, digits=0)
    return StrongForm(view, mean, hottest.log_scale), error


def _mean_excess(temperatures: Temperatures, view: Window) -> Average:
    """Return the mean of q − b, and the quadrature's error in it."""

    def excess(T: float) -> FloatArray:
        return _excess(_coupling(T), view)

    low, high = (float(number("T", T)) for T in (temperatures.T_low, temperatures.T_high))
    if not isinstance(temperatures, TemperatureRange) or high <= BLAZING or low == high:
        return average(temperatures, excess)
    start, length = max(low, BLAZING), high - low  # integrals over T would leave the doubles
    mean = BLAZING * excess(BLAZING) * (np.log(high / start) / length)
    if low >= BLAZING:
        return mean, 0.0
    rest, error = average(TemperatureRange(low, BLAZING), excess)
    share = (BLAZING - low) / length
    return mean + rest * share, error * share


def _coupling(T: float) -> float:
    return 1 / T if T > 1e-300 else float("inf")


def _excess(K: float, view: Window) -> FloatArray:
    """Return q − b of the ring, for one coupling from 0 to ∞."""
    if K <= WEAKEST:  # the mean bond at magnetization V is (V² − M)/[M(M − 1)]
        bonds = (view.values**2 - view.n_visible) / (view.n_visible - 1)
        return np.asarray(K * view.free * (bonds - view.free @ bonds))
    if view.first or 0.5 * np.log(strong_from(view.n_visible)) >= K:
        return ring_weak_form(K, view).excess
    return fold(Ring(view.n_visible).magnetization_law(K).probabilities) - view.free


def trained_weight_mixture(
    T_low: object, T_high: object, n_visible: int, n_hidden: int, *, dps: int | None = None
) -> Any:
    """Return the trained weight for temperatures uniform on [T_low, T_high] (thesis eq. 78-79), J = 1.

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

    Examples
    --------
    >>> W = trained_weight_temperatures(ISO_SHIBA_YOKOO_TEMPERATURES[1:], 100, 64)
    >>> print(round(100 * 64 * W**2, 8))
    0.99006591
    """
    return weight_of(TemperatureSet(temperatures, weights), n_visible, n_hidden, dps)


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
            raise _not_reached(temperatures, found.weight, found.error / found.weight)
        return found.weight
    n_visible, n_hidden = _check(temperatures, n_visible, n_hidden)
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

    return _settled(temperatures, exact, check_digits(dps), errors)[0]


def _settled(
    temperatures: Temperatures, exact: Callable[[Any], list[Any]], digits: int, errors: list[float]
) -> list[Any]:
    """Return what two evaluations agree on.

    Raise where the quadrature over a density says that it is no better than its rule.
    """
    if not isinstance(temperatures, TemperatureDensity):
        return settle(exact, digits)
    try:
        values = settle(exact, digits, max_raises=MAX_DENSITY_RAISES)
    except PrecisionError as error:
        best = error.best
        raise _not_reached(temperatures, best[0] if len(best) == 1 else best, 10.0**-error.digits) from None
    if errors and errors[-1] > 10.0**-digits:
        raise _not_reached(temperatures, values[0] if len(values) == 1 else values, errors[-1])
    return values


def _not_reached(temperatures: Temperatures, best: Any, error: float) -> PrecisionError:
    where = f"over [{temperatures.T_low}, {temperatures.T_high}]"
    return PrecisionError(
        f"the average {where} reached a relative error of {error:.2g}: name the temperatures where the "
        "density is not smooth as points=, ask for digits with dps= where it is singular at another "
        "temperature than 0, or for fewer of them",
        best=best,
        digits=max(0, int(-np.log10(error))) if 0 < error < 1 else 0,
    )


def exact_mixture(ctx: Any, temperatures: Temperatures, n_visible: int) -> tuple[list[Any], Any]:
    """Return P(|V|), |V| = M, M − 2, …, and the quadrature's relative error.

    They are at the scale of the interior's leading factor.
    """
    hottest = to_exact(ctx, "T_high", temperatures.T_high)
    unit = ctx.exp(-4 / hottest)

    def interior(T: Any) -> list[Any]:
        if not T:
            return [ctx.zero] * (n_visible // 2)
        weights = training_weights(ctx, 1 / T, n_visible)
        total = ctx.fsum(weights)
        return [weight / total / unit for weight in weights[1:]]

    means, error = exact_average(ctx, temperatures, interior)
    inside = [mean * unit for mean in means]
    return [1 - ctx.fsum(inside), *inside], error


def mixture_law(temperatures: Temperatures, n_visible: int, *, dps: int | None = None) -> Law:
    """Return the law of the magnetization of a training set with several temperatures.

    Parameters
    ----------
    temperatures : TemperatureRange, TemperatureSet or TemperatureDensity
        Of the training set, J = 1.
    n_visible : int
        Spins M of the ring, 3 to 10⁶.
    dps : int, optional
        Decimal digits, relative to the largest probability; float64 without it.

    Returns
    -------
    Law
        Normalised and symmetric.

    Raises
    ------
    PrecisionError
        If the average over a density does not reach the digits; `best` is what it reached.

    Examples
    --------
    >>> mixture_law(TemperatureSet([0, 2]), 4).probabilities
    array([0.3866, 0.0739, 0.0789, 0.0739, 0.3866])
    """
    n_visible, _ = _check(temperatures, n_visible, 1)
    values = magnetizations(n_visible)
    if dps is None:
        ring = Ring(n_visible)
        mean, error = average(temperatures, lambda T: ring.magnetization_law(_coupling(T)).probabilities)
        if error > TOLERANCE * float(np.linalg.norm(mean)):
            raise _not_reached(temperatures, Law(values, mean), error / float(np.linalg.norm(mean)))
        return Law(values, mean)
    if float(number("T_high", temperatures.T_high)) == 0:
        return Ring(n_visible).magnetization_law("inf", dps=dps)

    errors: list[float] = []

    def exact(ctx: Any) -> list[Any]:
        half, error = exact_mixture(ctx, temperatures, n_visible)
        errors.append(float(error))
        return both_signs(half, n_visible)

    return Law(values, np.array(_settled(temperatures, exact, check_digits(dps), errors), dtype=object))


def both_signs(half: list[Any], n_visible: int) -> list[Any]:
    """Return P(V), V = −M, …, M, from P(|V|)."""
    shares = [p if 2 * k == n_visible else p / 2 for k, p in enumerate(half)]
    return [*shares, *shares[::-1][1 - n_visible % 2 :]]
