"""The energy of a graph as a quadratic form of the sites that are up, in exact sums.

With x = 1 for a spin up and 0 for one down, ``E = E(down) + 2 (Σ a_i x_i + Σ_(i<j) b_ij x_i x_j)``, where
``b = −2J`` and ``a_i = Σ_j J_ij − h_i``. The numbers are integers times a power of two, in two limbs of
float64, a coarse one and a fraction of it: sums of either are exact, so that energies that are equal are
equal, and the difference of two of them is rounded once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray
from rbmflow.ising.commensurate import Unit, units_of

if TYPE_CHECKING:
    from rbmflow.ising import Graph

COARSE_BITS = 50
"""The sum of all strengths has fewer bits, in coarse units: no value, nor a part of one, exceeds 2^53."""
FINE_BITS = 44
"""Bits of a fraction: a thousand of them add up without rounding."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Term:
    """A bond or a field: its sites, its unit and the multiple of it, with the sign of the coupling."""

    sites: tuple[int, ...]
    unit: int
    multiple: int


@dataclass(frozen=True)
class SpinForm:
    """The terms of a graph and the form that they make.

    Attributes
    ----------
    n_sites : int
        Number of spins.
    terms : tuple of Term
        Bonds and fields; none of strength 0.
    sizes : tuple of int
        The units, as multiples of ``2^(exponent - FINE_BITS)``.
    exponent : int
        The coarse unit is 2^exponent.
    linear, pairs : numpy.ndarray, shapes (2, n_sites) and (2, n_sites, n_sites)
        The form a and b in two limbs, coarse and fine.
    down : int
        The energy of the state whose spins are all down, as `sizes`.
    """

    n_sites: int
    terms: tuple[Term, ...]
    sizes: tuple[int, ...]
    exponent: int
    linear: FloatArray
    pairs: FloatArray
    down: int

    @property
    def has_fields(self) -> bool:
        """Whether the energy changes where all spins are turned."""
        return any(len(term.sites) == 1 for term in self.terms)

    @property
    def uniform_field(self) -> int:
        """The field that all sites have, as `sizes`, or 0: its energy is known from the magnetization."""
        fields = [term for term in self.terms if len(term.sites) == 1]
        if len(fields) < self.n_sites or len({(term.unit, term.multiple) for term in fields}) > 1:
            return 0
        return fields[0].multiple * self.sizes[fields[0].unit]


def form_of(graph: Graph) -> SpinForm:
    """Return the form of a graph.

    Couplings that are whole multiples of one unit but for rounding are taken for such (`units_of`), and
    units are rounded to 2⁻⁹⁴ of the sum of all strengths.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> form = form_of(Graph.from_bonds(2, [(0, 1)], 0.1, [0.3, 0.0]))
    >>> [(term.sites, term.multiple) for term in form.terms]
    [((0, 1), 1), ((0,), 3)]
    >>> values = form.linear.sum(axis=0) * 2.0**form.exponent
    >>> values.round(3).tolist()
    [-0.2, 0.1]
    """
    rows = np.repeat(np.arange(graph.n_sites), np.diff(graph.indptr))
    bonds = zip(rows.tolist(), graph.indices.tolist(), graph.couplings.tolist(), strict=True)
    strengths: list[tuple[tuple[int, ...], float]] = [((i, j), J) for i, j, J in bonds if i < j]
    strengths += [((site,), h) for site, h in enumerate(graph.fields.tolist()) if h]
    units = units_of(strength for _, strength in strengths)
    place = {value: number for number, unit in enumerate(units) for value in unit.multiples}
    terms = []
    for sites, strength in strengths:
        number = place[abs(strength)]
        multiple = units[number].multiples[abs(strength)]
        terms.append(Term(sites, number, multiple if strength > 0 else -multiple))
    exponent, sizes = _sizes(units, terms)
    linear, pairs, down = _form(graph.n_sites, terms, sizes)
    return SpinForm(graph.n_sites, tuple(terms), sizes, exponent, linear, pairs, down)


def _sizes(units: list[Unit], terms: list[Term]) -> tuple[int, tuple[int, ...]]:
    total = sum((abs(term.multiple) * units[term.unit].size for term in terms), Fraction(0))
    exponent = 1 - COARSE_BITS
    if total:
        exponent += total.numerator.bit_length() - total.denominator.bit_length()
    least = Fraction(2) ** (exponent - FINE_BITS)
    return exponent, tuple(round(unit.size / least) for unit in units)


def _form(n: int, terms: list[Term], sizes: tuple[int, ...]) -> tuple[FloatArray, FloatArray, int]:
    linear, down, pairs = [0] * n, 0, np.zeros((2, n, n))
    coupled: Counter[tuple[int, ...]] = Counter()
    for term in terms:
        strength = term.multiple * sizes[term.unit]
        if len(term.sites) == 1:
            linear[term.sites[0]] -= strength
            down += strength
            continue
        for site in term.sites:
            linear[site] += strength
        coupled[term.sites] += strength
        down -= strength
    for (i, j), strength in coupled.items():
        pairs[:, i, j] = pairs[:, j, i] = limbs(-2 * strength)
    return np.array([limbs(value) for value in linear]).T.copy(), pairs, down


def limbs(value: int) -> tuple[float, float]:
    """Return a coarse and a fine part, of which the second is at most a half.

    Examples
    --------
    >>> limbs(3 * 2**FINE_BITS + 1)[0], limbs(1)[1] == 2.0**-FINE_BITS
    (3.0, True)
    """
    coarse = (value + (1 << FINE_BITS - 1)) >> FINE_BITS
    return float(coarse), (value - (coarse << FINE_BITS)) / 2**FINE_BITS


@dataclass(frozen=True)
class Bins:
    """States by their sites up and by how much of each unit is broken: a number in mixed radix.

    Attributes
    ----------
    shape : tuple of int
        First the numbers of sites up, then for each unit how many multiples of it can be broken.
    constant : int
        The number of the state whose spins are all down.
    linear, pairs : numpy.ndarray of int32
        The form that gives the number of a state.
    values : list of list of int
        What each digit but the first adds to half of the energy above that of all spins down, as
        ``SpinForm.sizes``; a uniform field is left out.
    """

    shape: tuple[int, ...]
    constant: int
    linear: npt.NDArray[np.int32]
    pairs: npt.NDArray[np.int32]
    values: list[list[int]]


def bins_of(form: SpinForm, n_sites: int, limit: int) -> Bins | None:
    """Return the bins of the first `n_sites` spins, the others down; None if they are more than `limit`.

    Examples
    --------
    >>> from rbmflow import Graph
    >>> bins_of(form_of(Graph.from_bonds(2, [(0, 1)], -2.0)), 2, 100).shape
    (3, 2)
    """
    terms = [term for term in form.terms if not (form.uniform_field and len(term.sites) == 1)]
    shape, stride = [n_sites + 1], n_sites + 1
    values: list[list[int]] = []
    constant, linear = 0, np.ones(n_sites, dtype=np.int64)
    pairs = np.zeros((n_sites, n_sites), dtype=np.int64)
    for number, size in enumerate(form.sizes):
        alike = [term for term in terms if term.unit == number]
        if not alike:
            continue
        common = gcd(*(term.multiple for term in alike))
        n_broken = sum(abs(term.multiple) for term in alike) // common + 1
        if stride * n_broken > limit:
            return None
        down = 0
        for term in alike:
            multiple = term.multiple // common
            aligned = len(term.sites) == 2
            down += abs(multiple) if (multiple < 0) == aligned else 0
            if aligned:
                i, j = term.sites
                linear[[site for site in (i, j) if site < n_sites]] += stride * multiple
                if j < n_sites:
                    pairs[i, j] -= 2 * stride * multiple
                    pairs[j, i] = pairs[i, j]
            else:
                linear[term.sites[0]] -= stride * multiple
        constant += stride * down
        values.append([size * common * (broken - down) for broken in range(n_broken)])
        shape.append(n_broken)
        stride *= n_broken
    return Bins(tuple(shape), constant, linear.astype(np.int32), pairs.astype(np.int32), values)
