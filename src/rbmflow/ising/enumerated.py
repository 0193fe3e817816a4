"""Exact values of any small lattice, couplings and fields included: sums over all its configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import FloatArray, check_real
from rbmflow.ising.lattice import Lattice
from rbmflow.ising.law import Law, magnetizations
from rbmflow.ising.level_table import check_listed, check_sites, level_table, log_weights
from rbmflow.ising.levels import EnergyLevels, JointLevels, energy_levels, joint_levels
from rbmflow.ising.state_sums import StateSums, state_sums
from rbmflow.state_law import StateLaw, law_of_all
from rbmflow.workers import Progress, check_progress

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, Number, Numbers

LEAST = 1e-290
"""Probabilities relative to the largest below which weights may have been left out."""


class Enumerated(Lattice):
    """A lattice whose exact values are sums over all configurations, of up to 36 spins."""

    def enumerate(self, *, n_threads: int | None = None, progress: Progress | None = None) -> JointLevels:
        """Return the number of configurations for each energy and magnetization, exactly.

        Every configuration is visited; without fields, or in a uniform one, together with its global spin
        flip. Energies are sums of whole multiples of units: couplings and fields whose ratios are fractions
        of small denominators but for rounding have one unit, and are taken for exact multiples of it. So 0.1
        + 0.2 and 0.3 are one energy, and so are all sums of the same couplings, in whatever order. Where
        there are many units, as of random real couplings, all configurations are listed, and energies that
        are equal as float64 are one.

        Time O(2^n), a third of a nanosecond for each configuration visited; where all are listed half a
        microsecond, and 110 bytes of memory.

        Parameters
        ----------
        n_threads : int, optional
            Threads; by default ``RBMFLOW_NUM_THREADS``, else the processors available. The result does not
            depend on them.
        progress : callable, optional
            Called about ten times a second as ``progress(done, total)``, in configurations.

        Returns
        -------
        JointLevels
            Energies, magnetizations and counts.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, or more than 24 and no few units.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> levels = Graph.from_bonds(3, [(0, 1), (1, 2)], [0.1, -0.2], fields=0.3).enumerate()
        >>> levels.energy.round(6).tolist(), levels.count.tolist()
        ([-0.8, -0.6, -0.4, 0.0, 0.0, 0.2, 0.6, 1.0], [1, 1, 1, 1, 1, 1, 1, 1])
        """
        check_sites(self.n_sites)
        return joint_levels(level_table(self.to_graph(), n_threads, check_progress(progress)))

    def density_of_states(self, *, n_threads: int | None = None) -> EnergyLevels:
        """Return the number of configurations for each energy, exactly; as `enumerate`, without V.

        Time O(2^n), a third of a nanosecond for each configuration visited; where all energies are listed a
        tenth of a microsecond, and 36 bytes of memory.

        Parameters
        ----------
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        EnergyLevels
            Energies and counts.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites, or more than 24 and no few units.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> Graph.from_bonds(3, [(0, 1), (1, 2)], -1.0).density_of_states()
        EnergyLevels(n_sites=3, energy=array([-2.,  0.,  2.]), count=array([2, 4, 2]))
        """
        check_sites(self.n_sites)
        return energy_levels(self.to_graph(), n_threads)

    @overload
    def log_partition(self, K: Number, *, n_threads: int | None = None) -> float: ...
    @overload
    def log_partition(self, K: ArrayLike, *, n_threads: int | None = None) -> FloatArray: ...
    def log_partition(self, K: object, *, n_threads: int | None = None) -> Any:
        """Return ln Z, the total, of ``−βH = K (Σ J_ij v_i v_j + Σ h_i v_i)``.

        Time O(2^n): of couplings of few units a third of a nanosecond for each configuration, however many K;
        of others about a nanosecond for each configuration and K. What was summed for a K is kept for a
        while, so that other averages at the same K are immediate.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`; infinite at K = ±∞ if there are couplings or fields.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> Graph.from_bonds(3, [(0, 1), (1, 2)], 0.5).log_partition([0.0, 1.0, 50.0])
        array([ 2.0794,  2.3197, 50.6931])
        """
        couplings, sums = self._sums(K, n_threads)
        logs = np.log(sums.weights.sum(axis=1))
        moving = sums.reference != 0  # 0 times infinity else
        with np.errstate(over="ignore", under="ignore"):  # beyond the range of floats it is infinite
            logs[moving] -= couplings.ravel()[moving] * sums.reference[moving]
        return _shaped(logs, couplings)

    @overload
    def energy(self, K: Number, *, n_threads: int | None = None) -> float: ...
    @overload
    def energy(self, K: ArrayLike, *, n_threads: int | None = None) -> FloatArray: ...
    def energy(self, K: object, *, n_threads: int | None = None) -> Any:
        """Return the energy per site, ``⟨−Σ J_ij v_i v_j − Σ h_i v_i⟩/n = −(1/n) d ln Z/dK``.

        Time O(2^n), as for `log_partition`.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`; that of the ground states at K = ∞, of the highest states at −∞.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> Graph.from_bonds(3, [(0, 1), (1, 2), (0, 2)], -1.0).energy([0.0, 1.0, float("inf")])
        array([ 0.    , -0.3252, -0.3333])
        """
        couplings, sums = self._sums(K, n_threads)
        return _shaped((sums.reference + sums.rise) / self.n_sites, couplings)

    @overload
    def heat_capacity(self, K: Number, *, n_threads: int | None = None) -> float: ...
    @overload
    def heat_capacity(self, K: ArrayLike, *, n_threads: int | None = None) -> FloatArray: ...
    def heat_capacity(self, K: object, *, n_threads: int | None = None) -> Any:
        """Return the heat capacity per site in k_B, ``(K²/n) d² ln Z/dK²``.

        Time O(2^n), as for `log_partition`.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`; 0 at K = ±∞.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> print(round(Graph.from_bonds(2, [(0, 1)]).heat_capacity(0.5), 6))
        0.098306
        """
        couplings, sums = self._sums(K, n_threads)
        widths = np.zeros(len(sums.deviation))
        spread = sums.deviation > 0  # 0 times infinity else
        with np.errstate(under="ignore"):
            widths[spread] = couplings.ravel()[spread] * sums.deviation[spread]
            return _shaped(widths**2 / self.n_sites, couplings)

    @overload
    def magnetization(self, K: Number, *, n_threads: int | None = None) -> float: ...
    @overload
    def magnetization(self, K: ArrayLike, *, n_threads: int | None = None) -> FloatArray: ...
    def magnetization(self, K: object, *, n_threads: int | None = None) -> Any:
        """Return ``⟨V⟩/n``, per site: 0 without fields.

        Time O(2^n), as for `log_partition`.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> print(round(Graph.from_bonds(2, [(0, 1)], fields=[0.5, 0.0]).magnetization(1.0), 4))
        0.407
        """
        couplings, law = self._law(K, n_threads)
        return _shaped((law * magnetizations(self.n_sites)).sum(axis=1) / self.n_sites, couplings)

    @overload
    def susceptibility(self, K: Number, *, n_threads: int | None = None) -> float: ...
    @overload
    def susceptibility(self, K: ArrayLike, *, n_threads: int | None = None) -> FloatArray: ...
    def susceptibility(self, K: object, *, n_threads: int | None = None) -> Any:
        """Return ``(⟨V²⟩ − ⟨V⟩²)/n``, per site: the derivative of ⟨V⟩/n by K h in a uniform field h.

        Time O(2^n), as for `log_partition`.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `K`.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> print(round(Graph.from_bonds(2, [(0, 1)]).susceptibility(1.0), 4))
        1.7616
        """
        couplings, law = self._law(K, n_threads)
        values = magnetizations(self.n_sites)
        away = values - (law * values).sum(axis=1, keepdims=True)
        return _shaped((law * away**2).sum(axis=1) / self.n_sites, couplings)

    def magnetization_law(self, K: Numbers, *, n_threads: int | None = None) -> Law:
        """Return the law of the magnetization ``V = Σ v_i``, a sum of positive terms.

        Time O(2^n), as for `log_partition`.

        Parameters
        ----------
        K : array_like
            Couplings β of any sign.
        n_threads : int, optional
            Threads; the result does not depend on them.

        Returns
        -------
        Law
            ``values`` −n, −n + 2, …, n and ``probabilities`` of shape ``(*K.shape, n + 1)``. Values more than
            290 orders of magnitude below the largest are returned as 0.

        Raises
        ------
        ValueError
            If the lattice has more than 36 sites.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> Graph.from_bonds(2, [(0, 1)], -1.0).magnetization_law(0.5).probabilities
        array([0.1345, 0.7311, 0.1345])
        """
        couplings, law = self._law(K, n_threads)
        return Law(magnetizations(self.n_sites), law.reshape(*couplings.shape, -1))

    def state_law(self, K: float) -> StateLaw:
        """Return ``q(v) = e^(−K E(v))/Z`` over all 2^n configurations, as `ising.state_law` does.

        Parameters
        ----------
        K : float
            Coupling β, finite.

        Returns
        -------
        StateLaw
            The states in the order of `spins.all_states`.

        Raises
        ------
        ValueError
            If the lattice has more than 24 sites: its states cannot be listed.

        Examples
        --------
        >>> from rbmflow import Graph
        >>> Graph.from_bonds(2, [(0, 1)]).state_law(0.5).probabilities
        array([0.3655, 0.1345, 0.1345, 0.3655])
        """
        coupling = check_listed(self.n_sites, K)
        return law_of_all(log_weights(self.to_graph(), coupling))

    def _sums(self, K: object, n_threads: int | None) -> tuple[FloatArray, StateSums]:
        couplings = check_real("K", K)
        check_sites(self.n_sites)
        return couplings, state_sums(self.to_graph(), couplings.ravel(), n_threads)

    def _law(self, K: object, n_threads: int | None) -> tuple[FloatArray, FloatArray]:
        couplings, sums = self._sums(K, n_threads)
        law = sums.weights / sums.weights.sum(axis=1, keepdims=True)
        law[law < LEAST * law.max(axis=1, keepdims=True)] = 0.0
        return couplings, law


def _shaped(values: FloatArray, couplings: FloatArray) -> Any:
    return values.reshape(couplings.shape)[()]
