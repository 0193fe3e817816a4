"""Exact observables of the Ising model over temperatures or couplings, as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from rbmflow.arguments import check_digits, check_integer, shown
from rbmflow.experiments.style import BLUE, GREY, RED, HasTables, axes_of, columns, styled
from rbmflow.experiments.tables import Cell, Digits, Table, named_columns
from rbmflow.ising import Graph, Hypercubic, Torus, Triangular, onsager
from rbmflow.ising.enumerated import Enumerated
from rbmflow.ising.joint_density_of_states import has_joint_counts
from rbmflow.ising.lattice import Lattice, names_of
from rbmflow.ising.one_dimension import OneDimensional
from rbmflow.ising.planar import Planar
from rbmflow.ising.plane.infinite import InfiniteHoneycomb, InfinitePlanar, InfiniteTriangular
from rbmflow.ising.solved import Solved
from rbmflow.precision import exact_map

MAX_POINTS = 10**6  # of a range

CURVE_POINTS = 401
PER_SITE = "ln Z in total and per site; energy (J), heat capacity (k_B) and susceptibility per site"
Exact: TypeAlias = Lattice | InfinitePlanar | None
"""A lattice with exact observables, or an infinite one; None is the square one."""
PANELS = {"energy": "energy per site, J", "heat_capacity": "heat capacity per site, $k_B$"}


def evenly_spaced(low: str, high: str, n_points: int) -> list[Fraction]:
    """Return `n_points` numbers from `low` to `high`, exactly.

    Examples
    --------
    >>> evenly_spaced("0.1", "0.3", 3)
    [Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]
    """
    first, last = (_fraction("T", text) for text in (low, high))
    if isinstance(first, str) or isinstance(last, str) or not 0 <= first < last:
        raise ValueError(f"a range from {low} to {high}: 0 <= LOW < HIGH is needed")
    steps = check_integer("points", n_points, 2, MAX_POINTS) - 1
    return [first + (last - first) * step / steps for step in range(steps + 1)]


def observables_table(
    lattice: Exact,
    *,
    temperatures: Sequence[str | Fraction] | None = None,
    couplings: Sequence[str | Fraction] | None = None,
    dps: int | None = None,
    field: float = 0.0,
) -> Table:
    """Return the exact observables at temperatures T ≥ 0, where K = 1/T, or at couplings, where T = 1/|K|.

    `lattice` None is the infinite square lattice. With `dps` the cells are text with so many digits. A torus
    beyond the reach of its joint counts has no susceptibility, but for transfer matrices.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> table = observables_table(Ring(8), temperatures=["0", "1"])
    >>> [round(energy, 4) for energy in table.columns["energy"]]
    [-1.0, -0.8177]
    """
    if couplings is not None:
        K = [_fraction("K", one) for one in couplings]
        T = [_inverse(one) for one in K]
    else:
        T = [_fraction("T", one) for one in temperatures or ()]
        if any(one == "-inf" or (isinstance(one, Fraction) and one < 0) for one in T):
            raise ValueError(f"temperatures {', '.join(map(str, temperatures or ()))}: T >= 0 is needed")
        K = [_inverse(one) for one in T]
    columns = [("T", _cells(T, dps)), ("K", _cells(K, dps))]
    at: Any = np.array(K, dtype=object) if dps is not None else [float(one) for one in K]
    for name, function in _quantities(lattice, field).items():
        columns.append((name, _texts(function(at, dps=dps), dps)))
    return Table(f"{name_of(lattice)}: {PER_SITE}", named_columns(columns))


def infinite_curve(table: Table, infinite: InfinitePlanar | None = None) -> Table:
    """Return the observables of an infinite lattice over what a table of observables spans, finely."""
    name = _variable(table)
    values = [float(one or 0) for one in table.columns[name]]
    finite = [value for value in values if np.isfinite(value)]
    x = np.linspace(min(finite, default=0.0), max(finite, default=0.0), CURVE_POINTS).tolist()
    key = "couplings" if name == "K" else "temperatures"
    return observables_table(infinite, **{key: [Fraction(one) for one in x]})  # type: ignore[arg-type]


def _variable(table: Table) -> str:
    """What observables stand against: K where some are negative, else T."""
    return "K" if min(float(one or 0) for one in table.columns["K"]) < 0 else "T"


def check_exact(lattice: object) -> Exact:
    """Return what has exact observables, or raise."""
    if lattice is not None and not isinstance(lattice, OneDimensional | Torus | Enumerated | InfinitePlanar):
        raise TypeError(
            f"lattice={shown(lattice)}: {names_of(Lattice)}, an infinite lattice, or None for the square one"
        )
    return lattice


def infinite_of(lattice: Exact) -> InfinitePlanar | None:
    """Return the infinite lattice of a triangular or honeycomb one; None stands for the square one.

    Examples
    --------
    >>> infinite_of(Triangular(3, 3, couplings=(1.0, 1.0, 0.5)))
    InfiniteTriangular(couplings=(1.0, 1.0, 0.5))
    """
    if isinstance(lattice, InfinitePlanar):
        return lattice
    if not isinstance(lattice, Planar):
        return None
    return (InfiniteTriangular if isinstance(lattice, Triangular) else InfiniteHoneycomb)(lattice.couplings)


def has_infinite(lattice: Exact, field: float = 0.0) -> bool:
    """Return whether the infinite lattice is known exactly, with which a lattice can be compared.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> has_infinite(Torus(4, 4)), has_infinite(Ring(8))
    (True, False)
    """
    return not field and (lattice is None or isinstance(lattice, Torus | Planar | InfinitePlanar))


def _quantities(lattice: Exact, field: float) -> dict[str, Callable[..., Any]]:
    if lattice is None or isinstance(lattice, InfinitePlanar):
        if field:
            raise ValueError(f"field={shown(field)}: no infinite lattice is known exactly in a field")
        of: Any = onsager if lattice is None else lattice
        found = {
            "log_partition_per_site": of.log_partition,
            "energy": of.energy,
            "heat_capacity": of.heat_capacity,
            "magnetization": of.magnetization,
        }
        return found if lattice is None else {**found, "entropy": lattice.entropy}
    names = ["log_partition", "energy", "heat_capacity", "susceptibility"]
    if field:
        names.insert(3, "magnetization")
    exact: Any = lattice
    if isinstance(lattice, Torus):
        if field:
            exact = Hypercubic((lattice.n_rows, lattice.n_cols))
        elif not has_joint_counts(*lattice.shape):
            names.remove("susceptibility")
    found = {name: getattr(exact, name) for name in names}
    if isinstance(exact, OneDimensional) and field:
        found = {name: partial(function, field=repr(field)) for name, function in found.items()}
    if isinstance(exact, Enumerated):
        found = {name: _in_float64(exact, function, field) for name, function in found.items()}
    per_site = _per_site(found["log_partition"], exact.n_sites)
    return {"log_partition": found.pop("log_partition"), "log_partition_per_site": per_site, **found}


def _in_float64(lattice: Enumerated, method: Callable[..., Any], field: float) -> Callable[..., Any]:
    def function(K: Any, dps: int | None) -> Any:
        if dps is not None:
            raise ValueError(f"dps={shown(dps)}: a {lattice.label} has exact values in float64 only")
        return method(K, field=field) if field else method(K)

    return function


def _per_site(log_partition: Callable[..., Any], n_sites: int) -> Callable[..., Any]:
    def function(K: Any, dps: int | None) -> Any:
        if dps is None:
            return log_partition(K, dps=None) / n_sites
        total = log_partition(K, dps=dps + 5)
        return exact_map(lambda _, log_z: log_z / n_sites, dps, log_z=total)

    return function


def name_of(lattice: Lattice | InfinitePlanar | None) -> str:
    """Return what a reader calls a lattice; None is the infinite square one.

    Examples
    --------
    >>> name_of(Torus(10, 10)), name_of(Triangular(3, 4)), name_of(InfiniteTriangular())
    ('Torus of 10 x 10 sites', 'Triangular lattice of 3 x 4, 12 sites', 'Infinite triangular lattice')
    """
    if lattice is None:
        return "Infinite square lattice"
    if isinstance(lattice, InfinitePlanar):
        equal = all(J == 1 for J in lattice.couplings)
        J = "" if equal else f", J = {', '.join(f'{J:g}' for J in lattice.couplings)}"
        kind = "triangular" if isinstance(lattice, InfiniteTriangular) else "honeycomb"
        return f"Infinite {kind} lattice{J}"
    label = lattice.label[0].upper() + lattice.label[1:]
    plain = isinstance(lattice, (Solved, OneDimensional, Graph))
    return f"{label} sites" if plain else f"{label}, {lattice.n_sites} sites"


def _fraction(name: str, value: str | Fraction) -> Fraction | str:
    """Return a number exactly; infinities stay text."""
    if isinstance(value, Fraction):
        return value
    if value.strip().lower().lstrip("+-") in ("inf", "infinity", "∞"):
        return "-inf" if value.strip().startswith("-") else "inf"
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{name}={shown(value)}: a number is needed") from None


def _inverse(value: Fraction | str) -> Fraction | str:
    if isinstance(value, str):
        return Fraction(0)
    return 1 / abs(value) if value else "inf"


def _cells(values: Sequence[Fraction | str], dps: int | None) -> list[Cell]:
    if dps is None:
        return [float(one) for one in values]
    exact = exact_map(lambda _, x: x, check_digits(dps), x=np.array(values, dtype=object))
    return _texts(exact, dps)


def _texts(values: Any, dps: int | None) -> list[Cell]:
    if dps is None:
        return [float(one) for one in values]
    import mpmath

    return [Digits(mpmath.nstr(one, dps, strip_zeros=False).lstrip("+")) for one in values]


def draw_observables(result: HasTables, ax: Any = None, *, lattice: Exact) -> Any:
    """Draw energy and heat capacity over T, or K where some are negative, and L = ∞ (pass two axes)."""
    table = result.tables["ising"]
    name = name_of(lattice)
    infinite = result.tables.get("infinite_lattice")
    against = _variable(table)
    K_c = onsager.critical_coupling() if lattice is None else lattice.critical_coupling
    critical = [K_c, -K_c] if against == "K" else [1 / K_c]
    if "triangular" in name.lower():
        critical = critical[:1]  # K < 0 is frustrated
    with styled():
        axes = axes_of(ax, 2, (10.0, 4.2))
        for panel, (quantity, label) in zip(axes, PANELS.items(), strict=True):
            x, y = (_numbers(table.columns[key]) for key in (against, quantity))
            order = np.argsort(x)
            if infinite is not None:
                curve = [_numbers(infinite.columns[key]) for key in (against, quantity)]
                panel.plot(*curve, color=GREY, lw=1.3, label="infinite lattice")
                inside = [place for place in critical if np.nanmin(x) < place < np.nanmax(x)]
                for index, place in enumerate(inside):
                    label_once = {"label": "" if index else f"${against}_c$"}
                    panel.axvline(place, color=RED, lw=1, ls="--", zorder=1, **label_once)
            style = "o-" if isinstance(lattice, Lattice) else "o"
            panel.plot(x[order], y[order], style, ms=3, color=BLUE, label=name)
            panel.set(xlabel="K = βJ" if against == "K" else "T, $J/k_B$", ylabel=label)
        axes[0].legend()
        axes[0].get_figure().suptitle(name)
        return axes


def _numbers(column: list[Any]) -> Any:
    """Return a column as floats, infinities as gaps."""
    values = np.array([float(one) for one in column])
    return np.where(np.isfinite(values), values, np.nan)


def draw_training_set(result: HasTables, ax: Any = None) -> Any:
    """Draw energies of samples, exact ones or those of a second rule, and deviations (pass two axes)."""
    table = result.tables["certificate"]
    data = columns(result, "certificate")
    T, exact, deviation = (
        np.asarray(data[key], dtype=float) for key in ("temperature", "exact_energy", "deviation")
    )
    with styled():
        left, right = axes = axes_of(ax, 2, (10.0, 4.2))
        if np.isfinite(exact).any():
            left.plot(T, exact, "_", ms=12, color=GREY, label="exact")
        if "second_energy" in data:
            second = np.asarray(data["second_energy"], dtype=float)
            left.plot(T, second, "x", ms=6, color=RED, label="second rule")
        left.errorbar(T, data["energy"], data["stderr"], fmt="o", ms=3.5, color=BLUE, label="samples")
        right.axhspan(-2, 2, color="0.93", zorder=0, label="two standard errors")
        right.axhline(0, color=GREY, lw=1)
        right.plot(T, np.where(np.isfinite(deviation), deviation, np.nan), "o", ms=3.5, color=BLUE)
        left.set(ylabel="energy per site, J", title="Energy")
        right.set(ylabel="deviation, standard errors", title="Certificate")
        top = max(4.0, 1.1 * np.nanmax(np.abs(deviation[np.isfinite(deviation)]), initial=0.0))
        right.set_ylim(-top, top)
        for panel in axes:
            panel.set_xlabel("T, $J/k_B$")
            panel.legend()
        if ax is None:
            left.get_figure().suptitle(table.caption)
        return axes


def draw_degeneracies(result: HasTables, ax: Any = None) -> Any:
    """Draw log₁₀ of the number of configurations over V and α."""
    (table,) = result.tables.values()
    alpha, V = (np.array(table.columns[name]) for name in ("alpha", "magnetization"))
    n_sites = int(np.max(V))
    counts = np.full((n_sites // 2 + 1, n_sites + 1), np.nan)
    counts[(alpha + n_sites) // 4, (V + n_sites) // 2] = [
        math.log10(int(one or 1)) for one in table.columns["count"]
    ]
    with styled({"axes.grid": False}):
        ax = axes_of(ax)
        lowest = n_sites - 4 * (n_sites // 2)  # α = M − 4k with 2k walls
        image = ax.imshow(
            counts,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(-n_sites - 1, n_sites + 1, lowest - 2, lowest + 4 * len(counts) - 2),
        )
        ax.get_figure().colorbar(image, ax=ax, label="$\\log_{10}$ of the number of configurations")
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(integer=True)
        ax.set(xlabel="V = Σ v", ylabel="α = Σ v v′ over neighbours", title=table.caption)
        return ax
