"""Training sets as netCDF files, through xarray and h5netcdf."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.estimate import Estimate
from rbmflow.files import write_atomically
from rbmflow.ising import lattice as lattices
from rbmflow.reading import SEAL, brief, parse_json, refusing
from rbmflow.sampling.training_set import Certificate, TrainingSet
from rbmflow.spins import check_spins

FORMAT = "rbmflow training set 1"
HDF5 = b"\x89HDF"
A_TRAINING_SET = "a training set of rbmflow"
ALWAYS_PLAUSIBLE, MAX_RATIO = 2**26, 1100
"""Bytes that any file may be said to hold; deflate packs no more than 1032 bytes into one."""
ESTIMATE = ("mean", "stderr", "tau", "n_effective", "r_hat", "tau_stderr")
PLAIN = ("rule", "burn_in", "thin", "tau", "exact_energy", "exact_stderr")


def _not_negative(number: float) -> bool:
    return not number < 0  # NaN where it is not known


KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "rule": ("OU", lambda rule: rule in ("exact", "heat_bath", "swendsen_wang")),
    "burn_in": ("iu", _not_negative),
    "thin": ("iu", _not_negative),
    "tau": ("f", _not_negative),
    "exact_energy": ("f", math.isfinite),
    "exact_stderr": ("f", _not_negative),
    "energy_mean": ("f", math.isfinite),
    **{f"energy_{part}": ("f", _not_negative) for part in ESTIMATE[1:]},
}
"""Types of the columns of the certificates, and what their cells can be."""


def require_xarray() -> Any:
    """Return xarray, or raise ImportError that names the extra."""
    try:
        import h5netcdf  # noqa: F401
        import h5py  # noqa: F401  # h5netcdf reads and writes through it
        import xarray
    except ImportError as error:
        raise ImportError(
            "training sets are stored by xarray, h5netcdf and h5py: pip install rbmflow[data]"
        ) from error
    return xarray


def write_training_set(data: TrainingSet, path: str | os.PathLike[str]) -> None:
    """Write a training set; see `TrainingSet.save`."""
    write_atomically(path, training_set_as_bytes(data))


def training_set_as_bytes(data: TrainingSet) -> bytes:
    """Return a training set as the file that `TrainingSet.save` writes."""
    xarray = require_xarray()
    columns: dict[str, Any] = {
        name: ("temperature", [getattr(one, name) for one in data.certificate]) for name in PLAIN
    }
    for name in ESTIMATE:
        columns[f"energy_{name}"] = ("temperature", [getattr(one.energy, name) for one in data.certificate])
    dataset = xarray.Dataset(
        {"spins": (("temperature", "sample", "site"), data.spins), **columns},
        coords={"temperature": ("temperature", data.temperature)},
        attrs={
            "format": FORMAT,
            "lattice": json.dumps(lattices.as_stored(data.lattice)),
            "provenance": json.dumps(data.provenance),
        },
    )
    dataset.temperature.attrs["units"] = "J/k_B"
    dataset.spins.attrs["long_name"] = "spins, -1 or +1"
    dataset.energy_mean.attrs["units"] = "J per site"
    n_temperatures, _, n_sites = data.spins.shape
    chunks = (1, max(1, min(data.spins.shape[1], 2**22 // n_sites)), n_sites) if n_temperatures else None
    encoding = {"spins": {"zlib": True, "complevel": 1, "chunksizes": chunks, "dtype": "int8"}}
    return as_bytes(xarray, dataset, encoding)


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
            _check_extent(place, n_bytes)
        with xarray.open_dataset(place, engine=engine) as opened:
            found = opened.attrs.get("format")
            if form is not None and found != form:
                raise ValueError(f"its format is {shown(found)}, this version reads {form!r}")
            dataset = opened.load()
        if dataset.attrs.get(SEAL, _digest(dataset)) != _digest(dataset):
            raise ValueError("its content is not what was saved")
    dataset.attrs.pop(SEAL, None)
    return dataset


def _check_extent(place: Any, n_bytes: int) -> None:
    """Raise unless the arrays of an HDF5 file of so many bytes lie in it, and are as large as it can hold."""
    import h5py

    with h5py.File(place, "r") as file:
        n_said = 0
        for name in file:
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{brief(name)} is a link")  # noqa: TRY004
            item = file[name]
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


def read_training_set(source: str | os.PathLike[str] | bytes) -> TrainingSet:
    """Read a training set from a file, see `TrainingSet.load`, or from its bytes."""
    dataset = read_dataset(source, A_TRAINING_SET)
    with refusing(source, A_TRAINING_SET):
        if dataset.attrs.get("format") != FORMAT:
            raise ValueError(f"its format is {shown(dataset.attrs.get('format'))}, {FORMAT!r} is needed")
        return _from_dataset(dataset)


def read_rows(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Return the configurations of a training set, or the numbers of another netCDF file.

    A table of numbers has a row for each configuration.
    """
    dataset = read_dataset(path, "a netCDF file")
    if dataset.attrs.get("format") == FORMAT:
        return read_training_set(path).configurations
    tables = [name for name, variable in dataset.data_vars.items() if variable.ndim == 2]
    if "spins" in tables:
        tables = ["spins"]
    if len(tables) != 1:
        raise ValueError(
            f"{path}: one variable of two dimensions, or one with the name spins, is needed; "
            f"it has {brief(sorted(map(str, tables)))}"
        )
    return np.asarray(dataset[tables[0]].values)


def _from_dataset(dataset: Any) -> TrainingSet:
    plain, facts = (parse_json(_member(dataset.attrs, name)) for name in ("lattice", "provenance"))
    lattice = lattices.check_solved(lattices.from_json(plain))
    if not isinstance(facts, dict):
        raise ValueError("provenance: an object is needed")  # noqa: TRY004
    temperature = _member(dataset, "temperature").values
    if temperature.dtype != np.float64 or temperature.ndim != 1 or not (temperature >= 0).all():
        raise ValueError("temperature: a list of T >= 0 is needed")
    spins = _member(dataset, "spins").values
    if spins.dtype != np.int8 or spins.ndim != 3 or len(spins) != len(temperature):
        raise ValueError(
            f"spins is {spins.dtype} of shape {spins.shape}: int8, {len(temperature)} times rows, is needed"
        )
    columns = {name: _column(dataset, name, len(temperature)) for name in KINDS}
    certificates = []
    for index, level in enumerate(temperature.tolist()):
        row = {name: values[index] for name, values in columns.items()}
        certificates.append(
            Certificate(
                level,
                row["rule"],
                row["burn_in"],
                row["thin"],
                row["tau"],
                Estimate(*(row[f"energy_{part}"] for part in ESTIMATE)),
                row["exact_energy"],
                row["exact_stderr"],
            )
        )
    return TrainingSet(
        lattice, check_spins("spins", spins, lattice.n_sites), temperature, tuple(certificates), facts
    )


def _member(of: Any, name: str) -> Any:
    if name not in of:
        raise ValueError(f"it has no {name}")
    return of[name]


def _column(dataset: Any, name: str, length: int) -> list[Any]:
    """Return a column of the certificates, each of its cells what it can be."""
    array = _member(dataset, name).values
    kinds, allowed = KINDS[name]
    if array.shape != (length,) or array.dtype.kind not in kinds:
        raise ValueError(
            f"{name} is {array.dtype} of shape {array.shape}: it needs {length} cells of its kind"
        )
    cells: list[Any] = array.tolist()
    for cell in cells:
        if not allowed(cell):
            raise ValueError(f"{name} holds {shown(cell)}")
    return cells
