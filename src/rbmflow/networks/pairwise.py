"""±1 units coupled in pairs: what Boltzmann machines and Hopfield networks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.networks.parameters import frozen_array
from rbmflow.networks.storage import Stored
from rbmflow.spins import check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike

EXACT = 2.0**53  # sums of whole numbers up to here are exact in float64


@dataclass(frozen=True, eq=False)
class Couplings:
    """Weights and biases over `unit`; whole numbers, or with ``unit = 1`` any.

    Sums of whole numbers are exact, and a field of zero is zero.
    """

    unit: float
    weights: FloatArray
    biases: FloatArray
    whole: bool

    @cached_property
    def largest_weight(self) -> float:
        """The largest coupling, without its sign."""
        return float(np.abs(self.weights).max())

    @cached_property
    def largest_field(self) -> float:
        """A bound on every field: the largest ``|b| + Σ |w|`` of a unit."""
        with np.errstate(over="ignore"):
            return float((np.abs(self.weights).sum(axis=1) + np.abs(self.biases)).max())


class Pairwise(Stored):
    """Units with ``E(x) = −Σ_(i<j) w_ij x_i x_j − Σ_i b_i x_i``, some of them visible (thesis eq. 12)."""

    couplings: FloatArray
    bias: FloatArray
    n_visible: int

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.couplings)

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return self.n_units - self.n_visible

    @cached_property
    def _couplings(self) -> Couplings:
        return Couplings(1.0, self.couplings, self.bias, whole=False)

    def energy(self, x: ArrayLike) -> Any:
        """Return ``E(x) = −Σ_(i<j) w_ij x_i x_j − Σ_i b_i x_i`` (thesis eq. 12).

        Parameters
        ----------
        x : array_like, shape (..., n_units)
            States, ±1.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape.

        Examples
        --------
        >>> from rbmflow.networks import Hopfield
        >>> Hopfield([[0, 2], [2, 0]], [1, -1]).energy([[1, 1], [1, -1]])
        array([-2.,  0.])
        """
        state, of = check_spins("x", x, self.n_units).astype(np.float64), self._couplings
        return -of.unit * np.sum(state * (of.biases + state @ of.weights / 2), axis=-1)

    def activation(self, x: ArrayLike) -> Any:
        """Return ``a_i = Σ_j w_ij x_j + b_i`` of every unit (thesis eq. 11, 14).

        At the temperature T a unit is up with probability ``1/(1 + e^(−2a_i/T))`` (eq. 17).

        Parameters
        ----------
        x : array_like, shape (..., n_units)
            States, ±1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_units)
            Half of the energy that it takes to turn each unit from up to down.

        Examples
        --------
        >>> from rbmflow.networks import BoltzmannMachine
        >>> BoltzmannMachine([[0, 0.5], [0.5, 0]]).activation([1, -1])
        array([-0.5,  0.5])
        """
        state, of = check_spins("x", x, self.n_units).astype(np.float64), self._couplings
        return of.unit * (state @ of.weights + of.biases)


def check_pairwise(name: str, value: object) -> Pairwise:
    """Return a machine of pairs, or raise naming the argument."""
    if not isinstance(value, Pairwise):
        raise TypeError(f"{name}={shown(value)}: a BoltzmannMachine or a Hopfield is needed")
    return value


def check_couplings(name: str, couplings: object) -> FloatArray:
    """Return a symmetric matrix with a zero diagonal, copied and read-only, or raise naming the argument."""
    array = frozen_array(name, couplings)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise ValueError(f"{name} has shape {array.shape}: (n_units, n_units) is needed, at least 1")
    uneven = np.argwhere(array != array.T)
    if len(uneven):
        i, j = uneven[0]
        raise ValueError(
            f"{name}[{i}, {j}]={array[i, j]:g}, {name}[{j}, {i}]={array[j, i]:g}: symmetric {name} are needed"
        )
    own = np.flatnonzero(np.diagonal(array))
    if len(own):
        i = own[0]
        raise ValueError(f"{name}[{i}, {i}]={array[i, i]:g}: no unit acts on itself, the diagonal is 0")
    return array


def in_units(weights: FloatArray, biases: FloatArray) -> Couplings:
    """Return the parameters over their smallest size where all are whole multiples of it.

    Where one is not exactly, they are returned as they are. Hebb's rule gives multiples of the learning rate
    η: twice η, or η itself, is the smallest size unless there are few.
    """
    sizes = np.abs(np.append(weights[np.triu_indices(len(weights), 1)], biases))
    unit = float(sizes[sizes > 0].min(initial=np.inf))
    if not np.isfinite(unit):
        return Couplings(1.0, weights, biases, whole=True)
    with np.errstate(over="ignore"):
        scaled = Couplings(unit, np.rint(weights / unit), np.rint(biases / unit), whole=True)
        if scaled.largest_field < EXACT and (
            np.array_equal(scaled.weights * unit, weights) and np.array_equal(scaled.biases * unit, biases)
        ):
            return scaled
    return Couplings(1.0, weights, biases, whole=False)
