"""Histograms of the energy at several couplings, put together.

Runs k at couplings K_k, of N_k independent measurements each, say together how often each energy comes at
any coupling: a measurement of energy E has there the weight

    w(E; K) = exp(−K E) / Σ_k N_k exp(−K_k E)/Z_k,

with the partition functions that these weights themselves give (A. M. Ferrenberg and R. H. Swendsen, Phys.
Rev. Lett. 63, 1195 (1989)). As a function of the ln Z_k their equations are the minimum of a convex function
(M. R. Shirts and J. D. Chodera, J. Chem. Phys. 129, 124105 (2008)), which Newton's steps find.
"""

from __future__ import annotations

import numpy as np

from rbmflow.arguments import FloatArray

MAX_STEPS = 200
HALVINGS = 40
SETTLED = 1e-10
"""Of a step in ln Z, where Newton's converge quadratically."""


def _terms(E: FloatArray, K: FloatArray, counts: FloatArray, log_z: FloatArray) -> FloatArray:
    """``ln [N_k exp(−K_k E)/Z_k]``, shape (n_energies, n_couplings)."""
    return np.asarray(np.log(counts) - log_z - np.outer(E, K))


def _log_sums(terms: FloatArray) -> FloatArray:
    """The logarithms of the sums of exponentials along rows."""
    top = terms.max(axis=1)
    return np.asarray(top + np.log(np.exp(terms - top[:, np.newaxis]).sum(axis=1)))


def log_mixture(E: FloatArray, K: FloatArray, counts: FloatArray, log_z: FloatArray) -> FloatArray:
    """Return ``ln Σ_k N_k exp(−K_k E)/Z_k`` of each energy.

    Examples
    --------
    >>> log_mixture(np.array([0.0, 1.0]), np.array([0.5]), np.array([1.0]), np.array([0.0]))
    array([ 0. , -0.5])
    """
    return _log_sums(_terms(E, K, counts, log_z))


def log_partitions(
    E: FloatArray, times: FloatArray, K: FloatArray, counts: FloatArray, start: FloatArray
) -> FloatArray:
    """Return ln Z of each coupling, that of the first being 0.

    Parameters
    ----------
    E, times : numpy.ndarray, shape (n_energies,)
        Total energies, and how often they were measured in all runs together.
    K, counts, start : numpy.ndarray, shape (n_couplings,)
        Couplings, measurements at each, and about what ln Z is.

    Returns
    -------
    numpy.ndarray, shape (n_couplings,)
        At the minimum of ``Σ_E times(E) ln Σ_k N_k exp(−K_k E)/Z_k + Σ_k N_k ln Z_k``.

    Examples
    --------
    >>> E = np.array([-1.0, 1.0])  # a spin in a field: Z = 2 cosh K
    >>> K = np.array([0.0, 1.0])
    >>> times = 1000 * (0.5 + np.exp(-E) / (2 * np.cosh(1)))
    >>> found = log_partitions(E, times, K, np.array([1000.0, 1000.0]), np.zeros(2))
    >>> bool(abs(found[1] - np.log(np.cosh(1))) < 1e-12)
    True
    """
    log_z = start - start[0]
    for _ in range(MAX_STEPS if len(K) > 1 else 0):
        terms = _terms(E, K, counts, log_z)
        shares = np.exp(terms - _log_sums(terms)[:, np.newaxis])
        visits = times @ shares
        curvature = (np.diag(visits) - (shares.T * times) @ shares)[1:, 1:]
        step = np.linalg.lstsq(curvature, (visits - counts)[1:], rcond=None)[0]
        value = times @ _log_sums(terms) + counts @ log_z
        for _ in range(HALVINGS):
            moved = log_z + np.concatenate([[0.0], step])
            below = times @ log_mixture(E, K, counts, moved) + counts @ moved
            if below <= value + 1e-12 * abs(value):
                break
            step = step / 2
        log_z = moved
        if np.abs(step).max() < SETTLED:
            break
    return np.asarray(log_z)


def connection(
    E: FloatArray, times: FloatArray, K: FloatArray, counts: FloatArray, log_z: FloatArray
) -> float:
    """Return how well the histograms hang together: 1 where they are one, 0 where they fall into parts.

    The matrix ``O_kl`` of the chance that a measurement of run k would be taken for one of run l has the
    eigenvalue 1; this is the distance of the next one (P. V. Klimovich, M. R. Shirts and D. L. Mobley, J.
    Comput. Aided Mol. Des. 29, 397 (2015)).

    Examples
    --------
    >>> E = np.array([-1.0, 1.0])
    >>> connection(E, np.array([5.0, 5.0]), np.array([0.0]), np.array([10.0]), np.zeros(1))
    1.0
    """
    if len(K) == 1:
        return 1.0
    terms = _terms(E, K, counts, log_z)
    shares = np.exp(terms - _log_sums(terms)[:, np.newaxis])
    matrix = (shares.T * times) @ shares / np.sqrt(np.outer(counts, counts))
    return float(1 - np.linalg.eigvalsh(matrix)[-2])
