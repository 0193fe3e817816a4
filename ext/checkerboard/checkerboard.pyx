"""Heat bath and Metropolis for one torus of even sides, a byte for each spin, with a uniform field."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

cdef extern from "checkerboard/checkerboard.h":
    cdef struct coins:
        int rule
        int64_t n_digits
        const int8_t (*digits)[16]
        int8_t few, last
    cdef struct planes:
        pass
    int64_t plane_size(int64_t n_rows, int64_t n_cols) noexcept nogil
    void set_planes(planes *on, uint8_t *work, int64_t n_rows, int64_t n_cols) noexcept nogil
    void pack(const planes *on, const int8_t *spins) noexcept nogil
    void unpack(const planes *on, int8_t *spins) noexcept nogil
    void measure(const planes *on, int64_t *energy, int64_t *magnetization) noexcept nogil
    void sweep_planes(
        const planes *on, uint64_t *state, const coins *coins, int64_t n_sweeps, int level) noexcept nogil


def work_size(
    int64_t n_rows,  # IN rows, even
    int64_t n_cols,  # IN columns, even
) -> int:
    """Bytes that `run` needs for its planes."""
    return 4 * plane_size(n_rows, n_cols)


def run(
    int8_t[:, ::1] spins,         # INOUT (n_rows, n_cols) both even
    uint64_t[::1] state,          # INOUT (32,) eight xoshiro256++ generators side by side, not all words zero
    int rule,                     # IN 0 heat bath, 1 Metropolis, 2 Metropolis in a field
    const int8_t[:, ::1] digits,  # IN (n_digits >= 1, 16) of a class's probability to base 256, each less 128
    int8_t few,                   # IN 0 or 1
    int8_t last,                  # IN -1 ... 4
    int64_t thin,                 # IN sweeps before each measurement
    int64_t[::1] energy,          # OUT (n_measurements,) totals in J
    int64_t[::1] magnetization,   # OUT (n_measurements,) totals
    int8_t[:, :, ::1] samples,    # OUT (n_measurements or 0, n_rows, n_cols)
    uint8_t[::1] work,            # WORK (work_size(n_rows, n_cols),)
    int level,                    # IN SIMD level, at most simd.supported()
) -> None:
    """Sweep and measure, `thin` sweeps before each measurement; without them, `thin` sweeps.

    A sweep visits the planes (even, even), (odd, odd), (even, odd), (odd, even) of (row, column). The
    class of a site is the number of its neighbours that are up; with Metropolis of those equal to it, in a
    field again of those up and 5 more if it is up itself. It becomes `few` up to the class `last`, 1 - few
    above it (Metropolis: stays), or with the probability whose digits to base 256, each less 128, are
    digits[:, class] the opposite.
    """
    cdef planes on
    cdef coins toss
    cdef int64_t i, n_measurements = energy.shape[0], n_samples = samples.shape[0]
    toss.rule, toss.n_digits = rule, digits.shape[0]
    toss.digits = <const int8_t (*)[16]>&digits[0, 0]
    toss.few, toss.last = few, last
    with nogil:
        set_planes(&on, &work[0], spins.shape[0], spins.shape[1])
        pack(&on, &spins[0, 0])
        if n_measurements == 0:
            sweep_planes(&on, &state[0], &toss, thin, level)
        for i in range(n_measurements):
            sweep_planes(&on, &state[0], &toss, thin, level)
            measure(&on, &energy[i], &magnetization[i])
            if n_samples:
                unpack(&on, &samples[i, 0, 0])
        unpack(&on, &spins[0, 0])
