"""Ratios of partition functions from the weights of annealed chains, in one direction or in both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rbmflow.arguments import FloatArray

BISECTIONS = 200


class LogMean(NamedTuple):
    """The logarithm of a mean of weights."""

    value: float
    stderr: float  # of the logarithm, to first order: s/(w̄ √n)
    n_effective: float  # (Σw)²/Σw²


class TwoSided(NamedTuple):
    """The logarithm of a ratio from weights in both directions."""

    value: float
    stderr: float
    n_effective: float  # the smaller one of both directions, of their terms in Bennett's ratio


def log_mean(log_weight: FloatArray) -> LogMean:
    """Return ln of the mean of independent weights."""
    top, n = float(log_weight.max()), len(log_weight)
    weight = np.exp(log_weight - top)
    mean = float(weight.mean())
    return LogMean(
        top + float(np.log(mean)),
        float(weight.std(ddof=1) / (mean * np.sqrt(n))),
        float(weight.sum() ** 2 / (weight**2).sum()),
    )


def two_sided(forward: FloatArray, backward: FloatArray) -> TwoSided:
    """Return ln(Z_1/Z_0) from as many weights of chains 0 → 1 as 1 → 0, by Bennett's ratio.

    The root D of ``Σ 1/(1 + e^(D − ln w)) = Σ 1/(1 + e^(−D − ln w'))``, w forward and w' backward, has the
    least variance of all that both sides tell.
    """
    low = min(float(forward.min()), -float(backward.max()))
    high = max(float(forward.max()), -float(backward.min()))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if _log_sum(_log_switch(middle - forward)) > _log_sum(_log_switch(-middle - backward)):
            low = middle
        else:
            high = middle
    ratio = (low + high) / 2
    sides = log_mean(_log_switch(ratio - forward)), log_mean(_log_switch(-ratio - backward))
    stderr = float(np.hypot(sides[0].stderr, sides[1].stderr))
    return TwoSided(ratio, stderr, min(side.n_effective for side in sides))


def _log_switch(x: FloatArray) -> FloatArray:
    """Return ``−ln(1 + e^x)``.

    Where both directions are far apart the switches themselves are too small for numbers.
    """
    return -np.logaddexp(0.0, x)


def _log_sum(logs: FloatArray) -> float:
    return float(np.logaddexp.reduce(logs))
