"""Exact laws, exact integers and exact samples of the Ising model."""

from rbmflow.ising.chain import Chain
from rbmflow.ising.counts import DegeneracyTable, layer_degeneracies
from rbmflow.ising.law import Law
from rbmflow.ising.ring import Ring

__all__ = ["Chain", "DegeneracyTable", "Law", "Ring", "layer_degeneracies"]
