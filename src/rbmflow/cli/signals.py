"""What a command does when it is told to end: SIGTERM and SIGHUP clean up as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
SOON = 0.02
"""Seconds after which a signal that was lost is sent again."""


class Terminated(BaseException):
    """A signal asks the command to end.

    Attributes
    ----------
    status : int
        The exit status, 128 and the signal's number: 143 for SIGTERM.
    """

    status: int

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


@contextmanager
def signals_raised() -> Iterator[None]:
    """Raise `Terminated` in the main thread at the first signal, where nobody else has said what to do.

    An exception of a signal that comes to a place from which Python lets none out, as the
    end of an object, is raised again; one that comes back as another error, as from a
    module that was being imported, is raised in its place.
    """
    numbers = [
        number for number in ENDING if _in_main_thread() and signal.getsignal(number) is signal.SIG_DFL
    ]
    interruptible = _in_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    before = sys.unraisablehook
    raised: list[BaseException] = []

    def end(number: int, _frame: Any) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)  # the cleaning up is not to be disturbed
        raised.append(Terminated(number))
        raise raised[-1]

    def interrupt(_number: int, _frame: Any) -> None:
        raised.append(KeyboardInterrupt())
        raise raised[-1]

    def again(lost: sys.UnraisableHookArgs) -> None:
        if isinstance(lost.exc_value, Terminated):
            number = lost.exc_value.status - 128
            signal.signal(number, end)
        elif isinstance(lost.exc_value, KeyboardInterrupt):
            number = signal.SIGINT
        else:
            before(lost)
            return
        threading.Timer(SOON, os.kill, (os.getpid(), number)).start()

    try:
        for number in numbers:
            signal.signal(number, end)
        if interruptible:
            signal.signal(signal.SIGINT, interrupt)
        if os.name == "posix" and _in_main_thread():
            sys.unraisablehook = again
        yield
    except Exception as error:
        if raised:
            raise raised[-1] from error
        raise
    finally:
        sys.unraisablehook = before
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        if interruptible:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let the signals that would end the command wait until the block is left."""
    caught: list[int] = []
    before: dict[int, Any] = {}
    try:
        for one in (signal.SIGINT, *ENDING) if _in_main_thread() else ():
            before[one] = signal.getsignal(one)
            signal.signal(one, lambda number, _frame: caught.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for again in caught:
            signal.raise_signal(again)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
