"""Strips without end: the largest eigenvalue of the transfer matrix, its derivatives, and the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, shown
from rbmflow.ising.strips.slices import MAX_WIDTH, Slices, slices_of
from rbmflow.ising.strips.sums import UNIT, Transfer
from rbmflow.ising.strips.transferred import Transferred
from rbmflow.ising.strips.values import (
    BY_FIELD,
    ORDER,
    Jet,
    check_cold,
    check_field,
    fits,
    in_units,
    is_narrow,
    per_site,
    slope_with_offset,
)

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Number

MAX_DENSE = 400
"""Of matrices of which all eigenvalues are computed."""
EIGENVALUES = 6
ROUNDING = 1e-15
"""Of the largest eigenvalue: a smaller one is taken for 0."""


@dataclass(frozen=True)
class InfiniteStrip:
    """A strip of a lattice that goes on for ever along one axis.

    Parameters
    ----------
    lattice : Triangular, Honeycomb or Hypercubic
        Its other sides, with their ends and all couplings, are those of the strip; at most 12 sites across.
    axis : int
        The axis without end, whose side does not matter.

    See Also
    --------
    InfiniteTriangular, InfiniteHoneycomb, onsager.log_partition : Infinitely wide as well.

    Notes
    -----
    With λ the largest eigenvalue of the transfer matrix and r, l its eigenvectors, ln Z is ln λ for each
    slice, and ``λ′ = l T′ r``, ``λ″ = l T″ r + 2 l T′ r′`` where ``(λ − T) r′ = (T′ − λ′) r``. Functions that
    symmetries of the cross-section leave as they are suffice for this; other eigenvalues come from all.

    Examples
    --------
    >>> from rbmflow import Hypercubic
    >>> strip = InfiniteStrip(Hypercubic((8, 2)), axis=1)
    >>> print(round(strip.correlation_length(0.5 * np.log(1 + 2**0.5)) / 8, 4))  # near 4/π
    1.27
    """

    lattice: Transferred
    axis: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.lattice, Transferred):
            raise TypeError(
                f"lattice={shown(self.lattice)}: a Triangular, Honeycomb or Hypercubic lattice is needed"
            )
        object.__setattr__(self, "axis", check_integer("axis", self.axis, 0, self.lattice.dimension - 1))
        found = slices_of(self.lattice, self.axis) if is_narrow(self.lattice, self.axis) else None
        if found is None or not fits(found):
            raise ValueError(
                f"axis={self.axis} of a {self.lattice.label}: a cross-section of at most {MAX_WIDTH} sites "
                "is needed"
            )

    @property
    def slices(self) -> Slices:
        """The cross-section and its bonds."""
        found = slices_of(self.lattice, self.axis)
        assert found is not None
        return replace(found, n_slices=2, periodic=False)

    @overload
    def log_partition(self, K: Number, *, field: float = 0.0) -> float: ...
    @overload
    def log_partition(self, K: ArrayLike, *, field: float = 0.0) -> FloatArray: ...
    def log_partition(self, K: object, *, field: float = 0.0) -> Any:
        """Return ln Z per site.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`; infinite at K = ±∞.

        Raises
        ------
        ValueError
            If ``|K|`` is so large that weights underflow, where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> print(round(InfiniteStrip(Triangular(2, 6)).log_partition(0.2), 6))
        0.7
        """
        return self._value("log_partition", K, field)

    @overload
    def energy(self, K: Number, *, field: float = 0.0) -> float: ...
    @overload
    def energy(self, K: ArrayLike, *, field: float = 0.0) -> FloatArray: ...
    def energy(self, K: object, *, field: float = 0.0) -> Any:
        """Return the energy per site, ``⟨−Σ J v_i v_j − h Σ v_i⟩/n = −(1/n) d ln Z/dK``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If ``|K|`` is so large that weights underflow, where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Honeycomb
        >>> InfiniteStrip(Honeycomb(2, 6)).energy([0.0, 0.6])
        array([ 0.    , -0.9866])
        """
        return self._value("energy", K, field)

    @overload
    def heat_capacity(self, K: Number, *, field: float = 0.0) -> float: ...
    @overload
    def heat_capacity(self, K: ArrayLike, *, field: float = 0.0) -> FloatArray: ...
    def heat_capacity(self, K: object, *, field: float = 0.0) -> Any:
        """Return the heat capacity per site in k_B, ``(K²/n) d² ln Z/dK²``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If ``|K|`` is so large that weights underflow, where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> print(round(InfiniteStrip(Triangular(2, 6)).heat_capacity(0.2), 6))
        0.374628
        """
        return self._value("heat_capacity", K, field)

    @overload
    def magnetization(self, K: Number, *, field: float = 0.0) -> float: ...
    @overload
    def magnetization(self, K: ArrayLike, *, field: float = 0.0) -> FloatArray: ...
    def magnetization(self, K: object, *, field: float = 0.0) -> Any:
        """Return ``⟨V⟩/n``, per site: 0 without a field.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If ``|K|`` is so large that weights underflow, where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> print(round(InfiniteStrip(Triangular(2, 6)).magnetization(0.2, field=0.1), 6))
        0.171972
        """
        return self._value("magnetization", K, field)

    @overload
    def susceptibility(self, K: Number, *, field: float = 0.0) -> float: ...
    @overload
    def susceptibility(self, K: ArrayLike, *, field: float = 0.0) -> FloatArray: ...
    def susceptibility(self, K: object, *, field: float = 0.0) -> Any:
        """Return ``(⟨V²⟩ − ⟨V⟩²)/n``, per site: the derivative of ⟨V⟩/n by K h.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If ``|K|`` is so large that weights underflow, where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> print(round(InfiniteStrip(Triangular(2, 6)).susceptibility(0.2), 6))
        8.828229
        """
        return self._value("susceptibility", K, field)

    @overload
    def correlation_length(self, K: Number, *, field: float = 0.0) -> float: ...
    @overload
    def correlation_length(self, K: ArrayLike, *, field: float = 0.0) -> FloatArray: ...
    def correlation_length(self, K: object, *, field: float = 0.0) -> Any:
        """Return the longest correlation length along the strip in slices, ``1/ln(λ/|λ₂|)``.

        λ₂ is the second largest eigenvalue in size, of all functions of the spins. Its relative error is a
        rounding times the length.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`; infinite where the two eigenvalues do not differ in float64, and 0 where the
            second is less than a rounding of the first.

        Raises
        ------
        ValueError
            If ``|K|`` is so large that weights underflow, where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Hypercubic, Ring
        >>> ring = Hypercubic((2,), couplings=1.0)
        >>> bool(np.isclose(InfiniteStrip(ring).correlation_length(0.7), Ring(3).correlation_length(0.7)))
        True
        """
        h, couplings = check_field(field), check_real("K", K)
        check_cold(self.slices, couplings.ravel(), h)
        slices, flat, h, _ = in_units(self.slices, couplings.ravel(), h)
        lengths = [_length(Transfer(slices, np.array([one]), h, 0, False)) for one in flat]
        return np.array(lengths, dtype=np.float64).reshape(couplings.shape)[()]

    def _value(self, quantity: str, K: object, field: object) -> Any:
        h, couplings = check_field(field), check_real("K", K)
        flat, order, by_field = couplings.ravel(), ORDER[quantity], quantity in BY_FIELD
        check_cold(self.slices, flat, h)
        slices, flat, h, unit = in_units(self.slices, flat, h)
        rows = np.zeros((3, flat.size))
        for place, one in enumerate(flat):
            rows[: order + 1, place] = _growth(Transfer(slices, np.array([one]), h, order, by_field))
        strength = slices.strength + slices.n_sites * abs(h)
        rows[0] += np.where(flat == 0, 0.0, np.abs(flat)) * strength
        rows[1] = slope_with_offset(rows[1], flat, strength, h, by_field)
        log_growth, slope, curvature = rows.reshape(3, *couplings.shape)
        jet = Jet(flat.reshape(couplings.shape), log_growth, slope, curvature, unit)
        value = per_site(jet, quantity, self.slices.n_sites)
        return value / self.slices.n_sites if quantity == "log_partition" else value


def _growth(transfer: Transfer) -> FloatArray:
    """Return ln λ and its derivatives."""
    matrix, scale = transfer.rescaled(transfer.among_orbits())
    T = matrix[:, 0] / UNIT
    scale[0] += np.log(UNIT)
    right, left = _perron(T[0]), _perron(T[0].T)
    left = left / (left @ right)
    values = [left @ T[0] @ right]
    if transfer.order > 0:
        values += [left @ T[1] @ right]
    if transfer.order > 1:
        n = len(right)
        system = np.zeros((n + 1, n + 1))
        system[:n, :n], system[:n, n], system[n, :n] = values[0] * np.eye(n) - T[0], right, left
        rest = np.append(T[1] @ right - values[1] * right, 0.0)
        slope = np.linalg.solve(system, rest)[:n]
        values += [left @ T[2] @ right + 2 * left @ T[1] @ slope]
    logs = [np.log(values[0])]
    logs += [value / values[0] for value in values[1:]]
    if transfer.order > 1:
        logs[2] -= logs[1] ** 2
    return np.array(logs) + scale[:, 0]


def _length(transfer: Transfer) -> float:
    found = [_largest(transfer, parity) for parity in ((0,) if transfer.field else (1, -1))]
    found[0], first = found[0][1:], found[0][0]
    second = max((float(one[0]) for one in found if len(one)), default=0.0)
    if second <= ROUNDING * first:
        return 0.0
    decay = np.log(first / second)
    return float(1 / decay) if decay > 0 else np.inf


def _perron(matrix: FloatArray) -> FloatArray:
    """Return the positive eigenvector of the largest eigenvalue."""
    if len(matrix) <= MAX_DENSE:
        values, vectors = np.linalg.eig(matrix)
        vector = vectors[:, np.argmax(values.real)].real
    else:
        from scipy.sparse.linalg import eigs

        _, vectors = eigs(matrix, k=1, which="LR", v0=np.ones(len(matrix)))
        vector = vectors[:, 0].real
    return np.asarray(np.abs(vector) / np.abs(vector).sum())


def _largest(transfer: Transfer, parity: int) -> FloatArray:
    """Return eigenvalues by size, of all functions, or of those of one parity when all spins are turned."""
    n = 2**transfer.slices.width // (2 if parity else 1)
    apply = partial(_applied, transfer, parity)
    if n <= MAX_DENSE:
        values = np.linalg.eigvals(apply(np.eye(n)))
    else:
        from scipy.sparse.linalg import LinearOperator, eigs

        operator = LinearOperator((n, n), matvec=apply, matmat=apply, dtype=np.float64)
        start = np.random.default_rng(0).random(n)
        values = eigs(operator, k=EIGENVALUES, which="LM", v0=start, return_eigenvectors=False)
    return np.sort(np.abs(values))[::-1]


def _applied(transfer: Transfer, parity: int, columns: FloatArray) -> FloatArray:
    """Apply the matrix to columns; of one parity they are given for the states whose first spin is up."""
    flat = columns.reshape(len(columns), -1)
    whole = np.concatenate([flat, parity * flat[::-1]]) if parity else flat
    spins = whole.reshape(1, 1, *[2] * transfer.slices.width, -1)
    image = transfer.step(spins).reshape(2**transfer.slices.width, -1)
    return np.asarray(image[: len(flat)].reshape(columns.shape))
