"""What a lattice knows of its geometry, and the names by which files say which one it is.

A lattice is a frozen dataclass whose fields say which one it is: its sides. A class with a `name` can be said
by it in files; a periodic lattice needs no more than its `steps` and its `n_sites`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_real_scalar, shown
from rbmflow.reading import brief, check_names
from rbmflow.records import Storable

if TYPE_CHECKING:
    from rbmflow.ising import Graph

IndexArray = npt.NDArray[np.int32]
_LOADED: dict[str, type[Lattice]] = {}
OF_SIDES = {1: "ring", 2: "torus"}
"""What a list of so many sides says, in files from before lattices had names."""
MAX_LISTED_SITES = 2**31 - 1
MAX_STRENGTH = 1e100  # of a coupling or a field: sums over neighbours stay finite
SMALLER = "a smaller lattice needs less"


class Lattice(Storable, ABC):
    """Sites 0 … n_sites − 1 and the bonds between them."""

    name: ClassVar[str]

    if TYPE_CHECKING:  # a field of some, a property of others

        @property
        def n_sites(self) -> int:
            """Number of spins."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            _LOADED[cls.name] = cls

    @cached_property  # which a field may stand in for
    def shape(self) -> tuple[int, ...]:
        """The sides; sites are numbered row by row, as numpy does."""
        return tuple(getattr(self, side) for side in field_names(type(self)))

    @property
    def label(self) -> str:
        """What tables and figures call it: ``"ring of 64"``, ``"torus of 10 x 10"``."""
        return f"{self.name} of {' x '.join(map(str, self.shape))}"

    @property
    def critical_coupling(self) -> float:
        """``K_c`` of the infinite lattice, by `critical_source`.

        Infinite where none but T = 0 is ordered, NaN where it is not known.
        """
        return math.nan

    @property
    def critical_source(self) -> str:
        """Where `critical_coupling` comes from; empty where it is not known."""
        return ""

    @property
    @abstractmethod
    def coordination(self) -> int:
        """The number of neighbours of a site, the largest if they differ."""

    @property
    @abstractmethod
    def bipartite(self) -> bool:
        """Whether no bond joins two sites of one of two sublattices."""

    def neighbours(self) -> IndexArray:
        """Return the neighbours of each site; a site with two bonds to another has it twice.

        Returns
        -------
        numpy.ndarray of int32, shape (n_sites, coordination)
            Cannot be written to. On a ring right and left, on a torus right, down, left and up: where a cell
            is one site the first half of a row are the site's own bonds. −1 stands for a neighbour that a
            site at an end does not have.

        Raises
        ------
        ValueError, MemoryError
            If the lattice has 2³¹ sites or more, or the list does not fit into memory.

        Examples
        --------
        >>> from rbmflow import Chain, Torus
        >>> Chain(3).neighbours().tolist()
        [[1, -1], [2, 0], [-1, 1]]
        >>> Torus(2, 3).neighbours()[0].tolist()
        [1, 3, 2, 3]
        """
        return self._near()

    def bonds(self) -> IndexArray:
        """Return the two sites of each bond, the smaller number first.

        Returns
        -------
        numpy.ndarray of int32, shape (n_bonds, 2)
            In the order of the first sites; those of one site as `neighbours` lists them. Two sites that have
            two bonds, along a side of 2, are there twice.

        Raises
        ------
        ValueError, MemoryError
            If the lattice has 2³¹ sites or more, or the list does not fit into memory.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> Ring(4).bonds().tolist()
        [[0, 1], [0, 3], [1, 2], [2, 3]]
        """
        near = self.neighbours()
        first, place = self._first_ends()
        return np.stack([first.astype(np.int32), near[first, place]], axis=1)

    @property
    def n_bonds(self) -> int:
        """Number of bonds, those between the same two sites one by one."""
        return int(np.count_nonzero(self.neighbours() >= 0)) // 2

    @property
    def equal_bonds(self) -> bool:
        """Whether each bond has the coupling 1 and no site a field."""
        return True

    def bond_couplings(self) -> FloatArray:
        """Return J of each bond, in the order of `bonds`.

        Returns
        -------
        numpy.ndarray of float64, shape (n_bonds,)
            1 where the lattice does not say otherwise.

        Examples
        --------
        >>> from rbmflow import Hypercubic
        >>> Hypercubic((2, 2), periodic=False, couplings=(1.0, 0.5)).bond_couplings()
        array([1. , 0.5, 1. , 0.5])
        """
        near = self.neighbours()
        return np.broadcast_to(self._couplings_of_rows(), near.shape)[self._first_ends()]

    def positions(self) -> FloatArray:
        """Return where the sites are, in units of the length of a bond.

        Returns
        -------
        numpy.ndarray of float64, shape (n_sites, dimension)
            A graph that says no more than its bonds has none.

        Raises
        ------
        ValueError
            Of a graph.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> Triangular(2, 2).positions().round(3).tolist()
        [[0.0, 0.0], [0.0, 1.0], [0.866, 0.5], [0.866, 1.5]]
        """
        raise ValueError(f"lattice={shown(self)}: the sites of a {self.name} have no positions")

    def symmetries(self) -> IndexArray:
        """Return permutations of the sites that leave all bonds and their couplings as they are.

        Returns
        -------
        numpy.ndarray of int32, shape (n, n_sites)
            Site i goes to ``p[i]``. They generate the translations and the rotations and reflections of the
            lattice that its sides, ends and couplings leave; none is known of a graph.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> Ring(4).symmetries().tolist()
        [[1, 2, 3, 0], [0, 3, 2, 1]]
        """
        return np.empty((0, self.n_sites), dtype=np.int32)

    def to_graph(self, field: float = 0.0) -> Graph:
        """Return the lattice as a graph, in a uniform field.

        Parameters
        ----------
        field : float
            h of each site, in units of J; a graph has fields of its own.

        Returns
        -------
        Graph
            With the couplings of the lattice.

        Examples
        --------
        >>> from rbmflow import Torus
        >>> Torus(3, 3).to_graph()
        Graph(n_sites=9, n_bonds=18)
        """
        h = check_real_scalar("field", field)
        if not abs(h) <= MAX_STRENGTH:
            raise ValueError(f"field={shown(field)}: a finite field of at most 1e100 is needed")
        return self._as_graph(h)

    def sublattices(self) -> tuple[IndexArray, ...]:
        """Return the sites of the sublattices, of which no two of one have a bond.

        Returns
        -------
        tuple of numpy.ndarray of int32
            Increasing, and not to be written to; the first holds site 0. Two where the lattice is
            `bipartite`, on chains, rings and tori those of even and of odd row + column; three on a
            triangular lattice.

        Raises
        ------
        ValueError
            If there are none: a ring or torus has an odd side, a graph an odd cycle, a triangular lattice
            a periodic side that three does not divide.

        Examples
        --------
        >>> from rbmflow import Torus
        >>> [sites.tolist() for sites in Torus(2, 4).sublattices()]
        [[0, 2, 5, 7], [1, 3, 4, 6]]
        """
        return self._sublattices()

    def to_json(self) -> dict[str, Any]:
        """Return the lattice as what JSON can hold, by name.

        Returns
        -------
        dict
            The name and the fields.

        Examples
        --------
        >>> from rbmflow import Torus
        >>> Torus(2, 3).to_json()
        {'name': 'torus', 'n_rows': 2, 'n_cols': 3}
        """
        values = {field: getattr(self, field) for field in field_names(type(self))}
        plain = {field: one.tolist() if isinstance(one, np.ndarray) else one for field, one in values.items()}
        return {"name": self.name, **plain}

    def _as_graph(self, field: float) -> Graph:
        return _graph_of(self, field)

    @abstractmethod
    def _near(self) -> IndexArray:
        """The list of `neighbours`."""

    def _couplings_of_rows(self) -> FloatArray:
        """J of each bond in `neighbours`, or what can be broadcast to it."""
        return np.ones((1, 1))

    @abstractmethod
    def _sublattices(self) -> tuple[IndexArray, ...]:
        """Those of `sublattices`."""

    def _first_ends(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Where in `neighbours` the bonds are, each in the row of its smaller site."""
        first, place = np.nonzero(self.neighbours() > np.arange(self.n_sites)[:, np.newaxis])
        return first, place


def lattices() -> dict[str, type[Lattice]]:
    """Return every kind of lattice, by its name.

    Examples
    --------
    >>> sorted(lattices())[:3]
    ['chain', 'graph', 'honeycomb']
    """
    ising = import_module("rbmflow.ising")
    ours = [getattr(ising, name) for name in ising.LATTICES]
    return {one.name: one for one in ours} | _LOADED  # in one order, whatever was imported first


def names_of(kind: Any) -> str:
    """Return the names of all classes of a kind of lattice, as errors list them."""
    *most, last = (f"a {one.__name__}" for one in lattices().values() if issubclass(one, kind))
    return f"{', '.join(most)} or {last}" if most else last


def from_json(plain: object) -> Lattice:
    """Return the lattice of `Lattice.to_json` or `as_stored`; raise ValueError or TypeError if it is none.

    Examples
    --------
    >>> from_json({"name": "torus", "n_rows": 2, "n_cols": 3}), from_json([8])
    (Torus(n_rows=2, n_cols=3), Ring(n_sites=8))
    """
    if isinstance(plain, list):
        if len(plain) not in OF_SIDES:
            raise ValueError(f"lattice={brief(plain)}: one or two sides are needed")
        return lattices()[OF_SIDES[len(plain)]](*plain)
    name = plain.get("name") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or not isinstance(name, str) or name not in lattices():
        raise ValueError(
            f"lattice={brief(plain)}: its sides are needed, or an object with a name, "
            f"one of {', '.join(sorted(lattices()))}"
        )
    kind = lattices()[name]
    given = check_names("lattice", plain, {"name", *field_names(kind)})
    return kind(**{field: value for field, value in given.items() if field != "name"})


def as_stored(lattice: Lattice) -> dict[str, Any] | list[int]:
    """Return the JSON form in files: by name, but rings and tori as their sides, which earlier versions read.

    Examples
    --------
    >>> from rbmflow import Chain, Torus
    >>> as_stored(Torus(2, 3)), as_stored(Chain(4))
    ([2, 3], {'name': 'chain', 'n_sites': 4})
    """
    return list(lattice.shape) if OF_SIDES.get(len(lattice.shape)) == lattice.name else lattice.to_json()


def field_names(kind: Any) -> list[str]:
    """Return the names of the fields of a class of lattices."""
    return [one.name for one in fields(kind)]


@lru_cache(maxsize=16)
def _graph_of(lattice: Lattice, field: float) -> Graph:
    near = lattice.neighbours()
    there = near >= 0
    indptr = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    couplings = np.broadcast_to(lattice._couplings_of_rows(), near.shape)[there]
    graph: type[Graph] = import_module("rbmflow.ising").Graph
    return graph(indptr, near[there], couplings, np.full(lattice.n_sites, field))


def read_only(array: IndexArray) -> IndexArray:
    """Return an array that all who ask share."""
    array.flags.writeable = False
    return array
