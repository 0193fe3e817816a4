"""One step of the RBM flow, v → h → v, on batches of configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray
from rbmflow.networks import RBM

Step = Callable[[RBM, Any], Any]
"""A map of the visible layer: ``step(rbm, v)``, shape ``(..., n_visible)`` to the same."""


def mean_field(rbm: RBM, v: object) -> FloatArray:
    """Return ``v' = tanh(W h + b)``, ``h = tanh(Wᵀ v + c)`` (thesis eq. 50-51, 75-76).

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.

    Returns
    -------
    numpy.ndarray of float64, shape (..., n_visible)
        Means between −1 and 1.

    Raises
    ------
    TypeError, ValueError
        If `rbm` is not an RBM, a value lies outside [−1, 1] or the shape does not fit.

    Examples
    --------
    >>> mean_field(RBM.uniform(2, 1, 1.0), [1, 1])
    array([0.7461, 0.7461])
    """
    _check_rbm(rbm)
    means: FloatArray = rbm.mean_visible(rbm.mean_hidden(v))
    return means


def sign(rbm: RBM, v: object) -> SpinArray:
    """Return the limit of `mean_field` for large parameters: signs in place of tanh (thesis eq. 77).

    For uniform weights every unit becomes the sign of ``V = Σ v_i``, and 0 where V = 0. A field within its
    own rounding error counts as 0.

    Parameters
    ----------
    rbm : RBM
        The machine; only the directions of its fields matter.
    v : array_like, shape (..., n_visible)
        Spins, or means between −1 and 1.

    Returns
    -------
    numpy.ndarray of int8, shape (..., n_visible)
        −1, 0 or 1.

    Raises
    ------
    TypeError, ValueError
        If `rbm` is not an RBM, a value lies outside [−1, 1] or the shape does not fit.

    Examples
    --------
    >>> sign(RBM.uniform(4, 2, 1.0), [[1, 1, 1, -1], [1, -1, 1, -1]])
    array([[1, 1, 1, 1],
           [0, 0, 0, 0]], dtype=int8)
    """
    _check_rbm(rbm)
    size = np.abs(rbm.weights)
    hidden = _sign(rbm.field_on_hidden(v), size.sum(axis=0) + np.abs(rbm.hidden_bias))
    visible = _sign(rbm.field_on_visible(hidden), size.sum(axis=1) + np.abs(rbm.visible_bias))
    return visible.astype(np.int8)


def _sign(field: FloatArray, size: FloatArray) -> FloatArray:
    """Signs of sums of terms whose moduli add up to `size`; 0 within the rounding error of the sum."""
    rounding = np.finfo(float).eps * size
    return np.asarray(np.where(np.abs(field) <= rounding, 0.0, np.sign(field)))


def _check_rbm(rbm: object) -> None:
    if not isinstance(rbm, RBM):
        raise TypeError(f"rbm={rbm!r}: an RBM is needed")
