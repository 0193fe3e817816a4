"""The mean-field map of an RBM: BLAS products and tanh in place, on rows that stay in the cache."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from scipy.linalg.cython_blas cimport dgemm, sgemm

cdef extern from "mean_field.h":
    void tanh_in_place32(float *x, int64_t n, int level) noexcept nogil
    void tanh_in_place64(double *x, int64_t n, int level) noexcept nogil

ctypedef fused real:
    float
    double


def tanh(real[::1] x, int level) -> None:
    """Replace numbers by their tanh, within 3 ulp."""
    # x      INOUT  (n,) not NaN
    # level  IN     SIMD level
    if x.shape[0]:
        with nogil:
            _tanh(&x[0], x.shape[0], level)


def iterate(
    const real[:, ::1] weights,
    const real[::1] visible_bias,
    const real[::1] hidden_bias,
    real[:, ::1] values,
    int64_t n_steps,
    int64_t block,
    int level,
) -> None:
    """Replace every row v by tanh(W tanh(W' v + c) + b), n_steps times, a block of rows after the other."""
    # weights       IN     (n_visible, n_hidden) W; no sum of a row or column overflows
    # visible_bias  IN     (n_visible,) b
    # hidden_bias   IN     (n_hidden,) c
    # values        INOUT  (n, n_visible) numbers from -1 to 1
    # n_steps       IN     steps, n_steps >= 0
    # block         IN     rows of a block, block >= 1
    # level         IN     SIMD level
    cdef int n_visible = <int>weights.shape[0], n_hidden = <int>weights.shape[1]
    cdef int64_t n = values.shape[0], first = 0
    cdef int rows
    cdef real *hidden
    if not n:
        return
    block = min(block, n)
    hidden = <real *>malloc(<size_t>(block * n_hidden) * sizeof(real))
    if hidden == NULL:
        raise MemoryError
    with nogil:
        while first < n:
            rows = <int>min(block, n - first)
            for _ in range(n_steps):
                # in memory W is what Fortran takes for W', and rows are columns
                _layer(b"N", &weights[0, 0], n_hidden, n_visible, n_hidden,
                       &hidden_bias[0], &values[first, 0], hidden, rows, level)
                _layer(b"T", &weights[0, 0], n_visible, n_hidden, n_hidden,
                       &visible_bias[0], hidden, &values[first, 0], rows, level)
            first += rows
    free(hidden)


cdef inline void _tanh(real *x, int64_t n, int level) noexcept nogil:
    if real is float:
        tanh_in_place32(x, n, level)
    else:
        tanh_in_place64(x, n, level)


cdef inline void _layer(
    char *turned,
    const real *weights,
    int n_out,
    int n_in,
    int stride,
    const real *bias,
    real *given,
    real *out,
    int rows,
    int level,
) noexcept nogil:
    """Means of the units of one layer given those of the other, row by row."""
    cdef real one = 1
    cdef int row
    for row in range(rows):
        memcpy(out + <int64_t>row * n_out, bias, <size_t>n_out * sizeof(real))
    if real is float:
        sgemm(turned, b"N", &n_out, &rows, &n_in, &one, <real *>weights, &stride, given, &n_in,
              &one, out, &n_out)
    else:
        dgemm(turned, b"N", &n_out, &rows, &n_in, &one, <real *>weights, &stride, given, &n_in,
              &one, out, &n_out)
    _tanh(out, <int64_t>rows * n_out, level)
