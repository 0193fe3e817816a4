"""Whether two values hold the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from rbmflow.records.storable import Storable


def same(a: Any, b: Any) -> bool:
    """Return whether two values are of one type and equal in everything that is compared; NaN equals NaN.

    Examples
    --------
    >>> same({"a": np.array([1.0, np.nan])}, {"a": np.array([1.0, np.nan])}), same(1, 1.0)
    (True, False)
    """
    if _kind(a) is not _kind(b):
        return False
    if isinstance(a, np.ndarray):
        return _same_arrays(a, b)
    if isinstance(a, Storable):
        return same(_compared(a), _compared(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(value, b[name]) for name, value in a.items())
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))  # noqa: PLR0124 (NaN, of float and of mpf)


def _kind(value: Any) -> type:
    """The type; numpy's double precision is a float, text with a name of its own is text."""
    return next((plain for plain in (float, str) if isinstance(value, plain)), type(value))


def _same_arrays(a: Any, b: Any) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind == "O":
        return all(map(same, a.ravel().tolist(), b.ravel().tolist()))
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _compared(value: Storable) -> dict[str, Any]:
    left_out = {name for name, one in getattr(value, "__dataclass_fields__", {}).items() if not one.compare}
    return {name: one for name, one in value._content().items() if name not in left_out}
