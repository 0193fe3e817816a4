"""Heat bath and Metropolis for 512 replicas of a lattice of equal bonds at once, one bit each."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint64_t

cdef extern from "multispin/multispin.h":
    enum: WORDS
    enum: REPLICAS
    cdef struct rule:
        int metropolis
        int64_t n_digits
        const uint64_t (*digits)[2][8]
        const uint64_t *negative
        const uint64_t *active
    cdef struct sites:
        int64_t n_sites, n_attempts
        int degree
        const int32_t *neighbours
        const int32_t *order
    cdef struct mixed_rule:
        int metropolis
        int64_t n_digits
        const uint64_t (*digits)[2][3][8]
        const uint64_t *negative
        const uint64_t *active
    cdef struct mixed_sites:
        int64_t n_sites, n_attempts, n_bonds
        const int32_t *inputs
        const uint8_t *signs
        const uint8_t *degrees
        const int32_t *order
        const int32_t *ends
        const uint8_t *bond_signs
    void fill_spin_bytes() noexcept nogil
    void sweep_mixed_replicas(
        uint64_t *spins, uint64_t *state, const mixed_sites *on, const mixed_rule *rule, int64_t n_sweeps,
        int level
    ) noexcept nogil
    void measure_mixed_replicas(
        const uint64_t *spins, const mixed_sites *on, int32_t *energy, int32_t *magnetization, int level
    ) noexcept nogil
    void sweep_replicas(
        uint64_t *spins, uint64_t *state, const sites *on, const rule *rule, int64_t n_sweeps, int level
    ) noexcept nogil
    void measure_replicas(
        const uint64_t *spins, const sites *on, int32_t *energy, int32_t *magnetization, int level
    ) noexcept nogil
    void pack_replicas(
        uint64_t *spins, int64_t n_sites, int64_t n_replicas, const int8_t *given, int level) noexcept nogil
    void unpack_replicas(
        const uint64_t *spins, int64_t n_sites, int64_t n_replicas, int8_t *out, int64_t stride, int level
    ) noexcept nogil

fill_spin_bytes()


def run(
    uint64_t[:, ::1] spins,            # INOUT (n_sites, 8) bit r of the 512 of a row is replica r, 1 for up
    uint64_t[::1] state,               # INOUT (32,) eight xoshiro256++ generators, not all words zero
    const int32_t[:, ::1] neighbours,  # IN (n_sites, 2 or 4) the first half belong to the site's own bonds
    const int32_t[::1] order,          # IN (n_attempts,) sites of a sweep
    bint metropolis,                   # IN rule: Metropolis or heat bath
    const uint64_t[::1] negative,      # IN (8,) replicas with K < 0
    const uint64_t[::1] active,        # IN (8,) replicas in use: the numbers drawn depend on them alone
    const uint64_t[:, :, ::1] digits,  # IN (n_digits >= 1, 2, 8) binary digits, most significant first
    int64_t thin,                      # IN sweeps before each measurement
    int32_t[:, ::1] energy,            # OUT (n_measurements, 512) totals in J
    int32_t[:, ::1] magnetization,     # OUT (n_measurements, 512) totals
    int8_t[:, :, ::1] samples,         # OUT (n_replicas, n_measurements, n_sites), or of no replicas
    int level,                         # IN SIMD level, at most simd.supported()
) -> None:
    """Sweep and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    A digit of a probability is a word of bits, one for each replica: digits[i, 0] for a site whose
    neighbours all agree, digits[i, 1] where three of four do. Heat bath: the probability to disagree with
    that majority, 1/(1 + e^(8|K|)) and 1/(1 + e^(4|K|)) with four neighbours, 1/(1 + e^(4|K|)) with two.
    Metropolis: to accept, e^(-8|K|) and e^(-4|K|) where four and three bonds are satisfied, e^(-4|K|) for
    both of two.
    """
    cdef sites on
    cdef rule how
    cdef int64_t i, n_measurements = energy.shape[0], n_replicas = samples.shape[0]
    on.n_sites, on.n_attempts = spins.shape[0], order.shape[0]
    on.degree = <int>neighbours.shape[1]
    on.neighbours, on.order = &neighbours[0, 0], &order[0]
    how.metropolis, how.n_digits = metropolis, digits.shape[0]
    how.digits = <const uint64_t (*)[2][8]>&digits[0, 0, 0]
    how.negative, how.active = &negative[0], &active[0]
    with nogil:
        if n_measurements == 0:
            sweep_replicas(&spins[0, 0], &state[0], &on, &how, thin, level)
        for i in range(n_measurements):
            sweep_replicas(&spins[0, 0], &state[0], &on, &how, thin, level)
            measure_replicas(&spins[0, 0], &on, &energy[i, 0], &magnetization[i, 0], level)
            if n_replicas:
                unpack_replicas(
                    &spins[0, 0], on.n_sites, n_replicas, &samples[0, i, 0], n_measurements * on.n_sites,
                    level)


def run_mixed(
    uint64_t[:, ::1] spins,               # INOUT (n_sites + 2, 8) a row of zeros and one of ones at the end
    uint64_t[::1] state,                  # INOUT (32,) eight xoshiro256++ generators, not all words zero
    const int32_t[:, ::1] inputs,         # IN (n_sites, 6) neighbours, then n_sites, n_sites + 1 in turn
    const uint8_t[::1] signs,             # IN (n_sites,) bit k where the bond to neighbour k is negative
    const uint8_t[::1] degrees,           # IN (n_sites,) numbers of neighbours, up to 6
    const int32_t[::1] order,             # IN (n_attempts,) sites of a sweep
    const int32_t[:, ::1] ends,           # IN (n_bonds, 2) the sites of each bond
    const uint8_t[::1] bond_signs,        # IN (n_bonds,) 1 where the bond is negative
    bint metropolis,                      # IN rule: Metropolis or heat bath
    const uint64_t[::1] negative,         # IN (8,) replicas with K < 0
    const uint64_t[::1] active,           # IN (8,) replicas in use: the numbers drawn depend on them alone
    const uint64_t[:, :, :, ::1] digits,  # IN (n_digits >= 1, 2, 3, 8) binary digits, most significant first
    int64_t thin,                         # IN sweeps before each measurement
    int32_t[:, ::1] energy,               # OUT (n_measurements, 512) totals in |J|
    int32_t[:, ::1] magnetization,        # OUT (n_measurements, 512) totals
    int8_t[:, :, ::1] samples,            # OUT (n_replicas, n_measurements, n_sites), or of no replicas
    int level,                            # IN SIMD level, at most simd.supported()
) -> None:
    """Sweep and measure where sites have different numbers of neighbours, and bonds signs; see `run`.

    digits[i, 0] are those of a site with an even number of neighbours that pull by 2, 4 and 6, digits[i, 1]
    those of an odd number, by 1, 3 and 5. Heat bath: the probability to go against a pull m,
    1/(1 + e^(2|K|m)); Metropolis: to accept a flip against it, e^(-2|K|m).
    """
    cdef mixed_sites on
    cdef mixed_rule how
    cdef int64_t i, n_measurements = energy.shape[0], n_replicas = samples.shape[0]
    on.n_sites, on.n_attempts, on.n_bonds = inputs.shape[0], order.shape[0], ends.shape[0]
    on.inputs, on.signs, on.degrees, on.order = &inputs[0, 0], &signs[0], &degrees[0], &order[0]
    on.ends, on.bond_signs = NULL, NULL
    if on.n_bonds:
        on.ends, on.bond_signs = &ends[0, 0], &bond_signs[0]
    how.metropolis, how.n_digits = metropolis, digits.shape[0]
    how.digits = <const uint64_t (*)[2][3][8]>&digits[0, 0, 0, 0]
    how.negative, how.active = &negative[0], &active[0]
    with nogil:
        if n_measurements == 0:
            sweep_mixed_replicas(&spins[0, 0], &state[0], &on, &how, thin, level)
        for i in range(n_measurements):
            sweep_mixed_replicas(&spins[0, 0], &state[0], &on, &how, thin, level)
            measure_mixed_replicas(&spins[0, 0], &on, &energy[i, 0], &magnetization[i, 0], level)
            if n_replicas:
                unpack_replicas(
                    &spins[0, 0], on.n_sites, n_replicas, &samples[0, i, 0], n_measurements * on.n_sites,
                    level)


def pack(
    const int8_t[:, ::1] spins,  # IN (n_replicas <= 512, n_sites) -1 and +1
    uint64_t[:, ::1] out,        # OUT (n_sites, 8)
    int level,                   # IN SIMD level, at most simd.supported()
) -> None:
    """Read the spins of the first replicas; the others are set down."""
    with nogil:
        pack_replicas(&out[0, 0], spins.shape[1], spins.shape[0], &spins[0, 0], level)


def unpack(
    const uint64_t[:, ::1] spins,  # IN (n_sites, 8)
    int8_t[:, ::1] out,            # OUT (n_replicas <= 512, n_sites)
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Write the spins of the first replicas as -1 and +1."""
    if out.shape[0]:
        with nogil:
            unpack_replicas(
                &spins[0, 0], spins.shape[0], out.shape[0], &out[0, 0], spins.shape[0], level)
