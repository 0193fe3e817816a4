"""The law of the magnetization: values and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import as_array, check_integer, shown
from rbmflow.precision import keep_digits
from rbmflow.records import Tabular

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, ExactArrayLike

MAX_ORDER = 10_000  # of a moment


@dataclass(frozen=True, eq=False)
class Law(Tabular):
    """Probabilities of every magnetization of n spins.

    Attributes
    ----------
    values : numpy.ndarray of int64, shape (n_sites + 1,)
        The magnetizations V = −n, −n + 2, …, n (total, not per site).
    probabilities : numpy.ndarray, shape (..., n_sites + 1)
        float64, or object (``mpmath.mpf``) where digits were asked for; each row sums to 1.

    Examples
    --------
    >>> Law(np.array([-1, 1]), np.array([0.5, 0.5])).n_sites
    1
    """

    values: npt.NDArray[np.int64]
    probabilities: npt.NDArray[Any]

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, values: ArrayLike, probabilities: ExactArrayLike) -> None: ...

    def __post_init__(self) -> None:
        values = as_array("values", self.values)
        probabilities = as_array("probabilities", self.probabilities)
        if values.ndim != 1 or values.dtype.kind not in "iu" or len(values) < 2:
            raise TypeError(
                f"values={shown(self.values)}: the magnetizations -n, -n + 2, ..., n are needed, as integers"
            )
        n = len(values) - 1
        if values[0] != -n or values[-1] != n:
            raise ValueError(
                f"values run from {values[0]} to {values[-1]}: {n + 1} of them must run from {-n} to {n}"
            )
        if probabilities.ndim == 0 or probabilities.shape[-1] != n + 1:
            raise ValueError(
                f"probabilities has shape {probabilities.shape}: the last axis must have {n + 1} entries"
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "probabilities", probabilities)

    @property
    def n_sites(self) -> int:
        """Number of spins."""
        return len(self.values) - 1

    def _columns(self) -> dict[str, Any]:
        rows = self.probabilities.reshape(-1, self.n_sites + 1)
        columns = {"magnetization": np.tile(self.values, len(rows)), "probability": rows.ravel()}
        if self.probabilities.ndim == 1:
            return columns
        return {"law": np.repeat(np.arange(len(rows)), self.n_sites + 1), **columns}

    def symmetrized(self) -> Law:
        """Return the law with the probabilities of V and −V replaced by their mean.

        No mean of an even function changes.

        Returns
        -------
        Law
            Of the same shape.

        Examples
        --------
        >>> Law(np.array([-1, 1]), np.array([0.25, 0.75])).symmetrized().probabilities
        array([0.5, 0.5])
        """
        if self.probabilities.dtype.kind != "O":
            return Law(self.values, (self.probabilities + self.probabilities[..., ::-1]) / 2)
        rows = self.probabilities.reshape(-1, self.n_sites + 1)
        means = [
            keep_digits(lambda _, p: [(a + b) / 2 for a, b in zip(p, p[::-1], strict=True)], row)
            for row in rows
        ]
        return Law(self.values, np.array(means, dtype=object).reshape(self.probabilities.shape))

    def moment(self, order: int) -> Any:
        """Return ⟨V^order⟩, shape ``(...)``.

        Parameters
        ----------
        order : int
            The power of the magnetization, at least 0.

        Returns
        -------
        float or numpy.ndarray
            The moment of each law.

        Examples
        --------
        >>> Law(np.array([-1, 1]), np.array([0.5, 0.5])).moment(2)
        np.float64(1.0)
        """
        order = check_integer("order", order, 0, MAX_ORDER)
        if self.probabilities.dtype.kind != "O":
            return (self.probabilities * self.values.astype(np.float64) ** order).sum(axis=-1)
        powers = [int(v) ** order for v in self.values]
        rows = self.probabilities.reshape(-1, self.n_sites + 1)
        moments = [keep_digits(lambda ctx, p: [ctx.fdot(p, powers)], row)[0] for row in rows]
        return np.array(moments, dtype=object).reshape(self.probabilities.shape[:-1])[()]


def magnetizations(n_sites: int) -> npt.NDArray[np.int64]:
    """Return the magnetizations −n, −n + 2, …, n of n spins.

    Examples
    --------
    >>> magnetizations(3)
    array([-3, -1,  1,  3])
    """
    return np.arange(-n_sites, n_sites + 1, 2)
