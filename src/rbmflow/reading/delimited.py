"""Rows of numbers in delimited text: numpy's reader where the text is plain, cell by cell where it is not.

Both give the same numbers: plain text has no other characters than numbers are made of, and the same number
of cells in every row.
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from rbmflow.arguments import FloatArray, shown

BOM = b"\xef\xbb\xbf"
PLAIN = b"0123456789+-.eE,; \t\r\n"
"""All that the rows of plain text hold: finite numbers, and what stands between them."""
PART = 2**20  # bytes looked at together
VALUES = {"", "true", "false", "yes", "no", "on", "off", "none", "null", "na", "n/a", "#n/a", "nan"}
"""Words that stand for a value, or for one that is missing, and name no column."""
MISSING = {"", "none", "null", "na", "n/a", "#n/a", "nan"}
"""Those that stand for a missing one."""
LEAVE_OUT = "; a column that holds no numbers is left out by label, or by columns"
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


class Delimited:
    r"""Text in UTF-8 with a row on each line, the cells between commas, semicolons, tabs or spaces.

    A first line of names, and lines that begin with ``#``, are passed over. Names begin with a letter; none
    of them is a number, comes twice, or stands for a value as True or NA do.

    Parameters
    ----------
    content : bytes
        The text; ValueError is raised if it has no rows.

    Attributes
    ----------
    names : tuple of str
        Of all columns; empty if the text has none.
    width : int
        Number of columns.

    Examples
    --------
    >>> text = Delimited(b"a,b\n1,-1\n2,5\n")
    >>> text.names, text.numbers([1])
    (('a', 'b'), array([[-1.],
           [ 5.]]))
    """

    width: int
    names: tuple[str, ...]

    def __init__(self, content: bytes) -> None:
        self._content = content
        if not content.isascii():
            content.decode()
        self._between = next((mark for mark in ",;\t" if self._stands(mark)), None)
        rows = self._cells()
        _, line, cells = next(rows)
        self._is_headed, names = _are_names(cells), cells
        if self._is_headed:
            _, line, cells = next(rows, (0, line, []))
        if not cells:
            raise ValueError("it holds none")
        self.width = len(cells)
        if self._is_headed and self._between and len(names) != self.width:
            raise ValueError(f"it has {len(names)} names for {self.width} columns{_comma(line)}")
        is_named = self._is_headed and len(names) == self.width  # between spaces it may be a title
        self.names = tuple(name.strip("'\"") for name in names) if is_named else ()

    def numbers(self, columns: Sequence[int] | None = None, *, gaps: bool = False) -> FloatArray:
        """Return the numbers in these columns, counted from 0, or in all; other columns may hold anything.

        With `gaps` an empty cell, NA or nan is NaN; else it is an error.
        """
        plain = self._plain(columns)
        return self._careful(columns, gaps=gaps) if plain is None else plain

    def texts(self, column: int) -> list[str]:
        """Return the cells of one column as they stand there."""
        return [cells[column] for _, _, cells in self._rows()]

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines with something in them, with their numbers."""
        text = io.TextIOWrapper(io.BytesIO(self._content), encoding="utf-8-sig")
        for number, line in enumerate(text, 1):
            if line[0] != "#" and line.strip():
                yield number, line.rstrip("\n")

    def _stands(self, mark: str) -> bool:
        """Whether a mark stands somewhere between other text."""
        return any(mark in line.strip() for _, line in self._lines())

    @cached_property
    def _closed(self) -> bool:
        """Whether a separator stands at the end of every line."""
        return self._between is not None and all(
            line.rstrip(" \r").endswith(self._between) for _, line in self._lines()
        )

    def _cells(self) -> Iterator[tuple[int, str, list[str]]]:
        """Yield each line and its cells; an empty one is kept, so that none takes the place of another."""
        found = False
        for number, line in self._lines():
            found = True
            if self._between is None:
                yield number, line, line.split()
                continue
            try:
                one = csv.reader([line], delimiter=self._between, skipinitialspace=True, strict=True)
                cells = [cell.strip() for cell in next(one)]
            except csv.Error as error:  # a quote that is not closed, a cell without end
                why = f"line {number} is not made of cells ({error}){_comma(line)}"
                raise ValueError(why) from None
            yield number, line, cells[:-1] if self._closed else cells
        if not found:
            raise ValueError("it holds none")

    def _rows(self) -> Iterator[tuple[int, str, list[str]]]:
        """Yield the rows below the names, all of one length."""
        rows = self._cells()
        if self._is_headed:
            next(rows)
        for number, line, cells in rows:
            if len(cells) != self.width:
                wrong = next((cell for cell in cells if not _is_number(cell)), None)
                found = f"{len(cells)} of them, the first {self.width}" if wrong is None else shown(wrong)
                raise ValueError(f"line {number} holds {found}{_comma(line)}")
            yield number, line, cells

    def _careful(self, columns: Sequence[int] | None, *, gaps: bool = False) -> FloatArray:
        """Return the numbers cell by cell, or say where there is none."""
        chosen = range(self.width) if columns is None else columns
        found = array("d")
        for number, line, cells in self._rows():
            for column in chosen:
                if gaps and cells[column].lower() in MISSING:
                    cells[column] = "nan"
                if not _is_number(cells[column]):
                    name = f" ({shown(self.names[column])})" if self.names else ""
                    place = f"column {column + 1}{name} of line {number}"
                    hint = _comma(line) or (LEAVE_OUT if cells[column].lower() not in VALUES else "")
                    raise ValueError(f"{place} holds {shown(cells[column])}{hint}")
            found.extend(float(cells[column]) for column in chosen)
        return np.frombuffer(found).reshape(-1, len(chosen))

    def _plain(self, columns: Sequence[int] | None) -> FloatArray | None:
        """Return the numbers by numpy's reader, or None if a careful look is needed."""
        content = self._content
        if content.count(b"\r") != content.count(b"\r\n"):
            return None
        begin, stream = self._first_row(), io.BytesIO(content)
        parts = range(begin, len(content), PART)
        if any(content[at : at + PART].translate(None, PLAIN) for at in parts):
            return None
        if self._closed and columns is None:
            columns = range(self.width)
        mark = None if self._between is None else self._between.encode()
        stream.seek(begin)
        if not self._is_even(stream, mark, by_cells=columns is not None):
            return None
        stream.seek(begin)
        try:
            found = np.loadtxt(
                stream, delimiter=self._between, comments=None, usecols=columns, ndmin=2, encoding="ascii"
            )
        except ValueError:  # a cell is empty, or no number
            return None
        return found

    def _first_row(self) -> int:
        """Return where the first row begins."""
        stream, names = io.BytesIO(self._content), self._is_headed
        stream.seek(len(BOM) if self._content.startswith(BOM) else 0)
        for line in stream:
            if line.strip() and not line.startswith(b"#"):
                if not names:
                    return stream.tell() - len(line)
                names = False
        raise AssertionError("rows were there")

    def _is_even(self, stream: io.BytesIO, mark: bytes | None, *, by_cells: bool) -> bool:
        """Whether no cell is longer than csv takes, and lines have as many cells as the first.

        numpy's reader sees to that itself where all columns are read and nothing stands at the end of lines.
        """
        begin, limit = stream.tell(), csv.field_size_limit()
        if max(map(len, stream)) > limit:
            stream.seek(begin)
            if any(len(cell) > limit for line in stream for cell in line.split(mark)):
                return False
        stream.seek(begin)
        if not by_cells:
            return True
        marks = self.width - (not self._closed)
        counts = (line.count(mark) if mark else len(line.split()) for line in stream if not line.isspace())
        return set(counts) == {marks if mark else self.width}


def _comma(line: str) -> str:
    """What is added to an error about a line of numbers with decimal commas."""
    return "; numbers have a decimal point, not a comma" if _has_decimal_commas(line) else ""


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
