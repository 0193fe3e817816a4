"""Files as data from strangers: what they hold is checked before it is used, and refused in one line."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown

NPY, ZIP = b"\x93NUMPY", b"PK"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
MAX_AXES = 32
SEAL = "digest"
SHOWN = 200
"""Characters of what was found that an error quotes."""
VALUES = {"", "true", "false", "yes", "no", "on", "off", "none", "null", "na", "n/a", "#n/a", "nan"}
"""Words that stand for a value and name no column."""
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


def brief(text: object, shown: int = SHOWN) -> str:
    """Return text in one line, its middle left out if it is long."""
    line = " ".join(str(text).split())
    return line if len(line) <= shown else f"{line[: shown // 2]} ... {line[-shown // 2 :]}"


@contextmanager
def refusing(path: object, what: str) -> Iterator[None]:
    """Turn whatever a file, or bytes, lead to into one ValueError, which names it and what it is not."""
    path = "its content" if isinstance(path, bytes) else path
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file that is read needs none, one that is refused is told
            yield
    except Exception as error:  # libraries that read files do not say what they raise on crafted ones
        found = "it asks for more memory than there is" if isinstance(error, MemoryError) else brief(error)
        raise ValueError(f"{path}: not {what}, or damaged ({found})") from error


def parse_json(text: str | bytes) -> Any:
    """Return what a text in JSON holds; raise ValueError if it is none."""
    try:
        return json.loads(text.decode() if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def seal(content: dict[str, Any]) -> str:
    """Return an object as JSON with a SHA-256 of itself.

    Examples
    --------
    >>> unseal(seal({"seed": 1}))
    {'seed': 1}
    """
    plain = json.loads(json.dumps(content))
    return json.dumps({**plain, SEAL: _digest(plain)}, indent=1) + "\n"


def unseal(text: str | bytes) -> dict[str, Any]:
    """Return the object that `seal` wrote, or one without a digest.

    Raise ValueError if it was altered or is something else.
    """
    found = parse_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, an object is needed")  # noqa: TRY004
    if SEAL in found and found.pop(SEAL) != _digest(found):
        raise ValueError("its content is not what was saved")
    return found


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def check_names(what: str, found: object, wanted: set[str]) -> dict[str, Any]:
    """Return an object that has these members and no others, or raise ValueError."""
    if not isinstance(found, dict):
        raise ValueError(f"{what} is a {type(found).__name__}, an object is needed")  # noqa: TRY004
    if found.keys() != wanted:
        missing, unknown = (
            sorted(wanted - found.keys()),
            sorted(brief(name) for name in found.keys() - wanted),
        )
        said = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(unknown)}"] * bool(unknown)
        raise ValueError(f"{what} {' and '.join(said)}: {brief(', '.join(sorted(wanted)))} are needed")
    return found


def check_number(name: str, found: object) -> float:
    """Return a finite number of at least 0, or raise ValueError."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found < math.inf:
        raise ValueError(f"{name}={shown(found)}: a finite number of at least 0 is needed")
    return found


def read_npy(content: bytes) -> npt.NDArray[Any]:
    """Return the numbers or truth values of a whole npy file.

    Its header is held against the bytes that are there.
    """
    stream = io.BytesIO(content)
    with refusing("header", "one of an array"):
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"its version is {version}")
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, by_columns, dtype = read(stream)
    if dtype.kind not in "biuf" or len(shape) > MAX_AXES or min(shape, default=0) < 0:
        raise ValueError(f"an array of type {brief(dtype)} and shape {brief(shape)} holds no numbers")
    n_bytes = len(content) - stream.tell()
    if math.prod(shape) * dtype.itemsize != n_bytes:
        raise ValueError(
            f"shape {brief(shape)} and type {dtype} do not make the {n_bytes} bytes that are there"
        )
    flat = np.frombuffer(content, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if by_columns else "C").copy()


def read_npz(content: bytes, *, inflated: int | None = None) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an npz file by name.

    Its members are as long as they stand there, none is inflated, or they may be to `inflated` bytes in all.
    """
    import zipfile

    if not content.startswith(ZIP):
        raise ValueError("it is no npz")
    found: dict[str, npt.NDArray[Any]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > (len(content) if inflated is None else inflated):
            raise ValueError("its members are said to be longer than the file")
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name in found:
                raise ValueError(f"{brief(name)} is there twice")
            if inflated is None and member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{brief(name)} is compressed")
            try:
                found[name] = read_npy(archive.read(member))
            except ValueError as error:
                raise ValueError(f"{brief(name)}: {error}") from error
    return found


def read_array(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    r"""Return the array in a ``.npy`` file, or the rows of numbers in a text file.

    Parameters
    ----------
    path : path-like
        A numpy file, or text with one row on each line, separated by commas, semicolons or spaces; a first
        line of names, and lines that begin with ``#``, are passed over. Names begin with a letter; none of
        them is a number, comes twice, or stands for a value as True or NA do.

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
    ...     written = Path(f"{folder}/spins.csv").write_text("a,b\n1,-1\n")
    ...     read_array(f"{folder}/spins.csv")
    array([[ 1., -1.]])
    """
    source = Path(path)
    content = source.read_bytes()
    if source.suffix.lower() == ".npy" or content.startswith(NPY):
        with refusing(source, "a numpy file of numbers"):
            if content.startswith(ZIP):
                raise ValueError("it is an archive, as np.savez makes them; np.save writes one array")
            return read_npy(content)
    if content.startswith(UTF_16) or b"\0" in content:
        raise ValueError(
            f"{source}: neither a numpy file nor text in UTF-8; text in UTF-16 must be saved as UTF-8"
        )
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{source}: neither a numpy file nor text in UTF-8") from None
    try:
        return _rows(
            [(number, line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
        )
    except ValueError as error:
        raise ValueError(f"{source}: rows of numbers, all of one length, are needed; {error}") from None


def _rows(lines: list[tuple[int, str]]) -> npt.NDArray[np.float64]:
    """Return the numbers in numbered lines."""
    rows = _cells(lines)
    if rows and _are_names(rows[0][1]):
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise ValueError("it holds none")
    for (number, cells), (_, line) in zip(rows, lines, strict=True):
        wrong = [cell for cell in cells if not _is_number(cell)]
        if wrong or len(cells) != len(rows[0][1]):
            found = shown(wrong[0]) if wrong else f"{len(cells)} of them, the first {len(rows[0][1])}"
            why = "; numbers have a decimal point, not a comma" if _has_decimal_commas(line) else ""
            raise ValueError(f"line {number} holds {found}{why}")
    return np.array([[float(cell) for cell in cells] for _, cells in rows])


def _cells(lines: list[tuple[int, str]]) -> list[tuple[int, list[str]]]:
    """Return the cells of numbered lines; an empty one is kept, so that none takes the place of another."""
    between = next((mark for mark in ",;" if any(mark in line for _, line in lines)), None)
    if between is None:
        return [(number, line.split()) for number, line in lines]
    rows = []
    for number, line in lines:
        try:
            cells = next(csv.reader([line], delimiter=between, skipinitialspace=True, strict=True))
        except csv.Error as error:  # a quote that is not closed, a cell without end
            why = "; numbers have a decimal point, not a comma" if _has_decimal_commas(line) else ""
            raise ValueError(f"line {number} is not made of cells ({error}){why}") from None
        rows.append((number, [cell.strip() for cell in cells]))
    if all(not cells[-1] for _, cells in rows):  # a separator at the end of every line
        rows = [(number, cells[:-1]) for number, cells in rows]
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _are_names(cells: list[str]) -> bool:
    """Whether a first line names columns: what could be a value is not passed over."""
    named = [cell for cell in cells if cell]  # a table with numbered rows has no name for their column
    return bool(named) and len(set(named)) == len(named) and all(map(_is_name, named))


def _is_name(cell: str) -> bool:
    bare = cell.strip("'\"")
    if bare.lower() in VALUES or bare[0] in "0123456789+-−.," or not any(map(str.isalpha, bare)):
        return False
    try:
        complex(bare)
    except ValueError:
        return True
    return bare.lower() == "j"  # an index, as i and k beside it: a value would have digits


def _has_decimal_commas(line: str) -> bool:
    """Whether a line is one of numbers with commas for their points, with something else between them."""
    cells = line.replace('"', "").strip(" ;").replace(";", " ").split()
    commas = [DECIMAL_COMMA.fullmatch(cell) is not None for cell in cells]
    return (
        len(cells) > 1
        and any(commas)
        and all(c or _is_number(cell) for c, cell in zip(commas, cells, strict=True))
    )
