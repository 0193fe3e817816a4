"""Names that have moved: found where they were, with a warning that says where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rbmflow.errors import warn_caller


def moved(module: str, name: str, places: Mapping[str, Any]) -> Any:
    """Return what a module had under a name, for its ``__getattr__``.

    Parameters
    ----------
    module, name : str
        Where it was.
    places : dict of str to module
        Where the names are now: the module, and after a colon the name in it, if that is another.
    """
    for names, place in places.items():
        for one in names.split():
            before, _, now = one.partition(":")
            if before == name:
                now = now or before
                warn_caller(f"{module}.{name} is now {place.__name__}.{now}", DeprecationWarning)
                return getattr(place, now)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
