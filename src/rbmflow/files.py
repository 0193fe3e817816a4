"""Files: written under a temporary name first, then renamed, so that nothing is lost; arrays read from CSV and npy."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

NPY = b"\x93NUMPY"


def write_atomically(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write `content` to `path`; a reader sees the old file or the whole new one, never a part.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.
    content : str or bytes
        Text is written as UTF-8 with Unix line ends.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/a.txt", "spins")
    ...     Path(f"{folder}/a.txt").read_text()
    'spins'
    """
    data = content.encode() if isinstance(content, str) else content
    save_atomically(path, lambda stream: stream.write(data))


def read_array(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    r"""Return the array in a ``.npy`` file, or the rows of numbers in a text file.

    Parameters
    ----------
    path : path-like
        A numpy file, or text with one row on each line, separated by commas, semicolons or spaces; a first line without any
        number, and lines that begin with ``#``, are passed over.

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

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/spins.csv", "a,b\n1,-1\n")
    ...     read_array(f"{folder}/spins.csv")
    array([[ 1., -1.]])
    """
    source = Path(path)
    content = source.read_bytes()
    if source.suffix.lower() == ".npy" or content.startswith(NPY):
        try:
            return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
        except (ValueError, EOFError) as error:
            raise ValueError(f"{source}: not a numpy file of numbers ({error})") from None
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{source}: neither a numpy file nor text in UTF-8") from None
    rows = _cells([(number, line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"])
    if rows and not any(_is_number(cell) for cell in rows[0][1]):
        rows = rows[1:]
    for number, cells in rows:
        wrong = [cell for cell in cells if not _is_number(cell)]
        if wrong or len(cells) != len(rows[0][1]):
            found = repr(wrong[0]) if wrong else f"{len(cells)} of them, the first {len(rows[0][1])}"
            raise ValueError(
                f"{source}: rows of numbers, all of one length, are needed; line {number} holds {found}"
            )
    if not rows:
        raise ValueError(f"{source}: rows of numbers, all of one length, are needed; it holds none")
    return np.array([cells for _, cells in rows], dtype=np.float64)


def _cells(lines: list[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    """Return the cells of numbered lines; an empty one is kept, so that none takes the place of another."""
    between = next((mark for mark in ",;" if any(mark in line for _, line in lines)), None)
    if between is None:
        return [(number, line.split()) for number, line in lines]
    rows = [
        (
            number,
            [cell.strip() for cell in next(csv.reader([line], delimiter=between, skipinitialspace=True))],
        )
        for number, line in lines
    ]
    if all(not cells[-1] for _, cells in rows):  # a separator at the end of every line
        rows = [(number, cells[:-1]) for number, cells in rows]
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def save_atomically(path: str | os.PathLike[str], save: Callable[[IO[bytes]], object]) -> None:
    """Let `save` write to a temporary binary file beside `path`, then rename it to `path`."""

    def through_stream(temporary: Path) -> None:
        with temporary.open("wb") as stream:
            save(stream)

    replace_atomically(path, through_stream)


def replace_atomically(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, of which it gets the name, then rename it to `path`."""
    target = Path(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
