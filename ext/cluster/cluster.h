/* Wolff and Swendsen-Wang clusters on a ring or a torus of equal bonds without field.
 *
 * A satisfied bond is cut with probability e^(-2|K|). The coins for it are drawn in bulk, a bit each, to the
 * last binary digit, by the body cluster_lanes.h, which is included once for each SIMD level.
 */
#ifndef RBMFLOW_CLUSTER_H
#define RBMFLOW_CLUSTER_H

#include <stdint.h>
#include <string.h>
#include "simd/equal_coins.h"
#include "simd/simd.h"
#include "simd/spin_bytes.h"

enum { COIN_BLOCKS = 2, COIN_WORDS = COIN_BLOCKS * STREAMS };

struct site {
    int32_t row, column;
};

/* One row of a ring has no bonds to other rows. */
struct lattice {
    int64_t n_rows, n_cols;
    int sign;        /* a bond is satisfied if s s = sign */
    int8_t *spins;
    int32_t *parent; /* n_rows * n_cols */
    struct site *queue;
};

struct toss {
    uint64_t *state;                                      /* eight generators and one for fair words */
    uint64_t words[COIN_WORDS], digits[MAX_DIGITS], fair; /* ones cut */
    int64_t left, fair_left;                              /* words of cuts, bits of fair coins */
    int n_digits, level;
};

static inline int32_t root_of(int32_t *parent, int32_t site)
{
    while (parent[site] != site) {
        parent[site] = parent[parent[site]];
        site = parent[site];
    }
    return site;
}

static inline void join(int32_t *parent, int32_t a, int32_t b)
{
    a = root_of(parent, a), b = root_of(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

static void draw_cuts(struct toss *toss);

/* The next 64 coins for satisfied bonds, ones to cut. */
static inline uint64_t cuts(struct toss *toss)
{
    if (!toss->left) {
        draw_cuts(toss);
        toss->left = COIN_WORDS;
    }
    return toss->words[--toss->left];
}

static inline uint64_t fair_word(struct toss *toss)
{
    uint64_t *s = toss->state + 4 * STREAMS;
    const uint64_t sum = s[0] + s[3], shifted = s[1] << 17, result = (sum << 23 | sum >> 41) + s[0];
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= shifted;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

/* A uniform site, without bias (Lemire, 2019). */
static inline int64_t any_site(struct toss *toss, uint64_t n)
{
    uint64_t product = (fair_word(toss) >> 32) * n;
    if ((uint32_t)product < n) {
        uint32_t least = (UINT32_MAX - (uint32_t)n + 1) % (uint32_t)n;
        while ((uint32_t)product < least)
            product = (fair_word(toss) >> 32) * n;
    }
    return (int64_t)(product >> 32);
}

/* Nothing depends on a coin or a spin by a branch: every neighbour is written to the end of the
   queue, and kept or not. With K > 0 a flipped spin is never wanted again. With K < 0 it may be,
   on odd cycles: there it grows to 3 till the end. */
static int64_t flip_one(const struct lattice *on, struct toss *toss)
{
    const int32_t n_rows = (int32_t)on->n_rows, n_cols = (int32_t)on->n_cols;
    const int n_neighbours = n_rows > 1 ? 4 : 2;
    const int8_t mark = on->sign > 0 ? -1 : -3;
    int8_t *spins = on->spins;
    struct site *queue = on->queue;
    int64_t size = 1;
    uint64_t coins = 0;
    int left = 0;
    const int64_t start = any_site(toss, (uint64_t)on->n_rows * (uint64_t)on->n_cols);
    queue[0].row = (int32_t)(start / n_cols), queue[0].column = (int32_t)(start % n_cols);
    spins[start] = (int8_t)(mark * spins[start]);
    for (int64_t at = 0; at < size; at++) {
        const int32_t y = queue[at].row, x = queue[at].column;
        const struct site near[4] = { { y, x + 1 < n_cols ? x + 1 : 0 },
                                      { y, x ? x - 1 : n_cols - 1 },
                                      { y + 1 < n_rows ? y + 1 : 0, x },
                                      { y ? y - 1 : n_rows - 1, x } };
        const int8_t wanted = (int8_t)(spins[(int64_t)y * n_cols + x] > 0 ? -on->sign : on->sign);
        if (!left)
            coins = cuts(toss), left = 64;
        for (int k = 0; k < n_neighbours; k++) {
            int8_t *spin = spins + (int64_t)near[k].row * n_cols + near[k].column;
            const int joins = (*spin == wanted) & ~(int)(coins >> k) & 1;
            queue[size] = near[k];
            *spin = (int8_t)(joins ? mark * *spin : *spin);
            size += joins;
        }
        coins >>= n_neighbours, left -= n_neighbours;
    }
    for (int64_t at = 0; mark != -1 && at < size; at++)
        spins[(int64_t)queue[at].row * n_cols + queue[at].column] /= 3;
    return size;
}

#define BODY "cluster/cluster_lanes.h"
#include "simd/levels.h"

static void draw_cuts(struct toss *toss)
{
    AT_LEVEL(toss->level, draw_cuts, toss);
}

static void flip_all(const struct lattice *on, struct toss *toss)
{
    AT_LEVEL(toss->level, flip_all, on, toss);
}

/* Flip `n` Wolff clusters, or with n = 0 all clusters by fair coins. Returns the sites flipped by the former.
   What is left of the coins is dropped, so that what follows depends on the generators alone. */
static int64_t update_clusters(const struct lattice *on, struct toss *toss, int64_t n)
{
    int64_t flipped = 0;
    if (!n)
        flip_all(on, toss);
    for (int64_t i = 0; i < n; i++)
        flipped += flip_one(on, toss);
    toss->left = toss->fair_left = 0;
    return flipped;
}

static void set_toss(struct toss *toss, uint64_t *state, double cut, int level)
{
    toss->level = level;
    toss->state = state;
    toss->n_digits = binary_digits(cut, toss->digits);
    toss->left = toss->fair_left = 0;
}

static void measure(const struct lattice *on, int64_t *energy, int64_t *magnetization)
{
    int64_t bonds = 0, sum = 0;
    for (int64_t y = 0; y < on->n_rows; y++) {
        const int8_t *row = on->spins + y * on->n_cols;
        const int8_t *below = on->spins + (y + 1 < on->n_rows ? y + 1 : 0) * on->n_cols;
        int64_t along = (int64_t)row[on->n_cols - 1] * row[0], across = 0;
        for (int64_t x = 0; x < on->n_cols; x++)
            across += row[x] * below[x], sum += row[x];
        for (int64_t x = 0; x + 1 < on->n_cols; x++)
            along += row[x] * row[x + 1];
        bonds += along + (on->n_rows > 1 ? across : 0);
    }
    *energy = -bonds;
    *magnetization = sum;
}

#endif
