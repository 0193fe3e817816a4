"""Figures of thermometers and of what they learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rbmflow.arguments import shown
from rbmflow.experiments import observables, thermometers
from rbmflow.experiments.tables import Table, Tables
from rbmflow.plot.processes import named
from rbmflow.sampling import TrainingSet
from rbmflow.thermometer import Calibration, NullCalibration


def calibration(calibrations: Calibration | Mapping[str, Calibration], *, ax: Any = None) -> Any:
    """Draw readings and resolutions of thermometers against the true temperature.

    Parameters
    ----------
    calibrations : Calibration or dict of str to Calibration
        One, or several by the names of the thermometers.
    ax : sequence of two matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Readings and resolutions.

    Examples
    --------
    >>> from rbmflow import Torus, thermometer, training_set
    >>> known = training_set(Torus(4, 4), [1.0, 2.0, 4.0], 20, rng=1)
    >>> left, right = calibration(thermometer.EnergyThermometer(Torus(4, 4)).calibrate(known))
    >>> left.get_xlabel()
    'true temperature, $J/k_B$'
    """
    return thermometers.calibration(named("calibrations", calibrations, Calibration), ax)


def null_calibration(results: NullCalibration | Mapping[str, NullCalibration], *, ax: Any = None) -> Any:
    """Draw what thermometers read off independent spins against their magnetization.

    Parameters
    ----------
    results : NullCalibration or dict of str to NullCalibration
        One, or several by the names of the thermometers.
    ax : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        A line for each thermometer.

    Examples
    --------
    >>> from rbmflow import Torus, thermometer
    >>> by_energy = thermometer.EnergyThermometer(Torus(4, 4))
    >>> found = thermometer.null_calibration(by_energy, [0.0, 0.5], 10, rng=1)
    >>> null_calibration(found).get_ylabel()
    'reading, $J/k_B$'
    """
    return thermometers.null_calibration(named("results", results, NullCalibration), ax)


def training_set(data: TrainingSet, *, ax: Any = None) -> Any:
    """Draw the energies of a training set beside exact ones, and the deviations in standard errors.

    Parameters
    ----------
    data : TrainingSet
        Of `rbmflow.training_set`.
    ax : sequence of two matplotlib.axes.Axes, optional
        Where to draw; those of a new figure by default.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Energies and deviations.

    Examples
    --------
    >>> from rbmflow import Ring
    >>> import rbmflow
    >>> left, right = training_set(rbmflow.training_set(Ring(8), [1.0, 2.0], 10, rng=1))
    >>> left.figure.get_suptitle()
    'Ring of 8 sites'
    """
    if not isinstance(data, TrainingSet):
        raise TypeError(f"data={shown(data)}: a TrainingSet is needed")
    columns = {name: list(values) for name, values in data._columns().items()}
    table = Table(observables.name_of(data.lattice), columns)
    return observables.draw_training_set(Tables({"certificate": table}), ax)
