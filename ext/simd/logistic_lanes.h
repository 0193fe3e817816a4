/* Heat-bath sampling, for bodies at one SIMD level:
   needs lanes.h before it, and logistic.h before the levels. */

#if RBMFLOW_VECTORS
typedef float LEVEL(floats) __attribute__((vector_size(8 * WIDTH)));
typedef uint32_t LEVEL(words32) __attribute__((vector_size(8 * WIDTH)));
typedef int32_t LEVEL(integers32) __attribute__((vector_size(8 * WIDTH)));
typedef double LEVEL(doubles) __attribute__((vector_size(8 * WIDTH)));
typedef uint64_t LEVEL(words64) __attribute__((vector_size(8 * WIDTH)));
#else
typedef float LEVEL(floats);
typedef uint32_t LEVEL(words32);
typedef double LEVEL(doubles);
typedef uint64_t LEVEL(words64);
#endif

/* The smaller of two numbers that are not NaN. */
FN LEVEL(floats) LEVEL(least32)(LEVEL(floats) x, float bound)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return (LEVEL(floats))_mm512_min_ps((__m512)x, _mm512_set1_ps(bound));
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (LEVEL(floats))_mm256_min_ps((__m256)x, _mm256_set1_ps(bound));
#elif RBMFLOW_X86
    return (LEVEL(floats))_mm_min_ps((__m128)x, _mm_set1_ps(bound));
#elif RBMFLOW_VECTORS
    LEVEL(words32) beyond = MASK32(x > bound);
    return VALUE32((BITS32(x) & ~beyond) | (BITS32(bound - (LEVEL(floats)){0}) & beyond));
#else
    return x < bound ? x : bound;
#endif
}

FN LEVEL(doubles) LEVEL(least64)(LEVEL(doubles) x, double bound)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return (LEVEL(doubles))_mm512_min_pd((__m512d)x, _mm512_set1_pd(bound));
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (LEVEL(doubles))_mm256_min_pd((__m256d)x, _mm256_set1_pd(bound));
#elif RBMFLOW_X86
    return (LEVEL(doubles))_mm_min_pd((__m128d)x, _mm_set1_pd(bound));
#elif RBMFLOW_VECTORS
    LEVEL(words64) beyond = MASK64(x > bound);
    return VALUE64((BITS64(x) & ~beyond) | (BITS64(bound - (LEVEL(doubles)){0}) & beyond));
#else
    return x < bound ? x : bound;
#endif
}

/* exp(-2 size) for size >= 0; from 43 on exp(-86). 2^f for |f| <= 1/2 by a near-minimax polynomial that is 1
   at 0, relative error below 1.6e-7; that of the product 2 size / ln 2 comes on top, 1.2e-7 size. */
FN LEVEL(floats) LEVEL(decay32)(LEVEL(floats) size)
{
    LEVEL(floats) t = LEVEL(least32)(size, 43.0f) * -2.88539008f; /* -2 / ln 2 */
    LEVEL(floats) shifted = t + 12582912.0f;                      /* 1.5 * 2^23: rounds to an integer */
    LEVEL(floats) f = t - (shifted - 12582912.0f);
    LEVEL(floats) p = f * 0x1.5ec866p-10f + 0x1.3cbf6p-7f;
    p = p * f + 0x1.c6afeep-5f;
    p = p * f + 0x1.ebfa4cp-3f;
    p = p * f + 0x1.62e43p-1f;
    p = p * f + 1.0f;
    return VALUE32(BITS32(p) + (BITS32(shifted) << 23));
}

/* The same in double precision: from 350 on exp(-700), relative error of the polynomial below 1e-17. */
FN LEVEL(doubles) LEVEL(decay64)(LEVEL(doubles) size)
{
    LEVEL(doubles) t = LEVEL(least64)(size, 350.0) * -2.8853900817779268;
    LEVEL(doubles) shifted = t + 6755399441055744.0; /* 1.5 * 2^52 */
    LEVEL(doubles) f = t - (shifted - 6755399441055744.0);
    LEVEL(doubles) p = f * 0x1.e9d3fe3952179p-32 + 0x1.e6063f7217bc6p-28;
    p = p * f + 0x1.b524fae627834p-24;
    p = p * f + 0x1.62bfd47773353p-20;
    p = p * f + 0x1.ffcbfc670dcd4p-17;
    p = p * f + 0x1.430913096fd9fp-13;
    p = p * f + 0x1.5d87fe78a5276p-10;
    p = p * f + 0x1.3b2ab6fba1ddap-7;
    p = p * f + 0x1.c6b08d704a0c2p-5;
    p = p * f + 0x1.ebfbdff82c598p-3;
    p = p * f + 0x1.62e42fefa39efp-1;
    p = p * f + 1.0;
    return VALUE64(BITS64(p) + (BITS64(shifted) << 52));
}

/* ±1 with the sign of a, or the other one where u(1 + e) < e: the sign of u(1 + e) - e says so, exactly. */
FN LEVEL(floats) LEVEL(choose32)(LEVEL(floats) a, LEVEL(floats) e, LEVEL(words32) random)
{
    LEVEL(floats) u = (TO_FLOATS(random >> 1) + 0.5f) * 0x1p-31f;
    LEVEL(words32) sign = BITS32(a) ^ BITS32(u * (1.0f + e) - e);
    return VALUE32((sign & 0x80000000) | 0x3f800000);
}

FN LEVEL(doubles) LEVEL(choose64)(LEVEL(doubles) a, LEVEL(doubles) e, LEVEL(words64) random)
{
    LEVEL(doubles) u = VALUE64((random >> 12) | 0x3ff0000000000000) - (1.0 - 0x1p-53); /* exact */
    LEVEL(words64) sign = BITS64(a) ^ BITS64(u * (1.0 + e) - e);
    return VALUE64((sign & 0x8000000000000000) | 0x3ff0000000000000);
}

FN LEVEL(floats) LEVEL(spin32)(LEVEL(floats) a, LEVEL(words32) random)
{
    return LEVEL(choose32)(a, LEVEL(decay32)(VALUE32(BITS32(a) & 0x7fffffff)), random);
}

FN LEVEL(doubles) LEVEL(spin64)(LEVEL(doubles) a, LEVEL(words64) random)
{
    return LEVEL(choose64)(a, LEVEL(decay64)(VALUE64(BITS64(a) & 0x7fffffffffffffff)), random);
}

/* Spins at `out` for the activations at `in`, of one word of each of WIDTH streams. */
FN void LEVEL(put32)(const float *in, float *out, LEVEL(streams) r)
{
#if RBMFLOW_VECTORS
    LEVEL(floats) a;
    memcpy(&a, in, sizeof a);
    a = LEVEL(spin32)(a, (LEVEL(words32))r);
    memcpy(out, &a, sizeof a);
#else
    out[0] = LEVEL(spin32)(in[0], (uint32_t)r);
    out[1] = LEVEL(spin32)(in[1], (uint32_t)(r >> 32));
#endif
}

FN void LEVEL(put64)(const double *in, double *out, LEVEL(streams) r)
{
    LEVEL(doubles) a;
    memcpy(&a, in, sizeof a);
    a = LEVEL(spin64)(a, (LEVEL(words64))r);
    memcpy(out, &a, sizeof a);
}

/* n_steps steps of the generator, for n_steps * lanes numbers; `in` and `out` may be the same. */
#define WHOLE_STEPS(type, put, lanes)                                                         \
    for (int64_t first = 0; first < n_steps; first += SAMPLED_AT_ONCE) {                      \
        int64_t last = first + SAMPLED_AT_ONCE < n_steps ? first + SAMPLED_AT_ONCE : n_steps; \
        for (int part = 0; part < PARTS; part++) {                                            \
            LEVEL(streams) a, b, c, d, r;                                                     \
            memcpy(&a, state + part * WIDTH, sizeof a);                                       \
            memcpy(&b, state + 8 + part * WIDTH, sizeof b);                                   \
            memcpy(&c, state + 16 + part * WIDTH, sizeof c);                                  \
            memcpy(&d, state + 24 + part * WIDTH, sizeof d);                                  \
            for (int64_t step = first; step < last; step++) {                                 \
                int64_t at = step * (lanes) + part * ((lanes) / PARTS);                       \
                XOSHIRO(a, b, c, d, r);                                                       \
                LEVEL(put)(in + at, out + at, r);                                             \
            }                                                                                 \
            memcpy(state + part * WIDTH, &a, sizeof a);                                       \
            memcpy(state + 8 + part * WIDTH, &b, sizeof b);                                   \
            memcpy(state + 16 + part * WIDTH, &c, sizeof c);                                  \
            memcpy(state + 24 + part * WIDTH, &d, sizeof d);                                  \
        }                                                                                     \
    }

FN void LEVEL(sample_steps32)(uint64_t *state, const float *in, float *out, int64_t n_steps)
{
    WHOLE_STEPS(float, put32, LANES32)
}

FN void LEVEL(sample_steps64)(uint64_t *state, const double *in, double *out, int64_t n_steps)
{
    WHOLE_STEPS(double, put64, LANES64)
}

/* Any number of activations; the words of the last step that are left over are dropped.
   `in` and `out` may be the same. */
FN void LEVEL(sample32)(uint64_t *state, const float *in, float *out, int64_t n)
{
    int64_t whole = n / LANES32, rest = n % LANES32;
    LEVEL(sample_steps32)(state, in, out, whole);
    if (rest) {
        float few[LANES32] = {0};
        memcpy(few, in + whole * LANES32, (size_t)rest * sizeof *few);
        LEVEL(sample_steps32)(state, few, few, 1);
        memcpy(out + whole * LANES32, few, (size_t)rest * sizeof *few);
    }
}

FN void LEVEL(sample64)(uint64_t *state, const double *in, double *out, int64_t n)
{
    int64_t whole = n / LANES64, rest = n % LANES64;
    LEVEL(sample_steps64)(state, in, out, whole);
    if (rest) {
        double few[LANES64] = {0};
        memcpy(few, in + whole * LANES64, (size_t)rest * sizeof *few);
        LEVEL(sample_steps64)(state, few, few, 1);
        memcpy(out + whole * LANES64, few, (size_t)rest * sizeof *few);
    }
}

#undef WHOLE_STEPS
