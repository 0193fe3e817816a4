"""One xoshiro256++ generator (Blackman and Vigna, 2021) as four words."""

from libc.stdint cimport UINT32_MAX, uint32_t, uint64_t


cdef inline uint64_t next_word(uint64_t *s) noexcept nogil:
    cdef uint64_t total = s[0] + s[3], shifted = s[1] << 17
    cdef uint64_t result = (total << 23 | total >> 41) + s[0]
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = s[3] << 45 | s[3] >> 19
    return result


# A multiple of 2^-53 in [0, 1).
cdef inline double uniform(uint64_t *s) noexcept nogil:
    return (next_word(s) >> 11) * (1.0 / 9007199254740992.0)


# A uniform integer of 0 ... n - 1, n < 2^32, without bias (Lemire, 2019).
cdef inline uint64_t below(uint64_t *s, uint64_t n) noexcept nogil:
    cdef uint64_t product = (next_word(s) >> 32) * n
    cdef uint32_t least
    if <uint32_t>product < n:
        least = <uint32_t>((UINT32_MAX - <uint32_t>n + 1) % <uint32_t>n)
        while <uint32_t>product < least:
            product = (next_word(s) >> 32) * n
    return product >> 32
