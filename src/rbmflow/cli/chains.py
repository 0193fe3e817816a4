"""The command ``run``: chains at several couplings, measured into a file and gone on with after a kill."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rbmflow.cli.geometry import add_lattice, lattice_in
from rbmflow.cli.output import publish
from rbmflow.cli.progress import progress_bar
from rbmflow.experiments.runs import draw_run, exact_table, exchange_table, run_table
from rbmflow.experiments.tables import Table
from rbmflow.flow import lattice_observables
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.lattice import Lattice
from rbmflow.netcdf import require_xarray
from rbmflow.sampling import StoredRun, observables, write_exchange, write_run
from rbmflow.sampling.reducibility import ORDERS, RULES

RUN = "run.nc"
CORRELATION = "correlation_"
"""Which a distance follows."""
FEWEST = 4
"""Measurements of a chain whose mean has an error."""
MOST_DOUBTS = 5
"""That are printed."""


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "run",
        parents=[common],
        help="Markov chains on a lattice at several couplings, measured into a netCDF file",
        usage="%(prog)s LATTICE SIDE [SIDE ...] --K K [K ...] [options]\n"
        "       %(prog)s --graph FILE --K K [K ...] [options]",
    )
    add_lattice(command)
    group = command.add_mutually_exclusive_group(required=True)
    group.add_argument("--K", nargs="+", type=float, dest="couplings", metavar="K", help="couplings βJ")
    group.add_argument("--temperatures", nargs="+", type=float, metavar="T", help="in J/k_B instead: K = 1/T")
    command.add_argument(
        "--chains", type=int, default=8, metavar="N", help="at each coupling (default %(default)s)"
    )
    command.add_argument(
        "--sweeps", type=int, default=10_000, metavar="N", help="after the burn-in (default %(default)s)"
    )
    command.add_argument(
        "--thin", type=int, default=1, metavar="N", help="sweeps to a measurement (default %(default)s)"
    )
    command.add_argument(
        "--burn-in", type=int, metavar="N", help="sweeps before (default: a tenth of the sweeps)"
    )
    command.add_argument("--rule", choices=RULES, default="heat_bath", help="default %(default)s")
    command.add_argument("--order", choices=ORDERS, help="of the sites; default: the fastest that is allowed")
    command.add_argument(
        "--start", choices=("random", "up", "mixed"), default="random", help="default %(default)s"
    )
    command.add_argument(
        "--observables",
        nargs="+",
        default=[],
        metavar="NAME",
        help="beside energy and magnetization: staggered_magnetization, absolute_staggered_magnetization, "
        "sublattice_magnetizations; without open ends also structure_factor at the smallest wave vector, "
        "which gives the correlation length, correlation_R of spins R apart, connected, and excess, the "
        "energy beyond that of independent spins",
    )
    command.add_argument("--spins", action="store_true", help="write the configurations too")
    command.add_argument(
        "--exchange",
        action="store_true",
        help="chains exchange their couplings at each measurement (heat bath and Metropolis)",
    )
    command.add_argument(
        "--allow-reducible",
        action="store_true",
        help="Metropolis in an order that does not connect all states",
    )
    command.set_defaults(run=_run, folder=lambda _options: Path("run"))


def _run(options: argparse.Namespace) -> int:
    require_xarray()  # before work that could not be written
    lattice, field = lattice_in(options)
    measured, couplings = _observables(lattice, options.observables), _couplings(options)
    if options.thin > 0 and 0 < options.sweeps < FEWEST * options.thin:
        raise ValueError(
            f"--sweeps {options.sweeps} --thin {options.thin}: errors need at least {FEWEST} measurements"
        )
    burn_in = options.sweeps // 10 if options.burn_in is None else options.burn_in
    if options.exchange and options.burn_in is None and options.thin > 0:
        burn_in -= burn_in % options.thin
    path = options.out / RUN
    with progress_bar(options, "rounds" if options.exchange else "sweeps") as report:
        how: dict[str, Any] = {
            "n_sweeps": options.sweeps,
            "thin": options.thin,
            "burn_in": burn_in,
            "rule": options.rule,
            "order": options.order,
            "rng": options.seed,
            "initial": options.start,
            "field": field,
            "n_threads": options.workers,
            "progress": report,
            "allow_reducible": options.allow_reducible,
        }
        if options.exchange:
            if options.spins or measured:
                raise ValueError("--exchange measures energy and magnetization: no --spins, no --observables")
            stored = write_exchange(path, lattice, sorted(couplings), n_ladders=options.chains, **how)
        else:
            each, keep = np.repeat(couplings, options.chains), options.spins
            stored = write_run(path, lattice, each, keep_spins=keep, observables=measured, **how)
    options.written.append(path)
    return _publish(options, stored)


def _publish(options: argparse.Namespace, stored: StoredRun) -> int:
    """Write and print what was measured, and what is to be said against it."""
    lattice = stored.end.lattice
    with progress_bar(options, "estimates"):
        table, doubts = run_table(stored)
        exact = exact_table(lattice, np.unique(stored.end.K).tolist(), stored.end.field)
    tables: dict[str, Table] = {"run": table} | ({} if exact is None else {"exact": exact})
    if stored.exchange is not None:
        tables["exchange"] = exchange_table(stored.exchange)
    for doubt in doubts[:MOST_DOUBTS]:
        print(f"warning: {doubt}", file=sys.stderr)
    if len(doubts) > MOST_DOUBTS:
        print(f"warning: {len(doubts) - MOST_DOUBTS} more of these", file=sys.stderr)
    return publish(options, tables, "run", partial(draw_run, lattice=lattice, field=stored.end.field))


def _couplings(options: argparse.Namespace) -> list[float]:
    """Return the couplings, each once, in their order."""
    if options.temperatures is None:
        found = options.couplings
    else:
        T = np.asarray(options.temperatures)
        if not (T >= 0).all():
            raise ValueError(f"--temperatures {' '.join(map(str, options.temperatures))}: T >= 0 is needed")
        with np.errstate(divide="ignore"):
            found = (1 / T).tolist()
    if options.chains < 1:
        raise ValueError(f"--chains {options.chains}: at least 1 is needed")
    return list(dict.fromkeys(found))


def _observables(lattice: Lattice, names: list[str]) -> dict[str, Callable[..., Any]]:
    """Return the functions of these names."""
    known: dict[str, Callable[..., Any]] = dict(observables(lattice))
    if isinstance(lattice, Crystal) and lattice.translation_invariant:
        distances = [
            int(name.removeprefix(CORRELATION))
            for name in names
            if name.startswith(CORRELATION) and name.removeprefix(CORRELATION).isdecimal()
        ]
        known |= lattice_observables(lattice, distances)
        del known["energy"]  # which is measured anyway
    elif any(name.startswith(CORRELATION) for name in names):
        raise ValueError(f"--observables {' '.join(names)}: correlations are for lattices without ends")
    for name in names:
        if name not in known:
            said = (
                f"one of {', '.join(known)} is needed on this lattice" if known else "this lattice has none"
            )
            raise ValueError(f"--observables {name}: {said}")
    return {name: known[name] for name in names}
