"""The restricted Boltzmann machine: parameters, energy and conditional means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, check_integer, check_real, check_real_scalar
from rbmflow.spins import check_means, check_spins

MAX_WEIGHTS = 10**9


@dataclass(frozen=True, eq=False)
class RBM:
    """A restricted Boltzmann machine of ±1 units: ``E(v, h) = −(vᵀWh + b·v + c·h)`` at temperature 1 (thesis eq. 25-26).

    Parameters
    ----------
    weights : array_like, shape (n_visible, n_hidden)
        Couplings W between the layers, finite.
    visible_bias : array_like, shape (n_visible,), optional
        Fields b on the visible units; zero by default.
    hidden_bias : array_like, shape (n_hidden,), optional
        Fields c on the hidden units; zero by default.

    Raises
    ------
    TypeError, ValueError
        If an array is not real and finite, or has the wrong shape.

    Examples
    --------
    >>> rbm = RBM.uniform(8, 4, 0.3)
    >>> rbm.n_visible, rbm.n_hidden
    (8, 4)
    """

    weights: FloatArray
    visible_bias: FloatArray = None  # type: ignore[assignment]
    hidden_bias: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        weights = _finite("weights", self.weights)
        if weights.ndim != 2 or 0 in weights.shape:
            raise ValueError(
                f"weights has shape {weights.shape}: (n_visible, n_hidden) is needed, both at least 1"
            )
        object.__setattr__(self, "weights", weights)
        for name, length in (("visible_bias", weights.shape[0]), ("hidden_bias", weights.shape[1])):
            value = getattr(self, name)
            bias = np.zeros(length) if value is None else _finite(name, value)
            if bias.shape != (length,):
                raise ValueError(f"{name} has shape {bias.shape}: ({length},) is needed")
            bias.setflags(write=False)
            object.__setattr__(self, name, bias)
        weights.setflags(write=False)

    @classmethod
    def uniform(cls, n_visible: int, n_hidden: int, weight: float) -> RBM:
        """Return the machine whose weights all equal `weight`, without biases (thesis eq. 52).

        Parameters
        ----------
        n_visible, n_hidden : int
            Units in each layer, at least 1.
        weight : float
            The common weight W, finite.

        Returns
        -------
        RBM
            The machine.

        Raises
        ------
        TypeError, ValueError
            If a size is not a positive integer, or the weight is not finite (the flow at W → ∞ is `flow.sign`).

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).weights
        array([[0.5],
               [0.5]])
        """
        shape = (check_integer("n_visible", n_visible, 1), check_integer("n_hidden", n_hidden, 1))
        if shape[0] * shape[1] > MAX_WEIGHTS:
            raise ValueError(
                f"n_visible={shape[0]}, n_hidden={shape[1]}: at most {MAX_WEIGHTS} weights are possible"
            )
        value = check_real_scalar("weight", weight)
        if not np.isfinite(value):
            raise ValueError(
                f"weight={weight!r}: a finite weight is needed; the limit W → ∞ of the flow is flow.sign"
            )
        return cls(np.full(shape, value))

    @property
    def n_visible(self) -> int:
        """Number of visible units."""
        return int(self.weights.shape[0])

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return int(self.weights.shape[1])

    def energy(self, v: object, h: object) -> Any:
        """Return ``E(v, h) = −(vᵀWh + b·v + c·h)`` (thesis eq. 25).

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible spins, ±1.
        h : array_like, shape (..., n_hidden)
            Hidden spins, ±1; the leading axes broadcast with those of `v`.

        Returns
        -------
        float or numpy.ndarray
            In the broadcast leading shape.

        Raises
        ------
        TypeError, ValueError
            If the spins are not ±1 or the shapes do not fit.

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).energy([1, 1], [[1], [-1]])
        array([-1.,  1.])
        """
        visible = check_spins("v", v, self.n_visible).astype(np.float64)
        hidden = check_spins("h", h, self.n_hidden).astype(np.float64)
        try:
            coupled = np.sum((visible @ self.weights + self.hidden_bias) * hidden, axis=-1)
        except ValueError:
            raise ValueError(
                f"v has shape {visible.shape}, h {hidden.shape}: the leading axes must broadcast"
            ) from None
        return -(coupled + visible @ self.visible_bias)

    def mean_hidden(self, v: object) -> Any:
        """Return the means of the hidden units given the visible ones, ``tanh(Wᵀv + c)`` (thesis eq. 33, 50).

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_hidden)
            Between −1 and 1.

        Raises
        ------
        TypeError, ValueError
            If a value is not real or lies outside [−1, 1], or the shape does not fit.

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).mean_hidden([1, 1])
        array([0.7616])
        """
        return np.tanh(self.field_on_hidden(v))

    def mean_visible(self, h: object) -> Any:
        """Return the means of the visible units given the hidden ones, ``tanh(Wh + b)`` (thesis eq. 51).

        Parameters
        ----------
        h : array_like, shape (..., n_hidden)
            Hidden values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_visible)
            Between −1 and 1.

        Raises
        ------
        TypeError, ValueError
            If a value is not real or lies outside [−1, 1], or the shape does not fit.

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).mean_visible([1.0])
        array([0.4621, 0.4621])
        """
        return np.tanh(self.field_on_visible(h))

    def field_on_hidden(self, v: object) -> Any:
        """Return the field ``Wᵀv + c`` on the hidden units.

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_hidden)
            The fields.

        Raises
        ------
        TypeError, ValueError
            If a value is not real or lies outside [−1, 1], or the shape does not fit.

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).field_on_hidden([1, 1])
        array([1.])
        """
        return _apply(check_means("v", v, self.n_visible), self.weights) + self.hidden_bias

    def field_on_visible(self, h: object) -> Any:
        """Return the field ``Wh + b`` on the visible units.

        Parameters
        ----------
        h : array_like, shape (..., n_hidden)
            Hidden values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_visible)
            The fields.

        Raises
        ------
        TypeError, ValueError
            If a value is not real or lies outside [−1, 1], or the shape does not fit.

        Examples
        --------
        >>> RBM.uniform(2, 1, 0.5).field_on_visible([1])
        array([0.5, 0.5])
        """
        return _apply(check_means("h", h, self.n_hidden), self.weights.T) + self.visible_bias


def _apply(values: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return ``values @ matrix``; for equal weights as W·Σv, which is exactly 0 where the spins sum to 0.

    A rounding error there would grow along an ordering flow and decide what nothing decides.
    """
    if (matrix == matrix[0, 0]).all():
        field = matrix[0, 0] * values.sum(axis=-1, keepdims=True)
        return np.broadcast_to(field, (*values.shape[:-1], matrix.shape[1]))
    return values @ matrix


def _finite(name: str, value: object) -> FloatArray:
    array = np.array(check_real(name, value))
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds an infinity: finite numbers are needed")
    return array
