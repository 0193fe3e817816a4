"""The seven-step experiment of Iso, Shiba and Yokoo."""

from functools import partial

from rbmflow.experiments.experiment import Experiment
from rbmflow.experiments.seven_steps import report
from rbmflow.experiments.seven_steps.experiment import estimate_seconds, full, quick, ring, run
from rbmflow.experiments.seven_steps.figures import FIGURES
from rbmflow.experiments.seven_steps.parameters import LITERATURE, RING, Parameters, on_lattice
from rbmflow.experiments.seven_steps.result import IsoShibaYokoo
from rbmflow.netcdf import require_xarray

__all__ = [
    "LITERATURE",
    "IsoShibaYokoo",
    "Parameters",
    "estimate_seconds",
    "full",
    "on_lattice",
    "quick",
    "ring",
    "run",
]

_on = partial(
    Experiment,
    module=__name__,
    result=IsoShibaYokoo,
    file="result.nc",
    unit="machines",
    figures=FIGURES,
    presets={
        "quick": ("a small version, well under a minute", quick),
        "full": ("the sizes of the literature: hours", full),
    },
    needs=require_xarray,
    estimate=estimate_seconds,
    report=report.of,
)
TITLE = "the seven-step experiment of Iso, Shiba and Yokoo on"
EXPERIMENTS = [
    _on("iso", f"{TITLE} a torus, or another lattice", place=on_lattice),
    _on(
        "ring",
        f"{TITLE} a ring, which has no critical point above T = 0",
        start=ring(),
        options={"lattice": RING},
    ),
]
