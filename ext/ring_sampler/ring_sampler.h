/* Exact, independent samples of the zero-field Ising ring.
 *
 * A bond is a defect with probability q <= 1/2, a wall between unequal neighbours for K >= 0, a bond without
 * wall for K < 0; bonds are independent given the parity of the number of defects. All but the last few bonds
 * are drawn freely, in bulk, and kept by the odds of the parity that they leave to the last ones; these are
 * taken from a pool of their own, sorted by parity. Spins are the running parity of the walls.
 *
 * The random bits come from one logical generator of 512 bits, eight xoshiro256++ streams side by side, so
 * that every SIMD level draws the same samples. The body, ring_sampler_lanes.h, is included once for each.
 */
#ifndef RBMFLOW_RING_SAMPLER_H
#define RBMFLOW_RING_SAMPLER_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "simd/equal_coins.h"
#include "simd/simd.h"
#include "simd/spin_bytes.h"

enum {
    BLOCKS = 64,                          /* of 512 defects, drawn at a time */
    DEFECT_BITS = BLOCKS * STREAMS * 64,
    TAIL = 8,                             /* bonds that close a ring */
    BATCH = 64,                           /* tails sorted at a time */
    POOL = 256                            /* tails kept of each parity */
};

struct sampler {
    uint64_t state[4][STREAMS];
    uint64_t defects[BLOCKS * STREAMS + 1]; /* a stream of bits, one word of padding */
    uint64_t raw[STREAMS];                  /* fair bits */
    int64_t raw_words, fair_bits;           /* words left in raw, bits left in fair */
    int64_t position;                       /* of the next bit of the defects */
    uint64_t fair;
    int pooled[2];                          /* tails in each pool */
    uint8_t pool[2][POOL];                  /* tails of even and odd parity */
    int n_digits;
    uint64_t digits[MAX_DIGITS];            /* of q, most significant first: all ones or zero */
};

static void set_key(struct sampler *s, const uint64_t *key)
{
    memcpy(s->state, key, sizeof s->state);
    s->raw_words = s->fair_bits = s->pooled[0] = s->pooled[1] = 0;
    s->position = DEFECT_BITS;
}

static inline int parity64(uint64_t x)
{
    x ^= x >> 32, x ^= x >> 16, x ^= x >> 8, x ^= x >> 4, x ^= x >> 2, x ^= x >> 1;
    return (int)(x & 1);
}

/* Bit i of the result is the parity of the bits 0 ... i. */
static inline uint64_t running_parity(uint64_t x)
{
    x ^= x << 1, x ^= x << 2, x ^= x << 4, x ^= x << 8, x ^= x << 16, x ^= x << 32;
    return x;
}

#define BODY "ring_sampler/ring_sampler_lanes.h"
#include "simd/levels.h"

static void sample_ring(
    struct sampler *s, double q, int antiferromagnetic, int odd, int8_t *out, int64_t size, int64_t n_sites,
    int level)
{
    s->n_digits = binary_digits(q, s->digits);
    AT_LEVEL(level, sample, s, q, antiferromagnetic, odd, out, size, n_sites);
}

/* Bond by bond, each given what the bonds still to come must hold: for rings whose parity is a rare event.
   Here a defect is a bond without wall, and their number is odd. */
static void sample_bond_by_bond(
    struct sampler *s, const double *probabilities, int8_t *out, int64_t size, int64_t n_sites)
{
    for (int64_t i = 0; i < size; i++) {
        int odd = 1;
        int8_t spin = fair_bit_plain(s) ? 1 : -1;
        for (int64_t j = 0; j < n_sites; j++) {
            *out++ = spin;
            int defect = (raw_word_plain(s) >> 11) * 0x1p-53 < probabilities[2 * j + odd];
            odd ^= defect;
            spin = defect ? spin : (int8_t)-spin;
        }
    }
}

#endif
