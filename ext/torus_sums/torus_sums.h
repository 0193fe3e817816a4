/* Sums over all states of a torus, spin by spin, for one first row.
 *
 * Numbers are kept for each state of the last `width` spins, the frontier, and each number of spins that are
 * up among those that have left it. A spin that is added meets the one to its left, the one that it
 * replaces in its column, and, as if the torus closed here, the first of its row and that of the first row;
 * the bonds that were closed before are open again. The number of unsatisfied bonds is then even at every
 * step, and each spin has at most four. Half of it counts here.
 *
 *     counts    the numbers of states by pairs of unsatisfied bonds, modulo p or 2^64;
 *     weights   the sum of x^pairs.
 *
 * With a of the states whose old spin is down and b of those whose old spin is up, of one number of ups,
 *
 *     new spin down:  x^(left and first are up)   (a + x^(spin above the first row's is up) b)
 *     new spin up:    x^(left and first are down) (x^(...is down) a + b)
 */
#ifndef RBMFLOW_TORUS_SUMS_H
#define RBMFLOW_TORUS_SUMS_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"

enum {
    LEADING = 2,  /* zeros before a row of counts */
    LONGEST = 1003, /* numbers of a row of counts and its zeros: tori of a thousand sites */
    LONGEST_WEIGHED = 4096,  /* sites, where weights are summed */
    TILE = 1 << 19 /* bytes of the states that differ in a few columns: these are added while in the cache */
};

struct torus {
    int64_t width, length, n_sites;
    uint32_t first; /* states of the first row */
    int staggered;  /* count spins of the odd sublattice as up where they are down */
};

static inline int64_t ups_of(uint64_t x)
{
#if defined(__GNUC__)
    return __builtin_popcountll(x);
#else
    int64_t n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
#endif
}

/* Pairs of unsatisfied bonds of a row that closes upon itself. */
static inline int64_t pairs_of_row(uint32_t state, int64_t width)
{
    uint32_t turned = state >> 1 | (state & 1) << (width - 1);
    return ups_of(state ^ turned) / 2;
}

/* The sites of a row that are on the odd sublattice, if these count the other way. */
static inline uint32_t turned_sites(const struct torus *of, int64_t row)
{
    uint32_t every = (uint32_t)(((uint64_t)1 << of->width) - 1);
    return of->staggered ? (row & 1 ? 0x55555555u : 0xaaaaaaaau) & every : 0;
}

/* How many columns to add at a time, where the rows of a state take so many bytes. */
static inline int64_t columns_together(int64_t bytes, int64_t width)
{
    int64_t n = 1;
    while (n < width && bytes << (n + 1) <= TILE)
        n++;
    return n;
}

#define BODY "torus_sums/torus_sums_lanes.h"
#include "simd/levels.h"

static void counts_level(const struct torus *of, uint64_t p, uint64_t *table, uint64_t *counts, int level)
{
    AT_LEVEL(level, torus_counts, of, p, table, counts);
}

static void weights_level(const struct torus *of, double x, double *table, double *weights, int level)
{
    AT_LEVEL(level, torus_weights, of, x, table, weights);
}

#endif
