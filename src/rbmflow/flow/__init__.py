"""The flow of configurations through an RBM, visible → hidden → visible."""

from typing import TYPE_CHECKING

from rbmflow.lazy import lazily

if TYPE_CHECKING:
    from rbmflow.flow.cycles import cycle_length
    from rbmflow.flow.fixed_points import FixedPoints, fixed_points, mean_field_jacobian
    from rbmflow.flow.free_energy import mean_field_free_energy
    from rbmflow.flow.maps import gibbs, mean_field, mean_field_sampled, sign
    from rbmflow.flow.observables import lattice_observables
    from rbmflow.flow.orbit import Orbit, orbit
    from rbmflow.flow.ordering import critical_hidden, critical_parameter, orders
    from rbmflow.flow.range_threshold import critical_temperature
    from rbmflow.flow.ranges import FlowAfterTraining, flow_after_training, training_sets
    from rbmflow.flow.singular_value_bound import singular_value_bound, singular_value_bound_from_law
    from rbmflow.flow.spectrum import Spectrum, spectrum
    from rbmflow.flow.threshold import (
        critical_coupling,
        critical_coupling_law,
        critical_coupling_limit,
        critical_weight,
    )
    from rbmflow.flow.uniform import UniformFixedPoints, uniform_fixed_points, uniform_map
else:
    lazily(
        __name__,
        {
            "cycles": "cycle_length",
            "fixed_points": "FixedPoints fixed_points mean_field_jacobian",
            "free_energy": "mean_field_free_energy",
            "maps": "gibbs mean_field mean_field_sampled sign",
            "observables": "lattice_observables",
            "orbit": "Orbit orbit",
            "ordering": "critical_hidden critical_parameter orders",
            "range_threshold": "critical_temperature",
            "ranges": "FlowAfterTraining flow_after_training training_sets",
            "singular_value_bound": "singular_value_bound singular_value_bound_from_law",
            "spectrum": "Spectrum spectrum",
            "threshold": "critical_coupling critical_coupling_law critical_coupling_limit critical_weight",
            "uniform": "UniformFixedPoints uniform_fixed_points uniform_map",
        },
    )

__all__ = [
    "FixedPoints",
    "FlowAfterTraining",
    "Orbit",
    "Spectrum",
    "UniformFixedPoints",
    "critical_coupling",
    "critical_coupling_law",
    "critical_coupling_limit",
    "critical_hidden",
    "critical_parameter",
    "critical_temperature",
    "critical_weight",
    "cycle_length",
    "fixed_points",
    "flow_after_training",
    "gibbs",
    "lattice_observables",
    "mean_field",
    "mean_field_free_energy",
    "mean_field_jacobian",
    "mean_field_sampled",
    "orbit",
    "orders",
    "sign",
    "singular_value_bound",
    "singular_value_bound_from_law",
    "spectrum",
    "training_sets",
    "uniform_fixed_points",
    "uniform_map",
]


def __dir__() -> list[str]:
    return __all__
