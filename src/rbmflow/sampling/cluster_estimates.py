"""What the clusters of a run say beside its configurations: their sizes, and means with less noise."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.estimate import Estimate
from rbmflow.sampling.compiled_chains import weak
from rbmflow.sampling.quantities import in_field

if TYPE_CHECKING:
    from rbmflow.ising.lattice import Lattice

CLUSTER_SERIES = (
    "cluster_size",
    "squared_cluster_size",
    "improved_squared_magnetization",
    "improved_fourth_magnetization",
)
"""Series that only runs of clusters have."""
CLUSTER_ESTIMATED = (
    "cluster_size",
    "squared_cluster_size",
    "improved_squared_magnetization",
    "improved_susceptibility",
    "improved_binder_cumulant",
)
"""What a run estimates of its clusters, each as ``NAME_estimate``; the last with all of them alone."""


def cluster_series(sums: FloatArray | None, n_sites: int, rule: str) -> dict[str, FloatArray]:
    """Return the series of a run by name, of the sums that kernels return: see ext/simd/clusters.h."""
    if sums is None:
        return {}
    units = (1, 1, n_sites**2, float(n_sites) ** 4)
    found = {name: sums[..., i] / units[i] for i, name in enumerate(CLUSTER_SERIES)}
    if rule == "wolff":
        del found["improved_fourth_magnetization"]  # which a single cluster cannot tell
    return found


class ClusterEstimates:
    """Estimates of a `Run` whose rule is ``"wolff"`` or ``"swendsen_wang"``.

    A division into clusters C leaves the sign of each of them to a fair coin, so that given the division

    - ``⟨m²⟩ = Σ M_C²/n²``, M_C being the sum of the spins of C, and
      ``⟨m⁴⟩ = [3 (Σ M_C²)² − 2 Σ M_C⁴]/n⁴``, whatever the signs of K and of the couplings;
    - the cluster of a random site, of s sites, has in the mean ``⟨s⟩ = Σ s²/n`` and ``⟨M_C²/s⟩ = Σ M_C²/n``:
      what Swendsen and Wang's division sums, Wolff's cluster samples.

    With ferromagnetic bonds ``M_C = ±s``, so that ⟨s⟩ is the susceptibility ``⟨V²⟩/n``. If bonds of other
    signs can all be satisfied at once, spins in a cluster alternate as in that ground state ε, and ⟨s⟩ is the
    staggered susceptibility ``⟨(Σ ε_i v_i)²⟩/n``; the improved moments of m remain those of m. With
    frustration ⟨s⟩ is the sum of the chances that two sites are in one cluster, over n: no susceptibility.

    In a field the ghost spin counts in no size and in no sum, its cluster as any other: even powers of m are
    the same in the law of spins and ghost together, which is symmetric.
    """

    if TYPE_CHECKING:
        lattice: Lattice
        K: FloatArray
        rule: str
        field: float
        magnetization: FloatArray
        cluster_size: FloatArray | None
        squared_cluster_size: FloatArray | None
        improved_squared_magnetization: FloatArray | None
        improved_fourth_magnetization: FloatArray | None

        @property
        def coupling(self) -> float:
            """The coupling of all chains."""

        def _mean(self, name: str, series: FloatArray) -> Estimate: ...
        def _function(self, name: str, function: Any, *series: FloatArray) -> Estimate: ...

    @cached_property
    def cluster_size_estimate(self) -> Estimate:
        """``⟨s⟩``, the mean number of sites in the cluster of a random site.

        Without field and frustration the susceptibility of the ferromagnetic order, or of the staggered one.

        Raises
        ------
        ValueError
            If the run has no clusters; so do the estimates below.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> chains = sampling.run(Ring(8), -0.5, n_chains=8, n_sweeps=400, rule="wolff", rng=1)
        >>> abs(chains.cluster_size_estimate.deviation(Ring(8).susceptibility(0.5))) < 4
        True
        """
        return self._mean("cluster size", self._clusters("cluster_size"))

    @cached_property
    def squared_cluster_size_estimate(self) -> Estimate:
        """``⟨s²⟩`` of the cluster of a random site."""
        return self._mean("squared cluster size", self._clusters("squared_cluster_size"))

    @cached_property
    def improved_squared_magnetization_estimate(self) -> Estimate:
        """``⟨m²⟩`` from clusters, with less noise than `squared_magnetization_estimate`."""
        series = self._clusters("improved_squared_magnetization")
        return self._mean("improved squared magnetization", series)

    @cached_property
    def improved_susceptibility_estimate(self) -> Estimate:
        """``⟨V²⟩/n``, per site, from clusters, with less noise than `susceptibility_estimate`.

        In a field ``(⟨V²⟩ − ⟨V⟩²)/n``, where ⟨V⟩ is not from clusters.

        Examples
        --------
        >>> from rbmflow import Torus, sampling
        >>> torus = Torus(16, 16)
        >>> chains = sampling.run(torus, 0.3, n_chains=8, n_sweeps=400, rule="swendsen_wang", rng=1)
        >>> plain, improved = chains.susceptibility_estimate, chains.improved_susceptibility_estimate
        >>> improved.stderr < 0.5 * plain.stderr
        True
        """
        name, n = "improved susceptibility", self.lattice.n_sites
        series = self._clusters("improved_squared_magnetization")
        if not in_field(self.lattice, self.field):
            return self._mean(name, n * series)
        return self._function(name, lambda m2, m: n * (m2 - m**2), series, self.magnetization)

    @cached_property
    def improved_binder_cumulant_estimate(self) -> Estimate:
        """``1 − ⟨m⁴⟩/(3⟨m²⟩²)`` from clusters of Swendsen and Wang; jackknife error.

        NaN where no cluster has a magnetization, as those of a perfect antiferromagnet.

        Raises
        ------
        ValueError
            Also with Wolff's: ⟨m⁴⟩ needs pairs of clusters.
        """
        with np.errstate(invalid="ignore"):
            return self._function(
                "improved binder cumulant",
                lambda m4, m2: 1 - np.divide(m4, 3 * m2**2),
                self._clusters("improved_fourth_magnetization"),
                self._clusters("improved_squared_magnetization"),
            )

    @cached_property
    def sweeps_per_update(self) -> float:
        """How many sweeps an update of the rule is: with Wolff flipped sites over n, else 1.

        ``⟨s⟩/n`` of Wolff's clusters; couplings so weak that all clusters are drawn instead count 1.

        Raises
        ------
        ValueError
            If no cluster was measured.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> chains = sampling.run(Ring(8), 0.5, n_chains=8, n_sweeps=400, rule="wolff", rng=1)
        >>> bool(abs(chains.sweeps_per_update - Ring(8).susceptibility(0.5) / 8) < 0.03)
        True
        """
        if self.rule != "wolff" or weak(self.lattice, np.array(self.coupling)):
            return 1.0
        sizes = self._clusters("cluster_size")
        if not sizes.size:
            raise ValueError("n_sweeps: the run has no measurement, and no cluster's size")
        return float(sizes.mean()) / self.lattice.n_sites

    def in_sweeps(self, estimate: Estimate) -> Estimate:
        """Return an estimate of this run with its autocorrelation time in sweeps, of n sites flipped each.

        With Wolff's rule `tau` counts clusters, whose cost depends on K and on the size of the lattice; in
        sweeps it compares with other rules. They are left as they are.

        Parameters
        ----------
        estimate : Estimate
            One of this run.

        Returns
        -------
        Estimate
            With `tau` and its error times `sweeps_per_update`.

        Examples
        --------
        >>> from rbmflow import Torus, sampling
        >>> torus = Torus(16, 16)
        >>> chains = sampling.run(
        ...     torus, torus.critical_coupling, n_chains=8, n_sweeps=2000, rule="wolff", rng=1
        ... )
        >>> energy = chains.energy_estimate
        >>> chains.in_sweeps(energy).tau < 0.7 * energy.tau
        True
        """
        if not isinstance(estimate, Estimate):
            raise TypeError(f"estimate={shown(estimate)}: an Estimate of this run is needed")
        factor = self.sweeps_per_update
        return replace(estimate, tau=estimate.tau * factor, tau_stderr=estimate.tau_stderr * factor)

    @property
    def estimated_of_clusters(self) -> tuple[str, ...]:
        """What this run estimates of its clusters, each as ``NAME_estimate``."""
        if self.cluster_size is None:
            return ()
        return CLUSTER_ESTIMATED[: -1 if self.improved_fourth_magnetization is None else None]

    def _clusters(self, name: str) -> FloatArray:
        series: FloatArray | None = getattr(self, name)
        if series is None:
            needed = "'swendsen_wang'" if self.rule == "wolff" else "'wolff' or 'swendsen_wang'"
            raise ValueError(f"rule={self.rule!r}: {name.replace('_', ' ')} needs a run with rule={needed}")
        return series
