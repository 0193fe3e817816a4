"""What `rbmflow.experiments.seven_steps` was called."""

from __future__ import annotations

from typing import Any

from rbmflow.experiments import seven_steps
from rbmflow.experiments.moved import moved


def __getattr__(name: str) -> Any:
    return moved(__name__, name, {" ".join(seven_steps.__all__): seven_steps})
