"""Exact laws, exact integers and exact samples of the Ising model."""

from rbmflow.ising import onsager
from rbmflow.ising.chain import Chain
from rbmflow.ising.density_of_states import DensityOfStates
from rbmflow.ising.graph import Graph
from rbmflow.ising.joint_density_of_states import JointDensityOfStates
from rbmflow.ising.law import Law
from rbmflow.ising.ring import Ring
from rbmflow.ising.ring_counts import DegeneracyTable, layer_degeneracies
from rbmflow.ising.state_law import state_law
from rbmflow.ising.torus import Torus

__all__ = [
    "Chain",
    "DegeneracyTable",
    "DensityOfStates",
    "Graph",
    "JointDensityOfStates",
    "Law",
    "Ring",
    "Torus",
    "layer_degeneracies",
    "onsager",
    "state_law",
]


def __dir__() -> list[str]:
    return __all__
