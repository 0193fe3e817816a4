"""What every thermometer asks of configurations and of training sets."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, as_array, shown
from rbmflow.ising.lattice import Lattice
from rbmflow.sampling import TrainingSet
from rbmflow.spins import check_means, refuse_bits


def check_configurations(configurations: object, n_sites: int) -> FloatArray:
    """Return spins or means in [−1, 1], not 0/1, as float64 of shape ``(n, n_sites)``, n ≥ 1, or raise."""
    batch = check_means("configurations", configurations)
    if batch.ndim != 2 or not len(batch) or batch.shape[1] != n_sites:
        raise ValueError(
            f"configurations has shape {batch.shape}: (n, {n_sites}) with n of at least 1 is needed"
        )
    refuse_bits("configurations", batch)
    return batch


def as_floats(name: str, value: object) -> FloatArray:
    """Return numbers, NaN among them, as float64, or raise TypeError naming the argument."""
    array = as_array(name, value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name}={shown(value)}: real numbers are needed")
    return array.astype(np.float64, copy=False)


def check_training_set(training_set: object, lattice: Lattice | None = None) -> TrainingSet:
    """Return a training set without a field, of the lattice of the thermometer if one is given, or raise."""
    if not isinstance(training_set, TrainingSet):
        kind = type(training_set).__name__
        raise TypeError(f"training_set is of type {kind}: a TrainingSet is needed, as training_set() returns")
    if lattice is not None and training_set.lattice != lattice:
        raise ValueError(
            f"training_set is of {shown(training_set.lattice)}: "
            f"one of {shown(lattice)}, as the thermometer, is needed"
        )
    if training_set.field:
        raise ValueError(
            f"training_set is in a field of {training_set.field} J: one without a field is needed; "
            "FieldThermometer reads temperature and field"
        )
    return training_set


def check_curve(training_set: object) -> TrainingSet:
    """Return a training set of two or more finite temperatures that increase, with samples, or raise."""
    checked = check_training_set(training_set)
    temperature = checked.temperature
    if len(temperature) < 2:
        raise ValueError(
            f"training_set has the temperature {shown(temperature.tolist())} alone: 2 are needed"
        )
    if not np.isfinite(temperature).all():
        raise ValueError(f"training_set has T = {temperature.max()}: finite temperatures are needed")
    if (np.diff(temperature) <= 0).any():
        raise ValueError(
            f"training_set has temperatures {shown(temperature.tolist())}: "
            "they must increase, each given once"
        )
    return checked
