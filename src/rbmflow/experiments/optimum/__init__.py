"""The best of all bias-free machines of a ring or torus, for each number of hidden units and coupling."""

from rbmflow.experiments.experiment import Experiment
from rbmflow.experiments.optimum.diagram import Optimum, Parameters
from rbmflow.experiments.optimum.figure import draw_divergence, draw_optimum
from rbmflow.experiments.optimum.scan import run
from rbmflow.experiments.optimum.transition import Transition, transition

__all__ = ["Optimum", "Parameters", "Transition", "draw_divergence", "draw_optimum", "run", "transition"]

EXPERIMENTS = [
    Experiment(
        "optimum",
        "the machines of least divergence from a ring or torus, over N and K",
        __name__,
        Optimum,
        "optimum.csv",
        "cells",
        {"optimum": draw_optimum, "optimum_divergence": draw_divergence},
    )
]
