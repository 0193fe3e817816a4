"""Markov chains and training sets of the Ising model."""

from rbmflow.errors import ReducibleChainError, ReducibleChainWarning
from rbmflow.sampling.reducibility import is_irreducible
from rbmflow.sampling.result import Run, State
from rbmflow.sampling.run import run

__all__ = ["ReducibleChainError", "ReducibleChainWarning", "Run", "State", "is_irreducible", "run"]
