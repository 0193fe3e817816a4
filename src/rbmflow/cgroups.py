"""What control groups of Linux leave a process: containers and batch systems set them.

A group's limit holds for all groups in it, so that the smallest one on the way to the root counts. Both
versions are read: ``cpu.max`` and ``memory.max``, or ``cpu.cfs_quota_us`` and ``memory.limit_in_bytes``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
GROUPS = Path("/proc/self/cgroup")
UNLIMITED = 2**60
"""Bytes from which version 1 means no limit: it says the largest multiple of a page."""


@cache
def allowed_processors() -> float:
    """Return the processors' time per time that the groups of this process allow, or infinity.

    Examples
    --------
    >>> allowed_processors() > 0
    True
    """
    found = [math.inf]
    for folder in _folders("cpu"):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if not quota:
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):  # else "max", or -1
            found.append(int(quota) / int(period))
    return min(found)


@cache
def allowed_bytes() -> float:
    """Return the memory that the groups of this process allow, or infinity.

    Examples
    --------
    >>> allowed_bytes() > 0
    True
    """
    found = [math.inf]
    for folder in _folders("memory"):
        text = _text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes")
        if text.isdecimal() and int(text) < UNLIMITED:
            found.append(int(text))
    return min(found)


def _folders(controller: str) -> Iterator[Path]:
    """Yield the folders of this process' groups that may limit it, each from the group to the root.

    A container may see its own group as the root, under a path that is of the world outside.
    """
    for line in _text(GROUPS).splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and controller not in controllers.split(","):
            continue
        tops = [ROOT / controllers, ROOT / controller] if controllers else [ROOT, ROOT / "unified"]
        group = Path(path.lstrip("/"))
        for top in dict.fromkeys(tops):
            yield from (top / one for one in (group, *group.parents))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
