"""Annealed importance sampling of machines of two layers, from tables of signed sums."""

from libc.stdint cimport int8_t, int64_t, uint64_t

cdef extern from "annealing/annealing.h":
    cdef struct annealing:
        int64_t n_visible, n_hidden, n_chains, n_betas, first, last, before, after
        const double *betas
        int8_t *visible
        double *log_weights
        uint64_t *state
        char *memory
    void run_annealing32(
        const annealing *e, const float *weights, const float *b, const float *c, int level) noexcept nogil
    void run_annealing64(
        const annealing *e, const double *weights, const double *b, const double *c, int level) noexcept nogil
    int64_t annealing_memory(
        int64_t n_visible, int64_t n_hidden, int64_t n_chains, int double_precision) noexcept nogil

ctypedef fused real:
    float
    double


def work_size(
    int64_t n_visible,      # IN visible units
    int64_t n_hidden,       # IN hidden units
    int64_t n_chains,       # IN chains
    bint double_precision,  # IN whether the weights are float64
) -> int:
    """Bytes that `anneal` needs for its chains."""
    return annealing_memory(n_visible, n_hidden, n_chains, double_precision)


def anneal(
    const real[:, ::1] weights,    # IN (n_visible, n_hidden) finite
    const real[::1] visible_bias,  # IN (n_visible,)
    const real[::1] hidden_bias,   # IN (n_hidden,)
    const double[::1] betas,       # IN (n_betas,) factors on the couplings, at least two
    int64_t first,                 # IN step to begin with: 0, or where the last call with this work ended
    int64_t last,                  # IN step to end before, first <= last < n_betas
    int8_t[:, ::1] visible,        # INOUT (n_chains, n_visible) spins from the law at betas[0], n_chains > 0
    double[::1] log_weights,       # OUT (n_chains,)
    uint64_t[::1] generator,       # INOUT (32,) eight xoshiro256++ generators, not all zero
    int64_t before,                # IN chains of the same generator that come before these
    int64_t after,                 # IN and after them: each draws its own numbers
    unsigned char[::1] work,       # WORK (work_size(),) the chains between two calls
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Write ``ln w = sum_k ln f(beta_(k+1), v_k) - ln f(beta_k, v_k)`` of each chain and its last spins.

    f is the weight of visible spins with the hidden ones traced out; v_k comes from v_(k-1) by a sweep
    v, h, v at beta_k. Fields are in the precision of the weights, ln w is summed in double precision.
    The n_betas - 1 steps may be taken in parts, which changes no result; the last of them writes it.
    """
    cdef annealing e
    e.n_visible, e.n_hidden, e.n_chains = weights.shape[0], weights.shape[1], visible.shape[0]
    e.n_betas, e.betas, e.first, e.last = betas.shape[0], &betas[0], first, last
    e.visible, e.log_weights, e.state = &visible[0, 0], &log_weights[0], &generator[0]
    e.before, e.after, e.memory = before, after, <char *>&work[0]
    with nogil:
        if real is float:
            run_annealing32(&e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], level)
        else:
            run_annealing64(&e, &weights[0, 0], &visible_bias[0], &hidden_bias[0], level)
