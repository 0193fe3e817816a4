/* Threshold dynamics of many states of one network of ±1 units, in three kinds of numbers: int8 couplings
 * with int16 fields, int16 with int32, and float64 with float64.
 *
 * Fields are computed once, from tables of the 16 signed sums of the couplings of four units, and follow the
 * flips by one row of couplings for each. Units are visited in blocks: within a block only its own fields
 * follow each flip, the others when it has been visited. Integers are exact; floating sums are taken in one
 * order whatever the level,
 *     b + t(0) + t(1) + ..., t(g) = ((x w of unit 4g + x w of the next) + ...) + ...,
 * then flip by flip. The bodies are in hopfield_numbers.h.
 */
#ifndef RBMFLOW_HOPFIELD_H
#define RBMFLOW_HOPFIELD_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"

enum {
    BLOCK_BYTES = 64, /* fields that are summed together */
    PADDING = 32,     /* units to which rows are filled up */
    GROUPS = 16,      /* groups of four units whose tables are used together */
    STATES = 1024,    /* states that share them */
    VISITS = 32       /* units of a block of visits */
};

/* What changed in a block of visits: rows of couplings as offsets, in the order of the flips, and by
   direction. */
struct flips {
    int n, n_up, n_down;
    int twice[VISITS]; /* 2 or -2, twice the new state */
    int64_t row[VISITS], up[VISITS + 1], down[VISITS + 1];
};

#if RBMFLOW_VECTORS
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

#define BODY "hopfield/hopfield_lanes.h"
#include "simd/levels.h"

#define DISPATCH(KIND, COUPLING, FIELD)                                                                   \
    static void sum_fields_##KIND(                                                                        \
        const COUPLING *couplings, const FIELD *biases, const uint16_t *entries, int64_t n_states,        \
        int64_t n_units, FIELD *table, FIELD *fields, int level)                                          \
    {                                                                                                     \
        AT_LEVEL(level, sum_fields_##KIND, couplings, biases, entries, n_states, n_units, table, fields); \
    }                                                                                                     \
    static void relax_##KIND(                                                                             \
        const COUPLING *couplings, const int32_t *order, int64_t n_sweeps, int64_t n_visited,             \
        const uint8_t *clamped, int64_t n_states, int64_t n_units, COUPLING *among, int8_t *spins,        \
        FIELD *fields, int64_t *sweeps, uint8_t *settled, int level)                                      \
    {                                                                                                     \
        AT_LEVEL(level, relax_##KIND, couplings, order, n_sweeps, n_visited, clamped, n_states, n_units,  \
                 among, spins, fields, sweeps, settled);                                                  \
    }
DISPATCH(narrow, int8_t, int16_t)
DISPATCH(wide, int16_t, int32_t)
DISPATCH(real, double, double)
#undef DISPATCH

/* For each four spins the place in the tables, in bytes: bit k of the entry is set where spin k is not -1. */
static void find_entries(const int8_t *spins, int64_t n_groups, uint16_t *entries)
{
    for (int64_t g = 0; g < n_groups; g++, spins += 4) {
        uint32_t x = (uint32_t)(uint8_t)spins[0] | (uint32_t)(uint8_t)spins[1] << 8
            | (uint32_t)(uint8_t)spins[2] << 16 | (uint32_t)(uint8_t)spins[3] << 24;
        /* the top bit of byte k to bit 24 + k */
        uint32_t bits = (~x >> 7 & 0x01010101) * 0x01020408u >> 24 & 15;
        entries[g] = (uint16_t)((g % GROUPS * 16 + bits) * BLOCK_BYTES);
    }
}

#endif
