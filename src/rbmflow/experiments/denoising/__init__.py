"""What machines' flows make of noise, beside the best that can be done."""

from rbmflow.experiments.denoising.experiment import run
from rbmflow.experiments.denoising.figure import draw_denoising, draw_flows, draw_line
from rbmflow.experiments.denoising.parameters import Parameters
from rbmflow.experiments.denoising.result import Denoising
from rbmflow.experiments.experiment import Experiment

__all__ = ["Denoising", "Parameters", "draw_denoising", "draw_flows", "draw_line", "run"]

EXPERIMENTS = [
    Experiment(
        "denoising",
        "whether the flows of machines take noise out, beside the best estimate that there is",
        __name__,
        Denoising,
        "denoising.json",
        "cases",
        {"denoising": draw_denoising, "line": draw_line},
    )
]
