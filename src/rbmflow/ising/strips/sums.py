"""Partition functions of slices, and their derivatives: the transfer matrix applied site by site.

What is kept are weights ``exp(K a − |K| max a)`` of the spins of a frontier, so that none exceeds 1, as jets
(`jets`): values and derivatives by K or by the field. A common factor is taken off after each slice, and its
logarithm summed, of which the derivatives are means and variances: nothing that is large cancels. All
couplings K are computed side by side.

A long way is made by squares of the matrix, of which only one row is kept for states that symmetries of the
cross-section take into each other; all terms stay positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.ising.jets import divided, logarithm, multiplied
from rbmflow.ising.strips.slices import Addition, Orbits, Slices, orbits_of

UNIT = 2.0**480
"""The largest weight, 1e144: sums of products of two just do not overflow, and reach down to 1e-308."""
PRODUCTS = (1, 3, 6)  # of matrices that make the product of two jets
STEP_TIME, CALL_TIME, PRODUCT_TIME = 4e-9, 4e-5, 1e-10
"""Seconds for each state of a frontier at each site, for an addition, for a multiplication of a product."""


@dataclass(frozen=True)
class Transfer:
    """Slices at couplings K, in a field h, and what derivatives are by.

    Attributes
    ----------
    K : numpy.ndarray, shape (n,)
        Couplings; infinite ones too.
    order : int
        The highest derivative, 0 to 2.
    by_field : bool
        Whether it is by b = K h, not by K.
    """

    slices: Slices
    K: FloatArray
    field: float
    order: int
    by_field: bool

    @cached_property
    def sign(self) -> FloatArray:
        """Of the couplings, as a column; 1 for 0."""
        return np.where(self.K < 0, -1.0, 1.0)[:, np.newaxis]

    @property
    def orbits(self) -> Orbits:
        """States that are alike."""
        return orbits_of(self.slices, turned=not self.field and not self.by_field)

    @property
    def n_bytes(self) -> int:
        """Roughly what one coupling takes."""
        n_states, slices = 2**self.slices.width, self.slices
        numbers = 4 << slices.largest_frontier
        rows = len(self.orbits.leaders) * n_states
        if slices.periodic:
            by_squares = self._by_squares(slices.n_slices // 2)
            numbers += 6 * rows + (2 * n_states**2 if by_squares else 0)
        elif not self._by_steps(slices.n_slices - 1):
            numbers += 3 * rows + 4 * len(self.orbits.leaders) ** 2
        return 8 * (self.order + 1) * numbers

    def log_partition(self) -> FloatArray:
        """Return ln Z of weights of at most 1 (see `offset`) and its derivatives, shape (order + 1, n)."""
        return self._closed() if self.slices.periodic else self._open()

    def offset(self) -> float:
        """Return what ln Z lacks, in |K|: the sum of strengths."""
        slices = self.slices
        n_between = slices.n_slices if slices.periodic else slices.n_slices - 1
        total = slices.n_slices * (sum(abs(J) for *_, J in slices.within) + slices.n_sites * abs(self.field))
        total += n_between * sum(abs(J) for *_, J in slices.between)
        return total

    def _open(self) -> FloatArray:
        start, scale = self.rescaled(self.grown(self._nothing(), self.slices.first))
        rest = self.slices.n_slices - 1
        if self._by_steps(rest):
            for _ in range(rest):
                start, factor = self.rescaled(self.step(start))
                scale = scale + factor
            return np.asarray(scale + logarithm(self._flat(start).sum(axis=(2, 3))))
        orbits = self.orbits
        matrix, factor = self.rescaled(self.among_orbits())
        ends = np.ones((self.order + 1, len(self.K), len(orbits.leaders), 1))
        ends[1:] = 0.0
        ends, ends_scale = self._powers(matrix, factor, rest, ends)
        leaders = self._flat(start)[:, :, orbits.leaders] * orbits.sizes[:, np.newaxis]
        total = _product(np.swapaxes(leaders, 2, 3), ends)
        return np.asarray(scale + ends_scale + logarithm(total[..., 0, 0]))

    def _powers(
        self, matrix: FloatArray, factor: FloatArray, n: int, vector: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``matrix^n vector`` and its scale."""
        scale = np.zeros_like(factor)
        while n:
            if n & 1:
                vector, more = self.rescaled(_product(matrix, vector))
                scale = scale + more + factor
            n >>= 1
            if n:
                matrix, more = self.rescaled(_product(matrix, matrix))
                factor = 2 * factor + more
        return vector, scale

    def _closed(self) -> FloatArray:
        """The trace ``Σ_s (T^⌊n/2⌋ T^⌈n/2⌉)_ss`` over the leaders of orbits."""
        half = self.slices.n_slices // 2
        rows, scale = self._rows(half)
        further, further_scale = rows, scale
        if self.slices.n_slices % 2:
            further, more = self.rescaled(self._step_of_rows(rows))
            further_scale = scale + more
        orbits = self.orbits
        returns = further[:, :, orbits.orbit[:, np.newaxis], orbits.back()]
        rows = rows * orbits.sizes[:, np.newaxis]

        def trace(a: FloatArray, b: FloatArray) -> FloatArray:
            return np.asarray(np.einsum("nsu,nus->n", a, b))

        return np.asarray(scale + further_scale + logarithm(multiplied(rows, returns, trace)))

    def _rows(self, n: int) -> tuple[FloatArray, FloatArray]:
        """``T^n``, the rows of the leaders of orbits, and its scale: by steps or by squares."""
        rows, scale = self.rescaled(self._step_of_rows(self._identity()))
        if not self._by_squares(n):
            for _ in range(n - 1):
                rows, more = self.rescaled(self._step_of_rows(rows))
                scale = scale + more
            return rows, scale
        for digit in bin(n)[3:]:
            rows, more = self.rescaled(_product(rows, self._all_rows(rows)))
            scale = 2 * scale + more
            if digit == "1":
                rows, more = self.rescaled(self._step_of_rows(rows))
                scale = scale + more
        return rows, scale

    def _identity(self) -> FloatArray:
        leaders = self.orbits.leaders
        rows = np.zeros((self.order + 1, len(self.K), len(leaders), 2**self.slices.width))
        rows[0][:, np.arange(len(leaders)), leaders] = 1.0
        return rows

    def _all_rows(self, rows: FloatArray) -> FloatArray:
        """All rows of a matrix that symmetries leave as it is: T(s, t) = T(gs, gt), gs a leader."""
        orbits = self.orbits
        every = np.empty((*rows.shape[:2], len(orbits.orbit), rows.shape[3]))
        for number, image in enumerate(orbits.images):
            states = np.flatnonzero(orbits.chosen == number)
            every[:, :, states] = rows[:, :, orbits.orbit[states]][..., image]
        return every

    def _step_of_rows(self, rows: FloatArray) -> FloatArray:
        """Apply the matrix to rows, in portions that stay small."""
        moved = np.empty_like(rows)
        size = (self.order + 1) * len(self.K) * 2**self.slices.largest_frontier
        portion = max(1, 2**22 // size)
        for first in range(0, rows.shape[2], portion):
            some = slice(first, first + portion)
            columns = np.moveaxis(rows[:, :, some], 2, -1)
            moved[:, :, some] = np.moveaxis(self._flat(self.step(self._apart(columns))), -1, 2)
        return moved

    def among_orbits(self) -> FloatArray:
        """The matrix among functions that are constant on orbits."""
        orbits = self.orbits
        matrix = np.zeros((self.order + 1, len(self.K), len(orbits.leaders), len(orbits.leaders)))
        rows = self._step_of_rows(self._identity())
        order = np.argsort(orbits.orbit, kind="stable")
        starts = np.concatenate([[0], np.cumsum(orbits.sizes)[:-1]])
        matrix[:] = np.add.reduceat(rows[..., order], starts, axis=3)
        return matrix

    def step(self, spins: FloatArray) -> FloatArray:
        """Add a slice to weights of the active sites."""
        return self.grown(spins, self.slices.further)

    def grown(self, spins: FloatArray, additions: tuple[Addition, ...]) -> FloatArray:
        """Add sites; `spins` has the shape (order + 1, n, 2, …, 2, n_columns), an axis for each spin."""
        for one in additions:
            spins = self._with_site(spins, one)
            for place in one.leaving:
                spins = spins.sum(axis=2 + place)
        return spins

    def _with_site(self, spins: FloatArray, one: Addition) -> FloatArray:
        n_spins = spins.ndim - 3
        new = np.reshape([1.0, -1.0], (*[1] * n_spins, 2, 1))
        sign = self.sign.reshape(-1, *[1] * new.ndim)
        gap = abs(self.field) - sign * self.field * new
        for place, J in zip(one.places, one.couplings, strict=True):
            old = np.reshape([1.0, -1.0], (2, *[1] * (n_spins - place + 1)))
            gap = gap + (abs(J) - sign * J * new * old)  # exactly 0 where the bond is satisfied
        with np.errstate(under="ignore", invalid="ignore"):  # infinity times 0
            factor = np.exp(np.where(gap > 0, -np.abs(self.K).reshape(sign.shape) * gap, 0.0))
        slope = new if self.by_field else -sign * gap
        spins = spins[..., np.newaxis, :]
        rows = [spins[0]]
        if self.order > 0:
            rows += [spins[1] + slope * spins[0]]
        if self.order > 1:
            rows += [spins[2] + slope * (2 * spins[1] + slope * spins[0])]
        return np.stack([factor * row for row in rows])

    def rescaled(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Divide by the largest weight of each K, times `UNIT`; return the logarithm of it as well."""
        flat = weights.reshape(*weights.shape[:2], -1)
        largest = flat[:, np.arange(len(self.K)), flat[0].argmax(axis=1)]
        by = largest.reshape(*largest.shape, *[1] * (weights.ndim - 2))
        scale = np.array(logarithm(largest))
        scale[0] -= np.log(UNIT)
        return UNIT * np.array(divided(weights, by)), scale

    def _nothing(self) -> FloatArray:
        """The weight of no spins: 1."""
        one = np.zeros((self.order + 1, len(self.K), 1))
        one[0] = 1.0
        return one

    def _apart(self, columns: FloatArray) -> FloatArray:
        return columns.reshape(*columns.shape[:2], *[2] * self.slices.width, columns.shape[-1])

    def _flat(self, spins: FloatArray) -> FloatArray:
        return spins.reshape(*spins.shape[:2], -1, spins.shape[-1])

    def _by_steps(self, n: int) -> bool:
        """Whether n steps of one vector are sooner made than squares."""
        return self._seconds(n, 1) <= self._seconds_of_squares(n, closed=False)

    def _by_squares(self, n: int) -> bool:
        """Whether squares are sooner made than n steps of all rows."""
        return self._seconds_of_squares(n, closed=True) < self._seconds(n, len(self.orbits.leaders))

    def _seconds(self, n: int, n_columns: int) -> float:
        """Roughly how long n steps take."""
        numbers = len(self.K) * n_columns * 2**self.slices.largest_frontier
        seconds: float = CALL_TIME + STEP_TIME * numbers
        return n * self.slices.n_sites * (self.order + 1) * seconds

    def _seconds_of_squares(self, n: int, closed: bool) -> float:
        leaders, n_states = len(self.orbits.leaders), 2**self.slices.width
        size = leaders * n_states * (n_states if closed else 0) + (0 if closed else leaders**3)
        products = 2 * max(1, n).bit_length() * PRODUCTS[self.order] * len(self.K)
        seconds: float = products * (CALL_TIME + PRODUCT_TIME * size)
        return seconds + self._seconds(1, leaders)


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    """The jet of a product of matrices."""
    return np.array(multiplied(a, b, np.matmul))
