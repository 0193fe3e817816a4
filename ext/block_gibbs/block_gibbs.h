/* Restricted Boltzmann machines of ±1 units:
 * block Gibbs sampling and stochastic gradients without matrix products.
 *
 * Spins are bits, four of them in the upper half of a byte. For each four inputs there is a table of the
 * sixteen sums ±w0 ±w1 ±w2 ±w3 of their weights, so that the activation of a unit is its bias and one entry
 * of a table for each four inputs. In the same way the gradient, a sum over samples of a spin times a mean,
 * needs one entry for each four samples. A sum is, in this order,
 *     bias + T_0 + T_1 + ...,   T = (±w0 ± w1) + (±w2 ± w3),
 * and absent inputs count as weights 0: every SIMD level gives the same bits, on every machine.
 *
 * Columns are taken in panels of 64 bytes. A panel of activations is finished for all rows before
 * the next one begins; each row of a panel takes one step of the generator, its lanes as in
 * logistic.h; what the last panel leaves over is dropped.
 *
 * The body, block_gibbs_lanes.h, is included once for each SIMD level;
 * it includes block_gibbs_real.h for both precisions.
 */
#ifndef RBMFLOW_BLOCK_GIBBS_H
#define RBMFLOW_BLOCK_GIBBS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "simd/interrupt.h"
#include "simd/logistic.h"
#include "simd/team.h"

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 8")
#else
#define UNROLL
#endif

enum {
    PANEL_BYTES = 64,
    KEPT_BYTES = 1 << 20,    /* tables of a layer are kept from pass to pass; larger ones are built again */
    CHUNK_BYTES = 24 * 1024, /* of tables that are used at a time */
    ROWS_AT_ONCE = 128,      /* whose activations wait in the nearest cache */
    CHAINS_AT_ONCE = 512,    /* chains of a sweep that are finished before the next ones begin */
    STEP_ROWS = 32           /* visible units whose weights take a step together */
};

#define OFFSET_RATE 0.01 /* of a new mean in the offsets of the centred gradient */

/* Memory in one block, cut into aligned pieces:
   counted on a first pass, where the base is 0, given out on the second. */
struct arena {
    char *base;
    size_t used;
};

static inline void *piece(struct arena *from, size_t n_bytes)
{
    char *at = from->base ? from->base + from->used : NULL;
    from->used += (n_bytes + 63) / 64 * 64;
    return at;
}

/* A piece for each member of a team: that of this one. */
static inline void *piece_of(struct arena *from, const struct member *m, size_t n_bytes)
{
    char *first = piece(from, n_bytes);
    for (int64_t other = 1; other < m->n; other++) {
        char *next = piece(from, n_bytes);
        first = other == m->index ? next : first;
    }
    return first;
}

static inline int64_t up_to(int64_t n, int64_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static inline int64_t at_most(int64_t largest, int64_t n)
{
    return n < largest ? n : largest;
}

/* One epoch of stochastic gradient steps; see block_gibbs.pyx. */
struct epoch {
    int64_t n_visible, n_hidden, n_rows, batch_size, n_chains, n_measured, k;
    int persistent, centred;
    double rate, decay;
    int64_t n_slots, n_updates; /* memories of the optimiser; updates before this epoch */
    double first, second, epsilon;
    const uint8_t *data;
    const int64_t *order;
    int8_t *chains_visible, *chains_hidden; /* of persistent chains */
    int32_t *series;                        /* (n_updates, n_measured) totals of their visible spins */
    uint64_t *state;
};

/* Numbers from the first one to before the last one. */
struct range {
    int64_t first, last;
};

/* Whether the gradient is kept apart from the weights, since a step is more than a multiple of it. */
static inline int apart(const struct epoch *e)
{
    return e->centred || e->n_slots;
}

/* Chains that are swept; see block_gibbs.pyx. */
struct chains {
    int64_t n_visible, n_hidden, n_chains, k;
    int64_t before, after; /* chains of the same generator that others sweep */
    int from_visible, last_hidden;
    int64_t n_rungs;       /* which have equally many chains */
    const double *scales; /* of the activations, one for each rung */
    int8_t *visible, *hidden;
    const uint8_t *clamped; /* a bit for each visible unit, as spins; or none */
    uint64_t *state;
};

/* Bit b of a nibble to bit 4 of byte b. */
static const uint32_t spread[16] = {
    0x00000000, 0x00000010, 0x00001000, 0x00001010, 0x00100000, 0x00100010, 0x00101000, 0x00101010,
    0x10000000, 0x10000010, 0x10001000, 0x10001010, 0x10100000, 0x10100010, 0x10101000, 0x10101010};

/* The spins of a nibble. */
static const double four_spins[16][4] = {
    {-1, -1, -1, -1}, {1, -1, -1, -1}, {-1, 1, -1, -1}, {1, 1, -1, -1}, {-1, -1, 1, -1}, {1, -1, 1, -1},
    {-1, 1, 1, -1},   {1, 1, 1, -1},   {-1, -1, -1, 1}, {1, -1, -1, 1}, {-1, 1, -1, 1},  {1, 1, -1, 1},
    {-1, -1, 1, 1},   {1, -1, 1, 1},   {-1, 1, 1, 1},   {1, 1, 1, 1}};

/* Rows of spins as bytes, four spins in the upper half of each, the first of them lowest;
   the bits beyond are 0. */
static void pack_rows(const int8_t *spins, int64_t n_rows, int64_t n, uint8_t *out, int64_t stride)
{
    for (int64_t row = 0; row < n_rows; row++, spins += n, out += stride) {
        int64_t whole = n / 4;
        for (int64_t g = 0; g < whole; g++)
            out[g] = (uint8_t)((spins[4 * g] > 0) << 4 | (spins[4 * g + 1] > 0) << 5
                | (spins[4 * g + 2] > 0) << 6 | (spins[4 * g + 3] > 0) << 7);
        memset(out + whole, 0, (size_t)(stride - whole));
        for (int64_t i = 4 * whole; i < n; i++)
            out[whole] |= (uint8_t)((spins[i] > 0) << (4 + i - 4 * whole));
    }
}

static void unpack_rows(const uint8_t *packed, int64_t n_rows, int64_t n, int8_t *out, int64_t stride)
{
    for (int64_t row = 0; row < n_rows; row++, packed += stride, out += n)
        for (int64_t i = 0; i < n; i += 4) {
            /* bit b to all bits of byte b, then 0 and -1 to -1 and 1 */
            uint32_t four = ~((spread[packed[i / 4] >> 4] >> 4) * 255) | 0x01010101;
            memcpy(out + i, &four, i + 4 <= n ? 4 : (size_t)(n - i));
        }
}

/* For each input the spins of rows 4r ... 4r + 3, at out[input * out_stride + r]; rows beyond are 0. */
static void turn_rows(
    const uint8_t *packed, int64_t n_rows, int64_t n_groups, int64_t stride, uint8_t *out, int64_t out_stride)
{
    for (int64_t first = 0; first < n_rows; first += 4) {
        int64_t n = n_rows - first < 4 ? n_rows - first : 4;
        const uint8_t *rows = packed + first * stride;
        uint8_t *to = out + first / 4;
        for (int64_t g = 0; g < n_groups; g++) {
            uint32_t four = 0;
            for (int64_t r = 0; r < n; r++)
                four |= spread[rows[r * stride + g] >> 4] << r;
            for (int b = 0; b < 4; b++)
                to[(4 * g + b) * out_stride] = (uint8_t)(four >> (8 * b));
        }
    }
}

/* The sum of n spins that stand in these bytes, the bits beyond them 0. */
static inline int64_t spin_total(const uint8_t *packed, int64_t n_bytes, int64_t n)
{
    int64_t up = 0;
    for (int64_t r = 0; r < n_bytes; r++)
        up += (0x4332322132212110ull >> (packed[r] >> 2 & 60)) & 15;
    return 2 * up - n;
}

/* The sum of one row of n spins; bits beyond them may be anything. */
static inline int64_t row_total(const uint8_t *packed, int64_t n)
{
    uint8_t last = n % 4 ? (uint8_t)(packed[n / 4] & ((16 << n % 4) - 1)) : 0;
    return spin_total(packed, n / 4, n) + spin_total(&last, 1, 0);
}

#define BODY "block_gibbs/block_gibbs_lanes.h"
#include "simd/levels.h"

static int run_epoch32(
    const struct epoch *e, float *weights, float *b, float *c, float *slots, float *offsets, int level,
    struct team *team, int64_t n_members, int64_t member)
{
    const struct member of = member_of(team, n_members, member);
    return !TEAMS && member ? 0 : AT_LEVEL(level, train32, e, &of, weights, b, c, slots, offsets);
}

static int run_epoch64(
    const struct epoch *e, double *weights, double *b, double *c, double *slots, double *offsets, int level,
    struct team *team, int64_t n_members, int64_t member)
{
    const struct member of = member_of(team, n_members, member);
    return !TEAMS && member ? 0 : AT_LEVEL(level, train64, e, &of, weights, b, c, slots, offsets);
}

static int run_chains32(
    const struct chains *e, const float *weights, const float *b, const float *c, float *means, int level)
{
    return AT_LEVEL(level, sweep32, e, weights, b, c, means);
}

static int run_chains64(
    const struct chains *e, const double *weights, const double *b, const double *c, double *means, int level)
{
    return AT_LEVEL(level, sweep64, e, weights, b, c, means);
}

static int run_energies32(
    const struct chains *e, const float *weights, const float *b, const float *c, double *out, int level)
{
    return AT_LEVEL(level, energies32, e, weights, b, c, out);
}

static int run_energies64(
    const struct chains *e, const double *weights, const double *b, const double *c, double *out, int level)
{
    return AT_LEVEL(level, energies64, e, weights, b, c, out);
}

#endif
