"""Words of the command line: what is wrong with them is said with the usage, and with what may be meant."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

DONE, OFF, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""The exit status: done, a checked number is off, bad input or a loss, interrupted."""
SHOWN = 700
"""Characters of an error that are printed."""


class _Formatter(argparse.HelpFormatter):
    """Finds the width without shutil, which loads modules of compression."""

    def __init__(self, prog: str, **given: Any) -> None:
        super().__init__(prog, **{"width": terminal_width() - 2} | given)


def terminal_width() -> int:
    """Return the columns of the terminal, or those that COLUMNS says, or 80."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80


class Parser(argparse.ArgumentParser):
    """A parser whose usage names what is needed, and which asks "did you mean" of words that it lacks."""

    def __init__(self, *names: Any, **given: Any) -> None:
        super().__init__(*names, **{"formatter_class": _Formatter} | given)
        self.words: list[str] = []

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse; a word that is not known is an error of this parser, which has the usage of its command."""
        self.words = list(args or ())
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Print the usage and one line, and exit with status 2."""
        from rbmflow.reading import brief

        text = f"{self.prog}: error: {brief(message, SHOWN)}{self._unknown_options()}"
        self.exit(BAD_INPUT, f"{self.short_usage()}{text}\n")

    def short_usage(self) -> str:
        """Return the usage with what is needed; `--help` has the rest."""
        if self.usage is not None:
            return self.format_usage()
        needed = [one for one in self._actions if not one.option_strings or one.required]
        formatter = self.formatter_class(prog=self.prog)
        formatter.add_usage(None, needed, [])
        return f"{formatter.format_help().rstrip()} [options]\n"

    def format_help(self) -> str:
        """Return the help, with the short usage: the options are listed below it."""
        if self.usage is None:
            self.usage = self.short_usage().removeprefix("usage: ").rstrip().replace("%", "%%")
        return super().format_help()

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(one) for one in action.choices]
            said = (
                f"invalid choice: {str(value)!r}{meant(str(value), known)} (choose from {', '.join(known)})"
            )
            raise argparse.ArgumentError(action, said)

    def _unknown_options(self) -> str:
        """Say which options there are not, and which may be meant."""
        known = [word for one in self._actions for word in one.option_strings]
        given = [word.partition("=")[0] for word in self.words if word.startswith("--") and word != "--"]
        unknown = [word for word in given if not any(one.startswith(word) for one in known)]
        return "".join(f"; {word[:40]}{meant(word, known)}" for word in unknown[:2] if meant(word, known))


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question with the known word that is closest, or nothing.

    Examples
    --------
    >>> meant("weigth", ["weight", "limits"])
    ", did you mean 'weight'?"
    """
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def destination(word: str) -> str:
    """Return the name under which argparse keeps the value of a flag."""
    return word.lstrip("-").replace("-", "_")
