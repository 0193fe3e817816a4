"""Datasets of xarray, of chains in the layout of arviz: chain and draw are the first two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def require_xarray() -> Any:
    """Return xarray, or raise ImportError that names the extra."""
    try:
        import xarray
    except ImportError:
        raise ImportError("datasets are handed on by xarray: pip install rbmflow[data]") from None
    return xarray


def dataset(
    variables: Mapping[str, tuple[tuple[str, ...] | str, Any]],
    coordinates: Mapping[str, Any],
    attributes: Mapping[str, Any],
) -> Any:
    """Return a dataset of arrays with the names of their dimensions."""
    xarray = require_xarray()
    return xarray.Dataset(dict(variables), coords=dict(coordinates), attrs=dict(attributes))


def chains(
    series: Mapping[str, npt.NDArray[Any]], K: npt.NDArray[np.float64], attributes: Mapping[str, Any]
) -> Any:
    """Return series ``(n_chains, n_draws, ...)`` of chains of couplings K as a dataset.

    What a series has more dimensions for are sites of ``spins``, else components.
    Where the chains have one coupling, it is a coordinate without a dimension; else there must be as many
    chains of each, and K is the dimension after chain and draw.
    """
    levels, counts = np.unique(K, return_counts=True)
    if (counts != counts[0]).any():
        raise ValueError(
            f"there are {counts.min()} to {counts.max()} chains of a coupling: choose one with run.at(K)"
        )
    places = [np.flatnonzero(level == K) for level in levels]
    several = len(levels) > 1
    first = ("chain", "draw", "K") if several else ("chain", "draw")
    variables = {
        name: (
            first + ("site" if name == "spins" else f"{name}_component",) * (values.ndim - 2),
            np.stack([values[at] for at in places], axis=2) if several else values,
        )
        for name, values in series.items()
    }
    counted = {"chain": np.arange(counts[0]), "draw": np.arange(next(iter(series.values())).shape[1])}
    return dataset(variables, {**counted, "K": levels if several else levels[0]}, attributes)


def last_draw(visible: npt.NDArray[Any], hidden: npt.NDArray[Any], n_sweeps: int) -> Any:
    """Return where chains of two layers stand, a draw of each after so many sweeps."""
    layers = {"visible": visible, "hidden": hidden}
    variables = {name: (("chain", "draw", f"{name}_unit"), one[:, None]) for name, one in layers.items()}
    return dataset(variables, {"chain": range(len(visible)), "draw": [n_sweeps]}, {})


def tree(tables: Mapping[str, Mapping[str, list[Any]]]) -> Any:
    """Return tables as a tree of datasets over ``row``; a missing number is NaN."""
    xarray = require_xarray()
    return xarray.DataTree.from_dict(
        {
            name: xarray.Dataset({key: ("row", _column(values)) for key, values in columns.items()})
            for name, columns in tables.items()
        }
    )


def _column(values: list[Any]) -> npt.NDArray[Any]:
    is_number = all(one is None or isinstance(one, (int, float)) for one in values)
    array = np.array(values, dtype=np.float64 if None in values and is_number else None)
    return array.astype(object) if array.dtype.kind in "OU" else array
