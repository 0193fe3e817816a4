"""The command line: parse, make the generator, run, write. No physics."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import rbmflow
from rbmflow.cli.parser import BAD_INPUT, DONE, INTERRUPTED, SHOWN, Parser

__all__ = ["main"]

COMMANDS: dict[str, tuple[str, ...]] = {
    "reproduction": ("reproduce", "info"),
    "weight": ("weight", "limits", "mixture", "threshold"),
    "lattice": ("degeneracies", "ising", "sample"),
    "training": ("train",),
    "audit": ("audit",),
    "experiment": ("experiment",),
    "sweep": ("sweep",),
    "chains": ("run",),
    "completion": ("completion",),
}
"""Commands by the module that declares them: one is loaded for its own commands alone."""

FIRST = """\
RBMs and the renormalization group through the Ising model. First:

  rbmflow reproduce --quick                 the thesis in half a minute: report,
                                            figures, checks
  rbmflow weight 1 --visible 8 --hidden 4   the weight that a machine with equal
                                            weights learns on the Ising ring
  rbmflow train rows.csv --hidden 16        a machine on rows of -1 and 1, and
                                            how likely they are to it
  rbmflow experiment iso --quick            where spins flow in machines trained
                                            on the Ising torus

rbmflow --help lists all commands, rbmflow COMMAND --help what one takes.
"""
"""What the program says when it is told nothing."""


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
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started the program
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(nowhere, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # α and ² where the terminal lacks them
    words = sys.argv[1:] if arguments is None else list(arguments)
    if not words:
        print(FIRST, end="")
        return DONE
    options = parser_for(words).parse_args(words)
    if not hasattr(options, "run"):
        options.incomplete()
    status = _run(options)
    if arguments is None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to interrupt while Python ends
    return status


def _run(options: argparse.Namespace) -> int:
    """Run a command and say in one line what has stopped it."""
    from concurrent.futures import BrokenExecutor

    from rbmflow.cli.output import list_written, named
    from rbmflow.cli.signals import Terminated, signals_raised
    from rbmflow.errors import PrecisionError
    from rbmflow.locks import locked
    from rbmflow.reading import brief

    folder = vars(options).pop("folder", None)
    if options.out is None and folder is not None:
        options.out = folder(options)
    try:
        if options.workers is not None and options.workers < 1:
            raise ValueError(f"--workers {options.workers}: at least 1 is needed")
        if options.digits is not None and options.digits < 1:
            raise ValueError(f"--digits {options.digits}: at least 1 is needed")
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
        message = brief(named(options, str(error)), SHOWN) or "out of memory"  # Python's own says nothing
        print(f"rbmflow {options.command}: error: {message}", file=sys.stderr)
        return BAD_INPUT
    except BrokenExecutor:
        lost = "a worker process" if vars(options).get("scheduler") is None else "the scheduler, or a worker,"
        print(
            f"rbmflow {options.command}: error: {lost} was lost, killed or for lack of memory; "
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


def parser_for(words: Sequence[str]) -> Parser:
    """Return the parser for a command line; of the commands it has the one that is asked for, or all."""
    parser = Parser(prog="rbmflow", description="RBMs and the renormalization group through the Ising model.")
    parser.add_argument("--version", action="version", version=f"rbmflow {rbmflow.__version__}")
    if words and words[0] == "--version":
        return parser
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    common = common_options()
    command = words[0] if words else ""
    for module in [name for name, declared in COMMANDS.items() if command in declared] or COMMANDS:
        import_module(f"rbmflow.cli.{module}").add_commands(commands, common)
    return parser


def common_options() -> Parser:
    """Return the options that all commands have."""
    common = Parser(add_help=False)
    common.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (made if missing)")
    common.add_argument(
        "--format",
        choices=("table", "csv", "json"),
        default="table",
        help="of what is printed, and of tables written, which are CSV unless it is json; in JSON numbers of "
        "more than 15 digits are text, and so is their whole column, NaN is null, infinity 'inf'",
    )
    common.add_argument(
        "--digits",
        type=int,
        metavar="D",
        help="significant digits in tables on the screen, up to 17 (default 6, or those of --dps)",
    )
    common.add_argument(
        "--figure-format",
        action="append",
        choices=("png", "svg", "pdf"),
        help="of the figures written; may be repeated (default png and svg)",
    )
    common.add_argument("--workers", type=int, metavar="N", help="threads; default: the processors available")
    common.add_argument("--seed", type=int, default=20180612, metavar="N", help="seed (default %(default)s)")
    common.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return common
