"""Exact integers of the torus: how many configurations have each energy and magnetization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_integer
from rbmflow.ising.density_of_states import is_prime
from rbmflow.ising.ring_counts import MAX_POWER
from rbmflow.records import Tabular

MAX_WIDTH = 8
MAX_WORK = 4 * 10**9
TOGETHER = 16
"""States whose counts are added at once: enough work for a call of numpy, little enough for the cache."""

Counts = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class JointDensityOfStates(Tabular):
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

    COLUMNS: ClassVar = ("energy", "magnetization", "count")

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
    work = len(_first_rows(width)) * n_sites * 2**width * (n_sites + 1) ** 2 * len(_moduli(n_sites))
    if work > MAX_WORK:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: joint counts would take {work:.1e} additions, "
            f"and {MAX_WORK:.0e} are allowed (8 x 8 takes 1.2e9)"
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
    modulus, counts = 1, np.zeros((n_sites + 1, n_sites + 1), dtype=object)
    for p in _moduli(n_sites):
        residues = _residues(width, length, p).astype(object)
        step = p or 2**64
        counts = counts + modulus * ((residues - counts) * pow(modulus, -1, step) % step)
        modulus *= step
    rows = [
        (4 * pairs - 2 * n_sites, 2 * up - n_sites, counts[up, pairs])  # of unsatisfied bonds
        for pairs in range(n_sites + 1)
        for up in range(n_sites + 1)
        if counts[up, pairs]
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
    """Counts by (up spins, half the unsatisfied bonds) modulo p, or modulo 2^64 where p is 0."""
    n_sites = width * length
    total = np.zeros((n_sites + 1, n_sites + 1), dtype=np.uint64)
    for state, multiplicity, symmetric in _first_rows(width):
        part = _from_first_row(width, length, state, p)
        total = _reduced(total + _modulo(part * np.uint64(multiplicity), p), p)
        if not symmetric:
            total = _reduced(total + _modulo(part[::-1] * np.uint64(multiplicity), p), p)
    return total


def _from_first_row(width: int, length: int, first: int, p: int) -> Counts:
    """Counts of the tori with the given first row.

    Bonds that close the torus are counted in advance: of the last spins to the first row, and of the last
    spin of a row to its first one. The number of unsatisfied bonds is then even at every step, and half of it
    is the place in a flat array, which has a row for each number of up spins.
    """
    n_sites, stride = width * length, width * length + 1
    counts = np.zeros((2**width, stride * stride), dtype=np.uint64)
    after = np.zeros_like(counts)
    n_up = first.bit_count()
    counts[first, n_up * stride + _row_bonds(first, width) // 2] = 1
    for site in range(width, n_sites):
        column = site % width
        n_up += 1  # at most
        _add_spin(counts, after, column, first >> column & 1, stride, (n_up + 1) * stride, p)
        counts, after = after, counts
    closed: Counts = np.zeros_like(counts[0])
    for part in counts:
        closed = _reduced(closed + part, p)
    return closed.reshape(stride, stride)


def _row_bonds(state: int, width: int) -> int:
    """Unsatisfied bonds within a row; a row of two spins has two bonds."""
    turned = state >> 1 | (state & 1) << width - 1
    return (state ^ turned).bit_count()


def _add_spin(before: Counts, after: Counts, column: int, first: int, stride: int, size: int, p: int) -> None:
    """Replace spin `column` of the row before by that of the row after; `first` is that of the first row.

    A spin that differs from the one to its left and from the first of its row breaks the bonds to both; one
    that leaves the common value of those of the row before and of the first row breaks these.
    """
    for some in _alike(len(before), column):
        state = some.start
        spin, left = state >> column & 1, state >> max(column - 1, 0) & 1
        offset = spin * stride + (left == state & 1 != spin and column > 0)
        flip = (1 - 2 * spin) << column
        target, kept = after[some, :size], before[some, :size]
        turned = before[some.start + flip : some.stop + flip : some.step, :size]
        target[:, :offset] = 0
        if spin == first:
            np.add(kept[:, : size - offset], turned[:, : size - offset], out=target[:, offset:])
        else:
            target[:, offset] = kept[:, 0]
            np.add(kept[:, 1 : size - offset], turned[:, : size - offset - 1], out=target[:, offset + 1 :])
        if p:
            np.minimum(target, target - np.uint64(p), out=target)


def _alike(n_states: int, column: int) -> Iterator[slice]:
    """States that agree in a spin, in that to its left and in the first; a few, which stay in the cache."""
    period = 2 ** (column - 1) if column > 1 else n_states
    step = 4 if column == 1 else 2
    for high in range(0, n_states, period):
        for start in range(high, high + step):
            for state in range(start, high + period, step * TOGETHER):
                yield slice(state, min(state + step * TOGETHER, high + period), step)


def _reduced(values: Counts, p: int) -> Counts:
    """Values below 2p modulo p: the difference wraps to something large where they are below p."""
    return np.minimum(values, values - np.uint64(p)) if p else values


def _modulo(values: Counts, p: int) -> Counts:
    return values % np.uint64(p) if p else values
