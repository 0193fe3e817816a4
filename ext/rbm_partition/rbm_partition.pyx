"""The partition function of a machine of two layers, one of them enumerated."""

from libc.stdint cimport int64_t

cdef extern from "rbm_partition/rbm_partition.h":
    enum:
        FEWEST_UNITS
        LOW_UNITS
        MIDDLE_UNITS
    int64_t count_doubles(int64_t n_traced, int64_t n_units) noexcept nogil
    int64_t count_more_doubles(int64_t n_traced) noexcept nogil
    int64_t count_integers(int64_t n_traced) noexcept nogil
    double log_sum_exp(const double *x, int64_t n) noexcept nogil
    int moments_level(
        const double *weights, const double *traced_bias, const double *bias, int64_t n_traced,
        int64_t n_units, int64_t first, int64_t last, double log_partition, double *doubles,
        int64_t *integers, double *low, double *middle, double *high, int level) noexcept nogil
    int log_sums_level(
        const double *weights, const double *traced_bias, const double *bias, int64_t n_traced,
        int64_t n_units, int64_t first, int64_t last, double *doubles, int64_t *integers, double *logs,
        int level) noexcept nogil
    int state_weights_level(
        const double *weights, const double *traced_bias, const double *bias, int64_t n_traced,
        int64_t n_units, int64_t first, int64_t last, double *doubles, int64_t *integers, double *values,
        double *scales, int level) noexcept nogil


def fewest_units() -> int:
    """Smallest number of enumerated units; more can be added, without couplings, each a factor 2."""
    return FEWEST_UNITS


def high_units(
    int n_units,  # IN at least fewest_units()
) -> int:
    """How many of the enumerated units, the last ones, make the high states."""
    return max(n_units - LOW_UNITS - MIDDLE_UNITS, 0)


def scratch_sizes(
    int64_t n_traced,  # IN traced units
    int64_t n_units,   # IN enumerated units
) -> tuple[int, int]:
    """Lengths of the arrays of doubles and of integers that the other functions work in."""
    return count_doubles(n_traced, n_units) + count_more_doubles(n_traced), count_integers(n_traced)


def log_sums(
    const double[:, ::1] weights,   # IN (n_traced, n_units) W, fewest_units() <= n_units <= 48
    const double[::1] traced_bias,  # IN (n_traced,) b
    const double[::1] bias,         # IN (n_units,) c
    int64_t first,                  # IN high state
    int64_t last,                   # IN first < last <= 2^high_units(n_units)
    double[::1] doubles,            # WORK (scratch_sizes()[0],)
    int64_t[::1] integers,          # WORK (scratch_sizes()[1],)
    double[::1] logs,               # OUT (last - first,)
    int level,                      # IN SIMD level, at most simd.supported()
) -> bool:
    """Write ``ln sum_s exp(c.s) prod_i 2cosh(b_i + sum_j W_ij s_j)`` for each state of the high units.

    The sum runs over all states of the other units; digit j of a high state is 1 where unit
    n_units - high_units + j is up. Each result is the same whatever the range and the level.
    Return whether the weights were small enough, as ``2 sum_j |W_ij| + 2 |b_i| <= 689`` is for every i; if
    not, nothing is written.
    """
    cdef int done
    with nogil:
        done = log_sums_level(
            &weights[0, 0], &traced_bias[0], &bias[0], weights.shape[0], weights.shape[1],
            first, last, &doubles[0], &integers[0], &logs[0], level)
    return bool(done)


def log_of_sum(
    const double[::1] logs,  # IN (n,) finite, n >= 1
) -> float:
    """Return ``ln sum_k exp(logs_k)``, rounded a few times whatever n."""
    return log_sum_exp(&logs[0], logs.shape[0])


def state_weights(
    const double[:, ::1] weights,   # IN (n_traced, n_units) W, fewest_units() <= n_units <= 48
    const double[::1] traced_bias,  # IN (n_traced,) b
    const double[::1] bias,         # IN (n_units,) c
    int64_t first,                  # IN high state
    int64_t last,                   # IN first < last <= 2^high_units(n_units)
    double[::1] doubles,            # WORK (scratch_sizes()[0],)
    int64_t[::1] integers,          # WORK (scratch_sizes()[1],)
    double[:, ::1] values,          # OUT (last - first, states of the other units)
    double[::1] scales,             # OUT (last - first,)
    int level,                      # IN SIMD level, at most simd.supported()
) -> bool:
    """Write the weights of all states of the layer, up to a factor for each state of the high units.

    ``exp(scales_k) values_ks = exp(c.s) prod_i 2cosh(b_i + sum_j W_ij s_j)``, the values from e^-690 to
    e^690. Return whether the weights were small enough for that; if not, nothing is written.
    """
    cdef int done
    with nogil:
        done = state_weights_level(
            &weights[0, 0], &traced_bias[0], &bias[0], weights.shape[0], weights.shape[1],
            first, last, &doubles[0], &integers[0], &values[0, 0], &scales[0], level)
    return bool(done)


def moments(
    const double[:, ::1] weights,   # IN (n_traced, n_units) W, fewest_units() <= n_units <= 48
    const double[::1] traced_bias,  # IN (n_traced,) b
    const double[::1] bias,         # IN (n_units,) c
    int64_t first,                  # IN high state
    int64_t last,                   # IN first < last <= 2^high_units(n_units)
    double log_partition,           # IN ln of the sum of all weights
    double[::1] doubles,            # WORK (scratch_sizes()[0],)
    int64_t[::1] integers,          # WORK (scratch_sizes()[1],)
    double[:, ::1] low,             # INOUT (n_traced + 1, 256)
    double[:, ::1] middle,          # INOUT (n_traced + 1, states of the middle units)
    double[:, ::1] high,            # INOUT (n_traced + 1, 1 + high_units(n_units))
    int level,                      # IN SIMD level, at most simd.supported()
) -> bool:
    """Add probabilities, and probabilities times ``tanh(b_i + sum_j W_ij s_j)``, of states of the layer.

    The last row is of the probabilities, row i of their product with tanh. Columns of `low` and `middle` are
    the states of these units; those of `high` are the sum over all states and that with the sign of each
    high unit. Return whether the weights were small enough; if not, nothing is written.
    """
    cdef int done
    with nogil:
        done = moments_level(
            &weights[0, 0], &traced_bias[0], &bias[0], weights.shape[0], weights.shape[1], first, last,
            log_partition, &doubles[0], &integers[0], &low[0, 0], &middle[0, 0], &high[0, 0], level)
    return bool(done)
