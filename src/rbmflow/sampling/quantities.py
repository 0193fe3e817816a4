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
from rbmflow.ising import Graph
from rbmflow.ising.crystal import check_periodic
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.structure_factor import smallest_waves

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
    "correlation_length",
    "correlation_length_ratio",
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
        Of the lattice, the coupling, and these means; elementwise for arrays of couplings and means.

    Examples
    --------
    >>> from rbmflow import Ring, sampling
    >>> fourth = Quantity("<m^4>", lambda series: (series["magnetization"] ** 4,), lambda on, K, m4: m4)
    >>> found = sampling.reweight(sampling.run(Ring(8), 0.3, n_chains=8, n_sweeps=400, rng=1))
    >>> found.estimate(fourth, 0.2).mean < found.estimate(fourth, 0.3).mean
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


def squared_and_mean(series: Series) -> tuple[FloatArray, ...]:
    """Return m² and m."""
    return squared(series) + series_of("magnetization")(series)


def fourth_and_squared(series: Series) -> tuple[FloatArray, ...]:
    """Return m⁴ and m²."""
    (m2,) = squared(series)
    return m2**2, m2


def squared_and_structure_factor(series: Series) -> tuple[FloatArray, ...]:
    """Return m² and S at the smallest wave vectors."""
    if STRUCTURE_FACTOR not in series:
        raise ValueError(
            f"series {', '.join(map(shown, series))}: {STRUCTURE_FACTOR!r} is needed as well; "
            "run(..., observables=sampling.observables(lattice)) measures it"
        )
    return *squared(series), series[STRUCTURE_FACTOR]


def squared_mean_and_structure_factor(series: Series) -> tuple[FloatArray, ...]:
    """Return m², m and S at the smallest wave vectors."""
    m2, S = squared_and_structure_factor(series)
    return m2, series["magnetization"], S


def with_energy(
    measured: Callable[[Series], tuple[FloatArray, ...]],
) -> Callable[[Series], tuple[FloatArray, ...]]:
    """Return the series, their products with the energy per site, and this."""

    def both(series: Series) -> tuple[FloatArray, ...]:
        e, parts = series["energy"], measured(series)
        return (*parts, *(part * e for part in parts), e)

    return both


def log_slope(lattice: Lattice, _K: Any, mean: Any, with_e: Any, e: Any) -> Any:
    """Return ``d ln⟨A⟩/dK = n (⟨e⟩ − ⟨A e⟩/⟨A⟩)``; NaN where A vanishes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return lattice.n_sites * (e - np.divide(with_e, mean))


def heat_capacity(lattice: Lattice, K: Any, e: Any, e2: Any) -> Any:
    """Return ``K² n (⟨e²⟩ − ⟨e⟩²)``."""
    return K**2 * lattice.n_sites * (e2 - e**2)


def connected_susceptibility(lattice: Lattice, _K: Any, m2: Any, m: Any) -> Any:
    """Return ``n (⟨m²⟩ − ⟨m⟩²)``; with |m| it is χ′."""
    return lattice.n_sites * (m2 - m**2)


def correlation_length(lattice: Lattice, _K: Any, m2: Any, S: Any) -> Any:
    """Return ``ξ = √(S(0)/S(k) − 1)/k̂``; NaN where S(0) is below S(k)."""
    momentum, _ = smallest_waves(check_periodic(lattice))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(np.divide(lattice.n_sites * m2, S) - 1) / momentum


def correlation_length_ratio(lattice: Lattice, K: Any, m2: Any, S: Any) -> Any:
    """Return ξ/L, with ``L = n^(1/d)``."""
    length = lattice.n_sites ** (1 / check_periodic(lattice).dimension)
    return correlation_length(lattice, K, m2, S) / length


def binder_cumulant(_lattice: Lattice, _K: Any, m4: Any, m2: Any) -> Any:
    """Return ``U = 1 − ⟨m⁴⟩/(3⟨m²⟩²)``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 1 - np.divide(m4, 3 * m2**2)


def binder_cumulant_slope(lattice: Lattice, K: Any, m4: Any, m2: Any, m4e: Any, m2e: Any, e: Any) -> Any:
    """Return ``dU/dK = (1 − U) (2 d ln⟨m²⟩/dK − d ln⟨m⁴⟩/dK)``."""
    change = 2 * log_slope(lattice, K, m2, m2e, e) - log_slope(lattice, K, m4, m4e, e)
    return (1 - binder_cumulant(lattice, K, m4, m2)) * change


QUANTITIES: dict[str, Quantity] = {
    one.name: one
    for one in [
        Quantity("energy", series_of("energy"), lambda _lattice, _K, e: e),
        Quantity("heat_capacity", powers_of_energy, heat_capacity),
        Quantity("magnetization", series_of("magnetization"), lambda _lattice, _K, m: m),
        Quantity("absolute_magnetization", absolute, lambda _lattice, _K, m: m),
        Quantity("squared_magnetization", squared, lambda _lattice, _K, m2: m2),
        Quantity("susceptibility", squared, lambda lattice, _K, m2: lattice.n_sites * m2),
        Quantity("connected_susceptibility", squared_and_absolute, connected_susceptibility),
        Quantity("correlation_length", squared_and_structure_factor, correlation_length),
        Quantity("correlation_length_ratio", squared_and_structure_factor, correlation_length_ratio),
        Quantity("binder_cumulant", fourth_and_squared, binder_cumulant),
        Quantity("binder_cumulant_slope", with_energy(fourth_and_squared), binder_cumulant_slope),
        Quantity("log_absolute_magnetization_slope", with_energy(absolute), log_slope),
        Quantity("log_squared_magnetization_slope", with_energy(squared), log_slope),
    ]
}
"""By name. ``susceptibility`` is n⟨m²⟩, ``connected_susceptibility`` n(⟨m²⟩ − ⟨|m|⟩²), without a factor K."""
IN_FIELD: dict[str, Quantity] = {
    one.name: one
    for one in [
        Quantity("susceptibility", squared_and_mean, connected_susceptibility),
        Quantity(
            "correlation_length",
            squared_mean_and_structure_factor,
            lambda lattice, K, m2, m, S: correlation_length(lattice, K, m2 - m**2, S),
        ),
        Quantity(
            "correlation_length_ratio",
            squared_mean_and_structure_factor,
            lambda lattice, K, m2, m, S: correlation_length_ratio(lattice, K, m2 - m**2, S),
        ),
    ]
}
"""Those that are others in a field, where ⟨m⟩ is not 0: ``susceptibility`` is n(⟨m²⟩ − ⟨m⟩²)."""
STRUCTURE_FACTOR = "structure_factor"
"""The series, measured on the way, that correlation lengths are made of."""


def in_field(lattice: Lattice, field: float) -> bool:
    """Return whether some site has a field."""
    return bool(field) or (isinstance(lattice, Graph) and bool(lattice.fields.any()))


def check_quantity(quantity: object, lattice: Lattice | None = None, field: float = 0.0) -> Quantity:
    """Return a quantity, or the one of a name, as it is on a lattice in a field."""
    if isinstance(quantity, Quantity):
        asked = quantity
    elif isinstance(quantity, str):
        asked = QUANTITIES[check_choice("quantity", quantity, QUANTITIES)]
    else:
        raise TypeError(f"quantity={shown(quantity)}: a name or a Quantity is needed")
    if lattice is not None and in_field(lattice, field) and QUANTITIES.get(asked.name) is asked:
        return IN_FIELD.get(asked.name, asked)
    return asked
