"""The trained uniform weight of short rings, for arrays of couplings."""

from libc.stdint cimport int64_t

cdef extern from "uniform_weight/uniform_weight.h":
    int solve_couplings(
        const double *couplings, int64_t n, int n_visible, double n_hidden, double *weights, int level
    ) noexcept nogil


def solve_ring(
    const double[::1] couplings,  # IN (n,) any numbers but NaN
    int n_visible,                # IN 3 ... 256
    double n_hidden,              # IN a whole number, 1 ... 10^9
    double[::1] weights,          # OUT (n,)
    int level,                    # IN SIMD level, at most simd.supported()
) -> int:
    """Write W(K), the positive root of <V tanh WV>_p = <V tanh WV>_q: 0 for K <= 0, infinite for infinite K.

    Each result depends on its own coupling alone, not on its neighbours nor on the SIMD level.
    Return how many roots did not settle.
    """
    cdef int unsettled = 0
    if couplings.shape[0]:
        with nogil:
            unsettled = solve_couplings(
                &couplings[0], couplings.shape[0], n_visible, n_hidden, &weights[0], level
            )
    return unsettled
