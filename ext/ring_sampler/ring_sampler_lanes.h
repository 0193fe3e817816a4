/* Body of ring_sampler.h for one SIMD level: the includer sets TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/equal_coins_lanes.h"

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

FN void LEVEL(refill)(struct sampler *s)
{
    LEVEL(fill_coins)(s->state[0], s->digits, s->n_digits, s->defects, BLOCKS);
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

/* The next n <= 64 bits of the stream of defects; what is left of it is dropped when it is too short. The
   position is the caller's own: bytes written to the samples might alias one inside the sampler. */
FN uint64_t LEVEL(take)(struct sampler *s, int64_t *position, int n)
{
    if (*position + n > DEFECT_BITS) {
        LEVEL(refill)(s);
        *position = 0;
    }
    int64_t word = *position >> 6;
    int shift = (int)(*position & 63);
    *position += n;
    uint64_t bits = s->defects[word] >> shift | s->defects[word + 1] << 1 << (63 - shift);
    return bits & (UINT64_MAX >> (64 - n));
}

/* Sort a batch of tails into the pools, where those of one parity stay independent;
   a full pool gives up its last. */
FN void LEVEL(fill_pools)(struct sampler *s, int64_t *position, int tail)
{
    for (int i = 0; i < BATCH; i++) {
        uint64_t bits = LEVEL(take)(s, position, tail);
        int odd = parity64(bits);
        s->pool[odd][s->pooled[odd]] = (uint8_t)bits;
        s->pooled[odd] += s->pooled[odd] < POOL - 1;
    }
}

/* The spins of up to 64 sites from their defects, after a carry of all ones for a spin up;
   return the next carry. */
FN uint64_t LEVEL(write_spins)(uint64_t walls, uint64_t carry, int8_t *out, int64_t n, int64_t room)
{
    uint64_t parity = running_parity(walls);
    LEVEL(expand)((parity << 1) ^ carry, out, n, room);
    return carry ^ (0 - (parity >> (n - 1) & 1));
}

/* The path of a ring begins at site `tail` with a fair spin and passes all but the last `tail` bonds, up to
   site 0. It is kept with probability proportional to that of the parity that it leaves to the tail,
   P(even or odd) = (1 +- t^tail) / 2, t = 1 - 2q; a tail of that parity brings it back to where it began.
   Nothing here depends on a coin by a branch. */
TARGET static void LEVEL(sample)(
    struct sampler *s, double q, int antiferromagnetic, int odd, int8_t *out, int64_t size, int64_t n_sites)
{
    const uint64_t flip = antiferromagnetic ? UINT64_MAX : 0;
    const int tail = n_sites > TAIL ? TAIL : (int)n_sites - 1;
    const double even_excess = exp(tail * log1p(-2 * q));
    const double keep_odd = -expm1(tail * log1p(-2 * q)) / (1 + even_excess);
    const int64_t path = n_sites - tail;
    int64_t position = s->position, words = s->raw_words;
    for (int8_t *end = out + size * n_sites; out < end; out += n_sites) {
        uint64_t carry, sum, word;
        int left;
        do {
            if (!words) {
                LEVEL(next)(s, s->raw);
                words = STREAMS;
            }
            word = s->raw[--words]; /* the lowest bit for the spin, the highest 53 for the odds */
            carry = 0 - (word & 1), sum = 0;
            for (int64_t bond = 0; bond < path; bond += 64) {
                int n = path - bond < 64 ? (int)(path - bond) : 64;
                uint64_t defects = LEVEL(take)(s, &position, n);
                int8_t *sites = out + tail + bond;
                sum ^= defects;
                carry = LEVEL(write_spins)(defects ^ flip, carry, sites, n, end - sites);
            }
            left = odd ^ parity64(sum);
        } while (left & ((word >> 11) * 0x1p-53 >= keep_odd));
        while (!s->pooled[left])
            LEVEL(fill_pools)(s, &position, tail);
        uint64_t walls = s->pool[left][--s->pooled[left]] ^ flip;
        uint64_t up = (running_parity(walls) << 1) ^ carry;
        memcpy(out, spin_bytes[up & 255], tail == TAIL ? TAIL : (size_t)tail);
    }
    s->position = position, s->raw_words = words;
}

#undef LOAD
#undef STORE
#include "simd/lanes_end.h"
