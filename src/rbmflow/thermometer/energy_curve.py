"""The thermometer that inverts a curve of the energy, exact at some temperatures, or measured there.

Like the maximum-likelihood one it reads the temperature at which the lattice has the mean energy of a batch.
Between its temperatures the curve is a monotone cubic in ``tanh K``, of which the energy of independent bonds
is a multiple; at T = ∞ the energy is exactly 0, so that the curve has no hot end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import Estimate
from rbmflow.ising.bonds import energies
from rbmflow.ising.exact_energy import exact_curve, exact_energy
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.sampling.spacing import independent
from rbmflow.thermometer.arguments import as_floats, check_configurations, check_curve
from rbmflow.thermometer.calibration import Calibration, calibrate
from rbmflow.thermometer.falling import falling_curve

if TYPE_CHECKING:
    from rbmflow.sampling import TrainingSet
    from rbmflow.typing import ArrayLike

FINER = 2
"""Steps of an exact curve between two temperatures of the training set."""
BEYOND = np.array([1.5, 2.0, 3.0, 6.0])
"""Temperatures of an exact curve above the hottest, in units of that."""
STEP = 1e-9
"""Of the energy, below which two temperatures of a curve are one."""


@dataclass(frozen=True, eq=False)
class EnergyCurveThermometer(Record):
    """The inverse of a curve ``e(T)`` that is known or measured at some temperatures; `energy.fit` makes it.

    A batch of at most the lowest energy of the curve reads as its coldest temperature, a bound with NaN as
    its standard error; one of at least 0, the energy at T = ∞, reads as infinite.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    temperature : numpy.ndarray of float64, shape (n,)
        Increasing, in units of J/k_B; the last is infinite.
    energy : numpy.ndarray of float64, shape (n,)
        Energy per site at these, in J, increasing to 0.
    stderr : numpy.ndarray of float64, shape (n,)
        Its standard error, 0 where it is exact.
    heat_capacity : numpy.ndarray of float64, shape (n,)
        Exact slopes de/dT per site, in k_B, NaN where they are not known.

    See Also
    --------
    EnergyThermometer : By the exact energy.
    null_calibration : What a reading is worth.
    """

    lattice: Lattice
    temperature: FloatArray = field(repr=False)
    energy: FloatArray = field(repr=False)
    stderr: FloatArray = field(repr=False)
    heat_capacity: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("temperature", "energy", "stderr", "heat_capacity"):
            object.__setattr__(self, name, as_floats(name, getattr(self, name)))

    def estimate(self, configurations: ArrayLike) -> Estimate:
        """Return the temperature of a batch, where the curve has its mean energy.

        Its standard error is that of the energy, from the scatter within the batch and that of the curve,
        over the heat capacity, the slope of the curve.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Independent configurations: spins, or means between −1 and 1.

        Returns
        -------
        Estimate
            Temperature in J/k_B, from the coldest of the curve to infinity.

        Examples
        --------
        >>> from rbmflow import Triangular, thermometer, training_set
        >>> known = training_set(Triangular(6, 6), [2.0, 3.0, 4.0, 5.0, 6.0, 8.0], 500, rng=1)
        >>> fresh = training_set(Triangular(6, 6), [4.5], 500, rng=2)
        >>> print(round(thermometer.energy.fit(known).estimate(fresh.spins[0]).mean, 1))
        4.5
        """
        batch = check_configurations(configurations, self.lattice.n_sites)
        seen = independent(energies(self.lattice, batch))
        reading, slope = self._read(np.array([seen.mean]))
        of_curve = np.interp(seen.mean, self.energy, self.stderr)
        stderr = float(np.abs(slope[0]) * np.hypot(seen.stderr, of_curve))
        return Estimate(float(reading[0]), stderr, 0.5, float(len(batch)), float("nan"))

    def readings(self, configurations: ArrayLike) -> FloatArray:
        """Return the temperature at which the curve has the energy of each configuration.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (n,)
            In units of J/k_B.

        Examples
        --------
        >>> from rbmflow import Triangular, thermometer, training_set
        >>> meter = thermometer.energy.fit(training_set(Triangular(3, 3), [1.0, 4.0], 500, rng=1))
        >>> meter.readings([[1] * 9, [1, -1, 0] * 3])
        array([ 1., inf])
        """
        batch = check_configurations(configurations, self.lattice.n_sites)
        return self._read(energies(self.lattice, batch))[0]

    def calibrate(self, training_set: TrainingSet) -> Calibration:
        """Return the readings at each temperature of a training set.

        The resolution is the bound of Cramér and Rao, ``T/√(c n_sites)``, c the slope of the curve.

        Parameters
        ----------
        training_set : TrainingSet
            Of the same lattice; not the one of the curve.

        Returns
        -------
        Calibration
            A row for each temperature.

        Examples
        --------
        >>> from rbmflow import Triangular, thermometer, training_set
        >>> meter = thermometer.energy.fit(training_set(Triangular(4, 4), [2.0, 4.0, 6.0], 500, rng=1))
        >>> meter.calibrate(training_set(Triangular(4, 4), [2.0, 4.0, 6.0], 500, rng=2)).reading.round()
        array([2., 4., 6.])
        """

        def resolution(T: float, _: Any) -> float:
            exact = self.heat_capacity[(self.temperature == T) & np.isfinite(self.heat_capacity)]
            steep = self._read(np.array([np.interp(T, self.temperature, self.energy)]))[1][0]
            return float(T * np.sqrt((1 / exact[0] if len(exact) else steep) / self.lattice.n_sites))

        return calibrate(self, training_set, resolution)

    @cached_property
    def _scale(self) -> float:
        """The mean size of a coupling."""
        return float(np.abs(self.lattice.bond_couplings()).mean())

    @cached_property
    def _curve(self) -> Any:
        """``tanh sK`` over the energy; slopes that are not known exactly are those of PCHIP."""
        from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

        s, T = self._scale, self.temperature
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.tanh(s / T)
            exact = -s * (1 - part**2) / (T**2 * self.heat_capacity)
        spread = exact_energy(self.lattice, 0.0)
        assert spread is not None
        exact[-1] = -s / (self.lattice.n_sites * spread[1] ** 2)  # at K = 0, de/dK is minus the variance
        slopes = np.where(np.isfinite(exact), exact, PchipInterpolator(self.energy, part)(self.energy, 1))
        # up to three times the secants on both sides a cubic is monotone (Fritsch and Carlson)
        secants = np.diff(part) / np.diff(self.energy)
        steepest = 3 * np.maximum(np.append(secants, secants[-1]), np.append(secants[0], secants))
        return CubicHermiteSpline(self.energy, part, np.maximum(slopes, steepest))

    def _read(self, energy: FloatArray) -> tuple[FloatArray, FloatArray]:
        """T and dT/de, which is NaN where the curve ends and beyond."""
        least, largest = self.energy[0], self.energy[-1]
        inside = np.clip(energy, least, largest)
        part = np.clip(self._curve(inside), 0.0, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            reading = np.where(energy <= least, self.temperature[0], self._scale / np.arctanh(part))
            # T = s/artanh x has dT/dx = −T²/(s (1 − x²))
            slope = -(reading**2) / (self._scale * (1 - part**2)) * self._curve(inside, 1)
        return reading, np.where((least < energy) & (energy < largest), slope, np.nan)


def fit_curve(training_set: TrainingSet) -> EnergyCurveThermometer:
    """Return the thermometer that inverts ``e(T)`` of a training set; see `thermometer.energy.fit`.

    Parameters
    ----------
    training_set : TrainingSet
        At least two finite temperatures, which increase.

    Returns
    -------
    EnergyCurveThermometer
        By exact energies where they are known.

    Examples
    --------
    >>> from rbmflow import Triangular, training_set
    >>> meter = fit_curve(training_set(Triangular(4, 4), [2.0, 4.0, 6.0], 50, rng=1))
    >>> meter.stderr.any(), meter.temperature[:3]
    (np.False_, array([0., 1., 2.]))
    """
    known = check_curve(training_set)
    lattice = known.lattice
    ground = exact_energy(lattice, np.inf)
    warm = known.temperature[known.temperature > 0]
    between = np.append(0.0, warm) if ground is not None else warm
    parts = np.arange(1, FINER + 1) / FINER
    finer = (between[:-1, np.newaxis] + np.diff(between)[:, np.newaxis] * parts).ravel()
    T = np.unique(np.concatenate([warm[:1], finer, warm[-1] * BEYOND]))
    exact = exact_curve(lattice, 1 / T)
    if exact is not None:
        energy, slope = exact
        if ground is not None:
            T, energy, slope = np.append(0.0, T), np.append(ground[0], energy), np.append(np.nan, slope)
        rising = np.append(True, np.diff(energy) > STEP) & (energy < -STEP)
        T, energy, slope = T[rising], energy[rising], slope[rising]
        ends = np.append(T, np.inf), np.append(energy, 0.0), np.zeros(len(T) + 1), np.append(slope, np.nan)
        return EnergyCurveThermometer(lattice, *ends)
    values = np.stack([energies(lattice, spins) for spins in known.spins])
    temperature = np.append(known.temperature, np.inf)
    rows = np.append(values, np.zeros_like(values[:1]), axis=0)
    levels, falling, stderr = falling_curve("-energy = {}: it must fall", temperature, -rows)
    return EnergyCurveThermometer(lattice, levels, -falling, stderr, np.full(len(levels), np.nan))
