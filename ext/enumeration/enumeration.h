/* Brute force over the ring: tallies of configurations by wall pairs k and up spins n.
 *
 * A configuration is an integer x < 2^(n_sites - 1): bit i is spin i, 1 is up, and the last spin is down.
 * Each x is evaluated and tallied on its own; together with it its global spin flip is counted, which has
 * the same k and n_sites - n up spins.
 *
 * plain     a table look-up and an increment per configuration;
 * vectors   one configuration per bit ("lane") of a vector: the spins and the walls of each lane are added
 *           by bitwise full adders, and the lanes of each (k, n) are selected by a mask and counted.
 */
#ifndef RBMFLOW_ENUMERATION_H
#define RBMFLOW_ENUMERATION_H

#include <stdint.h>
#include <string.h>

#include "simd/simd.h"

enum { MAX_SITES = 48, MAX_BLOCK_BITS = 10 };

static inline int block_bits_of(int n_sites)
{
    return n_sites - 1 < MAX_BLOCK_BITS ? n_sites - 1 : MAX_BLOCK_BITS;
}

/* A number of configurations with (k, n) and their global spin flips. */
static inline void count_pairs(uint64_t *counts, int n_sites, int k, int n, uint64_t number)
{
    counts[k * (n_sites + 1) + n] += number;
    counts[k * (n_sites + 1) + n_sites - n] += number;
}

/* Neighbouring configurations are tallied in different copies: an increment need not wait for the last. */
enum { COPIES = 8, MAX_BINS = (MAX_SITES / 2 + 1) * (MAX_SITES + 1) };

/* Where the low spins x of a configuration move it in the tally, if the spin above them is `edge`.
 *
 * Walls, x against its neighbours: the last spin, down, before bit 0, and `edge` after the top bit.
 * Their number is even if and only if `edge` is down; half of it is rounded down here, and that of the
 * high spins, odd for the same `edge`, is rounded up.
 */
static inline void place_low_spins(int bits, int edge, int row, int bins, uint16_t *place)
{
    for (uint32_t x = 0; x < (uint32_t)1 << bits; x++) {
        uint32_t spins = x | ((uint32_t)edge << bits);
        uint32_t walls = (spins ^ (spins << 1)) & (((uint32_t)2 << bits) - 1);
        place[x] = (uint16_t)(x % COPIES * bins + popcount64(walls) / 2 * row + popcount64(x));
    }
}

static void tally_plain(int n_sites, uint64_t first, uint64_t last, uint64_t *counts)
{
    const int bits = block_bits_of(n_sites), row = n_sites + 1, bins = (n_sites / 2 + 1) * row;
    const uint32_t block = (uint32_t)1 << bits;
    uint16_t place[2][1 << MAX_BLOCK_BITS];
    uint64_t tally[COPIES * MAX_BINS];

    memset(tally, 0, sizeof(uint64_t) * COPIES * bins);
    place_low_spins(bits, 0, row, bins, place[0]);
    place_low_spins(bits, 1, row, bins, place[1]);
    for (uint64_t u = first >> bits; u < last >> bits; u++) {
        const uint16_t *at = place[u & 1];
        uint64_t *window = tally + (popcount64(u ^ (u >> 1)) + 1) / 2 * row + popcount64(u);
        uint32_t x = 0;
        for (; x + COPIES <= block; x += COPIES)
            for (int copy = 0; copy < COPIES; copy++)
                window[at[x + copy]]++;
        for (; x < block; x++) /* the ring of 3 sites, a block of 4 */
            window[at[x]]++;
    }
    for (int k = 0; k <= n_sites / 2; k++)
        for (int n = 0; n < n_sites; n++) {
            uint64_t number = 0;
            for (int copy = 0; copy < COPIES; copy++)
                number += tally[copy * bins + k * row + n];
            count_pairs(counts, n_sites, k, n, number);
        }
}

#if RBMFLOW_X86
/* low_spins[i]: bit i of the lane's number, 64 lanes to a word. */
enum { LANE_WORDS = 8 };
#define ALL UINT64_MAX
#define REPEAT(w) {w, w, w, w, w, w, w, w}
static const uint64_t low_spins[9][LANE_WORDS] __attribute__((aligned(64))) = {
    REPEAT(0xaaaaaaaaaaaaaaaau), REPEAT(0xccccccccccccccccu), REPEAT(0xf0f0f0f0f0f0f0f0u),
    REPEAT(0xff00ff00ff00ff00u), REPEAT(0xffff0000ffff0000u), REPEAT(0xffffffff00000000u),
    {0, ALL, 0, ALL, 0, ALL, 0, ALL}, {0, 0, ALL, ALL, 0, 0, ALL, ALL}, {0, 0, 0, 0, ALL, ALL, ALL, ALL},
};

#define SPREAD(d) {(d) & 1 ? ALL : 0, (d) & 2 ? ALL : 0, (d) & 4 ? ALL : 0, (d) & 8 ? ALL : 0}
static const uint64_t spread_digits[16][4] = {
    SPREAD(0), SPREAD(1), SPREAD(2), SPREAD(3), SPREAD(4), SPREAD(5), SPREAD(6), SPREAD(7),
    SPREAD(8), SPREAD(9), SPREAD(10), SPREAD(11), SPREAD(12), SPREAD(13), SPREAD(14), SPREAD(15),
};

#define XOR3(a, b, c) ((a) ^ (b) ^ (c))
#define MAJORITY(a, b, c) (((a) & (b)) | (((a) ^ (b)) & (c)))

/* Can LANE_BITS spins between a down spin and `edge` have i up spins and j wall pairs (beside a wall
 * shared with an `edge` that is up)? Edge down: j runs of ups and at least j - 1 downs between them.
 * Edge up: at least j ups and j downs. */
#define REACHABLE(i, j, edge)                                     \
    ((edge) ? (j) <= (i) && (j) <= LANE_BITS - (i)                \
            : ((i) == 0) == ((j) == 0) && (j) <= (i) && (j) <= LANE_BITS + 1 - (i))

/* Keeps the compiler from adding the low spins once for all u: every configuration is to be evaluated. */
#define REREAD(pointer) __asm__("" : "+r"(pointer))
#endif

#define BODY "enumeration/enumeration_lanes.h"
#include "simd/levels.h"

static void tally_ring_level(int n_sites, uint64_t first, uint64_t last, uint64_t *counts, int level)
{
    /* The vectors take u in pairs, edge down and up, within a block of 2^MAX_BLOCK_BITS. */
    if (n_sites > MAX_BLOCK_BITS)
        AT_LEVEL(level, tally, n_sites, first, last, counts);
    else
        tally_plain(n_sites, first, last, counts);
}

#endif
