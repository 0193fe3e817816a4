"""What a stage takes and gives: parameters, tables, numbers checked against independent references."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Protocol

import numpy as np

from rbmflow.arguments import check_integer
from rbmflow.experiments.experiment import BaseParameters
from rbmflow.experiments.style import HasTables
from rbmflow.experiments.tables import Check, Table
from rbmflow.precision import borrowed_context

THESIS_VISIBLE, THESIS_HIDDEN = 8, 4
DIGITS = 40


@dataclass(frozen=True)
class Parameters(BaseParameters):
    """What is computed, and how much of it.

    Attributes
    ----------
    n_visible, n_hidden : int
        The thesis' architecture, M = 8 and N = 4.
    n_points : int
        Points on each curve.
    enumeration_sites : int
        Longest ring whose configurations are all visited.
    n_samples : int
        Configurations in each ensemble that flows.
    flow_couplings : tuple of float
        Couplings at which the ensembles are drawn.
    trained_at : tuple of float
        Couplings at which the machines of the flow are trained; T = 0 comes in addition.
    n_steps : int
        Steps of the flow.
    boundary_exponent : int
        The phase boundary reaches ``M = 2**boundary_exponent``.
    lattice_sides : tuple of int
        Sides of the tori on which Markov chains run.
    n_training_samples : int
        Configurations at each temperature of the certified training set.
    n_threads : int or None
        Threads of the enumeration; no result depends on it.
    """

    n_visible: int = THESIS_VISIBLE
    n_hidden: int = THESIS_HIDDEN
    n_points: int = 601
    enumeration_sites: int = 36
    n_samples: int = 250_000
    flow_couplings: tuple[float, ...] = (0.1, 0.5, 1.0)
    trained_at: tuple[float, ...] = (0.3, 0.5, 1.0, 2.0)
    n_steps: int = 12
    boundary_exponent: int = 18
    lattice_sides: tuple[int, ...] = (16, 64)
    n_training_samples: int = 1000
    n_threads: int | None = None

    def __post_init__(self) -> None:
        for name, minimum in (("n_points", 11), ("enumeration_sites", 8), ("n_samples", 100), ("n_steps", 1)):
            check_integer(name, getattr(self, name), minimum)
        for side in self.lattice_sides:
            check_integer("lattice_sides", side, 2, 256)
        check_integer("n_training_samples", self.n_training_samples, 1)
        check_integer("boundary_exponent", self.boundary_exponent, 3, 20)

    @classmethod
    def quick(cls) -> Parameters:
        """Return a reduced set for a first look, a few seconds of work."""
        return cls(
            n_points=121,
            enumeration_sites=24,
            n_samples=20_000,
            boundary_exponent=10,
            lattice_sides=(16,),
            n_training_samples=50,
        )


class Reproduced(HasTables, Protocol):
    """What the figures of the stages take: the parameters and the tables of all stages."""

    @property
    def parameters(self) -> Parameters:
        """What was asked."""


Findings = tuple[dict[str, Table], list[Check]]


def references() -> dict[str, Any]:
    """Return the independently computed numbers that ship with the package."""
    text = files("rbmflow.experiments.reproduction").joinpath("reference.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def relative(name: str, computed: float, reference: float, tolerance: float, source: str) -> Check:
    """Compare two floats by their ratio."""
    difference = abs(computed - reference) / abs(reference)
    return Check(
        name, repr(float(computed)), repr(float(reference)), difference, tolerance, "relative", source
    )


def digits(
    name: str, computed: Any, reference: Any, n_digits: int, source: str = "ln Z(K, K0) before decimation"
) -> Check:
    """Compare two multiprecision numbers to a number of significant digits."""
    with borrowed_context(n_digits + 20) as ctx:
        a, b = ctx.convert(computed), ctx.convert(reference)
        shown = ctx.nstr(a, n_digits), ctx.nstr(b, n_digits)
        difference = float(abs(a - b) / abs(b))
    return Check(name, *shown, difference, 10.0 ** (1 - n_digits), "relative", source)


def absolute(name: str, computed: float, reference: float, tolerance: float, source: str) -> Check:
    """Compare two floats by their difference."""
    difference = abs(computed - reference)
    return Check(name, f"{computed:.12g}", f"{reference:.12g}", difference, tolerance, "absolute", source)


StageFunction = Callable[["Parameters", np.random.Generator], Findings]
