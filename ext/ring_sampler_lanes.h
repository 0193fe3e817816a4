/* Body of ring_sampler.h for one SIMD level: the includer sets TARGET and LEVEL. */

#define FN TARGET static inline

#if RBMFLOW_VECTORS
typedef uint64_t LEVEL(streams) __attribute__((vector_size(8 * WIDTH)));
#else
typedef uint64_t LEVEL(streams);
#endif

/* One step of WIDTH xoshiro256++ streams (Blackman and Vigna, 2021). */
#define ROTATE(x, k) (((x) << (k)) | ((x) >> (64 - (k))))
#define XOSHIRO(a, b, c, d, result)                                     \
    do {                                                                \
        LEVEL(streams) sum = (a) + (d), shifted = (b) << 17;            \
        (result) = ROTATE(sum, 23) + (a);                               \
        (c) ^= (a), (d) ^= (b), (b) ^= (c), (a) ^= (d), (c) ^= shifted; \
        (d) = ROTATE(d, 45);                                            \
    } while (0)
#define LOAD(s, part)                                   \
    LEVEL(streams) a, b, c, d, r;                       \
    memcpy(&a, (s)->state[0] + (part) * WIDTH, sizeof a); \
    memcpy(&b, (s)->state[1] + (part) * WIDTH, sizeof b); \
    memcpy(&c, (s)->state[2] + (part) * WIDTH, sizeof c); \
    memcpy(&d, (s)->state[3] + (part) * WIDTH, sizeof d)
#define STORE(s, part)                                  \
    memcpy((s)->state[0] + (part) * WIDTH, &a, sizeof a); \
    memcpy((s)->state[1] + (part) * WIDTH, &b, sizeof b); \
    memcpy((s)->state[2] + (part) * WIDTH, &c, sizeof c); \
    memcpy((s)->state[3] + (part) * WIDTH, &d, sizeof d)

FN void LEVEL(next)(struct sampler *s, uint64_t *out)
{
    for (int part = 0; part < STREAMS / WIDTH; part++) {
        LOAD(s, part);
        XOSHIRO(a, b, c, d, r);
        STORE(s, part);
        memcpy(out + part * WIDTH, &r, sizeof r);
    }
}

/* Compare the planes first ... last - 1 of 512 uniform numbers with the digits of q. A digit 1 of q decides for a defect
   where the plane is 0, a digit 0 against it where the plane is 1. */
FN void LEVEL(compare)(struct sampler *s, int first, int last, uint64_t *defect, uint64_t *undecided)
{
    for (int part = 0; part < STREAMS / WIDTH; part++) {
        LEVEL(streams) yes, open;
        LOAD(s, part);
        memcpy(&yes, defect + part * WIDTH, sizeof yes);
        memcpy(&open, undecided + part * WIDTH, sizeof open);
        for (int digit = first; digit < last; digit++) {
            XOSHIRO(a, b, c, d, r);
            yes |= open & ~r & s->digits[digit];
            open &= ~(r ^ s->digits[digit]);
        }
        STORE(s, part);
        memcpy(defect + part * WIDTH, &yes, sizeof yes);
        memcpy(undecided + part * WIDTH, &open, sizeof open);
    }
}

/* Fill the stream of defects, most significant digits first, until all 512 numbers of a block are decided. */
FN void LEVEL(refill)(struct sampler *s)
{
    int sure = s->n_digits < CHECK_AFTER ? s->n_digits : CHECK_AFTER;
    memset(s->defects, 0, sizeof s->defects);
    for (uint64_t *defect = s->defects; defect < s->defects + BLOCKS * STREAMS; defect += STREAMS) {
        uint64_t undecided[STREAMS];
        memset(undecided, 255, sizeof undecided);
        LEVEL(compare)(s, 0, sure, defect, undecided);
        for (int digit = sure; digit < s->n_digits; digit++) {
            uint64_t left = 0;
            for (int i = 0; i < STREAMS; i++)
                left |= undecided[i];
            if (!left)
                break;
            LEVEL(compare)(s, digit, digit + 1, defect, undecided);
        }
    }
    s->position = 0;
}

FN uint64_t LEVEL(raw_word)(struct sampler *s)
{
    if (!s->raw_words) {
        LEVEL(next)(s, s->raw);
        s->raw_words = STREAMS;
    }
    return s->raw[--s->raw_words];
}

FN int LEVEL(fair_bit)(struct sampler *s)
{
    if (!s->fair_bits) {
        s->fair = LEVEL(raw_word)(s);
        s->fair_bits = 64;
    }
    int bit = (int)(s->fair & 1);
    s->fair >>= 1;
    s->fair_bits--;
    return bit;
}

/* The next n <= 64 bits of the stream of defects; what is left of it is dropped when it is too short. */
FN uint64_t LEVEL(take)(struct sampler *s, int n)
{
    if (s->position + n > DEFECT_BITS)
        LEVEL(refill)(s);
    int64_t word = s->position >> 6;
    int shift = (int)(s->position & 63);
    s->position += n;
    uint64_t bits = s->defects[word] >> shift | s->defects[word + 1] << 1 << (63 - shift);
    return bits & (UINT64_MAX >> (64 - n));
}

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

/* The spins of up to 64 sites from their defects, after a carry of all ones for a spin up; return the next carry. */
FN uint64_t LEVEL(write_spins)(uint64_t walls, uint64_t carry, int8_t *out, int64_t n, int64_t room)
{
    uint64_t parity = running_parity(walls);
    LEVEL(expand)((parity << 1) ^ carry, out, n, room);
    return carry ^ (0 - (parity >> (n - 1) & 1));
}

/* Short rings: draw until the parity fits. Every draw is written; the next overwrites it if its parity is wrong,
   which costs less than to predict a coin. 2 / (1 + |t|^M) draws on average, t = 1 - 2q. */
TARGET static void LEVEL(sample_short)(
    struct sampler *s, uint64_t flip, int odd, int8_t *out, int64_t size, int64_t n_sites)
{
    int8_t *end = out + size * n_sites;
    while (out < end) {
        uint64_t carry = 0 - (uint64_t)LEVEL(fair_bit)(s), sum = 0;
        for (int64_t site = 0; site < n_sites; site += 64) {
            int n = n_sites - site < 64 ? (int)(n_sites - site) : 64;
            uint64_t defects = LEVEL(take)(s, n);
            sum ^= defects;
            carry = LEVEL(write_spins)(defects ^ flip, carry, out + site, n, end - out - site);
        }
        out += parity64(sum) == odd ? n_sites : 0;
    }
}

/* A longer ring draws all but REST bonds, keeps them with probability proportional to that of the parity that they
   leave to the rest, P(rest even or odd) = (1 +- t^REST) / 2, then redraws the rest until it fits. */
TARGET static void LEVEL(sample_long)(
    struct sampler *s, double q, uint64_t flip, int odd, int8_t *out, int64_t size, int64_t n_sites)
{
    const double even_excess = exp(REST * log1p(-2 * q));
    const double keep_odd = -expm1(REST * log1p(-2 * q)) / (1 + even_excess);
    const int64_t first = n_sites - REST;
    for (int8_t *end = out + size * n_sites; out < end; out += n_sites) {
        uint64_t start = 0 - (uint64_t)LEVEL(fair_bit)(s), carry, sum, rest;
        int left;
        do {
            carry = start, sum = 0;
            for (int64_t site = 0; site < first; site += 64) {
                int n = first - site < 64 ? (int)(first - site) : 64;
                uint64_t defects = LEVEL(take)(s, n);
                sum ^= defects;
                carry = LEVEL(write_spins)(defects ^ flip, carry, out + site, n, end - out - site);
            }
            left = odd ^ parity64(sum);
        } while (left && (LEVEL(raw_word)(s) >> 11) * 0x1p-53 >= keep_odd);
        do
            rest = LEVEL(take)(s, REST);
        while (parity64(rest) != left);
        LEVEL(write_spins)(rest ^ flip, carry, out + first, REST, end - out - first);
    }
}

TARGET static void LEVEL(sample)(
    struct sampler *s, double q, int antiferromagnetic, int odd, int8_t *out, int64_t size, int64_t n_sites)
{
    const uint64_t flip = antiferromagnetic ? UINT64_MAX : 0;
    if (n_sites <= SHORT_RING)
        LEVEL(sample_short)(s, flip, odd, out, size, n_sites);
    else
        LEVEL(sample_long)(s, q, flip, odd, out, size, n_sites);
}

#undef FN
#undef ROTATE
#undef XOSHIRO
#undef LOAD
#undef STORE
