"""The former place of `rbmflow.experiments.threshold`, for programs written when it knew tori alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rbmflow.errors import warn_caller
from rbmflow.experiments import threshold

NOW = {
    "Parameters": "Parameters",
    "Extrapolation": "Extrapolation",
    "TorusThreshold": "Threshold",
    "run": "run",
    "draw_torus_threshold": "draw_threshold",
}
"""The names that were here, and what they are called there."""

if not TYPE_CHECKING:  # for a type checker they are gone

    def __getattr__(name: str) -> Any:
        if name not in NOW:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        warn_caller(
            f"experiments.torus_threshold.{name} is now experiments.threshold.{NOW[name]}; "
            "version 2.0 removes the former name",
            DeprecationWarning,
        )
        return getattr(threshold, NOW[name])
