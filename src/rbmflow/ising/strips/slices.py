"""A crystal as slices across one of its axes, and the states of the sites at which two slices meet."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rbmflow.ising.crystal import Crystal

MAX_WIDTH = 12
"""Of the sites of a slice which have bonds to the next: 2^12 states."""
MAX_FRONTIER = 15
Bond: TypeAlias = tuple[int, int, float]
States: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Addition:
    """A site that joins those whose spins are kept apart, the frontier, and what leaves it then.

    Attributes
    ----------
    places, couplings : tuple
        Where in the frontier the sites are to which it has bonds, and J of these.
    leaving : tuple of int
        Places of the sites that have no further bonds, the last place first.
    """

    places: tuple[int, ...]
    couplings: tuple[float, ...]
    leaving: tuple[int, ...]


@dataclass(frozen=True)
class Slices:
    """Equal slices of a crystal: n_slices of n_sites sites each, the last joined to the first or not.

    Attributes
    ----------
    sides, closed : tuple
        Of the cross-section.
    within, between : tuple of Bond
        Two sites of a slice; a site of a slice and one of the next; with J.
    """

    n_slices: int
    n_sites: int
    periodic: bool
    sides: tuple[int, ...]
    closed: tuple[bool, ...]
    within: tuple[Bond, ...]
    between: tuple[Bond, ...]

    @cached_property
    def active(self) -> tuple[int, ...]:
        """The sites that have bonds to the next slice."""
        return tuple(sorted({first for first, *_ in self.between}))

    @property
    def width(self) -> int:
        """The number of active sites."""
        return len(self.active)

    @property
    def strength(self) -> float:
        """Sum of all |J| of a slice."""
        return math.fsum(abs(J) for *_, J in self.within + self.between)

    def scaled(self, factor: float) -> Slices:
        """Return them with couplings times a factor."""
        within, between = (
            tuple((a, b, factor * J) for a, b, J in bonds) for bonds in (self.within, self.between)
        )
        return replace(self, within=within, between=between)

    @cached_property
    def first(self) -> tuple[Addition, ...]:
        """Additions that make a slice with none before it."""
        return self._additions(follows=False)

    @cached_property
    def further(self) -> tuple[Addition, ...]:
        """Additions that make a slice next to that of which the active sites are the frontier."""
        return self._additions(follows=True)

    @cached_property
    def largest_frontier(self) -> int:
        """How many spins are kept apart at most, of which there are two to this power states."""
        sizes, size = [], self.width
        for one in self.further:
            sizes.append(size + 1)
            size += 1 - len(one.leaving)
        return max(sizes)

    def _additions(self, follows: bool) -> tuple[Addition, ...]:
        before = [(0, site) for site in self.active] if follows else []
        bonds = [((1, a), (1, b), J) for a, b, J in self.within]
        bonds += [((0, a), (1, b), J) for a, b, J in self.between if follows]
        frontier, found, open_bonds = list(before), [], list(bonds)
        for site in range(self.n_sites):
            new = (1, site)
            ready = [
                (b if a == new else a, J)
                for a, b, J in open_bonds
                if new in (a, b) and (b if a == new else a) in frontier
            ]
            places = tuple(frontier.index(other) for other, _ in ready)
            open_bonds = [
                (a, b, J)
                for a, b, J in open_bonds
                if not (new in (a, b) and (b if a == new else a) in frontier)
            ]
            frontier.append(new)
            waiting = {end for a, b, _ in open_bonds for end in (a, b)} | {(1, one) for one in self.active}
            leaving = tuple(
                place for place in reversed(range(len(frontier))) if frontier[place] not in waiting
            )
            frontier = [one for one in frontier if one in waiting]
            found.append(Addition(places, tuple(J for _, J in ready), leaving))
        return tuple(found)

    def satisfied(self, sign: int, field: float) -> bool:
        """Whether one configuration satisfies all bonds, of couplings times `sign`, and the field.

        It is the same in each slice, or turned over from slice to slice.
        """
        along = (1, -1) if not field else (1,)
        if self.periodic and self.n_slices % 2:
            along = (1,)
        return any(self._satisfied(sign, turn, field) for turn in along)

    def _satisfied(self, sign: int, turn: int, field: float) -> bool:
        bonds = [(a, b, sign * J) for a, b, J in self.within]
        bonds += [(a, b, sign * turn * J) for a, b, J in self.between]
        spin = [0] * self.n_sites
        near: list[list[tuple[int, float]]] = [[] for _ in spin]
        for a, b, J in bonds:
            near[a].append((b, J))
            near[b].append((a, J))
        for start in range(self.n_sites):
            if spin[start]:
                continue
            spin[start] = 1
            reached = [start]
            while reached:
                here = reached.pop()
                for there, J in near[here]:
                    wanted = spin[here] if J > 0 else -spin[here]
                    if not spin[there]:
                        spin[there] = wanted
                        reached.append(there)
                    elif spin[there] != wanted:
                        return False
        return not field or len(set(spin)) == 1

    @cached_property
    def moves(self) -> list[States]:
        """Where states of the active sites go by translations and reflections of the cross-section."""
        site = np.arange(self.n_sites).reshape(*self.sides, -1)
        images = []
        for axis, closed in enumerate(self.closed):
            images += [np.roll(site, -1, axis)] if closed else []
            images += [np.flip(site, axis)]
        kept = [image.ravel().tolist() for image in images]
        return [self._image(move) for move in kept if self._keeps(move)]

    def _keeps(self, move: list[int]) -> bool:
        def listed(go: Callable[[int], int]) -> Any:
            pairs = Counter((*sorted((go(a), go(b))), J) for a, b, J in self.within)
            return pairs, Counter((go(a), go(b), J) for a, b, J in self.between)

        return bool(listed(lambda site: site) == listed(lambda site: move[site]))

    def _image(self, move: list[int]) -> States:
        """The active site at place p takes the spin of the one that moves to it."""
        bits = bits_of(self.width)
        place = {site: number for number, site in enumerate(self.active)}
        there = [place[move[site]] for site in self.active]
        powers = 2 ** np.arange(self.width - 1, -1, -1)
        return np.asarray(bits @ powers[there])


@lru_cache(maxsize=64)
def slices_of(crystal: Crystal, axis: int) -> Slices | None:
    """Return the slices across an axis; None where bonds reach beyond the next slice.

    Examples
    --------
    >>> from rbmflow import Triangular
    >>> slices = slices_of(Triangular(3, 100), 1)
    >>> slices.n_slices, slices.width, slices.largest_frontier
    (100, 3, 5)
    """
    across = [other for other in range(crystal.dimension) if other != axis]
    sides = tuple(crystal.cells[other] for other in across)
    closed = tuple(crystal.periodic[other] for other in across)
    within, between = [], []
    cells = [tuple(cell) for cell in product(*map(range, sides))]
    number = {cell: index for index, cell in enumerate(cells)}
    for (here, there, step), J in zip(crystal.bond_types, crystal.couplings, strict=True):
        if not J:
            continue
        if abs(step[axis]) > 1:
            return None
        for cell in cells:
            target = [x + step[other] for x, other in zip(cell, across, strict=True)]
            if not all(ends or 0 <= x < side for x, side, ends in zip(target, sides, closed, strict=True)):
                continue
            wrapped = tuple(x % side for x, side in zip(target, sides, strict=True))
            a, b = number[cell] * crystal.basis + here, number[wrapped] * crystal.basis + there
            if not step[axis]:
                within.append((a, b, J))
            else:
                between.append((a, b, J) if step[axis] > 0 else (b, a, J))
    n_sites = len(cells) * crystal.basis
    return Slices(
        crystal.cells[axis], n_sites, crystal.periodic[axis], sides, closed, tuple(within), tuple(between)
    )


def bits_of(width: int) -> States:
    """Return the bits of all states, the first site's first; a spin down is 1.

    Examples
    --------
    >>> bits_of(2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    return (np.arange(2**width)[:, np.newaxis] >> np.arange(width - 1, -1, -1)) & 1


@dataclass(frozen=True)
class Orbits:
    """States that symmetries take into each other.

    Attributes
    ----------
    leaders : numpy.ndarray of int64, shape (n,)
        One state of each orbit, increasing.
    sizes : numpy.ndarray of int64, shape (n,)
        How many states it has.
    orbit : numpy.ndarray of int64, shape (n_states,)
        That of each state.
    images : numpy.ndarray of int64, shape (n_symmetries, n_states)
        Where each symmetry takes the states.
    chosen : numpy.ndarray of int64, shape (n_states,)
        A symmetry that takes the state to the leader of its orbit.
    """

    leaders: States
    sizes: States
    orbit: States
    images: States
    chosen: States

    def back(self) -> States:
        """Return where the leaders go when a state goes to the leader of its orbit: shape (n_states, n)."""
        return self.images[self.chosen[:, np.newaxis], self.leaders]


@lru_cache(maxsize=4)
def orbits_of(slices: Slices, turned: bool) -> Orbits:
    """Return the orbits of the states of the active sites; with `turned` all spins may be turned over.

    Examples
    --------
    >>> from rbmflow import Hypercubic
    >>> orbits_of(slices_of(Hypercubic((12, 12)), 0), True).leaders.size
    122
    """
    n_states = 2**slices.width
    every = np.arange(n_states)
    moves = list(slices.moves) + ([n_states - 1 - every] if turned else [])
    group, seen = [every], {every.tobytes()}
    for element in group:  # grows
        for move in moves:
            image = move[element]
            if image.tobytes() not in seen:
                seen.add(image.tobytes())
                group.append(image)
    images = np.array(group)
    leaders, orbit, sizes = np.unique(images.min(axis=0), return_inverse=True, return_counts=True)
    return Orbits(leaders, sizes, orbit.reshape(-1), images, images.argmin(axis=0))
