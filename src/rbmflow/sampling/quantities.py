"""What is asked of measured series: functions of their means, and their derivatives by the coupling.

With the law ``exp(−K E)``, E = n e the total energy in J, the derivative of a mean is a covariance,
``d⟨A⟩/dK = ⟨A⟩⟨E⟩ − ⟨A E⟩``: slopes need no differences of couplings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rbmflow.arguments import FloatArray, check_choice, shown

Series = Mapping[str, FloatArray]
"""Measurements by name, all of one shape; ``energy`` and ``magnetization`` per site are always there."""
QuantityName = Literal[
    "energy",
    "heat_capacity",
    "magnetization",
    "absolute_magnetization",
    "squared_magnetization",
    "susceptibility",
    "connected_susceptibility",
    "binder_cumulant",
    "binder_cumulant_slope",
    "log_absolute_magnetization_slope",
    "log_squared_magnetization_slope",
]


@dataclass(frozen=True)
class Quantity:
    """A function of means of measured series.

    Attributes
    ----------
    name : str
        What warnings and tables call it.
    measured : callable
        Of series by name; the arrays, of one shape, whose means are needed.
    value : callable
        Of the number of sites, the coupling, and these means; elementwise for arrays of couplings and means.

    Examples
    --------
    >>> fourth = Quantity("<m^4>", lambda series: (series["magnetization"] ** 4,), lambda n, K, m4: m4)
    >>> from rbmflow import Ring, sampling
    >>> chains = sampling.run(Ring(8), 0.3, n_chains=8, n_sweeps=200, rng=1)
    >>> sampling.reweight(chains).estimate(fourth, 0.0).mean < sampling.reweight(chains).estimate(
    ...     fourth, 0.3
    ... ).mean
    True
    """

    name: str
    measured: Callable[[Series], tuple[FloatArray, ...]]
    value: Callable[..., Any]


def series_of(name: str) -> Callable[[Series], tuple[FloatArray, ...]]:
    """Return what takes one series as it is."""
    return lambda series: (series[name],)


def powers_of_energy(series: Series) -> tuple[FloatArray, ...]:
    """Return the energy per site, and its square."""
    e = series["energy"]
    return e, e**2


def absolute(series: Series) -> tuple[FloatArray, ...]:
    """Return |m|."""
    return (np.abs(series["magnetization"]),)


def squared(series: Series) -> tuple[FloatArray, ...]:
    """Return m²."""
    return (series["magnetization"] ** 2,)


def squared_and_absolute(series: Series) -> tuple[FloatArray, ...]:
    """Return m² and |m|."""
    return squared(series) + absolute(series)


def fourth_and_squared(series: Series) -> tuple[FloatArray, ...]:
    """Return m⁴ and m²."""
    (m2,) = squared(series)
    return m2**2, m2


def with_energy(
    measured: Callable[[Series], tuple[FloatArray, ...]],
) -> Callable[[Series], tuple[FloatArray, ...]]:
    """Return the series, their products with the energy per site, and this."""

    def both(series: Series) -> tuple[FloatArray, ...]:
        e, parts = series["energy"], measured(series)
        return (*parts, *(part * e for part in parts), e)

    return both


def log_slope(n: int, _K: Any, mean: Any, with_e: Any, e: Any) -> Any:
    """Return ``d ln⟨A⟩/dK = n (⟨e⟩ − ⟨A e⟩/⟨A⟩)``; NaN where A vanishes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return n * (e - np.divide(with_e, mean))


def heat_capacity(n: int, K: Any, e: Any, e2: Any) -> Any:
    """Return ``K² n (⟨e²⟩ − ⟨e⟩²)``."""
    return K**2 * n * (e2 - e**2)


def binder_cumulant(_n: int, _K: Any, m4: Any, m2: Any) -> Any:
    """Return ``U = 1 − ⟨m⁴⟩/(3⟨m²⟩²)``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - np.divide(m4, 3 * m2**2)


def binder_cumulant_slope(n: int, K: Any, m4: Any, m2: Any, m4e: Any, m2e: Any, e: Any) -> Any:
    """Return ``dU/dK = (1 − U) (2 d ln⟨m²⟩/dK − d ln⟨m⁴⟩/dK)``."""
    change = 2 * log_slope(n, K, m2, m2e, e) - log_slope(n, K, m4, m4e, e)
    return (1 - binder_cumulant(n, K, m4, m2)) * change


QUANTITIES: dict[str, Quantity] = {
    one.name: one
    for one in [
        Quantity("energy", series_of("energy"), lambda _n, _K, e: e),
        Quantity("heat_capacity", powers_of_energy, heat_capacity),
        Quantity("magnetization", series_of("magnetization"), lambda _n, _K, m: m),
        Quantity("absolute_magnetization", absolute, lambda _n, _K, m: m),
        Quantity("squared_magnetization", squared, lambda _n, _K, m2: m2),
        Quantity("susceptibility", squared, lambda n, _K, m2: n * m2),
        Quantity("connected_susceptibility", squared_and_absolute, lambda n, _K, m2, m: n * (m2 - m**2)),
        Quantity("binder_cumulant", fourth_and_squared, binder_cumulant),
        Quantity("binder_cumulant_slope", with_energy(fourth_and_squared), binder_cumulant_slope),
        Quantity("log_absolute_magnetization_slope", with_energy(absolute), log_slope),
        Quantity("log_squared_magnetization_slope", with_energy(squared), log_slope),
    ]
}
"""By name. ``susceptibility`` is n⟨m²⟩, ``connected_susceptibility`` n(⟨m²⟩ − ⟨|m|⟩²), without a factor K."""


def check_quantity(quantity: object) -> Quantity:
    """Return a quantity, or the one of a name."""
    if isinstance(quantity, Quantity):
        return quantity
    if not isinstance(quantity, str):
        raise TypeError(f"quantity={shown(quantity)}: a name or a Quantity is needed")
    return QUANTITIES[check_choice("quantity", quantity, QUANTITIES)]
