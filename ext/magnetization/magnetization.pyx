"""The magnetization law of a ring of any length by the ratios of neighbouring entries, in logarithms.

q(n) is the probability of n spins up, b(n) = C(M, n)/2^M that of independent spins, x = exp(-4K).
Both functions write the entries n = 0 ... M // 2.
"""

from libc.math cimport asinh, atanh, exp, expm1, log, log1p, sqrt, tanh

cdef double NEGLIGIBLE = 1e-300
cdef double STRONG = 170.0  # exp(4 * 170) = 1e295: the ground states alone remain


def log_gain(
    int n_sites,        # IN M >= 3
    double coupling,    # IN K, finite
    int first,          # IN 0, or 2 ... M // 2 - 1
    double[::1] gain,   # OUT (M // 2 - first + 1,)
    double[::1] slope,  # OUT (M // 2 - first + 1,)
):
    """Write ln [q(n) / b(n)] less its value at the centre, n = first ... M // 2, and its derivative by K.

    With rho = q/b, delta(n) = rho(n+1) - rho(n) and eps = 1 - x the law of the ring obeys

        delta(n) = a(n) delta(n-1) - eps c(n) rho(n)
        a(n) = n (n-1) (M-2n-1) / [(M-n) (M-n-1) (M-2n+1)],   c(n) = (M-2n) (M-2n-1) / [(M-n) (M-n-1)]

    hence w = delta/rho obeys w(n) = a(n) w(n-1) / (1 + w(n-1)) - eps c(n), all terms of one sign:
    nothing cancels, and the gain is the sum of -log1p(w) from n to the centre, exact in relative terms as
    K -> 0. Digits are lost near n = 0 at strong coupling, where 1 + w is small.

    From first > 0 it starts at the limit for long rings, 1 + w = exp(2h - 2 artanh m) with m = -V/M and
    h = arsinh[exp(-2K) m / sqrt(1 - m^2)] the field that magnetizes a chain by m, and forgets the start by
    exp(-4h) a step.
    """
    cdef double x = exp(-4 * coupling), eps = -expm1(-4 * coupling)
    cdef double m = n_sites
    cdef double w = 0.0, dw = 0.0
    cdef double n, a, c, h
    cdef Py_ssize_t i, last = n_sites // 2 - first
    with nogil:
        if first > 0:
            n = (m - 2 * first + 2) / m
            h = asinh(exp(-2 * coupling) * n / sqrt((1 - n) * (1 + n)))
            w = expm1(2 * (h - atanh(n)))
            dw = -4 * tanh(h) * (1 + w)
        else:
            gain[0], slope[0] = 4 * coupling, 4.0
        for i in range(first == 0, last):
            n = first + i
            a = (n / (m - n)) * ((n - 1) / (m - n - 1)) * ((m - 2 * n - 1) / (m - 2 * n + 1))
            c = ((m - 2 * n) / (m - n)) * ((m - 2 * n - 1) / (m - n - 1))
            dw = a * (dw / ((1 + w) * (1 + w))) - 4 * x * c
            w = a * w / (1 + w) - eps * c
            gain[i] = -log1p(w)
            slope[i] = -dw / (1 + w)
        gain[last] = slope[last] = 0.0
        for i in range(last - 1, -1, -1):
            gain[i] += gain[i + 1]
            slope[i] += slope[i + 1]


def log_law(
    int n_sites,            # IN M >= 3
    double coupling,        # IN K > 0, finite
    double[::1] logarithm,  # OUT (M // 2 + 1,)
    double[::1] slope,      # OUT (M // 2 + 1,)
):
    """Write ln [q(n) / q(0)], relative to one aligned state, and its derivative by K.

    q(n) = M x F(n) q(0) with F(1) = 1; the differences of F obey C D(n) = A D(n-1) + x B F(n) with
    positive coefficients, so v = D/F obeys v(n) = (A/C) v(n-1) / (1 + v(n-1)) + x B/C, and ln F is the sum
    of log1p(v).

        A = (n-1)(M-n+1)(M-2n-1),  B = (M-2n)((M-2n)^2 - 1),  C = (n+1)(M-n-1)(M-2n+1)
    """
    cdef double x = exp(-4 * coupling)
    cdef double m = n_sites
    cdef double v = 0.0, dv = 0.0  # dv by ln x
    cdef double n, a, b
    cdef Py_ssize_t i
    with nogil:
        logarithm[0] = slope[0] = 0.0
        logarithm[1], slope[1] = log(m) - 4 * coupling, -4.0
        for i in range(1, n_sites // 2):
            n = i
            a = ((n - 1) / (n + 1)) * ((m - n + 1) / (m - n - 1)) * ((m - 2 * n - 1) / (m - 2 * n + 1))
            b = ((m - 2 * n) / (n + 1)) * ((m - 2 * n - 1) / (m - n - 1))
            dv = a * (dv / ((1 + v) * (1 + v))) + x * b
            v = a * v / (1 + v) + x * b
            logarithm[i + 1] = logarithm[i] + log1p(v)
            slope[i + 1] = slope[i] - 4 * (dv / (1 + v))


cdef double wall_coefficient(double n, double m) noexcept nogil:
    """B/C of `log_law`."""
    return ((m - 2 * n) / (n + 1)) * ((m - 2 * n - 1) / (m - n - 1))


cdef void ferromagnetic_ratios(
    Py_ssize_t n_sites, double x, Py_ssize_t first, double[::1] ratio
) noexcept nogil:
    """Write q(n) / q(n+1) = 1 / (1 + v(n)) for n = first ... M // 2 - 1, v as in `log_law`.

    From first > 1 it starts near the fixed point of the step at hand and forgets its start as it goes on:
    an error shrinks by (A/C) / (1 + v)^2 at each step.
    """
    cdef double m = n_sites
    cdef double n, a, b, v = 0.0
    cdef Py_ssize_t i
    if first > 1:
        b = x * wall_coefficient(first - 1, m)
        v = 0.5 * (b + sqrt(b * b + 4 * b))
    for i in range(first, n_sites // 2):
        n = i
        a = ((n - 1) * (m - n + 1) / ((n + 1) * (m - n - 1))) * ((m - 2 * n - 1) / (m - 2 * n + 1))
        v = a * (v / (1 + v)) + x * wall_coefficient(n, m)
        ratio[i] = 1 / (1 + v)


cdef void antiferromagnetic_ratios(
    Py_ssize_t n_sites, double excess, Py_ssize_t first, double[::1] ratio
) noexcept nogil:
    """Write q(n) / q(n+1) = (n + 1) / [(M - n) (1 + w(n))], w as in `log_gain`, excess = exp(-4K) - 1 > 0."""
    cdef double m = n_sites
    cdef double n, a, c, w = 0.0
    cdef Py_ssize_t i
    if first > 1:
        w = 0.5 * (excess + sqrt(excess * excess + 4 * excess))
    for i in range(first, n_sites // 2):
        n = i
        a = (n * (n - 1) / ((m - n) * (m - n - 1))) * ((m - 2 * n - 1) / (m - 2 * n + 1))
        c = ((m - 2 * n) / (m - n)) * ((m - 2 * n - 1) / (m - n - 1))
        w = a * (w / (1 + w)) + excess * c
        ratio[i] = (n + 1) / ((m - n) * (1 + w))


cdef Py_ssize_t unfold(Py_ssize_t first, Py_ssize_t centre, double[::1] law) noexcept nogil:
    """Turn ratios into q(n) / q(centre), outwards; return the first n that is not negligible."""
    cdef Py_ssize_t i
    law[centre] = 1.0
    for i in range(centre - 1, first - 1, -1):
        law[i] *= law[i + 1]
        if law[i] < NEGLIGIBLE:
            return i + 1
    return first


cdef double total(Py_ssize_t start, Py_ssize_t stop, const double[::1] law) noexcept nogil:
    """Sum law[start:stop] in two levels, so that rounding does not grow with the length."""
    cdef double block, result = 0.0
    cdef Py_ssize_t i, j
    for i in range(start, stop, 1024):
        block = 0.0
        for j in range(i, min(i + 1024, stop)):
            block += law[j]
        result += block
    return result


def law(
    int n_sites,                # IN M >= 3
    double coupling,            # IN K, any number but NaN
    double[::1] probabilities,  # OUT (M + 1,)
):
    """Write the law of the magnetization, q(n) for n = 0 ... M; negligible entries (1e-300) become 0.

    The ratios of neighbours follow from recurrences of positive terms, whatever the sign of the coupling;
    their product is taken from the centre outwards. Long rings start 44 standard deviations from the
    centre, where q is negligible, and begin again at n = 1 should it turn out not to be.
    """
    cdef Py_ssize_t centre = n_sites // 2, first = 1, settled = 1, start, i
    cdef double x, sigma, norm
    if coupling > STRONG or coupling < -STRONG:
        probabilities[:] = 0.0
        first = 0 if coupling > 0 else centre
        probabilities[first] += 0.5
        probabilities[n_sites - first] += 0.5
        return
    with nogil:
        x = exp(-4 * coupling)
        sigma = 0.5 * sqrt(n_sites * exp(2 * coupling))
        if centre > 50 * sigma + 100:
            first = centre - <Py_ssize_t> (44 * sigma)
            settled = centre - <Py_ssize_t> (40 * sigma)
        while True:
            if coupling >= 0:
                ferromagnetic_ratios(n_sites, x, first, probabilities)
            else:
                antiferromagnetic_ratios(n_sites, expm1(-4 * coupling), first, probabilities)
            start = unfold(first, centre, probabilities)
            if first == 1 or start > settled:
                break
            first = settled = 1
        probabilities[:start] = 0.0
        if start == 1:
            probabilities[0] = probabilities[1] / (n_sites * x)
            start = 0
        # an odd ring has two central entries
        norm = 2 * total(start, centre, probabilities) + (1 + n_sites % 2) * probabilities[centre]
        for i in range(start, centre + 1):
            probabilities[i] /= norm
        for i in range(centre + 1, n_sites + 1):
            probabilities[i] = probabilities[n_sites - i]
