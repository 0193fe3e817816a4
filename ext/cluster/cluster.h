/* Wolff and Swendsen-Wang clusters on a ring or a torus of equal bonds without field.
 *
 * Spins are bits, 64 sites of a row to a word, and a satisfied bond is cut with probability e^(-2|K|): the
 * coins are drawn in bulk, a bit each, to the last binary digit.
 *
 * Swendsen and Wang's rows fall into runs of joined neighbours; bonds between the rows join these to
 * clusters. Wolff's cluster grows word by word: what has been reached in a word fills its runs there, and
 * goes on to the four words around it. Bonds are drawn, a word of them at once, when the cluster first comes
 * to them.
 *
 * The bodies in cluster_lanes.h are included once for each SIMD level.
 */
#ifndef RBMFLOW_CLUSTER_H
#define RBMFLOW_CLUSTER_H

#include <stdint.h>
#include <string.h>
#include "simd/clusters.h"
#include "simd/equal_coins.h"
#include "simd/simd.h"
#include "simd/spin_bytes.h"

enum { MOST_BLOCKS = 2 }; /* of 512 coins that are drawn at once; for a cluster one, as it may be small */

struct place {
    int32_t row, word;
};

/* One row of a ring has no bonds to other rows. */
struct lattice {
    int64_t n_rows, n_cols, n_words; /* n_words to a row */
    int sign;                        /* a bond is satisfied if s s = sign */
    uint64_t last;                   /* the sites of a row's last word */
    uint64_t *up;                    /* (n_rows, n_words) */
};

/* Runs are numbered row by row; that of a site is `before` of its word + the starts up to it. */
struct runs {
    uint64_t *starts; /* (n_rows, n_words) first sites of runs */
    int32_t *before;  /* (n_rows, n_words) the run that reaches into the word */
    int32_t *parent;  /* (n_sites,) */
    int32_t *size;    /* (n_sites,) */
    int32_t *total;   /* (n_sites,) */
    uint8_t *flips;   /* (n_sites,) */
    int32_t n;
};

struct growth {
    /* (n_rows, n_words) each */
    uint64_t *right, *below;             /* bonds to the next site, and to the next row, that are not cut */
    uint32_t *drawn_right, *drawn_below; /* the last cluster for which these were drawn */
    uint64_t *inside, *edge;             /* sites of the cluster, and those from which it has not yet grown */
    struct place *queue, *touched;
    int64_t first, waiting, n_touched;
    uint32_t cluster;
};

struct toss {
    uint64_t *state;                                      /* eight generators and one for fair words */
    uint64_t words[MOST_BLOCKS * STREAMS], digits[MAX_DIGITS], fair; /* ones cut */
    int64_t left, fair_left;                              /* words of cuts, bits of fair coins */
    int n_digits, n_blocks, level;
};

static void draw_cuts(struct toss *toss);

/* The next 64 coins for satisfied bonds, ones to cut. */
static inline uint64_t cuts(struct toss *toss)
{
    if (!toss->left) {
        draw_cuts(toss);
        toss->left = toss->n_blocks * STREAMS;
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

static inline uint64_t sites_of(const struct lattice *on, int64_t word)
{
    return word + 1 < on->n_words ? UINT64_MAX : on->last;
}

/* Sites of a word whose bond to the next one of the row is satisfied. */
static inline uint64_t satisfied_right(const struct lattice *on, const uint64_t *row, int64_t word)
{
    const int last = word + 1 == on->n_words;
    const uint64_t next = row[last ? 0 : word + 1] & 1, place = last ? (uint64_t)(on->n_cols - 1) & 63 : 63;
    const uint64_t walls = row[word] ^ (row[word] >> 1 | next << place);
    return (on->sign > 0 ? ~walls : walls) & sites_of(on, word);
}

/* The same for the bonds to another row. */
static inline uint64_t satisfied_across(const struct lattice *on, uint64_t here, uint64_t there, int64_t word)
{
    return (on->sign > 0 ? ~(here ^ there) : here ^ there) & sites_of(on, word);
}

/* Of bits in blocks of ones, those at or above a seed in their block: the seed's carry runs to its end. */
static inline uint64_t fill_upwards(uint64_t blocks, uint64_t seeds)
{
    return (((blocks + seeds) ^ blocks) | seeds) & blocks;
}

static inline void reach(
    const struct lattice *on, struct growth *at, int64_t row, int64_t word, uint64_t sites)
{
    const int64_t n = on->n_rows * on->n_words, index = row * on->n_words + word;
    sites &= ~at->inside[index];
    if (!sites)
        return;
    if (!at->edge[index]) {
        int64_t place = at->first + at->waiting++;
        place -= place < n ? 0 : n;
        at->queue[place].row = (int32_t)row, at->queue[place].word = (int32_t)word;
    }
    at->edge[index] |= sites;
}

/* The bonds of a word, drawn if this cluster has not met them yet. */
static inline uint64_t right_of(
    const struct lattice *on, struct growth *at, struct toss *toss, int64_t row, int64_t word)
{
    const int64_t index = row * on->n_words + word;
    if (at->drawn_right[index] != at->cluster) {
        at->drawn_right[index] = at->cluster;
        at->right[index] = satisfied_right(on, on->up + row * on->n_words, word) & ~cuts(toss);
    }
    return at->right[index];
}

static inline uint64_t below_of(
    const struct lattice *on, struct growth *at, struct toss *toss, int64_t row, int64_t next, int64_t word)
{
    const int64_t index = row * on->n_words + word;
    if (at->drawn_below[index] != at->cluster) {
        at->drawn_below[index] = at->cluster;
        at->below[index] =
            satisfied_across(on, on->up[index], on->up[next * on->n_words + word], word) & ~cuts(toss);
    }
    return at->below[index];
}

#define BODY "cluster/cluster_lanes.h"
#include "simd/levels.h"

static void draw_cuts(struct toss *toss)
{
    AT_LEVEL(toss->level, draw_cuts, toss);
}

static void flip_all(
    const struct lattice *on, struct runs *runs, struct toss *toss, struct cluster_sums *sums, int wanted)
{
    AT_LEVEL(toss->level, divide_rows, on, runs, toss);
    AT_LEVEL(toss->level, join_rows, on, runs, toss);
    if (wanted)
        AT_LEVEL(toss->level, add_all, on, runs, sums);
    AT_LEVEL(toss->level, flip_runs, on, runs, toss);
    toss->left = toss->fair_left = 0; /* what follows depends on the generators alone */
}

static void flip_one(
    const struct lattice *on, struct growth *at, struct toss *toss, struct cluster_sums *sums)
{
    AT_LEVEL(toss->level, flip_one, on, at, toss, sums);
    toss->left = 0;
}

static void set_toss(struct toss *toss, uint64_t *state, double cut, int single, int level)
{
    toss->level = level;
    toss->n_blocks = single ? 1 : MOST_BLOCKS;
    toss->state = state;
    toss->n_digits = binary_digits(cut, toss->digits);
    toss->left = toss->fair_left = 0;
}

static void pack(const struct lattice *on, const int8_t *spins, int level)
{
    AT_LEVEL(level, pack, on, spins);
}

static void unpack(const struct lattice *on, int8_t *spins, int level)
{
    AT_LEVEL(level, unpack, on, spins);
}

static void measure(const struct lattice *on, int64_t *energy, int64_t *magnetization, int level)
{
    AT_LEVEL(level, measure, on, energy, magnetization);
}

/* Memory that the caller lends: 5 words and 6 numbers for each word of spins, 3 numbers and a mark for each
   site. The first two numbers of each word are 0, as no cluster has drawn bonds yet. */
static void lend(
    const struct lattice *on, struct runs *runs, struct growth *at, uint64_t *words, int32_t *numbers,
    uint8_t *marks)
{
    const int64_t n = on->n_rows * on->n_words, n_sites = on->n_rows * on->n_cols;
    runs->starts = words + n, runs->before = numbers;
    runs->parent = numbers + n, runs->size = runs->parent + n_sites, runs->total = runs->size + n_sites;
    runs->flips = marks;
    at->right = words + n, at->below = words + 2 * n, at->inside = words + 3 * n, at->edge = words + 4 * n;
    at->drawn_right = (uint32_t *)numbers, at->drawn_below = (uint32_t *)numbers + n;
    at->queue = (struct place *)(numbers + 2 * n), at->touched = (struct place *)(numbers + 4 * n);
    at->cluster = 0;
}

#endif
