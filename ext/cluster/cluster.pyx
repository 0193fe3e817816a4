"""Wolff and Swendsen-Wang clusters on a ring or a torus of equal bonds without field."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t

cdef extern from "cluster/cluster.h":
    cdef struct site:
        int32_t row, column
    cdef struct lattice:
        int64_t n_rows, n_cols
        int sign
        int8_t *spins
        int32_t *parent
        site *queue
    cdef struct toss:
        pass
    void set_toss(toss *toss, uint64_t *state, double cut, int level) noexcept nogil
    int64_t update_clusters(const lattice *on, toss *toss, int64_t n) noexcept nogil
    void measure(const lattice *on, int64_t *energy, int64_t *magnetization) noexcept nogil


def run(
    int8_t[:, ::1] spins,        # INOUT (n_rows, n_cols) one row for a ring; fewer than 2^31 sites
    uint64_t[::1] state,         # INOUT (36,) eight xoshiro256++ generators and one more, none all zero
    int sign,                    # IN 1 for K > 0, -1 for K < 0: clusters then alternate
    double cut,                  # IN probability to cut a satisfied bond, e^(-2|K|) <= 1
    int64_t n_clusters,          # IN Wolff clusters to a sweep, or 0
    int64_t thin,                # IN sweeps before each measurement
    int64_t[::1] energy,         # OUT (n_measurements,) totals in J
    int64_t[::1] magnetization,  # OUT (n_measurements,) totals
    int8_t[:, :, ::1] samples,   # OUT (n_measurements or 0, n_rows, n_cols)
    int32_t[::1] work,           # WORK (2 n_sites + 8,)
    int level,                   # IN SIMD level, at most simd.supported()
) -> int:
    """Update and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    A sweep is `n_clusters` Wolff clusters, or with none a Swendsen-Wang division of the lattice. Returns
    the number of sites that Wolff clusters flipped.
    """
    cdef int64_t n_measurements = energy.shape[0], n_samples = samples.shape[0]
    cdef int64_t n_blocks = n_measurements if n_measurements else 1
    cdef int64_t block, _sweep, flipped = 0
    cdef lattice on
    cdef toss coins
    on.n_rows, on.n_cols, on.sign = spins.shape[0], spins.shape[1], sign
    on.spins, on.parent, on.queue = &spins[0, 0], &work[0], <site *>&work[0]
    with nogil:
        set_toss(&coins, &state[0], cut, level)
        for block in range(n_blocks):
            for _sweep in range(thin):
                flipped += update_clusters(&on, &coins, n_clusters)
            if n_measurements:
                measure(&on, &energy[block], &magnetization[block])
                if n_samples:
                    samples[block, :, :] = spins
    return flipped
