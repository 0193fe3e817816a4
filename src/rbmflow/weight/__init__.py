"""The weight that an RBM with equal weights acquires when trained on the Ising ring, or on any other data."""

from typing import TYPE_CHECKING

from rbmflow.lazy import lazily

if TYPE_CHECKING:
    from rbmflow.weight import asymptotics
    from rbmflow.weight.certificate import (
        Enclosure,
        MonotoneCertificate,
        certified_monotone,
        certified_weight,
    )
    from rbmflow.weight.derivatives import (
        kl_curvature,
        kl_curvature_at_zero,
        kl_trained,
        trained_weight_derivative,
    )
    from rbmflow.weight.equation import f, g, kl_uniform
    from rbmflow.weight.from_histogram import trained_weight_from_law, trained_weight_from_samples
    from rbmflow.weight.in_field import BiasedWeight, trained_weight_in_field, trained_with_biases
    from rbmflow.weight.limits import LIMITS, LimitRow, LimitTable, limit_table
    from rbmflow.weight.low_temperature import (
        low_temperature_law,
        low_temperature_leading_weight,
        low_temperature_weight,
    )
    from rbmflow.weight.mixture import (
        MixtureWeight,
        mixture_weight,
        trained_weight_density,
        trained_weight_mixture,
        trained_weight_temperatures,
    )
    from rbmflow.weight.mixture_law import mixture_law
    from rbmflow.weight.solve import trained_weight
    from rbmflow.weight.temperatures import (
        ISO_SHIBA_YOKOO_TEMPERATURES,
        TemperatureDensity,
        TemperatureRange,
        TemperatureSet,
    )
    from rbmflow.weight.uniqueness import certified_unique
else:
    lazily(
        __name__,
        {
            "asymptotics": "",
            "certificate": "Enclosure MonotoneCertificate certified_monotone certified_weight",
            "derivatives": "kl_curvature kl_curvature_at_zero kl_trained trained_weight_derivative",
            "equation": "f g kl_uniform",
            "from_histogram": "trained_weight_from_law trained_weight_from_samples",
            "in_field": "BiasedWeight trained_weight_in_field trained_with_biases",
            "limits": "LIMITS LimitRow LimitTable limit_table",
            "low_temperature": "low_temperature_law low_temperature_leading_weight low_temperature_weight",
            "mixture": "MixtureWeight mixture_weight "
            "trained_weight_density trained_weight_mixture trained_weight_temperatures",
            "mixture_law": "mixture_law",
            "solve": "trained_weight",
            "temperatures": "ISO_SHIBA_YOKOO_TEMPERATURES TemperatureDensity TemperatureRange TemperatureSet",
            "uniqueness": "certified_unique",
        },
    )

__all__ = [
    "ISO_SHIBA_YOKOO_TEMPERATURES",
    "LIMITS",
    "BiasedWeight",
    "Enclosure",
    "LimitRow",
    "LimitTable",
    "MixtureWeight",
    "MonotoneCertificate",
    "TemperatureDensity",
    "TemperatureRange",
    "TemperatureSet",
    "asymptotics",
    "certified_monotone",
    "certified_unique",
    "certified_weight",
    "f",
    "g",
    "kl_curvature",
    "kl_curvature_at_zero",
    "kl_trained",
    "kl_uniform",
    "limit_table",
    "low_temperature_law",
    "low_temperature_leading_weight",
    "low_temperature_weight",
    "mixture_law",
    "mixture_weight",
    "trained_weight",
    "trained_weight_density",
    "trained_weight_derivative",
    "trained_weight_from_law",
    "trained_weight_from_samples",
    "trained_weight_in_field",
    "trained_weight_mixture",
    "trained_weight_temperatures",
    "trained_with_biases",
]


def __dir__() -> list[str]:
    return __all__
