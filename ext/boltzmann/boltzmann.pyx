"""Heat bath of Boltzmann machines, 64 chains at a time."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint64_t

cdef extern from "boltzmann/boltzmann.h":
    enum: CHAINS
    void sweep_units(
        float *spins, uint64_t *state, const float *couplings, const float *bias, int64_t n_units,
        const int32_t *order, int64_t n_attempts, int level) noexcept nogil


def sweep(
    float[:, ::1] spins,            # INOUT (n_units, 64) -1 and +1
    uint64_t[::1] generator,        # INOUT (32,) eight xoshiro256++ generators; four steps for each attempt
    const float[:, ::1] couplings,  # IN (n_units, n_units) over the temperature, 0 on the diagonal
    const float[::1] bias,          # IN (n_units,) over the temperature
    const int32_t[:, ::1] order,    # IN (n_sweeps, n_attempts) units
    int64_t thin,                   # IN sweeps before each sample, at least 1
    int8_t[:, :, ::1] samples,      # OUT (n_sweeps // thin or 0, n_units, 64)
    int level,                      # IN SIMD level, at most simd.supported()
) -> None:
    """Update units one by one, in all chains the same one; keep the spins after every `thin` sweeps."""
    cdef int64_t sweep, unit, chain, n_units = spins.shape[0], n_kept = 0
    with nogil:
        for sweep in range(order.shape[0]):
            if order.shape[1]:
                sweep_units(
                    &spins[0, 0], &generator[0], &couplings[0, 0], &bias[0], n_units, &order[sweep, 0],
                    order.shape[1], level)
            if (sweep + 1) % thin == 0 and n_kept < samples.shape[0]:
                for unit in range(n_units):
                    for chain in range(CHAINS):
                        samples[n_kept, unit, chain] = <int8_t>spins[unit, chain]
                n_kept += 1
