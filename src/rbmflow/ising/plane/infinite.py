"""Infinite triangular and honeycomb lattices: free energy, energy, heat capacity, order, entropy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from rbmflow.arguments import check_real
from rbmflow.ising.crystal import check_couplings
from rbmflow.ising.honeycomb import Honeycomb
from rbmflow.ising.planar import Planar
from rbmflow.ising.plane.integral import is_critical, mean_log
from rbmflow.ising.plane.kernels import Kernel, honeycomb_kernels, triangular_kernels
from rbmflow.ising.triangular import Triangular
from rbmflow.precision import exact_map

if TYPE_CHECKING:
    from rbmflow.arguments import FloatArray
    from rbmflow.typing import MPF, ArrayLike, ExactArray, ExactArrayLike, ExactNumber, Number

ORDER = {"log_partition": 0, "energy": 1, "heat_capacity": 2, "entropy": 1}


@dataclass(frozen=True)
class InfinitePlanar(ABC):
    """What infinite lattices share: three couplings, and an integral."""

    _kind: ClassVar[type[Planar]]

    couplings: tuple[float, ...] = (1.0, 1.0, 1.0)

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, couplings: float | tuple[float, ...] = 1.0) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "couplings", check_couplings(self.couplings, 3))

    @property
    def critical_coupling(self) -> float:
        """``K_c``: infinite where there is order at T = 0 alone, NaN where it is not known."""
        return self._kind(2, 2, couplings=self.couplings).critical_coupling

    @overload
    def log_partition(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def log_partition(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def log_partition(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def log_partition(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def log_partition(self, K: object, *, dps: int | None = None) -> Any:
        """Return ln Z per site.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; infinite at K = ±∞.

        Examples
        --------
        >>> from rbmflow.ising import InfiniteTriangular
        >>> print(round(InfiniteTriangular().log_partition(0.0), 12))
        0.69314718056
        """
        return self._value("log_partition", K, dps)

    @overload
    def energy(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def energy(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def energy(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def energy(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def energy(self, K: object, *, dps: int | None = None) -> Any:
        """Return the energy per site, ``−d ln Z/dK``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; that of the ground states at K = ∞, of the highest states at −∞.

        Examples
        --------
        >>> from rbmflow.ising import InfiniteHoneycomb
        >>> InfiniteHoneycomb().energy([0.0, 0.5, float("inf")])
        array([ 0.    , -0.7558, -1.5   ])
        """
        return self._value("energy", K, dps)

    @overload
    def heat_capacity(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def heat_capacity(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def heat_capacity(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def heat_capacity(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def heat_capacity(self, K: object, *, dps: int | None = None) -> Any:
        """Return the heat capacity per site in k_B, ``K² d² ln Z/dK²``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; infinite, without `dps`, at the float64 nearest to K_c, and 0 at K = ±∞.

        Examples
        --------
        >>> from rbmflow.ising import InfiniteTriangular
        >>> InfiniteTriangular().heat_capacity([0.1, 0.5, -0.5])
        array([0.0464, 0.1034, 0.171 ])
        """
        return self._value("heat_capacity", K, dps)

    @overload
    def magnetization(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def magnetization(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def magnetization(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def magnetization(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def magnetization(self, K: object, *, dps: int | None = None) -> Any:
        """Return the spontaneous magnetization per site, ``(1 − k²)^(1/8)`` above K_c.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; 0 below K_c, and where order is not that of aligned spins.

        Examples
        --------
        >>> from rbmflow.ising import InfiniteTriangular
        >>> InfiniteTriangular().magnetization([0.27, 0.28, 0.5])
        array([0.    , 0.7311, 0.9944])
        """
        return self._value("magnetization", K, dps)

    @overload
    def entropy(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def entropy(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def entropy(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def entropy(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def entropy(self, K: object, *, dps: int | None = None) -> Any:
        """Return the entropy per site in k_B, ``ln Z/N + K u``: that of the ground states at K = ∞.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; also at K = ±∞.

        Examples
        --------
        >>> from rbmflow.ising import InfiniteTriangular
        >>> InfiniteTriangular().entropy([float("inf"), -float("inf")])
        array([0.    , 0.3231])
        """
        return self._value("entropy", K, dps)

    @abstractmethod
    def _kernels(self, _sign: int) -> tuple[Kernel, Kernel]:
        """What stands under the integral, at couplings of a sign."""

    @abstractmethod
    def _modulus(self, fn: Any, K: list[Any]) -> Any:
        """``k²`` of the three KJ: at most 1 where there is a magnetization."""

    @abstractmethod
    def _is_aligned(self, J: list[float]) -> bool:
        """Whether all spins are aligned in the ground state, and in no other."""

    def _value(self, quantity: str, K: object, dps: int | None) -> Any:
        if dps is not None:
            return exact_map(lambda ctx, one: self._at(quantity, one, ctx), dps, K=K)
        couplings = check_real("K", K)
        values = [self._at(quantity, one) for one in couplings.ravel().tolist()]
        return np.array(values, dtype=np.float64).reshape(couplings.shape)[()]

    def _at(self, quantity: str, K: Any, ctx: Any = None) -> Any:
        fn = np if ctx is None else ctx
        if quantity == "magnetization":
            return self._order(K, ctx)
        kernels, size = self._kernels(-1 if K < 0 else 1), abs(K)
        share, growth = (_number(one, ctx) for one in (kernels[0].share, kernels[0].growth))
        if size == float("inf"):
            free = share * mean_log(kernels, size, 0, ctx)[0] + fn.log(2) / 2
            limits = {"log_partition": size, "energy": growth, "heat_capacity": 0 * share, "entropy": free}
            return -limits[quantity] if quantity == "energy" and K > 0 else limits[quantity]
        if not K and quantity in {"energy", "heat_capacity"}:
            return 0 * share
        if quantity == "heat_capacity" and ctx is None and is_critical(kernels, size):
            return float("inf")
        jet = [share * one for one in mean_log(kernels, size, ORDER[quantity], ctx)]
        free = jet[0] + fn.log(2) / 2
        if quantity == "log_partition":
            return growth * size + free
        if quantity == "energy":
            return -(growth + jet[1]) if K > 0 else growth + jet[1]
        if quantity == "heat_capacity":
            return K * K * jet[2]
        return free - size * jet[1]

    def _order(self, K: Any, ctx: Any) -> Any:
        none = 0.0 if ctx is None else ctx.zero
        if not K:
            return none
        if abs(K) == float("inf"):
            return none + self._is_aligned([one if K > 0 else -one for one in self.couplings])
        with np.errstate(all="ignore"):
            deficit = 1 - self._modulus(np if ctx is None else ctx, [K * J for J in self.couplings])
        return deficit ** (none + 1 / 8) if deficit > 0 else none


@dataclass(frozen=True)
class InfiniteTriangular(InfinitePlanar):
    """The infinite triangular lattice of Ising spins: ``−βH = K Σ J v_i v_j``.

    With C and S the cosh and sinh of 2KJ for the three kinds of bonds,

        ``ln Z/N = ln 2 + ½ ⟨ln[C₁C₂C₃ + S₁S₂S₃ − S₁ cos ω₁ − S₂ cos ω₂ − S₃ cos(ω₁ + ω₂)]⟩``

    averaged over both angles, one of which is integrated in closed form (module
    `rbmflow.ising.plane.kernels`).

    Parameters
    ----------
    couplings : float or tuple of three float
        J of the three kinds of bonds, as of `Triangular`; ``(1, 1, 0)`` is the square lattice.

    See Also
    --------
    Triangular : Of finite size.
    onsager.log_partition : The square lattice.

    Notes
    -----
    Float64 values have errors of a few roundings of ln Z, and of the energy and K² of one site at most;
    close to K_c the heat capacity has that of ``K − K_c`` in float64. At K_c the energy is −2. The
    antiferromagnet, K < 0 with equal J, is not ordered at any temperature, and keeps the entropy of its
    ground states, ``Cl₂(π/3)/π = 0.3230659472…``: Wannier gave 0.3383 at first, and corrected it in 1973.

    References
    ----------
    * R. M. F. Houtappel, Physica 16, 425 (1950).
    * G. H. Wannier, Phys. Rev. 79, 357 (1950); Phys. Rev. B 7, 5017 (1973).
    * G. F. Newell, Phys. Rev. 79, 876 (1950).
    * R. B. Potts, Phys. Rev. 88, 352 (1952): the magnetization; J. Stephenson, J. Math. Phys. 5, 1009 (1964):
      of unequal couplings.

    Examples
    --------
    >>> lattice = InfiniteTriangular()
    >>> print(round(lattice.energy(lattice.critical_coupling), 12), round(lattice.entropy(-np.inf), 10))
    -2.0 0.3230659472
    """

    _kind: ClassVar[type[Planar]] = Triangular

    def _kernels(self, _sign: int) -> tuple[Kernel, Kernel]:
        return triangular_kernels(self.couplings, _sign)

    def _modulus(self, fn: Any, K: list[Any]) -> Any:
        """Stephenson's, with ``tanh K₁ + tanh K₂ tanh K₃`` and its like as sums of exponentials."""
        a, b, c = (fn.exp(-2 * (sum(K) - one)) for one in K)
        factors = [1 + a + b + c, 1 + a - b - c, 1 - a + b - c, 1 - a - b + c]
        if not min(factors) > 0:
            return float("inf")
        return 16 * fn.exp(-4 * sum(K)) / (factors[0] * factors[1] * factors[2] * factors[3])

    def _is_aligned(self, J: list[float]) -> bool:
        return sum(sorted(J)[:2]) > 0


@dataclass(frozen=True)
class InfiniteHoneycomb(InfinitePlanar):
    """The infinite honeycomb lattice of Ising spins: ``−βH = K Σ J v_i v_j``.

    With C and S the cosh and sinh of 2KJ for the three kinds of bonds,

        ``ln Z/N = ¾ ln 2 + ¼ ⟨ln[C₁C₂C₃ + 1 − S₂S₃ cos ω₁ − S₃S₁ cos ω₂ − S₁S₂ cos(ω₁ + ω₂)]⟩``

    averaged over both angles, one of which is integrated in closed form (module
    `rbmflow.ising.plane.kernels`).

    Parameters
    ----------
    couplings : float or tuple of three float
        J of the three kinds of bonds, as of `Honeycomb`.

    See Also
    --------
    Honeycomb : Of finite size.
    InfiniteTriangular : Its dual.

    Notes
    -----
    It is bipartite: ln Z does not depend on the signs of the couplings. At K_c the energy is ``−2/√3``.

    References
    ----------
    * R. M. F. Houtappel, Physica 16, 425 (1950).
    * S. Naya, Prog. Theor. Phys. 11, 53 (1954): the magnetization.

    Examples
    --------
    >>> lattice = InfiniteHoneycomb()
    >>> print(round(lattice.energy(lattice.critical_coupling) * 3**0.5, 12))
    -2.0
    """

    _kind: ClassVar[type[Planar]] = Honeycomb

    def _kernels(self, _sign: int) -> tuple[Kernel, Kernel]:
        return honeycomb_kernels(self.couplings)

    def _modulus(self, fn: Any, K: list[Any]) -> Any:
        """Naya's: one over that of the dual triangular lattice."""
        if not min(K) > 0:
            return float("inf")
        a, b, c = (fn.exp(-2 * one) for one in K)
        above = 16 * (1 + a * b * c) * (a + b * c) * (b + c * a) * (c + a * b)
        below = fn.expm1(-4 * K[0]) * fn.expm1(-4 * K[1]) * fn.expm1(-4 * K[2])
        return above / below**2

    def _is_aligned(self, J: list[float]) -> bool:
        return min(J) > 0


def _number(value: Any, ctx: Any) -> Any:
    return float(value) if ctx is None else ctx.mpf(value.numerator) / value.denominator
