"""What the commands share: exit status, tables printed or written, figures, progress."""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rbmflow.experiments.record import Table, Tables
from rbmflow.files import save_atomically, write_atomically
from rbmflow.provenance import provenance

DONE, OFF, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def emit(
    options: argparse.Namespace, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Print rows in the chosen format, or write them to ``--out``."""
    if options.out is None:
        show(options, header, rows)
        return
    text = _FORMATS[options.format](header, rows)
    suffix = {"table": "txt"}.get(options.format, options.format)
    path = folder_of(options.out) / f"{name}.{suffix}"
    write_atomically(path, text)
    print(path)


def show(options: argparse.Namespace, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in the chosen format."""
    sys.stdout.write(_FORMATS[options.format](header, rows))


def _as_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(lines) + "\n"


def _as_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def _as_json(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    records = [dict(zip(header, map(_json_cell, row), strict=True)) for row in rows]
    return json.dumps(records, indent=1, allow_nan=False) + "\n"


def _json_cell(cell: object) -> object:
    """JSON knows neither NaN nor infinity."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else str(cell)
    return cell


_FORMATS: dict[str, Callable[[Sequence[str], Sequence[Sequence[object]]], str]] = {
    "table": _as_table,
    "csv": _as_csv,
    "json": _as_json,
}


def folder_of(path: Path) -> Path:
    """Return the folder, made if it was missing."""
    path.mkdir(parents=True, exist_ok=True)
    return path


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


def publish(options: argparse.Namespace, tables: dict[str, Table], figure: str) -> int:
    """Print the first table; with ``--out`` write every table and the figure, with what they rest on."""
    for name, table in list(tables.items())[: None if options.out is not None else 1]:
        emit(options, name, list(table.columns), list(zip(*table.columns.values(), strict=True)))
    if options.out is not None:
        draw(Tables(tables), options.out, 150, [figure])
        facts = provenance(
            {key: str(value) for key, value in vars(options).items() if key != "run"}, options.seed
        )
        write_atomically(options.out / f"{figure}_provenance.json", json.dumps(facts, indent=1) + "\n")
    return DONE


def draw(result: Any, folder: Path, dpi: int, names: Sequence[str] | None = None) -> dict[str, bytes]:
    """Write the figures as PNG and SVG and return the SVGs; none where matplotlib is absent."""
    figures = figures_module()
    if figures is None:
        return {}
    pictures = {}
    for name in names or figures.DRAWINGS:
        figure = figures.draw(result, name)
        for kind in ("png", "svg"):
            save_atomically(folder / f"{name}.{kind}", partial(figures.save, figure, kind=kind, dpi=dpi))
        pictures[name] = (folder / f"{name}.svg").read_bytes()
    return pictures


def figures_module() -> Any:
    """Return the module that draws, or None where matplotlib is absent."""
    try:
        from rbmflow.experiments import figures
    except ImportError:
        print("no figures: matplotlib is not installed (pip install 'rbmflow[figures]')", file=sys.stderr)
        return None
    return figures


def digits(value: Any, dps: int) -> str:
    """Return an mpf as text with `dps` digits."""
    import mpmath

    return str(mpmath.nstr(value, dps, strip_zeros=False))
