"""Tables for the eye: significant digits, numbers with their errors, units, columns that fit the terminal."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from rbmflow.cli.parser import terminal_width
from rbmflow.experiments.readable import DIGITS, error_shown, errors_of, is_number, unit_of
from rbmflow.experiments.tables import Cell, Digits

ERROR_DIGITS = 2
MOST = 17
"""Significant digits of a double: more would be those of its binary form."""
WIDE = 10**6
"""Columns where output is no terminal: nothing is folded, a row is a line."""
GAP = "  "


def as_table(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    digits: int | None = None,
    *,
    exact: bool = False,
    width: int | None = None,
) -> str:
    """Return rows as a table of text.

    Parameters
    ----------
    header : sequence of str
        Names of the columns. A column ``stderr`` or ``NAME_stderr`` becomes the error of the column before
        it or of ``NAME``, as the Particle Data Group rounds both.
    rows : sequence of sequences
        Numbers, text, None or NaN where there is no value.
    digits : int, optional
        Significant digits of every number, errors then in columns of their own; 6 by default, which leaves
        numbers given as text with fewer than 10 digits as they are.
    exact : bool
        Whether numbers given as text keep their digits, which were asked for.
    width : int, optional
        Columns of the terminal. Columns that do not fit go below, each time with those that name the rows;
        where that does not do either, each row becomes lines of names and values.

    Returns
    -------
    str
        Lines, with a line of units where there are any.

    Examples
    --------
    >>> print(as_table(("T", "energy", "stderr"), [(2.3, -1.53556, 0.0385), (4, None, None)]), end="")
          T  energy
    [J/k_B]  [J]
        2.3  -1.54 ± 0.04
          4  –
    """
    columns = _columns(header, rows, digits, exact=exact)
    if width is None:
        width = terminal_width() if sys.stdout.isatty() else WIDE
    widths = [len(column[0]) for column in columns]
    for n_names in dict.fromkeys((_names_of_rows(header, rows), 1)):
        blocks = _blocks(widths, n_names, width)
        if max(sum(widths[index] + len(GAP) for index in block) for block in blocks) <= width + len(GAP):
            return "\n".join(_block([columns[index] for index in block]) for block in blocks)
    return _records(columns, rows)


def _columns(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], digits: int | None, *, exact: bool
) -> list[list[str]]:
    """Return each column as text: its name, its unit, its cells."""
    values = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(header, ())
    errors = {} if digits is not None else errors_of(header)
    units = {name: unit_of(name) for name in header}
    columns = []
    for name, cells in values.items():
        if name in errors.values():
            continue
        if name in errors:
            pairs = zip(cells, values[errors[name]], strict=True)
            texts = [error_shown(*pair) or cell_text(pair[0], None, exact=exact) for pair in pairs]
        else:
            few = ERROR_DIGITS if name == "error" and digits is None else digits
            texts = [cell_text(cell, few, exact=exact) for cell in cells]
        head = [name, f"[{units[name]}]" if units[name] else ""] if any(units.values()) else [name]
        right = name not in errors and all(cell is None or is_number(cell) for cell in cells)
        columns.append(_aligned(head, texts, right=right))
    return columns


def cell_text(cell: Cell, digits: int | None, *, exact: bool = False) -> str:
    """Return a cell as it is shown.

    Examples
    --------
    >>> cell_text(0.1234567891, None), cell_text(0.1234567891, 3), cell_text(None, 3), cell_text(True, 3)
    ('0.123457', '0.123', '–', 'yes')
    """
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return _missing()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Digits):
        return _shortened(cell, digits, exact=exact)
    return f"{cell:.{min(digits or DIGITS, MOST)}g}" if isinstance(cell, float) else str(cell)


def _shortened(text: Digits, digits: int | None, *, exact: bool) -> str:
    """Return a number given as text with fewer digits, where these were not asked for."""
    n = sum(one.isdigit() for one in text.partition("e")[0])
    if digits is None and (exact or n < 10):
        return str(text)
    from decimal import Context, Decimal, InvalidOperation

    if text.lstrip("+-") in ("inf", "nan"):
        return str(text)
    try:
        return f"{Context(prec=digits or DIGITS).create_decimal(Decimal(text)).normalize():g}"
    except InvalidOperation:  # a fraction
        return str(text)


def _missing() -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return "–" if "–".encode(encoding, "ignore") else "-"


def _aligned(head: list[str], cells: list[str], *, right: bool) -> list[str]:
    width = max(map(len, [*head, *cells]))
    return [one.rjust(width) if right else one.ljust(width) for one in [*head, *cells]]


def _names_of_rows(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> int:
    """Return how many columns name the rows: those of text that come first, at least one."""
    for index in range(len(header)):
        if not all(isinstance(row[index], str) and not isinstance(row[index], Digits) for row in rows):
            return max(index, 1)
    return 1


def _blocks(widths: list[int], n_names: int, available: int) -> list[list[int]]:
    """Return which columns stand beside one another: those that name the rows in each block."""
    names = list(range(n_names))
    start = sum(widths[index] + len(GAP) for index in names)
    blocks, used = [names[:]], start
    for index in range(n_names, len(widths)):
        if used + widths[index] > available and len(blocks[-1]) > n_names:
            blocks.append(names[:])
            used = start
        blocks[-1].append(index)
        used += widths[index] + len(GAP)
    return blocks


def _block(columns: list[list[str]]) -> str:
    return "".join(f"{GAP.join(row).rstrip()}\n" for row in zip(*columns, strict=True))


def _records(columns: list[list[str]], rows: Sequence[Sequence[Cell]]) -> str:
    """Return each row as lines of names and values."""
    n_heads = len(columns[0]) - len(rows)
    names = [" ".join(column[:n_heads]).split() for column in columns]
    labels = [" ".join(one) for one in names]
    width = max(map(len, labels))
    records = (
        "".join(
            f"{label.ljust(width)}{GAP}{column[index].strip()}\n"
            for label, column in zip(labels, columns, strict=True)
        )
        for index in range(n_heads, len(columns[0]))
    )
    return "\n".join(records) or _block(columns)
