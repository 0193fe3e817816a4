"""The magnetization law of a ring of any length by the ratios of neighbouring entries, in logarithms.

q(n) is the probability of n spins up, b(n) = C(M, n)/2^M that of independent spins, x = exp(-4K).
Both functions write the entries n = 0 ... M // 2.
"""

from libc.math cimport exp, expm1, log, log1p


def log_gain(int n_sites, double coupling, double[::1] gain):
    """Write ln [q(n) / b(n)] less its value at the centre n = M // 2.

    With rho = q/b, delta(n) = rho(n+1) - rho(n) and eps = 1 - x the law of the ring obeys

        delta(n) = a(n) delta(n-1) - eps c(n) rho(n)
        a(n) = n (n-1) (M-2n-1) / [(M-n) (M-n-1) (M-2n+1)],   c(n) = (M-2n) (M-2n-1) / [(M-n) (M-n-1)]

    hence w = delta/rho obeys w(n) = a(n) w(n-1) / (1 + w(n-1)) - eps c(n), all terms of one sign:
    nothing cancels, and the gain is the sum of -log1p(w) from n to the centre, exact in relative terms as
    K -> 0. Digits are lost near n = 0 at strong coupling, where 1 + w is small.
    """
    # n_sites   IN   M >= 3
    # coupling  IN   K, finite
    # gain      OUT  (M // 2 + 1,)
    cdef double eps = -expm1(-4 * coupling)
    cdef double m = n_sites
    cdef double w = 0.0
    cdef double n, a, c
    cdef Py_ssize_t i, centre = n_sites // 2
    with nogil:
        gain[0] = 4 * coupling
        for i in range(1, centre):
            n = i
            a = (n / (m - n)) * ((n - 1) / (m - n - 1)) * ((m - 2 * n - 1) / (m - 2 * n + 1))
            c = ((m - 2 * n) / (m - n)) * ((m - 2 * n - 1) / (m - n - 1))
            w = a * w / (1 + w) - eps * c
            gain[i] = -log1p(w)
        gain[centre] = 0.0
        for i in range(centre - 1, -1, -1):
            gain[i] += gain[i + 1]


def log_law(int n_sites, double coupling, double[::1] logarithm):
    """Write ln [q(n) / q(0)], relative to one aligned state.

    q(n) = M x F(n) q(0) with F(1) = 1; the differences of F obey C D(n) = A D(n-1) + x B F(n) with
    positive coefficients, so v = D/F obeys v(n) = (A/C) v(n-1) / (1 + v(n-1)) + x B/C, and ln F is the sum
    of log1p(v).

        A = (n-1)(M-n+1)(M-2n-1),  B = (M-2n)((M-2n)^2 - 1),  C = (n+1)(M-n-1)(M-2n+1)
    """
    # n_sites    IN   M >= 3
    # coupling   IN   K > 0, finite
    # logarithm  OUT  (M // 2 + 1,)
    cdef double x = exp(-4 * coupling)
    cdef double m = n_sites
    cdef double v = 0.0
    cdef double n, a, b
    cdef Py_ssize_t i
    with nogil:
        logarithm[0] = 0.0
        logarithm[1] = log(m) - 4 * coupling
        for i in range(1, n_sites // 2):
            n = i
            a = ((n - 1) / (n + 1)) * ((m - n + 1) / (m - n - 1)) * ((m - 2 * n - 1) / (m - 2 * n + 1))
            b = ((m - 2 * n) / (n + 1)) * ((m - 2 * n - 1) / (m - n - 1))
            v = a * v / (1 + v) + x * b
            logarithm[i + 1] = logarithm[i] + log1p(v)
