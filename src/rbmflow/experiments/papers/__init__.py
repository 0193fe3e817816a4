"""Experiments of the field's papers, each with a null and a verdict: ``rbmflow experiment paper NAME``."""

from rbmflow.experiments.papers import cascade, mutual_information, relative_entropy

EXPERIMENTS = [*cascade.EXPERIMENTS, *mutual_information.EXPERIMENTS, *relative_entropy.EXPERIMENTS]
