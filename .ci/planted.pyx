"""Faults that sanitizers must find, built as one more kernel in the step that runs them, and nowhere else."""

from libc.stdint cimport int64_t


def past_the_end(
    const double[::1] x,  # IN (n,)
) -> float:
    """Read one number beyond the array."""
    return x[x.shape[0]]


def overflow(
    int64_t x,  # IN any number
) -> int:
    """Add 1 to the largest number."""
    return x + 1


def race(
    int64_t[::1] count,  # INOUT (2,)
    int64_t n,           # IN steps
) -> None:
    """Count n times in a place that other threads count in too."""
    cdef int64_t i
    with nogil:
        for i in range(n):
            count[i & 1] += i
