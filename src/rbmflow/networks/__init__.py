"""Networks of ±1 units: parameters, energies, conditionals and exact values."""

import importlib
from typing import TYPE_CHECKING, Any

from rbmflow.errors import warn_caller
from rbmflow.networks.binary import BinaryParameters
from rbmflow.networks.boltzmann import BoltzmannMachine
from rbmflow.networks.boltzmann_exact import (
    PairMoments,
    boltzmann_kl,
    boltzmann_log_partition,
    boltzmann_moments,
    boltzmann_visible_law,
)
from rbmflow.networks.effective import (
    effective_coupling,
    effective_couplings,
    effective_fields,
    effective_pairs,
    effective_triples,
)
from rbmflow.networks.exact import (
    Moments,
    exact_log_partition,
    exact_moments,
    hidden_law,
    kl_divergence,
    visible_law,
)
from rbmflow.networks.exact_samples import sample_exactly
from rbmflow.networks.hopfield import Hopfield, overlap
from rbmflow.networks.neuron import Gradient, Neuron
from rbmflow.networks.pseudo_likelihood import boltzmann_pseudo_likelihood
from rbmflow.networks.rbm import RBM
from rbmflow.networks.read_machine import read_machine

__all__ = [
    "RBM",
    "BinaryParameters",
    "BoltzmannMachine",
    "Gradient",
    "Hopfield",
    "Moments",
    "Neuron",
    "PairMoments",
    "boltzmann_kl",
    "boltzmann_log_partition",
    "boltzmann_moments",
    "boltzmann_pseudo_likelihood",
    "boltzmann_visible_law",
    "effective_coupling",
    "effective_couplings",
    "effective_fields",
    "effective_pairs",
    "effective_triples",
    "exact_log_partition",
    "exact_moments",
    "hidden_law",
    "kl_divergence",
    "overlap",
    "read_machine",
    "sample_exactly",
    "visible_law",
]


def __dir__() -> list[str]:
    return __all__


MOVED = {
    **dict.fromkeys(
        ("Annealed", "Recall", "anneal", "geometric_schedule", "linear_schedule", "recall"), "sampling"
    ),
    **dict.fromkeys(("NeuronFit", "fit_neuron"), "training"),
}
"""Where the processes are that once were here, for programs written then."""

if not TYPE_CHECKING:  # for a type checker they are gone

    def __getattr__(name: str) -> Any:
        if name not in MOVED:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        warn_caller(f"networks.{name} is now {MOVED[name]}.{name}", DeprecationWarning)
        globals()[name] = getattr(importlib.import_module(f"rbmflow.{MOVED[name]}"), name)
        return globals()[name]
