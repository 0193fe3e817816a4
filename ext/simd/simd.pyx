"""What the processor can do."""

cdef extern from "simd/simd.h":
    int simd_supported() noexcept nogil


def supported() -> int:
    """Highest SIMD level of processor and build: 0 plain, 1 AVX2, 2 AVX-512."""
    return simd_supported()
