"""The thesis' figures, limits and flow, recomputed and checked.

Each stage is a function of the parameters and a generator that returns tables and checked numbers; `run` goes
through them, serially or on an executor, and can take finished stages from an interrupted run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from rbmflow.arguments import shown
from rbmflow.experiments import chains, limits, mixtures, side_by_side, stages, three_flows, thresholds
from rbmflow.experiments.record import Check, Table, tables_of
from rbmflow.experiments.stage import Parameters, StageFunction

__all__ = ["STAGES", "Parameters", "Reproduction", "Stage", "run"]

STAGES: dict[str, StageFunction] = {
    "decimation": stages.decimation,
    "counting": stages.counting,
    "intersection": stages.intersection,
    "weights": stages.weights,
    "limits": limits.stage,
    "ensembles": stages.ensembles,
    "thresholds": thresholds.stage,
    "mixtures": mixtures.stage,
    "chains": chains.stage,
    "three_flows": three_flows.stage,
    "side_by_side": side_by_side.stage,
}


@dataclass(frozen=True)
class Stage:
    """What one stage found, and how long it took."""

    tables: dict[str, Table]
    checks: list[Check]
    seconds: float = 0.0


@dataclass
class Reproduction:
    """All stages by name.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    seed : int or list of int
        Entropy of the seed sequence.
    stages : dict of str to Stage
        Finished stages, in order.
    """

    parameters: Parameters
    seed: Any
    stages: dict[str, Stage] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, Table]:
        """Every table of every stage."""
        return tables_of(stage.tables for stage in self.stages.values())

    @property
    def checks(self) -> list[Check]:
        """Every checked number."""
        return [check for stage in self.stages.values() for check in stage.checks]

    @property
    def complete(self) -> bool:
        """Whether every stage is there."""
        return set(self.stages) == set(STAGES)

    def to_json(self) -> str:
        """Return the result as JSON; floats read back to the same bits."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Reproduction:
        """Return the result that `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is not such a result.
        """
        try:
            data = json.loads(text)
            plain: dict[str, Any] = data["parameters"]
            tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
            stages = {
                name: Stage(
                    {key: Table(**table) for key, table in stage["tables"].items()},
                    [Check(**check) for check in stage["checks"]],
                    stage["seconds"],
                )
                for name, stage in data["stages"].items()
            }
            return cls(Parameters(**tuples), data["seed"], stages)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a saved reproduction: {shown(error)}") from None


def run(
    parameters: Parameters | None = None,
    *,
    rng: Any,
    executor: Executor | None = None,
    progress: Callable[[str, Reproduction], object] | None = None,
    resume: Reproduction | None = None,
) -> Reproduction:
    """Compute every stage.

    Parameters
    ----------
    parameters : Parameters, optional
        What to compute; the thesis' own by default.
    rng : numpy.random.Generator or int
        Generator or seed; every stage draws from a spawned child, so that the result depends on it alone.
    executor : concurrent.futures.Executor, optional
        Where to run the stages; here, one after the other, by default.
    progress : callable, optional
        Called as ``progress(stage, result so far)`` when a stage is done.
    resume : Reproduction, optional
        An unfinished result of the same parameters and seed, whose stages are kept.

    Returns
    -------
    Reproduction
        Tables, checks and times.

    Raises
    ------
    ValueError
        If `resume` belongs to other parameters or another seed.

    Examples
    --------
    >>> small = Parameters(
    ...     n_points=11, enumeration_sites=12, n_samples=1000, boundary_exponent=3, lattice_sides=(6,), n_training_samples=20)
    >>> result = run(small, rng=1)
    >>> all(check.passed for check in result.checks)
    True
    """
    parameters = parameters or Parameters()
    sequence = np.random.default_rng(rng).bit_generator.seed_seq
    children = dict(zip(STAGES, sequence.spawn(len(STAGES)), strict=True))  # type: ignore[attr-defined]
    result = Reproduction(parameters, sequence.entropy)  # type: ignore[attr-defined]
    if resume is not None:
        same = replace(resume.parameters, n_threads=parameters.n_threads)  # on which no result depends
        if (same, resume.seed) != (result.parameters, result.seed):
            raise ValueError("resume belongs to other parameters or another seed")
        result.stages.update(resume.stages)
    missing = [name for name in STAGES if name not in result.stages]
    if executor is None:
        finished = ((name, _timed(name, parameters, children[name])) for name in missing)
    else:
        futures = {name: executor.submit(_timed, name, parameters, children[name]) for name in missing}
        finished = ((name, future.result()) for name, future in futures.items())
    for name, stage in finished:
        result.stages[name] = stage
        if progress is not None:
            progress(name, result)
    result.stages = {name: result.stages[name] for name in STAGES}
    return result


def _timed(name: str, parameters: Parameters, seed: np.random.SeedSequence) -> Stage:
    start = time.perf_counter()
    tables, checks = STAGES[name](parameters, np.random.default_rng(seed))
    return Stage(tables, checks, time.perf_counter() - start)
