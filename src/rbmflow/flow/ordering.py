"""Whether the flow of a machine trained on any law orders, and where along a family of laws it begins to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rbmflow.arguments import check_real_scalar, shown
from rbmflow.flow.threshold import critical_weight
from rbmflow.ising import Law
from rbmflow.roots import bracketed_root
from rbmflow.weight.equation import MAX_UNITS, check_sizes
from rbmflow.weight.from_histogram import folded_rows, histogram_form


def orders(law: Law, n_hidden: int) -> Any:
    """Return whether the flow of a uniform RBM trained on a law of the magnetization orders: ``M N W² > 1``.

    No root is needed: at the weight W_c = 1/√(MN) the data's ⟨V tanh W_c V⟩ must exceed the machine's.

    Parameters
    ----------
    law : Law
        Of the magnetization of M ≥ 3 spins, symmetric, each row summing to 1.
    n_hidden : int
        Hidden units N, at least 1.

    Returns
    -------
    bool or numpy.ndarray of bool
        In the leading shape of the probabilities.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> orders(Ring(8).magnetization_law([0.4, 0.5]), 4)
    array([False,  True])
    """
    rows = folded_rows(law)
    n_visible, n_hidden = check_sizes(law.n_sites, n_hidden)
    shape = law.probabilities.shape[:-1]
    W = critical_weight(n_visible, n_hidden)
    return np.array([_orders(row, W, n_visible, n_hidden) for row in rows], dtype=bool).reshape(shape)[()]


def _orders(half: Any, W: float, n_visible: int, n_hidden: int) -> bool:
    if not half[1:].any():
        return True
    form = histogram_form(half, n_visible)
    return form is not None and form.residual(W, n_hidden) < 0


def critical_hidden(law: Law) -> int:
    """Return the largest number of hidden units at which the flow of a uniform RBM trained on a law orders.

    Parameters
    ----------
    law : Law
        One law of the magnetization of M ≥ 3 spins, symmetric and summing to 1.

    Returns
    -------
    int
        N, 0 if the flow orders for none; 10⁹, the largest number allowed, if it orders for all.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> critical_hidden(Ring(8).magnetization_law(0.5))
    9
    """
    if len(folded_rows(law)) != 1 or law.probabilities.ndim != 1:
        raise ValueError(f"law holds laws of shape {law.probabilities.shape[:-1]}: one is needed")
    below, above = 0, MAX_UNITS + 1
    step = 1
    while step <= MAX_UNITS and orders(law, step):
        below, step = step, 2 * step
    above = min(step, above)
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if orders(law, middle) else (below, middle)
    return below


def critical_parameter(law_at: Callable[[float], Law], n_hidden: int, low: float, high: float) -> float:
    """Return the parameter at which a family of training laws crosses the threshold of order.

    Parameters
    ----------
    law_at : callable
        ``law_at(t)``, the law of the magnetization at parameter t (a coupling, a temperature), one row.
    n_hidden : int
        Hidden units N, at least 1.
    low, high : float
        Two parameters between which the flow's fate changes, once.

    Returns
    -------
    float
        t, where ``M N W² = 1``.

    Raises
    ------
    ValueError
        If both ends have the same fate.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> print(round(critical_parameter(Ring(8).magnetization_law, 4, 0.1, 1.0), 12))
    0.444199612316
    """
    if not callable(law_at):
        raise TypeError(f"law_at={shown(law_at)}: a function of one parameter is needed")
    low, high = check_real_scalar("low", low), check_real_scalar("high", high)
    if not math.isfinite(low) or not math.isfinite(high):
        raise ValueError(f"low={low}, high={high}: two finite parameters are needed")

    def surplus(t: float) -> float:
        law = law_at(t)
        rows = folded_rows(law)
        n_visible, _ = check_sizes(law.n_sites, n_hidden)
        if len(rows) != 1:
            raise ValueError(f"law_at({shown(t)}) holds {len(rows)} laws: one is needed")
        form = histogram_form(rows[0], n_visible) if rows[0][1:].any() else None
        if form is None:  # W is infinite or 0
            return -1.0 if rows[0][1:].any() else 1.0
        return -form.residual(critical_weight(n_visible, n_hidden), n_hidden)

    if surplus(low) * surplus(high) > 0:
        fate = "orders" if surplus(low) > 0 else "goes to m = 0"
        raise ValueError(f"low={low}, high={high}: the flow {fate} at both; a change between them is needed")
    return bracketed_root(surplus, low, high, absolute=1e-15, relative=1e-15)
