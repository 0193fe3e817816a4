"""The commands on the trained weight: weight, limits, mixture, threshold."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rbmflow.cli.output import DOUBLE_DIGITS, publish
from rbmflow.cli.progress import progress_bar
from rbmflow.cli.row_options import KINDS, add_row_options, given_row_options
from rbmflow.experiments import weights
from rbmflow.experiments.tables import digits_of
from rbmflow.flow.threshold import critical_coupling, float_critical_coupling


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the commands of this module."""
    sizes = argparse.ArgumentParser(add_help=False)
    sizes.add_argument("--visible", type=int, required=True, metavar="M", help="spins of the ring")
    sizes.add_argument("--hidden", type=int, required=True, metavar="N", help="hidden units")

    command = commands.add_parser(
        "weight",
        parents=[common],
        help="the trained uniform weight W(K)",
        usage="%(prog)s K [K ...] --visible M --hidden N [options]\n"
        "       %(prog)s --data FILE --hidden N [options]",
    )
    command.add_argument("K", nargs="*", help="couplings; a decimal string is exact with --dps")
    command.add_argument("--data", type=Path, metavar="FILE", help=f"spins instead of couplings: {KINDS}")
    add_row_options(command)
    command.add_argument(
        "--visible", type=int, metavar="M", help="spins of the ring; with --data the file says it"
    )
    command.add_argument("--hidden", type=int, required=True, metavar="N", help="hidden units")
    command.add_argument("--dps", type=int, metavar="D", help="correct decimal digits; default: float64")
    command.add_argument(
        "--certify",
        action="store_true",
        help="print bounds that are proven, of D digits (15 without --dps); extra certify",
    )
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


def _weight(options: argparse.Namespace) -> int:
    N = options.hidden
    if options.data is not None:
        return _weight_of_data(options)
    if given := given_row_options(options):
        raise ValueError(f"{', '.join(given)}: --data FILE is needed")
    if not options.K or options.visible is None:
        raise ValueError("couplings K and --visible M, or --data FILE, are needed")
    M = options.visible
    proven = {}
    if options.certify:
        with progress_bar(options, "certificates"):
            proven["certificate"] = weights.certified_table(options.K, M, N, options.dps or DOUBLE_DIGITS)
        if options.out is None:
            return publish(options, proven, "weight", weights.draw_weight)
    with progress_bar(options, "weights"):
        tables = {"weight": weights.weights_table(options.K, M, N, options.dps)}
        if options.out is not None:
            tables = {**proven, **tables, "weight_curve": weights.curve_table(options.K, M, N)}
    status = publish(options, tables, "weight", partial(weights.draw_weight, n_visible=M, n_hidden=N))
    if options.format == "table" and options.out is None:
        K_c = float_critical_coupling(M, N)
        print(f"gain = M N W²; the flow orders above 1, that is above K_c = {K_c:.10g}")
    return status


def _weight_of_data(options: argparse.Namespace) -> int:
    if options.K or options.visible is not None or options.dps is not None or options.certify:
        raise ValueError("--data FILE takes the place of couplings, --visible, --dps and --certify")
    from rbmflow.cli.rows import read_spins

    spins = read_spins(options.data, options).spins
    try:
        tables = {"weight": weights.data_table(spins, options.hidden)}
    except (TypeError, ValueError) as error:
        raise type(error)(f"{options.data}: {error}") from error
    if options.out is not None:
        tables["f_and_g"] = weights.sides_table(spins, options.hidden)
    return publish(options, tables, "weight_of_data", weights.draw_weight_of_data)


def _limits(options: argparse.Namespace) -> int:
    from rbmflow.experiments.reproduction import limits

    with progress_bar(options, "limits"):
        table = limits.limits_table(options.visible, options.hidden, dps=options.dps)
    drawing = partial(limits.draw_limits, n_visible=options.visible)
    return publish(options, {"limits": table}, "limits", drawing)


def _mixture(options: argparse.Namespace) -> int:
    from rbmflow.experiments.reproduction import mixtures
    from rbmflow.flow import training_sets
    from rbmflow.weight import TemperatureRange, TemperatureSet
    from rbmflow.weight.mixture import weight_of

    M, N = options.visible, options.hidden
    sets: dict[str, Any] = {
        f"T in [{low}, {high}]": TemperatureRange(low, high) for low, high in options.range
    }
    if options.temperatures:
        sets["T = " + ", ".join(options.temperatures)] = TemperatureSet(options.temperatures)
    with progress_bar(options, "weights of ranges") as report:
        table = mixtures.ranges_table(M, N, sets or None)
        if options.dps is not None:
            columns, asked = dict(table.columns), list((sets or training_sets()).values())
            columns["W"] = []
            for done, found in enumerate(asked, start=1):
                columns["W"].append(digits_of(weight_of(found, M, N, options.dps), options.dps))
                if report is not None:
                    report(done, len(asked))
            del columns["error"]
            table = replace(table, columns=columns)
    tables = {"temperature_ranges": table}
    if options.out is not None:
        with progress_bar(options, "gain of ranges") as report:
            tables["gain_of_ranges"] = mixtures.gain_table(M, N, 40, report)
    return publish(options, tables, "gain_of_ranges", partial(mixtures.draw_gains, sizes=(M, N)))


def _threshold(options: argparse.Namespace) -> int:
    from rbmflow.experiments.reproduction import thresholds

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
        with progress_bar(options, "thresholds"):
            short = max(options.visible) <= 10**4
            table = thresholds.threshold_table(options.visible, hidden, ranges=short)
            if options.dps is not None:
                columns = dict(table.columns)
                exact = [critical_coupling(M, hidden(M), dps=options.dps) for M in options.visible]
                columns["K_c"] = [digits_of(K_c, options.dps) for K_c in exact]
                table = replace(table, columns=columns)
        tables["threshold"] = table
    if options.out is not None or not options.visible:
        with progress_bar(options, "phase diagram") as report:
            tables["phase_boundary"] = thresholds.phase_table(18, report)
        if options.out is not None:
            tables["thresholds_of_ranges"] = thresholds.range_table(12)
    return publish(options, tables, "phase_boundary", thresholds.draw_boundary)
