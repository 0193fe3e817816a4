"""The thermometer that reads the magnetization: where the training set has the batch's mean ``|m|``.

It knows nothing of correlations. In two dimensions and more it tells temperatures near and below the critical
one; on the ring, and high above the critical temperature, where ``⟨|m|⟩ ~ n^(−1/2)``, next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.estimate import Estimate
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Record
from rbmflow.sampling.spacing import independent
from rbmflow.thermometer.arguments import as_floats, check_configurations, check_curve
from rbmflow.thermometer.calibration import Calibration, calibrate, spread
from rbmflow.thermometer.falling import falling_curve

if TYPE_CHECKING:
    from rbmflow.sampling import TrainingSet
    from rbmflow.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class MagnetizationThermometer(Record):
    """The inverse of a measured curve ``⟨|m|⟩(T)``; `fit` makes it.

    The curve falls strictly. At its ends readings stop: a batch with at least the largest
    ``⟨|m|⟩`` reads as the coldest temperature, one with at most the smallest as the hottest, and
    either is a bound, with NaN as its standard error.

    Attributes
    ----------
    lattice : Lattice
        Where the spins are.
    temperature : numpy.ndarray of float64, shape (n,)
        Increasing, in units of J/k_B.
    magnetization : numpy.ndarray of float64, shape (n,)
        ``⟨|m|⟩`` at these, decreasing. Between them T is a monotone cubic (PCHIP) in ``⟨|m|⟩``.
    stderr : numpy.ndarray of float64, shape (n,)
        Standard error of ``⟨|m|⟩``.

    See Also
    --------
    EnergyThermometer : Reads the energy.
    null_calibration : What a reading is worth.
    """

    lattice: Lattice
    temperature: FloatArray = field(repr=False)
    magnetization: FloatArray = field(repr=False)
    stderr: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("temperature", "magnetization", "stderr"):
            object.__setattr__(self, name, as_floats(name, getattr(self, name)))

    def estimate(self, configurations: ArrayLike) -> Estimate:
        """Return the temperature of a batch, where the curve has its mean ``|m|``.

        Its standard error is that of ``|m|``, from the scatter within the batch and that of the curve, times
        the slope ``|dT/d⟨|m|⟩|``.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Independent configurations: spins, or means between −1 and 1.

        Returns
        -------
        Estimate
            Temperature in J/k_B, within the range of the curve;
            the standard error is NaN at its ends and for a single configuration.

        Examples
        --------
        >>> from rbmflow import Torus, training_set
        >>> known = training_set(Torus(6, 6), [1.0, 1.5, 2.0, 2.5, 3.0, 4.0], 500, rng=1)
        >>> fresh = training_set(Torus(6, 6), [2.25], 500, rng=2)
        >>> print(round(fit(known).estimate(fresh.spins[0]).mean, 1))
        2.3
        """
        order = independent(self._order(configurations))
        reading, slope = self._read(np.array([order.mean]))
        of_curve = np.interp(order.mean, self.magnetization[::-1], self.stderr[::-1])
        stderr = float(np.abs(slope[0]) * np.hypot(order.stderr, of_curve))
        return Estimate(float(reading[0]), stderr, 0.5, order.n_effective, float("nan"))

    def readings(self, configurations: ArrayLike) -> FloatArray:
        """Return the temperature at which the curve has the ``|m|`` of each configuration.

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
        >>> from rbmflow import Torus, training_set
        >>> meter = fit(training_set(Torus(4, 4), [0.0, 2.0, 4.0], 500, rng=1))
        >>> meter.readings([[1] * 16, [1, -1] * 8])
        array([0., 4.])
        """
        return self._read(self._order(configurations))[0]

    def calibrate(self, training_set: TrainingSet) -> Calibration:
        """Return the readings at each temperature; the resolution is the spread of single configurations.

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
        >>> from rbmflow import Torus, training_set
        >>> meter = fit(training_set(Torus(4, 4), [0.0, 2.0, 4.0], 500, rng=1))
        >>> meter.calibrate(training_set(Torus(4, 4), [0.0, 2.0, 4.0], 500, rng=2)).reading.round()
        array([0., 2., 4.])
        """
        return calibrate(self, training_set, lambda _, spins: spread(self.readings(spins)))

    def _order(self, configurations: object) -> FloatArray:
        return np.asarray(np.abs(check_configurations(configurations, self.lattice.n_sites).mean(axis=1)))

    def _read(self, order: FloatArray) -> tuple[FloatArray, FloatArray]:
        """T and dT/d⟨|m|⟩, which is NaN at the ends and beyond."""
        from scipy.interpolate import PchipInterpolator

        curve = PchipInterpolator(self.magnetization[::-1], self.temperature[::-1])
        least, largest = self.magnetization[-1], self.magnetization[0]
        inside = np.clip(order, least, largest)
        slope = np.where((least < order) & (order < largest), curve(inside, 1), np.nan)
        return np.asarray(curve(inside)), slope


def fit(training_set: TrainingSet) -> MagnetizationThermometer:
    """Return the thermometer that inverts ``⟨|m|⟩(T)`` of a training set.

    The means are made to fall by isotonic regression. Of temperatures that it gives the same
    ``⟨|m|⟩``, which the magnetization cannot tell apart, one stays in the curve: at the cold end the
    coldest, at the hot end the hottest, elsewhere their mean.

    Parameters
    ----------
    training_set : TrainingSet
        At least two finite temperatures, which increase.

    Returns
    -------
    MagnetizationThermometer
        Within the range of its temperatures.

    Raises
    ------
    ValueError
        If ``⟨|m|⟩`` does not fall with T at all.

    Examples
    --------
    >>> from rbmflow import Torus, training_set
    >>> meter = fit(training_set(Torus(8, 8), [0.0, 0.25, 0.5, 2.0, 4.0], 100, rng=1))
    >>> meter.temperature               # at 0.25 and 0.5 all spins are aligned as at 0
    array([0., 2., 4.])
    """
    known = check_curve(training_set)
    curve = falling_curve("<|m|> = {}: it must fall", known.temperature, np.abs(known.spins.mean(axis=2)))
    return MagnetizationThermometer(known.lattice, *curve)
