"""Independent pieces of work, here or on any executor of PEP 3148: threads, processes, Dask, MPI.

A piece is a function of a module and its arguments, its generator among them, so that its result depends
neither on the executor nor on what is done beside it. Pieces travel in batches, as many as take a while:
an executor takes up to 4 ms for what it is handed.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import suppress
from itertools import islice
from queue import SimpleQueue
from typing import Any

from rbmflow.arguments import shown

Piece = tuple[Any, ...]
"""A function and its arguments."""

SHORTEST, LONGEST, SHARE = 0.25, 10.0, 0.01
"""Seconds of a batch: a hundredth of the time so far, within these bounds."""
FIRST, MOST = 16, 1024
"""Batches that an executor holds at first, and in the end; each that comes back makes room for one more."""


def check_executor(executor: object) -> Executor | None:
    """Return an executor, or None, or raise TypeError.

    Examples
    --------
    >>> check_executor(None) is None
    True
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(
            f"executor={shown(executor)}: an executor is needed, as of concurrent.futures, or None"
        )
    return executor  # type: ignore[return-value]


def completed(executor: Executor | None, pieces: Iterable[tuple[Any, Piece]]) -> Iterator[tuple[Any, Any]]:
    """Yield the results of pieces, by key, as they come; here one after the other, without an executor.

    What a piece raises is raised when the results of those before it in its batch have been yielded. The end
    of the generator gives up what waits.

    Parameters
    ----------
    executor : concurrent.futures.Executor or None
        Where the pieces are done; functions and arguments have to travel there.
    pieces : iterable of (key, (function, argument, ...))
        Taken up one by one, in their order.

    Raises
    ------
    concurrent.futures.BrokenExecutor
        If the executor has lost a batch.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(2) as executor:
    ...     sorted(completed(executor, [("a", (abs, -1)), ("b", (pow, 2, 3))]))
    [('a', 1), ('b', 8)]
    """
    if executor is None:
        for key, (function, *arguments) in pieces:
            yield key, function(*arguments)
        return
    waiting, again, begin, room, size = iter(pieces), deque[tuple[Any, Piece]](), time.monotonic(), FIRST, 1
    pending: dict[Future[Any], list[tuple[Any, Piece]]] = {}
    done: SimpleQueue[Future[Any]] = SimpleQueue()
    try:
        while True:
            seconds = min(max(SHORTEST, SHARE * (time.monotonic() - begin)), LONGEST)
            while len(pending) < room and (batch := _next(again, waiting, size)):
                future = executor.submit(_together, [piece for _, piece in batch], seconds)
                pending[future] = batch
                future.add_done_callback(done.put)
            if not pending:
                return
            batch = pending.pop(future := done.get())
            found, error, taken = _answer(future)
            for (key, _), result in zip(batch, found, strict=False):
                yield key, result
            if error is not None:
                raise error
            again += batch[len(found) :]
            size = max(1, min(int(seconds * len(found) / max(taken, 1e-6)), 4 * size))
            room = min(room + 1, MOST)
    finally:
        for future in pending:
            with suppress(Exception):  # of an executor that is lost itself
                future.cancel()


def _next(again: deque[Any], waiting: Iterator[Any], size: int) -> list[Any]:
    """Return so many pieces, first those that a batch had no time for."""
    first = [again.popleft() for _ in range(min(size, len(again)))]
    return [*first, *islice(waiting, size - len(first))]


def _answer(future: Future[Any]) -> tuple[list[Any], Exception | None, float]:
    try:
        answer: tuple[list[Any], Exception | None, float] = future.result()
    except CancelledError as error:
        raise BrokenExecutor("the executor was lost, or has given up what it was handed") from error
    return answer


def _together(pieces: list[Piece], seconds: float) -> tuple[list[Any], Exception | None, float]:
    """Return the results of as many pieces as take so long, what the next one raised, and the time taken."""
    begin, found, taken = time.monotonic(), [], 0.0
    for function, *arguments in pieces:
        try:
            found.append(function(*arguments))
        except Exception as error:  # noqa: BLE001 (the caller raises it)
            error.add_note("".join(traceback.format_exception(error)))
            return found, error, taken
        taken = time.monotonic() - begin
        if taken >= seconds:
            break
    return found, None, taken
