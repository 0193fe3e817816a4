"""The finite periodic square lattice: Kaufman's formula, exact integers, the law of the magnetization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_integer
from rbmflow.ising.density_of_states import (
    MAX_DENSITY_SITES,
    DensityOfStates,
    torus_density_of_states,
)
from rbmflow.ising.joint_density_of_states import (
    JointDensityOfStates,
    check_joint_work,
    torus_joint_density_of_states,
)
from rbmflow.ising.kaufman import CRITICAL_COUPLING
from rbmflow.ising.law import Law
from rbmflow.ising.solved import Solved
from rbmflow.ising.symmetry import Turn
from rbmflow.ising.torus_law import magnetization_law, mean_square
from rbmflow.ising.torus_thermodynamics import energy, heat_capacity, log_partition

if TYPE_CHECKING:
    from rbmflow.typing import (
        MPF,
        ArrayLike,
        ExactArray,
        ExactArrayLike,
        ExactNumber,
        ExactNumbers,
        Number,
        Numbers,
    )

MAX_SIDE = 10**6


@dataclass(frozen=True)
class Torus(Solved):
    """Ising spins on a square lattice with periodic boundaries.

    The law is that of ``−βH = K Σ v_i v_j`` over 2 n_rows n_cols bonds.

    Parameters
    ----------
    n_rows, n_cols : int
        Sides, 2 to 10⁶. Along a side of 2 every pair of neighbours has two bonds.

    See Also
    --------
    Ring : In one dimension.
    rbmflow.sampling.run : Configurations.
    onsager.energy : The infinite lattice.

    Notes
    -----
    With two even sides K → −K leaves ln Z unchanged. With an odd side K < 0 is frustrated: the four products
    of Kaufman's formula then cancel, and float64 results too come from evaluations at raised precision, at a
    cost that grows with ``|K|`` (n_rows + n_cols); so do heat capacities at ``|K| > 0.75``. All other
    float64 results are evaluated together, in a time of about 20 to 60 ns times the longer side for each
    coupling.

    References
    ----------
    * B. Kaufman, Phys. Rev. 76, 1232 (1949).
    * P. D. Beale, Phys. Rev. Lett. 76, 78 (1996).

    Examples
    --------
    >>> torus = Torus(16, 16)
    >>> print(round(torus.energy(0.5), 12))
    -1.745530668991
    >>> torus.density_of_states().total == 2**256
    True
    """

    name: ClassVar[str] = "torus"
    critical_coupling: ClassVar[float] = CRITICAL_COUPLING
    critical_source: ClassVar[str] = "L. Onsager, Phys. Rev. 65, 117 (1944)"
    steps: ClassVar[tuple[tuple[int, ...], ...]] = ((0, 1), (1, 0))
    turns: ClassVar[tuple[Turn, ...]] = (
        (((-1, 0), (0, 1)), (0, 0)),
        (((1, 0), (0, -1)), (0, 0)),
        (((0, 1), (1, 0)), (0, 0)),
    )

    n_rows: int
    n_cols: int

    def __post_init__(self) -> None:
        for side in ("n_rows", "n_cols"):
            object.__setattr__(self, side, check_integer(side, getattr(self, side), 2, MAX_SIDE))

    @overload
    def log_partition(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def log_partition(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def log_partition(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def log_partition(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def log_partition(self, K: object, *, dps: int | None = None) -> Any:
        """Return ln Z, the total, from Kaufman's four products (module `rbmflow.ising.kaufman`).

        Time O(n_rows + n_cols) for each coupling.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`; infinite at K = ±∞.

        Raises
        ------
        PrecisionError
            If the products cancel to more than 20 000 digits, on a torus of more than 256 sites.

        Examples
        --------
        >>> Torus(4, 4).log_partition([0.0, 0.5])
        array([11.0904, 17.1054])
        """
        return log_partition(self.n_rows, self.n_cols, K, dps)

    @overload
    def energy(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def energy(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def energy(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def energy(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def energy(self, K: object, *, dps: int | None = None) -> Any:
        """Return the energy per site in J, ``−(1/n) d ln Z/dK``.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Raises
        ------
        PrecisionError
            If the products cancel to more than 20 000 digits, on a torus of more than 256 sites.

        Examples
        --------
        >>> Torus(4, 4).energy([0.0, 0.5, float("inf")])
        array([ 0.    , -1.7554, -2.    ])
        """
        return energy(self.n_rows, self.n_cols, K, dps)

    @overload
    def heat_capacity(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def heat_capacity(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def heat_capacity(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def heat_capacity(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def heat_capacity(self, K: object, *, dps: int | None = None) -> Any:
        """Return the heat capacity per site in k_B, ``(K²/n) d² ln Z/dK²``.

        Time O(n_rows + n_cols) for each coupling.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Raises
        ------
        PrecisionError
            If the products cancel to more than 20 000 digits, on a torus of more than 256 sites.

        Examples
        --------
        >>> print(round(Torus(64, 64).heat_capacity(0.44), 4))
        2.2205
        """
        return heat_capacity(self.n_rows, self.n_cols, K, dps)

    @overload
    def susceptibility(self, K: Number, *, dps: None = None) -> float: ...
    @overload
    def susceptibility(self, K: ArrayLike, *, dps: None = None) -> FloatArray: ...
    @overload
    def susceptibility(self, K: ExactNumber, *, dps: int) -> MPF: ...
    @overload
    def susceptibility(self, K: ExactArrayLike, *, dps: int) -> ExactArray: ...
    def susceptibility(self, K: Any, *, dps: int | None = None) -> Any:
        """Return ``⟨V²⟩/n``, per site, from the law of the magnetization.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        float, numpy.ndarray, mpmath.mpf or array of mpf
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the torus is beyond the limits of `magnetization_law`.

        Examples
        --------
        >>> Torus(4, 4).susceptibility([0.0, 0.5, float("inf")])
        array([ 1.    , 13.9027, 16.    ])
        """
        if dps is None:
            return np.asarray(self.magnetization_law(K).moment(2) / self.n_sites)[()]
        return mean_square(self.joint_density_of_states(), K, dps)

    @overload
    def magnetization_law(self, K: Numbers, *, dps: None = None) -> Law: ...
    @overload
    def magnetization_law(self, K: ExactNumbers, *, dps: int) -> Law: ...
    def magnetization_law(self, K: object, *, dps: int | None = None) -> Law:
        """Return the law of the magnetization ``V = Σ v_i``, a sum of positive terms.

        It comes from the joint counts, where these take a second or so, as of 8 × 8, or digits are asked
        for. Of other tori it is summed in float64 for each coupling by a transfer matrix, 10 × 10 in a
        twentieth of a second and 12 × 12 in 1.3 s; where that is frustrated, K < 0 with an odd side, the
        counts are needed.

        Time O(4^w w l²) for each coupling, w ≤ l, where weights are summed.

        Parameters
        ----------
        K : array_like
            Couplings βJ of any sign; with `dps` also decimal strings, fractions or mpf.
        dps : int, optional
            Correct decimal digits; float64 without it.

        Returns
        -------
        Law
            ``values`` −n, −n + 2, …, n and ``probabilities`` of shape ``(*K.shape, n + 1)``. In float64,
            values more than 300 orders of magnitude below the largest are returned as 0.

        Raises
        ------
        ValueError
            If the shorter side exceeds 12, or the torus is so long that it would take much longer than
            12 × 12; with digits, or frustrated, if it is beyond the limits of `joint_density_of_states`.

        Examples
        --------
        >>> Torus(2, 2).magnetization_law(0.25).probabilities
        array([0.2732, 0.1479, 0.1579, 0.1479, 0.2732])
        """
        return magnetization_law(self.n_rows, self.n_cols, K, dps)

    def density_of_states(self) -> DensityOfStates:
        """Return the number of configurations for each energy, in exact integers, from Kaufman's polynomial.

        Time O(N^(5/2) ln N) for a square of N sites.

        Returns
        -------
        DensityOfStates
            Python integers; computed once for each pair of sides. 16 × 16 takes a hundredth of a second,
            32 × 32 0.15 s, 64 × 64 six seconds.

        Raises
        ------
        ValueError
            If the torus has more than 4096 sites.

        Examples
        --------
        >>> Torus(2, 2).density_of_states()
        DensityOfStates(n_rows=2, n_cols=2, energy=(-8, 0, 8), count=(2, 12, 2))
        """
        if self.n_sites > MAX_DENSITY_SITES:
            raise ValueError(
                f"a torus of {self.n_rows} x {self.n_cols} sites: "
                f"at most {MAX_DENSITY_SITES} sites are possible"
            )
        return torus_density_of_states(self.n_rows, self.n_cols)

    def joint_density_of_states(self) -> JointDensityOfStates:
        """Return the number of configurations for each energy and magnetization, in exact integers.

        By a transfer matrix, spin by spin; computed once for each pair of sides. 8 × 8 takes a tenth of a
        second, 10 × 10 12 seconds and 80 MB for each thread (``RBMFLOW_NUM_THREADS``).

        Time O(4^w w² l³) for sides w ≤ l of up to 67 sites, and O(4^w w³ l⁴) beyond.

        Returns
        -------
        JointDensityOfStates
            Python integers.

        Raises
        ------
        ValueError
            If the shorter side exceeds 10, or the torus is so long that it would take more than half a minute
            (2 × 500, 4 × 152, 6 × 59, 8 × 25 and 10 × 12 are the longest).

        Examples
        --------
        >>> len(Torus(4, 4).joint_density_of_states())
        80
        """
        check_joint_work(self.n_rows, self.n_cols)
        return torus_joint_density_of_states(self.n_rows, self.n_cols)
