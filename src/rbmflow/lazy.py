"""Packages that load a module of theirs when one of its names is asked for: a command loads what it needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def lazily(package: str, homes: Mapping[str, str]) -> None:
    """Let a package find its names on first use (PEP 562).

    Parameters
    ----------
    package : str
        Its ``__name__``, while it is being imported.
    homes : dict of str to str
        The names of each module, separated by spaces; empty for a module that is a name itself.

    Examples
    --------
    >>> import rbmflow.flow
    >>> rbmflow.flow.orbit.__name__, rbmflow.flow.orbit.__module__  # the function, not the module of its name
    ('orbit', 'rbmflow.flow.orbit')
    """
    module = sys.modules[package]
    found = {name: home for home, names in homes.items() for name in names.split() or [home]}
    module.__dict__["_HOMES"] = found
    module.__class__ = _Package


class _Package(ModuleType):
    def __getattr__(self, name: str) -> Any:
        homes: Mapping[str, str] = self.__dict__["_HOMES"]
        if name not in homes and name in homes.values():  # as `rbmflow.flow.maps`, without an import of it
            return import_module(f"{self.__name__}.{name}")
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        loaded = import_module(f"{self.__name__}.{home}")
        value = self.__dict__[name] = getattr(loaded, name, loaded)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # an import binds a module in its package, where a function of the same name would be hidden
        if not (isinstance(value, ModuleType) and name in self.__dict__["_HOMES"]):
            super().__setattr__(name, value)
