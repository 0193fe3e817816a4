/* Sums over all states of up to MAX_SITES sites that are up or down, of a quadratic form of theirs:
 *
 *     value = constant + sum_i linear_i x_i + sum_(i<j) pairs_ij x_i x_j,   x = 1 up, 0 down.
 *
 * The sites are cut into six low, six middle and the high ones. A block holds the 2^12 states of the same
 * high sites: with the tables of graph_sums_tables.h a value costs two additions. The numbers are integers,
 * or doubles that hold integers or multiples of a power of two: all sums of values are exact, so that
 * neither blocks nor the order of states change a bit.
 *
 * Values of doubles come in two limbs, value = coarse + fine, whose differences are exact and whose sum is
 * rounded once.
 */
#ifndef RBMFLOW_GRAPH_SUMS_H
#define RBMFLOW_GRAPH_SUMS_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"
#include "simd/logistic.h"

enum {
    MAX_SITES = 48,
    BLOCK_SITES = 6,
    BLOCK = 1 << BLOCK_SITES,
    LOGICAL = 8,                  /* lanes that keep sums of their own, whatever the width */
    GROUPS = BLOCK / LOGICAL,     /* of low states; their three sites are those above the lanes' */
    UPS = MAX_SITES + 1 + 3
};

#define NUMBER int32_t
#define OF(name) name##_integers
#include "graph_sums/graph_sums_tables.h"

#define NUMBER double
#define OF(name) name##_doubles
#include "graph_sums/graph_sums_tables.h"

static inline int count_up(uint64_t x)
{
#if defined(__GNUC__)
    return __builtin_popcountll(x);
#else
    int n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
#endif
}

/* Neighbouring states are tallied in different copies: an increment need not wait for the last. */
static void tally_blocks(struct form_integers *of, uint64_t first, uint64_t last, int64_t n_bins,
                         int64_t n_copies, uint32_t *copies, uint64_t *counts)
{
    memset(copies, 0, (size_t)(n_bins * n_copies) * sizeof *copies);
    int64_t step = n_copies == 4 ? n_bins : 0;
    for (uint64_t high = first; high < last; high++) {
        go_to_integers(of, high);
        for (int64_t m = 0; m < BLOCK; m++) {
            int32_t at[BLOCK], base = of->middle[m];
            for (int64_t l = 0; l < BLOCK; l++)
                at[l] = base + of->low[l] + of->cross[m][l];
            for (int64_t l = 0; l < BLOCK; l += 4) {
                copies[at[l]]++;
                copies[step + at[l + 1]]++;
                copies[2 * step + at[l + 2]]++;
                copies[3 * step + at[l + 3]]++;
            }
        }
    }
    for (int64_t copy = 0; copy < n_copies; copy++)
        for (int64_t bin = 0; bin < n_bins; bin++)
            counts[bin] += copies[copy * n_bins + bin];
}

#define BODY "graph_sums/graph_sums_lanes.h"
#include "simd/levels.h"

static void extremes_level(struct form_doubles *coarse, struct form_doubles *fine, uint64_t first,
                           uint64_t last, double *extremes, int level)
{
    AT_LEVEL(level, graph_extremes, coarse, fine, first, last, extremes);
}

static void weigh_level(struct form_doubles *coarse, struct form_doubles *fine, uint64_t first, uint64_t last,
                        const double *reference, const double *scale, int64_t n_scales, double *weights,
                        double *moments, int level)
{
    AT_LEVEL(level, graph_weigh, coarse, fine, first, last, reference, scale, n_scales, weights, moments);
}

#endif
