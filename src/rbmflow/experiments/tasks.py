"""Independent tasks of an experiment, here or on an executor; those that an interrupted run finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from rbmflow.arguments import FloatArray
from rbmflow.checkpoints import Checkpoints
from rbmflow.executors import completed
from rbmflow.reading import read_npy
from rbmflow.workers import Progress


def one_thread() -> AbstractContextManager[Any]:
    """Return a context of one thread for matrix products: their last bits depend on the number of threads."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    context: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return context


def rows_of_tasks(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    n_columns: int,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    checkpoints: Checkpoints | None = None,
) -> FloatArray:
    """Return a row of numbers, ``function(*task)``, for each task; none that was kept is computed again.

    Every few seconds, and in the end, however that comes, the rows since the last time are kept as a part.

    Examples
    --------
    >>> rows_of_tasks(lambda K: (K, K**2), [(2.0,), (3.0,)], 2)
    array([[2., 4.],
           [3., 9.]])
    """
    found, missing = np.empty((len(tasks), n_columns)), dict(enumerate(tasks))
    if checkpoints is not None:
        for name in checkpoints.names:
            kept = checkpoints.load(name, lambda content: _read(content, found.shape))
            for index, *row in () if kept is None else kept:
                found[int(index)] = row
                missing.pop(int(index), None)
    unsaved: list[int] = []

    def keep() -> None:
        if checkpoints is not None and unsaved:
            rows = np.column_stack([unsaved, found[unsaved]])
            checkpoints.store(f"{len(checkpoints.names):04d}", lambda stream: np.save(stream, rows))
            unsaved.clear()

    def tell() -> None:
        if progress is not None:
            progress(len(tasks) - len(missing), len(tasks))

    if len(missing) < len(tasks):
        tell()
    try:
        for index, row in completed(
            executor, [(index, (function, *task)) for index, task in missing.items()]
        ):
            found[index] = row
            unsaved.append(index)
            del missing[index]
            if checkpoints is not None and checkpoints.due():
                keep()
            tell()
    finally:
        keep()
    return found


def _read(content: bytes, shape: tuple[int, ...]) -> FloatArray:
    """Return rows of a result of this shape, each after its index."""
    rows = read_npy(content)
    if rows.dtype != np.float64 or rows.ndim != 2 or rows.shape[1] != 1 + shape[1]:
        raise ValueError(
            f"rows of {rows.dtype} of shape {rows.shape}: float64, 1 + {shape[1]} columns, is needed"
        )
    if not np.isin(rows[:, 0], np.arange(shape[0])).all():
        raise ValueError(f"its first column is not of the {shape[0]} tasks")
    return rows
