"""Parameters of a network: finite real arrays of a given shape, copied and read-only."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, check_finite, check_real_scalar, shown


def frozen_array(name: str, value: object, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Return a read-only copy of `value`; raise where it is not finite or has another shape."""
    array = np.array(check_finite(name, value), order="C")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}: {shape} is needed")
    array.setflags(write=False)
    return array


def finite_number(name: str, value: object) -> float:
    """Return one finite number, or raise naming the argument."""
    number = check_real_scalar(name, value)
    if not np.isfinite(number):
        raise ValueError(f"{name}={shown(value)}: a finite number is needed")
    return number


def positive_number(name: str, value: object) -> float:
    """Return one finite number above 0, or raise naming the argument."""
    number = finite_number(name, value)
    if number <= 0:
        raise ValueError(f"{name}={shown(value)}: a positive number is needed")
    return number
