"""Training sets: configurations at many temperatures, each with a certificate."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import (
    FloatArray,
    SpinArray,
    check_real,
    check_real_scalar,
    shown,
)
from rbmflow.files import write_atomically
from rbmflow.ising import lattice as lattices
from rbmflow.ising.lattice import Lattice
from rbmflow.netcdf import as_bytes, read_dataset, require_xarray
from rbmflow.reading import brief, parse_json, refusing
from rbmflow.records import Tabular
from rbmflow.records.dataset import dataset
from rbmflow.sampling.certificate import (
    ESTIMATE,
    PLAIN,
    Certificate,
    certificates_in,
    member,
    second_columns,
)
from rbmflow.sampling.topology import check_lattice
from rbmflow.spins import check_spins

FORMAT = "rbmflow training set 1"
A_TRAINING_SET = "a training set of rbmflow"


@dataclass(frozen=True, eq=False)
class TrainingSet(Tabular):
    """Configurations of a lattice at several temperatures.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    spins : numpy.ndarray of int8, shape (n_temperatures, n_samples, n_sites)
        ±1, in the order of the sites.
    temperature : numpy.ndarray of float64, shape (n_temperatures,)
        In units of J/k_B.
    certificate : tuple of Certificate
        One for each temperature.
    provenance : dict
        Arguments, state of the generator, versions and platform.
    field : float
        The field H of their law, uniform, in units of J: the energies of the certificates hold it.
    """

    lattice: Lattice
    spins: SpinArray = dataclasses.field(repr=False)
    temperature: FloatArray
    certificate: tuple[Certificate, ...] = dataclasses.field(repr=False)
    provenance: dict[str, Any] = dataclasses.field(repr=False, compare=False)
    field: float = dataclasses.field(default=0.0, metadata={"shown": "unless default"})

    def __post_init__(self) -> None:
        check_lattice(self.lattice)
        H = check_real_scalar("field", self.field)
        if not np.isfinite(H):
            raise ValueError(f"field={shown(self.field)}: a finite field is needed")
        object.__setattr__(self, "field", H)
        temperature = check_real("temperature", self.temperature)
        if temperature.ndim != 1 or not len(temperature) or (temperature < 0).any():
            raise ValueError(f"temperature={shown(self.temperature)}: a list of T >= 0 is needed")
        spins = check_spins("spins", self.spins, self.lattice.n_sites)
        if spins.ndim != 3 or len(spins) != len(temperature) or not spins.size:
            raise ValueError(
                f"spins has shape {spins.shape}: ({len(temperature)}, n_samples, "
                f"{self.lattice.n_sites}) is needed"
            )
        for name, value in (("spins", spins), ("temperature", temperature)):
            object.__setattr__(self, name, value)

    def _columns(self) -> dict[str, list[Any]]:
        places = {name: name for name in ("temperature", *PLAIN, "n_effective", "deviation")}
        places |= {"energy": "energy.mean", "stderr": "energy.stderr"}
        found = {name: list(map(attrgetter(place), self.certificate)) for name, place in places.items()}
        return found | second_columns(self.certificate, {"energy": "mean", "stderr": "stderr"})

    @property
    def configurations(self) -> SpinArray:
        """All configurations, shape ``(n_temperatures · n_samples, n_sites)``."""
        return self.spins.reshape(-1, self.spins.shape[-1])

    @property
    def labels(self) -> FloatArray:
        """The temperature of each of `configurations`."""
        return np.repeat(self.temperature, self.spins.shape[1])

    def to_xarray(self) -> Any:
        """Return the configurations and their certificates as a dataset of xarray.

        Returns
        -------
        xarray.Dataset
            ``spins`` over ``temperature``, ``sample`` and ``site``; columns of the certificates over
            ``temperature``, of the energy per site ``energy_mean``, ``energy_stderr`` and so on; lattice and
            provenance as attributes in JSON, and a field other than 0 as an attribute.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).

        Examples
        --------
        >>> from rbmflow import Ring, training_set
        >>> dict(training_set(Ring(8), [1.0, 2.0], 10, rng=1).to_xarray().sizes)
        {'temperature': 2, 'sample': 10, 'site': 8}
        """
        names = {name: name for name in PLAIN} | {f"energy_{name}": f"energy.{name}" for name in ESTIMATE}
        columns = {
            name: ("temperature", list(map(attrgetter(place), self.certificate)))
            for name, place in names.items()
        }
        seconds = second_columns(self.certificate, {f"energy_{name}": name for name in ESTIMATE})
        columns |= {name: ("temperature", column) for name, column in seconds.items()}
        found = dataset(
            {"spins": (("temperature", "sample", "site"), self.spins), **columns},
            {"temperature": ("temperature", self.temperature)},
            {
                "format": FORMAT,
                "lattice": json.dumps(lattices.as_stored(self.lattice)),
                "provenance": json.dumps(self.provenance),
                **({"field": self.field} if self.field else {}),
            },
        )
        found.temperature.attrs["units"] = "J/k_B"
        found.spins.attrs["long_name"] = "spins, -1 or +1"
        found.energy_mean.attrs["units"] = "J per site"
        return found

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a netCDF file, through a temporary file that is renamed.

        Dimensions are ``temperature``, ``sample`` and ``site``; the certificate's columns are variables over
        ``temperature``, the provenance is an attribute.

        Parameters
        ----------
        path : path-like
            The file, by custom ``.nc``.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray, h5netcdf and h5py).
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, training_set
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     training_set(Ring(8), [1.0, 2.0], 10, rng=1).save(f"{folder}/ring.nc")
        ...     TrainingSet.load(f"{folder}/ring.nc").spins.shape
        (2, 10, 8)
        """
        write_atomically(path, training_set_as_bytes(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainingSet:
        """Read a file that `save` wrote; the result is equal in every number.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        TrainingSet
            As it was saved.

        Raises
        ------
        ImportError
            Without the extra ``data``.
        OSError, ValueError
            If there is no such file, or it is not a training set.

        Examples
        --------
        >>> import tempfile
        >>> from rbmflow import Ring, training_set
        >>> first = training_set(Ring(8), [0.0], 4, rng=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     first.save(f"{folder}/cold.nc")
        ...     print((TrainingSet.load(f"{folder}/cold.nc").spins == first.spins).all())
        True
        """
        return read_training_set(path)


def training_set_as_bytes(data: TrainingSet) -> bytes:
    """Return a training set as the file that `TrainingSet.save` writes."""
    xarray = require_xarray()
    n_temperatures, _, n_sites = data.spins.shape
    chunks = (1, max(1, min(data.spins.shape[1], 2**22 // n_sites)), n_sites) if n_temperatures else None
    encoding = {"spins": {"zlib": True, "complevel": 1, "chunksizes": chunks, "dtype": "int8"}}
    return as_bytes(xarray, data.to_xarray(), encoding)


def read_training_set(source: str | os.PathLike[str] | bytes) -> TrainingSet:
    """Read a training set from a file, see `TrainingSet.load`, or from its bytes."""
    dataset = read_dataset(source, A_TRAINING_SET)
    with refusing(source, A_TRAINING_SET):
        if dataset.attrs.get("format") != FORMAT:
            raise ValueError(f"its format is {shown(dataset.attrs.get('format'))}, {FORMAT!r} is needed")
        return _from_dataset(dataset)


def read_rows(path: str | os.PathLike[str], name: str | None = None) -> npt.NDArray[Any]:
    """Return the configurations of a training set, or the numbers of another netCDF file.

    A table of numbers has a row for each configuration; `name` is needed if there are several.
    """
    dataset = read_dataset(path, "a netCDF file")
    if dataset.attrs.get("format") == FORMAT:
        return read_training_set(path).configurations
    tables = [one for one, variable in dataset.data_vars.items() if variable.ndim == 2]
    if name is not None and name not in tables:
        raise ValueError(
            f"array={shown(name)}: {path} has no such variable of two dimensions, "
            f"it has {brief(sorted(map(str, tables)))}"
        )
    if name is not None or "spins" in tables:
        tables = [name or "spins"]
    if len(tables) != 1:
        raise ValueError(
            f"{path}: one variable of two dimensions, or one with the name spins, is needed; "
            f"it has {brief(sorted(map(str, tables)))}"
        )
    return np.asarray(dataset[tables[0]].values)


def _from_dataset(dataset: Any) -> TrainingSet:
    plain, facts = (parse_json(member(dataset.attrs, name)) for name in ("lattice", "provenance"))
    lattice = lattices.from_json(plain)
    if not isinstance(facts, dict):
        raise ValueError("provenance: an object is needed")  # noqa: TRY004
    temperature = member(dataset, "temperature").values
    if temperature.dtype != np.float64 or temperature.ndim != 1 or not (temperature >= 0).all():
        raise ValueError("temperature: a list of T >= 0 is needed")
    spins = member(dataset, "spins").values
    if spins.dtype != np.int8 or spins.ndim != 3 or len(spins) != len(temperature):
        raise ValueError(
            f"spins is {spins.dtype} of shape {spins.shape}: int8, {len(temperature)} times rows, is needed"
        )
    spins = check_spins("spins", spins, lattice.n_sites)
    H = float(check_real_scalar("field", dataset.attrs.get("field", 0.0)))
    return TrainingSet(lattice, spins, temperature, certificates_in(dataset), facts, H)
