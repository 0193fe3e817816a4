"""What `rbmflow.experiments.reproduction.reproduce` was called."""

from __future__ import annotations

from typing import Any

from rbmflow.experiments.moved import moved
from rbmflow.experiments.reproduction import reproduce


def __getattr__(name: str) -> Any:
    return moved(__name__, name, {" ".join(reproduce.__all__): reproduce})
