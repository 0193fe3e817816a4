"""Means and covariances of two samples held against each other, with the noise that groups of either show."""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray

GROUPS = 16
MAX_PAIRED = 1024
"""Units up to which pairs are compared."""


def grouped_moments(spins: SpinArray) -> FloatArray:
    """Return, of so many groups of rows, the mean of v and below it that of v vᵀ, if units are not too many.

    Examples
    --------
    >>> grouped_moments(np.array([[1, 1], [1, -1]], dtype=np.int8))[1]
    array([[ 1., -1.],
           [ 1., -1.],
           [-1.,  1.]])
    """
    return np.array(
        [_moments(group) for group in np.array_split(spins, min(GROUPS, len(spins)))], dtype=np.float64
    )


def _moments(spins: SpinArray) -> FloatArray:
    values = spins.astype(np.float32)  # sums of ±1 are exact up to 2²⁴ rows
    sums = values.sum(axis=0)[None]
    if spins.shape[1] <= MAX_PAIRED:
        sums = np.concatenate([sums, values.T @ values])
    return np.asarray(sums, dtype=np.float64) / len(spins)


def means_of_units(groups: FloatArray) -> FloatArray:
    """Return the means of each group, shape (n_groups, n_visible)."""
    return np.asarray(groups[:, 0])


def covariances_of_pairs(groups: FloatArray) -> FloatArray:
    """Return those of each group around the common means, shape (n_groups, number of pairs)."""
    centre = groups[:, 0].mean(axis=0)
    above = np.triu_indices(len(centre), 1)
    found = []
    for mean, *product in groups:
        shift = np.outer(centre, mean)
        found.append((np.array(product) - shift - shift.T + np.outer(centre, centre))[above])
    return np.array(found)


def compare(one: FloatArray, other: FloatArray) -> tuple[float, float, float]:
    """Return how far the means of two sets of groups are apart, what noise explains, and the chance of it.

    Difference and noise are root mean squares over the moments. In equal laws the ratio of their squares has
    about Fisher's law with ``ν = (tr S)²/tr S²`` and ``ν (n_groups − 1)`` degrees of freedom, S the
    covariance of the difference that groups show (F. E. Satterthwaite, Biometrics Bull. 2, 110 (1946)). ν is
    1 where all moments move together; where more than some ten move alone it is too small, and the chance of
    a large difference too large.

    Parameters
    ----------
    one, other : numpy.ndarray, shape (n_groups, n_moments)
        Moments of independent groups.

    Returns
    -------
    difference, noise, chance : float
        The last 1 where nothing ever varies and both agree.

    Examples
    --------
    >>> found = compare(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]))
    >>> print(*(round(one, 4) for one in found))
    2.0 0.7071 0.2163
    """
    from scipy.special import fdtrc

    apart = one.mean(axis=0) - other.mean(axis=0)
    spread = [(x - x.mean(axis=0)) / np.sqrt(len(x) * (len(x) - 1)) for x in (one, other)]
    stacked = np.concatenate(spread)
    gram = stacked @ stacked.T
    trace, square = float(np.trace(gram)), float((gram**2).sum())
    size = float((apart**2).sum())
    difference, noise = (float(np.sqrt(x / max(len(apart), 1))) for x in (size, trace))
    if not trace:
        return difference, noise, 0.0 if size else 1.0
    freedom = trace**2 / square
    n_groups = min(len(one), len(other))
    return difference, noise, float(fdtrc(freedom, freedom * (n_groups - 1), size / trace))
