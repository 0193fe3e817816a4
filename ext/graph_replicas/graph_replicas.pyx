"""Heat bath and Metropolis on any graph, for blocks of 64 chains, one bit each."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t

from xoshiro cimport below

cdef extern from "graph_replicas/graph_replicas.h":
    enum: CHAINS
    cdef struct rows:
        int64_t n_sites
        const int32_t *indptr
        const int32_t *indices
        const int32_t *weights
        const int32_t *bases
        const float *units
    cdef struct bonds:
        int64_t n_bonds
        const int32_t *ends
        const double *walls
        const double *downs
        double ground
        int in_field
    cdef struct sites:
        int64_t n_attempts
        const int32_t *order
        int metropolis
    void fill_spin_bytes() noexcept nogil
    void sweep_block(
        uint64_t *spins, uint64_t *state, const float *K, const rows *on, const sites *sites,
        int64_t n_sweeps, int level
    ) noexcept nogil
    void measure_block(
        const uint64_t *spins, int64_t n_sites, const bonds *bonds, double *energy, int32_t *up, int level
    ) noexcept nogil
    void pack_block(
        uint64_t *spins, int64_t n_sites, int64_t n_chains, const int8_t *given) noexcept nogil
    void unpack_block(
        const uint64_t *spins, int64_t n_sites, int64_t n_chains, int8_t *out, int64_t stride, int level
    ) noexcept nogil

fill_spin_bytes()


# Sweeps of a block, at sites that are drawn if there is a chooser: all chains of a block visit the same.
cdef void advance(
    uint64_t *spins, uint64_t *state, const float *K, const rows *on, const sites *visited, uint64_t *chooser,
    int32_t *drawn, int64_t n_sweeps, int level
) noexcept nogil:
    cdef int64_t _sweep, i
    if chooser == NULL:
        sweep_block(spins, state, K, on, visited, n_sweeps, level)
        return
    for _sweep in range(n_sweeps):
        for i in range(visited.n_attempts):
            drawn[i] = <int32_t>below(chooser, <uint64_t>on.n_sites)
        sweep_block(spins, state, K, on, visited, 1, level)


def run(
    uint64_t[:, ::1] spins,        # INOUT (n_blocks, n_sites) bit c of a word is chain c, 1 for up
    uint64_t[:, ::1] generators,   # INOUT (n_blocks, 32) eight xoshiro256++ generators for each block
    const float[:, ::1] K,         # IN (n_blocks, 64) times the largest unit
    const int32_t[::1] indptr,     # IN (n_sites + 1,) rows of the couplings, symmetric, without diagonal
    const int32_t[::1] indices,    # IN (2 n_bonds,)
    const int32_t[::1] weights,    # IN (2 n_bonds,) twice J in the unit of the row, modulo 2^32
    const int32_t[::1] bases,      # IN (n_sites,) h - sum J in this unit
    const float[::1] units,        # IN (n_sites,) over the largest unit, powers of two
    const int32_t[::1] order,      # IN (n_attempts,) sites of a sweep, or (0,) where they are drawn
    uint64_t[:, ::1] choosers,     # INOUT (n_blocks, 4 or more) then, and four words each: xoshiro256++
    int32_t[::1] drawn,            # WORK (n_sites,)
    bint metropolis,               # IN rule: Metropolis or heat bath
    int64_t thin,                  # IN sweeps before each measurement
    const int32_t[:, ::1] ends,    # IN (n_bonds, 2) the sites of each bond
    const double[::1] walls,       # IN (n_bonds,) 2 J
    const double[::1] downs,       # IN (n_sites,) 2 h, or (0,) without field
    double ground,                 # IN -(sum J + sum h)
    double[:, :] energy,           # OUT (n_chains, n_measurements) totals in J; n_chains <= 64 n_blocks
    double[:, :] magnetization,    # OUT (n_chains, n_measurements) totals
    int8_t[:, :, ::1] samples,     # OUT (n_chains or 0, n_measurements, n_sites)
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Sweep and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    The law is exp(K (sum over bonds J s s + sum over sites h s)). The heat bath sets a spin up with
    probability 1/(1 + e^(-2 K field)); Metropolis flips it with min(1, e^(-2 K s field)), and a site without
    bonds and field by a fair coin. Sites are those of `order`, or n_sites drawn for each sweep, the same in
    all chains of a block. Each block is the same whatever the others are.
    """
    cdef rows on
    cdef bonds joined
    cdef sites visited
    cdef uint64_t *chooser
    cdef int64_t block, i, chain, first, n_chains, n_measurements = energy.shape[1]
    cdef double totals[CHAINS]
    cdef int32_t up[CHAINS]
    if not spins.shape[0]:
        return
    on.n_sites, on.indptr, on.bases, on.units = spins.shape[1], &indptr[0], &bases[0], &units[0]
    on.indices = on.weights = joined.ends = NULL
    joined.walls = joined.downs = NULL
    joined.n_bonds, joined.ground, joined.in_field = ends.shape[0], ground, downs.shape[0] > 0
    if indices.shape[0]:
        on.indices, on.weights, joined.ends, joined.walls = &indices[0], &weights[0], &ends[0, 0], &walls[0]
    if joined.in_field:
        joined.downs = &downs[0]
    visited.metropolis = metropolis
    if order.shape[0]:
        visited.n_attempts, visited.order = order.shape[0], &order[0]
    else:
        visited.n_attempts, visited.order = on.n_sites, &drawn[0]
    with nogil:
        for block in range(spins.shape[0]):
            chooser = NULL if order.shape[0] else &choosers[block, 0]
            if n_measurements == 0:
                advance(
                    &spins[block, 0], &generators[block, 0], &K[block, 0], &on, &visited, chooser, &drawn[0],
                    thin, level)
            first = CHAINS * block
            n_chains = min(<int64_t>CHAINS, energy.shape[0] - first)
            for i in range(n_measurements):
                advance(
                    &spins[block, 0], &generators[block, 0], &K[block, 0], &on, &visited, chooser, &drawn[0],
                    thin, level)
                measure_block(&spins[block, 0], on.n_sites, &joined, totals, up, level)
                for chain in range(n_chains):
                    energy[first + chain, i] = totals[chain]
                    magnetization[first + chain, i] = 2 * <int64_t>up[chain] - on.n_sites
                if samples.shape[0]:
                    unpack_block(
                        &spins[block, 0], on.n_sites, n_chains, &samples[first, i, 0],
                        n_measurements * on.n_sites, level)


def pack(
    const int8_t[:, ::1] spins,  # IN (n_chains <= 64 n_blocks, n_sites) -1 and +1
    uint64_t[:, ::1] out,        # OUT (n_blocks, n_sites)
) -> None:
    """Read the spins of the chains; chains that are not there are down."""
    cdef int64_t block, n_chains
    with nogil:
        for block in range(out.shape[0]):
            n_chains = min(<int64_t>CHAINS, spins.shape[0] - CHAINS * block)
            pack_block(&out[block, 0], out.shape[1], n_chains, &spins[CHAINS * block, 0])


def unpack(
    const uint64_t[:, ::1] spins,  # IN (n_blocks, n_sites)
    int8_t[:, ::1] out,            # OUT (n_chains <= 64 n_blocks, n_sites)
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Write the spins of the chains as -1 and +1."""
    cdef int64_t block, n_chains
    with nogil:
        for block in range(spins.shape[0]):
            n_chains = min(<int64_t>CHAINS, out.shape[0] - CHAINS * block)
            unpack_block(
                &spins[block, 0], spins.shape[1], n_chains, &out[CHAINS * block, 0], spins.shape[1], level)


def colour(
    const int32_t[::1] indptr,   # IN (n_sites + 1,) rows of the neighbours
    const int32_t[::1] indices,  # IN (2 n_bonds,)
    int32_t[::1] colours,        # OUT (n_sites,) from 0
    int32_t[::1] marks,          # WORK (largest row + 1,) of -1
) -> None:
    """Give each site in its turn the least colour that none of its neighbours has."""
    cdef int64_t site, k
    cdef int32_t least
    with nogil:
        for site in range(colours.shape[0]):
            for k in range(indptr[site], indptr[site + 1]):
                if indices[k] < site:
                    marks[colours[indices[k]]] = <int32_t>site
            least = 0
            while marks[least] == site:
                least += 1
            colours[site] = least
