"""The thesis' figures, limits and flow, recomputed and checked: a file for each stage."""

from rbmflow.experiments.experiment import Experiment
from rbmflow.experiments.reproduction.reproduce import FIGURES, Reproduction, run
from rbmflow.experiments.reproduction.stage import Parameters

__all__ = ["Parameters", "Reproduction", "run"]

EXPERIMENTS = [
    Experiment(
        "reproduction",
        "the thesis' figures, tables and checks",
        __name__,
        Reproduction,
        "reproduction.json",
        "stages",
        FIGURES,
        is_command=False,
    )
]
