"""The command line: parse, make the generator, run, write. No physics."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import rbmflow
from rbmflow import Ring, critical_coupling, critical_weight, trained_weight
from rbmflow.errors import PrecisionError
from rbmflow.experiments import reproduce
from rbmflow.experiments.record import provenance
from rbmflow.experiments.report import render
from rbmflow.files import save_atomically, write_atomically
from rbmflow.hardware import SIMD_LEVELS, resolve_threads, simd_level

DONE, OFF, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
PARTIAL = "reproduction.partial.json"


class _Parser(argparse.ArgumentParser):
    """Reports a bad argument in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        0 done, 1 a checked number is off, 2 bad input (one line on stderr), 130 interrupted.

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
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader has seen enough; nothing more must be flushed to it when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (ValueError, TypeError, PrecisionError, OSError) as error:
        message = " ".join(str(error).split())
        print(f"rbmflow {options.command}: error: {message}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"rbmflow {options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rbmflow", description="RBMs and the renormalization group through the Ising model."
    )
    parser.add_argument("--version", action="version", version=f"rbmflow {rbmflow.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    common = _Parser(add_help=False)
    common.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (made if missing)")
    common.add_argument("--format", choices=("table", "csv", "json"), default="table", help="what is printed")
    common.add_argument("--workers", type=int, metavar="N", help="threads; default: the processors available")
    common.add_argument("--seed", type=int, default=20180612, metavar="N", help="seed (default %(default)s)")
    common.add_argument("--quiet", action="store_true", help="no progress on stderr")

    command = commands.add_parser(
        "reproduce", parents=[common], help="the thesis' figures, tables and checks, with a report"
    )
    command.add_argument(
        "--dpi", type=int, default=150, metavar="N", help="resolution of the PNG files (default %(default)s)"
    )
    command.add_argument(
        "--quick", action="store_true", help="smaller ensembles, shorter rings: a few seconds"
    )
    command.set_defaults(run=_reproduce)

    command = commands.add_parser("weight", parents=[common], help="the trained uniform weight W(K)")
    command.add_argument("K", nargs="+", help="couplings; a decimal string is exact with --dps")
    command.add_argument("--visible", type=int, required=True, metavar="M", help="spins of the ring")
    command.add_argument("--hidden", type=int, required=True, metavar="N", help="hidden units")
    command.add_argument("--dps", type=int, metavar="D", help="correct decimal digits; default: float64")
    command.set_defaults(run=_weight)

    command = commands.add_parser(
        "degeneracies", parents=[common], help="configurations of a ring for each α and V"
    )
    command.add_argument("M", type=int, help="sites of the ring")
    command.add_argument(
        "--brute-force", action="store_true", help="visit all 2^M configurations (M up to 48)"
    )
    command.set_defaults(run=_degeneracies)

    command = commands.add_parser("info", parents=[common], help="versions, SIMD path, threads")
    command.set_defaults(run=_info)
    return parser


def _emit(
    options: argparse.Namespace, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Print rows in the chosen format, or write them to ``--out``."""
    text = _FORMATS[options.format](header, rows)
    if options.out is None:
        sys.stdout.write(text)
        return
    suffix = {"table": "txt"}.get(options.format, options.format)
    path = _folder(options.out) / f"{name}.{suffix}"
    write_atomically(path, text)
    print(path)


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
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=1) + "\n"


_FORMATS: dict[str, Callable[[Sequence[str], Sequence[Sequence[object]]], str]] = {
    "table": _as_table,
    "csv": _as_csv,
    "json": _as_json,
}


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def _progress(options: argparse.Namespace, label: str) -> Iterator[Callable[[int, int], object] | None]:
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


def _weight(options: argparse.Namespace) -> int:
    M, N = options.visible, options.hidden
    if options.dps is None:
        couplings = [_number(text) for text in options.K]
        weights = [float(value) for value in trained_weight(couplings, M, N)]
        texts = [f"{value:.15g}" for value in weights]
    else:
        import mpmath

        weights = list(trained_weight(options.K, M, N, dps=options.dps))
        texts = [mpmath.nstr(value, options.dps, strip_zeros=False) for value in weights]
    threshold = critical_weight(M, N)
    rows = [
        (K, text, f"{M * N * float(W) ** 2:.15g}", "orders" if threshold < W else "goes to m = 0")
        for K, text, W in zip(options.K, texts, weights, strict=True)
    ]
    _emit(options, "weight", ("K", "W", "gain", "flow"), rows)
    if options.format == "table" and options.out is None:
        print(f"gain = M N W²; the flow orders above 1, that is above K_c = {critical_coupling(M, N):.10g}")
    return DONE


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"K={text!r}: a number is needed") from None


def _degeneracies(options: argparse.Namespace) -> int:
    ring = Ring(options.M)
    if options.brute_force:
        with _progress(options, f"2^{ring.n_sites} configurations") as report:
            table = ring.enumerate(n_threads=options.workers, progress=report)
    else:
        table = ring.degeneracies()
    _emit(options, f"degeneracies_{ring.n_sites}", ("alpha", "magnetization", "count"), list(table.rows()))
    if options.format == "table" and options.out is None:
        print(f"{len(table)} classes, {table.total} configurations")
    return DONE


def _info(options: argparse.Namespace) -> int:
    facts = provenance({}, None)
    rows = [("version of " + name, number) for name, number in facts["versions"].items()]
    rows += [("SIMD path", SIMD_LEVELS[simd_level()]), ("threads", str(resolve_threads(options.workers)))]
    rows += [("system", facts["platform"]["system"])]
    _emit(options, "info", ("item", "value"), rows)
    return DONE


def _reproduce(options: argparse.Namespace) -> int:
    if not 30 <= options.dpi <= 1200:
        raise ValueError(f"--dpi {options.dpi}: 30 to 1200 is possible")
    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: at least 0 is needed")
    parameters = reproduce.Parameters.quick() if options.quick else reproduce.Parameters()
    parameters = replace(parameters, n_threads=resolve_threads(options.workers))
    folder = _folder(options.out or Path("reproduction"))
    unfinished = folder / PARTIAL
    with _progress(options, "reproduce") as report:

        def after(_stage: str, result: reproduce.Reproduction) -> None:
            write_atomically(unfinished, result.to_json())
            if report is not None:
                report(len(result.stages), len(reproduce.STAGES))

        started = _unfinished(unfinished, parameters, options.seed)
        result = reproduce.run(parameters, rng=options.seed, progress=after, resume=started)
    pictures = _draw(result, folder, options.dpi)
    facts = provenance(vars(result.parameters), result.seed)
    for name, table in result.tables.items():
        write_atomically(folder / f"{name}.csv", table.to_csv())
    write_atomically(folder / "provenance.json", json.dumps(facts, indent=1) + "\n")
    write_atomically(folder / "report.html", render(result, pictures, facts))
    unfinished.unlink(missing_ok=True)
    off = [check for check in result.checks if not check.passed]
    for check in off:
        print(f"OFF: {check.name}: {check.computed}, reference {check.reference}")
    seconds = sum(stage.seconds for stage in result.stages.values())
    print(
        f"{len(result.checks) - len(off)} of {len(result.checks)} numbers agree with their references ({seconds:.0f} s)"
    )
    print(folder / "report.html")
    return OFF if off else DONE


def _unfinished(path: Path, parameters: reproduce.Parameters, seed: int) -> reproduce.Reproduction | None:
    """Return what an interrupted run of the same parameters and seed left, if anything."""
    if not path.exists():
        return None
    try:
        found = reproduce.Reproduction.from_json(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return found if (found.parameters, found.seed) == (parameters, seed) else None


def _draw(result: reproduce.Reproduction, folder: Path, dpi: int) -> dict[str, bytes]:
    """Write every figure as PNG and SVG and return the SVGs; none where matplotlib is absent."""
    try:
        from rbmflow.experiments import figures
    except ImportError:
        print("no figures: matplotlib is not installed (pip install 'rbmflow[figures]')", file=sys.stderr)
        return {}
    pictures = {}
    for name in figures.DRAWINGS:
        figure = figures.draw(result, name)
        for kind in ("png", "svg"):
            save_atomically(folder / f"{name}.{kind}", partial(figures.save, figure, kind=kind, dpi=dpi))
        pictures[name] = (folder / f"{name}.svg").read_bytes()
    return pictures
