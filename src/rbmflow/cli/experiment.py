"""The command ``experiment NAME``: each experiment with its files, figures and report."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.output import DONE, draw, progress_bar, say, show
from rbmflow.cli.processes import processes
from rbmflow.experiments import capacity, torus_threshold, weight_map
from rbmflow.experiments.seven_steps import experiment as iso_shiba_yokoo
from rbmflow.experiments.seven_steps import report as iso_report
from rbmflow.experiments.seven_steps import tables as iso_tables
from rbmflow.experiments.seven_steps.figures import FIGURES
from rbmflow.experiments.seven_steps.parameters import MAPS, SAMPLED, SETS, THERMOMETERS, Parameters
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.experiments.style import Drawing
from rbmflow.experiments.tables import Table
from rbmflow.files import save_atomically, write_atomically
from rbmflow.hardware import resolve_threads
from rbmflow.ising import Torus
from rbmflow.ising.onsager import CRITICAL_TEMPERATURE
from rbmflow.netcdf import require_xarray
from rbmflow.provenance import provenance

SO_FAR, RESULT = "result", "result.nc"
SECONDS = 5.0  # between parts that are kept


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "experiment", help="an experiment by name, with its files, figures and report"
    )
    command.set_defaults(folder=lambda options: Path(options.name))
    names = command.add_subparsers(dest="name", required=True, metavar="NAME", parser_class=type(common))

    one = names.add_parser("weight_map", parents=[common], help="the trained weight W over K and N/M")
    one.add_argument(
        "--visible", type=int, default=100, metavar="M", help="spins of the ring (default %(default)s)"
    )
    one.add_argument(
        "--points", type=int, default=1000, metavar="P", help="P x P points (default %(default)s)"
    )
    one.set_defaults(run=_weight_map)

    one = names.add_parser("capacity", parents=[common], help="how many patterns a Hopfield network holds")
    one.add_argument("--units", type=int, nargs="+", metavar="N", help="sizes of the networks")
    one.add_argument("--networks", type=int, metavar="N", help="networks of each kind")
    one.set_defaults(run=_capacity)

    one = names.add_parser(
        "torus_threshold",
        parents=[common],
        help="the temperature below which a uniform RBM trained on the torus orders, against T_c",
    )
    default = torus_threshold.Parameters()
    one.add_argument(
        "--sides", type=int, nargs="+", metavar="L", help=f"default {' '.join(map(str, default.sides))}"
    )
    one.add_argument(
        "--ratio", type=float, metavar="G", help=f"hidden units N = G M (default {default.ratio:g})"
    )
    one.add_argument(
        "--measurements", type=int, metavar="N", help=f"along each chain (default {default.n_measurements})"
    )
    one.set_defaults(run=_torus_threshold)

    for name, lattice in (("iso", "a torus"), ("ring", "a ring, which has no critical point above T = 0")):
        one = names.add_parser(
            name, parents=[common], help=f"the seven-step experiment of Iso, Shiba and Yokoo on {lattice}"
        )
        _seven_steps(one, name)


def _seven_steps(command: argparse.ArgumentParser, name: str) -> None:
    default = Parameters()
    sizes = command.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="a small version, well under a minute")
    sizes.add_argument("--full", action="store_true", help="the sizes of the literature: hours")
    command.add_argument(
        "--size",
        type=int,
        metavar="L",
        help="side of the torus (default 10)" if name == "iso" else "spins of the ring (default 100)",
    )
    add = command.add_argument
    add(
        "--temperatures",
        type=float,
        nargs="+",
        metavar="T",
        help="of the training data, ascending (default 0, 0.25, ..., 6)",
    )
    add(
        "--samples",
        type=int,
        metavar="N",
        help=f"configurations at each temperature (default {default.n_samples})",
    )
    add("--training-sets", nargs="+", choices=tuple(SETS), metavar="SET", help=f"some of {', '.join(SETS)}")
    add("--hidden", type=int, nargs="+", metavar="N", help="sizes of the hidden layer (default 16 36 64 100)")
    add("--negative", choices=SAMPLED, help=f"averages over the model (default {default.negative})")
    add("-k", type=int, metavar="K", help=f"sweeps for an update (default {default.k})")
    add("--learning-rate", type=float, metavar="RATE", help=f"default {default.learning_rate}")
    add("--updates", type=int, metavar="N", help=f"of each machine (default {default.n_updates})")
    add("--starts", type=float, nargs="+", metavar="T", help="temperatures at which flows start")
    add("--maps", nargs="+", choices=tuple(MAPS), metavar="MAP", help=f"some of {', '.join(MAPS)}")
    add("--steps", type=int, metavar="N", help=f"of each flow (default {default.n_steps})")
    add(
        "--thermometers",
        nargs="+",
        choices=THERMOMETERS,
        metavar="NAME",
        help=f"some of {', '.join(THERMOMETERS)}",
    )
    add("--seeds", type=int, metavar="N", help=f"repetitions (default {default.n_seeds})")
    command.set_defaults(run=partial(_run_seven_steps, name))


def _parameters(name: str, options: argparse.Namespace) -> Parameters:
    """Return what the options ask for."""
    if name == "ring":
        start = iso_shiba_yokoo.ring(100 if options.size is None else options.size)
    else:
        start = Parameters() if options.size is None else Parameters(Torus(options.size, options.size))
    if options.quick or options.full:
        start = (iso_shiba_yokoo.quick if options.quick else iso_shiba_yokoo.full)(start)
    given = {
        "temperatures": options.temperatures,
        "n_samples": options.samples,
        "training_sets": options.training_sets,
        "n_hidden": options.hidden,
        "negative": options.negative,
        "k": options.k,
        "learning_rate": options.learning_rate,
        "n_updates": options.updates,
        "starts": options.starts,
        "maps": options.maps,
        "n_steps": options.steps,
        "thermometers": options.thermometers,
        "n_seeds": options.seeds,
    }
    changes: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in given.items()
        if value is not None
    }
    return replace(start, **changes)


def _run_seven_steps(name: str, options: argparse.Namespace) -> int:
    require_xarray()  # before hours of work that could not be written
    parameters = _parameters(name, options)
    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: at least 0 is needed")
    n_workers = resolve_threads(options.workers)
    start = time.monotonic()
    folder = options.out
    kept = _checkpoints(options, SO_FAR, parameters.to_json())
    resume = kept.load(SO_FAR, IsoShibaYokoo.load)
    if not options.quiet:
        _announce(parameters, n_workers, resume)
    unsaved: list[IsoShibaYokoo] = []

    def keep() -> None:
        while unsaved:
            kept.store(SO_FAR, unsaved[-1].save)
            unsaved.clear()

    with progress_bar(options, "machines") as report, processes(n_workers) as executor:

        def progress(done: int, total: int, result: IsoShibaYokoo) -> None:
            unsaved[:] = [result] * bool(done or result.prepared)
            if kept.due() or done == total:
                keep()
            if report is not None:
                report(done, total)

        try:
            result = iso_shiba_yokoo.run(
                parameters, rng=options.seed, executor=executor, progress=progress, resume=resume
            )
        finally:
            keep()
    save_atomically(folder / RESULT, result.save)
    _publish(result, folder)
    kept.remove()
    if options.format == "table":
        for row in iso_tables.summary(result):
            print(row)
    else:
        _show_table(options, iso_tables.machines(result))
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.seconds.items())
    say(options, f"{stages}, over {n_workers} workers; {time.monotonic() - start:.1f} s in all")
    options.written.append(folder / "report.html")
    return DONE


def _checkpoints(options: argparse.Namespace, name: str, arguments: dict[str, Any]) -> Checkpoints:
    """Return what an interrupted run of an experiment left."""
    return Checkpoints(options.out / f"{name}.partial", {"seed": options.seed, **arguments}, SECONDS)


def _show_table(options: argparse.Namespace, table: Table) -> None:
    show(options, list(table.columns), list(zip(*table.columns.values(), strict=True)))


def _announce(parameters: Parameters, n_workers: int, resume: IsoShibaYokoo | None) -> None:
    seconds = iso_shiba_yokoo.estimate_seconds(parameters, n_workers)
    if resume is not None:
        print(f"going on after {resume.finished.sum()} of {resume.finished.size} machines", file=sys.stderr)
        seconds *= 1 - float(resume.finished.mean())
    text = (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6000
        else f"{seconds / 3600:.1f} h"
    )
    print(f"about {text} with {n_workers} workers", file=sys.stderr)


def _publish(result: IsoShibaYokoo, folder: Path) -> None:
    """Write tables, figures and report."""
    tables = iso_tables.tables(result)
    for name, table in tables.items():
        write_atomically(folder / f"{name}.csv", table.to_csv())
    pictures = draw(result, FIGURES, folder)
    facts = provenance(result.parameters.to_json(), result.seed)
    write_atomically(folder / "provenance.json", json.dumps(facts, indent=1) + "\n")
    write_atomically(folder / "report.html", iso_report.render(result, tables, pictures, facts))


def _weight_map(options: argparse.Namespace) -> int:
    parameters = weight_map.Parameters(
        n_visible=options.visible, n_couplings=options.points, n_ratios=options.points
    )
    folder, kept = options.out, _checkpoints(options, "weight_map", asdict(parameters))
    with progress_bar(options, "rows") as report:
        result = weight_map.run(parameters, progress=report, checkpoints=kept)
    _write(result, weight_map.draw_weight_map, folder, "weight_map", "npz", parameters, options.seed)
    kept.remove()
    points = result.weights.size
    say(options, f"{points} weights in {result.seconds:.1f} s, {1e6 * result.seconds / points:.2f} µs each")
    if options.format != "table":
        _show_table(options, result.summary)
    options.written.append(folder / "weight_map.npz")
    return DONE


def _capacity(options: argparse.Namespace) -> int:
    given = {"n_units": options.units and tuple(options.units), "n_networks": options.networks}
    parameters = replace(
        capacity.Parameters(), **{key: value for key, value in given.items() if value is not None}
    )
    folder, kept = options.out, _checkpoints(options, "capacity", asdict(parameters))
    with progress_bar(options, "networks") as report, processes(resolve_threads(options.workers)) as executor:
        result = capacity.run(
            parameters, rng=options.seed, executor=executor, progress=report, checkpoints=kept
        )
    _write(result, capacity.draw_capacity, folder, "capacity", "csv", parameters, options.seed)
    kept.remove()
    if options.format == "table":
        for n_units in parameters.n_units:
            print(f"n = {n_units}: {result.verdict(n_units)}")
    else:
        _show_table(options, result.half_loads)
    options.written.append(folder / "capacity.csv")
    return DONE


def _torus_threshold(options: argparse.Namespace) -> int:
    given = {
        "sides": options.sides and tuple(options.sides),
        "ratio": options.ratio,
        "n_measurements": options.measurements,
    }
    parameters = replace(
        torus_threshold.Parameters(), **{key: value for key, value in given.items() if value is not None}
    )
    folder, kept = options.out, _checkpoints(options, "torus_threshold", asdict(parameters))
    with progress_bar(options, "tori") as report, processes(resolve_threads(options.workers)) as executor:
        result = torus_threshold.run(
            parameters, rng=options.seed, executor=executor, progress=report, checkpoints=kept
        )
    _write(
        result,
        torus_threshold.draw_torus_threshold,
        folder,
        "torus_threshold",
        "csv",
        parameters,
        options.seed,
    )
    kept.remove()
    _show_table(options, result.table)
    if len(parameters.sides) > 2:
        say(options, f"{result.extrapolate()} (T_c = {CRITICAL_TEMPERATURE:.4f})")
    options.written.append(folder / "torus_threshold.csv")
    return DONE


def _write(
    result: Any, drawing: Drawing, folder: Path, name: str, kind: str, parameters: Any, seed: int
) -> None:
    """Write a result, its figure and what it rests on."""
    save_atomically(folder / f"{name}.{kind}", result.save)
    draw(result, {name: drawing}, folder)
    facts = provenance(asdict(parameters), seed)
    write_atomically(folder / "provenance.json", json.dumps(facts, indent=1) + "\n")
