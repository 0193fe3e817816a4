"""The thermometer that inverts a measured curve of the energy, where no exact one is known.

Like the exact one it reads the temperature at which the lattice has the mean energy of a batch. Between the
temperatures of its training set the curve is a monotone cubic in ``tanh K``, of which the energy of
independent bonds is a multiple; at T = ∞ the energy is exactly 0, so that the curve has no hot end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import Estimate
from rbmflow.ising.bonds import energies
from rbmflow.ising.exact_energy import exact_energy
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.sampling.spacing import independent
from rbmflow.thermometer.arguments import as_floats, check_configurations, check_curve
from rbmflow.thermometer.calibration import Calibration, calibrate
from rbmflow.thermometer.falling import falling_curve

if TYPE_CHECKING:
    from rbmflow.sampling import TrainingSet
    from rbmflow.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class EnergyCurveThermometer(Record):
    """The inverse of a measured curve ``e(T)``; `energy.fit` makes it where none is known exactly.

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
        Its standard error.

    See Also
    --------
    EnergyThermometer : By the exact energy.
    null_calibration : What a reading is worth.
    """

    lattice: Lattice
    temperature: FloatArray = field(repr=False)
    energy: FloatArray = field(repr=False)
    stderr: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("temperature", "energy", "stderr"):
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
            slope = self._read(np.array([np.interp(T, self.temperature, self.energy)]))[1][0]
            return float(T * np.sqrt(slope / self.lattice.n_sites))

        return calibrate(self, training_set, resolution)

    @cached_property
    def _scale(self) -> float:
        """The mean size of a coupling."""
        return float(np.abs(self.lattice.bond_couplings()).mean())

    @cached_property
    def _curve(self) -> Any:
        """``tanh sK`` over the energy: the slopes are those of PCHIP, at T = ∞ the exact one."""
        from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

        with np.errstate(divide="ignore"):
            part = np.tanh(self._scale / self.temperature)
        slopes = PchipInterpolator(self.energy, part)(self.energy, 1)
        spread = exact_energy(self.lattice, 0.0)
        assert spread is not None
        slopes[-1] = -self._scale / (self.lattice.n_sites * spread[1] ** 2)  # de/dK is minus the variance
        return CubicHermiteSpline(self.energy, part, slopes)

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
    """Return the thermometer that inverts ``e(T)`` of a training set; see `thermometer.energy.fit`."""
    known = check_curve(training_set)
    values = np.stack([energies(known.lattice, spins) for spins in known.spins])
    temperature = np.append(known.temperature, np.inf)
    rows = np.append(values, np.zeros_like(values[:1]), axis=0)
    levels, falling, stderr = falling_curve("-energy = {}: it must fall", temperature, -rows)
    return EnergyCurveThermometer(known.lattice, levels, -falling, stderr)
