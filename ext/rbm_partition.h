/* The partition function of a machine of two layers, one of them enumerated.
 *
 * Z = sum over s of exp(c.s) prod_i 2cosh(a_i), a_i = b_i + sum_j W_ij s_j. With a = alpha + beta, beta of the lowest LOW_BITS of the
 * enumerated units, alpha of the rest: 2cosh a = exp(alpha - beta) (exp(2 beta) + exp(-2 alpha)). The first factors are exponentials of
 * linear functions of s, taken out of the product once; what is left costs one addition and one multiplication for
 * each traced unit, of tables t = exp(2 beta) over the low units and r = exp(-2 alpha) over the rest. r is itself a product of
 * tables over the middle units and over the high ones.
 *
 * Lanes are configurations of the low units. Every sum runs over them in one order for each of eight logical lanes, with
 * multiplications and additions apart, so that every level gives the same bits.
 */
#ifndef RBMFLOW_RBM_PARTITION_H
#define RBMFLOW_RBM_PARTITION_H

#include <stdint.h>
#include <string.h>
#include "simd.h"

enum {
    LOW_BITS = 8,
    LOW_STATES = 1 << LOW_BITS,
    BLOCK = 32, /* low states whose entries of the table stand side by side */
    LOGICAL = 8, /* lanes that keep sums of their own, whatever the width */
    TOGETHER = 4 /* states of the middle units taken through one pass */
};

#define NEVER (-((int64_t)1 << 40)) /* the exponent of an empty sum */

/* What the sum needs; see rbm_partition.pyx for the shapes. */
struct layers {
    int64_t n_traced, n_middle;
    const double *low, *low_value;
    const int64_t *low_exponent;
    const double *middle, *middle_value;
    const int64_t *middle_exponent;
    const int64_t *stops; /* where products are brought back into range; the last is n_traced */
    int64_t n_stops;
};

#if RBMFLOW_VECTORS
#define BITS(x) ((LEVEL(integers))(x))
#define VALUE(i) ((LEVEL(vector))(i))
#define MASK(condition) ((LEVEL(integers))(condition))
#pragma GCC diagnostic ignored "-Wpsabi"
#else
static inline int64_t BITS(double x) { int64_t i; memcpy(&i, &x, 8); return i; }
static inline double VALUE(int64_t i) { double x; memcpy(&x, &i, 8); return x; }
#define MASK(condition) (-(int64_t)(condition))
#endif

#if defined(__GNUC__)
#define NOT_INLINE __attribute__((noinline))
#else
#define NOT_INLINE
#endif

/* TILE vectors of low states go through a pass together, as the registers allow. */
#if RBMFLOW_VECTORS
#define LANES 2
#else
#define LANES 1
#endif
#define TILE 2
#define TARGET
#define LEVEL(name) name##_plain
#include "rbm_partition_lanes.h"
#undef LANES
#undef TILE
#undef TARGET
#undef LEVEL

#if RBMFLOW_X86
#define LANES 4
#define TILE 2
#define TARGET TARGET_AVX2
#define LEVEL(name) name##_avx2
#include "rbm_partition_lanes.h"
#undef LANES
#undef TILE
#undef TARGET
#undef LEVEL
#define LANES 8
#define TILE 4
#define TARGET TARGET_AVX512
#define LEVEL(name) name##_avx512
#include "rbm_partition_lanes.h"
#undef LANES
#undef TILE
#undef TARGET
#undef LEVEL
#endif

static void sum_high_states(
    const struct layers *of, const double *high, int64_t n_high, double *ratios, double *parts, int64_t *scales,
    double *sums, int64_t *exponents, int level)
{
#if RBMFLOW_X86
    if (level == SIMD_AVX512) {
        sum_states_avx512(of, high, n_high, ratios, parts, scales, sums, exponents);
        return;
    }
    if (level == SIMD_AVX2) {
        sum_states_avx2(of, high, n_high, ratios, parts, scales, sums, exponents);
        return;
    }
#endif
    (void)level;
    sum_states_plain(of, high, n_high, ratios, parts, scales, sums, exponents);
}

#undef BITS
#undef VALUE
#undef MASK
#undef NEVER
#undef NOT_INLINE
#endif
