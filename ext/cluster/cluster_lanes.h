/* Body of cluster.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/equal_coins_lanes.h"

TARGET static void LEVEL(draw_cuts)(struct toss *toss)
{
    LEVEL(fill_coins)(toss->state, toss->digits, toss->n_digits, toss->words, COIN_BLOCKS);
}

/* Bits of a word where a bond from `row` to `other` (the same sites, or the next in the row) is satisfied. */
FN uint64_t LEVEL(satisfied)(const int8_t *row, const int8_t *other, int sign, int64_t n)
{
    uint64_t bits = 0;
#if defined(RBMFLOW_EXPAND_AVX512)
    if (n == 64) {
        __m512i differ = _mm512_xor_si512(_mm512_loadu_si512(row), _mm512_loadu_si512(other));
        bits = _mm512_movepi8_mask(differ);
        return sign > 0 ? ~bits : bits;
    }
#elif defined(RBMFLOW_EXPAND_AVX2)
    if (n == 64) {
        for (int half = 0; half < 64; half += 32) {
            __m256i a = _mm256_loadu_si256((const __m256i *)(row + half));
            __m256i b = _mm256_loadu_si256((const __m256i *)(other + half));
            bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_xor_si256(a, b)) << half;
        }
        return sign > 0 ? ~bits : bits;
    }
#endif
    for (int64_t i = 0; i < n; i++)
        bits |= (uint64_t)(row[i] * other[i] == sign) << i;
    return bits;
}

/* Rows are cut into runs of joined neighbours; then each bond to the row above joins two runs.
   Roots are the first sites. */
TARGET static void LEVEL(flip_all)(const struct lattice *on, struct toss *toss)
{
    const int64_t n_cols = on->n_cols;
    int32_t *parent = on->parent;
    for (int64_t y = 0; y < on->n_rows; y++) {
        const int8_t *row = on->spins + y * n_cols;
        int32_t label = (int32_t)(y * n_cols);
        parent[label] = label;
        for (int64_t x = 0; x < n_cols - 1; x += 64) {
            const int64_t n = n_cols - 1 - x < 64 ? n_cols - 1 - x : 64;
            uint64_t joined = LEVEL(satisfied)(row + x, row + x + 1, on->sign, n) & ~cuts(toss);
            int32_t *out = parent + y * n_cols + x + 1, site = (int32_t)(y * n_cols + x + 1);
            for (int64_t i = 0; i < n; i++, site++, joined >>= 1) {
                label = joined & 1 ? label : site;
                out[i] = label;
            }
        }
        if (row[0] * row[n_cols - 1] == on->sign && !(cuts(toss) & 1))
            join(parent, (int32_t)(y * n_cols), (int32_t)(y * n_cols + n_cols - 1));
    }
    for (int64_t y = 0; on->n_rows > 1 && y < on->n_rows; y++) {
        const int64_t above = (y ? y - 1 : on->n_rows - 1) * n_cols, here = y * n_cols;
        for (int64_t x = 0; x < n_cols; x += 64) {
            const int64_t n = n_cols - x < 64 ? n_cols - x : 64;
            uint64_t joined =
                LEVEL(satisfied)(on->spins + here + x, on->spins + above + x, on->sign, n) & ~cuts(toss);
            for (; joined; joined &= joined - 1) {
                const int64_t i = x + lowest_bit(joined);
                join(parent, (int32_t)(here + i), (int32_t)(above + i));
            }
        }
    }
    for (int64_t i = 0; i < on->n_rows * n_cols; i++) {
        int32_t up = parent[i];
        if (up == i) {
            if (!toss->fair_left)
                toss->fair = fair_word(toss), toss->fair_left = 64;
            parent[i] = -1 - (int32_t)(toss->fair & 1);
            toss->fair >>= 1;
            toss->fair_left--;
        } else {
            parent[i] = parent[up];
        }
        on->spins[i] = (int8_t)(parent[i] == -2 ? -on->spins[i] : on->spins[i]);
    }
}

#include "simd/lanes_end.h"
