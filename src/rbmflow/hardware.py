"""How much of the machine a computation uses: SIMD level and number of threads.

Neither changes any result. The environment variable ``RBMFLOW_SIMD`` (``plain``, ``avx2``, ``avx512``)
lowers the SIMD level; ``RBMFLOW_NUM_THREADS`` sets the default number of threads.
"""

from __future__ import annotations

import operator
import os

from rbmflow._kernels import simd
from rbmflow.arguments import shown

SIMD_LEVELS = ("plain", "avx2", "avx512")


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


def resolve_threads(n_threads: int | None) -> int:
    """Return the number of threads to use.

    Parameters
    ----------
    n_threads : int or None
        None means the environment variable ``RBMFLOW_NUM_THREADS``, else the processors available.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    TypeError
        If `n_threads` is not an integer.
    ValueError
        If the number is below 1, or the environment variable is not a positive integer.

    Examples
    --------
    >>> resolve_threads(3)
    3
    """
    if n_threads is None:
        text = os.environ.get("RBMFLOW_NUM_THREADS", "")
        if not text:
            return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(f"RBMFLOW_NUM_THREADS={shown(text)}: a positive integer is needed")
        return int(text)
    if isinstance(n_threads, bool):
        raise TypeError(f"n_threads={shown(n_threads)}: an integer is needed")
    try:
        number = operator.index(n_threads)
    except TypeError:
        raise TypeError(f"n_threads={shown(n_threads)}: an integer is needed") from None
    if number < 1:
        raise ValueError(f"n_threads={number}: at least 1 is needed")
    return number
