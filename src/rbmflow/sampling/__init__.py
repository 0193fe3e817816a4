"""Markov chains and training sets of the Ising model."""

from rbmflow.errors import ReducibleChainError, ReducibleChainWarning
from rbmflow.sampling.block_gibbs import GibbsChains, block_gibbs
from rbmflow.sampling.boltzmann import BoltzmannChains, boltzmann_chains
from rbmflow.sampling.exchange import Exchange, replica_exchange
from rbmflow.sampling.reducibility import is_irreducible
from rbmflow.sampling.result import Run, State
from rbmflow.sampling.run import run
from rbmflow.sampling.training_set import Certificate, TrainingSet, training_set

__all__ = [
    "BoltzmannChains",
    "Certificate",
    "Exchange",
    "GibbsChains",
    "ReducibleChainError",
    "ReducibleChainWarning",
    "Run",
    "State",
    "TrainingSet",
    "block_gibbs",
    "boltzmann_chains",
    "is_irreducible",
    "replica_exchange",
    "run",
    "training_set",
]


def __dir__() -> list[str]:
    return __all__
