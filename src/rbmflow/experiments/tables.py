"""Results of experiments: tables, checked numbers; how they are written and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any

from rbmflow.arguments import shown
from rbmflow.reading import brief, check_names
from rbmflow.records import Record, Tabular

MAX = 1e308
Cell = float | int | str | bool | None


class Digits(str):
    """A number as text, with the digits that were asked for."""

    __slots__ = ()


def digits_of(value: Any, dps: int) -> Digits:
    """Return a number of mpmath as text with `dps` digits.

    Examples
    --------
    >>> import mpmath
    >>> digits_of(mpmath.mpf(1) / 4, 5)
    '0.25000'
    """
    import mpmath

    return Digits(mpmath.nstr(value, dps, strip_zeros=False))


@dataclass(frozen=True)
class Table(Tabular):
    """Named columns of equal length.

    Attributes
    ----------
    caption : str
        What a reader sees above it.
    columns : dict of str to list
        Numbers or text, None where there is no value;
        the units are dimensionless unless the name says otherwise.
    """

    caption: str
    columns: dict[str, list[Cell]]

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{self.caption}: its columns have different lengths, {lengths}")

    def _columns(self) -> dict[str, list[Cell]]:
        return self.columns

    @classmethod
    def from_json(cls, what: str, plain: object) -> Table:
        """Return a table out of JSON, or raise ValueError naming what it cannot be."""
        found = check_names(what, plain, {"caption", "columns"})
        columns = found["columns"]
        if not isinstance(found["caption"], str) or not isinstance(columns, dict):
            raise ValueError(f"{what}: a caption in text and columns by name are needed")  # noqa: TRY004
        for name, column in columns.items():
            length = len(column) if isinstance(column, list) else -1
            if length < 0 or length != len(next(iter(columns.values()))):
                raise ValueError(f"{what}: column {brief(name)} is no list of the length of the first")
            for cell in column:
                if not isinstance(cell, (float, int, str, bool, NoneType)):
                    raise ValueError(f"{what}: column {brief(name)} holds {shown(cell)}")  # noqa: TRY004
        return cls(**found)

    @classmethod
    def from_csv(cls, caption: str, text: str) -> Table:
        r"""Return the table that `to_csv` wrote; text that reads as a number becomes one.

        Examples
        --------
        >>> Table.from_csv("", "n_units,half_load\n60,0.25\n20,\n").columns
        {'n_units': [60, 20], 'half_load': [0.25, None]}
        """
        names, *rows = list(csv.reader(io.StringIO(text)))
        return cls(caption, columns_of(names, [list(map(_cell_of, row)) for row in rows]))

    def to_csv(self) -> str:
        """Return the table as CSV text; floats in the shortest form that reads back to the same bits."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return stream.getvalue()


def _cell_of(text: str) -> Cell:
    """A cell out of CSV."""
    words: dict[str, Cell] = {"": None, "True": True, "False": False}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def columns_of(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, list[Cell]]:
    """Turn rows into named columns.

    Examples
    --------
    >>> columns_of(("K", "W"), [(0.5, 0.19), (1.0, 0.31)])
    {'K': [0.5, 1.0], 'W': [0.19, 0.31]}
    """
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"a row has {len(row)} cells, the names are {len(names)}: {', '.join(names)}")
    return named_columns((name, [row[index] for row in rows]) for index, name in enumerate(names))


def named_columns(pairs: Iterable[tuple[str, list[Cell]]]) -> dict[str, list[Cell]]:
    """Return columns by name; a name that comes twice is refused, as a dict would keep only the last.

    Raises
    ------
    ValueError
        If two columns have one name.

    Examples
    --------
    >>> named_columns([("m", [0.5]), ("m", [2.1])])
    Traceback (most recent call last):
        ...
    ValueError: two columns of a table have the name 'm'
    """
    columns: dict[str, list[Cell]] = {}
    for name, column in pairs:
        if name in columns:
            raise ValueError(f"two columns of a table have the name {name!r}")
        columns[name] = column
    return columns


def tables_of(parts: Iterable[dict[str, Table]]) -> dict[str, Table]:
    """Return the tables of several parts together; a name that comes twice is refused."""
    tables: dict[str, Table] = {}
    for part in parts:
        for name, table in part.items():
            if name in tables:
                raise ValueError(f"two tables have the name {name!r}")
            tables[name] = table
    return tables


@dataclass(frozen=True)
class Tables:
    """Tables by name, as the figures take them."""

    tables: dict[str, Table]


@dataclass(frozen=True)
class Check(Record):
    """A computed number beside its reference.

    Attributes
    ----------
    name : str
        The quantity.
    computed, reference : str
        Both as text with the digits that are compared.
    difference : float
        What is compared with `tolerance`, in the measure that `measure` names.
    tolerance : float
        The largest difference that passes.
    measure : str
        ``"absolute"``, ``"relative"``, ``"standard errors"`` or ``"exact"``.
    source : str
        Where the reference comes from.
    """

    name: str
    computed: str
    reference: str
    difference: float
    tolerance: float
    measure: str
    source: str

    @classmethod
    def from_json(cls, what: str, plain: object) -> Check:
        """Return a check out of JSON, or raise ValueError naming what it cannot be."""
        found = check_names(what, plain, {field.name for field in fields(cls)})
        for field in fields(cls):
            value, kinds = found[field.name], {"str": (str,), "float": (float, int)}[str(field.type)]
            if (
                not isinstance(value, kinds)
                or isinstance(value, bool)
                or (type(value) is int and abs(value) > MAX)
            ):
                raise ValueError(f"{what}: {field.name}={shown(value)} is of another kind")
        return cls(**found)

    @property
    def passed(self) -> bool:
        """Whether the number agrees; NaN never does."""
        return bool(abs(self.difference) <= self.tolerance)
