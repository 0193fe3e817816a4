"""Lattices as the command line says them: by name and sides, or as a file of bonds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rbmflow.ising import Graph
from rbmflow.ising.lattice import Lattice, lattices
from rbmflow.reading import read_array

SIDED = tuple(name for name in lattices() if name != "graph")
"""Lattices that are said by their sides."""
MORE = ("periodic", "couplings")
"""What some say beside these."""


def lattice_of(
    name: str, sides: Sequence[int], *, open_ends: bool = False, couplings: Sequence[float] | None = None
) -> Any:
    """Return a lattice; one side stands for all, except where their number says the dimension.

    Examples
    --------
    >>> lattice_of("torus", [4]), lattice_of("hypercubic", [2, 2, 2], open_ends=True).label
    (Torus(n_rows=4, n_cols=4), 'cubic lattice of 2 x 2 x 2, open')
    """
    kind: Any = lattices()[name]
    known = {one.name for one in fields(kind)}
    more: dict[str, Any] = {"periodic": False} if open_ends else {}
    if couplings is not None:
        more["couplings"] = tuple(couplings) if len(couplings) > 1 else couplings[0]
    for given in more.keys() - known:
        raise ValueError(
            f"{name}: it has no {'open ends' if given == 'periodic' else 'couplings of its own'}"
        )
    if "shape" in known:
        return kind(tuple(sides), **more)
    wanted = len(known.difference(MORE))
    if len(sides) not in (1, wanted):
        raise ValueError(
            f"{name}: {'its number of sites is' if wanted == 1 else 'one or two sides are'} needed"
        )
    return kind(*[*sides] * (wanted // len(sides)), **more)


def graph_of(path: Path, field: float = 0.0) -> Lattice:
    """Return the graph of a file of bonds, rows of two sites counted from 0 and J, 1 where it is left out."""
    rows = read_array(path)
    try:
        return Graph.from_edges(rows, fields=field)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
