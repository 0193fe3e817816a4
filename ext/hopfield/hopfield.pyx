"""Threshold dynamics of a network of ±1 units, many states at a time."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t

cdef extern from "hopfield/hopfield.h":
    enum:
        BLOCK_BYTES
        PADDING
        GROUPS
        STATES
        VISITS
    void find_entries(const int8_t *spins, int64_t n_groups, uint16_t *entries) noexcept nogil
    void sum_fields_narrow(
        const int8_t *couplings, const int16_t *biases, const uint16_t *entries, int64_t n_states,
        int64_t n_units, int16_t *table, int16_t *fields, int level) noexcept nogil
    void sum_fields_wide(
        const int16_t *couplings, const int32_t *biases, const uint16_t *entries, int64_t n_states,
        int64_t n_units, int32_t *table, int32_t *fields, int level) noexcept nogil
    void sum_fields_real(
        const double *couplings, const double *biases, const uint16_t *entries, int64_t n_states,
        int64_t n_units, double *table, double *fields, int level) noexcept nogil
    void relax_narrow(
        const int8_t *couplings, const int32_t *order, int64_t n_sweeps, int64_t n_visited,
        const uint8_t *clamped, int64_t n_states, int64_t n_units, int8_t *among, int8_t *spins,
        int16_t *fields, int64_t *sweeps, uint8_t *settled, int level) noexcept nogil
    void relax_wide(
        const int16_t *couplings, const int32_t *order, int64_t n_sweeps, int64_t n_visited,
        const uint8_t *clamped, int64_t n_states, int64_t n_units, int16_t *among, int8_t *spins,
        int32_t *fields, int64_t *sweeps, uint8_t *settled, int level) noexcept nogil
    void relax_real(
        const double *couplings, const int32_t *order, int64_t n_sweeps, int64_t n_visited,
        const uint8_t *clamped, int64_t n_states, int64_t n_units, double *among, int8_t *spins,
        double *fields, int64_t *sweeps, uint8_t *settled, int level) noexcept nogil

ctypedef fused coupling:
    int8_t
    int16_t
    double

ctypedef fused field:
    int16_t
    int32_t
    double


def padded(
    int64_t n_units,  # IN at least 1
) -> int:
    """The length of rows that hold n_units; the couplings and biases of the rest must be 0."""
    return (n_units + PADDING - 1) // PADDING * PADDING


def table_bytes() -> int:
    """The size of the table that `sum_fields` works in."""
    return (GROUPS * 16 + STATES) * BLOCK_BYTES


def visits() -> int:
    """How many units make a block of visits."""
    return VISITS


def sum_fields(
    const coupling[:, ::1] couplings,  # IN (n, n) symmetric: int8, int16 or float64; n is padded
    const field[::1] biases,           # IN (n,) int16, int32 or float64 accordingly
    const int8_t[:, ::1] spins,        # IN (n_states, n) -1 and +1, anything where padded
    uint16_t[:, ::1] entries,          # WORK (n_states, n / 4)
    field[::1] table,                  # WORK table_bytes() bytes
    field[:, ::1] fields,              # OUT (n_states, n) b + x W
    int level,                         # IN SIMD level, at most simd.supported()
) -> None:
    """Compute the fields; |b_i| + sum_j |W_ij| must fit into the type of the fields for every i."""
    cdef int64_t n_states = spins.shape[0], n_units = spins.shape[1], s
    if n_states == 0:
        return
    with nogil:
        for s in range(n_states):
            find_entries(&spins[s, 0], n_units // 4, &entries[s, 0])
        if coupling is int8_t and field is int16_t:
            sum_fields_narrow(&couplings[0, 0], &biases[0], &entries[0, 0], n_states, n_units, &table[0],
                              &fields[0, 0], level)
        elif coupling is int16_t and field is int32_t:
            sum_fields_wide(&couplings[0, 0], &biases[0], &entries[0, 0], n_states, n_units, &table[0],
                            &fields[0, 0], level)
        elif coupling is double and field is double:
            sum_fields_real(&couplings[0, 0], &biases[0], &entries[0, 0], n_states, n_units, &table[0],
                            &fields[0, 0], level)


def relax(
    const coupling[:, ::1] couplings,  # IN (n, n) symmetric, zero diagonal: int8, int16 or float64
    const int32_t[:, ::1] order,       # IN (n_sweeps, n_visited) units, none padded, none twice in a row
    const uint8_t[:, ::1] clamped,     # IN (n_states or 0, n) 1 where a unit keeps its state
    coupling[:, ::1] among,            # WORK (n_visited, visits())
    int8_t[:, ::1] spins,              # INOUT (n_states, n); fastest where the padded ones are 1
    field[:, ::1] fields,              # INOUT (n_states, n) int16, int32 or float64; those of `spins`
    int64_t[::1] sweeps,               # INOUT (n_states,) incremented by the sweeps that changed a unit
    uint8_t[::1] settled,              # INOUT (n_states,) states with 1 rest; set by a sweep without change
    int level,                         # IN SIMD level, at most simd.supported()
) -> None:
    """Visit the units in the given order, each state by itself: x_i = 1 where its field >= 0, else -1."""
    cdef int64_t n_states = spins.shape[0], n_units = spins.shape[1]
    cdef const uint8_t *fixed = &clamped[0, 0] if clamped.shape[0] else NULL
    cdef coupling *block = &among[0, 0] if among.shape[0] else NULL
    cdef const int32_t *visited = &order[0, 0] if order.shape[0] and order.shape[1] else NULL
    if n_states == 0:
        return
    with nogil:
        if coupling is int8_t and field is int16_t:
            relax_narrow(&couplings[0, 0], visited, order.shape[0], order.shape[1], fixed, n_states, n_units,
                         block, &spins[0, 0], &fields[0, 0], &sweeps[0], &settled[0], level)
        elif coupling is int16_t and field is int32_t:
            relax_wide(&couplings[0, 0], visited, order.shape[0], order.shape[1], fixed, n_states, n_units,
                       block, &spins[0, 0], &fields[0, 0], &sweeps[0], &settled[0], level)
        elif coupling is double and field is double:
            relax_real(&couplings[0, 0], visited, order.shape[0], order.shape[1], fixed, n_states, n_units,
                       block, &spins[0, 0], &fields[0, 0], &sweeps[0], &settled[0], level)
