"""What the commands share: tables printed or written, figures."""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import IO, Any

from rbmflow.cli.display import as_table
from rbmflow.cli.parser import DONE, destination
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments import style
from rbmflow.experiments.style import Drawing
from rbmflow.experiments.tables import Cell, Digits, Table, Tables
from rbmflow.files import save_atomically, write_atomically
from rbmflow.provenance import provenance

DOUBLE_DIGITS = 15
DPI = 150
FIGURE_FORMATS = ("png", "svg")
MOST_SHOWN = 60
"""Rows of a table for a reader, where its file holds them all."""
STATE = ("run", "words", "written", "shown", "incomplete")
"""Of the options: what the command line itself put there."""


WORDS: dict[str, tuple[str, ...]] = {
    "n_visible": ("--visible", "M"),
    "n_hidden": ("--hidden",),
    "n_rows": ("--size", "SIDE"),
    "n_cols": ("--size", "SIDE"),
    "n_sites": ("--size", "SIDE", "M"),
    "n_samples": ("--samples",),
    "points": ("--points",),
    "dps": ("--dps",),
    "columns": ("--columns",),
    "label": ("--label",),
    "array": ("--array",),
    "threshold": ("--threshold",),
}
"""Parameters of the package and the words on the command line that set them, beside those of experiments."""


def named(options: argparse.Namespace, message: str) -> str:
    """Begin an error about a parameter with the word on the command line that set it."""
    name, equals, _ = message.partition("=")
    given = vars(options)
    own = given.get("words", {})
    for word in (*((own[name],) if name in own else ()), *WORDS.get(name, ())) if equals else ():
        if given.get("sides" if word == "SIDE" else destination(word)) is not None:
            return f"{word}: {message}"
    return message


def emit(
    options: argparse.Namespace, name: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    """Print rows in the chosen format, or write them to ``--out``, with all their digits."""
    if options.out is None:
        show(options, header, rows)
        return
    kind = "json" if options.format == "json" else "csv"
    path = options.out / f"{name}.{kind}"
    write_atomically(path, _DOCUMENTS[kind](header, rows))
    options.written.append(path)


def show(options: argparse.Namespace, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows in the chosen format."""
    if options.format == "table":
        exact = getattr(options, "dps", None) is not None
        sys.stdout.write(as_table(header, rows, options.digits, exact=exact))
    else:
        sys.stdout.write(_DOCUMENTS[options.format](header, rows))
    options.shown = True


def say(options: argparse.Namespace, text: str) -> None:
    """Print a line for a reader; on stderr where stdout is one document of CSV or JSON."""
    print(text, file=sys.stdout if options.format == "table" else sys.stderr)


def list_written(options: argparse.Namespace) -> None:
    """Name the files that were written: beside a table of the command as `say` does, else as the document."""
    if options.format == "table" or options.shown:
        for path in options.written:
            say(options, str(path))
    elif options.written:
        show(options, ("file",), [(str(path),) for path in options.written])


def _is_missing(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _as_csv(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(_csv_cell, row) for row in rows)
    return stream.getvalue()


def _csv_cell(cell: Cell) -> Cell:
    if _is_missing(cell):
        return ""
    return str(cell).lower() if isinstance(cell, bool) else cell


def _as_json(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    columns = [_json_column(column) for column in zip(*rows, strict=True)]
    records = [dict(zip(header, row, strict=True)) for row in zip(*columns, strict=True)]
    return json.dumps(records, indent=1, allow_nan=False) + "\n"


def _json_column(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells as JSON holds them: numbers of a column are all numbers, or all text if one has to be."""
    found = [json_cell(cell) for cell in cells]
    numbers = [isinstance(cell, Digits) and "inf" not in cell and "nan" not in cell for cell in cells]
    if any(number and isinstance(cell, str) for number, cell in zip(numbers, found, strict=True)):
        return [str(was) if number else cell for was, number, cell in zip(cells, numbers, found, strict=True)]
    return found


def json_cell(cell: Cell) -> Cell:
    """Return a cell as JSON holds it.

    NaN is null, and an infinity the text ``inf`` or ``-inf``.
    A number with more digits than a double holds (15), or beyond its range, stays text.

    Examples
    --------
    >>> json_cell(Digits("0.30630832981152")), json_cell(Digits("0.306308329811523071085124"))
    (0.30630832981152, '0.306308329811523071085124')
    >>> json_cell(float("inf"))
    'inf'
    """
    if isinstance(cell, Digits):
        return _json_number(cell)
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else str(cell)
    return cell


def _json_number(text: Digits) -> Cell:
    try:
        exact = Decimal(text)
    except InvalidOperation:  # a fraction
        return str(text)
    digits = len(exact.as_tuple().digits)
    if not exact.is_finite() or digits > DOUBLE_DIGITS:
        return json_cell(float(exact)) if not exact.is_finite() else str(text)
    value = float(exact)
    in_range = math.isfinite(value) and (value != 0) == (exact != 0)
    return (int(exact) if exact == int(exact) and "." not in text else value) if in_range else str(text)


_DOCUMENTS: dict[str, Callable[[Sequence[str], Sequence[Sequence[Cell]]], str]] = {
    "csv": _as_csv,
    "json": _as_json,
}


def publish(options: argparse.Namespace, tables: dict[str, Table], figure: str, drawing: Drawing) -> int:
    """Print the first table; with ``--out`` write every table and the figure, with what they rest on."""
    for name, table in list(tables.items())[: None if options.out is not None else 1]:
        emit(options, name, list(table.columns), list(zip(*table.columns.values(), strict=True)))
    if options.out is not None:
        first = next(iter(tables.values()))
        rows = list(zip(*first.columns.values(), strict=True))
        if options.format == "table" and len(rows) <= MOST_SHOWN:
            show(options, list(first.columns), rows)
        draw_listed(options, Tables(tables), figure, drawing)
        write_provenance(options, f"{figure}_provenance.json")
    return DONE


def draw_listed(options: argparse.Namespace, result: Any, name: str, drawing: Drawing) -> None:
    """Write the one figure of a command, and name its files among those that were written."""
    if draw(options, result, {name: drawing}):
        kinds = dict.fromkeys(options.figure_format or FIGURE_FORMATS)
        options.written += [options.out / f"{name}.{kind}" for kind in kinds]


def write_provenance(options: argparse.Namespace, name: str) -> None:
    """Write what a result rests on, the words of the command among it."""
    given = {key: _plain(value) for key, value in vars(options).items() if key not in STATE}
    facts = provenance(given, options.seed)
    write_atomically(options.out / name, json.dumps(facts, indent=1) + "\n")


def _plain(value: Any) -> Any:
    """Return the value of an option as JSON holds it."""
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def draw(
    options: argparse.Namespace, result: Any, drawings: Mapping[str, Drawing], dpi: int = DPI
) -> dict[str, bytes]:
    """Write the figures in the formats asked for and return SVGs; none where matplotlib is absent."""
    drawn = figures_module()
    if drawn is None:
        return {}
    pictures, formats = {}, options.figure_format or FIGURE_FORMATS
    with progress_bar(options, "figures") as report:
        for name, drawing in drawings.items():
            figure = drawn.figure_of(drawing(result))
            contents = {kind: _content(drawn, figure, kind, dpi) for kind in dict.fromkeys((*formats, "svg"))}
            for kind in formats:
                save_atomically(options.out / f"{name}.{kind}", partial(_put, contents[kind]))
            pictures[name] = contents["svg"]
            if report is not None:
                report(len(pictures), len(drawings))
    return pictures


def _content(drawn: Any, figure: Any, kind: str, dpi: int) -> bytes:
    stream = io.BytesIO()
    drawn.save(figure, stream, kind=kind, dpi=dpi)
    return stream.getvalue()


def _put(content: bytes, stream: IO[bytes]) -> None:
    stream.write(content)


def figures_module() -> Any:
    """Return the module with what figures share, or None where matplotlib is absent."""
    try:
        style.require_matplotlib()
    except ImportError:
        print("no figures: matplotlib is not installed (pip install 'rbmflow[figures]')", file=sys.stderr)
        return None
    return style
