"""Exact integers: how many configurations share an energy and a magnetization."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from typing import ClassVar

from rbmflow.arguments import check_integer

MAX_POWER = 10_000  # of a moment, which has some thousand digits
from rbmflow.files import write_atomically
from rbmflow.records import Tabular


@dataclass(frozen=True)
class DegeneracyTable(Tabular):
    """Number of ring configurations for each (α, V), without zeros.

    Attributes
    ----------
    n_sites : int
        Number of spins M.
    alpha : tuple of int
        ``α = Σ v_i v_(i+1)``, between −M and M in steps of 4; the energy is −α in J.
    magnetization : tuple of int
        ``V = Σ v_i``, between −M and M in steps of 2.
    count : tuple of int
        Configurations of that α and V: Python integers, exact at any size.

    The three tuples are parallel and sorted by (alpha, magnetization).

    Examples
    --------
    >>> ring_degeneracies(3)
    DegeneracyTable(n_sites=3, alpha=(-1, -1, 3, 3), magnetization=(-1, 1, -3, 3), count=(3, 3, 1, 1))
    """

    COLUMNS: ClassVar = ("alpha", "magnetization", "count")

    n_sites: int
    alpha: tuple[int, ...]
    magnetization: tuple[int, ...]
    count: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.count)

    def rows(self) -> Iterable[tuple[int, int, int]]:
        """Return the rows (alpha, magnetization, count).

        Returns
        -------
        iterable of tuple of int
            In the order of the table.

        Examples
        --------
        >>> next(iter(ring_degeneracies(3).rows()))
        (-1, -1, 3)
        """
        return zip(self.alpha, self.magnetization, self.count, strict=True)

    @property
    def total(self) -> int:
        """Number of configurations, ``2**n_sites``."""
        return sum(self.count)

    def moment(self, alpha_power: int = 0, magnetization_power: int = 0) -> int:
        """Return ``Σ count · α^i · V^j``, an exact integer; divide by `total` for the mean over all states.

        Parameters
        ----------
        alpha_power, magnetization_power : int
            The exponents i and j, at least 0.

        Returns
        -------
        int
            The sum over all configurations.

        Examples
        --------
        >>> table = ring_degeneracies(8)
        >>> table.moment(magnetization_power=2) / table.total
        8.0
        """
        i = check_integer("alpha_power", alpha_power, 0, MAX_POWER)
        j = check_integer("magnetization_power", magnetization_power, 0, MAX_POWER)
        return sum(count * alpha**i * magnetization**j for alpha, magnetization, count in self.rows())

    def alpha_marginal(self) -> dict[int, int]:
        """Return the number of configurations for each α, ``2 C(M, 2k)`` with ``α = M − 4k``.

        Returns
        -------
        dict of int to int
            Sorted by α.

        Examples
        --------
        >>> ring_degeneracies(4).alpha_marginal()
        {-4: 2, 0: 12, 4: 2}
        """
        return _marginal(self.alpha, self.count)

    def magnetization_marginal(self) -> dict[int, int]:
        """Return the number of configurations for each V, ``C(M, (M+V)/2)``.

        Returns
        -------
        dict of int to int
            Sorted by V.

        Examples
        --------
        >>> ring_degeneracies(4).magnetization_marginal()
        {-4: 1, -2: 4, 0: 6, 2: 4, 4: 1}
        """
        return _marginal(self.magnetization, self.count)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the table as CSV text, and write it where `path` says.

        Parameters
        ----------
        path : path-like, optional
            A file to write, atomically.

        Returns
        -------
        str
            A header ``alpha,magnetization,count`` and one line per class.

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> print(ring_degeneracies(3).to_csv())
        alpha,magnetization,count
        -1,-1,3
        -1,1,3
        3,-3,1
        3,3,1
        <BLANKLINE>
        """
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("alpha", "magnetization", "count"))
        writer.writerows(self.rows())
        if path is not None:
            write_atomically(path, stream.getvalue())
        return stream.getvalue()


def _marginal(keys: tuple[int, ...], counts: tuple[int, ...]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for key, count in zip(keys, counts, strict=True):
        sums[key] = sums.get(key, 0) + count
    return dict(sorted(sums.items()))


def table_from_counts(n_sites: int, counts: dict[tuple[int, int], int]) -> DegeneracyTable:
    """Return the table of counts keyed by (wall pairs, up spins): ``α = M − 4k``, ``V = 2n − M``."""
    rows = sorted((n_sites - 4 * k, 2 * n - n_sites, count) for (k, n), count in counts.items() if count)
    alpha, magnetization, count = zip(*rows, strict=True)
    return DegeneracyTable(n_sites, alpha, magnetization, count)


def wall_pair_count(n_sites: int, n_up: int, wall_pairs: int) -> int:
    """Return how many states of the ring have n spins up and 2k > 0 domain walls.

    They are ``(M/k) C(n−1, k−1) C(M−n−1, k−1)``.
    """
    arrangements = comb(n_up - 1, wall_pairs - 1) * comb(n_sites - n_up - 1, wall_pairs - 1)
    return n_sites * arrangements // wall_pairs


def ring_degeneracies(n_sites: int) -> DegeneracyTable:
    """Return the table of the ring from the closed form.

    n spins up and 2k domain walls: ``(M/k) C(n−1, k−1) C(M−n−1, k−1)`` configurations, one for each aligned
    state. Derivation: a ring with 2k walls holds k blocks of up spins and k of down spins; compositions
    of n and M − n into k parts number the two binomials, and M/k places them on the ring. The counts
    of one row n follow from each other by ``c ← c (n−k)(M−n−k)/(k(k+1))``.
    """
    counts = {(0, 0): 1, (0, n_sites): 1}
    for n in range(1, n_sites // 2 + 1):
        count = n_sites
        for k in range(1, n + 1):
            if k > n_sites - n:
                break
            counts[k, n] = counts[k, n_sites - n] = count
            count = count * (n - k) * (n_sites - n - k) // (k * (k + 1))
    return table_from_counts(n_sites, counts)


def layer_degeneracies(n_units: int) -> dict[int, int]:
    """Return the number of states of a layer of ±1 units for each magnetization H.

    ``d(H) = N! / [((N+H)/2)! ((N−H)/2)!]`` (thesis eq. 72); H runs over −N, −N + 2, …, N,
    through 0 for even N only.

    Time O(N²): N integers of N bits.

    Parameters
    ----------
    n_units : int
        Number of units N, 1 to 20 000.

    Returns
    -------
    dict of int to int
        Sorted by H; the counts sum to 2^N.

    Examples
    --------
    >>> layer_degeneracies(4)
    {-4: 1, -2: 4, 0: 6, 2: 4, 4: 1}
    >>> layer_degeneracies(3)
    {-3: 1, -1: 3, 1: 3, 3: 1}
    """
    n_units = check_integer("n_units", n_units, 1, 20_000)
    half = [1]
    for up in range(1, n_units // 2 + 1):
        half.append(half[-1] * (n_units - up + 1) // up)
    return {2 * up - n_units: half[min(up, n_units - up)] for up in range(n_units + 1)}
