"""Exact, independent samples of the Ising ring."""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int8_t, int64_t, uint64_t

cdef extern from "ring_sampler/ring_sampler.h":
    cdef struct sampler:
        pass
    void fill_spin_bytes() noexcept nogil
    void set_key(sampler *s, const uint64_t *key) noexcept nogil
    void sample_ring(
        sampler *s, double q, int antiferromagnetic, int odd, int8_t *out, int64_t size, int64_t n_sites,
        int level
    ) noexcept nogil
    void sample_bond_by_bond(
        sampler *s, const double *probabilities, int8_t *out, int64_t size, int64_t n_sites
    ) noexcept nogil

fill_spin_bytes()

cdef int64_t AT_ONCE = 2**24  # spins between two looks at Ctrl-C


def sample(
    double defect,            # IN probability of a defect, 0 ... 1/2
    bint antiferromagnetic,   # IN which bonds are defects
    bint odd,                 # IN parity of the number of defects
    const uint64_t[::1] key,  # IN (32,) random words: the samples are a function of them, at every level
    int8_t[:, ::1] out,       # OUT (size, n_sites) spins, n_sites >= 3
    int level,                # IN SIMD level, at most simd.supported()
) -> None:
    """Draw rings whose bonds are defects independently, given the parity of their number.

    Defects are walls between unequal neighbours, or with `antiferromagnetic` bonds without wall. A ring is
    drawn until its parity fits; a wanted parity of small probability takes long (see `sample_frustrated`).
    """
    cdef sampler state
    cdef int64_t size = out.shape[0], n_sites = out.shape[1], first, rows = max(1, AT_ONCE // n_sites)
    set_key(&state, &key[0])
    for first in range(0, size, rows):
        with nogil:
            sample_ring(
                &state, defect, antiferromagnetic, odd, &out[first, 0], min(rows, size - first), n_sites,
                level)
        PyErr_CheckSignals()


def sample_frustrated(
    const double[:, ::1] probabilities,  # IN (n_sites, 2) by bond and parity
    const uint64_t[::1] key,             # IN (32,) random words
    int8_t[:, ::1] out,                  # OUT (size, n_sites) spins
) -> None:
    """Draw odd antiferromagnetic rings bond by bond; a defect is a bond without wall, their number is odd.

    probabilities[i, p] is that of a defect at bond i where the bonds i ... hold a number of parity p.
    """
    cdef sampler state
    cdef int64_t size = out.shape[0], n_sites = out.shape[1], first, rows = max(1, AT_ONCE // n_sites)
    set_key(&state, &key[0])
    for first in range(0, size, rows):
        with nogil:
            sample_bond_by_bond(
                &state, &probabilities[0, 0], &out[first, 0], min(rows, size - first), n_sites)
        PyErr_CheckSignals()
