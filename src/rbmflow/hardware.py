"""How much of the machine a computation uses: SIMD level, number of threads, memory.

None of them changes any result. The environment variable ``RBMFLOW_SIMD`` (``plain``, ``avx2``, ``avx512``)
lowers the SIMD level; ``RBMFLOW_NUM_THREADS`` sets the default number of threads.
"""

from __future__ import annotations

import math
import os
import platform
from typing import Any

import numpy as np
import numpy.typing as npt

from rbmflow._kernels import simd
from rbmflow.arguments import check_integer, shown
from rbmflow.cgroups import allowed_bytes, allowed_processors

SIMD_LEVELS = ("plain", "avx2", "avx512")
MAX_THREADS = 1024
LINE = 64  # bytes of a line of the cache


def simd_level() -> int:
    """Return the SIMD level that kernels use, an index into ``SIMD_LEVELS``.

    Returns
    -------
    int
        The best level of this processor, or the one named by ``RBMFLOW_SIMD``.

    Raises
    ------
    ValueError
        If ``RBMFLOW_SIMD`` is not a known level, or is above what the processor supports.

    Examples
    --------
    >>> simd_level() in (0, 1, 2)
    True
    """
    best = simd.supported()
    name = os.environ.get("RBMFLOW_SIMD", "")
    if not name:
        return best
    if name not in SIMD_LEVELS[: best + 1]:
        allowed = ", ".join(SIMD_LEVELS[: best + 1])
        raise ValueError(f"RBMFLOW_SIMD={shown(name)}: this processor allows {allowed}")
    return SIMD_LEVELS.index(name)


def simd_reason() -> str:
    """Say why kernels use the SIMD level that they use, and which compiler built them.

    Returns
    -------
    str
        What the next level lacks, or that there is none.

    Examples
    --------
    >>> simd.COMPILER in simd_reason()
    True
    """
    level = simd_level()
    built = f"kernels compiled by {simd.COMPILER}"
    if level < simd.supported():
        return f"RBMFLOW_SIMD asks for it; {built}"
    if level == len(SIMD_LEVELS) - 1:
        return f"the highest; {built}"
    if level == simd.HIGHEST:
        return f"the only one for {platform.machine()} with this compiler; {built}"
    lacking = [name for name, needed_by, there in simd.INSTRUCTIONS if needed_by == level + 1 and not there]
    return f"{SIMD_LEVELS[level + 1]} lacks {', '.join(lacking)} of processor or system; {built}"


def resolve_threads(n_threads: int | None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_threads : int or None
        None means the environment variable ``RBMFLOW_NUM_THREADS``, else the processors available: those
        that the process may run on, or as many as the control groups of a container give time of.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        If the number, or the environment variable, is not between 1 and 1024.

    Examples
    --------
    >>> resolve_threads(3)
    3
    """
    if n_threads is None:
        text = os.environ.get("RBMFLOW_NUM_THREADS", "")
        if not text:
            return _processors()
        if not text.isdecimal() or len(text) > 100 or not 1 <= int(text) <= MAX_THREADS:
            raise ValueError(
                f"RBMFLOW_NUM_THREADS={shown(text)}: an integer from 1 to {MAX_THREADS} is needed"
            )
        return int(text)
    return check_integer("n_threads", n_threads, 1, MAX_THREADS)


def _processors() -> int:
    """Return the processors that the process may use, a part of one counted as one."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(mine, allowed_processors(), MAX_THREADS)))


def empty_at_line(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an empty array that begins with a line of the cache, so that no vector lies in two of them.

    Parameters
    ----------
    shape : int or tuple of int
        Its shape.
    dtype : data-type
        Of a size that divides a line of 64 bytes.

    Returns
    -------
    numpy.ndarray
        Its memory is not set.

    Examples
    --------
    >>> empty_at_line((3, 4), np.float32).ctypes.data % 64
    0
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    memory = np.empty(size + LINE // kind.itemsize, kind)
    first = -memory.ctypes.data % LINE // kind.itemsize
    return memory[first : first + size].reshape(shape)


def check_memory(what: str, n_bytes: int, hint: str = "") -> None:
    """Raise, before any work, where so many bytes do not fit into the memory of machine or process."""
    memory = _memory()
    if n_bytes > memory:
        size, there = (f"{number / 2**30:.4g} GiB" for number in (n_bytes, memory))
        raise MemoryError(f"{what}: {size} of memory are needed, there are {there}{hint and '; '}{hint}")


def check_fits(name: str, number: int, n_bytes: float, hint: str = "") -> None:
    """Raise, before any work, where so many things of so many bytes each do not fit, and say how many would.

    Examples
    --------
    >>> check_fits("n_samples", 1000, 100)
    """
    fit = f"at most {int(_memory() // max(n_bytes, 1))} fit"
    check_memory(f"{name}={number}", int(number * n_bytes), f"{fit}{hint and '; '}{hint}")


def _memory() -> float:
    """Bytes of the machine, or what the process, or its container, may use of them."""
    try:
        import resource

        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    except (ImportError, ValueError, OSError):  # not POSIX: numpy will say
        return 2**63
    return min(total, allowed_bytes(), math.inf if limit == resource.RLIM_INFINITY else limit)
