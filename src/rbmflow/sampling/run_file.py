"""NetCDF files of series that come one after the other, and are larger than memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from rbmflow.netcdf import check_extent, require_xarray
from rbmflow.reading import brief, refusing

FORMAT = "rbmflow run 1"
GROUP, CHECKPOINT, BYTE = "state", "checkpoint", "byte"
"""Where a file has the record that goes on after it, as bytes; those who read the series do not see it."""
ARGUMENTS = "arguments"
"""An attribute, a digest of what the run was asked for."""
CHUNK_BYTES = 2**19
"""Of a variable that lie together, about: half of what the HDF5 library keeps in memory of each."""
MAX_CHUNK_BYTES = 2**24
AXIS = 1
"""That of the draws."""


class _Sheltered(io.RawIOBase):
    """A stream whose errors wait: the HDF5 library does not survive them, nor Ctrl-C, while it writes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.error: BaseException | None = None

    def write(self, data: Any) -> int:
        try:
            if self.error is None:
                self.stream.write(data)
        except BaseException as error:  # noqa: BLE001 (it is raised by `raise_error`)
            self.error = error
        return len(data)

    def raise_error(self) -> None:
        """Raise what has gone wrong, if anything has."""
        if self.error is not None:
            raise self.error

    def readinto(self, buffer: Any) -> int:
        return self.stream.readinto(buffer)  # type: ignore[attr-defined, no-any-return]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def truncate(self, size: int | None = None) -> int:
        return self.stream.truncate(size) if self.error is None else 0

    def flush(self) -> None:
        if self.error is None:
            self.stream.flush()


def write_slabs(
    stream: IO[bytes],
    empty: Any,
    n_draws: int,
    slabs: Iterator[tuple[int, Mapping[str, npt.NDArray[Any]]]],
    record: bytes,
    attributes: Mapping[str, Any],
) -> None:
    """Write a netCDF file of series.

    Parameters
    ----------
    stream : binary stream
        For reading and writing.
    empty : xarray.Dataset
        The file's dimensions, variables and attributes, without draws.
    n_draws : int
        How many the file has.
    slabs : iterator of (int, mapping of str to numpy.ndarray)
        The first draw of each and its series, in their order.
    record : bytes
        What goes on after the last draw.
    attributes : mapping
        More attributes.
    """
    import h5netcdf

    shelter = _Sheltered(stream)
    with h5netcdf.File(shelter, "w") as file:
        file.attrs.update({**empty.attrs, **attributes, "format": FORMAT})
        file.dimensions = {**empty.sizes, "draw": n_draws}
        beside = {str(name): set(one.dims) for name, one in empty.coords.items() if one.dims != (name,)}
        everywhere = [name for name, dims in beside.items() if not _related(dims, empty)]
        if everywhere:
            file.attrs["coordinates"] = " ".join(everywhere)
        for name, one in empty.variables.items():
            if name in empty.coords:
                values = np.arange(n_draws) if name == "draw" else one.values
                file.create_variable(name, one.dims, values.dtype, data=values)
                continue
            variable = file.create_variable(
                name, one.dims, one.dtype, chunks=_chunks(one, n_draws), **_PACKED
            )
            related = [other for other, dims in beside.items() if dims <= {*one.dims}]
            if related:
                variable.attrs["coordinates"] = " ".join(related)
        for first, slab in slabs:
            for name, values in slab.items():
                file[name][:, first : first + values.shape[AXIS]] = values
            shelter.raise_error()
        group = file.create_group(GROUP)
        group.dimensions = {BYTE: len(record)}
        group.create_variable(CHECKPOINT, (BYTE,), np.uint8, data=np.frombuffer(record, np.uint8), **_PACKED)
    shelter.raise_error()


_PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}
"""Each chunk has a checksum, which is held against it when it is read."""


def _related(dims: set[Any], layout: Any) -> bool:
    """Whether a variable has these dimensions, and names the coordinates that are along them."""
    return any(dims <= {*one.dims} for one in layout.data_vars.values())


def row_bytes(variable: Any) -> int:
    """Return the size of a draw of a variable, of all chains."""
    return int(variable.dtype.itemsize * np.prod(np.delete(variable.shape, AXIS)))


def _chunks(variable: Any, n_draws: int) -> tuple[int, ...]:
    """Return how much of each dimension lies together: all chains for some draws, or some for one."""
    sizes, row = list(variable.shape), row_bytes(variable)
    sizes[AXIS] = max(1, min(n_draws, CHUNK_BYTES // row))
    sizes[0] = max(1, min(sizes[0], MAX_CHUNK_BYTES * sizes[0] // (row * sizes[AXIS])))
    return tuple(sizes)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file of series for reading; OSError if there is none, ValueError if it is something else."""
    require_xarray()
    import h5netcdf
    import h5py

    with path.open("rb") as stream:
        with refusing(path, "a run of rbmflow"):
            with h5py.File(stream, "r") as plain:
                for group in (plain, plain[GROUP]):
                    check_extent(group, stream.seek(0, os.SEEK_END))
                if (found := plain.attrs.get("format")) != FORMAT:
                    raise ValueError(f"its format is {brief(found)}, this version reads {FORMAT!r}")
            file = h5netcdf.File(stream, "r")
        with file:
            yield file


def read_record(file: Any) -> bytes:
    """Return the bytes of the record that goes on after a file."""
    content: bytes = np.asarray(file[GROUP][CHECKPOINT][:], dtype=np.uint8).tobytes()
    return content
