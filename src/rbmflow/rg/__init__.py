"""The renormalization group of the Ising model: exact on the chain, approximate and by Monte Carlo on the torus."""

from rbmflow.rg.decimation import (
    Couplings,
    FixedPoint,
    decimate,
    decimate_in_field,
    decimation_fixed_points,
    decimation_flow,
)

__all__ = [
    "Couplings",
    "FixedPoint",
    "decimate",
    "decimate_in_field",
    "decimation_fixed_points",
    "decimation_flow",
]
