"""NetCDF files of series that come one after the other, and are larger than memory."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from rbmflow.netcdf import check_extent, require_xarray
from rbmflow.reading import brief, refusing
from rbmflow.workers import POLL_SECONDS

FORMAT = "rbmflow run 1"
GROUP, CHECKPOINT, BYTE = "state", "checkpoint", "byte"
"""Where a file has the record that goes on after it, as bytes; those who read the series do not see it."""
ARGUMENTS = "arguments"
"""An attribute, a digest of what the run was asked for."""
CHUNK_BYTES = 2**19
"""Of a variable that lie together, about: half of what the HDF5 library keeps in memory of each."""
MAX_CHUNK_BYTES = 2**24
Slabs = Iterator[tuple[int, Mapping[str, npt.NDArray[Any]]]]
AXIS = 1
"""That of the draws."""


class _Sheltered(io.RawIOBase):
    """A stream whose errors wait, as the HDF5 library does not survive them; after one it does nothing."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.error: BaseException | None = None

    def write(self, data: Any) -> int:
        return self._do(lambda: self.stream.write(data), len(data))

    def readinto(self, buffer: Any) -> int:
        return self._do(lambda: self.stream.readinto(buffer), len(buffer))  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._do(lambda: self.stream.seek(offset, whence), offset)

    def tell(self) -> int:
        return self._do(self.stream.tell, 0)

    def truncate(self, size: int | None = None) -> int:
        return self._do(lambda: self.stream.truncate(size), size or 0)

    def flush(self) -> None:
        def flush() -> int:
            self.stream.flush()
            return 0

        self._do(flush, 0)

    def raise_error(self) -> None:
        """Raise what has gone wrong, if anything has."""
        if self.error is not None:
            raise self.error

    def _do(self, call: Callable[[], int], otherwise: int) -> int:
        try:
            if self.error is None:
                return call()
        except BaseException as error:  # noqa: BLE001 (it is raised by `raise_error`)
            self.error = error
        return otherwise


def _apart(call: Callable[[threading.Event], None]) -> None:
    """Make a call in a thread of its own, where no signal arrives; what interrupts this one tells it to stop.

    The HDF5 library writes through functions of Python, and does not survive Ctrl-C in one of them. Nor does
    it survive a stream that is closed: the thread has ended when this returns, or never begins.
    """
    stop, busy, errors = threading.Event(), threading.Lock(), list[BaseException]()

    def work() -> None:
        with busy:
            try:
                if not stop.is_set():
                    call(stop)
            except BaseException as error:  # noqa: BLE001 (it is raised below)
                errors.append(error)

    thread = threading.Thread(target=work)
    try:
        thread.start()  # interrupted, it may have begun or not
        while thread.is_alive():
            thread.join(POLL_SECONDS)
    finally:
        stop.set()
        with busy:
            pass
    if errors:
        raise errors[0]


def write_slabs(
    stream: IO[bytes],
    empty: Any,
    n_draws: int,
    slabs: Slabs,
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
    _apart(partial(_write, stream, empty, n_draws, slabs, record, attributes))


def _write(
    stream: IO[bytes],
    empty: Any,
    n_draws: int,
    slabs: Slabs,
    record: bytes,
    attributes: Mapping[str, Any],
    stop: threading.Event,
) -> None:
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
            if stop.is_set():
                return
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
