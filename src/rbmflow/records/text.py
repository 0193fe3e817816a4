"""Values in few words: sizes, types and a few numbers."""

from __future__ import annotations

from dataclasses import Field, fields
from reprlib import Repr
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow.arguments import shown
from rbmflow.records.storable import Storable

LONGEST_VALUE, LINE, LONGEST = 60, 110, 390
"""Characters of a value, of a text in one line, and of a whole text."""
_PLAIN = Repr()
_PLAIN.maxlist = _PLAIN.maxtuple = _PLAIN.maxdict = _PLAIN.maxstring = _PLAIN.maxother = LONGEST_VALUE
_PLAIN.maxlong = LONGEST_VALUE


def text_of(record: Storable) -> str:
    """Return the class and its fields: in a line, or in one each if there are arrays among them."""
    parts = _parts(record, numbers=True)
    name, line = type(record).__name__, ", ".join(parts)
    spread = len(name) + len(line) + 2 > LINE and any(map(_is_collection, _values(record)))
    if not spread and len(name) + len(line) + 2 <= LONGEST:
        return f"{name}({line})"
    if len(name) + len(line) + 5 * len(parts) > LONGEST:
        parts = _parts(record, numbers=False)
    lines = [f"{name}("]
    for at, part in enumerate(parts):
        if sum(map(len, lines)) + len(part) + 5 * (at + 4) > LONGEST:
            lines.append("    ...")
            break
        lines.append(f"    {part},")
    return "\n".join([*lines, ")"])


def _values(record: Storable) -> list[Any]:
    return [getattr(record, one.name) for one in shown_fields(record)]


def _is_collection(value: Any) -> bool:
    return isinstance(value, (np.ndarray, tuple, list, dict)) or _is_brief(value)


def _is_brief(value: Any) -> bool:
    return isinstance(value, Storable) and value._brief


def _parts(record: Storable, *, numbers: bool) -> list[str]:
    return [
        f"{one.name}={brief_value(value, numbers=numbers and one.repr)}"
        for one, value in zip(shown_fields(record), _values(record), strict=True)
    ]


def shown_fields(record: Any) -> list[Field[Any]]:
    """Return the fields of a dataclass that a reader sees.

    A field with ``{"shown": "unless default"}`` as its metadata is one of them where it says something.
    """
    return [
        one
        for one in fields(record)
        if not one.name.startswith("_")
        and not ("shown" in one.metadata and getattr(record, one.name) == one.default)
    ]


def brief_value(value: Any, *, numbers: bool = True) -> str:
    """Return a value in at most some eighty characters; without numbers, what is long by its size alone.

    Examples
    --------
    >>> brief_value(np.arange(100)), brief_value(np.zeros((2, 3)), numbers=False)
    ('<int64 (100,): 0, 1, ..., 99>', '<float64 (2, 3)>')
    >>> brief_value(tuple(range(100)))
    '<tuple of 100: 0, 1, ..., 99>'
    """
    if isinstance(value, np.ndarray):
        return _array(value, numbers=numbers)
    if _is_brief(value):
        text = " ".join(repr(value).split())
        return text if numbers and len(text) <= LONGEST_VALUE else f"{type(value).__name__}(...)"
    if isinstance(value, (tuple, list, dict)):
        return (_whole(value) if numbers else None) or _several(value, numbers=numbers)
    return shown(value)


def _whole(value: Any) -> str | None:
    """The representation of a collection, if it is short and holds no record."""
    if len(value) > LONGEST_VALUE or any(map(_is_brief, value)):
        return None
    try:
        text = _PLAIN.repr(value)
    except ValueError:  # Python refuses to write an integer of more than some thousand digits
        return None
    return text if len(text) <= LONGEST_VALUE and "..." not in text and "\n" not in text else None


def _array(array: npt.NDArray[Any], *, numbers: bool) -> str:
    text = repr(array) if numbers and array.size <= 8 and array.ndim < 2 else "\n"
    if "\n" not in text and len(text) <= LONGEST_VALUE:
        return text
    head = f"<{array.dtype} {array.shape}"
    if not numbers or not array.size or array.dtype.kind not in "biuf":
        return f"{head}>"
    outer = [array.flat[at] for at in (range(array.size) if array.size <= 3 else (0, 1, -1))]
    return f"{head}: {_ends([f'{one:.4g}' for one in outer], array.size)}>"


def _ends(words: list[str], n: int) -> str:
    return ", ".join(words if n <= 3 else [*words[:2], "...", words[-1]])


def _several(value: Any, *, numbers: bool) -> str:
    head = f"<{type(value).__name__} of {len(value)}"
    if not numbers or not value:
        return f"{head}>"
    if isinstance(value, dict):
        return _cut(f"{head}: {', '.join(map(str, value))}>")
    kinds = {type(one).__name__ for one in value if _is_brief(one)}
    if kinds:
        return _cut(f"{head}: {', '.join(sorted(kinds))}>")
    outer = value if len(value) <= 3 else [*value[:2], value[-1]]
    return _cut(f"{head}: {_ends([' '.join(brief_value(one).split()) for one in outer], len(value))}>")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE + 20 else f"{text[: LONGEST_VALUE + 16]}...>"
