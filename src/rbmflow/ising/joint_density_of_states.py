"""Exact integers of the torus: how many configurations have each energy and magnetization."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_integer
from rbmflow.ising.density_of_states import is_prime
from rbmflow.ising.ring_counts import MAX_POWER

MAX_WIDTH = 8
MAX_WORK = 4 * 10**9

Counts = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class JointDensityOfStates:
    """Number of configurations of a torus for each energy and magnetization, without zeros.

    Attributes
    ----------
    n_rows, n_cols : int
        Sides of the torus.
    energy : tuple of int
        ``E = −Σ v_i v_j`` over the 2 n_rows n_cols bonds, in J.
    magnetization : tuple of int
        ``V = Σ v_i``.
    count : tuple of int
        Configurations of that E and V: Python integers, exact at any size.

    The three tuples are parallel and sorted by (energy, magnetization).

    Examples
    --------
    >>> torus_joint_density_of_states(2, 2).count
    (1, 1, 4, 4, 4, 2)
    """

    n_rows: int
    n_cols: int
    energy: tuple[int, ...]
    magnetization: tuple[int, ...]
    count: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.count)

    def rows(self) -> Iterable[tuple[int, int, int]]:
        """Return the rows (energy, magnetization, count).

        Returns
        -------
        iterable of tuple of int
            In the order of the table.

        Examples
        --------
        >>> next(iter(torus_joint_density_of_states(2, 2).rows()))
        (-8, -4, 1)
        """
        return zip(self.energy, self.magnetization, self.count, strict=True)

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return self.n_rows * self.n_cols

    @property
    def total(self) -> int:
        """Number of configurations, ``2**(n_rows * n_cols)``."""
        return sum(self.count)

    def moment(self, energy_power: int = 0, magnetization_power: int = 0) -> int:
        """Return ``Σ count · E^i · V^j``, an exact integer; divide by `total` for the mean over all states.

        Parameters
        ----------
        energy_power, magnetization_power : int
            The exponents i and j, at least 0.

        Returns
        -------
        int
            The sum over all configurations.

        Examples
        --------
        >>> table = torus_joint_density_of_states(3, 3)
        >>> table.moment(magnetization_power=2) / table.total
        9.0
        """
        i = check_integer("energy_power", energy_power, 0, MAX_POWER)
        j = check_integer("magnetization_power", magnetization_power, 0, MAX_POWER)
        return sum(count * energy**i * magnetization**j for energy, magnetization, count in self.rows())


def check_joint_work(n_rows: int, n_cols: int) -> None:
    """Raise ValueError, naming the limit, unless the joint density of states is a matter of a minute."""
    width, length = sorted((n_rows, n_cols))
    if width > MAX_WIDTH:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: "
            f"the shorter side may have at most {MAX_WIDTH} for joint counts"
        )
    n_sites = width * length
    work = (
        len(_first_rows(width))
        * n_sites
        * 2**width
        * (2 * n_sites + 1)
        * (n_sites + 1)
        * len(_moduli(n_sites))
    )
    if work > MAX_WORK:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: joint counts would take {work:.1e} additions, "
            f"and {MAX_WORK:.0e} are allowed (8 x 8 takes 2.5e9)"
        )


@lru_cache(maxsize=32)
def torus_joint_density_of_states(n_rows: int, n_cols: int) -> JointDensityOfStates:
    """Return the joint density of states of the torus by a transfer matrix, spin by spin, in exact integers.

    For each first row, up to the symmetries of a row and the global flip, the counts by (state of the last
    w spins, magnetization, unsatisfied bonds) are carried along the torus and closed on the first row. The
    counts are kept modulo 2^64 while ``C(N, N/2) ≥ g(E, V)`` is below it, up to N = 67; beyond, modulo primes
    below 2^58 whose product exceeds 2^N, and joined by the Chinese remainder theorem: exact either way.

    Examples
    --------
    >>> table = torus_joint_density_of_states(4, 4)
    >>> len(table), table.total == 2**16
    (80, True)
    """
    width, length = sorted((n_rows, n_cols))
    n_sites = width * length
    modulus, counts = 1, np.zeros((n_sites + 1, 2 * n_sites + 1), dtype=object)
    for p in _moduli(n_sites):
        residues = _residues(width, length, p).astype(object)
        step = p or 2**64
        counts = counts + modulus * ((residues - counts) * pow(modulus, -1, step) % step)
        modulus *= step
    rows = [
        (2 * int(u) - 2 * n_sites, 2 * int(up) - n_sites, counts[up, u])
        for u in range(2 * n_sites + 1)
        for up in range(n_sites + 1)
        if counts[up, u]
    ]
    energy, magnetization, count = zip(*rows, strict=True)
    return JointDensityOfStates(n_rows, n_cols, energy, magnetization, count)


def _moduli(n_sites: int) -> list[int]:
    """Primes below 2^58 whose product exceeds 2^N; 0, for the wrap of 64 bits, where the counts fit."""
    if comb(n_sites, n_sites // 2) < 2**64:
        return [0]
    primes: list[int] = []
    product, candidate = 1, 2**58 - 1
    while product <= 2**n_sites:
        if is_prime(candidate):
            primes.append(candidate)
            product *= candidate
        candidate -= 2
    return primes


def _first_rows(width: int) -> list[tuple[int, int, bool]]:
    """One row of each class: (state, rows equivalent to it, whether its flip is one of them).

    Equivalent are rotations and reflections.
    """
    classes, seen = [], set()
    for state in range(2**width):
        if state in seen:
            continue
        bits = [state >> i & 1 for i in range(width)]
        turns = [bits[i:] + bits[:i] for i in range(width)]
        orbit = {sum(bit << i for i, bit in enumerate(row)) for turn in turns for row in (turn, turn[::-1])}
        flipped = {2**width - 1 - member for member in orbit}
        seen |= orbit | flipped
        classes.append((state, len(orbit), bool(orbit & flipped)))
    return classes


def _residues(width: int, length: int, p: int) -> Counts:
    """Counts by (up spins, unsatisfied bonds) modulo p, or modulo 2^64 where p is 0."""
    n_sites = width * length
    total = np.zeros((n_sites + 1, 2 * n_sites + 1), dtype=np.uint64)
    for state, multiplicity, symmetric in _first_rows(width):
        part = _from_first_row(width, length, state, p)
        total = _reduced(total + _modulo(part * np.uint64(multiplicity), p), p)
        if not symmetric:
            total = _reduced(total + _modulo(part[::-1] * np.uint64(multiplicity), p), p)
    return total


def _from_first_row(width: int, length: int, first: int, p: int) -> Counts:
    n_sites, n_states = width * length, 2**width
    counts = np.zeros((n_states, n_sites + 1, 2 * n_sites + 1), dtype=np.uint64)
    after = np.zeros_like(counts)
    n_up, n_broken = first.bit_count(), _row_bonds(first, width)
    counts[first, n_up, n_broken] = 1
    for _ in range(length - 1):
        for column in range(width):
            _add_spin(counts, after, column, width, n_up + 1, n_broken + 1, p)
            counts, after = after, counts
            n_up, n_broken = n_up + 1, min(n_broken + 1 + (column > 0) + (column == width - 1), 2 * n_sites)
    closed: Any = np.zeros_like(counts[0])
    for state in range(n_states):
        shift = (state ^ first).bit_count()
        closed[:, shift:] = _reduced(closed[:, shift:] + counts[state, :, : closed.shape[1] - shift], p)
    return closed  # type: ignore[no-any-return]


def _row_bonds(state: int, width: int) -> int:
    """Unsatisfied bonds within a row; a row of two spins has two bonds."""
    turned = state >> 1 | (state & 1) << width - 1
    return (state ^ turned).bit_count()


def _add_spin(
    before: Counts, after: Counts, column: int, width: int, n_up: int, n_broken: int, p: int
) -> None:
    """Replace spin `column` of the row before by that of the row after.

    Its bonds are up, to the left, and at the end around.
    """
    last = before.shape[2]
    for state in range(2**width):
        spin = state >> column & 1
        across = 0
        if column:
            across += spin ^ state >> column - 1 & 1
        if column == width - 1:
            across += spin ^ state & 1
        target = after[state, : n_up + 1]
        target[:] = 0
        end = min(n_broken, last - across)
        target[spin : n_up + spin, across : across + end] = before[state, :n_up, :end]
        end = min(n_broken, last - across - 1)
        room = target[spin : n_up + spin, across + 1 : across + 1 + end]
        room += before[state ^ 1 << column, :n_up, :end]
        if p:
            np.minimum(room, room - np.uint64(p), out=room)


def _reduced(values: Counts, p: int) -> Counts:
    """Values below 2p modulo p: the difference wraps to something large where they are below p."""
    return np.minimum(values, values - np.uint64(p)) if p else values


def _modulo(values: Counts, p: int) -> Counts:
    return values % np.uint64(p) if p else values
