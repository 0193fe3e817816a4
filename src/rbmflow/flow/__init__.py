"""The flow of configurations through an RBM, visible → hidden → visible."""

from rbmflow.flow.maps import mean_field, sign
from rbmflow.flow.orbit import Orbit, orbit
from rbmflow.flow.threshold import (
    critical_coupling,
    critical_coupling_law,
    critical_coupling_limit,
    critical_weight,
)
from rbmflow.flow.uniform import UniformFixedPoints, uniform_fixed_points, uniform_map

__all__ = [
    "Orbit",
    "UniformFixedPoints",
    "critical_coupling",
    "critical_coupling_law",
    "critical_coupling_limit",
    "critical_weight",
    "mean_field",
    "orbit",
    "sign",
    "uniform_fixed_points",
    "uniform_map",
]
