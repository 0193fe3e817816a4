"""The jackknife over blocks that are left out of all measurements in turn."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray


def left_out(blocks: FloatArray) -> FloatArray:
    """Return the sum over blocks, and those without each of them: shape (1 + n_blocks, ...)."""
    total = blocks.sum(axis=0, keepdims=True)
    return np.concatenate([total, total - blocks])


def jackknifed(replicates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return values and standard errors of replicates, of which the first is of all measurements.

    ``θ − (B − 1)(θ̄ − θ)`` and ``√((B − 1)/B Σ (θ_b − θ̄)²)`` over B blocks left out.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=100)
    >>> mean, stderr = jackknifed(left_out(x) / np.array([100.0] + 100 * [99.0]))
    >>> bool(np.isclose(stderr, x.std(ddof=1) / 10, rtol=1e-12))
    True
    """
    whole, rest = replicates[0], replicates[1:]
    n_blocks, mean = len(rest), rest.mean(axis=0)
    variance = (n_blocks - 1) / n_blocks * ((rest - mean) ** 2).sum(axis=0)
    return whole - (n_blocks - 1) * (mean - whole), np.sqrt(variance)
