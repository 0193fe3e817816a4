"""The renormalization group of the Ising model.

Exact on the chain, approximate and by Monte Carlo on the torus; and what kind of renormalization a map is.
"""

from typing import TYPE_CHECKING

from rbmflow.lazy import lazily

if TYPE_CHECKING:
    from rbmflow.ising.operators import EVEN_OPERATORS, ODD_OPERATORS
    from rbmflow.rg.block_maps import BlockFilter, BlockMap, Decimation, Majority
    from rbmflow.rg.block_spins import block_spins, decimate_spins
    from rbmflow.rg.coarse_law import coarse_law
    from rbmflow.rg.decimation import (
        Couplings,
        FixedPoint,
        decimate,
        decimate_in_field,
        decimation_fixed_points,
        decimation_flow,
    )
    from rbmflow.rg.grading.grade import grade
    from rbmflow.rg.grading.result import Grade
    from rbmflow.rg.hidden import Hidden, Stack
    from rbmflow.rg.migdal_kadanoff import (
        MigdalKadanoffFixedPoint,
        migdal_kadanoff,
        migdal_kadanoff_fixed_point,
        migdal_kadanoff_flow,
    )
    from rbmflow.rg.monte_carlo import MonteCarloRG, renormalization_group
    from rbmflow.rg.operators import even_operators, odd_operators
    from rbmflow.rg.sublattice import Sublattice
    from rbmflow.rg.transformation import Function, Transformation
    from rbmflow.rg.triangles import Triangles
else:
    lazily(
        __name__,
        {
            "block_maps": "BlockFilter BlockMap Decimation Majority",
            "block_spins": "block_spins decimate_spins",
            "coarse_law": "coarse_law",
            "decimation": "Couplings FixedPoint decimate decimate_in_field decimation_fixed_points "
            "decimation_flow",
            "grading.grade": "grade",
            "grading.result": "Grade",
            "hidden": "Hidden Stack",
            "migdal_kadanoff": "MigdalKadanoffFixedPoint migdal_kadanoff migdal_kadanoff_fixed_point "
            "migdal_kadanoff_flow",
            "monte_carlo": "MonteCarloRG renormalization_group",
            "operators": "EVEN_OPERATORS ODD_OPERATORS even_operators odd_operators",
            "sublattice": "Sublattice",
            "transformation": "Function Transformation",
            "triangles": "Triangles",
        },
    )

__all__ = [
    "EVEN_OPERATORS",
    "ODD_OPERATORS",
    "BlockFilter",
    "BlockMap",
    "Couplings",
    "Decimation",
    "FixedPoint",
    "Function",
    "Grade",
    "Hidden",
    "Majority",
    "MigdalKadanoffFixedPoint",
    "MonteCarloRG",
    "Stack",
    "Sublattice",
    "Transformation",
    "Triangles",
    "block_spins",
    "coarse_law",
    "decimate",
    "decimate_in_field",
    "decimate_spins",
    "decimation_fixed_points",
    "decimation_flow",
    "even_operators",
    "grade",
    "migdal_kadanoff",
    "migdal_kadanoff_fixed_point",
    "migdal_kadanoff_flow",
    "odd_operators",
    "renormalization_group",
]


def __dir__() -> list[str]:
    return __all__
