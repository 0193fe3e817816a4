"""Heat-bath sampling of ±1 units from their activations."""

from libc.stdint cimport int64_t, uint64_t

cdef extern from "logistic/logistic.h":
    void sample_spins32(
        uint64_t *state, const float *activations, float *out, int64_t n, int level) noexcept nogil
    void sample_spins64(
        uint64_t *state, const double *activations, double *out, int64_t n, int level) noexcept nogil

ctypedef fused real:
    float
    double


def sample(
    const real[::1] activations,  # IN (n,) not NaN
    uint64_t[::1] generator,      # INOUT (32,) eight xoshiro256++ generators, not all zero
    real[::1] out,                # OUT (n,) -1 and +1; may be the activations themselves
    int level,                    # IN SIMD level, at most simd.supported()
) -> None:
    """Draw ±1 with P(+1) = 1/(1 + exp(-2 activation)).

    float32 and float64 use different numbers, of ceil(n / 16) or ceil(n / 8) steps of the generator.
    """
    if activations.shape[0]:
        with nogil:
            if real is float:
                sample_spins32(&generator[0], &activations[0], &out[0], activations.shape[0], level)
            else:
                sample_spins64(&generator[0], &activations[0], &out[0], activations.shape[0], level)
