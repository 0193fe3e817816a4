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
from rbmflow import Ring, critical_coupling, critical_weight, trained_weight, trained_weight_from_samples
from rbmflow.errors import PrecisionError
from rbmflow.experiments import limits, mixtures, reproduce, thresholds, weight_map
from rbmflow.experiments.record import Table, Tables
from rbmflow.experiments.report import render
from rbmflow.files import read_array, save_atomically, write_atomically
from rbmflow.flow import training_sets
from rbmflow.hardware import SIMD_LEVELS, resolve_threads, simd_level
from rbmflow.provenance import provenance
from rbmflow.weight import TemperatureRange, TemperatureSet
from rbmflow.weight.mixture import weight_of

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

    sizes = _Parser(add_help=False)
    sizes.add_argument("--visible", type=int, required=True, metavar="M", help="spins of the ring")
    sizes.add_argument("--hidden", type=int, required=True, metavar="N", help="hidden units")

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
    command.add_argument("K", nargs="*", help="couplings; a decimal string is exact with --dps")
    command.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="spins instead of couplings: CSV or npy, a row for each sample",
    )
    command.add_argument(
        "--visible", type=int, metavar="M", help="spins of the ring; with --data the file says it"
    )
    command.add_argument("--hidden", type=int, required=True, metavar="N", help="hidden units")
    command.add_argument("--dps", type=int, metavar="D", help="correct decimal digits; default: float64")
    command.set_defaults(run=_weight)

    command = commands.add_parser(
        "limits", parents=[common, sizes], help="limits of f, g and W(K), each at its predicted order"
    )
    command.add_argument(
        "--dps", type=int, default=30, metavar="D", help="correct digits (default %(default)s)"
    )
    command.set_defaults(run=_limits)

    command = commands.add_parser(
        "mixture",
        parents=[common, sizes],
        help="training on several temperatures, J = 1: W, gain, fate of the flow",
    )
    command.add_argument(
        "--range",
        nargs=2,
        action="append",
        default=[],
        metavar=("LOW", "HIGH"),
        help="temperatures uniform on [LOW, HIGH]; may be repeated",
    )
    command.add_argument(
        "--temperatures", nargs="+", metavar="T", help="a set of temperatures, equally weighted"
    )
    command.add_argument(
        "--dps", type=int, metavar="D", help="correct decimal digits of W; default: float64 with its error"
    )
    command.set_defaults(run=_mixture)

    command = commands.add_parser(
        "threshold", parents=[common], help="the coupling above which the trained flow orders"
    )
    command.add_argument(
        "visible",
        nargs="*",
        type=int,
        metavar="M",
        help="spins of the ring; default: the phase diagram up to 2^18",
    )
    group = command.add_mutually_exclusive_group()
    group.add_argument("--hidden", type=int, metavar="N", help="hidden units; default: M/2")
    group.add_argument("--ratio", type=float, metavar="G", help="hidden units N = G M")
    command.add_argument(
        "--dps", type=int, metavar="D", help="correct decimal digits of K_c; default: float64"
    )
    command.set_defaults(run=_threshold)

    command = commands.add_parser(
        "experiment", parents=[common], help="an experiment by name, with its files and figure"
    )
    command.add_argument("name", choices=("weight_map",), help="weight_map: W over K and N/M")
    command.add_argument(
        "--visible", type=int, default=100, metavar="M", help="spins of the ring (default %(default)s)"
    )
    command.add_argument(
        "--points", type=int, default=1000, metavar="P", help="P x P points (default %(default)s)"
    )
    command.set_defaults(run=_experiment)

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
    N = options.hidden
    if options.data is not None:
        return _weight_of_data(options)
    if not options.K or options.visible is None:
        raise ValueError("couplings K and --visible M, or --data FILE, are needed")
    M = options.visible
    if options.dps is None:
        couplings = [_number("K", text) for text in options.K]
        weights = [float(value) for value in trained_weight(couplings, M, N)]
        texts = [f"{value:.15g}" for value in weights]
    else:
        weights = list(trained_weight(options.K, M, N, dps=options.dps))
        texts = [_digits(value, options.dps) for value in weights]
    threshold = critical_weight(M, N)
    rows = [
        (K, text, f"{M * N * float(W) ** 2:.15g}", "orders" if threshold < W else "goes to m = 0")
        for K, text, W in zip(options.K, texts, weights, strict=True)
    ]
    _emit(options, "weight", ("K", "W", "gain", "flow"), rows)
    if options.format == "table" and options.out is None:
        print(f"gain = M N W²; the flow orders above 1, that is above K_c = {critical_coupling(M, N):.10g}")
    return DONE


def _weight_of_data(options: argparse.Namespace) -> int:
    if options.K or options.visible is not None or options.dps is not None:
        raise ValueError("--data FILE takes the place of couplings, --visible and --dps")
    spins = read_array(options.data)
    found = trained_weight_from_samples(spins, options.hidden)
    n_samples, M = spins.shape
    gain = M * options.hidden * found.mean**2
    row = (
        n_samples,
        M,
        f"{found.mean:.15g}",
        f"{found.stderr:.3g}",
        f"{gain:.15g}",
        "orders" if gain > 1 else "goes to m = 0",
    )
    _emit(options, "weight", ("n_samples", "n_visible", "W", "stderr", "gain", "flow"), [row])
    return DONE


def _digits(value: Any, dps: int) -> str:
    import mpmath

    return str(mpmath.nstr(value, dps, strip_zeros=False))


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}={text!r}: a number is needed") from None


def _limits(options: argparse.Namespace) -> int:
    table = limits.limits_table(options.visible, options.hidden, dps=options.dps)
    return _publish(options, {"limits": table}, "limits")


def _mixture(options: argparse.Namespace) -> int:
    M, N = options.visible, options.hidden
    sets: dict[str, Any] = {
        f"T in [{low}, {high}]": TemperatureRange(low, high) for low, high in options.range
    }
    if options.temperatures:
        sets["T = " + ", ".join(options.temperatures)] = TemperatureSet(options.temperatures)
    table = mixtures.ranges_table(M, N, sets or None)
    if options.dps is not None:
        columns = dict(table.columns)
        columns["W"] = [
            _digits(weight_of(found, M, N, options.dps), options.dps)
            for found in (sets or training_sets()).values()
        ]
        del columns["error"]
        table = replace(table, columns=columns)
    tables = {"temperature_ranges": table}
    if options.out is not None:
        with _progress(options, "gain of ranges") as report:
            tables["gain_of_ranges"] = mixtures.gain_table(M, N, 40, report)
    return _publish(options, tables, "gain_of_ranges")


def _threshold(options: argparse.Namespace) -> int:
    def hidden(M: int) -> int:
        if options.hidden is not None:
            return int(options.hidden)
        if options.ratio is None:
            return max(1, M // 2)
        if not 0 < options.ratio < float("inf"):
            raise ValueError(f"--ratio {options.ratio}: a positive number is needed")
        nearest: int = round(options.ratio * M)
        return max(1, nearest)

    if options.dps is not None and not options.visible:
        raise ValueError("--dps needs sizes M")
    tables = {}
    if options.visible:
        table = thresholds.threshold_table(options.visible, hidden, ranges=max(options.visible) <= 10**4)
        if options.dps is not None:
            columns = dict(table.columns)
            exact = [critical_coupling(M, hidden(M), dps=options.dps) for M in options.visible]
            columns["K_c"] = [_digits(K_c, options.dps) for K_c in exact]
            table = replace(table, columns=columns)
        tables["threshold"] = table
    if options.out is not None or not options.visible:
        with _progress(options, "phase diagram") as report:
            tables["phase_boundary"] = thresholds.phase_table(18, report)
        if options.out is not None:
            tables["thresholds_of_ranges"] = thresholds.range_table(12)
    return _publish(options, tables, "phase_boundary")


def _publish(options: argparse.Namespace, tables: dict[str, Table], figure: str) -> int:
    """Print the first table; with ``--out`` write every table and the figure, with what they rest on."""
    for name, table in list(tables.items())[: None if options.out is not None else 1]:
        _emit(options, name, list(table.columns), list(zip(*table.columns.values(), strict=True)))
    if options.out is not None:
        _draw(Tables(tables), options.out, 150, [figure])
        facts = provenance(
            {key: str(value) for key, value in vars(options).items() if key != "run"}, options.seed
        )
        write_atomically(options.out / f"{figure}_provenance.json", json.dumps(facts, indent=1) + "\n")
    return DONE


def _experiment(options: argparse.Namespace) -> int:
    parameters = weight_map.Parameters(
        n_visible=options.visible, n_couplings=options.points, n_ratios=options.points
    )
    folder = _folder(options.out or Path(options.name))
    with _progress(options, "rows") as report:
        result = weight_map.run(parameters, progress=report)
    save_atomically(folder / "weight_map.npz", result.save)
    figures = _figures()
    if figures is not None:
        figure = figures.weight_map(result).get_figure()
        save_atomically(folder / "weight_map.png", partial(figures.save, figure, kind="png", dpi=150))
    facts = provenance(vars(parameters), options.seed)
    write_atomically(folder / "provenance.json", json.dumps(facts, indent=1) + "\n")
    points = result.weights.size
    print(f"{points} weights in {result.seconds:.1f} s, {1e6 * result.seconds / points:.2f} µs each")
    print(folder / "weight_map.npz")
    return DONE


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


def _draw(result: Any, folder: Path, dpi: int, names: Sequence[str] | None = None) -> dict[str, bytes]:
    """Write the figures as PNG and SVG and return the SVGs; none where matplotlib is absent."""
    figures = _figures()
    if figures is None:
        return {}
    pictures = {}
    for name in names or figures.DRAWINGS:
        figure = figures.draw(result, name)
        for kind in ("png", "svg"):
            save_atomically(folder / f"{name}.{kind}", partial(figures.save, figure, kind=kind, dpi=dpi))
        pictures[name] = (folder / f"{name}.svg").read_bytes()
    return pictures


def _figures() -> Any:
    """Return the module that draws, or None where matplotlib is absent."""
    try:
        from rbmflow.experiments import figures
    except ImportError:
        print("no figures: matplotlib is not installed (pip install 'rbmflow[figures]')", file=sys.stderr)
        return None
    return figures
