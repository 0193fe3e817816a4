/* The mean-field map of restricted Boltzmann machines, v' = tanh(W tanh(W'v + c) + b).
 *
 * Weights come in panels of 64 bytes of units of the layer to compute, for each unit of the other layer in
 * turn. A field is
 *     bias + w_0 v_0 + w_1 v_1 + ...,
 * in this order, multiplications and additions separate: the result of a row is the same bits at every SIMD
 * level, on every machine, whatever rows are computed with it. Blocks of rows go through all steps while they
 * are in the cache.
 *
 * tanh: with t = -2|x| = k ln 2 + r, k whole and |r| <= ln 2 / 2, and p = e^r - 1 = r + r^2 q(r) by a
 * near-minimax polynomial q,
 *     s = e^t - 1 = 2^k p + (2^k - 1),   tanh|x| = |s| / (2 + s),
 * and the sign of x is put back: nothing cancels, so that small numbers keep their digits (k = 0 gives s = p)
 * and tiny ones are their own tanh; tanh is exactly odd and never beyond 1. From |x| = 20 on (float32: 10) it
 * is 1. The error is below 3 ulp. Multiplications and additions are separate and in one order, so that every
 * SIMD level gives the same bits.
 */
#ifndef RBMFLOW_MEAN_FIELD_H
#define RBMFLOW_MEAN_FIELD_H

#include <stdlib.h>
#include "simd/logistic.h"

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLL_ALL _Pragma("GCC unroll 16")
#else
#define UNROLL_ALL
#endif

enum { PANEL_BYTES = 64, BLOCK = 96 /* rows, a multiple of those of a tile on every level */ };

/* Rows that flow; see mean_field.pyx. */
struct flow {
    int64_t n_visible, n_hidden, n, n_steps;
};

#define BODY "mean_field/mean_field_lanes.h"
#include "simd/levels.h"

static void tanh_in_place32(float *x, int64_t n, int level)
{
    AT_LEVEL(level, tanh_all32, x, n);
}

static void tanh_in_place64(double *x, int64_t n, int level)
{
    AT_LEVEL(level, tanh_all64, x, n);
}

static int iterate32(
    const struct flow *f, const float *up, const float *down, const float *b, const float *c, float *values,
    int level)
{
    return AT_LEVEL(level, iterate32, f, up, down, b, c, values);
}

static int iterate64(
    const struct flow *f, const double *up, const double *down, const double *b, const double *c,
    double *values, int level)
{
    return AT_LEVEL(level, iterate64, f, up, down, b, c, values);
}

#endif
