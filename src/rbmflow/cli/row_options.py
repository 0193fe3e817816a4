"""Options that say how the rows of a file are read."""

from __future__ import annotations

import argparse

KINDS = "CSV, npy or npz, these also compressed by gzip, or netCDF, with a row for each configuration"
OPTIONS = ("binary", "threshold", "columns", "label", "array")


def add_row_options(command: argparse.ArgumentParser, *, uncertain: bool = False) -> None:
    """Declare how the rows of a file are read; if they may be `uncertain`, also as grey or with gaps."""
    values = command.add_mutually_exclusive_group()
    values.add_argument("--binary", action="store_true", help="the file holds 0 and 1 for -1 and +1")
    values.add_argument(
        "--threshold", type=float, metavar="X", help="values above X are +1, all others -1; default: only ±1"
    )
    command.add_argument(
        "--columns", metavar="LIST", help="columns to read, by numbers from 1 or by names: 1-784,790-,spin"
    )
    command.add_argument("--label", metavar="COLUMN", help="a column that is left out: what rows are called")
    command.add_argument("--array", metavar="NAME", help="of an array in a file of several")
    if uncertain:
        values.add_argument(
            "--grey", action="store_true", help="values from 0 to 1 say how often a unit is +1"
        )
        command.add_argument(
            "--missing", action="store_true", help="empty cells, NA and nan are values that are missing"
        )


def given_row_options(options: argparse.Namespace) -> list[str]:
    """Return those options of `add_row_options` that were given."""
    given = vars(options)
    return [f"--{name}" for name in OPTIONS if given[name] is not None and given[name] is not False]
