"""Sums over all states of a graph: tallies, extremes and Boltzmann weights of a quadratic form."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "graph_sums/graph_sums.h":
    struct form_integers:
        pass
    struct form_doubles:
        pass
    void begin_integers(
        form_integers *of, int64_t n_sites, int32_t constant, const int32_t *linear, const int32_t *pairs
    ) noexcept nogil
    void begin_doubles(
        form_doubles *of, int64_t n_sites, double constant, const double *linear, const double *pairs
    ) noexcept nogil
    void tally_blocks(
        form_integers *of, uint64_t first, uint64_t last, int64_t n_bins, int64_t n_copies,
        uint32_t *copies, uint64_t *counts) noexcept nogil
    void extremes_level(
        form_doubles *coarse, form_doubles *fine, uint64_t first, uint64_t last, double *extremes,
        int level) noexcept nogil
    void weigh_level(
        form_doubles *coarse, form_doubles *fine, uint64_t first, uint64_t last, const double *reference,
        const double *scale, int64_t n_scales, double *weights, double *moments, int level) noexcept nogil
    enum:
        BLOCK_SITES
        MAX_SITES

FEWEST_SITES = 2 * BLOCK_SITES
MOST_SITES = MAX_SITES


def tally(
    int32_t constant,              # IN value of the state whose sites are all down
    const int32_t[::1] linear,     # IN (n_sites,) FEWEST_SITES..MOST_SITES
    const int32_t[:, ::1] pairs,   # IN (n_sites, n_sites) symmetric, 0 on the diagonal; sums below 2^31
    uint64_t first,                # IN first block, 2^FEWEST_SITES states each
    uint64_t last,                 # IN block after the last; up to 2^19 more than first
    uint32_t[:, ::1] copies,       # WORK (1 or 4, n_bins)
    uint64_t[::1] counts,          # INOUT (n_bins,) every value lies in 0..n_bins - 1
) -> None:
    """Add to `counts` the number of states of each value, of the states of the blocks first..last - 1."""
    cdef form_integers form
    with nogil:
        begin_integers(&form, linear.shape[0], constant, &linear[0], &pairs[0, 0])
        tally_blocks(&form, first, last, counts.shape[0], copies.shape[0], &copies[0, 0], &counts[0])


def extremes(
    const double[:, ::1] linear,    # IN (2, n_sites) coarse and fine limb, the first site at the lowest bit
    const double[:, :, ::1] pairs,  # IN (2, n_sites, n_sites) symmetric, 0 on the diagonal
    uint64_t first,                 # IN first block
    uint64_t last,                  # IN block after the last
    double[::1] bounds,             # INOUT (4,) least value and greatest, in two limbs; first of any states
    int level,                      # IN SIMD level, at most simd.supported()
) -> None:
    """Move `bounds` to the least and the greatest value, where blocks first..last - 1 go beyond them.

    The value of the state whose sites are all down is 0.
    """
    cdef form_doubles coarse, fine
    with nogil:
        begin_doubles(&coarse, linear.shape[1], 0.0, &linear[0, 0], &pairs[0, 0, 0])
        begin_doubles(&fine, linear.shape[1], 0.0, &linear[1, 0], &pairs[1, 0, 0])
        extremes_level(&coarse, &fine, first, last, &bounds[0], level)


def weigh(
    const double[:, ::1] linear,    # IN (2, n_sites) coarse and fine limb
    const double[:, :, ::1] pairs,  # IN (2, n_sites, n_sites) symmetric, 0 on the diagonal
    uint64_t first,                 # IN first block
    uint64_t last,                  # IN block after the last
    const double[::1] reference,    # IN (2,) an extreme of all values, two limbs
    const double[::1] scale,        # IN (n_scales,) not negative, at most 1e300
    double[:, ::1] weights,         # INOUT (n_scales, n_sites + 1) sums of weights by sites that are up
    double[:, ::1] moments,         # INOUT (n_scales, 2) sums of weight times distance, and its square
    int level,                      # IN SIMD level, at most simd.supported()
) -> None:
    """Add the weights exp(-2 scale d) of the states of the blocks, d = abs(value - reference).

    From 2 scale d = 700 on a weight is 0. Each result is the same at every level.
    """
    cdef form_doubles coarse, fine
    with nogil:
        begin_doubles(&coarse, linear.shape[1], 0.0, &linear[0, 0], &pairs[0, 0, 0])
        begin_doubles(&fine, linear.shape[1], 0.0, &linear[1, 0], &pairs[1, 0, 0])
        weigh_level(
            &coarse, &fine, first, last, &reference[0], &scale[0], scale.shape[0], &weights[0, 0],
            &moments[0, 0], level)
