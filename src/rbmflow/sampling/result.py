"""What a run of chains gives: series, estimates with errors, and the state to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, check_choice, check_integer, check_real_scalar, shown
from rbmflow.estimate import Estimate
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.records.dataset import chains
from rbmflow.sampling.cluster_estimates import CLUSTER_SERIES, ClusterEstimates
from rbmflow.sampling.measurements import measured
from rbmflow.sampling.observables import observables
from rbmflow.sampling.quantities import STRUCTURE_FACTOR, Quantity, QuantityName, check_quantity

ESTIMATED = (
    "energy",
    "magnetization",
    "absolute_magnetization",
    "squared_magnetization",
    "susceptibility",
    "heat_capacity",
    "connected_susceptibility",
    "correlation_length",
    "binder_cumulant",
    "binder_cumulant_slope",
    "log_absolute_magnetization_slope",
    "log_squared_magnetization_slope",
)
"""What a run estimates of its energies and magnetizations, each as ``NAME_estimate``."""
SERIES = ("energy", "magnetization", "spins", *CLUSTER_SERIES)
"""Fields that are series along the chains; any may be None."""


@dataclass(frozen=True, eq=False)
class State(Record):
    """Where chains stand: with the couplings and the rule all that is needed to go on.

    Attributes
    ----------
    spins : numpy.ndarray of int8, shape (n_chains, n_sites)
        The present configurations.
    generators : numpy.ndarray of uint64
        States of the xoshiro256++ generators.
    n_sweeps : int
        Sweeps done so far, burn-in included.
    """

    spins: SpinArray
    generators: npt.NDArray[np.uint64] = dataclasses.field(repr=False)
    n_sweeps: int


@dataclass(frozen=True, eq=False)
class Run(ClusterEstimates, Record):
    """Series measured along Markov chains.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    K : numpy.ndarray of float64, shape (n_chains,)
        Coupling of each chain.
    rule, order : str
        How the chains move.
    field : float
        Uniform field h, in units of J.
    thin : int
        Sweeps between measurements.
    spins : numpy.ndarray of int8, shape (n_chains, n_kept, n_sites), or None
        The configurations, if they were kept.
    energy : numpy.ndarray of float64, shape (n_chains, n_kept)
        Energy per site in J, ``−(Σ v_i v_j + h Σ v_i)/n``.
    magnetization : numpy.ndarray of float64, shape (n_chains, n_kept)
        Magnetization per site, with its sign.
    state : State or None
        What ``run(..., initial=this)`` goes on from; None for a part of a run.
    observables : dict of str to numpy.ndarray of float64, shape (n_chains, n_kept) or (n_chains, n_kept, k)
        What the functions that were given measured, by their names.
    cluster_size, squared_cluster_size : numpy.ndarray of float64, shape (n_chains, n_kept), or None
        Of clusters, and None with other rules: ``Σ s²/n`` and ``Σ s³/n`` over the clusters, of s sites, of
        the last division before the measurement; with Wolff's rule s and s² of the last cluster, which is
        that of a random site. The means are the same.
    improved_squared_magnetization, improved_fourth_magnetization : numpy.ndarray of float64 or None
        Means of m² and m⁴ over the signs of these clusters, see `improved_susceptibility_estimate`; a single
        cluster has no m⁴.
    """

    lattice: Lattice
    K: FloatArray
    rule: str
    order: str
    field: float
    thin: int
    spins: SpinArray | None = dataclasses.field(repr=False)
    energy: FloatArray = dataclasses.field(repr=False)
    magnetization: FloatArray = dataclasses.field(repr=False)
    state: State | None = dataclasses.field(repr=False)
    observables: Mapping[str, FloatArray] = dataclasses.field(default_factory=dict, repr=False)
    cluster_size: FloatArray | None = dataclasses.field(default=None, repr=False)
    squared_cluster_size: FloatArray | None = dataclasses.field(default=None, repr=False)
    improved_squared_magnetization: FloatArray | None = dataclasses.field(default=None, repr=False)
    improved_fourth_magnetization: FloatArray | None = dataclasses.field(default=None, repr=False)

    def after(self, n_draws: int) -> Run:
        """Return the run without its first measurements.

        Parameters
        ----------
        n_draws : int
            How many are left out, for example what `equilibration` says.

        Returns
        -------
        Run
            It goes on as the whole does.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> sampling.run(Ring(8), 0.5, n_sweeps=100, rng=1).after(20).energy.shape
        (1, 80)
        """
        first = check_integer("n_draws", n_draws, 0, self.energy.shape[1])
        return self._with_series({name: series[:, first:] for name, series in self.series.items()})

    def at(self, K: float) -> Run:
        """Return the part of the run with one coupling.

        Parameters
        ----------
        K : float
            A coupling of some chains.

        Returns
        -------
        Run
            Its chains; it cannot be continued.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> ladder = sampling.run(Ring(8), [0.1, 0.5], n_sweeps=100, rng=1)
        >>> ladder.at(0.5).energy.shape
        (1, 100)
        """
        here = np.equal(self.K, check_real_scalar("K", K))
        if not here.any():
            raise ValueError(f"K={shown(K)}: the couplings of the chains are {np.unique(self.K).tolist()}")
        series = {name: one[here] for name, one in self.series.items()}
        return self._with_series(series, K=self.K[here], state=None)

    @property
    def series(self) -> dict[str, npt.NDArray[Any]]:
        """All series by name, each of shape ``(n_chains, n_kept, ...)``.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> {name: one.shape for name, one in sampling.run(Ring(8), 0.5, n_sweeps=10, rng=1).series.items()}
        {'energy': (1, 10), 'magnetization': (1, 10), 'spins': (1, 10, 8)}
        """
        own = {name: getattr(self, name) for name in SERIES}
        return {name: one for name, one in own.items() if one is not None} | dict(self.observables)

    def to_xarray(self) -> Any:
        """Return the series as a dataset of xarray, in the layout of arviz.

        ``arviz_stats.ess(run.to_xarray())`` and its other functions read it as it is.

        Returns
        -------
        xarray.Dataset
            ``energy`` and ``magnetization`` over ``chain`` and ``draw``, and ``K`` where the chains have
            several couplings, and so those of clusters and the observables that were asked for; ``spins``,
            if they were kept, over ``site`` as well. A draw is `thin` sweeps.

        Raises
        ------
        ImportError
            Without the extra ``data`` (xarray).
        ValueError
            If there are not as many chains of each coupling.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> chains = sampling.run(Ring(8), [0.1, 0.1, 0.5, 0.5], n_sweeps=100, rng=1)
        >>> dict(chains.to_xarray().sizes)
        {'chain': 2, 'draw': 100, 'K': 2, 'site': 8}
        """
        told = {name: getattr(self, name) for name in ("rule", "order", "field", "thin")}
        return chains(self.series, self.K, {"lattice": self.lattice.label, **told})

    def estimate(self, name: str, component: int | None = None) -> Estimate:
        """Return the estimate of what has this name.

        Parameters
        ----------
        name : str
            One of `observables`, or ``"energy"`` and whatever else has an estimate here.
        component : int, optional
            Which of the k numbers of an observable that has several.

        Returns
        -------
        Estimate
            Of the mean along the chains, which have one coupling, see `at`.

        Warns
        -----
        ConvergenceWarning
            As `Estimate.from_series`.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> first = {"first_bond": lambda spins: spins[:, 0] * spins[:, 1]}
        >>> chains = sampling.run(Ring(8), 0.4, n_chains=8, n_sweeps=400, rng=1, observables=first)
        >>> abs(chains.estimate("first_bond").deviation(Ring(8).correlation(0.4, 1))) < 4
        True
        """
        check_choice("name", name, (*ESTIMATED, *self.estimated_of_clusters, *self.observables))
        if name in self.observables:
            return self._mean(*component_of(name, self.observables[name], component))
        if component is not None:
            raise ValueError(f"component={shown(component)}: {name} is one number")
        found: Estimate = getattr(self, f"{name}_estimate")
        return found

    @cached_property
    def energy_estimate(self) -> Estimate:
        """Energy per site, in J.

        Warns
        -----
        ConvergenceWarning
            Where the run is asked first, if chains are constant, have not mixed or are short, see
            `Estimate.from_series`; so do the other estimates.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> result = sampling.run(Ring(8), 0.0, n_chains=8, n_sweeps=64, initial="up", rng=1)
        >>> print(result.energy_estimate.r_hat < 1.1)
        True
        """
        return self._mean("energy", self.energy)

    @cached_property
    def magnetization_estimate(self) -> Estimate:
        """Magnetization per site, with its sign: 0 by symmetry without field."""
        return self._mean("magnetization", self.magnetization)

    @cached_property
    def absolute_magnetization_estimate(self) -> Estimate:
        """``⟨|m|⟩``, per site."""
        return self._mean("absolute magnetization", np.abs(self.magnetization))

    @cached_property
    def squared_magnetization_estimate(self) -> Estimate:
        """``⟨m²⟩``, per site squared."""
        return self._mean("squared magnetization", self.magnetization**2)

    @cached_property
    def susceptibility_estimate(self) -> Estimate:
        """``n⟨m²⟩ = ⟨V²⟩/n``, per site, and ``n(⟨m²⟩ − ⟨m⟩²)`` in a field; jackknife error.

        What lattices call `susceptibility`: without field ``⟨m⟩ = 0``, and on a finite lattice it goes on
        growing below the critical temperature, up to n.
        """
        return self._quantity("susceptibility")

    @cached_property
    def connected_susceptibility_estimate(self) -> Estimate:
        """``χ′ = n(⟨m²⟩ − ⟨|m|⟩²)``, per site; jackknife error.

        The fluctuation within one phase, with a peak near the critical temperature.
        """
        return self._quantity("connected_susceptibility")

    @cached_property
    def correlation_length_estimate(self) -> Estimate:
        """Second-moment correlation length ``ξ = √(S(0)/S(k) − 1)/k̂``, in lengths of a bond; jackknife error.

        S is the structure factor at the smallest wave vectors, k̂ is ``2 sin(k/2)`` on hypercubic lattices and
        the same measure by the lattice's own steps on others (F. Cooper, B. Freedman and D. Preston, Nucl.
        Phys. B 210, 210 (1982)). S(0) is `susceptibility_estimate`. On every ring without field it is
        ``√t/(1 − t)``, t = tanh K.

        Raises
        ------
        ValueError
            If the run neither kept its spins nor measured ``structure_factor``, see `observables`.
        """
        return self._quantity("correlation_length")

    @cached_property
    def heat_capacity_estimate(self) -> Estimate:
        """``K² n (⟨e²⟩ − ⟨e⟩²)`` per site in k_B, e the energy per site.

        With a jackknife error. The limit 0 at K = 0 and ±∞.
        """
        K, n = self.coupling, self.lattice.n_sites
        vanishes = K == 0 or np.isinf(K)
        # the variance does not depend on a shift, its rounding does
        x = (self.energy - self.energy.mean()) * (1.0 if vanishes else K)
        estimate = self._function("heat capacity", lambda x2, x: n * (x2 - x**2), x**2, x)
        return estimate * 0.0 if vanishes else estimate

    @cached_property
    def binder_cumulant_estimate(self) -> Estimate:
        """``1 − ⟨m⁴⟩/(3⟨m²⟩²)``; jackknife error. NaN where m vanishes throughout."""
        return self._quantity("binder_cumulant")

    @cached_property
    def binder_cumulant_slope_estimate(self) -> Estimate:
        """``dU/dK`` of the Binder cumulant, by covariances with the energy; jackknife error."""
        return self._quantity("binder_cumulant_slope")

    @cached_property
    def log_absolute_magnetization_slope_estimate(self) -> Estimate:
        """``d ln⟨|m|⟩/dK = n(⟨e⟩ − ⟨|m| e⟩/⟨|m|⟩)``, e the energy per site; jackknife error."""
        return self._quantity("log_absolute_magnetization_slope")

    @cached_property
    def log_squared_magnetization_slope_estimate(self) -> Estimate:
        """``d ln⟨m²⟩/dK = n(⟨e⟩ − ⟨m² e⟩/⟨m²⟩)``, e the energy per site; jackknife error."""
        return self._quantity("log_squared_magnetization_slope")

    @property
    def coupling(self) -> float:
        """The coupling of all chains; ValueError if they have several."""
        if len(np.unique(self.K)) != 1:
            raise ValueError(f"the chains have {len(np.unique(self.K))} couplings: choose one with run.at(K)")
        return float(self.K[0])

    def _with_series(self, series: Mapping[str, npt.NDArray[Any]], **changes: Any) -> Run:
        """Return the run with other series, those of `series` alone, and other fields."""
        own: dict[str, Any] = {name: series.get(name) for name in SERIES}
        rest = {name: one for name, one in series.items() if name not in SERIES}
        return replace(self, **own, observables=rest, **changes)

    def _without_series(self) -> Run:
        """Return the run that can be continued, of no measurements."""
        return self._with_series({name: one[:, :0] for name, one in self.series.items()})

    def _mean(self, name: str, series: FloatArray) -> Estimate:
        return Estimate.from_series(series, spacing=self.thin, name=self._at(name))

    def _function(self, name: str, function: Any, *series: FloatArray) -> Estimate:
        return Estimate.jackknife(function, *series, spacing=self.thin, name=self._at(name))

    def _asked(self, name: str) -> Quantity:
        return check_quantity(name, self.lattice, self.field)

    def _quantity(self, name: QuantityName) -> Estimate:
        asked, on, K = self._asked(name), self.lattice, self.coupling
        series = {"energy": self.energy, "magnetization": self.magnetization, **self.observables}
        if name == "correlation_length" and STRUCTURE_FACTOR not in series and self.spins is not None:
            series |= measured({STRUCTURE_FACTOR: observables(on)[STRUCTURE_FACTOR]}, self.spins)
        parts = asked.measured(series)
        return self._function(name.replace("_", " "), lambda *means: asked.value(on, K, *means), *parts)

    def _at(self, name: str) -> str:
        return f"{name} at K = {self.coupling:.6g}"


def component_of(name: str, series: FloatArray, component: int | None) -> tuple[str, FloatArray]:
    """Return what to call one number of an observable, and its series."""
    if series.ndim == 2:
        if component is not None:
            raise ValueError(f"component={shown(component)}: {name} is one number")
        return name.replace("_", " "), series
    if component is None:
        raise ValueError(f"component=None: {name} has {series.shape[2]} numbers, one of them is needed")
    place = check_integer("component", component, 0, series.shape[2] - 1)
    return f"{name.replace('_', ' ')} {place}", series[..., place]
