"""Networks of ±1 units: parameters, energies, conditionals and exact values."""

from rbmflow.networks.annealing import Annealed, anneal, geometric_schedule, linear_schedule
from rbmflow.networks.binary import BinaryParameters
from rbmflow.networks.boltzmann import BoltzmannMachine
from rbmflow.networks.boltzmann_exact import (
    PairMoments,
    boltzmann_kl,
    boltzmann_log_partition,
    boltzmann_moments,
    boltzmann_visible_law,
)
from rbmflow.networks.effective import effective_coupling, effective_couplings, effective_pairs
from rbmflow.networks.exact import (
    Moments,
    exact_log_partition,
    exact_moments,
    hidden_law,
    kl_divergence,
    sample_exactly,
    visible_law,
)
from rbmflow.networks.hopfield import Hopfield, overlap
from rbmflow.networks.learn_neuron import NeuronFit, fit_neuron
from rbmflow.networks.neuron import Gradient, Neuron
from rbmflow.networks.rbm import RBM
from rbmflow.networks.relaxation import Recall, recall

__all__ = [
    "RBM",
    "Annealed",
    "BinaryParameters",
    "BoltzmannMachine",
    "Gradient",
    "Hopfield",
    "Moments",
    "Neuron",
    "NeuronFit",
    "PairMoments",
    "Recall",
    "anneal",
    "boltzmann_kl",
    "boltzmann_log_partition",
    "boltzmann_moments",
    "boltzmann_visible_law",
    "effective_coupling",
    "effective_couplings",
    "effective_pairs",
    "exact_log_partition",
    "exact_moments",
    "fit_neuron",
    "geometric_schedule",
    "hidden_law",
    "kl_divergence",
    "linear_schedule",
    "overlap",
    "recall",
    "sample_exactly",
    "visible_law",
]


def __dir__() -> list[str]:
    return __all__
