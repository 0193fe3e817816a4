"""The laws of training sets of several temperatures: forms to solve, means over ranges, laws of M."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_digits, check_integer, shown
from rbmflow.errors import PrecisionError
from rbmflow.ising import Law, Ring
from rbmflow.ising.law import magnetizations
from rbmflow.ising.walls import wall_sums
from rbmflow.precision import settle, to_exact
from rbmflow.weight.equation import check_sizes
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
from rbmflow.weight.from_histogram import fold
from rbmflow.weight.solve import WEAKEST
from rbmflow.weight.temperature_average import Average, average, exact_average
from rbmflow.weight.temperatures import (
    TemperatureDensity,
    TemperatureRange,
    Temperatures,
    TemperatureSet,
    number,
)

MAX_MIXTURE_SITES = 10**6
COLD, HOT = 0.05, 1e6
BLAZING = 1 / WEAKEST  # from here on the law is linear in 1/T to rounding
TOLERANCE = 1e-10  # relative, of weights in float64
MAX_DENSITY_RAISES = 5


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
    rates = np.array([4 * coupling_at(float(number("temperatures", T))) for T in temperatures.temperatures])
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


def check_mixture(temperatures: object, n_visible: object, n_hidden: object) -> tuple[int, int]:
    """Return the sizes, or raise where they or the temperatures are not possible."""
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
    coldest = coupling_at(float(number("T_low", temperatures.T_low)))
    view = window_for(n_visible, np.exp(2 * min(coldest, 300.0)))
    # in hot ranges the aligned share, 2/(T_high ln M), leaves the mean susceptibility near 1
    hot = isinstance(temperatures, TemperatureRange) and float(number("T_high", temperatures.T_high)) > HOT

    def susceptibility() -> float:
        return float(average(temperatures, lambda T: np.array([ring.susceptibility(coupling_at(T))]))[0][0])

    if view.first or hot or susceptibility() < strong_from(n_visible):
        excess, error = _mean_excess(temperatures, view)
        return WeakForm(view, excess), error
    hottest = ring_strong_form(coupling_at(float(number("T_high", temperatures.T_high))), n_visible)

    def interior(T: float) -> FloatArray:
        K = coupling_at(T)
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
        return ring_excess(coupling_at(T), view)

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


def coupling_at(T: float) -> float:
    """Return 1/T, ∞ where that is not a double."""
    return 1 / T if T > 1e-300 else float("inf")


def ring_excess(K: float, view: Window) -> FloatArray:
    """Return q − b of the ring, for one coupling from 0 to ∞."""
    if K <= WEAKEST:  # the mean bond at magnetization V is (V² − M)/[M(M − 1)]
        bonds = (view.values**2 - view.n_visible) / (view.n_visible - 1)
        return np.asarray(K * view.free * (bonds - view.free @ bonds))
    if view.first or 0.5 * np.log(strong_from(view.n_visible)) >= K:
        return ring_weak_form(K, view).excess
    return fold(Ring(view.n_visible).magnetization_law(K).probabilities) - view.free


def settled(
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
        raise not_reached(temperatures, best[0] if len(best) == 1 else best, 10.0**-error.digits) from None
    if errors and errors[-1] > 10.0**-digits:
        raise not_reached(temperatures, values[0] if len(values) == 1 else values, errors[-1])
    return values


def not_reached(temperatures: Temperatures, best: Any, error: float) -> PrecisionError:
    """Return the error of an average that was not reached."""
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

    def interior(T: Any) -> tuple[list[Any], Any]:
        if not T:
            return [ctx.zero] * (n_visible // 2), ctx.one
        x = ctx.exp(-4 / T)
        sums, _ = wall_sums(n_visible, x, slopes_too=False)
        if n_visible % 2 == 0:
            sums[-1] = ctx.ldexp(sums[-1], -1)  # V = 0 is its own mirror image
        pair = n_visible * x
        return sums, pair / ((1 + pair * ctx.fsum(sums)) * unit)

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
    n_visible, _ = check_mixture(temperatures, n_visible, 1)
    values = magnetizations(n_visible)
    if dps is None:
        ring = Ring(n_visible)
        mean, error = average(temperatures, lambda T: ring.magnetization_law(coupling_at(T)).probabilities)
        if error > TOLERANCE * float(np.linalg.norm(mean)):
            raise not_reached(temperatures, Law(values, mean), error / float(np.linalg.norm(mean)))
        return Law(values, mean)
    if float(number("T_high", temperatures.T_high)) == 0:
        return Ring(n_visible).magnetization_law("inf", dps=dps)

    errors: list[float] = []

    def exact(ctx: Any) -> list[Any]:
        half, error = exact_mixture(ctx, temperatures, n_visible)
        errors.append(float(error))
        return both_signs(half, n_visible)

    return Law(values, np.array(settled(temperatures, exact, check_digits(dps), errors), dtype=object))


def both_signs(half: list[Any], n_visible: int) -> list[Any]:
    """Return P(V), V = −M, …, M, from P(|V|)."""
    shares = [p if 2 * k == n_visible else p / 2 for k, p in enumerate(half)]
    return [*shares, *shares[::-1][1 - n_visible % 2 :]]
