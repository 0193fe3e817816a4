"""An audit of a machine, however it was trained: likelihood, flow, couplings, chains, and what they say."""

from rbmflow.experiments.audit import report
from rbmflow.experiments.audit.experiment import run
from rbmflow.experiments.audit.figure import draw_audit
from rbmflow.experiments.audit.result import Audit, Parameters
from rbmflow.experiments.experiment import Experiment

__all__ = ["Audit", "Parameters", "draw_audit", "run"]

EXPERIMENTS = [
    Experiment(
        "audit",
        "a machine trained with this or another program, looked at from all sides",
        __name__,
        Audit,
        "audit.json",
        "parts",
        {"audit": draw_audit},
        parallel=False,
        is_command=False,
        report=report.of,
    )
]
