"""Arrays of ±1 spins: checks, and all states of a small system."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, as_array, check_integer, check_real, shown


def check_spins(name: str, spins: object, n_sites: int | None = None) -> SpinArray:
    """Return `spins` as a contiguous int8 array of ±1 with the sites last.

    Parameters
    ----------
    name : str
        What to call the argument in an error.
    spins : array_like
        Shape ``(..., n_sites)``, every value −1 or +1.
    n_sites : int, optional
        The length that the last axis must have.

    Returns
    -------
    numpy.ndarray of int8
        Shape ``(..., n_sites)``, C-contiguous.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If a value is not ±1 (the first is named with its place; 0/1 data get a hint), entries are masked,
        or the shape does not fit.

    Examples
    --------
    >>> check_spins("v", [[1, -1, 1]])
    array([[ 1, -1,  1]], dtype=int8)
    """
    array = _numeric(name, spins)
    check_sites(name, array, n_sites)
    bad = np.abs(array) != 1
    if bad.any():
        hint = "; convert 0/1 units with 2 * x - 1" if np.isin(array, (0, 1)).all() else ""
        value, place = _first(array, bad)
        raise ValueError(f"{name} holds {value}: spins are -1 or +1{hint} ({place})")
    return np.ascontiguousarray(array, dtype=np.int8)


def random_spins(rng: np.random.Generator, *shape: int) -> SpinArray:
    """Return independent spins, −1 or +1 alike."""
    spins: SpinArray = rng.integers(0, 2, size=shape, dtype=np.int8)
    spins *= 2
    spins -= 1
    return spins


def check_means(name: str, values: object, n_sites: int | None = None) -> FloatArray:
    """Return spins or their means, from −1 to 1, as float64; 0/1 units look like means and pass."""
    array = check_real(name, values)
    check_sites(name, array, n_sites)
    if array.size and (array.min() < -1 or array.max() > 1):
        value, place = _first(array, np.abs(array) > 1)
        raise ValueError(f"{name} holds {value}: spins and their means lie between -1 and 1 ({place})")
    return array


def refuse_bits(name: str, array: FloatArray) -> None:
    """Raise if the values are 0 and 1 alone, both in one configuration.

    These are units of 0/1 where ±1 is meant, not means.
    """
    if array.size and array.min() == 0 and np.isin(array, (0, 1)).all():
        mixed = array.min(axis=-1, keepdims=True) != array.max(axis=-1, keepdims=True)
        if mixed.any():
            _, place = _first(array, (array == 0) & mixed)
            raise ValueError(
                f"{name} holds 0 and 1 alone: spins are -1 or +1; convert 0/1 units with 2 * x - 1 ({place})"
            )


def _first(array: npt.NDArray[Any], bad: npt.NDArray[np.bool_]) -> tuple[str, str]:
    """Return the first bad value, and its place."""
    place = tuple(int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
    *rows, column = place
    row = f"row {rows[0] if len(rows) == 1 else tuple(rows)}, " if rows else ""
    return f"{array[place]:g}", f"the first in {row}column {column}, from 0"


def check_sites(name: str, array: npt.NDArray[Any], n_sites: int | None) -> None:
    """Raise unless the last axis of `array` has `n_sites` entries."""
    if array.ndim == 0:
        raise ValueError(f"{name}={shown(array)}: an array with the sites on its last axis is needed")
    if n_sites is not None and array.shape[-1] != n_sites:
        raise ValueError(f"{name} has shape {array.shape}: the last axis must have {shown(n_sites)} sites")


def _numeric(name: str, value: object) -> npt.NDArray[Any]:
    array = as_array(name, value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}: real numbers are needed")
    return array


def all_states(n_sites: int) -> SpinArray:
    """Return every configuration of a small system.

    Parameters
    ----------
    n_sites : int
        1 to 24.

    Returns
    -------
    numpy.ndarray of int8
        Shape ``(2**n_sites, n_sites)``; row i holds the binary digits of i, least
        significant site first, 0 → −1.

    Examples
    --------
    >>> all_states(2)
    array([[-1, -1],
           [ 1, -1],
           [-1,  1],
           [ 1,  1]], dtype=int8)
    """
    n_sites = check_integer("n_sites", n_sites, 1, 24)
    spins = np.empty((2**n_sites, n_sites), dtype=np.int8)
    spins[0] = -1
    for site in range(n_sites):
        known = 2**site
        spins[known : 2 * known] = spins[:known]
        spins[known : 2 * known, site] = 1
    return spins
