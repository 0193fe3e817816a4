"""Columns of a file of rows: which of them are read, by their numbers from 1 or by their names."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rbmflow.arguments import shown

RANGE = re.compile(r"(\d{1,9})(-)?(\d{1,9})?")


@dataclass(frozen=True)
class Columns:
    """What is asked of the columns of a file.

    Attributes
    ----------
    wanted : str, optional
        Those with numbers to read, as ``"1-784,790-,spin"``: numbers from 1, ranges, names; in this order.
        All of them by default.
    label : str, optional
        One that is left out, by its number or name: what the rows are called.

    Examples
    --------
    >>> Columns("2-3,e", label="1").of(5, "abcde")
    ([1, 2, 4], 0)
    """

    wanted: str | None = None
    label: str | None = None

    def of(self, width: int, names: Sequence[str] = ()) -> tuple[list[int], int | None]:
        """Return the columns with numbers, and that of the labels, counted from 0.

        Raise ValueError where a file of so many columns, with these names, lacks one.
        """
        label = None
        if self.label is not None:
            label, *more = _columns("label", self.label, width, names)
            if more:
                raise ValueError(f"label={shown(self.label)}: one column is needed")
        found = list(range(width))
        if self.wanted is not None:
            try:
                words = next(csv.reader([self.wanted], skipinitialspace=True), [])
            except csv.Error as error:
                raise ValueError(f"columns={shown(self.wanted)}: {error}") from None
            found = [column for word in words for column in _columns("columns", word, width, names)]
            if len(set(found)) < len(found):
                raise ValueError(f"columns={shown(self.wanted)}: a column is there twice")
        found = [column for column in found if column != label]
        if not found:
            raise ValueError(f"columns={shown(self.wanted)}: no column is left to read")
        return found, label


def _columns(what: str, word: str, width: int, names: Sequence[str]) -> list[int]:
    """Return the columns that a word means: a number, a range, or a name, which begins with no digit."""
    word = word.strip()
    if word and word in names:
        return [list(names).index(word)]
    asked = RANGE.fullmatch(word)
    if asked is None:
        there = f"its names are {shown(list(names))}" if any(names) else "its columns have no names"
        raise ValueError(f"{what}={shown(word)}: the file has no such column; {there}")
    first = int(asked[1])
    last = first if asked[2] is None else int(asked[3]) if asked[3] else width
    if not 1 <= first <= last <= width:
        raise ValueError(f"{what}={shown(word)}: the columns are 1 to {width}")
    return list(range(first - 1, last))
