"""Figures of exact laws: trained weights, limits, observables, degeneracies."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import check_real, shown
from rbmflow.experiments import observables as exact
from rbmflow.experiments import weights
from rbmflow.experiments.reproduction.limits import draw_limits, table_of
from rbmflow.experiments.tables import Table, Tables
from rbmflow.ising import DegeneracyTable
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.plane.infinite import InfinitePlanar
from rbmflow.spins import check_spins
from rbmflow.weight import LimitTable


def trained_weight(n_visible: int, n_hidden: int, *, K: object = 1.0, ax: Any = None) -> Any:
    """Draw W(K), some of its points, and the weight above which the flow orders.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units in each layer, as for `rbmflow.trained_weight`.
    K : array_like
        Couplings that are marked; the curve goes beyond the largest.
    ax : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With the curve.

    Examples
    --------
    >>> trained_weight(8, 4, K=[0.5, 1.0]).get_xlabel()
    'K = βJ'
    """
    couplings = [repr(one) for one in np.atleast_1d(check_real("K", K)).ravel().tolist()]
    found = {
        "weight": weights.weights_table(couplings, n_visible, n_hidden),
        "weight_curve": weights.curve_table(couplings, n_visible, n_hidden),
    }
    return weights.draw_weight(Tables(found), ax, n_visible=n_visible, n_hidden=n_hidden)


def weight_of_data(spins: object, n_hidden: int, *, ax: Any = None) -> Any:
    """Draw the two sides of the equation for data, and the uniform weight at which they meet.

    Parameters
    ----------
    spins : array_like, shape (n, n_visible)
        Rows of ±1, as for `rbmflow.trained_weight_from_samples`.
    n_hidden : int
        Hidden units.
    ax : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With the two sides.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> weight_of_data(Ring(8).sample(0.5, 100, rng=1), 4).get_xlabel()
    'W'
    """
    rows = check_spins("spins", spins)
    found = {
        "weight": weights.data_table(rows, n_hidden),
        "f_and_g": weights.sides_table(rows, n_hidden),
    }
    return weights.draw_weight_of_data(Tables(found), ax)


def limits(table: LimitTable, *, ax: Any = None) -> Any:
    """Draw how every limit of `rbmflow.weight.limit_table` is approached.

    Parameters
    ----------
    table : LimitTable
        The limits.
    ax : sequence of eight matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        A panel for each limit.

    Examples
    --------
    >>> from rbmflow.weight import limit_table
    >>> len(limits(limit_table(4, 2, dps=10)))
    8
    """
    if not isinstance(table, LimitTable):
        raise TypeError(f"table={shown(table)}: a LimitTable is needed")
    return draw_limits(Tables({"limits": table_of(table)}), ax, n_visible=table.n_visible)


def observables(
    lattice: Lattice | InfinitePlanar | None,
    *,
    temperatures: object = None,
    couplings: object = None,
    ax: Any = None,
) -> Any:
    """Draw energy and heat capacity of a lattice, and those of the infinite one where they are known.

    Parameters
    ----------
    lattice : Lattice, InfiniteTriangular, InfiniteHoneycomb or None
        One with exact values: small, narrow or solved; None for the infinite square lattice.
    temperatures, couplings : array_like, optional
        T ≥ 0, in units of J/k_B, or K: one of the two.
    ax : sequence of two matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Energy and heat capacity.

    Examples
    --------
    >>> import numpy as np
    >>> from rbmflow import Torus
    >>> left, right = observables(Torus(4, 4), temperatures=np.linspace(1, 4, 13))
    >>> left.get_ylabel()
    'energy per site, J'
    """
    on = exact.check_exact(lattice)
    given = {"temperatures": temperatures, "couplings": couplings}
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) != 1:
        raise ValueError("temperatures, couplings: one of the two is needed")
    ((name, value),) = chosen.items()
    texts: Any = [repr(one) for one in np.atleast_1d(check_real(name, value)).ravel().tolist()]
    if not texts:
        raise ValueError(f"{name} is empty: at least one number is needed")
    table = exact.observables_table(on, **{name: texts})
    tables = {"ising": table}
    if exact.has_infinite(on):
        tables["infinite_lattice"] = exact.infinite_curve(table, exact.infinite_of(on))
    return exact.draw_observables(Tables(tables), ax, lattice=on)


def degeneracies(table: DegeneracyTable, *, ax: Any = None) -> Any:
    """Draw log₁₀ of the number of configurations of a ring over V and α.

    Parameters
    ----------
    table : DegeneracyTable
        Of `Ring.degeneracies`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With the picture.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> degeneracies(Ring(8).degeneracies()).get_xlabel()
    'V = Σ v'
    """
    if not isinstance(table, DegeneracyTable):
        raise TypeError(f"table={shown(table)}: a DegeneracyTable is needed")
    columns = {name: list(values) for name, values in table._columns().items()}
    caption = f"Configurations of the ring of {table.n_sites} for each α and V"
    return exact.draw_degeneracies(Tables({"degeneracies": Table(caption, columns)}), ax)
