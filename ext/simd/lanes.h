/* What the bodies of kernels share at one SIMD level: WIDTH random streams to a vector, and spins as bytes.
 * Included by each body after its includer has set WIDTH, TARGET and LEVEL. The logical generator is one of
 * 512 bits, eight xoshiro256++ streams side by side, whatever the width, so that every level draws the same
 * numbers.
 */
#define FN TARGET static inline
#define PARTS (8 / WIDTH)

#if RBMFLOW_VECTORS
typedef uint64_t LEVEL(streams) __attribute__((vector_size(8 * WIDTH)));
#else
typedef uint64_t LEVEL(streams);
#endif

#include "simd/xoshiro_lanes.h"

/* The spins of up to 64 sites, as bytes; all 64 are written where there is room. */
FN void LEVEL(expand)(uint64_t up, int8_t *out, int64_t n, int64_t room)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    if (room >= 64) {
        _mm512_storeu_si512(out, _mm512_mask_blend_epi8(up, _mm512_set1_epi8(-1), _mm512_set1_epi8(1)));
        return;
    }
#elif defined(RBMFLOW_EXPAND_AVX2)
    if (room >= 64) {
        const __m256i byte_of = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
                                                 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
        const __m256i bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
        for (int half = 0; half < 2; half++) {
            __m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32((int)(up >> (32 * half))), byte_of);
            __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit); /* -1 where up */
            __m256i spin = _mm256_sub_epi8(_mm256_set1_epi8(-1), _mm256_add_epi8(set, set));
            _mm256_storeu_si256((__m256i *)(out + 32 * half), spin);
        }
        return;
    }
#else
    (void)room;
#endif
    for (; n >= 8; n -= 8, out += 8, up >>= 8)
        memcpy(out, spin_bytes[up & 255], 8);
    memcpy(out, spin_bytes[up & 255], (size_t)n);
}
