"""What a lattice knows of its geometry, and the names by which files say which one it is.

A lattice is a frozen dataclass whose fields say which one it is: its sides. A class with a `name` can be said
by it in files; a periodic lattice needs no more than its `steps` and its `n_sites`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_integer, shown
from rbmflow.hardware import check_memory
from rbmflow.reading import brief, check_names
from rbmflow.records import Storable

if TYPE_CHECKING:
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

IndexArray = npt.NDArray[np.int32]
LATTICES: dict[str, type[Lattice]] = {}
"""Every kind of lattice, by its name."""
OF_SIDES = {1: "ring", 2: "torus"}
"""What a list of so many sides says, in files from before lattices had names."""
MAX_LISTED_SITES = 2**31 - 1
SMALLER = "a smaller lattice needs less"


class Lattice(Storable, ABC):
    """Sites 0 … n_sites − 1 and the bonds between them."""

    name: ClassVar[str]
    critical_coupling: ClassVar[float] = float("nan")
    """``K_c`` of the infinite lattice: infinite where none but T = 0 is ordered, NaN
    where it is not known."""

    if TYPE_CHECKING:  # a field of some, a property of others

        @property
        def n_sites(self) -> int:
            """Number of spins."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            LATTICES[cls.name] = cls

    @property
    def shape(self) -> tuple[int, ...]:
        """The sides; sites are numbered row by row, as numpy does."""
        return tuple(getattr(self, side) for side in _field_names(type(self)))

    @property
    def label(self) -> str:
        """What tables and figures call it: ``"ring of 64"``, ``"torus of 10 x 10"``."""
        return f"{self.name} of {' x '.join(map(str, self.shape))}"

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
            Cannot be written to. On a ring right and left, on a torus right, down, left and up: the first
            half of a row are the site's own bonds. −1 fills the rows of sites with fewer neighbours.

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
        first, place = np.nonzero(near > np.arange(self.n_sites)[:, np.newaxis])
        return np.stack([first.astype(np.int32), near[first, place]], axis=1)

    def sublattices(self) -> tuple[IndexArray, IndexArray]:
        """Return the sites of the two sublattices, of which no two of one have a bond.

        Returns
        -------
        tuple of two numpy.ndarray of int32
            Increasing, and not to be written to; the first holds site 0. On chains, rings and tori those of
            even and of odd row + column.

        Raises
        ------
        ValueError
            If there are none: a ring or torus has an odd side, a graph an odd cycle.

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
        values = {field: getattr(self, field) for field in _field_names(type(self))}
        plain = {field: one.tolist() if isinstance(one, np.ndarray) else one for field, one in values.items()}
        return {"name": self.name, **plain}

    @abstractmethod
    def _near(self) -> IndexArray:
        """The list of `neighbours`."""

    def _sublattices(self) -> tuple[IndexArray, IndexArray]:
        if not self.bipartite:
            sides = zip(_field_names(type(self)), self.shape, strict=True)
            odd = (f"{side}={length}" for side, length in sides if length % 2)
            raise ValueError(
                f"lattice has {next(odd, 'odd cycles')}: only even sides fall into two sublattices"
            )
        return _parities(self.shape)


class Periodic(Lattice):
    """A lattice without ends, where every site has its bonds along the same `steps`."""

    steps: ClassVar[tuple[tuple[int, ...], ...]]
    """From a site to the neighbours of its own bonds, along each axis of the shape."""

    @property
    def coordination(self) -> int:
        """Number of neighbours of a site."""
        return 2 * len(self.steps)

    @property
    def bonds_per_site(self) -> int:
        """Half of the coordination: the energy of the ground state in −J per site."""
        return len(self.steps)

    @property
    def bipartite(self) -> bool:
        """Whether there are two sublattices: all sides are even."""
        return not any(side % 2 for side in self.shape) and all(sum(step) % 2 for step in self.steps)

    def _near(self) -> IndexArray:
        return _shifted_indices(self)


class Solved(Periodic):
    """A periodic lattice whose exact thermodynamics is known: what training sets and thermometers need."""

    @overload
    @abstractmethod
    def log_partition(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def log_partition(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def log_partition(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def log_partition(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def log_partition(self, K: object, *, dps: int | None = None) -> Any:
        """Return ln Z, the total."""

    @overload
    @abstractmethod
    def energy(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def energy(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def energy(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def energy(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def energy(self, K: object, *, dps: int | None = None) -> Any:
        """Return the energy per site in J."""

    @overload
    @abstractmethod
    def heat_capacity(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def heat_capacity(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def heat_capacity(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def heat_capacity(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def heat_capacity(self, K: object, *, dps: int | None = None) -> Any:
        """Return the heat capacity per site in k_B."""

    @overload
    @abstractmethod
    def susceptibility(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    @abstractmethod
    def susceptibility(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    @abstractmethod
    def susceptibility(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    @abstractmethod
    def susceptibility(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    @abstractmethod
    def susceptibility(self, K: object, *, dps: int | None = None) -> Any:
        """Return ``⟨V²⟩/n``, per site."""


def check_periodic(lattice: object) -> Periodic:
    """Return `lattice`, or raise unless it is periodic."""
    if not isinstance(lattice, Periodic):
        raise TypeError(f"lattice={shown(lattice)}: {_names(Periodic)} is needed")
    return lattice


def check_solved(lattice: object) -> Solved:
    """Return `lattice`, or raise unless it is periodic and solved."""
    if not isinstance(lattice, Solved):
        raise TypeError(f"lattice={shown(lattice)}: {_names(Solved)} is needed")
    return lattice


def _names(kind: Any) -> str:
    return " or ".join(f"a {one.__name__}" for one in LATTICES.values() if issubclass(one, kind))


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
        return LATTICES[OF_SIDES[len(plain)]](*plain)
    name = plain.get("name") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or not isinstance(name, str) or name not in LATTICES:
        raise ValueError(
            f"lattice={brief(plain)}: its sides are needed, or an object with a name, "
            f"one of {', '.join(sorted(LATTICES))}"
        )
    kind = LATTICES[name]
    given = check_names("lattice", plain, {"name", *_field_names(kind)})
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


def _field_names(kind: Any) -> list[str]:
    return [one.name for one in fields(kind)]


@lru_cache(maxsize=16)
def _shifted_indices(lattice: Periodic) -> IndexArray:
    n_sites = check_integer("lattice.n_sites", lattice.n_sites, 1, MAX_LISTED_SITES)
    check_memory(f"the neighbours of {n_sites} sites", 8 * lattice.coordination * n_sites, SMALLER)
    index = np.arange(n_sites, dtype=np.int32).reshape(lattice.shape)
    axes = tuple(range(index.ndim))
    there = [np.roll(index, [-along for along in step], axes).ravel() for step in lattice.steps]
    back = [np.roll(index, step, axes).ravel() for step in lattice.steps]
    return read_only(np.stack([*there, *back], axis=1))


@lru_cache(maxsize=16)
def _parities(shape: tuple[int, ...]) -> tuple[IndexArray, IndexArray]:
    n_sites = check_integer("lattice.n_sites", math.prod(shape), 1, MAX_LISTED_SITES)
    check_memory(f"the sublattices of {n_sites} sites", 5 * n_sites, SMALLER)
    odd = np.zeros(shape, dtype=np.bool_)
    for axis, side in enumerate(shape):
        odd ^= (np.arange(side) % 2 == 1).reshape(-1, *[1] * (len(shape) - 1 - axis))
    sites = np.arange(n_sites, dtype=np.int32)
    return read_only(sites[~odd.ravel()]), read_only(sites[odd.ravel()])


def read_only(array: IndexArray) -> IndexArray:
    """Return an array that all who ask share."""
    array.flags.writeable = False
    return array
