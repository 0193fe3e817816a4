"""Runs at some couplings, read at others: one histogram, or several together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, check_finite, check_real_scalar
from rbmflow.errors import ConvergenceWarning, warn_caller
from rbmflow.estimate import FEW, Estimate
from rbmflow.hardware import check_memory
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record, Tabular
from rbmflow.sampling.blocks import jackknifed, left_out
from rbmflow.sampling.histograms import connection, log_mixture, log_partitions
from rbmflow.sampling.quantities import Quantity, QuantityName, check_quantity

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

SHARE = 0.3
"""Of the measurements at the coupling of a run, that have to count: with fewer those from the edge of the
histogram do, which are too rare for the jackknife to know how rare."""
FARTHEST = 10
"""Standard deviations of the energy, in whose inverse couplings are measured: ground states reach any."""
CONNECTED = 10
"""Independent measurements that have to connect the histograms."""


@dataclass(frozen=True, eq=False)
class Curve(Tabular):
    """A quantity over couplings.

    Attributes
    ----------
    quantity : str
        Its name.
    K : numpy.ndarray of float64, shape (n,)
        The couplings.
    mean, stderr : numpy.ndarray of float64, shape (n,)
        Values and standard errors, which are those of one set of runs: neighbours err together. NaN beyond
        what the runs reach.
    n_effective : numpy.ndarray of float64, shape (n,)
        Independent measurements that count at each coupling.
    """

    quantity: str
    K: FloatArray
    mean: FloatArray
    stderr: FloatArray
    n_effective: FloatArray
    COLUMNS: ClassVar = ("K", "mean", "stderr", "n_effective")


@dataclass(frozen=True, eq=False)
class Reweighting(Record):
    """Measurements at some couplings, and what they say of others.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    field : float
        Uniform field, in units of J.
    K : numpy.ndarray of float64, shape (n_couplings,)
        Couplings of the runs; one that comes twice is there twice.
    tau : numpy.ndarray of float64, shape (n_couplings,)
        Integrated autocorrelation times, the longer of those of energy and m², in measurements.
    n_blocks : int
        Parts that the jackknife leaves out in turn, of all couplings at once.
    series : dict of str to numpy.ndarray of float64, shape (n_measurements,)
        Energy and magnetization per site, and what was given, of all runs one after the other.
    origin, block : numpy.ndarray of int64, shape (n_measurements,)
        The place in `K`, and the block, of each measurement.
    """

    lattice: Lattice
    field: float
    K: FloatArray
    tau: FloatArray
    n_blocks: int
    series: dict[str, FloatArray] = dataclasses.field(repr=False)
    origin: npt.NDArray[np.int64] = dataclasses.field(repr=False)
    block: npt.NDArray[np.int64] = dataclasses.field(repr=False)

    def estimate(self, quantity: QuantityName | Quantity, K: float) -> Estimate:
        """Return a quantity at one coupling.

        Parameters
        ----------
        quantity : str or Quantity
            A function of means of the series: ``"energy"``, ``"heat_capacity"``, ``"magnetization"``,
            ``"absolute_magnetization"``, ``"squared_magnetization"``; ``"susceptibility"``, n⟨m²⟩, in a field
            ``n(⟨m²⟩ − ⟨m⟩²)``, and ``"connected_susceptibility"``, ``n(⟨m²⟩ − ⟨|m|⟩²)``; where runs measured
            ``structure_factor``, see `observables`, ``"correlation_length"`` ξ, see
            `Run.correlation_length_estimate`, and ``"correlation_length_ratio"``, ξ/L; ``"binder_cumulant"``;
            and derivatives by K, ``"binder_cumulant_slope"``, ``"log_absolute_magnetization_slope"`` of
            ``ln⟨|m|⟩``,
            ``"log_squared_magnetization_slope"`` of ln⟨m²⟩.
        K : float
            The coupling.

        Returns
        -------
        Estimate
            With a jackknife error, the bias of order 1/N taken off; ``n_effective`` counts the independent
            measurements that matter at K. Mean and error are NaN beyond `reach`.

        Warns
        -----
        ConvergenceWarning
            Beyond `reach`.

        Examples
        --------
        >>> from rbmflow import Torus, sampling
        >>> chains = sampling.run(Torus(8, 8), 0.40, n_chains=64, n_sweeps=500, burn_in=50, rng=1)
        >>> shifted = sampling.reweight(chains).estimate("energy", 0.42)
        >>> abs(shifted.deviation(Torus(8, 8).energy(0.42))) < 4
        True
        """
        coupling = check_real_scalar("K", K)
        values, independent = self._trusted(quantity, np.array([coupling]))
        mean, stderr = jackknifed(values[:, 0])
        unknown = float("nan")
        return Estimate(float(mean), float(stderr), unknown, float(independent[0]), unknown)

    def curve(self, quantity: QuantityName | Quantity, K: ArrayLike) -> Curve:
        """Return a quantity over couplings; see `estimate`.

        Parameters
        ----------
        quantity : str or Quantity
            The quantity.
        K : array_like, shape (n,)
            The couplings.

        Returns
        -------
        Curve
            Means and errors.

        Warns
        -----
        ConvergenceWarning
            If some couplings are beyond `reach`.

        Examples
        --------
        >>> from rbmflow import Torus, sampling
        >>> chains = sampling.run(Torus(8, 8), 0.40, n_chains=64, n_sweeps=500, burn_in=50, rng=1)
        >>> sampling.reweight(chains).curve("binder_cumulant", [0.39, 0.4, 0.41]).mean.round(2)
        array([0.49, 0.53, 0.56])
        """
        couplings = _check_couplings(K)
        values, independent = self._trusted(quantity, couplings)
        mean, stderr = jackknifed(values)
        return Curve(check_quantity(quantity).name, couplings, mean, stderr, independent)

    def replicates(self, quantity: QuantityName | Quantity, K: ArrayLike) -> FloatArray:
        """Return a quantity of all measurements, and with each block left out: what a jackknife needs.

        A function of them, such as the coupling where two sizes agree, has the error that
        `sampling.finite_size` takes from these.

        Parameters
        ----------
        quantity : str or Quantity
            The quantity.
        K : array_like
            Couplings, shape ``(n,)``; or ``(1 + n_blocks, n)``, other ones for each replicate. They are not
            held against `reach`.

        Returns
        -------
        numpy.ndarray of float64, shape (1 + n_blocks, n)
            The first row is of all.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> chains = sampling.run(Ring(8), 0.3, n_chains=64, n_sweeps=100, rng=1)
        >>> sampling.reweight(chains, n_blocks=16).replicates("energy", [0.3, 0.35]).shape
        (17, 2)
        """
        asked, couplings = check_quantity(quantity, self.lattice, self.field), check_finite("K", K)
        rows = 1 + self.n_blocks
        if couplings.ndim not in (1, 2) or (couplings.ndim == 2 and len(couplings) != rows):
            raise ValueError(f"K has shape {couplings.shape}: (n,) or ({rows}, n) is needed")
        couplings = np.broadcast_to(couplings, (rows, couplings.shape[-1]))
        sums = [left_out(part) for part in self._sums(asked)]
        found = np.empty(couplings.shape)
        for column in range(couplings.shape[1]):
            K_here = couplings[:, column]
            weights = self._weights(K_here)
            total = (self._left * weights).sum(axis=1)
            means = [(part * weights).sum(axis=1) / total for part in sums]
            found[:, column] = asked.value(self.lattice, K_here, *means)
        return found

    def n_effective(self, K: ArrayLike) -> FloatArray:
        """Return how many independent measurements count at couplings.

        ``(Σ w)²/Σ w²`` over measurements that count ``1/(2τ)`` each (L. Kish, *Survey Sampling*, 1965).

        Parameters
        ----------
        K : array_like, shape (n,)
            The couplings.

        Returns
        -------
        numpy.ndarray of float64, shape (n,)
            At the coupling of a single run its own; it falls with the distance.

        Examples
        --------
        >>> from rbmflow import Ring, sampling
        >>> reweighting = sampling.reweight(sampling.run(Ring(32), 0.3, n_chains=64, n_sweeps=100, rng=1))
        >>> near, far = reweighting.n_effective([0.3, 0.6])
        >>> bool(near > 10 * far)
        True
        """
        weights = np.concatenate([self._weights(np.array([one]), 1) for one in _check_couplings(K)])
        times = self._left[0]
        return np.asarray((weights @ times) ** 2 / (weights**2 @ times))

    @cached_property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest coupling that are trusted.

        From the couplings of the runs on there count at least 100 independent measurements up to there, and
        three tenths of those of the shortest run; with fewer, errors are too small.
        """
        low, high = float(self.K.min()), float(self.K.max())
        E = np.array(self.series["energy"]) * self.lattice.n_sites
        step = 1 / max(float(E.std()), 1e-300)
        return self._edge(low, -step), self._edge(high, step)

    @cached_property
    def log_partition(self) -> FloatArray:
        """``ln Z(K_k)/Z(K_1)`` of the runs' couplings, shape (n_couplings,)."""
        centre = float(self.series["energy"].mean()) * self.lattice.n_sites
        return np.asarray(self._log_z[0] - (self.K - self.K[0]) * centre)

    def _edge(self, inner: float, step: float) -> float:
        """The last coupling from `inner` on where enough measurements count, to a thousandth of a step."""
        if self.n_effective([inner])[0] < self._needed:
            return inner
        for _ in range(FARTHEST):
            outer = inner + step
            if self.n_effective([outer])[0] < self._needed:
                break
            inner = outer
        while abs(outer - inner) > 1e-3 * abs(step):
            middle = (inner + outer) / 2
            if self.n_effective([middle])[0] >= self._needed:
                inner = middle
            else:
                outer = middle
        return inner

    @cached_property
    def _needed(self) -> float:
        """Independent measurements that have to count at a coupling."""
        return max(FEW, SHARE * float(self._counts[0].min()))

    def _trusted(self, quantity: object, K: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Replicates and numbers of measurements, NaN beyond the reach, with one warning."""
        asked, independent = check_quantity(quantity), self.n_effective(K)
        values = self.replicates(asked, K)
        sparse = independent < min(FEW, 0.99 * float(self._counts[0].min()))  # between runs
        beyond = sparse | (self.reach[0] > K) | (self.reach[1] < K)
        if beyond.any():
            values[:, beyond] = np.nan
            warn_caller(
                f"{asked.name} at K = {K[beyond][0]:.6g}: {independent[beyond][0]:.3g} independent "
                f"measurements count there, {self._needed:.3g} are needed; these runs reach from "
                f"{self.reach[0]:.6g} to {self.reach[1]:.6g}: runs nearby, or longer ones, reach further",
                ConvergenceWarning,
            )
        return values, independent

    @cached_property
    def _levels(self) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """The energies that came, in total, from their mean; and which of them each measurement has."""
        E = self.series["energy"] * self.lattice.n_sites
        values, place = np.unique(E, return_inverse=True)
        check_memory(
            f"{self.n_blocks} parts of {len(values)} energies",
            6 * 8 * (1 + self.n_blocks) * len(values),
            "fewer blocks or measurements need less",
        )
        return values - E.mean(), place

    def _in_blocks(self, values: FloatArray | None) -> FloatArray:
        """Sums over the measurements of each block and energy, shape (n_blocks, n_energies)."""
        energies, place = self._levels
        counted = self._share[self.origin]
        if values is not None:
            counted = counted * values
        cells = self.block * len(energies) + place
        sums = np.bincount(cells, weights=counted, minlength=self.n_blocks * len(energies))
        return np.asarray(sums.reshape(self.n_blocks, len(energies)))

    @property
    def _share(self) -> FloatArray:
        """What a measurement counts, 1/(2τ), at each coupling."""
        return 1 / (2 * self.tau)

    def _sums(self, quantity: Quantity) -> list[FloatArray]:
        return [self._in_blocks(np.asarray(one, dtype=np.float64)) for one in quantity.measured(self.series)]

    @cached_property
    def _left(self) -> FloatArray:
        """How often each energy came, of all measurements and without each block."""
        return left_out(self._in_blocks(None))

    @cached_property
    def _log_z(self) -> FloatArray:
        """``ln Z`` of the couplings, of all measurements and without each block."""
        E, _ = self._levels
        size = len(self.K)
        counts = self._counts
        sums = np.bincount(self.origin, weights=self.series["energy"], minlength=size)
        means = self.lattice.n_sites * sums / np.bincount(self.origin, minlength=size)
        order = np.argsort(self.K, kind="stable")
        rise = -np.diff(self.K[order]) * (means[order][1:] + means[order][:-1]) / 2
        start = np.empty(size)  # d ln Z/dK = −⟨E⟩
        start[order] = np.concatenate([[0.0], np.cumsum(rise)])
        shift = self.K * float((self.series["energy"] * self.lattice.n_sites).mean())
        found = np.empty((1 + self.n_blocks, size))
        found[0] = log_partitions(E, self._left[0], self.K, counts[0], start + shift)
        independent = connection(E, self._left[0], self.K, counts[0], found[0]) * counts[0].sum()
        if independent < CONNECTED:
            raise ValueError(
                f"runs at K = {np.unique(self.K).tolist()} have too few energies in common "
                f"({independent:.2g} measurements connect them): runs in between are needed"
            )
        for row in range(1, len(found)):
            found[row] = log_partitions(E, self._left[row], self.K, counts[row], found[0])
        return found

    @cached_property
    def _counts(self) -> FloatArray:
        """Independent measurements at each coupling, of all and without each block."""
        size = len(self.K)
        cells = self.block * size + self.origin
        counts = np.bincount(cells, minlength=self.n_blocks * size).reshape(self.n_blocks, size)
        return left_out(counts * self._share)

    @cached_property
    def _log_mixture(self) -> FloatArray:
        E, _ = self._levels
        rows = zip(self._counts, self._log_z, strict=True)
        return np.array([log_mixture(E, self.K, counts, log_z) for counts, log_z in rows])

    def _weights(self, K: FloatArray, n_rows: int | None = None) -> FloatArray:
        """Weights of the energies at a coupling for each replicate, from the largest."""
        E, _ = self._levels
        exponents = -np.multiply.outer(K, E) - self._log_mixture[:n_rows]
        return np.asarray(np.exp(exponents - exponents.max(axis=1, keepdims=True)))


def _check_couplings(K: object) -> FloatArray:
    couplings = check_finite("K", K)
    if couplings.ndim != 1 or not couplings.size:
        raise ValueError(f"K has shape {couplings.shape}: couplings, (n,), are needed")
    return couplings
