"""What is measured of configurations on the way: functions of spins, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, shown
from rbmflow.sampling.cluster_estimates import CLUSTER_SERIES

Observable = Callable[[SpinArray], Any]
"""Of configurations, shape ``(n, n_sites)``: one number, or k, for each, shape ``(n,)`` or ``(n, k)``."""
TAKEN = (
    *("energy", "magnetization", "spins", *CLUSTER_SERIES),
    *("K", "chain", "draw", "site", "round_trips", "rates", "pair"),
)
"""Names of series that are measured anyway, and of the dimensions and coordinates of datasets."""
BATCH = 2**22
"""Spins that a function is handed at once, about."""


def check_observables(given: object, spins: SpinArray) -> tuple[dict[str, Observable], dict[str, int | None]]:
    """Return the functions, and how many numbers each gives for a configuration, None for one alone.

    Each is called once, with the first of the configurations, before any work.
    """
    if given is None:
        return {}, {}
    if not isinstance(given, Mapping):
        raise TypeError(f"observables={shown(given)}: functions of spins by name are needed")
    functions, sizes = {}, {}
    for name, function in given.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"observables: {shown(name)} is not a name of letters, digits and _")
        if name in TAKEN:
            raise ValueError(f"observables: {name!r} is taken; another name is needed")
        if not callable(function):
            raise TypeError(f"observables[{name!r}]={shown(function)}: a function of spins is needed")
        functions[name] = function
        first = _values(name, function, spins[:1])
        sizes[name] = first.shape[1] if first.ndim == 2 else None
    return functions, sizes


def measured(functions: Mapping[str, Observable], spins: SpinArray) -> dict[str, FloatArray]:
    """Return what the functions give of configurations ``(n_chains, n, n_sites)``, by chain and place."""
    flat = spins.reshape(-1, spins.shape[-1])
    at_once = max(1, BATCH // flat.shape[1])
    starts = range(0, len(flat), at_once)
    found = {}
    for name, function in functions.items():
        parts = [_values(name, function, flat[first : first + at_once]) for first in starts]
        values = np.concatenate(parts)
        found[name] = values.reshape(*spins.shape[:2], *values.shape[1:])
    return found


def _values(name: str, function: Observable, spins: SpinArray) -> npt.NDArray[np.float64]:
    configurations = spins.view()
    configurations.flags.writeable = False  # they may be those that are kept
    values = np.asarray(function(configurations))
    if values.dtype.kind not in "biuf":
        raise TypeError(f"observables[{name!r}] gives {values.dtype}: real numbers are needed")
    if values.ndim not in (1, 2) or len(values) != len(spins) or (values.ndim == 2 and not values.shape[1]):
        n = len(spins)
        raise ValueError(
            f"observables[{name!r}] gives an array of shape {values.shape} for {n} configurations: "
            f"({n},) or ({n}, k) is needed"
        )
    return values.astype(np.float64)
