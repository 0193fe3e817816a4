"""Figures of laws and results: each function takes axes, or makes a figure, and returns the axes.

They need matplotlib, the extra ``figures``. A figure with several panels takes as many axes.
"""

from rbmflow.plot.files import experiment, save
from rbmflow.plot.grades import grade
from rbmflow.plot.laws import degeneracies, limits, observables, trained_weight, weight_of_data
from rbmflow.plot.processes import history, orbit, series
from rbmflow.plot.readings import calibration, null_calibration, training_set

__all__ = [
    "calibration",
    "degeneracies",
    "experiment",
    "grade",
    "history",
    "limits",
    "null_calibration",
    "observables",
    "orbit",
    "save",
    "series",
    "trained_weight",
    "training_set",
    "weight_of_data",
]


def __dir__() -> list[str]:
    return __all__
