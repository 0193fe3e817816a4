"""Lattices whose exact values come from transfer matrices where one side is short, else from all states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from rbmflow.arguments import FloatArray, check_real
from rbmflow.ising.crystal import Crystal
from rbmflow.ising.enumerated import Enumerated
from rbmflow.ising.level_table import MAX_SITES
from rbmflow.ising.strips.slices import MAX_WIDTH
from rbmflow.ising.strips.values import (
    BY_FIELD,
    ORDER,
    best_slices,
    check_field,
    log_partition_jet,
    per_site,
    too_cold,
)

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Number

FEW_SITES = 20


class Transferred(Enumerated, Crystal):
    """A crystal with exact values, in a uniform field too, where it is small or narrow.

    Up to 20 sites they are sums over all states; so are they up to 36 where there is no other way. Else a
    transfer matrix is applied site by site along one axis, for all K together, and derivatives are taken
    along with it. A cross-section may have 12 sites with bonds to the next: a honeycomb lattice rows of 12
    cells. Time O(w 2^w n) for cross-sections of w sites and n of them where that axis is open, and
    O(w 4^w n/s) where it is periodic, s the number of symmetries of a cross-section; where n is large
    O(8^w/s log n). A periodic lattice of 12 x 12 takes a second, one of 12 x 10⁶ ten.
    """

    @overload
    def log_partition(self, K: Number, *, field: float = 0.0, n_threads: int | None = None) -> float: ...
    @overload
    def log_partition(
        self, K: ArrayLike, *, field: float = 0.0, n_threads: int | None = None
    ) -> FloatArray: ...
    def log_partition(self, K: object, *, field: float = 0.0, n_threads: int | None = None) -> Any:
        """Return ln Z, the total, of ``−βH = K (Σ J v_i v_j + h Σ v_i)``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.
        n_threads : int, optional
            Threads that visit states; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`; infinite at K = ±∞.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, and each cross-section more than 12, or ``|K|`` is so large
            that weights underflow, which can be where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> print(round(Triangular(6, 12).log_partition(0.2), 6))
        55.897835
        """
        return self._value("log_partition", K, field, n_threads)

    @overload
    def energy(self, K: Number, *, field: float = 0.0, n_threads: int | None = None) -> float: ...
    @overload
    def energy(self, K: ArrayLike, *, field: float = 0.0, n_threads: int | None = None) -> FloatArray: ...
    def energy(self, K: object, *, field: float = 0.0, n_threads: int | None = None) -> Any:
        """Return the energy per site, ``⟨−Σ J v_i v_j − h Σ v_i⟩/n = −(1/n) d ln Z/dK``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.
        n_threads : int, optional
            Threads that visit states; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, and each cross-section more than 12, or ``|K|`` is so large
            that weights underflow, which can be where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Honeycomb
        >>> Honeycomb(4, 10**6, periodic=(True, False)).energy([0.0, 0.6, float("inf")])
        array([ 0.    , -1.0084, -1.5   ])
        """
        return self._value("energy", K, field, n_threads)

    @overload
    def heat_capacity(self, K: Number, *, field: float = 0.0, n_threads: int | None = None) -> float: ...
    @overload
    def heat_capacity(
        self, K: ArrayLike, *, field: float = 0.0, n_threads: int | None = None
    ) -> FloatArray: ...
    def heat_capacity(self, K: object, *, field: float = 0.0, n_threads: int | None = None) -> Any:
        """Return the heat capacity per site in k_B, ``(K²/n) d² ln Z/dK²``.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.
        n_threads : int, optional
            Threads that visit states; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, and each cross-section more than 12, or ``|K|`` is so large
            that weights underflow, which can be where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Hypercubic
        >>> print(round(Hypercubic((8, 8)).heat_capacity(0.44), 6))
        1.148951
        """
        return self._value("heat_capacity", K, field, n_threads)

    @overload
    def magnetization(self, K: Number, *, field: float = 0.0, n_threads: int | None = None) -> float: ...
    @overload
    def magnetization(
        self, K: ArrayLike, *, field: float = 0.0, n_threads: int | None = None
    ) -> FloatArray: ...
    def magnetization(self, K: object, *, field: float = 0.0, n_threads: int | None = None) -> Any:
        """Return ``⟨V⟩/n``, per site: 0 without a field.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.
        n_threads : int, optional
            Threads that visit states; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, and each cross-section more than 12, or ``|K|`` is so large
            that weights underflow, which can be where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Triangular
        >>> Triangular(6, 100).magnetization([0.1, 0.3], field=0.1)
        array([0.0214, 0.8892])
        """
        return self._value("magnetization", K, field, n_threads)

    @overload
    def susceptibility(self, K: Number, *, field: float = 0.0, n_threads: int | None = None) -> float: ...
    @overload
    def susceptibility(
        self, K: ArrayLike, *, field: float = 0.0, n_threads: int | None = None
    ) -> FloatArray: ...
    def susceptibility(self, K: object, *, field: float = 0.0, n_threads: int | None = None) -> Any:
        """Return ``(⟨V²⟩ − ⟨V⟩²)/n``, per site: the derivative of ⟨V⟩/n by K h.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        field : float
            h of each site, in units of J.
        n_threads : int, optional
            Threads that visit states; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, and each cross-section more than 12, or ``|K|`` is so large
            that weights underflow, which can be where no configuration satisfies all bonds.

        Examples
        --------
        >>> from rbmflow import Hypercubic
        >>> print(round(Hypercubic((4, 4)).susceptibility(0.5), 4))
        13.9027
        """
        return self._value("susceptibility", K, field, n_threads)

    def _value(self, quantity: str, K: object, field: object, n_threads: int | None) -> Any:
        h, slices = check_field(field), best_slices(self)
        large = self.n_sites > MAX_SITES
        if slices is None and large:
            raise ValueError(
                f"a {self.label}: a cross-section of at most {MAX_WIDTH} sites with bonds to the next is "
                f"needed, or at most {MAX_SITES} sites in all"
            )
        if (
            slices is None
            or self.n_sites <= FEW_SITES
            or (not large and too_cold(slices, check_real("K", K).ravel(), h).any())
        ):
            return getattr(self.to_graph(h), quantity)(K, n_threads=n_threads)
        jet = log_partition_jet(slices, K, h, ORDER[quantity], quantity in BY_FIELD)
        return per_site(jet, quantity, self.n_sites)
