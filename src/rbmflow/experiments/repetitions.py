"""Means over a few repetitions and how far they are known."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray

SHARE = 0.6826894921370859
"""Of repetitions whose interval holds the true mean: that of ± one standard error of a normal variable."""


def mean_and_error(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return means over the first axis and half the width of their 68 % intervals, NaN with one repetition.

    The standard error ``s/√n`` is itself an estimate from n numbers: Student's t with n − 1 degrees of
    freedom widens it, by 1.84, 1.14 and 1.06 for n = 2, 5, 10.

    Examples
    --------
    >>> mean, error = mean_and_error(np.array([1.0, 3.0]))
    >>> print(f"{mean:.4f} ± {error:.4f}")
    2.0000 ± 1.8373
    """
    from scipy.special import stdtrit

    n = len(values)
    if n < 2:
        return values.mean(axis=0), np.full(values.shape[1:], np.nan)
    with np.errstate(invalid="ignore"):
        spread = values.std(axis=0, ddof=1) / np.sqrt(n)
    return values.mean(axis=0), stdtrit(n - 1, (1 + SHARE) / 2) * spread
