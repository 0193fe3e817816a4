"""What the commands share: exit status, tables printed or written, figures, progress."""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path
from typing import Any

from rbmflow.cli.options import destination
from rbmflow.experiments import style
from rbmflow.experiments.style import Drawing
from rbmflow.experiments.tables import Cell, Digits, Table, Tables
from rbmflow.files import save_atomically, write_atomically
from rbmflow.provenance import provenance

DONE, OFF, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
DOUBLE_DIGITS = 15
DPI = 150
STATE = ("run", "words", "written", "shown")
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
    """Print rows in the chosen format, or write them to ``--out``."""
    if options.out is None:
        show(options, header, rows)
        return
    text = _FORMATS[options.format](header, rows)
    suffix = {"table": "txt"}.get(options.format, options.format)
    path = options.out / f"{name}.{suffix}"
    write_atomically(path, text)
    options.written.append(path)


def show(options: argparse.Namespace, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Print rows in the chosen format."""
    sys.stdout.write(_FORMATS[options.format](header, rows))
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


def _as_table(header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    cells = [list(header), *(list(map(_table_cell, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(lines) + "\n"


def _is_missing(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _table_cell(cell: Cell) -> str:
    if _is_missing(cell):
        return "-"
    return {True: "yes", False: "no"}[cell] if isinstance(cell, bool) else str(cell)


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
    records = [dict(zip(header, map(json_cell, row), strict=True)) for row in rows]
    return json.dumps(records, indent=1, allow_nan=False) + "\n"


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


_FORMATS: dict[str, Callable[[Sequence[str], Sequence[Sequence[Cell]]], str]] = {
    "table": _as_table,
    "csv": _as_csv,
    "json": _as_json,
}


@contextmanager
def progress_bar(options: argparse.Namespace, label: str) -> Iterator[Callable[[int, int], object] | None]:
    """Yield ``report(done, total)``: a tqdm bar on stderr, lines where tqdm is absent, None with --quiet."""
    if options.quiet:
        yield None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield lambda done, total: print(f"{label}: {done} of {total}", file=sys.stderr)
        return
    with ExitStack() as stack:
        bars: list[Any] = []

        def report(done: int, total: int) -> None:
            if not bars:
                bars.append(
                    stack.enter_context(
                        tqdm(desc=label, total=total, unit_scale=True, file=sys.stderr, leave=False)
                    )
                )
            bars[0].update(done - bars[0].n)

        yield report


def publish(options: argparse.Namespace, tables: dict[str, Table], figure: str, drawing: Drawing) -> int:
    """Print the first table; with ``--out`` write every table and the figure, with what they rest on."""
    for name, table in list(tables.items())[: None if options.out is not None else 1]:
        emit(options, name, list(table.columns), list(zip(*table.columns.values(), strict=True)))
    if options.out is not None:
        draw(Tables(tables), {figure: drawing}, options.out)
        facts = provenance(
            {key: str(value) for key, value in vars(options).items() if key not in STATE}, options.seed
        )
        write_atomically(options.out / f"{figure}_provenance.json", json.dumps(facts, indent=1) + "\n")
    return DONE


def draw(result: Any, drawings: Mapping[str, Drawing], folder: Path, dpi: int = DPI) -> dict[str, bytes]:
    """Write the figures as PNG and SVG and return the SVGs; none where matplotlib is absent."""
    drawn = figures_module()
    if drawn is None:
        return {}
    pictures = {}
    for name, drawing in drawings.items():
        figure = drawn.figure_of(drawing(result))
        for kind in ("png", "svg"):
            save_atomically(folder / f"{name}.{kind}", partial(drawn.save, figure, kind=kind, dpi=dpi))
        pictures[name] = (folder / f"{name}.svg").read_bytes()
    return pictures


def figures_module() -> Any:
    """Return the module with what figures share, or None where matplotlib is absent."""
    try:
        style.require_matplotlib()
    except ImportError:
        print("no figures: matplotlib is not installed (pip install 'rbmflow[figures]')", file=sys.stderr)
        return None
    return style
