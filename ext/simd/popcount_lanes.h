/* Ones of a & b in each of WIDTH words, from AVX2 on. */
#if RBMFLOW_X86 && WIDTH >= 4
typedef uint64_t LEVEL(words) __attribute__((vector_size(8 * WIDTH)));
#endif

#if defined(RBMFLOW_EXPAND_AVX512)
TARGET ALWAYS_INLINE LEVEL(words) LEVEL(ones_of_both)(LEVEL(words) a, LEVEL(words) b)
{
    return (LEVEL(words))_mm512_popcnt_epi64((__m512i)(a & b));
}
#elif defined(RBMFLOW_EXPAND_AVX2)
/* By table for the low and the high four bits of each byte;
   the bits of a are divided first, once for all b beside it. */
TARGET ALWAYS_INLINE LEVEL(words) LEVEL(ones_of_both)(LEVEL(words) a, LEVEL(words) b)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i ones = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i x = (__m256i)a, y = (__m256i)b;
    const __m256i x_low = _mm256_and_si256(x, nibble);
    const __m256i x_high = _mm256_and_si256(_mm256_srli_epi64(x, 4), nibble);
    const __m256i low = _mm256_shuffle_epi8(ones, _mm256_and_si256(x_low, y));
    const __m256i high = _mm256_shuffle_epi8(ones, _mm256_and_si256(x_high, _mm256_srli_epi64(y, 4)));
    return (LEVEL(words))_mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}
#endif
