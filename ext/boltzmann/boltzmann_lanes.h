/* Body of boltzmann.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

#define FLOATS ((int)(sizeof(LEVEL(floats)) / sizeof(float)))
#define SUMS (CHAINS / FLOATS < 8 ? CHAINS / FLOATS : 8) /* vectors of sums that are kept at a time */

#if defined(RBMFLOW_EXPAND_AVX512) || defined(RBMFLOW_EXPAND_AVX2)

/* An entry: with AVX-512 bit k where spin k is down. With AVX2 bit k of the first three where they differ
   from the last, and the top bit where that is down: then the sum is minus the one of the opposite spins. */
FN void LEVEL(enter)(const float *spins, int place, uint32_t *entries)
{
    for (int chain = 0; chain < CHAINS; chain += FLOATS) {
        LEVEL(words32) down, entry;
        memcpy(&down, spins + chain, sizeof down);
        memcpy(&entry, entries + chain, sizeof entry);
        down >>= 31;
#if defined(RBMFLOW_EXPAND_AVX512)
        entry = (entry & ~((uint32_t)1 << place)) | down << place;
#else
        if (place == UNITS - 1)
            entry ^= ((entry >> 31) ^ down) * 0x80000007u;
        else
            entry = (entry & ~((uint32_t)1 << place)) | ((entry >> 31) ^ down) << place;
#endif
        memcpy(entries + chain, &entry, sizeof entry);
    }
}

/* The signed sums of four couplings. */
FN void LEVEL(add_signed)(const float *w, float *table)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    const LEVEL(words32) place = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const int of_signs = UNITS;
#else
    const LEVEL(words32) place = {0, 1, 2, 3, 4, 5, 6, 7};
    const int of_signs = UNITS - 1;
#endif
    LEVEL(floats) sum = {0};
    for (int k = 0; k < UNITS; k++) {
        LEVEL(floats) term = w[k] - (LEVEL(floats)){0};
        if (k < of_signs)
            term = VALUE32(BITS32(term) ^ ((place >> k & 1) << 31));
        sum = k ? sum + term : term;
    }
    memcpy(table, &sum, sizeof sum);
}

FN LEVEL(floats) LEVEL(look_up)(const float *table, const uint32_t *entries)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return (LEVEL(floats))_mm512_permutexvar_ps(_mm512_loadu_si512(entries), _mm512_loadu_ps(table));
#else
    __m256i entry = _mm256_loadu_si256((const __m256i *)entries);
    LEVEL(floats) sum = (LEVEL(floats))_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), entry);
    return VALUE32(BITS32(sum) ^ ((LEVEL(words32))entry & 0x80000000u));
#endif
}

/* The activations of the unit whose table this is, in one block. */
FN void LEVEL(sum_couplings)(
    const float *spins, const uint32_t *entries, const float *couplings, const float *table, float bias,
    int64_t n_units, float *sums)
{
    (void)spins, (void)couplings;
    for (int first = 0; first < CHAINS; first += SUMS * FLOATS) {
        LEVEL(floats) sum[SUMS];
        for (int k = 0; k < SUMS; k++)
            sum[k] = (bias + 0.0f) - (LEVEL(floats)){0};
        for (int64_t group = 0; group < (n_units + UNITS - 1) / UNITS; group++)
            for (int k = 0; k < SUMS; k++)
                sum[k] = sum[k]
                    + LEVEL(look_up)(table + group * SIGNED_SUMS,
                                     entries + group * CHAINS + first + k * FLOATS);
        memcpy(sums + first, sum, sizeof sum);
    }
}

FN void LEVEL(fill_table)(const float *couplings, int64_t n_units, float *table)
{
    int64_t unit = 0;
    for (; unit + UNITS <= n_units; unit += UNITS, table += SIGNED_SUMS)
        LEVEL(add_signed)(couplings + unit, table);
    if (unit < n_units) {
        float last[UNITS] = {0};
        memcpy(last, couplings + unit, sizeof *last * (size_t)(n_units - unit));
        LEVEL(add_signed)(last, table);
    }
}

#else

FN void LEVEL(enter)(const float *spins, int place, uint32_t *entries)
{
    (void)spins, (void)place, (void)entries;
}

FN void LEVEL(fill_table)(const float *couplings, int64_t n_units, float *table)
{
    (void)couplings, (void)n_units, (void)table;
}

FN void LEVEL(sum_couplings)(
    const float *spins, const uint32_t *entries, const float *couplings, const float *table, float bias,
    int64_t n_units, float *sums)
{
    (void)entries, (void)table;
    for (int first = 0; first < CHAINS; first += SUMS * FLOATS) {
        LEVEL(floats) sum[SUMS], x;
        for (int k = 0; k < SUMS; k++)
            sum[k] = (bias + 0.0f) - (LEVEL(floats)){0};
        int64_t unit = 0;
        for (; unit + UNITS <= n_units; unit += UNITS)
            for (int k = 0; k < SUMS; k++) {
                LEVEL(floats) t;
                for (int of_four = 0; of_four < UNITS; of_four++) {
                    memcpy(&x, spins + (unit + of_four) * CHAINS + first + k * FLOATS, sizeof x);
                    x = x * couplings[unit + of_four];
                    t = of_four ? t + x : x;
                }
                sum[k] = sum[k] + t;
            }
        for (int k = 0; unit < n_units && k < SUMS; k++) {
            LEVEL(floats) t;
            for (int64_t other = unit; other < n_units; other++) {
                memcpy(&x, spins + other * CHAINS + first + k * FLOATS, sizeof x);
                x = x * couplings[other];
                t = other > unit ? t + x : x;
            }
            sum[k] = sum[k] + t;
        }
        memcpy(sums + first, sum, sizeof sum);
    }
}

#endif

TARGET static void LEVEL(enter_all)(const float *spins, int64_t n_blocks, int64_t n_units, uint32_t *entries)
{
    const int64_t n_groups = (n_units + UNITS - 1) / UNITS;
    memset(entries, 0, sizeof *entries * (size_t)(n_blocks * n_groups * CHAINS));
    for (int64_t block = 0; block < n_blocks; block++)
        for (int64_t unit = n_units - 1; unit >= 0; unit--) /* the last of four first: others refer to it */
            LEVEL(enter)(spins + (block * n_units + unit) * CHAINS, (int)(unit % UNITS),
                         entries + (block * n_groups + unit / UNITS) * CHAINS);
}

TARGET static void LEVEL(sweep_units)(
    float *spins, uint64_t *state, int64_t n_blocks, const float *couplings, const float *bias,
    int64_t n_units, const int32_t *order, int64_t n_attempts, float *table, uint32_t *entries)
{
    const int64_t n_groups = (n_units + UNITS - 1) / UNITS;
    float sums[CHAINS];
    for (int64_t attempt = 0; attempt < n_attempts; attempt++) {
        const int64_t unit = order[attempt];
        LEVEL(fill_table)(couplings + unit * n_units, n_units, table);
        for (int64_t block = 0; block < n_blocks; block++) {
            float *of = spins + block * n_units * CHAINS;
            uint32_t *entered = entries + block * n_groups * CHAINS;
            LEVEL(sum_couplings)(of, entered, couplings + unit * n_units, table, bias[unit], n_units, sums);
            LEVEL(sample_steps32)(state + block * 32, sums, of + unit * CHAINS, CHAINS / LANES32);
            LEVEL(enter)(of + unit * CHAINS, (int)(unit % UNITS), entered + unit / UNITS * CHAINS);
        }
    }
}

#undef FLOATS
#undef SUMS
#include "simd/lanes_end.h"
