"""A number with its replicates, so that functions of several have errors."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.estimate import Estimate
from rbmflow.records import Record
from rbmflow.sampling.blocks import jackknifed


@dataclass(frozen=True, eq=False)
class Jackknifed(Record):
    """A function of measurements, of all and with each block left out.

    Attributes
    ----------
    estimate : Estimate
        The value, the bias of order 1/N taken off, and the jackknife error.
    replicates : numpy.ndarray of float64, shape (1 + n_blocks,)
        The first is of all.
    """

    estimate: Estimate
    replicates: FloatArray = dataclasses.field(repr=False)

    @property
    def mean(self) -> float:
        """The value."""
        return self.estimate.mean

    @property
    def stderr(self) -> float:
        """The standard error."""
        return self.estimate.stderr

    def __str__(self) -> str:
        return str(self.estimate)


def of_replicates(replicates: FloatArray) -> Jackknifed:
    """Return the number that replicates are of.

    Examples
    --------
    >>> print(of_replicates(np.array([1.0, 0.9, 1.0, 1.1, 1.0])))
    1.00 ± 0.12
    """
    mean, stderr = jackknifed(replicates)
    unknown = float("nan")
    return Jackknifed(Estimate(float(mean), float(stderr), unknown, unknown, unknown), replicates)


def together(numbers: object, name: str, least: int) -> list[Jackknifed]:
    """Return numbers of one jackknife, or raise."""
    if not isinstance(numbers, (list, tuple)) or not all(isinstance(one, Jackknifed) for one in numbers):
        raise TypeError(f"{name}={shown(numbers)}: a list of Jackknifed is needed")
    if len(numbers) < least:
        raise ValueError(f"{name} holds {len(numbers)} numbers: at least {least} are needed")
    lengths = {len(one.replicates) for one in numbers}
    if len(lengths) > 1:
        raise ValueError(
            f"{name} are of {sorted(np.subtract(list(lengths), 1))} blocks: one number is needed"
        )
    return list(numbers)
