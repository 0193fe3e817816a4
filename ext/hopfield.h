/* Threshold dynamics of many states of one network of ±1 units, in three kinds of numbers: int8 couplings with int16
 * fields, int16 with int32, and float64 with float64.
 *
 * Fields are computed once, from tables of the 16 signed sums of the couplings of four units, and follow each flip by
 * one row of couplings. Integers are exact; floating sums are taken in one order whatever the level:
 * b + t(0) + t(1) + ... with t(g) = ((x w of unit 4g + x w of the next) + ...) + ... . The bodies are in hopfield_lanes.h.
 */
#ifndef RBMFLOW_HOPFIELD_H
#define RBMFLOW_HOPFIELD_H

#include <stdint.h>
#include <string.h>
#include "simd.h"

enum {
    BLOCK_BYTES = 64, /* fields that are summed together */
    PADDING = 32      /* units to which rows are filled up */
};

#if RBMFLOW_VECTORS
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

#define BODY "hopfield_lanes.h"
#include "levels.h"

#if RBMFLOW_X86
#define AT_LEVEL(name, ...)          \
    if (level == SIMD_AVX512) {      \
        name##_avx512(__VA_ARGS__);  \
        return;                      \
    }                                \
    if (level == SIMD_AVX2) {        \
        name##_avx2(__VA_ARGS__);    \
        return;                      \
    }                                \
    name##_plain(__VA_ARGS__)
#else
#define AT_LEVEL(name, ...) \
    (void)level;            \
    name##_plain(__VA_ARGS__)
#endif

#define DISPATCH(KIND, COUPLING, FIELD)                                                                              \
    static void sum_fields_##KIND(const COUPLING *couplings, const FIELD *biases, const uint8_t *nibbles,            \
                                  int64_t n_states, int64_t n_units, FIELD *table, FIELD *fields, int level)         \
    {                                                                                                                \
        AT_LEVEL(sum_fields_##KIND, couplings, biases, nibbles, n_states, n_units, table, fields);                   \
    }                                                                                                                \
    static void relax_##KIND(const COUPLING *couplings, const int32_t *order, int64_t n_sweeps, int64_t n_visited,   \
                             const uint8_t *clamped, int64_t n_states, int64_t n_units, int8_t *spins, FIELD *fields, \
                             int64_t *sweeps, uint8_t *settled, int level)                                           \
    {                                                                                                                \
        AT_LEVEL(relax_##KIND, couplings, order, n_sweeps, n_visited, clamped, n_states, n_units, spins, fields,     \
                 sweeps, settled);                                                                                   \
    }
DISPATCH(narrow, int8_t, int16_t)
DISPATCH(wide, int16_t, int32_t)
DISPATCH(real, double, double)
#undef DISPATCH
#undef AT_LEVEL

/* Four spins to a number, the first one lowest, 1 for up. */
static void pack_nibbles(const int8_t *spins, int64_t n, uint8_t *nibbles)
{
    for (int64_t i = 0; i < n; i += 4, spins += 4)
        *nibbles++ = (uint8_t)((spins[0] > 0) | (spins[1] > 0) << 1 | (spins[2] > 0) << 2 | (spins[3] > 0) << 3);
}

#endif
