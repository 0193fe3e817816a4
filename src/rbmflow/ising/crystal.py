"""Lattices that repeat a cell: along each axis they close upon themselves or end."""

from __future__ import annotations

import math
from functools import cached_property, lru_cache
from itertools import product
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_flag, check_integer, check_real, shown
from rbmflow.hardware import check_memory
from rbmflow.ising.lattice import (
    MAX_LISTED_SITES,
    MAX_STRENGTH,
    SMALLER,
    IndexArray,
    Lattice,
    field_names,
    names_of,
    read_only,
)
from rbmflow.ising.symmetry import Turn, permutations

BondType: TypeAlias = tuple[int, int, tuple[int, ...]]
"""Place of a site in its cell, place of its neighbour, step from its cell to that of the neighbour."""


class Crystal(Lattice):
    """A lattice whose cells all have the same bonds.

    A class gives `steps`, if a cell is one site, or `basis`, `places` and `bond_types`. Its fields are its
    sides, the numbers of cells; where they say more, as `periodic` or `couplings`, it gives `cells` too.
    """

    steps: ClassVar[tuple[tuple[int, ...], ...]]
    """From a site to the neighbours of its own bonds, along each axis."""
    basis: ClassVar[int] = 1
    """Sites of a cell."""
    parts: ClassVar[int] = 1
    """Parts of a cell's edge, in which `places` count."""
    places: ClassVar[tuple[tuple[int, ...], ...]] = ()
    """Where the sites of a cell are along its axes; none where it is one site."""
    vectors: ClassVar[tuple[tuple[float, ...], ...]] = ()
    """From a cell to the next along each axis, in lengths of a bond; none where they are unit vectors."""
    turns: ClassVar[tuple[Turn, ...]] = ()
    """Rotations and reflections which generate those of the infinite lattice with equal couplings."""

    @property
    def cells(self) -> tuple[int, ...]:
        """Number of cells along each axis."""
        return tuple(getattr(self, side) for side in field_names(type(self)))

    @cached_property
    def periodic(self) -> tuple[bool, ...]:
        """Whether the lattice closes upon itself, along each axis."""
        return (True,) * self.dimension

    @cached_property
    def couplings(self) -> tuple[float, ...]:
        """J of each of `bond_types`."""
        return (1.0,) * len(self.bond_types)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The numbers of cells, then that of the sites of a cell if they are several.

        Sites are numbered row by row, as numpy does.
        """
        return self.cells if self.basis == 1 else (*self.cells, self.basis)

    @cached_property
    def n_sites(self) -> int:
        """Number of spins."""
        return math.prod(self.cells) * self.basis

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.cells)

    @property
    def bond_types(self) -> tuple[BondType, ...]:
        """The bonds of a cell: place in it, place of the neighbour, step to the neighbour's cell."""
        return tuple((0, 0, step) for step in self.steps)

    @property
    def label(self) -> str:
        """What tables and figures call it: ``"torus of 10 x 10"``, with open ends and couplings not 1."""
        said = [f"{self._noun} of {' x '.join(map(str, self.cells))}"]
        if "periodic" in field_names(type(self)) and not all(self.periodic):
            axes = ", ".join(str(axis) for axis, closed in enumerate(self.periodic) if not closed)
            said += ["open" if not any(self.periodic) else f"open along axis {axes}"]
        if any(J != 1 for J in self.couplings):
            said += [f"J = {', '.join(f'{J:g}' for J in self.couplings)}"]
        return ", ".join(said)

    @property
    def _noun(self) -> str:
        return self.name

    @property
    def translation_invariant(self) -> bool:
        """Whether all sites of one place in their cells are equal: no axis has ends."""
        return all(self.periodic)

    @property
    def equal_bonds(self) -> bool:
        """Whether each bond has the coupling 1."""
        return all(J in {0, 1} for J in self.couplings)

    @property
    def coordination(self) -> int:
        """Number of neighbours of a site, of one that is not at an end."""
        return max(len(row) for row in self._rows())

    @property
    def n_bonds(self) -> int:
        """Number of bonds, those between the same two sites one by one."""
        return sum(
            math.prod(
                side if closed else max(0, side - abs(along))
                for side, closed, along in zip(self.cells, self.periodic, step, strict=True)
            )
            for (_, _, step), J in zip(self.bond_types, self.couplings, strict=True)
            if J
        )

    @property
    def bonds_per_site(self) -> int | float:
        """Number of bonds over that of sites: with equal couplings the energy of all spins up in −J."""
        whole, rest = divmod(self.n_bonds, self.n_sites)
        return self.n_bonds / self.n_sites if rest else whole

    @property
    def bipartite(self) -> bool:
        """Whether there are two sublattices."""
        return self._parity() is not None

    def positions(self) -> FloatArray:
        """Return where the sites are; see `Lattice.positions`."""
        check_memory(f"the positions of {self.n_sites} sites", 16 * self.n_sites * self.dimension, SMALLER)
        axes = np.array(self.vectors or np.eye(self.dimension))
        return np.asarray(self._points() / self.parts @ axes)

    def symmetries(self) -> IndexArray:
        """Return generators of the symmetry group; see `Lattice.symmetries`."""
        size = 8 * self.n_sites * (self.dimension + len(self.turns)) + 64 * self.n_bonds
        check_memory(f"the symmetries of {self.n_sites} sites", size, SMALLER)
        return permutations(
            self._points(),
            self.parts * np.array(self.cells),
            self.periodic,
            [self.parts * row for row in np.eye(self.dimension, dtype=np.int64)],
            self.turns,
            self.bonds(),
            self.bond_couplings(),
        )

    def _points(self) -> npt.NDArray[np.int64]:
        """Where the sites are along the axes, in parts of a cell's edge."""
        cells = np.indices(self.cells).reshape(self.dimension, -1).T[:, np.newaxis]
        places = np.array(self.places or ((0,) * self.dimension,))
        return np.asarray(self.parts * cells + places).reshape(-1, self.dimension)

    def _rows(self) -> list[list[tuple[int, tuple[int, ...], float]]]:
        """The bonds of each place: place of the neighbour, step to its cell, J; its own ones first."""
        types = [(*one, J) for one, J in zip(self.bond_types, self.couplings, strict=True) if J]
        return [
            [(there, step, J) for here, there, step, J in types if here == place]
            + [(here, tuple(-x for x in step), J) for here, there, step, J in types if there == place]
            for place in range(self.basis)
        ]

    def _near(self) -> IndexArray:
        return _near(self)

    def _couplings_of_rows(self) -> FloatArray:
        J = np.zeros((self.basis, self.coordination))
        for place, row in enumerate(self._rows()):
            J[place, : len(row)] = [strength for *_, strength in row]
        return np.tile(J, (self.n_sites // self.basis, 1)) if self.basis > 1 else J

    def _parity(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Which axes, and which places, change the sublattice at each step; None if there are not two.

        A colouring of two colours, moved by a cell, is the same or its opposite.
        """
        types = [one for one, J in zip(self.bond_types, self.couplings, strict=True) if J]
        for along in product((1, 0), repeat=self.dimension):
            if any(
                x and closed and side % 2
                for x, closed, side in zip(along, self.periodic, self.cells, strict=True)
            ):
                continue
            for places in product((0, 1), repeat=self.basis - 1):
                of = (0, *places)
                if all(
                    (of[here] + of[there] + sum(x * y for x, y in zip(along, step, strict=True))) % 2
                    for here, there, step in types
                ):
                    return along, of
        return None

    def _sublattices(self) -> tuple[IndexArray, ...]:
        parity = self._parity()
        if parity is None:
            sides = {name: getattr(self, name) for name in field_names(type(self))}
            odd = (f"{name}={side}" for name, side in sides.items() if isinstance(side, int) and side % 2)
            raise ValueError(
                f"lattice has {next(odd, 'odd cycles')}: only even sides fall into two sublattices"
            )
        return _parities(self.cells, *parity)


def check_periodic(lattice: object) -> Crystal:
    """Return `lattice`, or raise unless it is a crystal without ends."""
    if not isinstance(lattice, Crystal) or not lattice.translation_invariant:
        raise TypeError(f"lattice={shown(lattice)}: {names_of(Crystal)} is needed, periodic along each axis")
    return lattice


def check_sides(sides: dict[str, object], maximum: int) -> tuple[int, ...]:
    """Return numbers of cells, of which each is at least 2, or raise."""
    return tuple(check_integer(name, side, 2, maximum) for name, side in sides.items())


def check_boundaries(periodic: object, n: int) -> tuple[bool, ...]:
    """Return whether each of n axes is periodic, or raise; one flag stands for all."""
    given = list(periodic) if isinstance(periodic, (list, tuple)) else [periodic] * n
    if len(given) != n:
        raise ValueError(f"periodic={shown(periodic)}: one flag, or one for each of {n} axes, is needed")
    return tuple(check_flag("periodic", flag) for flag in given)


def check_couplings(couplings: object, n: int) -> tuple[float, ...]:
    """Return J of each of n types of bonds, or raise; one number stands for all."""
    array = check_real("couplings", couplings)
    if array.ndim > 1 or (array.ndim and len(array) != n):
        raise ValueError(
            f"couplings={shown(couplings)}: one number, or one for each of {n} kinds of bonds, is needed"
        )
    if not (np.abs(array) <= MAX_STRENGTH).all():
        raise ValueError(f"couplings={shown(couplings)}: finite numbers of at most 1e100 are needed")
    if not array.any():
        raise ValueError(f"couplings={shown(couplings)}: one at least is not 0")
    return tuple(np.broadcast_to(array, (n,)).tolist())


@lru_cache(maxsize=16)
def _near(lattice: Crystal) -> IndexArray:
    n_sites = check_integer("lattice.n_sites", lattice.n_sites, 1, MAX_LISTED_SITES)
    check_memory(f"the neighbours of {n_sites} sites", 8 * lattice.coordination * n_sites, SMALLER)
    index = np.arange(n_sites, dtype=np.int32).reshape(*lattice.cells, lattice.basis)
    near = np.full((*index.shape, lattice.coordination), -1, dtype=np.int32)
    axes = tuple(range(lattice.dimension))
    for place, row in enumerate(lattice._rows()):
        for column, (there, step, _) in enumerate(row):
            near[..., place, column] = np.roll(index[..., there], [-along for along in step], axes)
            for axis, (along, side) in enumerate(zip(step, lattice.cells, strict=True)):
                if along and not lattice.periodic[axis]:
                    beyond = slice(max(0, side - along), None) if along > 0 else slice(None, -along)
                    near[(slice(None),) * axis + (beyond, ..., place, column)] = -1
    return read_only(near.reshape(n_sites, -1))


@lru_cache(maxsize=16)
def _parities(
    cells: tuple[int, ...], along: tuple[int, ...], places: tuple[int, ...]
) -> tuple[IndexArray, IndexArray]:
    n_sites = check_integer("lattice.n_sites", math.prod(cells) * len(places), 1, MAX_LISTED_SITES)
    check_memory(f"the sublattices of {n_sites} sites", 5 * n_sites, SMALLER)
    odd = np.zeros((*cells, len(places)), dtype=np.bool_)
    for axis, side in enumerate(cells):
        if along[axis]:
            odd ^= (np.arange(side) % 2 == 1).reshape(-1, *[1] * (len(cells) - axis))
    odd ^= np.array(places, dtype=np.bool_)
    sites = np.arange(n_sites, dtype=np.int32)
    return read_only(sites[~odd.ravel()]), read_only(sites[odd.ravel()])
