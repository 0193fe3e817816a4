"""Options of the command line out of the fields of an experiment's parameters."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from rbmflow.cli.parser import destination
from rbmflow.experiments.experiment import OPTION, Option

MOST_SHOWN = 8


def add_options(
    command: argparse.ArgumentParser,
    parameters: Any,
    others: Mapping[str, Option] | None = None,
    *,
    with_defaults: bool = False,
) -> None:
    """Add an option for each field that has one; what is not said stays None unless `with_defaults`.

    `parameters` are those whose values are the defaults, or their class; `others` take the place of the
    fields' own options.
    """
    kinds = get_type_hints(parameters if isinstance(parameters, type) else type(parameters))
    hints = {name: plain_kind(kind) for name, kind in kinds.items()}
    words: dict[str, str] = {}
    for name, one in _options(parameters, others).items():
        flag = one.flag or "--" + name.replace("_", "-")
        if flag not in words.values():
            default = getattr(parameters, name, MISSING)
            several = get_origin(hints[name]) is tuple
            command.add_argument(
                flag,
                nargs="+" if several else None,
                type=one.kind or (get_args(hints[name])[0] if several else hints[name]),
                metavar=one.metavar,
                choices=one.choices or None,
                required=default is MISSING,
                default=default if with_defaults and default is not MISSING else None,
                help=_help(one, default, several=several),
            )
        words[name] = flag
    command.set_defaults(words=words)


def parameters_of(
    options: argparse.Namespace, parameters: Any, others: Mapping[str, Option] | None = None
) -> Any:
    """Return the parameters with what the options say."""
    changes: dict[str, Any] = {}
    for name, one in _options(parameters, others).items():
        value = getattr(options, destination(options.words[name]))
        if value is not None:
            value = tuple(value) if isinstance(value, list) else value
            changes[name] = value if one.make is None else one.make(value)
    return parameters(**changes) if isinstance(parameters, type) else replace(parameters, **changes)


def plain_kind(kind: Any) -> Any:
    """Return the kind of a field without None, which stands for what is not said."""
    plain = [one for one in get_args(kind) if one is not NoneType]
    return plain[0] if NoneType in get_args(kind) and len(plain) == 1 else kind


def _options(parameters: Any, others: Mapping[str, Option] | None) -> dict[str, Option]:
    """The options of the fields, by their names."""
    own = {one.name: one.metadata[OPTION] for one in fields(parameters) if OPTION in one.metadata}
    return own | dict(others or {})


def _help(one: Option, default: Any, *, several: bool) -> str:
    """What the help says of an option, with its default."""
    if several and one.choices:
        return f"some of {', '.join(one.choices)}"
    values = default if isinstance(default, tuple) else (default,)
    if not values or not all(isinstance(value, (int, float, str)) for value in values):
        return one.help
    texts = [value if isinstance(value, str) else f"{value:g}" for value in values]
    if len(texts) > MOST_SHOWN:
        texts = [f"{texts[0]},", f"{texts[1]},", "...,", texts[-1]]
    said = f"default {' '.join(texts)}"
    return f"{one.help} ({said})" if one.help else said
