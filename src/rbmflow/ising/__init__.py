"""Exact laws, exact integers and exact samples of the Ising model."""

from typing import TYPE_CHECKING

from rbmflow.lazy import lazily

if TYPE_CHECKING:
    from rbmflow.ising import onsager
    from rbmflow.ising.chain import Chain
    from rbmflow.ising.density_of_states import DensityOfStates
    from rbmflow.ising.graph import Graph
    from rbmflow.ising.honeycomb import Honeycomb
    from rbmflow.ising.hypercubic import Hypercubic
    from rbmflow.ising.inference.infer import infer
    from rbmflow.ising.inference.result import InferredCouplings
    from rbmflow.ising.joint_density_of_states import JointDensityOfStates
    from rbmflow.ising.law import Law
    from rbmflow.ising.levels import EnergyLevels, JointLevels
    from rbmflow.ising.noise import denoising_coupling, noise_field
    from rbmflow.ising.operator_law import operator_law
    from rbmflow.ising.operators import RING_OPERATORS
    from rbmflow.ising.plane.infinite import InfiniteHoneycomb, InfiniteTriangular
    from rbmflow.ising.ring import Ring
    from rbmflow.ising.ring_counts import DegeneracyTable, layer_degeneracies
    from rbmflow.ising.ring_in_fields import RingInFields
    from rbmflow.ising.state_law import state_law
    from rbmflow.ising.strips.infinite_strip import InfiniteStrip
    from rbmflow.ising.structure_factor import correlations, structure_factor, wave_vectors
    from rbmflow.ising.torus import Torus
    from rbmflow.ising.triangular import Triangular
else:
    lazily(
        __name__,
        {
            "onsager": "",
            "chain": "Chain",
            "density_of_states": "DensityOfStates",
            "graph": "Graph",
            "honeycomb": "Honeycomb",
            "hypercubic": "Hypercubic",
            "inference.infer": "infer",
            "inference.result": "InferredCouplings",
            "joint_density_of_states": "JointDensityOfStates",
            "law": "Law",
            "levels": "EnergyLevels JointLevels",
            "operator_law": "operator_law",
            "noise": "denoising_coupling noise_field",
            "operators": "RING_OPERATORS",
            "plane.infinite": "InfiniteHoneycomb InfiniteTriangular",
            "ring": "Ring",
            "ring_counts": "DegeneracyTable layer_degeneracies",
            "ring_in_fields": "RingInFields",
            "state_law": "state_law",
            "structure_factor": "correlations structure_factor wave_vectors",
            "strips.infinite_strip": "InfiniteStrip",
            "torus": "Torus",
            "triangular": "Triangular",
        },
    )

LATTICES = ("Ring", "Chain", "Torus", "Hypercubic", "Triangular", "Honeycomb", "Graph")
"""Every class of lattices."""

__all__ = [
    "RING_OPERATORS",
    "Chain",
    "DegeneracyTable",
    "DensityOfStates",
    "EnergyLevels",
    "Graph",
    "Honeycomb",
    "Hypercubic",
    "InferredCouplings",
    "InfiniteHoneycomb",
    "InfiniteStrip",
    "InfiniteTriangular",
    "JointDensityOfStates",
    "JointLevels",
    "Law",
    "Ring",
    "RingInFields",
    "Torus",
    "Triangular",
    "correlations",
    "denoising_coupling",
    "infer",
    "layer_degeneracies",
    "noise_field",
    "onsager",
    "operator_law",
    "state_law",
    "structure_factor",
    "wave_vectors",
]


def __dir__() -> list[str]:
    return __all__
