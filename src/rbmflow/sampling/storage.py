"""Training sets as netCDF files, through xarray and h5netcdf."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.estimate import Estimate
from rbmflow.files import write_atomically
from rbmflow.ising import Ring, Torus
from rbmflow.sampling.training_set import Certificate, TrainingSet
from rbmflow.spins import check_spins

FORMAT = "rbmflow training set 1"
HDF5 = b"\x89HDF"
ESTIMATE = ("mean", "stderr", "tau", "n_effective", "r_hat", "tau_stderr")
PLAIN = ("rule", "burn_in", "thin", "tau", "exact_energy", "exact_stderr")


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
            "lattice": json.dumps(_sides(data.lattice)),
            "provenance": json.dumps(data.provenance),
        },
    )
    dataset.temperature.attrs["units"] = "J/k_B"
    dataset.spins.attrs["long_name"] = "spins, -1 or +1"
    dataset.energy_mean.attrs["units"] = "J per site"
    n_temperatures, _, n_sites = data.spins.shape
    chunks = (1, max(1, min(data.spins.shape[1], 2**22 // n_sites)), n_sites) if n_temperatures else None
    encoding = {"spins": {"zlib": True, "complevel": 1, "chunksizes": chunks, "dtype": "int8"}}
    write_atomically(path, as_bytes(xarray, dataset, encoding))


def as_bytes(xarray: Any, dataset: Any, encoding: dict[str, Any]) -> bytes:
    """The file in memory: the HDF5 library does not survive a full disk."""
    import h5netcdf

    stream = io.BytesIO()
    with h5netcdf.File(stream, "w") as file:
        dataset.dump_to_store(xarray.backends.H5NetCDFStore(file), encoding=encoding)
    return stream.getvalue()


def read_training_set(path: str | os.PathLike[str]) -> TrainingSet:
    """Read a training set; see `TrainingSet.load`."""
    xarray = require_xarray()
    if not Path(path).is_file():
        Path(path).open("rb").close()  # raises what is wrong with it
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as opened:
            dataset = opened.load()
        if dataset.attrs.get("format") != FORMAT:
            raise ValueError(f"it is not one of {shown(FORMAT)}")
        return _from_dataset(dataset)
    except (OSError, ValueError, KeyError, AttributeError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path}: not a training set of rbmflow ({error})") from error


def read_rows(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Return the configurations of a training set, or the table of numbers of another netCDF file, a row for each configuration."""
    xarray = require_xarray()
    with Path(path).open("rb") as stream:
        engine = "h5netcdf" if stream.read(len(HDF5)) == HDF5 else "scipy"
    try:
        with xarray.open_dataset(path, engine=engine) as opened:
            dataset = opened.load()
    except (OSError, ValueError, KeyError, AttributeError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path}: not a netCDF file, or damaged ({error})") from error
    if dataset.attrs.get("format") == FORMAT:
        return read_training_set(path).configurations
    tables = [name for name, variable in dataset.data_vars.items() if variable.ndim == 2]
    if "spins" in tables:
        tables = ["spins"]
    if len(tables) != 1:
        raise ValueError(
            f"{path}: one variable of two dimensions, or one with the name spins, is needed; it has {sorted(map(str, tables))}"
        )
    return np.asarray(dataset[tables[0]].values)


def _from_dataset(dataset: Any) -> TrainingSet:
    sides = json.loads(dataset.attrs["lattice"])
    lattice = Torus(*sides) if len(sides) == 2 else Ring(*sides)
    temperature = dataset["temperature"].values
    spins = check_spins("spins", dataset["spins"].values, lattice.n_sites)
    if spins.ndim != 3 or len(spins) != len(temperature):
        raise ValueError(f"spins has shape {spins.shape}")
    columns = {name: dataset[name].values for name in (*PLAIN, *(f"energy_{part}" for part in ESTIMATE))}
    certificates = []
    for index, level in enumerate(temperature.tolist()):
        row = {name: values[index] for name, values in columns.items()}
        certificates.append(
            Certificate(
                level,
                str(row["rule"]),
                int(row["burn_in"]),
                int(row["thin"]),
                float(row["tau"]),
                Estimate(*(float(row[f"energy_{part}"]) for part in ESTIMATE)),
                float(row["exact_energy"]),
                float(row["exact_stderr"]),
            )
        )
    return TrainingSet(
        lattice, spins, temperature, tuple(certificates), json.loads(dataset.attrs["provenance"])
    )


def _sides(lattice: Ring | Torus) -> list[int]:
    return [lattice.n_rows, lattice.n_cols] if isinstance(lattice, Torus) else [lattice.n_sites]
