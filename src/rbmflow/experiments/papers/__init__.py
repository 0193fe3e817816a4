"""Experiments of the field's papers, each with a null and a verdict: ``rbmflow experiment paper NAME``."""

from rbmflow.experiments.papers import cascade, inverse_ising, mutual_information, relative_entropy

EXPERIMENTS = [
    *cascade.EXPERIMENTS,
    *inverse_ising.EXPERIMENTS,
    *mutual_information.EXPERIMENTS,
    *relative_entropy.EXPERIMENTS,
]
