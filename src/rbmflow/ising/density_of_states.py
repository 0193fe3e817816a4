"""Exact integers of the torus: how many configurations have each energy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import check_integer
from rbmflow.ising.ring_counts import MAX_POWER
from rbmflow.records import Tabular

MAX_DENSITY_SITES = 4096

Residues = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DensityOfStates(Tabular):
    """Number of configurations of a torus for each energy, without zeros.

    Attributes
    ----------
    n_rows, n_cols : int
        Sides of the torus.
    energy : tuple of int
        ``E = −Σ v_i v_j`` over the 2 n_rows n_cols bonds, in J, ascending.
    count : tuple of int
        Configurations of that energy: Python integers, exact at any size.

    Examples
    --------
    >>> torus_density_of_states(2, 2)
    DensityOfStates(n_rows=2, n_cols=2, energy=(-8, 0, 8), count=(2, 12, 2))
    """

    COLUMNS: ClassVar = ("energy", "count")

    n_rows: int
    n_cols: int
    energy: tuple[int, ...]
    count: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.count)

    def rows(self) -> Iterable[tuple[int, int]]:
        """Return the rows (energy, count).

        Returns
        -------
        iterable of tuple of int
            In the order of the table.

        Examples
        --------
        >>> list(torus_density_of_states(2, 2).rows())
        [(-8, 2), (0, 12), (8, 2)]
        """
        return zip(self.energy, self.count, strict=True)

    @property
    def total(self) -> int:
        """Number of configurations, ``2**(n_rows * n_cols)``."""
        return sum(self.count)

    def moment(self, energy_power: int) -> int:
        """Return ``Σ count · E^i``, an exact integer; divide by `total` for the mean over all states.

        Parameters
        ----------
        energy_power : int
            The exponent i, at least 0.

        Returns
        -------
        int
            The sum over all configurations.

        Examples
        --------
        >>> table = torus_density_of_states(4, 4)
        >>> table.moment(2) / table.total
        32.0
        """
        power = check_integer("energy_power", energy_power, 0, MAX_POWER)
        return sum(count * energy**power for energy, count in self.rows())


@lru_cache(maxsize=64)
def torus_density_of_states(n_rows: int, n_cols: int) -> DensityOfStates:
    """Return the density of states of the torus from Kaufman's formula, in exact integers.

    ``x^(2N) Z`` with x = e^(−2K) is the polynomial ``Σ_u g_u x^u`` in the number u of unsatisfied bonds
    (P. D. Beale, Phys. Rev. Lett. 76, 78 (1996)). Its coefficients are found modulo primes p ≡ 1 (mod R),
    R > 2N: such a field holds 2 cos(πk/n) and a root of unity of order R, so that every one of the four
    products is exact there, and so is the transform from the values at R points. Around each row and column
    u is even, so that ±x have the same value. As 0 ≤ g_u ≤ 2^N, primes whose product exceeds 2^N determine
    the integers. For each 31 bits O(N (n ln m + m)) operations, n ≤ m; the table has O(N²) bits.

    Examples
    --------
    >>> table = torus_density_of_states(4, 4)
    >>> dict(table.rows())[0], table.total == 2**16
    (20524, True)
    """
    n, m = sorted((n_rows, n_cols))
    n_sites = n * m
    order = 2 * n * (m + 1)
    modulus, counts = 1, [0] * (n_sites + 1)
    prime = 2**31
    while modulus <= 2**n_sites:
        prime = _prime_below(prime, order)
        residues = _coefficients(n, m, order, prime)[: len(counts)].tolist()
        inverse = pow(modulus, -1, prime)
        counts = [a + modulus * ((r - a) * inverse % prime) for a, r in zip(counts, residues, strict=True)]
        modulus *= prime
    energy, count = zip(*((4 * j - 2 * n_sites, g) for j, g in enumerate(counts) if g), strict=True)
    return DensityOfStates(n_rows, n_cols, energy, count)


def _coefficients(n: int, m: int, order: int, p: int) -> Residues:
    """Coefficients of the polynomial in y = x² modulo p, from its values at the powers of a root of unity.

    Their order n (m + 1) is a product: the transform is one of length n, a phase, and one of length m + 1.
    """
    powers = _powers(_root_of_unity(order, p), order, p)
    values = _values(n, m, powers, p).reshape(n, m + 1)
    row, column = np.arange(n), np.arange(m + 1)
    inverses = powers[-2 * np.arange(order // 2) % order]  # y^−j
    transform = inverses[np.outer(row, row) % n * (m + 1)]
    across = _product(transform, values, p) * inverses[np.outer(row, column)] % p
    sums = _product(across, inverses[np.outer(column, column) % (m + 1) * n], p)
    return sums.T.ravel() * pow(order // 2, -1, p) % p


def _product(a: Residues, b: Residues, p: int) -> Residues:
    """Return the product of two matrices modulo p < 2^31; one is halved into digits, and no sum overflows."""
    upper = (a >> 16) @ b % p
    return ((upper << 16) + (a & 0xFFFF) @ b) % p


def _values(n: int, m: int, powers: Residues, p: int) -> Residues:
    """``x^(2N) Z`` modulo p at half of the roots of unity x, one of each pair ±x.

    A pair of modes gives ``V_m ± 2S^m`` with ``S = x − x³`` and Lucas' sequence
    ``V_j = a V_(j−1) − S² V_(j−2)``, V_0 = 2, V_1 = a and ``a = (1 + x²)² − 2x (1 − x²) cos φ_k``.
    """
    x = powers[: len(powers) // 2]
    square = x * x % p
    scale = x * (1 - square) % p
    central = 2 * _power(scale, m, p) % p
    product = scale * scale % p
    stride = len(powers) // (2 * n)
    total = np.zeros_like(x)
    for first in (1, 0):
        plus, minus = np.ones_like(x), np.ones_like(x)
        k = np.arange(first or 2, n, 2)
        twice_cosine = (powers[k * stride] + powers[-k * stride]) % p
        for pair in _lucas(((1 + square) ** 2 - scale * twice_cosine[:, None]) % p, product, m, p):
            plus, minus = plus * ((pair + central) % p) % p, minus * ((pair - central) % p) % p
        for end in (0, n):
            if end % 2 == first:
                sign = 1 if end else -1
                larger, smaller = _power((1 + sign * x) % p, m, p), _power((x - sign * square) % p, m, p)
                plus, minus = plus * ((larger + smaller) % p) % p, minus * ((larger - smaller) % p) % p
        total += plus + minus
    return total % p * pow(2, -1, p) % p


def _lucas(a: Residues, product: Residues, m: int, p: int) -> Residues:
    """V_m modulo p by doubling.

    ``V_2j = V_j² − 2Q^j`` and ``V_(2j+1) = V_j V_(j+1) − a Q^j`` with Q the product of the roots.
    """
    value, after, power = np.full_like(a, 2), a, np.ones_like(product)
    for digit in f"{m:b}":
        between = (value * after - a * power) % p
        if digit == "1":
            value, after = between, (after * after - 2 * (power * product % p)) % p
            power = power * power % p * product % p
        else:
            value, after = (value * value - 2 * power) % p, between
            power = power * power % p
    return value


def _power(base: Residues, exponent: int, p: int) -> Residues:
    result = np.ones_like(base)
    while exponent:
        if exponent & 1:
            result = result * base % p
        base = base * base % p
        exponent >>= 1
    return result


def _powers(root: int, order: int, p: int) -> Residues:
    values = [1]
    for _ in range(order - 1):
        values.append(values[-1] * root % p)
    return np.array(values, dtype=np.int64)


def _prime_below(limit: int, order: int) -> int:
    """The largest prime p < limit with p ≡ 1 (mod order)."""
    p = (limit - 2) // order * order + 1
    while not is_prime(p):
        p -= order
    return p


def is_prime(n: int) -> bool:
    """Return whether n < 3·10²³ is prime.

    Miller's test to the first 13 primes as bases decides it (Sorenson and Webster).
    """
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if n < 2 or any(n % base == 0 for base in bases):
        return n in bases
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return not any(_witness(base, n, odd, twos) for base in bases)


def _witness(base: int, n: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, n)
    if power in (1, n - 1):
        return False
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return False
    return True


def _root_of_unity(order: int, p: int) -> int:
    factors = [f for f in range(2, order + 1) if order % f == 0 and is_prime(f)]
    for base in range(2, p):
        root: int = pow(base, (p - 1) // order, p)
        if all(pow(root, order // f, p) != 1 for f in factors):
            return root
    raise AssertionError("a prime field has roots of unity of every order that divides p - 1")


def density_jet(ctx: Any, K: Any, density: DensityOfStates) -> tuple[Any, Any, Any]:
    """Return ``ln Σ g(E) e^(−KE)`` and its first two derivatives in K.

    They are sums of positive terms, from the ground state up.
    """
    ground = density.energy[0] if K > 0 else density.energy[-1]
    weights = [(energy - ground, count * ctx.exp(-K * (energy - ground))) for energy, count in density.rows()]
    total = ctx.fsum(weight for _, weight in weights)
    mean = ctx.fsum(energy * weight for energy, weight in weights) / total
    square = ctx.fsum(energy * energy * weight for energy, weight in weights) / total
    return ctx.log(total) - K * ground, -ground - mean, square - mean * mean
