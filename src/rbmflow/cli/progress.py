"""Progress of what lasts over a second, on stderr: a bar where parts are counted, else the time."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Self

AFTER = 1.0
"""Seconds within which nothing is shown."""
SELDOM = 30.0
"""Seconds between lines where stderr is no terminal."""


@contextmanager
def progress_bar(options: argparse.Namespace, label: str) -> Iterator[Callable[[int, int], object] | None]:
    """Yield ``report(done, total)``, None with ``--quiet``.

    On a terminal it moves a bar of tqdm, elsewhere and without tqdm it prints lines. Until it is called the
    seconds are counted there.
    """
    if options.quiet:
        yield None
        return
    with ExitStack() as stack:
        clock = stack.enter_context(_Clock(label))
        bar: list[Callable[[int, int], object]] = []

        def report(done: int, total: int) -> None:
            clock.stop()
            if not bar:
                bar.append(_bar(stack, label, total))
            bar[0](done, total)

        yield report


def _bar(stack: ExitStack, label: str, total: int) -> Callable[[int, int], object]:
    """Return what shows how much is done."""
    if not sys.stderr.isatty():
        return _lines(label, SELDOM)
    try:
        from tqdm import tqdm
    except ImportError:
        return _lines(label, AFTER)
    thousands = total >= 10_000  # then 16.8M
    bar: Any = tqdm(
        desc=label,
        total=total,
        unit_scale=thousands,
        file=sys.stderr,
        leave=False,
        delay=AFTER,
        dynamic_ncols=True,
    )
    stack.enter_context(bar)
    return lambda done, _total: bar.update(done - bar.n)


def _lines(label: str, seconds: float) -> Callable[[int, int], None]:
    """Return what prints how much is done, after a second and then every so many."""
    due = [time.monotonic() + AFTER]

    def report(done: int, total: int) -> None:
        if time.monotonic() >= due[0]:
            due[0] = time.monotonic() + seconds
            print(f"{label}: {done} of {total}", file=sys.stderr)

    return report


class _Clock:
    """Counts the seconds on a terminal, from the first one to `stop`, where nothing of it is left."""

    def __init__(self, label: str) -> None:
        self.label, self.width = label, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop and leave an empty line."""
        if self.ended.is_set():
            return
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join()
        if self.width:
            print(f"\r{' ' * self.width}\r", end="", file=sys.stderr, flush=True)

    def _count(self) -> None:
        begin = time.monotonic()
        while not self.ended.wait(AFTER):
            text = f"{self.label}: {time.monotonic() - begin:.0f} s"
            self.width = max(self.width, len(text))
            print(f"\r{text}", end="", file=sys.stderr, flush=True)
