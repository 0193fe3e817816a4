/* The samplers of logistic_lanes.h as functions of the level, for kernels that have no body of their own. */
#ifndef RBMFLOW_LOGISTIC_SAMPLER_H
#define RBMFLOW_LOGISTIC_SAMPLER_H

#include "logistic.h"

#define BODY "logistic_sampler_lanes.h"
#include "levels.h"

static void sample_spins32(uint64_t *state, const float *activations, float *out, int64_t n, int level)
{
#if RBMFLOW_X86
    if (level == SIMD_AVX512) {
        sample_all32_avx512(state, activations, out, n);
        return;
    }
    if (level == SIMD_AVX2) {
        sample_all32_avx2(state, activations, out, n);
        return;
    }
#endif
    (void)level;
    sample_all32_plain(state, activations, out, n);
}

static void sample_spins64(uint64_t *state, const double *activations, double *out, int64_t n, int level)
{
#if RBMFLOW_X86
    if (level == SIMD_AVX512) {
        sample_all64_avx512(state, activations, out, n);
        return;
    }
    if (level == SIMD_AVX2) {
        sample_all64_avx2(state, activations, out, n);
        return;
    }
#endif
    (void)level;
    sample_all64_plain(state, activations, out, n);
}

#endif
