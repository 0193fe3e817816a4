"""The single neuron: activation, output, error function, gradient, likelihood (thesis eq. 1-10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rbmflow.arguments import FloatArray, check_real
from rbmflow.networks.parameters import finite_number, frozen_array
from rbmflow.records import Record
from rbmflow.spins import check_sites

if TYPE_CHECKING:
    from rbmflow.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Neuron(Record):
    """A neuron of I continuous inputs with a logistic output (thesis eq. 1-2).

    ``y = 1/(1 + e^{−a})`` with ``a = Σ wᵢ xᵢ + b``. The output is the probability of the target 1 (eq. 4). A
    ±1 unit with the same activation is up with probability ``σ(2a)`` (eq. 17 at T = 1) and has the mean
    tanh a: half the weights make the same unit of it.

    Parameters
    ----------
    weights : array_like, shape (n_inputs,)
        Weights w, finite.
    bias : float, optional
        Bias b, the weight of an input that is always 1; zero by default.

    See Also
    --------
    rbmflow.training.fit_neuron : Train one.
    rbmflow.training.neuron_evidence : How much decay the data ask for.

    References
    ----------
    J. ter Hoeve, *Renormalization Group connected to Neural Networks*, thesis, Utrecht (2018), eq. 1-10.

    Examples
    --------
    >>> neuron = Neuron([1.0, -2.0], 0.5)
    >>> float(neuron.output([0.5, 0.5]))
    0.5
    """

    weights: FloatArray
    bias: float = 0.0

    if TYPE_CHECKING:  # what it is made of; the fields say what it holds

        def __init__(self, weights: ArrayLike, bias: float = 0.0) -> None: ...

    def __post_init__(self) -> None:
        weights = frozen_array("weights", self.weights)
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(f"weights has shape {weights.shape}: (n_inputs,) is needed, at least 1")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", finite_number("bias", self.bias))

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.weights)

    def activation(self, inputs: ArrayLike) -> Any:
        """Return ``a = Σ wᵢ xᵢ + b`` (thesis eq. 1).

        Parameters
        ----------
        inputs : array_like, shape (..., n_inputs)
            Finite real numbers.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape.

        Examples
        --------
        >>> Neuron([1.0, -2.0], 0.5).activation([[1, 0], [0, 1]])
        array([ 1.5, -1.5])
        """
        return check_inputs("inputs", inputs, self.n_inputs) @ self.weights + self.bias

    def output(self, inputs: ArrayLike) -> Any:
        """Return ``y = 1/(1 + e^{−a})``, the probability of the target 1 (thesis eq. 2, 4).

        Parameters
        ----------
        inputs : array_like, shape (..., n_inputs)
            Finite real numbers.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape, with its full relative precision where it is small.

        Examples
        --------
        >>> Neuron([1.0]).output([[0.0], [-800.0], [800.0]])
        array([0.5, 0. , 1. ])
        """
        return logistic(self.activation(inputs))

    def mean_spin(self, inputs: ArrayLike) -> Any:
        """Return ``tanh a``, the mean of a ±1 unit that is up with probability ``σ(2a)`` (thesis eq. 17, 31).

        Parameters
        ----------
        inputs : array_like, shape (..., n_inputs)
            Finite real numbers, spins among them.

        Returns
        -------
        float or numpy.ndarray
            In the leading shape.

        Examples
        --------
        >>> float(Neuron([1.0]).mean_spin([1.0]))
        0.7616
        """
        return np.tanh(self.activation(inputs))

    def error(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """Return the cross entropy G over the training set (thesis eq. 3).

        ``G = −Σ [t ln y + (1 − t) ln(1 − y)]``. As ``−ln y = ln(1 + e^{−a})`` and
        ``−ln(1 − y) = ln(1 + e^{a})``, G is a sum of ``ln(1 + e^{∓a})``, which neither overflows nor cancels
        however large the activations are.

        Parameters
        ----------
        inputs : array_like, shape (n, n_inputs)
            The training set.
        targets : array_like, shape (n,)
            0 or 1.

        Returns
        -------
        float
            G ≥ 0, in nats.

        Examples
        --------
        >>> Neuron([1.0]).error([[10_000.0], [-10_000.0]], [0, 0])
        10000.0
        """
        x, t = check_training_set(inputs, targets, self.n_inputs)
        return cross_entropy(x @ self.weights + self.bias, t)

    def gradient(self, inputs: ArrayLike, targets: ArrayLike) -> Gradient:
        """Return the derivatives of G, ``∂G/∂wᵢ = −Σ (t − y) xᵢ`` (thesis eq. 10).

        Parameters
        ----------
        inputs : array_like, shape (n, n_inputs)
            The training set.
        targets : array_like, shape (n,)
            0 or 1.

        Returns
        -------
        Gradient
            By the weights and by the bias.

        Examples
        --------
        >>> Neuron([0.0]).gradient([[1.0], [3.0]], [0, 1])
        Gradient(weights=array([-1.]), bias=0.0)
        """
        x, t = check_training_set(inputs, targets, self.n_inputs)
        missing = shortfall(x @ self.weights + self.bias, t)
        return Gradient(-(missing @ x), -float(missing.sum()))

    def log_likelihood(self, inputs: ArrayLike, targets: ArrayLike) -> float:
        """Return ``ln P({t} | w) = −G`` (thesis eq. 7-9).

        Parameters
        ----------
        inputs : array_like, shape (n, n_inputs)
            The training set.
        targets : array_like, shape (n,)
            0 or 1.

        Returns
        -------
        float
            At most 0; the likelihood itself is its exponential.

        Examples
        --------
        >>> round(float(np.exp(Neuron([0.0]).log_likelihood([[1.0], [3.0]], [0, 1]))), 12)
        0.25
        """
        return -self.error(inputs, targets)


@dataclass(frozen=True, eq=False)
class Gradient(Record):
    """Derivatives of G.

    Attributes
    ----------
    weights : numpy.ndarray, shape (n_inputs,)
        ∂G/∂w.
    bias : float
        ∂G/∂b.
    """

    weights: FloatArray
    bias: float


def logistic(a: Any) -> Any:
    """Return ``1/(1 + e^{−a})``.

    As ``e^{min(a, 0)}/(1 + e^{−|a|})`` it does not overflow, and small values have full precision.
    """
    return np.exp(np.minimum(a, 0)) / (1 + np.exp(-np.abs(a)))


def cross_entropy(a: FloatArray, t: FloatArray) -> float:
    """Return ``Σ ln(1 + e^{(1−2t)a})``."""
    return float(np.logaddexp(0, (1 - 2 * t) * a).sum())


def shortfall(a: FloatArray, t: FloatArray) -> FloatArray:
    """Return ``t − y``, as ``±1/(1 + e^{±a})``: no cancellation where the neuron is nearly right."""
    sign = 2 * t - 1
    return np.asarray(sign * logistic(-sign * a))


def check_inputs(name: str, inputs: object, n_inputs: int | None) -> FloatArray:
    """Return finite real inputs with the last axis `n_inputs`."""
    x = check_real(name, inputs)
    check_sites(name, x, n_inputs)
    if not np.isfinite(x).all():
        raise ValueError(f"{name} holds an infinity: finite numbers are needed")
    return x


def check_training_set(
    inputs: object, targets: object, n_inputs: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return inputs (n, n_inputs) and targets (n,) of 0 and 1, or raise naming the argument."""
    x, t = check_inputs("inputs", inputs, n_inputs), check_real("targets", targets)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"inputs has shape {x.shape}: (n, n_inputs) is needed, both at least 1")
    if t.shape != x.shape[:1]:
        raise ValueError(
            f"targets has shape {t.shape}: {x.shape[:1]} is needed, one target for each row of inputs"
        )
    wrong = (t != 0) & (t != 1)
    if wrong.any():
        hint = "; convert ±1 targets with (t + 1) / 2" if np.isin(t, (-1, 1)).all() else ""
        raise ValueError(f"targets holds {t[wrong][0]:g}: targets are 0 or 1{hint}")
    return x, t
