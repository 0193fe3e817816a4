"""Heat bath of Boltzmann machines, in blocks of 64 chains."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint32_t, uint64_t

cdef extern from "boltzmann/boltzmann.h":
    enum:
        CHAINS
        UNITS
        SIGNED_SUMS
    void enter_all(
        const float *spins, int64_t n_blocks, int64_t n_units, uint32_t *entries, int level) noexcept nogil
    void sweep_units(
        float *spins, uint64_t *state, int64_t n_blocks, const float *couplings, const float *bias,
        int64_t n_units, const int32_t *order, int64_t n_attempts, float *table, uint32_t *entries, int level
    ) noexcept nogil


def scratch_sizes(
    int64_t n_units,  # IN at least 1
) -> tuple[int, int]:
    """Lengths of the table and, for each block, of the entries that `sweep` works in."""
    return (n_units + UNITS - 1) // UNITS * SIGNED_SUMS, (n_units + UNITS - 1) // UNITS * CHAINS


def sweep(
    float[:, :, ::1] spins,         # INOUT (n_blocks, n_units, 64) -1 and +1
    uint64_t[:, ::1] generators,    # INOUT (n_blocks, 32) eight xoshiro256++ generators for each block;
                                    #       four steps for each attempt
    const float[:, ::1] couplings,  # IN (n_units, n_units) over the temperature, 0 on the diagonal
    const float[::1] bias,          # IN (n_units,) over the temperature
    const int32_t[:, ::1] order,    # IN (n_sweeps, n_attempts) units
    int64_t thin,                   # IN sweeps before each sample, at least 1
    float[::1] table,               # WORK (scratch_sizes(n_units)[0],)
    uint32_t[:, ::1] entries,       # WORK (n_blocks, scratch_sizes(n_units)[1])
    int8_t[:, :, :, ::1] samples,   # OUT (n_sweeps // thin or 0, n_blocks, n_units, 64)
    int level,                      # IN SIMD level, at most simd.supported()
) -> None:
    """Update units one by one, in all chains the same one; keep the spins after every `thin` sweeps.

    Each block is the same whatever the others are.
    """
    cdef int64_t sweep, block, unit, chain, n_units = spins.shape[1], n_kept = 0
    if not spins.shape[0]:
        return
    with nogil:
        enter_all(&spins[0, 0, 0], spins.shape[0], n_units, &entries[0, 0], level)
        for sweep in range(order.shape[0]):
            if order.shape[1]:
                sweep_units(
                    &spins[0, 0, 0], &generators[0, 0], spins.shape[0], &couplings[0, 0], &bias[0], n_units,
                    &order[sweep, 0], order.shape[1], &table[0], &entries[0, 0], level)
            if (sweep + 1) % thin == 0 and n_kept < samples.shape[0]:
                for block in range(spins.shape[0]):
                    for unit in range(n_units):
                        for chain in range(CHAINS):
                            samples[n_kept, block, unit, chain] = <int8_t>spins[block, unit, chain]
                n_kept += 1
