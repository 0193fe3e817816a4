"""A sweep: the calls of a grid, here or on any executor, each recorded as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np

from rbmflow.arguments import check_rng, shown, spawn
from rbmflow.checkpoints import Checkpoints
from rbmflow.executors import Piece, check_executor, completed
from rbmflow.experiments.sweep.calls import called
from rbmflow.experiments.sweep.plan import Plan
from rbmflow.experiments.sweep.records import Records, Row, row_of
from rbmflow.experiments.sweep.result import Sweep
from rbmflow.hardware import check_memory
from rbmflow.workers import Progress, check_progress

BYTES_A_POINT, BYTES_HELD = 64, 1000  # of a few columns; of a record that is held in memory


def sweep(
    plan: Plan,
    *,
    rng: object = None,
    executor: Executor | None = None,
    progress: Progress | bool | None = None,
    checkpoints: Checkpoints | None = None,
) -> Sweep:
    """Make the calls of a grid, each with a stream of its own, and return the table of their results.

    A point's stream is a child of the generator by the place of the point in the grid: the results depend on
    the plan and the seed alone, neither on the executor nor on interruptions. Points travel to an executor in
    batches of a quarter of a second to ten seconds.

    Parameters
    ----------
    plan : Plan
        The calls.
    rng : numpy.random.Generator or int
        Generator or seed.
    executor : concurrent.futures.Executor, optional
        Where the calls are made; here by default.
    progress : callable, optional
        Called as ``progress(done, total)`` in points.
    checkpoints : Checkpoints, optional
        Where records are kept as they come, of the arguments that `arguments_of` gives: none is made again.
        Without, all are held in memory.

    Returns
    -------
    Sweep
        The results.

    Raises
    ------
    ValueError, TypeError
        If the plan is not possible. What a call raises is raised, with the point in its message.
    concurrent.futures.BrokenExecutor
        If the executor is lost; `checkpoints` have what was done.

    Examples
    --------
    >>> found = sweep(Plan("trained_weight", {"K": [0.5, 1.0], "n_hidden": [4]}, {"n_visible": 8}))
    >>> found.columns["trained_weight"].round(3).tolist()
    [[0.189], [0.306]]
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"plan={shown(plan)}: a Plan is needed")
    executor, tell = check_executor(executor), check_progress(progress)
    each = BYTES_A_POINT + (BYTES_HELD if checkpoints is None else 0)
    hint = "sweep over parts of an axis" + (", or keep the records with checkpoints=" * (checkpoints is None))
    check_memory(f"{plan.n_points} points", each * plan.n_points, hint)
    seed = stream_of(rng)
    records = Records(plan.n_points, checkpoints)
    n_done = plan.n_points - sum(1 for _ in records.missing)
    if tell is not None and n_done:
        tell(n_done, plan.n_points)
    try:
        for index, row in completed(executor, _pieces(plan, seed, records)):
            records.add(index, row)
            n_done += 1
            if tell is not None:
                tell(n_done, plan.n_points)
    finally:
        records.keep()
    shaped = {name: column.reshape(plan.shape) for name, column in records.columns().items()}
    return Sweep(plan, shaped, seed)


def stream_of(rng: object) -> dict[str, Any]:
    """Return what the streams of the points are children of: one more child of the generator.

    Examples
    --------
    >>> stream_of(1)
    {'entropy': 1, 'spawn_key': [0]}
    """
    child: Any = spawn(check_rng(rng), 1)[0].bit_generator.seed_seq
    words = np.asarray(child.entropy, dtype=object)
    entropy = [int(word) for word in words] if words.ndim else int(words[()])
    return {"entropy": entropy, "spawn_key": list(map(int, child.spawn_key))}


def arguments_of(plan: Plan, rng: object) -> dict[str, Any]:
    """Return all that the records of a sweep depend on, as `Checkpoints` takes it.

    Examples
    --------
    >>> list(arguments_of(Plan("trained_weight", {"K": [1.0]}, {"n_visible": 8, "n_hidden": 4}), 1))
    ['call', 'arguments', 'axes', 'results', 'seeds', 'seed']
    """
    return {**plan.to_json(), "seed": stream_of(rng)}


def _pieces(plan: Plan, seed: dict[str, Any], records: Records) -> Iterator[tuple[int, Piece]]:
    return ((index, (record, plan, seed, index)) for index in records.missing)


def record(plan: Plan, seed: dict[str, Any], index: int) -> Row:
    """Return the record of a point; what the call raises says which one it is.

    A result with the name of an axis has that of the call before its own.

    Examples
    --------
    >>> record(Plan("rg.decimate", {"K": [0.5, 0.0]}, results=["K"]), stream_of(1), 1)
    {'decimate.K': 0.0}
    """
    arguments = plan.arguments_at(index)
    stream = np.random.SeedSequence(seed["entropy"], spawn_key=(*seed["spawn_key"], index))
    try:
        result = called(plan.call, arguments, stream)
        dps = arguments.get("dps")
        row = row_of(result, _name(plan), plan.results, dps if isinstance(dps, int) else None)
    except Exception as error:
        if error.args and isinstance(error.args[0], str):
            where = ", ".join(f"{name}={shown(value)}" for name, value in plan.point(index).items())
            error.args = (f"{error.args[0]} (at point {index}: {where})", *error.args[1:])
        raise
    axes = plan.every_axis  # a flow K' of K, say: the table has a column K already
    return {f"{_name(plan)}.{name}" if name in axes else name: cell for name, cell in row.items()}


def _name(plan: Plan) -> str:
    call = plan.call if isinstance(plan.call, str) else getattr(plan.call, "__name__", "value")
    return call.rpartition(".")[2]
