"""Exact laws, exact integers and exact samples of the Ising model."""

from rbmflow.ising.chain import Chain
from rbmflow.ising.counts import DegeneracyTable, layer_degeneracies
from rbmflow.ising.graph import Graph
from rbmflow.ising.law import Law
from rbmflow.ising.ring import Ring
from rbmflow.ising.torus import Torus

__all__ = ["Chain", "DegeneracyTable", "Graph", "Law", "Ring", "Torus", "layer_degeneracies"]
