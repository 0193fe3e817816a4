"""The maximum-likelihood thermometer: the temperature whose exact mean energy is that of the batch.

The Boltzmann laws of one lattice are an exponential family in K = 1/T with the energy as its
sufficient statistic: of n configurations the likelihood is largest where ``e(K)``, the exact mean
energy per site, is their mean ε. On a ring ``e(K) = −(t + t^(M−1))/(1 + t^M)``, t = tanh K; on a torus
it is Kaufman's. The variance of the temperature is at least ``T²/(n c n_sites)`` (Cramér and Rao), c
the heat capacity per site, and comes near to it for large n. Of another law than Boltzmann's the
reading is the temperature at which the lattice has that energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rbmflow.arguments import MAX_SIZE, FloatArray, check_integer, check_real, shown
from rbmflow.estimate import Estimate
from rbmflow.ising.bonds import energies
from rbmflow.ising.lattice import Lattice, names_of
from rbmflow.ising.solved import Solved, check_solved
from rbmflow.records import Record
from rbmflow.roots import bracketed_root
from rbmflow.sampling.spacing import independent
from rbmflow.thermometer import energy_curve
from rbmflow.thermometer.arguments import check_configurations, check_training_set
from rbmflow.thermometer.calibration import Calibration, calibrate
from rbmflow.thermometer.energy_curve import EnergyCurveThermometer

if TYPE_CHECKING:
    from rbmflow.sampling import TrainingSet
    from rbmflow.typing import ArrayLike, Number


@dataclass(frozen=True)
class EnergyThermometer(Record):
    """The maximum-likelihood temperature of a batch of configurations; nothing is learned.

    Parameters
    ----------
    lattice : Ring or Torus
        Where the spins are.

    See Also
    --------
    EnergyCurveThermometer : Of any lattice, by a measured curve.
    MagnetizationThermometer : Reads another quantity.
    NetworkThermometer : Is taught.
    null_calibration : What a reading is worth.

    Notes
    -----
    The likelihood has its maximum at an end for some batches. In the ground state it is at T = 0,
    with the temperature at which a batch of this size would hold a single excitation on average as
    the standard error. Where ε ≥ 0 it is at T = ∞, among T ≥ 0, with an infinite standard error;
    negative temperatures, which ε > 0 has, are not read.

    Examples
    --------
    >>> from rbmflow import Torus, training_set
    >>> known = training_set(Torus(8, 8), [1.5, 2.25, 4.0], 400, rng=1)
    >>> calibration = EnergyThermometer(Torus(8, 8)).calibrate(known)
    >>> (abs(calibration.bias) < 4 * calibration.stderr).all()
    np.True_
    """

    lattice: Solved

    def __post_init__(self) -> None:
        given: object = self.lattice
        if isinstance(given, Lattice) and not isinstance(given, Solved):
            raise TypeError(
                f"lattice={shown(self.lattice)}: {names_of(Solved)} is needed, of exact energies; "
                "thermometer.energy.fit makes a thermometer of any lattice from a training set"
            )
        check_solved(self.lattice)

    def estimate(self, configurations: ArrayLike) -> Estimate:
        """Return the temperature of a batch.

        Its standard error is that of the mean energy, from the scatter within the batch, over the heat
        capacity ``de/dT``.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Independent configurations: spins, or means between −1 and 1.

        Returns
        -------
        Estimate
            Temperature in J/k_B, 0 to infinity, see the notes of the class for the ends; the standard error
            of a single configuration that is not at an end is NaN.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> ring = Ring(100)
        >>> reading = EnergyThermometer(ring).estimate(ring.sample(0.5, 1000, rng=1))
        >>> abs(reading.deviation(2.0)) < 4
        True
        """
        batch = check_configurations(configurations, self.lattice.n_sites)
        energy = independent(energies(self.lattice, batch))
        reading, n = self._temperature(energy.mean), len(batch)
        if reading == 0:
            return Estimate(0.0, self._one_excitation(n), 0.5, float(n), float("nan"))
        slope = float(self.lattice.heat_capacity(1 / reading))
        stderr = energy.stderr / slope if slope else float("inf")
        return Estimate(reading, stderr, 0.5, float(n), float("nan"))

    def readings(self, configurations: ArrayLike) -> FloatArray:
        """Return each configuration's temperature: 0 in the ground state, infinity where its energy is ≥ 0.

        Parameters
        ----------
        configurations : array_like, shape (n, n_sites)
            Spins, or means between −1 and 1. Each energy that differs is inverted:
            about a millisecond on a torus.

        Returns
        -------
        numpy.ndarray of float64, shape (n,)
            In units of J/k_B.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> EnergyThermometer(Ring(4)).readings([[1, 1, 1, 1], [1, 1, 1, 0.5], [1, -1, 1, -1]])
        array([0.   , 1.374,   inf])
        """
        batch = check_configurations(configurations, self.lattice.n_sites)
        levels, which = np.unique(energies(self.lattice, batch), return_inverse=True)
        return np.array([self._temperature(level) for level in levels.tolist()])[which]

    @overload
    def resolution(self, temperature: Number, n_samples: int = 1) -> float: ...
    @overload
    def resolution(self, temperature: ArrayLike, n_samples: int = 1) -> FloatArray: ...
    def resolution(self, temperature: object, n_samples: int = 1) -> Any:
        """Return the standard error with which n configurations of a temperature can tell it.

        It is the bound of Cramér and Rao, ``T/√(n c n_sites)``, or, where excitations are so rare
        that it means nothing, the temperature at which n configurations hold one excitation on
        average: below this temperature, the lesser of the two.

        Parameters
        ----------
        temperature : array_like
            T ≥ 0 in units of J/k_B.
        n_samples : int
            Number n of independent configurations.

        Returns
        -------
        float or numpy.ndarray
            In the shape of `temperature`; infinite at T = ∞.

        Examples
        --------
        >>> from rbmflow import Ring
        >>> EnergyThermometer(Ring(100)).resolution([0.0, 1.0, 2.0, float("inf")])
        array([0.518 , 0.1543, 0.4511,    inf])
        """
        level = check_real("temperature", temperature) + 0.0  # 1/(-0.0) is -inf
        if (level < 0).any():
            raise ValueError(f"temperature={shown(temperature)}: T >= 0 is needed")
        n = check_integer("n_samples", n_samples, 1, MAX_SIZE)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            information = n * self.lattice.n_sites * self.lattice.heat_capacity(1 / level)
            bound = np.where(information > 0, level / np.sqrt(information), np.inf)
        cold = self._one_excitation(n)
        return np.where(level < cold, np.minimum(bound, cold), bound)[()]

    def calibrate(self, training_set: TrainingSet) -> Calibration:
        """Return the readings at each temperature of a training set; `resolution` is that of the method.

        Parameters
        ----------
        training_set : TrainingSet
            Of the same lattice.

        Returns
        -------
        Calibration
            A row for each temperature.

        Examples
        --------
        >>> from rbmflow import Ring, training_set
        >>> EnergyThermometer(Ring(8)).calibrate(training_set(Ring(8), [0.0, 1.0], 10, rng=1)).reading[0]
        np.float64(0.0)
        """
        return calibrate(self, training_set, lambda T, _: float(self.resolution(T)))

    def _one_excitation(self, n_samples: int) -> float:
        """The reading of n configurations, one of them a step above the ground state: two walls or a spin."""
        bonds = self.lattice.bonds_per_site
        return self._temperature(4 * bonds / (n_samples * self.lattice.n_sites) - bonds)

    def _temperature(self, energy: float) -> float:
        """Return T where the exact energy per site is the one given."""
        share = -energy / self.lattice.bonds_per_site
        if share >= 1:
            return 0.0
        if share <= 0:
            return float("inf")
        # each bond is correlated at least as an isolated one, by tanh K (Griffiths);
        # twice the bound clears its rounding
        highest = 2 * np.arctanh(share)
        part = bracketed_root(
            lambda part: float(self.lattice.energy(part * highest)) / energy - 1,
            0.0,
            1.0,
            absolute=1e-15,
            relative=1e-15,
        )
        return float(1 / (part * highest))


def fit(training_set: TrainingSet) -> EnergyThermometer | EnergyCurveThermometer:
    """Return the maximum-likelihood thermometer of a training set's lattice.

    On rings and tori nothing else of the set is used. Elsewhere it has two or more finite temperatures. Of
    lattices that are small or narrow enough for exact energies these are inverted, interpolated between its
    temperatures and the middles of their intervals, with exact slopes; else its own energies, made to rise by
    isotonic regression.

    Parameters
    ----------
    training_set : TrainingSet
        Of any lattice.

    Returns
    -------
    EnergyThermometer or EnergyCurveThermometer
        Of its lattice.

    Examples
    --------
    >>> from rbmflow import Ring, Triangular, training_set
    >>> fit(training_set(Ring(8), [1.0], 1, rng=1))
    EnergyThermometer(lattice=Ring(n_sites=8))
    >>> meter = fit(training_set(Triangular(3, 3), [2.0, 4.0, 6.0], 200, rng=1))
    >>> print(round(meter.readings([[1, 1, 1, 1, 1, 1, -1, -1, 1]])[0], 2))
    7.21
    """
    known = check_training_set(training_set)
    if isinstance(known.lattice, Solved):
        return EnergyThermometer(known.lattice)
    return energy_curve.fit_curve(known)
