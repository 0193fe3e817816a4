"""Experiments of the field's papers, each with a null and a verdict: ``rbmflow experiment paper NAME``."""

from rbmflow.experiments.papers import relative_entropy

EXPERIMENTS = [*relative_entropy.EXPERIMENTS]
