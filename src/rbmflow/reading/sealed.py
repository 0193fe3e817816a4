"""Objects in JSON with a digest of themselves: what was altered is noticed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

SEAL = "digest"


def parse_json(text: str | bytes) -> Any:
    """Return what a text in JSON holds; raise ValueError if it is none."""
    try:
        return json.loads(text.decode() if isinstance(text, bytes) else text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def seal(content: dict[str, Any]) -> str:
    """Return an object as JSON with a SHA-256 of itself.

    Examples
    --------
    >>> unseal(seal({"seed": 1}))
    {'seed': 1}
    """
    plain = json.loads(json.dumps(content))
    return json.dumps({**plain, SEAL: _digest(plain)}, indent=1) + "\n"


def unseal(text: str | bytes) -> dict[str, Any]:
    """Return the object that `seal` wrote, or one without a digest.

    Raise ValueError if it was altered or is something else.
    """
    found = parse_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, an object is needed")  # noqa: TRY004
    if SEAL in found and found.pop(SEAL) != _digest(found):
        raise ValueError("its content is not what was saved")
    return found


def _digest(plain: object) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
