"""The checks that public callables share: each names the argument, its value and what is allowed."""

from __future__ import annotations

import operator
import re
import reprlib
import sys
import textwrap
from collections.abc import Collection
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
SpinArray = npt.NDArray[np.int8]
Name = TypeVar("Name", bound=str)
LONGEST = 80  # characters of a value in a message
MOST_NAMES = 180  # characters of the names to choose from
MAX_AXES = 64  # of an array of numpy
MAX_STEPS = 10**9  # of a loop; a longer one is not meant
MAX_SIZE = 10**12  # of one side of an array, whose memory is looked at as well


class _Short(reprlib.Repr):
    """Representations of at most `LONGEST` characters, which never fail."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = LONGEST
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        """Return the digits, or how many there are: Python refuses to write more than some thousands."""
        return super().repr_int(x, level) if x.bit_length() < 1000 else f"an integer of {x.bit_length()} bits"

    def repr_instance(self, x: Any, level: int) -> str:
        """Return that of the object, or its type if it has none."""
        try:
            return super().repr_instance(x, level)
        except Exception:  # noqa: BLE001 (of the object's own)
            return f"<{type(x).__name__}>"


_SHORT = _Short()


def shown(value: object) -> str:
    """Return `value` as a message quotes it: its repr on one line, shortened in the middle.

    Examples
    --------
    >>> shown(0.5), shown([1] * 1000)
    ('0.5', '[1, 1, 1, 1, 1, 1, ...]')
    """
    text = re.sub(r"\n\s*", " ", _SHORT.repr(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2 - 2]}...{text[-LONGEST // 2 + 1 :]}"


def refuse_mask(name: str, value: object) -> None:
    """Raise where a value is masked, which numpy forgets when it makes an array or a number of it."""
    if isinstance(value, _masked_arrays()) and np.ma.is_masked(value):
        raise ValueError(f"{name} is masked: fill in what is missing, or leave it out")


def _masked_arrays() -> tuple[type, ...]:
    """Return the class of masked arrays, or nothing where nobody has loaded it: that takes a while."""
    return (np.ma.MaskedArray,) if "numpy.ma" in sys.modules else ()


def as_array(name: str, value: object, dtype: Any = None) -> npt.NDArray[Any]:
    """Return `value` as an array; raise where a mask would be lost, or rows have different lengths."""
    _refuse_masks(name, value)
    try:
        return np.asarray(_without_objects(value), dtype=dtype)
    except ValueError:
        raise ValueError(f"{name}={shown(value)}: the rows have different lengths") from None


def _without_objects(value: Any) -> Any:
    """Return numbers of pandas that can be missing as such, NaN where they are: numpy sees objects."""
    if not hasattr(value, "to_numpy") or not hasattr(value, "convert_dtypes"):
        return value
    kinds = {getattr(one, "kind", "O") for one in np.ravel(np.asarray(value.dtypes, dtype=object))}
    if not kinds or not kinds <= set("iuf") or np.asarray(value).dtype.kind != "O":
        return value
    array = value.to_numpy(dtype=np.float64, na_value=np.nan)
    return value.to_numpy(dtype=np.int64) if kinds == {"i"} and not np.isnan(array).any() else array


def _refuse_masks(name: str, value: object, level: int = 0) -> None:
    """Raise where a value is masked, or one in lists of lists, as deep as numpy looks."""
    refuse_mask(name, value)
    if isinstance(value, (list, tuple)) and level < MAX_AXES:
        kinds = set(map(type, value))
        if any(issubclass(kind, (list, tuple, *_masked_arrays())) for kind in kinds):
            for part in value:
                _refuse_masks(name, part, level + 1)


def check_choice(name: str, value: object, choices: Collection[Name]) -> Name:
    """Return `value` if it is one of the strings, or raise naming the argument."""
    if isinstance(value, str) and value in choices:
        return str(value)  # type: ignore[return-value]
    names = textwrap.shorten(", ".join(choices), MOST_NAMES, placeholder=" ...")
    allowed = " or ".join(map(repr, choices)) if len(choices) < 3 else f"one of {names}"
    raise ValueError(f"{name}={shown(value)}: {allowed} is needed")


def check_flag(name: str, value: object) -> bool:
    """Return `value` as a bool, or raise naming the argument."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={shown(value)}: True or False is needed")
    return bool(value)


def check_integer(name: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """Return `value` as an int between `minimum` and `maximum`, or raise naming the argument."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}={shown(value)}: an integer is needed, not a truth value")
    refuse_mask(name, value)
    if hasattr(value, "__array__") and not isinstance(value, (np.ndarray, np.generic)):
        value = np.asarray(value)[()]  # a labelled number
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}={shown(value)}: an integer is needed") from None
    if number < minimum:
        raise ValueError(f"{name}={shown(number)}: at least {minimum} is needed")
    if maximum is not None and number > maximum:
        raise ValueError(f"{name}={shown(number)}: at most {maximum} is possible")
    return number


def check_digits(dps: object) -> int:
    """Return `dps` as a number of decimal digits, 1 to 100 000."""
    return check_integer("dps", dps, 1, 100_000)


def check_real(name: str, value: object) -> FloatArray:
    """Return `value` as a float64 array of any shape; infinities pass, NaN and non-numbers raise."""
    array = as_array(name, value)
    if array.dtype.kind not in "iufO" or (array.dtype.kind == "O" and _holds_text(array)):
        raise TypeError(f"{name}={shown(value)}: real numbers are needed")
    try:
        result = np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}={shown(value)}: real numbers are needed") from None
    if np.isnan(result).any():
        raise ValueError(f"{name}={shown(value)}: NaN is not a number to compute with")
    return result


def check_finite(name: str, value: object) -> FloatArray:
    """Return `value` as a float64 array of any shape whose numbers are all finite, or raise."""
    array = check_real(name, value)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds an infinity: finite numbers are needed")
    return array


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
        raise ValueError(f"{name}={shown(value)}: one number is needed, not an array of shape {array.shape}")
    return float(array)


def spawn(rng: np.random.Generator, n: int) -> list[np.random.Generator]:
    """Return generators that are independent of each other, or raise where `rng` cannot spawn any."""
    try:
        return rng.spawn(n)
    except TypeError:
        raise TypeError(
            f"rng={shown(rng)}: a generator that can spawn others is needed, as default_rng(seed)"
        ) from None


def check_rng(rng: object) -> np.random.Generator:
    """Return a Generator from a Generator or a seed (SPEC 7); None draws entropy from the system."""
    if isinstance(rng, np.random.RandomState):
        raise TypeError(
            f"rng={shown(rng)}: the legacy RandomState is not taken; "
            "give numpy.random.default_rng(seed), a Generator, or a seed"
        )
    if isinstance(rng, (bool, float, str)):
        raise TypeError(f"rng={shown(rng)}: a numpy.random.Generator or an integer seed is needed")
    try:
        return np.random.default_rng(rng)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"rng={shown(rng)}: a numpy.random.Generator or a non-negative seed is needed"
        ) from None
