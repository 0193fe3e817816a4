"""Heat bath and Metropolis, site by site, on any graph of couplings with fields."""

from libc.math cimport exp, fabs
from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t

from xoshiro cimport below, uniform


cdef inline double local_field(
    const int8_t *spins, const int32_t *indptr, const int32_t *indices, const double *couplings, double field,
    int32_t site
) noexcept nogil:
    cdef double h = field
    cdef int64_t k
    for k in range(indptr[site], indptr[site + 1]):
        h += couplings[k] * spins[indices[k]]
    return h


def run(
    int8_t[::1] spins,            # INOUT (n_sites,)
    uint64_t[::1] state,          # INOUT (4,) xoshiro256++, not all words zero
    const int32_t[::1] indptr,    # IN (n_sites + 1,) rows of the couplings, symmetric, without diagonal
    const int32_t[::1] indices,   # IN (2 n_bonds,)
    const double[::1] couplings,  # IN (2 n_bonds,) J
    const double[::1] fields,     # IN (n_sites,) h
    const int32_t[::1] order,     # IN (n_attempts,) or empty
    int64_t n_attempts,           # IN attempts to a sweep
    int rule,                     # IN place in RULES of sampling/reducibility.py: 0 heat bath, 1 Metropolis
    double K,                     # IN coupling beta J
    const double[::1] chances,    # IN (2 z + 1,) of the fields -z ... z, or empty
    int64_t thin,                 # IN sweeps before each measurement
    double[::1] energy,           # OUT (n_measurements,) totals, -(sum J s s + sum h s)
    int64_t[::1] magnetization,   # OUT (n_measurements,) totals
    int8_t[:, ::1] samples,       # OUT (n_measurements or 0, n_sites)
) -> None:
    """Sweep and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    A sweep attempts the sites of `order`, or with an empty order `n_attempts` sites drawn at random. The
    law is exp(K (sum over bonds J s s + sum over sites h s)). The heat bath sets a spin along its local
    field unless u < 1/(1 + e^(2 |K field|)); where the field vanishes a fair coin decides. Metropolis
    accepts a flip that costs 2 K s field <= 0, and another if u < e^(-cost); a site without bonds and
    field gets a fair coin. Where local fields are small integers, `chances` holds these probabilities
    from the most negative field to the most positive, for Metropolis of s field.
    """
    cdef int64_t n_sites = spins.shape[0], n_measurements = energy.shape[0], n_samples = samples.shape[0]
    cdef int64_t n_blocks = n_measurements if n_measurements else 1
    cdef int64_t block, _sweep, i
    cdef int32_t site
    cdef bint random = order.shape[0] == 0, metropolis = rule == 1, free
    cdef double h, cost, total, chance
    cdef int64_t z = chances.shape[0] // 2
    cdef const double *table = &chances[0] if chances.shape[0] else NULL
    cdef int64_t up
    cdef const int32_t *neighbours = &indices[0] if indices.shape[0] else NULL
    cdef const double *J = &couplings[0] if couplings.shape[0] else NULL
    with nogil:
        for block in range(n_blocks):
            for _sweep in range(thin):
                for i in range(n_attempts):
                    site = <int32_t>below(&state[0], n_sites) if random else order[i]
                    h = local_field(&spins[0], &indptr[0], neighbours, J, fields[site], site)
                    free = indptr[site] == indptr[site + 1] and fields[site] == 0
                    if metropolis and not free:
                        h *= spins[site]
                    cost = 2 * (K * h)
                    if table != NULL:
                        chance = table[<int64_t>h + z]
                    elif metropolis and not free:
                        chance = exp(-cost)
                    else:
                        chance = 1 / (1 + exp(fabs(cost)))
                    if metropolis and not free:
                        if cost <= 0 or uniform(&state[0]) < chance:
                            spins[site] = -spins[site]
                    else:
                        spins[site] = 1 if (uniform(&state[0]) < chance) ^ (cost > 0) else -1
            if n_measurements:
                total, up = 0, 0
                for i in range(n_sites):
                    h = local_field(&spins[0], &indptr[0], neighbours, J, 2 * fields[i], i)
                    total -= h * spins[i]
                    up += spins[i]
                energy[block], magnetization[block] = total / 2, up
                if n_samples:
                    samples[block, :] = spins
