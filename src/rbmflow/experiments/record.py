"""Results of experiments: tables, checked numbers; how they are written and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

Cell = float | int | str | bool | None


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes
    ----------
    caption : str
        What a reader sees above it.
    columns : dict of str to list
        Numbers or text, None where there is no value; the units are dimensionless unless the name says otherwise.
    """

    caption: str
    columns: dict[str, list[Cell]]

    def to_csv(self) -> str:
        """Return the table as CSV text; floats in the shortest form that reads back to the same bits."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        return stream.getvalue()


def columns_of(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> dict[str, list[Cell]]:
    """Turn rows into named columns."""
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}


@dataclass(frozen=True)
class Tables:
    """Tables by name, as the figures take them."""

    tables: dict[str, Table]


@dataclass(frozen=True)
class Check:
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

    @property
    def passed(self) -> bool:
        """Whether the number agrees; NaN never does."""
        return abs(self.difference) <= self.tolerance
