"""A machine trained on data of one's own: likelihoods of rows it saw and rows held out, history, weights."""

from rbmflow.experiments.experiment import Experiment
from rbmflow.experiments.own_data.experiment import left_by, run
from rbmflow.experiments.own_data.figure import draw_training
from rbmflow.experiments.own_data.parameters import Parameters
from rbmflow.experiments.own_data.result import TrainedMachine
from rbmflow.experiments.own_data.ways import COURSE, STATE, split

__all__ = ["COURSE", "STATE", "Parameters", "TrainedMachine", "draw_training", "left_by", "run", "split"]

EXPERIMENTS = [
    Experiment(
        "own_data",
        "a machine trained on a file of spins",
        __name__,
        TrainedMachine,
        "trained.json",
        "epochs",
        {"training": draw_training},
        parallel=False,
        is_command=False,
    )
]
