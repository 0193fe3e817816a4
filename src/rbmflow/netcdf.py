"""Datasets as netCDF files through xarray and h5netcdf, held against damage and against what cannot be."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.reading import SEAL, brief, refusing

HDF5 = b"\x89HDF"
ALWAYS_PLAUSIBLE, MAX_RATIO = 2**26, 1100
"""Bytes that any file may be said to hold; deflate packs no more than 1032 bytes into one."""


def require_xarray() -> Any:
    """Return xarray, or raise ImportError that names the extra."""
    try:
        import h5netcdf  # noqa: F401
        import h5py  # noqa: F401  # h5netcdf reads and writes through it
        import xarray
    except ImportError as error:
        raise ImportError(
            "netCDF files are written and read by xarray, h5netcdf and h5py: pip install rbmflow[data]"
        ) from error
    return xarray


def as_bytes(xarray: Any, dataset: Any, encoding: dict[str, Any]) -> bytes:
    """The file in memory, with a digest of what it holds: the HDF5 library does not survive a full disk."""
    import h5netcdf

    dataset.attrs[SEAL] = _digest(dataset)
    stream = io.BytesIO()
    with h5netcdf.File(stream, "w") as file:
        dataset.dump_to_store(xarray.backends.H5NetCDFStore(file), encoding=encoding)
    return stream.getvalue()


def read_dataset(source: str | os.PathLike[str] | bytes, what: str, form: str | None = None) -> Any:
    """Return all that a netCDF file of this format, or its bytes, holds.

    OSError if there is no such file, ValueError if it is not `what`, or altered.
    """
    xarray = require_xarray()
    with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as stream:
        engine = "h5netcdf" if stream.read(len(HDF5)) == HDF5 else "scipy"
        n_bytes = stream.seek(0, os.SEEK_END)
    place = io.BytesIO(source) if isinstance(source, bytes) else source
    with refusing(source, what):
        if engine == "h5netcdf":
            import h5py

            with h5py.File(place, "r") as file:
                check_extent(file, n_bytes)
        with xarray.open_dataset(place, engine=engine) as opened:
            found = opened.attrs.get("format")
            if form is not None and found != form:
                raise ValueError(f"its format is {shown(found)}, this version reads {form!r}")
            dataset = opened.load()
        if dataset.attrs.get(SEAL, _digest(dataset)) != _digest(dataset):
            raise ValueError("its content is not what was saved")
    dataset.attrs.pop(SEAL, None)
    return dataset


def check_extent(group: Any, n_bytes: int) -> None:
    """Raise unless the arrays of a group lie in its HDF5 file, of so many bytes, and can be as large."""
    import h5py

    n_said = 0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{brief(name)} is a link")  # noqa: TRY004
        item = group[name]
        if not isinstance(item, h5py.Dataset):
            continue
        if item.external or item.is_virtual:
            raise ValueError(f"{brief(name)} lies in another file")
        n_said += item.nbytes
    if n_said > max(ALWAYS_PLAUSIBLE, MAX_RATIO * n_bytes):
        raise ValueError(f"it is said to hold {n_said} bytes, more than a file of its size can")


def _digest(dataset: Any) -> str:
    """SHA-256 of the variables and the attributes."""
    attributes = {str(name): str(value) for name, value in dataset.attrs.items() if name != SEAL}
    total = hashlib.sha256(json.dumps(attributes, sort_keys=True).encode())
    for name in sorted(dataset.variables, key=str):
        variable = dataset.variables[name]
        array = variable.values
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), np.nan, array)  # whose sign is not kept
        numbers = array.dtype.kind in "biuf"
        kind = array.dtype.newbyteorder("<").str if numbers else "text"
        total.update(f"{name} {variable.dims} {kind} {array.shape} ".encode())
        if numbers:
            total.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
        else:
            total.update(json.dumps(array.tolist(), default=str).encode())
    return total.hexdigest()


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
