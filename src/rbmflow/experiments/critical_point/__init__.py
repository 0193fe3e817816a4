"""The critical coupling and exponents of a lattice, from chains at several sizes."""

from __future__ import annotations

from rbmflow.experiments.critical_point.figure import draw_critical_point
from rbmflow.experiments.critical_point.parameters import Parameters, quick
from rbmflow.experiments.critical_point.result import CriticalPoint
from rbmflow.experiments.critical_point.simulate import run
from rbmflow.experiments.experiment import Experiment

__all__ = ["CriticalPoint", "Parameters", "draw_critical_point", "run"]

EXPERIMENTS = [
    Experiment(
        "critical_point",
        "K_c, 1/nu and gamma/nu of a lattice from crossings of sizes, against what is known",
        __name__,
        CriticalPoint,
        "critical_point.json",
        "runs",
        {"critical_point": draw_critical_point},
        presets={"quick": ("small sizes, half a minute", quick)},
    )
]
