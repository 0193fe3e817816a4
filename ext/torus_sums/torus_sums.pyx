"""Sums over all states of a torus whose first row is given: counts by energy, or Boltzmann weights."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "torus_sums/torus_sums.h":
    struct torus:
        int64_t width, length, n_sites
        uint32_t first
        int staggered
    void counts_level(
        const torus *of, uint64_t p, uint64_t *table, uint64_t *counts, int level) noexcept nogil
    void weights_level(
        const torus *of, double x, double *table, double *weights, int level) noexcept nogil
    enum:
        LEADING
        LONGEST
        LONGEST_WEIGHED

ZEROS = LEADING
MOST_SITES = LONGEST - LEADING - 1
MOST_WEIGHED_SITES = LONGEST_WEIGHED


def counts(
    int64_t width,              # IN 2..16
    int64_t length,             # IN width * length <= MOST_SITES
    uint32_t first,             # IN state of the first row, below 2^width
    uint64_t p,                 # IN modulus below 2^62, or 0 for 2^64
    uint64_t[::1] table,        # WORK (2^width * (n_sites - width + 1) * (n_sites + 1 + ZEROS),)
    uint64_t[:, ::1] counts,    # INOUT (n_sites + 1, n_sites + 1) below p, by spins up and pairs of bonds
    int level,                  # IN SIMD level, at most simd.supported()
) -> None:
    """Add the numbers of states by spins that are up and by half of the unsatisfied bonds."""
    cdef torus of = torus(width, length, width * length, first, 0)
    with nogil:
        counts_level(&of, p, &table[0], &counts[0, 0], level)


def weights(
    int64_t width,             # IN 2..16
    int64_t length,            # IN width * length <= MOST_WEIGHED_SITES
    uint32_t first,            # IN state of the first row, below 2^width
    bint staggered,            # IN count spins of the odd sublattice as up where they are down
    double x,                  # IN 0..1
    double[::1] table,         # WORK (2^width * (n_sites - width + 1),)
    double[::1] weights,       # INOUT (n_sites + 1,) by spins up
    int level,                 # IN SIMD level, at most simd.supported()
) -> None:
    """Add the sums of x^pairs, pairs being half of the unsatisfied bonds. Each is the same at every level."""
    cdef torus of = torus(width, length, width * length, first, staggered)
    with nogil:
        weights_level(&of, x, &table[0], &weights[0], level)
