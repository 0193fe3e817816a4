"""Calls out of plain values: public names of the package, and no others, with their arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from rbmflow.arguments import shown

CALL, NAME, RNG = "call", "name", "rng"
"""Members of an object that stands for what a call returns, for a public thing itself; the stream."""
WRITERS = {"save", "Checkpoint"}
"""What writes files: a plan, which may be a stranger's, does not say where."""


@cache
def public(name: str) -> Any:
    """Return what has a public name: dotted, from the package down, through what its rooms promise.

    Raises
    ------
    ValueError
        If there is none, or it writes files.

    Examples
    --------
    >>> public("ising.Ring") is public("Ring")
    True
    """
    found: Any = import_module("rbmflow")
    for part in name.split("."):
        promised = [one for one in _promised(found) if one not in WRITERS]
        if part not in promised:
            near = get_close_matches(part, promised, 1, 0.7)
            raise ValueError(
                f"call={shown(name)}: {shown(part)} is not public there"
                + (f"; did you mean {near[0]!r}?" if near else ", or it writes files")
            )
        found = getattr(found, part)
    return found


def _promised(thing: Any) -> list[str]:
    if inspect.ismodule(thing):
        return list(getattr(thing, "__all__", ()))
    return [name for name in dir(thing) if not name.startswith("_")] if inspect.isclass(thing) else []


def function_of(call: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return what is called: a function as it is, else the one of a public name."""
    found = public(call) if isinstance(call, str) else call
    if not callable(found):
        raise TypeError(f"call={shown(call)}: what can be called is needed")
    return found


def check_arguments(call: str | Callable[..., Any], names: set[str], where: str = "") -> None:
    """Raise TypeError unless the call takes arguments of these names, and needs no others but a stream."""
    function = function_of(call)
    try:
        signature = inspect.signature(function)
    except ValueError:  # of C, which does not say
        return
    given = dict.fromkeys(names | ({RNG} & signature.parameters.keys()))
    try:
        signature.bind(**given)
    except TypeError as error:
        raise TypeError(f"{where}call={shown(call)}: {error}; it is {shown_signature(signature)}") from None


def shown_signature(signature: inspect.Signature) -> str:
    """Return the names of the arguments, those in brackets that can be left out."""
    parameters = signature.parameters.values()
    return ", ".join(
        one.name if one.default is one.empty else f"[{one.name}]"
        for one in parameters
        if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    )


@cache
def _takes_stream(function: Callable[..., Any]) -> bool:
    try:
        return RNG in inspect.signature(function).parameters
    except ValueError:
        return False


def made(value: Any, seed: np.random.SeedSequence) -> Any:
    """Return what a plain value stands for: an object with a call is called, one with a name is that thing.

    A call that takes `rng` and is not given one draws from a child of the seed, in the order of the objects.
    """
    if isinstance(value, Mapping):
        if CALL in value:
            inner = {name: one for name, one in value.items() if name != CALL}
            return called(value[CALL], inner, seed.spawn(1)[0])
        if set(value) == {NAME}:
            return public(value[NAME])
        return {name: made(one, seed) for name, one in value.items()}
    return [made(one, seed) for one in value] if type(value) is list else value


def called(call: str | Callable[..., Any], arguments: Mapping[str, Any], seed: np.random.SeedSequence) -> Any:
    """Return what a call returns, its generator made of the seed if it takes one that is not given."""
    function = function_of(call)
    given = {name: made(value, seed) for name, value in arguments.items()}
    if RNG not in given and _takes_stream(function):
        given[RNG] = np.random.default_rng(seed)
    return function(**given)


def check_calls(value: Any, where: str) -> None:
    """Raise ValueError or TypeError at objects that stand for calls which are not possible."""
    if isinstance(value, Mapping):
        if CALL in value:
            check_arguments(value[CALL], set(value) - {CALL}, f"{where}: ")
        elif set(value) == {NAME}:
            public(value[NAME])
        for name, one in value.items():
            check_calls(one, f"{where}.{name}")
    elif type(value) is list:
        for one in value:
            check_calls(one, where)
