"""What a thermometer is, and two tests of one: samples of known temperature, and spins that have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from rbmflow.arguments import (
    MAX_SIZE,
    FloatArray,
    SpinArray,
    check_integer,
    check_real,
    check_rng,
    shown,
    spawn,
)
from rbmflow.estimate import Estimate
from rbmflow.hardware import check_fits
from rbmflow.ising.bonds import aligned_energy
from rbmflow.ising.lattice import Lattice
from rbmflow.records import Tabular
from rbmflow.thermometer.arguments import check_training_set

if TYPE_CHECKING:
    from rbmflow.sampling import TrainingSet
    from rbmflow.typing import ArrayLike, Numbers, RNGLike


@dataclass(frozen=True, eq=False)
class Calibration(Tabular):
    """Readings of a thermometer on samples of known temperatures; temperatures are in units of J/k_B.

    Attributes
    ----------
    temperature : numpy.ndarray of float64, shape (n_temperatures,)
        The true ones.
    reading : numpy.ndarray of float64, shape (n_temperatures,)
        Of all samples at each.
    stderr : numpy.ndarray of float64, shape (n_temperatures,)
        Standard error of the reading, as the thermometer states it.
    resolution : numpy.ndarray of float64, shape (n_temperatures,)
        Standard error of the reading of a single configuration, see each thermometer.
    n_samples : int
        Configurations at each temperature.
    lattice : Lattice, optional
        Where the spins were.
    """

    COLUMNS: ClassVar = ("temperature", "reading", "bias", "stderr", "resolution")

    temperature: FloatArray
    reading: FloatArray
    stderr: FloatArray
    resolution: FloatArray
    n_samples: int
    lattice: Lattice | None = None

    @property
    def bias(self) -> FloatArray:
        """The reading less the true temperature; 0 where both are infinite."""
        with np.errstate(invalid="ignore"):
            difference = self.reading - self.temperature
        return np.asarray(np.where(self.reading == self.temperature, 0.0, difference))


def calibrate(
    thermometer: Thermometer, training_set: object, resolution: Callable[[float, SpinArray], float]
) -> Calibration:
    """Return the readings of a thermometer on a training set, with ``resolution(temperature, spins)``."""
    known = check_training_set(training_set, thermometer.lattice)
    estimates = [thermometer.estimate(spins) for spins in known.spins]
    single = [resolution(T, spins) for T, spins in zip(known.temperature.tolist(), known.spins, strict=True)]
    return Calibration(
        known.temperature, *_columns(estimates), np.array(single), known.spins.shape[1], known.lattice
    )


def spread(readings: FloatArray) -> float:
    """Return the standard deviation of readings of single configurations; NaN if there is only one.

    Examples
    --------
    >>> spread(np.array([1.0, 3.0]))
    1.4142135623730951
    """
    return float(readings.std(ddof=1)) if len(readings) > 1 else float("nan")


class Thermometer(Protocol):
    """What reads a temperature off configurations.

    Configurations have shape ``(n, n_sites)``: spins, or means between −1 and 1 as deterministic flows give.
    Those of a batch count as independent. Temperatures are in units of J/k_B.
    """

    @property
    def lattice(self) -> Lattice:
        """Where the spins are."""

    def estimate(self, configurations: ArrayLike) -> Estimate:
        """Return the temperature of a batch with its standard error.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Spins, or means between −1 and 1.

        Returns
        -------
        Estimate
            With ``n_effective = n``.

        Examples
        --------
        >>> from rbmflow import Ring, thermometer
        >>> ring = Ring(50)
        >>> warm = thermometer.EnergyThermometer(ring).estimate(ring.sample(1.0, 1000, rng=1))
        >>> abs(warm.mean - 1.0) < 4 * warm.stderr
        True
        """

    def readings(self, configurations: ArrayLike) -> FloatArray:
        """Return the temperature of each configuration by itself.

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
        >>> from rbmflow import Ring, thermometer
        >>> thermometer.EnergyThermometer(Ring(3)).readings([[1, 1, 1], [1, 0, -1]])
        array([ 0., inf])
        """

    def calibrate(self, training_set: TrainingSet) -> Calibration:
        """Return the readings at each temperature of a training set.

        Parameters
        ----------
        training_set : TrainingSet
            Of the same lattice; not the one that the thermometer has learned from.

        Returns
        -------
        Calibration
            A row for each temperature.

        Examples
        --------
        >>> from rbmflow import Ring, thermometer, training_set
        >>> known = training_set(Ring(50), [0.5, 1.0, 2.0], 1000, rng=1)
        >>> calibration = thermometer.EnergyThermometer(Ring(50)).calibrate(known)
        >>> (abs(calibration.bias) < 4 * calibration.stderr).all()
        np.True_
        """


@dataclass(frozen=True, eq=False)
class NullCalibration(Tabular):
    """Readings of a thermometer on uncorrelated spins, which have a magnetization and no temperature.

    Attributes
    ----------
    magnetization : numpy.ndarray of float64, shape (n,)
        Mean m of every spin.
    reading : numpy.ndarray of float64, shape (n,)
        Temperature that the thermometer gives, in units of J/k_B.
    stderr : numpy.ndarray of float64, shape (n,)
        Its standard error, as the thermometer states it.
    energy : numpy.ndarray of float64, shape (n,)
        Exact energy per site of such spins in J: −m² for each bond of a site, −2m² on a torus, times the
        couplings.
    n_samples : int
        Configurations for each m.
    lattice : Lattice, optional
        Where the spins were.
    """

    COLUMNS: ClassVar = ("magnetization", "energy", "reading", "stderr")

    magnetization: FloatArray
    reading: FloatArray
    stderr: FloatArray
    energy: FloatArray
    n_samples: int
    lattice: Lattice | None = None


def null_calibration(
    thermometer: Thermometer, magnetizations: Numbers, n_samples: int, *, rng: RNGLike = None
) -> NullCalibration:
    """Read uncorrelated spins of given magnetizations.

    Such a batch is at no temperature. A thermometer that reads the magnetization gives the temperature at
    which the lattice has it, one that reads the energy that at which the lattice has −m² for each bond of
    a site. On the 10 × 10 torus m = 0.65 to 0.8 reads as 2.38 to 2.21 by the magnetization, as 2.40 to
    2.25 by the peak of perceptrons trained at T = 0, 0.25, …, 6, as 2.65 to 2.12 by their mean and as
    2.96 to 2.42 by the energy: a reading near T_c = 2.27 is no sign of criticality, and readings that
    differ are a sign that no Ising configuration is there.

    Parameters
    ----------
    thermometer : Thermometer
        Any.
    magnetizations : array_like, shape (n,)
        Means m of the spins, −1 to 1.
    n_samples : int
        Configurations for each.
    rng : numpy.random.Generator or int
        Generator or seed; each m has a generator of its own,
        so that its readings do not depend on the others.

    Returns
    -------
    NullCalibration
        A row for each m.

    See Also
    --------
    EnergyThermometer : One to be looked at.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> from rbmflow.thermometer import EnergyThermometer
    >>> null = null_calibration(EnergyThermometer(Ring(64)), [0.5, 0.7], 1000, rng=1)
    >>> null.energy
    array([-0.25, -0.49])
    >>> (abs(null.reading - 1 / np.arctanh(-null.energy)) < 4 * null.stderr).all()
    np.True_
    """
    lattice = getattr(thermometer, "lattice", None)
    if not (isinstance(lattice, Lattice) and callable(getattr(thermometer, "estimate", None))):
        raise TypeError(
            f"thermometer={shown(thermometer)}: a thermometer with a lattice and estimate() is needed"
        )
    means = np.atleast_1d(check_real("magnetizations", magnetizations))
    if means.ndim != 1 or not len(means) or (np.abs(means) > 1).any():
        raise ValueError(f"magnetizations={shown(magnetizations)}: a list of numbers from -1 to 1 is needed")
    n_samples = check_integer("n_samples", n_samples, 1, MAX_SIZE)
    check_fits("n_samples", n_samples, 9 * lattice.n_sites)
    streams = spawn(check_rng(rng), len(means))
    estimates = [
        thermometer.estimate(_uncorrelated(m, n_samples, lattice.n_sites, stream))
        for m, stream in zip(means.tolist(), streams, strict=True)
    ]
    aligned, field = aligned_energy(lattice)
    energy = aligned * means**2 + (field * means if field else 0.0)
    return NullCalibration(means, *_columns(estimates), energy, n_samples, lattice)


def _uncorrelated(m: float, n_samples: int, n_sites: int, stream: np.random.Generator) -> SpinArray:
    up = stream.random((n_samples, n_sites)) < (1 + m) / 2
    return (2 * up.astype(np.int8) - 1).astype(np.int8)


def _columns(estimates: list[Estimate]) -> tuple[FloatArray, FloatArray]:
    return np.array([one.mean for one in estimates]), np.array([one.stderr for one in estimates])
