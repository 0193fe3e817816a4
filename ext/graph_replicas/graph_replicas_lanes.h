/* Body of graph_replicas.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

#define AT_ONCE (RBMFLOW_VECTORS ? 2 * WIDTH : 1) /* chains of a vector of 32-bit numbers */
#define SUMS (CHAINS / AT_ONCE < 8 ? CHAINS / AT_ONCE : 8) /* vectors of sums that are kept at a time */
#define EACH_SUM for (int v = 0; v < SUMS; v++)

/* Add w where a bit of `up` is set, to SUMS vectors of sums; the bits are those of a half word or a word. */
FN void LEVEL(add_where)(LEVEL(words32) *sums, uint64_t up, uint32_t w)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    const __m512i all = _mm512_set1_epi32((int)w);
    EACH_SUM sums[v] = (LEVEL(words32))_mm512_mask_add_epi32(
        (__m512i)sums[v], (__mmask16)(up >> 16 * v), (__m512i)sums[v], all);
#elif RBMFLOW_VECTORS
    EACH_SUM {
        LEVEL(words32) bit, half = (uint32_t)(up >> (AT_ONCE * v & 32)) - (LEVEL(words32)){0};
        for (int lane = 0; lane < AT_ONCE; lane++)
            bit[lane] = (uint32_t)1 << ((AT_ONCE * v + lane) & 31);
        sums[v] += (LEVEL(words32))((half & bit) == bit) & w;
    }
#else
    EACH_SUM sums[v] += w & -(uint32_t)(up >> v & 1);
#endif
}

/* The local fields of all chains at a site, in its unit. */
FN void LEVEL(sum_neighbours)(
    const uint64_t *spins, const struct rows *on, int64_t site, LEVEL(words32) *sums)
{
    const int32_t begin = on->indptr[site], end = on->indptr[site + 1];
    for (int first = 0; first < CHAINS; first += SUMS * AT_ONCE, sums += SUMS) {
        LEVEL(words32) sum[SUMS];
        EACH_SUM sum[v] = (uint32_t)on->bases[site] - (LEVEL(words32)){0};
        for (int32_t k = begin; k < end; k++)
            LEVEL(add_where)(sum, spins[on->indices[k]] >> first, (uint32_t)on->weights[k]);
        memcpy(sums, sum, sizeof sum);
    }
}

/* The top bit of each number. */
FN uint64_t LEVEL(tops)(LEVEL(words32) x)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    return _mm512_movepi32_mask((__m512i)x);
#elif defined(RBMFLOW_EXPAND_AVX2)
    return (uint32_t)_mm256_movemask_ps((__m256)x);
#elif RBMFLOW_X86
    return (uint32_t)_mm_movemask_ps((__m128)x);
#elif RBMFLOW_VECTORS
    uint64_t bits = 0;
    for (int lane = 0; lane < AT_ONCE; lane++)
        bits |= (uint64_t)(x[lane] >> 31) << lane;
    return bits;
#else
    return x >> 31;
#endif
}

/* Heat bath: the chains whose spin is down. Metropolis: those whose local field is negative, and in `keep`
   those that do not flip where that would cost anything. */
FN uint64_t LEVEL(draw)(
    LEVEL(words32) sum, float unit, const float *K, LEVEL(words32) random, int metropolis, uint64_t *keep)
{
    LEVEL(floats) x;
    memcpy(&x, K, sizeof x);
    x = TO_FLOATS(sum) * unit * x;
    LEVEL(floats) e = LEVEL(decay32)(VALUE32(BITS32(x) & 0x7fffffff));
    LEVEL(floats) u = (TO_FLOATS(random >> 1) + 0.5f) * 0x1p-31f;
    if (!metropolis)
        return LEVEL(tops)(BITS32(x) ^ BITS32(u * (1.0f + e) - e));
    *keep = LEVEL(tops)(BITS32(e - u));
    return LEVEL(tops)(BITS32(x));
}

/* The same for all chains. */
ALWAYS_INLINE TARGET uint64_t LEVEL(draw_all)(
    LEVEL(streams) *a, LEVEL(streams) *b, LEVEL(streams) *c, LEVEL(streams) *d, const LEVEL(words32) *sums,
    float unit, const float *K, int metropolis, uint64_t *keep)
{
    uint64_t found = 0, kept = 0, more = 0;
    for (int step = 0; step < STEPS; step++)
        for (int part = 0; part < PARTS; part++) {
            LEVEL(streams) r;
            XOSHIRO(a[part], b[part], c[part], d[part], r);
            int at = LANES32 * step + 2 * WIDTH * part;
#if RBMFLOW_VECTORS
            const LEVEL(words32) random = (LEVEL(words32))r;
            found |= LEVEL(draw)(sums[at / AT_ONCE], unit, K + at, random, metropolis, &more) << at;
            kept |= more << at;
#else
            for (int end = at + 2; at < end; at++, r >>= 32) {
                found |= LEVEL(draw)(sums[at], unit, K + at, (uint32_t)r, metropolis, &more) << at;
                kept |= more << at;
            }
#endif
        }
    *keep = kept;
    return found;
}

ALWAYS_INLINE TARGET void LEVEL(sweep_sites)(
    uint64_t *spins, uint64_t *state, const float *K, const struct rows *on, const struct sites *sites,
    int64_t n_sweeps, int metropolis)
{
    LEVEL(streams) a[PARTS], b[PARTS], c[PARTS], d[PARTS];
    memcpy(a, state, sizeof a), memcpy(b, state + 8, sizeof b);
    memcpy(c, state + 16, sizeof c), memcpy(d, state + 24, sizeof d);
    for (int64_t sweep = 0; sweep < n_sweeps; sweep++)
        for (int64_t i = 0; i < sites->n_attempts; i++) {
            const int64_t site = sites->order[i];
            LEVEL(words32) sums[CHAINS / AT_ONCE];
            uint64_t keep;
            LEVEL(sum_neighbours)(spins, on, site, sums);
            /* Metropolis would flip a site without bonds and field for ever: it gets a fair coin */
            if (metropolis && (on->indptr[site] < on->indptr[site + 1] || on->bases[site])) {
                uint64_t negative = LEVEL(draw_all)(a, b, c, d, sums, on->units[site], K, 1, &keep);
                uint64_t own = spins[site];
                spins[site] = ~(own ^ ((own ^ negative) & keep));
            } else
                spins[site] = ~LEVEL(draw_all)(a, b, c, d, sums, on->units[site], K, 0, &keep);
        }
    memcpy(state, a, sizeof a), memcpy(state + 8, b, sizeof b);
    memcpy(state + 16, c, sizeof c), memcpy(state + 24, d, sizeof d);
}

TARGET static void LEVEL(sweep)(
    uint64_t *spins, uint64_t *state, const float *K, const struct rows *on, const struct sites *sites,
    int64_t n_sweeps)
{
    if (sites->metropolis)
        LEVEL(sweep_sites)(spins, state, K, on, sites, n_sweeps, 1);
    else
        LEVEL(sweep_sites)(spins, state, K, on, sites, n_sweeps, 0);
}

#define TOTALS 8 /* vectors of energies that are kept at a time */
#define EACH_TOTAL for (int v = 0; v < TOTALS; v++)

FN void LEVEL(add_real)(LEVEL(doubles) *totals, uint64_t where, double amount)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    const __m512d all = _mm512_set1_pd(amount);
    EACH_TOTAL totals[v] = (LEVEL(doubles))_mm512_mask_add_pd(
        (__m512d)totals[v], (__mmask8)(where >> 8 * v), (__m512d)totals[v], all);
#elif RBMFLOW_VECTORS
    const LEVEL(words64) all = BITS64(amount - (LEVEL(doubles)){0});
    EACH_TOTAL {
        LEVEL(words64) bit, word = where - (LEVEL(words64)){0};
        for (int lane = 0; lane < WIDTH; lane++)
            bit[lane] = (uint64_t)1 << (WIDTH * v + lane);
        totals[v] += VALUE64((LEVEL(words64))((word & bit) == bit) & all);
    }
#else
    EACH_TOTAL totals[v] += where >> v & 1 ? amount : 0.0;
#endif
}

/* Energies in the order of the bonds, then of the sites; and how many spins are up. */
TARGET static void LEVEL(measure)(
    const uint64_t *spins, int64_t n_sites, const struct bonds *bonds, double *energy, int32_t *up)
{
    for (int first = 0; first < CHAINS; first += TOTALS * WIDTH) {
        LEVEL(doubles) totals[TOTALS];
        EACH_TOTAL totals[v] = bonds->ground - (LEVEL(doubles)){0};
        for (int64_t bond = 0; bond < bonds->n_bonds; bond++) {
            uint64_t differ = spins[bonds->ends[2 * bond]] ^ spins[bonds->ends[2 * bond + 1]];
            LEVEL(add_real)(totals, differ >> first, bonds->walls[bond]);
        }
        for (int64_t site = 0; bonds->in_field && site < n_sites; site++)
            LEVEL(add_real)(totals, ~spins[site] >> first, bonds->downs[site]);
        memcpy(energy + first, totals, sizeof totals);
    }
    for (int first = 0; first < CHAINS; first += SUMS * AT_ONCE) {
        LEVEL(words32) sum[SUMS];
        EACH_SUM sum[v] = 0 - (LEVEL(words32)){0};
        for (int64_t site = 0; site < n_sites; site++)
            LEVEL(add_where)(sum, spins[site] >> first, 1);
        memcpy(up + first, sum, sizeof sum);
    }
}

TARGET static void LEVEL(unpack)(
    const uint64_t *spins, int64_t n_sites, int64_t n_chains, int8_t *out, int64_t stride)
{
    for (int64_t first = 0; first < n_sites; first += 64) {
        const int64_t n = n_sites - first < 64 ? n_sites - first : 64;
        uint64_t square[CHAINS] = {0};
        memcpy(square, spins + first, (size_t)n * sizeof *square);
        transpose(square);
        for (int64_t chain = 0; chain < n_chains; chain++)
            LEVEL(expand)(square[chain], out + chain * stride + first, n, n);
    }
}

#undef AT_ONCE
#undef SUMS
#undef EACH_SUM
#undef TOTALS
#undef EACH_TOTAL
#include "simd/lanes_end.h"
