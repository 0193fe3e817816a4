"""Experiments of the field's papers, each with a null and a verdict: ``rbmflow experiment paper NAME``."""

from rbmflow.experiments.papers import (
    cascade,
    field_flow,
    inverse_ising,
    mutual_information,
    relative_entropy,
    stack,
)

MODULES = (cascade, field_flow, inverse_ising, mutual_information, relative_entropy, stack)
EXPERIMENTS = [one for module in MODULES for one in module.EXPERIMENTS]
