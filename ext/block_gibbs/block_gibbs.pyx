"""Block Gibbs sampling and stochastic gradients of RBMs, from tables of signed sums."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint64_t

cdef extern from "simd/team.h":
    cdef struct team:
        pass

cdef extern from "block_gibbs/block_gibbs.h":
    cdef struct epoch:
        int64_t n_visible, n_hidden, n_rows, batch_size, n_chains, n_measured, k
        int persistent, centred
        double rate, decay
        int64_t n_slots, n_updates
        double first, second, epsilon
        const uint8_t *data
        const int64_t *order
        int8_t *chains_visible
        int8_t *chains_hidden
        int32_t *series
        uint64_t *state
    cdef struct chains:
        int64_t n_visible, n_hidden, n_chains, k, before, after
        int from_visible, last_hidden
        int64_t n_rungs
        const double *scales
        int8_t *visible
        int8_t *hidden
        const uint8_t *clamped
        uint64_t *state
    int run_epoch32(
        const epoch *e, float *weights, float *b, float *c, float *slots, float *offsets,
        int level, team *all, int64_t n_members, int64_t member) except? -1 nogil
    int run_epoch64(
        const epoch *e, double *weights, double *b, double *c, double *slots, double *offsets,
        int level, team *all, int64_t n_members, int64_t member) except? -1 nogil
    int run_chains32(
        const chains *e, const float *weights, const float *b, const float *c, float *means, int level
    ) except -1 nogil
    int run_chains64(
        const chains *e, const double *weights, const double *b, const double *c, double *means, int level
    ) except -1 nogil
    int run_energies32(
        const chains *e, const float *weights, const float *b, const float *c, double *out, int level
    ) except -1 nogil
    int run_energies64(
        const chains *e, const double *weights, const double *b, const double *c, double *out, int level
    ) except -1 nogil
    void pack_rows(
        const int8_t *spins, int64_t n_rows, int64_t n, uint8_t *out, int64_t stride) noexcept nogil

ctypedef fused real:
    float
    double


def pack(
    const int8_t[:, ::1] spins,  # IN (n, n_sites) -1 and +1
    uint8_t[:, ::1] out,         # OUT (n, 4 ceil(n_sites / 16)) bit 4 + b of byte g is site 4 g + b, 1 for up
) -> None:
    """Write rows of spins as bits, as `train` takes them."""
    if spins.shape[0]:
        with nogil:
            pack_rows(&spins[0, 0], spins.shape[0], spins.shape[1], &out[0, 0], out.shape[1])


def sweep(
    const real[:, ::1] weights,    # IN (n_visible, n_hidden) finite
    const real[::1] visible_bias,  # IN (n_visible,)
    const real[::1] hidden_bias,   # IN (n_hidden,)
    int8_t[:, ::1] visible,        # INOUT (n_chains, n_visible) spins, read if from_visible, written if k > 0
    int8_t[:, ::1] hidden,         # INOUT (n_chains, n_hidden) spins, read unless from_visible
    real[:, ::1] means,            # OUT (n_chains / n_rungs or 0, n_hidden) of hidden spins of the first rung
                                   # after the last sweep; k > 0
    int64_t k,                     # IN sweeps, k >= 0
    const double[::1] scales,      # IN (n_rungs,) inverse temperatures: activations are multiplied by them;
                                   # rungs have equally many chains and stand one after another
    bint from_visible,             # IN draw the hidden spins once before the sweeps
    bint last_hidden,              # IN draw the hidden spins of the last sweep too, where there are means
    const uint8_t[:, ::1] clamped,  # IN (n_chains or 0, 4 ceil(n_visible / 16)) of `pack`, bits of 1 stay
    int64_t before,                # IN chains of the same generator that come before these, on each rung
    int64_t after,                 # IN and after them: each draws its own numbers; all are at most 512, or 0
    uint64_t[::1] generator,       # INOUT (32,) eight xoshiro256++ generators, not all zero
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Draw all visible spins from the hidden ones and all hidden spins from the visible ones, k times.

    The last rung is swept first; each takes the random numbers that it would have in a call of its own.
    """
    cdef chains e
    cdef int failed
    cdef real *to = NULL
    if not visible.shape[0]:
        return
    e.n_visible, e.n_hidden, e.n_chains, e.k = weights.shape[0], weights.shape[1], visible.shape[0], k
    e.from_visible, e.last_hidden, e.before, e.after = from_visible, last_hidden, before, after
    e.n_rungs, e.scales, e.clamped = scales.shape[0], &scales[0], NULL
    if clamped.shape[0]:
        e.clamped = &clamped[0, 0]
    e.visible, e.hidden, e.state = &visible[0, 0], &hidden[0, 0], &generator[0]
    if means.shape[0]:
        to = &means[0, 0]
    with nogil:
        if real is float:
            failed = run_chains32(&e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], to, level)
        else:
            failed = run_chains64(&e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], to, level)
    if failed:
        raise MemoryError


def energies(
    const real[:, ::1] weights,    # IN (n_visible, n_hidden) finite
    const real[::1] visible_bias,  # IN (n_visible,)
    const real[::1] hidden_bias,   # IN (n_hidden,)
    const int8_t[:, ::1] visible,  # IN (n, n_visible) spins
    const int8_t[:, ::1] hidden,   # IN (n, n_hidden) spins
    double[::1] out,               # OUT (n,)
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Write the energies `-(v.b + h.(c + W'v))`, from the activations `c + W'v` that `sweep` draws from.

    These are in the precision of the weights, their sums over units in double precision.
    """
    cdef chains e
    cdef int failed
    if not visible.shape[0]:
        return
    e.clamped = NULL
    e.n_visible, e.n_hidden, e.n_chains = weights.shape[0], weights.shape[1], visible.shape[0]
    e.visible, e.hidden = <int8_t *>&visible[0, 0], <int8_t *>&hidden[0, 0]
    with nogil:
        if real is float:
            failed = run_energies32(
                &e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], &out[0], level)
        else:
            failed = run_energies64(
                &e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], &out[0], level)
    if failed:
        raise MemoryError


def train(
    real[:, ::1] weights,           # INOUT (n_visible, n_hidden)
    real[::1] visible_bias,         # INOUT (n_visible,)
    real[::1] hidden_bias,          # INOUT (n_hidden,)
    const uint8_t[:, ::1] data,     # IN (n_data, 4 ceil(n_visible / 16)) of `pack`
    const int64_t[::1] order,       # IN (n_rows,) rows of the data; the last batch is what is left
    int64_t batch_size,             # IN 1 ... n_rows
    int64_t k,                      # IN sweeps, k >= 1
    double rate,                    # IN learning rate
    double decay,                   # IN the slope of a weight has -decay times it
    real[:, ::1] slots,             # INOUT (n, n_weights + n_visible + n_hidden) SGD, Momentum, Adam
    double first,                   # IN memory of the mean slope, 0 <= first < 1
    double second,                  # IN memory of the mean square, 0 <= second < 1
    double epsilon,                 # IN of Adam, > 0
    int64_t n_updates,              # IN before this call
    real[::1] offsets,              # INOUT (n_visible + n_hidden,) of the centred gradient, or (0,)
    int8_t[:, ::1] chains_visible,  # OUT (n_chains, n_visible) n_chains = 0 for CD
    int8_t[:, ::1] chains_hidden,   # INOUT (n_chains, n_hidden)
    int32_t[:, ::1] series,         # OUT (n_updates, n <= n_chains) totals of visible spins, first n chains
    uint64_t[::1] generator,        # INOUT (32,) eight xoshiro256++ generators, not all zero
    int level,                      # IN SIMD level, at most simd.supported()
    int64_t[::1] together,          # WORK (8,) zeros, of all who make this call together; [4] = 1 ends it
    int64_t n_members,              # IN who make it, each in a thread of its own, 1 <= n_members
    int64_t member,                 # IN which one this is, 0 <= member < n_members
) -> None:
    """Pass once through the data: a step of the optimiser for each batch.

    With chains they go on from their hidden spins, k sweeps for an update (PCD-k); without, the negative
    phase begins with the batch (CD-k). Averages use the means of the hidden units given the visible spins.
    """
    cdef epoch e
    cdef int failed
    cdef real nowhere
    cdef real *memory = &nowhere
    cdef real *centre = &nowhere
    cdef team *all = <team *>&together[0]
    e.n_visible, e.n_hidden = weights.shape[0], weights.shape[1]
    e.n_rows, e.batch_size = order.shape[0], batch_size
    e.n_chains, e.k, e.rate, e.decay = chains_visible.shape[0], k, rate, decay
    e.persistent, e.n_measured = e.n_chains > 0, series.shape[1]
    e.n_slots, e.first, e.second, e.epsilon = slots.shape[0], first, second, epsilon
    e.n_updates, e.centred = n_updates, offsets.shape[0] > 0
    if e.n_slots:
        memory = &slots[0, 0]
    if e.centred:
        centre = &offsets[0]
    e.data, e.order, e.state, e.series = &data[0, 0], &order[0], &generator[0], NULL
    e.chains_visible, e.chains_hidden = NULL, NULL
    if e.persistent:
        e.chains_visible, e.chains_hidden = &chains_visible[0, 0], &chains_hidden[0, 0]
    if e.n_measured:
        e.series = &series[0, 0]
    with nogil:
        if real is float:
            failed = run_epoch32(
                &e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], memory, centre, level, all, n_members,
                member)
        else:
            failed = run_epoch64(
                &e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], memory, centre, level, all, n_members,
                member)
    if failed > 0:
        raise MemoryError
