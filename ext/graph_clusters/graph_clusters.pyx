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


cdef struct graph:
    int64_t n_sites, n_nodes
    const int32_t *indptr
    const int32_t *indices
    const double *couplings
    const double *cuts
    int sign

cdef struct memory:
    int8_t *spins    # n_nodes
    int8_t *inside   # n_nodes, all 0 between clusters
    int32_t *parent  # n_nodes; the queue of Wolff's cluster
    int32_t *size    # n_nodes
    int32_t *total   # n_nodes


cdef void divide(const graph *on, memory *at, uint64_t *state) noexcept nogil:
    cdef int8_t *spins = at.spins
    cdef int32_t *parent = at.parent
    cdef int64_t i, k
    cdef double wanted
    cdef bint cut
    for i in range(on.n_nodes):
        parent[i] = <int32_t>i
    for i in range(on.n_nodes):
        wanted = on.sign * spins[i]
        for k in range(on.indptr[i], on.indptr[i + 1]):
            # a word for every bond: what is satisfied is not predictable
            cut = uniform(state) < on.cuts[k]
            if (on.couplings[k] * wanted * spins[on.indices[k]] > 0) & (not cut):
                join_parts(parent, <int32_t>i, on.indices[k])
    name_roots(parent, on.n_nodes)


cdef void flip_all(const graph *on, memory *at, uint64_t *state) noexcept nogil:
    cdef uint64_t coins = 0
    cdef int64_t i
    cdef int left = 0
    cdef int8_t *flip = at.inside
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


cdef void flip_one(const graph *on, memory *at, uint64_t *state, cluster_sums *sums) noexcept nogil:
    cdef int8_t *spins = at.spins
    cdef int32_t *queue = at.parent
    cdef int64_t first, last = 1, k
    cdef int32_t site, other
    cdef double wanted, size, total = 0
    queue[0] = <int32_t>below(state, on.n_sites)
    at.inside[queue[0]] = 1
    first = 0
    while first < last:
        site = queue[first]
        wanted = on.sign * spins[site]
        for k in range(on.indptr[site], on.indptr[site + 1]):
            other = on.indices[k]
            if at.inside[other] or on.couplings[k] * wanted * spins[other] <= 0:
                continue
            if uniform(state) >= on.cuts[k]:
                at.inside[other] = 1
                queue[last] = other
                last += 1
        first += 1
    size = last
    for first in range(last):
        site = queue[first]
        spins[site] = -spins[site]
        at.inside[site] = 0
        if site == on.n_sites:
            size -= 1
        else:
            total += spins[site]
    set_cluster_of_site(sums, size, total, on.n_sites)


def run(
    int8_t[::1] spins,            # INOUT (n_sites,)
    uint64_t[::1] state,          # INOUT (4,) xoshiro256++, not all words zero
    const int32_t[::1] indptr,    # IN (n_nodes + 1,) rows of bonds; a node n_sites is the ghost
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
    on.n_sites, on.n_nodes, on.sign = n_sites, n_nodes, sign
    on.indptr = &indptr[0]
    on.indices = &indices[0] if indices.shape[0] else NULL
    on.couplings = &couplings[0] if couplings.shape[0] else NULL
    on.cuts = &cuts[0] if cuts.shape[0] else NULL
    at.spins, at.inside = &marks[0], &marks[0] + n_nodes
    at.parent, at.size, at.total = &work[0], &work[0] + n_nodes, &work[0] + 2 * n_nodes
    with nogil:
        for i in range(n_nodes):
            at.spins[i] = spins[i] if i < n_sites else 1
            at.inside[i] = 0
        for block in range(n_blocks):
            sums.size = sums.squared_size = sums.second = sums.fourth = 0
            for sweep in range(thin):
                if single:
                    flip_one(&on, &at, &state[0], &sums)
                else:
                    divide(&on, &at, &state[0])
                    if n_measurements and sweep == thin - 1:
                        add_all(&on, &at, &sums)
                    flip_all(&on, &at, &state[0])
            if n_measurements:
                total, up = 0, 0
                ghost = at.spins[n_sites] if n_nodes > n_sites else 1
                for i in range(n_nodes):
                    for k in range(indptr[i], indptr[i + 1]):
                        total -= couplings[k] * at.spins[i] * at.spins[indices[k]]
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
