"""Exact integers of the torus: how many configurations have each energy and magnetization."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import torus_sums
from rbmflow.arguments import check_integer
from rbmflow.hardware import check_memory, resolve_threads, simd_level
from rbmflow.ising.density_of_states import is_prime
from rbmflow.ising.ring_counts import MAX_POWER
from rbmflow.records import Tabular
from rbmflow.workers import run_tasks

MAX_WIDTH = 10
MAX_WORK = 4 * 10**10
"""Additions of counts: half a nanosecond each, about."""

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


def joint_work(n_rows: int, n_cols: int) -> int:
    """Return how many counts are added for the joint density of states of a torus, about.

    Examples
    --------
    >>> f"{joint_work(8, 8):.1e}", f"{joint_work(10, 10):.1e}"
    ('3.1e+08', '2.3e+10')
    """
    width, length = sorted((n_rows, n_cols))
    n_sites = width * length
    # of each spin up and pair of bonds a half is out of reach
    each = n_sites * (1 << width) * (n_sites + 1) ** 2 // 4
    return each * len(first_rows(width)) * len(_moduli(n_sites))


def check_joint_work(n_rows: int, n_cols: int) -> None:
    """Raise ValueError, naming the limit, unless the joint density of states is a matter of a minute."""
    width, length = sorted((n_rows, n_cols))
    if width > MAX_WIDTH:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: "
            f"the shorter side may have at most {MAX_WIDTH} for joint counts"
        )
    if width * length > torus_sums.MOST_SITES:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: "
            f"at most {torus_sums.MOST_SITES} are possible for joint counts"
        )
    work = joint_work(n_rows, n_cols)
    if work > MAX_WORK:
        raise ValueError(
            f"a torus of {n_rows} x {n_cols} sites: joint counts would take {work:.1e} additions, "
            f"and {MAX_WORK:.0e} are allowed (8 x 8 takes 3e8, 10 x 10 takes 2e10)"
        )


def has_joint_counts(n_rows: int, n_cols: int, work: int = MAX_WORK) -> bool:
    """Whether joint counts are to be had, with so many additions.

    Examples
    --------
    >>> has_joint_counts(8, 8, 10**9), has_joint_counts(10, 10, 10**9), has_joint_counts(10, 10)
    (True, False, True)
    """
    width, length = sorted((n_rows, n_cols))
    small = width <= MAX_WIDTH and width * length <= torus_sums.MOST_SITES
    return small and joint_work(width, length) <= work


@lru_cache(maxsize=32)
def torus_joint_density_of_states(n_rows: int, n_cols: int) -> JointDensityOfStates:
    """Return the joint density of states of the torus by a transfer matrix, spin by spin, in exact integers.

    For each first row, up to the symmetries of a row and the global flip, the counts by (state of the last
    w spins, magnetization, unsatisfied bonds) are carried along the torus and closed on the first row. The
    counts are kept modulo 2^64 while ``C(N, N/2) ≥ g(E, V)`` is below it, up to N = 67; beyond, also modulo
    primes below 2^58 until the product exceeds it, and joined by the Chinese remainder theorem: exact either
    way.

    Examples
    --------
    >>> table = torus_joint_density_of_states(4, 4)
    >>> len(table), table.total == 2**16
    (80, True)
    """
    width, length = sorted((n_rows, n_cols))
    n_sites = width * length
    modulus, counts = 1, np.zeros((n_sites + 1, n_sites + 1), dtype=object)
    moduli = _moduli(n_sites)
    for p, residues in zip(moduli, _residues(width, length, moduli), strict=True):
        step = p or 2**64
        counts = counts + modulus * ((residues.astype(object) - counts) * pow(modulus, -1, step) % step)
        modulus *= step
    rows = [
        (4 * pairs - 2 * n_sites, 2 * up - n_sites, counts[up, pairs])  # of unsatisfied bonds
        for pairs in range(n_sites + 1)
        for up in range(n_sites + 1)
        if counts[up, pairs]
    ]
    energy, magnetization, count = zip(*rows, strict=True)
    return JointDensityOfStates(n_rows, n_cols, energy, magnetization, count)


@lru_cache(maxsize=64)
def _moduli(n_sites: int) -> list[int]:
    """First 0, for the wrap of 64 bits, then primes below 2^58, whose product exceeds all counts."""
    moduli, product, candidate = [0], 2**64, 2**58 - 1
    while product <= comb(n_sites, n_sites // 2):
        if is_prime(candidate):
            moduli.append(candidate)
            product *= candidate
        candidate -= 2
    return moduli


@lru_cache(maxsize=16)
def first_rows(width: int) -> list[tuple[int, int, bool]]:
    """Return one row of each class: (state, rows equivalent to it, whether its flip is one of them).

    Equivalent are rotations and reflections.

    Examples
    --------
    >>> first_rows(3)
    [(0, 1, False), (1, 3, False)]
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


def _residues(width: int, length: int, moduli: list[int]) -> list[Counts]:
    """Counts by (up spins, half the unsatisfied bonds) modulo each p, or modulo 2^64 where p is 0."""
    n_sites = width * length
    size = 2**width * (n_sites - width + 1) * (n_sites + 1 + torus_sums.ZEROS)
    n_threads, level = resolve_threads(None), simd_level()
    check_memory(f"joint counts on {n_threads} threads", 8 * n_threads * size, "fewer threads need less")
    totals = [np.zeros((n_sites + 1, n_sites + 1), dtype=np.uint64) for _ in moduli]
    tasks = iter([(place, *row) for place in range(len(moduli)) for row in first_rows(width)])
    lock = threading.Lock()

    def work() -> Iterator[int]:
        table = np.empty(size, dtype=np.uint64)
        while True:
            with lock:
                task = next(tasks, None)
            if task is None:
                return
            place, state, multiplicity, symmetric = task
            p, part = moduli[place], np.zeros_like(totals[0])
            torus_sums.counts(width, length, state, p, table, part, level)
            part = _modulo(part * np.uint64(multiplicity), p)
            if not symmetric:
                part = _modulo(part + part[::-1], p)
            with lock:
                totals[place] = _modulo(totals[place] + part, p)
            yield 1

    run_tasks([work() for _ in range(n_threads)], n_threads, nanoseconds=joint_work(width, length) / 2)
    return totals


def _modulo(values: Counts, p: int) -> Counts:
    return values % np.uint64(p) if p else values
