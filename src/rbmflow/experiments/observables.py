"""Exact observables of the Ising model over temperatures or couplings, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from rbmflow.arguments import check_digits, check_integer, shown
from rbmflow.experiments.tables import Cell, Digits, Table, named_columns
from rbmflow.ising import Torus, onsager
from rbmflow.ising.joint_density_of_states import check_joint_work
from rbmflow.ising.lattice import Solved
from rbmflow.precision import exact_map

MAX_POINTS = 10**6  # of a range

CURVE_POINTS = 401
PER_SITE = "ln Z in total and per site; energy (J), heat capacity (k_B) and susceptibility per site"


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
    lattice: Solved | None,
    *,
    temperatures: Sequence[str | Fraction] | None = None,
    couplings: Sequence[str | Fraction] | None = None,
    dps: int | None = None,
) -> Table:
    """Return the exact observables at temperatures T ≥ 0, where K = 1/T, or at couplings, where T = 1/|K|.

    `lattice` None is the infinite square lattice. With `dps` the cells are text with so many digits. A torus
    beyond the reach of its joint counts has no susceptibility.

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
    for name, function in _quantities(lattice).items():
        columns.append((name, _texts(function(at, dps=dps), dps)))
    return Table(f"{name_of(lattice)}: {PER_SITE}", named_columns(columns))


def infinite_curve(table: Table) -> Table:
    """Return the observables of the infinite lattice over what a table of observables spans, finely."""
    name = "K" if min(float(one or 0) for one in table.columns["K"]) < 0 else "T"
    values = [float(one or 0) for one in table.columns[name]]
    finite = [value for value in values if np.isfinite(value)]
    x = np.linspace(min(finite, default=0.0), max(finite, default=0.0), CURVE_POINTS).tolist()
    key = "couplings" if name == "K" else "temperatures"
    return observables_table(None, **{key: [Fraction(one) for one in x]})  # type: ignore[arg-type]


def _quantities(lattice: Solved | None) -> dict[str, Callable[..., Any]]:
    if lattice is None:
        return {
            "log_partition_per_site": onsager.log_partition,
            "energy": onsager.energy,
            "heat_capacity": onsager.heat_capacity,
            "magnetization": onsager.magnetization,
        }
    found = {
        "log_partition": lattice.log_partition,
        "log_partition_per_site": _per_site(lattice),
        "energy": lattice.energy,
        "heat_capacity": lattice.heat_capacity,
    }
    if not isinstance(lattice, Torus) or _has_joint_counts(lattice):
        found["susceptibility"] = lattice.susceptibility
    return found


def _has_joint_counts(torus: Torus) -> bool:
    try:
        check_joint_work(torus.n_rows, torus.n_cols)
    except ValueError:
        return False
    return True


def _per_site(lattice: Solved) -> Callable[..., Any]:
    def function(K: Any, dps: int | None) -> Any:
        if dps is None:
            return lattice.log_partition(K) / lattice.n_sites
        total = lattice.log_partition(K, dps=dps + 5)
        return exact_map(lambda _, log_z: log_z / lattice.n_sites, dps, log_z=total)

    return function


def name_of(lattice: Solved | None) -> str:
    """Return what a reader calls a lattice; None is the infinite one.

    Examples
    --------
    >>> name_of(Torus(10, 10))
    'Torus of 10 x 10 sites'
    """
    return "Infinite square lattice" if lattice is None else f"{lattice.label.capitalize()} sites"


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
