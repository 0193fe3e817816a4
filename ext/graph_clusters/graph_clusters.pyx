"""Wolff and Swendsen-Wang clusters on any graph of couplings, in fields by a ghost spin.

The ghost is one more node, joined to each site with a field. It is drawn and flipped as the sites are; what
is measured and returned are the products of the spins with it.
"""

from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t

from xoshiro cimport below, next_word, uniform

cdef extern from "simd/clusters.h":
    cdef struct cluster_sums:
        double size, squared_size, second, fourth
    void join_parts(int32_t *parent, int32_t a, int32_t b) noexcept nogil
    void name_roots(int32_t *parent, int64_t n) noexcept nogil
    void add_cluster(cluster_sums *sums, double size, double total, double n) noexcept nogil
    void set_cluster_of_site(cluster_sums *sums, double size, double total, double n) noexcept nogil
    void write_cluster_sums(const cluster_sums *sums, int single, double *out) noexcept nogil


cdef enum:
    BLOCK = 512  # bonds that are kept before they are joined

cdef struct graph:
    int64_t n_sites, n_nodes, n_entries
    const int32_t *indptr
    const int32_t *sources
    const int32_t *indices
    const double *couplings
    const double *cuts
    int sign

cdef struct memory:
    int8_t *spins    # n_nodes
    int8_t *free     # n_nodes; the spins of nodes that are in no cluster yet, 0 of others, or coins
    int32_t *parent  # n_nodes; the queue of Wolff's cluster
    int32_t *size    # n_nodes
    int32_t *total   # n_nodes

cdef struct toss:
    uint64_t *state
    uint64_t word
    int left


# Whether a number of 32 random bits is below q. One that agrees with q in all of them gets 53 more, by the
# only branch that depends on it.
cdef inline bint below_chance(toss *coins, double q) noexcept nogil:
    cdef int64_t whole = <int64_t>(q * 4294967296.0), bits
    cdef bint yes
    if not coins.left:
        coins.word, coins.left = next_word(coins.state), 2
    bits = coins.word >> 32
    coins.word <<= 32
    coins.left -= 1
    yes = bits < whole
    if bits == whole:
        yes = uniform(coins.state) < q * 4294967296.0 - whole
    return yes


# Bonds that join are collected and not met with a branch each: half of them do.
cdef void divide(const graph *on, memory *at, toss *coins) noexcept nogil:
    cdef int8_t *spins = at.spins
    cdef int32_t *parent = at.parent
    cdef int32_t kept[BLOCK]
    cdef int64_t k = 0, last, i
    cdef int n
    for i in range(on.n_nodes):
        parent[i] = <int32_t>i
    while k < on.n_entries:
        last = k + BLOCK if k + BLOCK < on.n_entries else on.n_entries
        n = 0
        while k < last:
            kept[n] = <int32_t>k
            n += (
                (on.sign * on.couplings[k] * (spins[on.sources[k]] * spins[on.indices[k]]) > 0)
                & (not below_chance(coins, on.cuts[k]))
            )
            k += 1
        for i in range(n):
            join_parts(parent, on.sources[kept[i]], on.indices[kept[i]])
    name_roots(parent, on.n_nodes)


cdef void flip_all(const graph *on, memory *at, uint64_t *state) noexcept nogil:
    cdef uint64_t coins = 0
    cdef int64_t i
    cdef int left = 0
    cdef int8_t *flip = at.free
    for i in range(on.n_nodes):
        if at.parent[i] == i:
            if not left:
                coins, left = next_word(state), 64
            flip[i] = coins & 1
            coins >>= 1
            left -= 1
        if flip[at.parent[i]]:
            at.spins[i] = -at.spins[i]


# The ghost is no part of a cluster's size and sum.
cdef void add_all(const graph *on, memory *at, cluster_sums *sums) noexcept nogil:
    cdef int64_t i
    for i in range(on.n_nodes):
        at.size[i] = at.total[i] = 0
    for i in range(on.n_sites):
        at.size[at.parent[i]] += 1
        at.total[at.parent[i]] += at.spins[i]
    for i in range(on.n_nodes):
        add_cluster(sums, at.size[i], at.total[i], on.n_sites)


# Nothing depends on a coin or a spin by a branch: every neighbour is written to the end of the queue, and
# kept or not.
cdef void flip_one(const graph *on, memory *at, toss *coins, cluster_sums *sums) noexcept nogil:
    cdef int8_t *spins = at.spins
    cdef int8_t *free = at.free
    cdef int32_t *queue = at.parent
    cdef int64_t first = 0, last = 1, k
    cdef int32_t site, other
    cdef int joins
    cdef double wanted, size, total = 0
    queue[0] = <int32_t>below(coins.state, on.n_sites)
    free[queue[0]] = 0
    while first < last:
        site = queue[first]
        wanted = on.sign * spins[site]
        for k in range(on.indptr[site], on.indptr[site + 1]):
            other = on.indices[k]
            joins = (on.couplings[k] * wanted * free[other] > 0) & (not below_chance(coins, on.cuts[k]))
            queue[last] = other
            free[other] &= joins - 1
            last += joins
        first += 1
    size = last
    for first in range(last):
        site = queue[first]
        free[site] = spins[site] = -spins[site]
        if site == on.n_sites:
            size -= 1
        else:
            total += spins[site]
    set_cluster_of_site(sums, size, total, on.n_sites)


def run(
    int8_t[::1] spins,            # INOUT (n_sites,)
    uint64_t[::1] state,          # INOUT (4,) xoshiro256++, not all words zero
    const int32_t[::1] indptr,    # IN (n_nodes + 1,) rows of bonds; a node n_sites is the ghost
    const int32_t[::1] sources,   # IN (n_entries,) the node whose row it is
    const int32_t[::1] indices,   # IN (n_entries,) for Wolff each bond in both rows, else in one
    const double[::1] couplings,  # IN (n_entries,) J of a bond, h of one to the ghost; not 0
    const double[::1] cuts,       # IN (n_entries,) probability to cut it if satisfied, e^(-2|K J|) <= 1
    int sign,                     # IN 1 for K > 0, -1 for K < 0
    bint single,                  # IN a sweep is one Wolff cluster, else a Swendsen-Wang division
    int64_t thin,                 # IN sweeps before each measurement
    double[::1] energy,           # OUT (n_measurements,) totals, -(sum J s s + sum h s)
    int64_t[::1] magnetization,   # OUT (n_measurements,) totals
    double[:, ::1] clusters,      # OUT (n_measurements, 4) sums over clusters, see simd/clusters.h
    int8_t[:, ::1] samples,       # OUT (n_measurements or 0, n_sites)
    int8_t[::1] marks,            # WORK (2 n_nodes,)
    int32_t[::1] work,            # WORK (3 n_nodes,)
) -> None:
    """Update and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    The sums are those of the last division, or of Wolff's last cluster, which has no fourth power; the ghost
    counts in none of them.
    """
    cdef int64_t n_sites = spins.shape[0], n_nodes = indptr.shape[0] - 1
    cdef int64_t n_measurements = energy.shape[0], n_samples = samples.shape[0]
    cdef int64_t n_blocks = n_measurements if n_measurements else 1
    cdef int64_t block, sweep, i, k, up
    cdef int8_t ghost
    cdef double total
    cdef graph on
    cdef memory at
    cdef cluster_sums sums
    cdef toss coins
    coins.state = &state[0]
    on.n_sites, on.n_nodes, on.n_entries, on.sign = n_sites, n_nodes, indices.shape[0], sign
    on.sources = &sources[0] if sources.shape[0] else NULL
    on.indptr = &indptr[0]
    on.indices = &indices[0] if indices.shape[0] else NULL
    on.couplings = &couplings[0] if couplings.shape[0] else NULL
    on.cuts = &cuts[0] if cuts.shape[0] else NULL
    at.spins, at.free = &marks[0], &marks[0] + n_nodes
    at.parent, at.size, at.total = &work[0], &work[0] + n_nodes, &work[0] + 2 * n_nodes
    with nogil:
        for i in range(n_nodes):
            at.spins[i] = at.free[i] = spins[i] if i < n_sites else 1
        for block in range(n_blocks):
            sums.size = sums.squared_size = sums.second = sums.fourth = 0
            for sweep in range(thin):
                coins.left = 0  # what follows depends on the generator alone
                if single:
                    flip_one(&on, &at, &coins, &sums)
                else:
                    divide(&on, &at, &coins)
                    if n_measurements and sweep == thin - 1:
                        add_all(&on, &at, &sums)
                    flip_all(&on, &at, &state[0])
            if n_measurements:
                total, up = 0, 0
                ghost = at.spins[n_sites] if n_nodes > n_sites else 1
                for k in range(on.n_entries):
                    total -= couplings[k] * (at.spins[sources[k]] * at.spins[indices[k]])
                for i in range(n_sites):
                    up += at.spins[i] * ghost
                energy[block] = total / 2 if single else total
                magnetization[block] = up
                write_cluster_sums(&sums, single, &clusters[block, 0])
                if n_samples:
                    for i in range(n_sites):
                        samples[block, i] = at.spins[i] * ghost
        ghost = at.spins[n_sites] if n_nodes > n_sites else 1
        for i in range(n_sites):
            spins[i] = at.spins[i] * ghost
