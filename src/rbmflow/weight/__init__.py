"""The weight that an RBM with equal weights acquires when trained on the Ising ring."""

from rbmflow.weight.equation import f, g, kl_uniform
from rbmflow.weight.solve import trained_weight

__all__ = ["f", "g", "kl_uniform", "trained_weight"]
