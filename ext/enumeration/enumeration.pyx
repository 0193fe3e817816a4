"""Brute force: every configuration of an Ising ring visited and tallied."""

from libc.stdint cimport uint64_t

cdef extern from "enumeration/enumeration.h":
    int block_bits_of(int n_sites) noexcept nogil
    void tally_ring_level(
        int n_sites, uint64_t first, uint64_t last, uint64_t *counts, int level) noexcept nogil


def block_bits(
    int n_sites,  # IN 3..48
) -> int:
    """Binary logarithm of the block: the ends of a range of configurations are multiples of 2^block_bits.

    It is min(n_sites - 1, 10), so that multiples of any larger power of two, and the end 2^(n_sites - 1),
    will do.
    """
    return block_bits_of(n_sites)


def tally_ring(
    int n_sites,              # IN 3..48
    uint64_t first,           # IN multiple of 2^block_bits(n_sites)
    uint64_t last,            # IN the same; first <= last <= 2^(n_sites - 1), last - first <= 2^40
    uint64_t[:, ::1] counts,  # INOUT (n_sites // 2 + 1, n_sites + 1) tally by wall pairs k, up spins n
    int level,                # IN SIMD level, at most simd.supported()
) -> None:
    """Tally the configurations first, ..., last - 1 and the global spin flip of each.

    Bit i of a configuration is spin i, 1 for up; the last spin of the ring is down, as x < 2^(n_sites - 1).
    With 2k walls and n up spins, α = n_sites - 4k and V = 2n - n_sites. Each x is evaluated from its own
    bits and adds 1 to counts[k, n]. Its spin flip has the same walls and the opposite V; by this symmetry
    it is not evaluated again but adds 1 to counts[k, n_sites - n]. So both of a pair are visited at once, and
    the range 0, ..., 2^(n_sites - 1) - 1 tallies each of the 2^n_sites configurations once.

    Adds to `counts`, holds no state and releases the GIL: threads tally ranges into arrays of their own, and
    the sum is the same for every division of the range and every level.
    """
    with nogil:
        tally_ring_level(n_sites, first, last, &counts[0, 0], level)
