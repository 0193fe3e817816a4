"""Training sets as netCDF files, through xarray and h5netcdf."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from rbmflow.estimate import Estimate
from rbmflow.files import replace_atomically
from rbmflow.ising import Ring, Torus
from rbmflow.sampling.training_set import Certificate, TrainingSet

FORMAT = "rbmflow training set 1"
ESTIMATE = ("mean", "stderr", "tau", "n_effective", "r_hat", "tau_stderr")
PLAIN = ("rule", "burn_in", "thin", "tau", "exact_energy", "exact_stderr")


def require_xarray() -> Any:
    """Return xarray, or raise ImportError that names the extra."""
    try:
        import h5netcdf  # noqa: F401
        import xarray
    except ImportError as error:
        raise ImportError(
            "training sets are stored by xarray and h5netcdf: pip install rbmflow[data]"
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
    replace_atomically(
        path, lambda temporary: dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
    )


def read_training_set(path: str | os.PathLike[str]) -> TrainingSet:
    """Read a training set; see `TrainingSet.load`."""
    xarray = require_xarray()
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as opened:
            dataset = opened.load()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: not a netCDF file ({error})") from None
    if dataset.attrs.get("format") != FORMAT:
        raise ValueError(f"{path}: not a training set of rbmflow")
    sides = json.loads(dataset.attrs["lattice"])
    certificates = []
    for index, temperature in enumerate(dataset.temperature.values.tolist()):
        row = {
            name: dataset[name].values[index] for name in (*PLAIN, *(f"energy_{part}" for part in ESTIMATE))
        }
        energy = Estimate(*(float(row[f"energy_{part}"]) for part in ESTIMATE))
        certificates.append(
            Certificate(
                temperature,
                str(row["rule"]),
                int(row["burn_in"]),
                int(row["thin"]),
                float(row["tau"]),
                energy,
                float(row["exact_energy"]),
                float(row["exact_stderr"]),
            )
        )
    return TrainingSet(
        Torus(*sides) if len(sides) == 2 else Ring(*sides),
        np.ascontiguousarray(dataset.spins.values, dtype=np.int8),
        dataset.temperature.values,
        tuple(certificates),
        json.loads(dataset.attrs["provenance"]),
    )


def _sides(lattice: Ring | Torus) -> list[int]:
    return [lattice.n_rows, lattice.n_cols] if isinstance(lattice, Torus) else [lattice.n_sites]
