"""The checks that public callables share: each names the argument, its value and what is allowed."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SpinArray = npt.NDArray[np.int8]


def check_integer(name: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """Return `value` as an int between `minimum` and `maximum`, or raise naming the argument."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={value!r}: an integer is needed, not a truth value")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}={value!r}: an integer is needed") from None
    if number < minimum:
        raise ValueError(f"{name}={number}: at least {minimum} is needed")
    if maximum is not None and number > maximum:
        raise ValueError(f"{name}={number}: at most {maximum} is possible")
    return number


def check_digits(dps: object) -> int:
    """Return `dps` as a number of decimal digits, 1 to 100 000."""
    return check_integer("dps", dps, 1, 100_000)


def check_real(name: str, value: object) -> FloatArray:
    """Return `value` as a float64 array of any shape; infinities pass, NaN and non-numbers raise."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}={value!r}: the rows have different lengths") from None
    if array.dtype.kind not in "iufO" or (array.dtype.kind == "O" and _holds_text(array)):
        raise TypeError(f"{name}={value!r}: real numbers are needed")
    try:
        result = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}={value!r}: real numbers are needed") from None
    if np.isnan(result).any():
        raise ValueError(f"{name}={value!r}: NaN is not a number to compute with")
    return result


def _holds_text(array: npt.NDArray[Any]) -> bool:
    return any(isinstance(item, (str, bytes, bool, type(None))) for item in array.flat)


def check_broadcast(**arrays: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
    """Return the named arrays broadcast against each other, or raise naming their shapes."""
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = ", ".join(f"{name} has shape {array.shape}" for name, array in arrays.items())
        raise ValueError(f"{shapes}: the shapes do not broadcast") from None


def check_real_scalar(name: str, value: object) -> float:
    """Return `value` as one float; arrays, NaN and non-numbers raise."""
    array = check_real(name, value)
    if array.ndim:
        raise ValueError(f"{name}={value!r}: one number is needed, not an array of shape {array.shape}")
    return float(array)


def check_rng(rng: object) -> np.random.Generator:
    """Return a Generator from a Generator or a seed (SPEC 7); None draws entropy from the system."""
    if isinstance(rng, (np.random.RandomState, bool, float, str)):
        raise TypeError(f"rng={rng!r}: a numpy.random.Generator or an integer seed is needed")
    try:
        return np.random.default_rng(rng)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise type(error)(f"rng={rng!r}: a numpy.random.Generator or a non-negative seed is needed") from None
