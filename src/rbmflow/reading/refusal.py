"""What is found in a file is refused in one line, which quotes it briefly."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rbmflow.arguments import shown

SHOWN = 200
"""Characters of what was found that an error quotes."""


def brief(text: object, shown: int = SHOWN) -> str:
    """Return text in one line, its middle left out if it is long."""
    line = " ".join(str(text).split())
    return line if len(line) <= shown else f"{line[: shown // 2]} ... {line[-shown // 2 :]}"


@contextmanager
def refusing(
    path: object, what: str, but: type[Exception] | tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Turn whatever a file, or bytes, lead to into one ValueError, which names it and what it is not."""
    path = "its content" if isinstance(path, bytes) else path
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a file that is read needs none, one that is refused is told
            yield
    except but:
        raise
    except Exception as error:  # libraries that read files do not say what they raise on crafted ones
        found = "it asks for more memory than there is" if isinstance(error, MemoryError) else brief(error)
        raise ValueError(f"{path}: not {what}, or damaged ({found})") from error


def check_names(what: str, found: object, wanted: set[str]) -> dict[str, Any]:
    """Return an object that has these members and no others, or raise ValueError."""
    if not isinstance(found, dict):
        raise ValueError(f"{what} is a {type(found).__name__}, an object is needed")  # noqa: TRY004
    if found.keys() != wanted:
        missing, unknown = (
            sorted(wanted - found.keys()),
            sorted(brief(name) for name in found.keys() - wanted),
        )
        said = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(unknown)}"] * bool(unknown)
        raise ValueError(f"{what} {' and '.join(said)}: {brief(', '.join(sorted(wanted)))} are needed")
    return found


def check_number(name: str, found: object) -> float:
    """Return a finite number of at least 0, or raise ValueError."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found < math.inf:
        raise ValueError(f"{name}={shown(found)}: a finite number of at least 0 is needed")
    return found
