/* tanh in place, for the mean-field map of restricted Boltzmann machines.
 *
 * With t = -2|x| = k ln 2 + r, k whole and |r| <= ln 2 / 2, and p = e^r - 1 = r + r^2 q(r) by a near-minimax polynomial q,
 *     s = e^t - 1 = 2^k p + (2^k - 1),   tanh|x| = |s| / (2 + s),
 * and the sign of x is put back: nothing cancels, so that small numbers keep their digits (k = 0 gives s = p) and tiny ones are
 * their own tanh; tanh is exactly odd and never beyond 1. From |x| = 20 on (float32: 10) it is 1. The error is below 3 ulp.
 * Multiplications and additions are separate and in one order, so that every SIMD level gives the same bits.
 */
#ifndef RBMFLOW_MEAN_FIELD_H
#define RBMFLOW_MEAN_FIELD_H

#include "logistic.h"

#define BODY "mean_field_lanes.h"
#include "levels.h"

static void tanh_in_place32(float *x, int64_t n, int level)
{
#if RBMFLOW_X86
    if (level == SIMD_AVX512) {
        tanh_all32_avx512(x, n);
        return;
    }
    if (level == SIMD_AVX2) {
        tanh_all32_avx2(x, n);
        return;
    }
#endif
    (void)level;
    tanh_all32_plain(x, n);
}

static void tanh_in_place64(double *x, int64_t n, int level)
{
#if RBMFLOW_X86
    if (level == SIMD_AVX512) {
        tanh_all64_avx512(x, n);
        return;
    }
    if (level == SIMD_AVX2) {
        tanh_all64_avx2(x, n);
        return;
    }
#endif
    (void)level;
    tanh_all64_plain(x, n);
}

#endif
