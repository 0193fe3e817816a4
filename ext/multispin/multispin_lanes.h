/* Body of multispin.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"

#define VECTOR LEVEL(streams)
#define EACH_PART for (int p = 0; p < PARTS; p++)

FN VECTOR LEVEL(load)(const uint64_t *words, int part)
{
    VECTOR v;
    memcpy(&v, words + part * WIDTH, sizeof v);
    return v;
}

FN void LEVEL(store)(uint64_t *words, int part, VECTOR v) { memcpy(words + part * WIDTH, &v, sizeof v); }

FN int LEVEL(any)(const VECTOR *v)
{
    uint64_t words[WORDS], left = 0;
#if defined(RBMFLOW_EXPAND_AVX512)
    (void)words, (void)left;
    return _mm512_test_epi64_mask((__m512i)v[0], (__m512i)v[0]) != 0;
#elif defined(RBMFLOW_EXPAND_AVX2)
    (void)words, (void)left;
    __m256i both = (__m256i)(v[0] | v[1]);
    return !_mm256_testz_si256(both, both);
#else
    EACH_PART LEVEL(store)(words, p, v[p]);
    for (int i = 0; i < WORDS; i++)
        left |= words[i];
    return left != 0;
#endif
}

/* What the neighbours decide: spin after the update if the coin says no,
   and which probability the coin has. */
ALWAYS_INLINE TARGET void LEVEL(count)(
    const uint64_t *spins, const uint64_t *site, const int32_t *near, int degree, int metropolis, int p,
    VECTOR negative, VECTOR *stay, VECTOR *strong, VECTOR *weak)
{
    /* Heat bath: sums of the neighbours. Metropolis: of the bonds that they satisfy. */
    VECTOR own = LEVEL(load)(site, p);
    VECTOR reference = metropolis ? ~(own ^ negative) : (VECTOR)(own ^ own);
    VECTOR a = LEVEL(load)(spins + WORDS * near[0], p) ^ reference;
    VECTOR b = LEVEL(load)(spins + WORDS * near[1], p) ^ reference;
    VECTOR one = a ^ b, two = a & b;
    if (degree == 2) {
        *strong = metropolis ? two : ~one;
        *weak = one ^ one;
        *stay = metropolis ? own : (a ^ negative);
        return;
    }
    VECTOR c = LEVEL(load)(spins + WORDS * near[2], p) ^ reference;
    VECTOR d = LEVEL(load)(spins + WORDS * near[3], p) ^ reference;
    VECTOR other = c ^ d, pair = c & d;
    if (metropolis) {
        *strong = two & pair;
        *weak = (one ^ other) & (two | pair);
        *stay = own;
    } else {
        *strong = ~(one | other | (two ^ pair));
        *weak = one ^ other;
        *stay = (two | pair) ^ negative;
    }
}

/* Everything else is certain to change (Metropolis) or fair (heat bath). */
ALWAYS_INLINE TARGET void LEVEL(sweep_sites)(
    uint64_t *spins, uint64_t *state, const struct sites *on, const struct rule *rule, int64_t n_sweeps,
    int degree, int metropolis, int full)
{
    VECTOR a[PARTS], b[PARTS], c[PARTS], d[PARTS], negative[PARTS], active[PARTS];
    EACH_PART {
        a[p] = LEVEL(load)(state, p), b[p] = LEVEL(load)(state + 8, p);
        c[p] = LEVEL(load)(state + 16, p), d[p] = LEVEL(load)(state + 24, p);
        negative[p] = LEVEL(load)(rule->negative, p), active[p] = LEVEL(load)(rule->active, p);
    }
    const int64_t sure = full ? SURE : rule->n_digits;
    uint64_t digits[SURE][WORDS]; /* where one neighbour differs */
    uint64_t change[SURE][WORDS]; /* what is other where none does */
    for (int64_t k = 0; k < sure; k++)
        for (int i = 0; i < WORDS; i++) {
            digits[k][i] = rule->digits[k][degree == 4][i];
            change[k][i] = rule->digits[k][0][i] ^ digits[k][i];
        }
    for (int64_t sweep = 0; sweep < n_sweeps; sweep++) {
        for (int64_t i = 0; i < on->n_attempts; i++) {
            uint64_t *site = spins + WORDS * on->order[i];
            const int32_t *near = on->neighbours + degree * on->order[i];
            VECTOR stay[PARTS], strong[PARTS], weak[PARTS], yes[PARTS], open[PARTS], r;
            EACH_PART {
                LEVEL(count)
                (spins, site, near, degree, metropolis, p, negative[p], stay + p, strong + p, weak + p);
                VECTOR coin = strong[p] | weak[p], digit;
                yes[p] = coin ^ coin, open[p] = coin & active[p], r = coin;
                /* the last of the sure digits first: each is one comparison that overrides those before it */
                for (int64_t k = sure - 1; k >= 0; k--) {
                    XOSHIRO(a[p], b[p], c[p], d[p], r);
                    digit = LEVEL(load)(digits[k], p);
                    if (degree == 4)
                        digit = FLIP(digit, strong[p], LEVEL(load)(change[k], p));
                    yes[p] = BELOW(r, digit, yes[p]);
                    open[p] = WHERE_EQUAL(open[p], r, digit);
                }
                yes[p] = metropolis ? ~coin | yes[p] : SELECT(coin, yes[p], r);
            }
            for (int64_t k = sure; k < rule->n_digits && LEVEL(any)(open); k++)
                EACH_PART {
                    XOSHIRO(a[p], b[p], c[p], d[p], r);
                    VECTOR digit = SELECT(
                        strong[p], LEVEL(load)(rule->digits[k][0], p), LEVEL(load)(rule->digits[k][1], p));
                    yes[p] |= open[p] & digit & ~r;
                    open[p] = WHERE_EQUAL(open[p], r, digit);
                }
            EACH_PART LEVEL(store)(site, p, stay[p] ^ yes[p]);
        }
    }
    EACH_PART {
        LEVEL(store)(state, p, a[p]), LEVEL(store)(state + 8, p, b[p]);
        LEVEL(store)(state + 16, p, c[p]), LEVEL(store)(state + 24, p, d[p]);
    }
}

TARGET static void LEVEL(sweep)(
    uint64_t *spins, uint64_t *state, const struct sites *on, const struct rule *rule, int64_t n_sweeps)
{
    if (rule->n_digits < SURE) /* couplings near 0 or infinity */
        LEVEL(sweep_sites)(spins, state, on, rule, n_sweeps, on->degree, rule->metropolis, 0);
    else if (on->degree == 4 && rule->metropolis)
        LEVEL(sweep_sites)(spins, state, on, rule, n_sweeps, 4, 1, 1);
    else if (on->degree == 4)
        LEVEL(sweep_sites)(spins, state, on, rule, n_sweeps, 4, 0, 1);
    else if (rule->metropolis)
        LEVEL(sweep_sites)(spins, state, on, rule, n_sweeps, 2, 1, 1);
    else
        LEVEL(sweep_sites)(spins, state, on, rule, n_sweeps, 2, 0, 1);
}

/* Count ones per replica: level k of the sum holds a bit of weight 2^k,
   and where `waiting` has bit k another one. */
struct LEVEL(counter) {
    VECTOR sum[PLANES], pending[PLANES];
    uint64_t waiting;
};

FN void LEVEL(add)(struct LEVEL(counter) *n, VECTOR x)
{
    int k = 0;
    for (; n->waiting >> k & 1; k++) {
        VECTOR half = n->sum[k] ^ n->pending[k];
        VECTOR carry = (n->sum[k] & n->pending[k]) | (half & x);
        n->sum[k] = half ^ x;
        x = carry;
    }
    n->pending[k] = x;
    n->waiting = (n->waiting >> k | 1) << k;
}

/* out[r] = offset + factor * count of replica r. */
FN void LEVEL(read)(const struct LEVEL(counter) *n, int p, int32_t offset, int32_t factor, int32_t *out)
{
    out += 64 * WIDTH * p;
    for (int r = 0; r < 64 * WIDTH; r++)
        out[r] = offset;
    for (int k = 0; k < 31; k++)
        for (int held = 0; held < 2; held++) {
            uint64_t words[WIDTH], some = 0;
            if (held && !(n->waiting >> k & 1))
                continue;
            memcpy(words, held ? n->pending + k : n->sum + k, sizeof words);
            for (int w = 0; w < WIDTH; w++)
                some |= words[w];
            if (!some)
                continue;
            const int32_t weight = (int32_t)((uint32_t)factor << k);
            for (int w = 0; w < WIDTH; w++)
                for (int r = 0; r < 64; r++)
                    out[64 * w + r] += weight & -(int32_t)(words[w] >> r & 1);
        }
}

/* Energy in J and magnetization, totals, of each replica. */
TARGET static void LEVEL(measure)(
    const uint64_t *spins, const struct sites *on, int32_t *energy, int32_t *magnetization)
{
    const int half = on->degree / 2;
    EACH_PART {
        struct LEVEL(counter) up, walls;
        memset(&up, 0, sizeof up);
        memset(&walls, 0, sizeof walls);
        for (int64_t i = 0; i < on->n_sites; i++) {
            VECTOR own = LEVEL(load)(spins + WORDS * i, p);
            LEVEL(add)(&up, own);
            for (int k = 0; k < half; k++)
                LEVEL(add)
            (&walls, own ^ LEVEL(load)(spins + WORDS * on->neighbours[on->degree * i + k], p));
        }
        LEVEL(read)(&up, p, (int32_t)-on->n_sites, 2, magnetization);
        LEVEL(read)(&walls, p, (int32_t)-half * (int32_t)on->n_sites, 2, energy);
    }
}

/* Squares of 64 x 64 bits, side by side: bit i of row r for bit r of row i. */
FN void LEVEL(transpose)(VECTOR *square)
{
    uint64_t mask = UINT32_MAX;
    for (int step = 32; step; step >>= 1, mask ^= mask << step)
        for (int i = 0; i < 64; i = (i + step + 1) & ~step) {
            VECTOR swap = ((square[i] >> step) ^ square[i + step]) & mask;
            square[i] ^= swap << step;
            square[i + step] ^= swap;
        }
}

/* Bits of n <= 64 spins, 1 for up. */
FN uint64_t LEVEL(gather)(const int8_t *spins, int64_t n)
{
#if defined(RBMFLOW_EXPAND_AVX512)
    if (n == 64)
        return ~_mm512_movepi8_mask(_mm512_loadu_si512(spins));
#elif defined(RBMFLOW_EXPAND_AVX2)
    if (n == 64) {
        uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)spins));
        uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_loadu_si256((const __m256i *)(spins + 32)));
        return ~((uint64_t)high << 32 | low);
    }
#endif
    uint64_t bits = 0;
    for (int64_t i = 0; i < n; i++)
        bits |= (uint64_t)(spins[i] > 0) << i;
    return bits;
}

/* Bytes to bits, 64 sites of every replica at a time; replicas that are not there are down. */
TARGET static void LEVEL(pack)(uint64_t *spins, int64_t n_sites, int64_t n_replicas, const int8_t *from)
{
    for (int64_t first = 0; first < n_sites; first += 64) {
        const int64_t n = n_sites - first < 64 ? n_sites - first : 64;
        EACH_PART {
            VECTOR square[64];
            for (int r = 0; r < 64; r++) {
                uint64_t words[WIDTH];
                for (int w = 0; w < WIDTH; w++) {
                    const int64_t replica = (p * WIDTH + w) * 64 + r;
                    words[w] = replica < n_replicas ? LEVEL(gather)(from + replica * n_sites + first, n) : 0;
                }
                memcpy(square + r, words, sizeof words);
            }
            LEVEL(transpose)(square);
            for (int64_t i = 0; i < n; i++)
                LEVEL(store)(spins + WORDS * (first + i), p, square[i]);
        }
    }
}

/* Bits to bytes, sites to columns. */
TARGET static void LEVEL(unpack)(
    const uint64_t *spins, int64_t n_sites, int64_t n_replicas, int8_t *out, int64_t stride)
{
    for (int64_t first = 0; first < n_sites; first += 64) {
        const int64_t n = n_sites - first < 64 ? n_sites - first : 64;
        EACH_PART {
            VECTOR square[64];
            for (int64_t i = 0; i < 64; i++)
                square[i] = LEVEL(load)(spins + WORDS * (first + (i < n ? i : 0)), p);
            LEVEL(transpose)(square);
            for (int w = 0; w < WIDTH; w++)
                for (int r = 0; r < 64; r++) {
                    const int64_t replica = (p * WIDTH + w) * 64 + r;
                    if (replica >= n_replicas)
                        break;
                    uint64_t words[WIDTH];
                    memcpy(words, square + r, sizeof words);
                    LEVEL(expand)(words[w], out + replica * stride + first, n, n);
                }
        }
    }
}

#include "multispin/multispin_mixed_lanes.h"

#undef VECTOR
#undef EACH_PART
#include "simd/lanes_end.h"
