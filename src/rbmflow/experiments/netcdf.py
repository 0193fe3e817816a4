"""Named arrays with named axes as netCDF files: what experiments with many numbers leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from rbmflow.sampling.storage import as_bytes, read_dataset, require_xarray


@dataclass(frozen=True)
class Arrays:
    """What a file holds.

    Attributes
    ----------
    variables : dict of str to (tuple of str, numpy.ndarray)
        Axes and numbers by name.
    attributes : dict of str to str
        Text about the whole; ``"format"`` says what it is.
    """

    variables: dict[str, tuple[tuple[str, ...], npt.NDArray[Any]]]
    attributes: dict[str, str]


def write_arrays(content: Arrays, coordinates: Mapping[str, Any]) -> bytes:
    """Return a netCDF file of the arrays, compressed, with the values along some of the axes."""
    xarray = require_xarray()
    dataset = xarray.Dataset(content.variables, coords=dict(coordinates), attrs=content.attributes)
    return as_bytes(xarray, dataset, {name: {"zlib": True, "complevel": 1} for name in content.variables})


def read_arrays(source: Any, form: str) -> Arrays:
    """Read a file whose format is `form`, or its bytes.

    OSError if there is no such file, ValueError if it is another or broken.
    """
    dataset = read_dataset(source, "a netCDF file", form)
    return Arrays(
        {str(name): (tuple(map(str, one.dims)), one.values) for name, one in dataset.data_vars.items()},
        {str(name): value for name, value in dataset.attrs.items()},
    )
