"""Results of points as cells of a table; parts of such records; their columns in the end."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.experiments.tables import Cell, digits_of
from rbmflow.hardware import check_memory
from rbmflow.reading import brief, check_names, parse_json

Row = dict[str, Cell]
DOUBLE = 15
THOUSANDTH, HUNDREDTH = 1e-3, 1e-2
"""Records wait for a thousandth of the time so far, or there would be too many parts; and so long that their
keeping takes no more than a hundredth of the time."""
ON_DISK = 2**28
"""Bytes of a column from which it lies in a file, whose pages the system takes back as it needs them."""


def row_of(result: Any, name: str, wanted: Sequence[str], dps: int | None) -> Row:
    """Return the cells of a result: those that are wanted, or all numbers and texts in it.

    Parameters
    ----------
    result : object
        What a call returned.
    name : str
        Of the column, where the result is one number.
    wanted : sequence of str
        Attributes, members and places, dotted.
    dps : int, optional
        Digits of a number of mpmath.

    Examples
    --------
    >>> from rbmflow import Estimate
    >>> row_of({"m": Estimate(0.5, 0.1, 1.0, 9.0, 1.0)}, "", ["m.mean"], None)
    {'m.mean': 0.5}
    """
    if wanted:
        return {path: _cell(path, _at(result, path), dps) for path in wanted}
    if _is_cell(result):
        return {name: _cell(name, result, dps)}
    found = {path: _cell(path, value, dps) for path, value in _leaves(result, "")}
    if not found:
        raise ValueError(
            f"results: a {type(result).__name__} holds no number by itself, say what is to be taken of it: "
            f"{brief(', '.join(one for one in dir(result) if not one.startswith('_')))}"
        )
    return found


def _leaves(result: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the numbers and texts of a record, and of the records in it."""
    if is_dataclass(result):
        members = [(one.name, getattr(result, one.name)) for one in fields(result)]
    elif isinstance(result, Mapping):
        members = [(str(name), result[name]) for name in result]
    else:
        return
    for name, value in members:
        if _is_cell(value):
            yield f"{path}{name}", value
        else:
            yield from _leaves(value, f"{path}{name}.")


def _at(result: Any, path: str) -> Any:
    """Return a part of a result; nothing that begins with an underscore, and nothing is called."""
    found = result
    for part in path.split("."):
        try:
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif part.lstrip("-").isdecimal():
                found = found[int(part)]
            elif part and not part.startswith("_"):
                found = getattr(found, part)
            else:
                raise LookupError(f"{part!r} is no public name")
        except (LookupError, AttributeError, TypeError) as error:
            raise ValueError(f"results: {shown(path)}: {brief(error)}") from None
    return found


def _is_cell(value: Any) -> bool:
    plain = value is None or isinstance(value, (bool, int, float, str, np.bool_, np.integer, np.floating))
    return plain or hasattr(value, "_mpf_") or (isinstance(value, np.ndarray) and value.ndim == 0)


def _cell(path: str, value: Any, dps: int | None) -> Cell:
    if not _is_cell(value):
        raise ValueError(
            f"results: {shown(path)} is a {type(value).__name__}: one number or text is needed, "
            "as a place of it, or what is public in it"
        )
    if hasattr(value, "_mpf_"):
        return digits_of(value, dps or DOUBLE)
    cell: Cell = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
    return cell


class Records:
    """Rows by the index of their point, kept in parts as they come.

    Parameters
    ----------
    n_points : int
        Of the sweep.
    checkpoints : Checkpoints or None
        Where the parts are kept; without, they are held until the columns are made.
    """

    def __init__(self, n_points: int, checkpoints: Checkpoints | None) -> None:
        self.kept, self.done = checkpoints, np.zeros(n_points, dtype=bool)
        self._kinds: dict[str, set[str]] = {}
        self._first: dict[str, tuple[int, int]] = {}
        self._rows: list[tuple[int, Row]] = []
        self._n_noted, self._taken = 0, 0.0
        self._n_parts = 0 if checkpoints is None else len(checkpoints.names)
        self._begin, self._stored = (time.monotonic(),) * 2
        for rows in self._parts():
            for index, row in rows:
                self._note(index, row)

    @property
    def missing(self) -> Iterator[int]:
        """Points that have no record, in their order."""
        return (int(index) for index in np.flatnonzero(~self.done))

    def add(self, index: int, row: Row) -> None:
        """Take a record, and keep those that wait, once they have waited long enough."""
        self._note(index, row)
        self._rows.append((index, row))
        if self.kept is not None and self.kept.due():
            now = time.monotonic()
            if now - self._stored >= max(THOUSANDTH * (now - self._begin), self._taken / HUNDREDTH):
                self.keep()

    def keep(self) -> None:
        """Keep the records that wait, as a part."""
        if self.kept is not None and self._rows:
            names = list(dict.fromkeys(name for _, row in self._rows for name in row))
            rows = [[index, *map(row.get, names)] for index, row in self._rows]
            content, begin = json.dumps({"columns": names, "rows": rows}).encode(), time.monotonic()
            self.kept.store(f"{self._n_parts:06d}", lambda stream: stream.write(content))
            self._rows, self._stored, self._n_parts = [], time.monotonic(), self._n_parts + 1
            self._taken = self._stored - begin

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of all records, each of one kind, in the order of the points."""
        kinds = {name: _dtype(self._kinds[name]) for name in sorted(self._first, key=self._first.__getitem__)}
        sizes = {name: kind.itemsize * len(self.done) for name, kind in kinds.items()}
        small = {name: size for name, size in sizes.items() if size < ON_DISK}
        check_memory(f"{len(self.done)} points", sum(small.values()), "a sweep of fewer points needs less")
        folder = None if self.kept is None else self.kept.folder
        found = {name: _empty(len(self.done), kind, folder) for name, kind in kinds.items()}
        for rows in self._parts():
            for index, row in rows:
                for name, column in found.items():
                    column[index] = _as_kind(row.get(name), column.dtype)
        return found

    def _parts(self) -> Iterator[list[tuple[int, Row]]]:
        for name in self.kept.names if self.kept is not None else ():
            assert self.kept is not None
            yield self.kept.load(name, lambda content: _read(content, len(self.done))) or []
        yield self._rows

    def _note(self, index: int, row: Row) -> None:
        if row.keys() != self._kinds.keys():
            for name in row.keys() - self._kinds.keys():
                self._kinds[name] = {"none"} if self._n_noted else set()
            for name in self._kinds.keys() - row.keys():
                self._kinds[name].add("none")
        for place, (name, cell) in enumerate(row.items()):
            self._kinds[name].add(_kind(cell))
            self._first[name] = min(self._first.get(name, (index, place)), (index, place))
        self.done[index] = True
        self._n_noted += 1


def _kind(cell: Cell) -> str:
    if cell is None or isinstance(cell, bool):
        return "none" if cell is None else "bool"
    if isinstance(cell, str):
        return f"text {1 << max(3, (len(cell) - 1).bit_length())}"  # of so many characters
    if isinstance(cell, int):
        return "int" if -(2**63) <= cell < 2**63 else f"text {len(str(cell))}"
    return "float"


def _dtype(kinds: set[str]) -> np.dtype[Any]:
    """Return what holds cells of these kinds; what is missing is NaN among numbers, else empty."""
    some = kinds - {"none"}
    if some <= {"float", "int"} and some != {"int"}:
        return np.dtype(float)
    if some == {"int"}:
        return np.dtype(float if "none" in kinds else np.int64)
    if kinds == {"bool"}:
        return np.dtype(bool)
    widths = [int(kind.partition(" ")[2] or 32) for kind in some]  # 32: of a float, or a truth value
    return np.dtype(f"U{max(widths)}")


def _as_kind(cell: Cell, kind: np.dtype[Any]) -> Any:
    if cell is None:
        return np.nan if kind.kind == "f" else ""
    return str(cell) if kind.kind == "U" else cell


def _empty(size: int, kind: np.dtype[Any], folder: Path | None) -> npt.NDArray[Any]:
    """Return a column with nothing in it; a large one in a file without a name, which goes with it."""
    fill: Any = np.nan if kind.kind == "f" else np.zeros((), kind)
    if size * kind.itemsize < ON_DISK:
        return np.full(size, fill, dtype=kind)
    with tempfile.TemporaryFile(dir=None if folder is None else folder.parent) as file:
        column = np.memmap(file, dtype=kind, mode="w+", shape=(size,))
    column[:] = fill
    return column


def _read(content: bytes, n_points: int) -> list[tuple[int, Row]]:
    """Return the rows of a part."""
    found = check_names("it", parse_json(content), {"columns", "rows"})
    names, rows = found["columns"], []
    if not (isinstance(names, list) and all(isinstance(one, str) for one in names)):
        raise ValueError("its columns have no names")
    for index, *cells in found["rows"]:
        if type(index) is not int or not 0 <= index < n_points or len(cells) != len(names):
            raise ValueError(
                f"a row of point {shown(index)} with {len(cells)} cells, {len(names)} are needed"
            )
        if not all(_is_cell(cell) for cell in cells):
            raise ValueError(f"the row of point {index} holds something else than numbers and texts")
        rows.append((index, dict(zip(names, cells, strict=True))))
    return rows
