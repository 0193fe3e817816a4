"""A measured curve that falls with the temperature, as thermometers invert."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray

ROUNDING = 1e-12
"""Below it differences of means are those of sums in another order."""


def falling_curve(
    complaint: str, temperature: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return temperatures, and the means of rows of values there with their errors, made to fall.

    It is done by isotonic regression. Of temperatures with the same mean one stays: at the cold end the
    coldest, at the hot end the hottest, elsewhere their mean.

    Examples
    --------
    >>> values = np.array([[1.0, 1.0], [1.0, 1.0], [0.5, 0.7]])
    >>> falling_curve("a = {}: it must fall", np.array([0.0, 1.0, 2.0]), values)
    (array([0., 2.]), array([1. , 0.6]), array([0. , 0.1]))
    """
    from scipy.optimize import isotonic_regression

    n_samples = values.shape[1]
    if n_samples < 2:
        raise ValueError(f"training_set has {n_samples} configuration at each temperature: 2 are needed")
    mean, variance = values.mean(axis=1), values.var(axis=1, ddof=1) / n_samples
    falling = isotonic_regression(mean, increasing=False).x
    steps = np.append(0, np.flatnonzero(np.diff(falling) < -ROUNDING) + 1)
    if len(steps) < 2:
        raise ValueError(f"training_set has {complaint.format(mean.tolist())} with the temperature")
    sizes = np.diff(np.append(steps, len(mean)))
    levels = np.add.reduceat(temperature, steps) / sizes
    levels[0], levels[-1] = temperature[0], temperature[-1]
    return levels, falling[steps], np.sqrt(np.add.reduceat(variance, steps)) / sizes
