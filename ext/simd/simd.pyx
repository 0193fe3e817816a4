"""What the processor can do, and who compiled the kernels.

``COMPILER`` is a name and a version, ``HIGHEST`` the highest level of this build, ``INSTRUCTIONS`` has the
name of each set of instructions, the lowest level that needs it, and whether processor and system have it.
"""

cdef extern from "simd/processor.h":
    struct instructions:
        const char *name
        int level
    const char *RBMFLOW_COMPILER
    const instructions *needed
    int N_NEEDED, HIGHEST_LEVEL
    bint is_there(const instructions *one) noexcept nogil


cdef _look():
    cdef int i
    return tuple((needed[i].name.decode(), needed[i].level, is_there(&needed[i])) for i in range(N_NEEDED))


COMPILER = RBMFLOW_COMPILER.decode().strip()
HIGHEST = HIGHEST_LEVEL
INSTRUCTIONS = _look()  # once: a virtual machine makes cpuid slow
_BEST = min((level - 1 for _, level, there in INSTRUCTIONS if not there), default=HIGHEST)


def supported() -> int:
    """Highest SIMD level of processor, system and build: 0 plain, 1 AVX2, 2 AVX-512."""
    return _BEST
