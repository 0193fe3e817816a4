"""The thesis' figures, limits and flow, recomputed and checked.

Each stage is a function of the parameters and a generator that returns tables and checked numbers; `run` goes
through them, serially or on an executor, and can take finished stages from an interrupted run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, fields, replace
from typing import IO, Any

import numpy as np

from rbmflow.arguments import check_choice, shown
from rbmflow.checkpoints import Checkpoints
from rbmflow.executors import completed
from rbmflow.experiments.experiment import Result
from rbmflow.experiments.reproduction import (
    chains,
    counting,
    decimation,
    ensembles,
    intersection,
    limits,
    mixtures,
    side_by_side,
    three_flows,
    thresholds,
    weights,
)
from rbmflow.experiments.reproduction.stage import Parameters, StageFunction
from rbmflow.experiments.style import Drawing
from rbmflow.experiments.tables import Check, Table, tables_of
from rbmflow.provenance import version_of
from rbmflow.reading import brief, check_names, check_number, seal, unseal
from rbmflow.records import Record

__all__ = ["STAGES", "Parameters", "Reproduction", "Stage", "run"]

PART = "stages"
"""What an interrupted run leaves."""
LONGEST = ("thresholds", "chains", "mixtures", "side_by_side", "ensembles", "counting")
"""Stages that begin first, in this order, where several run at a time."""
_MODULES = (
    decimation,
    counting,
    intersection,
    weights,
    limits,
    ensembles,
    thresholds,
    mixtures,
    chains,
    three_flows,
    side_by_side,
)
STAGES: dict[str, StageFunction] = {module.__name__.rpartition(".")[2]: module.stage for module in _MODULES}
FIGURES: dict[str, Drawing] = {
    name: drawing for module in _MODULES for name, drawing in module.FIGURES.items()
}


@dataclass(frozen=True)
class Stage(Record):
    """What one stage found, and how long it took."""

    tables: dict[str, Table]
    checks: list[Check]
    seconds: float = field(default=0.0, compare=False)


@dataclass(eq=False)
class Reproduction(Result):
    """All stages by name.

    Attributes
    ----------
    parameters : Parameters
        What was asked.
    seed : int or list of int
        Entropy of the seed sequence.
    stages : dict of str to Stage
        Finished stages, in order.
    version : str
        Of the package that made it.
    """

    parameters: Parameters
    seed: Any
    stages: dict[str, Stage] = field(default_factory=dict)
    version: str = field(default_factory=version_of, compare=False)

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

    def write(self, stream: IO[bytes]) -> None:
        """Write the result as JSON to a binary stream."""
        stream.write(self.to_json().encode())

    @classmethod
    def read(cls, content: bytes, _parameters: object = None) -> Reproduction:
        """Return the result in the bytes of a file."""
        return cls.from_json(content)

    def to_json(self) -> str:
        """Return the result as JSON; floats read back to the same bits."""
        return seal(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Reproduction:
        """Return the result that `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is not such a result, or was altered.
        """
        try:
            data = unseal(text)
            data.setdefault("version", "")  # of a version that did not say it
            check_names("it", data, {field.name for field in fields(cls)})
            plain = check_names(
                "parameters", data["parameters"], {field.name for field in fields(Parameters)}
            )
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
            if not isinstance(data["version"], str):
                raise ValueError(f"version={shown(data['version'])}: text is needed")  # noqa: TRY004
            if not isinstance(data["seed"], (int, list)) or isinstance(data["seed"], bool):
                raise ValueError(  # noqa: TRY004
                    f"seed={shown(data['seed'])}: an integer, or a list of them, is needed"
                )
            found = data["stages"]
            if not isinstance(found, dict) or not found.keys() <= STAGES.keys():
                raise ValueError(f"stages: some of {', '.join(STAGES)} are needed")
            stages = {name: _stage_from(name, stage) for name, stage in found.items()}
            return cls(Parameters(**values), data["seed"], stages, data["version"])
        except (TypeError, ValueError) as error:
            raise ValueError(f"not a saved reproduction: {brief(error)}") from None


def _stage_from(name: str, plain: object) -> Stage:
    """Return a stage out of JSON, or raise."""
    stage = check_names(f"stage {name}", plain, {"tables", "checks", "seconds"})
    if not isinstance(stage["tables"], dict) or not isinstance(stage["checks"], list):
        raise ValueError(f"stage {name}: tables by name and a list of checks are needed")  # noqa: TRY004
    for key in stage["tables"]:
        if not key.isidentifier():  # it becomes the name of a file
            raise ValueError(f"stage {name}: {shown(key)} is no name of a table")
    return Stage(
        {key: Table.from_json(f"table {brief(key)}", table) for key, table in stage["tables"].items()},
        [Check.from_json(f"check {index} of {name}", check) for index, check in enumerate(stage["checks"])],
        check_number(f"seconds of {name}", stage["seconds"]),
    )


def run(
    parameters: Parameters | None = None,
    *,
    rng: Any,
    executor: Executor | None = None,
    progress: Callable[[str, Reproduction], object] | None = None,
    checkpoints: Checkpoints | None = None,
    resume: Reproduction | None = None,
    stages: Collection[str] | None = None,
) -> Reproduction:
    """Compute the stages, every one by default.

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
    checkpoints : Checkpoints, optional
        Where finished stages are kept, of these parameters and this seed: none is computed again.
    resume : Reproduction, optional
        An unfinished result of the same parameters and seed, whose stages are kept.
    stages : collection of str, optional
        Names of `STAGES`; what a stage finds does not depend on the others.

    Returns
    -------
    Reproduction
        Tables, checks and times.

    Raises
    ------
    ValueError
        If `resume` belongs to other parameters or another seed, or there is no such stage.

    Examples
    --------
    >>> result = run(Parameters.quick(), rng=1, stages=["decimation", "weights"])
    >>> all(check.passed for check in result.checks)
    True
    >>> result.stages["weights"].checks[0].name
    'W(0.05), M = 8, N = 4, float64'
    """
    if isinstance(stages, str) or not isinstance(stages, Collection | None):
        raise TypeError(f"stages={shown(stages)}: a list of names of stages is needed")
    asked = list(STAGES) if stages is None else [check_choice("stages", name, STAGES) for name in stages]
    parameters = parameters or Parameters()
    sequence = np.random.default_rng(rng).bit_generator.seed_seq
    children = dict(zip(STAGES, sequence.spawn(len(STAGES)), strict=True))  # type: ignore[attr-defined]
    result = Reproduction(parameters, sequence.entropy)  # type: ignore[attr-defined]
    if checkpoints is not None and resume is None:
        resume = checkpoints.load(PART, Reproduction.from_json)
    if resume is not None:
        same = replace(resume.parameters, n_threads=parameters.n_threads)  # on which no result depends
        if (same, resume.seed) != (result.parameters, result.seed):
            raise ValueError("resume belongs to other parameters or another seed")
        result.stages.update(resume.stages)
    missing = [name for name in asked if name not in result.stages]
    if executor is not None:
        missing.sort(key=lambda name: (*LONGEST, name).index(name))
    tasks = {name: (_timed, name, parameters, children[name]) for name in missing}
    for name, stage in completed(executor, tasks.items()):
        result.stages[name] = stage
        if checkpoints is not None:
            checkpoints.store(PART, result.write)
        if progress is not None:
            progress(name, result)
    result.stages = {name: result.stages[name] for name in STAGES if name in result.stages}
    return result


def _timed(name: str, parameters: Parameters, seed: np.random.SeedSequence) -> Stage:
    start = time.perf_counter()
    tables, checks = STAGES[name](parameters, np.random.default_rng(seed))
    return Stage(tables, checks, time.perf_counter() - start)
