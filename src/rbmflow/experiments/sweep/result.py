"""The table that a sweep ends in, and its files."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from rbmflow.experiments.sweep.plan import Plan, label
from rbmflow.experiments.tables import Cell, Table, named_columns
from rbmflow.files import save_atomically
from rbmflow.netcdf import require_xarray

ROWS = 2**14
"""Of a table that are made at a time."""
FORMAT = "rbmflow sweep 1"


@dataclass(frozen=True, eq=False)
class Sweep:
    """What the calls of a grid returned.

    Attributes
    ----------
    plan : Plan
        The calls.
    columns : dict of str to numpy.ndarray
        Numbers or texts by the name of what was taken of the results, of shape ``plan.shape``.
    seed : dict
        Entropy and place of the stream that the streams of the points are children of.
    """

    plan: Plan
    columns: dict[str, npt.NDArray[Any]]
    seed: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """Names of the columns of the table: axes, then results."""
        return list(named_columns((name, []) for name in [*self.plan.every_axis, *self.columns]))

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Yield the rows of the table, the last axis fastest; missing numbers are NaN, missing texts empty.

        They are made some thousand at a time.
        """
        n, names = self.plan.n_points, list(self.plan.every_axis)
        labels = [list(map(label, values)) for values in self.plan.every_axis.values()]
        flat = [column.reshape(n) for column in self.columns.values()]
        for first in range(0, n, ROWS):
            last = min(first + ROWS, n)
            places = np.unravel_index(np.arange(first, last), self.plan.shape) if names else ()
            axes = [[each[k] for k in place] for each, place in zip(labels, places, strict=True)]
            yield from zip(*axes, *(column[first:last].tolist() for column in flat), strict=True)

    @property
    def tables(self) -> dict[str, Table]:
        """The table, a row for each point."""
        rows = list(self.rows())
        columns = [(name, [row[k] for row in rows]) for k, name in enumerate(self.names)]
        return {"sweep": Table(f"{self.plan.n_points} points", named_columns(columns))}

    def write_csv(self, stream: IO[bytes]) -> None:
        """Write the table as CSV to a binary stream; a float in the shortest form that reads back equal.

        Parameters
        ----------
        stream : binary file
            Where to.
        """
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.names)
        writer.writerows(map(_missing(""), row) for row in self.rows())
        text.detach()

    def write_json(self, stream: IO[bytes]) -> None:
        """Write the table as a list of objects in JSON to a binary stream; NaN is null, infinity 'inf'.

        Parameters
        ----------
        stream : binary file
            Where to.
        """
        names, before = self.names, b"[\n"
        for row in self.rows():
            plain = [str(cell) if cell in (np.inf, -np.inf) else cell for cell in map(_missing(None), row)]
            stream.write(before + b" " + json.dumps(dict(zip(names, plain, strict=True))).encode())
            before = b",\n"
        stream.write(b"\n]\n")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a netCDF file whose dimensions are the axes, a column at a time, whole or not at all.

        Parameters
        ----------
        path : path-like
            The file, by custom ``.nc``.

        Raises
        ------
        ImportError
            Without the extra ``data``.
        OSError
            If the disk has no room for it, or it cannot be written.
        """
        require_xarray()
        n_bytes = sum(column.nbytes for column in self.columns.values())
        folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120
        if n_bytes > (free := shutil.disk_usage(folder).free):  # the HDF5 library does not survive a full one
            raise OSError(f"{path}: {n_bytes} bytes are needed, {free} are free")
        save_atomically(path, self._write_netcdf)

    def _write_netcdf(self, stream: IO[bytes]) -> None:
        import h5netcdf

        with h5netcdf.File(stream, "w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["plan"] = json.dumps({**self.plan.to_json(), "seed": self.seed})
            for name, values in self.plan.every_axis.items():
                file.dimensions[name] = len(values)
                labels = np.array(list(map(label, values)))
                known = labels.astype(str) if labels.dtype.hasobject else labels  # integers beyond 64 bits
                _variable(file, name, (name,), known)
            for name, column in self.columns.items():
                _variable(file, name, tuple(self.plan.every_axis), column)


def _variable(file: Any, name: str, axes: tuple[str, ...], values: npt.NDArray[Any]) -> None:
    """Write an array; texts as variable strings, truth values as bytes."""
    if values.dtype.kind in "US":
        import h5py

        variable = file.create_variable(name, axes, dtype=h5py.string_dtype())
    else:
        kind = np.int8 if values.dtype.kind == "b" else values.dtype
        packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if axes else {}
        variable = file.create_variable(name, axes, dtype=kind, **packed)
    if values.ndim:  # in slabs: the library copies what it packs
        step = max(1, ROWS * len(values) // max(values.size, 1))
        for first in range(0, len(values), step):
            part = values[first : first + step]
            variable[first : first + step] = part.astype(object) if values.dtype.kind in "US" else part
    else:
        variable[...] = values.astype(object) if values.dtype.kind in "US" else values


def _missing(stands_for: Any) -> Any:
    return lambda cell: stands_for if isinstance(cell, float) and cell != cell else cell  # noqa: PLR0124
