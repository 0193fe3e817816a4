"""Operators: classes of products of spins that a translation takes into each other.

An operator is given by the products of one site: for each orientation the offsets of the spins to multiply.
Its lattice sum ``S(v) = Σ_x Σ_t Π_(o in t) v_(x+o)`` runs over all sites x and orientations t.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import MAX_SIZE, SpinArray, check_integer, shown
from rbmflow.hardware import check_memory
from rbmflow.ising.crystal import check_periodic
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.triangular import Triangular

if TYPE_CHECKING:
    from rbmflow.ising.crystal import Crystal

Products: TypeAlias = tuple[tuple[tuple[int, ...], ...], ...]
"""For each orientation the offsets of the spins to multiply, (row, column) on a torus."""
Operators: TypeAlias = "Sequence[str] | Mapping[str, Sequence[Sequence[Sequence[int]]]]"
"""Names of operators of the tables below, or own ones: a name and its products."""
Shape: TypeAlias = "int | tuple[int, ...] | list[int] | Crystal"
"""Sides of a ring or a torus, or the lattice itself."""

EVEN_OPERATORS: dict[str, Products] = {
    "nearest neighbours": (((0, 0), (0, 1)), ((0, 0), (1, 0))),
    "diagonal neighbours": (((0, 0), (1, 1)), ((0, 0), (1, -1))),
    "third neighbours": (((0, 0), (0, 2)), ((0, 0), (2, 0))),
    "plaquette": (((0, 0), (0, 1), (1, 0), (1, 1)),),
    "knight's move": (((0, 0), (1, 2)), ((0, 0), (1, -2)), ((0, 0), (2, 1)), ((0, 0), (2, -1))),
    "diamond": (((-1, 0), (1, 0), (0, -1), (0, 1)),),
    "wide plaquette": (((0, 0), (0, 2), (2, 0), (2, 2)),),
}
ODD_OPERATORS: dict[str, Products] = {
    "magnetization": (((0, 0),),),
    "corner": tuple(((0, 0), (i, 0), (0, j)) for i in (-1, 1) for j in (-1, 1)),
    "row of three": (((0, -1), (0, 0), (0, 1)), ((-1, 0), (0, 0), (1, 0))),
    "diagonal of three": (((-1, -1), (0, 0), (1, 1)), ((-1, 1), (0, 0), (1, -1))),
}
RING_OPERATORS: dict[str, Products] = {
    "nearest neighbours": (((0,), (1,)),),
    "second neighbours": (((0,), (2,)),),
    "third neighbours": (((0,), (3,)),),
    "row of four": (((0,), (1,), (2,), (3,)),),
    "magnetization": (((0,),),),
    "row of three": (((0,), (1,), (2,)),),
}
N_DEFAULT = 4
"""Of the even operators of each table, those that a fit has without being asked."""


def check_shape(shape: object) -> tuple[int, ...]:
    """Return the sides of a periodic lattice, or raise."""
    if isinstance(shape, Lattice):
        on = check_periodic(shape)
        if on.basis > 1:
            raise ValueError(
                f"shape={shown(shape)}: it has {on.basis} sites to a cell, and products are translates of "
                "those of one site; give products of sites, without a shape"
            )
        return on.cells
    sides = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if not sides:
        raise ValueError(f"shape={shown(shape)}: the sides of a ring or a torus are needed")
    return tuple(check_integer("shape", side, 2, MAX_SIZE) for side in sides)


def check_operators(operators: object, sides: tuple[int, ...]) -> dict[str, Products]:
    """Return the products of operators given by name or as they are, or raise; None takes the first four.

    Examples
    --------
    >>> check_operators({"field": [[0]], "pair": [[(0,), (5,)]]}, (6,))
    {'field': (((0,),),), 'pair': (((0,), (5,)),)}
    >>> list(check_operators(["plaquette"], (4, 4)))
    ['plaquette']
    """
    if isinstance(operators, Mapping):
        found = {_name(name): _products(name, given) for name, given in operators.items()}
    else:
        found = _named(operators, len(sides))
    if not found:
        raise ValueError(f"operators={shown(operators)}: at least one is needed")
    for name, products in found.items():
        _fit(name, products, sides)
    return found


def _named(operators: object, n_axes: int) -> dict[str, Products]:
    known = {1: RING_OPERATORS, 2: EVEN_OPERATORS | ODD_OPERATORS}.get(n_axes, {})
    if operators is None and known:
        operators = list(known)[:N_DEFAULT]
    if isinstance(operators, str) or not isinstance(operators, Sequence):
        raise TypeError(
            f"operators={shown(operators)}: a list of names, or a dict of names and their products, is needed"
        )
    for name in operators:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"operators holds {shown(name)}: one of {', '.join(known) or 'none'} is needed")
    if len(set(operators)) != len(operators):
        raise ValueError(f"operators={shown(operators)}: a name is there twice")
    return {name: known[name] for name in operators}


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"operators holds the name {shown(name)}: text is needed")
    return name


def _products(name: str, given: object) -> Products:
    label = f"operators[{name!r}]"
    terms = [term for term in given if _is_list(term)] if _is_list(given) else []
    if not terms or len(terms) != len(list(given)):  # type: ignore[call-overload]
        raise TypeError(
            f"{label}={shown(given)}: a tuple of products is needed, each a tuple of offsets, "
            "such as (((0, 0), (0, 1)), ((0, 0), (1, 0)))"
        )
    return tuple(tuple(_offset(label, offset) for offset in term) for term in terms)


def _offset(label: str, offset: object) -> tuple[int, ...]:
    """Return an offset; one number is one of a ring."""
    along = offset if _is_list(offset) else (offset,)
    return tuple(check_integer(label, one, -MAX_SIZE, MAX_SIZE) for one in along)


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > 0


def _fit(name: str, products: Products, sides: tuple[int, ...]) -> None:
    """Raise where offsets have another number of directions, or lead to one site twice."""
    for offsets in products:
        if any(len(offset) != len(sides) for offset in offsets):
            raise ValueError(
                f"operators[{name!r}] has a product of offsets {shown(offsets)}: "
                f"{len(sides)} numbers in each are needed on a lattice of shape {sides}"
            )
        sites = {tuple(along % side for along, side in zip(offset, sides, strict=True)) for offset in offsets}
        if len(sites) != len(offsets):
            raise ValueError(
                f"operators[{name!r}] has a product of offsets {shown(offsets)}, "
                f"which leads to one site twice on a lattice of shape {sides}"
            )


def products_through(lattices: SpinArray, products: Products) -> npt.NDArray[np.signedinteger[Any]]:
    """Return for each site the sum of those products that its spin is in.

    Parameters
    ----------
    lattices : numpy.ndarray of int8
        Shape ``(n, *sides)``.
    products : tuple
        Those of one site.

    Examples
    --------
    >>> products_through(np.array([[1, 1, -1, 1]], np.int8), (((0,), (1,)),))
    array([[ 2,  0, -2,  0]], dtype=int8)
    """
    axes = tuple(range(1, lattices.ndim))
    total = np.zeros(lattices.shape, dtype=np.int8 if n_through(products) < 2**7 else np.int64)
    for offsets in products:
        factors = (np.roll(lattices, [-along for along in offset], axes) for offset in offsets)
        product = reduce(np.multiply, factors)
        for offset in offsets:
            total += np.roll(product, offset, axes)
    return total


def sites_of(products: Products, sides: tuple[int, ...]) -> list[npt.NDArray[np.int64]]:
    """Return for each orientation the sites of every product, shape (n_sites, number of spins).

    Without sides products are of given sites, one each.

    Examples
    --------
    >>> sites_of((((0,), (1,)),), (3,))
    [array([[0, 1],
           [1, 2],
           [2, 0]])]
    """
    if not sides:
        return [np.array([[site for (site,) in sites]], dtype=np.int64) for sites in products]
    index = np.arange(math.prod(sides), dtype=np.int64).reshape(sides)
    axes = tuple(range(len(sides)))
    return [
        np.stack([np.roll(index, [-along for along in offset], axes).ravel() for offset in offsets], axis=1)
        for offsets in products
    ]


def check_site_operators(operators: object, n_sites: int) -> dict[str, Products]:
    """Return the sites of products given by name, or raise; None takes all pairs.

    Examples
    --------
    >>> list(check_site_operators(None, 3))
    ['0 1', '0 2', '1 2']
    """
    if operators is None:
        check_couplings(n_sites * (n_sites - 1) // 2)
        return {f"{i} {j}": (((i,), (j,)),) for i in range(n_sites) for j in range(i + 1, n_sites)}
    if not isinstance(operators, Mapping) or not operators:
        raise TypeError(
            f"operators={shown(operators)}: without a shape, a dict of names and the sites of their products "
            "is needed, such as {'bond': [[0, 1]]}"
        )
    found = {_name(name): _products(name, given) for name, given in operators.items()}
    for name, products in found.items():
        for sites in products:
            if any(len(site) != 1 or not 0 <= site[0] < n_sites for site in sites):
                raise ValueError(
                    f"operators[{name!r}] has a product of the sites {shown([*sites])}: "
                    f"numbers from 0 to {n_sites - 1} are needed"
                )
            if len(set(sites)) != len(sites):
                raise ValueError(f"operators[{name!r}] has a site twice in a product: {shown([*sites])}")
    return found


def named_operators(
    shape: object, operators: object, n_sites: int, *, fields: bool
) -> tuple[tuple[int, ...], dict[str, Products]]:
    """Return the sides of a lattice, () without one, and the products of each operator, by name."""
    sides = () if shape is None else check_shape(shape)
    if sides:
        if math.prod(sides) != n_sites:
            raise ValueError(
                f"shape={shown(shape)} has {math.prod(sides)} sites, the configurations have {n_sites}"
            )
        if isinstance(shape, Triangular) and not isinstance(operators, Mapping):
            raise ValueError(
                f"operators={shown(operators)}: the names are of operators of rings and square lattices; on "
                "a triangular one a dict of names and products is needed, of its bonds "
                "{'bonds': (((0, 0), (0, 1)), ((0, 0), (1, 0)), ((0, 0), (1, -1)))}"
            )
        named = check_operators(operators, sides)
        single = {"magnetization": (((0,) * len(sides),),)} if fields else {}
    else:
        named = check_site_operators(operators, n_sites)
        single = {str(site): (((site,),),) for site in range(n_sites)} if fields else {}
    twice = named.keys() & single.keys()
    if twice:
        raise ValueError(f"operators holds {shown(min(twice))}, which fields=True adds")
    named |= single
    if not named:
        raise ValueError(f"operators: there are no pairs of {n_sites} site")
    check_couplings(len(named))
    return sides, named


def check_couplings(number: int) -> None:
    """Raise where the matrices of a fit of so many couplings do not fit into memory."""
    check_memory(f"the errors of {number} couplings", 40 * number**2, "fewer couplings need less")


def n_through(products: Products) -> int:
    """Return the number of products that the spin of a site is in."""
    return sum(map(len, products))
