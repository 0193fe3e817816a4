"""The flow of configurations through an RBM, visible → hidden → visible."""

from rbmflow.flow.maps import mean_field, sign
from rbmflow.flow.orbit import Orbit, orbit
from rbmflow.flow.uniform import (
    UniformFixedPoints,
    critical_coupling,
    critical_weight,
    uniform_fixed_points,
    uniform_map,
)

__all__ = [
    "Orbit",
    "UniformFixedPoints",
    "critical_coupling",
    "critical_weight",
    "mean_field",
    "orbit",
    "sign",
    "uniform_fixed_points",
    "uniform_map",
]
