"""Objects that may stand in the files of records: what they are, and by which name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

STORABLE: dict[str, type[Storable]] = {}
"""Every class whose objects may stand in a file, by its name there."""


class Storable:
    """A dataclass that the files of records may hold."""

    _brief: ClassVar[bool] = False
    """Whether its text is short however large it is."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        STORABLE[stored_name(cls)] = cls

    def _columns(self) -> Mapping[str, Any]:
        """Return its table as columns by name, nothing where it has none."""
        return {}

    def _content(self) -> dict[str, Any]:
        """Return what the object is, by name: of most its fields."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}  # type: ignore[arg-type]

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        """Return the object of `_content`."""
        return cls(**content)


def stored_name(cls: type) -> str:
    """Return what files call a class: its package and its own name, ``sampling.Run``."""
    room = cls.__module__.removeprefix("rbmflow.").partition(".")[0]
    return f"{room}.{cls.__name__}" if cls.__module__.startswith("rbmflow.") else _full_name(cls)


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
