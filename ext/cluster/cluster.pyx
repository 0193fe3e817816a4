"""Wolff and Swendsen-Wang clusters on a ring or a torus of equal bonds without field."""

from libc.stdint cimport UINT64_MAX, int8_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memset

cdef extern from "cluster/cluster.h":
    cdef struct lattice:
        int64_t n_rows, n_cols, n_words
        int sign
        uint64_t last
        uint64_t *up
    void fill_spin_bytes() noexcept nogil
    cdef struct runs:
        pass
    cdef struct growth:
        pass
    cdef struct toss:
        pass
    cdef struct cluster_sums:
        double size, squared_size, second, fourth
    void set_toss(toss *toss, uint64_t *state, double cut, int single, int level) noexcept nogil
    void lend(
        const lattice *on, runs *runs, growth *at, uint64_t *words, int32_t *numbers, uint8_t *marks
    ) noexcept nogil
    void pack(const lattice *on, const int8_t *spins, int level) noexcept nogil
    void unpack(const lattice *on, int8_t *spins, int level) noexcept nogil
    void flip_all(const lattice *on, runs *runs, toss *toss, cluster_sums *sums, int wanted) noexcept nogil
    void flip_one(const lattice *on, growth *at, toss *toss, cluster_sums *sums) noexcept nogil
    void measure(const lattice *on, int64_t *energy, int64_t *magnetization, int level) noexcept nogil
    void write_cluster_sums(const cluster_sums *sums, int single, double *out) noexcept nogil

fill_spin_bytes()


def run(
    int8_t[:, ::1] spins,        # INOUT (n_rows, n_cols) one row for a ring; fewer than 2^31 sites
    uint64_t[::1] state,         # INOUT (36,) eight xoshiro256++ generators and one more, none all zero
    int sign,                    # IN 1 for K > 0, -1 for K < 0: clusters then alternate
    double cut,                  # IN probability to cut a satisfied bond, e^(-2|K|) <= 1
    bint single,                 # IN a sweep is one Wolff cluster, else a Swendsen-Wang division
    int64_t thin,                # IN sweeps before each measurement
    int64_t[::1] energy,         # OUT (n_measurements,) totals in J
    int64_t[::1] magnetization,  # OUT (n_measurements,) totals
    double[:, ::1] clusters,     # OUT (n_measurements, 4) sums over clusters, see simd/clusters.h
    int8_t[:, :, ::1] samples,   # OUT (n_measurements or 0, n_rows, n_cols)
    uint64_t[::1] words,         # WORK (5 n_rows n_words,) with n_words = n_cols / 64, rounded up
    int32_t[::1] numbers,        # WORK (6 n_rows n_words + 3 n_sites,)
    uint8_t[::1] marks,          # WORK (n_sites,)
    int level,                   # IN SIMD level, at most simd.supported()
) -> None:
    """Update and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    The sums are those of the last division, or of Wolff's last cluster, which has no fourth power.
    """
    cdef int64_t n_measurements = energy.shape[0], n_samples = samples.shape[0]
    cdef int64_t n_blocks = n_measurements if n_measurements else 1
    cdef int64_t block, sweep
    cdef lattice on
    cdef runs parts
    cdef growth grown
    cdef toss coins
    cdef cluster_sums sums
    on.n_rows, on.n_cols, on.n_words = spins.shape[0], spins.shape[1], (spins.shape[1] + 63) // 64
    on.sign, on.up = sign, &words[0]
    on.last = UINT64_MAX >> (63 - (on.n_cols - 1) % 64)
    with nogil:
        set_toss(&coins, &state[0], cut, single, level)
        lend(&on, &parts, &grown, &words[0], &numbers[0], &marks[0])
        memset(&words[0], 0, words.shape[0] * sizeof(uint64_t))
        memset(&numbers[0], 0, 2 * on.n_rows * on.n_words * sizeof(int32_t))
        pack(&on, &spins[0, 0], level)
        for block in range(n_blocks):
            sums.size = sums.squared_size = sums.second = sums.fourth = 0
            for sweep in range(thin):
                if single:
                    flip_one(&on, &grown, &coins, &sums)
                else:
                    flip_all(&on, &parts, &coins, &sums, n_measurements and sweep == thin - 1)
            if n_measurements:
                measure(&on, &energy[block], &magnetization[block], level)
                write_cluster_sums(&sums, single, &clusters[block, 0])
                if n_samples:
                    unpack(&on, &samples[block, 0, 0], level)
        unpack(&on, &spins[0, 0], level)
