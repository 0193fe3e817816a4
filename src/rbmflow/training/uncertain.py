"""Rows that are not whole spins: probabilities, and spins some of which are missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import FloatArray, SpinArray, as_array
from rbmflow.records import Record
from rbmflow.sampling.completion import check_gaps

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Grey(Record):
    """Rows of probabilities: what is between 0 and 1 is how often a unit is up.

    Training draws spins from them, anew for each epoch, so that the machine learns the law in which units are
    independent given the row: an average over draws of the likelihood of spins.

    Parameters
    ----------
    probabilities : array_like, shape (n, n_visible)
        From 0 to 1; NaN where a value is missing.

    Raises
    ------
    ValueError
        If a value is outside, or there are no rows.

    See Also
    --------
    Incomplete : Rows with gaps.

    Examples
    --------
    >>> Grey([[0.2, 1.0]]).means()
    array([-0.6,  1. ])
    """

    probabilities: FloatArray

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, probabilities: ArrayLike) -> None: ...

    def __post_init__(self) -> None:
        values = as_array("probabilities", self.probabilities)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"probabilities has dtype {values.dtype}: real numbers are needed")
        values = np.asarray(values, dtype=np.float32)
        if values.ndim != 2 or not values.size:
            raise ValueError(
                f"probabilities has shape {values.shape}: (n, n_visible) is needed, both at least 1"
            )
        bad = (values < 0) | (values > 1)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(
                f"probabilities holds {values[row, column]:g} in row {row}, column {column}, from 0: "
                "values from 0 to 1 are needed, or NaN"
            )
        object.__setattr__(self, "probabilities", values)

    def means(self) -> FloatArray:
        """Return the mean of each unit, from −1 to 1; 0 where nothing is known.

        Returns
        -------
        numpy.ndarray, shape (n_visible,)
            ``2 p − 1`` of the mean probability.

        Examples
        --------
        >>> Grey([[0.5, np.nan]]).means()
        array([0., 0.])
        """
        return column_means(2 * self.probabilities.astype(np.float64) - 1)


@dataclass(frozen=True, eq=False)
class Incomplete(Record):
    """Rows of spins some of which are missing.

    Training draws what is missing from the law of the machine given the other spins of the row: one sweep of
    both layers before each epoch, which goes on from the one before. So it ascends the likelihood of what is
    known (data augmentation: M. Tanner and W. Wong, J. Am. Stat. Assoc. 82, 528 (1987)).

    Parameters
    ----------
    spins : array_like, shape (n, n_visible)
        −1 and +1, and NaN where a spin is missing.

    Raises
    ------
    ValueError
        If a value is something else, or there are no rows.

    See Also
    --------
    Grey : Rows of probabilities.
    rbmflow.sampling.complete : Fill the gaps.

    Examples
    --------
    >>> Incomplete([[1, np.nan], [1, -1]]).missing
    array([[False,  True],
           [False, False]])
    """

    spins: SpinArray
    missing: npt.NDArray[np.bool_] = field(init=False, repr=False)

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, spins: ArrayLike) -> None: ...

    def __post_init__(self) -> None:
        spins, missing = check_gaps("spins", self.spins)
        object.__setattr__(self, "spins", spins)
        object.__setattr__(self, "missing", missing)

    def _content(self) -> dict[str, Any]:
        return {"spins": np.where(self.missing, np.nan, self.spins)}


def column_means(values: FloatArray, counts: FloatArray | None = None) -> FloatArray:
    """Return the mean of each column, NaN left out, 0 where there is nothing else."""
    known = ~np.isnan(values)
    counted = known * (1.0 if counts is None else counts[:, None])
    total = counted.sum(axis=0)
    return np.asarray((np.where(known, values, 0.0) * counted).sum(axis=0) / np.where(total > 0, total, 1.0))
