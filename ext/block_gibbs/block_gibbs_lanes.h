/* Body of block_gibbs.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

/* Sign bits of the lanes, the first lane lowest. */
FN uint32_t LEVEL(signs32)(LEVEL(floats) x)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return _mm512_movepi32_mask((__m512i)x);
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (uint32_t)_mm256_movemask_ps((__m256)x);
#elif RBMFLOW_X86
    return (uint32_t)_mm_movemask_ps((__m128)x);
#elif RBMFLOW_VECTORS
    uint32_t bits = 0;
    for (int i = 0; i < 2 * WIDTH; i++)
        bits |= (BITS32(x)[i] >> 31) << i;
    return bits;
#else
    return BITS32(x) >> 31;
#endif
}

FN uint32_t LEVEL(signs64)(LEVEL(doubles) x)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return _mm512_movepi64_mask((__m512i)x);
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (uint32_t)_mm256_movemask_pd((__m256d)x);
#elif RBMFLOW_X86
    return (uint32_t)_mm_movemask_pd((__m128d)x);
#elif RBMFLOW_VECTORS
    uint32_t bits = 0;
    for (int i = 0; i < WIDTH; i++)
        bits |= (uint32_t)(BITS64(x)[i] >> 63) << i;
    return bits;
#else
    return (uint32_t)(BITS64(x) >> 63);
#endif
}

FN LEVEL(floats) LEVEL(root32)(LEVEL(floats) x)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return (LEVEL(floats))_mm512_sqrt_ps((__m512)x);
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (LEVEL(floats))_mm256_sqrt_ps((__m256)x);
#elif RBMFLOW_X86
    return (LEVEL(floats))_mm_sqrt_ps((__m128)x);
#elif RBMFLOW_VECTORS
    for (int i = 0; i < 2 * WIDTH; i++)
        x[i] = sqrtf(x[i]);
    return x;
#else
    return sqrtf(x);
#endif
}

FN LEVEL(doubles) LEVEL(root64)(LEVEL(doubles) x)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return (LEVEL(doubles))_mm512_sqrt_pd((__m512d)x);
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (LEVEL(doubles))_mm256_sqrt_pd((__m256d)x);
#elif RBMFLOW_X86
    return (LEVEL(doubles))_mm_sqrt_pd((__m128d)x);
#elif RBMFLOW_VECTORS
    for (int i = 0; i < WIDTH; i++)
        x[i] = sqrt(x[i]);
    return x;
#else
    return sqrt(x);
#endif
}

/* Sixteen bits to the upper halves of four bytes. */
FN uint32_t LEVEL(to_bytes)(uint32_t bits)
{
#if defined(RBMFLOW_EXPAND_AVX512) || defined(RBMFLOW_EXPAND_AVX2)
    return _pdep_u32(bits, 0xf0f0f0f0);
#else
    bits = (bits | bits << 8) & 0x00ff00ff;
    return (bits << 4 | bits << 8) & 0xf0f0f0f0;
#endif
}

#define REAL_BODY "block_gibbs/block_gibbs_real.h"
#include "simd/both_precisions.h"

#include "simd/lanes_end.h"
