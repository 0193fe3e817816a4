"""The partition function of a machine of two layers, one of them enumerated."""

from libc.stdint cimport int64_t

cdef extern from "rbm_partition.h":
    struct layers:
        int64_t n_traced, n_middle
        const double *low
        const double *low_value
        const int64_t *low_exponent
        const double *middle
        const double *middle_value
        const int64_t *middle_exponent
        const int64_t *stops
        int64_t n_stops
    void sum_high_states(
        const layers *of, const double *high, int64_t n_high, double *ratios, double *parts, int64_t *scales,
        double *sums, int64_t *exponents, int level) noexcept nogil


def sum_states(
    const double[:, :, ::1] low,         # IN (8, n, 32) exp(2 beta) of traced unit i at low state 32 k + l: [k, i, l]
    const double[::1] low_value,         # IN (256,) factors of the low states
    const int64_t[::1] low_exponent,     # IN (256,) binary exponents beside them, read if there are stops
    const double[:, :, ::1] middle,      # IN (n_middle / 4, n, 4) exp(-2 alpha), their part from the middle units
    const double[::1] middle_value,      # IN (n_middle,) factors of the states of the middle units
    const int64_t[::1] middle_exponent,  # IN (n_middle,) as above
    const double[:, ::1] high,           # IN (n_high, n) exp(-2 alpha), their part from the high units and the biases
    const int64_t[::1] stops,            # IN (n_stops,) rising, the last n, or empty
    double[::1] scratch,                 # SCRATCH (n_middle * (n + 8),)
    int64_t[::1] scales,                 # SCRATCH (n_middle * 8,), may be empty without stops
    double[:, ::1] sums,                 # OUT (n_high, 8)
    int64_t[:, ::1] exponents,           # OUT (n_high, 8)
    int level,                           # IN SIMD level, at most simd.supported()
) -> None:
    """Write for each high state ``sum_(low, middle) value(low) value(middle) prod_i (low_i + middle_i high_i)``.

    The sum is that of eight lanes, each ``sums * 2**exponents``. Without stops every product and sum must be in
    the range of doubles, and exponents are 0. With stops, factors are numbers in [1, 2) times powers of 2, the product of the traced units
    between two stops must be in that range, and is brought back to [1, 2) at each.
    """
    cdef layers of
    of.n_traced = low.shape[1]
    of.n_middle = middle_value.shape[0]
    of.low = &low[0, 0, 0]
    of.low_value = &low_value[0]
    of.low_exponent = &low_exponent[0]
    of.middle = &middle[0, 0, 0]
    of.middle_value = &middle_value[0]
    of.middle_exponent = &middle_exponent[0]
    of.n_stops = stops.shape[0]
    of.stops = &stops[0] if of.n_stops else NULL
    with nogil:
        sum_high_states(
            &of, &high[0, 0], high.shape[0], &scratch[0], &scratch[of.n_middle * of.n_traced],
            &scales[0] if of.n_stops else NULL, &sums[0, 0], &exponents[0, 0], level)
