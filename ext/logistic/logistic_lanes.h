/* Body of logistic.h for one SIMD level: the includer sets WIDTH, TARGET and LEVEL. */

#include "simd/lanes.h"
#include "simd/logistic_lanes.h"

TARGET static void LEVEL(sample_all32)(uint64_t *state, const float *in, float *out, int64_t n)
{
    LEVEL(sample32)(state, in, out, n);
}

TARGET static void LEVEL(sample_all64)(uint64_t *state, const double *in, double *out, int64_t n)
{
    LEVEL(sample64)(state, in, out, n);
}

#include "simd/lanes_end.h"
