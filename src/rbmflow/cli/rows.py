"""Rows of spins out of the files that commands take: which columns, and what of them is +1."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, shown
from rbmflow.cli.progress import progress_bar
from rbmflow.reading import Columns, FileRows, read_table, rows_of_array
from rbmflow.spins import check_spins

NETCDF = (".nc", ".nc4", ".netcdf")
FEWEST = 3  # that count, one after the other


@dataclass(frozen=True)
class SpinRows:
    """Rows of spins, and what they are called.

    Attributes
    ----------
    spins : numpy.ndarray of int8, shape (n_rows, n_visible)
        The spins.
    labels : tuple of str or None
        The cells of the column that ``--label`` names.
    missing : numpy.ndarray of bool or None
        Where a value is missing, and a spin says nothing.
    grey : numpy.ndarray or None
        Probabilities, NaN where one is missing; the spins are then on the likelier side.
    names : tuple of str or None
        Of the columns, where the file has them.
    """

    spins: SpinArray
    labels: tuple[str, ...] | None
    missing: npt.NDArray[np.bool_] | None = None
    grey: FloatArray | None = None
    names: tuple[str, ...] | None = None


def read_spins(path: Path, options: argparse.Namespace) -> SpinRows:
    """Return the rows of a file as spins, as the options say."""
    X = options.threshold
    if X is not None and not math.isfinite(X):
        raise ValueError(f"threshold={X}: a finite number is needed")
    can_have_gaps, grey = hasattr(options, "missing"), getattr(options, "grey", False)
    asked = Columns(options.columns, options.label)
    with progress_bar(options, f"reading {path.name}"):
        if path.suffix.lower() in NETCDF:
            from rbmflow.sampling.training_set import read_rows  # a start without it takes half the time

            rows = rows_of_array(path, read_rows(path, options.array), asked)
        else:
            rows = read_table(path, asked, name=options.array, gaps=can_have_gaps)
    if rows.values.ndim != 2 or not rows.values.size:
        raise ValueError(f"{path}: its array has shape {rows.values.shape}, rows of spins are needed")
    missing = np.isnan(rows.values)
    if not (can_have_gaps and options.missing):
        refuse_missing(path, rows, ", or say --missing" if can_have_gaps else "")
    if missing.all():
        raise ValueError(f"{path}: every value is missing")
    if grey:
        return _grey(path, rows)
    given = rows
    if missing.any():
        rows = replace(rows, values=np.where(missing, rows.values[~missing][:1], rows.values))
    if X is not None:
        spins = _above(path, rows, X, quiet=options.quiet)
    else:
        spins = _bits(path, rows) if options.binary else _spins(path, rows)
    return SpinRows(spins, given.labels, missing if missing.any() else None, names=_names(given))


def _grey(path: Path, rows: FileRows) -> SpinRows:
    """Return probabilities, and the likelier spins."""
    values = rows.values.astype(np.float64)
    bad = (values < 0) | (values > 1)
    if bad.any():
        raise ValueError(f"{path}: {_first(rows, bad)}: --grey is for values from 0 to 1")
    missing = np.isnan(values)
    spins = np.where(values > 0.5, np.int8(1), np.int8(-1))
    return SpinRows(spins, rows.labels, missing if missing.any() else None, values, _names(rows))


def _names(rows: FileRows) -> tuple[str, ...] | None:
    return tuple(map(str, rows.names)) if rows.names else None


def refuse_missing(path: Path, rows: FileRows, otherwise: str = "") -> None:
    """Raise where a value is missing: the one place that decides on NaN.

    Cells of text without a number do not come here, `rbmflow.reading.delimited` refuses them.
    """
    missing = np.isnan(rows.values)
    if missing.any():
        raise ValueError(
            f"{path}: {_first(rows, missing)}: the value is missing; leave out such rows{otherwise}"
        )


def _bits(path: Path, rows: FileRows) -> SpinArray:
    """Return spins out of 0 and 1."""
    bits = np.isin(rows.values, (0, 1))
    if not bits.all():
        raise ValueError(f"{path}: --binary is for files that hold only 0 and 1; {_first(rows, ~bits)}")
    return np.where(rows.values > 0, np.int8(1), np.int8(-1))


def _spins(path: Path, rows: FileRows) -> SpinArray:
    """Return spins out of ±1."""
    values = rows.values
    spins = np.isin(values, (-1, 1))
    if spins.all():
        return check_spins(str(path), values)
    bits = np.isin(values, (0, 1))
    if bits.all():
        raise ValueError(f"{path}: it holds 0 and 1; say --binary to read them as -1 and +1")
    binary = bool(bits[:, (values == 0).any(axis=0)].all(axis=0).any())
    good, kind = (bits, "0 and 1, for --binary") if binary else (spins, "-1 and +1")
    hint = f"; other columns hold {kind}: leave out labels and numbers of rows by --label, --columns"
    other = "; with --threshold X values above X are +1, all others -1"
    raise ValueError(f"{path}: {_first(rows, ~good)}{hint if good.all(axis=0).any() else other}")


def _above(path: Path, rows: FileRows, X: float, *, quiet: bool) -> SpinArray:
    """Return spins that say whether values are above X, and what share of them is."""
    values, infinite = rows.values, np.isinf(rows.values)
    if infinite.any():
        raise ValueError(f"{path}: {_first(rows, infinite)}: finite numbers are needed")
    if _count(values[0]):
        raise ValueError(f"{path}: its first row counts the columns: take it out")
    if _count(values[:, 0]):
        raise ValueError(f"{path}: column {rows.columns[0]} counts the rows: leave it out by --columns")
    above = values > X
    if above.all() or not above.any():
        side = "above" if above.all() else "not above"
        raise ValueError(
            f"threshold={X:g}: every value of {path} is {side} it, they go from {float(values.min()):g}"
            f" to {float(values.max()):g}"
        )
    if not quiet:
        print(f"{above.mean():.3g} of the values are above {X:g} and are read as +1", file=sys.stderr)
    return np.where(above, np.int8(1), np.int8(-1))


def _count(values: Any) -> bool:
    """Whether values are 0, 1, 2 … or 1, 2, 3 …: numbers of rows or columns, not data."""
    steps = np.arange(len(values))
    return len(values) >= FEWEST and any(np.array_equal(values, steps + first) for first in (0, 1))


def _first(rows: FileRows, bad: Any) -> str:
    """Return where the first bad value stands, counted from 1."""
    row, column = np.argwhere(bad)[0]
    name = f" ({shown(rows.names[column])})" if rows.names else ""
    return f"row {row + 1}, column {rows.columns[column]}{name} holds {rows.values[row, column]:g}"
