"""Files of rows of numbers: text, numpy's own files, compressed or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.hardware import check_memory
from rbmflow.reading.arrays import NPY, ZIP, read_npy, read_one
from rbmflow.reading.columns import Columns
from rbmflow.reading.compressed import GZIP, gunzip
from rbmflow.reading.delimited import Delimited
from rbmflow.reading.refusal import refusing

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
MOST = 5
"""Bytes of memory for a byte of text: it stands there beside numbers of eight bytes, each two characters."""
SPLIT = "fewer rows, or numpy's npy of int8, need less"


@dataclass(frozen=True)
class FileRows:
    """Rows of numbers in a file.

    Attributes
    ----------
    values : numpy.ndarray
        The numbers; shape ``(n_rows, n_columns)`` if the file is text.
    columns : tuple of int
        The columns that were read, counted from 1.
    names : tuple of str
        Their names; empty if the file has none.
    labels : tuple of str or None
        The cells of the column that was left out as a label.
    """

    values: npt.NDArray[Any]
    columns: tuple[int, ...]
    names: tuple[str, ...] = ()
    labels: tuple[str, ...] | None = None


def read_array(path: str | os.PathLike[str], name: str | None = None) -> npt.NDArray[Any]:
    r"""Return the array in a ``.npy`` or ``.npz`` file, or the rows of numbers in a text file.

    Parameters
    ----------
    path : path-like
        A file as `read_table` takes it.
    name : str, optional
        Of an array among several in a ``.npz`` file.

    Returns
    -------
    numpy.ndarray
        Of two dimensions if it is text.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no such numbers, or a cell is empty.
    MemoryError
        If there is not the memory for what it holds.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = Path(f"{folder}/spins.csv").write_text("a,b\n1,-1\n")
    ...     read_array(f"{folder}/spins.csv")
    array([[ 1., -1.]])
    """
    found = _read(Path(path), name)
    return _numbers(Path(path), found, Columns()).values if isinstance(found, Delimited) else found


def read_table(
    path: str | os.PathLike[str],
    columns: Columns | None = None,
    *,
    name: str | None = None,
    gaps: bool = False,
) -> FileRows:
    r"""Return columns of numbers in a file of rows.

    Parameters
    ----------
    path : path-like
        A numpy file (``.npy``, ``.npz``), or text in UTF-8 with one row on each line, as `Delimited` has it;
        either may be compressed by gzip. The kind is told by the first bytes.
    columns : Columns, optional
        Which columns; all by default.
    name : str, optional
        Of an array among several in a ``.npz`` file.
    gaps : bool
        Whether an empty cell of text, NA or nan, is NaN; else it is an error.

    Returns
    -------
    FileRows
        The numbers, and the labels of the rows if a column of them was named.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is none of these or damaged, has no such array or column, or a cell is no number.
    MemoryError
        If there is not the memory for what it holds; no more than that is inflated.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = Path(f"{folder}/spins.csv").write_text("kind,a,b\nhot,1,-1\ncold,1,1\n")
    ...     read_table(f"{folder}/spins.csv", Columns("a,b", label="kind"))
    FileRows(values=array([[ 1., -1.],
           [ 1.,  1.]]), columns=(2, 3), names=('a', 'b'), labels=('hot', 'cold'))
    """
    source, asked = Path(path), Columns() if columns is None else columns
    found = _read(source, name)
    return (
        _numbers(source, found, asked, gaps=gaps)
        if isinstance(found, Delimited)
        else rows_of_array(source, found, asked)
    )


def rows_of_array(path: object, values: npt.NDArray[Any], columns: Columns) -> FileRows:
    """Return columns of an array of rows; raise ValueError naming the file if there are none."""
    if values.ndim != 2 or not values.size or values.dtype.kind not in "biuf":
        raise ValueError(
            f"{path}: its array has shape {values.shape} and type {values.dtype}, rows of spins or "
            "other numbers are needed"
        )
    kept, label = columns.of(values.shape[1])
    labels = None if label is None else tuple(map(_text, values[:, label].tolist()))
    is_all = kept == list(range(values.shape[1]))
    return FileRows(values if is_all else values[:, kept], tuple(1 + one for one in kept), (), labels)


def _text(cell: Any) -> str:
    """Return a number as a label."""
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell)


def _numbers(source: Path, text: Delimited, columns: Columns, *, gaps: bool = False) -> FileRows:
    """Return columns of numbers in text."""
    kept, label = columns.of(text.width, text.names)
    with _rows_of_numbers(source):
        values = text.numbers(None if kept == list(range(text.width)) else kept, gaps=gaps)
        labels = None if label is None else tuple(text.texts(label))
    names = tuple(text.names[one] for one in kept) if text.names else ()
    return FileRows(values, tuple(1 + one for one in kept), names, labels)


def _read(source: Path, name: str | None) -> npt.NDArray[Any] | Delimited:
    """Return the array in a file, or its text."""
    check_memory(str(source), source.stat().st_size, SPLIT)
    content, suffix = source.read_bytes(), source.suffix.lower()
    if content.startswith(GZIP) or suffix == ".gz":
        with refusing(source, "a gzip file", but=MemoryError):
            content = gunzip(str(source), content, MOST)
        suffix = Path(source.stem).suffix.lower()
    if suffix == ".npz" or (content.startswith(ZIP) and suffix != ".npy"):
        with refusing(source, "an npz file of numbers", but=MemoryError):
            return read_one(str(source), content, name)
    if name is not None:
        raise ValueError(f"array={shown(name)}: {source} is no archive, its array has no name")
    if suffix == ".npy" or content.startswith(NPY):
        with refusing(source, "a numpy file of numbers"):
            if content.startswith(ZIP):
                raise ValueError("it is an archive, as np.savez makes them; np.save writes one array")
            return read_npy(content)
    if content.startswith(UTF_16) or b"\0" in content:
        raise ValueError(
            f"{source}: neither a numpy file nor text in UTF-8; text in UTF-16 must be saved as UTF-8"
        )
    check_memory(str(source), MOST * len(content), SPLIT)
    try:
        with _rows_of_numbers(source):
            return Delimited(content)
    except UnicodeDecodeError:
        raise ValueError(f"{source}: neither a numpy file nor text in UTF-8") from None


@contextmanager
def _rows_of_numbers(source: Path) -> Iterator[None]:
    """Say with an error in text which file it is and what is needed."""
    try:
        yield
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise ValueError(f"{source}: rows of numbers, all of one length, are needed; {error}") from None
