"""Machines of 0/1 units: the same laws with other parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray, shown
from rbmflow.networks.two_layers import TwoLayers, check_layers
from rbmflow.records import Record

ATTRIBUTES = ("components_", "intercept_visible_", "intercept_hidden_")


@dataclass(frozen=True, eq=False)
class BinaryParameters(Record):
    """Parameters of a machine of 0/1 units x and y, ``E(x, y) = −(xᵀWy + b·x + c·y)``.

    Attributes
    ----------
    weights : numpy.ndarray of float64, shape (n_visible, n_hidden)
        Couplings; scikit-learn's ``components_`` is the transpose.
    visible_bias : numpy.ndarray of float64, shape (n_visible,)
        scikit-learn's ``intercept_visible_``.
    hidden_bias : numpy.ndarray of float64, shape (n_hidden,)
        scikit-learn's ``intercept_hidden_``.
    constant : float
        What the energy of the ±1 machine has beyond E(x, y), with the sign reversed:
        ``ln Z(±1) = ln Z(0/1) + constant``. It changes no probability.
    """

    weights: FloatArray
    visible_bias: FloatArray
    hidden_bias: FloatArray
    constant: float = 0.0


def to_binary(weights: FloatArray, visible_bias: FloatArray, hidden_bias: FloatArray) -> BinaryParameters:
    """Return the parameters for x = (1 + v)/2, y = (1 + h)/2.

    With v = 2x − 1 and h = 2y − 1: ``vᵀWh = 4xᵀWy − 2x·(W1) − 2(Wᵀ1)·y + 1ᵀW1``.
    """
    total = weights.sum()
    return BinaryParameters(
        4 * weights,
        2 * (visible_bias - weights.sum(axis=1)),
        2 * (hidden_bias - weights.sum(axis=0)),
        float(total - visible_bias.sum() - hidden_bias.sum()),
    )


def from_binary(
    source: Any, visible_bias: object = None, hidden_bias: object = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return weights and biases for ±1 units; the inverse of `to_binary`."""
    machine = source if isinstance(source, TwoLayers) else getattr(source, "rbm_", None)
    if isinstance(machine, TwoLayers):
        # of ±1 units, as those of IsingRBM are, although they are called what scikit-learn calls its own
        if visible_bias is not None or hidden_bias is not None:
            raise TypeError(f"visible_bias, hidden_bias: {type(source).__name__} has its own")
        return machine.weights, machine.visible_bias, machine.hidden_bias
    weights, b, c = _parameters(source, visible_bias, hidden_bias)
    return weights / 4, b / 2 + weights.sum(axis=1) / 4, c / 2 + weights.sum(axis=0) / 4


def _parameters(source: Any, visible_bias: object, hidden_bias: object) -> tuple[FloatArray, ...]:
    """Return W, b and c of 0/1 units from arrays, from BinaryParameters or from a fitted BernoulliRBM."""
    fitted = [hasattr(source, name) for name in ATTRIBUTES]
    whole = isinstance(source, BinaryParameters) or all(fitted)
    if whole and (visible_bias is not None or hidden_bias is not None):
        raise TypeError(f"visible_bias, hidden_bias: {type(source).__name__} has its own")
    parts: tuple[Any, Any, Any]
    if isinstance(source, BinaryParameters):
        parts = source.weights, source.visible_bias, source.hidden_bias
    elif all(fitted):
        components, b, c = (getattr(source, name) for name in ATTRIBUTES)
        parts = np.asarray(components).T, b, c
    elif any(fitted) or hasattr(source, "fit"):
        raise TypeError(f"source={shown(source)}: it is not fitted; {', '.join(ATTRIBUTES)} are needed")
    else:
        parts = source, visible_bias, hidden_bias
    return check_layers(*parts)
