/* Body of checkerboard.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"

/* Bytes, which wrap around; their comparison as signed numbers, 255 where it holds and 0 elsewhere. */
#if RBMFLOW_VECTORS
typedef uint8_t LEVEL(bytes) __attribute__((vector_size(8 * WIDTH)));
typedef int8_t LEVEL(numbers) __attribute__((vector_size(8 * WIDTH)));
#define IF(a, comparison, b) ((BYTES)((LEVEL(numbers))(a)comparison(b)))
#define NUMBERS(v) ((LEVEL(numbers))(v))
#else
typedef uint8_t LEVEL(bytes);
#define IF(a, comparison, b) ((BYTES) - ((int8_t)(a)comparison(b)))
#define NUMBERS(v) ((int8_t)(v))
#endif
#define BYTES LEVEL(bytes)
#define PIECES (BLOCK / (int)sizeof(BYTES))
/* The next random bytes of piece p. */
#if RBMFLOW_VECTORS
#define DRAW(p, u)                              \
    do {                                        \
        XOSHIRO(a[p], b[p], c[p], d[p], r);     \
        (u) = (BYTES)r;                         \
    } while (0)
#else
#define DRAW(p, u)                                                          \
    do {                                                                    \
        if (p % 8 == 0)                                                     \
            XOSHIRO(a[p / 8], b[p / 8], c[p / 8], d[p / 8], r);             \
        (u) = (BYTES)(r >> 8 * (p % 8));                                    \
    } while (0)
#endif
#define EACH_PART for (int p = 0; p < PARTS; p++)
#define EACH_PIECE for (int p = 0; p < PIECES; p++)

FN BYTES LEVEL(load)(const void *bytes)
{
    BYTES v;
    memcpy(&v, bytes, sizeof v);
    return v;
}

/* A table of n bytes as vectors: spread out, or where there is no shuffle of bytes its first value and the
   steps to the others. */
ALWAYS_INLINE TARGET void LEVEL(spread)(BYTES *table, const int8_t *bytes, int n)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    (void)n;
    table[0] = (BYTES)_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)bytes));
#elif defined(RBMFLOW_EXPAND_AVX2)
    (void)n;
    table[0] = (BYTES)_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)bytes));
#else
    for (int k = 0; k < n; k++)
        table[k] = (BYTES)((table[k] ^ table[k]) + (uint8_t)(bytes[k] - (k ? bytes[k - 1] : 0)));
#endif
}

/* The value of each class, all of them below n. */
ALWAYS_INLINE TARGET BYTES LEVEL(look_up)(const BYTES *table, BYTES class, int n)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    (void)n;
    return (BYTES)_mm512_shuffle_epi8((__m512i)table[0], (__m512i)class);
#elif defined(RBMFLOW_EXPAND_AVX2)
    (void)n;
    return (BYTES)_mm256_shuffle_epi8((__m256i)table[0], (__m256i)class);
#else
    BYTES found = table[0];
    for (int k = 1; k < n; k++)
        found += IF(class, >, (int8_t)(k - 1)) & table[k];
    return found;
#endif
}

FN int LEVEL(any)(BYTES all)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return _mm512_test_epi64_mask((__m512i)all, (__m512i)all) != 0;
#elif defined(RBMFLOW_EXPAND_AVX2)
    return !_mm256_testz_si256((__m256i)all, (__m256i)all);
#else
#if RBMFLOW_VECTORS
    uint64_t words[2];
    memcpy(words, &all, sizeof words);
    return (words[0] | words[1]) != 0;
#else
    return all != 0;
#endif
#endif
}

ALWAYS_INLINE TARGET void LEVEL(sweep_planes)(
    const struct planes *on, uint64_t *state, const struct coins *coins, int64_t n_sweeps, int rule)
{
    static const int order[4][2] = { { 0, 0 }, { 1, 1 }, { 0, 1 }, { 1, 0 } };
    const int n_classes = rule == METROPOLIS_IN_FIELD ? 10 : 5;
    const int8_t last = coins->last;
    const uint8_t few = (uint8_t)coins->few;
    BYTES first[CLASSES] = { 0 };
    LEVEL(spread)(first, coins->digits[0], n_classes);
    const int64_t stride = on->stride, end = on->rows * stride - 1;
    LEVEL(streams) a[PARTS], b[PARTS], c[PARTS], d[PARTS], r;
    EACH_PART {
        memcpy(a + p, state + p * WIDTH, sizeof r), memcpy(b + p, state + 8 + p * WIDTH, sizeof r);
        memcpy(c + p, state + 16 + p * WIDTH, sizeof r), memcpy(d + p, state + 24 + p * WIDTH, sizeof r);
    }
    for (int64_t step = 0; step < 4 * n_sweeps; step++) {
        const int i = order[step & 3][0], j = order[step & 3][1];
        uint8_t *plane = on->first[i][j];
        const uint8_t *beside = on->first[i][1 - j] + (j ? 0 : -1); /* left; the right one is next to it */
        const uint8_t *below = on->first[1 - i][j] + (i ? 0 : -stride);
        for (int64_t at = 0; at < end; at += BLOCK) {
            BYTES class[PIECES], otherwise[PIECES], yes[PIECES], open[PIECES], ties = { 0 };
            EACH_PIECE {
                const int64_t x = at + p * (int64_t)sizeof(BYTES);
                class[p] = LEVEL(load)(beside + x) + LEVEL(load)(beside + x + 1) + LEVEL(load)(below + x)
                    + LEVEL(load)(below + x + stride);
                if (rule == METROPOLIS) {
                    otherwise[p] = LEVEL(load)(plane + x);
                    const BYTES down = otherwise[p] - 1; /* all ones if the site is down: then 4 - class */
                    class[p] = (class[p] ^ down) - down + (down & 4);
                } else if (rule == METROPOLIS_IN_FIELD) {
                    otherwise[p] = LEVEL(load)(plane + x);
                    class[p] += (BYTES)(otherwise[p] << 2) + otherwise[p];
                } else {
                    otherwise[p] = (IF(class[p], >, last) & 1) ^ few;
                }
                BYTES digit = LEVEL(look_up)(first, class[p], n_classes), u;
                DRAW(p, u);
                yes[p] = IF(u, <, NUMBERS(digit));
                open[p] = IF(u, ==, NUMBERS(digit));
                ties |= open[p];
            }
            for (int64_t k = 1; k < coins->n_digits && LEVEL(any)(ties); k++) {
                BYTES further[CLASSES] = { 0 };
                LEVEL(spread)(further, coins->digits[k], n_classes);
                ties = open[0] ^ open[0];
                EACH_PIECE {
                    BYTES digit = LEVEL(look_up)(further, class[p], n_classes), u;
                    DRAW(p, u);
                    yes[p] |= open[p] & IF(u, <, NUMBERS(digit));
                    open[p] &= IF(u, ==, NUMBERS(digit));
                    ties |= open[p];
                }
            }
            EACH_PIECE {
                BYTES spin = otherwise[p] ^ (yes[p] & 1);
                memcpy(plane + at + p * sizeof(BYTES), &spin, sizeof spin);
            }
        }
        close_plane(on, i, j);
    }
    EACH_PART {
        memcpy(state + p * WIDTH, a + p, sizeof r), memcpy(state + 8 + p * WIDTH, b + p, sizeof r);
        memcpy(state + 16 + p * WIDTH, c + p, sizeof r), memcpy(state + 24 + p * WIDTH, d + p, sizeof r);
    }
}

TARGET static void LEVEL(sweep)(
    const struct planes *on, uint64_t *state, const struct coins *coins, int64_t n_sweeps)
{
    if (coins->rule == METROPOLIS)
        LEVEL(sweep_planes)(on, state, coins, n_sweeps, METROPOLIS);
    else if (coins->rule == METROPOLIS_IN_FIELD)
        LEVEL(sweep_planes)(on, state, coins, n_sweeps, METROPOLIS_IN_FIELD);
    else
        LEVEL(sweep_planes)(on, state, coins, n_sweeps, HEAT_BATH);
}

#undef IF
#undef NUMBERS
#undef BYTES
#undef PIECES
#undef EACH_PART
#undef EACH_PIECE
#undef DRAW
#include "simd/lanes_end.h"
