"""Restricted Boltzmann machines and the renormalization group, through the Ising model.

Conventions
-----------
Spins are int8, −1 or +1, in arrays of shape ``(..., n)`` with the sites last. ``K = βJ`` is dimensionless,
J > 0 is ferromagnetic; logarithms are natural; energies are in units of J, entropies and divergences in nats.
A ring has M sites, an RBM has M visible and N hidden units; its weights have shape ``(n_visible, n_hidden)``
and its energy is ``E(v, h) = −(vᵀWh + b·v + c·h)`` at temperature 1. ``α = Σ v_i v_(i+1)``, ``V = Σ v_i``.

``dps=None`` means float64; an integer means that many correct decimal digits, and K may then be a
decimal string. ``rng`` is a ``numpy.random.Generator`` or a seed. `rbmflow.typing` has the types of these
for annotations. Equation numbers refer to J. ter Hoeve, *Renormalization Group connected to Neural
Networks*, bachelor thesis, Utrecht University (2018).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loaded when they are asked for (PEP 562)
    from rbmflow import flow, ising, likelihood, networks, plot, rg, sampling, thermometer, training, weight
    from rbmflow.errors import (
        ConvergenceWarning,
        CostWarning,
        LikelihoodWarning,
        PrecisionError,
        ReducibleChainError,
    )
    from rbmflow.estimate import Estimate
    from rbmflow.flow import critical_coupling, critical_weight
    from rbmflow.ising import (
        Chain,
        DegeneracyTable,
        Graph,
        Honeycomb,
        Hypercubic,
        Law,
        Ring,
        Torus,
        Triangular,
    )
    from rbmflow.likelihood import LogPartition, log_partition
    from rbmflow.networks import RBM
    from rbmflow.sampling import TrainingSet, training_set
    from rbmflow.state_law import StateLaw
    from rbmflow.training import CD, LBFGS, PCD, SGD, Adam, Exact, Fit, Momentum, Tempered, fit
    from rbmflow.weight import (
        certified_weight,
        kl_uniform,
        trained_weight,
        trained_weight_density,
        trained_weight_from_law,
        trained_weight_from_samples,
        trained_weight_mixture,
        trained_weight_temperatures,
    )

__version__ = "1.0.0rc1"

__all__ = [
    "CD",
    "LBFGS",
    "PCD",
    "RBM",
    "SGD",
    "Adam",
    "Chain",
    "ConvergenceWarning",
    "CostWarning",
    "DegeneracyTable",
    "Estimate",
    "Exact",
    "Fit",
    "Graph",
    "Honeycomb",
    "Hypercubic",
    "Law",
    "LikelihoodWarning",
    "LogPartition",
    "Momentum",
    "PrecisionError",
    "ReducibleChainError",
    "Ring",
    "StateLaw",
    "Tempered",
    "Torus",
    "TrainingSet",
    "Triangular",
    "certified_weight",
    "critical_coupling",
    "critical_weight",
    "fit",
    "flow",
    "ising",
    "kl_uniform",
    "likelihood",
    "log_partition",
    "networks",
    "plot",
    "rg",
    "sampling",
    "thermometer",
    "trained_weight",
    "trained_weight_density",
    "trained_weight_from_law",
    "trained_weight_from_samples",
    "trained_weight_mixture",
    "trained_weight_temperatures",
    "training",
    "training_set",
    "weight",
]


_HOMES = {
    "errors": "ConvergenceWarning CostWarning LikelihoodWarning PrecisionError ReducibleChainError",
    "estimate": "Estimate",
    "flow": "critical_coupling critical_weight",
    "ising": "Chain DegeneracyTable Graph Honeycomb Hypercubic Law Ring Torus Triangular",
    "likelihood": "LogPartition log_partition",
    "networks": "RBM",
    "sampling": "TrainingSet training_set",
    "state_law": "StateLaw",
    "training": "CD LBFGS PCD SGD Adam Exact Fit Momentum Tempered fit",
    "weight": "certified_weight kl_uniform trained_weight trained_weight_density trained_weight_from_law "
    "trained_weight_from_samples trained_weight_mixture trained_weight_temperatures",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        found = globals()[name] = getattr(import_module(f"rbmflow.{_HOME_OF[name]}"), name)
        return found
    if not name.startswith("_"):
        try:
            return import_module(f"rbmflow.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"rbmflow.{name}":
                raise
    raise AttributeError(f"module 'rbmflow' has no attribute {name!r}")
