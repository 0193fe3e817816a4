"""Processes on networks and lattices: Markov chains, recall, annealing, and training sets from them."""

from rbmflow.errors import ReducibleChainError, ReducibleChainWarning
from rbmflow.sampling import finite_size
from rbmflow.sampling.annealing import Annealed, anneal, geometric_schedule, linear_schedule
from rbmflow.sampling.block_gibbs import GibbsChains, block_gibbs
from rbmflow.sampling.boltzmann import BoltzmannChains, boltzmann_chains
from rbmflow.sampling.certificate import Certificate
from rbmflow.sampling.completion import Completion, complete
from rbmflow.sampling.denoising import Denoised, add_noise, denoise
from rbmflow.sampling.equilibration import Equilibration, equilibration
from rbmflow.sampling.exchange import Exchange, replica_exchange
from rbmflow.sampling.machine_ladder import TemperedChains
from rbmflow.sampling.observables import observables
from rbmflow.sampling.quantities import Quantity
from rbmflow.sampling.reducibility import is_irreducible
from rbmflow.sampling.relaxation import Recall, recall
from rbmflow.sampling.result import Run, State
from rbmflow.sampling.reweight import reweight
from rbmflow.sampling.reweighting import Curve, Reweighting
from rbmflow.sampling.run import run
from rbmflow.sampling.sample_training_set import training_set
from rbmflow.sampling.stored_run import StoredRun, open_run
from rbmflow.sampling.tempered import tempered
from rbmflow.sampling.training_set import TrainingSet
from rbmflow.sampling.training_set_store import write_training_set
from rbmflow.sampling.trajectory import spaced_machines, trajectory_tempering
from rbmflow.sampling.write_exchange import write_exchange
from rbmflow.sampling.write_run import write_run

__all__ = [
    "Annealed",
    "BoltzmannChains",
    "Certificate",
    "Completion",
    "Curve",
    "Denoised",
    "Equilibration",
    "Exchange",
    "GibbsChains",
    "Quantity",
    "Recall",
    "ReducibleChainError",
    "ReducibleChainWarning",
    "Reweighting",
    "Run",
    "State",
    "StoredRun",
    "TemperedChains",
    "TrainingSet",
    "add_noise",
    "anneal",
    "block_gibbs",
    "boltzmann_chains",
    "complete",
    "denoise",
    "equilibration",
    "finite_size",
    "geometric_schedule",
    "is_irreducible",
    "linear_schedule",
    "observables",
    "open_run",
    "recall",
    "replica_exchange",
    "reweight",
    "run",
    "spaced_machines",
    "tempered",
    "training_set",
    "trajectory_tempering",
    "write_exchange",
    "write_run",
    "write_training_set",
]


def __dir__() -> list[str]:
    return __all__
