"""The command line: parse, make the generator, run, write. No physics."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import rbmflow
from rbmflow.cli.output import BAD_INPUT, DONE, INTERRUPTED, list_written, named
from rbmflow.cli.signals import Terminated, signals_raised
from rbmflow.errors import PrecisionError
from rbmflow.locks import locked
from rbmflow.reading import brief

__all__ = ["main"]

COMMANDS = {
    "reproduction": ("reproduce", "info"),
    "weight": ("weight", "limits", "mixture", "threshold"),
    "lattice": ("degeneracies", "ising", "sample"),
    "training": ("train",),
    "audit": ("audit",),
    "experiment": ("experiment",),
}
"""Commands by the module that declares them: one is loaded for its own commands alone."""

SHOWN = 700
"""Characters of an error that are printed."""


class _Parser(argparse.ArgumentParser):
    """Reports a bad argument in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: error: {brief(message, SHOWN)}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        0 done, 1 a checked number is off, 2 bad input or a loss (one line on stderr), 130 interrupted,
        143 terminated.

    Examples
    --------
    >>> main(["weight", "1", "--visible", "8", "--hidden", "4", "--format", "csv"])
    K,W,gain,flow
    1,0.306308329811523,3.00239337318159,orders
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # α and ² where the terminal lacks them
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(words).parse_args(words)
    status = _run(options)
    if arguments is None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt while Python ends
    return status


def _run(options: argparse.Namespace) -> int:
    """Run a command and say in one line what has stopped it."""
    folder = vars(options).pop("folder", None)
    if options.out is None and folder is not None:
        options.out = folder(options)
    try:
        if options.workers is not None and options.workers < 1:
            raise ValueError(f"--workers {options.workers}: at least 1 is needed")
        options.written, options.shown = [], False
        with signals_raised(), nullcontext() if options.out is None else locked(options.out):
            status: int = options.run(options)
            list_written(options)
            sys.stdout.flush()
    except BrokenPipeError:
        # the reader has seen enough; nothing more must be flushed to it when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        PrecisionError,
        OSError,
        ImportError,
        MemoryError,
    ) as error:
        message = brief(named(options, str(error)), SHOWN)
        print(f"rbmflow {options.command}: error: {message}", file=sys.stderr)
        return BAD_INPUT
    except BrokenExecutor:
        print(
            f"rbmflow {options.command}: error: a worker process was lost, killed or for lack of memory; "
            "the same command goes on from what was finished",
            file=sys.stderr,
        )
        return BAD_INPUT
    except Terminated as told:
        print(f"rbmflow {options.command}: terminated by {told}", file=sys.stderr)
        return told.status
    except KeyboardInterrupt:
        print(f"rbmflow {options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rbmflow", description="RBMs and the renormalization group through the Ising model."
    )
    parser.add_argument("--version", action="version", version=f"rbmflow {rbmflow.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    common = _Parser(add_help=False)
    common.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (made if missing)")
    common.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        default="table",
        help="of what is printed, and of the tables written, which experiments and reproduce keep as CSV; "
        "in JSON a number of more than 15 digits is text, NaN null, infinity 'inf'",
    )
    common.add_argument("--workers", type=int, metavar="N", help="threads; default: the processors available")
    common.add_argument("--seed", type=int, default=20180612, metavar="N", help="seed (default %(default)s)")
    common.add_argument("--quiet", action="store_true", help="no progress on stderr")
    command = words[0] if words else ""
    for module in [name for name, declared in COMMANDS.items() if command in declared] or COMMANDS:
        import_module(f"rbmflow.cli.{module}").add_commands(commands, common)
    return parser
