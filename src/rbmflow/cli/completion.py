"""The command that prints what a shell needs to complete commands and options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rbmflow.cli.parser import DONE

SHELLS = ("bash", "zsh", "tcsh")


def add_commands(commands: Any, _common: argparse.ArgumentParser) -> None:
    """Declare the command of this module."""
    command = commands.add_parser(
        "completion",
        help="completion of commands and options by a shell",
        description='In ~/.bashrc: eval "$(rbmflow completion bash)"; in ~/.zshrc the same with zsh.',
    )
    command.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    command.set_defaults(run=_complete, out=None, workers=None, digits=None, format="table")


def _complete(options: argparse.Namespace) -> int:
    from rbmflow.cli import parser_for

    try:
        import shtab
    except ImportError:
        raise ImportError("completion needs shtab: pip install 'rbmflow[completion]'") from None
    parser = parser_for(())
    _name_files(parser, {"file": shtab.FILE, "directory": shtab.DIRECTORY})
    print(shtab.complete(parser, options.shell))
    return DONE


def _name_files(parser: argparse.ArgumentParser, kinds: dict[str, Any]) -> None:
    """Say of each option that takes a path which ones are offered."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                _name_files(one, kinds)
        elif action.type is Path:
            action.complete = kinds["directory" if action.dest == "out" else "file"]  # type: ignore[attr-defined]
