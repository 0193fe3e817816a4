"""How well a Hopfield network of many units recalls random patterns, in the mean-field theory."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray


def mean_field_overlap(n_points: int = 200) -> tuple[float, FloatArray, FloatArray]:
    """Return the largest load, and the overlap of recalled states over the loads below it, as n → ∞ at T = 0.

    The replica-symmetric equations ``m = erf y``, ``C = (2/√π) e^(−y²) / √(2αr)``,
    ``r = (1 − C)^(−2)``, ``y = m/√(2αr)`` (Amit, Gutfreund and Sompolinsky, 1985)
    leave one parameter: ``√(2α) = erf(y)/y − (2/√π) e^(−y²)``. α has a maximum,
    0.138; recalled states are on the side of the larger y.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import erf

    def load(y: Any) -> Any:
        return (erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2 / 2

    top = minimize_scalar(lambda y: -load(y), bounds=(0.5, 4.0), method="bounded", options={"xatol": 1e-10}).x
    y = np.geomspace(10.0, top, n_points)
    return float(load(top)), np.asarray(load(y)), np.asarray(erf(y))
