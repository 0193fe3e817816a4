"""Lattices as the command line says them: by name and sides, or as a file of bonds."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rbmflow.ising import Graph
from rbmflow.ising.lattice import lattices
from rbmflow.reading import read_array

DIMENSIONS = {"square": 2, "cubic": 3}
"""Hypercubic lattices with names of their own, of which one side stands for all."""
SIDED = (*(name for name in lattices() if name != "graph"), *DIMENSIONS)
"""Lattices that are said by their sides."""
MORE = ("periodic", "couplings")
"""What some say beside these."""
N_SITES = 100
"""Of a lattice whose sides are not said, about."""
SIDES = "sites or cells along each axis; one for all, except of hypercubic"


def add_lattice(command: argparse.ArgumentParser) -> None:
    """Declare a lattice with sides, or a graph in a file."""
    command.add_argument("lattice", nargs="?", choices=SIDED, metavar="LATTICE", help=", ".join(SIDED))
    command.add_argument("sides", nargs="*", type=int, metavar="SIDE", help=SIDES)
    command.add_argument(
        "--graph",
        type=Path,
        metavar="FILE",
        help="bonds instead: rows of two sites, from 0, and J (default 1)",
    )
    add_bonds(command)


def add_bonds(command: argparse.ArgumentParser) -> None:
    """Declare what is said of a lattice beside its sides, and its field."""
    command.add_argument("--open", action="store_true", dest="open_ends", help="a lattice with open ends")
    command.add_argument(
        "--J", nargs="+", type=float, metavar="J", help="of each kind of bond, or one for all (default 1)"
    )
    command.add_argument(
        "--field", type=float, default=0.0, metavar="H", help="uniform, in units of J (default: none)"
    )


def lattice_in(options: argparse.Namespace) -> tuple[Any, float]:
    """Return what `add_lattice` declared, and the field beside it: 0 for a graph, which has its own."""
    if (options.lattice is None) == (options.graph is None):
        raise ValueError("LATTICE with its sides, or --graph FILE, is needed")
    if options.graph is None:
        ends, J = options.open_ends, options.J
        return lattice_of(options.lattice, options.sides, open_ends=ends, couplings=J), options.field
    if options.open_ends or options.J is not None:
        raise ValueError("--graph FILE says the bonds: --open and --J are for lattices")
    return graph_of(options.graph, options.field), 0.0


def lattice_of(
    name: str, sides: Sequence[int], *, open_ends: bool = False, couplings: Sequence[float] | None = None
) -> Any:
    """Return a lattice; one side stands for all, except where their number says the dimension.

    Examples
    --------
    >>> lattice_of("torus", [4]), lattice_of("cubic", [2], open_ends=True).label
    (Torus(n_rows=4, n_cols=4), 'cubic lattice of 2 x 2 x 2, open')
    """
    kind = _kind(name)
    known = _fields(kind)
    more: dict[str, Any] = {"periodic": False} if open_ends else {}
    if couplings is not None:
        more["couplings"] = tuple(couplings) if len(couplings) > 1 else couplings[0]
    for given in more.keys() - known:
        said = "open ends" if given == "periodic" else "couplings of its own"
        others = ", ".join(one for one in SIDED if given in _fields(_kind(one)))
        raise ValueError(f"{name}: it has no {said}; one of {others} has")
    has_shape = "shape" in known
    wanted = DIMENSIONS.get(name, len(sides) if has_shape else len(known.difference(MORE)))
    if len(sides) not in (1, wanted):
        said = "its number of sites is" if wanted == 1 else f"one or {wanted} sides are"
        raise ValueError(f"{name}: {said} needed")
    every = (*sides,) * (wanted // max(1, len(sides)))
    return kind(every, **more) if has_shape else kind(*every, **more)


def _kind(name: str) -> Any:
    return lattices()["hypercubic" if name in DIMENSIONS else name]


def _fields(kind: Any) -> set[str]:
    return {one.name for one in fields(kind)}


def place_of(name: str, sides: Sequence[int]) -> Any:
    """Return a lattice without ends; where no sides are said, of about a hundred sites.

    Examples
    --------
    >>> place_of("cubic", []).label, place_of("triangular", [6]).label, place_of("honeycomb", []).n_sites
    ('cubic lattice of 5 x 5 x 5', 'triangular lattice of 6 x 6', 98)
    """
    if not sides:
        small = lattice_of(name, [3])
        basis = small.n_sites // math.prod(small.cells)
        sides = [round((N_SITES / basis) ** (1 / small.dimension))]
    return lattice_of(name, sides)


def graph_of(path: Path, field: float = 0.0) -> Graph:
    """Return the graph of a file of bonds, rows of two sites counted from 0 and J, 1 where it is left out."""
    rows = read_array(path)
    try:
        return Graph.from_edges(rows, fields=field)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
