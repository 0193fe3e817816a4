"""Tables of a critical point from the runs at each size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from rbmflow.experiments.critical_point.parameters import Parameters
from rbmflow.experiments.tables import Cell, Table, columns_of
from rbmflow.sampling import Reweighting, finite_size
from rbmflow.sampling.finite_size import Crossing, Jackknifed
from rbmflow.sampling.finite_size.exponents import Exponent
from rbmflow.sampling.finite_size.jackknifed import of_replicates

CROSSING = ("binder_cumulant", "correlation_length_ratio")
PEAKS = ("connected_susceptibility", "heat_capacity")
SLOPES = ("binder_cumulant_slope", "log_absolute_magnetization_slope", "log_squared_magnetization_slope")
CURVES = ("binder_cumulant", "correlation_length_ratio", "susceptibility", "connected_susceptibility")
SUMMARY = ("quantity", "by", "value", "stderr", "exact", "deviation", "relative", "chi_squared", "n_free")
POINTS = 41
RATIO = 1.5
"""Of two sizes whose crossing is looked for, at least."""
WIDTH = 0.5
"""Of curves, in units of ``K_c L^(−1/ν)``."""
Found = TypeVar("Found")


def attempt(function: Callable[..., Found], *arguments: Any, **options: Any) -> Found | None:
    """Return a number, or None where the runs are too short for it."""
    try:
        return function(*arguments, **options)
    except ValueError:
        return None


def tables(parameters: Parameters, sizes: Sequence[Reweighting]) -> dict[str, Table]:
    """Return all that is found, by name."""
    crossings = list(_crossings(sizes))
    levels = _levels(sizes, crossings)
    couplings: Sequence[Jackknifed | None] = levels or [None] * len(sizes)
    sides = ", ".join(map(str, parameters.sizes))
    return {
        "critical_point": Table(
            f"Critical point of the {parameters.lattice} lattice, sides {sides}",
            columns_of(SUMMARY, list(_summary(parameters, sizes, crossings, levels))),
        ),
        "crossings": _table(
            "Where two sizes agree",
            ("quantity", "smaller", "larger", "effective_length"),
            ("K", "value"),
            [
                ((one.quantity, *one.lengths, _length(parameters, one)), (one.K, one.value))
                for one in crossings
            ],
        ),
        "sizes": _table(
            "At the coupling where the Binder cumulant of each size is that of the last crossing",
            ("side", "length"),
            ("K", "susceptibility", *SLOPES),
            [
                ((side, finite_size.linear_size(one.lattice)), _at(one, K))
                for side, one, K in zip(parameters.sizes, sizes, couplings, strict=True)
            ],
        ),
        "peaks": _table("Maxima", ("side", "quantity"), ("K", "value"), list(_peaks(parameters, sizes))),
        "curves": _curves(parameters, sizes),
    }


def _crossings(sizes: Sequence[Reweighting]) -> Iterator[Crossing]:
    """Each size with the next that is larger by the ratio, where they cross."""
    lengths = [finite_size.linear_size(one.lattice) for one in sizes]
    for quantity in CROSSING:
        for small, length in zip(sizes, lengths, strict=True):
            larger = [one for one, L in zip(sizes, lengths, strict=True) if RATIO * length - 1e-9 <= L]
            found = attempt(finite_size.crossing, small, larger[0], quantity) if larger else None
            if found is not None:
                yield found


def _length(parameters: Parameters, crossing: Crossing) -> float:
    known = parameters.universality
    return crossing.effective_length(known.inverse_nu, known.omega)


def _levels(sizes: Sequence[Reweighting], crossings: Sequence[Crossing]) -> list[Jackknifed] | None:
    """The coupling of each size where its cumulant has the value of the last crossing."""
    values = [one.value.mean for one in crossings if one.quantity == CROSSING[0]]
    found = [attempt(finite_size.level, one, CROSSING[0], values[-1]) for one in sizes] if values else []
    there = [one for one in found if one is not None]
    return there if len(there) == len(sizes) else None


def _summary(
    parameters: Parameters,
    sizes: Sequence[Reweighting],
    crossings: Sequence[Crossing],
    levels: list[Jackknifed] | None,
) -> Iterator[tuple[Cell, ...]]:
    """Couplings and exponents beside what is known."""
    known, K_c = parameters.universality, parameters.on(3).critical_coupling
    for quantity in CROSSING:
        pairs = [one for one in crossings if one.quantity == quantity]
        lengths = [_length(parameters, one) for one in pairs]
        limit = attempt(
            finite_size.extrapolate, lengths, [one.K for one in pairs], [known.omega + known.inverse_nu]
        )
        if limit is not None:
            yield _row("K_c", f"crossings of {quantity}", limit.limit, K_c, limit.chi_squared, limit.n_free)
    # ln⟨|m|⟩ and ln⟨m²⟩ hold a smooth function of K, which adds a constant to slopes that grow as L^(1/ν)
    smooth, corrections = [known.omega, known.inverse_nu], known.corrections(len(sizes))
    for name, quantity, exact, powers in (
        ("1/nu", SLOPES[0], known.inverse_nu, [known.omega]),
        *(("1/nu", slope, known.inverse_nu, smooth) for slope in SLOPES[1:]),
        ("gamma/nu", "susceptibility", known.gamma_over_nu, corrections),
        ("-beta/nu", "absolute_magnetization", -known.beta_over_nu, corrections),
    ):
        found = _exponent(sizes, quantity, levels, powers)
        if found is not None:
            yield _row(name, quantity, found.value, exact, found.chi_squared, found.n_free)
    yield from _collapsed(parameters, sizes)


def _exponent(
    sizes: Sequence[Reweighting], quantity: Any, levels: list[Jackknifed] | None, powers: list[float]
) -> Exponent | None:
    if levels is None:
        return None
    return attempt(finite_size.exponent, list(sizes), quantity, levels, powers=powers)


def _collapsed(parameters: Parameters, sizes: Sequence[Reweighting]) -> Iterator[tuple[Cell, ...]]:
    """K_c and 1/ν for which the curves of all but the smallest size are one, without corrections."""
    known, K_c = parameters.universality, parameters.on(3).critical_coupling
    found = attempt(
        finite_size.collapse, list(sizes[1:]), K_c=K_c, inverse_nu=known.inverse_nu, width=WIDTH * K_c / 2
    )
    if found is not None:
        for name, value, exact in (("K_c", found.K_c, K_c), ("1/nu", found.inverse_nu, known.inverse_nu)):
            yield _row(name, "collapse of binder_cumulant", value, exact, found.quality)


def _row(
    name: str,
    by: str,
    found: Jackknifed,
    exact: float,
    chi_squared: float | None = None,
    n_free: int | None = None,
) -> tuple[Cell, ...]:
    deviation, relative = found.estimate.deviation(exact), found.mean / exact - 1
    return name, by, found.mean, found.stderr, exact, deviation, relative, chi_squared, n_free


def _at(size: Reweighting, K: Jackknifed | None) -> tuple[Jackknifed | None, ...]:
    """The coupling, and what grows with the size there."""
    if K is None:
        return (None,) * (2 + len(SLOPES))
    at = K.replicates[:, np.newaxis]
    names: list[Any] = ["susceptibility", *SLOPES]
    numbers = [size.replicates(name, at)[:, 0] for name in names]
    return K, *(of_replicates(one) for one in numbers)


def _peaks(
    parameters: Parameters, sizes: Sequence[Reweighting]
) -> Iterator[tuple[tuple[Cell, ...], tuple[Jackknifed | None, ...]]]:
    """Coupling and height of each maximum that the runs reach."""
    for quantity in PEAKS:
        for side, one in zip(parameters.sizes, sizes, strict=True):
            found = attempt(finite_size.peak, one, quantity)
            yield (side, quantity), (None, None) if found is None else (found.K, found.value)


def _curves(parameters: Parameters, sizes: Sequence[Reweighting]) -> Table:
    """Quantities over couplings around K_c, as far as the runs reach."""
    K_c, inverse_nu = parameters.on(3).critical_coupling, parameters.universality.inverse_nu
    rows: list[tuple[Cell, ...]] = []
    for side, one in zip(parameters.sizes, sizes, strict=True):
        apart = WIDTH * K_c * side**-inverse_nu
        K = np.linspace(max(K_c - apart, one.reach[0]), min(K_c + apart, one.reach[1]), POINTS)
        curves = [one.curve(name, K) for name in CURVES]  # type: ignore[arg-type]
        numbers = np.array([values for curve in curves for values in (curve.mean, curve.stderr)])
        rows += [(side, float(at), *map(float, column)) for at, column in zip(K, numbers.T, strict=True)]
    names = [name for quantity in CURVES for name in (quantity, f"{quantity}_stderr")]
    return Table("Around the critical point", columns_of(("side", "K", *names), rows))


def _table(
    caption: str,
    names: Sequence[str],
    numbers: Sequence[str],
    rows: Sequence[tuple[tuple[Cell, ...], tuple[Jackknifed | None, ...]]],
) -> Table:
    """A table with a column of errors beside each of numbers."""
    columns = (*names, *(name for number in numbers for name in (number, f"{number}_stderr")))
    cells = [
        (
            *first,
            *(cell for one in rest for cell in ((None, None) if one is None else (one.mean, one.stderr))),
        )
        for first, rest in rows
    ]
    return Table(caption, columns_of(columns, cells))
