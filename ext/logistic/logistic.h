/* The samplers of simd/logistic_lanes.h as functions of the level:
   for kernels that have no body of their own. */
#ifndef RBMFLOW_LOGISTIC_SPINS_H
#define RBMFLOW_LOGISTIC_SPINS_H

#include "simd/logistic.h"

#define BODY "logistic/logistic_lanes.h"
#include "simd/levels.h"

static void sample_spins32(uint64_t *state, const float *activations, float *out, int64_t n, int level)
{
    AT_LEVEL(level, sample_all32, state, activations, out, n);
}

static void sample_spins64(uint64_t *state, const double *activations, double *out, int64_t n, int level)
{
    AT_LEVEL(level, sample_all64, state, activations, out, n);
}

#endif
