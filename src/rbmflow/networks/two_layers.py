"""Two layers of ±1 units coupled to each other: parameters, energies, conditional laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, SpinArray, check_rng
from rbmflow.networks.parameters import frozen_array
from rbmflow.networks.storage import Stored
from rbmflow.spins import check_means, check_spins

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike, RNGLike

NUMBERS_AT_ONCE = 2**17  # of a layer: more would leave the cache


@dataclass(frozen=True, eq=False, repr=False)
class TwoLayers(Stored):
    """Visible and hidden units with ``E(v, h) = −(vᵀWh + b·v + c·h)``; see `RBM`, which adds what p(v) is.

    Attributes
    ----------
    weights : numpy.ndarray of float64, shape (n_visible, n_hidden)
        Couplings W between the layers.
    visible_bias, hidden_bias : numpy.ndarray of float64
        Fields b and c on the units.

    Examples
    --------
    >>> TwoLayers([[0.5], [0.5]]).n_visible
    2
    """

    weights: FloatArray
    visible_bias: FloatArray = None  # type: ignore[assignment]
    hidden_bias: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        checked = check_layers(self.weights, self.visible_bias, self.hidden_bias)
        for name, array in zip(("weights", "visible_bias", "hidden_bias"), checked, strict=True):
            object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n_visible={self.n_visible}, n_hidden={self.n_hidden})"

    @property
    def n_visible(self) -> int:
        """Number of visible units."""
        return int(self.weights.shape[0])

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return int(self.weights.shape[1])

    def energy(self, v: ArrayLike, h: ArrayLike) -> Any:
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

        Examples
        --------
        >>> from rbmflow import RBM
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

    def free_energy(self, v: ArrayLike) -> Any:
        """Return the free energy F of visible spins, ``p(v) = e^(−F(v))/Z`` (thesis eq. 27).

        ``F(v) = −b·v − Σ_a ln 2cosh(c_a + Σ_i W_ia v_i)``.

        Time O(M N) for each configuration.

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible spins, ±1.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> print(round(RBM.uniform(2, 1, 0.5).free_energy([1, 1]), 6))
        -1.126928
        """
        visible = check_spins("v", v, self.n_visible)
        return -_traced_out(visible, self.weights, self.visible_bias, self.hidden_bias)

    def free_energy_hidden(self, h: ArrayLike) -> Any:
        """Return ``−c·h − Σ_i ln 2cosh(b_i + Σ_a W_ia h_a)``, the free energy of the hidden layer.

        Parameters
        ----------
        h : array_like, shape (..., n_hidden)
            Hidden spins, ±1.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape; ``p(h) = e^(−F(h))/Z``.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> print(round(RBM.uniform(2, 1, 0.5).free_energy_hidden([1]), 6))
        -1.626523
        """
        hidden = check_spins("h", h, self.n_hidden)
        return -_traced_out(hidden, self.weights.T, self.hidden_bias, self.visible_bias)

    def mean_hidden(self, v: ArrayLike) -> Any:
        """Return the means of the hidden units given the visible ones, ``tanh(Wᵀv + c)`` (thesis eq. 32, 50).

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_hidden)
            Between −1 and 1.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(2, 1, 0.5).mean_hidden([1, 1])
        array([0.7616])
        """
        return np.tanh(self.field_on_hidden(v))

    def mean_visible(self, h: ArrayLike) -> Any:
        """Return the means of the visible units given the hidden ones, ``tanh(Wh + b)`` (thesis eq. 33, 51).

        Parameters
        ----------
        h : array_like, shape (..., n_hidden)
            Hidden values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_visible)
            Between −1 and 1.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(2, 1, 0.5).mean_visible([1.0])
        array([0.4621, 0.4621])
        """
        return np.tanh(self.field_on_visible(h))

    def sample_hidden(self, v: ArrayLike, rng: RNGLike) -> SpinArray:
        """Return hidden spins drawn independently given the visible ones (eq. 30).

        A spin is up with probability ``(1 + tanh a)/2``.

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible spins, ±1.
        rng : numpy.random.Generator or int
            Source of randomness, one number for each hidden unit, or a seed.

        Returns
        -------
        numpy.ndarray of int8, shape (..., n_hidden)
            The spins.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(2, 3, 20.0).sample_hidden([1, 1], rng=1)
        array([1, 1, 1], dtype=int8)
        """
        visible = check_spins("v", v, self.n_visible)
        return draw_spins(self.field_on_hidden(visible), check_rng(rng))

    def sample_visible(self, h: ArrayLike, rng: RNGLike) -> SpinArray:
        """Return visible spins drawn independently given the hidden ones.

        A spin is up with probability ``(1 + tanh a)/2``.

        Parameters
        ----------
        h : array_like, shape (..., n_hidden)
            Hidden spins, ±1.
        rng : numpy.random.Generator or int
            Source of randomness, one number for each visible unit, or a seed.

        Returns
        -------
        numpy.ndarray of int8, shape (..., n_visible)
            The spins.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(2, 1, 20.0).sample_visible([[1], [-1]], rng=1)
        array([[ 1,  1],
               [-1, -1]], dtype=int8)
        """
        hidden = check_spins("h", h, self.n_hidden)
        return draw_spins(self.field_on_visible(hidden), check_rng(rng))

    def field_on_hidden(self, v: ArrayLike) -> Any:
        """Return the field ``Wᵀv + c`` on the hidden units.

        Parameters
        ----------
        v : array_like, shape (..., n_visible)
            Visible values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_hidden)
            The fields.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(2, 1, 0.5).field_on_hidden([1, 1])
        array([1.])
        """
        return apply_weights(check_means("v", v, self.n_visible), self.weights) + self.hidden_bias

    def field_on_visible(self, h: ArrayLike) -> Any:
        """Return the field ``Wh + b`` on the visible units.

        Parameters
        ----------
        h : array_like, shape (..., n_hidden)
            Hidden values: spins, or means between −1 and 1.

        Returns
        -------
        numpy.ndarray of float64, shape (..., n_visible)
            The fields.

        Examples
        --------
        >>> from rbmflow import RBM
        >>> RBM.uniform(2, 1, 0.5).field_on_visible([1])
        array([0.5, 0.5])
        """
        return apply_weights(check_means("h", h, self.n_hidden), self.weights.T) + self.visible_bias


def apply_weights(values: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return ``values @ matrix``; for equal weights as W·Σv, which is exactly 0 where the spins sum to 0.

    A rounding error there would grow along an ordering flow and decide what nothing decides.
    """
    if (matrix == matrix[0, 0]).all():
        field = matrix[0, 0] * np.einsum("...i->...", values)[..., np.newaxis]
        return np.broadcast_to(field, (*values.shape[:-1], matrix.shape[1]))
    return values @ matrix


def _traced_out(spins: SpinArray, weights: FloatArray, bias: FloatArray, other_bias: FloatArray) -> Any:
    """Return ``b·s + Σ_a ln 2cosh(c_a + (sW)_a)``: the other layer traced out.

    It goes in blocks of rows that need little memory.
    """
    rows = spins.reshape(-1, len(bias))
    result, step = np.empty(len(rows)), max(1, NUMBERS_AT_ONCE // max(weights.shape))
    for first in range(0, len(rows), step):
        block = rows[first : first + step].astype(np.float64)
        fields = apply_weights(block, weights) + other_bias
        result[first : first + step] = traced_out(block, bias, fields)
    return result.reshape(spins.shape[:-1])[()]


def traced_out(spins: FloatArray, bias: FloatArray, fields: FloatArray) -> FloatArray:
    """Return ``b·s + Σ_a ln 2cosh f_a``: minus the free energy of spins that act with fields f on a layer."""
    return np.asarray(spins @ bias + log_two_cosh(fields).sum(axis=-1))


def check_layers(
    weights: object, visible_bias: object, hidden_bias: object
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return W, b and c as read-only copies, or raise; a bias of None is 0."""
    W = frozen_array("weights", weights)
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(f"weights has shape {W.shape}: (n_visible, n_hidden) is needed, both at least 1")
    b, c = _bias("visible_bias", visible_bias, *W.shape), _bias("hidden_bias", hidden_bias, *W.shape[::-1])
    return W, b, c


def _bias(name: str, value: object, length: int, other: int) -> FloatArray:
    bias = frozen_array(name, np.zeros(length) if value is None else value)
    if bias.shape != (length,):
        hint = "; the weights have the shape (n_visible, n_hidden), torch and scikit-learn have the transpose"
        turned = bias.shape == (other,)
        raise ValueError(f"{name} has shape {bias.shape}: ({length},) is needed{hint if turned else ''}")
    return bias


def check_machine(name: str, value: object) -> TwoLayers:
    """Return a machine of two layers, or raise naming the argument."""
    if not isinstance(value, TwoLayers):
        raise TypeError(f"{name} is a {type(value).__name__}: an RBM is needed")
    return value


def log_two_cosh(x: FloatArray) -> FloatArray:
    """Return ``ln 2cosh x = |x| + ln(1 + e^(−2|x|))``."""
    size = np.abs(x)
    return np.asarray(size + np.log1p(np.exp(-2 * size)))


def draw_spins(field: FloatArray, rng: np.random.Generator) -> SpinArray:
    """Return spins, each up with probability 1/(1 + e^(−2a)), from one uniform number each.

    The sign of a is flipped where ``u (1 + e) < e``, ``e = e^(−2|a|)``: rare spins keep their full precision.
    """
    rare = np.exp(-2 * np.abs(field))
    flipped = rng.random(field.shape) * (1 + rare) < rare
    return np.asarray(2 * ((field >= 0) != flipped).astype(np.int8) - 1)
