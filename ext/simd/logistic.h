/* Heat-bath sampling of ±1 units in bulk: P(s = 1) = 1/(1 + exp(-2a)) for the activation a.
 *
 * The sign of a is taken, and flipped where u(1 + e) < e with e = exp(-2|a|) and u uniform: no division, and
 * small probabilities keep their relative accuracy. u is the middle of one of 2^31 equal parts of [0, 1]
 * (float32, rounded) or of 2^52 (float64), so that a flip of probability below 2^-32 or 2^-53 never happens.
 * Multiplications and additions are separate and in one order, so that every SIMD level gives the same bits.
 *
 * Random words come from the logical generator of 512 bits of lanes.h: of each step of it, float32 takes
 * sixteen halves, the low one of each word first, float64 the upper 52 bits of each of the eight words. For n
 * activations these are ceil(n / 16) or ceil(n / 8) steps. The functions are in logistic_lanes.h.
 */
#ifndef RBMFLOW_LOGISTIC_H
#define RBMFLOW_LOGISTIC_H

#include <stdint.h>
#include <string.h>
#include "simd/simd.h"
#include "simd/spin_bytes.h"

enum {
    LANES32 = 16,       /* float32 numbers to a step of the generator */
    LANES64 = 8,        /* float64 numbers */
    SAMPLED_AT_ONCE = 128 /* steps that one part of the generator makes before the next part follows */
};

/* Bits of a number and back; comparisons as masks of ones. */
#if RBMFLOW_VECTORS
#define BITS32(x) ((LEVEL(words32))(x))
#define BITS64(x) ((LEVEL(words64))(x))
#define VALUE32(i) ((LEVEL(floats))(i))
#define VALUE64(i) ((LEVEL(doubles))(i))
#define MASK32(condition) ((LEVEL(words32))(condition))
#define MASK64(condition) ((LEVEL(words64))(condition))
#define TO_FLOATS(i) __builtin_convertvector((LEVEL(integers32))(i), LEVEL(floats))
#pragma GCC diagnostic ignored "-Wpsabi"
#else
static inline uint32_t BITS32(float x) { uint32_t i; memcpy(&i, &x, 4); return i; }
static inline uint64_t BITS64(double x) { uint64_t i; memcpy(&i, &x, 8); return i; }
static inline float VALUE32(uint32_t i) { float x; memcpy(&x, &i, 4); return x; }
static inline double VALUE64(uint64_t i) { double x; memcpy(&x, &i, 8); return x; }
#define MASK32(condition) (-(uint32_t)(condition))
#define MASK64(condition) (-(uint64_t)(condition))
#define TO_FLOATS(i) ((float)(int32_t)(i))
#endif

#endif
