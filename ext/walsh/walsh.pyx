"""The Walsh transform over the states of spins."""

cdef extern from "walsh/walsh.h":
    void walsh_level(double *x, int n_sites, int level) noexcept nogil


def transform(
    double[::1] x,  # INOUT (2^n_sites,) x[s] of the state s, digit i of s being 1 where site i is up
    int n_sites,    # IN 0..48
    int level,      # IN SIMD level, at most simd.supported()
) -> None:
    """Replace numbers of states by ``sum_s x_s prod_(i in S) v_i(s)``, v = 1 up and -1 down.

    The number of the set S stands at the sum of its 2^i. Each result is the same at every level.
    """
    with nogil:
        walsh_level(&x[0], n_sites, level)
