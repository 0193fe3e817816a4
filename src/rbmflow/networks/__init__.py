"""Networks of ±1 units: parameters, energies, conditionals and exact values."""

from rbmflow.networks.binary import BinaryParameters
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
from rbmflow.networks.learn_neuron import NeuronFit, fit_neuron
from rbmflow.networks.neuron import Gradient, Neuron
from rbmflow.networks.rbm import RBM

__all__ = [
    "RBM",
    "BinaryParameters",
    "Gradient",
    "Moments",
    "Neuron",
    "NeuronFit",
    "effective_coupling",
    "effective_couplings",
    "effective_pairs",
    "exact_log_partition",
    "exact_moments",
    "fit_neuron",
    "hidden_law",
    "kl_divergence",
    "sample_exactly",
    "visible_law",
]
