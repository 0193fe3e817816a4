"""The commands on the Ising model itself: degeneracies, exact observables, training sets."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from rbmflow import Ring
from rbmflow.checkpoints import Checkpoints
from rbmflow.cli.executors import add_scheduler, elsewhere
from rbmflow.cli.geometry import SIDED, SIDES, add_bonds, add_lattice, lattice_in, lattice_of
from rbmflow.cli.output import draw_listed, emit, publish, show, write_provenance
from rbmflow.cli.parser import DONE
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments import observables
from rbmflow.experiments.tables import Table, Tables, columns_of
from rbmflow.hardware import resolve_threads
from rbmflow.ising import InfiniteHoneycomb, InfiniteTriangular
from rbmflow.ising.lattice import lattices
from rbmflow.ising.solved import Solved
from rbmflow.netcdf import require_xarray
from rbmflow.sampling import Certificate, TrainingSet, training_set, write_training_set
from rbmflow.sampling.certificate import certificates_in, second_columns
from rbmflow.sampling.training_set import read_training_set, training_set_as_bytes

KINDS = tuple(name for name, kind in lattices().items() if issubclass(kind, Solved))
INFINITE = "infinite"
SQUARES = ("square", "torus")
PLANES: dict[str, Any] = {"triangular": InfiniteTriangular, "honeycomb": InfiniteHoneycomb}
SAMPLED = [index / 4 for index in range(25)]  # of Iso, Shiba and Yokoo, Phys. Rev. E 97, 053304 (2018)
TRAINING_SET, TRAINING_STORE = "training_set.nc", "training_set.zarr"
PARTIAL = "training_set.partial"


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the commands of this module."""
    command = commands.add_parser(
        "degeneracies", parents=[common], help="configurations of a ring for each α and V"
    )
    command.add_argument("M", type=int, help="sites of the ring")
    command.add_argument(
        "--brute-force", action="store_true", help="visit all 2^M configurations (M up to 48)"
    )
    command.set_defaults(run=_degeneracies)

    command = commands.add_parser(
        "ising", parents=[common], help="exact observables of small, narrow and infinite lattices"
    )
    command.add_argument(
        "lattice",
        choices=(*SIDED, INFINITE),
        metavar="LATTICE",
        help=f"{', '.join(SIDED)}, or {INFINITE}: the square lattice, Onsager's",
    )
    command.add_argument(
        "sides",
        nargs="*",
        type=_side,
        metavar="SIDE",
        help=f"{SIDES}; or {INFINITE}: of {', '.join((*SQUARES, *PLANES))}",
    )
    add_bonds(command)
    group = command.add_mutually_exclusive_group()
    group.add_argument(
        "--temperatures", nargs="+", metavar="T", help="in J/k_B; a decimal string is exact with --dps"
    )
    group.add_argument(
        "--range",
        nargs=2,
        default=("0.1", "6"),
        metavar=("LOW", "HIGH"),
        help="temperatures (default 0.1 to 6)",
    )
    group.add_argument(
        "--K", nargs="+", dest="couplings", metavar="K", help="couplings βJ instead; T is then 1/|K|"
    )
    command.add_argument(
        "--points", type=int, default=60, metavar="N", help="points of the range (default %(default)s)"
    )
    command.add_argument("--dps", type=int, metavar="D", help="correct decimal digits; default: float64")
    command.set_defaults(run=_ising)

    command = commands.add_parser(
        "sample", parents=[common], help="configurations at many temperatures, certified, in a netCDF file"
    )
    add_lattice(command)
    command.add_argument(
        "--temperatures",
        nargs="+",
        type=float,
        default=SAMPLED,
        metavar="T",
        help="in J/k_B (default 0, 0.25, ..., 6)",
    )
    command.add_argument(
        "--samples", type=int, default=1000, metavar="N", help="at each temperature (default %(default)s)"
    )
    command.add_argument(
        "--zarr",
        action="store_true",
        help="a Zarr store in place of the netCDF file: sets larger than memory, written as they are drawn",
    )
    add_scheduler(command)
    command.set_defaults(run=_sample, folder=lambda _options: Path())


def _degeneracies(options: argparse.Namespace) -> int:
    ring = Ring(options.M)
    if options.brute_force:
        with progress_bar(options, f"2^{ring.n_sites} configurations") as report:
            table = ring.enumerate(n_threads=options.workers, progress=report)
    else:
        with progress_bar(options, "counts"):
            table = ring.degeneracies()
    name = f"degeneracies_{ring.n_sites}"
    caption = f"Configurations of the ring of {ring.n_sites} for each α and V"
    columns = columns_of(("alpha", "magnetization", "count"), list(table.rows()))
    status = publish(options, {name: Table(caption, columns)}, "degeneracies", observables.draw_degeneracies)
    if options.format == "table" and options.out is None:
        print(f"{len(table)} classes, {table.total} configurations")
    return status


def _side(text: str) -> int | str:
    try:
        return text if text == INFINITE else int(text)
    except ValueError:
        message = f"{text!r}: a number or {INFINITE} is needed"
        raise argparse.ArgumentTypeError(message) from None


def _on(options: argparse.Namespace) -> Any:
    """Return the lattice of the options, or an infinite one; None is the square one."""
    name, sides = options.lattice, options.sides
    if name != INFINITE and INFINITE not in sides:
        return lattice_of(name, sides, open_ends=options.open_ends, couplings=options.J)
    if sides not in ([], [INFINITE]) or (name == INFINITE and sides):
        raise ValueError(f"{INFINITE}: the infinite lattice has no sides")
    if options.open_ends:
        raise ValueError("--open: the infinite lattice has no ends")
    J = None if options.J is None else tuple(options.J) if len(options.J) > 1 else options.J[0]
    if name in (INFINITE, *SQUARES):
        if J is None:
            return None
        pair = (J, J) if isinstance(J, float) else J
        if len(pair) != 2:
            raise ValueError(f"--J {' '.join(map(str, options.J))}: one or two are needed")
        return InfiniteTriangular((*pair, 0.0))
    if name not in PLANES:
        raise ValueError(f"{name} {INFINITE}: one of {', '.join((*SQUARES, *PLANES))} is needed")
    return PLANES[name]() if J is None else PLANES[name](J)


def _ising(options: argparse.Namespace) -> int:
    lattice = _on(options)
    given: dict[str, Any] = {"couplings": options.couplings}
    if options.couplings is None:
        low, high = options.range
        given = {"temperatures": options.temperatures or observables.evenly_spaced(low, high, options.points)}
    with progress_bar(options, "observables"):
        table = observables.observables_table(lattice, **given, dps=options.dps, field=options.field)
    tables: dict[str, Table] = {"ising": table}
    if options.out is not None and observables.has_infinite(lattice, options.field):
        tables["infinite_lattice"] = observables.infinite_curve(table, observables.infinite_of(lattice))
    drawing = partial(observables.draw_observables, lattice=lattice)
    return publish(options, tables, "ising", drawing)


def _sample(options: argparse.Namespace) -> int:
    lattice, field = lattice_in(options)
    require_xarray()  # before work that could not be written
    if options.zarr:
        path = options.out / TRAINING_STORE
        with progress_bar(options, "temperatures") as report, elsewhere(options) as executor:
            found = write_training_set(
                path, lattice, **_asked(options, field), progress=report, executor=executor
            )
        certificates = certificates_in(found)
    else:
        path = options.out / TRAINING_SET
        certificates = _sample_in_memory(options, lattice, field, path)
    places = dict.fromkeys(("temperature", "rule", "n_effective"))
    places |= {"energy": "energy.mean", "stderr": "energy.stderr", "exact_energy": None}
    found_of = {name: list(map(attrgetter(at or name), certificates)) for name, at in places.items()}
    found_of |= second_columns(certificates, {"energy": "mean", "stderr": "stderr"})
    found_of["deviation"] = [one.deviation for one in certificates]
    header, rows = tuple(found_of), list(zip(*found_of.values(), strict=True))
    if options.out != Path():  # a folder was named: its figure too
        table = Table(observables.name_of(lattice), columns_of(header, rows))
        emit(options, "certificate", header, rows)
        draw_listed(options, Tables({"certificate": table}), "training_set", observables.draw_training_set)
        write_provenance(options, "training_set_provenance.json")
    show(options, header, rows)
    options.written.append(path)
    return DONE


def _asked(options: argparse.Namespace, field: float) -> dict[str, Any]:
    return {
        "temperatures": options.temperatures,
        "n_samples": options.samples,
        "field": field,
        "rng": options.seed,
        "n_threads": resolve_threads(options.workers),
    }


def _sample_in_memory(
    options: argparse.Namespace, lattice: Any, field: float, path: Path
) -> tuple[Certificate, ...]:
    """Write the training set as one file, each temperature being kept until then."""
    arguments = {
        "lattice": lattice.to_json(),
        "temperatures": options.temperatures,
        "n_samples": options.samples,
        "seed": options.seed,
    } | ({"field": field} if field else {})
    kept = Checkpoints(options.out / PARTIAL, arguments)
    if kept.names and not options.quiet:
        print(f"going on after {len(kept.names)} temperatures", file=sys.stderr)

    def store(index: int, one: TrainingSet) -> None:
        kept.store(_name(index), lambda stream: stream.write(training_set_as_bytes(one)))

    with progress_bar(options, "temperatures") as report, elsewhere(options) as executor:
        data = training_set(
            lattice,
            **_asked(options, field),
            progress=report,
            finished=lambda index: kept.load(_name(index), read_training_set),
            store=store,
            executor=executor,
        )
    data.save(path)
    kept.remove()
    return data.certificate


def _name(index: int) -> str:
    return f"{index:03d}"
