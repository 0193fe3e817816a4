"""Files: written under a temporary name first, then renamed, so that nothing is lost; arrays read from CSV and npy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt


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
        A numpy file, or text with one row on each line, separated by commas or spaces; a first line that is not
        numbers, and lines that begin with ``#``, are passed over.

    Returns
    -------
    numpy.ndarray
        Of two dimensions if it is text.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds no such numbers.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/spins.csv", "a,b\n1,-1\n")
    ...     read_array(f"{folder}/spins.csv")
    array([[ 1., -1.]])
    """
    source = Path(path)
    if source.suffix == ".npy":
        try:
            return np.asarray(np.load(source, allow_pickle=False))
        except (ValueError, EOFError) as error:
            raise ValueError(f"{source}: not a numpy file of numbers ({error})") from None
    lines = source.read_text(encoding="utf-8-sig").splitlines()
    rows = [line.replace(",", " ").split() for line in lines if line.strip() and not line.startswith("#")]
    if rows and not _are_numbers(rows[0]):
        rows = rows[1:]
    if not rows or not all(map(_are_numbers, rows)) or len({len(row) for row in rows}) != 1:
        raise ValueError(f"{source}: rows of numbers, all of one length, are needed")
    return np.array(rows, dtype=np.float64)


def _are_numbers(cells: list[str]) -> bool:
    try:
        [float(cell) for cell in cells]
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
