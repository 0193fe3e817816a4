"""The mean-field map of an RBM, on rows that stay in the cache through many steps."""

from libc.stdint cimport int64_t

cdef extern from "mean_field/mean_field.h":
    cdef struct flow:
        int64_t n_visible, n_hidden, n, n_steps
    void tanh_in_place32(float *x, int64_t n, int level) noexcept nogil
    void tanh_in_place64(double *x, int64_t n, int level) noexcept nogil
    int iterate32(
        const flow *f, const float *up, const float *down, const float *b, const float *c, float *values,
        int level
    ) noexcept nogil
    int iterate64(
        const flow *f, const double *up, const double *down, const double *b, const double *c, double *values,
        int level
    ) noexcept nogil

ctypedef fused real:
    float
    double


def tanh(
    real[::1] x,  # INOUT (n,) not NaN
    int level,    # IN SIMD level, at most simd.supported()
) -> None:
    """Replace numbers by their tanh, within 3 ulp."""
    if x.shape[0]:
        with nogil:
            if real is float:
                tanh_in_place32(&x[0], x.shape[0], level)
            else:
                tanh_in_place64(&x[0], x.shape[0], level)


def iterate(
    const real[:, :, ::1] up,      # IN (ceil(n_hidden / L), n_visible, L) W[i, a] at [a // L, i, a % L]
    const real[:, :, ::1] down,    # IN (ceil(n_visible / L), n_hidden, L) W[i, a] at [i // L, a, i % L]
    const real[::1] visible_bias,  # IN (n_visible,) b, filled up with 0 to whole L, as the weights are
    const real[::1] hidden_bias,   # IN (n_hidden,) c, filled up
    real[:, ::1] values,           # INOUT (n, n_visible) numbers from -1 to 1; no sum overflows
    int64_t n_steps,               # IN steps, n_steps >= 0
    int level,                     # IN SIMD level, at most simd.supported()
) -> None:
    """Replace every row v by tanh(W tanh(W' v + c) + b), n_steps times.

    Weights come in panels of L units of the layer to compute, 64 bytes.
    """
    cdef flow f
    cdef int failed
    if not values.shape[0]:
        return
    f.n_visible, f.n_hidden, f.n, f.n_steps = up.shape[1], down.shape[1], values.shape[0], n_steps
    with nogil:
        if real is float:
            failed = iterate32(
                &f, &up[0, 0, 0], &down[0, 0, 0], &visible_bias[0], &hidden_bias[0], &values[0, 0], level)
        else:
            failed = iterate64(
                &f, &up[0, 0, 0], &down[0, 0, 0], &visible_bias[0], &hidden_bias[0], &values[0, 0], level)
    if failed:
        raise MemoryError
