"""A grid of calls: each point with a stream of its own, recorded as it comes, in one table in the end."""

from rbmflow.experiments.sweep.figure import can_be_drawn, draw_sweep
from rbmflow.experiments.sweep.plan import Plan
from rbmflow.experiments.sweep.result import Sweep
from rbmflow.experiments.sweep.run import arguments_of, sweep

__all__ = ["Plan", "Sweep", "arguments_of", "can_be_drawn", "draw_sweep", "sweep"]
