"""Networks of ±1 units: parameters, energies, conditionals and exact values."""

from rbmflow.networks.rbm import RBM

__all__ = ["RBM"]
