"""Training: of restricted Boltzmann machines, of Boltzmann machines and of the neuron."""

from rbmflow.training.boltzmann import BoltzmannFit, boltzmann_gradient, fit_boltzmann
from rbmflow.training.bootstrap import MachineCouplings, bootstrap_couplings
from rbmflow.training.checkpoint import Checkpoint
from rbmflow.training.contrastive_bias import GibbsOperator, cd_fixed_point, expected_update
from rbmflow.training.evidence import Evidence, neuron_evidence
from rbmflow.training.history import EarlyStopping, History
from rbmflow.training.learning import Learned, learn
from rbmflow.training.loop import Fit, fit
from rbmflow.training.moments import Averages
from rbmflow.training.negative import CD, PCD, Exact, NegativePhase, Tempered, Update
from rbmflow.training.neuron import NeuronFit, fit_neuron
from rbmflow.training.optimizers import LBFGS, SGD, Adam, Decay, Exponential, Linear, Momentum
from rbmflow.training.parameters import tied
from rbmflow.training.phases import SampledPhases
from rbmflow.training.recipe import Recipe
from rbmflow.training.state import State
from rbmflow.training.trajectory import Trajectory
from rbmflow.training.uncertain import Grey, Incomplete

__all__ = [
    "CD",
    "LBFGS",
    "PCD",
    "SGD",
    "Adam",
    "Averages",
    "BoltzmannFit",
    "Checkpoint",
    "Decay",
    "EarlyStopping",
    "Evidence",
    "Exact",
    "Exponential",
    "Fit",
    "GibbsOperator",
    "Grey",
    "History",
    "Incomplete",
    "Learned",
    "Linear",
    "MachineCouplings",
    "Momentum",
    "NegativePhase",
    "NeuronFit",
    "Recipe",
    "SampledPhases",
    "State",
    "Tempered",
    "Trajectory",
    "Update",
    "boltzmann_gradient",
    "bootstrap_couplings",
    "cd_fixed_point",
    "expected_update",
    "fit",
    "fit_boltzmann",
    "fit_neuron",
    "learn",
    "neuron_evidence",
    "tied",
]


def __dir__() -> list[str]:
    return __all__
